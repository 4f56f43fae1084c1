"""Two-dimensional pooling: every window of an image is replaced by one number.

**Formula.** The window of output pixel (i, j) covers rows i*SH - PH ... i*SH - PH + KH - 1 and the
same for columns; windows may overlap (stride < kernel) or leave gaps (stride > kernel).

    max    y[n,c,i,j] = max of x over the window,   index[n,c,i,j] = r*W + s  where it was found
    avg    y[n,c,i,j] = 1/(KH KW) * sum of x over the window      (pixels of the padding count as 0)

    letter   meaning                              letter   meaning
    N, C     images, channels                     SH, SW   stride: step of the window
    H, W     input height, width                  PH, PW   padding on each side, at most half
    KH, KW   window height, width                          a window (KH // 2, KW // 2)
    OH, OW   output height, width

    x [N,C,H,W]     y, index [N,C,OH,OW]     OH = (H + 2 PH - KH) // SH + 1

Padding never wins a maximum; since it is at most half a window, every window meets the image.
Of equal maxima the first in reading order wins: the lowest index. A NaN wins over every
number (the first NaN), so that a broken input shows instead of hiding.

**Backward.** The maximum is a choice, and the choice is remembered: x -> y is a gather at `index`,
so its gradient is the scatter at `index`, adding up where windows overlap. Gather and scatter are
each other's derivative, at any order; in the same way the average and its gradient, being linear.

    max_forward    y = x at index              max_backward   gx[n,c,r*W+s] = sum of gy, where index
    max_gather     y = x at a given index                                    is r*W + s
    avg_forward    y = window means            avg_backward   gx[n,c,r,s] = sum of gy / (KH KW) over
                                                              windows that cover (r, s)

**Cost.** N C OH OW KH KW comparisons or additions, x read and y (and the index, 8 bytes) written:
less than one operation per byte, so memory is the limit and one pass the aim.

**The ladder.** Versions are counted for each pass: a pass without a line has no such version. From
version 2 on, the files are those of rungs/. Each begins with what the version before it wastes.

    glassgrad bench pool2d     time, GFLOP/s and share of the roofline of these; one of them:
                               glassgrad bench pool2d.max_forward --version 1

    reference   reference.py            the pixels at one place of the window, for all windows at
                                        once, are a strided view of x: KH KW views are compared or
                                        added
    numba v1    cpu.py                  the formula as plain loops
    numba v2    cpu_v2_flat_runs.py     forward: a band of rows laid out flat, split by column
                                        modulo SW: the pixels at one place of all windows are one
                                        contiguous run, however short the rows
    numba v2    cpu_v2_lines.py         avg_backward: gy spread along a line, which is added to rows

    glassgrad lab pool2d       loads, sectors, bank conflicts and registers of these, without a GPU;
                               line by line: glassgrad lab pool2d.max_forward --version 2

    forward (max_forward, avg_forward):
    cuda v1     cuda.cu                 one thread an output
    cuda v2     cuda_v2_tiles.cuh       overlapping windows: the pixels under 16 x 16 outputs come
                                        once into shared memory
    cuda v3     cuda_v3_pairs.cuh       2x2 at stride 2, float32: no pixel is shared, a thread takes
                                        four of both rows in one load each and makes two outputs
    cuda v4     cuda_v4_strips.cuh      3x3 at stride 2: no tile after all; a thread makes two
                                        outputs that share a row, 15 loads on their way at once

    max_backward, where the index may point anywhere:
    cuda v1     cuda.cu                 one thread a plane adds in reading order
    cuda v2     cuda_v2_atomics.cuh     one thread an output and atomics: the order of a sum is
                                        anybody's, run by run
    cuda v3     cuda_v3_claims.cuh      a block adds to 2048 pixels in shared memory; of the threads
                                        that want one pixel the lowest goes first: the sums of v1 to
                                        the last bit
    cuda v4     cuda_v4_planes.cuh      the whole plane, where it fits: its outputs are walked once

    avg_backward and max_gather:
    cuda v1     cuda.cu                 one thread a pixel gathers from the windows over it; one
                                        thread an output takes its pixel
    cuda v2     cuda_v2_pairs.cuh       avg_backward, 2x2 at stride 2, float32: two gy in one load,
                                        four pixels in one store

Source: Scherer, Müller and Behnke, "Evaluation of pooling operations in convolutional
architectures for object recognition", 2010.
"""

import numpy as np

from ..annotations import Lengths, Pair
from ..capacity import expect_planes_fit
from ..checks import pair, shape4
from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats
from ..registry import dispatch
from ..windows import output_size

__all__ = [
    "avg_backward",
    "avg_forward",
    "max_backward",
    "max_forward",
    "max_gather",
    "output_shape",
]


def _options(function, kernel, stride, padding):
    kernel = pair(function, "kernel", kernel, 1)
    stride = kernel if stride is None else pair(function, "stride", stride, 1)
    padding = pair(function, "padding", padding, 0)
    most = (kernel[0] // 2, kernel[1] // 2)
    fits = padding[0] <= most[0] and padding[1] <= most[1]
    must = "padding must be at most kernel // 2, or a window could lie wholly in the padding"
    expect(fits, function, must, f"<= {most}", padding, kernel=kernel)
    return kernel, stride, padding


def _geometry(function, x_shape, kernel, stride, padding, /, **arrays):
    """Check the sizes against each other and return y's shape."""
    N, C, *sizes = x_shape
    out = []
    for axis, size, k, s, p in zip(("height", "width"), sizes, kernel, stride, padding):
        must = f"the window's {axis} must fit into the padded input"
        expect(size >= 1, function, f"x must have a {axis}", ">= 1", size, **arrays)
        expect(k <= size + 2 * p, function, must, f"<= {size + 2 * p}", k, **arrays)
        out.append(output_size(size, k, s, p))
    return N, C, *out


def _expect_axes(function, name, a, /, **arrays):
    must = f"{name} must have four axes [N,C,height,width]"
    expect(a.ndim == 4, function, must, "4 axes", f"{a.ndim}", **arrays)


def _expect_index(function, index, size, /, **arrays):
    """index is int64 and points into a plane of `size` pixels."""
    dtype = getattr(index, "dtype", type(index).__name__)
    must = "index.dtype must be int64"
    expect(str(dtype) == "int64", function, must, "int64", dtype, DTypeError, **arrays)
    if not index.size or not isinstance(index, np.ndarray):  # on a GPU it would wait for the device
        return
    if index.view(np.uint64).max() >= size:  # one pass: as unsigned, what is negative is largest
        low, high = int(index.min()), int(index.max())
        expect(
            False,
            function,
            "index must point into the plane",
            f"0 <= index < {size}",
            f"{low} ... {high}",
            ValueRangeError,
            **arrays,
        )


def output_shape(x_shape: Lengths, kernel: Pair, stride: Pair | None = None, padding: Pair = 0):
    """Shape [N,C,OH,OW] of the pooled x [N,C,H,W]; `stride` is the kernel unless given.

    >>> output_shape((8, 3, 7, 9), 3, stride=2, padding=1)
    (8, 3, 4, 5)
    """
    options = _options("pool2d", kernel, stride, padding)
    return _geometry("pool2d", shape4("pool2d", "x.shape", x_shape, "N,C,H,W"), *options)


def _forward(function, pass_, x, kernel, stride, padding):
    options = _options(function, kernel, stride, padding)
    expect_floats(function, x=x)
    _expect_axes(function, "x", x, x=x)
    y_shape = _geometry(function, x.shape, *options, x=x)
    expect_planes_fit(function, x.shape, y_shape, options[2], x=x)
    return dispatch("pool2d", pass_, x, *options)


def max_forward(x, kernel: Pair, stride: Pair | None = None, padding: Pair = 0):
    """(y, index): the largest x [N,C,H,W] of each window, and where in its H*W plane it stood.

    y is [N,C,OH,OW], index int64 of that shape. `kernel`, `stride`, `padding` are ints or pairs, in
    pixels; `stride` is the kernel unless given. Raises ShapeError for windows that do not fit.
    Source: Scherer et al., 2010.

    >>> import numpy as np
    >>> y, index = max_forward(np.array([[[[1.0, 5.0, 2.0], [5.0, 0.0, 7.0]]]]), (2, 2), stride=1)
    >>> y, index
    (array([[[[5., 7.]]]]), array([[[[1, 5]]]]))
    """
    return _forward("pool2d.max_forward", "max_forward", x, kernel, stride, padding)


def max_backward(gy, index, x_shape: Lengths):
    """gx of `x_shape` [N,C,H,W]: gy [N,C,OH,OW] added at the pixels that won.

    Raises ShapeError or ValueRangeError when index does not fit. Source: Scherer et al., 2010.

    >>> import numpy as np
    >>> max_backward(np.array([[[[1.0, 2.0]]]]), np.array([[[[3, 3]]]]), (1, 1, 2, 2))
    array([[[[0., 0.],
             [0., 3.]]]])
    """
    name = "pool2d.max_backward"
    expect_floats(name, gy=gy)
    x_shape = shape4(name, "x_shape", x_shape, "N,C,H,W")
    _expect_axes(name, "gy", gy, gy=gy)
    _expect_index(name, index, x_shape[2] * x_shape[3], gy=gy, index=index, x_shape=x_shape)
    must, got = "index.shape must equal gy.shape", tuple(index.shape)
    expect(got == tuple(gy.shape), name, must, gy.shape, got, gy=gy, index=index)
    expect_planes_fit(name, x_shape, gy.shape, (0, 0), gy=gy)
    must, got = "x_shape must start like gy.shape", tuple(x_shape[:2])
    expect(got == tuple(gy.shape[:2]), name, must, gy.shape[:2], got, gy=gy, x_shape=x_shape)
    return dispatch("pool2d", "max_backward", gy, index, x_shape)


def max_gather(x, index):
    """y [N,C,OH,OW] = x [N,C,H,W] at `index`, flat in each plane: the derivative of `max_backward`.

    Raises ShapeError or ValueRangeError when index does not fit.

    >>> import numpy as np
    >>> max_gather(np.array([[[[4.0, 5.0], [6.0, 7.0]]]]), np.array([[[[3, 0]]]]))
    array([[[[7., 4.]]]])
    """
    name = "pool2d.max_gather"
    expect_floats(name, x=x)
    _expect_axes(name, "x", x, x=x)
    _expect_index(name, index, x.shape[2] * x.shape[3], x=x, index=index)
    _expect_axes(name, "index", index, x=x, index=index)
    must, got = "index.shape must start like x.shape", tuple(index.shape[:2])
    expect(got == tuple(x.shape[:2]), name, must, x.shape[:2], got, x=x, index=index)
    return dispatch("pool2d", "max_gather", x, index)


def avg_forward(x, kernel: Pair, stride: Pair | None = None, padding: Pair = 0):
    """y [N,C,OH,OW]: the mean of x [N,C,H,W] over each window, padding counted as zeros.

    `kernel`, `stride`, `padding` are ints or pairs, in pixels; `stride` is the kernel unless given.
    Raises ShapeError for windows that do not fit. Source: LeCun et al., 1998 (its subsampling).

    >>> import numpy as np
    >>> avg_forward(np.array([[[[1.0, 3.0], [5.0, 7.0]]]]), 2)
    array([[[[4.]]]])
    """
    return _forward("pool2d.avg_forward", "avg_forward", x, kernel, stride, padding)


def avg_backward(gy, x_shape: Lengths, kernel: Pair, stride: Pair | None = None, padding: Pair = 0):
    """gx of `x_shape` [N,C,H,W]: gy / (KH KW) added over each window. The adjoint of `avg_forward`.

    Raises ShapeError when gy is not the shape that `avg_forward` gives.

    >>> import numpy as np
    >>> avg_backward(np.array([[[[4.0, 8.0]]]]), (1, 1, 1, 3), kernel=(1, 2), stride=1)
    array([[[[2., 6., 4.]]]])
    """
    name = "pool2d.avg_backward"
    options = _options(name, kernel, stride, padding)
    expect_floats(name, gy=gy)
    x_shape = shape4(name, "x_shape", x_shape, "N,C,H,W")
    _expect_axes(name, "gy", gy, gy=gy)
    want = _geometry(name, x_shape, *options, gy=gy, x_shape=x_shape)
    must = "gy.shape must be that of the output"
    expect(tuple(gy.shape) == want, name, must, want, gy.shape, gy=gy, x_shape=x_shape)
    expect_planes_fit(name, x_shape, want, options[2], gy=gy)
    return dispatch("pool2d", "avg_backward", gy, x_shape, *options)


check_all(globals(), prefix="pool2d.")
