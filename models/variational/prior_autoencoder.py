"""What adversarial and transport autoencoders share: networks, codes and the test of their match.

Both make the distribution of all codes, the aggregated posterior (U3 577) ::

    q(z) = E_x q(z|x)

equal to a prior p(z), while a VAE requires this of every q(z|x). The encoder may be deterministic,
q(z|x) = δ(z - f(x)), or normal, N(μ(x), σ²(x)) (`encoder="normal"`; U3 568: "here it may be
probabilistic"). The network has dense layers, or convolutions (common/convolutional_sides.py).

A two-sample test (common/mmd.py) tests q(z) = p(z). It compares codes of `tested` held-out images,
drawn from q(z|x), with as many draws from p(z). `mmd2` is the unbiased MMD², `mmd2_null95` the
value that chance alone exceeds in one case of twenty, `mmd_ratio` the first over the second,
`mmd_p` the probability of such a large value if q(z) = p(z).
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.arrays import to_numpy
from ...core.data import DataSet, Split, order
from ...core.training.by_name import MOMENTA
from ...core.training.recipe import Target
from ...core.training.settings import SettingError, setting
from ...core.training.system import Batch
from ..common.activations import ACTIVATIONS
from ..common.convolutional_sides import ConvolutionalSettings, Pool, sides
from ..common.critic import Game
from ..common.encoder_decoder import Autoencoder
from ..common.mmd import pooled_kernel, statistics, two_sample_test
from ..common.rows import rows
from .priors import Prior, make_prior

Network = Literal["dense", "convolutional"]
Encoder = Literal["deterministic", "normal"]


class PriorSettings(ConvolutionalSettings):
    """Settings of an autoencoder whose codes should have a prior distribution."""

    code: int = 2
    prior: Prior = setting("normal", help="distribution p(z) of the codes")
    components: int = setting(
        10, least=1, when=("prior", "mixture"), help="number M of normals in the mixture"
    )
    encoder: Encoder = setting(
        "deterministic", help="q(z|x): a single code, or a normal distribution"
    )
    network: Network = setting("dense", help="kind of layers on both sides")
    hidden: tuple[int, ...] = setting(
        (256, 256), least=1, when=("network", "dense"), help="widths of the hidden layers"
    )
    channels: tuple[int, ...] = setting(
        (16, 32), least=1, some=True, when=("network", "convolutional"), help="maps of each level"
    )
    kernel: int = setting(
        3, least=1, when=("network", "convolutional"), help="width of the square kernels, odd"
    )
    pool: Pool = setting(
        "stride", when=("network", "convolutional"), help="what halves the maps after each level"
    )
    tested: int = setting(2000, least=2, help="held-out images in the two-sample test")
    permutations: int = setting(
        1000, least=19, help="shuffles that make the null distribution of the test"
    )

    def check(self):
        """Check that a mixture has its plane of two codes."""
        super().check()
        if self.prior == "mixture" and self.code != 2:
            raise SettingError(
                f"prior 'mixture' lies in the plane: code must be 2; got {self.code}"
            )


class GameSettings(PriorSettings):
    """Settings with a critic that distinguishes codes from draws of the prior."""

    critic: tuple[int, ...] = setting(
        (256, 256), least=1, help="widths of the critic's hidden layers"
    )
    game: Game = setting(
        "non-saturating", help="form of the encoder's objective against the critic"
    )
    critic_lr: float = setting(1e-3, least=0, help="learning rate of the critic")
    game_momentum: float = setting(
        0.5,
        least=0,
        below=1,
        when=("optimiser", *MOMENTA),
        help="momentum, or Adam's β₁, of the steps against it",
    )


class PriorAutoencoder(Autoencoder):
    """encoder [N, D] -> [N, K], or (μ, ln σ²) [N, 2K]; decoder [N, K] -> [N, D]; a prior."""

    def __init__(self, data: DataSet, s: PriorSettings, rng, dtype="float32"):
        self.prior = make_prior(s.prior, s.code, s.components)
        outputs = s.code * (2 if s.encoder == "normal" else 1)
        network = convolutional if s.network == "convolutional" else dense
        super().__init__(*network(data, outputs, s, rng, dtype), s)
        self.noise = rng.child("noise")

    def encode(self, x):
        """The mean of q(z|x): [N, D] -> [N, K]."""
        return self.encoder(x)[:, : self.s.code]

    def posterior(self, x, noise):
        """z ~ q(z|x): [N, D] -> [N, K]; the code itself if the encoder is deterministic."""
        h, k = self.encoder(x), self.s.code
        if self.s.encoder == "deterministic":
            return h
        return gg.reparameterise(h[:, :k], h[:, k:], noise)[0]

    def from_prior(self, x, labels=None):
        """As many draws from p(z) as x [N, D] has rows, as a tensor [N, K]."""
        return gg.Tensor(self.prior.sample(len(x), self.noise, x.dtype, labels))

    # ------------------------------------------------------------------- does it match?

    def held_out_codes(self, split, most: int):
        """(codes [n, K] ~ q(z|x) of n ≤ most images, n draws from the prior), float64.

        The images are taken in a fixed random order: the first of a set may differ from the rest.
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
        z, p = self.held_out_codes(split, self.s.tested)
        return two_sample_test(z, p, self.s.permutations, self.noise.child("shuffles"))

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
        found |= {"mmd2": test.mmd2, "mmd2_null95": test.null95}
        return found | {"mmd_ratio": test.ratio, "mmd_p": test.p}


def dense(data: DataSet, outputs: int, s: PriorSettings, rng, dtype):
    """(encoder, decoder): linear layers of the widths in `hidden`, σ between them."""
    n, sigma = int(np.prod(data.train.x.shape[1:])), ACTIVATIONS[s.activation]
    into, back = [n, *s.hidden], [s.code, *s.hidden[::-1]]
    encoder = nn.mlp(into, sigma, rng=rng.child("encoder"), dtype=dtype)
    decoder = nn.mlp(back, sigma, rng=rng.child("decoder"), dtype=dtype)
    code = nn.Linear(into[-1], outputs, rng=rng.child("code"), dtype=dtype)
    out = nn.Linear(back[-1], n, rng=rng.child("out"), dtype=dtype)
    return nn.Sequential(*encoder, code), nn.Sequential(*decoder, out)


def convolutional(data: DataSet, outputs: int, s: PriorSettings, rng, dtype):
    """(encoder, decoder): the levels of `channels`, then linear to the code, and back."""
    who, image = "network 'convolutional'", data.train.x.shape[1:]
    return sides(who, image, s, outputs, rng, dtype)[1:]


def check(system, s: PriorSettings, rng, image=(6,)):
    """Every objective of a small network as a function of all parameters, for gradcheck."""
    s = replace(s, hidden=(5,), channels=(2, 3), activation="tanh", batch=4)
    data = DataSet("check", Split(rng.random((4, *image)), np.array([0, 1, -1, 1])))
    made = system(data, s, gg.Generator(3), dtype="float64")
    state = made.noise.state

    def f(*parameters):
        made.noise.state = state  # the same draws at every call
        loss, others = made.with_parameters(parameters).objective(Batch(data.train.x, data.train.y))
        return loss, *others.values()

    return f, [p.numpy().copy() for p in made.parameters()]


MATCHES = Target(
    "MNIST test codes against the prior: MMD² in units of its null's 95 % point, 2000 of each",
    "mnist",
    "mmd_ratio",
    "no difference to be seen (a drawing)",
    1.0,
    own=True,
    source="Makhzani et al. 2016, figure 2; the test: Gretton et al. 2012",
    note="two samples of one distribution exceed 1 in one case of twenty",
    seeds=3,
)
