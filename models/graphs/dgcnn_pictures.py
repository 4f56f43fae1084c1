"""The pictures of a classifier of graphs: what decides, confusions, the order of the nodes."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Graph
from ...core.graph_layout import layout
from ...core.training.settings import TrainingSettings
from ...core.training.system import System
from ..common.confusion import confusion
from ..common.names import short

SHOWN = 12  # graphs whose nodes are coloured
LARGEST = 60  # nodes of such a graph


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Graphs with what decides, the confusion matrix, and the numbers that sort the nodes."""
    system.eval()
    split = data.test if data.test is not None and len(data.test) else data.train
    guess = system.logits(split.x).argmax(axis=1)
    names = data.info.classes or tuple(map(str, range(guess.max() + 1)))
    small = [i for i, g in enumerate(split.x) if 1 < g.nodes <= LARGEST]
    # of each class in turn
    small = sorted(small, key=lambda i: (sum(split.y[j] == split.y[i] for j in small if j < i), i))
    found = {"confusion": confusion(split.y, guess, names)}
    if small:
        found["reasons"] = reasons(system, data, [split.x[i] for i in small[:SHOWN]],
                                   split.y[small[:SHOWN]], names)  # fmt: skip
    if s.pool == "sort":
        found["order"] = order(system, split.x, split.y, names)
    return found


def without(g: Graph, node: int) -> Graph:
    """The graph without one node and its edges.

    >>> without(Graph("path", 3, np.array([[0, 1], [1, 2]])), 0).edges.tolist()
    [[0, 1]]
    """
    kept = (g.edges != node).all(axis=1)
    edges = g.edges[kept] - (g.edges[kept] > node)
    labels = None if g.labels is None else np.delete(g.labels, node)
    features = None
    if g.features is not None:
        a = g.sparse_features()[np.arange(g.nodes) != node]
        features = a.data, a.indices.astype(np.int64), a.indptr.astype(np.int64), a.shape
    weights = None if g.weights is None else g.weights[kept]
    return Graph(g.name, g.nodes - 1, edges, labels=labels, features=features, weights=weights)


def lost(system: System, g: Graph) -> tuple[int, np.ndarray]:
    """(the answer, how much of its probability is lost without each node [N])."""
    z = system.logits([g, *(without(g, i) for i in range(g.nodes))]).astype(np.float64)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    answer = int(p[0].argmax())
    return answer, p[0, answer] - p[1:, answer]


def reasons(system: System, data: DataSet, graphs: list[Graph], y, names):
    """Graphs with each node coloured by what its absence costs the answer: red most."""
    from matplotlib.collections import LineCollection

    found = [lost(system, g) for g in graphs]
    most = max(1e-6, *(float(np.abs(change).max()) for _, change in found))
    across = min(4, len(graphs))
    down = -(-len(graphs) // across)
    fig = pictures.figure(2.2 * across + 0.8, 2.2 * down + 0.3)
    axes = fig.subplots(down, across, squeeze=False)
    for ax in axes.ravel():
        ax.set_axis_off()
    letters = data.info.feature_names
    for ax, g, label, (answer, change) in zip(axes.ravel(), graphs, y, found):
        places = layout(g.nodes, g.edges)
        ax.add_collection(LineCollection(places[g.edges], colors="#9aa5b1", zorder=1))
        image = ax.scatter(*places.T, s=60, c=change, cmap="RdBu_r", vmin=-most, vmax=most,
                           edgecolors="#777777", linewidths=0.4, zorder=2)  # fmt: skip
        if g.labels is not None and len(letters) > g.labels.max() and len(letters) > 1:
            for place, label_of_node in zip(places, g.labels):
                ax.annotate(letters[label_of_node], place, ha="center", va="center", fontsize=5)
        wrong = "" if answer == label else f", is {short(names[label])}"
        ax.set_title(f"{short(names[answer])}{wrong}", fontsize=7,
                     color=pictures.ACCENT if wrong else pictures.INK)  # fmt: skip
        ax.set_aspect("equal")
        ax.margins(0.1)
    bar = fig.colorbar(image, ax=axes, shrink=0.6, label="probability lost without the node")
    bar.outline.set_visible(False)
    return fig


def order(system: System, graphs: list[Graph], y, names):
    """The sorted numbers of the last layer, a row for each graph, class after class."""
    with gg.no_grad():
        g = system.encoder(graphs)
        last = system.nodes(g).numpy()[:, -1]
    shown = np.full((len(graphs), system.k), np.nan)
    for i, (a, b) in enumerate(zip(g.first[:-1], g.first[1:])):
        values = np.sort(last[a:b])[::-1][: system.k]
        shown[i, : len(values)] = values
    by_class = np.argsort(y, kind="stable")
    fig = pictures.figure(6.0, 4.4)
    ax = fig.subplots()
    image = ax.imshow(shown[by_class], cmap="viridis", aspect="auto", interpolation="nearest")
    counts = np.bincount(y, minlength=len(names))
    ends = np.cumsum(counts)
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color="white", lw=1.5)
    ax.set_yticks(ends - counts / 2, [short(name) for name in names], fontsize=8)
    ax.set(xlabel="node, in the order of sort pooling", title="numbers of the last layer")
    fig.colorbar(image, ax=ax).outline.set_visible(False)
    return fig
