"""What the regularised autoencoders share (lecture 1, V0 270-345; lecture 2, D1 244-248).

A sparse, contractive or relational autoencoder is the one of two layers with one more term ::

    L_AE(α, β) + λ · penalty  →  min

and a denoising one corrupts its input. For all variants the loss is the mean over the samples of a
minibatch (the lecture's sums, divided by ℓ), the score is the squared error per image, and the same
metrics describe the codes:

    active      share of the codes above 0.1 in magnitude
    saturated   for sigmoid codes: share below 0.01 or above 0.99, its flat ends (Rifai et al. 2011)

`tied=True` sets B = Aᵀ, "as is often done" (V0 263), for example by Vincent and Rifai. In the
lecture B is free, which is the default.
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.settings import SettingError, setting
from ...core.training.system import Batch
from ..common.activations import ACTIVATIONS
from ..common.encoder_decoder import Autoencoder, AutoencoderSettings, squared_error
from ..common.gradients import by_parameters
from ..common.rows import rows


class RegularisedSettings(AutoencoderSettings):
    """Settings of an autoencoder of two layers whose matrices may be tied."""

    code: int = 100
    tied: bool = setting(False, help="B = Aᵀ, one matrix for both")


# presets of the kinds of data that are no images, for the autoencoders of one layer of codes
TABLE = {"code": 32, "output": "linear", "epochs": 200, "batch": 20, "lr": 5e-3}
BINARY = {"loss": "cross_entropy", "epochs": 30, "batch": 50, "lr": 5e-3}


class Transposed(nn.Module):
    """x̂ = Wᵀ z + b with the weight W [K, D] of another layer: z [N, K] -> [N, D].

    >>> other = nn.Linear(4, 2, rng=gg.Generator(0))
    >>> Transposed(other)(gg.ones((3, 2))).shape
    (3, 4)
    """

    def __init__(self, other: nn.Linear):
        self.other = other
        d = other.weight
        self.bias = gg.tensor(np.zeros(d.shape[1], d.dtype), requires_grad=True)

    def members(self):
        """The bias alone: W belongs to the other layer and is saved there."""
        return [("bias", self.bias)]

    def forward(self, z):
        """z [N, K] -> [N, D]."""
        return gg.linear(z, self.other.weight.T, self.bias)


class Regularised(Autoencoder):
    """An autoencoder with L_AE + λ · penalty; a subclass defines the penalty."""

    def penalty(self, x, z):
        """The factor of λ, a scalar, for inputs x [N, D] and their codes z [N, K]."""
        raise NotImplementedError(f"{type(self).__name__} has no penalty")

    def objective(self, batch):
        """(L_AE + λ penalty, {"reconstruction": L_AE, "penalty": ...}), of x [N, ...]."""
        x = rows(batch.x)
        z = self.encode(x)
        loss, penalty = self.losses(z, x).mean(), self.penalty(x, z)
        extra = {"reconstruction": loss.item(), "penalty": penalty.item()}
        return loss + penalty * self.s.weight, extra

    def evaluate(self, split, size=500):
        """The squared error per image, whatever the loss, and the metrics of the codes."""
        return self.average(lambda batch: self.measured(rows(batch.x)), split, size)

    def measured(self, x) -> dict:
        """The metrics of a batch of rows [N, D]."""
        z = self.encode(x)
        error = squared_error(self.decode(z), x).mean().item()
        return {"squared_error": error, **code_figures(z.numpy(), self.s.activation)}


def code_figures(z: np.ndarray, activation: str) -> dict[str, float]:
    """{"active"} of codes [N, K], and for a sigmoid {"saturated"} too.

    >>> code_figures(np.array([[0.0, 0.5], [0.99, 0.2]]), "sigmoid")
    {'active': 0.75, 'saturated': 0.25}
    """
    found = {"active": float((np.abs(z) > 0.1).mean())}
    if activation == "sigmoid":
        found["saturated"] = float(((z < 0.01) | (z > 0.99)).mean())
    return found


def layers(
    data: DataSet, s: RegularisedSettings, rng, dtype="float32"
) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder σ(A x + a) and the decoder's linear part B z + b, tied or not, for a data set."""
    n, m = int(np.prod(data.train.x.shape[1:])), s.code
    first = nn.Linear(n, m, rng=rng.child("encoder"), dtype=dtype)
    encoder = nn.Sequential(first, ACTIVATIONS[s.activation]())
    if s.tied:
        return encoder, nn.Sequential(Transposed(first))
    return encoder, nn.Sequential(nn.Linear(m, n, rng=rng.child("decoder"), dtype=dtype))


def expect_sigmoid(s: RegularisedSettings, what: str) -> None:
    """SettingError, saying that `what` needs it, unless the codes are those of a sigmoid."""
    if s.activation != "sigmoid":
        raise SettingError(f"{what} needs activation 'sigmoid'; got {s.activation!r}")


def check_of(build, settings: type[RegularisedSettings], **own):
    """A recipe's `check`: the objective of a small system on four rows, for gradcheck.

    The system has these settings, with its `own` values for some. Its generators are reset at every
    call, so that the noise is the same each time.
    """

    def check(rng, **changes):
        x = rng.random((4, 6))
        s = settings(**{"code": 3, **own, **changes})
        system = build(DataSet("check", Split(x)), s, gg.Generator(3), dtype="float64")
        return by_parameters(system, Batch(x))

    return check
