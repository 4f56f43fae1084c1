"""Whole trainings on a GPU and on the CPU: the same history but for rounding."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core import data
from glassgrad.core.training.loop import Silent, fit
from tests.kernels.checking import why_no_gpu
from tests.tools import skip_without_needs

needs_gpu = pytest.mark.skipif(bool(why_no_gpu()), reason=why_no_gpu() or "a GPU is there")
GAME = {"epochs": 2, "batch": 500, "generator": (9,), "discriminator": (9,)}
# name -> settings, and how far apart the last epoch's figures may be: rounding grows from step to
# step, most where Adam divides by gradients that are nearly nothing
TRAININGS = {
    "lenet": ({"epochs": 3, "batch": 50}, 2e-3),
    "text-cnn": ({"epochs": 3, "size": 16, "maps": 8}, 2e-3),
    "go": ({"epochs": 2, "positions": 500, "layers": 2, "filters": 5}, 2e-3),
    "alexnet": ({"epochs": 3, "batch": 50, "channels": (4, 5), "hidden": (9,)}, 2e-3),
    "hog": ({"epochs": 3}, 2e-3),
    "tricks": ({"epochs": 3, "hidden": (9, 8)}, 2e-3),
    "speech": ({"epochs": 3, "channels": (8, 8)}, 2e-3),
    "mlp": ({"epochs": 3, "batch": 50, "dropout": 0.5, "max_norm": 0.5}, 2e-3),
    "vae": ({"epochs": 3, "batch": 50}, 2e-3),
    "vae-plane": ({"epochs": 3, "batch": 50, "hidden": (16,)}, 2e-3),
    "vae-mixture": ({"epochs": 3, "batch": 50, "hidden": (16,)}, 2e-3),
    "lstm": ({"epochs": 2, "batch": 50}, 2e-3),
    "translation": ({"epochs": 2, "hidden": 8, "embed": 8}, 2e-3),
    "forecast": ({"epochs": 2, "hidden": 8, "past": 8, "horizon": 2}, 2e-3),
    "language-model": ({"epochs": 1, "hidden": 8, "embed": 8, "batch": 200}, 2e-3),
    "music": ({"epochs": 2, "hidden": 8, "units": 8, "batch": 100}, 2e-3),
    "sentiment": ({"epochs": 1, "hidden": 4, "embed": 4, "batch": 200}, 2e-3),
    "som": ({"epochs": 5, "form": "batch", "init": "sample"}, 2e-3),
    "gan": (GAME, 2e-3),
    "gan-product": (GAME, 2e-3),
    "gan-ring": (GAME, 2e-3),
    "gan-line": ({"epochs": 2, "batch": 5000, "pretraining": 1}, 2e-3),
    "gmmn": ({"space": "pixels", "epochs": 2, "batch": 500, "generator": (9,)}, 2e-3),
    "wgan": (GAME, 2e-3),
    "lupi": ({"pretrain": 2, "epochs": 4}, 2e-3),
    "distillation": ({"pretrain": 1, "epochs": 3, "temperature": (4.0, 1.0), "without": 3}, 2e-3),
    "transfer": (
        {"pretrain": 1, "epochs": 3, "channels": (3,), "sizes": (10, 20), "repeats": 2},
        2e-3,
    ),
    "few-shot": ({"epochs": 2, "episodes": 10, "channels": (3, 4), "ways": 5, "trials": 20}, 2e-3),
    "patch-position": ({"epochs": 3, "channels": (8,)}, 2e-3),
    "multi-task": ({"epochs": 3}, 2e-3),
    "surrogate": ({"epochs": 3}, 2e-3),
    "efficientnet": ({"epochs": 3, "vectors": "pixels"}, 2e-3),
    "vectoriser": ({"epochs": 2}, 2e-3),
    "gcn": ({"epochs": 3}, 2e-3),
    "dgcnn": ({"epochs": 2, "hidden": (5, 4), "channels": (2, 3), "dense": 6}, 2e-3),
    "gnn": ({"epochs": 2, "hidden": (5, 4), "dense": 6}, 2e-3),
    "fasttext": ({"epochs": 2, "min_count": 40, "longest": 4}, 2e-3),
    "fasttext-classifier": ({"epochs": 2, "batch": 100, "lr": 0.1}, 2e-3),
    "node2vec": ({"epochs": 2, "walks": 3, "length": 20}, 2e-3),
    "graph2vec": ({"epochs": 2}, 2e-3),
    "naive-bayes": ({"epochs": 3}, 2e-3),
    "naive-bayes-gaussian": ({"epochs": 3}, 2e-3),
    "logistic-regression": ({"epochs": 3}, 2e-3),
    "linear-svm": ({"epochs": 3}, 2e-3),
    "regression": ({"epochs": 3, "select": ""}, 2e-3),
    "latent-curve": ({"epochs": 2, "hidden": (16,)}, 2e-3),
    "latent-classes": ({"epochs": 3}, 2e-3),
    "feature-matching": (
        {"epochs": 2, "batch": 300, "generator": (9,), "discriminator": (9,), "known": 50},
        2e-3,
    ),
}
SOURCES = {
    "gan-line": "normal", "gan-ring": "ring", "wgan": "ring", "lupi": "lupi_clean_labels",
    "multi-task": "shared_tasks", "surrogate": "heated_plate", "few-shot": "glyphs",
    "translation": "eng_fra_piece", "forecast": "mackey_glass",
    "language-model": "shakespeare_piece", "text-cnn": "enwiki_or_shakespeare", "go": "go_5x5",
    "speech": "fsdd_piece",
    "sentiment": "enwiki_subjects", "music": "cadences",
    "gcn": "karate", "dgcnn": "rings_and_trees", "gnn": "rings_and_trees",
    "fasttext": "enwiki_piece", "fasttext-classifier": "enwiki_subjects", "node2vec": "karate",
    "graph2vec": "rings_and_trees",
    "regression": "diabetes", "latent-curve": "moons",
}  # fmt: skip
# figures that count samples: how far one or two at the border of two classes may move them
COUNTED = {
    "lupi": {"gain": 0.02},
    "distillation": {"error": 1.0, "gain": 1.0, "unseen": 11.0},
    "transfer": {"valid_": 2.2},  # two of 92 samples
    "few-shot": {"valid_": 1.0},
    "regression": {"coverage": 0.025},
}


def apart(name: str, figure: str) -> float:
    """The largest difference of a figure that counts samples; 0 where it does not.

    >>> apart("distillation", "valid_error_t1"), apart("vae", "valid_bound")
    (1.0, 0)
    """
    return next((most for part, most in COUNTED.get(name, {}).items() if part in figure), 0)


def history(name, device, settings):
    """The figures of each epoch, seconds left out, and the final weights."""
    recipe = models.recipe(name)
    source = SOURCES.get(name, "digits")
    s = recipe.resolve(source, {"seed": 1, **settings})
    found = data.load(source)
    found = recipe.prepare(found, s) if recipe.prepare else found
    system = recipe.build(found, s, gg.Generator(1)).to(device)
    rows = fit(system, found, s, progress=Silent())
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
    return rows, [t.numpy() for _, t in system.named_tensors()]


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_on_a_gpu_ends_where_one_on_the_cpu_does(name):
    settings, most = TRAININGS[name]
    skip_without_needs(models.recipe(name))
    wanted, weights = history(name, "cpu", settings)
    got, others = history(name, "cuda", settings)
    assert len(got) == len(wanted) == settings["epochs"]
    for ours, right in zip(got, wanted, strict=True):
        assert ours.keys() == right.keys()
        for figure, value in right.items():
            few = 0.02 if "accuracy" in figure else most  # a sample at the border counts whole
            assert ours[figure] == pytest.approx(value, rel=few, abs=apart(name, figure)), figure
    for a, b in zip(others, weights, strict=True):
        assert np.linalg.norm(a - b) <= 10 * most * np.linalg.norm(b)
    assert wanted[0] != wanted[-1], "nothing was learnt"
