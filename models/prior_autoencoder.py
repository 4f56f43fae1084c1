"""What adversarial and transport autoencoders share: networks, codes and the proof that they match.

Both make the distribution of all codes, the aggregated posterior (U3 577) ::

    q(z) = E_x q(z|x)

equal to a prior p(z), where a VAE asks it of every q(z|x) by itself. The encoder may be
deterministic, q(z|x) = δ(z - f(x)), or normal, N(μ(x), σ²(x)) (`encoder="normal"`; U3 568: "here it
may be probabilistic"). Network: dense layers, or convolutions as in convolutional_autoencoder.py.

Whether q(z) = p(z) is tested (mmd.py): codes of `tested` held-out images, drawn from q(z|x),
against as many draws from p(z). `mmd2` is the unbiased MMD², `mmd2_null95` what chance alone
exceeds in one case of twenty, `mmd_p` the probability of so large a value under q(z) = p(z).
"""

import numpy as np

from .. import core as gg
from ..core import nn
from ..core.arrays import to_numpy
from ..core.data import DataSet, Split, order
from ..core.recipe import Target, expect_choices
from ..core.system import Batch
from .autoencoder import ACTIVATIONS, Autoencoder, rows
from .convolutional_autoencoder import POOLS, sides
from .mmd import pooled_kernel, statistics, two_sample_test
from .priors import PRIORS, make_prior

CHOICES = {
    "prior": PRIORS,
    "encoder": ("deterministic", "normal"),
    "network": ("dense", "convolutional"),
    "activation": tuple(ACTIVATIONS),
    "pool": tuple(POOLS),
}


class PriorAutoencoder(Autoencoder):
    """encoder [N, D] -> [N, K], or (μ, ln σ²) [N, 2K]; decoder [N, K] -> [N, D]; a prior."""

    def __init__(self, data: DataSet, s: dict, rng, dtype="float32"):
        expect_choices("prior_autoencoder", s, CHOICES)
        self.prior = make_prior(s)
        outputs = s["code"] * (2 if s["encoder"] == "normal" else 1)
        network = convolutional if s["network"] == "convolutional" else dense
        super().__init__(*network(data, outputs, s, rng, dtype), s)
        self.noise = rng.child("noise")

    def encode(self, x):
        """The mean of q(z|x): [N, D] -> [N, K]."""
        return self.encoder(x)[:, : self.s["code"]]

    def posterior(self, x, noise):
        """z ~ q(z|x): [N, D] -> [N, K]; the code itself where the encoder is deterministic."""
        h, k = self.encoder(x), self.s["code"]
        if self.s["encoder"] == "deterministic":
            return h
        return gg.reparameterise(h[:, :k], h[:, k:], noise)[0]

    def from_prior(self, x, labels=None):
        """As many draws from p(z) as x [N, D] has rows, as a tensor [N, K]."""
        return gg.Tensor(self.prior.sample(len(x), self.noise, x.dtype, labels))

    # ------------------------------------------------------------------- does it match?

    def held_out_codes(self, split, most: int):
        """(codes [n, K] ~ q(z|x) of n ≤ most images, n draws from the prior), float64.

        The images are those of a fixed random order: the first of a set may be a kind of their own.
        """
        index = np.sort(order(len(split), seed=0)[:most])
        noise, found = self.noise.child("held out"), []
        with gg.no_grad():
            for part in np.array_split(index, -(-len(index) // 500)):
                x = rows(self.on_device(Batch(split.x[part])).x)
                found.append(self.posterior(x, noise).numpy())
        z = np.concatenate(found).astype(np.float64)
        return z, to_numpy(self.prior.sample(len(z), noise.child("prior"), "float64"))

    def match(self, split):
        """The two-sample test of a split's codes against the prior."""
        z, p = self.held_out_codes(split, self.s["tested"])
        return two_sample_test(z, p, self.s["permutations"], self.noise.child("shuffles"))

    def evaluate(self, split, size=500):
        """The squared error per image, and MMD² of up to 1000 codes and as many prior draws."""
        found = super().evaluate(split, size)
        if len(split) >= 2:
            z, p = self.held_out_codes(split, 1000)
            first = np.repeat([1.0, 0.0], len(z))[:, None]
            found["mmd2"] = float(statistics(pooled_kernel(np.concatenate([z, p])), first)[0])
        return found

    def evaluate_finished(self, split):
        """The squared error, and MMD² with its null distribution's 95 % quantile and its p."""
        found, test = self.evaluate(split), self.match(split)
        return found | {"mmd2": test.mmd2, "mmd2_null95": test.null95, "mmd_p": test.p}


def dense(data: DataSet, outputs: int, s: dict, rng, dtype):
    """(encoder, decoder): linear layers of the widths in `hidden`, σ between them."""
    n, sigma = int(np.prod(data.train.x.shape[1:])), ACTIVATIONS[s["activation"]]
    into, back = [n, *s["hidden"]], [s["code"], *s["hidden"][::-1]]
    encoder = nn.mlp(into, sigma, rng=rng.child("encoder"), dtype=dtype)
    decoder = nn.mlp(back, sigma, rng=rng.child("decoder"), dtype=dtype)
    code = nn.Linear(into[-1], outputs, rng=rng.child("code"), dtype=dtype)
    out = nn.Linear(back[-1], n, rng=rng.child("out"), dtype=dtype)
    return nn.Sequential(*encoder, code), nn.Sequential(*decoder, out)


def convolutional(data: DataSet, outputs: int, s: dict, rng, dtype):
    """(encoder, decoder): the levels of `channels`, then linear to the code, and back."""
    who, image = "network 'convolutional'", data.train.x.shape[1:]
    return sides(who, image, s, outputs, rng, dtype)[1:]


def check(system, s: dict, rng, image=(6,)):
    """Every objective of a small network as a function of all parameters, for gradcheck."""
    s = {**s, "hidden": (5,), "channels": (2, 3), "activation": "tanh", "batch": 4}
    data = DataSet("check", Split(rng.random((4, *image)), np.array([0, 1, -1, 1])))
    made = system(data, s, gg.Generator(3), dtype="float64")
    state = made.noise.state

    def f(*parameters):
        made.noise.state = state  # the same draws at every call
        loss, others = made.with_parameters(parameters).objective(Batch(data.train.x, data.train.y))
        return loss, *others.values()

    return f, [p.numpy().copy() for p in made.parameters()]


def ignored(s: dict) -> dict:
    """What the network or the prior does not use."""
    unused = ("hidden",) if s["network"] == "convolutional" else ("channels", "kernel", "pool")
    found = dict.fromkeys(unused, f"with network={s['network']}")
    if s["prior"] == "normal":
        found["components"] = "with prior=normal"
    return found


MATCHES = Target(
    "MNIST test codes against the prior: p of the MMD test, 2000 of each", "mnist", "mmd_p",
    "no difference to be seen (a drawing)", 0.05, better="higher",
    source="Makhzani et al. 2016, figure 2; the test: Gretton et al. 2012",
    note="p is the chance of as large an MMD² between two samples of one distribution",
)  # fmt: skip
SETTINGS = {
    "code": 2, "prior": "normal", "components": 10, "encoder": "deterministic",
    "network": "dense", "hidden": (256, 256), "channels": (16, 32), "kernel": 3, "pool": "stride",
    "activation": "relu", "output": "sigmoid", "loss": "squared", "schedule": "cosine",
    "tested": 2000, "permutations": 1000,
}  # fmt: skip
LEAST = {"code": 1, "components": 1, "hidden": 1, "channels": 1, "kernel": 1, "tested": 2,
         "permutations": 19}  # fmt: skip
