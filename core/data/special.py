"""What loaders return that is neither examples in splits nor a graph: runs, and weights."""

from dataclasses import dataclass, field

import numpy as np

from .dataset import Info
from .files import DataError


@dataclass(frozen=True, eq=False)
class OneShot:
    """One-shot runs: for each run R, 20 images of 20 new characters and 20 images to classify.

    train, test  float32 [20, 20, 1, S, S]
    answer       int64 [20, 20]: test[r, i] shows the character of train[r, answer[r, i]]

    The numbers are those of Omniglot; others will do. Raises DataError where they do not fit
    together.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    answer: np.ndarray
    info: Info = field(default_factory=Info)

    def __post_init__(self):
        shapes = self.train.shape, self.test.shape, self.answer.shape
        same = self.train.ndim == self.test.ndim == 5 and shapes[0][2:] == shapes[1][2:]
        if not same or shapes[1][:2] != shapes[2] or shapes[0][0] != shapes[2][0]:
            raise DataError(
                f"{self.name}: expected train and test [R, N, C, H, W] and answer [R, N]; got"
                f" {shapes[0]}, {shapes[1]} and {shapes[2]}"
            )


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of a trained network: tensors by name, as the program that wrote them names them.

    check  arrays to check a network with that is built from them, by name, such as ``images`` and
           the ``logits`` that belong to them; empty where there are none

    Raises DataError for what is no array with a name.
    """

    name: str
    tensors: dict[str, np.ndarray]
    check: dict[str, np.ndarray] = field(default_factory=dict)
    info: Info = field(default_factory=Info)

    def __post_init__(self):
        for name, a in (*self.tensors.items(), *self.check.items()):
            if not isinstance(name, str) or not isinstance(a, np.ndarray):
                raise DataError(
                    f"{self.name}: expected arrays by name; got {type(a).__name__} under"
                    f" {name!r:.60}"
                )

    def __len__(self) -> int:
        return len(self.tensors)

    def parameters(self) -> int:
        """How many numbers there are in all.

        >>> Weights("w", {"weight": np.ones((2, 3)), "bias": np.ones(2)}).parameters()
        8
        """
        return sum(a.size for a in self.tensors.values())
