"""The Wasserstein net: objectives by hand, weights in their cube, what is refused."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.loop import TrainingState, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.adversarial import wgan, wgan_pictures

RECIPE = wgan.RECIPES[0]
X = np.random.default_rng(0).standard_normal((20, 2))
POINTS = DataSet("points", Split(X), Split(X), Split(X))


def small(**changes):
    few = {"noise": 2, "generator": (5,), "discriminator": (4,), "samples": 50, **changes}
    return wgan.WGAN(POINTS, wgan.Settings(**few), gg.Generator(1), dtype="float64")


def test_the_objectives_are_the_equations():
    m = small(steps=1)
    twin = small(steps=1)
    fake = twin.generate(twin.noise(20))
    want = twin.judge(gg.Tensor(X)).numpy().mean() - twin.judge(fake).numpy().mean()
    loss, parts = m.objective(Batch(X))
    assert loss.item() == pytest.approx(-want, rel=1e-10)
    assert parts["gap"].item() == pytest.approx(want, rel=1e-10)
    then = -twin.judge(twin.generate(twin.noise(20))).numpy().mean()
    assert parts["deception"].item() == pytest.approx(then, rel=1e-10)


@pytest.mark.parametrize("constraint", ["penalty", "one-sided"])
def test_the_penalty_is_that_of_finite_differences(constraint):
    """‖∇f‖ by central differences of f at the same points between real and made."""
    m = small(constraint=constraint, weight=3.0, steps=1)
    for p in m.discriminator.parameters():
        p.assign(3 * p.numpy())
    twin = small(constraint=constraint, steps=1)
    fake = twin.generate(twin.noise(20)).numpy()
    u = twin.between.uniform((20, 1), 0.0, 1.0, "float64")
    at, h = (u * X + (1 - u) * fake - X.mean(axis=0)) / X.std(axis=0), 1e-6

    def f(rows):  # of rows in units of the training set
        return m.discriminator(gg.Tensor(rows)).numpy()

    slope = [(f(at + h * e) - f(at - h * e)) / (2 * h) for e in np.eye(2)]
    off = np.hypot(*slope) - 1
    assert (off > 0).any()
    want = ((np.maximum(off, 0) if constraint == "one-sided" else off) ** 2).mean()
    loss, parts = m.discrimination(Batch(X))
    assert parts["penalty"].item() == pytest.approx(want, rel=1e-5)
    assert loss.item() == pytest.approx(3 * want - parts["gap"].item(), rel=1e-5)


def test_weights_stay_in_their_cube():
    """From the start, and after every step of the critic; the generator's are free."""
    m, largest = small(side=0.1, steps=2, lr=0.05, discriminator_lr=0.05), []
    judge = m.judge

    def look(x):
        largest.append(max(np.abs(p.numpy()).max() for p in m.discriminator.parameters()))
        return judge(x)

    m.judge = look
    batch = Batch(X[:8])
    state = TrainingState(m, POINTS, m.s)
    for _ in range(3):
        m.train_step(batch, state)
    assert len(largest) == 3 * 5 and max(largest) == pytest.approx(0.05)
    assert max(np.abs(p.numpy()).max() for p in m.generator.parameters()) > 0.05
    free = small(constraint="one-sided")
    assert max(np.abs(p.numpy()).max() for p in free.discriminator.parameters()) > 0.1


@pytest.mark.parametrize("changes", [{}, {"constraint": "penalty"}, {"constraint": "one-sided"}])
def test_the_gradient_of_both_objectives(changes):
    f, arrays = wgan.check(np.random.default_rng(0), **changes)
    for which in range(2):
        report = gg.gradcheck(lambda *p, i=which: f(*p)[i], *arrays, directions=2)
        assert report.error < 1e-5


def test_pictures_and_figures(monkeypatch):
    monkeypatch.setattr(wgan_pictures, "DISTANCES", np.array([1.0, 2.0]))
    few = wgan_pictures.primal_dual
    monkeypatch.setattr(wgan_pictures, "primal_dual", lambda: few(steps=2, n=8))
    m = small()
    assert set(wgan_pictures.figures(m, POINTS, m.s)) == {
        "points", "primal_dual", "critic", "weights",
    }  # fmt: skip
    found = m.evaluate_finished(POINTS.test)
    made = m.drawn(50)
    want = m.judge(gg.Tensor(X)).numpy().mean() - m.judge(gg.Tensor(made)).numpy().mean()
    assert found["gap"] == pytest.approx(want, rel=1e-6)


def test_bad_settings_are_refused():
    with pytest.raises(SettingError, match="discriminator_norm must be false"):
        RECIPE.resolve("ring", {"constraint": "penalty", "discriminator_norm": True})
    with pytest.raises(SettingError, match="'weight' has no effect with constraint=clipping"):
        RECIPE.resolve("ring", {"weight": 1.0})
    with pytest.raises(SettingError, match="'side' must be above 0"):
        RECIPE.resolve("ring", {"side": 0.0})


def test_a_killed_game_goes_on_as_if_nothing_had_happened(tmp_path):
    """Noise, penalty points and dropout masks are part of a checkpoint."""
    few = {"constraint": "one-sided", "batch": 4, "steps": 2, "discriminator_dropout": 0.2}
    whole = small(**few, epochs=2)
    fit(whole, POINTS, whole.s)
    run = Run.create(tmp_path, "wgan")
    first = small(**few, epochs=1)
    fit(first, POINTS, first.s, run=run)
    again = small(**few, epochs=2)
    fit(again, POINTS, again.s, run=run, resume=True)
    for (name, p), (_, q) in zip(whole.named_parameters(), again.named_parameters()):
        assert np.array_equal(p.numpy(), q.numpy()), name
