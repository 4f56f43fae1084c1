"""Convolution and its two gradients: three bilinear functions, closed under differentiation.

With y = w ∗ x (cross-correlation, kernels/conv2d), each of

    y  = forward(x, w)          gx = input_grad(gy, w)          gw = weight_grad(gy, x)

is linear in both arguments, and the derivative of each consists of the other two. So derivatives
of every order exist. `input_grad` is also the transposed convolution.
"""

import numpy as np

from ...kernels import conv2d as kernel
from ...kernels.annotations import Pair
from ...kernels.capacity import expect_fits
from ...kernels.errors import DTypeError, expect
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .shapes import expand_dims, pad, reshape, squeeze


@differentiable(
    x=lambda g, w, x_shape, stride, padding, dilation, groups: _input_grad(
        g, w, x_shape, stride, padding, dilation, groups
    ),
    w=lambda g, x, w_shape, stride, padding, dilation, groups: _weight_grad(
        g, x, w_shape, stride, padding, dilation, groups
    ),
    flops=lambda arrays, outs, settings: 2 * outs[0].size * arrays[1][0].size,
    name="conv2d",
)
def _forward(x, w, /, stride, padding, dilation, groups):
    """y = w ∗ x."""
    return kernel.forward(x, w, stride, padding, dilation, groups)


@differentiable(
    gy=lambda g, w, stride, padding, dilation, groups: _forward(
        g, w, stride, padding, dilation, groups
    ),
    w=lambda g, gy, w_shape, stride, padding, dilation, groups: _weight_grad(
        gy, g, w_shape, stride, padding, dilation, groups
    ),
    flops=lambda arrays, outs, settings: 2 * arrays[0].size * arrays[1][0].size,
    name="conv2d_input_grad",
)
def _input_grad(gy, w, /, shape, stride, padding, dilation, groups):
    """The x-gradient of <forward(x, w), gy>, for x of the given shape."""
    return kernel.input_grad(gy, w, shape, stride, padding, dilation, groups)


@differentiable(
    gy=lambda g, x, stride, padding, dilation, groups: _forward(
        x, g, stride, padding, dilation, groups
    ),
    x=lambda g, gy, x_shape, stride, padding, dilation, groups: _input_grad(
        gy, g, x_shape, stride, padding, dilation, groups
    ),
    flops=lambda arrays, outs, settings: 2 * arrays[0].size * outs[0][0].size,
    name="conv2d_weight_grad",
)
def _weight_grad(gy, x, /, shape, stride, padding, dilation, groups):
    """The w-gradient of <forward(x, w), gy>, for w of the given shape."""
    return kernel.weight_grad(gy, x, shape, stride, padding, dilation, groups)


def _two(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def _with_bias(function, y, b, channels):
    if b is None:
        return y
    b = as_tensor(b)
    expect(b.shape == (channels,), function, "b must have shape [O]", (channels,), b.shape, b=b)
    same = b.dtype == y.dtype
    expect(same, function, "b must have the dtype of x and w", y.dtype, b.dtype, DTypeError, b=b)
    return y + reshape(b, (channels, 1, 1))


def conv2d(
    x: Like,
    w: Like,
    b: Like | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of x [N, C, H, W] with w [O, C/groups, KH, KW], plus b [O].

    y[n,o,i,j] = b[o] + Σ_cab w[o,c,a,b] x[n, c, i·stride + a·dilation - padding, ...]

    Stride, padding and dilation are an int or a pair (vertical, horizontal).

    >>> import glassgrad as gg
    >>> gg.conv2d(gg.ones((1, 1, 3, 3)), gg.ones((1, 1, 2, 2)))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    x, w = as_tensor(x), as_tensor(w)
    y = _forward(x, w, _two(stride), _two(padding), _two(dilation), groups)
    return _with_bias("conv2d", y, b, w.shape[0])


def conv_transpose2d(
    x: Like,
    w: Like,
    b: Like | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
    output_padding: Pair = 0,
) -> Tensor:
    """Transposed convolution: the input gradient of conv2d, used as an upsampling layer.

    x [N, I, H, W], w [I, O/groups, KH, KW] -> [N, O, H', W'] with
    H' = (H - 1)·stride - 2·padding + dilation·(KH - 1) + output_padding + 1.

    `output_padding` adds rows and columns at the end, which the kernel may still reach. Raises
    ShapeError if shapes do not fit, or if output_padding is below neither stride nor dilation;
    MemoryLimitError if the output is larger than memory.

    >>> import glassgrad as gg
    >>> x, w = gg.ones((1, 1, 2, 2)), gg.ones((1, 1, 2, 2))
    >>> gg.conv_transpose2d(x, w, stride=2).shape
    (1, 1, 4, 4)
    """
    x, w, name = as_tensor(x), as_tensor(w), "conv_transpose2d"
    stride, padding, dilation = _two(stride), _two(padding), _two(dilation)
    extra = _two(output_padding)
    expect(x.ndim == 4, name, "x must have four axes", 4, x.ndim, x=x, w=w)
    expect(w.ndim == 4, name, "w must have four axes", 4, w.ndim, x=x, w=w)
    inputs, rows = x.shape[1], w.shape[0]
    expect(inputs == rows, name, "w.shape[0] must equal x.shape[1]", inputs, rows, x=x, w=w)
    expect(min(x.shape[2:]) > 0, name, "x must have pixels", "H, W ≥ 1", x.shape[2:], x=x, w=w)
    below = all(0 <= e < max(s, d) for e, s, d in zip(extra, stride, dilation))
    what = "output_padding must be below stride or dilation"
    expect(below, name, what, (stride, dilation), extra)
    size = [
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(x.shape[2:], stride, padding, dilation, w.shape[2:], extra)
    ]
    expect(min(size) >= 0, name, "padding must leave something", "H', W' ≥ 0", size, x=x, w=w)
    shape = (x.shape[0], w.shape[1] * groups, *size)
    expect_fits(name, "the output", shape, x.data, x=x, w=w)
    # With output_padding ≥ stride, the convolution of a plane this large has more rows than x:
    # fill them with zeros.
    more = [(0, e // s) for e, s in zip(extra, stride)]
    x = pad(x, ((0, 0), (0, 0), *more)) if max(more) > (0, 0) else x
    y = _input_grad(x, w, shape, stride, padding, dilation, groups)
    return _with_bias(name, y, b, shape[1])


def conv1d(
    x: Like,
    w: Like,
    b: Like | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """conv2d along one axis: x [N, C, L], w [O, C/groups, K] -> [N, O, L'].

    b [O]; stride, padding, dilation and groups are ints. Raises ShapeError.

    >>> import glassgrad as gg
    >>> gg.conv1d(gg.ones((1, 1, 4)), gg.ones((1, 1, 2)), stride=2)
    tensor([[[2., 2.]]])
    """
    x, w = as_tensor(x), as_tensor(w)
    expect(
        x.ndim == 3 and w.ndim == 3, "conv1d", "x and w must have three axes", 3, x.ndim, x=x, w=w
    )
    y = conv2d(
        expand_dims(x, 2), expand_dims(w, 2), b, (1, stride), (0, padding), (1, dilation), groups
    )
    return squeeze(y, 2)
