"""Schedules against hand-written tables and PyTorch's; the plateau rule with its state."""

import math

import pytest

import glassgrad as gg
from glassgrad.core import optim
from glassgrad.kernels.errors import ValueRangeError

TABLES = [
    (optim.Constant(0.3), [0.3] * 4),
    (optim.Step(2, 0.5), [1, 1, 0.5, 0.5, 0.25]),
    (optim.MultiStep((1, 1, 3), 0.5), [1, 0.25, 0.25, 0.125]),
    (optim.Exponential(0.9), [1, 0.9, 0.81, 0.729]),
    (optim.Cosine(2), [1, 0.5, 0, 0]),
    (optim.Cosine(2, floor=0.2), [1, 0.6, 0.2, 0.2]),
    (optim.WarmUp(4), [0.25, 0.5, 0.75, 1, 1]),
    (optim.Halving(2), [1, 1, 0.5, 0.25, 0.125]),
    (optim.Halving(1, factor=1 / 1.2), [1, 1 / 1.2, 1 / 1.44]),
    (optim.InverseTime(0.5), [1, 1 / 1.5, 1 / 2, 1 / 2.5]),
    (optim.WarmUp(2) * optim.Step(1, 0.5) * optim.Constant(2.0), [1, 1, 0.5]),
]


@pytest.mark.parametrize("schedule, table", TABLES, ids=lambda v: str(v)[:40])
def test_tables(schedule, table):
    assert [schedule(e) for e in range(len(table))] == pytest.approx(table, abs=1e-15)


def test_a_schedule_drives_an_optimiser():
    x = gg.tensor([0.0], requires_grad=True)
    opt = optim.SGD([x], lr=1.0)
    for epoch in range(6):
        opt.lr = 8.0 * optim.Halving(4)(epoch)
        x.sum().backward()
        opt.step()
    assert x.item() == -(4 * 8 + 4 + 2)


@pytest.mark.parametrize(
    "make", [lambda: optim.Step(0), lambda: optim.Cosine(0), lambda: optim.WarmUp(-1)]
)
def test_bad_lengths_are_named(make):
    with pytest.raises(ValueRangeError, match="must lie in its range; expected 0 <"):
        make()


METRICS = [5, 4, 4.5, 3.9999, 4, 4, 4, 3, 3, math.nan, 3, 3, 3, 3, 2, 2, 2, 2, 2]


def test_plateau_by_hand():
    plateau = optim.ReduceOnPlateau(gamma=0.5, patience=2, threshold=1e-2, cooldown=1, floor=0.3)
    got = [plateau(m) for m in METRICS[:14]]
    # 4 is best at 1; three bad ones, reduce at 4; rest at 5; bad at 6; best at 7; bad 8, 9, 10
    assert got == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3]


def test_plateau_rests_after_a_reduction():
    plateau = optim.ReduceOnPlateau(gamma=0.5, patience=0, cooldown=2)
    assert [plateau(1.0) for _ in range(6)] == [1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_plateau_upwards_with_negative_metrics():
    plateau = optim.ReduceOnPlateau(gamma=0.5, patience=0, threshold=0.1, mode="max")
    assert [plateau(m) for m in (-10.0, -9.5, -8.9, -8.0)] == [1, 0.5, 0.5, 0.5]


def test_plateau_resumes():
    one = optim.ReduceOnPlateau(patience=1)
    for m in METRICS[:6]:
        one(m)
    two = optim.ReduceOnPlateau(patience=1)
    two.load_state_dict(one.state_dict())
    assert [one(m) for m in METRICS[6:]] == [two(m) for m in METRICS[6:]]
    fresh = optim.ReduceOnPlateau()
    fresh.load_state_dict(optim.ReduceOnPlateau().state_dict())
    assert fresh.best is None and fresh(1.0) == 1.0 and fresh.best == 1.0


@pytest.mark.parametrize("settings", [{"mode": "up"}, {"gamma": 1.0}, {"gamma": 0.0}])
def test_plateau_names_bad_settings(settings):
    with pytest.raises(ValueRangeError, match="ReduceOnPlateau"):
        optim.ReduceOnPlateau(**settings)


@pytest.mark.torch
def test_schedules_equal_torch():
    torch = pytest.importorskip("torch")
    there = torch.optim.lr_scheduler

    def path(make, steps=12):
        opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, rates = make(opt), []
        for _ in range(steps):
            rates.append(opt.param_groups[0]["lr"])
            opt.step()
            scheduler.step()
        return rates

    for ours, theirs in (
        (optim.Step(3, 0.5), lambda o: there.StepLR(o, 3, 0.5)),
        (optim.MultiStep((2, 5), 0.3), lambda o: there.MultiStepLR(o, [2, 5], 0.3)),
        (optim.Exponential(0.8), lambda o: there.ExponentialLR(o, 0.8)),
        (optim.Cosine(11, 0.1), lambda o: there.CosineAnnealingLR(o, 11, 0.1)),
        (optim.WarmUp(5), lambda o: there.LinearLR(o, 1 / 5, total_iters=4)),
    ):
        assert [ours(e) for e in range(12)] == pytest.approx(path(theirs), abs=1e-12), ours


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("cooldown", [0, 2])
def test_plateau_equals_torch(mode, cooldown):
    torch = pytest.importorskip("torch")
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        opt, mode, factor=0.5, patience=1, threshold=1e-3, cooldown=cooldown
    )
    ours = optim.ReduceOnPlateau(0.5, 1, 1e-3, cooldown, mode=mode)
    for m in METRICS * 2:
        theirs.step(m)
        assert ours(m) == opt.param_groups[0]["lr"], m
