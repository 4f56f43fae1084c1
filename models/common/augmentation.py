"""Training images changed at random in ways that keep their class: cropped and mirrored.

    crop    an image gets a frame of that many zeros, and a window of its old size is cut out of it
            at one of (2 crop + 1)² places
    flip    left and right change places in half of the cases. A ship stays a ship; most digits do
            not stay digits

A set of N images then acts as one of 2 (2 crop + 1)² N, whose members depend on each other. A new
change is drawn for each image in each epoch (Krizhevsky, Sutskever & Hinton 2012, section 4.1: of
256 x 256 pixels they keep 224 x 224, and do not pad).

What happens to an image in an epoch depends on (seed, epoch, number of the image) alone: neither on
the size of the minibatches nor on where a training was resumed.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...core.data import Split, minibatches
from ...core.random import Generator
from .shifts import cropped


class Changes(NamedTuple):
    """What happens to each of N images: where its window begins, and if it is mirrored; [N]."""

    top: np.ndarray
    left: np.ndarray
    mirrored: np.ndarray

    def of(self, rows: np.ndarray) -> "Changes":
        """Those of the images with these numbers."""
        return Changes(*(a[rows] for a in self))


def drawn(n: int, crop: int, flip: bool, seed: int, epoch: int) -> Changes:
    """The changes of n images in an epoch.

    >>> changes = drawn(5, 1, True, seed=0, epoch=2)
    >>> all(a[0] == b[3] for a, b in zip(changes.of(np.array([3])), changes))
    True
    """
    rng = Generator(seed).child("augmentation", epoch)
    top, left = (rng.child(axis).integers(2 * crop + 1, n) for axis in ("top", "left"))
    return Changes(top, left, flip & (rng.child("mirrored").integers(2, n) == 1))


def changed(x: np.ndarray, crop: int, changes: Changes) -> np.ndarray:
    """Copies of images x [N, C, H, W]: cropped out of their frame of `crop` zeros, then mirrored.

    >>> at, yes = np.array([1]), np.array([True])
    >>> changed(np.arange(3.0).reshape(1, 1, 1, 3), 1, Changes(at, at, yes)).ravel().tolist()
    [2.0, 1.0, 0.0]
    """
    y = cropped(x, crop, changes.top, changes.left)
    y[changes.mirrored] = y[changes.mirrored][..., ::-1]
    return y


def augmented(
    split: Split, size: int, crop: int, flip: bool, seed: int, epoch: int, start: int = 0
) -> Iterator[Split]:
    """The minibatches of an epoch as `minibatches` has them, their images changed."""
    changes = drawn(len(split), crop, flip, seed, epoch)
    numbers = Split(np.arange(len(split)))
    for part in minibatches(numbers, size, seed=seed, epoch=epoch, start=start):
        found = split[part.x]
        yield Split(changed(found.x, crop, changes.of(part.x)), found.y)


def views(x: np.ndarray, crop: int, flip: bool) -> Iterator[np.ndarray]:
    """Images x [N, C, H, W] as a trained net is to see them: the middle window and the corners.

    With `flip` each of them is followed by its mirror image. Without a crop there is one window.

    >>> [v.ravel().tolist() for v in views(np.arange(2.0).reshape(1, 1, 1, 2), 0, True)]
    [[0.0, 1.0], [1.0, 0.0]]
    """
    corners = [(i, j) for i in (0, 2 * crop) for j in (0, 2 * crop)] if crop else []
    for top, left in [(crop, crop), *corners]:
        y = cropped(x, crop, np.full(len(x), top), np.full(len(x), left))
        yield y
        if flip:
            yield np.ascontiguousarray(y[..., ::-1])
