"""The convolutional network: its layers as loops, its tricks, its training, its pictures."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.common import confusion
from glassgrad.models.convolutional import lenet, lenet_pictures

RECIPE = models.recipe("lenet")


@pytest.fixture(scope="module")
def trained():
    return training.train(RECIPE)


def small(**changes):
    given = {"channels": (2, 3), "kernel": 3, "padding": (1, 1), "hidden": (4,), **changes}
    return lenet.LeNet((1, 6, 6), 3, lenet.Settings(**given), gg.Generator(1), dtype="float64")


def correlated(x, w, padding):
    """The lecture's sum over a, b = -1..1, pixel by pixel, x being 0 outside the image."""
    reach = w.shape[-1] // 2
    images, _, height, width = x.shape
    inset = reach - padding  # pixels at the edge that have no neighbours on all sides
    y = np.zeros((images, len(w), height - 2 * inset, width - 2 * inset))
    for n, o, i, j in np.ndindex(y.shape):
        for c, a, b in np.ndindex(w.shape[1:]):
            row, column = i + inset + a - reach, j + inset + b - reach
            if 0 <= row < height and 0 <= column < width:
                y[n, o, i, j] += w[o, c, a, b] * x[n, c, row, column]
    return y


def pooled(x, h, choose):
    """F(x[hi, hj], ..., x[hi + h - 1, hj + h - 1])."""
    y = np.zeros((*x.shape[:2], x.shape[2] // h, x.shape[3] // h))
    for n, c, i, j in np.ndindex(y.shape):
        y[n, c, i, j] = choose(x[n, c, h * i : h * i + h, h * j : h * j + h])
    return y


@pytest.mark.parametrize("padding", [(1, 1), (0, 1)], ids=str)
@pytest.mark.parametrize("pool, choose", [("max", np.max), ("average", np.mean)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_objective_is_the_equation(pool, choose, activation, padding):
    m = small(pool=pool, activation=activation, padding=padding)
    sigma = {"relu": lambda a: np.maximum(a, 0), "tanh": np.tanh}[activation]
    rng = np.random.default_rng(0)
    x, y, p = rng.standard_normal((4, 1, 6, 6)), np.array([0, 2, 1, 2]), m.state_dict()
    h = pooled(sigma(correlated(x, p["convolutions.0.weight"], padding[0])), 2, choose)
    h = pooled(sigma(correlated(h, p["convolutions.3.weight"], padding[1])), 2, choose)
    h = sigma(h.reshape(4, -1) @ p["classifier.1.weight"].T + p["classifier.1.bias"])
    logits = h @ p["classifier.3.weight"].T + p["classifier.3.bias"]
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss, extra = m.objective(Batch(x, y))
    assert loss.item() == pytest.approx(-np.log(q[np.arange(4), y]).mean(), rel=1e-12)
    assert extra["accuracy"] == (q.argmax(axis=1) == y).mean()
    assert np.allclose(m.logits(x, size=3), logits, rtol=1e-12)


def test_the_lecture_has_no_bias_and_a_setting_adds_one():
    assert not any(n.startswith("conv") and "bias" in n for n in small().state_dict())
    assert small(bias=True).state_dict()["convolutions.0.bias"].shape == (2,)


def test_sizes_for_mnist():
    data = DataSet("x", Split(np.zeros((3, 1, 28, 28), np.float32), np.array([0, 9, 1])))
    m = lenet.build(data, RECIPE.resolve("mnist"), gg.Generator(0))
    assert m(gg.ones((2, 1, 28, 28))).shape == (2, 10)
    assert m.classifier[1].weight.shape == (120, 32 * 5 * 5)


@pytest.mark.parametrize(
    "changes",
    [{}, {"pool": "average", "activation": "tanh"}, {"dropout": 0.3, "batch_norm": True}],
    ids=str,
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = lenet.check(np.random.default_rng(0), **changes)
    report = gg.gradcheck(f, *arrays, order=2, directions=4)
    assert report.error < 1e-6 and report.piecewise == (changes.get("activation") != "tanh")


def test_shifted_images_are_the_same_images_elsewhere():
    x = np.zeros((200, 2, 5, 5), np.float32)
    x[:, 0, 2, 2], x[:, 1, 2, 3] = 1, 2
    y = lenet.shifted(x, 1, gg.Generator(0))
    assert y.dtype == x.dtype and y.flags.c_contiguous
    at = {(int(i), int(j)) for i, j in (np.argwhere(image[0])[0] for image in y)}
    assert at == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3)}
    for image in y:  # both channels moved together
        (i, j), (k, m) = np.argwhere(image[0])[0], np.argwhere(image[1])[0]
        assert (k, m) == (i, j + 1) and image.sum() == 3


def test_shifts_depend_on_seed_epoch_and_batch_only():
    data = load("digits")
    m = lenet.build(data, RECIPE.resolve("digits", {"shift": 1}), gg.Generator(0))
    whole = [b.x for b in m.batches(data, 400, 3, 1, 0)]
    rest = [b.x for b in m.batches(data, 400, 3, 1, 2)]
    assert len(rest) == 2 and all(np.array_equal(a, b) for a, b in zip(rest, whole[2:]))
    again = [b.x for b in m.batches(data, 400, 3, 2, 0)]
    assert not np.array_equal(again[0], whole[0])


@pytest.mark.slow
def test_training_reaches_the_number(trained):
    target = next(t for t in RECIPE.targets if t.data == "digits")
    assert target.reached(trained.test_figures["accuracy"]), trained.test_figures
    assert trained.history[-1]["loss"] < 0.3 * trained.history[0]["loss"]
    x, y = trained.data.test.x, trained.data.test.y
    right = (trained.system.logits(x).argmax(axis=1) == y).mean()
    assert trained.test_figures["accuracy"] == pytest.approx(right)


def test_gradient_pictures_are_finite_differences(trained):
    m = small(activation="tanh", pool="average")
    x, y = np.random.default_rng(0).standard_normal((2, 1, 6, 6)), np.array([2, 0])
    got = lenet_pictures.gradients(m, x, y)
    for n, i, j in ((0, 2, 3), (1, 5, 0), (1, 3, 3)):
        step = np.zeros_like(x)
        step[n, 0, i, j] = 1e-5
        up, down = (m.logits(x + sign * step)[n, y[n]] for sign in (1, -1))
        assert got[n, i, j] == pytest.approx(abs(up - down) / 2e-5, rel=1e-6, abs=1e-9)


def test_occlusion_covers_the_window_around_each_pixel(trained):
    image, label = trained.data.test.x[0], int(trained.data.test.y[0])
    got = lenet_pictures.occlusion(trained.system, image, label, 3)

    def p(a):
        z = trained.system.logits(a[None])[0].astype(float)
        return np.exp(z[label] - z.max()) / np.exp(z - z.max()).sum()

    for i, j in ((0, 0), (3, 4), (7, 7)):
        other = image.copy()
        for k, m in np.ndindex(8, 8):
            if abs(k - i) <= 1 and abs(m - j) <= 1:
                other[:, k, m] = 0
        assert got[i, j] == pytest.approx(p(image) - p(other), abs=1e-5)


def test_state_travels_and_figures_are_drawn(trained):
    from matplotlib.figure import Figure

    other = RECIPE.build(trained.data, trained.settings, gg.Generator(9)).eval()
    x = trained.data.test.x[:5]
    assert not np.allclose(other.logits(x), trained.system.logits(x), atol=1e-3)
    other.load_state_dict(trained.system.state_dict())
    assert np.array_equal(other.logits(x), trained.system.logits(x))
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"filters", "maps", "confusion", "mistakes", "reasons"}
    assert all(isinstance(f, Figure) for f in made.values())


def test_a_perfect_classifier_makes_no_mistakes_to_show():
    y = np.array([0, 1, 2])
    fig = confusion.mistakes(np.zeros((3, 1, 8, 8)), y, y, ("a", "b", "c"))
    assert fig.get_suptitle() == "no mistakes"


def test_bad_settings_are_refused():
    for key in ("activation", "pool"):
        with pytest.raises(SettingError, match=f"'{key}' must be '"):
            small(**{key: "other"})
    with pytest.raises(SettingError, match="padding must have one entry"):
        small(padding=(1,))
    with pytest.raises(SettingError, match="too small for layer 2"):
        small(padding=(0, 0))
    for shape, why in (((2, 4), "x has no images"), ((2, 1, 8, 8), "x has no class labels")):
        with pytest.raises(SettingError, match=why):
            lenet.build(DataSet("x", Split(np.zeros(shape))), RECIPE.settings(), gg.Generator(0))
