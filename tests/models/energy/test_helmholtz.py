"""The Helmholtz machine: both nets and the bound against enumeration, the rule, the training."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import Split
from glassgrad.core.training.settings import SettingError, TrainingSettings
from glassgrad.core.training.system import Batch
from glassgrad.models.energy import ais, helmholtz
from tests.tools import Undivided

RECIPE = models.recipe("helmholtz")
SIZES = (4, 3, 2)


class Still:
    """A trainer that changes nothing."""

    shards = Undivided()

    settings, epoch, optimiser = TrainingSettings(epochs=1), 0, None

    def __init__(self):
        self.optimiser = self

    def clip(self, parameters=None, loss=None): ...
    def step(self): ...


def small(dtype="float64", scale=1.0, **changes):
    s = RECIPE.settings(**{"hidden": SIZES[1:], **changes})
    m = helmholtz.Helmholtz(np.full(SIZES[0], 0.4), 10, s, gg.Generator(1), dtype)
    rng = np.random.default_rng(0)
    for p in m.parameters():
        p.assign((scale * rng.standard_normal(p.shape)).astype(dtype))
    return m


def table(x, logits):
    """P(x|given) for all rows of logits and all states x: [rows, states]."""
    p = 1 / (1 + np.exp(-np.atleast_2d(logits)))
    return np.exp(np.log(p) @ x.T + np.log(1 - p) @ (1 - x).T)


def enumerated(m):
    """p(v, h¹, h²) [16, 8, 4] and q(h¹, h²|v) [16, 8, 4], from the formulas of the page."""
    v, h, t = (ais.states(n) for n in SIZES)
    b, c = [k.numpy() for k in m.b], [k.numpy() for k in m.c]
    w, r = [k.numpy() for k in m.w], [k.numpy() for k in m.r]
    pv, ph = table(v, h @ w[0].T + b[0]), table(h, t @ w[1].T + b[1])  # [8, 16], [4, 8]
    p = pv.T[:, :, None] * ph.T[None] * table(t, b[2])[0]
    q = table(h, v @ r[0] + c[0])[:, :, None] * table(t, h @ r[1] + c[1])[None]
    return p, q


def code(states):
    return (np.asarray(states) @ 2 ** np.arange(np.shape(states)[1])).astype(int)


def test_samples_of_both_nets_have_their_distributions():
    m, n = small(), 40_000
    p, q = enumerated(m)
    assert p.sum() == pytest.approx(1) and np.allclose(q.sum(axis=(1, 2)), 1)
    v, h, t = m.generate(n, gg.Generator(3))[0]
    seen = np.zeros(p.shape)
    np.add.at(seen, (code(v), code(h), code(t)), 1 / n)
    assert ((seen - p) ** 2 / p).sum() * n < 511 + 5 * np.sqrt(2 * 511)  # χ² of 511 degrees
    one = np.repeat(ais.states(4)[[5]], n, axis=0)
    _, h, t = m.recognise(one, gg.Generator(4))[0]
    seen = np.zeros(q[5].shape)
    np.add.at(seen, (code(h), code(t)), 1 / n)
    assert ((seen - q[5]) ** 2 / q[5]).sum() * n < 31 + 5 * np.sqrt(2 * 31)


def test_bound_and_likelihood_are_those_of_enumeration():
    m = small()
    p, q = enumerated(m)
    log_p = np.log(p.sum(axis=(1, 2)))
    bound = (q * (np.log(p) - np.log(q))).sum(axis=(1, 2))
    assert (bound < log_p).all()
    v, noise = ais.states(4), gg.Generator(5)
    runs = [m.log_weights(v, noise) for _ in range(4000)]
    for k in (0, 1):  # plain and closed entropy have one mean
        got = np.stack([r[k] for r in runs])
        assert (np.abs(got.mean(axis=0) - bound) < 4.5 * got.std(axis=0) / np.sqrt(4000)).all()
    found = small("float32", importance=3000).evaluate(Split(v.astype(np.float32)))
    assert found["bound"] == pytest.approx(-bound.mean(), abs=0.05)
    assert found["nll"] == pytest.approx(-log_p.mean(), abs=0.05)
    assert found["nll"] < found["bound"]


@pytest.mark.slow
def test_the_standard_errors_are_the_scatter_of_repeated_evaluations():
    m, v = small(samples=3, importance=200), Split(ais.states(4))
    runs = []
    for k in range(60):
        m.noise = gg.Generator(k)
        runs.append(m.evaluate(v))
    for key in ("bound", "nll"):
        seen = np.std([r[key] for r in runs], ddof=1)
        said = np.mean([r[f"{key}_error"] for r in runs])
        assert 0.75 < said / seen < 1.3
    m.s = replace(m.s, samples=1, importance=1)
    assert "bound_error" not in m.evaluate(v)


def test_the_delta_rule_is_the_gradient_of_the_objective():
    m = small()
    x = (np.random.default_rng(1).random((8, 4)) < 0.5).astype(float)
    state = m.noise.state
    m.train_step(Batch(x), Still())
    m.noise.state = state
    loss, parts = m.objective(Batch(x))
    assert loss.item() == pytest.approx(parts["wake"].item() + parts["sleep"].item())
    got = [p.grad.numpy() for p in m.parameters()]
    for ours, want in zip(got, gg.grad(loss, m.parameters())):
        assert np.allclose(ours, want.numpy(), rtol=1e-9, atol=1e-12)


def test_the_exact_rule_is_the_gradient_of_the_bound_for_p():
    """Wake, in expectation under q, climbs the bound: the sum over all h, weighed by q."""
    m = small()
    x = ais.states(4)[[3, 9]]
    _, q = enumerated(m)
    states = [ais.states(n) for n in SIZES]
    want = []
    for b in m.b:  # by central differences of the bound
        g = np.zeros(b.shape)
        for k in range(b.size):
            value = []
            for step in (1e-5, -1e-5):
                b.data[k] += step
                value.append((q * np.log(enumerated(m)[0])).sum(axis=(1, 2))[[3, 9]].mean())
                b.data[k] -= step
            g[k] = (value[0] - value[1]) / 2e-5
        want.append(g)
    got = [np.zeros(b.shape) for b in m.b]
    for row in x:
        for i, h in enumerate(states[1]):
            for j, t in enumerate(states[2]):
                weight = q[code(row[None])[0], i, j] / len(x)
                all_states = [row[None], h[None], t[None]]
                for k, a in enumerate(m.downward_logits(all_states)):
                    got[k] += weight * (all_states[k][0] - 1 / (1 + np.exp(-a))).reshape(-1)
    for ours, wanted in zip(got, want):
        assert np.allclose(ours, wanted, atol=1e-8)


def test_the_objective_passes_the_gradient_check():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6


def test_training_lowers_the_bound_and_draws():
    trained = training.train(RECIPE, overrides={"epochs": 40})
    found = trained.test_figures
    assert found["nll"] < found["bound"] < 25.2  # independent pixels: 26.7
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"fields", "samples", "reconstructions"}


def test_deeper_machines_train():
    trained = training.train(RECIPE, overrides={"epochs": 30, "hidden": [32, 16]})
    assert trained.test_figures["bound"] < 25.6
    assert RECIPE.sample(trained.system, trained.data, 3, gg.Generator(0)).axes


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match="'hidden' must be a list of at least one"):
        small(hidden=())
    with pytest.raises(SettingError, match="'binarise' must be 'sampled', 'fixed' or 'grey'"):
        small(binarise="gray")
