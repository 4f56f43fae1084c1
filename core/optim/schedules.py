"""Schedules: the factor on the learning rate in each epoch, counted from 0.

A schedule is a pure function of the epoch, so a resumed run needs only the epoch::

    schedule = WarmUp(5) * Cosine(100)
    optimiser.lr = base * schedule(epoch)

Only `ReduceOnPlateau` has a state: it watches a metric.
"""

import math
from dataclasses import dataclass

from ...kernels.annotations import Number
from ...kernels.checks import choice, within
from ...kernels.errors import shown
from ..nn.states import State, StateError, as_state, is_count, is_number, is_rate


class Schedule:
    """epoch -> factor; the product of two schedules is a schedule."""

    def __call__(self, epoch: float) -> float:
        raise NotImplementedError

    def __mul__(self, other: "Schedule") -> "Product":
        return Product((self, other))


@dataclass(frozen=True)
class Product(Schedule):
    """The product of two schedules."""

    schedules: tuple

    def __call__(self, epoch: float):
        return math.prod(s(epoch) for s in self.schedules)


@dataclass(frozen=True)
class Constant(Schedule):
    """The same factor in every epoch."""

    factor: float = 1.0

    def __post_init__(self):
        within("Constant", "factor", self.factor, least=0)

    def __call__(self, epoch: float):
        return self.factor


@dataclass(frozen=True)
class Step(Schedule):
    """gamma^⌊epoch/size⌋: a drop every `size` epochs.

    >>> [Step(2, 0.5)(e) for e in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    size: int
    gamma: float = 0.1

    def __post_init__(self):
        within("Step", "size", self.size, above=0)
        within("Step", "gamma", self.gamma, least=0)

    def __call__(self, epoch: float):
        return self.gamma ** math.floor(epoch / self.size)


@dataclass(frozen=True)
class MultiStep(Schedule):
    """gamma^(number of milestones reached).

    >>> [MultiStep((1, 3), 0.5)(e) for e in range(5)]
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    milestones: tuple[float, ...]
    gamma: float = 0.1

    def __post_init__(self):
        within("MultiStep", "gamma", self.gamma, least=0)

    def __call__(self, epoch: float):
        return self.gamma ** sum(epoch >= m for m in self.milestones)


@dataclass(frozen=True)
class Exponential(Schedule):
    """gamma^epoch."""

    gamma: float

    def __post_init__(self):
        within("Exponential", "gamma", self.gamma, least=0)

    def __call__(self, epoch: float):
        return self.gamma**epoch


@dataclass(frozen=True)
class Cosine(Schedule):
    """From 1 to `floor` along half a cosine in `total` epochs, then `floor` (Loshchilov 2017).

    >>> [round(Cosine(4)(e), 3) for e in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    total: float
    floor: float = 0.0

    def __post_init__(self):
        within("Cosine", "total", self.total, above=0)
        within("Cosine", "floor", self.floor, least=0)

    def __call__(self, epoch: float):
        done = min(max(epoch / self.total, 0.0), 1.0)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """(epoch + 1)/length up to 1: the rate grows linearly at first (Goyal et al. 2017).

    >>> [(WarmUp(2) * Exponential(0.5))(e) for e in range(4)]
    [0.5, 0.5, 0.25, 0.125]
    """

    length: float

    def __post_init__(self):
        within("WarmUp", "length", self.length, above=0)

    def __call__(self, epoch: float):
        return min(1.0, (epoch + 1) / self.length)


@dataclass(frozen=True)
class Halving(Schedule):
    """1 for the first `after` epochs, then multiplied by `factor` in each (Zaremba et al. 2014).

    >>> [Halving(4)(e) for e in range(7)]
    [1.0, 1.0, 1.0, 1.0, 0.5, 0.25, 0.125]
    """

    after: int
    factor: float = 0.5

    def __post_init__(self):
        within("Halving", "after", self.after, least=0)
        within("Halving", "factor", self.factor, above=0)

    def __call__(self, epoch: float):
        return self.factor ** max(0.0, epoch + 1 - self.after)


@dataclass(frozen=True)
class InverseTime(Schedule):
    """1/(1 + rate·epoch): the sum diverges, the sum of squares does not (Robbins & Monro 1951)."""

    rate: float

    def __post_init__(self):
        within("InverseTime", "rate", self.rate, least=0)

    def __call__(self, epoch: float):
        return 1 / (1 + self.rate * epoch)


class ReduceOnPlateau:
    """Multiply the factor by `gamma` when a metric has not improved for `patience` epochs.

    An improvement is a value below the best one (above it for ``mode="max"``) by more than
    threshold·|best|. After a reduction, `cooldown` epochs do not count. NaN never
    improves. Call it once per epoch with the metric; it returns the factor, never below `floor`.

    >>> plateau = ReduceOnPlateau(gamma=0.5, patience=1)
    >>> [plateau(m) for m in (3.0, 2.0, 2.0, 2.0, 2.0)]
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    def __init__(
        self,
        gamma: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        floor: float = 0.0,
        mode: str = "min",
    ):
        choice("ReduceOnPlateau", "mode", mode, ("min", "max"))
        within("ReduceOnPlateau", "gamma", gamma, above=0, below=1)
        within("ReduceOnPlateau", "floor", floor, least=0, most=1)
        counts = (("patience", patience), ("threshold", threshold), ("cooldown", cooldown))
        for name, value in counts:
            within("ReduceOnPlateau", name, value, least=0)
        self.gamma, self.patience, self.threshold = gamma, patience, threshold
        self.cooldown, self.floor, self.mode = cooldown, floor, mode
        self.factor, self.best, self.waited, self.resting = 1.0, None, 0, 0

    def __call__(self, metric: Number) -> float:
        metric = float(metric)
        if self._improves(metric):
            self.best, self.waited = metric, 0
        else:
            self.waited += 1
        if self.resting:
            self.resting, self.waited = self.resting - 1, 0
        if self.waited > self.patience:
            self.factor = max(self.factor * self.gamma, self.floor)
            self.waited, self.resting = 0, self.cooldown
        return self.factor

    def _improves(self, metric):
        if math.isnan(metric):
            return False
        if self.best is None:
            return True
        margin = self.threshold * abs(self.best)
        if self.mode == "min":
            return metric < self.best - margin
        return metric > self.best + margin

    def state_dict(self) -> dict[str, float]:
        """Numbers for a checkpoint; `best` is NaN before the first call."""
        best = math.nan if self.best is None else self.best
        return {"factor": self.factor, "best": best, "waited": self.waited, "resting": self.resting}

    def load_state_dict(self, state: State) -> None:
        """Load what `state_dict` returned; StateError, and nothing is set, if it does not fit."""
        state = as_state("ReduceOnPlateau", state)
        good = {
            "factor": lambda v: is_rate(v) and v <= 1,
            "best": is_number,
            "waited": is_count,
            "resting": is_count,
        }
        for key in (*good, *state):
            if key not in state or key not in good or not good[key](state[key]):
                raise StateError(
                    "load_state_dict: ReduceOnPlateau has a factor in 0..1, a best metric and two"
                    f" counts, waited and resting; got {key}={shown(state.get(key))}"
                )
        best = float(state["best"])
        self.factor, self.best = float(state["factor"]), None if math.isnan(best) else best
        self.waited, self.resting = int(state["waited"]), int(state["resting"])
