"""Captured training steps: what may be captured, and that a replay which computes otherwise fails.

There is no graph without a GPU: here a stand-in for the capture takes the same steps again.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassgrad.bench import timing
from glassgrad.bench.clock import CPUClock
from glassgrad.bench.gpu import launches, replay
from glassgrad.bench.steps import STEPS
from tests.bench.planted import LEAST
from tests.kernels.checking import why_no_emulator, why_no_gpu

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def little_effort(monkeypatch):
    monkeypatch.setattr(replay, "FULL", LEAST)
    assert timing.FULL is not LEAST


def again(step):
    """A faithful graph."""
    for _ in range(replay.WARM):
        step()
    return step


def idle(step):
    again(step)
    return lambda: None


def other_noise(step):
    """A graph that goes on in the random stream: not the step that was captured."""
    again(step)

    def move():
        step.states = [(g, (seed, offset + 1000)) for g, (seed, offset) in step.states]
        step()

    return move


@pytest.mark.parametrize("name", ["mlp", "vae"])
def test_a_faithful_replay_is_measured(name):
    found = replay.one(name, "cpu", again, CPUClock())
    assert found["status"] == "done" and found["error"] == 0.0 and found["gain"] > 0
    assert found["noise"] == {"mlp": "none", "vae": "frozen"}[name]


@pytest.mark.parametrize("name, capture", [("mlp", idle), ("vae", idle), ("vae", other_noise)])
def test_a_replay_that_computes_otherwise_is_refused(name, capture):
    with pytest.raises(replay.CaptureError, match="moved otherwise"):
        replay.one(name, "cpu", capture, CPUClock())


def test_a_step_that_cannot_be_captured_fails_the_part(monkeypatch):
    def refused(name, *rest):
        raise replay.CaptureError(f"{name} reads a number back")

    monkeypatch.setattr(replay, "one", refused)
    monkeypatch.setattr(replay, "StepClock", lambda clock: None)
    monkeypatch.setattr(replay, "clock_for", lambda backend: None)
    found = replay.measure()
    assert found["status"] == "failed"
    assert found["steps"]["mlp"] == {"status": "refused", "why": "mlp reads a number back"}


def test_host_memory_is_refused_while_capturing():
    sys.path.insert(0, str(ROOT))
    from tests import fake_cupy

    cupy = fake_cupy._Module("cupy")
    own = cupy.ones(3)
    with replay.on_device_only(cupy):
        assert cupy.asarray(own) is own
        for value in (np.ones(3), 2.0, [1, 2]):
            with pytest.raises(replay.CaptureError, match="from the host"):
                cupy.asarray(value)
    assert cupy.asarray(np.ones(3)).shape == (3,)


STAND_IN = """
from tests import fake_cupy; fake_cupy.install()
import contextlib
import cupy
from unittest import mock
from glassgrad.bench.gpu import launches, replay
from glassgrad.bench.steps import STEPS

READS = "get", "item", "tolist", "__float__", "__int__", "__bool__", "__index__"

def refuse(self, *args):
    raise RuntimeError("a number is read back")

for name in STEPS:
    step = replay.Plain(name, "cuda", samples=4)
    step()
    with contextlib.ExitStack() as all:
        all.enter_context(replay.on_device_only(cupy))
        for read in READS:
            all.enter_context(mock.patch.object(cupy.ndarray, read, refuse))
        step()
        try:
            step.ready()
        except RuntimeError:
            pass  # the whole step does read: nothing could be captured of it
        else:
            raise SystemExit("reading back is not noticed")
    print(name, step.noisy)
launches.LAUNCHES, launches.ROUNDS = 2, 2
print(launches.measure()["calls"])
"""


@pytest.mark.skipif(bool(why_no_emulator()) or not why_no_gpu(), reason="no compiler, or a GPU")
def test_no_step_meets_the_host():
    """Every step on the stand-in reads no number back, and copies nothing that could be stale."""
    done = subprocess.run(
        [sys.executable, "-c", STAND_IN], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert lines[:4] == [f"{n} {n in ('vae', 'jsb-lstm')}" for n in STEPS]
    assert "'few, ours'" in lines[4] and "'many, checks'" in lines[4]


def test_numbers_have_the_kernels_sizes():
    assert launches._sized(3).dtype == np.int32 and launches._sized(0.5).dtype == np.float32
