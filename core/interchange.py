"""Tensors next to other libraries: NumPy's functions, DLPack, `format`, notebooks.

NumPy calls `array_function` for ``np.sum(t)``, ``np.concatenate([a, t])`` and the like. Where the
engine has the function it computes, and the result is on the tape; any other function gets the
values of constants as arrays, and refuses a tracked tensor, whose gradient would be lost. Operators
of NumPy's that are ufuncs (``np.exp(t)``) say that they do not take tensors.
"""

import inspect

import numpy as np

from ..kernels.errors import ArgumentError
from . import functions as F
from .arrays import is_array, module_for
from .as_html import tensor_html
from .creation import ones_like, zeros_like
from .tensor import Tensor, TensorError


def _sorted(function):
    """Sorting always keeps the order of ties: NumPy's `kind` and `stable` ask for no less."""
    return lambda a, axis=-1, kind=None, *, stable=None: function(a, axis)


def _size(a, axis=None):
    return a.size if axis is None else a.shape[axis]


NUMPY = {
    np.sum: F.sum, np.mean: F.mean, np.max: F.max, np.min: F.min, np.var: F.variance,
    np.argmax: F.argmax, np.clip: F.clip, np.where: F.where,
    np.concatenate: F.concatenate, np.stack: F.stack, np.reshape: F.reshape,
    np.transpose: F.transpose, np.squeeze: F.squeeze, np.expand_dims: F.expand_dims,
    np.broadcast_to: F.broadcast_to, np.swapaxes: F.swap_axes,
    np.prod: F.prod, np.cumsum: F.cumsum, np.cumprod: F.cumprod, np.any: F.any,
    np.all: F.all, np.argmin: F.argmin, np.sort: _sorted(F.sort),
    np.argsort: _sorted(F.argsort), np.round: F.round, np.around: F.round, np.tile: F.tile,
    np.repeat: F.repeat, np.roll: F.roll, np.flip: lambda m, axis=None: F.flip(m, axis),
    np.einsum: lambda text, *xs, optimize=True: F.einsum(text, *xs),
    np.zeros_like: zeros_like, np.ones_like: ones_like,
    np.shape: lambda a: a.shape, np.ndim: lambda a: a.ndim, np.size: _size,
}  # fmt: skip


def array_function(self, function, types, args, kwargs):
    """What NumPy calls for its functions of tensors (NEP 18).

    >>> import glassgrad as gg
    >>> t = gg.tensor([[1.0, 2.0]], requires_grad=True)
    >>> np.sum(t, axis=1)
    tensor([3.], from sum)
    """
    own = NUMPY.get(function)
    if own is not None:
        try:
            inspect.signature(own).bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(
                f"np.{function.__name__} of a tensor: {error}; for all that NumPy's takes use"
                " the array of t.numpy()"
            ) from None
        return own(*args, **kwargs)
    return function(*_as_arrays(args), **{k: _as_arrays(v) for k, v in kwargs.items()})


def _as_arrays(value):
    """Constants as arrays, also inside lists and tuples; TensorError for a tracked tensor."""
    if isinstance(value, Tensor):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        return type(value)(map(_as_arrays, value))
    return value


def dlpack(self, **options):
    """A capsule of DLPack that shares this tensor's memory: for ``torch.from_dlpack(t)``.

    Raises TensorError for a tracked tensor, whose gradient would be lost.
    """
    if self.requires_grad:
        raise TensorError(
            "__dlpack__: the gradient of a tracked tensor would be lost; take .detach() first"
        )
    return self.data.__dlpack__(**options)


def dlpack_device(self) -> tuple[int, int]:
    """DLPack's numbers of the kind of device and of the device: (1, 0) for the CPU."""
    return self.data.__dlpack_device__()


def from_dlpack(array, requires_grad: bool = False) -> Tensor:
    """A tensor that shares the memory of another library's array, on the CPU or a CUDA device.

    array  anything with ``__dlpack__``: an array of NumPy or CuPy, a tensor of PyTorch or JAX

    A change of one is seen in the other; `tensor` makes a copy. Raises TensorError for what has no
    ``__dlpack__``, DTypeError for a dtype that tensors do not have.

    >>> import glassgrad as gg
    >>> a = np.zeros(2, np.float32)
    >>> t = gg.from_dlpack(a)
    >>> a[0] = 1.0
    >>> t
    tensor([1., 0.])
    """
    if isinstance(array, Tensor) or not hasattr(array, "__dlpack_device__"):
        raise TensorError(f"from_dlpack: expected an array of another library, got {array!r:.60}")
    kind = int(array.__dlpack_device__()[0])
    if kind not in (1, 2, 3, 13):  # CPU, CUDA, CUDA's pinned and managed memory
        raise TensorError(f"from_dlpack: expected an array on the CPU or CUDA, got device {kind}")
    xp = np if kind in (1, 3) else module_for("cuda")
    found = array if is_array(array) else xp.from_dlpack(array)
    return Tensor(found, requires_grad)


def formatted(self, spec: str) -> str:
    """``f"{loss:.3f}"``: the format of the one number that a tensor holds; "" is `str`.

    Raises TensorError for a format of several numbers.
    """
    if not spec:
        return str(self)
    if self.size != 1:
        raise TensorError(f"format {spec!r}: expected one element, got {self.size}")
    return format(self.item(), spec)


Tensor.__array_function__ = array_function
Tensor.__dlpack__, Tensor.__dlpack_device__ = dlpack, dlpack_device
Tensor.__format__ = formatted
Tensor._repr_html_ = tensor_html
