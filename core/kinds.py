"""What the engine's functions take, beyond the kinds of kernels/annotations.py.

The annotation `Tensor` means what `as_tensor` takes: a tensor, an array, a number, or nested lists
of numbers, which reach the function as a tensor.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Annotated

import numpy as np

from ..kernels.annotations import Kind, register
from .arrays import is_array
from .tensor import Tensor, as_tensor


def _tensor(value):
    if is_array(value) or isinstance(value, bool | int | float | np.number | np.bool_):
        return value
    if isinstance(value, str | bytes | Mapping | Set) or value is None:
        raise TypeError
    return as_tensor(value)


def _tensors(value):
    """A tensor, or a list of nothing but tensors."""
    if isinstance(value, Tensor):
        return value
    found = list(value)
    if not all(isinstance(t, Tensor) for t in found):
        raise TypeError
    return found


register(
    Tensor,
    Kind("Tensor", "a tensor, an array or numbers", _tensor, "type({v}) in {k}.known",
         (Tensor, np.ndarray)),
)  # fmt: skip
SETTING = Kind("setting", "a constant", lambda v: v, "type({v}) is not {k}.look", look=Tensor)
Tensors = Annotated[
    Tensor | Iterable[Tensor], Kind("Tensors", "a tensor or a list of tensors", _tensors)
]
