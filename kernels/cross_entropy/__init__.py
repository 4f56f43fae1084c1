"""Softmax and cross-entropy in one: how surprised a row of logits is by its label.

    lse_n  = ln sum_k e^(z_nk)                   loss_n = lse_n - z_n,label
    p      = e^(z - lse), the softmax            gz     = g_n (p - [k = label_n])

    N  rows    K  classes    label_n in 0 ... K - 1, or -1 for "none": loss and gz are 0

    z, gz [N,K]     label int64 [N]     loss, lse, g [N]

The largest logit is taken out of the sum first, so that nothing overflows, and the loss is a
difference of logarithms, so that no probability underflows. The log-sum-exp is kept for the
derivative, which then needs one exponential for each logit and no sum.

    pass       reads    writes        bytes a logit in float32, work
    forward    z        loss, lse     4, 4 (an exponential is one of them)
    backward   z        gz            8, 4

A row of nothing but -infinity has lse = -infinity, one with NaN or +infinity has lse = NaN or
+infinity. A row without a label costs nothing whatever it holds. A label outside -1 ... K - 1 is an
error.

**The ladder.** Both passes in each version.

    glassgrad bench cross_entropy     time, GB/s and share of the roofline of these; one of them:
                                      glassgrad bench cross_entropy.forward --version 1

    reference   reference.py              the formulas in NumPy
    numba v1    cpu.py                    the formulas as plain loops
    numba v2    rungs/cpu_v2_lanes.py     sixteen logits at a time: an exponential in plain
                                          arithmetic, the largest by its bits, sums in lanes

    glassgrad lab cross_entropy       loads, sectors and registers of this one, without a GPU

    cuda v1     cuda.cu                   forward a warp a row, backward a thread a logit

Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
"""

import numpy as np

from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats
from ..registry import dispatch


def _check(name: str, z, label, **rows) -> None:
    expect_floats(name, z=z, **rows)
    arrays = {"z": z, "label": label, **rows}
    if z.ndim != 2:
        expect(False, name, "z must have the axes [N, K]", "2 axes", z.ndim, **arrays)
    dtype = getattr(label, "dtype", type(label).__name__)
    if str(dtype) != "int64":
        expect(False, name, "label.dtype must be int64", "int64", dtype, DTypeError, z=z)
    for key, a in arrays.items():
        if key != "z" and a.shape != z.shape[:1]:
            expect(False, name, f"{key}.shape must be [N]", z.shape[:1], a.shape, **arrays)
    if label.size and isinstance(label, np.ndarray):  # on a GPU it would wait for the device
        low, high = int(label.min()), int(label.max())
        if low < -1 or high >= z.shape[1]:
            must = f"label must hold classes below {z.shape[1]}, or -1 for none"
            got = f"{low}..{high}"
            expect(False, name, must, f"-1..{z.shape[1] - 1}", got, ValueRangeError, **arrays)


def forward(z, label):
    """(loss [N], lse [N]) of logits z [N,K] and labels int64 [N]: lse - z[label], log-sum-exp.

    Raises ShapeError, DTypeError, ValueRangeError (labels). Source: Bridle 1990.

    >>> import numpy as np
    >>> loss, lse = forward(np.array([[0.0, 1000.0], [0.0, 0.0]]), np.array([1, 0]))
    >>> loss.round(4), lse.round(4)
    (array([0.    , 0.6931]), array([1.000e+03, 6.931e-01]))
    """
    _check("cross_entropy.forward", z, label)
    return dispatch("cross_entropy", "forward", z, label)


def backward(g, z, label, lse):
    """gz [N,K] = g (softmax(z) - one at the label) from g [N] and the lse [N] of `forward`.

    Raises as `forward`. Source: Bridle 1990.

    >>> import numpy as np
    >>> backward(np.ones(1), np.zeros((1, 2)), np.array([0]), np.log(np.full(1, 2.0))).round(4)
    array([[-0.5,  0.5]])
    """
    _check("cross_entropy.backward", z, label, g=g, lse=lse)
    return dispatch("cross_entropy", "backward", g, z, label, lse)


check_all(globals(), prefix="cross_entropy.")
