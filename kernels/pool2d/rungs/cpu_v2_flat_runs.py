"""Maximum and average, version 2: a window's places one after the other, for many windows at once.

**What version 1 wastes.** It finishes one window before it begins the next, and within a window
every comparison and every addition waits for the one before it. So its machine code takes one
number an instruction (on x86 `addss`); that of this file takes a register full (`addps`).
``glassgrad bench pool2d.max_forward pool2d.avg_forward`` shows both versions in GFLOP/s.

**Flat runs.** Output rows are short (14, 5), too short for vector registers. So the pixels of a
band of rows are laid out flat, split by their column modulo SW: the pixels at one place of all
windows are then one long contiguous run, and the windows of every row, first along and then across,
are long loops too:

    phases    p[f, q] = x[q SW + f]                       q counts windows through all rows, f < SW
    along     h[q] = best of p[v % SW, q + v // SW]                               v = 0 ... KW - 1
    across    g[q] = best of h[q + u pitch]               pitch windows to a row, u = 0 ... KH - 1

Rows between those that are asked for (SH > 1) are computed as well: cheaper than short loops.
Padding is laid around a copy of the band; small planes without it join into one tall plane. Bands
are independent and each is walked in reading order: the results do not depend on the number of
threads.

`window` is KH, KW, SH, SW, PH, PW; `sizes` is the rows of output in a band, the pitch, and H.
"""

import numpy as np

from ...compiled import njit
from ...elementary import vectorised
from ...registry import register
from ...threads import in_parts, parts_for
from ...windows import output_sizes
from ..planes import planes
from .runs import add, copy, fill, over

BAND = 4096  # windows in a band, all rows counted: its working arrays stay in the cache


@vectorised
def _lay_out(x, first, left, value, pitch, out):
    """Rows of x from `first` on, in lines of `pitch` numbers: `left` values before each, and
    values in all that is not x.
    """
    H, W = x.shape
    for r in range(out.size // pitch):
        line = out[r * pitch : (r + 1) * pitch]
        if 0 <= first + r < H:
            fill(line[:left], value)
            copy(x[first + r], line[left : left + W])
            fill(line[left + W :], value)
        else:
            fill(line, value)


@vectorised
def _split(flat, p):
    """p[f, q] = flat[q SW + f]."""
    SW = p.shape[0]
    if SW == 1:
        copy(flat, p[0, : flat.size])
    elif SW == 2:
        even, odd = p[0], p[1]
        for q in range(min(flat.size // 2, even.size, odd.size)):
            even[q] = flat[2 * q]
            odd[q] = flat[2 * q + 1]
    else:
        for f in range(SW):
            phase, rest = p[f], flat[f:]
            for q in range(flat.size // SW):
                phase[q] = rest[q * SW]


@vectorised
def _take_larger(values, place, best, at):
    """Where a value beats the best so far it takes its place, without a branch to mispredict.

    NaN <= best is false, so NaN wins; best == best is false for a NaN, so the first one stays.
    """
    for q in range(best.size):
        value = values[q]
        wins = (not value <= best[q]) & (best[q] == best[q])
        best[q] = value if wins else best[q]
        at[q] = place if wins else at[q]


@vectorised
def _merge_larger(values, places, more, best, at):
    """The same with a place for each value, moved on by `more`."""
    for q in range(best.size):
        value, place = values[q], np.int32(places[q] + more)
        wins = (not value <= best[q]) & (best[q] == best[q])
        best[q] = value if wins else best[q]
        at[q] = place if wins else at[q]


@vectorised
def _positions(at, base, more, out):
    """Where each maximum stood in its plane: its place in the window, from the window's corner."""
    for q in range(out.size):
        out[q] = np.int64(at[q]) + base[q] + more


@njit
def _keep_out_padding(best, at, i0, rows, OW, W, window, pitch):
    """Where every pixel of a window is -infinity, padding must not be what was found."""
    _, _, SH, SW, PH, PW = window
    for i in range(rows):
        for j in range(OW):
            q = i * SH * pitch + j
            if best[q] == -np.inf:
                at[q] = max(PH - (i0 + i) * SH, 0) * W + max(PW - j * SW, 0)


@njit
def _share(y, band, parts, part):
    """Bands in a plane of y, the first band of a part, and the first one after it."""
    each = (y.shape[1] + band - 1) // band
    bands = y.shape[0] * each
    return each, part * bands // parts, (part + 1) * bands // parts


@njit
def _windows(x, top, value, window, p, flat, pitch):
    """Phases p of the rows of x from `top` on, laid out in `flat` unless x lies right already."""
    _, _, _, SW, PH, PW = window
    if PH == 0 and PW == 0 and x.shape[1] == pitch * SW:
        _split(x.reshape(-1)[top * x.shape[1] :][: flat.size], p)
    else:
        _lay_out(x, top, PW, value, pitch * SW, flat)
        _split(flat, p)


@njit(nogil=True)
def _max_forward(x, y, index, window, sizes, parts, part):
    """Largest pixel and its place for the windows of one part's bands."""
    KH, KW, SH, SW, PH, PW = window
    band, pitch, H = sizes
    W, OH, OW = x.shape[2], y.shape[1], y.shape[2]
    each, first, last = _share(y, band, parts, part)
    most = ((band - 1) * SH + KH) * pitch
    flat = np.empty(most * SW, x.dtype)
    p = np.zeros((SW, most + KW // SW), x.dtype)
    h, g = np.empty(most, x.dtype), np.empty(most, x.dtype)
    h_at, g_at = np.empty(most, np.int32), np.empty(most, np.int32)
    base, place = np.empty(most, np.int32), np.empty(most, np.int64)
    joined = x.shape[1] > H
    for q in range(most):  # the corner of window q; planes that were joined start again
        row = q // pitch % H if joined else q // pitch
        base[q] = (row - PH) * W + q % pitch * SW - PW
    for b in range(first, last):  # output rows from i0 on of plane m
        m, i0 = b // each, b % each * band
        rows = min(band, OH - i0)
        along, across = ((rows - 1) * SH + KH) * pitch, ((rows - 1) * SH + 1) * pitch
        _windows(x[m], i0 * SH - PH, -np.inf, window, p, flat[: along * SW], pitch)
        copy(p[0], h[:along])
        fill(h_at[:along], 0)
        for v in range(1, KW):
            _take_larger(p[v % SW, v // SW :], np.int32(v), h[:along], h_at[:along])
        copy(h, g[:across])
        copy(h_at, g_at[:across])
        for u in range(1, KH):
            below = slice(u * pitch, u * pitch + across)
            _merge_larger(h[below], h_at[below], np.int32(u * W), g[:across], g_at[:across])
        if PH or PW:
            _keep_out_padding(g, g_at, i0, rows, OW, W, window, pitch)
        _positions(g_at, base, 0 if joined else i0 * SH * W, place[:across])
        for i in range(rows):
            q = i * SH * pitch
            copy(g[q:], y[m, i0 + i])
            copy(place[q:], index[m, i0 + i])


@njit(nogil=True)
def _avg_forward(x, y, window, sizes, parts, part):
    """Mean of the pixels for the windows of one part's bands."""
    KH, KW, SH, SW, PH, _ = window
    band, pitch, _ = sizes
    area = x.dtype.type(KH * KW)
    each, first, last = _share(y, band, parts, part)
    most = ((band - 1) * SH + KH) * pitch
    flat = np.empty(most * SW, x.dtype)
    p = np.zeros((SW, most + KW // SW), x.dtype)
    h, g = np.empty(most, x.dtype), np.empty(most, x.dtype)
    for b in range(first, last):  # output rows from i0 on of plane m
        m, i0 = b // each, b % each * band
        rows = min(band, y.shape[1] - i0)
        along, across = ((rows - 1) * SH + KH) * pitch, ((rows - 1) * SH + 1) * pitch
        _windows(x[m], i0 * SH - PH, 0.0, window, p, flat[: along * SW], pitch)
        copy(p[0], h[:along])
        for v in range(1, KW):
            add(p[v % SW, v // SW :], h[:along])
        copy(h, g[:across])
        for u in range(1, KH):
            add(h[u * pitch :], g[:across])
        over(g[:across], area)
        for i in range(rows):
            copy(g[i * SH * pitch :], y[m, i0 + i])


def _run(kernel, x, outs, kernel_size, stride, padding):
    """`kernel` on the planes of x and of the outputs, with the sizes of its bands.

    Planes whose windows use up all their rows are one tall plane: no window touches two of them.
    """
    (H, W), (OH, OW) = x.shape[2:], outs[0].shape[2:]
    pitch = max(-(-(W + 2 * padding[1]) // stride[1]), OW)
    band = min(OH, max(1, BAND // (pitch * stride[0])))
    arrays = [planes(a) for a in (x, *outs)]
    count = BAND // (pitch * H)
    if padding[0] == 0 and kernel_size[0] <= stride[0] and OH * stride[0] == H and count > 1:
        band = OH * count
        arrays = [a.reshape(1, -1, a.shape[2]) for a in arrays]
    parts = parts_for(outs[0].size, arrays[1].shape[0] * -(-arrays[1].shape[1] // band))
    in_parts(kernel, parts, *arrays, (*kernel_size, *stride, *padding), (band, pitch, H), parts)


def _y_shape(x, kernel, stride, padding):
    return (*x.shape[:2], *output_sizes(x.shape[2:], kernel, stride, padding))


@register(
    "pool2d",
    "max_forward",
    backend="numba",
    version=2,
    idea="running maximum over flat runs of windows",
)
def max_forward_v2(x, *options):
    """y, index [N,C,OH,OW] from x [N,C,H,W]; bands of rows on threads."""
    y = np.empty(_y_shape(x, *options), x.dtype)
    index = np.empty(y.shape, np.int64)
    if y.size:
        _run(_max_forward, x, (y, index), *options)
    return y, index


@register(
    "pool2d",
    "avg_forward",
    backend="numba",
    version=2,
    idea="running sum over flat runs of windows",
)
def avg_forward_v2(x, *options):
    """y [N,C,OH,OW] from x [N,C,H,W]; bands of rows on threads."""
    y = np.empty(_y_shape(x, *options), x.dtype)
    if y.size:
        _run(_avg_forward, x, (y,), *options)
    return y
