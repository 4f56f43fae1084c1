"""Kinds of arguments of the engine's functions, beyond those of kernels/annotations.py.

Both `Tensor` and `Like` accept what `as_tensor` accepts: a tensor, an array, a number, or
nested lists of numbers. `Like` says so to type checkers, too.
"""

from collections.abc import Mapping, Set
from typing import Annotated

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
_TENSOR = Kind("Tensor", "a tensor, an array or numbers", _tensor, "type({v}) in {k}.known", _KNOWN)
register(Tensor, _TENSOR)
Like = Annotated[Tensor | np.ndarray | float | list | tuple, _TENSOR]
SETTING = Kind("setting", "a constant", lambda v: v, "type({v}) is not {k}.look", look=Tensor)
