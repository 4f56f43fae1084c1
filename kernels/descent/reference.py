"""Steps of gradient descent in NumPy: a line for each line of the page."""

import numpy as np

from ..registry import register


def _own(in_place, *arrays):
    """The arrays to be changed: themselves, or copies."""
    return arrays if in_place else tuple(None if a is None else np.array(a) for a in arrays)


@register("descent", "sgd", backend="reference", idea="array operations")
def sgd(x, g, v, lr, momentum, nesterov, weight_decay, in_place):
    x, v = _own(in_place, x, v)
    g = g + weight_decay * x
    if v is None:
        x -= lr * g
    else:
        v[...] = momentum * v + g
        x -= lr * (g + momentum * v if nesterov else v)
    return x, v


@register("descent", "adagrad", backend="reference", idea="array operations")
def adagrad(x, g, s, lr, eps, weight_decay, in_place):
    x, s = _own(in_place, x, s)
    g = g + weight_decay * x
    s += g * g
    x -= lr * g / (np.sqrt(s) + eps)
    return x, s


@register("descent", "adadelta", backend="reference", idea="array operations")
def adadelta(x, g, v, u, lr, rho, eps, weight_decay, in_place):
    x, v, u = _own(in_place, x, v, u)
    g = g + weight_decay * x
    v[...] = rho * v + (1 - rho) * g * g
    d = g * np.sqrt(u + eps) / np.sqrt(v + eps)
    u[...] = rho * u + (1 - rho) * d * d
    x -= lr * d
    return x, v, u


@register("descent", "rmsprop", backend="reference", idea="array operations")
def rmsprop(x, g, v, m, b, lr, alpha, eps, momentum, weight_decay, in_place):
    x, v, m, b = _own(in_place, x, v, m, b)
    g = g + weight_decay * x
    v[...] = alpha * v + (1 - alpha) * g * g
    q = v
    if m is not None:
        m[...] = alpha * m + (1 - alpha) * g
        q = np.maximum(v - m * m, 0)  # a variance, but for rounding
    d = g / (np.sqrt(q) + eps)
    if b is not None:
        b[...] = momentum * b + d
        d = b
    x -= lr * d
    return x, v, m, b


@register("descent", "adam", backend="reference", idea="array operations")
def adam(x, g, m, v, top, lr, scale, beta1, beta2, eps, keep, weight_decay, in_place):
    x, m, v, top = _own(in_place, x, m, v, top)
    x *= keep
    g = g + weight_decay * x
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * g * g
    if top is not None:
        np.maximum(top, v, out=top)
    x -= lr * m / (scale * np.sqrt(v if top is None else top) + eps)
    return x, m, v, top
