"""Is a result right? Every result is compared with the reference before anything is timed."""

import numpy as np

from .. import kernels
from ..kernels.arrays import is_cupy
from ..kernels.errors import GlassgradError
from ..kernels.registry import find

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


class VerifyError(GlassgradError, ArithmeticError):
    """A contender's result differs from the reference's."""


def several(result) -> tuple:
    """What a call returned, as a tuple even if it is a single thing.

    >>> several(1), several([1, 2])
    ((1,), (1, 2))
    """
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def arrays(result) -> tuple:
    """What a kernel returned, as a tuple of NumPy arrays (or None)."""
    return tuple(r.get() if is_cupy(r) else r for r in several(result))


def reference(op: str, pass_: str, *args) -> tuple:
    """The results of the reference implementation on NumPy arrays.

    >>> reference("dropout", "forward", np.ones(2), 0.0, 1, 0)
    (array([1., 1.]),)
    """
    with kernels.backend("reference"):
        return arrays(find(op, pass_, "reference", args).function(*args))


def tolerance(dtype, reduction: int = 1) -> float:
    """Relative to the largest result: 8 ε √n, n the length of the longest sum.

    >>> tolerance("float32", 100) == 80 * 2.0**-23
    True
    """
    return 8 * EPS[str(np.dtype(dtype))] * max(1, reduction) ** 0.5


def expect_close(what: str, got, want, reduction=1, floor=0.0, rtol=None, more=()) -> float:
    """Results equal to the expected ones; returns the largest relative error.

    `got` and `want` are tuples of arrays (or None). Floats may differ by `rtol`, by default the
    `tolerance` of their dtype, of the largest expected magnitude or of `floor` where that is
    larger, and by `more` of each result, in its own units; integers not at all. Raises VerifyError,
    for anything that is not finite too.

    >>> expect_close("half", (np.float32([1.0, 2.0]),), (np.float32([1.0, 2.0]),))
    0.0
    """
    if len(got) != len(want):
        raise VerifyError(f"{what}: {len(got)} results, wanted {len(want)}")
    worst = 0.0
    for i, (g, w) in enumerate(zip(got, want)):
        where = f"{what}, result {i}"
        if w is None or g is None:
            if g is not w:
                raise VerifyError(f"{where}: one is None, the other is not")
            continue
        expect_form(where, g, w)
        if w.dtype.kind != "f":
            wrong = int((g != w).sum())
            if wrong:
                raise VerifyError(f"{where}: {wrong} of {w.size} values differ")
            continue
        error, scale = _relative(g, w, floor), max(floor, _largest(w)) or 1.0
        coarser = g.dtype if g.dtype.itemsize < w.dtype.itemsize else w.dtype
        allowed = tolerance(coarser, reduction) if rtol is None else rtol
        allowed += more[i] / scale if more else 0.0
        if not error <= allowed:
            raise VerifyError(f"{where}: relative error {error:.3g}, allowed {allowed:.3g}")
        worst = max(worst, error)
    return worst


def expect_form(what: str, got, want) -> None:
    """The shape of the expected array, and every value finite."""
    if got.shape != want.shape:
        raise VerifyError(f"{what}: shape {got.shape}, wanted {want.shape}")
    if got.dtype.kind == "f" and not np.isfinite(got).all():
        bad = got.size - int(np.isfinite(got).sum())
        raise VerifyError(f"{what}: {bad} of {got.size} values are not finite")


def _largest(array) -> float:
    return float(np.abs(array).max()) if array.size else 0.0


def _relative(got, want, floor: float) -> float:
    if not want.size:
        return 0.0
    scale = max(floor, _largest(want)) or 1.0
    return float(np.abs(got.astype(np.float64) - want).max()) / scale


def expect_near(what: str, got, want, most: float, each: float | None = 10.0) -> float:
    """Results near the expected float64 ones; returns the largest relative L2 error.

    |got - want| / |want| of each array as a whole may be `most`, and no element may be further off
    than `each` times that of the largest: a wrong last element must not hide among the others.
    Raises VerifyError.
    """
    if len(got) != len(want):
        raise VerifyError(f"{what}: {len(got)} results, wanted {len(want)}")
    worst = 0.0
    for i, (g, w) in enumerate(zip(got, want)):
        expect_form(f"{what}, result {i}", g, w)
        error = relative_l2(g, w)
        if not error <= most:
            raise VerifyError(f"{what}, result {i}: relative L2 error {error:.3g} above {most:g}")
        furthest = _relative(g, w, 0.0)
        if each is not None and not furthest <= each * most:
            raise VerifyError(
                f"{what}, result {i}: an element is off by {furthest:.3g} of the largest, above"
                f" {each * most:g}"
            )
        worst = max(worst, error)
    return worst


def relative_l2(got, want) -> float:
    """|got - want| / |want|, both as one long float64 vector.

    >>> relative_l2(np.array([3.0, 4.1]), np.array([3.0, 4.0])).__round__(3)
    0.02
    """
    want = want.astype(np.float64)
    norm = float(np.linalg.norm(want)) or 1.0
    return float(np.linalg.norm(got.astype(np.float64) - want)) / norm
