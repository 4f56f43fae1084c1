"""placeholder"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import SettingError, setting
from ..common.convolutional_sides import Images
from . import game, gan
from .game import SLOPE

STD = 0.02  # of the initial weights


class Settings(gan.Settings):
    """Settings of a game between two nets of convolutions."""

    noise: int = 64
    generator: tuple[int, ...] = setting(
        (64, 32), least=1, some=True, help="maps of the generator's levels, each half as fine"
    )
    discriminator: tuple[int, ...] = setting(
        (32, 64), least=1, some=True, help="maps of the discriminator's levels"
    )
    generator_norm: bool = True
    discriminator_norm: bool = True


class DCGAN(gan.GAN):
    """A generator [N, noise] -> [N, D], a discriminator [N, D] -> [N, 1]: convolutions alone."""

    def networks(self, data, s, rng, dtype):
        image = data.train.x.shape[1:]
        expect_levels(data.name, image, s)
        return (
            generator(image, s, rng.child("generator"), dtype),
            discriminator(image, s, rng.child("discriminator"), dtype),
        )

    def in_units(self, x):
        return 2 * x - 1


def expect_levels(name, image, s):
    for who in ("generator", "discriminator"):
        levels = len(getattr(s, who))
        if len(image) != 3 or any(n % 2**levels for n in image[1:]):
            raise SettingError("bad")


def _finish(layers, maps_, norm, dropout, activation, rng, dtype):
    layers += [nn.BatchNorm(maps_, dtype=dtype)] if norm else []
    layers.append(activation)
    layers += [nn.Dropout(dropout, rng=rng)] if dropout else []


def generator(image, s, rng, dtype):
    (channels, *sides), maps_ = image, [*s.generator, image[0]]
    top = tuple(n // 2 ** len(s.generator) for n in sides)
    options = {"dtype": dtype}
    layers = [
        Images((s.noise, 1, 1)),
        nn.ConvTranspose2d(s.noise, maps_[0], top, bias=not s.generator_norm, rng=rng.child(0), **options),
    ]
    for i, (c, out) in enumerate(zip(maps_, maps_[1:])):
        _finish(layers, c, s.generator_norm, s.generator_dropout, nn.ReLU(), rng.child("drop", i), dtype)
        last = i == len(maps_) - 2
        layers.append(
            nn.ConvTranspose2d(c, out, 4, 2, 1, bias=last or not s.generator_norm, rng=rng.child(i + 1), **options)
        )
    return nn.Sequential(*start(layers, rng), nn.Flatten())


def discriminator(image, s, rng, dtype):
    (channels, *sides), maps_ = image, [image[0], *s.discriminator]
    top = tuple(n // 2 ** len(s.discriminator) for n in sides)
    layers = [Images(image)]
    for i, (c, out) in enumerate(zip(maps_, maps_[1:])):
        norm = s.discriminator_norm and i > 0
        layers.append(nn.Conv2d(c, out, 4, 2, 1, bias=not norm, rng=rng.child(i), dtype=dtype))
        _finish(layers, out, norm, s.discriminator_dropout, nn.LeakyReLU(SLOPE), rng.child("drop", i), dtype)
    layers.append(nn.Conv2d(maps_[-1], 1, top, rng=rng.child("top"), dtype=dtype))
    return nn.Sequential(*start(layers, rng), nn.Flatten())


def start(layers, rng):
    import os
    if os.environ.get("STD"):
        for i, l in enumerate(layers):
            if hasattr(l, "weight") and l.weight.ndim == 4:
                l.weight.assign(nn.init.normal(l.weight.shape, rng.child("w", i), std=float(os.environ["STD"]), dtype=l.weight.dtype))
                if l.bias is not None:
                    l.bias.assign(0 * l.bias.data)
    return layers
