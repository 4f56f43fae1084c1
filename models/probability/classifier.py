"""What the classifiers of this family share: scores of classes, and the figures made of them.

Every system here gives each class k a score s_k(x). A generative model has s_k(x) = ln p(x, y=k), a
discriminative one has scores that mean nothing alone. Bayes' rule is the softmax of the scores ::

    p(y=k|x) = e^{s_k(x)} / Σ_l e^{s_l(x)}

For the generative model the sum in the denominator is p(x), and the formula is p(x|y) p(y)/p(x).
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import to_numpy
from ...core.data import DataSet, kind_of
from ...core.training.recipe import Target
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch, System
from ..common.labels import classes_of
from ..common.rows import flat


class Classifier(System):
    """A system with `scores`: rows x [N, D] -> s [N, K]."""

    def scores(self, x):
        """s_k(x) as a tensor [N, K], of rows or images [N, ...] as a tensor."""
        raise NotImplementedError(f"{type(self).__name__} has no scores")

    def evaluate(self, split, size=500):
        """The share of right answers, and the log loss, the mean of -ln p(y|x), in nats."""

        def figures(batch):
            s = self.scores(gg.Tensor(flat(batch.x)))
            right = (s.data.argmax(axis=1) == batch.y).mean()
            return {"loss": nn.losses.cross_entropy(s, batch.y).item(), "accuracy": right}

        return self.average(figures, split, size)

    def answers(self, x: np.ndarray, size: int = 500) -> np.ndarray:
        """The scores [N, K] of rows or images, as an array on the host."""
        found = []
        with gg.no_grad():
            for i in range(0, len(x), size):
                rows = self.on_device(Batch(flat(np.asarray(x[i : i + size])))).x
                found.append(to_numpy(self.scores(gg.Tensor(rows)).data))
        return np.concatenate(found)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """p(y|x) by Bayes' rule: [N, K], float64, each row with the sum 1."""
        return bayes(self.answers(x))

    def predictions(self, x):
        """The scores, whose softmax is p(y|x)."""
        return {"logits": self.answers(x)}


def bayes(scores: np.ndarray) -> np.ndarray:
    """e^{s_k}/Σ_l e^{s_l} of each row: from ln p(x, y) to p(y|x).

    >>> bayes(np.log([[0.25, 0.25], [0.1, 0.3]])).round(2).tolist()
    [[0.5, 0.5], [0.25, 0.75]]
    """
    s = np.asarray(scores, np.float64)
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def prepare(data: DataSet, s: TrainingSettings) -> DataSet:
    """A table standardised by its training split; images and binary rows as they are.

    Raises SettingError where there are no classes to learn.
    """
    classes_of("a classifier", data)
    return data.standardised() if kind_of(data) == "table" else data


def target(data: str, metric: str, theirs: float, who: str) -> Target:
    """A figure of scikit-learn's on the same rows; reached within a point, or .01 nats, of it.

    >>> target("digits", "loss", 0.2, "LogisticRegression").bound
    0.21
    """
    higher = metric == "accuracy"
    return Target(
        f"{data}: {'accuracy' if higher else 'log loss, nats'} on the test split",
        data,
        metric,
        f"{theirs:.4f} ({who})",
        round(theirs - 0.01 if higher else theirs + 0.01, 4),
        "higher" if higher else "lower",
        own=True,
        source="scikit-learn with the same settings on the same rows",
    )
