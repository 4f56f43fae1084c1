"""Skip-gram in NumPy: the formulas, pair after pair."""

import numpy as np

from ..philox.reference import bits
from ..registry import register


def sigmoid(f):
    """1 / (1 + e^-f), without overflow on either side."""
    e = np.exp(-np.abs(f))
    return np.where(f < 0, e, e.dtype.type(1)) / (e.dtype.type(1) + e)


def softplus(f):
    """ln (1 + e^f) = -ln σ(-f), without overflow."""
    return np.maximum(f, f.dtype.type(0)) + np.log1p(np.exp(-np.abs(f)))


def targets(context, negative):
    """The words of a pair with their labels: the context 1, then the negatives 0."""
    yield context, 1
    for v in negative:
        if v not in (context, -1):
            yield v, 0


@register("skip_gram", "loss", backend="reference", idea="the formula, pair after pair")
def loss(w, c, centre, context, negative):
    """loss [N] (see `skip_gram.loss`)."""
    c, found = w if c is None else c, np.zeros(len(centre), w.dtype)
    for n, u in enumerate(centre):
        for t, label in targets(context[n], negative[n]):
            f = np.dot(w[u], c[t])
            found[n] += softplus(-f if label else f)
    return found


@register("skip_gram", "step", backend="reference", idea="the formula, pair after pair")
def step(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`)."""
    w, c = (a if a is None or in_place else np.array(a, order="C") for a in (w, c))
    out = w if c is None else c
    for n, u in enumerate(centre):
        x, e = w[u].copy(), np.zeros_like(w[u])
        for t, label in targets(context[n], negative[n]):
            g = rates[n] * (w.dtype.type(label) - sigmoid(np.dot(x, out[t])))
            e += g * out[t]
            out[t] += g * x
        w[u] += e
    return w, c


@register("skip_gram", "racing", backend="reference", idea="nobody to race with: as step")
def racing(w, c, centre, context, negative, rates, in_place):
    """w, c after all pairs (see `skip_gram.step`)."""
    return step(w, c, centre, context, negative, rates, in_place)


@register("skip_gram", "noise", backend="reference", idea="a column, then a height")
def noise(keep, other, count, each, seed, offset):
    """Words [count, each] (see `skip_gram.noise`)."""
    word = bits(seed, offset, 2 * count * each).astype(np.uint64).reshape(-1, 2)
    column = ((word[:, 0] * np.uint64(len(keep))) >> np.uint64(32)).astype(np.int64)
    own = word[:, 1].astype(np.int64) < keep[column]
    return np.where(own, column, other[column]).reshape(count, each)


@register("skip_gram", "outside", backend="reference", idea="the r-th of the missing words")
def outside(first, words, centre, each, seed, offset):
    """Words [N, each] (see `skip_gram.outside`)."""
    word = bits(seed, offset, len(centre) * each).reshape(len(centre), each)
    found, every = np.full(word.shape, -1), np.arange(len(first) - 1)
    for n, u in enumerate(centre):
        missing = np.setdiff1d(every, words[first[u] : first[u + 1]])
        for i in range(each if len(missing) else 0):
            found[n, i] = missing[int(word[n, i]) * len(missing) >> 32]
    return found
