"""Augmentation: what is drawn for whom, and what it does to an image, pixel by pixel."""

import numpy as np
import pytest

from glassgrad.core.data import Split, minibatches
from glassgrad.models.common.augmentation import Changes, augmented, changed, drawn, views

X = np.random.default_rng(0).random((7, 2, 4, 5)).astype(np.float32)
SPLIT = Split(X, np.arange(7))


def by_hand(image, by, top, left, mirrored):
    """Pixel (i, j) of the window is pixel (i + top - by, j + left - by) of the image, or 0."""
    height, width = image.shape[1:]
    out = np.zeros_like(image)
    for c, i, j in np.ndindex(image.shape):
        column = width - 1 - j if mirrored else j
        row, column = i + top - by, column + left - by
        if 0 <= row < height and 0 <= column < width:
            out[c, i, j] = image[c, row, column]
    return out


@pytest.mark.parametrize("crop", [0, 1, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_an_image_is_cropped_out_of_its_frame_and_mirrored(crop, flip):
    changes = drawn(len(X), crop, flip, seed=4, epoch=2)
    found = changed(X, crop, changes)
    assert found.dtype == X.dtype and found.flags.c_contiguous
    for image, y, *one in zip(X, found, *changes):
        assert np.array_equal(y, by_hand(image, crop, *one))


def test_nothing_is_done_to_the_images_themselves():
    kept = X.copy()
    changed(X, 1, drawn(len(X), 1, True, 0, 0))
    list(augmented(SPLIT, 3, 1, True, 0, 0))
    assert np.array_equal(X, kept)
    same = changed(X, 0, Changes(*np.zeros((2, 7), int), np.zeros(7, bool)))
    assert np.array_equal(same, X) and not np.shares_memory(same, X)


def test_places_and_mirrors_are_drawn_evenly_and_independently():
    top, left, mirrored = drawn(30_000, 2, True, seed=1, epoch=0)
    counts = np.zeros((5, 5, 2))
    np.add.at(counts, (top, left, mirrored.astype(int)), 1)
    expected = 30_000 / counts.size
    chi2 = ((counts - expected) ** 2 / expected).sum()  # 49 degrees of freedom: 0.1 % above 85.4
    assert chi2 < 85.4
    assert not drawn(1000, 2, False, seed=1, epoch=0).mirrored.any()


@pytest.mark.parametrize("size", [1, 3, 7])
def test_what_happens_to_an_image_depends_on_seed_epoch_and_image_alone(size):
    def by_label(**changes):
        asked = {"size": size, "crop": 2, "flip": True, "seed": 3, "epoch": 1, **changes}
        return {int(k): x for part in augmented(SPLIT, **asked) for x, k in zip(part.x, part.y)}

    found, whole = by_label(), by_label(size=7)
    assert found.keys() == whole.keys() == set(range(7))
    assert all(np.array_equal(found[k], whole[k]) for k in whole)
    for other in ({"seed": 4}, {"epoch": 2}):
        assert not all(np.array_equal(by_label(**other)[k], whole[k]) for k in whole)


def test_an_epoch_goes_on_where_it_stopped_in_the_order_of_minibatches():
    whole = list(augmented(SPLIT, 2, 1, True, seed=5, epoch=3))
    rest = list(augmented(SPLIT, 2, 1, True, seed=5, epoch=3, start=2))
    assert len(whole) == 4 and len(rest) == 2
    assert all(np.array_equal(a.x, b.x) for a, b in zip(rest, whole[2:]))
    plain = minibatches(SPLIT, 2, seed=5, epoch=3)
    assert [p.y.tolist() for p in plain] == [p.y.tolist() for p in whole]


def test_views_are_the_middle_the_corners_and_their_mirror_images():
    found = list(views(X, 1, True))
    assert len(found) == 10
    for k, (top, left) in enumerate([(1, 1), (0, 0), (0, 2), (2, 0), (2, 2)]):
        for image, plain, mirrored in zip(X, found[2 * k], found[2 * k + 1]):
            assert np.array_equal(plain, by_hand(image, 1, top, left, False))
            assert np.array_equal(mirrored, by_hand(image, 1, top, left, True))
    assert [np.array_equal(v, X) for v in views(X, 0, False)] == [True]
