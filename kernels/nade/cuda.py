"""NADE on the GPU: the launch geometry of `cuda.cu` and of the rungs that it includes.

The kernels and why they are as they are: `cuda.cu` (v1) and `rungs/cuda_v2_*.cuh`.
"""

from typing import NamedTuple

from ..launcher import SHARED_MOST, Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
BLOCK, WARPS = 128, 4
ROWS = 8  # of a slice in weight_grad v2, at least
SLICES = 64  # at most, whatever N
RESERVED = 256  # bytes of shared memory that forward v1 takes for its sums, rounded up
UNITS = {1: 1, 2: 2 * WARPS}  # numbers that forward keeps of each hidden unit, in a block
UNITS_BACK = 3 * WARPS  # and input_grad


class Sizes(NamedTuple):
    """`struct Sizes` of cuda.cu."""

    N: int
    D: int
    H: int


def _plain(*arrays):
    return [contiguous(a) for a in arrays]


def _shared(units: int, w) -> int:
    """Bytes for so many numbers of each hidden unit of w [D, H]."""
    return units * w.shape[1] * w.dtype.itemsize


def _forward(version, x, w, c, v, b):
    x, w, c, v, b = _plain(x, w, c, v, b)
    y, name = empty(x, x.shape), f"nade_forward_v{version}"
    if y.size:
        grid = len(x) if version == 1 else ceil_div(len(x), WARPS)
        size, shared = Sizes(len(x), *w.shape), _shared(UNITS[version], w)
        source.launch(name, grid, BLOCK, x, w, c, v, b, y, size, shared=shared)
    return y


def _weight_grad(version, g, x, w, c, v):
    g, x, w, c, v = _plain(g, x, w, c, v)
    if not (x.size and w.size):
        return zeros(w, w.shape), zeros(c, c.shape), zeros(v, v.shape)
    grid, size = ceil_div(len(c), BLOCK), Sizes(len(x), *w.shape)
    sums = tuple(empty(a, a.shape) for a in (w, c, v))
    if version == 1:
        source.launch("nade_weight_grad_v1", grid, BLOCK, g, x, w, c, v, *sums, size)
        return sums
    rows = max(ROWS, ceil_div(len(x), SLICES))
    slices = ceil_div(len(x), rows)
    parts = [empty(a, (slices, *a.shape)) for a in sums]
    arrays = g, x, w, c, v, *parts
    source.launch("nade_weight_grad_v2", (grid, slices), BLOCK, *arrays, size, rows)
    for part, total in zip(parts, sums):
        grid = ceil_div(total.size, BLOCK)
        source.launch("nade_slices_v2", grid, BLOCK, part, total, slices, total.size)
    return sums


def _input_grad(version, g, x, w, c, v):
    g, x, w, c, v = _plain(g, x, w, c, v)
    gx = empty(x, x.shape)
    if gx.size:
        arrays, size = (g, x, w, c, v, gx), Sizes(len(x), *w.shape)
        grid, shared = ceil_div(len(x), WARPS), _shared(UNITS_BACK, w)
        source.launch(f"nade_input_grad_v{version}", grid, BLOCK, *arrays, size, shared=shared)
    return gx


# ---- All rungs


def _fits(units: int, at: int):
    """Do the hidden units of `w`, argument `at`, fit in shared memory, `units` numbers for each?"""
    return {"supports": lambda *args: _shared(units, args[at]) + RESERVED <= SHARED_MOST}


RUNGS = {
    ("forward", _forward): {
        1: {"idea": "a block a row, a sum over it each step", **_fits(UNITS[1], 1)},
        2: {"idea": "a warp a row, no barrier, σ only after an x_i ≠ 0", **_fits(UNITS[2], 1)},
    },
    ("weight_grad", _weight_grad): {
        1: {"idea": "a thread a hidden unit, there and back"},
        2: {"idea": "rows in slices, then the slices' sum"},
    },
    ("input_grad", _input_grad): {
        1: {"idea": "a warp a row, there and back", **_fits(UNITS_BACK, 2)},
    },
}

for (_pass, _function), _rungs in RUNGS.items():
    source.implements_each("nade", _pass, _function, _rungs)
