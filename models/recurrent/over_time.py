"""What a cell computes at each step of one sequence, for the pictures of gates."""

import numpy as np

from ... import core as gg


def over_time(step, state, x) -> dict:
    """{name: [T, H]} of what ``step(x_t, *state) -> (*state, named)`` computes on x [T, 1, I]."""
    found = {}
    with gg.no_grad():
        for t in range(x.shape[0]):
            *state, named = step(x[t], *state)
            for name, value in named.items():
                found.setdefault(name, []).append(value.numpy()[0])
    return {name: np.stack(values) for name, values in found.items()}
