"""f(x, α) of images: levels of convolution, σ and pooling, then dense layers; a vector z comes out.

    convolution 3x3, a frame of 1 zero     [N, C_l, H, W]
    (batch normalisation)
    ReLU, the largest of 2x2               [N, C_l, H//2, W//2]     for each entry of `channels`
    dense (batch normalisation), ReLU      [N, M]                   for each entry of `hidden`

With four levels of 64 maps and no dense layer this is the net with which matching and prototypical
nets look at characters (Vinyals et al. 2016; Snell et al. 2017).
"""

from ...core import nn
from ...core.training.settings import SettingError


def convolutional_encoder(
    who: str, image, channels, rng, dtype="float32", hidden=(), batch_norm: bool = False
) -> tuple[nn.Sequential, int]:
    """(f, the number of entries of z) for images [C, H, W]; without `channels` f is dense.

    Raises SettingError in the name of `who` for images that the levels halve to nothing.

    >>> import glassgrad as gg
    >>> f, width = convolutional_encoder("net", (1, 8, 8), (4, 6), gg.Generator(0), hidden=(5,))
    >>> f(gg.zeros((2, 1, 8, 8))).shape, width
    ((2, 5), 5)
    """
    if len(image) != 3 or min(image[1:]) >> len(channels) < 1:
        raise SettingError(
            f"{who} needs images [C, H, W], which {len(channels)} levels can halve; got"
            f" {tuple(image)}"
        )
    (c, height, width), layers = image, []
    for i, maps in enumerate(channels):
        options = {"padding": 1, "bias": not batch_norm, "dtype": dtype}
        layers.append(nn.Conv2d(c, maps, 3, rng=rng.child("conv", i), **options))
        layers += [nn.BatchNorm(maps, dtype=dtype)] if batch_norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        c, height, width = maps, height // 2, width // 2
    layers, n = [*layers, nn.Flatten()], c * height * width
    for i, m in enumerate(hidden):
        layers.append(nn.Linear(n, m, rng=rng.child("dense", i), dtype=dtype))
        layers += [nn.BatchNorm(m, dtype=dtype)] if batch_norm else []
        layers.append(nn.ReLU())
        n = m
    return nn.Sequential(*layers), n
