"""Pooling on the CPU: a window's places one after the other, each over many windows at once.

Output rows are short (14, 5), too short for vector registers. So the pixels of a band of rows are
laid out flat, split by their column modulo SW: the pixels at one place of all windows are then one
long contiguous run, and the windows of every row, first along and then across, are long loops too:

    phases    p[f, q] = x[q SW + f]                       q counts windows through all rows, f < SW
    along     h[q] = best of p[v % SW, q + v // SW]                               v = 0 ... KW - 1
    across    g[q] = best of h[q + u pitch]               pitch windows to a row, u = 0 ... KH - 1

Rows between those that are asked for (SH > 1) are computed as well: cheaper than short loops.
Padding is laid around a copy of the band; small planes without it join into one tall plane. Bands
are independent and each is walked in reading order: the results do not depend on the number of
threads.
"""

import numpy as np

from ..compiled import njit
from ..elementary import vectorised
from ..registry import register
from ..threads import in_parts, parts_for

BAND = 4096  # windows in a band, all rows counted: its working arrays stay in the cache


@vectorised
def _copy(a, b):
    for i in range(b.size):
        b[i] = a[i]


@vectorised
def _fill(b, value):
    for i in range(b.size):
        b[i] = value


@vectorised
def _lay_out(x, first, left, value, pitch, out):
    """Rows of x from `first` on, in lines of `pitch` numbers: `left` values before each, and
    values in all that is not x.
    """
    H, W = x.shape
    for r in range(out.size // pitch):
        line = out[r * pitch : (r + 1) * pitch]
        if 0 <= first + r < H:
            _fill(line[:left], value)
            _copy(x[first + r], line[left : left + W])
            _fill(line[left + W :], value)
        else:
            _fill(line, value)


@vectorised
def _split(flat, p):
    """p[f, q] = flat[q SW + f]."""
    SW = p.shape[0]
    if SW == 1:
        _copy(flat, p[0, : flat.size])
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
def _merge_larger(values, places, add, best, at):
    """The same with a place for each value, moved on by `add`."""
    for q in range(best.size):
        value, place = values[q], np.int32(places[q] + add)
        wins = (not value <= best[q]) & (best[q] == best[q])
        best[q] = value if wins else best[q]
        at[q] = place if wins else at[q]


@vectorised
def _positions(at, base, add, out):
    for q in range(out.size):
        out[q] = np.int64(at[q]) + base[q] + add


@vectorised
def _add(values, total):
    for q in range(total.size):
        total[q] += values[q]


@vectorised
def _over(total, area):
    for q in range(total.size):
        total[q] /= area


@njit
def _keep_out_padding(best, at, i0, rows, OW, W, geometry, pitch):
    """Where every pixel of a window is -infinity, padding must not be what was found."""
    _, _, SH, SW, PH, PW = geometry
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
def _windows(x, top, value, geometry, p, flat, pitch):
    """Phases p of the rows of x from `top` on, laid out in `flat` unless x lies right already."""
    _, _, _, SW, PH, PW = geometry
    if PH == 0 and PW == 0 and x.shape[1] == pitch * SW:
        _split(x.reshape(-1)[top * x.shape[1] :][: flat.size], p)
    else:
        _lay_out(x, top, PW, value, pitch * SW, flat)
        _split(flat, p)


@njit(nogil=True)
def _max_forward(x, y, index, geometry, sizes, parts, part):
    """The bands of one part."""
    KH, KW, SH, SW, PH, PW = geometry
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
    for b in range(first, last):
        m, i0 = b // each, b % each * band
        rows = min(band, OH - i0)
        along, across = ((rows - 1) * SH + KH) * pitch, ((rows - 1) * SH + 1) * pitch
        _windows(x[m], i0 * SH - PH, -np.inf, geometry, p, flat[: along * SW], pitch)
        _copy(p[0], h[:along])
        _fill(h_at[:along], 0)
        for v in range(1, KW):
            _take_larger(p[v % SW, v // SW :], np.int32(v), h[:along], h_at[:along])
        _copy(h, g[:across])
        _copy(h_at, g_at[:across])
        for u in range(1, KH):
            below = slice(u * pitch, u * pitch + across)
            _merge_larger(h[below], h_at[below], np.int32(u * W), g[:across], g_at[:across])
        if PH or PW:
            _keep_out_padding(g, g_at, i0, rows, OW, W, geometry, pitch)
        _positions(g_at, base, 0 if joined else i0 * SH * W, place[:across])
        for i in range(rows):
            q = i * SH * pitch
            _copy(g[q:], y[m, i0 + i])
            _copy(place[q:], index[m, i0 + i])


@njit(nogil=True)
def _scatter(gy, index, gx, parts, part):
    planes = gy.shape[0]
    for m in range(part * planes // parts, (part + 1) * planes // parts):
        gx[m, :] = 0
        for q in range(gy.shape[1]):
            gx[m, index[m, q]] += gy[m, q]


@njit(nogil=True)
def _gather(x, index, y, parts, part):
    planes = y.shape[0]
    for m in range(part * planes // parts, (part + 1) * planes // parts):
        for q in range(y.shape[1]):
            y[m, q] = x[m, index[m, q]]


@njit(nogil=True)
def _avg_forward(x, y, geometry, sizes, parts, part):
    """The bands of one part."""
    KH, KW, SH, SW, PH, _ = geometry
    band, pitch, _ = sizes
    area = x.dtype.type(KH * KW)
    each, first, last = _share(y, band, parts, part)
    most = ((band - 1) * SH + KH) * pitch
    flat = np.empty(most * SW, x.dtype)
    p = np.zeros((SW, most + KW // SW), x.dtype)
    h, g = np.empty(most, x.dtype), np.empty(most, x.dtype)
    for b in range(first, last):
        m, i0 = b // each, b % each * band
        rows = min(band, y.shape[1] - i0)
        along, across = ((rows - 1) * SH + KH) * pitch, ((rows - 1) * SH + 1) * pitch
        _windows(x[m], i0 * SH - PH, 0.0, geometry, p, flat[: along * SW], pitch)
        _copy(p[0], h[:along])
        for v in range(1, KW):
            _add(p[v % SW, v // SW :], h[:along])
        _copy(h, g[:across])
        for u in range(1, KH):
            _add(h[u * pitch :], g[:across])
        _over(g[:across], area)
        for i in range(rows):
            _copy(g[i * SH * pitch :], y[m, i0 + i])


@vectorised
def _add_strided(values, total, step):
    if step == 2:
        for j in range(min(values.size, (total.size + 1) // 2)):
            total[2 * j] += values[j]
    else:
        for j in range(values.size):
            total[j * step] += values[j]


@njit(nogil=True)
def _avg_backward(gy, gx, geometry, parts, part):
    """A row of windows is first spread along a line, which every row below it then receives."""
    KH, KW, SH, SW, PH, PW = geometry
    M, H, W = gx.shape
    _, OH, OW = gy.shape
    area = gy.dtype.type(KH * KW)
    share, line = np.empty(OW, gy.dtype), np.empty(max(W + 2 * PW, 1), gy.dtype)
    for m in range(part * M // parts, (part + 1) * M // parts):
        _fill(gx[m].reshape(-1), 0)
        for i in range(OH):
            _copy(gy[m, i], share)
            _over(share, area)
            _fill(line, 0)
            for v in range(KW):
                _add_strided(share, line[v:], SW)
            for r in range(max(i * SH - PH, 0), min(i * SH - PH + KH, H)):
                _add(line[PW:], gx[m, r])


def _planes(a):
    """[N,C,H,W] as [N*C,H,W], contiguous."""
    N, C, H, W = a.shape
    return np.ascontiguousarray(a).reshape(N * C, H, W)


def _flat(a):
    """[N,C,H,W] as [N*C,H*W], contiguous."""
    N, C, H, W = a.shape
    return np.ascontiguousarray(a).reshape(N * C, H * W)


def _output_shape(x_shape, kernel, stride, padding):
    sizes = zip(x_shape[2:], kernel, stride, padding)
    return (*x_shape[:2], *((size + 2 * p - k) // s + 1 for size, k, s, p in sizes))


def _run(kernel, x, outs, window, stride, padding):
    """`kernel` on the planes of x and of the outputs, with the sizes of its bands.

    Planes whose windows use up all their rows are one tall plane: no window touches two of them.
    """
    (H, W), (OH, OW) = x.shape[2:], outs[0].shape[2:]
    pitch = max(-(-(W + 2 * padding[1]) // stride[1]), OW)
    band = min(OH, max(1, BAND // (pitch * stride[0])))
    planes = [_planes(a) for a in (x, *outs)]
    count = BAND // (pitch * H)
    if padding[0] == 0 and window[0] <= stride[0] and OH * stride[0] == H and count > 1:
        band = OH * count
        planes = [a.reshape(1, -1, a.shape[2]) for a in planes]
    parts = parts_for(outs[0].size, planes[1].shape[0] * -(-planes[1].shape[1] // band))
    in_parts(kernel, parts, *planes, (*window, *stride, *padding), (band, pitch, H), parts)


@register(
    "pool2d", "max_forward", backend="numba", idea="running maximum over flat runs of windows"
)
def max_forward(x, kernel, stride, padding):
    y = np.empty(_output_shape(x.shape, kernel, stride, padding), x.dtype)
    index = np.empty(y.shape, np.int64)
    if y.size:
        _run(_max_forward, x, (y, index), kernel, stride, padding)
    return y, index


@register("pool2d", "max_backward", backend="numba", idea="add at the index, a plane per thread")
def max_backward(gy, index, x_shape):
    gx = np.empty(x_shape, gy.dtype)
    flat, parts = _flat(index).view(np.uint64), parts_for(gx.size, x_shape[0] * x_shape[1])
    in_parts(_scatter, parts, _flat(gy), flat, _flat(gx), parts)
    return gx


@register("pool2d", "max_gather", backend="numba", idea="take at the index, a plane per thread")
def max_gather(x, index):
    y = np.empty(index.shape, x.dtype)
    flat, parts = _flat(index).view(np.uint64), parts_for(y.size, x.shape[0] * x.shape[1])
    in_parts(_gather, parts, _flat(x), flat, _flat(y), parts)
    return y


@register("pool2d", "avg_forward", backend="numba", idea="running sum over flat runs of windows")
def avg_forward(x, kernel, stride, padding):
    y = np.empty(_output_shape(x.shape, kernel, stride, padding), x.dtype)
    if y.size:
        _run(_avg_forward, x, (y,), kernel, stride, padding)
    return y


@register("pool2d", "avg_backward", backend="numba", idea="add each share over its window")
def avg_backward(gy, x_shape, kernel, stride, padding):
    gx = np.empty(x_shape, gy.dtype)
    parts = parts_for(gx.size, x_shape[0] * x_shape[1])
    in_parts(_avg_backward, parts, _planes(gy), _planes(gx), (*kernel, *stride, *padding), parts)
    return gx
