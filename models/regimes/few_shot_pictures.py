"""The pictures of few-shot learning: an episode with its answers, and errors over examples."""

import numpy as np

from ...core import Generator, pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System
from .few_shot_data import episode, rows_by_class

WAYS, ASKED = 8, 3  # the most classes and queries of each that are drawn


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """One episode of held-out classes, and the error over the number of examples.

    The second is of the validation classes, all of whose images are there.
    """
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.valid
    return {
        "episode": one_episode(system, held, s),
        "examples": over_examples(system, data.valid, s),
    }


def one_episode(system: System, held, s: TrainingSettings):
    """An example of each class on top; below, queries of it: what is wrong has its answer."""
    rows = rows_by_class(held.y)
    ways = min(WAYS, len(rows))
    asked = min(ASKED, min(map(len, rows)) - 1)
    chosen, _ = episode(rows, ways, 1 + asked, Generator(1))
    z = system.codes(held.x[chosen.ravel()]).reshape(ways, 1 + asked, -1)
    guess = system.answers(z[:, 0], z[:, 1:].reshape(ways * asked, -1), ways)
    guess = guess.reshape(ways, asked)
    fig = pictures.figure(0.85 * ways + 0.5, 0.95 * (1 + asked) + 0.4)
    axes = fig.subplots(1 + asked, ways, squeeze=False)
    for k, j in np.ndindex(ways, 1 + asked):
        ax, image = axes[j, k], held.x[chosen[k, j]]
        ax.imshow(image.mean(axis=0), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
        wrong = j > 0 and guess[k, j - 1] != k
        ax.spines[:].set(color=pictures.ACCENT if wrong else "0.8", lw=2 if wrong else 0.5)
        if j == 0:
            ax.set_title("abcdefgh"[k], fontsize=9)
        elif wrong:
            ax.set_xlabel(
                "abcdefgh"[guess[k, j - 1]], fontsize=9, color=pictures.ACCENT, labelpad=1
            )
    axes[0, 0].set_ylabel("example", fontsize=8)
    for ax in axes[1:, 0]:
        ax.set_ylabel("query", fontsize=8)
    fig.suptitle("one example of each class; in red, queries taken for another", fontsize=9)
    return fig


def over_examples(system: System, held, s: TrainingSettings):
    """The error of held-out episodes by the number of examples, of the net and of pixels."""
    most = min(map(len, rows_by_class(held.y))) - s.queries  # the same queries for all
    shots = [n for n in (1, 2, 3, 5, 10) if n <= most] or [1]
    means = np.array([system.scores(held, n).mean(axis=1) for n in shots])
    fig = pictures.figure(4.4, 3.2)
    ax = fig.subplots()
    for line, name, style in zip(means.T, ("net", "nearest pixels"), ("o-", "s--")):
        colour = pictures.COLOURS[style == "s--"]
        ax.plot(shots, line, style, label=name, color=colour, ms=4)
    ways = s.test_ways or len(rows_by_class(held.y))
    ax.set(
        xlabel="examples of each class", ylabel="error, %", ylim=(0, None), xticks=shots,
        title=f"{ways} classes of validation",
    )  # fmt: skip
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return fig
