"""Recurrent nets and NADE, step by step as their formulas say."""

import numpy as np
import pytest

import glassgrad as gg
from tests.tools import assert_close

rng = np.random.default_rng(11)


def make(*shapes):
    return [rng.standard_normal(s) for s in shapes]


def tensors(*arrays):
    return [gg.tensor(a) for a in arrays]


def sigma(a):
    return 1 / (1 + np.exp(-a))


def test_rnn():
    x, h, u, w, b = make((3, 2, 4), (2, 5), (5, 4), (5, 5), (5,))
    hs, last = gg.rnn(*tensors(x, h, u, w, b))
    for t in range(3):
        h = np.tanh(x[t] @ u.T + h @ w.T + b)
        assert_close(hs.numpy()[t], h, rtol=1e-13)
    assert_close(last.numpy(), h, rtol=1e-13)


@pytest.mark.parametrize("peephole", [False, True])
def test_lstm(peephole):
    x, h, c, u, w, b, p = make((3, 2, 4), (2, 5), (2, 5), (20, 4), (20, 5), (20,), (15, 5))
    p = p if peephole else p * 0
    given = tensors(x, h, c, u, w, b) + (tensors(p) if peephole else [])
    hs, (h_last, c_last) = gg.lstm(*given)
    for t in range(3):
        i, f, g, o = np.split(x[t] @ u.T + h @ w.T + b, 4, axis=1)
        i, f = sigma(i + c @ p[:5].T), sigma(f + c @ p[5:10].T)
        c = f * c + i * np.tanh(g)
        h = sigma(o + c @ p[10:].T) * np.tanh(c)
        assert_close(hs.numpy()[t], h, rtol=1e-12)
    assert_close(h_last.numpy(), h, rtol=1e-12)
    assert_close(c_last.numpy(), c, rtol=1e-12)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("variant", ["lecture", "library"])
def test_gru(variant, biases):
    x, h, u, w, bi, bh = make((3, 2, 4), (2, 5), (15, 4), (15, 5), (15,), (15,))
    given = tensors(x, h, u, w) + (tensors(bi, bh) if biases else [])
    bi, bh = (bi, bh) if biases else (bi * 0, bh * 0)
    hs, last = gg.gru(*given, variant=variant)
    for t in range(3):
        xr, xz, xn = np.split(x[t] @ u.T + bi, 3, axis=1)
        r = sigma(xr + h @ w[:5].T + bh[:5])
        z = sigma(xz + h @ w[5:10].T + bh[5:10])
        if variant == "lecture":
            n = np.tanh(xn + (r * h) @ w[10:].T + bh[10:])
            h = (1 - z) * h + z * n
        else:
            n = np.tanh(xn + r * (h @ w[10:].T + bh[10:]))
            h = (1 - z) * n + z * h
        assert_close(hs.numpy()[t], h, rtol=1e-12)
    assert_close(last.numpy(), h, rtol=1e-12)


def test_sequences_without_steps():
    x, h = gg.zeros((0, 2, 4)), gg.ones((2, 5))
    hs, (h1, c1) = gg.lstm(x, h, h, gg.zeros((20, 4)), gg.zeros((20, 5)))
    assert hs.shape == (0, 2, 5) and h1 is h and c1 is h
    hs, h1 = gg.gru(x, h, gg.zeros((15, 4)), gg.zeros((15, 5)))
    assert hs.shape == (0, 2, 5) and h1 is h
    hs, h1 = gg.rnn(x, h, gg.zeros((5, 4)), gg.zeros((5, 5)))
    assert hs.shape == (0, 2, 5) and h1 is h


def test_nade_of_a_single_number_does_not_look_at_it():
    """y = b + v · σ(c), on the fused path and on the one that can be differentiated again."""
    x, w, c, v, b = make((3, 1), (1, 2), (2,), (1, 2), (1,))
    want = np.full((3, 1), b[0] + (v[0] * sigma(c)).sum())
    assert_close(gg.nade(*tensors(x, w, c, v, b)).numpy(), want, rtol=1e-13)
    gg.gradcheck(lambda *given: gg.nade(gg.tensor(x), gg.tensor(w), *given), c, v, b, order=2)
