"""`cupy.cuda` of the stand-in (fake_cupy.py): its devices, events, its errors."""

import time
import types


class MemoryPointer:
    """Where an array begins."""

    def __init__(self, ptr):
        self.ptr = ptr

    device_id = 0

    @property
    def device(self):
        return Device()


class OutOfMemoryError(MemoryError):
    def __init__(self, size, total, limit=0):
        if not all(isinstance(n, int) for n in (size, total, limit)):
            raise ValueError("sizes are numbers of bytes")
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated {total:,} bytes)")


class CompileException(Exception):
    def __init__(self, msg, source, name, options, backend="nvrtc"):
        super().__init__(msg)
        self.source, self.name, self.options, self.backend = source, name, options, backend


class CUDARuntimeError(RuntimeError):
    pass


class Device:
    """One device, of a chip that the kernels are made for."""

    compute_capability = "90"
    mem_info = (60 << 30, 80 << 30)

    attributes = types.MappingProxyType({"MultiProcessorCount": 4})

    _current = 0

    def __init__(self, device=None):
        self.id = Device._current if device is None else int(device)

    def __enter__(self):
        self._before = [*getattr(self, "_before", ()), Device._current]
        Device._current = self.id
        return self

    def __exit__(self, *error):
        Device._current = self._before.pop()

    def synchronize(self):
        """Nothing runs by itself here."""

    def use(self):
        """Make it the current device."""
        Device._current = self.id

    def __eq__(self, other):  # and with it, as CuPy's own, no hash
        return isinstance(other, Device) and self.id == other.id


class Stream:
    """A stream, on which everything is done at once."""

    ptr = 0

    def __init__(self, null=False, non_blocking=False, ptds=False):
        pass

    def wait_event(self, event):
        """It has happened."""
        assert event.done, "the event was never recorded"

    def synchronize(self):
        """Nothing is left to do."""


class Event:
    """A moment of the host's clock."""

    seconds = None
    done = property(lambda self: self.seconds is not None)

    def record(self, stream=None):
        self.seconds = time.perf_counter()

    def synchronize(self):
        """It has happened when it was recorded."""


def module() -> types.ModuleType:
    """`cupy.cuda`."""
    cuda = types.ModuleType("cupy.cuda")
    cuda.is_available = lambda: True
    cuda.Device = Device
    cuda.Event = Event
    cuda.Stream = Stream
    cuda.get_current_stream = lambda device_id=-1: Stream()
    cuda.get_elapsed_time = lambda start, end: 1e3 * (end.seconds - start.seconds)
    cuda.set_allocator = lambda allocator: None
    properties = {"name": b"no GPU: the emulator", "totalGlobalMem": 80 << 30,
                  "l2CacheSize": 1 << 20, "multiProcessorCount": 4}  # fmt: skip
    cuda.runtime = types.SimpleNamespace(
        getDeviceProperties=lambda i: properties,
        driverGetVersion=lambda: 13000,
        getDevice=lambda: Device._current,
        getDeviceCount=lambda: 8,
        runtimeGetVersion=lambda: 13000,
        CUDARuntimeError=CUDARuntimeError,
    )
    cuda.compiler = types.SimpleNamespace(CompileException=CompileException)
    cuda.memory = types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    return cuda
