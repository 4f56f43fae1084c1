"""GRU, both variants: scalar loops, PyTorch, finite differences, extremes."""

import math
import warnings

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, backend, gru
from tests.tools import LAYOUTS, assert_close, on_threads

CPU = ["reference", "numba"]
DTYPES = ["float32", "float64"]
VARIANTS = ["lecture", "library"]


def layer(t, n, h, bias, dtype="float64", seed=0):
    """Arguments of sequence_forward but for the variant."""
    draw = np.random.default_rng(seed).normal
    args = draw(size=(t, n, 3 * h)), draw(size=(n, h)), draw(size=(3 * h, h))
    return *(a.astype(dtype) for a in args), draw(size=3 * h).astype(dtype) if bias else None


def logistic(a):
    return 0.5 * (1 + math.tanh(a / 2))


def dot(u, v):
    return math.fsum(float(a) * float(b) for a, b in zip(u, v, strict=True))


def scalar_loops(x, h0, w, variant, bx, bh):
    """Number by number; lecture: w acts on [h, x] or [r h, x], and all biases are one."""
    steps, (n, h) = len(x), h0.shape
    hs = np.empty((steps, n, h))
    for s in range(n):
        old = [float(v) for v in h0[s]]
        for t in range(steps):
            seen, b = [*old, *x[t, s]], [float(u) + float(v) for u, v in zip(bx, bh, strict=True)]
            r = [logistic(dot(w[k], seen) + b[k]) for k in range(h)]
            z = [logistic(dot(w[k], seen) + b[k]) for k in range(h, 2 * h)]
            new = []
            for k in range(h):
                row = 2 * h + k
                if variant == "lecture":
                    reset = [r[m] * old[m] for m in range(h)]
                    candidate = math.tanh(dot(w[row], [*reset, *x[t, s]]) + b[row])
                    new.append(old[k] + z[k] * (candidate - old[k]))
                else:
                    past = dot(w[row, :h], old) + float(bh[row])
                    present = dot(w[row, h:], x[t, s]) + float(bx[row])
                    candidate = math.tanh(present + r[k] * past)
                    new.append(candidate + z[k] * (old[k] - candidate))
            hs[t, s], old = new, new
    return hs


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", [(3, 2, 4, 3), (1, 1, 1, 1), (9, 2, 2, 5), (2, 3, 1, 17)])
def test_forward_against_scalar_loops(name, dtype, variant, shape):
    t, n, d, h = shape
    draw = np.random.default_rng(1).normal
    sizes = (t, n, d), (3 * h, h + d), 3 * h, 3 * h, (n, h)
    x, w, bx, bh, h0 = (draw(size=s).astype(dtype) for s in sizes)
    want = scalar_loops(x, h0, w, variant, bx, bh).astype(dtype)
    no_bias = scalar_loops(x, h0, w, variant, bx, 0 * bh).astype(dtype)
    xa, wh = x @ w[:, h:].T + bx, np.ascontiguousarray(w[:, :h])
    with backend(name):
        hs, gates = gru.sequence_forward(xa, h0, wh, bh, variant)
        without, _ = gru.sequence_forward(xa, h0, wh, None, variant)
    assert_close(hs, want, reduction=4 * t * (h + d))
    assert_close(without, no_bias, reduction=4 * t * (h + d))
    _, z, candidate = np.split(gates, 3, axis=2)
    before = np.concatenate([h0[None], hs[:-1]])
    towards = z if variant == "lecture" else 1 - z
    assert_close(before + towards * (candidate - before), hs)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_variants_agree_where_the_reset_gate_is_open(name, variant):
    """With r = 1 they differ by the sense of z alone, and σ(-a) = 1 - σ(a) turns it."""
    xa, h0, wh, bh = layer(4, 3, 5, True)
    xa[:, :, :5], wh[:5] = 60.0, 0.0
    with backend(name):
        one, _ = gru.sequence_forward(xa, h0, wh, bh, variant)
        for a in (xa[:, :, 5:10], wh[5:10], bh[5:10]):
            a *= -1
        other = VARIANTS[1 - VARIANTS.index(variant)]
        two, _ = gru.sequence_forward(xa, h0, wh, bh, other)
    assert_close(one, two, reduction=20)


@pytest.mark.torch
@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 3, 4), (1, 1, 1), (9, 2, 33)])
def test_library_variant_and_gradients_against_torch(name, dtype, shape):
    torch = pytest.importorskip("torch")
    t, n, h = shape
    xa, h0, wh, bh = layer(t, n, h, True)
    wh /= h**0.5
    ghs = np.random.default_rng(7).normal(size=(t, n, h))
    module = torch.nn.GRU(3 * h, h, dtype=torch.float64)
    with torch.no_grad():  # an input product that is the identity lets xa be fed to it
        module.weight_ih_l0.copy_(torch.eye(3 * h))
        module.bias_ih_l0.zero_()
        module.weight_hh_l0.copy_(torch.tensor(wh))
        module.bias_hh_l0.copy_(torch.tensor(bh))
    x, start = (torch.tensor(a, requires_grad=True) for a in (xa, h0))
    hs, _ = module(x, start[None])
    (hs * torch.tensor(ghs)).sum().backward()
    want = [v.grad.numpy() for v in (x, start, module.weight_hh_l0, module.bias_hh_l0)]

    args = [a.astype(dtype) for a in (xa, h0, wh, bh)]
    with backend(name):
        got = gru.sequence_forward(*args, "library")
        grads = gru.sequence_backward(ghs.astype(dtype), *got, *args[1:], "library")
    assert_close(got[0], hs.detach().numpy().astype(dtype), reduction=t * h)
    for g, w in zip(grads, want, strict=True):
        assert_close(g, w.astype(dtype), reduction=4 * t * h)


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
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(3, 2, 3), (9, 1, 1)])
def test_sequence_gradients_by_finite_differences(name, variant, bias, shape):
    xa, h0, wh, bh = layer(*shape, bias, seed=3)
    ghs = np.random.default_rng(5).normal(size=shape)

    def loss():
        return float((gru.sequence_forward(xa, h0, wh, bh, variant)[0] * ghs).sum())

    with backend(name):
        outs = gru.sequence_forward(xa, h0, wh, bh, variant)
        got = gru.sequence_backward(ghs, *outs, h0, wh, bh, variant)
        wanted = finite_differences(loss, [xa, h0, wh, *([bh] if bias else [])])
        for g, want in zip(got, wanted, strict=False):
            assert_close(g, want, rtol=1e-8)
    assert (got[3] is None) == (not bias)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("variant", VARIANTS)
def test_cell_gradients_by_finite_differences(name, variant):
    draw = np.random.default_rng(2).normal
    xa, ha, h, gh = (draw(size=s) for s in ((3, 15), (3, 15), (3, 5), (3, 5)))

    def loss():
        return float((gru.cell_forward(xa, ha, h, variant)[0] * gh).sum())

    with backend(name):
        _, gates = gru.cell_forward(xa, ha, h, variant)
        got = gru.cell_backward(gh, gates, ha, h, variant)
        for g, want in zip(got, finite_differences(loss, [xa, ha, h]), strict=True):
            assert_close(g, want, rtol=1e-8)
    assert got[0][:, :5].any() == (variant == "library")  # lecture: r acts on the caller's side


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_cell_is_a_sequence_of_one_step(name, dtype, variant):
    """The caller's share, with the products done here, completes the cell to the sequence."""
    h = 5
    xa, h0, wh, bh = layer(1, 3, h, True, dtype)
    gh = np.random.default_rng(9).normal(size=(3, h)).astype(dtype)
    ha = h0 @ wh.T + bh
    with backend(name):
        hs, gates = gru.sequence_forward(xa, h0, wh, bh, variant)
        r = gates[0, :, :h]
        if variant == "lecture":
            ha[:, 2 * h :] = (r * h0) @ wh[2 * h :].T + bh[2 * h :]
        h_new, cell_gates = gru.cell_forward(xa[0], ha, h0, variant)
        gxa, gh0, gwh, gbh = gru.sequence_backward(gh[None], hs, gates, h0, wh, bh, variant)
        ga, gha, straight = gru.cell_backward(gh, cell_gates, ha, h0, variant)
    assert_close(h_new, hs[0], reduction=h)
    assert_close(cell_gates, gates[0], reduction=h)
    seen_by_n = h0
    if variant == "lecture":
        g_reset, seen_by_n = gha[:, 2 * h :] @ wh[2 * h :], r * h0
        gha[:, :h] = ga[:, :h] = g_reset * h0 * r * (1 - r)
        straight = straight + g_reset * r + gha[:, : 2 * h] @ wh[: 2 * h]
    else:
        straight = straight + gha @ wh
    products = np.concatenate([gha[:, : 2 * h].T @ h0, gha[:, 2 * h :].T @ seen_by_n])
    pairs = (ga, gxa[0]), (straight, gh0), (products, gwh), (gha.sum(axis=0), gbh)
    for one, other in pairs:
        assert_close(one, other, reduction=15)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", [1e4, np.inf])
def test_huge_preactivations_saturate(name, dtype, variant, size):
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T  # all eight corners
    xa, h = (signs * size).astype(dtype), np.full((8, 1), 0.5, dtype)
    ha = np.ones_like(xa)
    with backend(name), warnings.catch_warnings(), np.errstate(over="raise", invalid="raise"):
        warnings.simplefilter("error")
        h_new, gates = gru.cell_forward(xa, ha, h, variant)
        gxa, gha, gh = gru.cell_backward(np.ones_like(h), gates, ha, h, variant)
    r, z = (signs[:, :2] > 0).astype(dtype).T
    sign = signs[:, 2].astype(dtype)
    assert np.array_equal(gates, np.stack([r, z, sign], axis=1))
    keep = 1 - z if variant == "lecture" else z
    assert np.array_equal(h_new[:, 0], keep * h[:, 0] + (1 - keep) * sign)
    assert np.array_equal(gh[:, 0], keep)
    assert not gxa.any() and not gha.any()  # every gate is flat there


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("gate", range(3))
def test_nan_reaches_what_depends_on_it_and_nothing_else(name, dtype, variant, gate):
    h = 19
    args = layer(4, 3, h, True, dtype)
    args[0][1, 2, gate * h + 3] = np.nan
    with backend(name):
        hs, gates = gru.sequence_forward(*args, variant)
        gxa, gh0, gwh, gbh = gru.sequence_backward(np.ones_like(hs), hs, gates, *args[1:], variant)
    assert np.isnan(hs[1, 2, 3]) and np.isnan(gates[1, 2, gate * h + 3])
    assert np.isnan(hs[2:, 2]).all()
    assert np.isfinite(hs[0]).all() and np.isfinite(hs[:, :2]).all()
    assert np.isnan(gxa[:2, 2]).any(axis=1).all() and np.isfinite(gxa[:, :2]).all()
    assert np.isnan(gh0[2]).all() and np.isfinite(gh0[:2]).all()
    assert np.isnan(gwh).any() and np.isnan(gbh).any()


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_layouts_and_read_only_inputs(name, layout, variant):
    args = layer(9, 3, 5, True, "float32")
    ghs = np.random.default_rng(4).normal(size=(9, 3, 5)).astype("float32")

    def locked(a):
        a = LAYOUTS[layout](a)
        a.flags.writeable = False
        return a

    with backend(name):
        outs = gru.sequence_forward(*args, variant)
        grads = gru.sequence_backward(ghs, *outs, *args[1:], variant)
        odd, odd_g = [locked(a.copy()) for a in args], locked(ghs.copy())
        odd_outs = gru.sequence_forward(*odd, variant)
        odd_grads = gru.sequence_backward(odd_g, *map(locked, odd_outs), *odd[1:], variant)
    for got, want in zip(odd_outs + odd_grads, outs + grads, strict=True):
        assert_close(got, want, reduction=9 * 15)
        assert got.flags.c_contiguous
    for now, before in zip([*odd, odd_g], [*args, ghs], strict=True):
        assert np.array_equal(now, before)


@pytest.mark.parametrize("name", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(0, 2, 3), (3, 0, 2), (0, 0, 1), (2, 2, 0)])
def test_size_zero(name, dtype, variant, bias, shape):
    t, n, h = shape
    args = layer(t, n, h, bias, dtype)
    with backend(name):
        hs, gates = gru.sequence_forward(*args, variant)
        grads = gru.sequence_backward(hs, hs, gates, *args[1:], variant)
        row = np.zeros((n, 3 * h), dtype)
        h_new, cell_gates = gru.cell_forward(row, row, args[1], variant)
    assert hs.shape == (t, n, h) and gates.shape == (t, n, 3 * h)
    assert h_new.shape == (n, h) and cell_gates.shape == (n, 3 * h)
    for g, a in zip(grads, args, strict=True):
        assert (g is None) == (a is None)
        assert g is None or (g.shape == a.shape and g.dtype == dtype and not g.any())


def test_errors_name_the_argument_and_every_shape():
    xa, h0, wh, bh = layer(2, 3, 4, True)
    hs, gates = gru.sequence_forward(xa, h0, wh, bh)
    with pytest.raises(ShapeError, match=r"gru.sequence_forward: wh.shape.*\(12, 4\).*\(4, 12\)"):
        gru.sequence_forward(xa, h0, wh.T, bh)
    with pytest.raises(ShapeError, match=r"bh.shape.*expected \(12,\), got \(4,\).*xa=\(2, 3, 12"):
        gru.sequence_forward(xa, h0, wh, bh[:4])
    with pytest.raises(ShapeError, match=r"xa.ndim must be 3"):
        gru.sequence_forward(xa[0], h0, wh, bh)
    with pytest.raises(ShapeError, match=r"h0.ndim must be 2"):
        gru.sequence_forward(xa, h0[0], wh, bh)
    with pytest.raises(DTypeError, match=r"bh.dtype must equal xa.dtype"):
        gru.sequence_forward(xa, h0, wh, bh.astype("float32"))
    with pytest.raises(DTypeError, match=r"h must be an array; got float"):
        gru.cell_forward(xa[0], xa[0], 0.0)
    with pytest.raises(ShapeError, match=r"gru.cell_forward: ha.shape"):
        gru.cell_forward(xa[0], xa[0, :1], h0)
    with pytest.raises(ShapeError, match=r"gru.cell_backward: gh_new.shape"):
        gru.cell_backward(h0[:1], xa[0], xa[0], h0)
    with pytest.raises(ShapeError, match=r"gru.sequence_backward: gates.shape"):
        gru.sequence_backward(hs, hs, gates[:1], h0, wh, bh)
    with pytest.raises(ValueRangeError, match=r"'lecture' or 'library', got 'cudnn'"):
        gru.sequence_forward(xa, h0, wh, bh, "cudnn")
    with pytest.raises(DTypeError, match=r"variant has the wrong type"):
        gru.cell_forward(xa[0], xa[0], h0, variant=None)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", [(5, 20, 200), (3, 7, 65), (4, 128, 128), (3, 1, 40)])
def test_the_same_bits_for_any_number_of_threads(variant, shape):
    """Threads split the batch, and tiles of other heights meet its rows: no sum may notice."""
    args = (*layer(*shape, True, "float32"), variant)
    ghs = np.random.default_rng(1).normal(size=shape).astype("float32")
    outs = on_threads(1, gru.sequence_forward, *args)
    again = on_threads(2, gru.sequence_forward, *args)
    grads = on_threads(1, gru.sequence_backward, ghs, *outs, *args[1:])
    grads_again = on_threads(2, gru.sequence_backward, ghs, *outs, *args[1:])
    for one, two in zip(outs + grads, again + grads_again, strict=True):
        assert np.array_equal(one, two)
