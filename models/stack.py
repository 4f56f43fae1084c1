"""Restricted machines one on another, trained in turn: what the deep models of energy share.

The hidden states of one machine (models/rbm.py), given the data, are the data of the next. A deep
belief network is that (models/dbn.py); a deep Boltzmann machine starts from it (models/dbm.py).
"""

import numpy as np

from ..core.arrays import to_numpy
from ..core.choices import make_schedule
from ..core.system import Batch
from . import rbm
from .energy import BinarySystem, draw, flat


def stack(mean, samples: int, s: dict, rng, dtype="float32") -> list[rbm.RBM]:
    """A machine for each of `hidden` widths, the first on data of that mean."""
    layers = []
    for k, m in enumerate(s["hidden"]):
        own = {**s, "hidden": m}
        layers.append(rbm.RBM(mean, samples, own, rng.child("layer", k), dtype))
        mean = np.full(m, 0.5)
    return layers


class Stack(BinarySystem):
    """Machines `layers`, each on the hidden states of the one below, trained in turn."""

    def turn(self, trainer, firsts) -> int:
        """Whose turn it is, 0, 1, …: stage k goes from epoch firsts[k] to firsts[k + 1].

        The schedule of the learning rate starts anew with each stage. In the first step of layer
        k > 0 its visible biases, base model and chains are taken from the mean of its data.
        """
        k = max(k for k, first in enumerate(firsts[:-1]) if first <= trainer.epoch)
        factor = make_schedule(trainer.settings["schedule"], firsts[k + 1] - firsts[k])
        trainer.optimiser.lr = trainer.settings["lr"] * factor(trainer.epoch - firsts[k])
        if trainer.epoch == firsts[k] and trainer.batch == 0:
            for p in self.parameters():  # what another stage left must not be taken for new
                p.grad = None
            if 0 < k < len(self.layers):
                x = trainer.data.train.x
                parts = [self.up(self.on_device(Batch(flat(x[i : i + 1000]))).x, k).sum(axis=0)
                         for i in range(0, len(x), 1000)]  # fmt: skip
                self.layers[k].start(to_numpy(sum(parts)).astype(np.float64) / len(x), len(x))
        return k

    def up(self, v, layers: int, rng=None):
        """v through so many layers: sampled states with a generator, else probabilities."""
        for layer in self.layers[:layers]:
            v = layer.hidden(v)
            v = draw(rng, v, out=v) if rng else v
        return v
