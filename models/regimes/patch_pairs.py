"""Pairs of patches of one image, and what is taken from them so that they give nothing away."""

import numpy as np

# place k of the second patch: steps down and to the right from the first
PLACES = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
AXIS = np.array([-1.0, 2.0, -1.0])  # green against magenta


def cut(x: np.ndarray, top: np.ndarray, left: np.ndarray, patch: int) -> np.ndarray:
    """The patch [C, p, p] of each image of x [N, C, H, W] whose corner is there: [N, C, p, p].

    >>> cut(np.arange(9.0).reshape(1, 1, 3, 3), np.array([1]), np.array([0]), 2).ravel().tolist()
    [3.0, 4.0, 6.0, 7.0]
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, (patch, patch), axis=(2, 3))
    return windows[np.arange(len(x)), :, top, left]


def pairs(x: np.ndarray, places: np.ndarray, patch: int, gap: int, jitter: int, rng) -> np.ndarray:
    """Pairs [N, 2, C, p, p] of images x [N, C, H, W]: a patch, and the one at its place [N].

    The first is anywhere where all eight places around it are inside the image, the second p + gap
    away; then both move by up to `jitter` in each direction.
    """
    n, step = len(x), patch + gap
    room = [size - 3 * patch - 2 * gap - 2 * jitter + 1 for size in x.shape[2:]]
    corner = np.stack([rng.integers(r, n) for r in room], axis=1) + step + jitter
    move = rng.integers(2 * jitter + 1, 4 * n).reshape(2, n, 2) - jitter
    first, second = corner + move[0], corner + step * np.array(PLACES)[places] + move[1]
    return np.stack([cut(x, *at.T, patch) for at in (first, second)], axis=1)


def patches(x: np.ndarray, patch: int) -> np.ndarray:
    """The 3 x 3 patches of each image of x [N, C, H, W], evenly spread: [N, 9, C, p, p]."""
    tops, lefts = (np.round(np.linspace(0, size - patch, 3)).astype(int) for size in x.shape[2:])
    return np.stack([x[:, :, t : t + patch, a : a + patch] for t in tops for a in lefts], axis=1)


def without_shortcuts(x: np.ndarray, colour: str, rng) -> np.ndarray:
    """Patches x [N, M, C, p, p] without what colours say of their place; "keep" leaves them.

    "drop" keeps one of the three channels of each patch; the others become its mean with normal
    noise of a hundredth of its deviation. "projection" takes from each colour c its part along
    a = (-1, 2, -1): c - a⟨a, c⟩/⟨a, a⟩.

    >>> x = np.array([0.0, 1.0, 0.0]).reshape(1, 1, 3, 1, 1)
    >>> without_shortcuts(x, "projection", None).ravel().round(3).tolist()
    [0.333, 0.333, 0.333]
    """
    if colour == "keep":
        return x
    if colour == "projection":
        b = np.eye(3) - np.outer(AXIS, AXIS) / (AXIS @ AXIS)
        return np.einsum("dc,nmchw->nmdhw", b, x).astype(x.dtype)
    n, m, c = x.shape[:3]
    kept = rng.integers(c, n * m).reshape(n, m, 1)
    own = np.take_along_axis(x, kept[..., None, None], axis=2)
    deviation = own.std(axis=(2, 3, 4), keepdims=True)
    noise = rng.normal(x.shape).astype(x.dtype) * deviation / 100
    mean = own.mean(axis=(2, 3, 4), keepdims=True)
    stays = (np.arange(c) == kept)[..., None, None]
    return np.where(stays, x, mean + noise).astype(x.dtype)
