"""Two-dimensional convolution: one small set of weights slides over every image.

**Formula.** (Cross-correlation, as every deep-learning library calls convolution: no flip.)

    y[n,o,i,j] = sum over c,u,v of  w[o,c,u,v] * x[n, c, i*SH - PH + u*DH, j*SW - PW + v*DW]

where x is zero outside its H x W pixels. With G groups the channels are cut into G equal slices
and output channel o only sees the slice of its own group.

    letter   meaning                              letter   meaning
    N        images in the batch                  OH, OW   output height, width
    C, O     input, output channels               SH, SW   stride: step of the window
    H, W     input height, width                  PH, PW   padding: zeros on each side
    KH, KW   kernel height, width (a "tap" is     DH, DW   dilation: distance of taps
             one pair u, v)                       G        groups

    x [N,C,H,W]    w [O,C/G,KH,KW]    y [N,O,OH,OW]    OH = (H + 2 PH - DH (KH-1) - 1) // SH + 1

**Backward.** y is linear in x and linear in w, so each gradient is the same triple product
w * x * gy, summed over other letters. With r = i*SH - PH + u*DH and s = j*SW - PW + v*DW:

    input_grad    gx[n,c,r,s] = sum over o and all (i,u), (j,v) that meet there of
                                w[o,c,u,v] * gy[n,o,i,j]          (transposed convolution)
    weight_grad   gw[o,c,u,v] = sum over n,i,j of  gy[n,o,i,j] * x[n,c,r,s]

The three are adjoint: <forward(x, w), gy> = <x, input_grad(gy, w)> = <w, weight_grad(gy, x)>; any
of them can be differentiated again with the other two.

**Cost.** Each pass takes 2 N O OH OW (C/G) KH KW floating-point operations (one multiply, one add
per product) and must move x, w and y once. The ratio grows with O and KH KW: a convolution over
many channels is bound by arithmetic, a depthwise one (G = C) by memory.

**The ladder.** Every pass in each version, unless it says otherwise; from version 2 on, the files
are those of rungs/. Each begins with what the version before it wastes.

    glassgrad bench conv2d     time, GFLOP/s and share of the roofline of these; one of them:
                               glassgrad bench conv2d.forward --version 2

    reference   reference.py            one tap is a product over channels of a shifted view of x
    numba v1    cpu.py                  the formula as plain loops
    numba v2    cpu_v2_shifted.py       x in zero-padded planes: a tap is a distance in memory; 8
                                        channels by 2 vectors of pixels of y stay in registers
    numba v3    cpu_v3_gemm.py          bands of x with channels together: a row of taps is one
                                        stretch, the sums a matrix product (microkernel.py)
    numba v4    cpu_v4_winograd.py      Winograd F(2x2,3x3): 16 products where there were 36
    numba v5    cpu_v4_winograd.py      Winograd F(4x4,3x3): 36 where there were 144, for one digit

    glassgrad lab conv2d       loads, sectors, bank conflicts and registers of these, without a GPU;
                               line by line: glassgrad lab conv2d.forward --version 3

    cuda v1     cuda.cu                 one thread a result (weight_grad: one warp)
    cuda v2     cuda_v2_tiles.cuh       a product (product.cuh) in 16 x 16 tiles of shared memory
    cuda v3     cuda_v3_registers.cuh   64 x 64 tiles, 4 x 8 results of a thread in registers
    cuda v4     cuda_v4_cp_async.cuh    two pairs of tiles: one is filled as the other is multiplied
    cuda v5     cuda_v5_tensor.cuh      tensor cores; float32 as three TF32 products
    cuda v6     cuda_v5_tensor.cuh      plain TF32: three correct digits, only when asked for
    cuda v7     cuda_v5_tensor.cuh      plain BF16: two correct digits, only when asked for
    cuda v8     cuda_v8_window.cuh      v5 for 3x3 windows one pixel apart: pixels come to shared
                                        memory once for nine taps (forward, input_grad)
    cuda v9     cuda_v8_window.cuh      v6 in the same way

By default the newest version that supports the arguments runs, but never v6, v7 or v9, which round
the factors of each product to fewer bits. They run only when they are asked for by number:

    with gg.backend("cuda", conv2d=6):      # or "emulated", on any machine
        y = gg.conv2d(x, w, padding=1)

**Words.** They mean the same in every file:

    tap      one (u, v) of the kernel, or with its channel one (c, u, v)
    plane    one channel of one image
    band     the rows of x that some rows of output need, with the zeros of the padding in place
    lanes    the numbers of a vector on the CPU, the threads of a warp on the GPU
    tile     what a thread (CPU: registers) or a block (GPU: shared memory) multiplies at a time;
             for Winograd m x m outputs
    places   tables of indices into flat arrays; in Winograd also the (m+2)^2 numbers of a tile
    packed   weights copied once into the order in which they are read
    piece    a part of a long sum, summed by itself; pieces are added in a fixed order

**Files that the versions share.**

    geometry.py       the sizes of one convolution as one struct, for cuda.py and cuda.cu
    cuda.py           blocks and threads of each CUDA version, and the table that registers them
    cases.py          the shapes that tests and benchmarks share
    and in rungs/
    shifted_tile.py   numba v2: the tile of sums in registers, written in LLVM's language
    channels.py       numba v3 to v5: from [N,C,H,W] to channels side by side and back
    microkernel.py    numba v3 to v5: product, transpose and transform, in LLVM's language
    winograd_tiles.py numba v4, v5: blocks of tiles through transform, product, transform
    product.cuh       cuda v2 to v7: each pass as a matrix product, and how tiles of it are loaded

From cuda v2 on, input_grad is one product for each remainder of a pixel modulo the stride, so that
no zero is multiplied; the long sum of weight_grad is cut into pieces that run at the same time and
are added up in a fixed order.

Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998; arithmetic
of shapes: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

import operator

from ..annotations import Lengths, Pair
from ..capacity import expect_planes_fit
from ..checks import pair, shape4
from ..doors import check_all
from ..errors import expect, expect_floats
from ..registry import dispatch
from ..windows import output_size

__all__ = ["forward", "input_grad", "output_shape", "weight_grad"]


def _options(function, stride, padding, dilation, groups):
    stride = pair(function, "stride", stride, 1)
    padding = pair(function, "padding", padding, 0)
    dilation = pair(function, "dilation", dilation, 1)
    groups = operator.index(groups)
    expect(groups >= 1, function, "groups must be >= 1", 1, groups)
    return stride, padding, dilation, groups


def _geometry(function, x_shape, w_shape, stride, padding, dilation, groups, /, **arrays):
    """Check the shapes against each other and return y's."""
    N, C, H, W = x_shape
    O, Cg, KH, KW = w_shape
    expect(min(C, O) >= 1, function, "there must be channels", "C, O >= 1", (C, O), **arrays)
    expect(min(KH, KW) >= 1, function, "w must have taps", "KH, KW >= 1", (KH, KW), **arrays)
    for name, channels in (("x.shape[1]", C), ("w.shape[0]", O)):
        must = f"groups must divide {name}"
        expect(channels % groups == 0, function, must, f"a divisor of {channels}", groups, **arrays)
    must = "w.shape[1] must equal x.shape[1]" + (" / groups" if groups > 1 else "")
    expect(Cg == C // groups, function, must, C // groups, Cg, **arrays)
    out = []
    for axis, size, k, s, p, d in zip(
        ("height", "width"), (H, W), (KH, KW), stride, padding, dilation
    ):
        span = d * (k - 1) + 1  # pixels from the first tap to the last
        must = f"the kernel's {axis} must fit into the padded input"
        expect(span <= size + 2 * p, function, must, f"<= {size + 2 * p}", span, **arrays)
        out.append(output_size(size, k, s, p, d))
    return N, O, *out


def output_shape(
    x_shape: Lengths,
    w_shape: Lengths,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
):
    """Shape [N,O,OH,OW] of `forward` for x [N,C,H,W] and w [O,C/G,KH,KW].

    >>> output_shape((8, 3, 32, 32), (16, 3, 5, 5), stride=2, padding=2)
    (8, 16, 16, 16)
    """
    options = _options("conv2d", stride, padding, dilation, groups)
    x_shape = shape4("conv2d", "x.shape", x_shape, "N,C,H,W")
    w_shape = shape4("conv2d", "w.shape", w_shape, "O,C/G,KH,KW")
    return _geometry("conv2d", x_shape, w_shape, *options, x_shape=x_shape, w_shape=w_shape)


def _expect_axes(function, letters, /, **arrays):
    for name, a in arrays.items():
        must = f"{name} must have the axes [{letters[name]}]"
        expect(a.ndim == 4, function, must, "4 axes", f"{a.ndim}", **arrays)


LETTERS = {"x": "N,C,H,W", "w": "O,C/G,KH,KW", "gy": "N,O,OH,OW"}


def forward(
    x,
    w,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
):
    """y[n,o,i,j] = sum of w[o,c,u,v] x[n,c,i*SH-PH+u*DH,j*SW-PW+v*DW]: x [N,C,H,W] to [N,O,OH,OW].

    w is [O,C/G,KH,KW]; `stride`, `padding` and `dilation` are ints or pairs, in pixels. Raises
    ShapeError or DTypeError when the arguments do not fit together. An infinity or NaN in x reaches
    the windows that see it; in float32, with 32 channels or more and a 3 x 3 kernel of stride 1,
    also the rest of their tiles, as NaN, and so it is in both gradients (cpu_v4_winograd.py).
    Source: LeCun et al., 1998.

    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> forward(x, np.ones((1, 1, 3, 3)), padding=1, stride=3)
    array([[[[10., 18.],
             [42., 50.]]]])
    """
    options = _options("conv2d", stride, padding, dilation, groups)
    expect_floats("conv2d", x=x, w=w)
    _expect_axes("conv2d", LETTERS, x=x, w=w)
    y_shape = _geometry("conv2d", x.shape, w.shape, *options, x=x, w=w)
    expect_planes_fit("conv2d", x.shape, y_shape, options[1], x=x, w=w)
    return dispatch("conv2d", "forward", x, w, *options)


def input_grad(
    gy,
    w,
    x_shape: Lengths,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
):
    """gx [N,C,H,W] of `forward`: every gy [N,O,OH,OW] flows back through each tap it came from.

    Also the transposed convolution of gy by w, where `x_shape` settles the size that a stride
    leaves open. Raises ShapeError when gy is not the shape that x_shape and w give. Source:
    Dumoulin and Visin, 2016.

    >>> import numpy as np
    >>> input_grad(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), (1, 1, 3, 3))
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    name = "conv2d.input_grad"
    options = _options(name, stride, padding, dilation, groups)
    expect_floats(name, gy=gy, w=w)
    _expect_axes(name, LETTERS, gy=gy, w=w)
    x_shape = shape4(name, "x_shape", x_shape, "N,C,H,W")
    want = _geometry(name, x_shape, w.shape, *options, gy=gy, w=w, x_shape=x_shape)
    must = "gy.shape must be that of the output"
    expect(tuple(gy.shape) == want, name, must, want, gy.shape, gy=gy, w=w, x_shape=x_shape)
    expect_planes_fit(name, x_shape, want, options[1], gy=gy, w=w)
    return dispatch("conv2d", "input_grad", gy, w, x_shape, *options)


def weight_grad(
    gy,
    x,
    w_shape: Lengths,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
):
    """gw [O,C/G,KH,KW] of `forward`: each tap sums gy [N,O,OH,OW] times the x it met.

    Raises ShapeError when gy is not the shape that x and w_shape give. Source: LeCun et al., 1998.

    >>> import numpy as np
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> weight_grad(np.ones((1, 1, 2, 2)), x, (1, 1, 2, 2))
    array([[[[ 8., 12.],
             [20., 24.]]]])
    """
    name = "conv2d.weight_grad"
    options = _options(name, stride, padding, dilation, groups)
    expect_floats(name, gy=gy, x=x)
    _expect_axes(name, LETTERS, gy=gy, x=x)
    w_shape = shape4(name, "w_shape", w_shape, "O,C/G,KH,KW")
    want = _geometry(name, x.shape, w_shape, *options, gy=gy, x=x, w_shape=w_shape)
    must = "gy.shape must be that of the output"
    expect(tuple(gy.shape) == want, name, must, want, gy.shape, gy=gy, x=x, w_shape=w_shape)
    expect_planes_fit(name, x.shape, want, options[1], gy=gy, x=x)
    return dispatch("conv2d", "weight_grad", gy, x, w_shape, *options)


check_all(globals(), prefix="conv2d.")
