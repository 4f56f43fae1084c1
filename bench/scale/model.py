"""Times of messages and of steps on P ranks, from what two ranks have measured: see the page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FIGURES = 2048  # bytes of figures that a rank sends in a step (core/distributed/mpi.py)
RANKS = tuple(2**k for k in range(11))  # 1 … 1024


@dataclass(frozen=True)
class Link:
    """A message of n bytes takes alpha + n beta seconds."""

    alpha: float
    beta: float

    def message(self, n: float) -> float:
        """Seconds of a message of n bytes."""
        return self.alpha + n * self.beta


NETWORK = Link(30e-6, 8 / 10e9)  # assumed: 10 Gbit/s, 30 µs


@dataclass(frozen=True)
class Step:
    """What a step of one rank consists of, in seconds, and the bytes of its gradients."""

    gradient: float
    update: float
    batch: float
    bytes: int
    reduction: float = 0.0  # what several ranks do besides messages: cutting, copying, adding
    hearing: float = 0.0  # reading what one other rank reports


def fit(sizes: Sequence[float], seconds: Sequence[float]) -> Link:
    """The link whose messages of these sizes take about these seconds: least relative squares.

    >>> link = fit([0, 1000, 100_000], [1e-6, 2e-6, 101e-6])
    >>> round(link.alpha * 1e6, 6), round(link.beta * 1e9, 6)
    (1.0, 1.0)
    """
    n, t = np.asarray(sizes, float), np.asarray(seconds, float)
    (alpha, beta), *_ = np.linalg.lstsq(np.stack([1 / t, n / t], axis=1), np.ones(len(t)))
    if alpha <= 0:
        return Link(0.0, float((n / t).sum() / ((n / t) ** 2).sum()))
    if beta <= 0:
        return Link(float((1 / t).sum() / ((1 / t) ** 2).sum()), 0.0)
    return Link(float(alpha), float(beta))


def rounds(ranks: int) -> int:
    """⌈log₂P⌉.

    >>> rounds(1), rounds(4), rounds(5)
    (0, 2, 3)
    """
    return (ranks - 1).bit_length()


def ordered(link: Link, ranks: int, n: float) -> float:
    """Seconds of `Communicator.ordered_sum` of arrays of n bytes, a shard on each rank."""
    if ranks & (ranks - 1) == 0:
        return 2 * rounds(ranks) * link.alpha + 2 * (ranks - 1) / ranks * n * link.beta
    return 2 * rounds(ranks) * link.message(n)


def ring(link: Link, ranks: int, n: float) -> float:
    """Seconds of a sum around a ring, in P pieces."""
    return 2 * (ranks - 1) * link.message(n / ranks)


def at_root(link: Link, ranks: int, n: float) -> float:
    """Seconds of a sum for which every rank sends its array to one."""
    return 2 * (ranks - 1) * link.message(n)


WAYS = {"ordered": ordered, "ring": ring, "at the root": at_root}


def parts(step: Step, link: Link, ranks: int, way: str = "ordered") -> dict[str, float]:
    """The seconds of a step on so many ranks, by what they are spent on."""
    others = ranks - 1
    figures = rounds(ranks) * link.alpha + others * (FIGURES * link.beta + step.hearing)
    return {
        "gradient": step.gradient,
        "update": step.update,
        "minibatch": ranks * step.batch,
        "figures": figures,
        "reduction": step.reduction if others else 0.0,
        "sum": WAYS[way](link, ranks, step.bytes),
    }


def efficiency(step: Step, link: Link, ranks: int, way: str = "ordered") -> float:
    """T(1)/T(P), 0 to 1."""
    one, many = (sum(parts(step, link, p, way).values()) for p in (1, ranks))
    return one / many


def limit(step: Step, link: Link, ranks: int, way: str = "ordered") -> str:
    """What costs the most besides the gradient itself.

    >>> limit(Step(1.0, 0.1, 0.0, 1000), Link(1e-6, 1e-9), 4)
    'update'
    """
    found = parts(step, link, ranks, way)
    del found["gradient"]
    return max(found, key=found.get)
