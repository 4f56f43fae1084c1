"""Dropout: each element is zeroed with probability p, the others grow by 1 / (1 - p).

    y_i = x_i / (1 - p)  if u_i >= p,  else 0      u_i uniform in [0, 1), i the flat C-order index

so that E[y] = x and nothing changes at test time. u_i is uniform number i of the Philox stream
(seed, offset): the mask is not stored, and is the same on every backend and in both dtypes. For a
fixed stream the map is linear and its matrix diagonal, so it is its own derivative:

    gx = forward(gy, p, seed, offset)

Uniforms are multiples k 2^-24, hence u >= p is the integer test k >= ceil(p 2^24). A dropped
element is exactly +0, even where x is NaN or infinite. A call takes `philox.blocks(x.size)`
counters.

    reads x, writes y: 2 numbers an element; work 20 (bits) + 2

**The ladder.**

    glassgrad bench dropout       time, GB/s and share of the roofline of these

    reference   reference.py                  a uniform number for each element, the mask an array
    numba v1    cpu.py                        a loop over the words while they are in the cache

    glassgrad lab dropout         loads, sectors and registers of these, without a GPU; by line:
                                  glassgrad lab dropout.forward --version 2

    cuda v1     cuda.cu                       a thread an element
    cuda v2     rungs/cuda_v2_vectors.cuh     a thread a block of four words, vectors of 16 bytes
                                              (float32)

Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
JMLR 2014; there the weights shrink at test time, here the activations grow in training.
"""

import math

from ..doors import check_all
from ..errors import ValueRangeError, expect, expect_floats
from ..philox import check_stream
from ..registry import dispatch


def threshold(p: float) -> int:
    """The smallest k for which k 2^-24 >= p: the top 24 bits that keep an element are k or more.

    >>> threshold(0.0), threshold(0.5), threshold(2.0**-25)
    (0, 8388608, 1)
    """
    return math.ceil(p * 2**24)


def forward(x, p: float, seed: int, offset: int):
    """Zero each element of x with probability p and divide the rest by 1 - p; the shape of x.

    x has any shape; p in [0, 1); the mask is a function of (seed, offset) alone. Linear in x: call
    it on the gradient with the same seed and offset for the derivative. Raises DTypeError, and
    ValueRangeError for p, seed and offset. Source: Srivastava et al. 2014.

    >>> import numpy as np
    >>> forward(np.arange(1.0, 7.0), p=0.5, seed=0, offset=0)
    array([ 0.,  4.,  6.,  8., 10.,  0.])
    """
    expect_floats("dropout.forward", x=x)
    must = "p must be a probability below 1"
    expect(0 <= p < 1, "dropout.forward", must, "0 <= p < 1", p, ValueRangeError, x=x)
    seed, offset = check_stream("dropout.forward", seed, offset, x.size)
    return dispatch("dropout", "forward", x, float(p), seed, offset)


check_all(globals(), prefix="dropout.")
