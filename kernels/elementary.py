"""Elementary functions for compiled loops, in plain arithmetic without a branch.

exp, log, sin and cos of the C library take one number at a time. Written out as below a loop over
them is vectorised by LLVM: sixteen float32 go through together. Each brings its argument into a
short interval and takes a polynomial there, of least largest relative error (Remez), which stands
next to it. The errors of the whole functions were measured against float64, on all or on 10^7
arguments:

    exp(x)           any x, overflow to infinity, underflow through the subnormals     1.1 ulp
    exp_down(y)      y <= 0, numbers below 2^-126 are 0                                1.1 ulp
    log_unit(m)      ln(m 2^-24) for the integers 1 .. 2^24                            0.9 ulp
    sigmoid(a), tanh(a)  any a                                                         2.0 ulp
    turn(v)          cos and sin of 2 pi v 2^-24 for the integers 0 .. 2^24 - 1        2.0 ulp

These serve float32. float64 is the precision of checks, not of speed: there `exp`, `log_unit` and
`turn` call the C library. Which of the two is meant follows from the dtype of `like`.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from .compiled import njit

# "numpy": division by zero gives inf instead of a branch to an exception, which would stop the
# compiler from vectorising. "contract" lets a*b + c round once; it moves no NaN or inf.
vectorised = njit(error_model="numpy", fastmath={"contract"})

F, I = np.float32, np.int32
LOG2_E = F(1 / math.log(2))
LN2_HIGH = F(0.693359375)  # ln 2 in nine bits: a multiple k * LN2_HIGH is exact
LN2_LOW = F(math.log(2) - 0.693359375)
ROUND = F(1.5 * 2**23)  # adding it rounds to an integer, which is left in the low bits
ROUND_BITS = I(0x4B400000)
EXP = tuple(F(c) for c in (0.5, 0.16666518, 0.041666206, 0.008368883, 0.0013950481))  # 3e-9
LOG = tuple(  # 5e-9
    F(c)
    for c in (
        *(0.33333215, -0.24999797, 0.20010406, -0.16680488),
        *(0.14005868, -0.1218426, 0.13984445, -0.12891689),
    )
)
ROUND_127 = F(1.5 * 2**23 + 127)  # the same, and leaves the integer + 127
TAYLOR = tuple(F(1 / math.factorial(k)) for k in range(2, 8))
LOWEST = F(-88.0)  # gives k = -127, whose power of two comes out as 0 exactly
ZERO, ONE, TWO = F(0), F(1), F(2)
SIN = tuple(F(c) for c in (-0.16666655, 0.008332178, -0.00019517298))  # 4e-9
COS = tuple(F(c) for c in (0.041666646, -0.0013887368, 2.4438452e-05))  # 1e-10
TWO_THIRDS = I(0x3F2AAAAB)  # the bits of 2/3: mantissas are taken from [2/3, 4/3)
QUARTER, EIGHTH = I(1 << 22), I(1 << 21)  # of a turn
STEP = F(2 * math.pi / 2**24)


@vectorised
def _power_of_two(k):
    """2^k by its bits, for -126 <= k <= 127."""
    return I((k + 127) << 23).view(F)


@vectorised
def _exp32(x):
    """x = k ln 2 + r, |r| <= ln(2)/2; 2^k in two factors, as k may be beyond one float."""
    x = F(-104) if x < F(-104) else x
    x = F(89) if x > F(89) else x
    shifted = F(x * LOG2_E + ROUND)
    k = I(shifted.view(I) - ROUND_BITS)
    whole = shifted - ROUND
    r = (x - whole * LN2_HIGH) - whole * LN2_LOW
    p = EXP[0] + r * (EXP[1] + r * (EXP[2] + r * (EXP[3] + r * EXP[4])))
    half = I(k >> 1)
    return (F(1) + (r + r * r * p)) * _power_of_two(half) * _power_of_two(I(k - half))


@vectorised
def _log_unit32(m):
    """m 2^-24 = 2^e (1 + r) with 1 + r in [2/3, 4/3): near 1 no digit of the logarithm is lost."""
    bits = F(m).view(I)
    e = I(I(bits - TWO_THIRDS) >> 23)
    r = I(bits - I(e << 23)).view(F) - F(1)
    p = LOG[4] + r * (LOG[5] + r * (LOG[6] + r * LOG[7]))
    p = LOG[0] + r * (LOG[1] + r * (LOG[2] + r * (LOG[3] + r * p)))
    z = r * r
    whole = F(I(e - 24))
    return whole * LN2_HIGH + (r + (whole * LN2_LOW + z * (r * p - F(0.5))))


@vectorised
def _turn32(v):
    """The nearest quarter turn is taken off exactly, as an integer; |t| <= pi/4 is left."""
    quarter = I(I(v + EIGHTH) >> 22)
    t = F(I(v - I(quarter << 22))) * STEP
    z = t * t
    s = t + t * z * (SIN[0] + z * (SIN[1] + z * SIN[2]))
    c = F(1) + z * (z * (COS[0] + z * (COS[1] + z * COS[2])) - F(0.5))
    cosine = s if quarter & 1 else c
    sine = c if quarter & 1 else s
    return (
        -cosine if I(quarter + 1) & 2 else cosine,
        -sine if quarter & 2 else sine,
    )


def exp(x):
    """e^x inside compiled code, in the dtype of x."""


def log_unit(m, like):
    """ln(m 2^-24) of an int32 inside compiled code, in the dtype of the array `like`."""


def turn(v, like):
    """(cos, sin) of 2 pi v 2^-24 of an int32 inside compiled code, in the dtype of `like`."""


@overload(exp)
def _exp(x):
    return (lambda x: _exp32(x)) if x == types.float32 else (lambda x: math.exp(x))


@overload(log_unit)
def _log_unit(m, like):
    if like.dtype == types.float32:
        return lambda m, like: _log_unit32(m)
    return lambda m, like: math.log(m * 2.0**-24)


@overload(turn)
def _turn(v, like):
    if like.dtype == types.float32:
        return lambda v, like: _turn32(v)
    scale = 2 * math.pi / 2**24
    return lambda v, like: (math.cos(v * scale), math.sin(v * scale))


@vectorised
def _split_exp(y):
    """s = 2^k and q = e^r - 1 with e^y = s (1 + q), for y <= 0 in float32; NaN makes q NaN.

    y = k ln 2 + r with |r| <= ln(2)/2, where Taylor's series to r^7 is off by 2e-8. The bits of a
    float32 hold its exponent plus 127 from bit 23 up: shifting k + 127 there builds 2^k.
    """
    y = LOWEST if y < LOWEST else y
    shifted = F(y * LOG2_E + ROUND_127)
    k = shifted - ROUND_127
    r = (y - k * LN2_HIGH) - k * LN2_LOW
    c2, c3, c4, c5, c6, c7 = TAYLOR
    q = r + r * r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * c7)))))
    return np.int32(shifted.view(np.int32) << 23).view(np.float32), q


def exp_down(y):
    """e^y inside compiled code for y <= 0, in fewer steps than `exp`; NaN stays NaN."""


@overload(exp_down)
def _exp_down(y):
    if y == types.float32:

        def body(y):
            s, q = _split_exp(y)
            return s + s * q

        return body
    return lambda y: math.exp(y)


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
