"""Autoregressive conditionals, each passing its hidden units on to the next (kernels/nade)."""

from ...kernels import nade as kernel
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .activations import sigmoid
from .reductions import sum as sum_
from .shapes import stack


def _composed(x, w, c, v, b, /):
    a, logits = c, []
    for i in range(x.shape[1]):
        logits.append(b[i] + sum_(sigmoid(a) * v[i], axis=-1))
        a = a + x[:, i : i + 1] * w[i]
    if not logits:
        return x * 1
    logits[0] = logits[0] + x[:, 0] * 0  # not a function of x: broadcast to all rows
    return stack(logits, axis=1)


def _fused(g, x, w, c, v, needs):
    g, arrays = g.data, [t.data for t in (x, w, c, v)]
    gx = Tensor(kernel.input_grad(g, *arrays)) if needs[0] else None
    gw, gc, gv = map(Tensor, kernel.weight_grad(g, *arrays)) if any(needs[1:4]) else [None] * 3
    return gx, gw, gc, gv, Tensor(g.sum(axis=0))


def _flops(arrays, outs, settings):
    """A product with v and, at most, a step with w: 4 N D H."""
    return 4 * outs[0].shape[0] * arrays[1].size


@differentiable(vjp=_fused, composed=_composed, flops=_flops, name="nade")
def _nade(x, w, c, v, b, /):
    return kernel.forward(x, w, c, v, b)


def nade(x: Like, w: Like, c: Like, v: Like, b: Like) -> Tensor:
    """Logits y [N, D] of p(x_i = 1 | x_1 .. x_{i-1}) by NADE.

    y_i = b_i + v_i · σ(a_i),   a_1 = c,   a_{i+1} = a_i + x_i w_i

    x [N, D], w, v [D, H], c [H], b [D]. Raises ShapeError, DTypeError.
    (Larochelle & Murray 2011, algorithm 1; lecture 2 names it.)

    >>> import glassgrad as gg
    >>> x, w = gg.tensor([[1.0, 0.0]]), gg.ones((2, 1))
    >>> gg.nade(x, w, gg.zeros((1,)), w, gg.zeros((2,)))
    tensor([[0.5      , 0.7310586]])
    """
    return _nade(*map(as_tensor, (x, w, c, v, b)))
