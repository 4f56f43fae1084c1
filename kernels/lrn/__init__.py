"""Local response normalisation: a number is made smaller by those of the neighbouring channels.

    s_c = k + a Σ_{j in W(c)} x_j²        W(c) = c - ⌊n/2⌋ ... c + ⌊(n-1)/2⌋, where there are such
    y_c = x_c s_c^-β

    N  images    C  channels    L  places of an image    n  width of the window

    x, y, s, g, gx [N,C,L]; everything happens at one image and one place, so only c is written

Many channels see the same edge; the loudest of them silences the others ("lateral inhibition").
Nothing is learnt. In the paper n = 5, k = 2, a = 1e-4, β = 3/4.

**Backward.** x_c is in its own numerator and in the sums of those j that have c in their window,
j in V(c) = c - ⌊(n-1)/2⌋ ... c + ⌊n/2⌋, which is W turned round:

    gx_c = g_c s_c^-β - 2 a β x_c Σ_{j in V(c)} g_j x_j s_j^(-β-1)

The sums s are kept from the forward pass: backward need not add up the windows again, and has one
array more to read.

    pass       reads      writes   bytes a number in float32, operations
    forward    x          y, s     12, 2 n + 3 and a power
    backward   g, x, s    gx       16, 3 n + 5 and two powers

**The ladder.**

    glassgrad bench lrn              time, GB/s and share of the roofline of these; one of them:
                                     glassgrad bench lrn.forward --version 1

    reference   reference.py             the formulas in NumPy, a channel of the window at a time
    numba v1    cpu.py                   the formulas as plain loops
    numba v2    rungs/cpu_v2_places.py   neighbouring places together, powers by square roots

    glassgrad lab lrn                loads, sectors and registers of these, without a GPU

    cuda v1     cuda.cu                  a thread a number: every x is read n times
    cuda v2     rungs/cuda_v2_walk.cuh   a thread a place walks through the channels, its window in
                                         registers: forward every x is read once

Source: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural
networks", 2012, section 3.3.
"""

from ..annotations import Count
from ..doors import check_all
from ..errors import ValueRangeError, expect, expect_floats
from ..registry import dispatch


def _check(name: str, n, k, a, beta, **arrays) -> None:
    expect_floats(name, **arrays)
    x = arrays["x"]
    expect(x.ndim == 3, name, "x must have the axes [N, C, L]", "3 axes", x.ndim, **arrays)
    for key, array in arrays.items():
        what = f"{key}.shape must be x's"
        expect(array.shape == x.shape, name, what, x.shape, array.shape, **arrays)
    expect(n >= 1, name, "n must be positive", "≥ 1", n, ValueRangeError)
    expect(k > 0, name, "k must be positive", "> 0", k, ValueRangeError)  # s may be 0 else
    for key, value in (("a", a), ("beta", beta)):
        expect(value >= 0, name, f"{key} must not be negative", "≥ 0", value, ValueRangeError)


def forward(x, n: Count, k: float, a: float, beta: float):
    """(y, s), both [N,C,L]: x s^-β, and s = k + a Σ x² over n channels around each.

    Raises ShapeError, DTypeError, ValueRangeError. Source: Krizhevsky et al. 2012.

    >>> import numpy as np
    >>> forward(np.array([[[1.0], [2.0], [3.0]]]), 3, 1.0, 1.0, 1.0)[1].ravel()
    array([ 6., 15., 14.])
    """
    _check("lrn.forward", n, k, a, beta, x=x)
    return dispatch("lrn", "forward", x, n, k, a, beta)


def backward(g, x, s, n: Count, a: float, beta: float):
    """gx [N,C,L] from g and x [N,C,L] and the s of `forward`.

    Raises as `forward`. Source: the derivative of Krizhevsky et al. 2012.

    >>> import numpy as np
    >>> x = np.array([[[2.0]]])
    >>> backward(np.ones((1, 1, 1)), x, 1 + x * x, 1, 1.0, 1.0).item()  # (1 - x²)/(1 + x²)²
    -0.12
    """
    _check("lrn.backward", n, 1.0, a, beta, x=x, g=g, s=s)
    return dispatch("lrn", "backward", g, x, s, n, a, beta)


check_all(globals(), prefix="lrn.")
