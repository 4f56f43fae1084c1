"""How good are patches without classes? The sliced Wasserstein distance of a pyramid's details.

A generator of textures may have all colours right and no edge, or edges and a grid on top of them.
So images are compared scale by scale (Karras et al. 2018, section 5) ::

    x_0 = x,  x_{l+1} = every second pixel of k ∗ x_l        k = (1 4 6 4 1)ᵀ(1 4 6 4 1)/256
    level l   x_l - (x_{l+1} enlarged)                       details of one scale; the last is x_L
    swd       sliced W1 of windows of 7 x 7 pixels of a level, in units of its deviation

`pyramid` adds up to the image again (Burt & Adelson 1983). Windows are taken at 4 places of each
image, always the same; each channel of a level has the mean and the deviation of the real images
taken off, so that a wrong contrast counts. (The authors use those of each set, and 128 windows of
larger images.) The distance is that of distances.py, 128 directions.

What it is compared with: `normal_like`, samples of a normal distribution with the mean and the
covariance of the training set, cut to [0, 1]. All of its second-order statistics, and so its
spectrum, are those of the data; it lacks edges, and flat places next to rough ones. No real patches
have the distance 0: those of the training set from held-out ones is the least that can be expected.
"""

from itertools import pairwise

import numpy as np

from ...kernels.errors import ShapeError, expect
from .distances import sliced_w1

TAPS = np.array([1, 4, 6, 4, 1]) / 16
SIDE = 7  # of a window
WINDOWS = 4  # of an image


def _filtered(x, taps):
    from scipy.ndimage import correlate1d

    for axis in (2, 3):
        x = correlate1d(x, taps, axis=axis, mode="mirror")
    return x


def smaller(x: np.ndarray) -> np.ndarray:
    """Every second pixel of the blurred images: [N, C, H, W] -> [N, C, ⌈H/2⌉, ⌈W/2⌉]."""
    return _filtered(x, TAPS)[:, :, ::2, ::2]


def larger(x: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Images with zeros between their pixels, blurred: [N, C, h, w] -> [N, C, *shape].

    >>> larger(np.ones((1, 1, 2, 2)), (4, 4)).round(2).min()  # the blur keeps a mean
    np.float64(1.0)
    """
    found = np.zeros((*x.shape[:2], *shape), x.dtype)
    found[:, :, ::2, ::2] = x
    return _filtered(found, 2 * TAPS)


def pyramid(x: np.ndarray) -> list[np.ndarray]:
    """The levels of images [N, C, H, W], finest first; the last is a small image."""
    expect(x.ndim == 4, "pyramid", "x must be images", "[N, C, H, W]", x.shape, ShapeError)
    images = [np.asarray(x, np.float64)]
    while min(images[-1].shape[2:]) >= 2 * SIDE:
        images.append(smaller(images[-1]))
    details = [a - larger(b, a.shape[2:]) for a, b in pairwise(images)]
    return [*details, images[-1]]


def windows(level: np.ndarray) -> np.ndarray:
    """Windows of 7 x 7 pixels (less of smaller images) at fixed places: [N · 4, C, pixels]."""
    n, c, *size = level.shape
    side = min(SIDE, *size)
    rng = np.random.default_rng(0)
    at = (rng.integers(length - side + 1, size=(n, WINDOWS)) for length in size)
    views = np.lib.stride_tricks.sliding_window_view(level, (side, side), axis=(2, 3))
    return views[np.arange(n)[:, None], :, *at].reshape(n * WINDOWS, c, side * side)


def swd(real: np.ndarray, made: np.ndarray) -> list[float]:
    """The distance on each level, finest first, of images [N, C, H, W] and [M, C, H, W].

    >>> x = np.random.default_rng(0).random((9, 1, 16, 16))
    >>> len(swd(x, x)), swd(x, x)[0], swd(x, 0 * x)[0] > 0.5
    (2, 0.0, True)
    """
    found = []
    for levels in zip(pyramid(real), pyramid(made)):
        a, b = map(windows, levels)
        mean, spread = a.mean(axis=(0, 2), keepdims=True), a.std(axis=(0, 2), keepdims=True)
        spread = np.where(spread > 0, spread, 1)
        a, b = (((w - mean) / spread).reshape(len(w), -1) for w in (a, b))
        found.append(sliced_w1(a, b))
    return found


def normal_like(x: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """n samples of a normal distribution with the moments of images x, cut to [0, 1].

    >>> normal_like(np.random.default_rng(0).random((50, 1, 2, 2)), 3).shape
    (3, 1, 2, 2)
    """
    rows, rng = x.reshape(len(x), -1).astype(np.float64), np.random.default_rng(seed)
    covariance = np.atleast_2d(np.cov(rows.T))
    made = rng.multivariate_normal(rows.mean(axis=0), covariance, size=n, method="eigh")
    return made.clip(0, 1).reshape(n, *x.shape[1:])
