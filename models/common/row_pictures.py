"""Pictures for rows of numbers, where there is no image: matrices, columns, samples next to data.

matrix         rows as colours, a named column each
weights        weight vectors as such rows, the longest first
column_errors  squared error by column, next to that of predicting each column's mean
row_errors     how the squared errors of rows are distributed
generated      rows from a model next to the data: of binary rows both as matrices, and the share of
               ones of each column; of a table their main plane, and mean and spread of each column

Columns of a table are standardised (rows.py), so what is drawn is in standard deviations.
"""

import numpy as np

from ...core import pictures
from ...core.data import DataSet, kind_of
from .names import names_of
from .principal import principal
from .rows import flat

MOST_COLUMNS = 40
MOST_ROWS = 30


def most_varied(x: np.ndarray, most: int = MOST_COLUMNS) -> np.ndarray:
    """Numbers of the columns of x [N, D] that vary most among its rows, in their order.

    >>> most_varied(np.array([[0, 5, 1], [9, 5, 2]]), 2).tolist()
    [0, 2]
    """
    return np.sort(np.argsort(-x.var(axis=0), kind="stable")[:most])


def matrix(x: np.ndarray, data: DataSet, title: str, labels: list[str] | None = None):
    """Rows [N, D] as colours: red and blue around 0 if they have both signs, otherwise grey.

    More than MOST_ROWS rows are cut; of more than MOST_COLUMNS columns those that vary most stay.
    """
    x = x[:MOST_ROWS]
    chosen = most_varied(x)
    names, shown = names_of(data), x[:, chosen]
    fig = pictures.figure(max(3.6, 0.22 * len(chosen) + 1.8), 0.16 * len(x) + 2.2)
    ax = fig.subplots()
    draw(ax, shown)
    ax.set_xticks(range(len(chosen)), [names[j] for j in chosen], fontsize=6, rotation=90)
    if labels is not None:
        ax.set_yticks(range(len(x)), labels[: len(x)], fontsize=6)
    cut = "" if len(chosen) == len(names) else f"; {len(chosen)} of {len(names)} columns"
    ax.set_title(title + cut, fontsize=9)
    fig.colorbar(ax.images[0], ax=ax, shrink=0.8).outline.set_visible(False)
    return fig


def draw(ax, x: np.ndarray) -> None:
    """A matrix into axes, without ticks on its rows."""
    low, high = float(np.nanmin(x)), float(np.nanmax(x))  # NaN is a gap
    signed = low < 0 < high
    most = max(-low, high)
    how = {"cmap": "RdBu_r", "vmin": -most, "vmax": most} if signed else {"cmap": "gray_r"}
    ax.imshow(x, aspect="auto", interpolation="nearest", **how)
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def weights(w: np.ndarray, data: DataSet, title: str):
    """Weight vectors [M, D], the longest first, on one scale."""
    order = np.argsort(-np.linalg.norm(w, axis=1), kind="stable")[:MOST_ROWS]
    return matrix(w[order], data, f"{title}, the longest {len(order)}")


def column_errors(x: np.ndarray, others: dict[str, np.ndarray], data: DataSet, title: str = ""):
    """Mean squared error of each column of the `others` [N, D] against x [N, D].

    The bars in grey are the errors of predicting the mean of the training split. Shown are the
    columns where those are largest.
    """
    usual = (x - flat(data.train.x).mean(axis=0)) ** 2
    chosen = np.sort(np.argsort(-usual.mean(axis=0), kind="stable")[:MOST_COLUMNS])
    names, at = names_of(data), np.arange(len(chosen))
    fig, ax = _columns(len(chosen))
    ax.bar(at, usual.mean(axis=0)[chosen], color="#d9dce1", width=0.8, label="the mean")
    for k, (name, y) in enumerate(others.items()):
        errors = (y - x) ** 2
        ax.plot(
            at,
            errors.mean(axis=0)[chosen],
            "o",
            ms=4,
            color=pictures.COLOURS[k % len(pictures.COLOURS)],
            label=f"{name}: {errors.sum(axis=1).mean():.2f} per row",
        )
    ax.set_xticks(at, [names[j] for j in chosen], fontsize=6, rotation=90)
    ax.set(ylabel="mean squared error")
    ax.set_title(title, fontsize=9)
    ax.legend(frameon=False, fontsize=8)
    return fig


def row_errors(errors: dict[str, np.ndarray], title: str = ""):
    """Histograms of the squared errors [N] of rows, a curve for each name."""
    fig = pictures.figure(5.4, 3.2)
    ax = fig.subplots()
    top = max(float(np.quantile(e, 0.99)) for e in errors.values()) or 1.0
    for k, (name, e) in enumerate(errors.items()):
        ax.hist(
            np.minimum(e, top),
            np.linspace(0, top, 41),
            histtype="step",
            color=pictures.COLOURS[k],
            label=f"{name}: mean {e.mean():.2f}",
        )
    ax.set(xlabel="squared error of a row", ylabel="how often")
    ax.set_title(title, fontsize=9)
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def bars(values: dict[str, np.ndarray], data: DataSet, ylabel: str, title: str):
    """Two or more numbers for each column [D], as points of one colour each.

    Of more than MOST_COLUMNS columns those with the largest first values are shown.
    """
    first = next(iter(values.values()))
    chosen = np.sort(np.argsort(-first, kind="stable")[:MOST_COLUMNS])
    names, at = names_of(data), np.arange(len(chosen))
    fig, ax = _columns(len(chosen))
    for k, (name, v) in enumerate(values.items()):
        label = f"{name}: {v.sum():.2f} in all"
        ax.plot(at, v[chosen], "o", ms=4, color=pictures.COLOURS[k], label=label)
    ax.set_xticks(at, [names[j] for j in chosen], fontsize=6, rotation=90)
    ax.set(ylabel=ylabel)
    ax.set_title(title, fontsize=9)
    ax.legend(frameon=False, fontsize=8)
    return fig


def _columns(n: int):
    fig = pictures.figure(max(4.0, 0.2 * n + 1.2), 4.0)
    ax = fig.subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.2)
    return fig, ax


def generated(x: np.ndarray, data: DataSet, title: str):
    """Rows [N, D] from a model, or their means, next to those of the test split."""
    real = flat(data.test.x)
    return (_bits if kind_of(data) == "binary" else _numbers)(x, real, data, title)


def _bits(x: np.ndarray, real: np.ndarray, data: DataSet, title: str):
    fig = pictures.figure(8.6, 4.4)
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    n = MOST_ROWS
    draw(left, np.concatenate([real[:n], np.full((1, x.shape[1]), np.nan), x[:n]]))
    left.set_xticks([])
    left.set_title("data above, model below; a column for each bit", fontsize=9)
    right.plot([0, 1], [0, 1], color=pictures.ACCENT, lw=1)
    right.plot(real.mean(axis=0), x.mean(axis=0), ".", color=pictures.INK)
    right.set(xlabel="data", ylabel=f"{len(x)} rows of the model", aspect="equal")
    right.set_title("share of ones, a dot for each column", fontsize=9)
    fig.suptitle(title, fontsize=10)
    return fig


def _numbers(x: np.ndarray, real: np.ndarray, data: DataSet, title: str):
    fig = pictures.figure(9.0, 4.2)
    left, right = fig.subplots(1, 2)
    train = flat(data.train.x)
    axes, mean = principal(train, min(2, train.shape[1]), centred=True)
    for rows, colour, name in ((real, pictures.INK, "data"), (x, pictures.ACCENT, "model")):
        z = (rows - mean) @ axes
        z = z if z.shape[1] == 2 else np.pad(z, ((0, 0), (0, 1)))
        left.plot(*z.T, ".", ms=4, alpha=0.6, color=colour, label=name)
    left.set(xlabel="first main axis", ylabel="second main axis")
    left.set_title("in the plane of the two main axes of the data", fontsize=9)
    left.legend(frameon=False, fontsize=8)
    names = names_of(data)
    chosen = most_varied(real)
    at = np.arange(len(chosen))
    for rows, colour, step in ((real, pictures.INK, -0.15), (x, pictures.ACCENT, 0.15)):
        centre, spread = rows.mean(axis=0)[chosen], rows.std(axis=0)[chosen]
        right.errorbar(at + step, centre, spread, fmt="o", ms=3, lw=1, color=colour)
    right.set_xticks(at, [names[j] for j in chosen], fontsize=6, rotation=90)
    right.set_title("mean and spread of each column", fontsize=9)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    fig.suptitle(title, fontsize=10)
    return fig
