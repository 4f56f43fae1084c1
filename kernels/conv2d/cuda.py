"""Convolution on the GPU: the launch geometry of `cuda.cu` and of the rungs that it includes.

From v2 on, every pass is a matrix product cut into square tiles, one a block. The gradient for w
has few results and long sums: these are cut as well, into pieces that a second kernel adds up. How
many depends on the shapes alone, so that every GPU gives the same bits.
"""

from math import prod

from ..launcher import Source, ceil_div, contiguous, empty
from .geometry import Geometry

source = Source(__file__)

# Version -> threads of a block; rows and columns of its results. The kernels have the same numbers.
THREADS = {1: 256, 2: 256} | dict.fromkeys(range(3, 10), 128)
TILE = {2: 16} | dict.fromkeys(range(3, 10), 64)
BLOCKS = 264  # two for each of the 132 multiprocessors of the largest GPU we know
CHANNELS = 8  # of a stage of v8 and v9
PIECE = 256  # windows at least in one piece of a sum

FORMULA = {  # version 1
    "forward": {"idea": "the formula, one thread an output"},
    "input_grad": {"idea": "the formula, one thread an input"},
    "weight_grad": {"idea": "the formula, one warp a weight"},
}
FLOAT = {"dtypes": ("float32",)}
RUNGS = {
    2: {"idea": "implicit matrix product, 16 x 16 tiles in shared memory"},
    3: {"idea": "64 x 64 tiles, 4 x 8 results of a thread in registers"},
    4: {"idea": "two buffers, filled by cp.async while the block computes"},
    5: {"idea": "tensor cores, float32 as three TF32 products", **FLOAT},
    6: {"idea": "tensor cores, TF32", **FLOAT, "precision": "tf32"},
    7: {"idea": "tensor cores, BF16", **FLOAT, "precision": "bf16"},
    8: {"idea": "3x3: pixels brought once for nine taps; three TF32", **FLOAT},
    9: {"idea": "3x3: pixels brought once, TF32", **FLOAT, "precision": "tf32"},
}


def _rows(w_shape, groups):
    """Does a group have more than one output channel? One row would fill a 64th of a tile."""
    return w_shape[0] // groups > 1


def _threes(a, w, *options):
    """3x3 windows one pixel apart, and channels enough to fill a stage."""
    stride, _, dilation, groups = options[-4:]
    one_apart = (*stride, *dilation, groups) == (1, 1, 1, 1, 1) and w.shape[2:] == (3, 3)
    return one_apart and min(w.shape[:2]) >= CHANNELS


FITS = {
    "forward": lambda x, w, *options: _rows(w.shape, options[-1]),
    "input_grad": lambda gy, w, *options: w.shape[1] > 1,
    "weight_grad": lambda gy, x, w_shape, *options: _rows(w_shape, options[-1]),
}


def _tiles(version, rows, columns, groups):
    """Blocks that cover a product of so many rows and columns, one for each group."""
    return ceil_div(rows, TILE[version]) * ceil_div(columns, TILE[version]) * groups


def _by_windows(name, image, w, result, g):
    """Launches v8 or v9: 64 channels of `result` and 64 windows of an image a block."""
    n, rows, down, across = result.shape
    tiles = {a: ceil_div(down, TILE[8] // a) * ceil_div(across, a) for a in (8, 16)}
    best = min(tiles, key=tiles.get)
    grid = n * tiles[best] * ceil_div(rows, TILE[8])
    source.launch(name, grid, THREADS[8], image, w, result, g, best)


def _forward(version, x, w, *options):
    x, w = contiguous(x), contiguous(w)
    g = Geometry.of(x.shape, w.shape, *options)
    y, name = empty(x, g.y_shape), f"conv2d_forward_v{version}"
    if not y.size:
        return y
    if version >= 8:
        _by_windows(name, x, w, y, g)
        return y
    if version == 1:
        grid = ceil_div(y.size, THREADS[1])
    else:
        grid = _tiles(version, g.O // g.G, g.N * g.OH * g.OW, g.G)
    source.launch(name, grid, THREADS[version], x, w, y, g)
    return y


def _input_grad(version, gy, w, x_shape, *options):
    gy, w = contiguous(gy), contiguous(w)
    g = Geometry.of(x_shape, w.shape, *options)
    gx, name = empty(gy, x_shape), f"conv2d_input_grad_v{version}"
    if not gx.size:
        return gx
    if version >= 8:
        _by_windows(name, gy, w, gx, g)
        return gx
    if version == 1:
        grid = ceil_div(gx.size, THREADS[1])
    else:  # one product for each remainder modulo the stride; none has more columns than the first
        columns = g.N * ceil_div(g.H, g.SH) * ceil_div(g.W, g.SW)
        grid = _tiles(version, g.C // g.G, columns, g.G), min(g.SH, g.H), min(g.SW, g.W)
    source.launch(name, grid, THREADS[version], gy, w, gx, g)
    return gx


def _weight_grad(version, gy, x, w_shape, *options):
    gy, x = contiguous(gy), contiguous(x)
    g, name = Geometry.of(x.shape, w_shape, *options), f"conv2d_weight_grad_v{version}"
    if version == 1:
        gw = empty(x, w_shape)
        source.launch(name, ceil_div(gw.size * 32, THREADS[1]), THREADS[1], gy, x, gw, g)
        return gw
    windows = g.N * g.OH * g.OW
    tiles = _tiles(version, g.O // g.G, prod(w_shape[1:]), g.G)
    pieces = max(1, min(ceil_div(BLOCKS, tiles), windows // PIECE))
    parts, piece = empty(x, (pieces, *w_shape)), ceil_div(windows, pieces)
    source.launch(name, (tiles, pieces), THREADS[version], gy, x, parts, g, piece)
    if pieces == 1:
        return parts[0]
    gw = empty(x, w_shape)
    grid = ceil_div(gw.size, THREADS[1])
    source.launch("conv2d_weight_grad_sum", grid, THREADS[1], parts, gw, pieces, gw.size)
    return gw


for pass_, run in {
    "forward": _forward,
    "input_grad": _input_grad,
    "weight_grad": _weight_grad,
}.items():
    rungs = {
        version: rung | {"supports": FITS[pass_] if version < 8 else _threes}
        for version, rung in RUNGS.items()
        if version < 8 or pass_ != "weight_grad"
    }
    source.implements_each("conv2d", pass_, run, {1: FORMULA[pass_], **rungs})
