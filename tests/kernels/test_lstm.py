"""LSTM: scalar loops over the lecture's concatenation, PyTorch, finite differences, extremes."""

import math
import warnings

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, backend, lstm
from tests.tools import LAYOUTS, assert_close, on_threads

CPU = ["reference", "numba"]
DTYPES = ["float32", "float64"]
# T, N, D, H
SHAPES = [(3, 2, 4, 3), (1, 1, 1, 1), (9, 2, 2, 5), (2, 3, 1, 17)]


def layer(t, n, h, peep, dtype="float64", seed=0):
    """Arguments of sequence_forward."""
    draw = np.random.default_rng(seed).normal
    args = draw(size=(t, n, 4 * h)), draw(size=(n, h)), draw(size=(n, h)), draw(size=(4 * h, h))
    return *(a.astype(dtype) for a in args), draw(size=(3 * h, h)).astype(dtype) if peep else None


def logistic(a):
    return 0.5 * (1 + math.tanh(a / 2))


def dot(u, v):
    return math.fsum(float(a) * float(b) for a, b in zip(u, v, strict=True))


def lecture_loops(x, h0, c0, w, p, b):
    """The lecture's equations number by number: w acts on [h, x], p on the cell, one bias."""
    steps, (n, h) = len(x), h0.shape
    hs, cs = np.empty((steps, n, h)), np.empty((steps, n, h))
    for s in range(n):
        old_h, old_c = list(h0[s]), list(c0[s])
        for t in range(steps):
            seen = [*old_h, *x[t, s]]
            a = [dot(w[k], seen) + float(b[k]) for k in range(4 * h)]
            look = (lambda c, row: dot(p[row], c)) if p is not None else (lambda c, row: 0.0)
            new_c = [
                logistic(a[h + k] + look(old_c, h + k)) * old_c[k]
                + logistic(a[k] + look(old_c, k)) * math.tanh(a[2 * h + k])
                for k in range(h)
            ]
            new_h = [
                logistic(a[3 * h + k] + look(new_c, 2 * h + k)) * math.tanh(new_c[k])
                for k in range(h)
            ]
            hs[t, s], cs[t, s], old_h, old_c = new_h, new_c, new_h, new_c
    return hs, cs


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("peep", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_against_the_lecture_in_scalar_loops(name, dtype, peep, shape):
    t, n, d, h = shape
    draw = np.random.default_rng(1).normal
    x, w, b = draw(size=(t, n, d)), draw(size=(4 * h, h + d)), draw(size=4 * h)
    h0, c0, p = draw(size=(n, h)), draw(size=(n, h)), draw(size=(3 * h, h)) if peep else None
    x, w, b, h0, c0 = (a.astype(dtype) for a in (x, w, b, h0, c0))
    p = None if p is None else p.astype(dtype)
    hs, cs = lecture_loops(x, h0, c0, w, p, b)
    xa = x @ w[:, h:].T + b
    with backend(name):
        got_h, got_c, gates = lstm.sequence_forward(xa, h0, c0, np.ascontiguousarray(w[:, :h]), p)
    steps = 4 * t * (h + d)  # errors of one step pass through the sums of the next
    assert_close(got_h, hs.astype(dtype), reduction=steps)
    assert_close(got_c, cs.astype(dtype), reduction=steps)
    i, f, g, o = np.split(gates, 4, axis=2)
    assert_close(f * np.concatenate([c0[None], got_c[:-1]]) + i * g, got_c)
    assert_close(o * np.tanh(got_c), got_h)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gates_are_accurate_over_the_whole_range(name, dtype):
    """Relative to the gate itself, however close to zero it is."""
    a = np.concatenate([np.linspace(-87, 87, 40001), np.linspace(-1, 1, 10001), [0.0, 1e-30]])
    a = a.astype(dtype)
    pre = np.zeros((len(a), 4), dtype)
    pre[:, 0] = pre[:, 1] = pre[:, 2] = pre[:, 3] = a
    with backend(name):
        _, _, gates = lstm.cell_forward(pre, np.zeros((len(a), 1), dtype))
    sigma = [math.exp(v) / (1 + math.exp(v)) if v < 0 else 1 / (1 + math.exp(-v)) for v in a]
    tanh = [math.tanh(v) for v in a]
    eps = np.finfo(dtype).eps
    for column, want in zip(gates.T, (sigma, sigma, tanh, sigma), strict=True):
        np.testing.assert_allclose(column, np.array(want), rtol=2 * eps, atol=0)


def torch_layer(torch, xa, h0, c0, wh):
    """torch.nn.LSTM whose input product is the identity, so that xa can be fed to it."""
    h = h0.shape[1]
    module = torch.nn.LSTM(4 * h, h, dtype=torch.float64)
    with torch.no_grad():
        module.weight_ih_l0.copy_(torch.eye(4 * h))
        module.weight_hh_l0.copy_(torch.tensor(wh))
        module.bias_ih_l0.zero_()
        module.bias_hh_l0.zero_()
    given = [torch.tensor(a, requires_grad=True) for a in (xa, h0, c0)]
    return module, given


@pytest.mark.torch
@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3, 4), (1, 1, 1), (9, 2, 33)])
def test_forward_and_gradients_against_torch(name, dtype, shape):
    torch = pytest.importorskip("torch")
    t, n, h = shape
    xa, h0, c0, wh, _ = layer(t, n, h, False)
    wh /= h**0.5
    draw = np.random.default_rng(7).normal
    ghs, gc_last = draw(size=(t, n, h)), draw(size=(n, h))
    gcs = np.zeros((t, n, h))
    gcs[-1] = gc_last  # torch shows the last cell only

    module, given = torch_layer(torch, xa, h0, c0, wh)
    hs, (_, c_last) = module(given[0], (given[1][None], given[2][None]))
    ((hs * torch.tensor(ghs)).sum() + (c_last[0] * torch.tensor(gc_last)).sum()).backward()
    want = [v.grad.numpy() for v in given] + [module.weight_hh_l0.grad.numpy()]

    args = [a.astype(dtype) for a in (xa, h0, c0, wh)]
    with backend(name):
        got = lstm.sequence_forward(*args)
        grads = lstm.sequence_backward(
            ghs.astype(dtype), gcs.astype(dtype), *got, args[1], args[2], args[3]
        )
    assert_close(got[0], hs.detach().numpy().astype(dtype), reduction=t * h)
    assert_close(got[1][-1], c_last[0].detach().numpy().astype(dtype), reduction=t * h)
    for g, w in zip(grads[:4], want, strict=True):
        assert_close(g, w.astype(dtype), reduction=4 * t * h)
    assert grads[4] is None


def finite_differences(function, arrays, step=1e-5):
    """Central differences of a scalar function, one number at a time."""
    for a in arrays:
        g = np.empty_like(a)
        for at in np.ndindex(a.shape):
            kept = a[at]
            a[at] = kept + step
            up = function()
            a[at] = kept - step
            down = function()
            a[at] = kept
            g[at] = (up - down) / (2 * step)
        yield g


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("peep", [False, True])
@pytest.mark.parametrize("shape", [(3, 2, 3), (9, 1, 1)])
def test_sequence_gradients_by_finite_differences(name, peep, shape):
    t, n, h = shape
    xa, h0, c0, wh, p = layer(t, n, h, peep, seed=3)
    draw = np.random.default_rng(5).normal
    ghs, gcs = draw(size=(t, n, h)), draw(size=(t, n, h))

    def loss():
        hs, cs, _ = lstm.sequence_forward(xa, h0, c0, wh, p)
        return float((hs * ghs).sum() + (cs * gcs).sum())

    with backend(name):
        outs = lstm.sequence_forward(xa, h0, c0, wh, p)
        got = lstm.sequence_backward(ghs, gcs, *outs, h0, c0, wh, p)
        wanted = finite_differences(loss, [xa, h0, c0, wh, *([p] if peep else [])])
        for g, want in zip(got, wanted, strict=False):
            assert_close(g, want, rtol=1e-8)
    assert (got[4] is None) == (not peep)


@pytest.mark.parametrize("name", CPU)
def test_cell_gradients_by_finite_differences(name):
    draw = np.random.default_rng(2).normal
    a, c, gh, gc = (draw(size=s) for s in ((3, 20), (3, 5), (3, 5), (3, 5)))

    def loss():
        h, c_new, _ = lstm.cell_forward(a, c)
        return float((h * gh).sum() + (c_new * gc).sum())

    with backend(name):
        _, c_new, gates = lstm.cell_forward(a, c)
        got = lstm.cell_backward(gh, gc, gates, c, c_new)
        for g, want in zip(got, finite_differences(loss, [a, c]), strict=True):
            assert_close(g, want, rtol=1e-8)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("peep", [False, True])
def test_no_cell_gradient_means_zero(name, peep):
    args = layer(4, 2, 3, peep)
    with backend(name):
        outs = lstm.sequence_forward(*args)
        ghs = np.random.default_rng(0).normal(size=outs[0].shape)
        got = lstm.sequence_backward(ghs, None, *outs, *args[1:])
        want = lstm.sequence_backward(ghs, np.zeros_like(ghs), *outs, *args[1:])
    for g, w in zip(got, want, strict=True):
        assert (g is None and w is None) or np.array_equal(g, w)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
def test_cell_is_a_sequence_of_one_step(name, dtype):
    xa, h0, c0, wh, _ = layer(1, 3, 5, False, dtype)
    draw = np.random.default_rng(9).normal
    gh, gc = draw(size=(3, 5)).astype(dtype), draw(size=(3, 5)).astype(dtype)
    with backend(name):
        hs, cs, gates = lstm.sequence_forward(xa, h0, c0, wh)
        h, c, cell_gates = lstm.cell_forward(xa[0] + h0 @ wh.T, c0)
        gxa, gh0, gc0, gwh, _ = lstm.sequence_backward(
            gh[None], gc[None], hs, cs, gates, h0, c0, wh
        )
        ga, cell_gc = lstm.cell_backward(gh, gc, gates[0], c0, cs[0])
    for one, other in ((h, hs[0]), (c, cs[0]), (cell_gates, gates[0])):
        assert_close(one, other, reduction=5)
    for one, other in ((ga, gxa[0]), (cell_gc, gc0), (ga @ wh, gh0), (ga.T @ h0, gwh)):
        assert_close(one, other, reduction=20)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e4, np.inf])
def test_huge_preactivations_saturate(name, dtype, size):
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T  # all sixteen corners
    a, c = (signs * size).astype(dtype), np.full((16, 1), 0.5, dtype)
    with backend(name), warnings.catch_warnings(), np.errstate(over="raise", invalid="raise"):
        warnings.simplefilter("error")
        h, c_new, gates = lstm.cell_forward(a, c)
        ga, gc = lstm.cell_backward(np.ones_like(h), np.ones_like(c), gates, c, c_new)
    open_, sign = (signs > 0).astype(dtype), signs[:, 2].astype(dtype)
    assert np.array_equal(gates, np.stack([open_[:, 0], open_[:, 1], sign, open_[:, 3]], 1))
    assert np.array_equal(c_new[:, 0], open_[:, 1] * 0.5 + open_[:, 0] * sign)
    assert_close(h[:, 0], open_[:, 3] * np.tanh(c_new[:, 0]))
    assert not ga.any()  # every gate is flat there
    slope = 1 + open_[:, 3] * (1 - np.tanh(c_new[:, 0]) ** 2)
    assert_close(gc[:, 0], open_[:, 1] * slope)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gate", range(4))
def test_nan_reaches_what_depends_on_it_and_nothing_else(name, dtype, gate):
    h = 19
    args = layer(4, 3, h, False, dtype)
    args[0][1, 2, gate * h + 3] = np.nan
    with backend(name):
        hs, cs, gates = lstm.sequence_forward(*args)
        ghs = np.ones_like(hs)
        gxa, gh0, _, gwh, _ = lstm.sequence_backward(ghs, None, hs, cs, gates, *args[1:])
    assert np.isnan(hs[1, 2, 3]) and np.isnan(gates[1, 2, gate * h + 3])
    assert np.isnan(cs[1, 2, 3]) == (gate != 3)
    assert np.isnan(hs[2:, 2]).all()
    assert np.isfinite(hs[0]).all() and np.isfinite(hs[:, :2]).all()
    assert np.isnan(gxa[:2, 2]).any(axis=1).all() and np.isfinite(gxa[:, :2]).all()
    assert np.isnan(gh0[2]).all() and np.isfinite(gh0[:2]).all() and np.isnan(gwh).any()


@pytest.mark.parametrize("name", CPU)
def test_nan_in_the_incoming_gradient_is_not_lost(name):
    args = layer(3, 2, 17, True, "float32")
    with backend(name):
        outs = lstm.sequence_forward(*args)
        ghs = np.zeros_like(outs[0])
        ghs[2, 0, 5] = np.nan
        gxa, gh0, _, gwh, gp = lstm.sequence_backward(ghs, None, *outs, *args[1:])
    assert np.isnan(gxa[2, 0]).any() and np.isnan(gh0[0]).all() and not gh0[1].any()
    assert np.isnan(gwh).any() and np.isnan(gp).any()


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("peep", [False, True])
def test_layouts_and_read_only_inputs(name, layout, peep):
    args = layer(9, 3, 5, peep, "float32")
    ghs = np.random.default_rng(4).normal(size=(9, 3, 5)).astype("float32")

    def locked(a):
        if a is not None:
            a = LAYOUTS[layout](a)
            a.flags.writeable = False
        return a

    with backend(name):
        outs = lstm.sequence_forward(*args)
        grads = lstm.sequence_backward(ghs, ghs, *outs, *args[1:])
        odd = [locked(None if a is None else a.copy()) for a in args]
        odd_outs = lstm.sequence_forward(*odd)
        odd_g = locked(ghs.copy())
        odd_grads = lstm.sequence_backward(odd_g, odd_g, *map(locked, odd_outs), *odd[1:])
    for got, want in zip(odd_outs + odd_grads, outs + grads, strict=True):
        if want is not None:
            assert_close(got, want, reduction=9 * 20)
            assert got.flags.c_contiguous
    for now, before in zip([*odd, odd_g], [*args, ghs], strict=True):
        assert now is None or np.array_equal(now, before)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("peep", [False, True])
@pytest.mark.parametrize("shape", [(0, 2, 3), (3, 0, 2), (0, 0, 1), (2, 2, 0)])
def test_size_zero(name, dtype, peep, shape):
    t, n, h = shape
    args = layer(t, n, h, peep, dtype)
    with backend(name):
        hs, cs, gates = lstm.sequence_forward(*args)
        grads = lstm.sequence_backward(hs, cs, hs, cs, gates, *args[1:])
        cell = lstm.cell_forward(np.zeros((n, 4 * h), dtype), args[2])
    assert hs.shape == cs.shape == (t, n, h) and gates.shape == (t, n, 4 * h)
    assert [c.shape for c in cell] == [(n, h), (n, h), (n, 4 * h)]
    for g, a in zip(grads, args, strict=True):
        assert (g is None) == (a is None)
        assert g is None or (g.shape == a.shape and g.dtype == dtype and not g.any())


def test_errors_name_the_argument_and_every_shape():
    xa, h0, c0, wh, p = layer(2, 3, 4, True)
    hs, cs, gates = lstm.sequence_forward(xa, h0, c0, wh, p)
    with pytest.raises(ShapeError, match=r"lstm.sequence_forward: wh.shape.*\(16, 4\).*\(4, 16\)"):
        lstm.sequence_forward(xa, h0, c0, wh.T, p)
    with pytest.raises(ShapeError, match=r"p.shape.*expected \(12, 4\), got \(16, 4\).*xa=\(2, 3"):
        lstm.sequence_forward(xa, h0, c0, wh, wh)
    with pytest.raises(ShapeError, match=r"xa.ndim must be 3"):
        lstm.sequence_forward(xa[0], h0, c0, wh)
    with pytest.raises(ShapeError, match=r"xa.shape.*\(2, 3, 16\), got \(2, 3, 12\)"):
        lstm.sequence_forward(xa[..., :12], h0, c0, wh)
    with pytest.raises(ShapeError, match=r"c0.shape"):
        lstm.sequence_forward(xa, h0, c0[:1], wh)
    with pytest.raises(DTypeError, match=r"wh.dtype must equal xa.dtype"):
        lstm.sequence_forward(xa, h0, c0, wh.astype("float32"))
    with pytest.raises(DTypeError, match=r"float32 or float64, got int64"):
        lstm.cell_forward(np.zeros((1, 4), int), np.zeros((1, 1), int))
    with pytest.raises(DTypeError, match=r"a must be an array; got list"):
        lstm.cell_forward([[0.0] * 4], c0)
    with pytest.raises(ShapeError, match=r"lstm.cell_forward: c.ndim must be 2"):
        lstm.cell_forward(xa[0], c0[0])
    with pytest.raises(ShapeError, match=r"lstm.cell_backward: gates.shape"):
        lstm.cell_backward(h0, h0, xa[0, :, :12], c0, c0)
    with pytest.raises(ShapeError, match=r"lstm.sequence_backward: gcs.shape"):
        lstm.sequence_backward(hs, cs[0], hs, cs, gates, h0, c0, wh, p)
    with pytest.raises(ShapeError, match=r"hs.shape.*\(1, 3, 4\), got \(2, 3, 4\)"):
        lstm.sequence_backward(hs[:1], None, hs, cs, gates, h0, c0, wh, p)
    with pytest.raises(DTypeError, match=r"c0 must be an array; got NoneType"):
        lstm.sequence_forward(xa, h0, None, wh)


@pytest.mark.parametrize("peep", [False, True])
@pytest.mark.parametrize("shape", [(5, 20, 200), (3, 7, 65), (4, 128, 128), (3, 1, 40)])
def test_the_same_bits_for_any_number_of_threads(peep, shape):
    """Threads split the batch, and tiles of other heights meet its rows: no sum may notice."""
    args = layer(*shape, peep, "float32")
    ghs = np.random.default_rng(1).normal(size=shape).astype("float32")
    outs = on_threads(1, lstm.sequence_forward, *args)
    again = on_threads(2, lstm.sequence_forward, *args)
    grads = on_threads(1, lstm.sequence_backward, ghs, None, *outs, *args[1:])
    grads_again = on_threads(2, lstm.sequence_backward, ghs, None, *outs, *args[1:])
    for one, two in zip(outs + grads, again + grads_again, strict=True):
        assert (one is None and two is None) or np.array_equal(one, two)


@pytest.mark.parametrize("shape", [(4, 20, 96), (2, 13, 33)])
def test_a_sequence_does_not_notice_its_neighbours(shape):
    """Row n of a batch is, to the last bit, what it is alone: rows never meet."""
    xa, h0, c0, wh, p = layer(*shape, True, "float32")
    hs, cs, gates = lstm.sequence_forward(xa, h0, c0, wh, p)
    for n in (0, shape[1] // 2, shape[1] - 1):
        one = slice(n, n + 1)
        alone = lstm.sequence_forward(xa[:, one], h0[one], c0[one], wh, p)
        for whole, part in zip((hs, cs, gates), alone, strict=True):
            assert np.array_equal(whole[:, one], part)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("terms", [0, 1, 255, 256, 257, 700])
@pytest.mark.parametrize("m, j", [(1, 1), (8, 48), (13, 33), (31, 127)])
def test_sums_over_all_steps_against_numpy(dtype, terms, m, j):
    """`add_outer`: blocks of 256 terms, tiles of eight rows, panels of three vectors, and tails."""
    sums = pytest.importorskip("glassgrad.kernels.recurrent.sums")
    draw = np.random.default_rng(terms).normal
    a, b, c = (draw(size=s).astype(dtype) for s in ((terms, m + 2), (terms, j), (m, j)))
    want = c.astype("float64") + a[:, 2:].T.astype("float64") @ b.astype("float64")
    sums.add_outer(a, 2, b, c)
    assert_close(c, want.astype(dtype), reduction=max(1, terms))
