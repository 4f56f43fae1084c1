"""Self-organising maps in NumPy: one sample at a time, as in the lectures."""

import numpy as np

from ..registry import register


def squared(x_n, w):
    """|x_n - w_m|^2 for every m."""
    return ((x_n - w) ** 2).sum(axis=1)


def first_smallest(d2):
    """The lowest index of the smallest number; NaN never is; 0 if there is nothing else."""
    return int((d2 == np.where(np.isnan(d2), np.inf, d2).min()).argmax())


def normalised(w):
    """Each row divided by its norm; a row of zeros stays."""
    norm = np.sqrt((w**2).sum(axis=1, keepdims=True))
    return w / np.where(norm == 0, 1, norm).astype(w.dtype)


@register("som", "distances", backend="reference", idea="differences, squared and summed")
def distances(x, w):
    """d2 [N, M] from x [N, D] and w [M, D], row by row."""
    d2 = np.empty((len(x), len(w)), x.dtype)
    for n in range(len(x)):
        d2[n] = squared(x[n], w)
    return d2


@register("som", "winners", backend="reference", idea="arg-min of a row of distances")
def winners(x, w):
    """winner [N] and its d2 [N] from x [N, D] and w [M, D]."""
    index, smallest = np.zeros(len(x), np.int64), np.empty(len(x), x.dtype)
    for n in range(len(x)):
        d2 = squared(x[n], w)
        index[n] = first_smallest(d2)
        smallest[n] = d2[index[n]]
    return index, smallest


@register("som", "update", backend="reference", idea="a sum over the samples")
def update(w, x, winner, neighbourhood, rate, rule):
    """The new w [M, D] from x [N, D], winner [N] and K [M, M]."""
    total = np.zeros(w.shape, w.dtype)
    for x_n, c in zip(x, winner):
        total += neighbourhood[c][:, None] * (x_n - w if rule == "difference" else x_n)
    new = w + w.dtype.type(rate) * total
    return normalised(new) if rule == "additive_normalised" else new


@register("som", "online", backend="reference", idea="the lecture's loop")
def online(w, x, table, schedule, rates, rule):
    """The new w [M, D], winner [N] and d2 [N], one sample of x [N, D] after another."""
    w = np.array(w, order="C")
    index, smallest = np.zeros(len(x), np.int64), np.empty(len(x), x.dtype)
    for n in range(len(x)):
        d2 = squared(x[n], w)
        c = index[n] = first_smallest(d2)
        smallest[n] = d2[c]
        h = rates[n] * table[schedule[n], c]
        moved = table[schedule[n], c] != 0
        w[moved] += h[moved, None] * (x[n] - w[moved] if rule == "difference" else x[n])
        if rule == "additive_normalised":
            w = normalised(w)
    return w, index, smallest
