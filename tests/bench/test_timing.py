"""Times by turns, clocks, threads and the roofline."""

import sys
import time
import types

import numpy as np
import pytest

from glassgrad.bench import roofline
from glassgrad.bench.clock import CPUClock, CUDAClock
from glassgrad.bench.noise import Others
from glassgrad.bench.threads import fix_threads
from glassgrad.bench.timing import QUICK, Effort, alternate, summary
from glassgrad.kernels.errors import ValueRangeError


class Counted:
    """A clock whose calls take the seconds that they return."""

    def time(self, call):
        return call()

    def wait(self):
        pass


def test_summary_is_median_and_quartiles():
    rng = np.random.default_rng(0)
    seconds = rng.random(101).tolist()
    found = summary(seconds)
    ordered = sorted(seconds)
    assert found.median == ordered[50] and found.best == ordered[0] and found.runs == 101
    assert found.spread == pytest.approx(ordered[75] - ordered[25])
    with pytest.raises(ValueRangeError, match="at least one time"):
        summary([])


def test_contenders_take_turns_and_each_turn_begins_with_another():
    order = []

    def call(name):
        return lambda: order.append(name) or 1.0

    effort = Effort(runs=2, seconds=0.0, turns=2, pause=0.0, slow=9.0)
    found = alternate({"a": call("a"), "b": call("b")}, Counted(), effort)
    assert order == ["a", "a", "b", "b", "b", "b", "a", "a"]  # one call of each pair is not timed
    assert found["a"].runs == found["b"].runs == 2


def test_a_slow_contender_runs_three_times_at_most():
    effort = Effort(runs=15, seconds=1.0, turns=5, pause=0.0, slow=0.5)
    found = alternate({"slow": lambda: 2.0, "quick": lambda: 0.1}, Counted(), effort)
    assert found["slow"].runs == 3 and found["quick"].runs >= 15


def test_the_least_time_is_filled():
    effort = Effort(runs=2, seconds=0.05, turns=1, pause=0.0)
    assert alternate({"a": lambda: time.sleep(1e-3)}, CPUClock(), effort)["a"].runs > 10


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
        Event=Event, Device=Device, get_elapsed_time=lambda start, end: 2.5,
        runtime=types.SimpleNamespace(getDeviceProperties=lambda i: {"l2CacheSize": 50 << 20}),
    )  # fmt: skip
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
