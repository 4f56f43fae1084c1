"""Pictures of StarSpace: what goes with what, features next to others, both sides in one plane."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ..common.neighbours import unit_length
from . import word_pictures

ASKED, ANSWERS = 9, 3  # objects a that are shown, and objects b of each
FEATURES, NEAR = 12, 5  # the same of features
MAPPED = 60  # pairs on the map
SHOWN = 9  # features of an object, from its beginning


def figures(system, data: DataSet, s) -> dict:
    """The objects b nearest to objects a, the neighbours of features, and the map of both sides."""
    held = next(x for x in (data.test, data.valid, data.train) if x is not None and len(x))
    return {
        "matches": matches(system, held),
        "features": features(system),
        "map": pair_map(system, held),
    }


def described(system, features: np.ndarray) -> str:
    """The names of the first features of an object; those without a name are left out."""
    names = dict(zip(system.objects.named.tolist(), system.objects.names))
    known = [names[f] for f in features.tolist() if f in names]
    return " ".join(known[:SHOWN]) + (" …" if len(known) > SHOWN else "")


def matches(system, held):
    """Some objects a, and the objects b of the split nearest to them, the right one red."""
    asked, wanted, among = system.objects.questions(held)
    chosen = np.linspace(0, len(asked) - 1, min(ASKED, len(asked))).astype(np.int64)
    scores = system.of_left([asked[i] for i in chosen]) @ system.of_right(among).T
    near = np.argsort(-scores, axis=1, kind="stable")[:, :ANSWERS]
    fig = pictures.figure(8.6, 0.21 * (near.shape[1] + 1.6) * len(chosen) + 0.5)
    ax, y = fig.subplots(), 0.0
    for i, others in zip(chosen, near):
        ax.text(0, y, described(system, asked[i]), va="center", fontsize=8, weight="bold")
        for j in others:
            y -= 1
            colour = pictures.ACCENT if j == wanted[i] else pictures.INK
            text = described(system, system.objects.right[among[j]])
            ax.text(0.04, y, text, va="center", fontsize=8, color=colour)
        y -= 1.6
    ax.axis("off")
    ax.set(xlim=(0, 1), ylim=(y + 1, 1))
    ax.set_title("held-out objects and the nearest ones; the right one is red", loc="left")
    return fig


def features(system):
    """Words of the left-hand side, commonest first, and the features of the other side nearest.

    In a text, which has one side, the features nearest of all.
    """
    vocabulary, vectors = system.objects, unit_length(system.f.numpy())
    v, named = len(system.data.info.vocabulary), vocabulary.named
    others = np.arange(v, len(named)) if vocabulary.kind == "pairs" else np.arange(len(named))
    chosen = word_pictures.shown(system.data.info.vocabulary, FEATURES)
    fig = pictures.figure(7.4, 0.3 * len(chosen) + 0.7)
    ax = fig.subplots()
    for row, word in enumerate(chosen):
        y = 1 - (row + 0.5) / len(chosen)
        order = np.argsort(-(vectors[named[others]] @ vectors[word]), kind="stable")
        near = [vocabulary.names[others[i]] for i in order if others[i] != word][:NEAR]
        ax.text(0, y, vocabulary.names[word], va="center", weight="bold", color=pictures.ACCENT)
        ax.text(0.19, y, ", ".join(near), va="center")
    ax.axis("off")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    side = "of the other side, " if vocabulary.kind == "pairs" else ""
    ax.set_title(f"features {side}nearest by the angle", loc="left")
    return fig


def pair_map(system, held):
    """Objects a (blue) and b (red) in the plane of the main axes of their directions.

    Pairs are joined by a line, and written where there is room; of classes only these are written,
    and each a has the colour of its class.
    """
    asked, wanted, among = system.objects.questions(held)
    few = system.objects.kind == "sentences"
    most = len(asked) if few else MAPPED
    chosen = np.linspace(0, len(asked) - 1, min(most, len(asked), 1000)).astype(np.int64)
    b = np.arange(len(among)) if few else np.unique(wanted[chosen])
    n = len(chosen)
    both = [system.of_left([asked[i] for i in chosen]), system.of_right(among[b])]
    at = word_pictures.directions(np.concatenate(both))
    ends = n + np.searchsorted(b, wanted[chosen])
    fig = pictures.figure(9.0, 7.0)
    ax = fig.subplots()
    if few:
        colours = [pictures.CLASS_COLOURS[k % 10] for k in wanted[chosen]]
        ax.scatter(*at[:n].T, s=8, c=colours, alpha=0.5, linewidths=0)
    else:
        for i, end in enumerate(ends):
            ax.plot(*at[[i, end]].T, color="#c9ced6", lw=1, zorder=1)
        ax.scatter(*at[:n].T, s=12, color=pictures.COLOURS[0], zorder=2)
    ax.scatter(*at[n:].T, s=24 if few else 12, color=pictures.ACCENT, zorder=3)
    order = [*range(n, len(at)), *([] if few else range(n))]
    for place in word_pictures.legible(at[order]):
        i = order[place]
        own = asked[chosen[i]] if i < n else system.objects.right[among[b[i - n]]]
        text = described(system, own[:4]).removeprefix("__label__")
        colour = pictures.COLOURS[0] if i < n else pictures.ACCENT
        ax.annotate(text, at[i], (3, 3), textcoords="offset points", fontsize=7, color=colour)
    ax.margins(0.09)
    ax.set(xticks=[], yticks=[])
    what = "classes (red) and texts by class" if few else "objects a (blue) and their b (red)"
    ax.set_title(f"{what}, by the two main axes of their directions", loc="left")
    return fig
