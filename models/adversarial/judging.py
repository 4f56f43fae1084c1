"""How good are samples of a generator that has no likelihood? Four judges, none of them an eye.

    neighbours      leave-one-out accuracy of the nearest neighbour among as many samples as real
                    points: ½ if nobody can tell them apart, 1 if the two are separate, or if the
                    samples are one point (Lopez-Paz & Oquab 2017). For any data
    class entropy   H of the classes that a classifier sees in the samples, in nats: ln K if all K
                    appear equally often, 0 if the generator makes a single one
    confidence      the mean of the classifier's largest probability, as a share of that on real
                    images: noise and blends of two classes have a low one
    modes           for a mixture whose centres are known: how many of them the samples reach

`judged` has all of them that the data allow, and `likelihood` Parzen's estimate, for games and for
nets without a critic alike.

The classifier is a perceptron with one hidden layer of 128 ReLU, trained here on the labelled
training set from a seed of its own. It is the same for every generator and every seed, so figures
of different systems on one data set can be compared.
"""

from typing import NamedTuple

import numpy as np

from ... import core as gg
from ...core import nn, optim
from ...core.data import DataSet, minibatches
from ..common.parzen import parzen
from .distances import sliced_w1

NEAR = 3.0  # a sample belongs to a mode within so many of the mode's spreads
SHARE = 0.2  # a mode is found if it gets at least this part of what it should


def neighbours(real: np.ndarray, made: np.ndarray) -> float:
    """Leave-one-out accuracy of the nearest neighbour between rows [N, D] and [N, D].

    Each of the 2N rows is classified by the nearest other row as real or made. Ties go to the
    other kind, so that copies of the real rows do not count as recognised.

    >>> neighbours(np.array([[0.0], [0.1]]), np.array([[5.0], [5.1]]))
    1.0
    """
    n = min(len(real), len(made))
    a, b = (np.asarray(x[:n], np.float64).reshape(n, -1) for x in (real, made))

    def nearest(x, y, same: bool):
        squared = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * (x @ y.T)
        if same:
            np.fill_diagonal(squared, np.inf)
        return squared.min(axis=1), squared.min(axis=0)

    to_made, to_real = nearest(a, b, same=False)
    right = (nearest(a, a, same=True)[0] < to_made).sum()
    right += (nearest(b, b, same=True)[0] < to_real).sum()
    return float(right) / (2 * n)


class Modes(NamedTuple):
    """How many modes are found, the share of samples near one, and the samples near each."""

    found: int
    quality: float
    counts: np.ndarray


def modes(points: np.ndarray, centres: np.ndarray, spread: float) -> Modes:
    """Which modes of a mixture with equal weights the points [N, D] reach.

    A point belongs to its nearest centre if it lies within 3 spreads. A mode is found if it has at
    least a fifth of its share N/K of the points.

    >>> centres = np.array([[0.0, 0.0], [9.0, 0.0]])
    >>> modes(np.zeros((10, 2)), centres, 0.1).found
    1
    """
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    near = distance.min(axis=1) <= NEAR * spread
    counts = np.bincount(distance.argmin(axis=1)[near], minlength=len(centres))
    found = int((counts >= SHARE * len(points) / len(centres)).sum())
    return Modes(found, float(near.mean()), counts)


class Classifier:
    """A perceptron D-128-K that is trained when it is made, in `steps` steps of Adam."""

    def __init__(self, data: DataSet, classes: int, steps: int = 1500, size: int = 128):
        rng = gg.Generator(0).child("classifier")
        inputs = int(np.prod(data.train.x.shape[1:]))
        body = nn.mlp([inputs, 128], nn.ReLU, rng=rng)
        self.net = nn.Sequential(*body, nn.Linear(128, classes, rng=rng.child("top")))
        adam, epoch, left = optim.Adam(self.net.parameters(), lr=2e-3), 0, steps
        while left:
            for batch in minibatches(data.train, size, epoch=epoch):
                loss = nn.losses.cross_entropy(self.net(_rows(batch.x)), batch.y)
                loss.backward()
                adam.step()
                left -= 1
                if not left:
                    break
            epoch += 1

    def probabilities(self, x: np.ndarray, size: int = 2000) -> np.ndarray:
        """p(class | x) of samples [N, ...]: [N, K]."""
        with gg.no_grad():
            parts = [x[at : at + size] for at in range(0, len(x), size)]
            return np.concatenate([gg.softmax(self.net(_rows(p)), axis=1).numpy() for p in parts])

    def confidence(self, x: np.ndarray) -> float:
        """The mean of the largest probability."""
        return float(self.probabilities(x).max(axis=1).mean())

    def entropy(self, x: np.ndarray) -> float:
        """H of the classes that the samples are taken for, in nats."""
        return entropy(np.bincount(self.probabilities(x).argmax(axis=1)))


def classifier_of(data: DataSet) -> Classifier | None:
    """The judge of labelled data, trained here; None without labels."""
    y = data.train.y
    labels = isinstance(y, np.ndarray) and y.dtype.kind == "i" and y.ndim == 1
    return Classifier(data, int(y.max()) + 1) if labels and y.min() >= 0 else None


def judged(made: np.ndarray, split, data: DataSet, units, classifier) -> dict[str, float]:
    """The judges' figures of made rows [N, D] next to a split of real ones.

    units       (mean, std) [D]: distances are those of (x - mean)/std
    classifier  () -> Classifier or None, asked for where no centres of a mixture are known

    neighbours and sliced_w1; modes and quality of a mixture; or entropy and confidence with labels.
    """
    x, (mean, std) = split.x.reshape(len(split), -1), units
    a, b = ((rows - mean) / std for rows in (x, made))
    most = 2000  # the distances of all pairs
    found = {"neighbours": neighbours(a[:most], b[:most]), "sliced_w1": sliced_w1(a, b)}
    extra = data.info.extra
    if "centres" in extra:
        reached = modes(made, extra["centres"], extra["spread"])
        found |= {"modes": float(reached.found), "quality": reached.quality}
    elif (judge := classifier()) is not None:
        found["entropy"] = judge.entropy(made)
        found["confidence"] = judge.confidence(made) / judge.confidence(x)
    return found


def likelihood(made: np.ndarray, split, data: DataSet) -> dict[str, float]:
    """Parzen's log-likelihood of a split in nats and its standard error; {} without validation."""
    valid = data.valid
    if valid is None or len(valid) < 2:
        return {}
    x, v = (part.x.reshape(len(part), -1) for part in (split, valid[:1000]))
    estimate = parzen(made, v, x)
    return {"parzen": estimate.mean, "parzen_error": estimate.error}


def _rows(x):
    return gg.Tensor(np.asarray(x, np.float32).reshape(len(x), -1))


def entropy(counts) -> float:
    """H = -Σ p ln p of counts, in nats.

    >>> round(entropy([5, 5, 0]), 4)
    0.6931
    >>> entropy([10])
    0.0
    """
    p = np.asarray(counts, np.float64)
    p = p[p > 0] / p.sum()
    return float(-(p * np.log(p)).sum()) + 0.0  # of one class 0, not -0
