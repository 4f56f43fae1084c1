"""Version 2: direct, from registers, without a matrix of unfolded patches.

**What version 1 wastes.** For one multiply-add it tests whether the tap lies in the padding,
computes the place of the pixel and loads two numbers. Most of its instructions are tests, integer
arithmetic and loads. ``glassgrad bench conv2d.forward`` shows both versions in GFLOP/s.

**A tap is a distance.** Copy x into planes with the zeros of the padding in place, QW pixels a row.
Then tap (u, v) of channel c, for *all* output pixels at once, is the same memory read from another
start: output pixel q = i*QW + j needs plane[start + q]. (A stride splits x into SH*SW interleaved
planes, one per remainder, and each tap reads from one of them: still a distance.) The last
QW - OW pixels of each row are computed too and thrown away, which is cheaper than rows of odd
lengths. So a convolution is a list of distances, one per product in the sum:

    y[o, q] = sum over k of  w[o, k] * plane[taps[k] + q]          k runs over (c, u, v)

The gradient for x is the same sum over another list: gx at one remainder modulo the stride is met
by a fixed set of taps, and gy is what is padded. The gradient for w sums over q instead of k.

**Stay in registers.** A tile of sums, R output channels times two vectors of pixels, stays in
registers while all k are added to it (shifted_tile.py): per k it loads two vectors and R weights
for 2 R multiply-adds.

Vectors hold pixels here, so a single channel is no waste: this is the version for the few channels
of a first layer, for groups, and for float64.

Every sum has one fixed order whatever the number of threads. Non-finite numbers: in `weight_grad` a
NaN or an infinity in x can also reach other taps of the same channel, through thrown-away pixels
(0 * NaN).
"""

from typing import NamedTuple

import numpy as np

from ...compiled import njit
from ...registry import register
from ...threads import PRODUCTS, in_parts, parts_for
from ...windows import output_sizes
from .shifted_tile import tile1, tile4, tile8

BLOCK = 2 << 20  # bytes of padded planes made at a time: they stay in the cache until used
HELD_PIXELS = 768  # pixels of output per channel held before they are written out


class Planes(NamedTuple):
    """How an image is cut into planes: QH rows of QW pixels, one plane a remainder of the stride.

    `top` and `left` are the zeros that come before the image.
    """

    QH: int
    QW: int
    phases_h: int  # remainders that a tap meets
    phases_w: int
    SH: int
    SW: int
    top: int
    left: int


class Outputs(NamedTuple):
    """Which pixels of the result come from one list of taps, and where their sums begin.

    UH x UW of them, at rows a, a + SH, ... and columns b, b + SW, ...; `image` and `group` are
    distances in the planes, in which a row has QW pixels.
    """

    image: int
    group: int
    UH: int
    UW: int
    QW: int
    a: int
    b: int
    SH: int
    SW: int


@njit(nogil=True)
def _spread(x, planes, q, parts, part):
    """planes[m, a, b, u*QW + t] = x[m, u*SH + a - top, t*SW + b - left], zero outside x."""
    M, H, W = x.shape
    QH, QW, SW = q.QH, q.QW, q.SW
    for m in range(part * M // parts, (part + 1) * M // parts):
        for a in range(q.phases_h):
            for b in range(q.phases_w):
                plane = planes[m, a, b]
                first = min(max(0, -((b - q.left) // SW)), QW)  # columns that lie inside x
                last = max(first, min(QW, (W - 1 + q.left - b) // SW + 1))
                for u in range(QH):
                    r = u * q.SH + a - q.top
                    row = plane[u * QW : (u + 1) * QW]
                    if r < 0 or r >= H:
                        row[:] = 0
                    else:
                        row[:first] = 0
                        source, target = x[m, r, first * SW + b - q.left :], row[first:last]
                        if SW == 1:  # the same loop again, which is vectorised for a step of 1
                            for t in range(len(target)):
                                target[t] = source[t]
                        else:
                            for t in range(len(target)):
                                target[t] = source[t * SW]
                        row[last:] = 0
                plane[QH * QW :] = 0


@njit(nogil=True)
def _sum_taps(planes, taps, w, out, at, parts, part):
    """out[n, o, a + i*SH, b + j*SW] = sum over k of w[o, k] * planes[image n, taps[k] + i*QW + j].

    w is [G, blocks, K, R], R channels a block; `at` is an Outputs.
    """
    N, M = out.shape[:2]
    G, blocks, K, R = w.shape
    UH, UW, QW = at.UH, at.UW, at.QW
    weights = w.reshape(-1)
    step = 128 // planes.itemsize  # pixels of a tile: two vectors
    # The sums of a few rows are held in `held`, `ld` pixels a channel, and then written without the
    # QW - OW pixels at the end of each row.
    rows_at_once = max(1, HELD_PIXELS // QW)
    ld = (min(UH, rows_at_once) * QW + step - 1) // step * step
    items = N * G * blocks
    for item in range(part * items // parts, (part + 1) * items // parts):
        n, g, block = item // (G * blocks), item // blocks % G, item % blocks
        w_start = (g * blocks + block) * K * R
        held = np.empty(R * ld, planes.dtype)
        for i0 in range(0, UH, rows_at_once):
            rows = min(rows_at_once, UH - i0)
            start = n * at.image + g * at.group + i0 * QW
            for q in range(0, rows * QW, step):
                if R == 8:
                    tile8(planes, start + q, taps, weights, w_start, held, q, ld)
                elif R == 4:
                    tile4(planes, start + q, taps, weights, w_start, held, q, ld)
                else:
                    tile1(planes, start + q, taps, weights, w_start, held, q, ld)
            for r in range(min(R, M // G - block * R)):
                plane = out[n, g * (M // G) + block * R + r]
                for i in range(rows):
                    source = held[r * ld + i * QW : r * ld + i * QW + UW]
                    target = plane[at.a + (i0 + i) * at.SH, at.b :]
                    if at.SW == 1:  # the same loop again, which is vectorised for a step of 1
                        for j in range(UW):
                            target[j] = source[j]
                    else:
                        for j in range(UW):
                            target[j * at.SW] = source[j]


@njit(nogil=True, fastmath={"contract", "reassoc"})
def _dots(planes, image, group, taps, gy, gw, parts, part):
    """gw[g, o, k] += sum over n, q of gy[n, g, o, q] * planes[image n, taps[k] + q].

    Four channels by four taps at a time: 8 loads for 16 products.
    """
    N, G, O, L = gy.shape
    K = gw.shape[2]
    blocks_o, blocks_k = (O + 3) // 4, (K + 3) // 4
    items = G * blocks_o * blocks_k
    for item in range(part * items // parts, (part + 1) * items // parts):
        g, o, k = (
            item // (blocks_o * blocks_k),
            item // blocks_k % blocks_o * 4,
            item % blocks_k * 4,
        )
        # past the last channel or tap, the last one again: computed, and not added below
        o1, o2, o3 = min(o + 1, O - 1), min(o + 2, O - 1), min(o + 3, O - 1)
        k1, k2, k3 = min(k + 1, K - 1), min(k + 2, K - 1), min(k + 3, K - 1)
        total = np.zeros((4, 4), planes.dtype)
        for n in range(N):
            base = n * image + g * group
            a0, a1, a2, a3 = gy[n, g, o], gy[n, g, o1], gy[n, g, o2], gy[n, g, o3]
            x0 = planes[base + taps[k] : base + taps[k] + L]
            x1 = planes[base + taps[k1] : base + taps[k1] + L]
            x2 = planes[base + taps[k2] : base + taps[k2] + L]
            x3 = planes[base + taps[k3] : base + taps[k3] + L]
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = planes.dtype.type(0)
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = planes.dtype.type(0)
            for q in range(L):  # written out: sixteen sums that the vectoriser keeps in registers
                s00 += a0[q] * x0[q]
                s01 += a0[q] * x1[q]
                s02 += a0[q] * x2[q]
                s03 += a0[q] * x3[q]
                s10 += a1[q] * x0[q]
                s11 += a1[q] * x1[q]
                s12 += a1[q] * x2[q]
                s13 += a1[q] * x3[q]
                s20 += a2[q] * x0[q]
                s21 += a2[q] * x1[q]
                s22 += a2[q] * x2[q]
                s23 += a2[q] * x3[q]
                s30 += a3[q] * x0[q]
                s31 += a3[q] * x1[q]
                s32 += a3[q] * x2[q]
                s33 += a3[q] * x3[q]
            sums = ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23))
            for r, row in enumerate((*sums, (s30, s31, s32, s33))):
                for c, s in enumerate(row):
                    total[r, c] += s
        for r in range(min(4, O - o)):
            for c in range(min(4, K - k)):
                gw[g, o + r, k + c] += total[r, c]


def pack(x, planes, q: Planes):
    """x in `planes`, flat (see `_spread`)."""
    parts = parts_for(planes.size, len(x))
    in_parts(_spread, parts, x, planes, q, parts)
    return planes.reshape(-1)


def correlate(planes, taps, w, out, at: Outputs):
    """The sums over taps, into `out` (see `_sum_taps`)."""
    parts = parts_for(out.size * len(taps), len(out) * w.shape[0] * w.shape[1], PRODUCTS)
    in_parts(_sum_taps, parts, planes, taps, w, out, at, parts)


def _plane_size(QH: int, QW: int) -> int:
    """Pixels kept for one plane: a tile may read past its last row, but not into the next plane."""
    return (QH + 1) * QW + 32


def _blocks(w):
    """w [G, O, K] as [G, blocks, K, R]: R channels side by side, short blocks filled with zeros."""
    G, O, K = w.shape
    R = 8 if O > 4 else 4 if O > 1 else 1
    blocks = -(-O // R)
    full = np.zeros((G, blocks * R, K), w.dtype)
    full[:, :O] = w
    return np.ascontiguousarray(full.reshape(G, blocks, R, K).transpose(0, 1, 3, 2))


class TapDistances:
    """Where the taps of a convolution lie in the padded planes of x."""

    def __init__(self, C, w_shape, out_size, stride, padding, dilation):
        _, Cg, KH, KW = w_shape
        (SH, SW), (DH, DW), (OH, OW) = stride, dilation, out_size
        rows, columns = np.arange(KH) * DH, np.arange(KW) * DW
        phases = min(SH, (KH - 1) * DH + 1), min(SW, (KW - 1) * DW + 1)
        QH, QW = OH + (KH - 1) * DH // SH, OW + (KW - 1) * DW // SW
        self.planes = Planes(QH, QW, *phases, *stride, *padding)
        self.plane = _plane_size(QH, QW)
        channel = phases[0] * phases[1] * self.plane
        self.image, self.group = C * channel, Cg * channel
        by_row = rows % SH * phases[1] * self.plane + rows // SH * QW
        by_column = columns % SW * self.plane + columns // SW
        taps = np.arange(Cg)[:, None, None] * channel + by_row[:, None] + by_column
        self.taps = taps.ravel()

    def pack(self, x):
        """x [N,C,H,W] as planes, flat."""
        N, C, H, W = x.shape
        phases = self.planes.phases_h, self.planes.phases_w
        planes = np.empty((N * C, *phases, self.plane), x.dtype)
        return pack(x.reshape(N * C, H, W), planes, self.planes)


def _image_blocks(N, bytes_per_image):
    """Slices of the batch whose planes fit into BLOCK, at least two images each."""
    size = max(2, BLOCK // bytes_per_image)
    return [slice(n, min(n + size, N)) for n in range(0, N, size)]


@register(
    "conv2d", "forward", backend="numba", version=2, idea="taps as distances, tile in registers"
)
def forward_v2(x, w, stride, padding, dilation, groups):
    """y [N,O,OH,OW] from x [N,C,H,W] and w [O,C/G,KH,KW], in the order of the taps."""
    x, (O, Cg, KH, KW) = np.ascontiguousarray(x), w.shape
    OH, OW = size = output_sizes(x.shape[2:], (KH, KW), stride, padding, dilation)
    at = TapDistances(x.shape[1], w.shape, size, stride, padding, dilation)
    blocks = _blocks(w.reshape(groups, O // groups, Cg * KH * KW))
    y = np.empty((len(x), O, OH, OW), x.dtype)
    place = Outputs(at.image, at.group, OH, OW, at.planes.QW, 0, 0, 1, 1)
    for part in _image_blocks(len(x), at.image * x.itemsize):
        correlate(at.pack(x[part]), at.taps, blocks, y[part], place)
    return y


def _meeting(size, k_size, s, p, d):
    """For each remainder a of an input position modulo the stride that a tap meets: a, how many
    positions have it, and the pairs (tap, distance) such that position a + s*i meets output
    i + distance at that tap.
    """
    phases = []
    for a in sorted({(k * d - p) % s for k in range(k_size)}):  # of a large stride only a few
        if a < size:
            meets = [(k, (a + p - k * d) // s) for k in range(k_size) if (a + p - k * d) % s == 0]
            phases.append((a, -(-(size - a) // s), meets))
    low = min((distance for _, _, meets in phases for _, distance in meets), default=0)
    reach = [n + distance - low for _, n, meets in phases for _, distance in meets]
    return phases, low, max(reach, default=0)


@register(
    "conv2d",
    "input_grad",
    backend="numba",
    version=2,
    idea="forward over padded gy, per remainder",
)
def input_grad_v2(gy, w, x_shape, stride, padding, dilation, groups):
    """gx [N,C,H,W] from gy [N,O,OH,OW] and w: one list of taps for each remainder of a pixel."""
    gy, (N, C, H, W) = np.ascontiguousarray(gy), x_shape
    _, O, OH, OW = gy.shape
    KH, KW = w.shape[2:]
    Og, Cg = O // groups, C // groups
    w = w.reshape(groups, Og, Cg, KH, KW)
    phases_h, low_h, QH = _meeting(H, KH, stride[0], padding[0], dilation[0])
    phases_w, low_w, QW = _meeting(W, KW, stride[1], padding[1], dilation[1])
    plane = _plane_size(QH, QW)
    # pixels that no tap meets are zero; where all are met, every one is written
    met = len(phases_h) * len(phases_w) == min(stride[0], H) * min(stride[1], W)
    gx = (np.empty if met else np.zeros)(x_shape, gy.dtype)
    jobs = []
    for a, UH, meets_h in phases_h:
        for b, UW, meets_w in phases_w:
            us, rows = [u for u, _ in meets_h], np.array([d - low_h for _, d in meets_h], int)
            vs, columns = [v for v, _ in meets_w], np.array([d - low_w for _, d in meets_w], int)
            taps = np.arange(Og)[:, None, None] * plane + rows[:, None] * QW + columns
            part = w[:, :, :, us][..., vs].transpose(0, 2, 1, 3, 4)
            blocks = _blocks(part.reshape(groups, Cg, taps.size))
            place = Outputs(O * plane, Og * plane, UH, UW, QW, a, b, *stride)
            jobs.append((taps.ravel(), blocks, place))
    for part in _image_blocks(N, O * plane * gy.itemsize):
        some = gy[part].reshape(-1, OH, OW)
        planes = np.empty((len(some), 1, 1, plane), gy.dtype)
        planes = pack(some, planes, Planes(QH, QW, 1, 1, 1, 1, -low_h, -low_w))
        for taps, blocks, place in jobs:
            correlate(planes, taps, blocks, gx[part], place)
    return gx


@register(
    "conv2d",
    "weight_grad",
    backend="numba",
    version=2,
    idea="4 x 4 dot products from registers",
)
def weight_grad_v2(gy, x, w_shape, stride, padding, dilation, groups):
    """gw [O,C/G,KH,KW] from gy [N,O,OH,OW] and x [N,C,H,W]: a dot product a weight."""
    gy, x, (O, Cg, KH, KW) = np.ascontiguousarray(gy), np.ascontiguousarray(x), w_shape
    N, _, OH, OW = gy.shape
    at = TapDistances(x.shape[1], w_shape, (OH, OW), stride, padding, dilation)
    QW = at.planes.QW
    length = -(-OH * QW // 32) * 32  # the tail and the thrown-away pixels are zeros of gy
    gw = np.zeros((groups, O // groups, Cg * KH * KW), x.dtype)
    for part in _image_blocks(N, (at.image + O * length) * x.itemsize):
        planes, some = at.pack(x[part]), gy[part].reshape(-1, OH, OW)
        rows = np.empty((len(some), 1, 1, length), x.dtype)
        rows = pack(some, rows, Planes(OH, QW, 1, 1, 1, 1, 0, 0))
        rows = rows.reshape(-1, groups, O // groups, length)
        parts = parts_for(rows.size * gw.shape[2], gw.size // 16, PRODUCTS)
        in_parts(_dots, parts, planes, at.image, at.group, at.taps, rows, gw, parts)
    return gw.reshape(w_shape)
