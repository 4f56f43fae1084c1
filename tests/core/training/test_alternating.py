"""Training in phases: who moves when, one face for schedules and checkpoints, resumption."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split
from glassgrad.core.optim import SGD, Adam, Alternating, OptimiserError
from glassgrad.core.training.alternating import AlternatingSystem, Phase, parts_of
from glassgrad.core.training.checkpoint import CheckpointError
from glassgrad.core.training.loop import DivergedError, TrainingState, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError, TrainingSettings
from glassgrad.core.training.system import Batch

SETTINGS = TrainingSettings(epochs=3, batch=4, lr=0.01, schedule="cosine", clip=1.0)


class Game(AlternatingSystem):
    """A maker and a judge with opposite wishes, and a coder that only the first phase changes."""

    def __init__(self, rng):
        self.coder, self.maker, self.judge = (
            nn.Linear(2, 2, rng=rng.child(k), dtype="float64") for k in range(3)
        )
        self.noise, self.spoil = rng.child("noise"), 1.0

    def phases(self, settings):
        slow = {"betas": (0.5, 0.999)}
        return (
            Phase("copy", self.copy, (self.coder, self.maker), settings.lr),
            Phase("judging", self.judging, (self.judge,), 3 * settings.lr, slow),
            Phase("making", self.making, (self.maker,), settings.lr / 2, slow),
        )

    def copy(self, batch):
        d = self.maker(self.coder(gg.Tensor(batch.x))) - gg.Tensor(batch.x)
        return (d * d).mean(), {"largest": abs(d.data).max()}

    def judging(self, batch):
        x = gg.Tensor(batch.x)
        noise = gg.Tensor(self.noise.normal(x.shape, "float64"))
        return gg.softplus(self.judge(self.maker(x))).mean() - self.judge(x + noise).mean()

    def making(self, batch):
        return gg.softplus(-self.judge(self.maker(gg.Tensor(batch.x)))).mean() * self.spoil

    def evaluate(self, split, size=500):
        return {"copy": self.copy(self.on_device(Batch(split.x)))[0].item()}


def problem():
    x = np.random.default_rng(0).standard_normal((14, 2))
    return DataSet("cloud", Split(x), Split(x[:5]))


def test_every_phase_moves_its_own_part_by_its_own_gradient():
    """By hand, phase after phase, with an optimiser made for each: the same weights to the bit."""
    game, twin = Game(gg.Generator(1)), Game(gg.Generator(1))
    trainer = TrainingState(game, problem(), SETTINGS.changed(clip=0.0))
    by_hand = [
        Adam([*twin.coder.parameters(), *twin.maker.parameters()], lr=0.01),
        Adam(twin.judge.parameters(), lr=0.03, betas=(0.5, 0.999)),
        Adam(twin.maker.parameters(), lr=0.005, betas=(0.5, 0.999)),
    ]
    batch = Batch(problem().train.x[:4])
    for _ in range(3):
        figures = game.train_step(batch, trainer)
        for optimiser, f in zip(by_hand, (twin.copy, twin.judging, twin.making)):
            before = {n: p.numpy().copy() for n, p in twin.named_parameters()}
            loss = f(batch)
            loss = loss[0] if isinstance(loss, tuple) else loss
            loss.backward()
            optimiser.step()
            mine = {id(p) for p in optimiser.parameters}
            for name, p in twin.named_parameters():
                assert np.array_equal(before[name], p.numpy()) == (id(p) not in mine), name
    assert list(figures) == ["copy", "largest", "judging", "making"]
    for (name, p), (_, q) in zip(game.named_parameters(), twin.named_parameters()):
        assert np.array_equal(p.numpy(), q.numpy()), name
    steps = {n: set(o.steps) for n, o in trainer.optimiser.optimisers.items()}
    assert steps == {"copy": {3}, "judging": {3}, "making": {3}}


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_resumed_training_ends_at_the_same_weights(tmp_path, epochs):
    whole, other = Game(gg.Generator(1)), Game(gg.Generator(1))
    history = fit(whole, problem(), SETTINGS)
    run = Run.create(tmp_path, "x")
    stops = iter([False] * (4 * epochs) + [True] * 99)  # 4 batches an epoch: inside the next one
    with pytest.raises(KeyboardInterrupt):
        fit(other, problem(), SETTINGS, run=run, stop=lambda: next(stops))
    resumed = Game(gg.Generator(99))
    again = fit(resumed, problem(), SETTINGS, run=run, resume=True)
    for name, want in whole.state_dict().items():
        assert np.array_equal(want, resumed.state_dict()[name]), name
    assert [r["valid_copy"] for r in again] == [r["valid_copy"] for r in history]


def test_a_schedule_scales_every_phase_alike():
    trainer = TrainingState(Game(gg.Generator(1)), problem(), SETTINGS)
    trainer.optimiser.lr = 0.001
    rates = {n: o.lr for n, o in trainer.optimiser.optimisers.items()}
    assert rates == pytest.approx({"copy": 0.001, "judging": 0.003, "making": 0.0005})


def test_each_phase_is_clipped_by_itself():
    game = Game(gg.Generator(1))
    named = game.phases(TrainingSettings(lr=1.0))
    phases = [Phase(p.name, p.objective, p.changes, p.lr) for p in named]
    game.phases = lambda settings: phases
    trainer = TrainingState(game, problem(), SETTINGS.changed(optimiser="sgd", clip=1e-3, lr=1.0))
    trainer.optimiser["judging"].lr = trainer.optimiser["making"].lr = 0.0
    before = np.concatenate([p.numpy().ravel() for p in game.parameters()])
    game.train_step(Batch(problem().train.x[:4]), trainer)
    moved = np.concatenate([p.numpy().ravel() for p in game.parameters()]) - before
    assert np.linalg.norm(moved) == pytest.approx(1e-3)


def test_a_phase_that_diverges_leaves_finite_weights():
    game = Game(gg.Generator(1))
    game.spoil = float("nan")
    with pytest.raises(DivergedError, match="making is nan at epoch 1, batch 1"):
        fit(game, problem(), SETTINGS)
    assert all(np.isfinite(p.numpy()).all() for p in game.parameters())


@pytest.mark.parametrize("spoil", ["rate", "missing", "extra", "shape", "lr"])
def test_a_checkpoint_that_does_not_fit_sets_nothing(tmp_path, spoil):
    run = Run.create(tmp_path, "x")
    fit(Game(gg.Generator(1)), problem(), SETTINGS, run=run)
    arrays, progress = run.load()
    numbers = progress["optimiser"]
    if spoil == "rate":
        numbers["making/lr"] = -1.0
    elif spoil == "missing":
        del arrays["optimiser/making/0.exp_avg"]
    elif spoil == "extra":
        numbers["other/lr"] = 0.1
    elif spoil == "shape":
        arrays["optimiser/making/0.exp_avg"] = np.zeros(3)
    else:
        del numbers["lr"]
    trainer = TrainingState(Game(gg.Generator(7)), problem(), SETTINGS)
    before, optimiser = trainer.state()[0], trainer.optimiser.state_dict()
    with pytest.raises(CheckpointError, match="does not fit this system"):
        trainer.restore(arrays, progress)
    after = trainer.state()[0]
    assert all(np.array_equal(after[k], before[k]) for k in before)
    assert trainer.optimiser.state_dict() == optimiser


def test_bad_phases_are_refused():
    x = gg.tensor([1.0], requires_grad=True)
    with pytest.raises(OptimiserError, match="there are no phases"):
        Alternating(0.1, {})
    with pytest.raises(OptimiserError, match="lr must be positive if a phase has its own rate"):
        Alternating(0.0, {"a": SGD([x], lr=0.1)})
    still = Alternating(0.0, {"a": SGD([x], lr=0.0)})
    still.lr = 0.5  # a rate of 0 keeps no ratio but 1
    assert still["a"].lr == 0.5 and "SGD" in repr(still)


class Stepped(Game):
    """The judge takes three steps, each on a third of the minibatch, and counts them."""

    calls = 0

    def phases(self, settings):
        copy, judging, making = super().phases(settings)
        return copy, replace(judging, steps=3, after=self.count), making

    def count(self):
        self.calls += 1


def test_a_phase_of_several_steps_cuts_the_minibatch():
    """By hand: three steps of the judge on rows 0-2, 3-4 and 5-6, their mean as the metric."""
    game, twin = Stepped(gg.Generator(1)), Game(gg.Generator(1))
    trainer = TrainingState(game, problem(), SETTINGS.changed(clip=0.0))
    both = [*twin.coder.parameters(), *twin.maker.parameters()]
    x = problem().train.x[:7]
    figures = game.train_step(Batch(x), trainer)
    adams = (
        Adam(both, lr=0.01),
        Adam(twin.judge.parameters(), lr=0.03, betas=(0.5, 0.999)),
        Adam(twin.maker.parameters(), lr=0.005, betas=(0.5, 0.999)),
    )
    seen = []
    steps = [(0, twin.copy, x), *((1, twin.judging, p) for p in (x[:3], x[3:5], x[5:]))]
    for which, f, part in [*steps, (2, twin.making, x)]:
        loss = f(Batch(part))
        loss = loss[0] if isinstance(loss, tuple) else loss
        seen.append(loss.item())
        for p, g in zip(adams[which].parameters, gg.grad(loss, adams[which].parameters)):
            p.grad = g
        adams[which].step()
    assert game.calls == 3
    assert figures["judging"] == pytest.approx(np.mean(seen[1:4]), rel=1e-12)
    for (name, p), (_, q) in zip(game.named_parameters(), twin.named_parameters()):
        assert np.array_equal(p.numpy(), q.numpy()), name


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(SettingError, match="2 samples cannot be cut into 3 parts"):
        parts_of(Batch(np.zeros((2, 2))), 3)
    with pytest.raises(SettingError, match="of sequences"):
        parts_of(Batch(np.zeros((4, 2)), mask=np.ones((4, 2))), 2)
    cut = parts_of(Batch(np.arange(5), np.arange(5)), 3)
    assert [b.x.tolist() for b in cut] == [b.y.tolist() for b in cut] == [[0, 1], [2, 3], [4]]
