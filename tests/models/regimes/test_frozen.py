"""A frozen network and a new classifier; vectors of images compared by their neighbours."""

import dataclasses

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, available, files, load
from glassgrad.core.training.loop import fit
from glassgrad.models.common.neighbours import nearest, precision_at, unit_length, vote
from glassgrad.models.convolutional.efficientnet import EfficientNetLite0
from glassgrad.models.regimes import vectoriser, vectors
from glassgrad.models.regimes.frozen_pictures import photographs
from glassgrad.models.regimes.vectors import enlarged, features, network

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


def small_digits():
    digits = load("digits")
    few = {"train": digits.train[:12], "valid": digits.valid[:6], "test": digits.test[:6]}
    return dataclasses.replace(digits, **few)


def test_f_is_computed_once_and_not_when_a_run_is_loaded(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        vectors, "features", lambda net, x, side: seen.append(len(x)) or features(net, x, side)
    )
    recipe, data = models.recipe("efficientnet"), small_digits()
    sets = {"vectors": "random", "side": 32, "epochs": 3, "batch": 4}
    done = training.train(recipe, data, overrides=sets, out=tmp_path)
    assert sorted(seen) == [4, 6, 6, 12]  # and a batch, on which `select` is checked
    training.write_result(done.run, recipe, done)
    seen.clear()
    _, again = training.load(done.run.folder, data=data)
    assert not seen
    assert again.system.evaluate(data.test) == again.test_figures == done.test_figures
    assert seen == [6]
    names = [name for name, _ in again.system.named_tensors()]
    assert names == ["mean", "deviation", "head.weight", "head.bias"]  # f is in no checkpoint


def test_vectors_are_standardised_by_the_training_set():
    recipe, data = models.recipe("efficientnet"), small_digits()
    s = recipe.resolve("digits", {"vectors": "pixels", "epochs": 1})
    system = recipe.build(data, s, gg.Generator(0))
    fit(system, data, s)
    x, z = (split.x.reshape(len(split), -1).astype("f8") for split in (data.train, data.test))
    spread = x.std(axis=0)
    z = (z - x.mean(axis=0)) / np.where(spread == 0, 1, spread)
    z = z @ system.head.weight.numpy().T + system.head.bias.numpy()
    assert (system.answers(data.test.x) == z.argmax(axis=1)).all()
    top = z.max(axis=1)
    loss = top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - z[np.arange(6), data.test.y]
    assert system.evaluate(data.test)["loss"] == pytest.approx(loss.mean(), rel=1e-4)
    assert set(recipe.figures(system, data, s)) == {"confusion", "mistakes"}


def test_vectors_are_standardised_before_any_training(tmp_path):
    recipe, data = models.recipe("efficientnet"), small_digits()
    sets = {"vectors": "pixels", "epochs": 0, "select": ""}
    done = training.train(recipe, data, overrides=sets, out=tmp_path)
    x = data.train.x.reshape(12, -1).astype("f8")
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread == 0, 1, spread)
    z = z @ done.system.head.weight.numpy().T + done.system.head.bias.numpy()
    assert (done.system.answers(data.train.x) == z.argmax(axis=1)).all()
    training.write_result(done.run, recipe, done)
    _, again = training.load(done.run.folder, data=data)
    assert again.system.evaluate(data.test) == done.test_figures


def test_vectors_are_kept_by_what_the_latest_images_hold(monkeypatch):
    seen = []
    monkeypatch.setattr(vectors, "features", lambda net, x, side: seen.append(x.sum()) or x + 1)
    f, x = vectors.Vectors("a net"), np.zeros((5, 2, 1, 3, 3), np.float32)
    for i, one in enumerate(x):
        one += i
        assert f(one) is f(one.copy()) and len(f.kept) == min(i + 1, vectors.KEPT)
    assert seen == [0, 18, 36, 54, 72]
    f(x[1])  # of the four latest, and now the last of them
    x[1] = 9
    assert (f(x[1]) == 10).all() and len(f.kept) == vectors.KEPT and seen[5:] == [162]
    f(x[3])
    f(x[2])  # the oldest of four when nines came
    assert seen[6:] == [36]


@needs_weights
def test_the_photographs_name_the_networks_five_likeliest_classes():
    net = network()
    fig = photographs(net)
    for ax, wanted in zip(fig.axes, ("palace", "daisy")):
        lines = ax.get_title(loc="left").splitlines()
        assert len(lines) == 5 and any(wanted in line for line in lines), lines


@needs_weights
@pytest.mark.slow
@pytest.mark.skipif(available("cifar10_jpeg_subset") is None, reason="CIFAR-10 is not here")
def test_photographs_are_told_apart_better_than_by_pixels_or_random_weights():
    data = load("cifar10_jpeg_subset")
    train, valid = data.train[:500], data.valid[:200]

    def right(vectors):
        near = nearest(*(unit_length(vectors(split.x)) for split in (valid, train)), 10)
        return (vote(near, train.y) == valid.y).mean()

    def of(net):
        return lambda x: features(net, x, 64)

    found = right(of(network()))
    assert found > right(lambda x: x.reshape(len(x), -1)) + 0.1
    assert found > right(of(EfficientNetLite0(gg.Generator(0)).eval())) + 0.1


def test_the_number_of_voters_is_chosen_on_validation_images(monkeypatch):
    """A brute-force count on pixels; test images have no say."""
    monkeypatch.setattr(vectoriser, "network", lambda: None)  # its f is the pixels, too
    recipe, digits = models.recipe("vectoriser"), load("digits")
    s = recipe.resolve("digits", {"examples": 60, "neighbours": (1, 2, 7, 30), "seed": 3})
    data = recipe.prepare(digits, s)
    assert len(data.train) == 60
    system = recipe.build(data, s, gg.Generator(0)).eval()
    x, q = (a.reshape(len(a), -1).astype("f8") for a in (data.train.x, data.valid.x))
    x, q = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, q))
    order, errors = np.argsort(-(q @ x.T), axis=1, kind="stable"), {}
    for k in s.neighbours:
        votes = [np.bincount(data.train.y[n], minlength=10) for n in order[:, :k]]
        # of several commonest the nearest: a little more for those in front
        votes = [
            v + [max((1e-3 * (k - i) for i in range(k) if data.train.y[n[i]] == c), default=0)
                 for c in range(10)]
            for v, n in zip(votes, order)
        ]  # fmt: skip
        errors[k] = 100 * (np.argmax(votes, axis=1) != data.valid.y).mean()
    assert system.voters("pixels") == min(errors, key=errors.get)
    found = system.evaluate_finished(data.test[:40])
    assert found["voters_pixels"] == system.voters("pixels") and len(set(errors.values())) > 2
    assert found["precision_network"] == found["precision_pixels"]  # the same vectors
    assert found["margin"] <= 0 and found["error_margin"] <= 0
    none = dataclasses.replace(data, valid=None)
    assert recipe.build(none, s, gg.Generator(0)).voters("pixels") == 1


@needs_weights
@pytest.mark.slow
def test_the_spaces_are_compared_and_drawn():
    recipe = models.recipe("vectoriser")
    done = training.train(recipe, overrides={"epochs": 2, "side": 32})
    found = done.test_figures
    assert {f"precision_{s}" for s in ("network", "scratch", "pixels")} <= set(found)
    assert all(0.1 < found[k] <= 1 for k in found if k.startswith("precision"))
    others = [found[f"precision_{s}"] for s in ("scratch", "pixels")]
    assert found["margin"] == found["precision"] - max(others)
    few = dataclasses.replace(done.data, test=done.data.test[:6])
    assert len(recipe.figures(done.system, few, done.settings)) == 3
