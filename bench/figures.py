"""Two pictures of a record: the roofline with every row on it, and the ratios to each peer."""

from pathlib import Path

import numpy as np

from ..core.pictures import ACCENT, COLOURS, INK, figure
from ..core.training.run_folder import make_folder, write_atomic
from .record import Record, describe
from .tables import short

MARKS = "os^D"  # one for every time the colours have been used up
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def write(record: Record, folder: Path) -> list[Path]:
    """Draw what the record has rows for; the paths of the PNG files."""
    make_folder(folder)
    found = {"roofline": roofline(record)}
    found |= {f"ratios-{peer}": ratios(record, peer) for peer in record.peers}
    paths = []
    for name, fig in found.items():
        if fig is not None:
            paths.append(folder / f"{name}.png")
            write_atomic(paths[-1], png(fig))
    return paths


def png(fig) -> bytes:
    """The figure as a PNG file."""
    import io

    buffer = io.BytesIO()
    fig.savefig(buffer, dpi=150)
    return buffer.getvalue()


def roofline(record: Record):
    """Operations in a second over operations a byte (Williams, Waterman & Patterson 2009)."""
    rows = [r for r in record.rows if r["median"] and r["flops"] and r["bytes"]]
    if not rows:
        return None
    peak, bandwidth = record.roofline["flops"], record.roofline["bytes"]
    intensity = np.array([r["flops"] / r["bytes"] for r in rows])
    speed = np.array([r["flops"] / r["median"] for r in rows])
    fig = figure(7.0, 4.6)
    ax = fig.subplots()
    x = np.geomspace(min(0.05, intensity.min()), 2 * max(intensity.max(), peak / bandwidth), 200)
    ax.plot(x, np.minimum(peak, bandwidth * x) / 1e9, color=INK, lw=2)
    ax.axhline(peak / 1e9, color=INK, lw=0.6, ls=":")
    families = list(dict.fromkeys(r["name"].partition(".")[0] for r in rows))
    for k, family in enumerate(families):
        mine = [i for i, r in enumerate(rows) if r["name"].partition(".")[0] == family]
        colour, mark = COLOURS[k % len(COLOURS)], MARKS[k // len(COLOURS) % len(MARKS)]
        ax.plot(intensity[mine], speed[mine] / 1e9, mark, ms=4, color=colour, label=family)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="operations a byte, at the least traffic",
        ylabel="GFLOP/s",
        title=_title(record),
    )
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    ax.legend(frameon=False, fontsize=7, ncols=2)
    return fig


def _title(record: Record) -> str:
    line, where = record.roofline, record.machine.get("gpu") or record.machine["cpu"]
    return (
        f"{where}, {record.threads} threads: {line['flops'] / 1e9:.0f} GFLOP/s,"
        f" {line['bytes'] / 1e9:.1f} GB/s"
    )


def ratios(record: Record, peer: str):
    """A bar for each row: the peer's time over ours, from 1 to the right where we are faster."""
    rows = [r for r in newest(record.rows) if peer in r["peers"]]
    if not rows:
        return None
    values = np.array([r["peers"][peer]["ratio"] for r in rows])
    fig = figure(7.5, 0.9 + 0.19 * len(rows))
    ax = fig.subplots()
    y = np.arange(len(rows))
    colours = [COLOURS[0] if v >= 1 else ACCENT for v in values]
    ax.barh(y, values - 1, left=1, color=colours, height=0.7)
    for at, value in zip(y, values):
        side = "left" if value >= 1 else "right"
        ax.text(value, at, f" {value:.2f} ", va="center", ha=side, fontsize=6)
    ax.set_yticks(y, [short(describe(r)) for r in rows], fontsize=6)
    ax.axvline(1, color=INK, lw=0.8)
    ax.set(xscale="log", xlabel=f"{peer}'s time / ours")
    low, high = min(0.5, 0.7 * values.min()), max(2, 1.5 * values.max())
    ticks = [t for t in TICKS if low <= t <= high]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(low, high)
    ax.invert_yaxis()
    ax.margins(y=0.01)
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def newest(rows: list[dict]) -> list[dict]:
    """Of each case the row of the newest version that ran."""
    found = {}
    for row in rows:
        if row["median"] is not None:
            found[row["name"], row["case"], row["mode"], row["backend"]] = row
    return list(found.values())
