"""Images moved by a few pixels: augmentation that keeps the class."""

import numpy as np


def shifted(x: np.ndarray, by: int, rng) -> np.ndarray:
    """Each image of x [N, C, H, W] moved by up to `by` pixels down and right, or up and left.

    What comes in from outside is 0.

    >>> from glassgrad import Generator
    >>> shifted(np.ones((1, 1, 3, 3)), 0, Generator(0)).sum()
    np.float64(9.0)
    """
    top, left = rng.integers(2 * by + 1, 2 * len(x)).reshape(2, -1)
    return cropped(x, by, top, left)


def cropped(x: np.ndarray, by: int, top: np.ndarray, left: np.ndarray) -> np.ndarray:
    """A window of the size of each image x [N, C, H, W], cut out of it with a frame of `by` zeros.

    top, left  [N] where each window begins in the framed image, 0 to 2 by; `by` is the middle

    >>> cropped(np.arange(4.0).reshape(1, 1, 2, 2), 1, np.array([0]), np.array([1])).tolist()
    [[[[0.0, 0.0], [0.0, 1.0]]]]
    """
    height, width = x.shape[2:]
    frame = np.pad(x, ((0, 0), (0, 0), (by, by), (by, by)))
    windows = np.lib.stride_tricks.sliding_window_view(frame, (height, width), axis=(2, 3))
    return np.ascontiguousarray(windows[np.arange(len(x)), :, top, left])
