"""The convolutional autoencoder: its maps against SciPy, its sizes, its training."""

import numpy as np
import pytest
from scipy.signal import correlate

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.recipe import SettingError
from glassgrad.models import convolutional_autoencoder as conv

RECIPE = conv.CONVOLUTIONAL


def small(x, **changes):
    s = {**conv.SETTINGS, "channels": (2, 3), "code": 4, "activation": "tanh", **changes}
    return conv.build(DataSet("small", Split(x)), s, gg.Generator(1), dtype="float64")


def test_the_encoder_by_hand():
    x = np.random.default_rng(0).random((2, 1, 8, 4))
    m = small(x, code=0)
    p, h = m.state_dict(), x
    for layer in ("convolutions.0", "convolutions.3"):
        w, b = p[f"{layer}.weight"], p[f"{layer}.bias"]
        n, height, width = len(h), *h.shape[2:]
        a = np.zeros((n, len(w), height, width))
        for i in range(n):
            for o in range(len(w)):
                a[i, o] = b[o] + sum(correlate(c, k, "same") for c, k in zip(h[i], w[o]))
        a = np.tanh(a).reshape(n, len(w), height // 2, 2, width // 2, 2)
        h = a.max(axis=(3, 5))
    assert np.allclose(m.codes(x), h.reshape(2, -1), rtol=1e-12)
    assert m.reconstruct(x).shape == (2, 32)


@pytest.mark.parametrize("pool", ["max", "average", "stride"])
@pytest.mark.parametrize("code", [0, 4])
def test_sizes(pool, code):
    x = np.random.default_rng(0).random((3, 2, 4, 8))
    m = small(x, pool=pool, code=code)
    assert m.codes(x).shape == (3, code or 3 * 1 * 2)
    y = m.reconstruct(x)
    assert y.shape == (3, 64) and (y > 0).all() and (y < 1).all()


@pytest.mark.parametrize(
    "changes", [{}, {"code": 0}, {"pool": "average"}, {"pool": "stride"}], ids=str
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = RECIPE.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=3).error < 1e-6


def test_training_learns_the_data_with_few_weights():
    done = training.train(RECIPE, overrides={"epochs": 9})
    x = done.data.test.x.reshape(300, -1)
    spread = ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert done.test_figures["squared_error"] < 0.5 * spread
    figures = RECIPE.figures(done.system, done.data, done.settings)
    assert set(figures) == {"filters", "maps", "activations", "reconstructions", "codes"}


def test_bad_settings_are_refused():
    x = np.zeros((2, 1, 8, 6), np.float32)
    with pytest.raises(SettingError, match="divisible by 2 to their number"):
        small(x)
    with pytest.raises(SettingError, match="kernel must be odd"):
        small(x, channels=(2,), kernel=2)
    with pytest.raises(SettingError, match="pool must be one of"):
        small(x, channels=(2,), pool="mean")
    with pytest.raises(SettingError, match="has no images"):
        small(np.zeros((2, 6)))
