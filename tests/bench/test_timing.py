"""Times by turns, clocks, threads and the roofline."""

import itertools
import sys
import time
import types
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from glassgrad.bench import roofline, timing
from glassgrad.bench.clock import CPUClock, CUDAClock
from glassgrad.bench.noise import STAT, Others
from glassgrad.bench.threads import fix_threads
from glassgrad.bench.timing import (
    QUICK,
    WINDOWS,
    Effort,
    Timing,
    Turn,
    alternate,
    by_turns,
    summary,
    turn,
)
from glassgrad.kernels.errors import ValueRangeError


class Counted:
    """A clock whose calls take the seconds that they return."""

    def time(self, call):
        return call()

    def wait(self):
        pass


def test_a_summary_is_of_the_turns():
    turns = [Turn(m, m / 2, 10) for m in (5.0, 1.0, 2.0, 4.0, 3.0)]
    assert summary(turns) == Timing(median=3.0, spread=4.0, best=0.5, runs=50)
    with pytest.raises(ValueRangeError, match="at least one turn"):
        summary([])


def test_contenders_take_turns_and_each_round_begins_with_another():
    order = []

    def call(name):
        return lambda: order.append(name) or 1.0

    effort = Effort(runs=2, seconds=0.0, turns=2, warm=0.0, slow=9.0)
    found = alternate({"a": call("a"), "b": call("b")}, Counted(), effort)
    assert order == [*"aaabbb", *"bbbaaa"]  # one call of each turn is not timed
    assert found["a"].runs == found["b"].runs == 4


@pytest.mark.parametrize("n", range(2, 9))
def test_nobody_always_follows_the_same_contender(n):
    """Over all rounds everybody follows everybody else equally often, and no two rounds repeat."""
    names = [f"c{k}" for k in range(n)]
    period = 2 * n if n % 2 else n
    order = []
    takes = {name: lambda name=name: order.append(name) or Turn(1.0, 1.0, 1) for name in names}
    by_turns(takes, period)
    rounds = [order[n * r : n * (r + 1)] for r in range(period)]
    assert all(sorted(r) == names for r in rounds)
    pairs = Counter(pair for r in rounds for pair in itertools.pairwise(r))
    assert set(pairs) == set(itertools.permutations(names, 2))
    assert set(pairs.values()) == {2 if n % 2 else 1}
    few = Counter(itertools.pairwise(order[: 3 * n]))  # as many turns as most have
    assert max(few.values()) <= 2
    assert {r[0] for r in rounds} == set(names)


def test_a_slow_contender_has_one_timed_run_a_turn_after_one_that_wakes_it_up():
    calls = []

    def call():
        calls.append(1)
        return 9.0 if len(calls) % 2 else 2.0

    effort = Effort(runs=15, seconds=1.0, turns=3, warm=1.0, slow=0.5)
    found = alternate({"slow": call}, Counted(), effort)
    assert found["slow"] == Timing(2.0, 0.0, 2.0, 3) and len(calls) == 6


def test_the_least_time_is_filled():
    started = time.perf_counter()
    found = turn(lambda: None, CPUClock(), Effort(runs=2, seconds=0.05, warm=0.0))
    assert time.perf_counter() - started >= 0.05 and found.runs > 10


class Simulated:
    """A clock on which nothing passes but the seconds that calls say they take."""

    def __init__(self, monkeypatch):
        self.now, self.calls = 0.0, 0
        read = types.SimpleNamespace(perf_counter=lambda: self.now)
        monkeypatch.setattr(timing, "time", read)

    def time(self, call):
        taken = call()
        self.now += taken
        self.calls += 1
        return taken


def test_a_contender_that_wakes_up_slowly_is_not_timed_before(monkeypatch):
    """Its calls take ten times as long until it has worked for 40 ms."""
    effort = Effort(seconds=0.03, runs=2, warm=0.03)

    def timed(effort):
        clock = Simulated(monkeypatch)
        return turn(lambda: 1e-2 if clock.now < 0.0399 else 1e-3, clock, effort)

    assert timed(effort).median == timed(effort).best == 1e-3
    assert timed(replace(effort, warm=0.0)).median == 1e-2


def test_a_contender_that_gets_faster_for_ever_is_timed_all_the_same(monkeypatch):
    """Each window of one call is faster than the one before by more than `STEADY` asks for."""
    clock = Simulated(monkeypatch)
    effort = Effort(seconds=0.0, runs=1, warm=1e-9, slow=9.0)
    found = turn(lambda: 0.9**clock.calls, clock, effort)
    last = 0.9 ** (WINDOWS + 1)  # after one call, and the windows
    assert found == Turn(last, last, 1)
    assert clock.calls == WINDOWS + 2


def test_what_fails_in_a_turn_is_out_and_the_others_go_on():
    said, left = [], iter([Turn(1.0, 1.0, 1)])
    takes = {"good": lambda: Turn(2.0, 2.0, 1), "breaks": lambda: next(left)}
    found = by_turns(takes, 3, lambda name, error: said.append((name, type(error))))
    assert found == {"good": Timing(2.0, 0.0, 2.0, 3)} and said == [("breaks", StopIteration)]
    with pytest.raises(ZeroDivisionError):
        by_turns({"breaks": lambda: 1 / 0}, 1)


def test_the_clock_sees_a_sleep():
    assert 0.01 <= CPUClock().time(lambda: time.sleep(0.01)) < 0.2


def test_the_gpu_clock_empties_the_cache_and_reads_events(monkeypatch):
    """CuPy is played by a stand-in that writes down what is asked of it."""
    said = []

    class Event:
        def record(self):
            said.append("record")

        def synchronize(self):
            said.append("wait")

    class Device:
        id = 0

        def synchronize(self):
            said.append("device")

    def empty(size, dtype):
        said.append(("buffer", size))
        return types.SimpleNamespace(fill=lambda value: said.append("fill"))

    cupy = types.ModuleType("cupy")
    cupy.empty = empty
    cupy.cuda = types.SimpleNamespace(
        Event=Event,
        Device=Device,
        get_elapsed_time=lambda start, end: 2.5,
        runtime=types.SimpleNamespace(getDeviceProperties=lambda i: {"l2CacheSize": 50 << 20}),
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    clock = CUDAClock()
    assert clock.time(lambda: said.append("call")) == 2.5e-3
    assert said == [("buffer", 200 << 20), *["fill"] * 8, "record", "call", "record", "wait"]
    clock.wait()
    assert said[-1] == "device"


def test_threads_are_within_what_numba_has():
    with pytest.raises(ValueRangeError, match="threads must be 1 to"):
        fix_threads(10_000)


def test_the_roofline_is_sane(monkeypatch):
    monkeypatch.setitem(roofline.COPIED, "cpu", 1 << 23)
    monkeypatch.setitem(roofline.SIZE, "cpu", 256)
    line = roofline.measure(np, CPUClock(), 2, QUICK)
    assert 1e8 < line.flops < 1e14 and 1e8 < line.bytes < 1e13
    assert line.share(line.flops, 0, 2.0) == pytest.approx(0.5)
    assert line.share(0, line.bytes, 4.0) == pytest.approx(0.25)
    assert line.bound(line.flops, 0) == "arithmetic" and line.bound(0, 1) == "memory"


def test_the_work_of_others_is_seen(monkeypatch):
    others = Others()
    others.before, now = (10.0, 100.0, 5.0), (16.0, 110.0, 6.0)  # 6 s of work, 1 s of it ours
    monkeypatch.setattr(others, "_now", lambda: now)
    assert others.share() == pytest.approx(0.5)
    assert others.sentence() == "other processes took 50 % of the processors during a run"
    now = (16.0, 110.0, 10.8)
    assert others.sentence() == ""
    now = None
    assert others.share() is None and others.sentence() == ""


@pytest.mark.skipif(not STAT.exists(), reason="the system does not say what others do")
def test_the_work_of_the_runs_own_processes_is_no_noise():
    quiet, busy = Others(), Others(lambda: 100.0)
    assert busy.before[2] - quiet.before[2] > 99.9
