"""A stand-in for CuPy on a machine without a GPU: what would go wrong there goes wrong here.

Arrays of this module hold NumPy arrays and answer to CuPy's rules: they never mix with NumPy
arrays, never turn into one by themselves, and every reduction gives an array, not a number. Kernels
compiled through `RawModule` run in the emulator. So the whole path of ``device="cuda"`` is walked:
which module makes which array, what is copied where, what a launch is given. What a real GPU
computes, and how fast, is not known from this.

``python -m pytest -p tests.fake_cupy`` installs it as `cupy` for one run.
"""

import importlib.machinery
import sys
import time
import types
from pathlib import Path

import numpy as np

MIXED = "Unsupported type <class 'numpy.ndarray'>"
CREATE = {  # functions that take no array: those that do are reached through their arguments
    "arange", "empty", "eye", "full", "linspace", "ones", "zeros", "tri", "identity", "indices",
}  # fmt: skip


def _in(value):
    """What NumPy may see of an argument; a TypeError for a NumPy array, as CuPy has it."""
    if isinstance(value, ndarray):
        return value._held
    if isinstance(value, np.ndarray) and not isinstance(value, np.generic):
        raise TypeError(MIXED)
    if isinstance(value, (tuple, list)):
        return type(value)(_in(v) for v in value)
    if isinstance(value, dict):
        return {k: _in(v) for k, v in value.items()}
    return value


def _out(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray(np.asarray(value))
    if isinstance(value, tuple):
        return tuple(_out(v) for v in value)
    if isinstance(value, list):
        return [_out(v) for v in value]
    return value


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the device that is not there."""

    __module__ = "cupy"
    __array_priority__ = 100

    def __init__(self, held):
        self._held = held

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed; use .get()")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        kwargs = _in(kwargs)
        if out is not None:
            kwargs["out"] = tuple(_in(o) for o in out)
        result = getattr(ufunc, method)(*_in(inputs), **kwargs)
        return out[0] if out is not None else _out(result)

    def __array_function__(self, function, kinds, args, kwargs):
        if "out" in kwargs and kwargs["out"] is not None:
            function(*_in(args), **_in(kwargs))
            return kwargs["out"]
        return _out(function(*_in(args), **_in(kwargs)))

    def __getitem__(self, index):
        return _out(self._held[_in(index)])

    def __setitem__(self, index, value):
        self._held[_in(index)] = _in(value)

    def __len__(self):
        return len(self._held)

    def __iter__(self):
        return (_out(v) for v in self._held)

    def __bool__(self):
        return bool(self._held)

    def __float__(self):
        return float(self._held)

    def __int__(self):
        return int(self._held)

    def __index__(self):
        return self._held.__index__()

    def __repr__(self):
        return repr(self._held)

    def __format__(self, form):
        return format(self._held.item() if self._held.ndim == 0 else self._held, form)

    def get(self):
        return self._held.copy()

    def item(self, *args):
        return self._held.item(*args)

    def tolist(self):
        return self._held.tolist()

    def fill(self, value):
        self._held.fill(_in(value))

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self._held.ctypes.data)

    @property
    def __cuda_array_interface__(self):
        return {"data": (self._held.ctypes.data, False), "shape": self.shape, "version": 3}

    @property
    def device(self):
        return Device()

    def __getattr__(self, name):
        if name.startswith("__") or name in ("ctypes", "_held"):
            raise AttributeError(name)
        found = getattr(self._held, name)
        if name in ("shape", "ndim", "size", "dtype", "nbytes", "itemsize", "strides", "flags"):
            return found
        if callable(found):
            return lambda *args, **kwargs: _out(found(*_in(args), **_in(kwargs)))
        return _out(found)


class OutOfMemoryError(MemoryError):
    pass


class Device:
    """One device, of a chip that the kernels are made for."""

    id = 0
    compute_capability = "90"
    mem_info = (60 << 30, 80 << 30)

    def __init__(self, number=0):
        self.attributes = {"MultiProcessorCount": 4}

    def synchronize(self):
        """Nothing runs by itself here."""

    def __eq__(self, other):
        return isinstance(other, Device)

    def __hash__(self):
        return 0


class Event:
    """A moment of the host's clock."""

    def record(self):
        self.seconds = time.perf_counter()

    def synchronize(self):
        """It has happened when it was recorded."""


class RawModule:
    """CUDA C compiled for the emulator."""

    def __init__(self, *, code, options=(), backend="nvrtc"):
        self.code, self.options = code, dict(o[2:].partition("=")[::2] for o in options[2:])

    def compile(self, log_stream=None):
        from glassgrad.kernels.source import Text

        mark = self.code.splitlines()[0]
        self.text = Text(Path(mark.split('"')[1]))

    def get_function(self, name):
        return RawKernel(self, name)


class RawKernel:
    """A kernel of a RawModule; checks what the driver would, but for static shared memory."""

    max_dynamic_shared_size_bytes = 48 << 10
    shared_size_bytes = 0  # the static part, which the emulator keeps to itself

    def __init__(self, module, name):
        self.module, self.name = module, name
        self.signature = module.text.signature(name)

    def __call__(self, grid, block, args, **options):
        self.kernel(grid, block, args, **options)

    def kernel(self, grid, block, args, *, shared_mem=0, enable_cooperative_groups=False):
        """Launch it, as the driver's function that CuPy keeps under this name."""
        from glassgrad.kernels.emulator import launch

        assert shared_mem <= self.max_dynamic_shared_size_bytes, "CUDA_ERROR_INVALID_VALUE"
        assert len(args) == len(self.signature.parameters)
        values = []
        for parameter, value in zip(self.signature.parameters, args):
            if parameter.pointer:
                assert isinstance(value, ndarray) or value == 0, "a pointer into the CPU's memory"
                values.append(value._held if isinstance(value, ndarray) else None)
            else:
                assert isinstance(value, np.generic), "a number without a size"
                values.append(value)
        real = self.module.options["GLASSGRAD_REAL"]
        index = self.module.options["GLASSGRAD_INDEX"]
        launch(self.module.text, self.signature, real, index, grid, block, values, shared_mem,
               enable_cooperative_groups)  # fmt: skip


class _Module(types.ModuleType):
    """`cupy`: NumPy's functions on the arrays of this file."""

    ndarray = ndarray
    RawModule = RawModule
    __version__ = "0 (stand-in)"
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(np, name)
        if isinstance(found, type) or not callable(found):
            return found
        if name in CREATE:
            return lambda *args, **kwargs: _out(found(*args, **kwargs))

        def call(*args, out=None, **kwargs):
            kwargs = _in(kwargs)
            if out is not None:
                kwargs["out"] = _in(out)
            result = found(*_in(args), **kwargs)
            return out if out is not None else _out(result)

        return call

    @staticmethod
    def asarray(a, dtype=None, **kwargs):
        held = a._held if isinstance(a, ndarray) else np.array(_in_list(a), dtype)
        return ndarray(np.asarray(held, dtype)) if not isinstance(a, ndarray) or (
            dtype is not None and held.dtype != dtype
        ) else a  # fmt: skip

    @staticmethod
    def array(a, dtype=None, **kwargs):
        return ndarray(np.array(a._held if isinstance(a, ndarray) else _in_list(a), dtype))


def _in_list(a):
    return _in(a) if isinstance(a, (list, tuple)) else a


def install() -> None:
    """From now on ``import cupy`` gives this module."""
    cupy = _Module("cupy")
    cupy.__spec__ = importlib.machinery.ModuleSpec("cupy", None, is_package=True)
    cupy.cuda = types.ModuleType("cupy.cuda")
    cupy.cuda.is_available = lambda: True
    cupy.cuda.Device = Device
    cupy.cuda.Event = Event
    cupy.cuda.get_elapsed_time = lambda start, end: 1e3 * (end.seconds - start.seconds)
    cupy.cuda.set_allocator = lambda allocator: None
    properties = {"name": b"no GPU: the emulator", "totalGlobalMem": 80 << 30,
                  "l2CacheSize": 1 << 20, "multiProcessorCount": 4}  # fmt: skip
    cupy.cuda.runtime = types.SimpleNamespace(
        getDeviceProperties=lambda i: properties, driverGetVersion=lambda: 13000,
        runtimeGetVersion=lambda: 13000,
    )  # fmt: skip
    cupy.cuda.compiler = types.SimpleNamespace(
        CompileException=type("CompileException", (Exception,), {})
    )
    cupy.cuda.memory = types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    cupyx = types.ModuleType("cupyx")
    cupyx.scatter_add = lambda a, index, b: np.add.at(a._held, _in(index), _in(b))
    special = types.ModuleType("cupyx.scipy.special")

    def erf(x):
        from scipy.special import erf

        return _out(erf(_in(x)))

    special.erf = erf
    scipy = types.ModuleType("cupyx.scipy")
    scipy.special = special
    cupyx.scipy = scipy
    sys.modules |= {
        "cupy": cupy, "cupy.cuda": cupy.cuda, "cupyx": cupyx, "cupyx.scipy": scipy,
        "cupyx.scipy.special": special,
    }  # fmt: skip


def pytest_configure(config):
    install()
