"""An encoder and a decoder that inverts it: the parts of every autoencoder."""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.training.settings import SettingError, TrainingSettings, setting
from ...core.training.system import Batch, System
from .activations import Activation
from .binary import bernoulli_nll
from .rows import rows

Loss = Literal["squared", "cross_entropy"]


class AutoencoderSettings(TrainingSettings):
    """Settings of every autoencoder."""

    code: int = setting(16, least=1, help="number of codes")
    activation: Activation = setting("sigmoid", help="σ_f of the encoder")
    output: Literal["sigmoid", "linear"] = setting("sigmoid", help="σ_g, after the decoder")
    loss: Loss = setting("squared", help="L of x̂ and x")
    schedule: str = "cosine"

    def check(self):
        """Check that the cross-entropy gets probabilities."""
        if self.loss == "cross_entropy" and self.output != "sigmoid":
            raise SettingError("loss 'cross_entropy' needs output 'sigmoid': x̂ is a probability")


def squared_error(y, x):
    """‖y - x‖² of each row: [N, D], [N, D] -> [N].

    >>> squared_error(gg.ones((2, 3)), gg.zeros((2, 3))).numpy()
    array([3., 3.], dtype=float32)
    """
    d = y - x
    return (d * d).sum(axis=1)


class Autoencoder(System):
    """z = encoder(x), x̂ = σ_g(decoder(z)): the decoder's last layer is linear, σ_g comes after.

    encoder  [N, D] -> [N, K]        decoder  [N, K] -> [N, D]
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, s: AutoencoderSettings):
        self.encoder, self.decoder, self.s = encoder, decoder, s

    def encode(self, x):
        """z = f(x)."""
        return self.encoder(x)

    def decode(self, z):
        """x̂ = g(z)."""
        a = self.decoder(z)
        return gg.sigmoid(a) if self.s.output == "sigmoid" else a

    def losses(self, z, x):
        """L(g(z), x) of each row: ‖x̂ - x‖², or the cross-entropy; z [N, K], x [N, D] -> [N]."""
        if self.s.loss == "cross_entropy":
            return bernoulli_nll(self.decoder(z), x)
        return squared_error(self.decode(z), x)

    def objective(self, batch):
        """(1/N) Σ_i L(g(f(x_i)), x_i) of images [N, C, H, W] or rows [N, D]."""
        x = rows(batch.x)
        return self.losses(self.encode(x), x).mean()

    def evaluate(self, split, size=500):
        """The squared error per image, whatever the loss."""

        def figures(batch):
            x = rows(batch.x)
            return {"squared_error": squared_error(self.decode(self.encode(x)), x).mean()}

        return self.average(figures, split, size)

    def codes(self, x: np.ndarray) -> np.ndarray:
        """Codes [N, K] of images or rows, without a tape."""
        with gg.no_grad():
            return self.encode(self._input(x)).numpy()

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Reconstructions [N, D] of images or rows, without a tape."""
        with gg.no_grad():
            return self.decode(self.encode(self._input(x))).numpy()

    def predictions(self, x):
        """The code of each example, and the squared error of its reconstruction."""
        d = self.reconstruct(x) - np.asarray(x).reshape(len(x), -1)
        return {"code": self.codes(x), "squared_error": (d * d).sum(axis=1)}

    def _input(self, x: np.ndarray):
        return rows(self.on_device(Batch(np.asarray(x))).x)
