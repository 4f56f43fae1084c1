"""Sparse products: rows, columns and entries of which no two have anything in common."""

import numpy as np

from . import Large
from .rows import TABLE, WIDTH

ROW = 4  # entries of a row of scores


def _forward(fill, n):
    """An entry in each row."""
    xp, rows = fill.xp, n // WIDTH
    return xp.arange(rows + 1), xp.arange(rows) * 7 % TABLE, fill(rows), fill(TABLE, WIDTH, seed=1)


def _transposed(fill, n):
    indptr, rows, values, g = _forward(fill, n)
    return indptr, rows, indptr[:-1].copy(), values, g


def _values_grad(fill, n):
    _, indices, _, x = _forward(fill, n)
    return fill.xp.arange(len(indices)), indices, fill(len(indices), WIDTH), x


def _softmax(fill, n):
    return fill.xp.arange(0, n // ROW * ROW + 1, ROW), fill(n // ROW * ROW)


def _forward_of_a_window(args, start):
    return np.arange(len(args[1]) + 1), *args[1:]


def _transposed_of_a_window(args, start):
    _, rows, place, *rest = args
    return np.arange(len(rows) + 1), rows, place - start, *rest


def _values_grad_of_a_window(args, start):
    return args[0] - start, *args[1:]


def _softmax_of_a_window(args, start):
    return np.arange(0, len(args[1]) + 1, ROW), args[1]


CALLS = [
    Large("spmm", "forward", "rows", _forward, (None, 0, 0, None), (0,),
          moved=_forward_of_a_window),
    Large("spmm", "transposed", "columns", _transposed, (None, 0, 0, 0, None), (0,),
          moved=_transposed_of_a_window),
    Large("spmm", "values_grad", "entries", _values_grad, (0, 0, 0, None), (0,),
          moved=_values_grad_of_a_window, reduction=WIDTH, floor=1.0),
    Large("spmm", "softmax", "rows", _softmax, (None, 0), (0,), moved=_softmax_of_a_window,
          window=ROW, reduction=ROW),
]  # fmt: skip
