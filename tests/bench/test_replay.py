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
    monkeypatch.setattr(replay, "ON_GPU", LEAST)
    assert timing.ON_GPU is not LEAST


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
    with pytest.raises(replay.ReplayError, match="moved otherwise"):
        replay.one(name, "cpu", capture, CPUClock())


@pytest.mark.parametrize(
    "error, status",
    [
        (replay.CaptureError("mlp reads a number back"), "refused"),
        (replay.ReplayError("mlp computes otherwise"), "failed"),
    ],
)
def test_a_step_that_cannot_be_captured_is_reported(monkeypatch, error, status):
    """CuPy does not capture cuBLAS: no failure of ours. A replay that computes otherwise is one."""

    def ends(name, *rest):
        if name == "mlp":
            raise error
        return {"status": "done"}

    monkeypatch.setattr(replay, "one", ends)
    monkeypatch.setattr(replay, "StepClock", lambda clock: None)
    monkeypatch.setattr(replay, "clock_for", lambda backend: None)
    found = replay.measure()
    assert found["status"] == status
    assert found["steps"]["mlp"] == {"status": status, "why": str(error)}
    assert found["steps"]["vae"] == {"status": "done"}


class Stream:
    """Of a CuPy that refuses a product while it captures."""

    def __init__(self, **options):
        self.capturing, self.ended = False, 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def synchronize(self):
        """Nothing runs."""

    def begin_capture(self):
        self.capturing = True

    def end_capture(self):
        self.capturing, self.ended = False, self.ended + 1


def test_a_product_is_refused_while_capturing(monkeypatch):
    """The words are CuPy's own; the capture is ended, so that the stream can be used again."""
    import types

    from tests import fake_cupy

    stream, cupy = Stream(), fake_cupy._Module("cupy")
    cupy.cuda = types.SimpleNamespace(
        MemoryPool=lambda: types.SimpleNamespace(malloc=None),
        Stream=lambda **options: stream,
        Device=lambda: stream,
        using_allocator=lambda allocator: stream,
        runtime=types.SimpleNamespace(CUDARuntimeError=RuntimeError),
    )
    monkeypatch.setitem(sys.modules, "cupy", cupy)

    def step():
        if stream.capturing:
            raise NotImplementedError(
                "calling cuBLAS API during stream capture is currently unsupported"
            )

    with pytest.raises(replay.CaptureError, match="cannot be captured: calling cuBLAS"):
        replay.capture(step)
    assert stream.ended == 1


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

READS = "get", "item", "tolist", "__float__", "__int__", "__bool__"

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


@pytest.mark.slow
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
