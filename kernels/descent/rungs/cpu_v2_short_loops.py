"""Steps of gradient descent on the CPU, version 2: short loops over a piece in the cache.

Version 1 takes one number at a time, in scalar instructions: its index begins somewhere in the
array, so that Numba allows for a negative one at every access, a test in the middle of the loop.

Here a rule takes CHUNK numbers at a time through several short loops that begin at 0, a formula
each, which the rules share. They have few arrays, since LLVM must check every pair for overlap
before it may use vectors. A chunk stays in the first-level cache between the loops, so that every
array still passes through memory once.

    glassgrad bench descent      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...elementary import vectorised
from ...registry import register
from ..loops import run, stretch

IDEA = "one pass in place"
CHUNK = 1024


@vectorised
def _decayed(g, x, weight_decay, out):
    for i in range(min(g.size, x.size, out.size)):
        out[i] = g[i] + weight_decay * x[i]


@vectorised
def _scaled(x, keep):
    for i in range(x.size):
        x[i] *= keep


@vectorised
def _follow(average, g, keep, rest):
    """average <- keep average + rest g, where rest = 1 - keep (rules.py)."""
    for i in range(min(average.size, g.size)):
        average[i] = keep * average[i] + rest * g[i]


@vectorised
def _follow_square(average, g, keep, rest):
    for i in range(min(average.size, g.size)):
        average[i] = keep * average[i] + rest * (g[i] * g[i])


@vectorised
def _add_square(s, g):
    for i in range(min(s.size, g.size)):
        s[i] += g[i] * g[i]


@vectorised
def _gather(v, g, factor):
    """v <- factor v + g."""
    for i in range(min(v.size, g.size)):
        v[i] = factor * v[i] + g[i]


@vectorised
def _subtract(x, factor, d):
    for i in range(min(x.size, d.size)):
        x[i] -= factor * d[i]


@vectorised
def _over_root(g, v, scale, eps, d):
    """d = g / (scale sqrt(v) + eps); in an array of its own, or nothing would be vectorised."""
    for i in range(min(g.size, v.size, d.size)):
        d[i] = g[i] / (scale * np.sqrt(v[i]) + eps)


@vectorised
def _variance(v, m, q):
    zero = q.dtype.type(0)
    for i in range(min(v.size, m.size, q.size)):
        value = v[i] - m[i] * m[i]
        q[i] = zero if value < zero else value


@vectorised
def _largest(top, v):
    """NaN wins, from either."""
    for i in range(min(top.size, v.size)):
        stays = (top[i] >= v[i]) | (top[i] != top[i])
        top[i] = top[i] if stays else v[i]


@vectorised
def _delta(g, v, u, eps, d):
    for i in range(min(g.size, v.size, u.size, d.size)):
        d[i] = g[i] * np.sqrt(u[i] + eps) / np.sqrt(v[i] + eps)


@njit(nogil=True)
def _sgd(x, g, v, numbers, nesterov, parts, part):
    lr, momentum, weight_decay = numbers
    first, last = stretch(x, parts, part)
    own = np.empty(CHUNK, x.dtype)
    for i in range(first, last, CHUNK):
        some = slice(i, min(i + CHUNK, last))
        _decayed(g[some], x[some], weight_decay, own)
        if v is not None:
            _gather(v[some], own, momentum)
            if nesterov:
                _gather(own, v[some], x.dtype.type(1))  # g + v, of which v is too much by 1 - mu
                _subtract(own, x.dtype.type(1) - momentum, v[some])
            else:
                for j in range(i, min(i + CHUNK, last)):
                    own[j - i] = v[j]
        _subtract(x[some], lr, own)


@njit(nogil=True)
def _adagrad(x, g, s, numbers, parts, part):
    lr, eps, weight_decay = numbers
    one = x.dtype.type(1)
    first, last = stretch(x, parts, part)
    own, d = np.empty(CHUNK, x.dtype), np.empty(CHUNK, x.dtype)
    for i in range(first, last, CHUNK):
        some = slice(i, min(i + CHUNK, last))
        _decayed(g[some], x[some], weight_decay, own)
        _add_square(s[some], own)
        _over_root(own, s[some], one, eps, d)
        _subtract(x[some], lr, d)


@njit(nogil=True)
def _adadelta(x, g, v, u, numbers, parts, part):
    lr, rho, rest, eps, weight_decay = numbers
    first, last = stretch(x, parts, part)
    own, d = np.empty(CHUNK, x.dtype), np.empty(CHUNK, x.dtype)
    for i in range(first, last, CHUNK):
        some = slice(i, min(i + CHUNK, last))
        _decayed(g[some], x[some], weight_decay, own)
        _follow_square(v[some], own, rho, rest)
        _delta(own, v[some], u[some], eps, d)
        _follow_square(u[some], d, rho, rest)
        _subtract(x[some], lr, d)


@njit(nogil=True)
def _rmsprop(x, g, v, m, b, numbers, parts, part):
    lr, alpha, rest, eps, momentum, weight_decay = numbers
    one = x.dtype.type(1)
    first, last = stretch(x, parts, part)
    own, q, d = np.empty(CHUNK, x.dtype), np.empty(CHUNK, x.dtype), np.empty(CHUNK, x.dtype)
    for i in range(first, last, CHUNK):
        some = slice(i, min(i + CHUNK, last))
        _decayed(g[some], x[some], weight_decay, own)
        _follow_square(v[some], own, alpha, rest)
        if m is not None:
            _follow(m[some], own, alpha, rest)
            _variance(v[some], m[some], q)
            _over_root(own, q, one, eps, d)
        else:
            _over_root(own, v[some], one, eps, d)
        if b is not None:
            _gather(b[some], d, momentum)
            _subtract(x[some], lr, b[some])
        else:
            _subtract(x[some], lr, d)


@njit(nogil=True)
def _adam(x, g, m, v, top, numbers, parts, part):
    lr, scale, beta1, rest1, beta2, rest2, eps, keep, weight_decay = numbers
    one = x.dtype.type(1)
    first, last = stretch(x, parts, part)
    own = np.empty(CHUNK, x.dtype)
    for i in range(first, last, CHUNK):
        some = slice(i, min(i + CHUNK, last))
        if keep != one:
            _scaled(x[some], keep)
        _decayed(g[some], x[some], weight_decay, own)
        _follow(m[some], own, beta1, rest1)
        _follow_square(v[some], own, beta2, rest2)
        if top is not None:
            _largest(top[some], v[some])
            _over_root(m[some], top[some], scale, eps, own)
        else:
            _over_root(m[some], v[some], scale, eps, own)
        _subtract(x[some], lr, own)


@register("descent", "sgd", backend="numba", version=2, idea=IDEA)
def sgd(x, g, v, rule, nesterov, in_place):
    """x, v after a step (see `descent.sgd`)."""
    return run(_sgd, in_place, x, g, (v,), rule, nesterov)


@register("descent", "adagrad", backend="numba", version=2, idea=IDEA)
def adagrad(x, g, s, rule, in_place):
    """x, s after a step (see `descent.adagrad`)."""
    return run(_adagrad, in_place, x, g, (s,), rule)


@register("descent", "adadelta", backend="numba", version=2, idea=IDEA)
def adadelta(x, g, v, u, rule, in_place):
    """x, v, u after a step (see `descent.adadelta`)."""
    return run(_adadelta, in_place, x, g, (v, u), rule)


@register("descent", "rmsprop", backend="numba", version=2, idea=IDEA)
def rmsprop(x, g, v, m, b, rule, in_place):
    """x, v, m, b after a step (see `descent.rmsprop`)."""
    return run(_rmsprop, in_place, x, g, (v, m, b), rule)


@register("descent", "adam", backend="numba", version=2, idea=IDEA)
def adam(x, g, m, v, top, rule, in_place):
    """x, m, v, top after a step (see `descent.adam`)."""
    return run(_adam, in_place, x, g, (m, v, top), rule)
