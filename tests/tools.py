"""What the tests share: a comparison that cannot be fooled, and arrays in awkward layouts."""

import numpy as np
import pytest

from glassgrad.core import data

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def skip_without_needs(recipe) -> None:
    """Skip where a data set that the recipe needs, such as a network's weights, is not here."""
    missing = [name for name in recipe.needs if data.available(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not here")


def tolerance(dtype, reduction: int = 1, factor: float = 8.0) -> float:
    """Relative tolerance for results in `dtype` whose longest sum has `reduction` terms.

    Rounding errors of a sum of n terms grow like eps * sqrt(n) when they are independent; `factor`
    leaves room for a few operations after the sum.
    """
    return factor * EPS[str(np.dtype(dtype))] * max(1.0, float(reduction)) ** 0.5


def assert_close(
    got,
    want,
    rtol: float | None = None,
    reduction: int = 1,
    what: str = "",
    floor: float = 0.0,
    more: float = 0.0,
) -> None:
    """`got` equals `want` within `rtol` of want's largest magnitude; anything non-finite fails.

    Where terms cancel, so that errors are those of numbers larger than the result, `floor` is the
    magnitude of those: nothing is measured against less. Without it, an expected value of nothing
    but zeros is measured against 1. `more` is allowed on top, in the result's own units.
    Shapes must agree. The test is ``not (err <= tol)``, so that NaN fails too.
    """
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, wanted {want.shape}"
    assert np.isfinite(want).all(), f"{what}: the expected value is not finite"
    assert np.isfinite(got).all(), f"{what}: {np.size(got) - np.isfinite(got).sum()} not finite"
    if got.size == 0:
        return
    if rtol is None:
        rtol = tolerance(got.dtype, reduction)
    scale = max(floor, float(np.abs(want).max())) or 1.0
    err = float(np.abs(got.astype(np.float64) - want.astype(np.float64)).max())
    allowed = rtol * scale + more
    if not (err <= allowed):
        at = np.unravel_index(np.abs(got.astype(float) - want.astype(float)).argmax(), got.shape)
        raise AssertionError(
            f"{what}: |got - want| = {err:.3g} > {allowed:.3g} at {tuple(map(int, at))}:"
            f" got {got[at]!r}, wanted {want[at]!r}"
        )


def transposed(a):
    """The same values in Fortran order: a transposed view, not contiguous for two axes or more."""
    return np.array(a, order="F", copy=True)


def sliced(a):
    """The same values as every second element of a larger array full of NaN (or of -7)."""
    if a.ndim == 0:
        return a
    big = np.full(
        (*a.shape[:-1], 2 * a.shape[-1] + 1), -7 if a.dtype.kind in "iub" else np.nan, dtype=a.dtype
    )
    view = big[..., 1::2]
    view[...] = a
    return view


LAYOUTS = {"contiguous": lambda a: a, "transposed": transposed, "sliced": sliced}


def on_threads(number, function, *args):
    """What `function` returns when Numba runs on `number` threads."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
    try:
        return function(*args)
    finally:
        numba.set_num_threads(before)


def without_compiling(said: str) -> str:
    """Lines on standard error but for those about compiling, which only an empty cache gives."""
    lines = said.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("glassgrad: compiling "))


def call(capsys, *argv) -> tuple[int, str, str]:
    """Exit code, standard output and error of one command, without lines about compiling."""
    from glassgrad import cli

    code = cli.main([str(a) for a in argv])
    captured = capsys.readouterr()
    return code, captured.out, without_compiling(captured.err)


class Undivided:
    """The shards of a step that is made by hand: the minibatch is the only one."""

    whole = True

    def gradients(self, batch, compute, more=()):
        return compute(batch)

    def total(self, batch, statistics):
        return statistics(batch)

    mean = total
