"""Every recipe with every kind of data: those it takes train, score and draw; others are refused.

The data are a few dozen samples of each kind, with classes. One epoch of each recipe with the
settings of its preset for that kind, made small.
"""

import dataclasses
import io
import random

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Info, Split, from_text, load
from glassgrad.core.data.catalogue import KINDS
from glassgrad.core.data.grammars import counting
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.common import binary, rows
from glassgrad.sources import Source

# what makes a training or a picture long; a system has some of them
SMALL = {
    "hidden": lambda v: (7,) * len(v) if isinstance(v, tuple) else min(v, 7),
    "critic": lambda v: (7,) * len(v),
    "atoms": lambda v: min(v, 9),
    "code": lambda v: min(v, 9),
    "rows": lambda v: 3,
    "columns": lambda v: 4,
    "centres": lambda v: min(v, 3),
    "labels": lambda v: min(v, 12),
    "components": lambda v: 3,
    "passes": lambda v: 2,
    "pretrain": lambda v: 1,
    "finetune": lambda v: 1,
    "head": lambda v: min(v, 1),
    "restarts": lambda v: 1,
    "ais_chains": lambda v: 10,
    "temperatures": lambda v: 20,
    "permutations": lambda v: 19,
    "importance": lambda v: min(v, 3),
    "encode_steps": lambda v: 3,
    "channels": lambda v: (2, 3)[: len(v)],
    "steps": lambda v: min(v, 3),
    "neighbours": lambda v: 2,
}


def small(settings):
    """The settings with small networks, for as few epochs as they allow."""
    names = {f.name for f in dataclasses.fields(settings)}
    found = {k: f(getattr(settings, k)) for k, f in SMALL.items() if k in names}
    settings = dataclasses.replace(settings, **found, batch=10, select="")
    return dataclasses.replace(settings, epochs=settings.least_epochs or 1)


def split(x, y, kind, **info) -> DataSet:
    """45 training, 15 validation and 15 test samples."""
    parts = [Split(x[a:b], y[a:b]) for a, b in ((0, 45), (45, 60), (60, 75))]
    info = Info(kind=kind, classes=("a", "b", "c"), **info)
    return DataSet(f"few {kind}", *parts, info=info)


def tiny(kind: str, tmp_path=None) -> DataSet:
    """A small data set of one kind, of three classes where the kind has classes."""
    rng = np.random.default_rng(3)
    y = np.arange(75) % 3
    if kind == "images":
        digits = load("digits").train
        chosen = np.concatenate([np.flatnonzero(digits.y == c)[:25] for c in range(3)])
        chosen = chosen.reshape(3, 25).T.ravel()
        return split(digits.x[chosen], digits.y[chosen], kind, image_shape=(1, 8, 8))
    if kind == "table":  # on scales of a thousandth and of thousands, and one that never changes
        z = rng.normal(size=(75, 2)) + y[:, None]
        x = np.stack([1e-3 * z[:, 0], 5e3 + 1e3 * z[:, 1], z.sum(axis=1), np.full(75, 7.0)], 1)
        names = ("width (mm)", "mass (g)", "both", "a column with a name that goes on and on")
        return split(x.astype(np.float32), y, kind, feature_names=names)
    if kind == "binary":
        p = np.array([[0.9, 0.1, 0.2], [0.1, 0.8, 0.1], [0.2, 0.1, 0.9]])[y]
        x = rng.random((75, 9)) < np.repeat(p, 3, axis=1)
        return split(x.astype(np.float32), y, kind)
    if kind == "sequences":
        return dataclasses.replace(counting("ab", (1, 4), (5, 6), (7, 8)), name="ab_counting")
    if kind == "text":
        path = tmp_path / "own.txt"
        path.write_text("the rain in spain stays mainly in the plain. " * 40)
        return from_text(path)
    assert kind == "sentences"
    found = tiny("text", tmp_path)
    tokens = [rng.integers(0, 5, n) for n in rng.integers(2, 7, 75)]
    return split(tokens, y, kind, vocabulary=found.info.vocabulary)


PAIRS = [(name, kind) for name in models.names() for kind in models.recipe(name).takes]
FEW = sorted(random.Random(20).sample([p for p in PAIRS if p[1] != "images"], 12))


def try_out(name, kind, tmp_path):
    """Train for as little as possible, then score and draw: all figures are finite numbers."""
    recipe, raw = models.recipe(name), tiny(kind, tmp_path)
    settings = small(recipe.resolve(raw.name, kind=kind))
    data = training.prepared(recipe, raw, settings)
    system = training.build(recipe, data, settings)
    history = fit(system, data, settings)
    assert len(history) == settings.epochs
    found = system.evaluate_finished(training.held_out(data)[1])
    assert found and np.isfinite(list(found.values())).all()
    assert recipe.metric in found or kind in ("sequences", "text", "sentences")
    drawn = recipe.figures(system, data, settings) if recipe.figures else {}
    assert drawn or not recipe.figures
    if recipe.sample:
        try:
            drawn["a sample"] = recipe.sample(system, data, 5, gg.Generator(1))
        except SettingError:  # classes of sequences cannot be drawn
            assert name in models.FAMILIES["recurrent"]
    for figure in drawn.values():
        figure.savefig(io.BytesIO(), format="png", dpi=20)
    return drawn


@pytest.mark.parametrize(("name", "kind"), FEW)
def test_a_few_recipes_train_score_and_draw(name, kind, tmp_path):
    try_out(name, kind, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), sorted(set(PAIRS) - set(FEW)))
def test_every_recipe_trains_scores_and_draws_what_it_takes(name, kind, tmp_path):
    try_out(name, kind, tmp_path)
