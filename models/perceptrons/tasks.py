"""What the labels ask a network for: a class, or one or several quantities.

    labels                        objective                                   figures
    int64 [N]                     -ln softmax(z)_y, the cross-entropy         accuracy, loss
    float [N] or [N, K]           ‖z - (y - m)/s‖²/K, squared errors          rmse, r2, loss

m and s are the mean and the standard deviation of each target on the training split: the network
has targets of size 1 to fit, whatever their unit, and its answer is m + s z. With several targets
each has its `rmse`, in its own unit, and `r2` is the mean of theirs ::

    rmse = √(Σ_n (ŷ_n - y_n)²/N)        R² = 1 - Σ_n (ŷ_n - y_n)² / Σ_n (y_n - ȳ)²

R² = 0 is the score of the mean of the split itself; it is negative for answers that are worse.
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet
from ...core.training.settings import SettingError


class Classification(nn.Module):
    """One logit for each class; its answers are logits."""

    def __init__(self, classes: int):
        self.size = classes

    def extra(self):
        """The number of classes."""
        return f"{self.size} classes"

    def loss(self, z, y):
        """(the mean of -ln softmax(z)_y over the batch, {"accuracy": share of right answers})."""
        return nn.losses.cross_entropy(z, y), {"accuracy": (z.data.argmax(axis=1) == y).mean()}

    def answers(self, z: np.ndarray) -> np.ndarray:
        """The logits themselves."""
        return z

    def figures(self, answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """No others than those of the objective."""
        return {}

    def score(self, answers: np.ndarray, y: np.ndarray) -> float:
        """The accuracy.

        >>> Classification(2).score(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([1, 0]))
        0.5
        """
        return float((answers.argmax(axis=1) == y).mean())


class Regression(nn.Module):
    """K quantities, each standardised by its mean and deviation on the training split."""

    def __init__(self, y: np.ndarray, names: tuple[str, ...] = (), dtype="float32"):
        y = columns(y)
        deviation = y.std(axis=0, dtype=np.float64)
        deviation[deviation == 0] = 1.0
        self.size = y.shape[1]
        self.mean = gg.Tensor(y.mean(axis=0, dtype=np.float64).astype(dtype))
        self.deviation = gg.Tensor(deviation.astype(dtype))
        self.names = names if len(set(names)) == self.size else ()
        self.names = self.names or tuple(str(k) for k in range(1, self.size + 1))

    def extra(self):
        """The number of targets."""
        return f"{self.size} target" + "s" * (self.size != 1)

    def loss(self, z, y):
        """(the mean of (z - (y - m)/s)² over batch and targets, {})."""
        return nn.losses.mse(z, (columns(y) - self.mean.data) / self.deviation.data), {}

    def answers(self, z: np.ndarray) -> np.ndarray:
        """The predictions m + s z [N, K], each in the unit of its target."""
        return z * self.deviation.numpy() + self.mean.numpy()

    def figures(self, answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """R², and the rmse of each target.

        >>> y = np.array([0.0, 2.0, 4.0])
        >>> figures = Regression(y).figures(np.array([[0.0], [2.0], [1.0]]), y)
        >>> {k: round(v, 3) for k, v in figures.items()}
        {'r2': -0.125, 'rmse': 1.732}
        """
        error = np.sqrt(np.square(answers - columns(y), dtype=np.float64).mean(axis=0))
        keys = ["rmse"] if self.size == 1 else [f"rmse_{name}" for name in self.names]
        return {"r2": self.score(answers, y), **dict(zip(keys, map(float, error)))}

    def score(self, answers: np.ndarray, y: np.ndarray) -> float:
        """R², the mean over the targets. Of a constant target it is 1 where all is right, else 0.

        >>> Regression(np.arange(3.0)).score(np.full((3, 1), 1.0), np.arange(3.0))
        0.0
        """
        y = columns(y).astype(np.float64)
        wrong = np.square(answers - y).sum(axis=0)
        whole = np.square(y - y.mean(axis=0)).sum(axis=0)
        varies = whole > 0
        ratio = np.where(varies, wrong / np.where(varies, whole, 1.0), wrong > 0)
        return float((1 - ratio).mean())


def columns(y):
    """Targets [N] or [N, K] as [N, K]."""
    return y.reshape(len(y), -1)


def task_of(name: str, data: DataSet) -> Classification | Regression:
    """What the labels of the training split ask for; SettingError where there are none.

    >>> from glassgrad.core.data import load
    >>> task_of("mlp", load("iris")).size, task_of("mlp", load("linnerud")).names
    (3, ('Weight', 'Waist', 'Pulse'))
    """
    y = data.train.y
    if y is None:
        images = data.info.kind == "images"
        how = "give each class a folder" if images else "name a column: --label COLUMN"
        raise SettingError(f"{name}: {data.name} has no labels to learn; {how}")
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind == "i":
        return Classification(max(len(data.info.classes), int(y.max()) + 1))
    if isinstance(y, np.ndarray) and y.ndim in (1, 2) and y.dtype.kind == "f" and y.size:
        return Regression(y, data.info.target_names)
    what = f"{y.dtype} of shape {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
    raise SettingError(
        f"{name}: the labels must be classes, int [N], or quantities, float [N] or [N, K];"
        f" {data.name} has {what}"
    )
