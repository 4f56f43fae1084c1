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
from glassgrad.core.data import DataSet, Info, Split, kind_of
from glassgrad.core.data.entries import KINDS
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.autoregressive.conditionals import column_nats
from glassgrad.models.common import binary, rows
from glassgrad.models.common.figure_words import meaning
from glassgrad.sources import Source, _expect_kind
from tests.models.tiny_data import data_for, fitting, small, tiny
from tests.tools import skip_without_needs

PAIRS = [(name, kind) for name in models.names() for kind in models.recipe(name).takes]
FEW = sorted(random.Random(20).sample([p for p in PAIRS if p[1] != "images"], 12))


def try_out(name, kind, tmp_path):
    """Train for as little as possible, then score and draw: all figures are finite numbers."""
    recipe, raw = models.recipe(name), data_for(name, kind, tmp_path)
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
