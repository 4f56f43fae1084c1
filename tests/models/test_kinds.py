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
from glassgrad.core.data import DataSet, Graph, Info, Split, from_text, kind_of, load
from glassgrad.core.data.entries import KINDS
from glassgrad.core.data.grammars import counting
from glassgrad.core.data.own.texts.pairs import from_pairs
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.autoregressive.conditionals import column_nats
from glassgrad.models.common import binary, rows
from glassgrad.models.common.figure_words import meaning
from glassgrad.sources import Source, _expect_kind
from tests.tools import skip_without_needs

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


PAIRS = [(name, kind) for name in models.names() for kind in models.recipe(name).takes]
FEW = sorted(random.Random(20).sample([p for p in PAIRS if p[1] != "images"], 12))


def try_out(name, kind, tmp_path):
    """Train for as little as possible, then score and draw: all figures are finite numbers."""
    recipe, raw = models.recipe(name), fitting(name, tiny(kind, tmp_path))
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
    settings = small(recipe.resolve(raw.name, kind=kind))
    data = training.prepared(recipe, raw, settings)
    system = training.build(recipe, data, settings)
    history = fit(system, data, settings)
    assert len(history) == settings.epochs
    found = system.evaluate_finished(training.held_out(data)[1])
    assert not [k for k in found if not meaning(k, name)]  # the words of pages and tables
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
        figure.set_layout_engine("none")  # which takes most of the time
        figure.savefig(io.BytesIO(), format="png", dpi=20)
    return drawn


@pytest.mark.parametrize(("name", "kind"), FEW)
def test_a_few_recipes_train_score_and_draw(name, kind, tmp_path):
    try_out(name, kind, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), sorted(set(PAIRS) - set(FEW)))
def test_every_recipe_trains_scores_and_draws_what_it_takes(name, kind, tmp_path):
    skip_without_needs(models.recipe(name))
    try_out(name, kind, tmp_path)


REFUSED = [
    (name, kind)
    for name in models.names()
    for kind in KINDS
    if kind not in models.recipe(name).takes
    and not (kind == "binary" and "table" in models.recipe(name).takes)
]


def test_every_recipe_refuses_other_kinds_in_one_line():
    assert len(REFUSED) > 400
    for name, kind in REFUSED:
        recipe = models.recipe(name)
        with pytest.raises(SettingError) as error:
            _expect_kind(recipe, "mine", lambda kind=kind: kind)
        said = str(error.value)
        assert "\n" not in said and repr(kind) in said
        assert all(repr(wanted) in said for wanted in recipe.takes)


@pytest.mark.parametrize("name", ["rbm", "nade", "helmholtz", "pretraining"])
def test_a_table_of_numbers_is_no_bits_and_the_message_says_what_is(name):
    with pytest.raises(SettingError, match="--read kind=binary turns a table into 0 and 1"):
        Source.of("iris").load(models.recipe(name))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("autoencoder", {"output": "sigmoid"}),
        ("stacked-autoencoder", {"output": "sigmoid", "loss": "cross_entropy"}),
        ("vae", {"decoder": "bernoulli"}),
        ("aae", {"output": "sigmoid"}),
        ("denoising-autoencoder-static", {"output": "sigmoid"}),
    ],
)
def test_a_logistic_output_on_a_table_is_refused(name, changes):
    recipe = models.recipe(name)
    settings = dataclasses.replace(recipe.resolve("mine", kind="table"), **changes)
    with pytest.raises(SettingError, match="is a table, whose columns are standardised: set "):
        training.prepared(recipe, tiny("table"), settings)


TABLES = [n for n in models.names() if "table" in models.recipe(n).takes]
STANDARDISED = [n for n in TABLES if models.recipe(n).prepare]
INSIDE = [n for n in TABLES if n not in STANDARDISED and n != "gan-line"]  # a net for one column


@pytest.mark.parametrize("name", STANDARDISED)
def test_the_scales_of_the_columns_of_a_table_do_not_count(name):
    recipe, raw = models.recipe(name), fitting(name, tiny("table"))
    settings = small(recipe.resolve(raw.name, kind="table"))
    factors = np.array([1e3, 0.25, 8.0, 1.0], np.float32)
    other = {k: Split(v.x * factors, v.y) for k, v in raw.splits()}
    one = training.prepared(recipe, raw, settings).train.x
    two = training.prepared(recipe, dataclasses.replace(raw, **other), settings).train.x
    np.testing.assert_allclose(one, two, atol=1e-4)
    assert np.isfinite(one).all()
    if name != "som-dyakonov":  # which then divides each row by its norm
        assert abs(one.mean(axis=0)).max() < 1e-3
        assert abs(one[:, :3].std(axis=0) / one[:, :3].std() - 1).max() < 1e-3


@pytest.mark.parametrize("name", INSIDE)
def test_the_adversarial_nets_standardise_a_table_inside(name):
    """Their samples have the units of the data, so scales show there and nowhere else."""
    recipe, raw, found = models.recipe(name), tiny("table"), []
    settings = small(recipe.resolve(raw.name, kind="table"))
    factors = np.array([1024, 0.25, 8.0, 1.0], np.float32)  # powers of 2 round nothing
    for scale in (np.ones(4, np.float32), factors):
        scaled = {k: Split(v.x * scale, v.y) for k, v in raw.splits()}
        data = training.prepared(recipe, dataclasses.replace(raw, **scaled), settings)
        system = training.build(recipe, data, settings)
        fit(system, data, settings)
        found.append((system.drawn(60) / scale, system.figures_of(system.drawn(60), data.test)))
    (one, figures), (two, others) = found
    np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-5)
    assert others["neighbours"] == pytest.approx(figures["neighbours"], abs=0.1)
    assert others["sliced_w1"] == pytest.approx(figures["sliced_w1"], rel=1e-3)
    off = (one.mean(axis=0) - raw.train.x.mean(axis=0)) / raw.train.x.std(axis=0).clip(1e-4)
    assert abs(off[:3]).max() < 2  # G starts where the data are


def test_a_constant_column_is_zero_and_the_other_splits_use_the_training_rows():
    raw = tiny("table")
    data = rows.prepare(raw, models.recipe("autoencoder").resolve("mine", kind="table"))
    assert (data.test.x[:, 3] == 0).all()
    mean, std = raw.train.x.mean(axis=0), raw.train.x.std(axis=0)
    expected = (raw.test.x[:, :3] - mean[:3]) / std[:3]
    np.testing.assert_allclose(data.test.x[:, :3], expected, rtol=1e-3, atol=1e-4)


BITS = [n for n in models.names() if "binary" in models.recipe(n).takes]


@pytest.mark.parametrize("name", BITS)
def test_binary_rows_are_never_drawn_again(name):
    recipe, raw = models.recipe(name), fitting(name, tiny("binary"))
    settings = small(recipe.resolve(raw.name, kind="binary"))
    for changed in ({}, {"binarise": "sampled"}):
        if changed and not hasattr(settings, "binarise"):
            continue
        s = dataclasses.replace(settings, **changed)
        data = training.prepared(recipe, raw, s)
        for part, split in raw.splits() if not getattr(s, "whole", False) else ():
            if name in ("sparse-coding", "psd", "sparse-coding-autoencoder"):
                continue  # in units of their spread
            x = getattr(data, part).x
            if name == "multi-task":  # which takes a few rows of each task
                assert {row.tobytes() for row in x} <= {row.tobytes() for row in split.x}
                continue
            assert np.array_equal(x, split.x)
        if changed and "static" not in name:
            system = training.build(recipe, data, s)
            x = np.concatenate([b.x for b in system.batches(data, 10, 0, 0, 0)])
            first = np.lexsort(x.reshape(len(x), -1).T)
            second = np.lexsort(raw.train.x.T)
            assert np.array_equal(x.reshape(len(x), -1)[first], raw.train.x[second])


@pytest.mark.parametrize("name", BITS)
def test_binarise_is_refused_where_nothing_is_drawn(name):
    recipe = models.recipe(name)
    preset = getattr(recipe.resolve("mine", kind="binary"), "binarise", None)
    for value in sorted({"sampled", "fixed"} - {preset}) if preset else ():
        with pytest.raises(SettingError, match="'binarise' has no effect on data of the kind"):
            recipe.resolve("mine", {"binarise": value}, "binary")
    if preset:
        assert recipe.resolve("mine", {"binarise": preset}, "binary").binarise == preset


def test_a_kind_is_read_off_the_samples_where_info_does_not_say():
    for kind in ("images", "table", "binary"):
        raw = tiny(kind)
        assert kind_of(raw) == kind_of(DataSet("plain", raw.train)) == kind
    bits = tiny("binary")
    called = dataclasses.replace(bits, info=Info(kind="table"))  # what is said counts
    assert kind_of(called) == "table"
    mlp = models.recipe("mlp")
    assert np.array_equal(training.prepared(mlp, bits, mlp.resolve()).train.x, bits.train.x)
    assert abs(training.prepared(mlp, called, mlp.resolve()).train.x.mean(axis=0)).max() < 1e-6
    bits = DataSet("plain", tiny("binary").train)
    assert binary.prepare(bits, models.recipe("vae").resolve("mine")) is bits


def test_a_run_on_ones_own_table_is_loaded_with_settings_that_have_no_effect(tmp_path):
    """The spread of the preset for tables has none with another decoder; it is in config.json."""
    path = tmp_path / "mine.csv"
    lines = [f"{i * 0.5},{(i * 7) % 5},{i % 3 - 1}" for i in range(40)]
    path.write_text("\n".join(["a,b,c", *lines]))
    changed = {"decoder": "diagonal", "hidden": (4,), "epochs": 1}
    done, _ = training.train_and_write(
        models.recipe("vae"), path, overrides=changed, out=tmp_path / "runs"
    )
    _, again = training.load(done.run.folder)
    assert again.settings == done.settings and again.settings.sigma == 0.5


def test_numbers_of_pictures_of_rows():
    data = tiny("binary")
    x, p = data.test.x, data.train.x.mean(axis=0)
    found = column_nats(x, p)
    expected = [-np.mean([np.log(q if b else 1 - q) for b in c]) for c, q in zip(x.T, p)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
