"""Histograms of gradients: the formulas as loops, what they do not see, and the recipe."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.settings import SettingError
from glassgrad.models.convolutional import gradient_histograms, hog
from glassgrad.models.convolutional.gradient_histograms import blocks, cells, features, gradients
from tests.tools import assert_close

RECIPE = models.recipe("hog")
X = np.random.default_rng(0).random((3, 2, 7, 9))


def gradient_at(image, i, j):
    """(‖g‖, angle in degrees modulo 180) at a pixel, of the channel with the largest ‖g‖."""
    _, height, width = image.shape
    best = (-1.0, 0.0)
    for plane in image:
        across = plane[i, min(j + 1, width - 1)] - plane[i, max(j - 1, 0)]
        down = plane[min(i + 1, height - 1), j] - plane[max(i - 1, 0), j]
        best = max(best, (math.hypot(across, down), math.degrees(math.atan2(down, across)) % 180),
                   key=lambda found: found[0])  # fmt: skip
    return best


def cells_by_hand(image, cell, bins):
    _, height, width = image.shape
    found = np.zeros((height // cell, width // cell, bins))
    for i in range(height // cell * cell):
        for j in range(width // cell * cell):
            length, angle = gradient_at(image, i, j)
            for b in range(bins):  # a centre every 180/bins degrees, on a circle of 180
                apart = abs(angle - 180 * b / bins)
                apart = min(apart, 180 - apart)
                share = max(0.0, 1 - apart / (180 / bins))
                found[i // cell, j // cell, b] += length * share
    return found


def vector_by_hand(image, cell, bins):
    h, found = cells_by_hand(image, cell, bins), []
    for i in range(h.shape[0] - 1):
        for j in range(h.shape[1] - 1):
            v = np.concatenate([h[i, j], h[i, j + 1], h[i + 1, j], h[i + 1, j + 1]])
            v = v / math.sqrt((v**2).sum() + 1e-4)
            v = np.minimum(v, 0.2)
            found.append(v / math.sqrt((v**2).sum() + 1e-4))
    return np.concatenate(found)


@pytest.mark.parametrize(("cell", "bins"), [(2, 9), (3, 4), (1, 2)])
def test_cells_and_vectors_are_the_formulas(cell, bins):
    assert_close(cells(X, cell, bins), np.stack([cells_by_hand(x, cell, bins) for x in X]),
                 rtol=1e-10)  # fmt: skip
    found = features(X, cell, bins)
    assert_close(found, np.stack([vector_by_hand(x, cell, bins) for x in X]), rtol=1e-10)
    assert found.shape == (3, 4 * bins * (7 // cell - 1) * (9 // cell - 1))


def test_a_cell_has_all_the_gradient_of_its_pixels():
    length, angle = gradients(X)
    assert ((angle >= 0) & (angle < 1)).all()
    total = length[:, :6, :8].reshape(3, 3, 2, 4, 2).sum(axis=(2, 4))
    assert_close(cells(X, 2, 9).sum(axis=3), total, rtol=1e-12)


def test_light_contrast_and_direction_of_an_edge_do_not_count():
    x = X[:, :1]
    plain = features(x, 2, 8)
    for other in (0.5 * x + 0.4, 1 - x):
        assert_close(features(other, 2, 8), plain, rtol=2e-3)
    turned = np.rot90(cells(x[:, :, :6, :6], 2, 8), axes=(1, 2))
    inner = cells(np.rot90(x[:, :, :6, :6], axes=(2, 3)), 2, 8)
    assert_close(inner, np.roll(turned, 4, axis=3), rtol=1e-10)  # by 90 of 180 degrees


def test_an_image_without_edges_is_nothing_and_large_sets_go_in_pieces(monkeypatch):
    assert not features(np.ones((2, 3, 4, 4), np.float32), 2, 9).any()
    assert blocks(np.zeros((1, 2, 2, 3), np.float32)).dtype == np.float32
    whole = features(X, 2, 9)
    monkeypatch.setattr(gradient_histograms, "PIECE", 2)
    assert np.array_equal(features(X, 2, 9), whole)


def test_prepare_keeps_the_images_and_refuses_small_ones():
    data = load("digits")
    s = RECIPE.resolve("digits")
    found = RECIPE.prepare(data, s)
    assert found.test.x.shape == (300, 4 * 9 * 9) and found.info.kind == "table"
    assert_close(found.test.x[5], vector_by_hand(data.test.x[5].astype(float), 2, 9),
                 rtol=1e-4)  # fmt: skip
    assert found.info.extra["images"]["test"] is data.test
    y = np.array([0, 1])
    for x in (np.zeros((2, 1, 3, 8)), np.zeros((2, 8))):
        with pytest.raises(SettingError, match="blocks of 2 x 2 cells take images"):
            hog.prepare(DataSet("small", Split(x, y)), s)


def test_the_objective_passes_the_gradient_check():
    f, arrays = hog.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_the_probabilities_are_those_of_scikit_learn():
    """The same objective on the same vectors: scikit-learn's C is 1/(λN)."""
    from sklearn.linear_model import LogisticRegression

    data = load("digits")
    done = training.train(RECIPE, overrides={"l2": 1e-3, "epochs": 25})
    x = features(data.train.x, 2, 9)
    theirs = LogisticRegression(C=1 / (1e-3 * len(x)), max_iter=500).fit(x, data.train.y)
    p = done.system.probabilities(features(data.test.x, 2, 9))
    assert abs(p - theirs.predict_proba(features(data.test.x, 2, 9))).max() < 0.05
    made = RECIPE.figures(done.system, done.data, done.settings)
    assert set(made) == {"histograms", "confusion", "mistakes"}
