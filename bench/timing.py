"""Times of contenders that take turns, each turn at steady state.

A contender that has waited is slow at first: its threads sleep, others have used the caches, the
processor's clock may have dropped. So a turn begins with calls that do not count, at least one,
until they get no faster, and then fills its time. The contender before it can matter too, so the
order changes from round to round (`in_round`). The time of a contender is the median of its turns'
medians; the spread says how far these lie apart, which is how far the time may be off.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..kernels.errors import ValueRangeError

STEADY = 0.97  # calls are steady once a window's median is not below this part of the one before
WINDOWS = 10  # at most


@dataclass(frozen=True)
class Turn:
    """Seconds of one call in one turn: median and best of `runs` runs."""

    median: float
    best: float
    runs: int


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median of the turns' medians, largest less smallest of them, the
    best run of all, and how many there were."""

    median: float
    spread: float
    best: float
    runs: int


def summary(turns: Sequence[Turn]) -> Timing:
    """The timing that several turns add up to.

    >>> summary([Turn(3.0, 2.0, 5), Turn(1.0, 0.5, 9), Turn(2.0, 1.0, 7)])
    Timing(median=2.0, spread=2.0, best=0.5, runs=21)
    """
    if not turns:
        raise ValueRangeError("summary: there must be at least one turn")
    medians = [t.median for t in turns]
    return Timing(
        statistics.median(medians),
        max(medians) - min(medians),
        min(t.best for t in turns),
        sum(t.runs for t in turns),
    )


@dataclass(frozen=True)
class Effort:
    """How much is run.

    A turn takes `seconds` at steady state and at least `runs` calls; there are `turns` of each
    contender, of a training step `steps`. Before that it warms up: one call, then windows of `warm`
    seconds unless that is 0. Calls of more than `slow` seconds need no windows, and one timed call
    is a turn. A contender without peers has `brief` seconds a turn.
    """

    seconds: float = 0.5
    turns: int = 3
    steps: int = 5
    runs: int = 3
    warm: float = 0.05
    slow: float = 0.5
    brief: float = 0.1

    def short(self) -> "Effort":
        """That of a contender without a peer."""
        return replace(self, seconds=self.brief)


FULL = Effort()
QUICK = Effort(seconds=0.1, steps=3, runs=2, slow=0.2, brief=0.05)
ON_GPU = Effort(seconds=0.02, turns=5, warm=0.0, brief=0.02)  # events are precise, no thread sleeps


def turn(call: Callable, clock, effort: Effort) -> Turn:
    """Warm up until the calls are steady, then time them."""
    slow = _warm_up(call, clock, effort) > effort.slow
    runs, seconds = (1, 0.0) if slow else (effort.runs, effort.seconds)
    found: list[float] = []
    started = time.perf_counter()
    for run in itertools.count(1):
        found.append(clock.time(call))
        if run >= runs and time.perf_counter() - started >= seconds:
            return Turn(statistics.median(found), min(found), run)


def _warm_up(call: Callable, clock, effort: Effort) -> float:
    """Call it until a window of calls is no faster than the one before; seconds of the first."""
    first = clock.time(call)
    if first > effort.slow or not effort.warm:
        return first
    before = _window(call, clock, effort.warm)
    for _ in range(WINDOWS - 1):
        now = _window(call, clock, effort.warm)
        if now >= STEADY * before:
            break
        before = now
    return first


def _window(call: Callable, clock, seconds: float) -> float:
    """The median of as many calls as fill so many seconds."""
    found: list[float] = []
    started = time.perf_counter()
    while not found or time.perf_counter() - started < seconds:
        found.append(clock.time(call))
    return statistics.median(found)


def by_turns(
    takes: dict[str, Callable[[], Turn]], turns: int, failed: Callable | None = None
) -> dict[str, Timing]:
    """Let each take its turns, in the order that `in_round` gives for each round.

    One that raises is out: ``failed(name, error)`` is called; without `failed` the error is raised.
    """
    found: dict[str, list[Turn]] = {name: [] for name in takes}
    for round_ in range(turns):
        for name in in_round(list(takes), round_):
            if name not in found:
                continue
            try:
                found[name].append(takes[name]())
            except Exception as error:
                if failed is None:
                    raise
                failed(name, error)
                del found[name]
    return {name: summary(done) for name, done in found.items()}


def in_round(names: list[str], round_: int) -> list[str]:
    """The order of one round, by a balanced Latin square (Williams, 1949).

    In n rounds, or 2 n where n is odd, each of n names follows each other one equally often.

    >>> [" ".join(in_round(["a", "b", "c", "d"], r)) for r in range(3)]
    ['a b d c', 'b c a d', 'c d b a']
    """
    n = len(names)
    zigzag = [(k + 1) // 2 if k % 2 else -(k // 2) for k in range(n)]  # 0, 1, -1, 2, -2 ...
    order = [names[(z + round_) % n] for z in zigzag]
    return order[::-1] if n % 2 and round_ % 2 else order


def alternate(calls: dict[str, Callable], clock, effort: Effort = FULL) -> dict[str, Timing]:
    """Time calls of this process by turns."""
    takes = {name: lambda call=call: turn(call, clock, effort) for name, call in calls.items()}
    return by_turns(takes, effort.turns)
