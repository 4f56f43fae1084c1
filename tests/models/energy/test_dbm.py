"""The deep Boltzmann machine: two groups, mean field, bound and gradient against enumeration."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import Split
from glassgrad.core.training.settings import SettingError, TrainingSettings, setting
from glassgrad.core.training.system import Batch
from glassgrad.models.energy import ais, dbm, dbm_pictures
from tests.tools import Undivided, assert_close

RECIPE = models.recipe("dbm")


class Resting(dbm.Settings):
    """With chains that stay where they are."""

    steps: int = setting(0, least=0, help="Gibbs steps of the chains")


def small(sizes=(4, 3, 2), dtype="float64", scale=0.8, **changes):
    s = dbm.Settings(hidden=sizes[1:], **{"chains": 50, **changes})
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


class Steps:
    """A trainer in the joint stage whose optimiser takes plain steps of rate 0.5."""

    shards = Undivided()

    epoch, batch, lr = 99, 1, 0.5

    def __init__(self, model):
        self.model, self.optimiser = model, self
        self.settings = TrainingSettings(epochs=100, lr=0.5)

    def clip(self, parameters=None, loss=None): ...

    def step(self):
        for p in self.model.parameters():
            if p.grad is not None:
                p.assign(p.numpy() - self.lr * p.grad.numpy())


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
        m.s = replace(m.s, mean_field_steps=steps)
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


def factorised(m, v):
    """Σ_h q(h) (ln p*(v, h) - ln q(h)) over all h for q = Π of mean field's means: [N]."""
    mu = np.concatenate(m.mean_field(v, m.s.mean_field_steps)[1:], axis=1)
    h, at = ais.states(mu.shape[1]), np.cumsum([0, *m.s.hidden])
    log_q = np.log(mu) @ h.T + np.log(1 - mu) @ (1 - h).T  # [N, states]
    layers = [h[:, i:j] for i, j in itertools.pairwise(at)]
    w, c = [k.w.numpy() for k in m.layers], [k.numpy() for k in m.c]
    within = sum(((a @ k) * b).sum(axis=1) for a, b, k in zip(layers, layers[1:], w[1:]))
    within = within + sum(x @ k for x, k in zip(layers, c[1:]))
    log_p = v @ w[0] @ layers[0].T + (v @ c[0])[:, None] + within
    return (np.exp(log_q) * (log_p - log_q)).sum(axis=1)


@pytest.mark.parametrize("sizes", [(4, 3, 2), (3, 2, 3, 2)])
def test_bound_and_ais_are_enumerations(sizes):
    """Of three layers and of four, as even layers against odd ones."""
    m = small(sizes, "float32", temperatures=300, mean_field_steps=3)
    v = ais.states(sizes[0]).astype(np.float32)
    want = factorised(m, v)
    assert_close(m.terms(v).astype("f8"), want, rtol=1e-5)
    _, _, log_z = enumerated(m)
    found = m.partition()
    assert 0 < found.spread < 0.1 and abs(found.log_z - log_z) < 4 * found.spread
    figures = m.evaluate(Split(v))
    assert figures["log_z"] == pytest.approx(log_z, abs=4 * figures["log_z_spread"])
    assert figures["bound"] == pytest.approx(log_z - want.mean(), abs=4 * found.spread)
    assert figures["free_energy"] == pytest.approx(-want.mean(), rel=1e-5)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("sizes", [(3, 2, 2), (2, 2, 2, 1)])
def test_a_joint_step_goes_up_the_gradient_of_the_bound(sizes, centred):
    """With chains that hold every state as often as it is likely and mean field at rest.

    The derivative of the bound is taken by differences of an enumeration: by c, and by each W in
    the coordinates of the offsets, in which W's change by e moves the biases on both sides too.
    """
    m = small(sizes, centred=centred, mean_field_steps=400)
    m.s = Resting(**{**m.s.as_dict(), "steps": 0})
    v = ais.states(sizes[0])[[1, 2, 2]]
    _, _, log_z = enumerated(m)
    even, (w, b, a) = ais.states(sum(sizes[::2])), m.bipartite()
    p = np.exp(even @ b + np.logaddexp(0, even @ w + a).sum(axis=1) - log_z)
    m.fantasy = gg.Tensor(np.repeat(even, np.round(p * 400_000).astype(int), axis=0))
    before = [k.numpy().copy() for k in [*(layer.w for layer in m.layers), *m.c]]
    m.train_step(Batch(v), Steps(m))
    offsets = [k.numpy() * centred for k in m.means]
    w, c = [k.w for k in m.layers], m.c
    taken = [k.numpy() - old for k, old in zip([*w, *c], before)]
    for k, old in zip([*w, *c], before):
        k.assign(old)

    def bound():
        return factorised(m, v).mean() - enumerated(m)[2]

    def slope(changes, e=1e-5):
        """(bound(+e) - bound(-e)) / 2e along changes [(parameter, direction), …]."""
        found = []
        for step in (e, -2 * e):
            for k, d in changes:
                k.assign(k.numpy() + step * d)
            found.append(bound())
        for k, d in changes:
            k.assign(k.numpy() + e * d)
        return (found[0] - found[1]) / (2 * e)

    up = [np.zeros(k.shape) for k in [*w, *c]]
    for k, layer in enumerate(w):
        for at in np.ndindex(layer.shape):
            d = np.zeros(layer.shape)
            d[at] = 1
            below, above = -d @ offsets[k + 1], -offsets[k] @ d
            g = slope([(layer, d), (c[k], below), (c[k + 1], above)])
            for index, part in ((k, d), (len(w) + k, below), (len(w) + k + 1, above)):
                up[index] += g * part
    for k, bias in enumerate(c):
        for i in range(len(bias.numpy())):
            up[len(w) + k][i] += slope([(bias, np.eye(len(bias.numpy()))[i])])
    assert max(np.abs(u).max() for u in up) > 0.1
    for got, want in zip(taken, up):
        assert np.abs(got - 0.5 * want).max() < 2e-5  # rate 0.5; 400 000 chains


@pytest.mark.parametrize("centred", [False, True])
def test_a_joint_step_takes_those_statistics(centred):
    m = small((4, 3, 2), centred=centred)
    v = ais.states(4)[[1, 6, 9]]
    m.learn(v)
    mu = m.mean_field(v, m.s.mean_field_steps)
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


def test_the_rule_is_the_gradient_of_the_checked_objective():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6
    m = small((4, 3, 3, 2), centred=False)
    v = ais.states(4)[[1, 6, 9]]
    mu = [gg.Tensor(k) for k in m.mean_field(v, m.s.mean_field_steps)]
    m.learn(v)
    model = [gg.Tensor(k) for k in m.parts(*m.free(m.fantasy.numpy().copy(), 0, None))]
    w, c = [k.w for k in m.layers], m.c
    gap = dbm.energy(mu, w, c).mean() - dbm.energy(model, w, c).mean()
    assert gap.item() == pytest.approx(
        float(m.minus_energy([k.numpy() for k in model]).mean())
        - float(m.minus_energy([k.numpy() for k in mu]).mean())
    )
    for p, g in zip([*w, *c], gg.grad(gap, [*w, *c])):
        assert_close(p.grad.numpy(), g.numpy(), rtol=1e-12)


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


@pytest.mark.slow
def test_training_improves_on_pre_training_and_draws():
    few = {"epochs": 60, "pretrain": 15, "ais_every": 30, "temperatures": 300}
    trained = training.train(RECIPE, overrides=few)
    found, history = trained.test_figures, trained.history
    assert found["bound"] < 24.2 and found["log_z_spread"] < 0.3  # independent pixels: 26.7
    assert history[59]["valid_bound"] < history[29]["valid_bound"] - 0.5
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"filters", "filters_2", "samples", "chains", "reconstructions"}


def test_chains_show_the_states_they_start_from_and_where_they_come_to():
    """After many steps from either start: the machine's own means of the pixels, by enumeration."""
    m = small((4, 3, 2))
    h, p, _ = enumerated(m)
    start = np.repeat([[1.0, 0, 1, 0, 1, 1], [0.0, 1, 0, 1, 0, 0]], 20_000, axis=0)
    shown = dbm_pictures.histories(m, start.copy(), (0, 1, 60), gg.Generator(4))
    assert shown.shape == (40_000, 3, 4) and np.array_equal(shown[:, 0], start[:, :4])
    for half in np.split(shown[:, 2], 2):
        assert np.abs(half.mean(axis=0) - p @ h[0]).max() < 0.02
    first = [half.mean(axis=0) for half in np.split(shown[:, 1], 2)]
    assert np.abs(first[0] - first[1]).max() > 0.02  # after one step the start still shows
    steps, free = [], m.free
    m.free = lambda even, n, rng: steps.append(n) or free(even, n, rng)
    dbm_pictures.histories(m, start[:2], (0, 1, 4, 10), gg.Generator(4))
    assert steps == [1, 3, 6]


def test_one_hidden_layer_is_no_deep_machine():
    with pytest.raises(SettingError, match="hidden must name at least two widths"):
        small((4, 3))
