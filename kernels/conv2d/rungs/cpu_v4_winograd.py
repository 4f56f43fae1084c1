"""Versions 4 and 5, Winograd's convolution: fewer multiplications for 3 x 3 kernels of stride 1.

**What version 3 leaves.** Nothing waits in it any more: it runs at what the multipliers can do (the
share of the roofline in ``glassgrad bench conv2d.forward``). What is left is to multiply less.

**The idea, in one dimension.** Two neighbouring outputs of a kernel of three taps share two of
their inputs: y0 = d0 g0 + d1 g1 + d2 g2, y1 = d1 g0 + d2 g1 + d3 g2. That is 6 products, but 4 will
do, if sums of inputs meet sums of weights:

    m1 = (d0 - d2) g0             m2 = (d1 + d2) (g0 + g1 + g2)/2
    m4 = (d1 - d3) g2             m3 = (d2 - d1) (g0 - g1 + g2)/2
    y0 = m1 + m2 + m3             y1 = m2 - m3 - m4

It is a product of polynomials, taken at the points 0, 1, -1 and infinity. As matrices, and nested
for two dimensions, where m x m outputs come from a tile d of (m+2) x (m+2) inputs:

    Y = A^T [ (G g G^T) * (B^T d B) ] A            * number by number

F(2x2,3x3) takes 16 products for 4 outputs where the formula takes 36: 2.25 times fewer. F(4x4,3x3)
takes 36 for 16: 4 times fewer. **Summed over channels, the products at one of the 16 or 36
places of a tile are a matrix product** of its own, tiles x C by C x O, and all the work that is
left is those products; the transforms are done once per channel, not once per pair of channels.

**The gradients.** For x: gy goes through the same with the kernel turned around and its channels
exchanged. For w: everything read backwards, U = (A gy A^T) summed against (B^T d B) over tiles, and
gw = G^T U G once at the end.

**What it costs.** The sums of inputs grow before they cancel again, so rounding errors do too.
With standard normal numbers and up to 256 channels, measured against float64, relative in the L2
norm (weight_grad sums 25 000 pixels: there direct summation has 1e-6 as well):

    direct sum   2e-7 to 1e-6      F(2x2,3x3)   2e-7 to 2e-6      F(4x4,3x3)   1e-6 to 5e-6

The tests allow 2e-6 for F(2x2) and 1e-5 for F(4x4), and a largest single error of 8 and 60 times
that of direct summation.

The rounding of a tile is that of its largest number: all its outputs come from differences of all
its inputs, so one pixel of 10^6 among ones leaves errors of 0.1 in outputs whose windows do not see
it. Normal numbers, of which no tile has such a one, are what the bounds above are for. In the same
way an infinity or a NaN in x, w or gy makes NaN of whatever shares a tile, or in `weight_grad` a
pair of channels, with it.

F(2x2) has only the factors 1/2 and 1/4: with small integers it is exact. F(4x4) has thirds and is
not.

Source: Winograd, "Arithmetic complexity of computations", 1980; Lavin and Gray, "Fast algorithms
for convolutional neural networks", 2016.
"""

import numpy as np

from ...registry import register
from ...threads import in_parts, parts_for
from ...windows import output_sizes
from .channels import aligned_empty, plan, scratch, table, up
from .microkernel import LANES
from .winograd_tiles import (
    GW_CHANNELS,
    LONG,
    PIECES,
    TapPlaces,
    TilePlaces,
    TileRoom,
    Tiles,
    convolve,
    correlate,
    finish,
    lanes_of,
    place_step,
    weights,
)


@plan
def _plan(m, x_shape, O, w_steps, turned, padding, OH, OW):
    """Tiles, scratch sizes, TapPlaces in w, TilePlaces in x and y."""
    _, C, H, W = x_shape
    g, Cp, places = Tiles.cut(m, x_shape, O, padding, OH, OW), up(C, LANES), (m + 2) ** 2
    sizes = (
        (m * g.rows + 2) * g.width * Cp,
        places * place_step(g.most, C),
        places * place_step(g.most, 32),
        m * g.rows * m * g.TW * 32,
    )
    channels = np.arange(max(C, O))
    taps = np.arange(9)[::-1] if turned else np.arange(9)
    of_w = TapPlaces(C, O, w_steps[0], channels * w_steps[1], taps * 16)
    planes = channels * (H * W), channels * (OH * OW)
    pixels = (
        table(H, W, g.width * Cp, Cp, padding[1] * Cp),
        table(m * g.rows, OW, m * g.TW * 32, 32),
    )
    at = TilePlaces(*planes, *pixels, np.arange(g.most) * Cp, np.zeros(1, np.int64))
    return g, sizes, of_w, at


def _convolve(m, x, w, w_steps, O, turned, padding, OH, OW):
    """y [N,O,OH,OW] from x [N,C,H,W]; w at k * w_steps[0] + o * w_steps[1] + tap."""
    N, C = x.shape[:2]
    y = aligned_empty((N, O, OH, OW))
    if not N:
        return y
    g, sizes, of_w, at = _plan(m, x.shape, O, w_steps, turned, padding, OH, OW)
    [U], [nine] = scratch((m + 2) ** 2 * C * up(O, LANES), -(-O // 16) * 160, rows=1)
    tile, parts = (0,) * m, parts_for(len(U), -(-O // 16))
    in_parts(weights, parts, tile, w.reshape(-1), of_w, nine, U, parts)
    room = TileRoom(*scratch(*sizes))
    in_parts(convolve, len(room.X), tile, x.reshape(-1), U, y.reshape(-1), g, at, room)
    return y


# Least height and width of the output. Compared with version 3, on one core, F(2x2) takes 0.53 to
# 0.65 of the time of any pass from 32 channels and 4 x 4 on (weight_grad 0.57 to 0.93), but up to
# 1.3 of it with 16 channels. F(4x4) takes 0.74 of the time of F(2x2) at 56 x 56, weight_grad 0.93,
# but gives up a digit: only large images, where the whole network waits for these layers, are worth
# that.
SMALL, LARGE = 4, 48


def _forward(m, x, w, stride, padding, dilation, groups):
    """y [N,O,OH,OW] by tiles of m x m outputs."""
    x, w, (O, C, _, _) = np.ascontiguousarray(x), np.ascontiguousarray(w), w.shape
    size = _size(x, w, stride, padding, dilation, groups)
    return _convolve(m, x, w, (9, C * 9), O, False, padding, *size)


def _input_grad(m, gy, w, x_shape, stride, padding, dilation, groups):
    """gx [N,C,H,W]: gy through the kernel turned around, inputs and outputs exchanged."""
    gy, w, (_, C, _, _) = np.ascontiguousarray(gy), np.ascontiguousarray(w), w.shape
    padding = tuple(2 - p for p in padding)
    return _convolve(m, gy, w, (C * 9, 9), C, True, padding, *x_shape[2:])


@plan
def _weight_plan(m, x_shape, O, padding, OH, OW):
    """Tiles, pieces, scratch sizes, TilePlaces, and the places of w."""
    _, C, H, W = x_shape
    g, Cp, lanes = Tiles.cut(m, x_shape, O, padding, OH, OW, LONG), up(C, LANES), lanes_of(O)
    pieces, places = min(g.blocks, -(-PIECES // -(-O // GW_CHANNELS))), (m + 2) ** 2
    sizes = (
        (m * g.rows + 2) * g.width * Cp,
        places * place_step(g.most, C),
        places * place_step(g.most, lanes),
        m * g.rows * m * g.TW * lanes,
    )
    channels = np.arange(up(max(C, O), LANES))
    planes = channels * (H * W), channels * (OH * OW)
    pixels = (
        table(H, W, g.width * Cp, Cp, padding[1] * Cp),
        table(OH, OW, m * g.TW * lanes, lanes),
    )
    at = TilePlaces(*planes, *pixels, channels, np.zeros(1, np.int64))
    return g, pieces, sizes, at, (channels * 16, channels * 9)


def _weight_grad(m, gy, x, w_shape, stride, padding, dilation, groups):
    """gw [O,C,3,3]."""
    gy, x, (O, C, _, _) = np.ascontiguousarray(gy), np.ascontiguousarray(x), w_shape
    gw = np.zeros(w_shape, np.float32)
    if not len(x):
        return gw
    g, pieces, sizes, at, of_w = _weight_plan(m, x.shape, O, padding, *gy.shape[2:])
    size = (m + 2) ** 2 * place_step(lanes_of(O), C)
    [sums] = scratch(size, rows=-(-O // GW_CHANNELS) * pieces)
    tile, room = (0,) * m, TileRoom(*scratch(*sizes))
    in_parts(
        *(correlate, len(room.X), tile, x.reshape(-1), gy.reshape(-1)),
        *(g, pieces, at, room, sums),
    )
    parts = parts_for(len(sums) * size, O)
    in_parts(finish, parts, tile, sums, O, C, pieces, *of_w, gw.reshape(-1), parts)
    return gw


VERSIONS = {  # version: m, least height and width, what is saved, relative L2 error
    4: (2, SMALL, "16 products where there were 36", "2e-6"),
    5: (4, LARGE, "36 products where there were 144", "1e-5"),
}
PASSES = {  # pass: function(m, *arguments), what it returns, the rest of its idea
    "forward": (_forward, "y", ": {saved}"),
    "input_grad": (_input_grad, "gx", ", the kernel turned around"),
    "weight_grad": (_weight_grad, "gw", ", read backwards"),
}
SHAPES = {  # pass: height and width of what comes out of the tiles, shape of w
    "forward": lambda x, w, *options: (_size(x, w, *options), w.shape),
    "input_grad": lambda gy, w, x_shape, *options: (x_shape[2:], w.shape),
    "weight_grad": lambda gy, x, w_shape, *options: (gy.shape[2:], w_shape),
}


def _size(x, w, stride, padding, dilation, groups):
    return output_sizes(x.shape[2:], w.shape[2:], stride, padding, dilation)


def _applies(least, size, w_shape, stride, padding, dilation, groups):
    """Whether it is a 3 x 3 kernel of stride 1, large enough, with channels to fill the vectors."""
    fills = w_shape[2:] == (3, 3) and min(w_shape[:2]) >= 32 and min(size) >= least
    return fills and groups == 1 and max(padding) <= 2 and stride == dilation == (1, 1)


def _register(version, pass_):
    """Records one pass by tiles of m x m outputs."""
    m, least, saved, error = VERSIONS[version]
    function, result, idea = PASSES[pass_]

    def run(*arguments):
        return function(m, *arguments)

    def supports(*arguments):
        return _applies(least, *SHAPES[pass_](*arguments), *arguments[-4:])

    run.__name__ = run.__qualname__ = f"{pass_}_v{version}"
    run.__doc__ = f"{result} by tiles of {m} x {m} outputs: relative L2 error at most {error}."
    register(
        *("conv2d", pass_),
        backend="numba",
        version=version,
        idea=f"Winograd F({m}x{m},3x3){idea.format(saved=saved)}",
        dtypes=("float32",),
        supports=supports,
    )(run)


for _version in VERSIONS:
    for _pass in PASSES:
        _register(_version, _pass)
