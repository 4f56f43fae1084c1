"""How a map distorts (lecture 1, V0 181-187): what was near comes apart, what was far comes near.

Of N samples, r(i, j) is the rank of j among the neighbours of i in the data, 1 for the nearest, and
s(i, j) its rank on the map. U_i are the k nearest of i on the map, V_i those in the data
(Venna & Kaski 2001) ::

    trustworthiness    1 - c Σ_i Σ_{j ∈ U_i} max(0, r(i, j) - k)     near on the map, far in truth?
    continuity         1 - c Σ_i Σ_{j ∈ V_i} max(0, s(i, j) - k)     near in truth, torn apart?
    c = 2 / (N k (2N - 3k - 1))

Both are 1 for a map that keeps all neighbours; a random one has about ½. Samples of one node are at
distance 0 on the map, and many others tie as well: the one that is nearer in the data goes first,
the order most favourable to the map.

Source: Venna, Kaski, "Neighborhood preservation in nonlinear projection methods: an experimental
study", 2001.
"""

import numpy as np

from ...kernels import som as kernel
from ...kernels.errors import ValueRangeError, expect


def ranks(distance: np.ndarray, ties: np.ndarray | None = None) -> np.ndarray:
    """The rank of j among the neighbours of i, int64 [N, N], of distances [N, N]; i itself is 0.

    Of equally distant samples the one with the smaller `ties` [N, N] goes first, then the one with
    the smaller number.

    >>> ranks(np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 0.0]])).tolist()
    [[0, 2, 1], [2, 0, 1], [1, 2, 0]]
    """
    own = ~np.eye(len(distance), dtype=bool)  # a sample is the first of its own row
    keys = (distance, own) if ties is None else (ties, distance, own)
    order = np.lexsort(keys, axis=1)
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(len(order))[None, :], axis=1)
    return found


def distortions(data: np.ndarray, on_map: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Each sample's part of (1 - trustworthiness, 1 - continuity), float64 [N] both, in [0, 1].

    data    distances of the samples in the data [N, N]
    on_map  the same on the map, between the nodes that the samples belong to
    k       neighbours, from 1 to (N - 1)/2

    Their means are the two figures. Raises ValueRangeError for another k.

    >>> line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    >>> false, torn = distortions(line, line, 2)
    >>> 1 - false.mean(), 1 - torn.mean()
    (np.float64(1.0), np.float64(1.0))
    """
    n = len(data)
    expect(1 <= k <= (n - 1) // 2, "distortions", "k neighbours of N samples",
           f"1 <= k <= {(n - 1) // 2}", k, ValueRangeError)  # fmt: skip
    r, s = ranks(data), ranks(on_map, data)
    scale = 2 / (k * (2 * n - 3 * k - 1))
    false = np.where((s > 0) & (s <= k), np.maximum(r - k, 0), 0).sum(axis=1)
    torn = np.where((r > 0) & (r <= k), np.maximum(s - k, 0), 0).sum(axis=1)
    return scale * false, scale * torn


def of_map(system, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The distortions of rows x [N, D] by a map, between the nodes that win them."""
    winner, _ = system.winners(x)
    data = np.sqrt(kernel.distances(x, x).astype(np.float64))
    return distortions(data, system.grid.distance[np.ix_(winner, winner)], k)
