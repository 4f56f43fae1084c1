"""Where the nodes of a small graph are drawn."""

import numpy as np

STEPS = 300


def layout(nodes: int, edges: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Places [N, 2] of the nodes of a graph: springs along edges, repulsion between all nodes.

    force on u   Σ_v (u - v) k² / d²  -  Σ_{v next to u} (u - v) d / k  -  pull to the centre

    with d the distance, k = 1 / sqrt(N). Every step moves a node at most by a temperature that
    falls to 0. It begins on a spiral, without chance: the same graph gives the same picture. The
    pull keeps parts that are not connected together. Source: Fruchterman & Reingold 1991.

    >>> places = layout(3, np.array([[0, 1], [1, 2]]))
    >>> d = np.linalg.norm(places[[0, 1, 0]] - places[[1, 2, 2]], axis=1)
    >>> bool(d[2] > d[0] and abs(d[0] - d[1]) < 0.05)
    True
    """
    turn = np.pi * (3 - 5**0.5) * np.arange(nodes)  # the golden angle
    radius = np.sqrt((np.arange(nodes) + 0.5) / max(1, nodes))
    p = np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)
    u, v = edges.T if len(edges) else (np.zeros(0, np.int64),) * 2
    k = 1 / max(1, nodes) ** 0.5
    for step in range(steps):
        apart = p[:, None] - p[None]
        square = np.maximum((apart**2).sum(axis=-1), 1e-9)
        force = (apart * (k * k / square)[..., None]).sum(axis=1)
        along = p[u] - p[v]
        pull = along * (np.linalg.norm(along, axis=1, keepdims=True) / k)
        np.subtract.at(force, u, pull)
        np.add.at(force, v, pull)
        force -= 2 * k * p
        size = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        p += force / size * np.minimum(size, 0.1 * (1 - step / steps))
    return p - p.mean(axis=0) if nodes else p
