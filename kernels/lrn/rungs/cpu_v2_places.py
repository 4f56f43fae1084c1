"""Local response normalisation on the CPU, version 2: neighbouring places side by side.

Version 1 takes one number at a time. Its innermost loop is over the window, a handful of channels
that lie L numbers apart, and it ends in a call of `pow`, which takes longer than all else.

Here the innermost loop is over the places l, which are neighbours in memory, and which the compiler
takes eight or sixteen at a time: a row of squares (backward: of g x s^(-β-1)) is made once for
each channel and added to the rows of the window. If β is a multiple of ¼, as the paper's ¾ is,
powers are products of square roots, for which there is an instruction: s^-¾ = 1 / (√s √√s). Other
powers go through `pow` as before.

    glassgrad bench lrn      both versions, next to each other
"""

import numpy as np

from ...compiled import njit
from ...registry import register
from ...threads import in_parts, parts_for

IDEA = "places side by side, powers by square roots"


@njit
def _power(s, quarters, beta, out):
    """out = s^-β; β = quarters/4 where quarters ≥ 0, any other β where it is negative."""
    one = s.dtype.type(1)
    if quarters < 0:
        for l in range(s.size):
            out[l] = s[l] ** -beta
        return
    for l in range(s.size):
        root = np.sqrt(s[l])
        of_one, of_two = np.sqrt(root), root  # s^¼, s^½
        product = (of_one if quarters & 1 else one) * (of_two if quarters & 2 else one)
        for _ in range(quarters >> 2):
            product *= s[l]
        out[l] = one / product


@njit(nogil=True)
def _forward(x, n, k, a, beta, quarters, y, s, parts, part):
    N, C, L = x.shape
    squares = np.empty((C, L), x.dtype)
    for i in range(part * N // parts, (part + 1) * N // parts):
        for c in range(C):
            for l in range(L):
                squares[c, l] = x[i, c, l] * x[i, c, l]
        for c in range(C):
            row = s[i, c]
            row[:] = x.dtype.type(0)
            for j in range(max(0, c - n // 2), min(C, c + (n - 1) // 2 + 1)):
                for l in range(L):
                    row[l] += squares[j, l]
            for l in range(L):
                row[l] = k + a * row[l]
            _power(row, quarters, beta, y[i, c])
            for l in range(L):
                y[i, c, l] *= x[i, c, l]


@njit(nogil=True)
def _backward(g, x, s, n, a, beta, quarters, gx, parts, part):
    N, C, L = x.shape
    shared, total = np.empty((C, L), x.dtype), np.empty(L, x.dtype)
    twice = 2 * a * beta
    for i in range(part * N // parts, (part + 1) * N // parts):
        for c in range(C):
            _power(s[i, c], quarters, beta, gx[i, c])
            for l in range(L):
                gx[i, c, l] *= g[i, c, l]  # g s^-β, half of the result
                shared[c, l] = gx[i, c, l] * x[i, c, l] / s[i, c, l]
        for c in range(C):
            total[:] = x.dtype.type(0)
            for j in range(max(0, c - (n - 1) // 2), min(C, c + n // 2 + 1)):
                for l in range(L):
                    total[l] += shared[j, l]
            for l in range(L):
                gx[i, c, l] -= twice * x[i, c, l] * total[l]


def _quarters(beta: float) -> int:
    """4β where that is a small whole number, otherwise -1."""
    return int(4 * beta) if 4 * beta in range(17) else -1


@register("lrn", "forward", backend="numba", version=2, idea=IDEA)
def forward(x, n, k, a, beta):
    """y, s (see `lrn.forward`)."""
    x = np.ascontiguousarray(x)
    y, s, parts = np.empty_like(x), np.empty_like(x), parts_for(x.size, len(x))
    numbers = map(x.dtype.type, (k, a, beta))
    in_parts(_forward, parts, x, n, *numbers, _quarters(beta), y, s, parts)
    return y, s


@register("lrn", "backward", backend="numba", version=2, idea=IDEA)
def backward(g, x, s, n, a, beta):
    """gx (see `lrn.backward`)."""
    g, x, s = map(np.ascontiguousarray, (g, x, s))
    gx, parts = np.empty_like(x), parts_for(x.size, len(x))
    numbers = map(x.dtype.type, (a, beta))
    in_parts(_backward, parts, g, x, s, n, *numbers, _quarters(beta), gx, parts)
    return gx
