"""The deep Boltzmann machine: two groups, mean field, bound and gradient against enumeration."""

import itertools

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.recipe import SettingError
from glassgrad.models import ais, dbm

RECIPE = models.recipe("dbm")


def small(sizes=(4, 3, 2), dtype="float64", scale=0.8, **changes):
    s = {**RECIPE.resolve("digits"), "hidden": sizes[1:], "chains": 50, **changes}
    m = dbm.DBM(np.full(sizes[0], 0.4), 10, s, gg.Generator(1), dtype)
    rng = np.random.default_rng(0)
    for p in m.parameters():
        p.assign((scale * rng.standard_normal(p.shape)).astype(dtype))
    return m


def enumerated(m, w=None, c=None):
    """(states of each layer in all combinations, P of each, ln Z), layer after layer."""
    w = [k.w.numpy() for k in m.layers] if w is None else w
    c = [k.numpy() for k in m.c] if c is None else c
    n = [len(k) for k in c]
    s, at = ais.states(sum(n)), np.cumsum([0, *n])
    h = [s[:, i:j] for i, j in itertools.pairwise(at)]
    e = sum(((a @ k) * b).sum(axis=1) for a, b, k in zip(h, h[1:], w))
    p = np.exp(e + sum(x @ k for x, k in zip(h, c)))
    return h, p / p.sum(), np.log(p.sum())


def code(s):
    return (np.asarray(s) @ 2 ** np.arange(np.shape(s)[1])).astype(int)


@pytest.mark.parametrize("sizes", [(4, 3, 2), (3, 2, 3, 2), (2, 3, 2, 1, 2)])
def test_two_groups_are_the_whole_machine(sizes):
    m = small(sizes)
    h, p, log_z = enumerated(m)
    assert ais.exact(*m.bipartite()) == pytest.approx(log_z, rel=1e-12)
    assert np.allclose(m.minus_energy(h) - log_z, np.log(p))
    even, n = np.zeros((20_000, sum(sizes[::2]))), 20_000
    rng = gg.Generator(3)
    even, odd = m.free(even, 30, rng)
    layers = m.parts(even, (rng.uniform(odd.shape) < odd).astype(float))
    assert [k.shape[1] for k in layers] == list(sizes)
    seen = np.bincount(code(np.concatenate(layers, axis=1)), minlength=len(p)) / n
    want = p[np.argsort(code(np.concatenate(h, axis=1)))]
    dof = len(p) - 1
    assert ((seen - want) ** 2 / want).sum() * n < dof + 6 * np.sqrt(2 * dof)


def test_mean_field_raises_the_bound_and_stays_below_the_likelihood():
    m, v = small((4, 3, 2)), ais.states(4)
    bounds = []
    for steps in range(1, 9):
        m.s["mean_field_steps"] = steps
        bounds.append(m.terms(v))
    assert (np.diff(bounds, axis=0) > -1e-12).all() and (bounds[-1] > bounds[0] + 1e-5).any()
    h, p, log_z = enumerated(m)
    log_p = np.log(np.bincount(code(h[0]), p))
    assert (bounds[-1] - log_z < log_p).all() and (bounds[-1] - log_z > log_p - 0.5).all()
    mu = m.mean_field(v, 300)
    for k in (1, 2):  # at rest
        x = mu[k - 1] @ m.layers[k - 1].w.numpy() + m.c[k].numpy()
        x = x + mu[2] @ m.layers[1].w.numpy().T if k == 1 else x
        assert np.allclose(mu[k], 1 / (1 + np.exp(-x)), atol=1e-9)


def test_exact_phases_are_the_gradient_of_the_likelihood():
    m = small((3, 2, 2))
    rows = [1, 6, 6]
    h, p, _ = enumerated(m)
    given = np.isin(code(h[0]), rows)
    pv = np.bincount(code(h[0]), p)
    q = sum(p * (code(h[0]) == r) / pv[r] for r in rows) / len(rows)
    assert given.any()

    def mean_log_p(w, c):
        hs, ps, _ = enumerated(m, w, c)
        return np.log(np.bincount(code(hs[0]), ps))[rows].mean()

    w, c = [k.w.numpy().copy() for k in m.layers], [k.numpy().copy() for k in m.c]
    weights = q - p
    for arrays, want in (
        (w, [(a * weights[:, None]).T @ b for a, b in itertools.pairwise(h)]),
        (c, [weights @ a for a in h]),
    ):
        for array, wanted in zip(arrays, want):
            for at in np.ndindex(array.shape):
                array[at] += 1e-5
                up = mean_log_p(w, c)
                array[at] -= 2e-5
                down = mean_log_p(w, c)
                array[at] += 1e-5
                assert (up - down) / 2e-5 == pytest.approx(wanted[at], abs=1e-7)


@pytest.mark.parametrize("centred", [False, True])
def test_a_joint_step_takes_those_statistics(centred):
    m = small((4, 3, 2), centred=centred)
    v = ais.states(4)[[1, 6, 9]]
    m.learn(v)
    mu = m.mean_field(v, m.s["mean_field_steps"])
    even, odd = m.free(m.fantasy.numpy().copy(), 0, gg.Generator(0))
    f = m.parts(even, odd)
    off = [k.numpy() if centred else 0.0 * k.numpy() for k in m.means]
    dw = [
        (f[k] - off[k]).T @ (f[k + 1] - off[k + 1]) / len(even)
        - (mu[k] - off[k]).T @ (mu[k + 1] - off[k + 1]) / len(v)
        for k in range(2)
    ]
    dc = [a.mean(axis=0) - b.mean(axis=0) for a, b in zip(f, mu)]
    want = [dc[0] - dw[0] @ off[1], dc[1] - off[0] @ dw[0] - dw[1] @ off[2], dc[2] - off[1] @ dw[1]]
    for k in range(2):
        assert np.allclose(m.layers[k].w.grad.numpy(), dw[k])
    for c, g in zip(m.c, want):
        assert np.allclose(c.grad.numpy(), g)


def test_layers_are_trained_with_doubled_inputs():
    m = small((4, 3, 3, 2))
    assert [k.doubled for k in m.layers] == [(2, 1), (2, 2), (1, 2)]
    v = ais.states(4)
    w, a = m.layers[0].w.numpy(), m.layers[0].a.numpy()
    assert np.allclose(m.layers[0].hidden(v), 1 / (1 + np.exp(-(2 * v @ w + a))))
    h = ais.states(2)
    w, b = m.layers[2].w.numpy(), m.layers[2].b.numpy()
    assert np.allclose(m.layers[2].visible(h), 1 / (1 + np.exp(-(2 * h @ w.T + b))))
    m.join_machines()
    assert np.allclose(m.c[1].numpy(), (m.layers[0].a.numpy() + m.layers[1].b.numpy()) / 2)


def test_training_improves_on_pre_training_and_draws():
    few = {"epochs": 60, "pretrain": 15, "ais_every": 30, "temperatures": 300}
    trained = training.train(RECIPE, overrides=few)
    found, history = trained.test_figures, trained.history
    assert found["bound"] < 24.2 and found["log_z_spread"] < 0.3  # independent pixels: 26.7
    assert history[59]["valid_bound"] < history[29]["valid_bound"] - 0.5
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"filters", "filters_2", "samples", "reconstructions"}


def test_one_hidden_layer_is_no_deep_machine():
    with pytest.raises(SettingError, match="hidden must name at least two widths"):
        small((4, 3))
