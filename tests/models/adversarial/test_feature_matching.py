"""Feature matching: K logits for K + 1 classes, objectives by hand, who moves when, the data."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.loop import TrainingState
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.adversarial import feature_matching

RNG = np.random.default_rng(0)
X, Y = RNG.random((24, 1, 2, 2)), np.arange(24) % 3
DATA = DataSet("small", Split(X, Y), Split(X, Y), Split(X, Y))
BATCH = Batch(X[:9], np.array([-1] * 5 + [0, 1, 2, 0]))


def small(data=DATA, **changes):
    few = {"noise": 3, "generator": (5,), "discriminator": (6, 4), "labels": 6, "samples": 30}
    few |= {"batch": 8, "known": 4, "plain": 3}
    s = feature_matching.Settings(**{**few, **changes})
    return feature_matching.FeatureMatching(data, s, gg.Generator(1), dtype="float64")


def by_hand(m, a):
    """(features, logits) of rows without noise: W = g v/‖v‖ for each layer."""
    layers = [layer for layer in m.discriminator if hasattr(layer, "weight_v")]
    for i, layer in enumerate(layers):
        v = layer.weight_v.numpy()
        w = layer.weight_g.numpy() * v / np.linalg.norm(v, axis=1, keepdims=True)
        y = a @ w.T + layer.bias.numpy()
        if i == len(layers) - 1:
            return a, y
        a = np.maximum(y, 0)
    raise AssertionError


def generated(m, z):
    """A perceptron with batch normalisation and softplus, ending in a sigmoid."""
    first, norm, _, last = m.generator
    y = z @ first.weight.numpy().T + first.bias.numpy()
    y = (y - y.mean(axis=0)) / np.sqrt(y.var(axis=0) + norm.eps)
    y = np.log1p(np.exp(y * norm.weight.numpy() + norm.bias.numpy()))
    return 1 / (1 + np.exp(-(y @ last.weight.numpy().T + last.bias.numpy())))


def test_the_objectives_are_the_equations():
    """P of K + 1 classes by a softmax of K + 1 logits, the last of which is 0."""
    m = small(sigma=0.0, sigma_input=0.0, weight=0.7)
    x, draws = BATCH.x.reshape(9, 4), gg.Generator(*m.draws.state)
    first = generated(m, draws.uniform((5, 3), -1.0, 1.0, "float64"))
    then = generated(m, draws.uniform((5, 3), -1.0, 1.0, "float64"))

    def p(rows):
        e = np.exp(np.concatenate([by_hand(m, rows)[1], np.zeros((len(rows), 1))], axis=1))
        return e / e.sum(axis=1, keepdims=True)

    among = p(x[5:])[:, :3]
    labelled = np.log((among / among.sum(axis=1, keepdims=True))[np.arange(4), BATCH.y[5:]]).mean()
    unlabelled = np.log(1 - p(x[:5])[:, 3]).mean() + np.log(p(first)[:, 3]).mean()
    found, others = m.objective(BATCH)
    assert found.item() == pytest.approx(-labelled - 0.5 * 0.7 * unlabelled, rel=1e-10)
    off = by_hand(m, then)[0].mean(axis=0) - by_hand(m, x[:5])[0].mean(axis=0)
    assert others["deception"].item() == pytest.approx((off**2).mean(), rel=1e-10)
    d = 1 - p(x[:5])[:, 3]
    assert float(others["d_real"]) == pytest.approx(d.mean(), rel=1e-10)


@pytest.mark.parametrize("changes", [{}, {"sigma": 0.0, "weight": 0.3}])
def test_the_gradient_of_both_objectives(changes):
    f, arrays = feature_matching.check(np.random.default_rng(0), **changes)
    for which in range(2):
        report = gg.gradcheck(lambda *p, i=which: f(*p)[i], *arrays, directions=2)
        assert report.error < 5e-6 and not report.zero


def test_layers_start_from_data():
    m = small(sigma=0.0, sigma_input=0.0)
    h = X.reshape(24, 4)
    first = m.discriminator[1]
    y = h @ (first.weight_g.numpy() * first.weight_v.numpy() / np.linalg.norm(
        first.weight_v.numpy(), axis=1, keepdims=True)).T + first.bias.numpy()  # fmt: skip
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1)
    scales = [n for n, _ in m.named_parameters() if n.endswith("weight_g")]
    assert scales == ["discriminator.7.weight_g"], "only the last scale is trained"


@pytest.mark.parametrize("phase", ["discrimination", "deception"])
def test_a_phase_changes_only_its_own_network(phase):
    m = small()
    own = {"discrimination": "discriminator", "deception": "generator"}[phase]
    keep = [p for p in m.phases(m.s) if p.name == phase]
    m.phases = lambda settings: keep
    before = {n: p.numpy().copy() for n, p in m.named_parameters()}
    m.train_step(BATCH, TrainingState(m, DATA, m.s))
    moved = {n for n, p in m.named_parameters() if not np.array_equal(p.numpy(), before[n])}
    assert moved and {n.split(".")[0] for n in moved} == {own}


def test_most_labels_are_never_seen():
    m = small()
    wrong = DataSet("other", Split(X, np.where(np.isin(np.arange(24), m.known), Y, 99)))
    batches = [b for e in range(3) for b in m.batches(wrong, 8, 0, e, 0)]
    assert len(batches) == 9 and m.batches_per_epoch(wrong, 8) == 3
    for b in batches:
        assert (b.y[:8] == -1).all() and set(b.y[8:].tolist()) <= {0, 1, 2}
    assert [len(b.y) - 8 for b in batches[:3]] == [4, 2, 4]  # six labelled ones, again and again
    rows = {tuple(r) for b in batches for r in b.x[8:].reshape(-1, 4)}
    assert rows == {tuple(r) for r in X[m.known].reshape(-1, 4)}
    later = list(m.batches(wrong, 8, 0, 1, 1))
    np.testing.assert_array_equal(later[0].x, batches[4].x)  # a resumed epoch


def test_noise_is_of_training_alone():
    m = small().eval()
    x = gg.Tensor(X.reshape(24, 4))
    np.testing.assert_array_equal(m.logits(x).numpy(), m.logits(x).numpy())
    np.testing.assert_allclose(m.logits(x).numpy(), by_hand(m, X.reshape(24, 4))[1], rtol=1e-12)
    m.train()
    assert not np.array_equal(m.logits(x).numpy(), m.logits(x).numpy())


def test_the_plain_net_is_no_part_of_the_system():
    m = small().eval()
    before = m.state_dict()
    found = m.evaluate_finished(DATA.test)
    assert {"error", "error_plain", "neighbours"} <= set(found)
    assert found == m.evaluate_finished(DATA.test)
    after = m.state_dict()
    assert all(np.array_equal(after[k], v) for k, v in before.items()) and len(after) == len(before)
    assert set(feature_matching.RECIPES[0].figures(m, DATA, m.s)) == {
        "samples", "matched", "balance", "classes",
    }  # fmt: skip


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match=r"labels must be at least .* expected 3\.\.24, got 2"):
        small(labels=2)
    with pytest.raises(SettingError, match="has no class labels"):
        small(DataSet("none", Split(X)))
