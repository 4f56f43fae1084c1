"""A frozen network and a new classifier; vectors of images compared by their neighbours."""

import dataclasses

import numpy as np
import pytest

from glassgrad import models, training
from glassgrad.core.data import DataError, available, files
from glassgrad.models.common.neighbours import nearest, precision_at, vote
from glassgrad.models.regimes.vectors import enlarged

needs_weights = pytest.mark.skipif(
    available("efficientnet_lite0") is None, reason="the weights do not ship"
)


def test_neighbours_are_those_of_all_distances():
    rng = np.random.default_rng(0)
    queries, x = rng.standard_normal((300, 4)) + 1e3, rng.standard_normal((40, 4)) + 1e3
    distance = ((queries[:, None] - x[None]) ** 2).sum(axis=2)
    assert (nearest(queries, x, 5) == np.argsort(distance, axis=1, kind="stable")[:, :5]).all()


def test_votes_and_precision():
    labels, near = np.array([0, 1, 1, 2]), np.array([[3, 1, 2], [0, 3, 1]])
    assert vote(near, labels).tolist() == [1, 0]  # the commonest; of equals that of the nearest
    assert precision_at(near, np.array([1, 1]), labels) == pytest.approx(0.5)


def test_enlarged_images():
    grey, colour = np.zeros((1, 1, 8, 8), np.float32), np.zeros((1, 3, 8, 8), np.float32)
    grey[0, 0, :4] = 1
    colour[0, 1] = 1
    large = enlarged(grey, 32)
    assert large.shape == (1, 3, 32, 32) and (large[0, 0] == large[0, 2]).all()
    assert large[0, 0, :8].min() > 0.9 and large[0, 0, -8:].max() < 0.1
    assert (enlarged(colour, 16)[0, 1] == 1).all() and (enlarged(colour, 16)[0, 0] == 0).all()


def test_without_the_weights_it_says_so_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "REPOSITORY", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("GLASSGRAD_DATA", raising=False)
    with pytest.raises(DataError, match="efficientnet_lite0"):
        training.train(models.recipe("efficientnet"), overrides={"epochs": 1})


@needs_weights
@pytest.mark.slow
def test_the_frozen_network_beats_random_weights():
    """Judged on digits, 8 x 8, enlarged to 64: far from any photograph. Baseline: random f."""
    recipe = models.recipe("efficientnet")
    figures = {
        how: training.train(recipe, overrides={"vectors": how}).test_figures["accuracy"]
        for how in ("trained", "random")
    }
    assert figures["trained"] > 0.9 and figures["trained"] > figures["random"] + 0.05, figures


@needs_weights
@pytest.mark.slow
def test_the_spaces_are_compared_and_drawn():
    recipe = models.recipe("vectoriser")
    done = training.train(recipe, overrides={"epochs": 2, "side": 32})
    found = done.test_figures
    assert {f"precision_{s}" for s in ("network", "scratch", "pixels")} <= set(found)
    assert all(0.1 < found[k] <= 1 for k in found if k.startswith("precision"))
    few = dataclasses.replace(done.data, test=done.data.test[:6])
    assert len(recipe.figures(done.system, few, done.settings)) == 3
