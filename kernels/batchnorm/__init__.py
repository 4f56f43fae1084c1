"""Batch normalisation: each channel is shifted and scaled to mean 0 and variance 1, then its own.

    mu_c  = 1/n sum of x_c                        var_c = 1/n sum of (x_c - mu_c)^2
    x^    = (x - mu_c) / sqrt(var_c + eps)        y     = gamma_c x^ + beta_c

over the n = N L numbers of channel c. The batch's own (biased) mean and variance depend on x, which
is what the derivative is about (Ioffe & Szegedy 2015):

    gbeta_c = sum of g        ggamma_c = sum of g x^
    gx = gamma_c / sqrt(var_c + eps) (g - gbeta_c / n - x^ ggamma_c / n)

    N  samples    C  channels    L  places in a channel: H W of an image, 1 of a vector

    x, y, g, gx [N,C,L]     gamma, beta, mu, var, ggamma, gbeta [C]

    pass       reads     writes    bytes a number in float32, work
    forward    x         y         8, 7
    backward   g, x      gx        12, 10

The variance is summed about the mean: as mean of squares less square of the mean it would cancel.
So a channel is gone through three times forward, twice backward; the traffic above holds where the
numbers of a channel, or of a block of them, stay in the cache meanwhile. Long sums are taken in
short pieces whose totals add up in float64: single precision alone loses digits with n.

**The ladder.** Both passes in each version; version 2 is in the folder rungs/.

    glassgrad bench batchnorm     time, GB/s and share of the roofline of these; one of them:
                                  glassgrad bench batchnorm.forward --version 1

    reference   reference.py            the formulas in NumPy, one array operation after the other
    numba v1    cpu.py                  the formulas as plain loops
    numba v2    cpu_v2_cached.py        sums in lanes, a channel in the cache from the first to the
                                        last; vectors (L = 1) go by rows, as they lie in memory

    glassgrad lab batchnorm       loads, sectors and registers of these, without a GPU; by line:
                                  glassgrad lab batchnorm.forward --version 2

    cuda v1     cuda.cu                 a block a channel
    cuda v2     cuda_v2_slices.cuh      a block a slice of a channel, kept in registers; a second
                                        kernel joins the slices

Source: Ioffe & Szegedy, "Batch normalization: accelerating deep network training by reducing
internal covariate shift", 2015.
"""

from ..checks import within
from ..doors import check_all
from ..errors import expect, expect_floats
from ..registry import dispatch


def _check(name: str, x, vectors: dict, **likes) -> None:
    expect_floats(name, x=x, **vectors, **likes)
    if x.ndim != 3:
        expect(False, name, "x must have the axes [N, C, L]", "3 axes", x.ndim, x=x)
    n = x.shape[0] * x.shape[2]
    if n < 1 and x.shape[1]:
        expect(False, name, "a channel needs a number to have a mean", "N L >= 1", n, x=x)
    for key, a in vectors.items():
        if a.shape != x.shape[1:2]:
            expect(False, name, f"{key}.shape must be [C]", x.shape[1:2], a.shape, x=x)
    for key, a in likes.items():
        if a.shape != x.shape:
            expect(False, name, f"{key}.shape must equal x.shape", x.shape, a.shape, x=x)


def forward(x, gamma, beta, eps: float = 1e-5):
    """(y [N,C,L], mean [C], variance [C]) of x [N,C,L], gamma and beta [C]; variance is biased.

    Raises ShapeError, DTypeError, DeviceError, ValueRangeError (eps < 0). Source: Ioffe & Szegedy
    2015.

    >>> import numpy as np
    >>> y, mean, variance = forward(np.array([[[1.0]], [[3.0]]]), np.ones(1), np.zeros(1), eps=0.0)
    >>> y.reshape(-1), mean, variance
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    _check("batchnorm.forward", x, {"gamma": gamma, "beta": beta})
    within("batchnorm.forward", "eps", eps, least=0)
    return dispatch("batchnorm", "forward", x, gamma, beta, float(eps))


def backward(g, x, gamma, mean, variance, eps: float = 1e-5):
    """(gx [N,C,L], ggamma [C], gbeta [C]) from g [N,C,L] and what `forward` took and returned.

    Raises as `forward`. Source: Ioffe & Szegedy 2015.

    >>> import numpy as np
    >>> x, g, one = np.array([[[1.0]], [[3.0]]]), np.array([[[0.0]], [[2.0]]]), np.ones(1)
    >>> gx, ggamma, gbeta = backward(g, x, one, one * 2, one, eps=0.0)
    >>> gx.reshape(-1), ggamma, gbeta
    (array([0., 0.]), array([2.]), array([2.]))
    """
    vectors = {"gamma": gamma, "mean": mean, "variance": variance}
    _check("batchnorm.backward", x, vectors, g=g)
    within("batchnorm.backward", "eps", eps, least=0)
    return dispatch("batchnorm", "backward", g, x, gamma, mean, variance, float(eps))


check_all(globals(), prefix="batchnorm.")
