import numpy as np

from .distances import sliced_w1

TAPS = np.array([1, 4, 6, 4, 1]) / 16
SIDE = 7


def down(x):
    from scipy.ndimage import correlate1d
    for axis in (2, 3):
        x = correlate1d(x, TAPS, axis=axis, mode="mirror")
    return x[:, :, ::2, ::2]


def up(x, shape):
    from scipy.ndimage import correlate1d
    y = np.zeros((*x.shape[:2], *shape), x.dtype)
    y[:, :, ::2, ::2] = x
    for axis in (2, 3):
        y = correlate1d(y, 2 * TAPS, axis=axis, mode="mirror")
    return y


def pyramid(x):
    found = []
    while min(x.shape[2:]) >= 2 * SIDE:
        low = down(x)
        found.append(x - up(low, x.shape[2:]))
        x = low
    return [*found, x]


def descriptors(level, each=4):
    n, c, h, w = level.shape
    side = min(SIDE, h, w)
    rng = np.random.default_rng(0)
    top, left = rng.integers(h - side + 1, size=(n, each)), rng.integers(w - side + 1, size=(n, each))
    win = np.lib.stride_tricks.sliding_window_view(level, (side, side), axis=(2, 3))
    return win[np.arange(n)[:, None], :, top, left].reshape(n * each, c, side * side)


def swd(real, made):
    found = []
    for a, b in zip(pyramid(real), pyramid(made)):
        a, b = descriptors(a), descriptors(b)
        mean, std = a.mean(axis=(0, 2), keepdims=True), a.std(axis=(0, 2), keepdims=True)
        a, b = (((d - mean) / std).reshape(len(d), -1) for d in (a, b))
        found.append(sliced_w1(a, b))
    return found


def normal_like(x, n, rng):
    rows = x.reshape(len(x), -1).astype(np.float64)
    made = rng.multivariate_normal(rows.mean(axis=0), np.cov(rows.T), size=n, method="eigh")
    return made.clip(0, 1).reshape(n, *x.shape[1:])
