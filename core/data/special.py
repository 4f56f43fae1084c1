"""What loaders return that is neither examples in splits nor a graph: runs, and weights."""

from dataclasses import dataclass, field

import numpy as np

from .dataset import Info


@dataclass(frozen=True, eq=False)
class OneShot:
    """One-shot runs: for each run R, 20 images of 20 new characters and 20 images to classify.

    train, test  float32 [20, 20, 1, S, S]
    answer       int64 [20, 20]: test[r, i] shows the character of train[r, answer[r, i]]
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    answer: np.ndarray
    info: Info = field(default_factory=Info)


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of a trained network: tensors by name, as the program that wrote them names them.

    check  arrays to check a network with that is built from them, by name, such as ``images`` and
           the ``logits`` that belong to them; empty where there are none
    """

    name: str
    tensors: dict[str, np.ndarray]
    check: dict[str, np.ndarray] = field(default_factory=dict)
    info: Info = field(default_factory=Info)

    def __len__(self) -> int:
        return len(self.tensors)

    def parameters(self) -> int:
        """How many numbers there are in all.

        >>> Weights("w", {"weight": np.ones((2, 3)), "bias": np.ones(2)}).parameters()
        8
        """
        return sum(a.size for a in self.tensors.values())
