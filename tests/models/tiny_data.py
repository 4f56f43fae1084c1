"""A few dozen samples of every kind of data, and each recipe's settings made small for them."""

import dataclasses

import numpy as np

from glassgrad import models
from glassgrad.core.data import DataSet, Graph, Info, Split, from_text, load
from glassgrad.core.data.grammars import counting
from glassgrad.core.data.own.texts.pairs import from_pairs

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
    "plain": lambda v: 3,
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
    "maps": lambda v: 5,
    "sizes": lambda v: (6, 12),
    "repeats": lambda v: 2,
    "ways": lambda v: 2,
    "queries": lambda v: 1,
    "episodes": lambda v: 2,
    "trials": lambda v: 3,
    "states": lambda v: 3,
    "draws": lambda v: 5,
    "documents": lambda v: 4,
    "piece": lambda v: 12,
    "filters": lambda v: min(v, 3),
    "positions": lambda v: 60,
    "tested": lambda v: 60,
    "matches": lambda v: 2,
    "rare": lambda v: 1,
    "common": lambda v: 1.0,
    "past": lambda v: min(v, 6),
    "horizon": lambda v: min(v, 3),
    "neighbours": lambda v: (2,) if isinstance(v, tuple) else 2,
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
    if kind == "counts":
        rate = np.array([[4.0, 0.2, 1.0], [0.2, 4.0, 1.0], [1.0, 1.0, 0.2]])[y]
        x = rng.poisson(np.repeat(rate, 3, axis=1)).astype(np.float32)
        return split(x, y, kind, feature_names=tuple(f"word {j}" for j in range(9)))
    if kind == "sequences":
        return dataclasses.replace(counting("ab", (1, 4), (5, 6), (7, 8)), name="ab_counting")
    if kind == "text":
        path = tmp_path / "own.txt"
        path.write_text("the rain in spain stays mainly in the plain. " * 40)
        return from_text(path)
    if kind == "series":  # one comes and goes, one grows
        t = np.arange(120)[:, None]
        x = np.concatenate([np.sin(t / 3), 5 + t / 10], axis=1) + 0.1 * rng.normal(size=(120, 2))
        parts = map(Split, np.split(x.astype(np.float32), [80, 100]))
        return DataSet("few series", *parts, info=Info(kind=kind))
    if kind == "pairs":  # words of the source in reverse
        path = tmp_path / "own.tsv"
        lines = (" ".join(rng.choice(list("abcde"), 1 + k % 5)) for k in range(75))
        path.write_text("".join(f"{line}\t{line[::-1]}\n" for line in lines))
        return from_pairs(path)
    if kind == "graph":  # three rings, joined at one node
        ring = np.stack([np.arange(25), (np.arange(25) + 1) % 25], axis=1)
        edges = np.concatenate([ring + 25 * k for k in range(3)] + [[[0, 25], [0, 50]]])
        parts = dict(zip(("train", "valid", "test"), np.split(rng.permutation(75), (45, 60))))
        info = Info(classes=("a", "b", "c"))
        return Graph("few nodes", 75, np.sort(edges, 1), labels=np.arange(75) // 25, **parts,
                     info=info)  # fmt: skip
    if kind == "audio":
        tones = load("tones", train=75, valid=0, test=0)
        return split(tones.train.x, tones.train.y, kind, extra=tones.info.extra)
    if kind == "graphs":
        graphs = []
        for n in rng.integers(3, 12, 75):
            pairs = np.array([[rng.integers(0, v), v] for v in range(1, n)])
            graphs.append(Graph("tree", int(n), pairs, labels=rng.integers(0, 3, n)))
        return split(graphs, y, kind)
    if kind == "games":
        return dataclasses.replace(load("go_5x5", train=45, valid=15, test=15), name="few games")
    assert kind == "sentences"
    found = tiny("text", tmp_path)
    tokens = [rng.integers(0, 5, n) for n in rng.integers(2, 7, 75)]
    return split(tokens, y, kind, vocabulary=found.info.vocabulary)


def fitting(name: str, raw: DataSet) -> DataSet:
    """The data with quantities in the place of classes, where a recipe predicts those."""
    if name != "regression":
        return raw
    parts = {
        k: Split(v.x, 3 * v.x[:, :1] + v.y[:, None].astype(np.float32)) for k, v in raw.splits()
    }
    return dataclasses.replace(raw, **parts, info=dataclasses.replace(raw.info, classes=()))


def data_for(name: str, kind: str, tmp_path=None) -> DataSet:
    """The small data set of a kind as a recipe can be trained on it."""
    raw = fitting(name, tiny(kind, tmp_path))
    if name == "lenet":  # which has no use for 8 x 8 pixels
        parts = {k: Split(v.x.repeat(2, 2).repeat(2, 3), v.y) for k, v in raw.splits()}
        raw = dataclasses.replace(raw, **parts)
    if name in ("transfer", "few-shot"):  # which hold out half of the classes
        parts = {k: Split(v.x, np.arange(len(v)) % 6) for k, v in raw.splits()}
        raw = dataclasses.replace(raw, **parts, info=Info(kind=kind))
    if name == "music":  # which writes rolls, not strings
        raw = load("cadences", train=12, valid=4, test=4)
    if name == "gan-line":  # which takes one column
        parts = {k: Split(0.5 * v.x[:, 2:3] - 2, v.y) for k, v in raw.splits()}
        raw = dataclasses.replace(raw, **parts, info=Info(kind=kind))
    return raw


def small_training(name: str, kind: str, tmp_path=None, **changes):
    """(recipe, data, settings) of a training that takes as little as possible."""
    recipe, raw = models.recipe(name), data_for(name, kind, tmp_path)
    settings = dataclasses.replace(small(recipe.resolve(raw.name, kind=kind)), **changes)
    return recipe, (recipe.prepare(raw, settings) if recipe.prepare else raw), settings
