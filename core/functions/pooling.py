"""Pooling. Max-pooling selects elements. Its derivative adds the gradient at the winners' places,
and the derivative of that picks these places again, for any order.
"""

import math
from typing import Literal, overload

import numpy as np

from ...kernels import pool2d as kernel
from ...kernels.annotations import Pair
from ...kernels.capacity import expect_fits
from ...kernels.errors import expect
from ..differentiable import differentiable, moves
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .convolution import _two
from .shapes import expand_dims, pad, squeeze


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


def _overhang(x: Tensor, size: tuple, stride: tuple, padding: tuple) -> tuple[int, int]:
    """Pixels below and to the right that the last windows of `ceil_mode` need beyond the padding.

    Where a rest is left along an axis, one more window begins, but only in the image or in the
    padding before it: a window in nothing but padding would have no largest element.
    """
    more = []
    for n, k, s, p in zip(x.shape[-2:], size, stride, padding):
        last = -(-(n + 2 * p - k) // s)
        if last * s >= n + p:
            last -= 1
        more.append(max(0, last * s + k - n - 2 * p))
    return tuple(more)


def _windows(x, kernel_size, stride, padding, ceil_mode):
    """(kernel_size, stride, padding) as pairs, and the pixels that `ceil_mode` adds to x."""
    size = _two(kernel_size)
    stride, padding = size if stride is None else _two(stride), _two(padding)
    sound = min(*size, *stride) > 0 <= min(padding) and x.ndim == 4  # else the kernel says what is
    return size, stride, padding, _overhang(x, size, stride, padding) if ceil_mode and sound else ()


def _grown(name: str, x: Tensor, more: tuple, value: float) -> Tensor:
    grown = (*x.shape[:2], *(n + m for n, m in zip(x.shape[2:], more)))
    expect_fits(name, "x with the overhang", grown, x.data)
    return pad(x, ((0, 0), (0, 0), (0, more[0]), (0, more[1])), value)


@overload
def max_pool2d(
    x: Tensor,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    x: Tensor, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0,
    ceil_mode: bool = False, *, return_indices: Literal[True],
) -> tuple[Tensor, np.ndarray]: ...  # fmt: skip
def max_pool2d(
    x: Like,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, np.ndarray]:
    """The largest element of each window of x [N, C, H, W]; ties go to the lowest index.

    stride          the window by default (lecture: no overlap); a smaller one: windows overlap
    ceil_mode       rows and columns that are left over get a window of their own, which reaches
                    beyond the image
    return_indices  (y, index) are returned: element (r, s) of a plane, the largest of its window,
                    has the index r·W + s. A plain array of integers on x's device

    NaN is the largest. Raises ShapeError for windows that do not fit.

    >>> import glassgrad as gg
    >>> gg.max_pool2d(gg.tensor([[[[1.0, 2.0], [4.0, 3.0]]]]), 2, return_indices=True)
    (tensor([[[[4.]]]]), array([[[[2]]]]))
    """
    x = as_tensor(x)
    *options, more = _windows(x, kernel_size, stride, padding, ceil_mode)
    width = x.shape[-1] if x.ndim else 0
    if any(more):
        x = _grown("max_pool2d", x, more, -math.inf)
    y, index = _max_forward(x, *options)
    if not return_indices:
        return y
    index = index.data
    if any(more):  # as places of the plane without the overhang
        index = index // x.shape[-1] * width + index % x.shape[-1]
    return y, index


def _share(x: Tensor, size, stride, padding, more) -> np.ndarray:
    """KH KW over the elements of each window that lie in x or its padding, [OH, OW]."""
    factors = []
    for n, k, s, p, extra in zip(x.shape[-2:], size, stride, padding, more):
        start = np.arange(0, n + 2 * p + extra - k + 1, s)
        factors.append(k / (np.minimum(start + k, n + 2 * p) - start))
    return np.outer(*factors)


def avg_pool2d(
    x: Like,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """The mean of each window of x [N, C, H, W]; padding counts as zeros.

    stride     the window by default
    ceil_mode  rows and columns that are left over get a window of their own; what of it lies
               beyond the padding does not count

    Raises ShapeError for windows that do not fit.

    >>> import glassgrad as gg
    >>> gg.avg_pool2d(gg.tensor([[[[1.0, 2.0], [4.0, 5.0]]]]), 2)
    tensor([[[[3.]]]])
    """
    x = as_tensor(x)
    *options, more = _windows(x, kernel_size, stride, padding, ceil_mode)
    if not any(more):
        return _avg_forward(x, *options)
    share = x.xp.asarray(_share(x, *options, more).astype(x.dtype))
    return _avg_forward(_grown("avg_pool2d", x, more, 0.0), *options) * Tensor(share)


def _as_rows(name: str, x: Tensor) -> Tensor:
    """[N, C, L] as images of one row."""
    x = as_tensor(x)
    expect(x.ndim == 3, name, "x must be [N, C, L]", 3, x.ndim, x=x)
    return expand_dims(x, 2)


def _row(number: int | None, other: int) -> tuple[int, int] | None:
    return None if number is None else (other, number)


@overload
def max_pool1d(
    x: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    x: Tensor, kernel_size: int, stride: int | None = None, padding: int = 0,
    ceil_mode: bool = False, *, return_indices: Literal[True],
) -> tuple[Tensor, np.ndarray]: ...  # fmt: skip
def max_pool1d(
    x: Like,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, np.ndarray]:
    """The largest element of each window of x [N, C, L]; `max_pool2d` along one axis.

    >>> import glassgrad as gg
    >>> gg.max_pool1d(gg.tensor([[[1.0, 3.0, 2.0, 5.0, 4.0]]]), 2, ceil_mode=True)
    tensor([[[3., 5., 4.]]])
    """
    options = (1, kernel_size), _row(stride, 1), (0, padding), ceil_mode, True
    y, index = max_pool2d(_as_rows("max_pool1d", x), *options)
    y = squeeze(y, 2)
    return (y, index[:, :, 0]) if return_indices else y


def avg_pool1d(
    x: Like,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
) -> Tensor:
    """The mean of each window of x [N, C, L]; `avg_pool2d` along one axis.

    >>> import glassgrad as gg
    >>> gg.avg_pool1d(gg.tensor([[[1.0, 3.0, 2.0, 5.0]]]), 2)
    tensor([[[2. , 3.5]]])
    """
    options = (1, kernel_size), _row(stride, 1), (0, padding), ceil_mode
    return squeeze(avg_pool2d(_as_rows("avg_pool1d", x), *options), 2)
