"""Pictures of the classifiers: class means, weights, confusions, trust in probabilities, margins.

generative       class means, draws of p(x, y), confusions, trust
discriminative   weights, confusions, mistakes, trust
margins          weights, confusions, mistakes, margins
"""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split
from ...core.training.settings import TrainingSettings
from ..common import row_pictures
from ..common.confusion import confusion, mistakes
from ..common.images import as_images, has_images, sample_sheet
from ..common.names import shorts
from .classifier import bayes

BINS = 10


def generative(system, data: DataSet, s: TrainingSettings) -> dict:
    """Class means, draws of p(x, y), confusions, trust in the probabilities."""
    rng = gg.Generator(s.seed).child("figures")
    return {
        "classes": by_class(system.class_means(), data, "the mean of x in each class"),
        "samples": sample(system, data, 60 if has_images(data) else 500, rng),
        **answers(system, data, mistaken=False),
        "trust": trust(system, data),
    }


def discriminative(system, data: DataSet, s: TrainingSettings) -> dict:
    """Weights, confusions, mistakes, trust in the probabilities."""
    return {
        "weights": weights(system, data),
        **answers(system, data),
        "trust": trust(system, data),
    }


def margins(system, data: DataSet, s: TrainingSettings) -> dict:
    """Weights, confusions, mistakes, margins."""
    return {
        "weights": weights(system, data),
        **answers(system, data),
        "margins": margin_histograms(system, data),
    }


def held(data: DataSet) -> Split:
    """The split that is shown: the test, or the next best."""
    return next(k for k in (data.test, data.valid, data.train) if k is not None and len(k))


def class_names(data: DataSet, count: int) -> tuple[str, ...]:
    """Short names of the classes, numbers where they have none."""
    return tuple(shorts(data.info.classes or map(str, range(count))))


def sample(system, data: DataSet, n: int, rng):
    """n draws of p(x, y), in the order of the classes."""
    x, _ = system.drawn(n, rng)
    return sample_sheet(
        x, system.as_seen(data), "drawn from p(x, y): a class, then its columns, each alone"
    )


def by_class(x: np.ndarray, data: DataSet, title: str, signed: bool = False):
    """A row [D] for each class: as images, or as rows of named columns."""
    if has_images(data):
        shown = 0.5 + 0.5 * x / max(float(np.abs(x).max()), 1e-12) if signed else x
        sheet = as_images(shown, data)
        return pictures.image_sheet(sheet, columns=min(10, len(x)), title=title, scale=0.9)
    return row_pictures.matrix(x, data, title, list(class_names(data, len(x))))


def weights(system, data: DataSet):
    """W: a row for each class, the second class of two."""
    w = system.weight.numpy()
    if len(w) == 1:
        w = np.concatenate([-w, w])
    return by_class(w, data, "weights of each class, 0 is grey", signed=True)


def answers(system, data: DataSet, mistaken: bool = True) -> dict:
    """The confusion matrix and, of images, the mistakes."""
    split = held(data)
    s = system.answers(split.x)
    guess, names = s.argmax(axis=1), class_names(data, s.shape[1])
    found = {"confusion": confusion(split.y, guess, names)}
    if mistaken and has_images(data):
        found["mistakes"] = mistakes(split.x, split.y, guess, names)
    return found


def reliability(p: np.ndarray, y: np.ndarray, bins: int = BINS) -> tuple[np.ndarray, ...]:
    """(mean p, share right, how many) of the answers in each bin of p(answer), [bins]; NaN if none.

    >>> p = np.array([[0.05, 0.95], [0.07, 0.93]])
    >>> [round(float(a[-1]), 3) for a in reliability(p, np.array([1, 0]))]
    [0.94, 0.5, 2.0]
    """
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    at = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(at, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(at, sure, bins) / count
        share = np.bincount(at, right, bins) / count
    return mean, share, count.astype(np.float64)


def trust(system, data: DataSet):
    """Share of right answers over the probability that was given to them; dots as large as full."""
    split = held(data)
    p = bayes(system.answers(split.x))
    mean, share, count = reliability(p, split.y)
    loss = float(-np.log(np.maximum(p[np.arange(len(p)), split.y], 1e-300)).mean())
    fig = pictures.figure(4.4, 4.2)
    ax = fig.subplots()
    ax.plot([0, 1], [0, 1], color=pictures.ACCENT, lw=1)
    ax.scatter(mean, share, 4 + 300 * count / count.sum(), color=pictures.INK, zorder=3)
    ax.set(xlabel="p(answer|x), the mean in a tenth", ylabel="share of right answers",
           xlim=(0, 1.03), ylim=(-0.03, 1.03))  # fmt: skip
    ax.set_title(f"below the line: too sure. Log loss {loss:.3f} nats", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def margin_histograms(system, data: DataSet):
    """Histograms of t s(x) on training and held-out objects, all machines together."""
    fig = pictures.figure(5.4, 3.4)
    ax = fig.subplots()
    parts = {"training": data.train, "held out": held(data)}
    found = {k: system.margins(v.x, v.y).ravel() for k, v in parts.items()}
    ends = np.quantile(np.concatenate(list(found.values())), [0.005, 0.995])
    for colour, (name, m) in zip(pictures.COLOURS, found.items()):
        label = f"{name}: {100 * (m < 1).mean():.0f} % below 1"
        shown = np.clip(m, *ends)
        ax.hist(shown, np.linspace(*ends, 51), density=True, histtype="step", color=colour,
                label=label)  # fmt: skip
    for at in (0, 1):
        ax.axvline(at, color=pictures.ACCENT, lw=0.8)
    ax.set(xlabel="margin t s(x): wrong below 0, a support vector below 1", yticks=[])
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return fig
