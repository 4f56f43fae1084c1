"""What the engine's functions take, beyond the kinds of kernels/annotations.py.

The annotation `Tensor` means what `as_tensor` takes: a tensor, an array, a number, or nested lists
of numbers, which reach the function as a tensor.
"""

from collections.abc import Mapping, Set

import numpy as np

from ..kernels.annotations import Kind, register
from .arrays import is_array
from .tensor import Tensor, as_tensor


def _tensor(value):
    if is_array(value) or isinstance(value, np.generic):
        return value
    if isinstance(value, str | bytes | Mapping | Set) or value is None:
        raise TypeError
    return as_tensor(value)


register(
    Tensor,
    Kind("Tensor", "a tensor, an array or numbers", _tensor, "type({v}) in {k}.known",
         (Tensor, np.ndarray)),
)  # fmt: skip
SETTING = Kind("setting", "a constant", lambda v: v, "type({v}) is not {k}.look", look=Tensor)
