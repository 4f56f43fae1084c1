"""Every pass as a large call; see large.py. `n` is the number of elements of the largest array."""

import numpy as np

from ..kernels import pool2d
from .large import Large

SEED = 7
PLANE = (2, 32, 32)  # channels, rows and columns of a sample's image
WIDTH = 1024
UNITS, STEPS = 64, 4
NODES, FEATURES = 32, 1 << 15  # few nodes, long rows: every version has enough to do


def _gate(a):
    """Numbers in (0, 1)."""
    return 1 / (1 + np.exp(-a))


def _some(a):
    """Not negative, and off zero."""
    return a * a + 0.5


def _at(k):
    """The stream's offset, argument k, moved on to where a window starts."""

    def moved(given, start):
        length = np.prod(given[0].shape[1:], dtype=int)  # numbers of a sample, if not one
        return [*given[:k], given[k] + start * int(length) // 4, *given[k + 1 :]]

    return moved


# ---- streams -------------------------------------------------------------------------------------


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


STREAMS = [
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

# ---- images --------------------------------------------------------------------------------------

CONV = (1, 1), (1, 1), (1, 1), 1
WINDOWS = {"2x2": ((2, 2), (2, 2), (0, 0)), "3x3 overlapping": ((3, 3), (2, 2), (1, 1))}


def _images(n):
    return n // int(np.prod(PLANE)), *PLANE


def _weights(fill):
    return fill(2, PLANE[0], 3, 3, seed=9)


def _conv(fill, n):
    return fill(*_images(n)), _weights(fill), *CONV


def _conv_back(fill, n):
    return fill(*_images(n)), _weights(fill), _images(n), *CONV


def _conv_weights(fill, n):
    return fill(*_images(n)), fill(*_images(n), seed=1), (2, PLANE[0], 3, 3), *CONV


def _pool(options):
    def make(fill, n):
        return fill(*_images(n)), *options

    return make


def _pool_back(options, gather=False):
    """The indices of one image, in all of them."""

    def make(fill, n):
        from ..kernels.pool2d.reference import max_forward

        x_shape = _images(n)
        y_shape = pool2d.output_shape(x_shape, *options)
        _, one = max_forward(np.random.default_rng(4).standard_normal((1, *PLANE)), *options)
        index = fill.xp.empty(y_shape, "int64")
        index[...] = fill.xp.asarray(one)
        return (fill(*x_shape), index) if gather else (fill(*y_shape), index, x_shape)

    return make


def _average_back(options):
    def make(fill, n):
        x_shape = _images(n)
        return fill(*pool2d.output_shape(x_shape, *options)), x_shape, *options

    return make


FREE = (None,) * 3
IMAGES = [
    Large("conv2d", "forward", "3x3", _conv, (0, *[None] * 5), (0,), reduction=18),
    Large("conv2d", "input_grad", "3x3", _conv_back, (0, None, "shape", *[None] * 4), (0,),
          reduction=18),
    Large("conv2d", "weight_grad", "3x3", _conv_weights, (0, 0, *[None] * 5), (None,), alone=(0,),
          reduction=12 * 1024),
]  # fmt: skip
for _name, _options in WINDOWS.items():
    IMAGES += [
        Large("pool2d", "max_forward", _name, _pool(_options), (0, *FREE), (0, 0), bandwidth=True),
        Large("pool2d", "max_backward", _name, _pool_back(_options), (0, 0, "shape"), (0,),
              reduction=9, bandwidth=True),
        Large("pool2d", "max_gather", _name, _pool_back(_options, True), (0, 0), (0,),
              bandwidth=True),
        Large("pool2d", "avg_forward", _name, _pool(_options), (0, *FREE), (0,), reduction=9,
              bandwidth=True),
        Large("pool2d", "avg_backward", _name, _average_back(_options), (0, "shape", *FREE), (0,),
              reduction=9, bandwidth=True),
    ]  # fmt: skip

# ---- rows and numbers ----------------------------------------------------------------------------

LENGTH = 256  # of a channel, in each of two samples


def _channels(n):
    return 2, n // (2 * LENGTH), LENGTH


def _batchnorm(fill, n):
    shape = _channels(n)
    return fill(*shape), fill(shape[1], seed=1), fill(shape[1], seed=2), 0.01


def _batchnorm_back(fill, n):
    shape = _channels(n)
    mean, variance = fill(shape[1], seed=3), fill(shape[1], seed=4, form=_some)
    return fill(*shape), fill(*shape, seed=1), fill(shape[1], seed=2), mean, variance, 0.01


def _logits(fill, n):
    rows = n // WIDTH
    return fill(rows, WIDTH), fill.xp.arange(rows) * 7 % WIDTH


def _logits_back(fill, n):
    z, label = _logits(fill, n)
    return fill(len(z), seed=1), z, label, fill(len(z), seed=2, form=lambda a: 7.5 + a / 8)


def _descent(slots, *numbers):
    """`slots` are "any", "square": never negative, or "small": less than the squares' roots."""

    def make(fill, n):
        forms = {"any": lambda a: a, "square": _some, "small": lambda a: a / 8}
        own = [fill(n, seed=2 + i, form=forms[s]) for i, s in enumerate(slots)]
        return fill(n), fill(n, seed=1), *own, *numbers, True

    return make


RULES = {
    "sgd": (("any",), 0.1, 0.9, False, 0.2),
    "adagrad": (("square",), 0.3, 0.01, 0.1),
    "adadelta": (("square", "square"), 0.5, 0.7, 1e-3, 0.1),
    "rmsprop": (("square", "small", "any"), 0.02, 0.9, 0.1, 0.5, 0.0),
    "adam": (("any", "square", "square"), 0.1, 1.5, 0.5, 0.9, 1e-3, 0.97, 0.0),
}
ROWS = [
    Large("batchnorm", "forward", "channels", _batchnorm, (1, 0, 0, None), (1, 0, 0),
          reduction=2 * LENGTH, floor=1.0, bandwidth=True),
    Large("batchnorm", "backward", "channels", _batchnorm_back, (1, 1, 0, 0, 0, None), (1, 0, 0),
          reduction=2 * LENGTH, floor=1.0, bandwidth=True),
    Large("cross_entropy", "forward", "rows", _logits, (0, 0), (0, 0), reduction=WIDTH, floor=1.0,
          bandwidth=True),
    Large("cross_entropy", "backward", "rows", _logits_back, (0, 0, 0, 0), (0,), bandwidth=True),
]  # fmt: skip
for _rule, (_slots, *_numbers) in RULES.items():
    ROWS.append(
        Large("descent", _rule, "a vector", _descent(_slots, *_numbers),
              (0,) * (2 + len(_slots)) + (None,) * (len(_numbers) + 1), (0,) * (1 + len(_slots)),
              window=4096, reduction=4, bandwidth=True)
    )  # fmt: skip

# ---- recurrent -----------------------------------------------------------------------------------


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
RECURRENT = [
    Large("lstm", "cell_forward", "rows", _lstm_cell, (0, 0), (0, 0, 0), bandwidth=True),
    Large("lstm", "cell_backward", "rows", _lstm_cell_back, (0,) * 5, (0, 0), bandwidth=True),
]
for _peepholes in (False, True):
    _name = "peepholes" if _peepholes else "sequences"
    RECURRENT += [
        Large("lstm", "sequence_forward", _name, _lstm(_peepholes), (1, 0, 0, None, None),
              (1, 1, 1), reduction=4 * UNITS),
        Large("lstm", "sequence_backward", _name, _lstm_back(_peepholes),
              (1, None, 1, 1, 1, 0, 0, None, None), (1, 0, 0, None, None), alone=(0,),
              reduction=LONG),
    ]  # fmt: skip
for _variant in ("lecture", "library"):
    RECURRENT += [
        Large("gru", "cell_forward", _variant, _gru_cell(_variant), (0, 0, 0, None), (0, 0),
              bandwidth=True),
        Large("gru", "cell_backward", _variant, _gru_cell_back(_variant), (0, 0, 0, 0, None),
              (0, 0, 0), bandwidth=True),
        Large("gru", "sequence_forward", _variant, _gru(_variant), (1, 0, None, None, None),
              (1, 1), reduction=4 * UNITS),
        Large("gru", "sequence_backward", _variant, _gru_back(_variant),
              (1, 1, 1, 0, None, None, None), (1, 0, None, None), alone=(0,), reduction=LONG),
    ]  # fmt: skip

# ---- maps and NADE -------------------------------------------------------------------------------


def _features(n):
    """Long rows where n is large, so that versions with a thread a sample have not too many."""
    return min(FEATURES, max(NODES, n // 256))


def _nodes(fill, n):
    return fill(n // _features(n), _features(n)), fill(NODES, _features(n), seed=1)


def _distances(fill, n):
    nodes = 1000
    return fill(n // nodes, 33), fill(nodes, 33, seed=1)


def _update(rule):
    """All samples but those of the windows are won by a node that moves nobody."""

    def make(fill, n):
        x, w = _nodes(fill, n)
        winner = fill.xp.arange(len(x)) % (NODES - 1) + 1
        K = fill(NODES, NODES, seed=2)
        K[0] = 0
        return w, x, winner, K, 0.125, rule

    return make


def _online(fill, n):
    """Only samples of the windows move the map: the rate of all others is zero."""
    width = 3072 if n > 1 << 20 else 513
    w, x = fill(8, width, seed=1), fill(n // width, width)
    rates = fill(len(x), seed=2, form=lambda a: 0 * a + 0.25)
    return w, x, fill(1, 8, 8, seed=3), fill.xp.zeros(len(x), "int64"), rates, "difference"


def _nade(fill, n):
    x = fill(n // WIDTH, WIDTH, form=lambda a: a > 0.8)
    return x, _small(fill, WIDTH, 5, seed=1), fill(5, seed=2), _small(fill, WIDTH, 5, seed=3)


def _nade_forward(fill, n):
    return *_nade(fill, n), fill(WIDTH, seed=4)


def _nade_back(fill, n):
    return fill(n // WIDTH, WIDTH, seed=5), *_nade(fill, n)


OTHERS = [
    Large("som", "distances", "rows", _distances, (0, None), (0,), reduction=33),
    Large("som", "winners", "long rows", _nodes, (0, None), (0, 0), reduction=FEATURES),
    *(Large("som", "update", rule, _update(rule), (None, 0, 0, None, None, None), (None,),
            alone=(2,), reduction=12 * FEATURES)
      for rule in ("difference", "additive")),
    # in v1 a thread walks alone through what a node is to a sample
    Large("som", "online", "the last samples", _online, (None, 0, None, 0, 0, None), (None, 0, 0),
          alone=(4,), reduction=9216, patient=frozenset({1})),
    Large("nade", "forward", "rows", _nade_forward, (0, None, None, None, None), (0,),
          reduction=WIDTH),
    Large("nade", "input_grad", "rows", _nade_back, (0, 0, None, None, None), (0,),
          reduction=WIDTH),
    # in v1 a thread walks alone through all samples
    Large("nade", "weight_grad", "rows", _nade_back, (0, 0, None, None, None), (None,) * 3,
          alone=(0,), reduction=12 * WIDTH, patient=frozenset({1})),
]  # fmt: skip

CALLS = [*STREAMS, *IMAGES, *ROWS, *RECURRENT, *OTHERS]
