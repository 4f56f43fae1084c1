"""PixelRNN in NumPy, pixel by pixel; which pixels each logit depends on, by its own recurrence."""

from functools import cache

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.loop import fit
from glassgrad.models.autoregressive import fvsbn, pixel_rnn
from tests.tools import assert_close


def small(shape=(4, 5), **changes):
    s = pixel_rnn.Settings(**{"hidden": 3, "layers": 2, "kernel": 3, **changes})
    m = pixel_rnn.PixelRNN(shape, s, gg.Generator(1), "float64")
    draw = np.random.default_rng(0)
    for p in m.parameters():
        p.assign(0.6 * draw.normal(size=p.shape))
    return m


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def at(f, r, c):
    """The vector of a pixel in [C, H, W]; zeros outside the image."""
    inside = 0 <= r < f.shape[1] and 0 <= c < f.shape[2]
    return f[:, r, c] if inside else np.zeros(len(f))


def written_out(m, image):
    """Logits [H, W] of one image [H, W], one pixel after the other, from the page's equations."""
    p, (height, width), h_ = m.state_dict(), image.shape, m.s.hidden
    half = m.s.kernel // 2
    pixels = [(r, c) for r in range(height) for c in range(width)]
    x, f = image[None], np.zeros((2 * h_, height, width))
    for r, c in pixels:  # conv_A: rows above, and columns to the left in its own
        f[:, r, c] = p["first.bias"]
        for dr in range(-half, half + 1):
            for dc in range(-half, half + 1):
                if dr < 0 or (dr == 0 and dc < 0):
                    weight = p["first.weight"][:, :, dr + half, dc + half]
                    f[:, r, c] += weight @ at(x, r + dr, c + dc)
    for n in range(m.s.layers):
        w, b, k = (p[f"rows.{n}.{name}"] for name in ("inputs.weight", "inputs.bias", "above"))
        h, cell = np.zeros((2, h_, height, width))
        for r, c in pixels:
            a = b + w[:, :, 0, 0] @ at(f, r, c - 1) + w[:, :, 0, 1] @ at(f, r, c)
            a = a + sum(k[:, :, 1 + d] @ at(h, r - 1, c + d) for d in (-1, 0, 1))
            i, forget, g, o = np.split(a, 4)
            cell[:, r, c] = sigmoid(forget) * at(cell, r - 1, c) + sigmoid(i) * np.tanh(g)
            h[:, r, c] = sigmoid(o) * np.tanh(cell[:, r, c])
        f = f + np.einsum("oh,hrc->orc", p[f"up.{n}.weight"][:, :, 0, 0], h)
        f += p[f"up.{n}.bias"][:, None, None]
    for name in ("middle", "last"):
        w, b = p[f"{name}.weight"][:, :, 0, 0], p[f"{name}.bias"]
        f = np.einsum("oh,hrc->orc", w, np.maximum(f, 0)) + b[:, None, None]
    return f[0]


@pytest.mark.parametrize("changes", [{}, {"layers": 1, "kernel": 5}, {"layers": 3, "kernel": 1}])
def test_the_logits_are_those_of_the_page(changes):
    m = small(**changes)
    x = (np.random.default_rng(1).random((3, 4, 5)) < 0.5).astype(float)
    want = np.stack([written_out(m, image).ravel() for image in x])
    assert_close(m.logits(gg.Tensor(x.reshape(3, 20))).numpy(), want, reduction=100)


def context(shape, layers, kernel):
    """For each pixel the set of those its logit may depend on: what is wired to what, no numbers.

    Features see what the first convolution does; a state what its row's features up to it do, and
    the states of its three neighbours above; a layer's features its own input and its states.
    """
    half = kernel // 2

    def inside(r, c):
        return 0 <= r < shape[0] and 0 <= c < shape[1]

    @cache
    def features(layer, r, c):
        if not inside(r, c):
            return frozenset()
        if layer:
            return features(layer - 1, r, c) | state(layer - 1, r, c)
        window = {(r + i, c + j) for i in range(-half, 1) for j in range(-half, half + 1)}
        return frozenset(q for q in window if inside(*q) and q < (r, c))

    @cache
    def state(layer, r, c):
        if not inside(r, c):
            return frozenset()
        above = (state(layer, r - 1, c + d) for d in (-1, 0, 1))
        return features(layer, r, c).union(features(layer, r, c - 1), *above)

    return {(r, c): features(layers, r, c) for r in range(shape[0]) for c in range(shape[1])}


@pytest.mark.parametrize("layers, kernel", [(1, 3), (2, 3), (1, 5)])
def test_a_logit_depends_on_its_context_and_on_nothing_else(layers, kernel):
    """One pixel after the other is changed, in several images (some ReLU is off in any one)."""
    shape = (5, 6)
    m, draw = small(shape, layers=layers, kernel=kernel), np.random.default_rng(2)
    seen = np.zeros((30, 30), bool)  # [logit, pixel]
    for _ in range(8):
        x = draw.normal(size=(1, 30))
        changed = np.repeat(x, 30, axis=0) + np.eye(30)
        y, other = (m.logits(gg.Tensor(a)).numpy() for a in (x, changed))
        seen |= (other != y).T
    wired = context(shape, layers, kernel)
    want = np.zeros((30, 30), bool)
    for (r, c), pixels in wired.items():
        for a, b in pixels:
            want[6 * r + c, 6 * a + b] = True
    assert not np.triu(want).any()  # nothing at the pixel or after it
    assert (seen == want).all()


def test_memory_is_a_triangle_that_reaches_the_first_row():
    """One layer, 3x3, of 4x11: with each row up a column more on either side of pixel (3, 5)."""
    wired = context((4, 11), 1, 3)[3, 5]
    columns = [sorted(b for a, b in wired if a == r) for r in range(4)]
    assert columns == [list(range(9)), list(range(1, 8)), list(range(2, 7)), [3, 4]]
    m = small((4, 11), layers=1)
    x = gg.Tensor(np.random.default_rng(1).random((1, 44)), requires_grad=True)
    jacobian = gg.jacobian(lambda t: m.logits(t)[0, 38:39], x).numpy().reshape(4, 11)
    assert {(int(r), int(c)) for r, c in np.argwhere(jacobian)} == wired


def test_the_yardstick_is_fvsbn_on_the_same_images():
    few = {"epochs": 1, "hidden": 2, "batch": 500, "pool": 2, "peer": 30}
    done = training.train(models.recipe("pixel-rnn"), "digits", overrides=few)
    found, data = done.test_figures, done.data
    assert data.test.x.shape == (300, 1, 4, 4)
    assert found["under_fvsbn"] == pytest.approx(found["fvsbn"] - found["nll"])
    mean = data.train.x.reshape(-1, 16).mean(axis=0).astype(float)
    x = data.test.x.reshape(-1, 16)
    alone = -(x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum(axis=1).mean()
    assert found["fvsbn"] < alone < found["nll"]  # a pixel's own mean; one step is nothing
    recipe = models.recipe("fvsbn")
    s = recipe.resolve("digits", {"epochs": 30})
    other = fvsbn.build(data, s, gg.Generator(7))
    fit(other, data, s)
    assert found["fvsbn"] == pytest.approx(other.evaluate(data.test)["nll"], abs=0.05)  # convex
