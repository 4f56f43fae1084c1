"""Regimes of learning: models that learn from other models, tasks and data than their own.

The lecture ends its tour with a list (V0 616-630): which models are trained together, and which one
after the other. With the systems of this repository ::

    together                                         one after the other
    ------------------------------------------       ------------------------------------------
    f ─┬─ encoder and decoder                        f ══> f, g'   transfer learning (V0 422)
    g ─┘  autoencoders/, variational/                f ══> f, g'   pre-training of deep nets:
                                                                   autoencoders/pretraining.py
    f ─┬─ decoder g                                  f ══> f, g'   self-supervision (V0 441)
       └─ predictor ŷ                                a ══> b       distillation.py
          autoencoders/semi_supervised.py            a ══> b       surrogate.py, where a is a
    f ─┬─ g_1 … g_T                                                simulator that learns nothing
       └─ multi_task.py                              a* ══> a      lupi.py, form=separate
    a  ─┬─ student, teacher
    a* ─┘  lupi.py, form=joint
    G ⇄ D  adversarial nets, who learn
           against each other

    ─┬─  one objective, all gradients at once        ══>  the left one is finished and kept

"Learning without labels is used more and more to optimise a part of the model by large data": of
the right column, the first three.

    file                 regime                                             lecture    rows
    -------------------- -------------------------------------------------- ---------- --------
    lupi.py              a teacher sees x*, its student x alone             V0 487     63 64 65
    distillation.py      a small net learns the answers of a large one      V0 470     61
    surrogate.py         the same, where the teacher is a simulator         V0 481     62
    multi_task.py        one f for all tasks, one g_t for each              V0 449     59
    frozen.py            f trained by others and frozen, a new g'           V2 683     57
    vectoriser.py        the same f as a vectoriser of images: search       V2 132     75

Read distillation.py first: privileged information and surrogates are changes of who the teacher is.
Each of the first four trains, from the same minibatches, the net that learns alone, and reports how
much the regime gains on it.

Files without a system of their own: imitation.py, the loss between two models' answers; vectors.py,
images as the vectors of the pre-trained network (models/convolutional/efficientnet.py), whose
weights do not ship; and the pictures next to each system.
"""
