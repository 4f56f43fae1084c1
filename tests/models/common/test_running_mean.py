"""The running mean of a generator's weights, against a loop by hand."""

import numpy as np
import pytest

from glassgrad import core as gg
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.state import TrainingState
from glassgrad.core.training.system import Batch
from glassgrad.models.adversarial import dcgan, feature_matching, gan, wgan

X = np.random.default_rng(0).random((12, 1, 4, 4))
DATA = DataSet("small", Split(X, np.arange(12) % 3), Split(X), Split(X))
GAMES = {
    "gan": (gan.GAN, gan.Settings, {"generator": (5,), "discriminator": (4,)}),
    "wgan": (wgan.WGAN, wgan.Settings, {"generator": (5,), "discriminator": (4,), "steps": 2}),
    "feature-matching": (
        feature_matching.FeatureMatching,
        feature_matching.Settings,
        {"generator": (5,), "discriminator": (4,), "labels": 6, "known": 4},
    ),
    "dcgan": (dcgan.DCGAN, dcgan.Settings, {"generator": (3,), "discriminator": (2,)}),
}


def game(which="gan", **changes):
    build, settings, few = GAMES[which]
    few = {"noise": 3, "samples": 50, "batch": 4, "generator_norm": True, **few, **changes}
    return build(DATA, settings(**few), gg.Generator(1), dtype="float64")


@pytest.mark.parametrize("which", GAMES)
def test_the_mean_is_that_of_all_steps(which):
    m = game(which, generator_average=0.75)
    want = {n: t.numpy().astype(float) for n, t in m.generator.named_tensors()}
    state = TrainingState(m, DATA, m.s)
    for epoch in range(3):
        for batch in m.batches(DATA, m.s.batch, 0, epoch, 0):
            m.train_step(Batch(batch.x, batch.y), state)
            for n, t in m.generator.named_tensors():
                old = want[n] if t.dtype.kind == "f" else t.numpy()
                want[n] = 0.75 * old + 0.25 * t.numpy()
    found = dict(m.mean_generator.named_tensors())
    assert found.keys() == want.keys() and any("running_mean" in name for name in found)
    for n, t in found.items():
        np.testing.assert_allclose(t.numpy(), want[n], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("which", GAMES)
def test_the_game_is_the_same_and_samples_are_of_the_mean(which):
    """No step sees the mean: with and without it D and G end with the same bits."""
    plain, mean = game(which), game(which, generator_average=0.9)
    for m in (plain, mean):
        fit(m, DATA, m.s.changed(epochs=2))
    states = plain.state_dict(), mean.state_dict()
    assert all(np.array_equal(a, states[1][n]) for n, a in states[0].items())
    assert not np.array_equal(plain.drawn(5), mean.drawn(5))
    plain.generator.load_state_dict(mean.mean_generator.state_dict())
    assert np.array_equal(plain.drawn(5), mean.drawn(5))
    assert mean.count() == plain.count()  # the mean is nothing that is trained


def test_a_resumed_training_has_the_same_mean(tmp_path):
    whole, part = game(generator_average=0.9), game(generator_average=0.9)
    fit(whole, DATA, whole.s.changed(epochs=3))
    run = Run(tmp_path)
    fit(part, DATA, part.s.changed(epochs=1), run=run)
    again = game(generator_average=0.9)
    fit(again, DATA, again.s.changed(epochs=3), run=run, resume=True)
    for (n, a), (_, b) in zip(whole.named_tensors(), again.named_tensors()):
        assert np.array_equal(a.numpy(), b.numpy()), n


def test_shards_leave_the_mean_as_one_process_moves_it():
    """Three shards of a minibatch have statistics of their own; the mean has none."""
    m = game(generator_average=0.75, batch=6, shards=3)
    want = {n: t.numpy().copy() for n, t in m.generator.named_tensors() if t.dtype.kind == "f"}
    state = TrainingState(m, DATA, m.s)
    for batch in m.batches(DATA, m.s.batch, 0, 0, 0):
        m.train_step(Batch(batch.x, batch.y), state)
        for n, t in m.generator.named_tensors():
            if n in want:
                want[n] += (1 - 0.75) * (t.numpy() - want[n])
    found = dict(m.mean_generator.named_tensors())
    assert all(np.array_equal(found[n].numpy(), a) for n, a in want.items())
