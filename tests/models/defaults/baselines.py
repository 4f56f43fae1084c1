"""Baselines that several families share: what knows the data but has learnt nothing from them.

Each is a function of a training, `Done`, that gives one number in the unit of the figure that it is
compared with. Those of one family alone stand in the file of its claims.
"""

from functools import cache

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from glassgrad.models.common.code_pictures import probe
from glassgrad.models.common.principal import principal
from glassgrad.models.recurrent.bleu import bleu, by_source


@cache
def untrained(metric):
    """The same figure, or function of a training, of the weights that training starts from."""

    def baseline(done) -> float:
        return float(done.figures_of(done.untrained)[metric])

    baseline.__name__ = "untrained"
    return baseline


def mean_image(done) -> float:
    """‖m - x‖², m the mean of the training set."""
    return float(((done.rows - done.seen.mean(axis=0)) ** 2).sum(axis=1).mean())


def error_of_components(done, k: int) -> float:
    """‖x̂ - x‖² of the first k principal components of the training set, with its mean."""
    basis, mean = principal(done.seen, k, centred=True)
    rest = done.rows - mean
    return float(((rest - rest @ basis @ basis.T) ** 2).sum(axis=1).mean())


def as_many_components(done) -> float:
    """‖x̂ - x‖² of as many principal components as there are codes."""
    return error_of_components(done, done.settings.code)


def classes(done) -> tuple[np.ndarray, np.ndarray]:
    """(y of the training set, y of the held-out split)."""
    return done.data.train.y, done.held.y


def majority_class(done) -> float:
    """Per cent wrong if every answer is the most frequent class of the training set."""
    y, held = classes(done)
    return 100 * float((held != np.bincount(y[y >= 0]).argmax()).mean())


def linear_map(done) -> float:
    """Per cent wrong by a linear map of the inputs to the classes, fitted by least squares."""
    y, held = classes(done)
    return 100 * (1 - probe(done.seen[y >= 0], y[y >= 0], done.rows, held))


def frequencies(done) -> float:
    """-ln of the class's frequency in the training set, the mean over the held-out split, nats."""
    y, held = classes(done)
    counts = np.bincount(y[y >= 0], minlength=int(held.max()) + 1) + 1
    return float(-np.log(counts / counts.sum())[held].mean())


def wrong(done) -> float:
    """Per cent wrong, where the figure is the share of right answers."""
    return 100 * (1 - done.test_figures["accuracy"])


def independent_bits(done) -> float:
    """-ln p of independent bits, each with its (smoothed) frequency in the training set, nats."""
    x, n = done.rows, len(done.seen)
    p = (done.seen.sum(axis=0, dtype=np.float64) + 1) / (n + 2)
    return float(-(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=1).mean())


def nearest_bleu(train, held) -> float:
    """BLEU-4 in per cent if each source gets the translation of the nearest training source.

    The nearest by the cosine of TF-IDF of words and pairs of words, of splits of pairs.
    """
    sources, references = by_source(held)
    model = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    table = model.fit_transform(" ".join(map(str, x)) for x in train.x)
    asked = model.transform(" ".join(map(str, x)) for x in sources)
    near = np.asarray((asked @ table.T).argmax(axis=1)).ravel()
    return bleu([list(train.y[i]) for i in near], references)
