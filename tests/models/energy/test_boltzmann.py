"""The Boltzmann machine: conditionals, gradient, mean field and Z against enumeration."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import Split
from glassgrad.core.training.settings import SettingError, setting
from glassgrad.core.training.system import Batch
from glassgrad.models.energy import ais, boltzmann
from tests.models.energy.test_helmholtz import Still

RECIPE = models.recipe("boltzmann-machine")
N, H = 4, 3  # visible, hidden


class Resting(boltzmann.Settings):
    """With chains that stay where they are."""

    steps: int = setting(0, least=0, help="sweeps of the chains")


def small(dtype="float64", scale=0.8, hidden=H, settings=boltzmann.Settings, **changes):
    s = settings(hidden=hidden, **{"chains": 60, **changes})
    m = boltzmann.BoltzmannMachine(np.full(N, 0.4), 10, s, gg.Generator(1), dtype)
    rng = np.random.default_rng(0)
    j = np.triu(scale * rng.standard_normal(m.j.shape), 1)
    m.j.assign((j + j.T).astype(dtype))
    m.c.assign((scale * rng.standard_normal(m.c.shape)).astype(dtype))
    return m


def probabilities(m, j=None, c=None):
    """(all states [2^N, N], P(s), ln Z) from the energy, pair by pair."""
    s = ais.states(len(m.c.data))
    j, c = m.j.numpy() if j is None else j, m.c.numpy() if c is None else c
    e = s @ c
    for i in range(len(c)):
        for k in range(i):
            e = e + j[i, k] * s[:, i] * s[:, k]
    p = np.exp(e)
    return s, p / p.sum(), np.log(p.sum())


def code(s):
    return (np.asarray(s) @ 2 ** np.arange(np.shape(s)[1])).astype(int)


def log_likelihood(m, v, j=None, c=None):
    s, p, _ = probabilities(m, j, c)
    pv = np.bincount(code(s[:, :N]), p, minlength=2**N)
    return np.log(pv[code(v)]).mean()


def test_energy_and_partition_function_are_enumerations():
    m = small()
    s, p, log_z = probabilities(m)
    e = boltzmann.energy(gg.Tensor(s), m.j, m.c).numpy()
    assert np.allclose(-e - log_z, np.log(p))
    assert np.allclose(m.minus_energy(s.T), -e)
    assert m.exact() == pytest.approx(log_z, rel=1e-12)
    single = small("float32", temperatures=300)
    found = single.partition()
    assert 0 < found.spread < 0.2 and abs(found.log_z - log_z) < 5 * found.spread
    v = ais.states(N).astype(np.float32)
    figures = single.evaluate(Split(v))
    assert figures["log_z"] == pytest.approx(log_z, rel=1e-5) and figures["ais_error"] < 0.5
    assert -figures["bound"] < log_likelihood(m, v)  # a bound, and not a loose one
    assert -figures["bound"] > log_likelihood(m, v) - 1


def test_sweeps_have_the_distribution_of_the_energy():
    m, n = small(), 30_000
    _, p, _ = probabilities(m)
    s = np.zeros((N + H, n))
    rng = gg.Generator(2)
    for _ in range(30):
        m.sweep(s, rng)
    seen = np.bincount(code(s.T), minlength=128) / n
    assert ((seen - p) ** 2 / p).sum() * n < 127 + 5 * np.sqrt(2 * 127)
    v = np.repeat(ais.states(N)[[6]], n, axis=0)
    clamped = small(sweeps=30).clamped(v, "gibbs", rng)
    assert (v == clamped[:N].T).all()
    states = ais.states(N + H)
    given = p * (code(states[:, :N]) == 6)
    given = np.bincount(code(states[:, N:]), given) / given.sum()
    seen = np.bincount(code(clamped[N:].T), minlength=2**H) / n
    assert ((seen - given) ** 2 / given).sum() * n < 7 + 5 * np.sqrt(14)


def test_every_step_of_mean_field_raises_the_bound():
    m, v = small(), ais.states(N)
    bounds = []
    for steps in range(1, 8):
        m.s = replace(m.s, sweeps=steps)
        bounds.append(m.terms(v))
    assert (np.diff(bounds, axis=0) > -1e-12).all() and (bounds[-1] > bounds[0] + 1e-4).any()
    s, p, log_z = probabilities(m)
    pv = np.log(np.bincount(code(s[:, :N]), p))
    assert (bounds[-1] - log_z < pv).all()
    mu = m.clamped(v, "mean_field", None)  # settled: each mean is its own condition
    m.mean_field(mu, 200, N)
    assert np.allclose(mu[N:], 1 / (1 + np.exp(-(m.j.numpy() @ mu + m.c.numpy()[:, None])[N:])))


class Rate(Still):
    """A trainer whose optimiser takes plain steps of rate 0.5."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def step(self):
        for p in (self.model.j, self.model.c):
            p.assign(p.numpy() - 0.5 * p.grad.numpy())


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("hidden", [0, H])
def test_a_step_goes_up_the_gradient_of_the_likelihood(hidden, centred):
    """Against differences of ln P(v) by enumeration, with chains that hold every state as often as
    it is likely, and hidden units by many sweeps given v; without any both phases are exact.

    A change e of J_ij is one in the coordinates of the offsets m: c moves by -e m_j and -e m_i.
    """
    n = 40_000
    m = small(hidden=hidden, settings=Resting, centred=centred, sweeps=25, positive="gibbs")
    states, p, _ = probabilities(m)
    many = np.repeat(states, np.round(p * 400_000).astype(int), axis=0)
    m.fantasy = gg.Tensor(np.ascontiguousarray(many.T))
    v = ais.states(N)[[1, 6, 6, 12]]
    j, c = m.j.numpy().copy(), m.c.numpy().copy()
    m.train_step(Batch(np.repeat(v, n // 4, axis=0)), Rate(m))
    offset = m.mean.numpy() * centred
    dj, dc = m.j.numpy() - j, m.c.numpy() - c

    def slope(change_j, change_c, e=1e-5):
        ends = [log_likelihood(m, v, j + s * change_j, c + s * change_c) for s in (e, -e)]
        return (ends[0] - ends[1]) / (2 * e)

    eye, up_j, up_c = np.eye(N + hidden), np.zeros(j.shape), np.zeros(c.shape)
    for i in range(N + hidden):
        up_c[i] += slope(0 * j, eye[i])
        for k in range(i):
            pair = np.outer(eye[i], eye[k])
            pair = pair + pair.T
            g = slope(pair, -pair @ offset)
            up_j += g * pair
            up_c -= g * pair @ offset
    assert np.abs(up_j).max() > 0.1 and np.abs(up_c).max() > 0.1
    # a mean of n products of 0 and 1 is within 5/(2√n)
    error = 2e-5 if not hidden else 2.5 / np.sqrt(n)
    assert np.abs(dj - 0.5 * up_j).max() < error
    assert np.abs(dc - 0.5 * up_c).max() < error * (1 + np.linalg.norm(offset))


@pytest.mark.parametrize("centred", [False, True])
def test_a_step_takes_the_difference_of_the_phases(centred):
    m = small(centred=centred)
    v = ais.states(N)[[1, 6, 6, 12]]
    state = m.noise.state
    before = m.fantasy.numpy().copy()
    m.train_step(Batch(v), Still())
    s, f = m.clamped(v, "mean_field", None).T, m.fantasy.numpy().T
    assert (f != before.T).any() and m.noise.state != state
    mean = m.mean.numpy() if centred else np.zeros(N + H)
    want = (f - mean).T @ (f - mean) / len(f) - (s - mean).T @ (s - mean) / len(s)
    np.fill_diagonal(want, 0)
    assert np.allclose(m.j.grad.numpy(), want) and (m.j.grad.numpy() == m.j.grad.numpy().T).all()
    wanted = f.mean(axis=0) - s.mean(axis=0) - want @ mean
    assert np.allclose(m.c.grad.numpy(), wanted)
    if not centred:  # a pair's derivative is that of both its entries in the objective
        j, c = (gg.Tensor(p.numpy().copy(), requires_grad=True) for p in (m.j, m.c))
        # mean-field states are no longer 0 and 1, but the energy is linear in each of them
        gap = (
            boltzmann.energy(gg.Tensor(s), j, c).mean()
            - boltzmann.energy(gg.Tensor(f), j, c).mean()
        )
        gj, gc = (g.numpy() for g in gg.grad(gap, [j, c]))
        assert np.allclose(m.j.grad.numpy(), gj + gj.T) and np.allclose(m.c.grad.numpy(), gc)


def test_the_objective_passes_the_gradient_check():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, directions=3).error < 1e-6


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("boltzmann-machine", {}),
        ("boltzmann-machine", {"positive": "gibbs", "sweeps": 1}),
        ("boltzmann-machine", {"negative": "mean_field", "lr": 0.1}),
        ("boltzmann-machine-visible", {}),
    ],
)
def test_training_beats_independent_pixels(name, changes):
    recipe = models.recipe(name)
    few = {"epochs": 12, "temperatures": 300, "ais_chains": 50}
    if name == "boltzmann-machine":
        few |= {"hidden": 12, "sweeps": 3}
    trained = training.train(recipe, overrides={**few, **changes})
    found = trained.test_figures
    assert found["bound"] < 25.5 and found["log_z_spread"] < 0.3  # independent pixels: 26.7
    j = trained.system.j.numpy()
    assert (j == j.T).all() and (j.diagonal() == 0).all()


def test_figures_are_drawn():
    trained = training.train(RECIPE, overrides={"epochs": 1, "temperatures": 10, "hidden": 4})
    made = RECIPE.figures(trained.system, trained.data, trained.settings)
    assert set(made) == {"couplings", "filters", "samples"}


def test_settings_are_checked():
    with pytest.raises(SettingError, match="'positive' must be 'mean_field' or 'gibbs'"):
        small(positive="meanfield")
    visible = models.recipe("boltzmann-machine-visible")
    with pytest.raises(SettingError, match="'positive' has no effect with hidden=0"):
        visible.resolve("digits", {"positive": "gibbs"})
    with pytest.raises(SettingError, match="'steps' has no effect with negative=mean_field"):
        RECIPE.resolve("digits", {"negative": "mean_field", "steps": 3})
    with pytest.raises(SettingError, match="'sweeps' has no effect with hidden=0"):
        visible.resolve("digits", {"sweeps": 3})
    assert visible.resolve("digits", {"sweeps": 3, "negative": "mean_field"}).sweeps == 3
