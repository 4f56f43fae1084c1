"""Denoising autoencoders (lecture 1, V0 295-307; lecture 2, D1 43-52; Vincent et al. 2008, 2010).

Codes that are robust to noise: the input is corrupted, the loss compares with the clean input ::

    L_DAE(α, β) = Σ_i E_{x̃ ~ q(x̃|x_i)} L(g(f(x̃, α), β), x_i)  →  min

SGD replaces the expectation by one x̃, drawn again each time an image is used (V0 302):

    noise="gaussian"   x̃ ~ N(x, σ² I)
    noise="masking"    each component is 0 with probability p0, the others are unchanged: unlike
                       in dropout, nothing is divided by 1 - p0

The second lecture means something else by the name (D1 45): the sample itself is enlarged, once, by
noised copies "of different types". That is `noise="static"`: ℓ images become (1 + 3 · copies) ℓ,
with Gaussian, masking and salt-and-pepper noise (on as many components as masking changes, each 0
or 1 with equal probability; in a table the least or the largest value of its column). The noise
never changes, so a large network can memorise it. The slide does not say what a noised copy is
compared with. By default it is the clean image, since the aim is to remove noise. With
`target="itself"` a copy is a sample like any other and its own target; then the network learns to
keep noise, and a net that never saw any removes more of it.

The pictures: those of every autoencoder; the same net trained without noise next to this one
(`beside`); and images, their corrupted versions, and the reconstructions of both nets.
The metric `denoising_error` is ‖g(f(x̃)) - x‖² with fixed noise, to compare with `noise_error`,
‖x̃ - x‖².
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split, kind_of, minibatches
from ...core.training.recipe import Recipe
from ...core.training.settings import setting
from ...core.training.system import Batch
from ..common import code_pictures, row_pictures
from ..common.encoder_decoder import Autoencoder, squared_error
from ..common.images import as_images, has_images
from ..common.rows import flat, prepare, rows
from . import twins
from .regularised import BINARY, TABLE, RegularisedSettings, check_of, code_figures, layers

Noise = Literal["gaussian", "masking", "static"]


class Settings(RegularisedSettings):
    """Settings of a denoising autoencoder."""

    noise: Noise = setting("gaussian", help="how the images are corrupted")
    sigma: float = setting(
        0.3, least=0, when=("noise", "gaussian", "static"), help="spread σ of Gaussian noise"
    )
    p0: float = setting(
        0.3,
        least=0,
        below=1,
        when=("noise", "masking", "static"),
        help="share that masking sets to 0",
    )
    copies: int = setting(
        1, least=1, when=("noise", "static"), help="copies of an image with each type of noise"
    )
    target: Literal["clean", "itself"] = setting(
        "clean", when=("noise", "static"), help="target of a noised copy"
    )


class MaskingSettings(Settings):
    """Settings with masking noise."""

    noise: Noise = "masking"


class StaticSettings(Settings):
    """Settings with noise that is drawn once."""

    noise: Noise = "static"


def salt_and_pepper(x: np.ndarray, p: float, rng, low=0, high=1) -> np.ndarray:
    """Each element becomes `low` or `high`, numbers or one for each column; probability p/2 each.

    >>> salt_and_pepper(np.full((1, 4), 0.5), 0.0, gg.Generator(0)).tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    u = rng.uniform(x.shape, dtype=x.dtype)
    return np.where(u < p / 2, low, np.where(u < p, high, x)).astype(x.dtype)


def enlarged(x: np.ndarray, s: Settings, rng, ends=(0, 1)) -> tuple[np.ndarray, np.ndarray]:
    """x [N, ...] and its noised copies, [(1 + 3 copies) N, ...], with the row of each.

    `ends` are pepper and salt: black and white, or the least and largest value of each column.
    """
    parts = [x]
    for i in range(s.copies):
        r = rng.child("static", i)
        parts.append(gg.gaussian_noise(x, s.sigma, r).numpy())
        parts.append(gg.masking_noise(x, s.p0, r).numpy())
        parts.append(salt_and_pepper(x, s.p0, r, *ends))
    return np.concatenate(parts), np.tile(np.arange(len(x)), len(parts))


class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that sees x̃ and is compared with x; `noise` is its random stream."""

    def __init__(self, data: DataSet, s: Settings, rng, dtype="float32"):
        super().__init__(*layers(data, s, rng, dtype), s)
        self.noise = rng.child("noise")
        if s.noise == "static":
            x, ends = data.train.x, (0, 1)
            if kind_of(data) == "table":
                ends = x.min(axis=0), x.max(axis=0)
            x, source = enlarged(x, s, self.noise, ends)
            self.sample = Split(x, source)  # arrays, not tensors: data, not state
            self.clean = x if s.target == "itself" else data.train.x

    def corrupted(self, x, rng):
        """x̃ ~ q(x̃|x) for rows x [N, D]; the static form is evaluated with Gaussian noise."""
        if self.s.noise == "masking":
            return gg.masking_noise(x, self.s.p0, rng)
        return gg.gaussian_noise(x, self.s.sigma, rng)

    def objective(self, batch):
        """(1/N) Σ_i L(g(f(x̃_i)), x_i); in the static form x̃ is batch.x and x is batch.y."""
        x = rows(batch.x)
        if self.s.noise != "static":
            return self.losses(self.encode(self.corrupted(x, self.noise)), x).mean()
        target = x if batch.y is None or batch.y.ndim < 2 else rows(batch.y)
        return self.losses(self.encode(x), target).mean()

    def batches(self, data, size, seed, epoch, start):
        """Minibatches of images; in the static form, of the enlarged sample with its targets."""
        if self.s.noise != "static":
            yield from super().batches(data, size, seed, epoch, start)
            return
        own = self.s.target == "itself"
        for b in minibatches(self.sample, size, seed=seed, epoch=epoch, start=start):
            yield Batch(b.x, b.x if own else self.clean[b.y])

    def batches_per_epoch(self, data, size):
        """The number of minibatches in an epoch."""
        static = self.s.noise == "static"
        return -(-len(self.sample if static else data.train) // size)

    def evaluate(self, split, size=500):
        """Errors per image: of clean images, of noised images, and of the noise itself."""
        noise = self.noise.child("evaluate")

        def figures(batch):
            x = rows(batch.x)
            z, other = self.encode(x), self.corrupted(x, noise)
            return {
                "squared_error": squared_error(self.decode(z), x).mean(),
                "denoising_error": squared_error(self.decode(self.encode(other)), x).mean(),
                "noise_error": squared_error(other, x).mean(),
                **code_figures(z.numpy(), self.s.activation),
            }

        return self.average(figures, split, size)


def build(data: DataSet, s: Settings, rng, dtype="float32") -> DenoisingAutoencoder:
    """The network for a data set."""
    return DenoisingAutoencoder(data, s, rng, dtype)


def figures(system: DenoisingAutoencoder, data: DataSet, s: Settings) -> dict:
    """The figures of code_pictures.py, and a comparison with the same net trained without noise:
    the codes, and the reconstructions of corrupted images.
    """
    found = code_pictures.figures(system, data, s)
    other, name = twins.twin(build, system, data, s, noise="gaussian", sigma=0.0)
    found["beside"] = twins.beside([(system, "with noise"), (other, name)], data)
    x = flat(data.test.x[: 12 if has_images(data) else 500])
    corrupted = system.corrupted(gg.Tensor(x), gg.Generator(s.seed).child("figures")).numpy()
    y = [corrupted, *(net.reconstruct(corrupted) for net in (system, other))]
    if not has_images(data):
        names = ("corrupted", "reconstruction", f"by the net trained {name}")
        found["denoising"] = row_pictures.column_errors(x, dict(zip(names, y)), data)
    else:
        noise, ours, plain = (((a - x) ** 2).sum(axis=1).mean() for a in y)
        title = (
            f"data / corrupted ({noise:.1f} per image) / reconstruction ({ours:.1f}) /\n"
            f"by the net trained {name} ({plain:.1f})"
        )
        sheet = as_images(np.concatenate([x, *y]), data)
        found["denoising"] = pictures.image_sheet(sheet, 12, title)
    return found


SMALL = {"epochs": 60, "batch": 50, "lr": 5e-3}
MNIST = {"code": 500, "epochs": 20, "lr": 2e-3, "select": "denoising_error"}
KINDS = {"table": TABLE, "binary": BINARY}
PRESETS = {"digits": SMALL, "mnist": MNIST, "fashion_mnist": MNIST, **KINDS}

GAUSSIAN = Recipe(
    name="denoising-autoencoder",
    title="Denoising autoencoder, Gaussian noise",
    lecture="lecture 1 (V0 295-307)",
    rows=(17,),
    build=build,
    prepare=prepare,
    takes=("images", "table", "binary"),
    settings=Settings,
    presets=PRESETS,
    metric="denoising_error",
    figures=figures,
    check=check_of(build, Settings),
)
MASKING = replace(
    GAUSSIAN,
    name="denoising-autoencoder-masking",
    title="Denoising autoencoder, masking noise",
    rows=(18,),
    settings=MaskingSettings,
    check=check_of(build, MaskingSettings),
)
STATIC = replace(
    GAUSSIAN,
    name="denoising-autoencoder-static",
    title="Denoising autoencoder by a sample enlarged once with noised images",
    lecture="lecture 2 (D1 43-52, 246)",
    rows=(19,),
    settings=StaticSettings,
    presets={
        "digits": {**SMALL, "epochs": 15},
        "mnist": {**MNIST, "epochs": 5},
        "fashion_mnist": {**MNIST, "epochs": 5},
        "table": {**TABLE, "epochs": 50},
        "binary": {**BINARY, "epochs": 8},
    },
    check=check_of(build, StaticSettings),
)
RECIPES = (GAUSSIAN, MASKING, STATIC)
