"""CuPy's real wheel on a machine without a driver: CUDA's calls end in ordinary memory.

The wheel imports without a driver, and its Cython modules call CUDA through tables of C functions
that each of them reads while it is imported (``__pyx_capi__``). `install` puts functions of this
file there first: memory is the host's, a copy is a copy, and a launch finds its kernel by the
handle that the driver would get, reads every argument from the addresses that the driver would get,
and runs in the emulator. All before that is CuPy's own: its arrays, its memory, NVRTC, its
`RawModule`, the packing of arguments.

CuPy's own kernels and cuBLAS cannot run here. Where `kernels/*/cuda.py` and the tests use them,
NumPy takes their place (`IN_PLACE_OF`); any other is noted in `Driver.refused`, and a test that
meets one fails.

``python -m pytest -p tests.wheel`` runs tests on it, as ``-p tests.fake_cupy`` does on the
stand-in. NVRTC must be installed.
"""

import ctypes
import importlib.util
import itertools
import os
import sys
import tempfile
import types
from importlib import metadata

import numpy as np

WHEELS = "cupy-cuda13x", "cupy-cuda12x"
HOST = ctypes.CDLL(None)
HOST.malloc.restype, HOST.malloc.argtypes = ctypes.c_size_t, [ctypes.c_size_t]
HOST.free.restype, HOST.free.argtypes = None, [ctypes.c_size_t]
C_TYPES = {
    "PyObject *": ctypes.py_object, "intptr_t": ctypes.c_ssize_t, "size_t": ctypes.c_size_t,
    "int": ctypes.c_int, "unsigned int": ctypes.c_uint, "float": ctypes.c_float,
}  # fmt: skip
ATTRIBUTES = {16: 132, 75: 9, 76: 0, 95: 1, 115: 0}  # of an H100: multiprocessors, 9.0, no pools
BINARY = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "eq",
    "ne", "lt", "le", "gt", "ge",
)  # fmt: skip
IN_PLACE_OF = {  # done by NumPy: CuPy has kernels of its own for them, or cuBLAS
    "methods": (
        *(f"__{prefix}{name}__" for name in BINARY for prefix in ("", "r", "i")
          if prefix == "" or name not in ("eq", "ne", "lt", "le", "gt", "ge")),
        *("__neg__", "__abs__", "__setitem__", "sum", "max", "min", "mean", "argmin", "argmax"),
        *("argsort", "astype", "copy", "fill", "item", "any", "all", "cumsum", "prod", "take"),
        *("__bool__", "__float__", "__int__", "__index__"),
    ),
    "functions": ("ascontiguousarray", "sqrt", "exp", "arange", "where", "ones", "full",
                  "concatenate", "add", "maximum", "cumsum"),
}  # fmt: skip


def why_not() -> str:
    """Why the wheel cannot be tried here; empty when it can."""
    if not any(_installed(name) for name in WHEELS):
        return f"no wheel of CuPy is installed (pip install {WHEELS[0]})"
    if not importlib.util.find_spec("nvidia"):
        return "NVRTC is not installed (pip install nvidia-cuda-nvrtc)"
    return ""


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


class Driver:
    """What the driver knows: memory, modules, functions, and every launch that it was asked for."""

    def __init__(self):
        self.numbers = itertools.count(1000)  # handles
        self.memory: dict[int, int] = {}  # address -> bytes
        self.loading, self.known = None, {}  # (text, real, index) of the code that is compiled
        self.modules: dict[int, tuple] = {}
        self.functions: dict[int, tuple] = {}
        self.launches: list[dict] = []
        self.attributes: list[tuple] = []  # what functions were allowed
        self.runs = True  # launches run in the emulator
        self.refused: list[str] = []  # kernels of CuPy's own, which did not run

    def malloc(self, size):
        at = HOST.malloc(max(size, 1))
        self.memory[at] = size
        return at

    def free(self, at):
        if at and self.memory.pop(at, None) is not None:
            HOST.free(at)

    def load(self, binary):
        module = next(self.numbers)
        known = self.known.setdefault(bytes(binary), self.loading)
        self.modules[module] = known or ("", "", "")
        return module

    def function(self, module, name):
        handle = next(self.numbers)
        self.functions[handle] = (*self.modules[module], name)
        return handle

    def launch(self, cooperative, function, *given):
        """Every argument is read as the driver reads it: so many bytes from so many addresses."""
        grid, block, shared, stream, addresses = given[:3], given[3:6], *given[6:9]
        text, real, index, name = self.functions[function]
        if not text:
            self.refused.append(name)
            return
        signature = text.signature(name)
        places = (ctypes.c_size_t * len(signature.parameters)).from_address(addresses)
        values = [
            self.argument(place, p, real, index) for p, place in zip(signature.parameters, places)
        ]
        self.launches.append({
            "kernel": name, "real": real, "grid": grid, "block": block, "shared": shared,
            "stream": stream, "cooperative": cooperative, "values": values,
        })  # fmt: skip
        if self.runs:
            from glassgrad.kernels.emulator import launch

            launch(text, signature, real, index, grid, block, values, shared, cooperative)

    def argument(self, place, parameter, real, index):
        """A number or a struct; or a pointer as the rest of the allocation that it points into."""
        from glassgrad.kernels.arguments import INTEGERS, POINTERS, REALS, layout

        type_ = {"real": real, "index_t": index}.get(parameter.type, parameter.type)
        if parameter.fields:
            kind = layout(parameter.fields, real, index)
            return np.frombuffer(ctypes.string_at(place, kind.itemsize), kind).reshape(())
        if not parameter.pointer:
            kind = np.dtype(REALS.get(type_) or INTEGERS[type_][0])
            return np.frombuffer(ctypes.string_at(place, kind.itemsize), kind)[0]
        at = ctypes.c_size_t.from_address(place).value
        if not at:
            return None
        for begin, size in self.memory.items():
            if begin <= at < begin + size:
                kind = np.dtype(POINTERS[type_])
                count = (begin + size - at) // kind.itemsize
                return host(at, (count,), kind, (kind.itemsize,))
        raise AssertionError(f"{at:#x} is nobody's memory")


driver = Driver()
KEPT = []


def host(at: int, shape, dtype, strides) -> np.ndarray:
    """NumPy's view of the memory there."""
    if not at or 0 in shape:
        return np.empty(shape, dtype)

    place = {
        "data": (at, False),
        "shape": tuple(shape),
        "typestr": np.dtype(dtype).str,
        "strides": tuple(strides),
        "version": 3,
    }
    return np.asarray(types.SimpleNamespace(__array_interface__=place))


def seen(value):
    """An argument as NumPy sees it."""
    import cupy

    if isinstance(value, cupy.ndarray):
        return host(value.data.ptr, value.shape, value.dtype, value.strides)
    if isinstance(value, (tuple, list)):
        return type(value)(seen(v) for v in value)
    return value


def replace(module, name: str, function) -> None:
    """From now on who imports `name` from this Cython module gets `function`."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = (
        ctypes.c_char_p,
        [ctypes.py_object],
    )
    api.PyCapsule_New.restype = ctypes.py_object
    api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    signature = api.PyCapsule_GetName(module.__pyx_capi__[name])
    result, _, rest = signature.decode().partition("(")
    names = [n.strip() for n in rest[:-1].split(",") if n.strip() != "void"]
    own = [n for n in names if "__pyx_" not in n]  # the others say how it was called
    types = [C_TYPES.get(n.removesuffix(" __pyx_skip_dispatch"), ctypes.c_void_p) for n in names]
    made = ctypes.PYFUNCTYPE(C_TYPES[result.strip()], *types)(lambda *a: function(*a[: len(own)]))
    api.Py_IncRef(ctypes.py_object(made))  # until the process has ended
    KEPT.append(signature)
    at = ctypes.cast(made, ctypes.c_void_p)
    module.__pyx_capi__[name] = api.PyCapsule_New(at, signature, None)
    setattr(module, name, function)


def install(numpy: bool = True) -> Driver:
    """From now on `import cupy` gives the wheel over ordinary memory.

    Without `numpy` CuPy's own kernels are refused, which shows what its checks let pass.
    """
    from cupy_backends.cuda.api import driver as low
    from cupy_backends.cuda.api import runtime

    os.environ.setdefault("CUPY_CACHE_DIR", tempfile.mkdtemp(prefix="glassgrad-cupy-"))
    handle = lambda *given: next(driver.numbers)  # noqa: E731
    nothing = lambda *given: None  # noqa: E731

    def copy(to, source, size, *rest):
        ctypes.memmove(to, source, size)

    def fill(at, value, size, *rest):
        ctypes.memset(at, value, size)

    for name, function in {
        "getDevice": lambda: 0, "getDeviceCount": lambda: 1, "setDevice": nothing,
        "_ensure_context": nothing, "deviceGetAttribute": lambda a, d: ATTRIBUTES.get(a, 1),
        "driverGetVersion": lambda: 13000, "memGetInfo": lambda: (60 << 30, 80 << 30),
        "malloc": driver.malloc, "free": driver.free,
        "hostAlloc": lambda size, flags: driver.malloc(size), "freeHost": driver.free,
        "memcpy": copy, "memcpyAsync": copy, "memset": fill, "memsetAsync": fill,
        "streamSynchronize": nothing, "deviceSynchronize": nothing,
        "streamIsCapturing": lambda stream: 0, "streamCreateWithFlags": handle,
        "streamDestroy": nothing, "eventCreateWithFlags": handle, "eventRecord": nothing,
        "eventDestroy": nothing, "eventQuery": lambda e: 0, "eventSynchronize": nothing,
        "eventElapsedTime": lambda a, b: 1.0, "pointerGetMemoryType": lambda at: 0,
    }.items():  # fmt: skip
        replace(runtime, name, function)
    runtime.getDeviceProperties = lambda device: {
        "name": b"no GPU: ordinary memory",
        "totalGlobalMem": 80 << 30,
        "l2CacheSize": 50 << 20,
        "multiProcessorCount": ATTRIBUTES[16],
    }
    for name, function in {
        "moduleLoadData": driver.load,
        "moduleUnload": nothing,
        "moduleGetFunction": driver.function,
        "funcGetAttribute": lambda what, f: 0,
        "occupancyMaxActiveBlocksPerMultiprocessor": lambda f, threads, shared: 1,
        "funcSetAttribute": lambda f, what, value: driver.attributes.append((f, what, value)),
        "launchKernel": lambda *given: driver.launch(False, *given),
        "launchCooperativeKernel": lambda *given: driver.launch(True, *given),
    }.items():
        replace(low, name, function)
    _find_nvrtc()
    import cupy

    cupy.cuda.set_allocator(None)  # an allocation an array
    if numpy:
        _numpy_instead(cupy)
    _know_what_is_compiled()
    return driver


def _find_nvrtc() -> None:
    """CuPy finds it in its own environment; here it may lie in another on the path."""
    from glassgrad.kernels import nvrtc

    ctypes.CDLL(nvrtc.library()._name, mode=ctypes.RTLD_GLOBAL)


def _know_what_is_compiled() -> None:
    from glassgrad.kernels import launcher

    compiled = launcher._module

    def module(text, real, index):
        driver.loading = text, real, index
        try:
            return compiled(text, real, index)
        finally:
            driver.loading = None

    launcher._module = module


def _numpy_instead(cupy) -> None:
    """NumPy does what CuPy's own kernels and cuBLAS would do."""
    own = cupy.ndarray

    def put(result):
        if isinstance(result, (np.ndarray, np.generic)) and not isinstance(result, np.bool_):
            return cupy.asarray(np.ascontiguousarray(result).reshape(np.shape(result)))
        return cupy.asarray(np.asarray(result)) if isinstance(result, np.bool_) else result

    def method(name):
        numpys = getattr(np.ndarray, name)

        def call(self, *args, **kwargs):
            result = numpys(seen(self), *seen(args), **{k: seen(v) for k, v in kwargs.items()})
            if result is NotImplemented or name in ("__bool__", "__float__", "__int__", "item"):
                return result
            in_place = name.startswith("__i") and name not in ("__index__", "__invert__")
            return self if in_place else put(result)

        return call

    for name in IN_PLACE_OF["methods"]:
        if hasattr(np.ndarray, name) and hasattr(own, name):
            setattr(own, name, method(name))
    getitem = own.__getitem__

    def pick(self, index):
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, (own, np.ndarray, list)) for p in parts):
            return put(seen(self)[seen(index)])
        return getitem(self, index)

    own.__getitem__ = pick
    own.get = lambda self, *args, **kwargs: seen(self).copy()
    for name in IN_PLACE_OF["functions"]:
        numpys = getattr(np, name)

        def call(*args, numpys=numpys, **kwargs):
            out = kwargs.get("out")
            result = numpys(*seen(args), **{k: seen(v) for k, v in kwargs.items()})
            if out is not None:
                return out
            same = next((a for a in args if isinstance(a, own) and seen(a) is result), None)
            return put(result) if same is None else same

        setattr(cupy, name, call)
    real = cupy.ascontiguousarray
    cupy.ascontiguousarray = lambda a: a if a.flags.c_contiguous else real(a)


def leave(code: int) -> None:
    """End the process at once: CuPy frees memory when Python can no longer be called back."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def pytest_configure(config):
    install()


def pytest_sessionfinish(session, exitstatus):
    session.config.stash_code = int(exitstatus)


def pytest_unconfigure(config):
    leave(getattr(config, "stash_code", 1))


def pytest_runtest_teardown(item):
    assert not driver.refused, f"kernels of CuPy's own cannot run here: {driver.refused}"
