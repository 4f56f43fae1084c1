"""Kinds of arguments of the engine's functions, beyond those of kernels/annotations.py.

The annotation `Tensor` accepts what `as_tensor` accepts (a tensor, an array, a number, or nested
lists of numbers); the function receives a tensor.
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


_KNOWN = (Tensor, np.ndarray)
register(
    Tensor,
    Kind("Tensor", "a tensor, an array or numbers", _tensor, "type({v}) in {k}.known", _KNOWN),
)
SETTING = Kind("setting", "a constant", lambda v: v, "type({v}) is not {k}.look", look=Tensor)
