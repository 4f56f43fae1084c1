"""What a map distorts, against scikit-learn and loops from the definition; the two pictures."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.loop import fit
from glassgrad.kernels.errors import ValueRangeError
from glassgrad.models.competitive import som, som_subjective
from glassgrad.models.competitive.distortion import distortions, of_map


def test_without_ties_it_is_scikit_learns():
    from sklearn.manifold import trustworthiness

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 5)), rng.standard_normal((40, 2))
    false, torn = distortions(cdist(x, x), cdist(y, y), 6)
    assert 1 - false.mean() == pytest.approx(trustworthiness(x, y, n_neighbors=6), abs=1e-12)
    assert 1 - torn.mean() == pytest.approx(trustworthiness(y, x, n_neighbors=6), abs=1e-12)
    assert 0.3 < 1 - false.mean() < 0.7  # unrelated: about a half


def by_loops(data, on_map, k):
    """The definition of distortion.py, sample by sample, ties in favour of the map."""
    n, found = len(data), []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        truth = sorted(others, key=lambda j: (data[i, j], j))
        shown = sorted(others, key=lambda j: (on_map[i, j], data[i, j], j))
        r, s = ({j: 1 + place for place, j in enumerate(order)} for order in (truth, shown))
        false = sum(r[j] - k for j in others if s[j] <= k and r[j] > k)
        torn = sum(s[j] - k for j in others if r[j] <= k and s[j] > k)
        found.append((false, torn))
    return 2 / (k * (2 * n - 3 * k - 1)) * np.array(found).T


@pytest.mark.parametrize("k", [1, 4, 11])
def test_with_ties_it_is_the_definition(k):
    rng = np.random.default_rng(k)
    x, nodes = rng.integers(0, 3, (24, 3)).astype(float), rng.integers(0, 4, (24, 2)).astype(float)
    data, on_map = cdist(x, x), cdist(nodes, nodes)
    assert np.allclose(distortions(data, on_map, k), by_loops(data, on_map, k), atol=1e-12)


def test_the_worst_map_has_nought():
    line = np.abs(np.subtract.outer(np.arange(9.0), np.arange(9.0)))
    far = np.where(line > 0, line.max() + 1 - line, 0)  # the farthest is the nearest
    false, torn = distortions(line, far, 2)
    assert false.mean() > 0.8 and torn.mean() > 0.8
    with pytest.raises(ValueRangeError, match="1 <= k <= 4"):
        distortions(line, far, 5)


def test_a_trained_map_distorts_less_than_a_shuffled_one():
    recipe = models.recipe("som")
    s = recipe.resolve("digits").changed(epochs=2, rows=6, columns=6)
    data = recipe.prepare(load("digits"), s)
    m = som.SOM(data.train.x, s, gg.Generator(0))
    fit(m, data, s)
    kept = of_map(m, data.train.x[:200], 10)
    m.w.assign(m.w.numpy()[np.random.default_rng(0).permutation(36)])
    lost = of_map(m, data.train.x[:200], 10)
    assert all(2 * k.mean() < gone.mean() for k, gone in zip(kept, lost))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("digits", {"form": "batch"}),
        ("iris", {"init": "pca", "torus": True}),
        ("diabetes", {"neighbours": 300, "radius": 0.0}),  # quantities, not classes
    ],
)
def test_pictures_of_maps_side_by_side(name, changes):
    recipe = models.recipe("som")
    s = recipe.resolve(name).changed(epochs=1, rows=4, columns=5, **changes)
    data = recipe.prepare(load(name), s)
    m = som.SOM(data.train.x, s, gg.Generator(0))
    captions = list(som_subjective.variants(s, 4))
    assert ("other draws of samples" in captions) == (s.form == "online")
    assert ("another random start" in captions) == (s.init != "pca")
    found = som_subjective.figures(m, data, s)
    assert list(found) == ["subjective", "distortion"]
    titles = [ax.get_title() for ax in found["subjective"].axes if ax.get_title()]
    assert [t.split("\n")[0] for t in titles] == captions


def test_the_first_of_them_is_trained_as_the_system_was():
    recipe = models.recipe("som")
    s = recipe.resolve("iris").changed(epochs=3)
    data = recipe.prepare(load("iris"), s)
    m = recipe.build(data, s, gg.Generator(s.seed))
    fit(m, data, s)
    again = som_subjective.trained(m, data, s, {}, 0)
    assert np.array_equal(again.w.numpy(), m.w.numpy())
    for changes, start in list(som_subjective.variants(s, 4).values())[1:]:
        other = som_subjective.trained(m, data, s, changes, start)
        assert not np.array_equal(other.w.numpy(), m.w.numpy())


def test_a_single_column_has_no_second_axis():
    x = np.random.default_rng(0).random((30, 1)).astype(np.float32)
    data = DataSet("one", Split(x))
    s = models.recipe("som").resolve("table").changed(epochs=1, rows=2, columns=3)
    m = som.SOM(x, s, gg.Generator(0))
    titles = [ax.get_title() for ax in som_subjective.figures(m, data, s)["subjective"].axes]
    assert not any("main axes" in t for t in titles) and any("bubble" in t for t in titles)


def test_too_few_samples_have_no_such_pictures():
    recipe = models.recipe("som")
    s = recipe.resolve("iris").changed(neighbours=1)
    data = recipe.prepare(load("iris"), s)
    m = som.SOM(data.train.x, s, gg.Generator(0))
    assert som_subjective.figures(m, replace(data, train=data.train[:2]), s) == {}
