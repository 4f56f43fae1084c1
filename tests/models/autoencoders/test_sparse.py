"""Sparse autoencoders: the three penalties in NumPy, and the mean over the whole sample."""

import numpy as np
import pytest
from scipy.special import rel_entr

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.autoencoders import sparse
from tests.tools import Undivided

WEIGHTS, CODE, KL = sparse.RECIPES

X = np.random.default_rng(0).random((12, 6))


def small(**changes):
    s = sparse.Settings(**{"code": 3, "weight": 0.7, **changes})
    return sparse.build(DataSet("small", Split(X)), s, gg.Generator(1), dtype="float64")


def parts(m, x=X):
    """L_AE and the codes, by hand."""
    p = m.state_dict()
    z = 1 / (1 + np.exp(-(x @ p["encoder.0.weight"].T + p["encoder.0.bias"])))
    b = p["encoder.0.weight"].T if m.s.tied else p["decoder.0.weight"]
    y = 1 / (1 + np.exp(-(z @ b.T + p["decoder.0.bias"])))
    return ((y - x) ** 2).sum(axis=1).mean(), z, p


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("norm", ["l1", "l2", "l2-squared"])
def test_the_norm_of_the_weights(norm, biases):
    m = small(penalty="weights", norm=norm, biases=biases)
    loss, _, p = parts(m)
    want = loss
    for side in ("encoder", "decoder"):
        names = [f"{side}.0.weight"] + [f"{side}.0.bias"] * biases
        v = np.concatenate([p[n].ravel() for n in names])
        by = {"l1": np.abs(v).sum(), "l2": np.linalg.norm(v), "l2-squared": 0.5 * v @ v}
        want += 0.7 * by[norm]
    assert m.objective(Batch(X))[0].item() == pytest.approx(want, rel=1e-12)


def test_a_tied_weight_is_counted_once():
    m = small(penalty="weights", norm="l1", tied=True)
    loss, _, p = parts(m)
    assert set(p) == {"encoder.0.weight", "encoder.0.bias", "decoder.0.bias"}
    want = loss + 0.7 * sum(np.abs(a).sum() for a in p.values())
    assert m.objective(Batch(X))[0].item() == pytest.approx(want, rel=1e-12)


def test_the_l1_norm_of_the_codes():
    m = small(activation="tanh", penalty="code")
    z = np.tanh(X @ m.encoder[0].weight.numpy().T + m.encoder[0].bias.numpy())
    found = m.objective(Batch(X))[1]["penalty"]
    assert found == pytest.approx(np.abs(z).sum() / len(X), rel=1e-12)


@pytest.mark.parametrize("epsilon", [0.05, 0.5])
def test_the_kl_term_is_scipys(epsilon):
    m = small(penalty="kl", epsilon=epsilon)
    loss, z, _ = parts(m)
    rho = z.mean(axis=0)
    want = (rel_entr(epsilon, rho) + rel_entr(1 - epsilon, 1 - rho)).sum()
    assert m.objective(Batch(X))[0].item() == pytest.approx(loss + 0.7 * want, rel=1e-10)


def gradient(m, x):
    m.objective(Batch(x))[0].backward()
    return [p.grad.numpy().copy() for p in m.parameters()]


def test_minibatches_with_the_mean_of_the_sample_average_to_the_gradient_of_the_lecture():
    """Their mean is the gradient on the whole sample; not so with mean="batch"."""
    split = [X[i : i + 3] for i in range(0, 12, 3)]
    whole = small(penalty="kl")
    wanted = gradient(whole, X)
    got = np.mean([np.concatenate([g.ravel() for g in gradient(whole, x)]) for x in split], axis=0)
    wanted = np.concatenate([g.ravel() for g in wanted])
    assert np.allclose(got, wanted, rtol=1e-10, atol=1e-13)
    values = [whole.objective(Batch(x))[1]["penalty"] for x in split]
    exact = whole.objective(Batch(X))[1]["penalty"]
    assert np.allclose(values, exact, rtol=1e-12)  # the value is that of the sample, too

    batch = small(penalty="kl", mean="batch")
    got = np.mean([np.concatenate([g.ravel() for g in gradient(batch, x)]) for x in split], axis=0)
    assert np.abs(got - wanted).max() > 1e-3 * np.abs(wanted).max()
    assert np.mean([batch.objective(Batch(x))[1]["penalty"] for x in split]) > exact  # KL is convex


class Still:
    """A state of training whose optimiser does nothing."""

    shards = Undivided()

    batch, optimiser = 0, type("Nothing", (), {"step": lambda self: None})()

    def clip(self, parameters=None, loss=None): ...


def test_the_mean_is_brought_up_to_date():
    m = small(penalty="kl")
    m.encoder[0].bias.assign(m.encoder[0].bias.numpy() + 1)
    before = m.mean.numpy().copy()
    m.train_step(Batch(X[:3]), Still())
    assert np.allclose(m.mean.numpy(), parts(m)[1].mean(axis=0), rtol=1e-12)
    assert not np.allclose(m.mean.numpy(), before)
    late = small(penalty="kl", refresh=2)
    late.encoder[0].bias.assign(m.encoder[0].bias.numpy())
    second = Still()
    second.batch = 1
    late.train_step(Batch(X[:3]), second)
    assert np.array_equal(late.mean.numpy(), before)
    run = small(penalty="kl", mean="running", keep=0.75)
    run.train_step(Batch(X[:3]), Still())
    want = 0.75 * before + 0.25 * parts(run, X[:3])[1].mean(axis=0)
    assert np.allclose(run.mean.numpy(), want, rtol=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"penalty": "weights"},
        {"penalty": "weights", "norm": "l1"},
        {"penalty": "code"},
        {"penalty": "kl"},
        {"penalty": "kl", "tied": True, "loss": "cross_entropy"},
    ],
    ids=str,
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = CODE.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=6).error < 1e-6


def test_codes_become_sparse_and_images_still_come_back():
    """Against no penalty at all: fewer codes are on, and the image still comes back."""
    free = training.train(CODE, overrides={"weight": 0.0, "epochs": 15}).test_figures
    code = training.train(CODE, overrides={"epochs": 15}).test_figures
    assert code["active"] < 0.6 * free["active"] and code["squared_error"] < 1.6


@pytest.mark.slow
def test_the_mean_code_is_epsilon_and_images_come_back_better_than_from_as_many_components():
    """The recipe's targets, and where their bounds come from."""
    done = training.train(KL)
    few, error = KL.targets
    assert few.bound == pytest.approx((0.05 * 0.95 / 300) ** 0.5 / 0.05, abs=2e-3)
    x, y = (s.x.reshape(len(s), -1).astype(float) for s in (done.data.train, done.data.test))
    mean, basis = x.mean(axis=0), np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][:5]
    pca = (((y - mean) - (y - mean) @ basis.T @ basis) ** 2).sum(axis=1).mean()
    assert error.bound == pytest.approx(pca, abs=1e-3)
    for target in KL.targets:
        assert target.reached(done.test_figures[target.metric])
    z = done.system.codes(done.data.test.x).mean(axis=0)
    off = np.abs(z / 0.05 - 1)
    assert done.test_figures["off_epsilon"] == pytest.approx(off.mean(), rel=1e-4)
    assert off.max() < 1  # each of them, not just on average
    figures = KL.figures(done.system, done.data, done.settings)
    assert set(figures) == {"activations", "codes", "reconstructions", "filters", "means", "beside"}


def test_bad_settings_are_refused():
    for key in ("penalty", "norm", "mean"):
        with pytest.raises(SettingError, match=f"'{key}' must be .* or .*; got 'other'"):
            small(**{key: "other"})
    with pytest.raises(SettingError, match="needs activation 'sigmoid'"):
        small(penalty="kl", activation="relu")
    with pytest.raises(SettingError, match=r"'epsilon' must be below 1; got 1\.0"):
        small(penalty="kl", epsilon=1.0)
    with pytest.raises(SettingError, match=r"'epsilon' must be above 0; got 0\.0"):
        small(penalty="kl", epsilon=0.0)
    with pytest.raises(SettingError, match="'epsilon' has no effect with penalty=code"):
        CODE.resolve("digits", {"epsilon": 0.2})
    with pytest.raises(SettingError, match="'keep' has no effect with mean=whole"):
        KL.resolve("digits", {"keep": 0.5})
