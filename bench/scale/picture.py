"""Efficiency over the number of ranks, for each system, link and way to sum."""

from ...core.pictures import COLOURS, figure
from .model import RANKS, Link, Step, efficiency

DASHES = {"ordered": "-", "ring": "--", "at the root": ":"}


def draw(steps: dict[str, Step], links: dict[str, Link]):
    """One panel for each link; a colour for each system, a dash for each way."""
    fig = figure(4.2 * len(links), 3.4)
    for ax, (where, link) in zip(fig.subplots(1, len(links), squeeze=False)[0], links.items()):
        for colour, (name, step) in zip(COLOURS, steps.items()):
            for way, dash in DASHES.items():
                y = [100 * efficiency(step, link, p, way) for p in RANKS]
                label = f"{name}, {way}" if way != "ordered" else name
                ax.plot(RANKS, y, dash, color=colour, lw=1.2, label=label)
        ax.set(xscale="log", xlabel="ranks, a shard each", ylim=(0, 105), title=where)
        ax.set_xscale("log", base=2)
        ax.set_xticks(RANKS[::2], [str(p) for p in RANKS[::2]])
    fig.axes[0].set_ylabel("efficiency, %")
    fig.axes[-1].legend(fontsize=6)
    return fig
