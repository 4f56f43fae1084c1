"""An encoder and a decoder of convolutions: what several autoencoders share."""

from typing import Literal

import numpy as np

from ...core import nn
from ...core.training.settings import SettingError, setting
from .activations import ACTIVATIONS, Activation
from .encoder_decoder import AutoencoderSettings

POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d, "stride": None}
Pool = Literal["max", "average", "stride"]


class ConvolutionalSettings(AutoencoderSettings):
    """Settings of an autoencoder whose two sides are convolutions."""

    channels: tuple[int, ...] = setting(
        (16, 32), least=1, some=True, help="maps C_l of each level, which halves the image"
    )
    kernel: int = setting(3, least=1, help="side k of a convolution, odd")
    pool: Pool = setting("max", help="how a level halves the image")
    activation: Activation = setting("relu", help="σ between the layers of both sides")


class Images(nn.Module):
    """Reshape rows [N, D], which autoencoders work on, into images [N, C, H, W]."""

    def __init__(self, shape: tuple[int, int, int]):
        self.shape = tuple(shape)

    def forward(self, x):
        """x [N, D] -> [N, C, H, W]."""
        return x.reshape(len(x), *self.shape)

    def extra(self):
        """The shape of an image."""
        return " x ".join(map(str, self.shape))


def down(channels, image, s: ConvolutionalSettings, rng, dtype) -> nn.Sequential:
    """Convolution, σ and halving for each of `channels`: [N, C, H, W] -> [N, C_L, H/2^L, W/2^L]."""
    sigma, found, c = ACTIVATIONS[s.activation], [], image[0]
    for i, maps_ in enumerate(channels):
        stride = 2 if s.pool == "stride" else 1
        options = {"padding": s.kernel // 2, "stride": stride, "dtype": dtype}
        found += [nn.Conv2d(c, maps_, s.kernel, rng=rng.child("conv", i), **options), sigma()]
        found += [POOLS[s.pool](2)] if POOLS[s.pool] else []
        c = maps_
    return nn.Sequential(*found)


def up(channels, image, s: ConvolutionalSettings, rng, dtype) -> list[nn.Module]:
    """Doubling, σ and convolution for each of `channels` backwards; the last is linear."""
    sigma, found = ACTIVATIONS[s.activation], []
    above = [image[0], *channels[:-1]]
    for i, (maps_, out) in reversed(list(enumerate(zip(channels, above)))):
        wide = nn.ConvTranspose2d(maps_, maps_, 2, stride=2, rng=rng.child("up", i), dtype=dtype)
        conv = nn.Conv2d(
            maps_, out, s.kernel, padding=s.kernel // 2, rng=rng.child("conv", i), dtype=dtype
        )
        found += [wide, sigma(), conv] + ([sigma()] if i else [])
    return found


def sides(who: str, image, s: ConvolutionalSettings, outputs: int, rng, dtype):
    """(levels of the encoder, encoder, decoder) for images [C, H, W].

    With `code` above 0 the encoder ends in a linear map to `outputs` numbers (the codes, or the
    parameters of their distribution), and the decoder begins with one from `code` numbers. Raises
    SettingError in the name of `who` if the images cannot be halved that often, or a kernel has no
    centre.
    """
    channels, levels = s.channels, len(s.channels)
    if len(image) != 3 or any(n % 2**levels for n in image[1:]):
        raise SettingError(
            f"{who} needs images divisible by 2^L, L the number of levels in channels;"
            f" got {tuple(image)} and {list(channels)}"
        )
    if s.kernel % 2 == 0:
        raise SettingError(f"{who}: kernel must be odd, so that it has a centre; got {s.kernel}")
    top = (channels[-1], *(n // 2**levels for n in image[1:]))
    n, sigma = int(np.prod(top)), ACTIVATIONS[s.activation]
    convolutions = down(channels, image, s, rng.child("encoder"), dtype)
    into, out = [nn.Flatten()], [Images(top)]
    if s.code:
        into.append(nn.Linear(n, outputs, rng=rng.child("code"), dtype=dtype))
        back = nn.Linear(s.code, n, rng=rng.child("back"), dtype=dtype)
        out = [back, sigma(), *out]
    encoder = nn.Sequential(Images(image), *convolutions, *into)
    back_up = up(channels, image, s, rng.child("decoder"), dtype)
    return convolutions, encoder, nn.Sequential(*out, *back_up, nn.Flatten())
