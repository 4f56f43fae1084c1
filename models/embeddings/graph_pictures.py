"""Pictures of graph2vec: graphs as points, and graphs next to those with the nearest vectors."""

import numpy as np

from ...core import pictures
from ..common.names import short
from ..common.neighbours import nearest, unit_length
from ..common.principal import principal
from . import word_pictures
from .logistic import one_vs_rest

POINTS = 1500  # graphs on the map
ROWS, NEAR = 5, 5  # graphs that are drawn, and neighbours of each
LEGEND = 10  # classes


def figures(system, data, s) -> dict:
    """`map` and `neighbours`."""
    graphs, y = data.info.extra["graphs"]["train"], system.y
    return {
        "map": graph_map(system.vectors, y, data.info.classes),
        "neighbours": neighbours(system.vectors, graphs, y, data.info.classes),
    }


def colour_of(y: np.ndarray | None, i: int) -> str:
    """The colour of graph i."""
    palette = pictures.CLASS_COLOURS
    return pictures.COLOURS[0] if y is None else palette[int(y[i]) % len(palette)]


def graph_map(vectors: np.ndarray, y: np.ndarray | None, names: tuple[str, ...]):
    """The training graphs in a plane: of two classes, the first axis is what tells them apart."""
    two = y is not None and len(np.unique(y)) == 2
    at = (apart(vectors, y) if two else word_pictures.directions(vectors))[:POINTS]
    fig = pictures.figure(6.4, 5.2)
    ax = fig.subplots()
    for k in [None] if y is None else np.unique(y[:POINTS]):
        own = np.arange(len(at)) if k is None else np.flatnonzero(y[:POINTS] == k)
        name = names[k] if k is not None and k < len(names) else k
        label = None if k is None or k >= LEGEND else short(str(name))
        ax.scatter(*at[own].T, s=9, color=colour_of(y, own[0]), label=label, linewidths=0)
    if y is not None:
        ax.legend(frameon=False, fontsize=8, markerscale=1.6)
    ax.margins(0.06)
    ax.set(xticks=[], yticks=[], title=f"{len(at)} training graphs by their vectors")
    if two:
        ax.set(xlabel="what tells the classes apart (logistic regression)")
        ax.set(ylabel="the main axis of the rest")
    return fig


def apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Vectors [N, D] of two classes along what tells them apart, and the main axis of the rest.

    >>> x = np.array([[1.0, 5.0], [1.0, -5.0], [-1.0, 5.0], [-1.0, -5.0]])
    >>> np.abs(apart(x, np.array([1, 1, 0, 0]))).round(6).tolist()
    [[1.0, 5.0], [1.0, 5.0], [1.0, 5.0], [1.0, 5.0]]
    """
    w = one_vs_rest(x, (y == y.max())[:, None])[0][:, 0]
    w /= max(np.linalg.norm(w), 1e-12)
    along = np.asarray(x, np.float64) @ w
    rest = x - along[:, None] * w
    return np.stack([along, (rest - rest.mean(axis=0)) @ principal(rest, 1, True)[0][:, 0]], 1)


def places(graph) -> np.ndarray:
    """Places [N, 2] of the nodes of a graph: its connected parts side by side, each `spectral`."""
    from scipy.sparse.csgraph import connected_components

    count, part = connected_components(graph.adjacency(), directed=False)
    at, right = np.zeros((graph.nodes, 2)), 0.0
    for k in range(count):
        own = np.flatnonzero(part == k)
        number = np.full(graph.nodes, -1)
        number[own] = np.arange(len(own))
        inside = part[graph.edges[:, 0]] == k
        flat = spectral(len(own), number[graph.edges[inside]])
        flat = (flat - flat.min(axis=0)) / max(np.ptp(flat), 1e-9) * len(own) ** 0.5
        at[own] = flat + np.array([right, 0.0])
        right += flat[:, 0].max() + 1
    return at


def spectral(nodes: int, edges: np.ndarray) -> np.ndarray:
    """Places [N, 2] of the nodes of a connected graph: the two smoothest vectors on it.

    They are the eigenvectors of the Laplacian D - A with the smallest eigenvalues above 0: nodes
    with an edge are near to each other. Source: Hall 1970.
    """
    a = np.zeros((nodes, nodes))
    a[edges[:, 0], edges[:, 1]] = a[edges[:, 1], edges[:, 0]] = 1
    vectors = np.linalg.eigh(np.diag(a.sum(axis=1)) - a)[1][:, 1:3]
    return np.pad(vectors, ((0, 0), (0, 2 - vectors.shape[1])))


def neighbours(vectors: np.ndarray, graphs: list, y: np.ndarray | None, names: tuple[str, ...]):
    """Some graphs, each with those whose vectors have the smallest angle to its own."""
    from matplotlib.collections import LineCollection

    rows = np.unique(np.linspace(0, len(graphs) - 1, ROWS).astype(int))
    x = unit_length(vectors.astype(np.float64))
    near = nearest(x[rows], x, min(NEAR + 1, len(x)))
    fig = pictures.figure(1.45 * near.shape[1], 1.45 * len(rows) + 0.5)
    fig.suptitle("graphs (left), and those with the nearest vectors", fontsize=10)
    axes = fig.subplots(len(rows), near.shape[1], squeeze=False)
    for line, row, others in zip(axes, rows, near):
        others = [row, *[i for i in others if i != row]][: near.shape[1]]
        for ax, i in zip(line, others):
            graph = graphs[i]
            at = places(graph)
            ax.add_collection(LineCollection(at[graph.edges], linewidths=0.7, colors="#b5bcc6"))
            ax.scatter(*at.T, s=7, color=colour_of(y, i), zorder=2, linewidths=0)
            ax.margins(0.12)
            ax.set(xticks=[], yticks=[])
            name = names[y[i]] if y is not None and y[i] < len(names) else f"{graph.nodes} nodes"
            ax.set_title(short(name), fontsize=7, color=colour_of(y, i))
            ax.spines[:].set_color("#d4d8de")
    return fig
