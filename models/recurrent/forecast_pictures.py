"""Pictures of forecasts: bands over what came, and errors by the number of steps ahead."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ..common.names import short
from .forecast_yardsticks import yardsticks

SHOWN = 240  # steps of the course that is drawn, the last ones of the test part
BLUE = pictures.COLOURS[0]


def figures(system, data: DataSet, s) -> dict:
    """The course of the test part with bands; errors and coverage by steps ahead."""
    forecasts = system.forecast(data.test.x)
    return {
        "course": course(data, s, *forecasts),
        "errors": errors(data, s, *forecasts),
    }


def moments(data: DataSet) -> np.ndarray:
    """When each first value to come of the test windows is: times, or numbers of steps."""
    times, n = data.info.extra.get("times", {}).get("test"), len(data.test)
    if times is None:
        times = np.arange(len(data.info.extra["series"]["test"]))
    ahead = data.test.y.shape[1] - 1
    return times[len(times) - ahead - n : len(times) - ahead]


def course(data: DataSet, s, middle, low, high):
    """What came, and the bands: one step ahead, and from some moments on all steps ahead."""
    n, h = min(SHOWN, len(middle)), middle.shape[1]
    when, z = moments(data)[-n:], data.test.y[-n:, 0, 0]
    middle, low, high = middle[-n:], low[-n:], high[-n:]
    fig = pictures.figure(8.2, 2.9 if h == 1 else 5.0)
    axes = fig.subplots(1 if h == 1 else 2, 1, sharex=True, squeeze=False).ravel()
    drawn = [(axes[0], [(when, middle[:, 0], low[:, 0], high[:, 0])])]
    if h > 1:
        pieces = [
            (when[a : a + h], *(v[a, : len(when[a : a + h])] for v in (middle, low, high)))
            for a in range(0, n, h)
        ]
        drawn.append((axes[1], pieces))
        for a in range(0, n, h):
            axes[1].axvline(when[a], color="0.85", lw=0.8, zorder=0)
    for ax, pieces in drawn:
        for t, m, a, b in pieces:
            ax.fill_between(t, a, b, color=BLUE, alpha=0.25, lw=0)
            ax.plot(t, m, color=BLUE, lw=1.2)
        ax.plot(when, z, ".", ms=2.5, color=pictures.ACCENT, zorder=3)
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(x=0.01)
    names = data.info.feature_names or [""] * s.column
    name = short(names[s.column - 1])
    band = f"band of {100 * s.band:.0f} %"
    axes[0].set_title(f"{name}: forecast one step ahead, {band}; dots: what came")
    if h > 1:
        axes[1].set_title(f"at each grey line the next {h} steps at once")
    axes[-1].set_xlabel("time" if when.dtype.kind == "M" else "step of the test part")
    return fig


def errors(data: DataSet, s, middle, low, high):
    """Root mean square error by steps ahead next to the yardsticks; coverage of the bands."""
    z, known = data.test.y[:, :, 0], data.test.y[:, :, 1] > 0
    count = np.maximum(known.sum(axis=0), 1)

    def by_steps(forecast):
        return np.sqrt((known * (forecast - z) ** 2).sum(axis=0) / count)

    curves = {"the net": by_steps(middle)}
    curves |= {name: by_steps(f) for name, f in yardsticks(data, s).items()}
    covered = (known & (low <= z) & (z <= high)).sum(axis=0) / count
    if middle.shape[1] == 1:
        return bars(curves, covered[0], s)
    fig = pictures.figure(8.2, 3.4)
    left, right = fig.subplots(1, 2)
    ahead = np.arange(1, middle.shape[1] + 1)
    for (name, curve), colour in zip(curves.items(), pictures.COLOURS):
        left.plot(ahead, curve, ".-", color=colour, label=name)
    values = np.concatenate(list(curves.values()))
    if values.max() > 30 * values.min() > 0:
        left.set_yscale("log")
    else:
        left.set_ylim(0)
    left.set(xlabel="steps ahead", title="root mean square error, test part")
    left.legend(frameon=False, fontsize=8)
    right.plot(ahead, covered, ".-", color=BLUE)
    right.axhline(s.band, color=pictures.ACCENT, lw=1)
    right.set(xlabel="steps ahead", ylim=(0, 1.02),
              title=f"share of values in the bands of {100 * s.band:.0f} %")  # fmt: skip
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
    return fig


def bars(curves: dict, covered: float, s):
    """The same for one step ahead."""
    fig = pictures.figure(6.4, 0.7 + 0.42 * len(curves))
    ax = fig.subplots()
    values = [float(curve[0]) for curve in curves.values()]
    colours = [BLUE, *["0.75"] * (len(values) - 1)]
    for bar, v in zip(ax.barh(list(curves), values, color=colours), values):
        ax.annotate(f"{v:.4g}", (v, bar.get_y() + bar.get_height() / 2), (4, 0),
                    textcoords="offset points", va="center", size=9)  # fmt: skip
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.12)
    ax.set_title("root mean square error one step ahead", size=10)
    ax.set_xlabel(f"{100 * covered:.0f} % of the values are in the bands of {100 * s.band:.0f} %")
    return fig
