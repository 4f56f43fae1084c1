"""State dicts, before anything of them is set: names that are strings, values that are numbers.

What `load_state_dict` of modules, optimisers and schedules share. A state comes out of a file or
from another program: nothing about it is taken for granted.
"""

import math
from typing import Annotated

import numpy as np

from ...kernels.annotations import Kind
from ...kernels.errors import GlassgradError, shown
from ..arrays import is_array, to_numpy
from ..tensor import values_of

State = Annotated[dict, Kind("State", "a dictionary", lambda v: v)]  # `as_state` looks at it


class StateError(GlassgradError, ValueError):
    """A state dict does not fit the module or the optimiser that it is loaded into."""


def as_state(function: str, state) -> dict:
    """A state dict as a dictionary of our own; StateError if it is none, or a key is no name."""
    if not hasattr(state, "keys") or not hasattr(state, "__getitem__"):
        raise StateError(
            f"load_state_dict: expected a dictionary of values by name for {function}, got"
            f" {type(state).__name__}; nothing was loaded"
        )
    state = {key: state[key] for key in state}
    for key in state:
        if not isinstance(key, str):
            raise StateError(
                f"load_state_dict: the names of {function} must be strings; got {shown(key)};"
                " nothing was loaded"
            )
    return state


def arrays_of(function: str, state: dict) -> dict:
    """Every value as a NumPy array; StateError for what is none."""
    found = {}
    for name, value in state.items():
        try:
            found[name] = to_numpy(values_of(value))
        except (GlassgradError, ValueError, TypeError) as error:
            raise StateError(
                f"load_state_dict: {name} of {function} is no array: {error}; nothing was loaded"
            ) from None
    return found


def _is_huge(value) -> bool:
    return isinstance(value, int) and value.bit_length() > 1000


def _scalar(value):
    """A number out of a file of arrays, where it is an array without axes."""
    return value.item() if is_array(value) and value.ndim == 0 else value


def is_number(value) -> bool:
    """A number that a float holds, NaN and infinity among them; no truth value.

    >>> is_number(np.array(2)), is_number(True), is_number(10**400)
    (True, False, False)
    """
    value = _scalar(value)
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, bool) and not _is_huge(value)


def is_rate(value) -> bool:
    """A finite number of at least 0."""
    return is_number(value) and 0 <= _scalar(value) < math.inf


def is_count(value, least: int = 0) -> bool:
    """A whole number of at least `least` that a float holds exactly."""
    value = _scalar(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and least <= value <= 2**53
