"""A linear decision function and what keeps it small: shared by the discriminative classifiers.

    s(x) = W x + b              x [D] -> s [K]; with two classes one row w: s = (0, wᵀx + b)

The two systems differ in what they ask of s, ℓ, and both minimise ::

    1/N Σ_n ℓ(s(x_n), y_n) + λ/2 ‖W‖²

b is not pulled to 0. In scikit-learn's form, ½‖W‖² + C Σ_n ℓ, C is 1/(λN).
"""

import numpy as np

from ... import core as gg
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings, setting
from ..common.labels import classes_of
from ..common.rows import flat
from .classifier import Classifier


class LinearSettings(TrainingSettings):
    """Settings of a linear classifier."""

    l2: float = setting(1e-3, least=0, help="λ, the pull of W towards 0")
    epochs: int = 150
    lr: float = 0.05
    schedule: str = "cosine"


class LinearClassifier(Classifier):
    """W [K, D] and b [K], or one row where there are two classes; both start at 0."""

    def __init__(self, classes: int, columns: int, s: LinearSettings, dtype="float32"):
        super().__init__()
        self.s = s
        rows = 1 if classes == 2 else classes
        self.weight = gg.Tensor(np.zeros((rows, columns), dtype), requires_grad=True)
        self.bias = gg.Tensor(np.zeros(rows, dtype), requires_grad=True)

    def decisions(self, x):
        """W x + b of rows x [N, D]: [N, K], or [N, 1] for two classes."""
        return x @ self.weight.T + self.bias

    def scores(self, x):
        """s(x) [N, K]."""
        s = self.decisions(x)
        return gg.concatenate([0 * s, s], axis=1) if s.shape[1] == 1 else s

    def loss(self, x, y):
        """The mean of ℓ(s(x), y)."""
        raise NotImplementedError(f"{type(self).__name__} has no loss")

    def objective(self, batch):
        """The mean loss and λ/2 ‖W‖²."""
        loss = self.loss(gg.Tensor(flat(batch.x)), batch.y)
        return loss + 0.5 * self.s.l2 * (self.weight * self.weight).sum()


def sizes(name: str, data: DataSet) -> tuple[int, int]:
    """(classes, columns) of a labelled set; SettingError if it has no classes."""
    return classes_of(name, data), data.train.x[0].size
