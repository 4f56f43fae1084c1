"""The neural autoregressive distribution estimator: D logistic regressions that share hidden units.

A joint law of D binary numbers is a product of conditionals, each of them a small network on the
numbers before it. All networks share their weights, so the next hidden layer is the last one plus
one row: a pass costs D H, not D² H, but the D steps must follow each other.

    a_1     = c
    h_i     = σ(a_i)                                     hidden units before x_i is seen
    y_i     = b_i + Σ_j v_ij h_ij                        p(x_i = 1 | x_<i) = σ(y_i)
    a_{i+1} = a_i + x_i w_i

    x  [N, D]  numbers          w, v  [D, H]  row i is W_:,i and V_i,: of the paper
    y  [N, D]  logits           c  [H], b  [D]  biases

With g = ∂loss/∂y, and d_i = ∂loss/∂a_i counted from the last step down (d_{D+1} = 0):

    gv_i += g_i h_i        gw_i += x_i d_{i+1}        gx_i = Σ_j w_ij d_{i+1,j}
    d_i  = d_{i+1} + g_i v_i h_i (1 - h_i)            gc  += d_1          gb = Σ_n g

    pass          reads            writes         operations per sample, step and hidden unit
    forward       x, w, c, v, b    y              4 and one σ
    weight_grad   g, x, w, c, v    gw, gc, gv     11 and one σ
    input_grad    g, x, w, c, v    gx             9 and one σ

Between two samples nothing is shared but weights, and between two hidden units of one sample
nothing but the sum y_i. So `forward` goes parallel over samples, `weight_grad` over hidden units,
whose sums over samples then stay with one worker in one order. And where x_i = 0, as four of five
pixels are, a_i does not change: σ need be computed only after an x_i that is not 0.

The ladder. From version 2 on, the files are those of rungs/. Each begins with what the version
before it wastes.

    glassgrad bench nade       time, GFLOP/s and share of the roofline of these; one of them:
                               glassgrad bench nade.forward --version 2

    reference   reference.py               a step for all rows and hidden units at once
    numba v1    cpu.py                     the recursions as plain loops
    numba v2    cpu_v2_skip_zeros.py       a run of zeros shares one state, hidden units lie in
                                           vector lanes

    glassgrad lab nade         loads, sectors, bank conflicts and registers of these, without a
                               GPU; line by line: glassgrad lab nade.forward --version 2

    cuda v1     cuda.cu                    forward: a block a row; weight_grad: a thread a hidden
                                           unit; input_grad: a warp a row
    cuda v2     cuda_v2_warp_a_row.cuh     forward: a warp a row, no barrier, σ after x_i ≠ 0 alone
                cuda_v2_slices.cuh         weight_grad: rows in slices, added up by a second kernel

That x_i = 0 leaves a_i alone is part of the definition: an infinite weight does not turn it to NaN.

Sources: Larochelle & Murray, "The neural autoregressive distribution estimator", 2011, algorithm 1;
Uria et al., "Neural autoregressive distribution estimation", JMLR 2016; lecture 2 (Dyakonov), the
taxonomy of generative models, where it is named.
"""

from ..doors import check_all
from ..errors import expect, expect_floats
from ..registry import dispatch


def _check(name: str, x, w, c, v, **others) -> None:
    arrays = {"x": x, "w": w, "c": c, "v": v, **others}
    expect_floats(name, **arrays)
    expect(x.ndim == 2, name, "x must have the axes [N, D]", "2 axes", x.ndim, **arrays)
    expect(w.ndim == 2, name, "w must have the axes [D, H]", "2 axes", w.ndim, **arrays)
    (n, d), h = x.shape, w.shape[1]
    wanted = {"w": (d, h), "c": (h,), "v": (d, h), "b": (d,), "g": (n, d)}
    for array_name, want in wanted.items():
        if array_name in arrays:
            got = arrays[array_name].shape
            expect(got == want, name, f"{array_name}.shape must fit x and w", want, got, **arrays)


def forward(x, w, c, v, b):
    """Logits y [N, D] of p(x_i = 1 | x_1 .. x_{i-1}) for rows x [N, D].

    w, v [D, H], c [H], b [D], all of one float dtype. Raises ShapeError, DTypeError, DeviceError.
    Source: Larochelle & Murray 2011, algorithm 1.

    >>> import numpy as np
    >>> x, ones = np.array([[1.0, 0.0]]), np.ones((2, 1))
    >>> forward(x, ones, np.zeros(1), ones, np.zeros(2)).round(4)  # σ(0), then σ(0 + 1)
    array([[0.5   , 0.7311]])
    """
    _check("nade.forward", x, w, c, v, b=b)
    return dispatch("nade", "forward", x, w, c, v, b)


def weight_grad(g, x, w, c, v):
    """Gradients (gw [D, H], gc [H], gv [D, H]) from g [N, D], that of the logits.

    That of b is the sum of g over the samples. Raises as `forward`. Source: as `forward`.

    >>> import numpy as np
    >>> x, ones = np.array([[1.0, 0.0]]), np.ones((2, 1))
    >>> gw, gc, gv = weight_grad(np.ones((1, 2)), x, ones, np.zeros(1), ones)
    >>> gc.round(4), gv.T.round(4)  # 1/4 from the first step, σ'(1) from the second
    (array([0.4466]), array([[0.5   , 0.7311]]))
    """
    _check("nade.weight_grad", x, w, c, v, g=g)
    return dispatch("nade", "weight_grad", g, x, w, c, v)


def input_grad(g, x, w, c, v):
    """The gradient gx [N, D] of the numbers themselves, from g [N, D], that of the logits.

    Raises as `forward`. Source: as `forward`.

    >>> import numpy as np
    >>> x, ones = np.array([[1.0, 0.0]]), np.ones((2, 1))
    >>> input_grad(np.ones((1, 2)), x, ones, np.zeros(1), ones).round(4)  # the last is seen by none
    array([[0.1966, 0.    ]])
    """
    _check("nade.input_grad", x, w, c, v, g=g)
    return dispatch("nade", "input_grad", g, x, w, c, v)


check_all(globals(), prefix="nade.")
