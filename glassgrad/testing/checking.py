"""The one check that every implementation of every kernel must pass, on any case.

`check` runs an implementation next to the reference and compares everything a caller may rely on:
values, shapes, dtypes, fresh and contiguous results, untouched arguments, the same bits when run a
second time on another number of threads. Planted bugs in tests/kernels/test_contract.py test it.
"""

import contextlib
from unittest import mock

import numpy as np

from ..kernels import BackendError, Case, Implementation, backend
from ..kernels.arrays import is_cupy
from ..kernels.emulator.compiler import compiler
from ..kernels.registry import find
from .arrays import LAYOUTS, assert_close
from .device_functions import allowance

POISON = {"f": np.nan, "i": -7, "u": 7, "b": True}


def why_no_gpu() -> str:
    """Why implementations on the GPU cannot run here; empty when they can."""
    try:
        import cupy
    except ImportError:
        return "CuPy is not installed"
    return "" if cupy.cuda.is_available() else "there is no CUDA device"


def why_no_emulator() -> str:
    """Why implementations under the emulator cannot run here; empty when they can."""
    try:
        compiler()
    except BackendError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def threads(record, number: int):
    """Numba kernels run on `number` threads inside the block, or on as many as there are."""
    if record.backend != "numba":
        yield
        return
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        numba.set_num_threads(before)


@contextlib.contextmanager
def poisoned():
    """Arrays from np.empty arrive full of NaN (-7 for integers), so that what a kernel forgets to
    write shows: otherwise the memory may still hold the right answer of the call before.
    """

    def poison(allocate):
        def allocate_and_fill(*args, **kwargs):
            a = allocate(*args, **kwargs)
            if a.dtype.kind in POISON:
                a.fill(POISON[a.dtype.kind])
            return a

        return allocate_and_fill

    with (
        mock.patch.object(np, "empty", poison(np.empty)),
        mock.patch.object(np, "empty_like", poison(np.empty_like)),
    ):
        yield


def arguments(case, dtype: str, integers: bool, seed: int = 0) -> tuple:
    """The arguments of a case: small integers, or normal numbers."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        a = rng.integers(-4, 5, shape) if integers else rng.standard_normal(shape)
        return np.asarray(a).astype(dtype)

    return case.make(draw, dtype)


def _put(value, layout: str, xp):
    """An argument in a layout, on the device of the array module xp; what is no array stays."""
    if not isinstance(value, np.ndarray):
        return value
    placed = LAYOUTS[layout](value)
    if layout == "transposed":
        return xp.asarray(placed.T).T  # asarray alone would make a C-contiguous copy on a GPU
    if layout == "sliced" and value.ndim:
        return xp.asarray(placed.base)[..., 1::2]
    return xp.asarray(value.copy())


def _host(value):
    return value.get() if is_cupy(value) else value


def _results(value) -> tuple:
    return tuple(_host(v) for v in (value if isinstance(value, (tuple, list)) else (value,)))


def check(
    record: Implementation, case: Case, dtype: str, layout: str = "contiguous", integers=False
) -> bool:
    """Run `record` on `case` and compare with the reference; False if it does not support it.

    `layout` is how its arrays lie: contiguous, transposed or sliced. With `integers` the arguments
    are small integers, and the results of cases marked `exact` must then be equal to the last bit.
    Raises AssertionError.

    >>> from glassgrad.kernels import cases, implementations
    >>> check(implementations("lrn", "forward", "numba")[0], cases("lrn", "forward")[4], "float32")
    True
    """
    plain = arguments(case, dtype, integers)
    if not record.supports(*plain):
        return False
    what = f"{record.name} on {case} ({dtype}, {layout})"
    wanted = _results(find(case.op, case.pass_, "reference", plain).function(*plain))

    xp = np
    if record.backend == "cuda":
        import cupy as xp
    args = tuple(_put(v, layout, xp) for v in plain)
    with backend(record.backend):
        with threads(record, 2):
            first = record.function(*args)
        # poisoned only now: the first call may have compiled, and looked at np.empty
        with threads(record, 1), poisoned():
            again = record.function(*args)

    for i, (before, after) in enumerate(zip(plain, args)):
        if isinstance(before, np.ndarray):
            same = np.array_equal(before, _host(after), equal_nan=before.dtype.kind == "f")
            assert same, f"{what}: changed its argument {i}"
    raw = [*first] if isinstance(first, (tuple, list)) else [first]
    arrays = [a for a in args if hasattr(a, "dtype")]
    for i, out in enumerate(raw):
        others = [*arrays, *raw[:i]]
        shares = out is not None and any(
            o is not None and type(o) is type(out) and xp.may_share_memory(out, o) for o in others
        )
        assert not shares, f"{what}: result {i} is not a new array"

    rtol, more = case.tolerance(dtype, record.precision), [0.0] * len(wanted)
    if record.backend == "cuda":  # whose functions have errors of their own
        more = allowance(case.op, case.pass_, plain, dtype)
    for got in (_results(first), _results(again)):
        assert len(got) == len(wanted), f"{what}: {len(got)} results, wanted {len(wanted)}"
        for i, (g, want) in enumerate(zip(got, wanted)):
            _compare(g, want, dtype, case, integers, f"{what}, result {i}", rtol, more[i])
    if record.deterministic:
        for a, b in zip(_results(first), _results(again)):
            assert a is b or np.array_equal(a, b), f"{what}: a second run, on one thread, differs"
    return True


def _compare(got, want, dtype, case, integers, what, rtol=None, more=0.0) -> None:
    if want is None:
        assert got is None, f"{what}: wanted None"
        return
    assert isinstance(got, np.ndarray), f"{what}: is {type(got).__name__}, no array"
    assert got.flags.c_contiguous, f"{what}: is not C-contiguous"
    assert got.dtype == want.dtype, f"{what}: dtype {got.dtype}, wanted {want.dtype}"
    if want.dtype.kind == "f":
        assert want.dtype == dtype, f"{what}: the reference answers in {want.dtype}"
        assert_close(got, want, rtol, case.reduction, what, case.floor, more)
    if want.dtype.kind != "f" or (case.exact and integers):
        assert got.shape == want.shape, f"{what}: shape {got.shape}, wanted {want.shape}"
        wrong = int((got != want).sum())
        assert wrong == 0, f"{what}: {wrong} of {want.size} values differ where all must be equal"
