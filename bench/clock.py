"""What one call is timed with: the processor's clock, or events on the GPU."""

import time
from collections.abc import Callable


class CPUClock:
    """Wall time on the CPU; caches stay as the previous call left them."""

    device = "cpu"

    def time(self, call: Callable) -> float:
        """Seconds of one call."""
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    def wait(self) -> None:
        """Until everything asked for is done: at once."""


class CUDAClock:
    """Time on the GPU between two events, its L2 cache emptied before each call.

    Writing a buffer of four times its size eight times empties the cache. That keeps the GPU busy
    for about a millisecond, in which Python prepares the launches of the call, so that the
    preparation is not timed. CuPy and PyTorch both use the default stream, which the events are on.
    """

    device = "cuda"

    def __init__(self):
        import cupy

        self.cupy = cupy
        size = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["l2CacheSize"]
        self.buffer = cupy.empty(max(4 * size, 1 << 26), "uint8")
        self.start, self.end = cupy.cuda.Event(), cupy.cuda.Event()

    def time(self, call: Callable) -> float:
        """Seconds of one call, with a cold L2."""
        for value in range(8):
            self.buffer.fill(value)
        self.start.record()
        call()
        self.end.record()
        self.end.synchronize()
        return 1e-3 * self.cupy.cuda.get_elapsed_time(self.start, self.end)

    def wait(self) -> None:
        """Until everything asked for is done."""
        self.cupy.cuda.Device().synchronize()


class StepClock:
    """Wall time until the GPU is done, for work that waits for it: a whole training step.

    What Python does between the launches counts, and caches stay as the previous step left them.
    """

    device = "cuda"

    def __init__(self, clock: CUDAClock):
        self.wait = clock.wait

    def time(self, call: Callable) -> float:
        """Seconds of one call, from an idle GPU to an idle GPU."""
        self.wait()
        started = time.perf_counter()
        call()
        self.wait()
        return time.perf_counter() - started


def clock_for(backend: str):
    """The clock of a backend's arrays."""
    return CUDAClock() if backend == "cuda" else CPUClock()
