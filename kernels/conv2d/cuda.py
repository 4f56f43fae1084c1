"""Convolution on the GPU: the launch geometry of `cuda.cu`, where the ladder begins.

From v2 on, every pass is a matrix product cut into square tiles, one a block. The gradient for w
has few results and long sums: these are cut as well, into pieces that a second kernel adds up. How
many depends on the shapes alone, so that every GPU gives the same bits.
"""

from math import prod

from ..launcher import Source, ceil_div, contiguous, empty

source = Source(__file__)

THREADS = 256  # of a block of v1 and of the sum of the pieces
TILE = {2: 16} | dict.fromkeys(range(3, 10), 64)  # rows and columns of a block's results
BLOCK = {2: 256} | dict.fromkeys(range(3, 10), 128)
BLOCKS = 264  # two for each of the 132 multiprocessors of the largest GPU we know
CHANNELS = 8  # of a stage of v8 and v9
PIECE = 256  # windows at least in one piece of a sum

RUNGS = {
    2: {"idea": "implicit matrix product, 16 x 16 tiles in shared memory"},
    3: {"idea": "64 x 64 tiles, 4 x 8 results of a thread in registers"},
    4: {"idea": "two buffers, filled by cp.async while the block computes"},
    5: {"idea": "tensor cores, float32 as three TF32 products", "dtypes": ("float32",)},
    6: {"idea": "tensor cores, TF32", "dtypes": ("float32",), "precision": "tf32"},
    7: {"idea": "tensor cores, BF16", "dtypes": ("float32",), "precision": "bf16"},
    8: {"idea": "3x3: pixels brought once for nine taps; three TF32", "dtypes": ("float32",)},
    9: {
        "idea": "3x3: pixels brought once, TF32",
        "dtypes": ("float32",),
        "precision": "tf32",
    },
}


def _rows(w_shape, groups):
    """Does a group have more than one output channel? One row would fill a 64th of a tile."""
    return w_shape[0] // groups > 1


FITS = {
    "forward": lambda x, w, *options: _rows(w.shape, options[-1]),
    "input_grad": lambda gy, w, *options: w.shape[1] > 1,
    "weight_grad": lambda gy, x, w_shape, *options: _rows(w_shape, options[-1]),
}


def _threes(a, w, *options):
    """3x3 windows one pixel apart, and channels enough to fill a stage."""
    stride, _, dilation, groups = options[-4:]
    one_apart = (*stride, *dilation, groups) == (1, 1, 1, 1, 1) and w.shape[2:] == (3, 3)
    return one_apart and min(w.shape[:2]) >= CHANNELS


def _rung(pass_, version):
    fits = FITS[pass_] if version < 8 else _threes
    return source.implements("conv2d", pass_, version=version, supports=fits, **RUNGS[version])


def _sizes(x_shape, w_shape, y_shape, stride, padding, dilation, groups):
    """The numbers that every kernel takes, in their order."""
    sizes = (*x_shape, w_shape[0], *w_shape[2:], *y_shape[2:])
    return *sizes, *stride, *padding, *dilation, groups


def _output_shape(x_shape, w_shape, stride, padding, dilation):
    sizes = (
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(x_shape[2:], w_shape[2:], stride, padding, dilation)
    )
    return x_shape[0], w_shape[0], *sizes


def _tiles(version, rows, columns, groups):
    return ceil_div(rows, TILE[version]) * ceil_div(columns, TILE[version]) * groups


def _windows(name, image, w, result, rows, sizes, padding):
    """Launches v8 or v9: `rows` channels of `result`, 64 and 64 windows of an image a block."""
    n, _, down, across = result.shape
    tiles = {a: ceil_div(down, TILE[8] // a) * ceil_div(across, a) for a in (8, 16)}
    best = min(tiles, key=tiles.get)
    grid = n * tiles[best] * ceil_div(rows, TILE[8])
    source.launch(name, grid, BLOCK[8], image, w, result, *sizes, *padding, best)


# ---- forward -------------------------------------------------------------------------------------


def _forward(version, x, w, stride, padding, dilation, groups):
    x, w = contiguous(x), contiguous(w)
    y = empty(x, _output_shape(x.shape, w.shape, stride, padding, dilation))
    N, O, OH, OW = y.shape
    if version >= 8:
        if y.size:
            sizes = *x.shape[1:], O, OH, OW
            _windows(f"conv2d_forward_v{version}", x, w, y, O, sizes, padding)
        return y
    if version == 1:
        grid, block = ceil_div(y.size, THREADS), THREADS
    else:
        grid, block = _tiles(version, O // groups, N * OH * OW, groups), BLOCK[version]
    sizes = _sizes(x.shape, w.shape, y.shape, stride, padding, dilation, groups)
    if y.size:
        source.launch(f"conv2d_forward_v{version}", grid, block, x, w, y, *sizes)
    return y


@source.implements("conv2d", "forward", version=1, idea="the formula, one thread an output")
def forward_v1(x, w, *options):
    return _forward(1, x, w, *options)


@_rung("forward", 2)
def forward_v2(x, w, *options):
    return _forward(2, x, w, *options)


@_rung("forward", 3)
def forward_v3(x, w, *options):
    return _forward(3, x, w, *options)


@_rung("forward", 4)
def forward_v4(x, w, *options):
    return _forward(4, x, w, *options)


@_rung("forward", 5)
def forward_v5(x, w, *options):
    return _forward(5, x, w, *options)


@_rung("forward", 6)
def forward_v6(x, w, *options):
    return _forward(6, x, w, *options)


@_rung("forward", 7)
def forward_v7(x, w, *options):
    return _forward(7, x, w, *options)


@_rung("forward", 8)
def forward_v8(x, w, *options):
    return _forward(8, x, w, *options)


@_rung("forward", 9)
def forward_v9(x, w, *options):
    return _forward(9, x, w, *options)


# ---- input_grad ----------------------------------------------------------------------------------


def _input_grad(version, gy, w, x_shape, stride, padding, dilation, groups):
    gy, w = contiguous(gy), contiguous(w)
    gx = empty(gy, x_shape)
    (N, C, H, W), (SH, SW) = x_shape, stride
    if version >= 8:
        if gx.size:
            sizes = *x_shape[1:], *gy.shape[1:]
            _windows(f"conv2d_input_grad_v{version}", gy, w, gx, C, sizes, padding)
        return gx
    if version == 1:
        grid, block = ceil_div(gx.size, THREADS), THREADS
    else:  # one product for each remainder modulo the stride; none has more columns than the first
        columns = N * ceil_div(H, SH) * ceil_div(W, SW)
        grid = _tiles(version, C // groups, columns, groups), min(SH, H), min(SW, W)
        block = BLOCK[version]
    sizes = _sizes(x_shape, w.shape, gy.shape, stride, padding, dilation, groups)
    if gx.size:
        source.launch(f"conv2d_input_grad_v{version}", grid, block, gy, w, gx, *sizes)
    return gx


@source.implements("conv2d", "input_grad", version=1, idea="the formula, one thread an input")
def input_grad_v1(gy, w, x_shape, *options):
    return _input_grad(1, gy, w, x_shape, *options)


@_rung("input_grad", 2)
def input_grad_v2(gy, w, x_shape, *options):
    return _input_grad(2, gy, w, x_shape, *options)


@_rung("input_grad", 3)
def input_grad_v3(gy, w, x_shape, *options):
    return _input_grad(3, gy, w, x_shape, *options)


@_rung("input_grad", 4)
def input_grad_v4(gy, w, x_shape, *options):
    return _input_grad(4, gy, w, x_shape, *options)


@_rung("input_grad", 5)
def input_grad_v5(gy, w, x_shape, *options):
    return _input_grad(5, gy, w, x_shape, *options)


@_rung("input_grad", 6)
def input_grad_v6(gy, w, x_shape, *options):
    return _input_grad(6, gy, w, x_shape, *options)


@_rung("input_grad", 7)
def input_grad_v7(gy, w, x_shape, *options):
    return _input_grad(7, gy, w, x_shape, *options)


@_rung("input_grad", 8)
def input_grad_v8(gy, w, x_shape, *options):
    return _input_grad(8, gy, w, x_shape, *options)


@_rung("input_grad", 9)
def input_grad_v9(gy, w, x_shape, *options):
    return _input_grad(9, gy, w, x_shape, *options)


# ---- weight_grad ---------------------------------------------------------------------------------


def _weight_grad(version, gy, x, w_shape, stride, padding, dilation, groups):
    gy, x = contiguous(gy), contiguous(x)
    sizes = _sizes(x.shape, w_shape, gy.shape, stride, padding, dilation, groups)
    if version == 1:
        gw = empty(x, w_shape)
        grid = ceil_div(gw.size * 32, THREADS)
        source.launch("conv2d_weight_grad_v1", grid, THREADS, gy, x, gw, *sizes)
        return gw
    windows = gy.size // w_shape[0]  # N OH OW
    tiles = _tiles(version, w_shape[0] // groups, prod(w_shape[1:]), groups)
    pieces = max(1, min(ceil_div(BLOCKS, tiles), windows // PIECE))
    parts = empty(x, (pieces, *w_shape))
    name, grid = f"conv2d_weight_grad_v{version}", (tiles, pieces)
    source.launch(name, grid, BLOCK[version], gy, x, parts, *sizes, ceil_div(windows, pieces))
    if pieces == 1:
        return parts[0]
    gw = empty(x, w_shape)
    grid = ceil_div(gw.size, THREADS)
    source.launch("conv2d_weight_grad_sum", grid, THREADS, parts, gw, pieces, gw.size)
    return gw


@source.implements("conv2d", "weight_grad", version=1, idea="the formula, one warp a weight")
def weight_grad_v1(gy, x, w_shape, *options):
    return _weight_grad(1, gy, x, w_shape, *options)


@_rung("weight_grad", 2)
def weight_grad_v2(gy, x, w_shape, *options):
    return _weight_grad(2, gy, x, w_shape, *options)


@_rung("weight_grad", 3)
def weight_grad_v3(gy, x, w_shape, *options):
    return _weight_grad(3, gy, x, w_shape, *options)


@_rung("weight_grad", 4)
def weight_grad_v4(gy, x, w_shape, *options):
    return _weight_grad(4, gy, x, w_shape, *options)


@_rung("weight_grad", 5)
def weight_grad_v5(gy, x, w_shape, *options):
    return _weight_grad(5, gy, x, w_shape, *options)


@_rung("weight_grad", 6)
def weight_grad_v6(gy, x, w_shape, *options):
    return _weight_grad(6, gy, x, w_shape, *options)


@_rung("weight_grad", 7)
def weight_grad_v7(gy, x, w_shape, *options):
    return _weight_grad(7, gy, x, w_shape, *options)
