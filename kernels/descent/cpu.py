"""Steps of gradient descent on the CPU: the rules as plain loops, compiled (version 1).

Each loop is the paragraph of its rule on the page, for number i of every array; a slot that the
rule does without is None. Numbers do not depend on each other, so each thread gets a stretch.

What this wastes, and the version that does not: `rungs/cpu_v2_short_loops.py`.
"""

import numpy as np

from ..compiled import njit
from ..registry import register
from .loops import run, stretch
from .rungs import cpu_v2_short_loops  # noqa: F401  (it registers itself)

LOOPS = "the rule as a plain loop"
loop = njit(nogil=True, error_model="numpy")  # "numpy": division by zero gives infinity


@loop
def _sgd(x, g, v, numbers, nesterov, parts, part):
    lr, momentum, weight_decay = numbers
    for i in range(*stretch(x, parts, part)):
        step = own = g[i] + weight_decay * x[i]
        if v is not None:
            v[i] = momentum * v[i] + own
            step = own + momentum * v[i] if nesterov else v[i]
        x[i] -= lr * step


@loop
def _adagrad(x, g, s, numbers, parts, part):
    lr, eps, weight_decay = numbers
    for i in range(*stretch(x, parts, part)):
        own = g[i] + weight_decay * x[i]
        s[i] += own * own
        x[i] -= lr * (own / (np.sqrt(s[i]) + eps))


@loop
def _adadelta(x, g, v, u, numbers, parts, part):
    lr, rho, rest, eps, weight_decay = numbers
    for i in range(*stretch(x, parts, part)):
        own = g[i] + weight_decay * x[i]
        v[i] = rho * v[i] + rest * (own * own)
        d = own * np.sqrt(u[i] + eps) / np.sqrt(v[i] + eps)
        u[i] = rho * u[i] + rest * (d * d)
        x[i] -= lr * d


@loop
def _rmsprop(x, g, v, m, b, numbers, parts, part):
    lr, alpha, rest, eps, momentum, weight_decay = numbers
    zero = x.dtype.type(0)
    for i in range(*stretch(x, parts, part)):
        own = g[i] + weight_decay * x[i]
        q = v[i] = alpha * v[i] + rest * (own * own)
        if m is not None:
            m[i] = alpha * m[i] + rest * own
            q = v[i] - m[i] * m[i]
            q = zero if q < zero else q  # a variance, but for rounding; NaN stays
        d = own / (np.sqrt(q) + eps)
        if b is not None:
            d = b[i] = momentum * b[i] + d
        x[i] -= lr * d


@loop
def _adam(x, g, m, v, top, numbers, parts, part):
    lr, scale, beta1, rest1, beta2, rest2, eps, keep, weight_decay = numbers
    for i in range(*stretch(x, parts, part)):
        kept = keep * x[i]
        own = g[i] + weight_decay * kept
        m[i] = beta1 * m[i] + rest1 * own
        square = v[i] = beta2 * v[i] + rest2 * (own * own)
        if top is not None:
            if square > top[i] or np.isnan(square):  # NaN wins, from either
                top[i] = square
            square = top[i]
        x[i] = kept - lr * (m[i] / (scale * np.sqrt(square) + eps))


@register("descent", "sgd", backend="numba", idea=LOOPS)
def sgd(x, g, v, rule, nesterov, in_place):
    """x, v after a step (see `descent.sgd`)."""
    return run(_sgd, in_place, x, g, (v,), rule, nesterov)


@register("descent", "adagrad", backend="numba", idea=LOOPS)
def adagrad(x, g, s, rule, in_place):
    """x, s after a step (see `descent.adagrad`)."""
    return run(_adagrad, in_place, x, g, (s,), rule)


@register("descent", "adadelta", backend="numba", idea=LOOPS)
def adadelta(x, g, v, u, rule, in_place):
    """x, v, u after a step (see `descent.adadelta`)."""
    return run(_adadelta, in_place, x, g, (v, u), rule)


@register("descent", "rmsprop", backend="numba", idea=LOOPS)
def rmsprop(x, g, v, m, b, rule, in_place):
    """x, v, m, b after a step (see `descent.rmsprop`)."""
    return run(_rmsprop, in_place, x, g, (v, m, b), rule)


@register("descent", "adam", backend="numba", idea=LOOPS)
def adam(x, g, m, v, top, rule, in_place):
    """x, m, v, top after a step (see `descent.adam`)."""
    return run(_adam, in_place, x, g, (m, v, top), rule)
