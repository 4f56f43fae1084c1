"""Attention against its definition, finite differences, PyTorch; what is not there; its errors."""

import numpy as np
import pytest

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, attention
from tests.kernels.checking import on, threads, why_no_emulator
from tests.tools import assert_close

NO_COMPILER = why_no_emulator()
EMULATED = [
    pytest.param(
        f"emulated{v}", marks=pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER or "there")
    )
    for v in ("", " v1")
]
BACKENDS = ["reference", "numba", "numba v1", *EMULATED]
SIZES = [(2, 3, 5, 4, 2), (3, 9, 33, 5, 40), (1, 70, 65, 66, 3), (3, 70, 90, 9, 8)]
FEW, MANY = 3, 9  # examples: of the long ones below version 2 has few, version 3 many


def draw(B, M, N, D, E, dtype="float64"):
    rng = np.random.default_rng(M + N)
    q, k, v, go = (
        rng.standard_normal(s).astype(dtype) for s in ((B, M, D), (B, N, D), (B, N, E), (B, M, E))
    )
    return q, k, v, go, np.resize([N, N // 2, 1], B)


def by_definition(q, k, v, lengths, scale, causal):
    """o, lse one query after another, each from the keys that it may read."""
    o, lse = np.zeros((*q.shape[:2], v.shape[2])), np.full(q.shape[:2], -np.inf)
    for b, m in np.ndindex(lse.shape):
        end = min(lengths[b], m + 1) if causal else lengths[b]
        if end:
            weight = np.exp(scale * (k[b, :end] @ q[b, m]))
            o[b, m] = (weight / weight.sum()) @ v[b, :end]
            lse[b, m] = np.log(weight.sum())
    return o, lse


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("causal", [False, True])
def test_by_definition_and_finite_differences(name, size, causal):
    q, k, v, go, lengths = draw(*size)
    given = lengths, 0.3, causal
    with on(name, "attention"):
        o, lse = attention.forward(q, k, v, *given)
        found = attention.backward(go, q, k, v, o, lse, *given)
    want, sums = by_definition(q, k, v, *given)
    assert_close(o, want, rtol=1e-12, floor=1.0)
    assert_close(lse, sums, rtol=1e-12, floor=1.0)
    rng, h, arrays = np.random.default_rng(5), 1e-6, (q, k, v)
    ways = [rng.standard_normal(a.shape) for a in arrays]
    ahead, behind = (
        by_definition(*(a + d * way for a, way in zip(arrays, ways)), *given)[0] for d in (h, -h)
    )
    slope = sum((g * way).sum() for g, way in zip(found, ways))
    assert slope == pytest.approx((go * (ahead - behind)).sum() / (2 * h), rel=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("causal", [False, True])
def test_against_torch(name, causal):
    torch = pytest.importorskip("torch")
    q, k, v, go, lengths = draw(3, 33, 40, 80, 9, "float32")
    there = (np.arange(40) < lengths[:, None])[:, None] & np.ones((33, 1), bool)
    if causal:
        there = there & (np.arange(40) <= np.arange(33)[:, None])
    leaves = [torch.tensor(a, requires_grad=True) for a in (q, k, v)]
    want = torch.nn.functional.scaled_dot_product_attention(
        *leaves, attn_mask=torch.tensor(there), scale=0.5
    )
    want.backward(torch.tensor(go))
    with on(name, "attention"):
        o, lse = attention.forward(q, k, v, lengths, 0.5, causal)
        found = attention.backward(go, q, k, v, o, lse, lengths, 0.5, causal)
    assert_close(o, want.detach().numpy(), reduction=64, floor=1.0)
    for got, leaf in zip(found, leaves):
        assert_close(got, leaf.grad.numpy(), reduction=256, floor=1.0)


@pytest.mark.parametrize("examples", [FEW, MANY])
@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_beyond_the_keys_does_not_matter(name, examples):
    q, k, v, go, _ = draw(examples, 65, 70, 8, 7)
    lengths, found = np.resize([70, 2, 0], examples), []
    for rest in (0.0, np.nan, np.inf):
        k[1, 2:], v[1, 2:], k[2], v[2] = rest, rest, rest, rest
        with on(name, "attention"), np.errstate(invalid="ignore"):
            o, lse = attention.forward(q, k, v, lengths, 0.5, False)
            found.append([o, lse, *attention.backward(go, q, k, v, o, lse, lengths, 0.5, False)])
    for other in found[1:]:
        for a, b in zip(found[0], other):
            assert np.array_equal(a, b)
    o, lse, gq, gk, gv = found[0]
    assert not o[2].any() and (lse[2] == -np.inf).all() and not gq[2].any()
    assert not gk[1, 2:].any() and not gv[1, 2:].any() and not gv[2].any()


@pytest.mark.parametrize("name", BACKENDS)
def test_large_scores_do_not_overflow(name):
    q, k = np.full((1, 1, 1), 1000.0, "float32"), np.array([[[1.0], [-1.0], [1.0]]], "float32")
    v = np.array([[[1.0], [5.0], [3.0]]], "float32")
    with on(name, "attention"):
        o, lse = attention.forward(q, k, v, np.array([3]), 1.0, False)
    assert o.item() == 2.0 and lse.item() == pytest.approx(1000 + np.log(2), rel=1e-6)


@pytest.mark.parametrize("examples", [FEW, MANY])
@pytest.mark.parametrize("name", BACKENDS)
def test_a_nan_comes_through_for_its_query_alone(name, examples):
    q, k, v, _, _ = draw(examples, 65, 70, 8, 7)
    q[0, 1, 0] = np.nan
    with on(name, "attention"), np.errstate(invalid="ignore"):
        o, lse = attention.forward(q, k, v, np.full(examples, 70), 1.0, False)
    assert np.isnan(o[0, 1]).all() and np.isnan(lse[0, 1])
    assert np.isfinite(np.delete(o[0], 1, axis=0)).all() and np.isfinite(o[1:]).all()


@pytest.mark.parametrize("examples", [FEW, MANY])
@pytest.mark.parametrize("name", ["numba", "numba v1"])
def test_the_derivative_has_the_weights_of_the_forward_pass(name, examples):
    """gv = pᵀ go and o = p v: Σ <v, gv> = Σ <go, o>. A score of 10^4 that is rounded otherwise in
    the backward pass would make p there wrong by a thousandth."""
    q, k, v, go, lengths = draw(examples, 65, 70, 8, 7, "float32")
    q, k, given = 100 * q, 100 * k, (lengths, 0.3, False)
    with on(name, "attention"):
        o, lse = attention.forward(q, k, v, *given)
        gv = attention.backward(go, q, k, v, o, lse, *given)[2]
    assert abs(lse).max() > 1e4
    left, right = ((a.astype(float) * b).sum(axis=2) for a, b in ((v, gv), (go, o)))
    size = abs(go.astype(float) * o).sum(axis=(1, 2))
    assert (abs(left.sum(axis=1) - right.sum(axis=1)) < 1e-5 * size).all()


@pytest.mark.parametrize("name", ["numba", "numba v1"])
def test_arrays_that_may_not_be_written_to(name):
    """As those of a file that is mapped into memory; also lengths with gaps between them."""
    given, lengths = draw(3, 4, 6, 5, 2)[:4], np.array([6, 0, 3, 0, 1, 0])[::2]
    want = attention.forward(*given[:3], lengths, 1.0, False)
    for a in given:
        a.flags.writeable = False
    with on(name, "attention"):
        found = attention.forward(*given[:3], lengths, 1.0, False)
        attention.backward(given[3], *given[:3], *found, lengths, 1.0, False)
    for a, b in zip(found, want):
        assert_close(a, b, rtol=1e-12, floor=1.0)


@pytest.mark.parametrize("examples", [FEW, MANY])
def test_the_same_bits_with_any_number_of_threads(examples):
    q, k, v, go, lengths = draw(examples, 130, 90, 40, 30, "float32")
    record, found = type("Record", (), {"backend": "numba"}), []
    for number in (1, 2):
        with threads(record, number):
            o, lse = attention.forward(q, k, v, lengths, 0.2, False)
            found.append([o, lse, *attention.backward(go, q, k, v, o, lse, lengths, 0.2, False)])
    for one, two in zip(*found):
        assert np.array_equal(one, two)


def test_errors():
    q, k, v, _, lengths = draw(2, 3, 5, 4, 2)
    for call, error, message in (
        (lambda: attention.forward(q[0], k, v, lengths, 1.0, False), ShapeError, "q must have"),
        (lambda: attention.forward(q, k[:, :, 1:], v, lengths, 1.0, False), ShapeError, "k.shape"),
        (lambda: attention.forward(q, k, v[:, 1:], lengths, 1.0, False), ShapeError, "v.shape"),
        (lambda: attention.forward(q, k, v, lengths + 3, 1.0, False), ValueRangeError, "got 5..8"),
        (lambda: attention.forward(q, k, v, -lengths, 1.0, False), ValueRangeError, r"0\.\.5"),
        (lambda: attention.forward(q, k, v, lengths[:1], 1.0, False), ShapeError, r"be \[B\]"),
        (lambda: attention.forward(q, k, v, 1.0 * lengths, 1.0, False), DTypeError, "int64"),
    ):
        with pytest.raises(error, match=message):
            call()
