"""What part of an image a unit sees: its receptive field, and the patches that excite it most.

A window of k units, `stride` units from the next, over a layer whose units see r pixels and lie j
pixels apart ::

    r' = r + (k - 1) j        pixels that a unit of the next layer sees, in each direction
    j' = j · stride           pixels from the field of one unit to that of its neighbour
    a' = a - padding · j      the first pixel of unit 0, negative in the padding

An image itself has r = j = 1 and a = 0. Nothing is learnt here: small kernels and pooling make sure
that higher layers see larger parts (V2 69-75). Which larger parts they answer to is learnt:
`strongest` finds them (Zeiler & Fergus 2014, figure 2).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...core.nn import Module


class Field(NamedTuple):
    """Unit i of a layer sees the pixels start + i·jump to start + i·jump + size - 1."""

    size: int = 1
    jump: int = 1
    start: int = 0


def fields(layers: Iterable[Module]) -> list[Field]:
    """The field of a unit after each layer; layers without a window keep that of the one before.

    Windows, strides and paddings have to be the same in both directions, without dilation.

    >>> from glassgrad.core import nn
    >>> from glassgrad import Generator
    >>> conv = nn.Conv2d(1, 1, 5, padding=2, rng=Generator(0))
    >>> [tuple(field) for field in fields([conv, nn.ReLU(), nn.MaxPool2d(2), conv])]
    [(5, 1, -2), (5, 1, -2), (6, 2, -2), (14, 2, -6)]
    """
    found, field = [], Field()
    for layer in layers:
        if (k := _square(getattr(layer, "kernel_size", None))) is None:
            weight = getattr(layer, "weight", None)  # a convolution; a norm's has one axis
            k = weight.shape[-1] if weight is not None and weight.ndim == 4 else None
        if k is not None:
            stride = _square(layer.stride)
            field = Field(
                field.size + (k - 1) * field.jump,
                field.jump * (k if stride is None else stride),
                field.start - _square(layer.padding) * field.jump,
            )
        found.append(field)
    return found


def _square(size) -> int | None:
    return size[0] if isinstance(size, tuple) else size


def strongest(maps: np.ndarray, count: int) -> np.ndarray:
    """Where each of C maps is largest: (image, row, column) int64 [C, count, 3], from [N, C, H, W].

    The places are of different images, the strongest first.

    >>> maps = np.array([[[[0.0, 2.0]]], [[[3.0, 1.0]]]])
    >>> strongest(maps, 2).tolist()
    [[[1, 0, 0], [0, 0, 1]]]
    """
    n, c, _, width = maps.shape
    flat = maps.reshape(n, c, -1)
    images = np.argsort(-flat.max(axis=2), axis=0, kind="stable")[:count].T  # [C, count]
    place = flat.argmax(axis=2)[images, np.arange(c)[:, None]]
    return np.stack([images, place // width, place % width], axis=2)


def patch(image: np.ndarray, field: Field, row: int, column: int, fill: float = 0.0) -> np.ndarray:
    """The pixels [C, size, size] that a unit sees of an image [C, H, W]; outside it is `fill`.

    >>> patch(np.arange(4.0).reshape(1, 2, 2), Field(3, 1, -1), 0, 0).tolist()
    [[[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 2.0, 3.0]]]
    """
    _, height, width = image.shape
    rows, columns = (field.start + at * field.jump for at in (row, column))
    found = np.full((len(image), field.size, field.size), fill, image.dtype)
    a, b = max(rows, 0), min(rows + field.size, height)
    c, d = max(columns, 0), min(columns + field.size, width)
    found[:, a - rows : b - rows, c - columns : d - columns] = image[:, a:b, c:d]
    return found
