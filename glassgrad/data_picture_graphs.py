"""Graphs as pictures: a drawing of a small one, the degrees of a large one."""

import numpy as np

from .core import pictures
from .core.data import DataSet, Graph
from .core.graph_layout import layout

SMALL = 400  # nodes of a graph that is drawn
NAMED = 40  # nodes whose names are written: those with the most edges
GRAPHS = 12


def draw(ax, g: Graph, size: float, names: bool = False) -> None:
    """The graph on `ax`: nodes coloured by label, edges as wide as they are heavy."""
    from matplotlib.collections import LineCollection

    places = layout(g.nodes, g.edges)
    width = np.full(len(g.edges), 0.6)
    if g.weights is not None and len(g.weights) and g.weights.max() > 0:
        width = 0.3 + 2.5 * np.maximum(g.weights, 0) / g.weights.max()
    ax.add_collection(LineCollection(places[g.edges], linewidths=width, colors="#9aa5b1", zorder=1))
    colours = _colours(g)
    ax.scatter(*places.T, s=size, c=colours, zorder=2, edgecolors="white", linewidths=0.4)
    if names:
        named = np.argsort(-g.degree(), kind="stable")[:NAMED]
        for i in named if len(named) == g.nodes else named[: NAMED // 2]:
            ax.annotate(
                g.node_names[i][:16].replace("$", r"\$"), places[i], xytext=(2, 2),
                textcoords="offset points", fontsize=5,
            )  # fmt: skip
    ax.set_aspect("equal")
    ax.margins(0.06)
    ax.set_axis_off()


def _colours(g: Graph) -> list[str]:
    if g.labels is None:
        return [pictures.COLOURS[0]] * g.nodes
    palette = pictures.CLASS_COLOURS
    return ["#cccccc" if y < 0 else palette[int(y) % len(palette)] for y in g.labels]


def graph(g: Graph):
    """A drawing and the degrees of a small graph; the degrees and classes of a large one."""
    degree = g.degree()
    figure = pictures.figure(9.5, 4.6 if g.nodes <= SMALL else 3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1) if g.nodes <= SMALL else (1, 1))
    if g.nodes <= SMALL:
        draw(left, g, 60 if g.nodes <= NAMED else 20, names=len(g.node_names) > 0)
        top = int(degree.max(initial=0))
        right.hist(degree, bins=np.arange(top + 2) - 0.5, color=pictures.COLOURS[0])
        right.set_ylabel("nodes")
    else:
        kinds, n = np.unique(degree[degree > 0], return_counts=True)
        right.loglog(kinds, n, ".", color=pictures.COLOURS[0])
        right.set_ylabel("nodes")
        _classes(left, g)
    right.set_xlabel(f"degree ({int((degree == 0).sum()):,} nodes have none)")
    if g.labels is not None and g.info.classes and g.nodes <= SMALL:
        _legend(left, g)
    figure.suptitle(f"{g.name}: {g.nodes:,} nodes, {len(g.edges):,} edges", fontsize=9)
    return figure


def _legend(ax, g: Graph) -> None:
    palette = pictures.CLASS_COLOURS
    for k, name in list(enumerate(g.info.classes))[: len(palette)]:
        ax.scatter([], [], s=20, c=palette[k], label=name[:20])
    ax.legend(fontsize=7, loc="lower left")


def _classes(ax, g: Graph) -> None:
    """How many nodes each class, or group, has; without them how heavy the tail of degrees is."""
    if g.labels is not None:
        n, what = np.bincount(g.labels[g.labels >= 0]), "class"
    elif g.label_pairs is not None:
        n, what = np.bincount(g.label_pairs[:, 1]), "group"
    else:
        degree = np.sort(g.degree())[::-1]
        ax.loglog(np.arange(1, len(degree) + 1), np.maximum(degree, 0.5), color=pictures.INK)
        ax.set(xlabel="nodes with at least this degree", ylabel="degree")
        return
    top = np.argsort(-n, kind="stable")[:20]
    names = g.info.classes or tuple(map(str, range(len(n))))
    ax.barh(range(len(top)), n[top], color=pictures.COLOURS[2])
    ax.set_yticks(range(len(top)), [names[i][:20] for i in top], fontsize=7)
    ax.invert_yaxis()
    ax.set_xlabel(f"nodes of a {what}")


def graphs(data: DataSet):
    """The first training graphs that are small enough to draw, with their classes."""
    shown = [(i, g) for i, g in enumerate(data.train.x) if g.nodes <= SMALL][:GRAPHS]
    across = min(4, max(1, len(shown)))
    down = max(1, -(-len(shown) // across))
    figure = pictures.figure(2.2 * across, 2.1 * down + 0.4)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    y, names = data.train.y, data.info.classes
    for ax, (i, g) in zip(axes, shown):
        draw(ax, g, 26)
        label = f", {names[y[i]]}" if y is not None and names else ""
        ax.set_title(f"{g.nodes} nodes{label}"[:30], fontsize=7)
    figure.suptitle(f"{data.name}: the first of {len(data.train):,} training graphs", fontsize=9)
    return figure
