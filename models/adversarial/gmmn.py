"""The generative moment matching net (D1 19; Li, Swersky & Zemel 2015; Dziugaite et al. 2015).

A generator without an opponent. Two distributions are equal if all their moments are, and a kernel
compares all moments at once: what is minimised is a distance between samples, in closed form, in
place of a game (common/mmd.py; the lecture has the name alone, and writes "Momet") ::

    z ~ U(-1, 1),  g = G(z)
    MMD²(x, g) = mean k(x_i, x_j) + mean k(g_i, g_j) - 2 mean k(x_i, g_j)      over all pairs
    √MMD²  →  min over G,             k(a, b) = Σ_c exp(-‖a - b‖² / c·u)

The middle term drives samples apart, the last draws them to the data. The root is the paper's: its
slope does not vanish as the samples come near the data, where that of MMD² does
(`objective=square`). The estimate is the biased one, which is never below 0 and so has a root. A
single kernel sees one width; `scales` are those of a mixture, as shares c of u = mean ‖x_i - x_j‖²
of the minibatch. The paper has exp(-d/2σ) with σ = 2, 5, 10, 20, 40, 80. On MNIST u is 105, so its
mixture is c = 0.04 … 1.5, the default, and with shares it fits data of any size.

`space` is where samples are compared ::

    pixels   G ends in x itself
    codes    an autoencoder is trained first, for `pretrain` epochs, with `dropout` in its encoder
             as in the paper (by default none); G then learns the distribution of its codes, and
             g = decoder(G(z)). Codes are few and smooth, so that distances between them mean
             more, and a few hundred samples say more of their distribution

The digits have codes by default, `space=pixels` is the switch. Both next to samples of a normal
that is fitted to the pixels, which has the entropy of all classes as well ::

                       codes         pixels        normal
    neighbours         0.80          0.89          0.89
    confidence         0.93          0.92          0.84
    Parzen, nats       20.9 ± 0.8    12.1 ± 0.7    11.7 ± 0.5

By the nearest neighbour and by Parzen's estimate pixels are no better than the normal and codes
are; by confidence both are.
No sample is better than what the decoder makes of codes: look at `reconstructions`.

Both stages have a cosine of their own, from `code_lr` and `lr` to 0. The minibatch is what the
estimate rests on: the paper's has 1000 images.

The pictures: samples or points; `nearest`, samples over the training images next to them, since a
net that copied its data would have no discrepancy either; `widths`, the discrepancy that each
kernel of the mixture sees, next to the one that chance leaves between two real samples; and, with
codes, `reconstructions` of the autoencoder.

The number: the Parzen-window log-likelihood of MNIST (common/parzen.py), 147 ± 2 nats on pixels and
282 ± 2 on codes; adversarial nets 225 ± 2. `neighbours`, `entropy` and `confidence` as for those
(judging.py).
"""

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split, kind_of, minibatches
from ...core.training.alternating import AlternatingSystem, Phase
from ...core.training.recipe import Recipe, Target
from ...core.training.system import Batch
from ..common import mmd
from ..common.binary import bernoulli_nll
from ..common.encoder_decoder import squared_error
from ..common.rows import rows
from ..common.stages import stage_rate
from . import gmmn_pictures
from .game import EACH_EPOCH, perceptron
from .gmmn_settings import Settings
from .judging import classifier_of, judged, likelihood

LEAST = 1e-9  # of MMD² under the root: rounding may leave less


class GMMN(AlternatingSystem):
    """A generator [N, noise] -> [N, D], or [N, K] codes that a decoder makes [N, D] of."""

    whole = ""
    in_shards = "MMD² is that of a shard's own samples, and its kernels' widths too"
    least_in_shard = 2

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        self.s, self.data = s, data
        self.bounded = kind_of(data) != "table"
        x = data.train.x.reshape(len(data.train), -1)
        mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
        if not self.bounded:  # a table is seen in units of its columns
            mean, std = (f(x, axis=0, dtype=np.float64) for f in (np.mean, np.std))
        self.mean = gg.Tensor(mean.astype(dtype))
        self.std = gg.Tensor(np.where(std > 0, std, 1).astype(dtype))
        inputs, codes = x.shape[1], s.space == "codes"
        self.generator = perceptron(
            [s.noise, *s.generator, s.code if codes else inputs], nn.ReLU, False, 0.0,
            rng.child("generator"), dtype,
        )  # fmt: skip
        if codes:
            widths = [inputs, *s.autoencoder, s.code]
            for name, sizes, p in (("encoder", widths, s.dropout), ("decoder", widths[::-1], 0.0)):
                net = perceptron(sizes, nn.ReLU, False, p, rng.child(name), dtype)
                setattr(self, name, net)
        self.draws = rng.child("draws")
        self._classifier = None

    # ---------------------------------------------------------------------- the networks

    def noise(self, n: int, rng=None):
        """n rows of U(-1, 1), a tensor [n, noise]; from `rng` instead of the training's stream."""
        rng = self.draws if rng is None else rng
        return gg.Tensor(rng.uniform((n, self.s.noise), -1.0, 1.0, str(self.mean.dtype)))

    def compared(self, x):
        """Real samples in the space where they are compared: [N, ...] -> [N, D] or [N, K]."""
        x = (rows(x) - self.mean) / self.std
        return gg.sigmoid(self.encoder(x)) if self.s.space == "codes" else x

    def made(self, z):
        """Made samples in that space: [N, noise] -> [N, D] or [N, K]."""
        a = self.generator(z)
        return gg.sigmoid(a) if self.s.space == "codes" or self.bounded else a

    def decoded(self, made):
        """Samples of that space as the data are: -> [N, D]."""
        if self.s.space == "codes":
            made = self.decoder(made)
            made = gg.sigmoid(made) if self.bounded else made
        return self.mean + self.std * made

    def generate(self, z):
        """Samples [N, D] of noise [N, noise]."""
        return self.decoded(self.made(z))

    # ------------------------------------------------------------------------- training

    def phases(self, settings: Settings) -> tuple[Phase, ...]:
        """The autoencoder, if there is one, and the generator."""
        matching = Phase("matching", self.matching, (self.generator,), settings.lr)
        if settings.space == "pixels":
            return (matching,)
        both = (self.encoder, self.decoder)
        return Phase("autoencoding", self.autoencoding, both, settings.code_lr), matching

    def active(self, training) -> tuple[Phase, ...]:
        """The autoencoder in the first epochs, then the generator."""
        phases = self.phases(training.settings)
        return phases[:1] if training.epoch < training.settings.before else phases[-1:]

    def train_step(self, batch, training):
        """A step of the stage that the epoch belongs to, at that stage's rate."""
        s, epoch = training.settings, training.epoch
        start, end = (0, s.before) if epoch < s.before else (s.before, s.epochs)
        if s.space == "codes":
            self.encoder.train(epoch < s.before)  # the codes to be matched are without dropout
        training.optimiser.lr = (
            s.lr * stage_rate(epoch - start, end - start) * training.factor(epoch)
        )
        return super().train_step(batch, training)

    def autoencoding(self, batch):
        """The cross-entropy of x̂ and x, of a table the squared error: a step of the autoencoder."""
        x, z = rows(batch.x), self.compared(batch.x)
        if self.bounded:
            return bernoulli_nll(self.decoder(z), x).mean()
        return squared_error(self.decoder(z), (x - self.mean) / self.std).mean()

    def matching(self, batch):
        """√MMD² or MMD² of a minibatch and as many samples: a step of the generator."""
        with gg.no_grad():
            real = self.compared(batch.x)
        return self.discrepancy(real, self.made(self.noise(len(batch.x))))

    def discrepancy(self, real, made):
        """√MMD² or MMD², biased, of rows [N, K] and [N, K]: a scalar."""
        found = mmd.penalty(real, made, "rbf", self.widths(real), biased=True)
        return gg.sqrt(gg.maximum(found, LEAST)) if self.s.objective == "root" else found

    def widths(self, real) -> list[float]:
        """c·u of each kernel, u the mean ‖x - x'‖² of the pairs of real rows [N, K]."""
        centred = real - real.mean(axis=0)
        unit = 2 * float((centred * centred).sum()) / len(real)
        return [share * (unit or 1.0) for share in self.s.scales]  # 0 if all are equal

    def objective(self, batch):
        """(the objective of the generator, that of the autoencoder); their sum has no meaning."""
        others = {}
        if self.s.space == "codes":
            others["autoencoding"] = self.autoencoding(batch)
        return self.matching(batch), others

    def batches(self, data, size, seed, epoch, start):
        """Full minibatches only: the estimate rests on their size."""
        size = min(size, len(data.train))
        return minibatches(data.train, size, seed, epoch, start, drop_last=True)

    def batches_per_epoch(self, data, size):
        """The number of full minibatches."""
        return len(data.train) // min(size, len(data.train))

    # -------------------------------------------------------------------------- judging

    def drawn(self, n: int, rng=None) -> np.ndarray:
        """n samples [n, D] without a tape; by default always of the same noise."""
        rng, found = self.draws.child("held out") if rng is None else rng, []
        with gg.no_grad():
            for at in range(0, n, 1000):
                found.append(self.generate(self.noise(min(1000, n - at), rng)).numpy())
        return np.concatenate(found)

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Images or rows through the autoencoder, [N, D]; as they are if there is none."""
        with gg.no_grad():
            return self.decoded(self.compared(self.on_device(Batch(np.asarray(x))).x)).numpy()

    def evaluate(self, split, size=500):
        """The judges' figures of 1000 samples."""
        return self.figures_of(self.drawn(EACH_EPOCH), split)

    def evaluate_finished(self, split):
        """The judges' figures of `samples` samples; on images also Parzen's log-likelihood."""
        made = self.drawn(self.s.samples)
        found = self.figures_of(made, split)
        return found | likelihood(made, split, self.data) if self.bounded else found

    def figures_of(self, made: np.ndarray, split) -> dict[str, float]:
        """What judging.py says of made rows [N, D]; with codes the autoencoder's squared error."""
        units = self.mean.numpy(), self.std.numpy()
        found = judged(made, split, self.data, units, self.classifier)
        if self.s.space == "codes":
            x = split.x[:2000].reshape(min(2000, len(split)), -1)
            off = (self.reconstruct(x) - x) / units[1]
            found["squared_error"] = float((off**2).sum(axis=1).mean())
        return found

    def classifier(self):
        """The judge of labelled data, trained when it is first asked for; None without labels."""
        if self._classifier is None:
            self._classifier = classifier_of(self.data)
        return self._classifier


def check(rng, **changes):
    """The objectives of a small net as functions of all parameters, for gradcheck."""
    small = {"noise": 3, "generator": (5,), "scales": (0.2, 1.0), **changes}
    if small.get("space") == "codes":
        small = {"autoencoder": (5,), "code": 3, **small}
    data = DataSet("check", Split(rng.random((6, 1, 2, 2)), None))
    made = GMMN(data, Settings(**small), gg.Generator(3), dtype="float64")
    state, batch, codes = made.draws.state, Batch(data.train.x), made.s.space == "codes"
    real = made.compared(batch.x).detach()  # the generator's step leaves the autoencoder as it is

    def f(*parameters):
        made.draws.state = state  # the same noise at every call
        net = made.with_parameters(parameters)
        found = net.discrepancy(real, net.made(net.noise(len(batch.x))))
        return (found, net.autoencoding(batch)) if codes else found

    return f, [p.numpy().copy() for p in made.parameters()]


LI = "Li, Swersky & Zemel 2015, table 1"
NATS = "Parzen-window log-likelihood of MNIST test images, nats, 10 000 samples"
MNIST = {
    "batch": 500, "epochs": 80, "lr": 2e-3, "generator": (64, 256, 256, 1024),
    "autoencoder": (1024,),
    "code": 32, "pretrain": 20, "code_lr": 1e-3,
}  # fmt: skip
POINTS = {"noise": 2, "epochs": 30, "batch": 500, "generator": (64, 64), "code": 2}

RECIPES = (
    Recipe(
        name="gmmn",
        title="Generative moment matching net",
        lecture="lecture 2 (D1 19)",
        rows=(53,),
        build=GMMN,
        takes=("images", "table", "binary"),
        settings=Settings,
        presets={
            "digits": {"space": "codes"},
            **dict.fromkeys(("mnist", "fashion_mnist"), MNIST),
            "ring": POINTS,
            "table": {**POINTS, "batch": 100, "epochs": 200},
        },
        metric="neighbours",
        targets=(
            Target(
                f"{NATS}, codes", "mnist", "parzen", "282 ± 2", 280.0, better="higher",
                settings={"space": "codes", "epochs": 100}, source=LI,
                protocol="ReLU, one autoencoder by Adam; theirs: logistic, greedy layers, dropout",
                spread="parzen_error",
            ),
            Target(
                f"{NATS}, pixels", "mnist", "parzen", "147 ± 2", 145.0, better="higher",
                source=LI, protocol="Adam, minibatches of 500; theirs: momentum, 1000",
                spread="parzen_error",
            ),
        ),
        figures=gmmn_pictures.figures,
        sample=gmmn_pictures.sample,
        check=check,
    ),
)  # fmt: skip
