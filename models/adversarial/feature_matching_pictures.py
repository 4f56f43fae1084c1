"""Pictures of feature matching: what is matched, and what the labels that are left are good for.

samples   images made from noise
matched   the mean of each feature of D over samples and over held-out data, a dot for each
balance   histograms of D over held-out and made samples
classes   wrong answers in each class, of the classifier and of the same net from labels alone
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split
from ...core.training.system import Batch
from ..common.names import shorts
from . import game_pictures

sample = game_pictures.sample


def held_out(data: DataSet) -> Split:
    """The test split; the training split if there is none."""
    return data.test if data.test is not None and len(data.test) else data.train


def means_of_features(system, x: np.ndarray) -> np.ndarray:
    """E f(x) over rows [N, D]: [F]."""
    with gg.no_grad():
        return system.features(gg.Tensor(system.on_device(Batch(x)).x)).numpy().mean(axis=0)


def matched(system, data: DataSet):
    """Means of features over samples against those over held-out data, up to 2000 of each."""
    x = held_out(data).x[:2000]
    x = x.reshape(len(x), -1)
    real, made = (means_of_features(system, rows) for rows in (x, system.drawn(len(x))))
    top = 1.05 * max(real.max(), made.max())
    fig = pictures.figure(4.4, 4.2)
    ax = fig.subplots()
    ax.plot([0, top], [0, top], ":", color=pictures.INK, lw=1, label="equal")
    ax.plot(real, made, ".", ms=4, color=pictures.ACCENT, label="a feature of D")
    ax.set(xlabel="mean over held-out data", ylabel="mean over samples", aspect="equal")
    ax.set_title("what G matches", fontsize=10)
    return game_pictures.clean(fig, ax)


def classes(system, data: DataSet):
    """Share of wrong answers in each class, of both nets."""
    split, names = held_out(data), data.info.classes or tuple(map(str, range(system.classes)))
    fig = pictures.figure(max(4.4, 0.5 * system.classes + 1), 3.2)
    ax, at = fig.subplots(), np.arange(system.classes)
    nets = ((None, "with images without labels", pictures.COLOURS[0], -0.2),
            (system.plain(), "labels alone", pictures.ACCENT, 0.2))  # fmt: skip
    for net, name, colour, step in nets:
        wrong = system.answers(split.x, net).argmax(axis=1) != split.y
        share = [100 * wrong[split.y == k].mean() if (split.y == k).any() else 0.0 for k in at]
        label = f"{name}: {100 * wrong.mean():.1f} %"
        ax.bar(at + step, share, 0.4, color=colour, label=label)
    ax.set_xticks(at, shorts(names))
    ax.set(xlabel="class", ylabel="wrong, %")
    ax.set_title(f"{len(system.known)} labels", fontsize=10)
    return game_pictures.clean(fig, ax)


def figures(system, data: DataSet, s) -> dict:
    """The figures of this page."""
    return {
        **game_pictures.of_samples(system, data, s.seed),
        "matched": matched(system, data),
        "balance": game_pictures.balance(system, data),
        "classes": classes(system, data),
    }
