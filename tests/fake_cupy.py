"""A stand-in for CuPy on a machine without a GPU: what would go wrong there goes wrong here.

Arrays of this module hold NumPy arrays and answer to CuPy's rules: they never mix with NumPy
arrays, never turn into one by themselves, and every reduction gives an array, not a number. Names
and parameters that CuPy does not have are refused, by the record of the real one (cupy_record.py).
Kernels compiled through `RawModule` run in the emulator. So the whole path of ``device="cuda"`` is
walked: which module makes which array, what is copied where, what a launch is given. What a real
GPU computes, and how fast, is not known from this.

``python -m pytest -p tests.fake_cupy`` installs it as `cupy` for one run.
"""

import functools
import importlib.machinery
import json
import sys
import types
from pathlib import Path

import numpy as np

from tests import fake_cuda

MIXED = "Unsupported type <class 'numpy.ndarray'>"
CREATE = {  # functions that take no array: those that do are reached through their arguments
    "arange", "empty", "eye", "full", "linspace", "ones", "zeros", "tri", "identity", "indices",
}  # fmt: skip


SEQUENCES = {  # functions whose first argument is a sequence of arrays, or a shape
    "concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "block", "indices",
    "unravel_index", "broadcast_shapes", "ix_", "ravel_multi_index",
}  # fmt: skip


@functools.cache
def recorded(place: str) -> dict:
    """The names that the real CuPy has there, each with its parameters or None."""
    return json.loads(Path(__file__).with_name("cupy_record.json").read_text())["names"][place]


def _expect_parameters(place: str, name: str, args, kwargs) -> None:
    """AttributeError or TypeError for what the real one does not take."""
    known = recorded(place)[name]
    if known is None:
        return
    plain = [p for p in known if not p.startswith("*")]
    if not any(p.startswith("**") for p in known):
        for given in kwargs:
            if given not in plain:
                raise TypeError(f"{name}() got an unexpected keyword argument {given!r}")
    if len(args) > len(plain) and not any(p.startswith("*") for p in known):
        raise TypeError(f"{name}() takes {len(plain)} arguments, {len(args)} were given")


def _numeric(dtype):
    """The dtype, if a GPU has it."""
    if np.dtype(dtype).kind not in "biufc":
        raise ValueError(f"Unsupported dtype {np.dtype(dtype)}")
    return dtype


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


class Flags:
    """Of an array: those that CuPy knows; whether it may be written is none of them."""

    def __init__(self, held):
        self.c_contiguous, self.f_contiguous = held.flags.c_contiguous, held.flags.f_contiguous
        self.owndata, self.fnc, self.forc = held.flags.owndata, held.flags.fnc, held.flags.forc

    def __getitem__(self, name):
        known = {"C_CONTIGUOUS", "F_CONTIGUOUS", "OWNDATA"}
        if name not in known:
            raise KeyError(f"{name} is not defined for cupy.ndarray.flags")
        return getattr(self, name.lower())


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the device that is not there."""

    __module__ = "cupy"
    __array_priority__ = 100

    def __init__(self, shape, dtype=float):
        self._held = shape if isinstance(shape, np.ndarray) else np.empty(shape, _numeric(dtype))
        _numeric(self._held.dtype)

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed; use .get()")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        kwargs = _in(kwargs)
        if any(isinstance(i, (list, tuple)) for i in inputs):
            raise TypeError(f"{ufunc.__name__}: a list or tuple is no operand")
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
        if isinstance(value, (np.ndarray, list, tuple)) and np.ndim(value):
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
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

    def __repr__(self):
        return repr(self._held)

    def __format__(self, form):
        return format(self._held.item() if self._held.ndim == 0 else self._held, form)

    def get(self):
        return self._held.copy()

    def item(self):
        return self._held.item()

    def tolist(self):
        return self._held.tolist()

    def fill(self, value):
        self._held.fill(_in(value))

    @property
    def data(self):
        return fake_cuda.MemoryPointer(self._held.ctypes.data)

    @property
    def flags(self):
        return Flags(self._held)

    @property
    def __cuda_array_interface__(self):
        return {"data": (self._held.ctypes.data, False), "shape": self.shape, "version": 3}

    @property
    def device(self):
        return fake_cuda.Device()

    def __getattr__(self, name):
        if name not in recorded("cupy.ndarray"):
            raise AttributeError(f"'ndarray' object has no attribute {name!r}")
        found = getattr(self._held, name)
        if name in ("shape", "ndim", "size", "dtype", "nbytes", "itemsize", "strides"):
            return found
        if not callable(found):
            return _out(found)

        def call(*args, **kwargs):
            _expect_parameters("cupy.ndarray", name, args, kwargs)
            if name == "astype" and kwargs.get("casting") is not None:
                raise TypeError("casting is not supported yet")
            return _out(found(*_in(args), **_in(kwargs)))

        return call


class RawModule:
    """CUDA C compiled for the emulator."""

    def __init__(self, *, code=None, options=(), backend="nvrtc"):
        for name, value, kind in (
            ("code", code, str),
            ("options", options, tuple),
            ("backend", backend, str),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"Argument '{name}' has incorrect type")
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
            elif parameter.fields:
                one = type(value) is np.ndarray and value.size == 1
                assert one and value.dtype.names, "CuPy takes a struct as an array of one"
                values.append(value)
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
    RawModule, RawKernel = RawModule, RawKernel
    __version__ = "0 (stand-in)"
    __path__ = ()

    def __getattr__(self, name):
        if name not in recorded("cupy"):
            raise AttributeError(f"module 'cupy' has no attribute {name!r}")
        found = getattr(np, name)
        if isinstance(found, types.ModuleType):
            raise AttributeError(f"the stand-in has no cupy.{name}")
        if isinstance(found, type) or not callable(found):
            return found

        def create(*args, **kwargs):
            _expect_parameters("cupy", name, args, kwargs)
            made = found(*args, **kwargs)
            return _out(made)

        if name in CREATE:
            return create

        def call(*args, out=None, **kwargs):
            given = kwargs if out is None else {**kwargs, "out": out}
            _expect_parameters("cupy", name, args, given)
            if args and isinstance(args[0], (list, tuple)) and name not in SEQUENCES:
                raise AttributeError(f"{name}: {type(args[0]).__name__!r} object is no array")
            kwargs = _in(kwargs)
            if out is not None:
                kwargs["out"] = _in(out)
            result = found(*_in(args), **kwargs)
            return out if out is not None else _out(result)

        return call

    @staticmethod
    def asnumpy(a):
        return a.get() if isinstance(a, ndarray) else np.asarray(a)

    @staticmethod
    def copyto(to, source, **kwargs):
        if isinstance(source, np.ndarray) and source.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for copyto")
        np.copyto(_in(to), _in(source), **kwargs)

    @staticmethod
    def asarray(a, dtype=None, **kwargs):
        _expect_parameters("cupy", "asarray", (), kwargs)
        held = a._held if isinstance(a, ndarray) else np.array(_in_list(a), dtype)
        return (
            ndarray(np.asarray(held, dtype))
            if not isinstance(a, ndarray) or (dtype is not None and held.dtype != dtype)
            else a
        )

    @staticmethod
    def array(a, dtype=None, **kwargs):
        _expect_parameters("cupy", "array", (), kwargs)
        return ndarray(np.array(a._held if isinstance(a, ndarray) else _in_list(a), dtype))


def _in_list(a):
    return _in(a) if isinstance(a, (list, tuple)) else a


def install() -> None:
    """From now on ``import cupy`` gives this module."""
    cupy = _Module("cupy")
    cupy.__spec__ = importlib.machinery.ModuleSpec("cupy", None, is_package=True)
    cupy.cuda = fake_cuda.module()
    cupyx = types.ModuleType("cupyx")
    cupyx.scatter_add = lambda a, slices, value: np.add.at(a._held, _in(slices), _in(value))
    special = types.ModuleType("cupyx.scipy.special")

    def erf(x):
        from scipy.special import erf

        return _out(erf(_in(x)))

    def erfc(x):
        from scipy.special import erfc

        return _out(erfc(_in(x)))

    special.erf, special.erfc = erf, erfc
    scipy = types.ModuleType("cupyx.scipy")
    scipy.special = special
    cupyx.scipy = scipy
    sys.modules |= {
        "cupy": cupy,
        "cupy.cuda": cupy.cuda,
        "cupyx": cupyx,
        "cupyx.scipy": scipy,
        "cupyx.scipy.special": special,
    }


def pytest_configure(config):
    install()
