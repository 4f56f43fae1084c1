"""Launch geometry of NADE: blocks (v1) or warps (v2) a row, threads a hidden unit."""

from ..launcher import SHARED_MOST, Source, ceil_div, contiguous, empty, zeros

source = Source(__file__)
BLOCK, WARPS = 128, 4
ROWS = 8  # of a slice in weight_grad v2
RESERVED = 256  # bytes of shared memory that v1 takes for its sums, rounded up


def _shared(units: int, w) -> int:
    return units * w.shape[1] * w.dtype.itemsize


def _fits(units: int, at: int):
    """Do the hidden units of `w`, argument `at`, fit in shared memory, `units` numbers for each?"""
    return lambda *args: _shared(units, args[at]) + RESERVED <= SHARED_MOST


def _plain(*arrays):
    return [contiguous(a) for a in arrays]


@source.implements(
    "nade", "forward", version=1, idea="a block a row, a sum over it each step",
    supports=_fits(1, 1),
)  # fmt: skip
def forward_v1(x, w, c, v, b):
    x, w, c, v, b = _plain(x, w, c, v, b)
    y = empty(x, x.shape)
    if y.size:
        source.launch(
            "nade_forward_v1", len(x), BLOCK, x, w, c, v, b, y, *w.shape, shared=_shared(1, w)
        )
    return y


@source.implements(
    "nade", "forward", version=2, idea="a warp a row, no barrier, σ only after an x_i ≠ 0",
    supports=_fits(2 * WARPS, 1),
)  # fmt: skip
def forward_v2(x, w, c, v, b):
    x, w, c, v, b = _plain(x, w, c, v, b)
    y = empty(x, x.shape)
    if y.size:
        source.launch(
            "nade_forward_v2", ceil_div(len(x), WARPS), BLOCK, x, w, c, v, b, y, len(x), *w.shape,
            shared=_shared(2 * WARPS, w),
        )  # fmt: skip
    return y


def _no_weight_grad(w, c, v):
    return zeros(w, w.shape), zeros(c, c.shape), zeros(v, v.shape)


@source.implements("nade", "weight_grad", version=1, idea="a thread a hidden unit, there and back")
def weight_grad_v1(g, x, w, c, v):
    g, x, w, c, v = _plain(g, x, w, c, v)
    if not (x.size and w.size):
        return _no_weight_grad(w, c, v)
    gw, gc, gv = empty(w, w.shape), empty(c, c.shape), empty(v, v.shape)
    grid = ceil_div(len(c), BLOCK)
    source.launch(
        "nade_weight_grad_v1", grid, BLOCK, g, x, w, c, v, gw, gc, gv, len(x), *w.shape
    )  # fmt: skip
    return gw, gc, gv


@source.implements("nade", "weight_grad", version=2, idea="rows in slices, then the slices' sum")
def weight_grad_v2(g, x, w, c, v):
    g, x, w, c, v = _plain(g, x, w, c, v)
    if not (x.size and w.size):
        return _no_weight_grad(w, c, v)
    rows = max(ROWS, ceil_div(len(x), 64))  # at most 64 slices, whatever N
    slices = ceil_div(len(x), rows)
    parts = [empty(w, (slices, *a.shape)) for a in (w, c, v)]
    grid = ceil_div(len(c), BLOCK), slices
    source.launch(
        "nade_weight_grad_v2", grid, BLOCK, g, x, w, c, v, *parts, rows, len(x), *w.shape
    )  # fmt: skip
    sums = [empty(a, a.shape) for a in (w, c, v)]
    for part, total in zip(parts, sums):
        size = total.size
        source.launch("nade_slices_v2", ceil_div(size, BLOCK), BLOCK, part, total, slices, size)
    return tuple(sums)


@source.implements(
    "nade", "input_grad", version=1, idea="a warp a row, there and back",
    supports=_fits(3 * WARPS, 2),
)  # fmt: skip
def input_grad_v1(g, x, w, c, v):
    g, x, w, c, v = _plain(g, x, w, c, v)
    gx = empty(x, x.shape)
    if gx.size:
        source.launch(
            "nade_input_grad_v1", ceil_div(len(x), WARPS), BLOCK, g, x, w, c, v, gx, len(x),
            *w.shape, shared=_shared(3 * WARPS, w),
        )  # fmt: skip
    return gx
