"""Pooling. Max-pooling selects elements. Its derivative adds the gradient at the winners' places,
and the derivative of that picks these places again, for any order.
"""

from ...kernels import pool2d as kernel
from ...kernels.annotations import Pair
from ..differentiable import differentiable, moves
from ..tensor import Tensor
from .convolution import _two


@differentiable(x=lambda g, index, shape: _max_gather(g, index=index), name="max_pool2d_backward")
def _max_backward(x, /, index, shape):
    """Zeros of `shape` with x added at the winners' places."""
    return kernel.max_backward(x, index, shape)


@differentiable(
    x=lambda g, index, x_shape: _max_backward(g, index=index, shape=x_shape),
    name="max_pool2d_gather",
    flops=moves,
)
def _max_gather(x, /, index):
    """x at the winners' places."""
    return kernel.max_gather(x, index)


@differentiable(
    x=lambda g, out, x_shape: _max_backward(g[0], index=out[1].data, shape=x_shape),
    piecewise=True,
    name="max_pool2d",
)
def _max_forward(x, /, kernel_size, stride, padding):
    """(the largest element of each window, its flat place in the plane)."""
    return kernel.max_forward(x, kernel_size, stride, padding)


@differentiable(
    x=lambda g, x_shape, kernel_size, stride, padding: _avg_backward(
        g, x_shape, kernel_size, stride, padding
    ),
    name="avg_pool2d",
)
def _avg_forward(x, /, kernel_size, stride, padding):
    """The mean of each window."""
    return kernel.avg_forward(x, kernel_size, stride, padding)


@differentiable(
    x=lambda g, kernel_size, stride, padding: _avg_forward(g, kernel_size, stride, padding),
    name="avg_pool2d_backward",
)
def _avg_backward(x, /, shape, kernel_size, stride, padding):
    """The transpose of the mean over windows."""
    return kernel.avg_backward(x, shape, kernel_size, stride, padding)


def max_pool2d(
    x: Tensor, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0
) -> Tensor:
    """The largest element of each window of x [N, C, H, W]; ties go to the lowest index.

    `stride` is the window by default (lecture: no overlap); a smaller one makes windows overlap.

    >>> import glassgrad as gg
    >>> gg.max_pool2d(gg.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2)
    tensor([[[[4.]]]])
    """
    size = _two(kernel_size)
    return _max_forward(x, size, size if stride is None else _two(stride), _two(padding))[0]


def avg_pool2d(
    x: Tensor, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0
) -> Tensor:
    """The mean of each window of x [N, C, H, W]; padding counts as zeros.

    Raises ShapeError for windows that do not fit.

    >>> import glassgrad as gg
    >>> gg.avg_pool2d(gg.tensor([[[[1.0, 2.0], [4.0, 5.0]]]]), 2)
    tensor([[[[3.]]]])
    """
    size = _two(kernel_size)
    return _avg_forward(x, size, size if stride is None else _two(stride), _two(padding))
