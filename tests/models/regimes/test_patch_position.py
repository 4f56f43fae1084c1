"""Places of patches: what is cut, what is taken away, and the probes, against other programs."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import Ridge

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.regimes import patch_position
from glassgrad.models.regimes.patch_pairs import PLACES, pairs, patches, without_shortcuts
from glassgrad.models.regimes.patch_probe import PENALTIES, by_ridge
from tests.tools import assert_close

RECIPE = models.recipe("patch-position")
RNG = np.random.default_rng(0)
TINY = {"patch": 4, "channels": (3,), "code": 5, "hidden": 6}


def places_image(n, height, width):
    """Images whose pixel is its own row (channel 0) and column (channel 1)."""
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
    return np.repeat(grid[None].astype(float), n, axis=0)


@pytest.mark.parametrize("patch, gap, jitter", [(4, 0, 0), (3, 2, 0), (3, 1, 2)])
def test_the_second_patch_is_at_its_place(patch, gap, jitter):
    n, (height, width) = 400, (20, 24)
    y = np.arange(n) % 8
    found = pairs(places_image(n, height, width), y, patch, gap, jitter, gg.Generator(1))
    assert found.shape == (n, 2, 2, patch, patch)
    corner = found[:, :, :, 0, 0]
    assert (found == corner[..., None, None] + places_image(1, patch, patch)[:, None]).all()
    off = corner[:, 1] - corner[:, 0] - (patch + gap) * np.array(PLACES)[y]
    moves = set(np.unique(off).astype(int).tolist())
    assert moves == set(range(-2 * jitter, 2 * jitter + 1))
    first = corner[:, 0]
    for axis, size in enumerate((height, width)):  # every place that leaves room for all eight
        low, high = patch + gap, size - 2 * patch - gap
        assert (first[:, axis].min(), first[:, axis].max()) == (low, high)
    assert sorted(PLACES) == sorted({(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)} - {(0, 0)})


def test_nine_patches_cover_the_image():
    x = places_image(2, 12, 14)
    found = patches(x, 4)
    assert found.shape == (2, 9, 2, 4, 4)
    assert found[0, :, :, 0, 0].tolist() == [[t, a] for t in (0, 4, 8) for a in (0, 5, 10)]


def test_colours_lose_green_against_magenta():
    x = RNG.random((5, 2, 3, 4, 4))
    got = without_shortcuts(x, "projection", None)
    a = np.array([-1.0, 2.0, -1.0])
    assert abs(np.einsum("c,nmchw->nmhw", a, got)).max() < 1e-12
    moved = x - got  # along a alone
    assert_close(np.cross(moved.transpose(0, 1, 3, 4, 2), a), np.zeros((5, 2, 4, 4, 3)), rtol=1e-12)
    grey = np.repeat(RNG.random((2, 2, 1, 3, 3)), 3, axis=2)
    assert_close(without_shortcuts(grey, "projection", None), grey, rtol=1e-12)
    assert without_shortcuts(x, "keep", None) is x


def test_of_the_colours_one_is_kept():
    x = RNG.random((60, 2, 3, 9, 9))
    got = without_shortcuts(x, "drop", gg.Generator(3))
    same = (got == x).all(axis=(3, 4))
    assert (same.sum(axis=2) == 1).all() and set(same.argmax(axis=2).ravel()) == {0, 1, 2}
    for n, m in np.ndindex(60, 2):
        kept = x[n, m, same[n, m].argmax()]
        noise = got[n, m, ~same[n, m]] - kept.mean()
        assert 0.007 * kept.std() < noise.std() < 0.013 * kept.std()
        assert abs(noise.mean()) < 0.005 * kept.std()


def test_the_probe_is_ridge_regression_with_the_best_penalty():
    y, yv = RNG.integers(0, 3, 60), RNG.integers(0, 3, 40)
    shift = RNG.standard_normal((3, 8))
    x, xv = (RNG.standard_normal((len(k), 8)) + 0.8 * shift[k] for k in (y, yv))
    mean, deviation, w, bias = by_ridge(x, y, xv, yv)
    z, zv = ((a - x.mean(axis=0)) / x.std(axis=0) for a in (x, xv))
    t, scale, best = 2 * np.eye(3)[y] - 1, (z**2).sum() / 8, (-1.0, None)
    for share in PENALTIES[::-1]:
        model = Ridge(alpha=share * scale).fit(z, t)
        right = (model.predict(zv).argmax(axis=1) == yv).mean()
        best = max(best, (right, model), key=lambda b: b[0])
    assert_close(w, best[1].coef_.T, rtol=1e-8)
    assert_close(bias, best[1].intercept_, rtol=1e-8)
    assert_close(mean, x.mean(axis=0), rtol=1e-12)
    assert_close(deviation, x.std(axis=0), rtol=1e-12)


def test_the_objective_is_the_cross_entropy_of_eight_places():
    s = patch_position.Settings(**TINY)
    m = patch_position.PatchPosition((1, 12, 12), s, gg.Generator(1), dtype="float64").eval()
    x, y = RNG.standard_normal((6, 2, 1, 4, 4)), np.array([0, 7, 3, 3, 1, 5])
    z = np.concatenate([m.f(gg.Tensor(x[:, k])).numpy() for k in range(2)], axis=1)
    a, b = m.g[0], m.g[2]
    logits = np.maximum(z @ a.weight.numpy().T + a.bias.numpy(), 0)
    logits = logits @ b.weight.numpy().T + b.bias.numpy()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss, extra = m.objective(Batch(x, y))
    assert loss.item() == pytest.approx(-np.log(p[np.arange(6), y]).mean(), rel=1e-12)
    assert extra["accuracy"] == pytest.approx((p.argmax(axis=1) == y).mean())


def test_the_objective_passes_the_gradient_check():
    f, arrays = patch_position.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, directions=4).error < 1e-6


def test_all_places_are_asked_for_equally_often():
    s = patch_position.Settings(**TINY)
    m = patch_position.PatchPosition((3, 12, 12), s, gg.Generator(1)).eval()
    x = RNG.random((7, 3, 12, 12)).astype(np.float32)
    y, logits = m.answers(x, size=24)
    assert np.bincount(y).tolist() == [7] * 8 and logits.shape == (56, 8)
    for size in (1, 40, 500):  # of how many pairs are taken together
        assert_close(m.answers(x, size)[1], logits, rtol=1e-5)
    assert np.array_equal(m.held_out_pairs(x, 0)[16:], m.held_out_pairs(x[2:], 2))
    found = m.evaluate(Split(x))
    assert found == {"accuracy": pytest.approx(100 * (logits.argmax(axis=1) == y).mean())}


def test_the_probes_have_the_untrained_f_and_the_pixels_next_to_them():
    s = RECIPE.resolve(None, {**TINY, "gap": 0, "jitter": 0, "epochs": 1})
    data = load("photographs", patch=12, count=100)
    m = RECIPE.build(data, s, gg.Generator(0))
    assert all(
        np.array_equal(a.numpy(), b.numpy())
        for a, b in zip(m.f.parameters(), m.untrained.parameters())
    )
    start = [p.numpy().copy() for p in m.untrained.parameters()]
    fit(m, data, s)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(start, m.untrained.parameters()))
    assert not np.array_equal(m.f[0].weight.numpy(), start[0])
    found = m.evaluate_finished(data.test)
    assert set(found) == {"accuracy", "probe", "probe_random", "probe_pixels"}
    pixels = (a.reshape(len(a), -1) for a in (data.train.x, data.valid.x))
    w = by_ridge(*(b for a, y in zip(pixels, (data.train.y, data.valid.y)) for b in (a, y)))
    guess = ((data.test.x.reshape(10, -1) - w[0]) / w[1] @ w[2] + w[3]).argmax(axis=1)
    assert found["probe_pixels"] == pytest.approx(100 * (guess == data.test.y).mean())
    norm = next(layer for layer in m.untrained if isinstance(layer, gg.nn.BatchNorm))
    x = patches(data.train.x, 4).reshape(-1, 3, 4, 4)
    maps = m.untrained[0](gg.Tensor(x)).numpy()
    assert_close(norm.running_mean.numpy(), maps.mean(axis=(0, 2, 3)), rtol=1e-4)
    assert_close(norm.running_var.numpy(), maps.var(axis=(0, 2, 3), ddof=1), rtol=1e-3)
    assert m.evaluate_finished(data.test) == found  # the statistics are those of one pass
    drawn = RECIPE.figures(m, data, s)
    assert set(drawn) == {"places", "pairs", "probes"}
    assert all(isinstance(f, Figure) for f in drawn.values())
    plain = DataSet("plain", Split(data.train.x), Split(data.valid.x))
    m = RECIPE.build(plain, s, gg.Generator(0)).eval()
    assert set(m.evaluate_finished(plain.valid)) == {"accuracy"}
    assert set(RECIPE.figures(m, plain, s)) == {"places", "pairs"}


def test_what_cannot_be_is_refused_in_a_line():
    for name, changes, match in (
        ("digits", {"patch": 3}, "three patches with gap and jitter take 11 pixels; digits has"),
        ("digits", {"gap": 1, "jitter": 1}, "take 10 pixels"),
        ("digits", {"colour": "drop"}, "colour=drop needs three channels"),
        ("iris", {}, "iris has no images"),
    ):
        with pytest.raises(SettingError, match=match):
            s = RECIPE.resolve(name, {"patch": 2, **changes})
            training.build(RECIPE, load(name), s)
