"""Cells and sequences of LSTM and GRU: the samples are the sequences of a batch, or the steps.

A version that runs all steps in one launch takes few sequences: only many steps make its arrays
large. Steps are independent samples where nothing is kept from one to the next: recurrent weights
of zero, and a gate that forgets everything. The weights' gradients are then "unknown", since they
depend on two steps at once.
"""

import numpy as np

from . import Large

UNITS, STEPS = 64, 4


def _gate(a):
    """Numbers in (0, 1)."""
    return 1 / (1 + np.exp(-a))


def _small(fill, *shape, seed):
    return fill(*shape, seed=seed, form=lambda a: a / UNITS**0.5)


def _states(fill, *shape, seed):
    return fill(*shape, seed=seed, form=np.tanh)


def _lstm_cell(fill, n):
    rows = n // (4 * UNITS)
    return fill(rows, 4 * UNITS), fill(rows, UNITS, seed=1)


def _lstm_cell_back(fill, n):
    rows = n // (4 * UNITS)
    h = rows, UNITS
    gates = fill(rows, 4 * UNITS, form=_gate)
    return fill(*h, seed=1), fill(*h, seed=2), gates, fill(*h, seed=3), fill(*h, seed=4)


def _gru_cell(variant):
    def make(fill, n):
        rows = n // (3 * UNITS)
        wide = rows, 3 * UNITS
        return fill(*wide), fill(*wide, seed=1), fill(rows, UNITS, seed=2), variant

    return make


def _gru_cell_back(variant):
    def make(fill, n):
        rows = n // (3 * UNITS)
        gates, ha = fill(rows, 3 * UNITS, form=_gate), fill(rows, 3 * UNITS, seed=1)
        return fill(rows, UNITS, seed=2), gates, ha, fill(rows, UNITS, seed=3), variant

    return make


def _lstm(peepholes):
    def make(fill, n):
        rows = n // (STEPS * 4 * UNITS)
        p = _small(fill, 3 * UNITS, UNITS, seed=4) if peepholes else None
        first = fill(rows, UNITS, seed=1), fill(rows, UNITS, seed=2)
        return fill(STEPS, rows, 4 * UNITS), *first, _small(fill, 4 * UNITS, UNITS, seed=3), p

    return make


def _lstm_back(peepholes):
    def make(fill, n):
        rows = n // (STEPS * 4 * UNITS)
        p = _small(fill, 3 * UNITS, UNITS, seed=4) if peepholes else None
        steps, first = (STEPS, rows, UNITS), (rows, UNITS)
        gates = fill(STEPS, rows, 4 * UNITS, form=_gate)
        states = _states(fill, *steps, seed=6), fill(*steps, seed=7)
        own = fill(*first, seed=1), fill(*first, seed=2), _small(fill, 4 * UNITS, UNITS, seed=3)
        return fill(*steps, seed=5), None, *states, gates, *own, p

    return make


def _gru(variant):
    def make(fill, n):
        rows = n // (STEPS * 3 * UNITS)
        wh = _small(fill, 3 * UNITS, UNITS, seed=2)
        first = fill(rows, UNITS, seed=1)
        return fill(STEPS, rows, 3 * UNITS), first, wh, fill(3 * UNITS, seed=3), variant

    return make


def _gru_back(variant):
    def make(fill, n):
        rows = n // (STEPS * 3 * UNITS)
        steps, wh = (STEPS, rows, UNITS), _small(fill, 3 * UNITS, UNITS, seed=2)
        gates = fill(STEPS, rows, 3 * UNITS, form=_gate)
        rest = fill(rows, UNITS, seed=1), wh, fill(3 * UNITS, seed=3), variant
        return fill(*steps, seed=5), _states(fill, *steps, seed=6), gates, *rest

    return make


LONG = 4 * UNITS * STEPS * 12  # the longest sums: over the steps of all windows
CALLS = [
    Large("lstm", "cell_forward", "rows", _lstm_cell, (0, 0), (0, 0, 0), bandwidth=True),
    Large("lstm", "cell_backward", "rows", _lstm_cell_back, (0,) * 5, (0, 0), bandwidth=True),
]
for _peepholes in (False, True):
    _name = "peepholes" if _peepholes else "sequences"
    CALLS += [
        Large("lstm", "sequence_forward", _name, _lstm(_peepholes), (1, 0, 0, None, None),
              (1, 1, 1), reduction=4 * UNITS),
        Large("lstm", "sequence_backward", _name, _lstm_back(_peepholes),
              (1, None, 1, 1, 1, 0, 0, None, None), (1, 0, 0, None, None), alone=(0,),
              reduction=LONG),
    ]  # fmt: skip
for _variant in ("lecture", "library"):
    CALLS += [
        Large("gru", "cell_forward", _variant, _gru_cell(_variant), (0, 0, 0, None), (0, 0),
              bandwidth=True),
        Large("gru", "cell_backward", _variant, _gru_cell_back(_variant), (0, 0, 0, 0, None),
              (0, 0, 0), bandwidth=True),
        Large("gru", "sequence_forward", _variant, _gru(_variant), (1, 0, None, None, None),
              (1, 1), reduction=4 * UNITS),
        Large("gru", "sequence_backward", _variant, _gru_back(_variant),
              (1, 1, 1, 0, None, None, None), (1, 0, None, None), alone=(0,), reduction=LONG),
    ]  # fmt: skip

# ---- many steps ----------------------------------------------------------------------------------

SHUT = 100.0  # a gate's argument: sigmoid is 0 or 1 to the last bit of a float32


def _batch(n):
    """(steps, sequences, units)."""
    sequences, units = (32, 128) if n > 1 << 20 else (2, 16)
    return n // (4 * sequences * units), sequences, units


def _set(a, gate, units, value):
    a[..., gate * units : (gate + 1) * units] = value


def _long_lstm(fill, n):
    steps, rows, units = _batch(n)
    xa, wh = fill(steps, rows, 4 * units), fill.xp.zeros((4 * units, units), "float32")
    _set(xa, 1, units, -SHUT)
    return xa, fill(rows, units, seed=1), fill(rows, units, seed=2), wh, None


def _long_lstm_back(fill, n):
    steps, rows, units = _batch(n)
    _, h0, c0, wh, _ = _long_lstm(fill, n)
    gates = fill(steps, rows, 4 * units, form=_gate)
    _set(gates, 1, units, 0)
    states = steps, rows, units
    hs, cs = _states(fill, *states, seed=6), fill(*states, seed=7)
    return fill(*states, seed=5), None, hs, cs, gates, h0, c0, wh, None


def _long_gru(variant):
    def make(fill, n):
        steps, rows, units = _batch(n)
        xa, wh = fill(steps, rows, 3 * units), fill.xp.zeros((3 * units, units), "float32")
        _set(xa, 1, units, SHUT if variant == "lecture" else -SHUT)
        return xa, fill(rows, units, seed=1), wh, fill(3 * units, seed=3), variant

    return make


def _long_gru_back(variant):
    def make(fill, n):
        steps, rows, units = _batch(n)
        _, h0, wh, bh, _ = _long_gru(variant)(fill, n)
        gates = fill(steps, rows, 3 * units, form=_gate)
        _set(gates, 1, units, float(variant == "lecture"))
        states = steps, rows, units
        hs = _states(fill, *states, seed=6)
        return fill(*states, seed=5), hs, gates, h0, wh, bh, variant

    return make


MANY = frozenset({1, 2})  # versions with a launch a step, or more
LOST = "unknown"
CALLS += [
    Large("lstm", "sequence_forward", "many steps", _long_lstm, (0, *[None] * 4), (0, 0, 0),
          patient=MANY, reduction=4 * UNITS),
    Large("lstm", "sequence_backward", "many steps", _long_lstm_back,
          (0, None, 0, 0, 0, *[None] * 4), (0, None, None, LOST, LOST), patient=MANY,
          reduction=LONG),
]  # fmt: skip
for _variant in ("lecture", "library"):
    CALLS += [
        Large("gru", "sequence_forward", f"{_variant}, many steps", _long_gru(_variant),
              (0, *[None] * 4), (0, 0), patient=MANY, reduction=4 * UNITS),
        Large("gru", "sequence_backward", f"{_variant}, many steps", _long_gru_back(_variant),
              (0, 0, 0, *[None] * 4), (0, None, LOST, LOST), patient=MANY, reduction=LONG),
    ]  # fmt: skip
