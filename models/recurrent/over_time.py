"""What a cell computes at each step of one sequence, for the pictures of gates."""

import numpy as np

from ... import core as gg


def over_time(step, state, x) -> dict:
    """{name: [T, H]} of the values ``named`` by ``step(x_t, *state) -> (*state, named)`` on x."""
    found = {}
    with gg.no_grad():
        for t in range(x.shape[0]):
            *state, named = step(x[t], *state)
            for name, value in named.items():
                found.setdefault(name, []).append(value.numpy()[0])
    return {name: np.stack(values) for name, values in found.items()}


def memory(cell, weights, x, hidden: int) -> dict:
    """C and the gates of at most eight units, by name [T, 8], for a cell with states h and C."""

    def step(x, h, C):
        h, C, named = cell(x, h, C, *weights)
        return h, C, {"C": C, **named}

    zero = gg.zeros((1, hidden), x.dtype)
    return {name: v[:, :8] for name, v in over_time(step, (zero, zero), x).items()}
