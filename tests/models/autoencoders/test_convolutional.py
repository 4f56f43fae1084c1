"""The convolutional autoencoder: both sides written out, its sizes, its training."""

import numpy as np
import pytest
from scipy.signal import correlate

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import SettingError
from glassgrad.models.autoencoders import convolutional as conv
from glassgrad.models.common import code_pictures

RECIPE = conv.CONVOLUTIONAL


def small(x, **changes):
    s = conv.Settings(**{"channels": (2, 3), "code": 4, "activation": "tanh", **changes})
    return conv.build(DataSet("small", Split(x)), s, gg.Generator(1), dtype="float64")


def stages(m, side):
    """(weight, bias) of the layers of the encoder or the decoder, in their order."""
    p = m.state_dict()
    numbers = sorted({int(k.split(".")[1]) for k in p if k.startswith(side + ".")})
    return [(p[f"{side}.{i}.weight"], p[f"{side}.{i}.bias"]) for i in numbers]


def convolved(h, w, b):
    """Cross-correlation that keeps the size, zeros at the border: [N, C, H, W] -> [N, O, H, W]."""
    maps = [[sum(correlate(c, k, "same") for c, k in zip(x, o)) for o in w] for x in h]
    return np.array(maps) + b[:, None, None]


def halved(h, how):
    """Every 2x2 as its largest or its mean, or every second pixel."""
    if how == "stride":
        return h[:, :, ::2, ::2]
    n, c, height, width = h.shape
    parts = h.reshape(n, c, height // 2, 2, width // 2, 2)
    return parts.max(axis=(3, 5)) if how == "max" else parts.mean(axis=(3, 5))


def doubled(h, w, b):
    """Each pixel as a 2x2 of its own: y[o, 2r+i, 2c+j] = b[o] + Σ_k h[k, r, c] w[k, o, i, j]."""
    n, _, height, width = h.shape
    y = np.zeros((n, w.shape[1], 2 * height, 2 * width)) + b[:, None, None]
    for r, q, i, j in np.ndindex(height, width, 2, 2):
        y[:, :, 2 * r + i, 2 * q + j] += h[:, :, r, q] @ w[:, :, i, j]
    return y


@pytest.mark.parametrize("pool", ["max", "average", "stride"])
@pytest.mark.parametrize("code", [0, 4])
def test_encoder_and_decoder_are_written_out(pool, code):
    """σ after each convolution down, then halving; up: doubling, σ, convolution, σ but at last."""
    x = np.random.default_rng(0).random((2, 2, 8, 4))
    m = small(x, pool=pool, code=code)
    draw = np.random.default_rng(1)
    for t in m.parameters():
        t.assign(0.5 * draw.normal(size=t.shape))
    h, down, up = x, stages(m, "encoder"), stages(m, "decoder")
    for w, b in down[:2]:
        a = convolved(h, w, b)
        h = halved(np.tanh(a), pool)
    z = h.reshape(2, -1)
    if code:
        w, b = down[2]
        z = z @ w.T + b
        h = np.tanh(z @ up[0][0].T + up[0][1]).reshape(h.shape)
        up = up[1:]
    assert z.shape == (2, code or 6) and len(up) == 4
    assert np.allclose(m.codes(x), z, rtol=1e-12)
    h = convolved(np.tanh(doubled(h, *up[0])), *up[1])
    h = convolved(np.tanh(doubled(np.tanh(h), *up[2])), *up[3])
    want = 1 / (1 + np.exp(-h.reshape(2, -1)))
    assert np.allclose(m.reconstruct(x), want, rtol=1e-12)


def test_the_activations_are_drawn_by_class_and_by_how_active_a_code_is():
    z = np.array([[1.0, -5.0, 0.05], [2.0, -6.0, 0.0], [3.0, 7.0, 0.0]])
    left, right = code_pictures.activations(z, np.array([1, 0, 1]), "codes").axes[:2]
    want = [[-6.0, 2.0, 0.0], [-5.0, 1.0, 0.05], [7.0, 3.0, 0.0]]
    assert left.images[0].get_array().tolist() == want
    assert right.get_title() == "values; 33% within 0.1 of 0"
    assert sum(bar.get_height() for bar in right.patches) == 9
    done = training.train(RECIPE, overrides={"epochs": 0, "channels": (2,), "code": 3})
    drawn = RECIPE.figures(done.system, done.data, done.settings)["activations"].axes[0]
    z, y = done.system.codes(done.data.test.x), done.data.test.y
    units = np.argsort(-np.abs(z).mean(axis=0), kind="stable")
    shown = np.concatenate([z[y == k][:, units] for k in range(10)])
    assert np.array_equal(drawn.images[0].get_array(), shown)


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


@pytest.mark.slow
def test_training_learns_the_data_with_few_weights():
    done = training.train(RECIPE, overrides={"epochs": 9})
    x = done.data.test.x.reshape(300, -1)
    spread = ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert done.test_figures["squared_error"] < 0.5 * spread
    figures = RECIPE.figures(done.system, done.data, done.settings)
    assert set(figures) == {"filters", "maps", "activations", "reconstructions", "codes"}


def test_bad_settings_are_refused():
    x = np.zeros((2, 1, 8, 6), np.float32)
    with pytest.raises(SettingError, match=r"divisible by 2\^L"):
        small(x)
    with pytest.raises(SettingError, match="kernel must be odd"):
        small(x, channels=(2,), kernel=2)
    with pytest.raises(SettingError, match="'pool' must be 'max', 'average' or 'stride'"):
        small(x, channels=(2,), pool="mean")
    with pytest.raises(SettingError, match="has no images"):
        small(np.zeros((2, 6)))
