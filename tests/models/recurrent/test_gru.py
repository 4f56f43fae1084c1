"""The gated recurrent unit: the slide's cell, its other form, what it learns."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.models.recurrent import gru
from tests.tools import assert_close

RNG = np.random.default_rng(0)
T, N, I, H = 7, 3, 4, 5


def layer(**changes):
    return gru.layer(I, gru.Settings(hidden=H, **changes), gg.Generator(1), "float64")


def test_the_slides_cell_is_the_layer():
    one, x = layer(), gg.Tensor(RNG.standard_normal((T, N, I)))
    assert sorted(one.state_dict()) == [
        "weight_hh_l0",
        "weight_ih_l0",
    ]  # no biases, as on the slide
    W = gru.slide_weights(one)
    h = gg.Tensor(RNG.standard_normal((N, H)))
    hs, last = one(x, gg.expand_dims(h, 0))
    for t in range(T):
        h, _ = gru.cell(x[t], h, W)
        assert_close(hs[t].numpy(), h.numpy(), rtol=1e-12)
    assert_close(last[0].numpy(), h.numpy(), rtol=1e-12)


def test_the_slides_cell_is_the_slide():
    """Coordinate by coordinate, with math functions only: r is inside the product."""
    from math import exp, tanh

    W = {g: w.numpy() for g, w in gru.slide_weights(layer()).items()}
    x, h = RNG.standard_normal(I), RNG.standard_normal(H)

    def product(g, j, left):
        return sum(w * v for w, v in zip(W[g][j], [*left, *x]))

    z, r = ([1 / (1 + exp(-product(g, j, h))) for j in range(H)] for g in "zr")
    new = [tanh(product("h", j, [a * b for a, b in zip(r, h)])) for j in range(H)]
    want = [(1 - z[j]) * h[j] + z[j] * new[j] for j in range(H)]
    tensors = {g: gg.Tensor(w) for g, w in W.items()}
    got, _ = gru.cell(gg.Tensor(x[None]), gg.Tensor(h[None]), tensors)
    assert_close(got.numpy()[0], np.array(want), rtol=1e-12)


def test_the_librarys_form_is_another_function():
    lecture, library = layer(), layer(variant="library", biases=0)
    library.load_state_dict(lecture.state_dict())
    x = gg.Tensor(RNG.standard_normal((T, N, I)))
    assert abs(lecture(x)[0].numpy() - library(x)[0].numpy()).max() > 0.01
    assert layer(variant="library").biases == 2 and layer().biases == 0


@pytest.mark.torch
def test_the_librarys_form_is_pytorchs():
    torch = pytest.importorskip("torch")
    one, x = layer(variant="library"), RNG.standard_normal((T, N, I))
    other = torch.nn.GRU(I, H, dtype=torch.float64)
    other.load_state_dict({k: torch.tensor(v) for k, v in one.state_dict().items()})
    want = other(torch.tensor(x))[0].detach().numpy()
    assert_close(one(gg.Tensor(x))[0].numpy(), want, rtol=1e-12)


def test_two_numbers_are_added_over_a_gap():
    result = training.train(
        models.recipe("gru"), "adding", overrides={"length": 20, "examples": 2000, "epochs": 15}
    )
    assert result.test_figures["loss"] < 0.04
    figures = models.recipe("gru").figures(result.system, result.data, result.settings)
    assert set(figures) == {"answers", "gates"}
