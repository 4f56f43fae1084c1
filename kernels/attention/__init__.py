"""Attention: each query reads all values, each as much as its key fits the query.

    s_mn = c <q_m, k_n>          p_mn = e^(s_mn) / Σ_j e^(s_mj)          o_m = Σ_n p_mn v_n

    B  examples (times heads)    M  queries    N  keys and values    D  width of q, k    E  of v

    q [B,M,D]    k [B,N,D]    v [B,N,E]    o, go [B,M,E]    lse [B,M]    lengths int64 [B]

c is 1/√D as a rule: with q and k of independent numbers of variance 1, s then has variance 1 too.
Example b has keys 0 ... lengths_b - 1; `causal` leaves query m those up to m. All others have
p = 0 whatever they hold. A query with no key at all has o = 0 and lse = -infinity.

**Forward.** The M x N matrix p is never wanted as such. A query can walk through its keys once and
keep three things, the largest score t so far, the sum z of e^(s - t) and the sum a of e^(s - t) v:

    t' = max(t, s);    z' = z e^(t - t') + e^(s - t');    a' = a e^(t - t') + e^(s - t') v

and o = a / z, lse = ln z + t at the end ("online softmax").

**Backward.** p comes again from s and lse. With δ_m = <go_m, o_m>, the mean of <go_m, v_n> by p,

    gv_n = Σ_m p_mn go_m        gs_mn = p_mn (<go_m, v_n> - δ_m)
    gq_m = c Σ_n gs_mn k_n      gk_n = c Σ_m gs_mn q_m

Sums over n go from the first key to the last, sums over m from the first query: no atomics, and
the same bits in every run.

    pass       reads                  writes        operations
    forward    q, k, v                o, lse        2 M N (D + E), M N exponentials
    backward   q, k, v, o, go, lse    gq, gk, gv    2 M N (3 D + 2 E), M N exponentials

**The ladder.**

    glassgrad bench attention         time, GFLOP/s and share of the roofline of these; one of them:
                                      glassgrad bench attention.forward --version 1

    reference   reference.py             the formulas in NumPy, with the whole matrix
    numba v1    cpu.py                   the walk as plain loops, a query after another
    numba v2    rungs/cpu_v2_blocks.py   some queries at a time: products by BLAS, their rows of p
                                         in the cache
    numba v3    rungs/cpu_v3_examples.py one example per thread, keys and values packed once

    glassgrad lab attention           loads, sectors and registers of these, without a GPU

    cuda v1     cuda.cu                  forward a warp a query; backward a warp a query for gq, a
                                         warp a key for gk and gv
    cuda v2     rungs/cuda_v2_tiles.cuh  forward: keys and values in shared memory, for the queries
                                         of eight warps together

Sources: Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to align and
translate", 2015; Vaswani et al., "Attention is all you need", 2017; Milakov, Gimelshein, "Online
normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022.
"""

import numpy as np

from ..doors import check_all
from ..errors import DTypeError, ValueRangeError, expect, expect_floats
from ..registry import dispatch


def _check(name: str, lengths, **arrays) -> None:
    expect_floats(name, **arrays)
    q, k, v = (arrays[key] for key in "qkv")
    for key in "qkv":
        axes, what = arrays[key].ndim, f"{key} must have three axes"
        expect(axes == 3, name, what, "3 axes", axes, **arrays)
    (B, M, D), N, E = q.shape, k.shape[1], v.shape[2]
    shapes = {"k": (B, N, D), "v": (B, N, E), "o": (B, M, E), "go": (B, M, E), "lse": (B, M)}
    for key, shape in shapes.items():
        if key in arrays:
            a, what = arrays[key], f"{key}.shape must fit the others"
            expect(a.shape == shape, name, what, shape, a.shape, **arrays)
    dtype = getattr(lengths, "dtype", type(lengths).__name__)
    expect(str(dtype) == "int64", name, "lengths.dtype must be int64", "int64", dtype, DTypeError)
    expect(lengths.shape == (B,), name, "lengths must be [B]", (B,), lengths.shape, **arrays)
    if lengths.size and isinstance(lengths, np.ndarray):  # on a GPU it would wait for the device
        low, high = int(lengths.min()), int(lengths.max())
        ok, what = low >= 0 and high <= N, "lengths must lie in 0..N"
        expect(ok, name, what, f"0..{N}", f"{low}..{high}", ValueRangeError, **arrays)


def forward(q, k, v, lengths, scale: float, causal: bool):
    """(o [B,M,E], lse [B,M]) of queries q [B,M,D], keys k [B,N,D] and values v [B,N,E].

    lengths int64 [B] is the number of keys of each example (not looked at on a GPU), `scale` the
    factor c of the scores; `causal` leaves query m the keys up to m. Raises ShapeError, DTypeError,
    ValueRangeError. Source: Vaswani et al. 2017.

    >>> import numpy as np
    >>> q, k = np.zeros((1, 1, 2)), np.zeros((1, 3, 2))
    >>> o, lse = forward(q, k, np.array([[[1.0], [3.0], [8.0]]]), np.array([2]), 1.0, False)
    >>> o.item(), lse.round(4)  # the mean of the first two, ln 2
    (2.0, array([[0.6931]]))
    """
    _check("attention.forward", lengths, q=q, k=k, v=v)
    return dispatch("attention", "forward", q, k, v, lengths, scale, causal)


def backward(go, q, k, v, o, lse, lengths, scale: float, causal: bool):
    """(gq, gk, gv), like q, k, v, from go [B,M,E] and the o and lse of `forward`.

    Raises as `forward`. Source: the derivative of Vaswani et al. 2017, by Dao et al. 2022.

    >>> import numpy as np
    >>> q, k, v = np.zeros((1, 1, 1)), np.array([[[1.0], [-1.0]]]), np.array([[[1.0], [3.0]]])
    >>> given = np.array([2]), 1.0, False
    >>> backward(np.ones((1, 1, 1)), q, k, v, *forward(q, k, v, *given), *given)[0].item()
    -1.0
    """
    _check("attention.backward", lengths, q=q, k=k, v=v, o=o, go=go, lse=lse)
    return dispatch("attention", "backward", go, q, k, v, o, lse, lengths, scale, causal)


check_all(globals(), prefix="attention.")
