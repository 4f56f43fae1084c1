"""MADE's forward pass in NumPy, its masks from the definition; who may see whom."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.models.autoregressive import made
from tests.tools import assert_close

SIGMA = {
    "relu": lambda a: np.maximum(a, 0),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
}


def small(inputs=6, **changes):
    s = made.Settings(**{"hidden": (7, 5), **changes})
    m = made.MADE(inputs, s, gg.Generator(1), "float64")
    draw = np.random.default_rng(0)
    for p in m.parameters():
        p.assign(draw.normal(size=p.shape))
    return m


def numbers(inputs, width):
    """m_k of a hidden layer, how many inputs unit k may depend on: spread evenly over 1 .. D-1."""
    return [1 + int(k * (inputs - 1) / width) for k in range(width)]


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("activation", SIGMA)
@pytest.mark.parametrize("hidden", [(7,), (7, 5), (3, 9, 4)])
def test_the_forward_pass_is_that_of_the_paper(hidden, activation, direct):
    """Germain et al. 2015, equations 8 to 11, weight by weight: masked ones are left out."""
    d = 6
    m = small(d, hidden=hidden, activation=activation, direct=direct)
    x = (np.random.default_rng(1).random((5, d)) < 0.5).astype(float)
    p, h, before = m.state_dict(), x, list(range(1, d + 1))
    for i, width in enumerate(hidden):
        w, c, after = p[f"layers.{i}.weight"], p[f"layers.{i}.bias"], numbers(d, width)
        a = np.tile(c, (len(x), 1))
        for k in range(width):
            for j in range(len(before)):
                if before[j] <= after[k]:  # 1[j <= m_k]; between hidden layers 1[m_l <= m_k]
                    a[:, k] += w[k, j] * h[:, j]
        h, before = SIGMA[activation](a), after
    v, b = p[f"layers.{len(hidden)}.weight"], p[f"layers.{len(hidden)}.bias"]
    want = np.tile(b, (len(x), 1))
    for i in range(d):
        for k in range(len(before)):
            if before[k] < i + 1:  # 1[m_k < i], outputs counted from 1
                want[:, i] += v[i, k] * h[:, k]
        if direct:
            want[:, i] += x[:, :i] @ p["alpha"][i, :i]
    assert_close(m.logits(gg.Tensor(x)).numpy(), want, reduction=9)


def test_every_output_depends_on_all_inputs_before_it_and_on_no_other():
    first, second, last = made.masks(9, [16, 16])
    paths = last.astype(int) @ second.astype(int) @ first.astype(int)
    assert (np.triu(paths) == 0).all() and (paths[np.tril_indices(9, -1)] > 0).all()


@pytest.mark.parametrize("direct", [False, True])
def test_changing_an_input_changes_later_outputs_alone(direct):
    m, x = small(activation="tanh", direct=direct), np.random.default_rng(2).random((1, 6))
    y = m.logits(gg.Tensor(x)).numpy()[0]
    for j in range(6):
        other = x.copy()
        other[0, j] += 1
        assert ((m.logits(gg.Tensor(other)).numpy()[0] != y) == (np.arange(6) > j)).all()
