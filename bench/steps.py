"""Whole training steps: forward, backward, clipping, optimiser, as `fit` takes them.

    lenet      the convolutional network for MNIST, batch 100          models/convolutional/lenet.py
    vae        the variational autoencoder for binary MNIST, batch 100  models/variational/vae.py
    jsb-lstm   the LSTM on piano rolls: 4 pieces of 88 keys    models/recurrent/lstm.py
    mlp        784-128-128-10, batch 32: so small that overhead decides

The data are made up in the shapes of the real sets, the settings are the recipes' own. A peer gets
the same weights and the same batch. The loss of the first step and its change of each array of
weights are compared with the reference backend, for ours and for the peers (for a peer that draws
its own noise, only the first loss); and the loss must have fallen after all steps. Operations are
three times those of the forward pass as the tape counts them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from .. import core as gg
from .. import kernels, models
from ..core import nn
from ..core.data import DataSet, Info, Split
from ..core.training.settings import TrainingSettings
from ..core.training.state import TrainingState
from ..core.training.system import Batch, System, split_objective
from .clock import StepClock
from .job import Contender, Job, Plan
from .verify import VerifyError, expect_near

SAME, NOISY = 1e-4, 0.05  # relative difference of first losses: same noise, or noise of its own
# relative L2 difference of what the first step changes in an array: Adam divides by the gradient's
# own size, which makes rounding large where a gradient is nearly nothing; 4e-5 was measured
SAME_STEP = 1e-3


class MLP(System):
    """784-128-128-10 with ReLU, cross-entropy."""

    def __init__(self, rng):
        self.body = nn.mlp([784, 128, 128], nn.ReLU, rng=rng.child("body"))
        self.readout = nn.Linear(128, 10, rng=rng.child("readout"))

    def objective(self, batch):
        """-ln p(y|x), mean over the batch."""
        return nn.losses.cross_entropy(self.readout(self.body(gg.Tensor(batch.x))), batch.y)


@dataclass(frozen=True)
class Step:
    """A training step: `build` gives (system, data, settings) for a batch of that many samples."""

    name: str
    case: str
    samples: int
    build: Callable
    noisy: bool = False  # has dropout or sampling: a peer's noise is another


def _by_recipe(recipe: str, data: str, make: Callable) -> Callable:
    """The builder for a recipe, with the settings that it has for the real data set."""

    def build(samples: int):
        r = models.recipe(recipe)
        settings = replace(r.resolve(data), batch=samples)
        found = make(np.random.default_rng(0), samples)
        return r.build(found, settings, gg.Generator(0)), found, settings

    return build


def _images(rng, n: int) -> DataSet:
    x = rng.random((n, 1, 28, 28), dtype="float32") * (rng.random((n, 1, 28, 28)) < 0.2)
    split = Split(x.astype("float32"), rng.integers(0, 10, n))
    return DataSet("images", split, info=Info(classes=tuple("0123456789")))


def _binary_images(rng, n: int) -> DataSet:
    return DataSet("binary images", Split((rng.random((n, 1, 28, 28)) < 0.13).astype("float32")))


def _rolls(rng, n: int) -> DataSet:
    pieces = [(rng.random((45 + 15 * i, 88)) < 0.045).astype("float32") for i in range(n)]
    return DataSet("piano rolls", Split(pieces))


def _mlp(samples: int):
    rng = np.random.default_rng(0)
    split = Split(rng.standard_normal((samples, 784), "float32"), rng.integers(0, 10, samples))
    return MLP(gg.Generator(0)), DataSet("rows", split), TrainingSettings(batch=samples)


STEPS = {
    s.name: s
    for s in (
        Step("lenet", "batch 100", 100, _by_recipe("lenet", "mnist", _images)),
        Step("vae", "batch 100", 100, _by_recipe("vae", "mnist", _binary_images), noisy=True),
        Step("jsb-lstm", "4 pieces", 4, _by_recipe("lstm", "jsb_chorales", _rolls), noisy=True),
        Step("mlp", "batch 32", 32, _mlp),
    )
}


def plans() -> list[Plan]:
    """A plan for each step."""
    return [Plan(s.name, s.case, lambda session, s=s: [make(s, session)]) for s in STEPS.values()]


class Ready:
    """A system with its training and one batch; every call is one training step."""

    def __init__(self, step: Step, device: str = "cpu", samples: int | None = None):
        system, data, self.settings = step.build(samples or step.samples)
        self.system = system.to(device)
        self.system.train()
        self.training = TrainingState(self.system, data, self.settings)
        found = next(system.batches(data, self.settings.batch, 0, 0, 0))
        self.batch: Batch = self.system.on_device(found)

    def __call__(self) -> float:
        return self.system.train_step(self.batch, self.training)["loss"]

    def arrays(self) -> list:
        """All numbers that a peer starts from."""
        return [*self.weights(), self.batch.x, self.batch.y, self.batch.mask]

    def flops(self) -> int:
        """Three times the forward pass's, leaving the random streams where they were."""
        states = [(g, g.state) for _, g in self.system.named_generators()]
        with gg.trace() as trace:
            split_objective(self.system.objective(self.batch))
        for generator, state in states:
            generator.state = state
        return 3 * trace.flops

    def weights(self) -> list[np.ndarray]:
        """Copies of the parameters, in order."""
        return [p.numpy().copy() for p in self.system.parameters()]


def first_step(step: Step) -> tuple[float, list[np.ndarray]]:
    """The loss of the first step on the reference backend, and the changes of the weights."""
    with kernels.backend("reference"):
        ready = Ready(step)
        before = ready.weights()
        loss = ready()
        return loss, differences(ready.weights(), before)


def differences(after: list, before: list) -> list[np.ndarray]:
    """What was added to each array."""
    return [a - b for a, b in zip(after, before, strict=True)]


class Watched:
    """Takes steps by ``step() -> loss`` and remembers the losses, and what the first one changed.

    `weights` gives copies of all parameters in the order of ours.
    """

    def __init__(self, step: Callable[[], float], weights: Callable[[], list[np.ndarray]]):
        self.step, self.weights = step, weights
        self.losses: list[float] = []
        self.changes: list[np.ndarray] = []

    def __call__(self) -> None:
        if self.losses:
            self.losses.append(self.step())
            return
        before = self.weights()
        self.losses.append(self.step())
        self.changes = differences(self.weights(), before)

    def read(self, _) -> tuple:
        """(first and last loss, the changes of each array): what `judge` wants to see."""
        return np.array([self.losses[0], self.losses[-1]]), *self.changes

    def contender(self) -> Contender:
        """The step as a contender that is judged by its losses and changes."""
        return Contender(self, self.read)


def judge(what: str, got: tuple, first: tuple, noisy: bool, each: float | None = None) -> float:
    """Was the first step that of the reference, and has the loss fallen since? Gives the error.

    For a step with its own noise only the loss and the shapes of the changes are compared. No
    single element of a peer is judged: where the gradient is nothing but rounding, which depends on
    the order of sums, Adam still takes a whole step. One entirely wrong element in 100 000 is still
    three times SAME_STEP in the norm.
    """
    (start, last), *made = got
    loss, changes = first
    error = abs(start - loss) / abs(loss)
    if not error <= (NOISY if noisy else SAME):
        raise VerifyError(f"{what}: the first loss is {start:.6g}, wanted {loss:.6g}")
    if last != start and not last < start:
        raise VerifyError(f"{what}: the loss went from {start:.6g} to {last:.6g}")
    if not noisy:
        return expect_near(f"{what}, change of the weights", made, changes, SAME_STEP, each)
    if [a.shape for a in made] != [a.shape for a in changes]:
        raise VerifyError(f"{what}: other weights were changed than ours")
    return error


def make(step: Step, session) -> Job:
    """The job of one training step."""
    ready, first = Ready(step, session.clock.device), cache(lambda: first_step(step))
    peers = session.contenders(step.name, ready)
    return Job(
        step.name,
        step.case,
        [Watched(ready, ready.weights).contender()],
        lambda what, got: judge(what, got, first(), False, each=10.0),
        ready.flops() if session.ours else 0,
        mode="step",
        expected=lambda: tuple(first()[1]),
        peers=peers,
        judge=lambda what, got: judge(what, got, first(), step.noisy),
        clock=StepClock(session.clock) if session.clock.device == "cuda" else None,
    )
