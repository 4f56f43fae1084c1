"""The pictures of a network on one graph: the map of its nodes, confusions, right by distance."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Graph
from ...core.graph_layout import layout
from ...core.training.settings import TrainingSettings
from ...core.training.system import System
from ..common.confusion import confusion
from ..common.names import short
from ..common.principal import principal

SMALL = 400  # nodes of a graph that is drawn
NAMED = 60  # nodes up to which names are written


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """The map of the nodes, the confusion matrix, and how often answers are right by distance."""
    system.eval()
    g = data.info.extra["graph"]
    answers = system.answers(np.arange(g.nodes))
    guess, parts = answers.argmax(axis=1), dict(data.splits())
    known = parts["train"].x
    held = parts.get("test", parts.get("valid", parts["train"]))
    names = data.info.classes or tuple(map(str, range(answers.shape[1])))
    return {
        "nodes": node_map(g, guess, known, names, places_of(system, g, answers)),
        "confusion": confusion(held.y, guess[held.x], names),
        "distance": by_distance(g, guess == g.labels, known, held.x),
    }


def places_of(system: System, g: Graph, answers: np.ndarray) -> np.ndarray:
    """Where nodes are drawn [N, 2]: a drawing of a small graph, or components of H / ‖H‖."""
    if g.nodes <= SMALL:
        return layout(g.nodes, g.edges)
    with gg.no_grad():
        h = system.hidden()
    h = h.numpy() if isinstance(h, gg.Tensor) else answers
    h = h / np.maximum(np.linalg.norm(h, axis=1, keepdims=True), 1e-12)  # hubs are long
    basis, mean = principal(h, 2, centred=True)
    return (h - mean) @ basis


def colours_of(labels: np.ndarray) -> list[str]:
    """A colour for each class, grey for -1."""
    palette = pictures.CLASS_COLOURS
    return ["#cccccc" if y < 0 else palette[int(y) % len(palette)] for y in labels]


def node_map(g: Graph, guess, known, names: tuple[str, ...], places: np.ndarray):
    """The nodes coloured by class; rings around known ones, crosses on wrong ones."""
    from matplotlib.collections import LineCollection

    small = g.nodes <= SMALL
    fig = pictures.figure(7.0, 5.6)
    ax = fig.subplots()
    lines = LineCollection(places[g.edges], linewidths=0.7 if small else 0.1,
                           colors="#9aa5b1", alpha=0.8 if small else 0.3, zorder=1)  # fmt: skip
    ax.add_collection(lines)
    size = 90 if small else 9
    ax.scatter(*places.T, s=size, c=colours_of(g.labels), zorder=2, edgecolors="white",
               linewidths=0.3)  # fmt: skip
    ax.scatter(*places[known].T, s=2.2 * size, facecolors="none", edgecolors=pictures.INK,
               linewidths=1.1 if small else 0.7, zorder=3)  # fmt: skip
    wrong = np.flatnonzero((g.labels >= 0) & (guess != g.labels))
    ax.scatter(*places[wrong].T, s=size if small else 5, c=pictures.INK, marker="x",
               linewidths=0.8 if small else 0.4, zorder=4)  # fmt: skip
    if g.nodes <= NAMED and g.node_names:
        for name, place in zip(g.node_names, places):
            ax.annotate(short(name), place, xytext=(4, 4), textcoords="offset points", fontsize=6)
    for k, name in enumerate(names[: len(pictures.CLASS_COLOURS)]):
        ax.scatter([], [], s=30, c=pictures.CLASS_COLOURS[k], label=short(name))
    ax.scatter([], [], s=50, facecolors="none", edgecolors=pictures.INK, label="label is known")
    ax.scatter([], [], s=30, c=pictures.INK, marker="x", label="answer is wrong")
    ax.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    where = "drawn by its edges" if small else "principal components of H, rows of norm 1"
    ax.set_title(f"{short(g.name)}: {len(wrong)} wrong, {where}", fontsize=9)
    ax.set_aspect("equal" if small else "auto")
    ax.margins(0.06)
    ax.set_axis_off()
    return fig


def distances(g: Graph, sources: np.ndarray) -> np.ndarray:
    """The number of edges from each node to the nearest of some, int64 [N]; -1 if there is no path.

    >>> distances(Graph("path", 4, np.array([[0, 1], [1, 2]])), np.array([0])).tolist()
    [0, 1, 2, -1]
    """
    found, front, step = np.full(g.nodes, -1), np.unique(sources), 0
    both = np.concatenate([g.edges, g.edges[:, ::-1]])
    while len(front):
        found[front] = step
        reached = np.zeros(g.nodes, bool)
        seen = np.zeros(g.nodes, bool)
        seen[front] = True
        reached[both[seen[both[:, 0]], 1]] = True
        front, step = np.flatnonzero(reached & (found < 0)), step + 1
    return found


def by_distance(g: Graph, right: np.ndarray, known: np.ndarray, held: np.ndarray):
    """The share of right answers among held-out nodes, by distance from the nearest known label."""
    steps = distances(g, known)[held]
    kinds = np.unique(steps)
    kinds = np.concatenate([kinds[kinds >= 0], kinds[kinds < 0]])
    fig = pictures.figure(5.0, 3.4)
    ax = fig.subplots()
    for i, k in enumerate(kinds):
        mine = held[steps == k]
        share = right[mine].mean()
        ax.bar(i, share, color=pictures.COLOURS[0])
        ax.text(i, share, f"{len(mine)}", ha="center", va="bottom", fontsize=7)
    ax.set_xticks(range(len(kinds)), ["no path" if k < 0 else str(k) for k in kinds])
    ax.set(xlabel="edges to the nearest known label", ylabel="right answers", ylim=(0, 1.1))
    ax.set_title("the number of nodes above each bar", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return fig
