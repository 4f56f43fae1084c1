"""Every recipe in shards: the same bits on any number of ranks, the gradient of the whole batch.

Ranks are threads here, which share nothing but what they send; tests/core/distributed has those of
MPI. A system that cannot be cut says why.
"""

import contextlib

import numpy as np
import pytest

from glassgrad import models
from glassgrad.core import Generator, nn
from glassgrad.core.data import load
from glassgrad.core.distributed import OneProcess, current, using
from glassgrad.core.functions import latent
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.shards import notes, why_whole
from glassgrad.core.training.state import TrainingState
from glassgrad.kernels import dropout, philox
from tests.core.distributed.threads import on_ranks
from tests.models.small_systems import SYSTEMS, ConvVAE, recipe
from tests.models.tiny_data import small_training
from tests.tools import skip_without_needs

STEPS = 3


def some(names, quick):
    """The names as parameters, those that are not quick marked slow."""
    return [n if n in quick else pytest.param(n, marks=pytest.mark.slow) for n in names]


class Enough(Exception):
    """The steps that a test wants are done."""


def ending(system, steps: int):
    """The system, whose training ends after so many steps, on every rank at once."""
    step, left = system.train_step, iter(range(steps))

    def counted(batch, training):
        if next(left, None) is None:
            raise Enough
        for p in system.parameters():  # those of another stage are not this one's
            p.grad = None
        return step(batch, training)

    system.train_step = counted
    return system


def state(system) -> dict:
    """All that a checkpoint holds of a system, as arrays."""
    streams = {f"{n} stream": np.array(g.state, np.uint64) for n, g in system.named_generators()}
    return system.state_dict() | streams


def differences(a: dict, b: dict) -> list[str]:
    """The names whose arrays differ in a bit."""
    assert a.keys() == b.keys()
    return [k for k in a if a[k].tobytes() != b[k].tobytes()]


def after(make, world, steps=STEPS, **changes) -> dict:
    """The state after a few steps of a small training, or after all where there are fewer."""
    with using(world):
        system, data, settings = make({})
        with contextlib.suppress(Enough):
            fit(ending(system, steps), data, settings.changed(**changes))
    return state(system)


QUICK = ("conv-vae", "lstm", "language-model", "som-batch", "k-means", "lenet", "speech", "gan",
         "rbm-words", "text-cnn", "word2vec", "few-shot", "wta")  # fmt: skip


@pytest.mark.parametrize("name", some(SYSTEMS, QUICK))
def test_one_two_and_three_ranks_leave_the_same_bits(name):
    make = SYSTEMS[name][0]
    if why_whole(make({})[0]):
        with pytest.raises(SettingError, match="is trained with shards=1, in one process: "):
            after(make, OneProcess(), shards=2)
        return
    alone = after(make, OneProcess(), shards=3)
    for ranks in (2, 3):
        for found in on_ranks(ranks, lambda world: after(make, world, shards=3)):
            assert differences(alone, found) == []


def test_other_shards_leave_other_bits_so_that_the_test_above_can_fail():
    make = SYSTEMS["lenet"][0]
    assert differences(after(make, OneProcess(), shards=3), after(make, OneProcess(), shards=2))


def test_buffers_with_rows_are_exchanged_in_one_message_a_step():
    def work(world):
        calls, collect = [], world.collect

        def counted(array, sizes):
            calls.append(sum(sizes))
            return collect(array, sizes)

        world.collect = counted
        after(SYSTEMS["language-model"][0], world, shards=2)
        return calls

    for calls in on_ranks(2, work):
        assert len(calls) == STEPS and len(set(calls)) == 1


def test_only_steps_are_shared_out():
    """A system may train another net to be judged: every rank does that by itself, alike."""

    class Judged(ConvVAE):
        def evaluate(self, split, size=500):
            net = nn.Linear(64, 10, rng=Generator(5))
            history = fit(nn.Sequential(nn.Flatten(), net), load("digits"), epochs=1)
            return {"ranks": current().size, "judge": history[0]["loss"]}

    def trained(world):
        with using(world):
            history = fit(Judged(Generator(1)), load("digits"), epochs=1, batch=400, shards=3)
        return {k: v for k, v in history[0].items() if k != "seconds"}

    wanted = trained(OneProcess())
    assert wanted["valid_ranks"] == 1
    assert on_ranks(3, trained) == [wanted] * 3


# ------------------------------------------------------------------------ the right gradient


@pytest.fixture
def still(monkeypatch):
    """Noise that is the same for every sample, so that it does not matter which shard draws it."""

    def along(values):
        def draw(shape, seed, offset, dtype="float32", xp=np):
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            last = shape[-1] if len(shape) > 1 else 1
            return np.ascontiguousarray(
                np.broadcast_to(np.resize(values, last).astype(dtype), shape)
            )

        return draw

    monkeypatch.setattr(philox, "uniform", along([0.4, 0.7, 0.2, 0.6, 0.1]))
    monkeypatch.setattr(philox, "normal", along([0.3, -1.1, 0.8, -0.2, 0.5]))
    monkeypatch.setattr(dropout, "forward", lambda x, p, seed, offset: x * x.dtype.type(1 - p / 2))
    monkeypatch.setattr(latent, "_reparameterise", latent._composed)


def gradients(made, monkeypatch, shards, steps) -> list[dict[str, np.ndarray]]:
    """The gradients of a few steps at every call of `clip`, by parameter; nothing is clipped."""
    system, data, settings = made
    found = []

    def look(training, parameters=None, loss=None):
        if parameters is None:
            parameters = (training.optimiser or training.system).parameters
            parameters = parameters() if callable(parameters) else parameters
        own = {id(p) for p in parameters if p.grad is not None}
        named = training.system.named_parameters()
        found.append({n: p.grad.data.astype("float64") for n, p in named if id(p) in own})

    monkeypatch.setattr(TrainingState, "clip", look)
    with contextlib.suppress(Enough):
        fit(ending(system, steps), data, settings.changed(shards=shards))
    return found


# what does without gradients, or without `clip`: their steps are compared below
OTHERS = ("som-batch", "k-means", "fasttext-classifier")


STUDENTS = {"pretrain": 1, "epochs": 2, "batch": 2000, "teacher": (16,), "student": (8,)}
KL = {"penalty": "kl", "activation": "sigmoid", "batch": 20, "code": 5}
FORECAST = {"batch": 50, "hidden": 5, "past": 8, "horizon": 4}


def with_missing(make):
    """`make` of a forecast, where most values of every other window are unknown."""

    def made(changes):
        system, data, settings = make(changes)
        data.train.y[::2, 1:, 1] = 0.0
        data.train.y[: len(data.train) // 2, 0, 1] = 0.0
        return system, data, settings

    return made


VARIANTS = {  # later stages and other settings, whose gradients are exact as well
    "students": recipe("distillation", **STUDENTS, hard=0.2, jitter=1, transfer=0),
    "missing": with_missing(recipe("forecast", "mackey_glass", **FORECAST)),
    "adapted": recipe("lupi", "lupi_clean_labels", pretrain=1, epochs=2, batch=2000),
    "rbm": recipe("rbm", batch=20, hidden=5, chains=6, centred=False),
    "relational": recipe("relational-autoencoder", batch=20, code=5, weight=0.0),
    "sparse": recipe("sparse-autoencoder-code", batch=20, code=5),
    "sparse-weights": recipe("sparse-autoencoder-weights", batch=20, code=5),
    "sparse-whole": recipe("sparse-autoencoder-kl", batch=20, code=5),
    "sparse-running": recipe("sparse-autoencoder-kl", batch=20, code=5, mean="running"),
}
EXACT = {name: make for name, (make, _) in SYSTEMS.items() if name not in OTHERS} | VARIANTS


@pytest.mark.parametrize("name", some(EXACT, (*QUICK, *VARIANTS)))
@pytest.mark.parametrize("shards", [2, 3])
def test_the_shards_have_the_gradient_of_the_whole_batch(name, shards, monkeypatch, request):
    made = [EXACT[name]({}) for _ in range(2)]
    if why_whole(made[0][0]) or notes(made[0][0]):
        pytest.skip(why_whole(made[0][0]) or "; ".join(notes(made[0][0])))
    request.getfixturevalue("still")
    steps = 2 if name in ("students", "adapted") else 1  # one of each stage
    whole, found = (gradients(m, monkeypatch, n, steps) for m, n in zip(made, (1, shards)))
    assert len(whole) == len(found) > 0
    for a, b in zip(whole, found):
        assert a.keys() == b.keys()
        top = max(abs(g).max(initial=0) for g in a.values())
        assert top > 0
        for key, g in a.items():  # float32; terms cancel
            least = 1e-4 * abs(g).max(initial=0) + 1e-6 * top
            assert abs(g - b[key]).max(initial=0) <= least, key


INEXACT = {
    "relational": (recipe("relational-autoencoder", batch=20, code=5), "pairs of images"),
    "sparse": (recipe("sparse-autoencoder-kl", batch=20, code=5, mean="batch"), "mean code"),
    "students": (recipe("distillation", **STUDENTS, without=3), "student without a class"),
    "rbm": (recipe("rbm", batch=20, hidden=5, chains=6), "centring"),
    "dbm": (recipe("dbm", hidden=(5, 4), chains=6, pretrain=0), "centring"),
    "boltzmann": (recipe("boltzmann-machine", batch=20, hidden=5, chains=6), "centring"),
}


@pytest.mark.parametrize("name", INEXACT)
def test_what_is_of_a_shard_alone_is_said(name):
    make, says = INEXACT[name]
    assert any(says in note for note in notes(make({})[0]))


@pytest.mark.parametrize("name", OTHERS)
def test_the_shards_make_the_step_of_the_whole_batch(name):
    make = SYSTEMS[name][0]
    whole, found = (after(make, OneProcess(), 1, shards=n) for n in (1, 3))
    for key, a in whole.items():
        if a.dtype.kind == "f":
            np.testing.assert_allclose(found[key], a, rtol=1e-4, atol=1e-5)


# ----------------------------------------------------------------------------- every recipe


@pytest.mark.slow
@pytest.mark.parametrize("name", models.names())
def test_an_epoch_of_every_recipe_on_one_and_two_ranks(name, tmp_path):
    skip_without_needs(models.recipe(name))
    own, data, settings = small_training(name, models.recipe(name).takes[0], tmp_path)

    def made():
        return own.build(data, settings, Generator(settings.seed))

    def trained(world):
        with using(world):
            system = made()
            history = fit(system, data, settings.changed(shards=2))
        return state(system), [{k: v for k, v in row.items() if k != "seconds"} for row in history]

    if why := why_whole(made()):
        assert "does not say" not in why
        with pytest.raises(SettingError, match="is trained with shards=1, in one process: "):
            trained(OneProcess())
        return
    alone, history = trained(OneProcess())
    for found, rows in on_ranks(2, trained):
        assert differences(alone, found) == [] and rows == history
