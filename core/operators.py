"""Python's operators and the methods of `Tensor`, each an existing differentiable function."""

import numpy as np

from ..kernels.doors import checked
from ..kernels.errors import DTypeError, ShapeError, ValueRangeError, describe
from . import functions as F
from .tape import backward
from .tensor import Tensor, array_of, values_of


def _swapped(function):
    return lambda self, other: function(other, self)


def _reshape(self, *shape):
    return F.reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)


def _transpose(self, *axes):
    return F.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)


def _comparison(name):
    """Comparisons give plain boolean arrays: they have no derivative."""

    def compare(self, other):
        other = values_of(other)
        if isinstance(other, (list, tuple)):
            other = array_of(name.strip("_"), other)
        try:
            return getattr(self.data, name)(other)
        except TypeError as error:
            raise DTypeError(f"{name.strip('_')}: {error} {describe(x=self, y=other)}") from error
        except OverflowError as error:
            raise ValueRangeError(f"{name.strip('_')}: {error} {describe(x=self)}") from error
        except ValueError as error:
            shapes = f"{self.shape} and {np.shape(other)}"
            raise ShapeError(
                f"{name.strip('_')}: shapes must broadcast; expected lengths that are equal or 1,"
                f" counted from the last axis, got {shapes} {describe(x=self, y=other)}"
            ) from error

    return compare


def _backward(self, cotangent=None, *, create_graph: bool = False, accumulate: bool = False):
    """Set `.grad` of every leaf that this tensor depends on.

    Each call replaces `.grad`: calling it twice gives the same gradients, not their double;
    ``accumulate=True`` adds to them instead. A tensor that is not a scalar needs a `cotangent`
    of its shape.
    """
    backward(self, cotangent, create_graph=create_graph, accumulate=accumulate)


Tensor.__add__, Tensor.__radd__ = F.add, _swapped(F.add)
Tensor.__sub__, Tensor.__rsub__ = F.sub, _swapped(F.sub)
Tensor.__mul__, Tensor.__rmul__ = F.mul, _swapped(F.mul)
Tensor.__truediv__, Tensor.__rtruediv__ = F.div, _swapped(F.div)
Tensor.__floordiv__, Tensor.__rfloordiv__ = F.floor_divide, _swapped(F.floor_divide)
Tensor.__mod__, Tensor.__rmod__ = F.mod, _swapped(F.mod)
Tensor.__divmod__ = lambda self, other: (F.floor_divide(self, other), F.mod(self, other))
Tensor.__round__ = lambda self, decimals=None: F.round(self, decimals or 0)
Tensor.__floor__, Tensor.__ceil__ = F.floor, F.ceil
Tensor.__matmul__, Tensor.__rmatmul__ = F.matmul, _swapped(F.matmul)
Tensor.__pow__, Tensor.__rpow__ = F.power, _swapped(F.power)
Tensor.__neg__, Tensor.__abs__ = F.neg, F.absolute
Tensor.__getitem__ = F.getitem
for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
    setattr(Tensor, _name, _comparison(_name))
Tensor.__hash__ = object.__hash__
Tensor.T = property(lambda self: F.transpose(self))
for _name in (
    "sum", "mean", "max", "min", "norm", "variance", "exp", "log", "sqrt", "tanh", "sigmoid",
    "relu", "softmax", "log_softmax", "logsumexp", "clip", "flatten", "astype", "squeeze",
    "expand_dims", "broadcast_to", "argmax", "argmin", "argsort", "sort", "prod", "cumsum",
    "cumprod", "any", "all", "round", "repeat",
):  # fmt: skip
    setattr(Tensor, _name, getattr(F, _name))
Tensor.abs, Tensor.var, Tensor.swapaxes = F.absolute, F.variance, F.swap_axes  # NumPy's names


_methods = {"backward": _backward, "reshape": _reshape, "transpose": _transpose, "to": Tensor.to}
for _name, _method in _methods.items():
    _method.__name__, _method.__qualname__ = _name, f"Tensor.{_name}"
    setattr(Tensor, _name, checked(_method, f"Tensor.{_name}"))
