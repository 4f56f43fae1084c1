"""Figures of sequences: piano rolls, generated text, tables of symbols, activations over time."""

import numpy as np

from ...core import pictures
from ..common.names import short, shorts


def piano_rolls(rolls: dict):
    """Rolls [T, 88] one above the other, time from left to right, dark where a key sounds."""
    fig = pictures.figure(7.5, 2.1 * len(rolls))
    for ax, (title, roll) in zip(np.atleast_1d(fig.subplots(len(rolls))), rolls.items()):
        ax.imshow(roll.T, cmap="gray_r", vmin=0, vmax=1, origin="lower", aspect="auto")
        used = np.flatnonzero(roll.max(axis=0) > 0.5)
        if used.size:
            ax.set_ylim(used[0] - 3, used[-1] + 3)
        ax.set(title=title, xlabel="quarter note", ylabel="key")
    return fig


def page(text: str, width: int = 84):
    """Text as a figure, with long lines wrapped; the figure's label is the text as it is."""
    lines = [
        line[i : i + width] for line in text.split("\n") for i in range(0, len(line) or 1, width)
    ]
    fig = pictures.figure(0.085 * width + 0.3, 0.19 * len(lines) + 0.3)
    fig.text(
        0.02,
        0.98,
        "\n".join(lines),
        family="monospace",
        size=9,
        va="top",
        color=pictures.INK,
    )
    fig.set_label(text)
    return fig


def legal_table(p, legal, x, names):
    """p [T, K] as shades, a ring where a symbol is legal; the string x [T, K] along the axis."""
    fig = pictures.figure(1.6 + 0.3 * len(p), 0.9 + 0.3 * len(names))
    ax = fig.subplots()
    ax.imshow(p.T, cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    ax.plot(*np.nonzero(legal), "o", mfc="none", mec=pictures.ACCENT, ms=9)
    ax.set_xticks(range(len(x)), [short(names[i]) for i in x.argmax(axis=1)])
    ax.set_yticks(range(len(names)), shorts(names))
    ax.set(title="p(next symbol); rings: legal", xlabel="symbol read")
    return fig


def traces(curves: dict, ticks=()):
    """Activations over time: {name: [T, H]}, a panel for each, a line for each unit."""
    fig = pictures.figure(7.0, 1.5 * len(curves))
    axes = np.atleast_1d(fig.subplots(len(curves), sharex=True))
    for ax, (name, a) in zip(axes, curves.items()):
        for k, unit in enumerate(a.T):
            ax.plot(unit, "-", color=pictures.COLOURS[k % 10], lw=1.4, marker=".", ms=3)
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
    if len(ticks):
        axes[-1].set_xticks(range(len(ticks)), ticks)
    axes[-1].set_xlabel("t")
    return fig
