"""Launch geometry of pooling: which version for which window, and how many blocks."""

from ..arrays import aligned
from ..launcher import Source, ceil_div, contiguous, empty, zeros
from . import output_shape

source = Source(__file__)

# as in cuda.cu
BLOCK = 256
TILE = 16
BAND = 2048

SHARED_LIMIT = 48 * 1024  # bytes


def _sizes(x_shape, y_shape):
    return (*x_shape[2:], *y_shape[2:])


def _planes(shape):
    return shape[0] * shape[1]


def _area(shape):
    return shape[2] * shape[3]


def _patch_bytes(x, kernel, stride):
    """Shared memory for the pixels under a tile of outputs."""
    rows, columns = ((TILE - 1) * s + k for k, s in zip(kernel, stride))
    return rows * columns * x.dtype.itemsize


def _overlaps(x, kernel, stride, padding):
    overlap = stride[0] < kernel[0] or stride[1] < kernel[1]
    return overlap and _patch_bytes(x, kernel, stride) <= SHARED_LIMIT


def _halves(a, x_shape, kernel, stride, padding):
    """2x2 windows side by side, on rows that are whole vectors of four."""
    fits = (*kernel, *stride, *padding) == (2, 2, 2, 2, 0, 0)
    return fits and x_shape[3] % 4 == 0 and aligned(a)


def _forward_halves(x, kernel, stride, padding):
    return _halves(x, x.shape, kernel, stride, padding)


def _threes(kernel, stride):
    return (*kernel, *stride) == (3, 3, 2, 2)


def _strips(y):
    """Pairs of outputs, one below the other; the last row of an odd number stands alone."""
    return _planes(y.shape) * ceil_div(y.shape[2], 2) * y.shape[3]


def _tiles(y):
    """The tiles of a plane, down and across."""
    return ceil_div(y.shape[2], TILE), ceil_div(y.shape[3], TILE)


@source.implements("pool2d", "max_forward", version=1, idea="one thread an output")
def max_forward_v1(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    index = empty(x, y.shape, "int64")
    if y.size:
        sizes = _sizes(x.shape, y.shape)
        grid = ceil_div(y.size, BLOCK)
        arrays = (x, y, index)
        name = "pool2d_max_forward_v1"
        source.launch(name, grid, BLOCK, *arrays, *sizes, *kernel, *stride, *padding, y.size)
    return y, index


@source.implements(
    "pool2d",
    "max_forward",
    version=2,
    idea="overlapping windows share a tile in shared memory",
    supports=_overlaps,
)
def max_forward_v2(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    index = empty(x, y.shape, "int64")
    if y.size:
        tiles = _tiles(y)
        numbers = (*_sizes(x.shape, y.shape), *kernel, *stride, *padding, *tiles)
        grid = _planes(y.shape) * tiles[0] * tiles[1]
        shared = _patch_bytes(x, kernel, stride)
        name = "pool2d_max_forward_v2"
        source.launch(name, grid, BLOCK, x, y, index, *numbers, shared=shared)
    return y, index


@source.implements(
    "pool2d",
    "max_forward",
    version=3,
    idea="2x2 by vector loads of four pixels",
    dtypes=("float32",),
    supports=_forward_halves,
)
def max_forward_v3(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    index = empty(x, y.shape, "int64")
    if y.size:
        pairs = y.size // 2
        sizes = _sizes(x.shape, y.shape)
        name = "pool2d_max_forward_v3"
        source.launch(name, ceil_div(pairs, BLOCK), BLOCK, x, y, index, *sizes, pairs)
    return y, index


@source.implements(
    "pool2d",
    "max_forward",
    version=4,
    idea="3x3 at stride 2: two outputs a thread, no tile",
    supports=lambda x, kernel, stride, padding: _threes(kernel, stride),
)
def max_forward_v4(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    index = empty(x, y.shape, "int64")
    if y.size:
        numbers = (*_sizes(x.shape, y.shape), *padding, _strips(y))
        grid = ceil_div(_strips(y), BLOCK)
        source.launch("pool2d_max_forward_v4", grid, BLOCK, x, y, index, *numbers)
    return y, index


@source.implements("pool2d", "max_gather", version=1, idea="one thread an output")
def max_gather_v1(x, index):
    x, index = contiguous(x), contiguous(index)
    y = empty(x, index.shape)
    if y.size:
        numbers = (_area(x.shape), _area(y.shape), y.size)
        source.launch("pool2d_max_gather_v1", ceil_div(y.size, BLOCK), BLOCK, x, index, y, *numbers)
    return y


@source.implements("pool2d", "max_backward", version=1, idea="one thread a plane")
def max_backward_v1(gy, index, x_shape):
    gy, index = contiguous(gy), contiguous(index)
    gx = empty(gy, x_shape)
    if gx.size:
        planes = _planes(x_shape)
        numbers = (_area(x_shape), _area(gy.shape), planes)
        source.launch("pool2d_max_backward_v1", ceil_div(planes, 32), 32, gy, index, gx, *numbers)
    return gx


@source.implements(
    "pool2d",
    "max_backward",
    version=2,
    idea="one thread an output, atomics",
    deterministic=False,
)
def max_backward_v2(gy, index, x_shape):
    gy, index = contiguous(gy), contiguous(index)
    gx = zeros(gy, x_shape)
    if gy.size:
        numbers = (_area(x_shape), _area(gy.shape), gy.size)
        source.launch(
            "pool2d_max_backward_v2", ceil_div(gy.size, BLOCK), BLOCK, gy, index, gx, *numbers
        )
    return gx


@source.implements("pool2d", "max_backward", version=3, idea="claims on a band in shared memory")
def max_backward_v3(gy, index, x_shape):
    gy, index = contiguous(gy), contiguous(index)
    gx = empty(gy, x_shape)
    if gx.size:
        bands = ceil_div(_area(x_shape), BAND)
        numbers = (_area(x_shape), _area(gy.shape), bands)
        grid = _planes(x_shape) * bands
        source.launch("pool2d_max_backward_v3", grid, BLOCK, gy, index, gx, *numbers)
    return gx


@source.implements("pool2d", "max_backward", version=4, idea="a band as large as the plane")
def max_backward_v4(gy, index, x_shape):
    gy, index = contiguous(gy), contiguous(index)
    gx = empty(gy, x_shape)
    if gx.size:
        pixels, each = _area(x_shape), gx.dtype.itemsize + 4  # a sum and a claim
        bands = ceil_div(pixels * each, SHARED_LIMIT)
        band = ceil_div(pixels, bands)
        numbers, grid = (pixels, _area(gy.shape), band, bands), _planes(x_shape) * bands
        name, shared = "pool2d_max_backward_v4", band * each
        source.launch(name, grid, BLOCK, gy, index, gx, *numbers, shared=shared)
    return gx


@source.implements("pool2d", "avg_forward", version=1, idea="one thread an output")
def avg_forward_v1(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    if y.size:
        numbers = (*_sizes(x.shape, y.shape), *kernel, *stride, *padding, y.size)
        source.launch("pool2d_avg_forward_v1", ceil_div(y.size, BLOCK), BLOCK, x, y, *numbers)
    return y


@source.implements(
    "pool2d",
    "avg_forward",
    version=2,
    idea="overlapping windows share a tile in shared memory",
    supports=_overlaps,
)
def avg_forward_v2(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    if y.size:
        tiles = _tiles(y)
        numbers = (*_sizes(x.shape, y.shape), *kernel, *stride, *padding, *tiles)
        grid = _planes(y.shape) * tiles[0] * tiles[1]
        shared = _patch_bytes(x, kernel, stride)
        source.launch("pool2d_avg_forward_v2", grid, BLOCK, x, y, *numbers, shared=shared)
    return y


@source.implements(
    "pool2d",
    "avg_forward",
    version=3,
    idea="2x2 by vector loads of four pixels",
    dtypes=("float32",),
    supports=_forward_halves,
)
def avg_forward_v3(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    if y.size:
        pairs = y.size // 2
        sizes = _sizes(x.shape, y.shape)
        source.launch("pool2d_avg_forward_v3", ceil_div(pairs, BLOCK), BLOCK, x, y, *sizes, pairs)
    return y


@source.implements(
    "pool2d",
    "avg_forward",
    version=4,
    idea="3x3 at stride 2: two outputs a thread, no tile",
    supports=lambda x, kernel, stride, padding: _threes(kernel, stride),
)
def avg_forward_v4(x, kernel, stride, padding):
    x = contiguous(x)
    y = empty(x, output_shape(x.shape, kernel, stride, padding))
    if y.size:
        numbers = (*_sizes(x.shape, y.shape), *padding, _strips(y))
        grid = ceil_div(_strips(y), BLOCK)
        source.launch("pool2d_avg_forward_v4", grid, BLOCK, x, y, *numbers)
    return y


@source.implements("pool2d", "avg_backward", version=1, idea="one thread a pixel, a gather")
def avg_backward_v1(gy, x_shape, kernel, stride, padding):
    gy = contiguous(gy)
    gx = empty(gy, x_shape)
    if gx.size:
        numbers = (*_sizes(x_shape, gy.shape), *kernel, *stride, *padding, gx.size)
        source.launch("pool2d_avg_backward_v1", ceil_div(gx.size, BLOCK), BLOCK, gy, gx, *numbers)
    return gx


@source.implements(
    "pool2d",
    "avg_backward",
    version=2,
    idea="2x2 by vector stores of four pixels",
    dtypes=("float32",),
    supports=lambda gy, x_shape, *options: (
        _halves(gy, x_shape, *options) and x_shape[2] % 2 == 0  # a last odd row has no window
    ),
)
def avg_backward_v2(gy, x_shape, kernel, stride, padding):
    gy = contiguous(gy)
    gx = empty(gy, x_shape)
    if gx.size:
        pairs = gy.size // 2
        sizes = _sizes(x_shape, gy.shape)
        source.launch(
            "pool2d_avg_backward_v2", ceil_div(pairs, BLOCK), BLOCK, gy, gx, *sizes, pairs
        )
    return gx
