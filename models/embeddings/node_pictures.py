"""Pictures of vectors of nodes: the graph at its vectors, and the nearest nodes."""

import numpy as np

from ...core import pictures
from ..common.names import short
from . import judging, word_pictures
from .lists import listed

ROWS, NEAR = 12, 6  # nodes of the list, those with the most edges, and neighbours of each
NAMED = 100  # nodes whose names are written: those with the most edges, where there is room
DRAWN = 3000  # nodes, the ones with the most edges
LINES = 5000  # edges; of more nothing could be seen
LEGEND = 10  # classes


def figures(system, data, s) -> dict:
    """`map` and `neighbours`."""
    vectors = system.w.numpy()
    return {
        "map": node_map(vectors, system.graph, system.vocabulary.words),
        "neighbours": neighbours(vectors, system.graph, system.vocabulary.words),
    }


def classes_of(graph) -> tuple[np.ndarray, tuple[str, ...]]:
    """(a class for each node, the first of its groups, or -1; the names of the classes)."""
    if graph.label_pairs is not None:
        y = np.full(graph.nodes, -1)
        for node, group in graph.label_pairs[::-1].tolist():
            y[node] = group
    else:
        y = np.full(graph.nodes, -1) if graph.labels is None else np.asarray(graph.labels)
    kinds = int(y.max(initial=-1)) + 1
    names = graph.info.classes
    return y, names if len(names) >= kinds else tuple(map(str, range(kinds)))


def neighbours(vectors: np.ndarray, graph, names):
    """The nodes with the most edges, and those whose vectors have the smallest angles to theirs."""
    rows = []
    for node in np.argsort(-graph.degree(), kind="stable")[:ROWS]:
        near = judging.neighbours(vectors, int(node), min(NEAR, len(vectors) - 1))
        rows.append((names[node], [names[i] for i in near]))
    return listed(rows, "the nodes with the most edges, and the nearest to each, by the angle")


def node_map(vectors: np.ndarray, graph, names):
    """Nodes in the plane of the two main axes of their directions, with their edges."""
    from matplotlib.collections import LineCollection

    y, classes = classes_of(graph)
    chosen = np.sort(np.argsort(-graph.degree(), kind="stable")[:DRAWN])
    at = np.full((graph.nodes, 2), np.nan)
    at[chosen] = word_pictures.directions(vectors[chosen])
    fig = pictures.figure(7.5, 6.0)
    ax = fig.subplots()
    lines = at[graph.edges]
    if len(lines) <= LINES:
        ax.add_collection(LineCollection(lines, linewidths=0.5, colors="#d4d8de", zorder=1))
    for k in np.unique(y[chosen]):
        own = chosen[y[chosen] == k]
        palette, known = pictures.CLASS_COLOURS, len(classes) > 0 and k >= 0
        colour = palette[int(k) % len(palette)] if known else pictures.COLOURS[0]
        label = short(classes[k]) if known and k < LEGEND else None
        ax.scatter(*at[own].T, s=22 if len(chosen) < 300 else 6, color=colour, label=label,
                   zorder=2, linewidths=0)  # fmt: skip
    busy = chosen[np.argsort(-graph.degree()[chosen], kind="stable")]
    for i in busy[word_pictures.legible(at[busy])][:NAMED]:
        ax.annotate(short(names[i]), at[i], (3, 3), textcoords="offset points", fontsize=7,
                    color=pictures.INK)  # fmt: skip
    if len(classes) and (y[chosen] >= 0).any():
        ax.legend(frameon=False, fontsize=8)
    ax.margins(0.08)
    ax.set(xticks=[], yticks=[], title="nodes by the two main axes of their directions")
    return fig
