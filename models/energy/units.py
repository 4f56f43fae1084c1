"""What the energy-based models share: logistic units, their samples, entropies and binary data.

Nothing here keeps a tape. The hot loops of these models are matrix products (BLAS) and a handful of
element-wise passes over arrays of one minibatch, written in place.

Binary data: `binarise="sampled"` draws every pixel in every epoch with its grey level as
probability, and validation and test sets once, with a fixed seed; `"fixed"` draws the training set
once too; `"grey"` takes grey levels as if they were means of units (Hinton 2010, section 3.2): no
likelihood of anything, but a common way to train.
"""

import math
from typing import Literal

import numpy as np

from ...core.arrays import xp_of
from ...core.data import Split, minibatches
from ...core.training.settings import Optimiser, TrainingSettings, setting
from ...core.training.system import Batch, System
from ...kernels.product import product
from ..common.binary import GREY, Binarise
from ..common.rows import flat


class BinarySettings(TrainingSettings):
    """What every system of binary units has."""

    binarise: Binarise = setting("sampled", kinds=GREY, help="how grey levels become 0 and 1")
    ais_every: int = setting(
        0, least=0, help="epochs between evaluations of the slow figures, 0: after the last only"
    )
    optimiser: Optimiser = "sgd"
    schedule: str = "cosine"


class ChainSettings(BinarySettings):
    """Settings of a system that samples by Gibbs chains and estimates ln Z by AIS."""

    chains: int = setting(100, least=1, help="number of persistent Gibbs chains")
    steps: int = setting(1, least=1, help="Gibbs steps k of each chain for a minibatch")
    centred: bool = setting(True, help="subtract the means μ and λ of the units in the gradient")
    ais_chains: int = setting(100, least=2, help="independent chains of the estimate of ln Z")
    temperatures: int = setting(1000, least=1, help="steps of β from 0 to 1 in that estimate")


class RuleSettings(ChainSettings):
    """Settings of a system whose chains start at the data, or where the last step left them."""

    rule: Literal["pcd", "cd"] = setting("pcd", help="chains start where they were, or at the data")
    chains: int = setting(
        100, least=1, when=("rule", "pcd"), help="number of persistent Gibbs chains"
    )


def logistic(x, out=None):
    """σ(x) = ½ + ½ tanh(x/2), which overflows nowhere; `out` may be x itself.

    >>> logistic(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    xp = xp_of(x)
    out = xp.multiply(x, 0.5, out=out)
    xp.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


def softplus(x, p):
    """ln(1 + eˣ) from x and p = σ(x): max(x, 0) - ln max(p, 1 - p), a cheap and stable form.

    >>> softplus(np.array([-50.0, 0.0, 50.0]), logistic(np.array([-50.0, 0.0, 50.0]))).round(4)
    array([ 0.    ,  0.6931, 50.    ])
    """
    xp = xp_of(x)
    s = xp.subtract(1, p)
    xp.maximum(s, p, out=s)
    xp.log(s, out=s)
    return xp.subtract(xp.maximum(x, 0), s, out=s)


def draw(rng, p, out=None):
    """0 and 1, each 1 with probability p; `out` may be p itself.

    >>> import glassgrad as gg
    >>> draw(gg.Generator(0), np.array([0.0, 1.0], np.float32)).tolist()
    [0.0, 1.0]
    """
    u = rng.uniform(p.shape, dtype=p.dtype)
    return xp_of(p).less(u, p, out=u if out is None else out)


def entropy(p):
    """Entropy of independent units, -Σ_j p_j ln p_j + (1 - p_j) ln(1 - p_j) of each row, in nats.

    >>> entropy(np.array([[0.5, 1.0]])).round(4)
    array([0.6931])
    """
    xp = xp_of(p)
    tiny = np.finfo(p.dtype).tiny
    q = 1 - p
    return -(p * xp.log(xp.maximum(p, tiny)) + q * xp.log(xp.maximum(q, tiny))).sum(axis=1)


def log_bernoulli(x, a):
    """ln p(x) = Σ_j x_j a_j - ln(1 + e^{a_j}) of each row, for logits a.

    >>> log_bernoulli(np.ones((1, 2)), np.zeros((1, 2))).round(4)  # 2 ln ½
    array([-1.3863])
    """
    return (x * a - softplus(a, logistic(a))).sum(axis=1)


def log_odds(mean, n: int) -> np.ndarray:
    """ln p/(1-p) of a mean over n samples, by the rule of succession: p = (n·mean + 1)/(n + 2).

    >>> log_odds(np.array([0.0, 0.5]), 8).round(4)
    array([-2.1972,  0.    ])
    """
    p = (mean * n + 1) / (n + 2)
    return np.log(p / (1 - p))


def independent(mean, n: int, rng, dtype="float32"):
    """n rows of independent units of the given means, [n, D].

    >>> import glassgrad as gg
    >>> independent(np.array([0.0, 1.0]), 2, gg.Generator(0)).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    return draw(rng, np.broadcast_to(mean, (n, len(mean))).astype(dtype))


def descent(v, h, fantasy, k, centre=None):
    """Minus the gradient of the log-likelihood by W, b, a from the statistics of two groups.

    v, h        [N, n], [N, m]  from the data
    fantasy, k  [M, n], [M, m]  from the model
    centre      None, or offsets μ [n], λ [m]: the gradient in centred coordinates (rbm.py)

    One product of both groups together: the second with its sign.
    """
    xp = xp_of(v)
    db = fantasy.mean(axis=0) - v.mean(axis=0)
    da = k.mean(axis=0) - h.mean(axis=0)
    left, right = xp.concatenate([v, fantasy]), xp.concatenate([h, k])
    if centre:
        left -= centre[0]
        right -= centre[1]
    right[: len(h)] *= -1 / len(v)
    right[len(h) :] *= 1 / len(k)
    dw = product(left.T, right)
    if centre:
        db, da = db - dw @ centre[1], da - centre[0] @ dw
    return dw, db, da


def logsumexp(x) -> float:
    """ln Σ eˣ over all elements.

    >>> round(logsumexp(np.zeros(8)), 4)  # ln 8
    2.0794
    """
    top = float(np.max(x))
    return top + math.log(float(np.exp(np.asarray(x, np.float64) - top).sum()))


def mean_variance(draws: list) -> float:
    """Mean over samples of the variance of the mean over draws: M arrays [N] -> number.

    Over √N its root is the standard error of the mean over draws and samples that the draws bring
    in; the samples are given. It takes at least two draws.

    >>> mean_variance([np.array([1.0, 5.0]), np.array([3.0, 5.0])])  # (2/2 + 0)/2
    0.5
    """
    many = np.stack(draws).astype(np.float64)
    return float(many.var(axis=0, ddof=1).mean()) / len(many)


class BinarySystem(System):
    """A system of binary units. Some figures of its evaluation are slow, so few epochs take them.

    A subclass has settings `s` and a generator `noise`. `due` says whether the next evaluation
    takes the slow figures (`long`) too: always outside training; in training after every
    `ais_every`-th epoch (0: none), after the last, and where `select` names one of them.
    """

    s: BinarySettings
    due, long = True, ("log_z", "log_likelihood", "bound", "nll")

    @property
    def in_shards(self) -> str:
        """Which statistic of a batch is that of a shard: the offsets of centring."""
        centred = getattr(self.s, "centred", False)
        return "centring takes the means of the units over a shard's own samples" if centred else ""

    def batches(self, data, size, seed, epoch, start):
        """Minibatches as rows [N, D], drawn as 0 and 1 here with binarise="sampled".

        Every epoch asks for them, even one that is resumed after its last step, so `due` for the
        evaluation at its end is set here.
        """
        s, every, number = self.s, self.s.ais_every, epoch + 1
        asked = s.select.lstrip("+") in self.long
        self.due = asked or number >= s.epochs or bool(every and number % every == 0)
        for batch in minibatches(data.train, size, seed=seed, epoch=epoch, start=start):
            x = flat(batch.x)
            yield Batch(draw(self.noise, x) if self.s.binarise == "sampled" else x, batch.y)

    def rows(self, split: Split, most: int | None = None):
        """The first samples of a split as rows [N, D] on the device of the weights."""
        return self.on_device(Batch(flat(split.x[:most]))).x
