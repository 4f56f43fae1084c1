"""From a `.cu` file to a checked launch, on a GPU through CuPy or on the CPU through the emulator.

A family's `cuda.py` holds the geometry and nothing else:

    source = Source(__file__)                                   # the cuda.cu next to cuda.py

    @source.implements("dropout", "forward", version=1, idea="one thread an element")
    def forward_v1(x, p, seed, offset):
        x, y = contiguous(x), empty(x, x.shape)
        source.launch("dropout_forward_v1", grid, block, x, y, ...)
        return y

A ladder of versions that differ in a number only is one table: `source.implements_each`.

The type of the arrays decides where it runs: CuPy arrays on their GPU, NumPy arrays in the
emulator. CuPy checks nothing of a launch; here grid, block and shared memory are compared with the
limits of a device, and every argument with the signature in the `.cu` (arguments.py).

`real` in a signature is the float dtype of the arrays given for it, `index_t` becomes 64 bits wide
where an array has nearly 2^31 elements, so that the last block may count on beyond its end.
"""

import contextlib
import functools
import operator
import sys
from pathlib import Path

import numpy as np

from .arguments import Arguments
from .arrays import xp_of
from .debug import UNWRITTEN, say, switches
from .errors import CompileError, expect
from .registry import register
from .source import Text

NULL = np.uint64(0)  # a null pointer
MOST_THREADS, MOST_BLOCK, MOST_GRID = 1024, (1024, 1024, 64), (2**31 - 1, 65535, 65535)
SHARED_ALWAYS, SHARED_MOST = 48 << 10, 99 << 10  # bytes a block: unasked, and on every sm_80+


def ceil_div(a: int, b: int) -> int:
    """How many steps of b cover a.

    >>> ceil_div(0, 4), ceil_div(8, 4), ceil_div(9, 4)
    (0, 2, 3)
    """
    return -(-a // b)


def contiguous(array):
    """The array in C order: itself, or a copy; axes of a scalar stay none."""
    return xp_of(array).ascontiguousarray(array).reshape(array.shape)


def empty(like, shape, dtype=None):
    """A new uninitialised array on the device of `like`, of its dtype unless one is given."""
    array = xp_of(like).empty(shape, like.dtype if dtype is None else dtype)
    if switches.poison and array.dtype.itemsize % 4 == 0 and array.size:
        array.reshape(-1).view("uint32").fill(UNWRITTEN)
    return array


def zeros(like, shape, dtype=None):
    """A new array of zeros on the device of `like`, of its dtype unless one is given."""
    return xp_of(like).zeros(shape, like.dtype if dtype is None else dtype)


class Source:
    """The CUDA C of one family: its text, its kernels' signatures, and how to launch them.

    `file` is the module that asks, whose `.cu` is next to it (`cuda.py`: `cuda.cu`), or the path of
    a `.cu` file. Raises BackendError where the text uses something that the emulator does not know.
    """

    def __init__(self, file):
        self.path = Path(file).with_suffix(".cu")
        self._checks: dict[str, Arguments] = {}

    @functools.cached_property
    def text(self) -> Text:
        """The `.cu` file with what it includes, read when first asked for."""
        return Text(self.path)

    def implements(self, op, pass_, **record):
        """Decorator: register the function for the backends `cuda` and `emulated`."""

        def on_both(function):
            for backend in ("cuda", "emulated"):
                register(op, pass_, backend=backend, **record)(function)
            return function

        return on_both

    def implements_each(self, op: str, pass_: str, function, rungs: dict[int, dict]) -> None:
        """Register ``function(version, *arguments)`` once for each version in the table.

        `rungs` maps a version to what `implements` records of it: its idea, dtypes and so on.
        """
        for version, record in rungs.items():

            def run(*arguments, version=version):
                return function(version, *arguments)

            run.__name__ = run.__qualname__ = f"{pass_}_v{version}"
            run.__module__, run.__doc__ = function.__module__, f"{record['idea']}."
            self.implements(op, pass_, version=version, **record)(run)

    def launch(
        self, kernel: str, grid, block, *arguments, shared: int = 0, cooperative=False
    ) -> None:
        """Run `kernel` on a grid of blocks of threads, each an int or up to three of them.

        `arguments` are arrays (None: a null pointer), numbers, and for a struct a named tuple with
        its fields, in the order of the signature; `shared` the bytes of dynamic shared memory. With
        `cooperative` all blocks run at the same time and may meet in `grid_barrier`. Raises
        BackendError, ShapeError, DTypeError, DeviceError or ValueRangeError for what does not fit,
        and KernelError for what goes wrong while it runs in the emulator.
        """
        check = self._checks.get(kernel)
        if check is None:
            check = self._checks[kernel] = Arguments(self.text.signature(kernel))
        grid, block = _geometry(kernel, check.bounds, grid, block, shared)
        values, real, index, gpu = check(arguments)
        if gpu is not None:
            pointers = tuple([NULL if v is None else v for v in values])
            with _on(gpu):
                function = _compiled(self.text, kernel, real, index)
                start(function, grid, block, pointers, shared, cooperative)
            return
        from .emulator import launch

        signature = self.text.signature(kernel)
        launch(self.text, signature, real, index, grid, block, values, shared, cooperative)


_HERE = contextlib.nullcontext()


def _on(gpu: int):
    """The GPU of the arrays for the `with` of a launch, which otherwise goes to the current one."""
    import cupy

    return _HERE if cupy.cuda.runtime.getDevice() == gpu else cupy.cuda.Device(gpu)


def start(function, grid, block, arguments, shared: int = 0, cooperative=False) -> None:
    """Launch a `cupy.RawKernel`.

    Static and dynamic shared memory together may be 48 KiB without asking; beyond, the kernel must
    have been allowed its dynamic part. A cooperative launch needs no other code than any launch:
    CuPy's own way to one, `enable_cooperative_groups` at compile time, makes relocatable code and
    links a library that a system without the CUDA toolkit does not have.
    """
    if shared and shared + function.shared_size_bytes > SHARED_ALWAYS:
        function.max_dynamic_shared_size_bytes = shared
    options = {"enable_cooperative_groups": True} if cooperative else {}
    function.kernel(grid, block, arguments, shared_mem=shared, **options)


def _triple(kernel, name, value) -> tuple[int, int, int]:
    values = value if isinstance(value, tuple) else (value,)
    expect(len(values) <= 3, kernel, f"{name} has at most three sizes", 3, len(values))
    return (*(operator.index(v) for v in values), *(1,) * (3 - len(values)))


@functools.lru_cache(maxsize=4096)
def _geometry(kernel: str, bounds: int | None, grid, block, shared):
    """Grid and block as triples, within their limits: the same few in every step of a training."""
    grid, block = _triple(kernel, "grid", grid), _triple(kernel, "block", block)
    threads = block[0] * block[1] * block[2]
    most = bounds or MOST_THREADS
    in_block = min(block) >= 1 and threads <= most and all(map(operator.le, block, MOST_BLOCK))
    expect(in_block, kernel, "the block is too large", f"at most {most} threads", block)
    in_grid = min(grid) >= 1 and all(map(operator.le, grid, MOST_GRID))
    expect(in_grid, kernel, "the grid must fit the device", f"1 to {MOST_GRID}", grid)
    in_shared = 0 <= shared <= SHARED_MOST
    expect(in_shared, kernel, "dynamic shared memory in bytes", f"0 to {SHARED_MOST}", shared)
    return grid, block


@functools.cache
def _compiled(text: Text, kernel: str, real: str, index: str):
    """The kernel, which CuPy compiles for each device where it is started."""
    return _module(text, real, index).get_function(kernel)


@functools.cache
def _module(text: Text, real: str, index: str):
    import cupy

    options = ("-std=c++17", "-lineinfo", f"-DGLASSGRAD_REAL={real}", f"-DGLASSGRAD_INDEX={index}")
    try:
        module = cupy.RawModule(code=text.flat, options=options, backend="nvrtc")
        say(f"NVRTC {text.path.parent.name}/{text.path.name} {' '.join(options)}")
        module.compile(log_stream=sys.stderr if switches.compilers else None)
    except cupy.cuda.compiler.CompileException as error:
        raise CompileError(f"{text.path.name}: NVRTC says\n{error}") from None
    return module
