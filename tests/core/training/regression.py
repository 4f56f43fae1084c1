"""A small regression whose training has every kind of state, for tests of the loop."""

import numpy as np

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import TrainingSettings
from glassgrad.core.training.system import System


class Regression(System):
    """Dropout, batch norm and noise: everything whose state a checkpoint must hold."""

    def __init__(self, rng):
        self.body = nn.Sequential(
            nn.Linear(3, 8, rng=rng.child(1)),
            nn.BatchNorm(8),
            nn.Dropout(0.3, rng=rng.child(2)),
            nn.Linear(8, 1, rng=rng.child(3)),
        )
        self.noise = rng.child("noise")

    def objective(self, batch):
        y = self.body(gg.gaussian_noise(gg.Tensor(batch.x), 0.1, self.noise))
        d = y[:, 0] - gg.Tensor(batch.y)
        return (d * d).mean()


def problem(n=50):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5]).astype(np.float32)
    return DataSet("line", Split(x[:40], y[:40]), Split(x[40:], y[40:]), Split(x[40:], y[40:]))


def settings(**changes):
    plain = {"epochs": 4, "batch": 8, "lr": 0.01, "schedule": "cosine"}
    return TrainingSettings(**plain | changes)
