"""Stacked restricted machines, trained in turn: what the deep energy models share.

The hidden states of one machine (rbm.py), given the data, are the data of the next. This is a deep
belief network (dbn.py); a deep Boltzmann machine starts from it (dbm.py).
"""

import numpy as np

from ...core.arrays import to_numpy
from ...core.training.by_name import make_schedule
from ...core.training.system import Batch
from ..common.rows import flat
from . import rbm
from .units import BinarySystem, ChainSettings, draw


def stack(
    mean, samples: int, widths: tuple[int, ...], s: ChainSettings, rng, dtype="float32"
) -> list[rbm.RBM]:
    """A machine for each width, the first on data with that mean; each gets those settings of `s`
    that a single machine has.

    >>> import glassgrad as gg
    >>> found = stack(np.full(4, 0.5), 9, (3, 2), ChainSettings(chains=7), gg.Generator(0))
    >>> [(layer.w.shape, layer.s.chains) for layer in found]
    [((4, 3), 7), ((3, 2), 7)]
    """
    known, layers = rbm.Settings.rules(), []
    shared = {name: value for name, value in s.as_dict().items() if name in known}
    for k, m in enumerate(widths):
        own = rbm.Settings(**{**shared, "hidden": m})
        layers.append(rbm.RBM(mean, samples, own, rng.child("layer", k), dtype))
        mean = np.full(m, 0.5)
    return layers


class Stack(BinarySystem):
    """Machines `layers`, each on the hidden states of the one below, trained in turn."""

    def turn(self, training, firsts) -> int:
        """The current stage, 0, 1, …: stage k goes from epoch firsts[k] to firsts[k + 1].

        The schedule of the learning rate restarts with each stage. In the first step of layer k > 0
        its visible biases, base model and chains are set from the mean of its data.
        """
        k = max(k for k, first in enumerate(firsts[:-1]) if first <= training.epoch)
        factor = make_schedule(training.settings.schedule, firsts[k + 1] - firsts[k])
        training.optimiser.lr = training.settings.lr * factor(training.epoch - firsts[k])
        if training.epoch == firsts[k] and training.batch == 0:
            for p in self.parameters():  # gradients of the last stage must not count as new
                p.grad = None
            if 0 < k < len(self.layers):
                x = training.data.train.x
                parts = [
                    self.up(self.on_device(Batch(flat(x[i : i + 1000]))).x, k).sum(axis=0)
                    for i in range(0, len(x), 1000)
                ]
                self.layers[k].start(to_numpy(sum(parts)).astype(np.float64) / len(x), len(x))
        return k

    def up(self, v, layers: int, rng=None):
        """v through `layers` layers: sampled states with a generator, otherwise probabilities."""
        for layer in self.layers[:layers]:
            v = layer.hidden(v)
            v = draw(rng, v, out=v) if rng else v
        return v
