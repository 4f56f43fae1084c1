"""σ, tanh and the pointwise lines of the LSTM, as loops that the compiler vectorises.

- exp and tanh of the C library take one number at a time: `sigmoid` and `tanh` below are plain
  arithmetic without a branch, so that eight or sixteen numbers go through together;
- a row of a step passes through short loops one after the other and stays in the first-level cache.
  They are separate loops, one formula each, because the compiler vectorises a loop only while it
  can check that few arrays overlap.

float64 is the precision of checks, not of speed: there the C library's functions serve.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from ..compiled import njit

# "numpy": division by zero gives inf instead of a branch to an exception, which would stop the
# compiler from vectorising. "contract" lets a*b + c round once; it moves no NaN or inf.
vectorised = njit(error_model="numpy", fastmath={"contract"})

F = np.float32
LOG2_E = F(1 / math.log(2))
LN2_HIGH = F(0.693359375)  # ln 2 in nine bits: a multiple k * LN2_HIGH is exact
LN2_LOW = F(math.log(2) - 0.693359375)
ROUND = F(1.5 * 2**23 + 127)  # adding it rounds to an integer and leaves k + 127 in the low bits
C2, C3, C4, C5, C6, C7 = (F(1 / math.factorial(k)) for k in range(2, 8))
LOWEST = F(-88.0)  # gives k = -127, whose power of two comes out as 0 exactly
ZERO, ONE, TWO = F(0), F(1), F(2)


@vectorised
def _split_exp(y):
    """s = 2^k and q = e^r - 1 with e^y = s (1 + q), for y <= 0 in float32; NaN makes q NaN.

    y = k ln 2 + r with |r| <= ln(2)/2, where Taylor's series to r^7 is off by 2e-8. The bits of a
    float32 hold its exponent plus 127 from bit 23 up: shifting k + 127 there builds 2^k.
    """
    y = LOWEST if y < LOWEST else y
    shifted = F(y * LOG2_E + ROUND)
    k = shifted - ROUND
    r = (y - k * LN2_HIGH) - k * LN2_LOW
    q = r + r * r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * (C6 + r * C7)))))
    return np.int32(shifted.view(np.int32) << 23).view(np.float32), q


def sigmoid(a):
    """1 / (1 + e^-a) inside compiled code, to 2 units in the last place."""


@overload(sigmoid)
def _sigmoid(a):
    if a == types.float32:

        def body(a):
            s, q = _split_exp(-abs(a))
            e = s + s * q
            return (e if a < ZERO else ONE) / (ONE + e)

    else:

        def body(a):
            e = math.exp(-abs(a))
            return (e if a < 0 else 1.0) / (1.0 + e)

    return body


def tanh(a):
    """Hyperbolic tangent inside compiled code, to 2 units in the last place, near zero too."""


@overload(tanh)
def _tanh(a):
    if a == types.float32:

        def body(a):
            s, q = _split_exp(-TWO * abs(a))
            e = s * q + (s - ONE)  # e^-2|a| - 1 without cancellation
            return math.copysign(e / (TWO + e), a)

    else:

        def body(a):
            return math.tanh(a)

    return body


@vectorised
def activate(gates, c_before, c):
    """Activates i, f, g in place and forms C = f C_before + i g; the gate o is left for `show`."""
    rows, width = c.shape
    for n in range(rows):
        row, before, after = gates[n], c_before[n], c[n]
        i, f, g = row[:width], row[width : 2 * width], row[2 * width : 3 * width]
        for j in range(width):
            i[j] = sigmoid(i[j])
        for j in range(width):
            f[j] = sigmoid(f[j])
        for j in range(width):
            g[j] = tanh(g[j])
        for j in range(width):
            after[j] = f[j] * before[j] + i[j] * g[j]


@vectorised
def show(gates, c, h):
    """Activates o in place and forms h = o tanh(C)."""
    rows, width = c.shape
    for n in range(rows):
        o, cn, hn = gates[n, 3 * width :], c[n], h[n]
        for j in range(width):
            o[j] = sigmoid(o[j])
        for j in range(width):
            hn[j] = o[j] * tanh(cn[j])


@vectorised
def show_gradient(gh, gates, c, ga, gc):
    """ga_o = gh tanh(C) o(1-o);  gc += gh o (1 - tanh² C)."""
    rows, width = c.shape
    one = c.dtype.type(1)  # a plain 1 would turn float32 into float64
    for n in range(rows):
        o, ga_o = gates[n, 3 * width :], ga[n, 3 * width :]
        ghn, cn, gcn = gh[n], c[n], gc[n]
        for j in range(width):
            tanh_c = tanh(cn[j])
            ga_o[j] = ghn[j] * tanh_c * o[j] * (one - o[j])
            gcn[j] += ghn[j] * o[j] * (one - tanh_c * tanh_c)


@vectorised
def activate_gradient(gc, gates, c_before, ga):
    """ga_i = gc g i(1-i);  ga_f = gc C_before f(1-f);  ga_g = gc i (1-g²);  then gc *= f."""
    rows, width = gc.shape
    one = gc.dtype.type(1)
    for n in range(rows):
        row, grow, gcn, before = gates[n], ga[n], gc[n], c_before[n]
        i, f, g = row[:width], row[width : 2 * width], row[2 * width : 3 * width]
        ga_i, ga_f, ga_g = grow[:width], grow[width : 2 * width], grow[2 * width : 3 * width]
        for j in range(width):
            ga_i[j] = gcn[j] * g[j] * i[j] * (one - i[j])
        for j in range(width):
            ga_f[j] = gcn[j] * before[j] * f[j] * (one - f[j])
        for j in range(width):
            ga_g[j] = gcn[j] * i[j] * (one - g[j] * g[j])
        for j in range(width):
            gcn[j] *= f[j]
