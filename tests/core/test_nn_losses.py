"""Losses: closed forms, finite differences to second order, extremes, bad targets, PyTorch."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.functions.indexing import known_targets, targets_are_known
from glassgrad.core.nn import losses
from glassgrad.kernels.errors import DTypeError, GlassgradError, ShapeError, ValueRangeError
from tests.tools import assert_close

rng = np.random.default_rng(3)
X, Y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
P, Q = rng.uniform(0.05, 0.95, (4, 3)), rng.uniform(0.05, 0.95, (4, 3))
ROWS = P / P.sum(axis=1, keepdims=True)
LABELS = np.array([2, 0, 1, 2])
SIGNS = np.where(Y > 0, 1, -1)
LOGITS = X + np.arange(3)
W = rng.normal(size=(3, 3))


def each(f, *arrays):
    return np.array([f(*map(float, v)) for v in zip(*(a.reshape(-1) for a in arrays))])


def _kl(p, log_q):
    return np.array([sum(a * (math.log(a) - b) for a, b in zip(r, s)) for r, s in zip(p, log_q)])


def _ce(z, labels):
    e = [[math.exp(v) for v in row] for row in z]
    return np.array([-math.log(row[k] / sum(row)) for row, k in zip(e, labels)])


# name -> (loss of tensors, arrays that are differentiated, its values one by one, from a loop)
LOSSES = {
    "mse": (losses.mse, (X, Y), lambda: each(lambda x, y: (x - y) ** 2, X, Y)),
    "l1": (losses.l1, (X, Y), lambda: each(lambda x, y: abs(x - y), X, Y)),
    "huber": (
        lambda x, y, reduction="mean": losses.huber(x, y, 0.7, reduction), (X, Y),
        lambda: each(
            lambda x, y: 0.5 * (x - y) ** 2 if abs(x - y) <= 0.7 else 0.7 * (abs(x - y) - 0.35),
            X, Y,
        ),
    ),
    "cross_entropy": (
        lambda z, reduction="mean": losses.cross_entropy(z, LABELS, reduction), (LOGITS,),
        lambda: _ce(LOGITS, LABELS),
    ),
    "linear_cross_entropy": (
        lambda x, w, b, reduction="mean": losses.linear_cross_entropy(x, w, b, LABELS, reduction),
        (X, W, LOGITS[0]), lambda: _ce(X @ W.T + LOGITS[0], LABELS),
    ),
    "nll": (
        lambda z, reduction="mean": losses.nll(gg.log_softmax(z), LABELS, reduction), (LOGITS,),
        lambda: _ce(LOGITS, LABELS),
    ),
    "binary_cross_entropy": (
        losses.binary_cross_entropy, (P, Q),
        lambda: each(lambda p, y: -(y * math.log(p) + (1 - y) * math.log(1 - p)), P, Q),
    ),
    "binary_cross_entropy_with_logits": (
        losses.binary_cross_entropy_with_logits, (X, Q),
        lambda: each(
            lambda z, y: y * math.log(1 + math.exp(-z)) + (1 - y) * math.log(1 + math.exp(z)), X, Q
        ),
    ),
    "kl_divergence": (losses.kl_divergence, (ROWS, LOGITS), lambda: _kl(ROWS, LOGITS)),
    "gaussian_nll": (
        losses.gaussian_nll, (X, Y, Q),
        lambda: each(lambda m, y, v: 0.5 * (math.log(v) + (y - m) ** 2 / v), X, Y, Q),
    ),
    "hinge": (
        lambda s, reduction="mean": losses.hinge(s, SIGNS, reduction), (X,),
        lambda: each(lambda s, y: max(0.0, 1 - y * s), X, SIGNS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_reductions(name, dtype):
    f, arrays, want = LOSSES[name]
    xs = [gg.tensor(a.astype(dtype)) for a in arrays]
    want = want().astype(dtype)
    assert_close(f(*xs, reduction="none").numpy().reshape(-1), want, reduction=16)
    assert_close(f(*xs, reduction="sum").numpy(), want.sum(), reduction=256)
    assert_close(f(*xs, reduction="mean").numpy(), want.mean(), reduction=64)
    with pytest.raises(ValueRangeError, match="reduction must be known"):
        f(*xs, reduction="avg")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_both_orders(name, reduction):
    f, arrays, _ = LOSSES[name]
    gg.gradcheck(
        lambda *xs: f(*xs, reduction=reduction), *arrays, order=2, name=name, directions=12
    )


def test_a_label_buffer_may_be_used_again():
    """Between forward and backward the caller fills its buffers with the next batch."""

    def gradient(loss, target, change):
        buffer = np.array(target)
        x = gg.tensor(np.full((2, 3), 0.5), requires_grad=True)
        y = loss(x, buffer)
        if change:
            buffer[...] = 1 - buffer
        return gg.grad(y, x).numpy()

    half = [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]
    for loss, target in (
        (losses.cross_entropy, [0, 1]),
        (losses.nll, [0, 1]),
        (losses.binary_cross_entropy, half),
        (losses.binary_cross_entropy_with_logits, half),
        (lambda x, y: gg.take_along(x, y).sum(), [0, 1]),
        (lambda x, y: (x[y] * gg.tensor(np.array([[1.0], [2.0]]))).sum(), [0, 0]),
        (lambda x, y: (gg.embedding(x, y) * gg.tensor(np.array([[1.0], [2.0]]))).sum(), [0, 0]),
        (lambda x, y: gg.where(y, x, 0.0).sum(), [[0, 1, 0], [1, 1, 0]]),
    ):
        assert np.array_equal(gradient(loss, target, True), gradient(loss, target, False))


def test_stored_gradients():
    z = gg.tensor([[0.0, 0.0]], requires_grad=True)
    assert gg.grad(losses.cross_entropy(z, [1]), z).numpy().tolist() == [[0.5, -0.5]]
    z = gg.tensor([0.0], requires_grad=True)
    loss = losses.binary_cross_entropy_with_logits(z, [1.0])
    assert gg.grad(loss, z).numpy().tolist() == [-0.5]
    x = gg.tensor([3.0, 0.5], requires_grad=True)
    assert gg.grad(losses.huber(x, [0.0, 0.0], reduction="sum"), x).numpy().tolist() == [1.0, 0.5]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremes_stay_finite_and_exact(dtype):
    def t(*values):
        return gg.tensor(np.array(values, dtype), requires_grad=True)

    z = t(1e4, -1e4, 30.0, -30.0)
    y = losses.binary_cross_entropy_with_logits(z, [1, 0, 1, 0], "none")
    assert_close(y.numpy(), np.array([0, 0, *[math.log1p(math.exp(-30))] * 2], dtype))
    z = t([1e30, -1e30, 0.0], [-1e4, 0.0, 1e4])
    y = losses.cross_entropy(z, [0, 0], "none")
    assert y.numpy().tolist() == [0.0, 2e4]
    assert np.isfinite(gg.grad(y.sum(), z).numpy()).all()
    p = t(0.0, 1.0, 0.0, 1.0)
    y = losses.binary_cross_entropy(p, [1, 0, 0, 1], "none")
    assert y.numpy().tolist() == [100.0, 100.0, 0.0, 0.0]
    slope = gg.grad(y.sum(), p).numpy()
    assert np.isfinite(slope).all() and slope[0] < 0 < slope[1]
    q = gg.tensor(np.array([[0.0, 1.0]], dtype), requires_grad=True)
    kl = losses.kl_divergence(q, gg.tensor(np.log(np.array([[0.5, 0.5]], dtype))))
    assert_close(kl.numpy(), np.array(math.log(2), dtype))
    assert np.isfinite(gg.grad(kl, q).numpy()).all()
    v = t(0.0, 1.0)
    y = losses.gaussian_nll(t(1.0, 1.0), [1.0, 1.0], v, "none")
    assert_close(y.numpy(), np.array([0.5 * math.log(1e-6), 0], dtype))
    assert gg.grad(y.sum(), v).numpy().tolist() == [0.0, 0.5]


def test_a_nan_comes_through():
    x = gg.tensor([math.nan, 1.0])
    assert math.isnan(losses.mse(x, [0.0, 0.0]).item())
    assert math.isnan(losses.cross_entropy(x.reshape(1, 2), [1]).item())
    assert math.isnan(losses.binary_cross_entropy_with_logits(x, [1.0, 0.0]).item())


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda t: losses.mse(t((4, 1)), t((4,))), ShapeError,
         r"mse: predictions and targets must have one shape; expected \(4, 1\), got \(4,\)"),
        (lambda t: losses.mse(t((0, 3)), t((0, 3))), ShapeError, "mse: the batch is empty"),
        (lambda t: losses.cross_entropy(t((0, 3)), np.zeros(0, int)), ShapeError, "is empty"),
        (lambda t: losses.cross_entropy(t((2, 3)), [0, 3]), ValueRangeError, r"0\.\.2, got 3"),
        (lambda t: losses.cross_entropy(t((2, 3)), [-1, 0]), ValueRangeError, r"0\.\.2, got -1"),
        (lambda t: losses.cross_entropy(t((2, 3)), [0.0, 1.0]), DTypeError, "must be integers"),
        (lambda t: losses.cross_entropy(t((2, 3)), [0]), ShapeError, "leading shape"),
        (lambda t: losses.cross_entropy(t((2, 3)), [-2, -1], ignore_index=-2), ValueRangeError,
         r"0\.\.2, got -1"),
        (lambda t: losses.cross_entropy(t((2, 3)), [9, 9], ignore_index=9), ValueRangeError,
         "all labels are 9, there is no mean"),
        (lambda t: losses.cross_entropy(t((2, 3)), [0, 1], weight=[1.0, 2.0]), ShapeError,
         "weight must have one number for each class"),
        (lambda t: losses.cross_entropy(t((2, 3)), [0, 1], label_smoothing=1.5), ValueRangeError,
         "label_smoothing"),
        (lambda t: losses.linear_cross_entropy(t((2, 3)), t((4, 3)), None, [0]), ShapeError,
         "leading shape"),
        (lambda t: losses.linear_cross_entropy(t((2, 3)), t((4, 3)), None, [0, 4]),
         ValueRangeError, r"0\.\.3, got 4"),
        (lambda t: losses.linear_cross_entropy(t((2, 3)), t((4, 2)), None, [0, 0]), ShapeError,
         r"linear_cross_entropy: x's last axis must equal w\.shape\[1\]"),
        (lambda t: losses.linear_cross_entropy(t((2, 3)), t((4, 3)), t((3,)), [0, 0]), ShapeError,
         r"b must have shape \[O\]"),
        (lambda t: losses.linear_cross_entropy(t((0, 3)), t((4, 3)), None, np.zeros(0, int)),
         ShapeError, "is empty"),
        (lambda t: losses.nll(t((2, 3)), [0, 5]), ValueRangeError, "nll: labels must lie"),
        (lambda t: losses.binary_cross_entropy(t((2,)) * 2, [1, 0]), ValueRangeError,
         "p must hold probabilities"),
        (lambda t: losses.binary_cross_entropy_with_logits(t((2,)), [2, 0]), ValueRangeError,
         "y must hold probabilities"),
        (lambda t: losses.binary_cross_entropy(t((2,)) * math.nan, [1, 0]), ValueRangeError,
         "expected 0..1, got nan"),
        (lambda t: losses.gaussian_nll(t((1,)), [0.0], -t((1,))), ValueRangeError, "negative"),
        (lambda t: losses.hinge(t((2,)), [0, 1]), ValueRangeError, "-1 or"),
        (lambda t: losses.huber(t((1,)), [0.0], delta=0), ValueRangeError, "delta must be"),
        (lambda t: losses.mse(t((1,)), np.zeros(1)), DTypeError, "float dtypes must agree"),
    ],
)  # fmt: skip
def test_bad_targets_are_named(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call(gg.ones)
    assert isinstance(caught.value, GlassgradError)


def test_an_empty_batch_without_reduction_is_empty():
    assert losses.mse(gg.ones((0, 3)), gg.ones((0, 3)), "none").shape == (0, 3)
    assert losses.cross_entropy(gg.ones((0, 3)), np.zeros(0, int), "none").shape == (0,)


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_equal_torch(reduction):
    torch = pytest.importorskip("torch")
    F, t = torch.nn.functional, torch.tensor
    k = {"reduction": reduction}
    labels = t(LABELS)
    pairs = {
        "mse": ((X, Y), lambda a, b: F.mse_loss(a, b, **k)),
        "l1": ((X, Y), lambda a, b: F.l1_loss(a, b, **k)),
        "huber": ((X, Y), lambda a, b: F.huber_loss(a, b, delta=0.7, **k)),
        "cross_entropy": ((LOGITS,), lambda z: F.cross_entropy(z, labels, **k)),
        "nll": ((LOGITS,), lambda z: F.nll_loss(F.log_softmax(z, -1), labels, **k)),
        "binary_cross_entropy": ((P, Q), lambda a, b: F.binary_cross_entropy(a, b, **k)),
        "binary_cross_entropy_with_logits": (
            (X, Q),
            lambda a, b: F.binary_cross_entropy_with_logits(a, b, **k),
        ),
        "gaussian_nll": ((X, Y, Q), lambda m, y, v: F.gaussian_nll_loss(m, y, v, **k)),
    }
    for name, (arrays, theirs) in pairs.items():
        ours = LOSSES[name][0]
        a = [gg.tensor(v, requires_grad=True) for v in arrays]
        b = [t(v, requires_grad=True) for v in arrays]
        y, z = ours(*a, reduction=reduction), theirs(*b)
        assert_close(y.numpy(), z.detach().numpy(), reduction=64, what=name)
        g = np.random.default_rng(0).normal(size=y.shape)
        y.backward(g)
        z.backward(t(g))
        for p, q in zip(a, b):
            assert_close(p.grad.numpy(), q.grad.numpy(), reduction=64, what=name)
    p = [gg.tensor(ROWS), gg.tensor(LOGITS)]
    want = F.kl_div(t(LOGITS), t(ROWS), reduction="none").sum(-1)
    assert_close(losses.kl_divergence(*p, reduction="none").numpy(), want.numpy(), reduction=64)


def test_known_targets_are_not_looked_at_again():
    """For captured steps: within the block nothing is read back, after it all is as before."""
    logits = gg.Tensor(np.zeros((1, 3), "float32"))
    for bad in (
        lambda: losses.cross_entropy(logits, np.array([3])),
        lambda: losses.binary_cross_entropy_with_logits(logits, np.full((1, 3), 2.0, "float32")),
    ):
        with pytest.raises(ValueRangeError), known_targets():
            with known_targets():
                pass
            assert targets_are_known()
            raise ValueRangeError("leaves the block")
        with pytest.raises(ValueRangeError, match="expected 0"):
            bad()
    labels = np.array([1])
    with known_targets():
        inside = losses.cross_entropy(logits, labels).item()
    assert inside == losses.cross_entropy(logits, labels).item() and not targets_are_known()
