"""FVSBN, NADE, MADE and PixelRNN: distributions by enumeration, causality, sampling, training."""

import itertools

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.settings import SettingError
from glassgrad.models.autoregressive import fvsbn, made, nade, pixel_rnn
from glassgrad.models.autoregressive.conditionals import OrderSettings
from glassgrad.models.common import binary
from tests.tools import assert_close

MAKE = {
    "fvsbn": lambda **s: fvsbn.FVSBN(9, OrderSettings(**s), gg.Generator(1), "float64"),
    "nade": lambda **s: nade.NADE(9, nade.Settings(hidden=7, **s), gg.Generator(1), "float64"),
    "made": lambda **s: made.MADE(
        9, made.Settings(hidden=(11, 6), direct=True, **s), gg.Generator(1), "float64"
    ),
    "pixel-rnn": lambda **s: pixel_rnn.PixelRNN(
        (3, 3), pixel_rnn.Settings(hidden=3, **s), gg.Generator(1), "float64"
    ),
}
EVERY = np.array(list(itertools.product([0.0, 1.0], repeat=9)))  # all 512 states


def randomised(name, **changes):
    """The model with weights large enough to be far from uniform."""
    system = MAKE[name](**changes)
    draw = np.random.default_rng(2)
    for p in system.parameters():
        p.assign(draw.normal(size=p.shape) * 0.8)
    return system


@pytest.mark.parametrize("name", MAKE)
def test_the_probabilities_of_all_states_add_up_to_one(name):
    with gg.no_grad():
        p = np.exp(-randomised(name).nll(gg.Tensor(EVERY)).numpy())
    assert abs(p.sum() - 1) < 1e-12 and p.max() > 3 / 512


@pytest.mark.parametrize("name", MAKE)
def test_no_logit_sees_its_own_number_or_a_later_one(name):
    system, seen = randomised(name), np.zeros((9, 9), bool)
    for x in np.random.default_rng(3).normal(size=(6, 1, 9)):  # some ReLU is off at any one of them
        jacobian = gg.jacobian(lambda t: system.logits(t)[0], gg.Tensor(x, requires_grad=True))
        seen |= np.abs(jacobian.numpy().reshape(9, 9)) > 0
    assert not np.triu(seen).any()
    assert seen[1:].any(axis=1).all()  # every later pixel sees something


@pytest.mark.parametrize("name", ["fvsbn", "nade", "made"])
def test_samples_have_the_frequencies_of_the_likelihood(name):
    """Chi-squared over all 512 states, in an order of the numbers that is not their own."""
    system = randomised(name, order="random")
    drawn = system.draw(20_000, gg.Generator(4))
    counts = np.bincount((drawn @ (1 << np.arange(9)[::-1])).astype(int), minlength=512)
    with gg.no_grad():
        p = np.exp(-system.nll(system.ordered(EVERY)).numpy())
    assert abs(p.sum() - 1) < 1e-12
    often = p * 20_000 > 5
    expected = np.append(p[often], p[~often].sum()) * 20_000
    seen = np.append(counts[often], counts[~often].sum())
    chi2 = ((seen - expected) ** 2 / np.maximum(expected, 1e-9)).sum()
    assert chi2 < often.sum() + 5 * np.sqrt(2 * often.sum())


def test_the_pixel_rnn_draws_what_it_expects():
    system = randomised("pixel-rnn")
    drawn = system.draw(4000, gg.Generator(4))
    with gg.no_grad():
        p = np.exp(-system.nll(gg.Tensor(EVERY)).numpy())
    assert_close(drawn.mean(axis=0).astype("float64"), p @ EVERY, rtol=0.07)  # four errors


@pytest.mark.parametrize("name", MAKE)
def test_a_given_half_is_kept(name):
    system = MAKE[name]()
    given = EVERY[[100, 300]]
    assert (system.draw(2, gg.Generator(0), given, 5)[:, :5] == given[:, :5]).all()


def test_the_equations_of_the_pages():
    """FVSBN and NADE written out in NumPy; MADE and PixelRNN have test files of their own."""

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    x = EVERY[::37]
    p = randomised("fvsbn")
    want = x @ np.tril(p.alpha.numpy(), -1).T + p.b.numpy()
    assert_close(p.logits(gg.Tensor(x)).numpy(), want)
    p = randomised("nade")
    w, c, v, b = (t.numpy() for t in (p.w, p.c, p.v, p.b))
    columns = [b[i] + sigmoid(c + x[:, :i] @ w[:i]) @ v[i] for i in range(9)]
    assert_close(p.logits(gg.Tensor(x)).numpy(), np.stack(columns, axis=1))


@pytest.mark.parametrize("name", MAKE)
def test_objectives_pass_the_gradient_check(name):
    f, arrays = models.recipe(name).check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-6


# nats a test image after a few epochs; independent pixels of their own mean need 34.4
QUICK = {
    "fvsbn": ({"epochs": 15}, 24.5),
    "nade": ({"epochs": 15}, 24.5),
    "made": ({"epochs": 15}, 24.5),
    "pixel-rnn": ({"epochs": 2, "hidden": 8}, 28.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKE)
def test_training_reaches_its_figure_and_draws(name):
    sets, bound = QUICK[name]
    done = training.train(models.recipe(name), "digits", overrides=sets)
    assert done.test_figures["nll"] < bound
    found = models.recipe(name).figures(done.system, done.data, done.settings)
    assert {"samples", "completions", "expected"} <= set(found)


def test_a_fixed_binarisation_is_one_and_a_sampled_one_is_new_each_epoch():
    from glassgrad.core.data import load

    digits = load("digits")
    for kind, same in (("fixed", True), ("sampled", False)):
        s = models.recipe("fvsbn").resolve("digits", {"binarise": kind})
        data = binary.prepare(digits, s)
        system = fvsbn.build(data, s, gg.Generator(1))
        first, again = (next(system.batches(data, 50, 1, 0, 0)).x for _ in range(2))
        assert set(np.unique(first)) <= {0.0, 1.0} and np.array_equal(first, again) == same
        assert set(np.unique(data.test.x)) == {0.0, 1.0}


@pytest.mark.parametrize(
    "name, sets, message",
    [
        ("fvsbn", {"order": "rastr"}, "did you mean 'raster'"),
        ("nade", {"hidden": 0}, "at least 1"),
        ("made", {"activation": "rely"}, "did you mean 'relu'"),
        ("pixel-rnn", {"kernel": 4}, "must be odd"),
        ("pixel-rnn", {"pool": 3}, "multiples of pool = 3"),
    ],
)
def test_bad_settings_are_refused(name, sets, message):
    with pytest.raises(SettingError, match=message):
        training.train(models.recipe(name), "digits", overrides={**sets, "epochs": 0})
