"""Pooling on the GPU: the launch geometry of `cuda.cu` and of the rungs that it includes.

Which version runs follows from the window: versions 3 and 4 of the forward passes are each made for
one window, version 2 for any windows that overlap.
"""

from ..arrays import aligned
from ..launcher import Source, ceil_div, contiguous, empty, zeros
from .geometry import Geometry

source = Source(__file__)

# as in cuda.cu and its rungs
BLOCK = 256  # threads
TILE = 16  # rows and columns of outputs that share a tile
BAND = 2048  # pixels of a block of max_backward v3

SHARED_LIMIT = 48 * 1024  # bytes


def _planes(shape):
    return shape[0] * shape[1]


def _area(shape):
    return shape[2] * shape[3]


def _patch_bytes(x, kernel, stride):
    """Shared memory for the pixels under a tile of outputs."""
    rows, columns = ((TILE - 1) * s + k for k, s in zip(kernel, stride))
    return rows * columns * x.dtype.itemsize


# ---- Which windows a version is made for


def _overlaps(x, kernel, stride, padding):
    """Windows share pixels, and a tile of them fits into shared memory."""
    overlap = stride[0] < kernel[0] or stride[1] < kernel[1]
    return overlap and _patch_bytes(x, kernel, stride) <= SHARED_LIMIT


def _halves(a, width, kernel, stride, padding):
    """2x2 windows side by side, on rows that are whole vectors of four."""
    fits = (*kernel, *stride, *padding) == (2, 2, 2, 2, 0, 0)
    return fits and width % 4 == 0 and aligned(a)


def _halves_of(x, *options):
    return _halves(x, x.shape[3], *options)


def _halves_under(gy, x_shape, *options):
    """The same for gx, whose last odd row would be under no window."""
    return _halves(gy, x_shape[3], *options) and x_shape[2] % 2 == 0


def _threes(x, kernel, stride, padding):
    return (*kernel, *stride) == (3, 3, 2, 2)


# ---- The passes


def _slide(pass_, version, g, x, *outs):
    """Launches a forward kernel on x and its outputs [N,C,OH,OW]."""
    if not outs[0].size:
        return
    planes, shared = g.N * g.C, 0
    if version == 1:  # a thread an output
        grid = ceil_div(planes * g.OH * g.OW, BLOCK)
    elif version == 2:  # a block a tile
        grid = planes * ceil_div(g.OH, TILE) * ceil_div(g.OW, TILE)
        shared = _patch_bytes(x, (g.KH, g.KW), (g.SH, g.SW))
    elif version == 3:  # a thread two outputs side by side
        grid = ceil_div(planes * g.OH * g.OW // 2, BLOCK)
    else:  # a thread two outputs, one below the other; an odd last row stands alone
        grid = ceil_div(planes * ceil_div(g.OH, 2) * g.OW, BLOCK)
    source.launch(f"pool2d_{pass_}_v{version}", grid, BLOCK, x, *outs, g, shared=shared)


def _max_forward(version, x, *options):
    x, g = contiguous(x), Geometry.of(x.shape, *options)
    y, index = empty(x, g.y_shape), empty(x, g.y_shape, "int64")
    _slide("max_forward", version, g, x, y, index)
    return y, index


def _avg_forward(version, x, *options):
    x, g = contiguous(x), Geometry.of(x.shape, *options)
    y = empty(x, g.y_shape)
    _slide("avg_forward", version, g, x, y)
    return y


def _max_gather(version, x, index):
    x, index = contiguous(x), contiguous(index)
    y = empty(x, index.shape)
    if y.size:
        numbers, grid = (_area(x.shape), _area(y.shape), y.size), ceil_div(y.size, BLOCK)
        source.launch(f"pool2d_max_gather_v{version}", grid, BLOCK, x, index, y, *numbers)
    return y


def _max_backward(version, gy, index, x_shape):
    gy, index = contiguous(gy), contiguous(index)
    gx = zeros(gy, x_shape) if version == 2 else empty(gy, x_shape)  # atomics add to what is there
    if not (gy.size if version == 2 else gx.size):
        return gx
    planes, pixels, outputs = _planes(x_shape), _area(x_shape), _area(gy.shape)
    block, shared = BLOCK, 0
    if version == 1:  # a thread a plane
        block = 32
        grid, more = ceil_div(planes, block), (planes,)
    elif version == 2:  # a thread an output
        grid, more = ceil_div(gy.size, block), (gy.size,)
    elif version == 3:  # a block BAND pixels
        bands = ceil_div(pixels, BAND)
        grid, more = planes * bands, (bands,)
    else:  # a block the plane, or as few equal bands of it as shared memory allows
        each = gx.dtype.itemsize + 4  # a sum and a claim
        bands = ceil_div(pixels * each, SHARED_LIMIT)
        band = ceil_div(pixels, bands)
        grid, more, shared = planes * bands, (band, bands), band * each
    arrays, name = (gy, index, gx), f"pool2d_max_backward_v{version}"
    source.launch(name, grid, block, *arrays, pixels, outputs, *more, shared=shared)
    return gx


def _avg_backward(version, gy, x_shape, *options):
    gy, g = contiguous(gy), Geometry.of(x_shape, *options)
    gx = empty(gy, x_shape)
    if gx.size:  # a thread a pixel, or the pixels of two outputs
        threads = gx.size if version == 1 else gy.size // 2
        name = f"pool2d_avg_backward_v{version}"
        source.launch(name, ceil_div(threads, BLOCK), BLOCK, gy, gx, g)
    return gx


FLOAT = {"dtypes": ("float32",)}
FORWARD = {
    1: {"idea": "one thread an output"},
    2: {"idea": "overlapping windows share a tile in shared memory", "supports": _overlaps},
    3: {"idea": "2x2 by vector loads of four pixels", "supports": _halves_of, **FLOAT},
    4: {"idea": "3x3 at stride 2: two outputs a thread, no tile", "supports": _threes},
}
RUNGS = {
    "max_forward": (_max_forward, FORWARD),
    "max_backward": (
        _max_backward,
        {
            1: {"idea": "one thread a plane"},
            2: {"idea": "one thread an output, atomics", "deterministic": False},
            3: {"idea": "claims on a band in shared memory"},
            4: {"idea": "a band as large as the plane"},
        },
    ),
    "max_gather": (_max_gather, {1: {"idea": "one thread an output"}}),
    "avg_forward": (_avg_forward, FORWARD),
    "avg_backward": (
        _avg_backward,
        {
            1: {"idea": "one thread a pixel, a gather"},
            2: {
                "idea": "2x2 by vector stores of four pixels",
                "supports": _halves_under,
                **FLOAT,
            },
        },
    ),
}
for pass_, (run, versions) in RUNGS.items():
    source.implements_each("pool2d", pass_, run, versions)
