"""‖∂z/∂x‖² of an encoder: in closed form, exactly, or estimated."""

import numpy as np

from ... import core as gg
from ...core.recording import recording


def closed_form(weight, z):
    """‖J_f(x_i)‖² of each row, [N], from the weight A [K, D] and codes z = σ(A x + a) [N, K].

    >>> closed_form(gg.tensor([[3.0, 4.0]]), gg.tensor([[0.5]])).item()  # (½·½)² · 25
    1.5625
    """
    slope = z * (1 - z)
    return gg.matmul(slope * slope, (weight * weight).sum(axis=1))


def exact(encode, x, create_graph: bool = True):
    """‖J_f(x_i)‖² of each row, [N], for any encoder that treats rows independently: x [N, D].

    The rows of x are repeated for each code, so that one backward pass gives all of J_f.

    >>> w = gg.tensor([[3.0, 4.0], [0.0, 1.0]])
    >>> exact(lambda x: gg.linear(x, w), gg.ones((1, 2))).item()
    26.0
    """
    n = len(x)
    with gg.no_grad():
        m = encode(x[:1]).shape[1]
    eye = x.xp.eye(m, dtype=x.dtype)
    with recording(True):
        copies = gg.Tensor(x.xp.repeat(x.data, m, axis=0), requires_grad=True)
        z = encode(copies)
        g = gg.grad(z, copies, gg.Tensor(x.xp.tile(eye, (n, 1))), create_graph=create_graph)
        return (g * g).reshape(n, -1).sum(axis=1)


def estimate(encode, x, probes: int, rng, create_graph: bool = True):
    """An unbiased estimate of ‖J_f(x_i)‖² of each row, [N]: the mean of `probes` ‖J_fᵀ v‖².

    >>> w = gg.tensor([[3.0, 4.0], [0.0, 1.0]])
    >>> found = estimate(lambda x: gg.linear(x, w), gg.ones((1, 2)), 4000, gg.Generator(0))
    >>> abs(found.item() / 26 - 1) < 0.1
    True
    """
    n = len(x)
    with recording(True):
        copies = gg.Tensor(x.xp.repeat(x.data, probes, axis=0), requires_grad=True)
        z = encode(copies)
        v = gg.Tensor(rng.normal(z.shape, z.dtype))
        g = gg.grad(z, copies, v, create_graph=create_graph)
        return (g * g).reshape(n, -1).sum(axis=1) * (1 / probes)


def singular_values(encode, x: np.ndarray) -> np.ndarray:
    """Singular values of J_f(x_i), the largest first: rows [N, D] -> [N, min(K, D)]."""
    found = []
    for row in x:
        j = gg.jacobian(lambda r: encode(r.reshape(1, -1)).reshape(-1), gg.Tensor(row))
        found.append(np.linalg.svd(j.numpy(), compute_uv=False))
    return np.stack(found)
