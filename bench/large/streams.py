"""Random streams, and what draws from them: a window starts further on in the stream."""

import numpy as np

from . import Large

SEED = 7
WIDTH = 1024  # of a row


def _at(k):
    """The stream's offset, argument k, moved on to where a window starts."""

    def moved(given, start):
        length = np.prod(given[0].shape[1:], dtype=int)  # numbers of a sample
        return [*given[:k], given[k] + start * int(length) // 4, *given[k + 1 :]]

    return moved


def _bits(fill, n):
    return SEED, 5, n


def _numbers(fill, n):
    return (n,), SEED, 5, "float32"


def _bits_at(given, start):
    return [given[0], given[1] + start // 4, given[2]]


def _numbers_at(given, start):
    return [*given[:2], given[2] + start // 4, given[3]]


def _dropout(fill, n):
    return fill(n), 0.3, SEED, 5


def _reparam(fill, n):
    rows = n // WIDTH
    return fill(rows, WIDTH), fill(rows, WIDTH, seed=1), SEED, 5


def _reparam_back(fill, n):
    rows = n // WIDTH
    mu, logvar, *stream = _reparam(fill, n)
    return fill(rows, WIDTH, seed=2), fill(rows, seed=3), mu, logvar, *stream


def _reparam_back_at(given, start):
    return [*given[:5], given[5] + start * WIDTH // 4]


CALLS = [
    Large("philox", "bits", "a vector", _bits, (None, None, "count"), (0,), moved=_bits_at,
          window=4096, bandwidth=True),
    *(Large("philox", pass_, "a vector", _numbers, ("shape", None, None, None), (0,),
            moved=_numbers_at, window=4096, bandwidth=True)
      for pass_ in ("uniform", "normal")),
    Large("dropout", "forward", "a vector", _dropout, (0, None, None, None), (0,), moved=_at(3),
          window=4096, bandwidth=True),
    Large("reparam", "forward", "rows", _reparam, (0, 0, None, None), (0, 0), moved=_at(3),
          reduction=WIDTH, bandwidth=True),
    Large("reparam", "backward", "rows", _reparam_back, (0, 0, 0, 0, None, None), (0, 0),
          moved=_reparam_back_at, bandwidth=True),
]  # fmt: skip
