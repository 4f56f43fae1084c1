"""Validation of state dicts: names must be strings, values numbers.

Modules, optimisers and schedules share it in `load_state_dict`. A state comes from a file or from
another program, so nothing about it is assumed.
"""

import math
from typing import Annotated

import numpy as np

from ...kernels.annotations import Kind
from ...kernels.errors import GlassgradError, shown
from ..arrays import is_array, to_numpy
from ..tensor import values_of

State = Annotated[dict, Kind("State", "a dictionary", lambda v: v)]  # `as_state` checks its items


class StateError(GlassgradError, ValueError):
    """A state dict does not fit the module or the optimiser that it is loaded into."""


def as_state(function: str, state) -> dict:
    """A copy of a state dict; StateError if it is not a dictionary, or a key is not a string."""
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
    """Every value as a NumPy array; StateError if one cannot be."""
    found = {}
    for name, value in state.items():
        if isinstance(value, dict) and value:
            raise StateError(
                f"load_state_dict: {name} of {function} is a dictionary, not an array; of a"
                f" checkpoint that holds more than weights, load state[{name!r}];"
                " nothing was loaded"
            )
        try:
            found[name] = to_numpy(values_of(value))
        except (GlassgradError, ValueError, TypeError) as error:
            raise StateError(
                f"load_state_dict: {name} of {function} is not an array: {error};"
                " nothing was loaded"
            ) from None
    return found


def _is_huge(value) -> bool:
    return isinstance(value, int) and value.bit_length() > 1000


def _scalar(value):
    """The number in an array without axes, which is how a file of arrays stores it."""
    return value.item() if is_array(value) and value.ndim == 0 else value


def is_number(value) -> bool:
    """True for a number that a float can hold, including NaN and infinity; not for booleans.

    >>> is_number(np.array(2)), is_number(True), is_number(10**400)
    (True, False, False)
    """
    value = _scalar(value)
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, bool) and not _is_huge(value)


def is_rate(value) -> bool:
    """True for a finite number of at least 0."""
    return is_number(value) and 0 <= _scalar(value) < math.inf


def is_count(value, least: int = 0) -> bool:
    """True for a whole number of at least `least` that a float holds exactly."""
    value = _scalar(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and least <= value <= 2**53
