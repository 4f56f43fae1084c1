"""A picture that is a list: names, and next to each what belongs to it."""

from ...core import pictures
from ..common.names import short


def listed(rows: list[tuple[str, list[str]]], title: str):
    """For each (name, others) a line: the name in bold, then the others."""
    fig = pictures.figure(8.0, 0.3 * max(1, len(rows)) + 0.7)
    ax = fig.subplots()
    ax.axis("off")
    ax.set_title(title, loc="left")
    for number, (word, others) in enumerate(rows):
        y = 1 - (number + 0.5) / len(rows)
        ax.text(0, y, short(word), va="center", weight="bold", color=pictures.ACCENT)
        ax.text(0.27, y, ", ".join(map(short, others)), va="center")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return fig
