"""The pictures of a perceptron: weights, confusions, predictions, importance of the columns."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System
from ..common.confusion import confusion, mistakes
from ..common.images import filter_sheet
from ..common.names import names_of, short
from .importance import groups, importance
from .tasks import Classification, columns

UNITS, COLUMNS, GROUPS, ROWS = 40, 40, 40, 2000  # the most that a picture shows, or is made from


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Weights; confusion matrix and mistakes, or predictions and residuals; importance."""
    system.eval()
    w = system.linear()[0].weight.numpy()
    split = data.test if data.test is not None and len(data.test) else data.valid
    split = data.train if split is None else split
    answers, is_image = system.answers(split.x), data.train.x.ndim == 4
    title = "first-layer weights, 0 is grey" if is_image else "first-layer weights"
    found = {"weights": filter_sheet(w, data, title) if is_image else heat(w, data, title)}
    if isinstance(system.task, Classification):
        guess = answers.argmax(axis=1)
        names = data.info.classes or tuple(map(str, range(system.task.size)))
        found["confusion"] = confusion(split.y, guess, names)
        if is_image:
            found["mistakes"] = mistakes(split.x, split.y, guess, names)
    else:
        found["predicted"] = predicted(columns(split.y), answers, system.task.names)
        found["residuals"] = residuals(columns(split.y), answers, system.task.names)
    if not is_image and data.valid is not None and len(data.valid):
        found["importance"] = importances(system, data, s.seed)
    return found


def heat(w: np.ndarray, data: DataSet, title: str):
    """Weights [units, columns of a table]: the longest units, and the columns with most weight."""
    names = names_of(data)
    units = np.argsort(-np.linalg.norm(w, axis=1), kind="stable")[:UNITS]
    at = np.sort(np.argsort(-np.linalg.norm(w, axis=0), kind="stable")[:COLUMNS])
    shown = w[np.ix_(units, at)].T
    fig = pictures.figure(2.6 + 0.13 * len(units), 1.2 + 0.17 * len(at))
    ax = fig.subplots()
    most = max(float(np.abs(shown).max()), 1e-12)
    image = ax.imshow(shown, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    ax.set_yticks(range(len(at)), [names[j] for j in at], fontsize=7)
    ax.set_xticks([])
    ax.set(xlabel=f"{len(units)} of {len(w)} units, longest first")
    ax.set_title(title, fontsize=9)
    fig.colorbar(image, ax=ax, shrink=0.8).outline.set_visible(False)
    return fig


def predicted(y: np.ndarray, answers: np.ndarray, names: tuple[str, ...]):
    """Predictions over true values [N, K], a panel for each target; right ones are on the line."""
    fig, axes = panels(len(names))
    for ax, name, true, found in zip(axes, names, y.T, answers.T):
        ends = [min(true.min(), found.min()), max(true.max(), found.max())]
        ax.plot(ends, ends, "-", color=pictures.ACCENT, lw=1)
        ax.plot(true, found, ".", ms=4, color=pictures.INK)
        ax.set(xlabel="true", ylabel="predicted")
        ax.set_title(short(name), fontsize=9)
    return fig


def residuals(y: np.ndarray, answers: np.ndarray, names: tuple[str, ...]):
    """Residuals, true - predicted, over predictions [N, K]: any pattern is not yet learnt."""
    fig, axes = panels(len(names))
    for ax, name, true, found in zip(axes, names, y.T, answers.T):
        ax.axhline(0, color=pictures.ACCENT, lw=1)
        ax.plot(found, true - found, ".", ms=4, color=pictures.INK)
        ax.set(xlabel="predicted", ylabel="true - predicted")
        ax.set_title(short(name), fontsize=9)
    return fig


def importances(system: System, data: DataSet, seed: int):
    """The columns that the answers on the validation split need most, as bars with deviations.

    Of many columns, those with the largest first-layer weights are shuffled.
    """
    split, size = data.valid[:ROWS], np.linalg.norm(system.linear()[0].weight.numpy(), axis=0)
    named = groups(data.info.feature_names, split.x.shape[1])
    chosen = sorted(named, key=lambda name: -float(np.linalg.norm(size[named[name]])))[:GROUPS]
    mean, deviation = importance(system, split, [named[name] for name in chosen], seed)
    at = np.argsort(mean, kind="stable")
    fig = pictures.figure(5.6, 1.1 + 0.2 * len(at))
    ax = fig.subplots()
    ax.barh(range(len(at)), mean[at], xerr=deviation[at], color=pictures.COLOURS[0],
            error_kw={"lw": 0.8, "ecolor": pictures.ACCENT})  # fmt: skip
    ax.set_yticks(range(len(at)), [short(chosen[i]) for i in at], fontsize=7)
    ax.set_ylim(-0.6, len(at) - 0.4)
    what = "accuracy" if isinstance(system.task, Classification) else "R²"
    ax.set(xlabel=f"{what} lost on the validation split if shuffled")
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def panels(count: int):
    """(figure, axes) of that many small squares, at most three in a row."""
    across = min(count, 3)
    down = -(-count // across)
    fig = pictures.figure(0.6 + 3.4 * across, 0.3 + 3.2 * down)
    axes = fig.subplots(down, across, squeeze=False).ravel()
    for ax in axes[:count]:
        ax.locator_params(nbins=5)  # of numbers like 100000 more would overlap
    for ax in axes[count:]:
        ax.set_axis_off()
    return fig, axes
