"""The free energy of a restricted Boltzmann machine."""

from ... import core as gg


def free_energy(v, w, b, a):
    """F(v) = -bᵀv - Σ_j ln(1 + e^{a_j + (vᵀW)_j}) as tensors: [N, n], [n, m], [n], [m] -> [N].

    >>> import glassgrad as gg
    >>> free_energy(gg.ones((1, 2)), gg.zeros((2, 3)), gg.ones((2,)), gg.zeros((3,))).numpy()
    array([-4.0794415], dtype=float32)
    """
    return -(v @ b) - gg.softplus(v @ w + a).sum(axis=1)
