"""The distance by scale, on images whose verdict is known; the set of patches that it judges."""

import numpy as np
import pytest

from glassgrad.core.data import load
from glassgrad.core.data.files import DataError
from glassgrad.kernels.errors import ShapeError
from glassgrad.models.adversarial import dcgan_judging as judging
from glassgrad.models.adversarial.distances import sliced_w1

RNG = np.random.default_rng(0)
KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def blurred(image):
    """k ∗ image with mirrored borders, by loops."""
    padded, found = np.pad(image, 2, mode="reflect"), np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            found[i, j] = (padded[i : i + 5, j : j + 5] * KERNEL).sum()
    return found


def test_a_level_is_what_the_next_one_lacks():
    x = RNG.random((2, 3, 16, 14))
    fine, coarse = judging.pyramid(x)
    for n in range(2):
        for c in range(3):
            np.testing.assert_allclose(coarse[n, c], blurred(x[n, c])[::2, ::2], rtol=1e-12)
            wide = np.zeros((16, 14))
            wide[::2, ::2] = coarse[n, c]
            np.testing.assert_allclose(fine[n, c], x[n, c] - 4 * blurred(wide), atol=1e-12)
    assert [p.shape[2] for p in judging.pyramid(RNG.random((1, 1, 32, 32)))] == [32, 16, 8]
    assert len(judging.pyramid(RNG.random((1, 1, 8, 8)))) == 1
    with pytest.raises(ShapeError, match="x must be images"):
        judging.pyramid(RNG.random((4, 9)))


def test_windows_are_parts_of_their_image():
    x = RNG.random((5, 2, 9, 8))
    found = judging.windows(x)
    assert found.shape == (20, 2, 49)
    for i, window in enumerate(found):
        places = [
            np.array_equal(x[i // 4, :, a : a + 7, b : b + 7].reshape(2, 49), window)
            for a in range(3)
            for b in range(2)
        ]
        assert sum(places) == 1


def test_the_distance_sees_what_moments_do_not():
    """Stripes and noise of the same mean and covariance, and a grid on top of the images."""
    phase = RNG.integers(4, size=(600, 2))
    at = np.arange(16)
    stripes = ((at[None, :, None] + at[None, None, :] + phase[:, :1, None]) // 2 % 2) * 1.0
    x = 0.25 + 0.5 * stripes[:, None] * np.ones((1, 1, 16, 16))
    a, b = x[:300], x[300:]
    normal = judging.normal_like(a, 300)
    same, other = np.mean(judging.swd(a, b)), np.mean(judging.swd(a, normal))
    assert np.mean(judging.swd(a, a)) == 0 and other > 3 * same
    grid = b + 0.1 * (at % 2)
    assert judging.swd(a, grid)[0] > 3 * judging.swd(a, b)[0]
    # one level: exactly the sliced distance of standardised windows
    small, more = RNG.random((9, 1, 7, 7)), RNG.random((9, 1, 7, 7))
    mean, spread = small.mean(), small.std()
    rows = [np.repeat((p.reshape(9, 49) - mean) / spread, 4, axis=0) for p in (small, more)]
    assert judging.swd(small, more) == pytest.approx([sliced_w1(*rows)])


def test_normal_samples_have_the_moments():
    x = 0.5 + 0.05 * RNG.standard_normal((500, 1, 2, 2)) @ [[1, 0.5], [0, 1]]
    made = judging.normal_like(x, 20_000).reshape(-1, 4)
    rows = x.reshape(-1, 4)
    np.testing.assert_allclose(made.mean(axis=0), rows.mean(axis=0), atol=0.002)
    np.testing.assert_allclose(np.cov(made.T), np.cov(rows.T), atol=2e-4)


def test_patches_of_two_photographs_share_no_pixel():
    d = load("photographs", patch=5, shrink=3, count=200, seed=2)
    whole = {k: load(k, count=10).info.extra["image"] for k in ("china", "flower")}
    seen = {}
    for name, split in d.splits():
        assert split.y.tolist() == [0, 1] * (len(split) // 2)
        for patch, y in zip(split.x, split.y):
            image = whole[d.info.classes[y]][:, :426, :639]
            image = image.reshape(3, 142, 3, 213, 3).mean(axis=(2, 4), dtype=np.float32)
            view = np.lib.stride_tricks.sliding_window_view(image, (5, 5), axis=(1, 2))
            near = np.abs(view[:, :, :, 2, 2] - patch[:, None, None, 2, 2]).max(axis=0) < 1e-5
            fits = np.abs(view[:, near] - patch[:, None]).max(axis=(0, 2, 3)) < 1e-5
            found = np.argwhere(near)[fits]
            assert len(found) >= 1
            top, left = found[0]
            if len(found) == 1:
                seen.setdefault(name, set()).update(
                    (int(y), int(top + i), int(left + j)) for i in range(5) for j in range(5)
                )
    assert len(seen) == 3
    assert not seen["train"] & seen["valid"] and not seen["train"] & seen["test"]
    assert not seen["valid"] & seen["test"]
    with pytest.raises(DataError, match="patch must be from 1 to 14; got 15"):
        load("photographs", patch=15, shrink=3)
    assert [len(s) for _, s in d.splits()] == [160, 20, 20] and d.train.x.shape[1:] == (3, 5, 5)
