"""Regimes of learning: models that learn from other models, tasks and data than their own.

The lecture ends its tour with a map (V0 616-630): which models are trained together, and which one
after the other. Here it is, with the systems of this repository and their rows in the lectures ::

    TOGETHER: one objective,            rows    ONE AFTER THE OTHER: what is left    rows
    all gradients at once                       of ══> is finished and kept

    f ─── g  encoder and decoder                f, g ══> f, g'    pre-training of
      autoencoders/                     8-21     deep nets
      variational/                      23-27     autoencoders/pretraining.py        55
                                                  autoencoders/stacked.py            22
    f ─┬─ g  decoder                              energy/dbn.py                      39
       └─ ŷ  predictor                          f, g ══> g'       transfer, f frozen
      autoencoders/semi_supervised.py   28        transfer.py                        56
                                                  frozen.py: f from ImageNet         57
    f ─┬─ g_1                                     vectoriser.py: no g' at all        75
       ├─ …                                       few_shot.py: tasks ══> a new one   60
       └─ g_T  a head for each task             f, g ══> g'       self-supervision:
      multi_task.py                     59       g answers what needs no labels
                                                  patch_position.py                  58
    a ──── student, of x                        a ══> b           a large net, then
    a* ─┘  teacher, of x*                        a small one
      lupi.py, form=joint               64        distillation.py                    61
                                                a ══> b           a simulator, which
    G ⇄ D  against each other                    learns nothing, then a net
      adversarial/ but for gmmn.py      44-52     surrogate.py                       62
      variational/aae.py, wae.py        29-32   a* ══> a          teacher, then student
    moments alone, without a D                    lupi.py, form=separate             63
      adversarial/gmmn.py               53
      variational/wae.py, wae-mmd       32

The lecture's predictor may also find clusters (V0 620): no system here has such a head.

One system is on both sides: privileged information, which the lecture lists on the left; its
separate form is a distillation whose teacher sees more. What few-shot learning keeps is an f that
was trained on many tasks together. "Learning without labels is used more and more to optimise a
part of the model by large data": pre-training and self-supervision, the f of the right column.

    file                 regime                                             lecture    rows
    -------------------- -------------------------------------------------- ---------- --------
    lupi.py              a teacher sees x*, its student x alone             V0 487     63 64 65
    distillation.py      a small net learns the answers of a large one      V0 470     61
    surrogate.py         the same, where the teacher is a simulator         V0 481     62
    multi_task.py        one f for all tasks, one g_t for each              V0 449     59
    transfer.py          f trained on one task and frozen, a new g'         V0 422     56
    frozen.py            the same, where others have trained f              V2 683     57
    vectoriser.py        their f as a vectoriser of images: search          V2 132     75
    patch_position.py    f trained without labels: where is the patch?      V0 441     58
    few_shot.py          f trained on many tasks, for new ones              V0 461     60

Read distillation.py first: privileged information and surrogates are changes of who the teacher is.
lupi, distillation, multi_task and transfer (its form scratch) train, from the same minibatches, the
net that learns alone, and report how much the regime gains on it.

Files without a system of their own: imitation.py, the loss between two models' answers; vectors.py,
images as the vectors of the pre-trained network (models/convolutional/efficientnet.py), whose
weights do not ship; few_shot_data.py, classes apart and episodes; patch_pairs.py, pairs of patches;
patch_probe.py, a linear probe; and the pictures next to each system.
"""
