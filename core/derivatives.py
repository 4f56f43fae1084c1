"""Full Jacobians and Hessian-vector products, built on `grad`."""

from collections.abc import Callable

from .kinds import Like
from .recording import recording
from .tape import grad
from .tensor import Tensor, TensorError, as_tensor, tensor


def _unit(shape, dtype, i, xp):
    e = xp.zeros(shape, dtype)
    e.reshape(-1)[i] = 1
    return e


def jacobian(f: Callable, x: Like, *, create_graph: bool = False) -> Tensor:
    """∂f(x)/∂x, of shape f(x).shape + x.shape: one backward pass for each output.

    x is a tensor or an array.

    >>> import glassgrad as gg
    >>> gg.jacobian(lambda x: x * x, gg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    from .functions import reshape, stack

    x = as_tensor(x)
    if x.edge is None:
        x = tensor(x, requires_grad=True, device=x.device)
    with recording(True):
        y = f(x)
        if y.edge is None:
            raise TensorError("jacobian: f(x) does not depend on x")
        rows = [
            grad(y, x, _unit(y.shape, y.dtype, i, y.xp), create_graph=create_graph, unused="zero")
            for i in range(y.size)
        ]
        if not rows:
            return Tensor(y.xp.zeros(y.shape + x.shape, x.dtype))
        j = reshape(stack(rows), y.shape + x.shape)
    return j if create_graph else j.detach()


def hvp(f: Callable, x: Like, v) -> Tensor:
    """The Hessian of the scalar f at x times v, without forming the Hessian: ∇(∇f(x)·v).

    >>> import glassgrad as gg
    >>> gg.hvp(lambda x: (x**3).sum(), gg.tensor([1.0, 2.0]), gg.tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """
    x = as_tensor(x)
    if x.edge is None:
        x = tensor(x, requires_grad=True, device=x.device)
    with recording(True):
        g = grad(f(x), x, create_graph=True)
    if g.edge is None:  # linear: the gradient is a constant
        return Tensor(x.xp.zeros_like(x.data))
    return grad(g, x, v, unused="zero")
