"""Verify, time, verify again: what is right gets a row, what is wrong ends the run by name."""

import importlib
import itertools
import shutil
from dataclasses import replace

import numpy as np
import pytest

from glassgrad import core as gg
from glassgrad.bench import ladder, peers, suite
from glassgrad.bench.job import Contender, Job, measure
from glassgrad.bench.steps import STEPS, Ready, Watched, judge
from glassgrad.bench.verify import VerifyError, expect_close, expect_near, reference
from glassgrad.kernels import cases
from tests.bench.planted import plant, quick_session


def case(op="dropout", pass_="forward"):
    return next(c for c in cases(op, pass_) if c.name.startswith("shape (2, 3, 5, 7)"))


def rows_of(session):
    with session.pinned():
        return [row for job in ladder.make(case(), session) for row in measure(job, session)]


def right(*args):
    return reference("dropout", "forward", *args)[0]


def test_every_version_has_a_row_in_order(monkeypatch):
    plant(monkeypatch, "dropout", "forward", right)
    plant(monkeypatch, "dropout", "forward", right, version=98, supports=lambda *args: False)
    with quick_session(monkeypatch) as session:
        rows = rows_of(session)
    versions = [r["version"] for r in rows]
    assert versions == sorted(versions) and versions[-2:] == [98, 99]
    absent, planted = rows[-2:]
    assert absent["median"] is None and planted["idea"] == "planted"  # no row is missing in silence
    assert planted["median"] > 0 and planted["runs"] == 2 and planted["error"] == 0.0
    work = max(planted["flops"] / 1e11, planted["bytes"] / 1e10)
    assert planted["roofline"] == pytest.approx(work / planted["median"])


def _makes_a_nan(*args):
    y = right(*args)
    y[0, 0, 0, 0] = np.nan
    return y


def _wrong_shape(*args):
    return right(*args)[:1]


WRONG = {
    "relative error": lambda *args: 1.01 * right(*args),
    "not finite": _makes_a_nan,
    "shape": _wrong_shape,
    "2 results": lambda *args: (right(*args), right(*args)),
    "None": lambda *args: None,
}


@pytest.mark.parametrize("said", WRONG)
def test_a_wrong_kernel_is_named(monkeypatch, said):
    plant(monkeypatch, "dropout", "forward", WRONG[said])
    with quick_session(monkeypatch) as session, pytest.raises(VerifyError) as error:
        rows_of(session)
    message = str(error.value)
    assert message.startswith("dropout.forward, shape (2, 3, 5, 7)") and "v99" in message
    assert said in message


def test_a_kernel_that_goes_wrong_later_is_caught_after_timing(monkeypatch):
    calls = itertools.count()

    def later(*args):
        return right(*args) * np.float32(1 if next(calls) < 2 else 2)

    plant(monkeypatch, "dropout", "forward", later)
    with quick_session(monkeypatch) as session, pytest.raises(VerifyError, match="after timing"):
        rows_of(session)


def test_a_kernel_that_wavers_in_the_last_bit_is_caught(monkeypatch):
    calls = itertools.count(1)

    def wavers(*args):
        return right(*args) * np.float32(1 + 1e-7 * next(calls))

    plant(monkeypatch, "dropout", "forward", wavers)
    with quick_session(monkeypatch) as session, pytest.raises(VerifyError, match="another result"):
        rows_of(session)


def test_reduced_precision_has_its_own_tolerance(monkeypatch):
    plant(monkeypatch, "dropout", "forward", lambda *a: right(*a) * np.float32(1.001),
          precision="tf32")  # fmt: skip
    with quick_session(monkeypatch) as session:
        assert rows_of(session)[-1]["error"] == pytest.approx(1e-3, rel=0.01)


def job(peers):
    want = (np.ones(3, "float32"),)

    def check(what, got):
        return expect_close(what, got, want)

    return Job(
        "a.b", "c", [Contender(lambda: want[0].copy())], check, expected=lambda: want, peers=peers
    )


def test_a_peer_that_disagrees_is_left_out_with_a_note(monkeypatch):
    peers = {
        "good": Contender(lambda: np.ones(3, "float32")),
        "wrong": Contender(lambda: np.zeros(3, "float32")),
        "random": Contender(lambda: np.full(3, 0.3, "float32"), random=True),
        "ragged": Contender(lambda: np.ones(4, "float32"), random=True),
        "other": Contender(lambda: None, other=True),
    }
    with quick_session(monkeypatch) as session:
        (row,) = measure(job(peers), session)
        assert set(row["peers"]) == {"good", "random", "other"}
        assert row["peers"]["good"]["error"] == 0.0 and row["peers"]["other"]["error"] is None
        ours, good = row["median"], row["peers"]["good"]
        assert good["ratio"] == pytest.approx(good["median"] / ours)
        assert [n.partition(" was left out: ")[0] for n in session.notes] == ["wrong", "ragged"]


def test_the_first_call_is_timed_apart(monkeypatch):
    import time

    calls = itertools.count()

    def compiles():
        if next(calls) == 0:
            time.sleep(0.05)
        return np.ones(3, "float32")

    made = job({})
    made.ours = [Contender(compiles)]
    with quick_session(monkeypatch) as session:
        (row,) = measure(made, session)
    assert row["first"] > 0.04 and row["median"] < 0.04


def test_near_is_by_the_norm_of_the_whole():
    want = (np.array([3.0, 4.0]),)
    assert expect_near("x", (np.array([3.0, 4.05]),), want, 0.02) == pytest.approx(0.01)
    with pytest.raises(VerifyError, match="relative L2 error"):
        expect_near("x", (np.array([3.0, 4.2]),), want, 0.02)
    with pytest.raises(VerifyError, match="not finite"):
        expect_near("x", (np.array([3.0, np.nan]),), want, 0.02)


def test_integers_must_be_equal():
    with pytest.raises(VerifyError, match="1 of 2 values differ"):
        expect_close("x", (np.array([1, 3]),), (np.array([1, 2]),))


def step(first, last, *changes):
    return np.array([first, last]), *map(np.float32, changes)


def test_a_training_step_must_begin_right_and_learn():
    right = 2.0, [np.float32([0.1, -0.1])]
    good = [[0.1, -0.1]]
    assert judge("step", step(2.0, 1.5, *good), right, False) == 0.0
    for got, said in {
        "first loss is 2, wanted 3": (step(2.0, 1.5, *good), (3.0, right[1])),
        "the loss went from 2 to 2.5": (step(2.0, 2.5, *good), right),
        "first loss is nan": (step(np.nan, np.nan, *good), right),
        "the loss went from 2 to nan": (step(2.0, np.nan, *good), right),
        "change of the weights.*relative L2": (step(2.0, 1.5, [0.1, 0.1]), right),
        "0 results, wanted 1": (step(2.0, 1.5), right),
    }.items():
        with pytest.raises(VerifyError, match=got):
            judge("step", said[0], said[1], False)


def test_a_peer_with_its_own_noise_must_change_the_same_weights_by_a_like_loss():
    right = 2.0, [np.float32([0.1, -0.1])]
    assert judge("step", step(2.05, 1.5, [0.3, 0.2]), right, True) == pytest.approx(0.025)
    with pytest.raises(VerifyError, match="first loss"):
        judge("step", step(2.2, 1.5, [0.3, 0.2]), right, True)
    with pytest.raises(VerifyError, match="other weights were changed"):
        judge("step", step(2.05, 1.5, [0.3]), right, True)


def test_the_first_of_the_steps_is_remembered():
    weights, losses = np.zeros(2), iter([3.0, 2.0, 1.0])

    def train():
        weights[:] += 1
        return next(losses)

    watched = Watched(train, lambda: [weights.copy()]).contender()
    for _ in range(3):
        result = watched.call()
    (first, last), change = watched.read(result)
    assert (first, last) == (3.0, 1.0) and change.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["mlp", "vae", "jsb-lstm", "lenet"])
def test_training_steps_begin_as_on_the_reference_backend(monkeypatch, name):
    (plan,) = suite.select([name])
    with quick_session(monkeypatch) as session:
        ((_, (row,)),) = session.run([plan])
    assert row["error"] < 1e-4 and row["flops"] > 10**6


COMPILER = any(map(shutil.which, ("g++", "clang++", "c++")))
compiles = pytest.mark.skipif(not COMPILER, reason="torch.compile needs a C++ compiler")
PEERS = ["torch", "torch-fused", "jax", pytest.param("torch-compile", marks=compiles)]


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("name", ["mlp", "vae", "jsb-lstm", "lenet"])
def test_a_peer_takes_the_same_first_step(monkeypatch, name, peer):
    """Weights change as ours where there is no noise; where there is, the losses are alike."""
    pytest.importorskip(peer.partition("-")[0])
    (plan,) = suite.select([name])
    with quick_session(monkeypatch, peers=(peer,)) as session:
        ((_, (row,)),) = session.run([plan])
        assert session.notes == []
    assert row["peers"][peer]["error"] < (5e-4 if name in ("mlp", "lenet") else 0.05)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("name", ["vae", "jsb-lstm"])
def test_without_noise_a_noisy_step_of_a_peer_is_ours(monkeypatch, name, peer):
    """The same change of every weight: dropout off, and codes at their means."""
    package = peer.partition("-")[0]
    pytest.importorskip(package)
    file = "jax_models" if package == "jax" else "pytorch_models"
    models = importlib.import_module(f"glassgrad.bench.peers.{file}")
    known = STEPS[name]

    def build(samples):
        system, data, settings = known.build(samples)
        if name == "jsb-lstm":
            system, settings = without_dropout(system), replace(settings, dropout=0.0)
        return system, data, settings

    def mean(mu, logvar, noise):
        return mu, -0.5 * (1 + logvar - mu * mu - gg.exp(logvar)).sum(axis=1)

    monkeypatch.setattr(gg, "reparameterise", mean)
    if name == "vae" and package == "jax":
        monkeypatch.setattr(models.jax.random, "normal", lambda key, shape: 0.0)
    elif name == "vae":
        monkeypatch.setattr(models.torch, "randn_like", lambda x: 0.0 * x)
    ready = Ready(replace(known, build=build))
    contender = peers.module_of(peer).contender(name, ready)
    before = ready.weights()
    loss = ready()
    wanted = loss, [a - b for a, b in zip(ready.weights(), before)]
    got = contender.read(contender.call())
    assert judge(name, got, wanted, False) < 1e-3


def without_dropout(system):
    """The system with every dropout off."""
    for _, part in system.named_modules():
        if hasattr(part, "dropout"):
            part.dropout = 0.0
        if type(part).__name__ == "Dropout":
            part.p = 0.0
    return system


def test_a_training_step_with_a_wrong_gradient_is_refused(monkeypatch):
    """The first loss is right then, and the loss falls: only the weights tell."""

    def nothing(gy, x, w_shape, stride, padding, dilation, groups):
        return np.zeros(w_shape, x.dtype)

    plant(monkeypatch, "conv2d", "weight_grad", nothing)
    (plan,) = suite.select(["lenet"])
    with (
        quick_session(monkeypatch) as session,
        pytest.raises(VerifyError, match="change of the weights"),
    ):
        list(session.run([plan]))
