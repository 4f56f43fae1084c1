"""Matrix products, left to BLAS (kernels/product.py) and cuBLAS."""

import math

from ...kernels.errors import expect
from ...kernels.product import product
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .shapes import expand_dims, squeeze, sum_to, swap_axes


def _flops(arrays, outs, settings):
    return 2 * outs[0].size * arrays[0].shape[-1]


@differentiable(
    x=lambda g, y, x_shape: sum_to(_product(g, swap_axes(y, -1, -2)), x_shape),
    y=lambda g, x, y_shape: _y_gradient(g, x, y_shape),
    elementwise=True,
    flops=_flops,
    name="matmul",
)
def _product(x, y, /):
    """[..., M, K] @ [..., K, N] -> [..., M, N].  gx = g yᵀ, gy = xᵀ g."""
    return product(x, y)


def _y_gradient(g, x, y_shape):
    if len(y_shape) == 2 and x.ndim > 2:  # one matrix product over all leading axes
        return _product(swap_axes(_rows(x), 0, 1), _rows(g))
    return sum_to(_product(swap_axes(x, -1, -2), g), y_shape)


def matmul(x: Like, y: Like) -> Tensor:
    """The matrix product x @ y, with NumPy's rules for vectors and for leading axes.

    >>> import glassgrad as gg
    >>> gg.matmul(gg.tensor([[1.0, 2.0]]), gg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    x, y = as_tensor(x), as_tensor(y)
    expect(x.ndim > 0 and y.ndim > 0, "matmul", "both must have an axis", "≥ 1", 0, x=x, y=y)
    last, inner = x.shape[-1], y.shape[-2] if y.ndim > 1 else y.shape[0]
    what = "x's last axis must equal y's last but one"
    expect(last == inner, "matmul", what, last, inner, x=x, y=y)
    a, b, what = x.shape[:-2], y.shape[:-2], "the axes before the last two must broadcast"
    fits = all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1]))
    expect(fits, "matmul", what, a, b, x=x, y=y)
    left, right = x.ndim == 1, y.ndim == 1
    x = expand_dims(x, 0) if left else x
    y = expand_dims(y, 1) if right else y
    z = _product(x, y)
    z = squeeze(z, -1) if right else z
    return squeeze(z, -1 if right else -2) if left else z


def _rows(x):
    """All axes but the last merged into one: a matrix, from a tensor or an array."""
    # not -1: next to a last axis of length 0 that is ambiguous
    return x if x.ndim == 2 else x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


@differentiable(
    x=lambda g, w: _product(g, w),
    w=lambda g, x: _product(swap_axes(_rows(g), 0, 1), _rows(x)),
    b=lambda g, b_shape: sum_to(g, b_shape),
    elementwise=True,
    flops=_flops,
    name="linear",
)
def _linear(x, w, b=None, /):
    """x wᵀ + b.  gx = g w, gw = gᵀ x, gb = Σ g."""
    y = product(_rows(x), w.T)
    if b is not None:
        y += b
    return y.reshape(*x.shape[:-1], len(w))


def linear(x: Like, w: Like, b: Like | None = None) -> Tensor:
    """x wᵀ + b for x [..., I], w [O, I], b [O]: the layer of a perceptron.

    >>> import glassgrad as gg
    >>> gg.linear(gg.tensor([[1.0, 2.0]]), gg.tensor([[3.0, 4.0]]), gg.tensor([0.5]))
    tensor([[11.5]])
    """
    x, w, b = expect_linear("linear", x, w, b)
    if x.ndim == 1:
        return squeeze(_linear(expand_dims(x, 0), w, b), 0)
    return _linear(x, w, b)


def expect_linear(function: str, x, w, b) -> tuple[Tensor, Tensor, Tensor | None]:
    """All three as tensors, or an error: x [..., I], w [O, I], b [O] or None."""
    x, w = as_tensor(x), as_tensor(w)
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[1]:
        expect(w.ndim == 2, function, "w must have two axes [O, I]", 2, w.ndim, x=x, w=w)
        what = "x's last axis must equal w.shape[1]"
        expect(False, function, what, w.shape[1], x.shape[-1:], x=x, w=w)
    if b is not None:
        b = as_tensor(b)
        if b.shape != w.shape[:1]:
            expect(False, function, "b must have shape [O]", w.shape[:1], b.shape, w=w, b=b)
    return x, w, b
