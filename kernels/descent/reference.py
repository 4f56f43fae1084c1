"""Steps of gradient descent in NumPy: a line for each line of the page."""

import numpy as np

from ..registry import register


def _own(in_place, *arrays):
    """The arrays to be changed: themselves, or copies."""
    return arrays if in_place else tuple(None if a is None else np.array(a) for a in arrays)


@register("descent", "sgd", backend="reference", idea="array operations")
def sgd(x, g, v, rule, nesterov, in_place):
    """x, v after a step (see `descent.sgd`)."""
    x, v = _own(in_place, x, v)
    g = g + rule.weight_decay * x
    if v is None:
        x -= rule.lr * g
    else:
        v[...] = rule.momentum * v + g
        x -= rule.lr * (g + rule.momentum * v if nesterov else v)
    return x, v


@register("descent", "adagrad", backend="reference", idea="array operations")
def adagrad(x, g, s, rule, in_place):
    """x, s after a step (see `descent.adagrad`)."""
    x, s = _own(in_place, x, s)
    g = g + rule.weight_decay * x
    s += g * g
    x -= rule.lr * g / (np.sqrt(s) + rule.eps)
    return x, s


@register("descent", "adadelta", backend="reference", idea="array operations")
def adadelta(x, g, v, u, rule, in_place):
    """x, v, u after a step (see `descent.adadelta`)."""
    x, v, u = _own(in_place, x, v, u)
    g = g + rule.weight_decay * x
    v[...] = rule.rho * v + rule.rest * g * g
    d = g * np.sqrt(u + rule.eps) / np.sqrt(v + rule.eps)
    u[...] = rule.rho * u + rule.rest * d * d
    x -= rule.lr * d
    return x, v, u


@register("descent", "rmsprop", backend="reference", idea="array operations")
def rmsprop(x, g, v, m, b, rule, in_place):
    """x, v, m, b after a step (see `descent.rmsprop`)."""
    x, v, m, b = _own(in_place, x, v, m, b)
    g = g + rule.weight_decay * x
    v[...] = rule.alpha * v + rule.rest * g * g
    q = v
    if m is not None:
        m[...] = rule.alpha * m + rule.rest * g
        q = np.maximum(v - m * m, 0)  # a variance, but for rounding
    d = g / (np.sqrt(q) + rule.eps)
    if b is not None:
        b[...] = rule.momentum * b + d
        d = b
    x -= rule.lr * d
    return x, v, m, b


@register("descent", "adam", backend="reference", idea="array operations")
def adam(x, g, m, v, top, rule, in_place):
    """x, m, v, top after a step (see `descent.adam`)."""
    x, m, v, top = _own(in_place, x, m, v, top)
    x *= rule.keep
    g = g + rule.weight_decay * x
    m[...] = rule.beta1 * m + rule.rest1 * g
    v[...] = rule.beta2 * v + rule.rest2 * g * g
    if top is not None:
        np.maximum(top, v, out=top)
    x -= rule.lr * m / (rule.scale * np.sqrt(v if top is None else top) + rule.eps)
    return x, m, v, top
