"""The reparameterised sample of a variational autoencoder, with its KL divergence, in one pass.

The encoder gives a diagonal normal q(z | x) = N(mu, diag(e^logvar)) for each of N inputs; the prior
is N(0, I). A draw is written as a function of mu and logvar, so that it has a gradient:

    z  = mu + e^(logvar/2) eps,    eps ~ N(0, I)                                         [N, D]
    kl = KL(q || N(0, I)) = -1/2 sum_j (1 + logvar_j - mu_j^2 - e^logvar_j)              [N]

and for the gradients gz, gkl of the two results

    gmu     = gz + gkl mu
    glogvar = 1/2 gz e^(logvar/2) eps + 1/2 gkl (e^logvar - 1)

eps is never stored: element i = n D + j of it is normal i of the Philox stream (seed, offset), and
`backward` makes it again. A call takes `philox.blocks(N D)` counters.

    N  inputs    D  dimensions of the latent space

    pass      reads                    writes      work per element
    forward   mu, logvar               z, kl       noise 40, sample 4, divergence 6
    backward  gz, gkl, mu, logvar      gmu, glogvar             noise 40, gradients 10

With eps in memory (written once, read twice) forward and backward would move 11 N D numbers, not 8.

logvar = log sigma^2: the lectures that write N(mu, sigma) mean the standard deviation sigma. Large
logvar overflows e^logvar to infinity as the formula does; bounding it is the caller's matter. NaN
in mu or logvar reaches the z it belongs to and the kl of its row.

**The ladder.** Both passes in each version; from version 2 on, the files are those of rungs/.

    glassgrad bench reparam       time, GB/s and share of the roofline of these; one of them:
                                  glassgrad bench reparam.forward --version 1

    reference   reference.py            one line a formula, the noise as an array
    numba v1    cpu.py                  the noise as an array, then the formulas as plain loops
    numba v2    cpu_v2_one_pass.py      the noise of a few rows at a time, in the cache; sixteen
                                        elements go through every formula together

    glassgrad lab reparam         loads, sectors and registers of these, without a GPU; by line:
                                  glassgrad lab reparam.forward --version 3

    cuda v1     cuda.cu                 a thread an element, then a thread a row for kl
    cuda v2     cuda_v2_rows.cuh        forward: a block a row, every number read once
                                        backward: a thread the four elements of a Philox block
    cuda v3     cuda_v3_vectors.cuh     a thread a Philox block, vectors of 16 bytes (float32, D a
                                        multiple of 4)

Sources: Kingma & Welling, "Auto-encoding variational Bayes", 2014, section 2.4 and appendix B;
lecture "VAE, GAN" (Utkin), slides on the reparameterisation; lecture 1 (Vorontsov), variational AE.
"""

from ..doors import check_all
from ..errors import expect, expect_floats
from ..philox import check_stream
from ..registry import dispatch


def _check(name: str, seed: int, offset: int, mu, logvar, **gradients) -> tuple[int, int]:
    arrays = {"mu": mu, "logvar": logvar, **gradients}
    expect_floats(name, **arrays)
    expect(mu.ndim == 2, name, "mu must have the axes [N, D]", "2 axes", mu.ndim, **arrays)
    for array_name, want in (("logvar", mu.shape), ("gz", mu.shape), ("gkl", mu.shape[:1])):
        if array_name in arrays:
            got = arrays[array_name].shape
            expect(got == want, name, f"{array_name}.shape must fit mu", want, got, **arrays)
    return check_stream(name, seed, offset, mu.size)


def forward(mu, logvar, seed: int, offset: int):
    """The pair z[N, D] = mu + e^(logvar/2) eps and kl[N] = KL(N(mu, e^logvar) || N(0, I)).

    mu and logvar are [N, D] of one float dtype; eps is the Philox normal stream (seed, offset).
    Raises ShapeError, DTypeError, DeviceError, and ValueRangeError for seed and offset.
    Source: Kingma & Welling 2014; lectures 1 and "VAE, GAN".

    >>> import numpy as np
    >>> z, kl = forward(np.array([[0.0, 2.0]]), np.zeros((1, 2)), seed=0, offset=0)
    >>> z.round(4), kl
    (array([[0.9911, 1.0753]]), array([2.]))
    """
    seed, offset = _check("reparam.forward", seed, offset, mu, logvar)
    return dispatch("reparam", "forward", mu, logvar, seed, offset)


def backward(gz, gkl, mu, logvar, seed: int, offset: int):
    """Gradients (gmu, glogvar), each [N, D], from gz[N, D] and gkl[N].

    gmu = gz + gkl mu; glogvar = 1/2 gz e^(logvar/2) eps + 1/2 gkl (e^logvar - 1), with the eps of
    `forward` made again from (seed, offset). Raises as `forward`. Source: Kingma & Welling 2014.

    >>> import numpy as np
    >>> zero = np.zeros((1, 2))
    >>> gmu, glogvar = backward(np.ones((1, 2)), np.ones(1), zero + 3, zero, seed=0, offset=0)
    >>> gmu, glogvar.round(4)
    (array([[4., 4.]]), array([[ 0.4956, -0.4623]]))
    """
    seed, offset = _check("reparam.backward", seed, offset, mu, logvar, gz=gz, gkl=gkl)
    return dispatch("reparam", "backward", gz, gkl, mu, logvar, seed, offset)


check_all(globals(), prefix="reparam.")
