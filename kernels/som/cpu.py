"""Self-organising maps on the CPU: the formula of each pass as plain loops, compiled (version 1).

Samples do not depend on each other in `distances` and `winners`, nor nodes in `update`, so each
thread gets a part of them. `online` is one thread: a sample needs the weights that the one before
it left.

Every difference waits until the one before it is added, and `update` takes each sample to each
node although a sample matters only through its winner. That is what the rungs improve on:

    v2   distances, winners   32 nodes side by side in registers      rungs/cpu_v2_lanes.py
         online               the same, for the whole run             rungs/cpu_v2_online.py
         update               a sum for each winner, then a product   rungs/cpu_v2_per_winner.py
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from ..threads import PRODUCTS, in_parts, parts_for
from .rungs import cpu_v2_lanes, cpu_v2_online, cpu_v2_per_winner  # noqa: F401  (they register)


@njit(fastmath={"contract"})  # t * t + total as one instruction: the sums of version 2, bit by bit
def _squared(x_n, w_m):
    """|x_n - w_m|^2, feature after feature."""
    total = x_n.dtype.type(0)
    for j in range(len(x_n)):
        t = x_n[j] - w_m[j]
        total += t * t
    return total


@njit
def _nearest(x_n, w):
    """The node with the least distance and that distance; NaN only where there is nothing else."""
    winner, least = 0, x_n.dtype.type(np.nan)
    for m in range(len(w)):
        d2 = _squared(x_n, w[m])
        # `<` leaves ties to the lowest m; the first number replaces NaN
        if d2 < least or (np.isnan(least) and not np.isnan(d2)):
            winner, least = m, d2
    return winner, least


@njit
def _normalise(w_m):
    """w_m <- w_m / |w_m|; a row of zeros stays."""
    squares = w_m.dtype.type(0)
    for j in range(len(w_m)):
        squares += w_m[j] * w_m[j]
    norm = np.sqrt(squares)
    if norm != 0:
        for j in range(len(w_m)):
            w_m[j] /= norm


@njit(nogil=True)
def _distances(x, w, d2, parts, part):
    for n in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        for m in range(len(w)):
            d2[n, m] = _squared(x[n], w[m])


@njit(nogil=True)
def _winners(x, w, winner, d2, parts, part):
    for n in range(part * len(x) // parts, (part + 1) * len(x) // parts):
        winner[n], d2[n] = _nearest(x[n], w)


@njit(nogil=True)
def _update(w, x, winner, K, rate, additive, normalise, new, parts, part):
    """new_m = w_m + rate sum_n K[winner_n, m] (x_n - w_m), or x_n in place of the difference."""
    for m in range(part * len(w) // parts, (part + 1) * len(w) // parts):
        for j in range(w.shape[1]):
            origin = w.dtype.type(0) if additive else w[m, j]
            pull = w.dtype.type(0)
            for n in range(len(x)):
                pull += K[winner[n], m] * (x[n, j] - origin)
            new[m, j] = w[m, j] + rate * pull
        if normalise:
            _normalise(new[m])


@njit
def _online(w, x, table, schedule, rates, additive, normalise, winner, d2):
    """For each sample its winner c at the present w, then w_m += rate K[c, m] (x_n - w_m)."""
    for n in range(len(x)):
        c, d2[n] = _nearest(x[n], w)
        winner[n] = c
        for m in range(len(w)):
            K = table[schedule[n], c, m]
            if K != 0:  # a node outside the neighbourhood is not touched, not even by 0 * NaN
                h = rates[n] * K
                for j in range(w.shape[1]):
                    w[m, j] += h * (x[n, j] if additive else x[n, j] - w[m, j])
            if normalise:
                _normalise(w[m])


@register("som", "distances", backend="numba", idea="the formula as plain loops")
def distances_v1(x, w):
    """d2 [N, M] from x [N, D] and w [M, D]; samples on threads."""
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    d2 = np.empty((len(x), len(w)), x.dtype)
    parts = parts_for(x.size * len(w), len(x), PRODUCTS)
    in_parts(_distances, parts, x, w, d2, parts)
    return d2


@register("som", "winners", backend="numba", idea="the nearest so far, node after node")
def winners_v1(x, w):
    """winner [N] and its d2 [N] from x [N, D] and w [M, D]; samples on threads."""
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    winner, d2 = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    parts = parts_for(x.size * len(w), len(x), PRODUCTS)
    in_parts(_winners, parts, x, w, winner, d2, parts)
    return winner, d2


@register("som", "update", backend="numba", idea="every sample pulls every node")
def update_v1(w, x, winner, neighbourhood, rate, rule):
    """The new w [M, D] from x [N, D], winner [N] and K [M, M]; nodes on threads."""
    w, x, K = (np.ascontiguousarray(a) for a in (w, x, neighbourhood))
    winner = np.ascontiguousarray(winner, np.int64)
    new, rate = np.empty_like(w), w.dtype.type(rate)
    options = rule != "difference", rule == "additive_normalised"
    parts = parts_for(x.size * len(w), len(w), PRODUCTS)
    in_parts(_update, parts, w, x, winner, K, rate, *options, new, parts)
    return new


@register("som", "online", backend="numba", idea="the lecture's loop, compiled")
def online_v1(w, x, table, schedule, rates, rule):
    """The new w [M, D], winner [N] and d2 [N], one sample of x [N, D] after another."""
    new = np.array(w, order="C")
    x, table, rates = (np.ascontiguousarray(a) for a in (x, table, rates))
    schedule = np.ascontiguousarray(schedule, np.int64)
    winner, d2 = np.empty(len(x), np.int64), np.empty(len(x), x.dtype)
    options = rule != "difference", rule == "additive_normalised"
    _online(new, x, table, schedule, rates, *options, winner, d2)
    return new, winner, d2
