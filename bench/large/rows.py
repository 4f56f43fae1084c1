"""Normalisation of and across channels, cross-entropy, rows of a table, steps of an optimiser."""

from ...kernels.descent.cases import together
from . import Large, some

WIDTH = 1024  # of a row
LENGTH = 256  # of a channel, in each of two samples
TABLE = 100  # rows that others are picked from, and added to


def _channels(n):
    return 2, n // (2 * LENGTH), LENGTH


def _batchnorm(fill, n):
    shape = _channels(n)
    return fill(*shape), fill(shape[1], seed=1), fill(shape[1], seed=2), 0.01


def _batchnorm_back(fill, n):
    shape = _channels(n)
    mean, variance = fill(shape[1], seed=3), fill(shape[1], seed=4, form=some)
    return fill(*shape), fill(*shape, seed=1), fill(shape[1], seed=2), mean, variance, 0.01


def _across(fill, n):
    return fill(n // 1024, 16, 64), 5, 2.0, 1e-2, 0.75


def _across_back(fill, n):
    shape = n // 1024, 16, 64
    return fill(*shape), fill(*shape, seed=1), fill(*shape, seed=2, form=some), 5, 1e-2, 0.75


def _examples(fill, n, names):
    b = n // 1024
    shapes = {"q": (b, 8, 32), "k": (b, 16, 32), "v": (b, 16, 64), "lse": (b, 8)}
    shapes |= {"o": (b, 8, 64), "go": (b, 8, 64)}
    return [fill(*shapes[key], seed=i) for i, key in enumerate(names.split())]


def _attention(fill, n):
    arrays = _examples(fill, n, "q k v")
    return *arrays, fill.xp.full(len(arrays[0]), 13, "int64"), 0.2, False


def _attention_back(fill, n):
    *arrays, lse = _examples(fill, n, "go q k v o lse")
    lse += 3
    return *arrays, lse, fill.xp.full(len(lse), 13, "int64"), 0.2, False


def _logits(fill, n):
    rows = n // WIDTH
    return fill(rows, WIDTH), fill.xp.arange(rows) * 7 % WIDTH


def _logits_back(fill, n):
    z, label = _logits(fill, n)
    return fill(len(z), seed=1), z, label, fill(len(z), seed=2, form=lambda a: 7.5 + a / 8)


def _places(fill, rows):
    return fill.xp.arange(rows) * 7 % TABLE


def _gather(fill, n):
    return fill(TABLE, WIDTH), _places(fill, n // WIDTH)


def _scatter_add(fill, n):
    return fill(n // WIDTH, WIDTH), _places(fill, n // WIDTH), TABLE


def _descent(rule, slots, *numbers):
    """`slots` are "any", "square": never negative, or "small": less than the squares' roots."""

    def make(fill, n):
        forms = {"any": lambda a: a, "square": some, "small": lambda a: a / 8}
        own = [fill(n, seed=2 + i, form=forms[s]) for i, s in enumerate(slots)]
        return fill(n), fill(n, seed=1), *own, *together(rule, numbers), True

    return make


RULES = {
    "sgd": (("any",), 0.1, 0.9, False, 0.2),
    "adagrad": (("square",), 0.3, 0.01, 0.1),
    "adadelta": (("square", "square"), 0.5, 0.7, 1e-3, 0.1),
    "rmsprop": (("square", "small", "any"), 0.02, 0.9, 0.1, 0.5, 0.0),
    "adam": (("any", "square", "square"), 0.1, 1.5, 0.5, 0.9, 1e-3, 0.97, 0.0),
}
CALLS = [
    Large("batchnorm", "forward", "channels", _batchnorm, (1, 0, 0, None), (1, 0, 0),
          reduction=2 * LENGTH, floor=1.0, bandwidth=True),
    Large("batchnorm", "backward", "channels", _batchnorm_back, (1, 1, 0, 0, 0, None), (1, 0, 0),
          reduction=2 * LENGTH, floor=1.0, bandwidth=True),
    Large("attention", "forward", "examples", _attention, (0, 0, 0, 0, None, None), (0, 0),
          reduction=64, floor=1.0),
    Large("attention", "backward", "examples", _attention_back, (0,) * 7 + (None, None), (0, 0, 0),
          reduction=128, floor=1.0),
    Large("lrn", "forward", "images", _across, (0, None, None, None, None), (0, 0),
          reduction=16, bandwidth=True),
    Large("lrn", "backward", "images", _across_back, (0, 0, 0, None, None, None), (0,),
          reduction=16, floor=1.0, bandwidth=True),
    Large("cross_entropy", "forward", "rows", _logits, (0, 0), (0, 0), reduction=WIDTH, floor=1.0,
          bandwidth=True),
    Large("cross_entropy", "backward", "rows", _logits_back, (0, 0, 0, 0), (0,), bandwidth=True),
    Large("embedding", "gather", "rows", _gather, (None, 0), (0,), bandwidth=True),
    Large("embedding", "scatter_add", "rows", _scatter_add, (0, 0, None), (None,), alone=(0,),
          reduction=12),
]  # fmt: skip
for _rule, (_slots, *_numbers) in RULES.items():
    _others = 1 + len(together(_rule, _numbers))  # arguments that are no arrays
    CALLS.append(
        Large("descent", _rule, "a vector", _descent(_rule, _slots, *_numbers),
              (0,) * (2 + len(_slots)) + (None,) * _others, (0,) * (1 + len(_slots)),
              window=4096, reduction=4, in_place=True, bandwidth=True)
    )  # fmt: skip
