"""A small AlexNet: its layers next to PyTorch's, its tricks, its views, its pictures."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core import nn
from glassgrad.core.data import DataSet, Split, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.common.augmentation import augmented
from glassgrad.models.convolutional import alexnet, alexnet_pictures
from glassgrad.models.convolutional.alexnet import AlexNet, Settings
from tests.tools import assert_close

RECIPE = models.recipe("alexnet")
X = np.random.default_rng(0).random((5, 3, 9, 8))
Y = np.array([0, 2, 1, 2, 0])


def small(image=(3, 9, 8), mean=(0.4, 0.5, 0.6), **changes):
    s = Settings(**{"channels": (6, 5), "kernel": 3, "hidden": (7,), "lrn": 0.4, **changes})
    return AlexNet(image, 3, s, gg.Generator(1), "float64", mean=mean, deviation=0.3)


def by_torch(m, x):
    """Logits of the same weights, of layers of PyTorch's, in evaluation."""
    torch = pytest.importorskip("torch")
    f, s = torch.nn.functional, m.s
    p = {k: torch.tensor(v) for k, v in m.state_dict().items()}
    sigma = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[s.activation]
    plain, normed = [nn.Conv2d, nn.MaxPool2d], [nn.Conv2d, nn.LocalResponseNorm, nn.MaxPool2d]
    made = [type(layer) for layer in m.convolutions if type(layer) in normed]
    below = normed if s.lrn else plain  # all levels but the last
    assert made == below * (len(s.channels) - 1) + plain  # in the paper's order
    h = (torch.tensor(x) - torch.tensor(np.array([0.4, 0.5, 0.6]))[:, None, None]) / 0.3
    for number, layer in enumerate(m.convolutions):
        if isinstance(layer, nn.Conv2d):
            w, b = (p[f"convolutions.{number}.{name}"] for name in ("weight", "bias"))
            h = sigma(f.conv2d(h, w, b, padding=s.kernel // 2))
        elif isinstance(layer, nn.LocalResponseNorm):
            h = f.local_response_norm(h, 5, alpha=5 * s.lrn, beta=0.75, k=2.0)
        elif isinstance(layer, nn.MaxPool2d):
            over = s.pooling == "overlapping"
            h = f.max_pool2d(h, 3, 2, 1) if over else f.max_pool2d(h, 2)
    h, last = h.flatten(1), max(i for i, _ in enumerate(m.classifier))
    for number, layer in enumerate(m.classifier):
        if isinstance(layer, nn.Linear):
            h = f.linear(h, *(p[f"classifier.{number}.{name}"] for name in ("weight", "bias")))
            h = sigma(h) if number < last else h
    return h.numpy()


@pytest.mark.parametrize("pooling", ["overlapping", "apart"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("lrn", [0.0, 0.4])
def test_the_net_is_the_one_on_the_page(pooling, activation, lrn):
    m = small(pooling=pooling, activation=activation, lrn=lrn).eval()
    kinds = [type(layer).__name__ for layer in m.convolutions]
    assert kinds.count("LocalResponseNorm") == (1 if lrn else 0)  # not in the last level
    z = by_torch(m, X)
    assert_close(m.logits(X, size=2), z, rtol=1e-9)
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss, extra = m.objective(Batch(X, Y))
    assert loss.item() == pytest.approx(-np.log(q[np.arange(5), Y]).mean(), rel=1e-9)
    assert extra["accuracy"] == (z.argmax(axis=1) == Y).mean()


def test_dropout_stands_after_each_dense_layer_and_nowhere_else():
    m = small(hidden=(7, 4), dropout=0.5)
    kinds = [type(layer).__name__ for layer in m.classifier]
    assert kinds == ["Flatten", *["Linear", "ReLU", "Dropout"] * 2, "Linear"]
    assert "Dropout" not in {type(layer).__name__ for layer in m.convolutions}
    assert not np.array_equal(m(gg.Tensor(X)).numpy(), m(gg.Tensor(X)).numpy())


def test_both_poolings_leave_the_same_size_where_it_is_even():
    shapes = {p: small((3, 16, 16), pooling=p).state_dict() for p in ("overlapping", "apart")}
    one, two = ({k: v.shape for k, v in state.items()} for state in shapes.values())
    assert one == two


@pytest.mark.parametrize("changes", [{}, {"activation": "tanh", "lrn": 0.0, "pooling": "apart"}],
                         ids=str)  # fmt: skip
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = alexnet.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_the_channels_are_those_of_the_training_images_standardised():
    data = DataSet("few", Split(X[:3].astype("float32"), Y[:3]), Split(X[3:], Y[3:]))
    m = alexnet.build(data, Settings(channels=(2,), kernel=3), gg.Generator(0))
    x = m.standardised(gg.Tensor(data.train.x)).numpy()
    assert abs(x.mean(axis=(0, 2, 3))).max() < 1e-5
    assert abs(x.std(axis=(0, 2, 3)) - 1).max() < 1e-5
    flat = DataSet("flat", Split(np.full((4, 1, 8, 8), 0.5, np.float32), np.arange(4) % 2))
    m = alexnet.build(flat, Settings(channels=(2,), kernel=3), gg.Generator(0))
    assert not m.standardised(gg.Tensor(flat.train.x)).numpy().any()


def test_minibatches_are_augmented_if_a_switch_is_on():
    data, s = load("digits"), RECIPE.resolve("digits", {"crop": 1, "flip": True})
    m = alexnet.build(data, s, gg.Generator(0))
    found = list(m.batches(data, 400, 3, 1, 2))
    wanted = list(augmented(data.train, 400, 1, True, 3, 1, 2))
    assert len(found) == len(wanted) == 2
    assert all(np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y)
               for a, b in zip(found, wanted))  # fmt: skip
    m = alexnet.build(data, RECIPE.resolve("digits", {"crop": 0}), gg.Generator(0))
    rows = np.concatenate([b.x for b in m.batches(data, 400, 3, 1, 0)])
    assert sorted(map(bytes, rows)) == sorted(map(bytes, data.train.x))


def test_views_are_averaged_over_probabilities():
    m = small((3, 8, 8), crop=1, flip=True).eval()
    x = X[:, :, :8]
    found = m.evaluate_finished(Split(x, Y))
    p, frame = 0, np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for i, j in ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2)):
        for step in (1, -1):
            z = m.logits(frame[:, :, i : i + 8, j : j + 8][..., ::step])
            e = np.exp(z)
            p = p + e / e.sum(axis=1, keepdims=True)
    assert found["accuracy_views"] == (p.argmax(axis=1) == Y).mean()
    assert found["accuracy"] == (m.logits(x).argmax(axis=1) == Y).mean()
    assert "accuracy_views" not in small().eval().evaluate_finished(Split(X, Y))


def test_a_training_that_was_stopped_goes_on_as_if_it_was_not(tmp_path):
    data = load("digits")
    data = DataSet("few", data.train[:96], data.valid[:30])
    s = RECIPE.resolve("digits", {"epochs": 2, "channels": (3, 4), "hidden": (5,), "flip": True})

    def system():
        return alexnet.build(data, s, gg.Generator(0))

    whole = system()
    fit(whole, data, s)
    count = iter(range(100))
    with pytest.raises(KeyboardInterrupt):  # after four of six steps, within an epoch
        fit(system(), data, s, run=Run(tmp_path), stop=lambda: next(count) == 3)
    again = system()
    fit(again, data, s, run=Run(tmp_path), resume=True)
    for name, value in whole.state_dict().items():
        assert np.array_equal(again.state_dict()[name], value), name


# -------------------------------------------------------------------------------------- pictures


def test_what_is_left_of_an_answer_is_what_loops_find():
    m = small((1, 8, 8), mean=0.4, channels=(4, 2)).eval()
    x = np.random.default_rng(3).random((3, 1, 8, 8))
    found = alexnet_pictures.left_after_shifts(m, x)

    def units(by, window, stride, before):
        """What the maps of the images, moved by hand, have in each window."""
        images = np.zeros_like(x)
        images[..., by:] = x[..., : 8 - by]
        maps = np.maximum(m.convolutions[0](m.standardised(gg.Tensor(images))).numpy(), 0)
        out = np.full((3, 4, -(-8 // stride), -(-8 // stride)), -np.inf)
        for n, c, i, j in np.ndindex(out.shape):
            rows = slice(max(0, stride * i - before), stride * i - before + window)
            columns = slice(max(0, stride * j - before), stride * j - before + window)
            out[n, c, i, j] = maps[n, c, rows, columns].max()
        return out

    for (name, shares), geometry in zip(found.items(), ((1, 1, 0), (2, 2, 0), (3, 2, 1))):
        start = units(0, *geometry)
        wanted = []
        for by in range(alexnet_pictures.SHIFTS + 1):
            now, left = units(by, *geometry), []
            for n, c in np.ndindex(3, 4):
                top = np.unravel_index(start[n, c].argmax(), start[n, c].shape)
                if start[n, c][top] > 0:
                    left.append(now[n, c][top] / start[n, c][top])
            wanted.append(np.mean(left))
        assert_close(shares, wanted, rtol=1e-9, what=name)
        assert shares[0] == 1


@pytest.mark.slow
def test_pooled_units_find_their_element_and_larger_windows_more_often():
    done = training.train(RECIPE)
    one, apart, overlapping = alexnet_pictures.left_after_shifts(
        done.system, done.data.test.x
    ).values()
    assert one[1] < apart[1] < overlapping[1] and one[2] < overlapping[2]
    made = RECIPE.figures(done.system, done.data, done.settings)
    assert set(made) == {"filters", "patches", "wherever", "confusion", "mistakes"}
    assert done.test_figures["accuracy"] > 0.95


def test_colour_images_are_drawn_in_colour():
    axes = alexnet_pictures.filters(small()).axes
    shown = axes[0].images[0].get_array()
    assert shown.shape == (3, 3, 3) and shown.min() >= 0 and shown.max() <= 1


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match="kernel must be odd; got 4"):
        small(kernel=4)
    with pytest.raises(SettingError, match="crop must be below the size"):
        small(crop=8)
    with pytest.raises(SettingError, match="too small for level 4"):
        small(channels=(2, 2, 2, 2), pooling="apart")
    for shape, why in (((2, 4), "x has no images"), ((2, 1, 8, 8), "x has no class labels")):
        with pytest.raises(SettingError, match=why):
            alexnet.build(DataSet("x", Split(np.zeros(shape))), RECIPE.settings(), gg.Generator(0))
