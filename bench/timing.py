"""Times of contenders that take turns: medians, and how far the runs lie apart."""

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..kernels.errors import ValueRangeError


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: median, interquartile range and best of `runs` runs."""

    median: float
    spread: float
    best: float
    runs: int


def summary(seconds: Sequence[float]) -> Timing:
    """Median, interquartile range and best of some times.

    >>> summary([3.0, 1.0, 2.0, 5.0, 4.0])
    Timing(median=3.0, spread=2.0, best=1.0, runs=5)
    """
    if not len(seconds):
        raise ValueRangeError("summary: there must be at least one time")
    low, median, high = np.percentile(seconds, (25, 50, 75)).tolist()
    return Timing(median, high - low, float(min(seconds)), len(seconds))


@dataclass(frozen=True)
class Effort:
    """How much is run: at least `runs` times and `seconds` for each contender, in `turns` turns.

    Before a turn there is a `pause`, in which the threads of the one before fall asleep, and a call
    that does not count, since another has just used the caches. A contender that takes more than
    `slow` seconds has three runs at most.
    """

    runs: int = 15
    seconds: float = 0.4
    turns: int = 5
    pause: float = 0.02
    slow: float = 0.5


FULL, QUICK = Effort(), Effort(runs=4, seconds=0.02, turns=2, slow=0.1)
ON_GPU = Effort(seconds=0.1, pause=0.0)  # full as well: events are precise, and no threads sleep


def alternate(calls: dict[str, Callable], clock, effort: Effort = FULL) -> dict[str, Timing]:
    """Time the calls by turns; every turn begins with the next of them."""
    names = list(calls)
    seconds = {name: [] for name in names}
    for turn in range(effort.turns):
        for k in range(len(names)):
            name = names[(turn + k) % len(names)]
            _turn(calls[name], clock, effort, seconds[name])
    return {name: summary(found) for name, found in seconds.items()}


def _turn(call: Callable, clock, effort: Effort, found: list) -> None:
    """Add the times of one turn to those found before."""
    slow = bool(found) and min(found) > effort.slow
    if slow and len(found) >= min(3, effort.runs):
        return
    time.sleep(effort.pause)
    if not slow:
        call()
        clock.wait()
    started, least = time.perf_counter(), math.ceil(effort.runs / effort.turns)
    for run in itertools.count(1):
        found.append(clock.time(call))
        enough = time.perf_counter() - started >= effort.seconds / effort.turns
        if found[-1] > effort.slow or (enough and run >= least):
            return
