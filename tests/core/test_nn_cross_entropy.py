"""Cross-entropy: its options by their definition, in parts as in whole, PyTorch."""

import math
import tracemalloc

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.nn import cross_entropy, losses
from tests.tools import assert_close, needs_numba

rng = np.random.default_rng(3)


def by_definition(z, labels):
    e = [[math.exp(v) for v in row] for row in z]
    return np.array([-math.log(row[k] / sum(row)) for row, k in zip(e, labels)])


Z, KNOWN = rng.normal(size=(6, 4)), np.array([0, 3, -7, 2, -7, 1])
OPTIONS = [
    {"weight": weight, "ignore_index": unknown, "label_smoothing": smoothing}
    for weight in (None, [0.5, 1.0, 2.0, 0.25])
    for unknown in (None, -7)
    for smoothing in (0.0, 0.3)
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", OPTIONS)
def test_options_of_the_cross_entropy(options, reduction):
    """Values by the definition: the target is a law over the classes; gradients of both orders."""
    unknown, smoothing = options["ignore_index"], options["label_smoothing"]
    labels = KNOWN if unknown else np.abs(KNOWN) % 4
    weight = np.ones(4) if options["weight"] is None else np.array(options["weight"])
    rows, norm = [], 0.0
    for z, k in zip(Z, labels):
        law = smoothing / 4 + (1 - smoothing) * (np.arange(4) == k)
        log_p = z - math.log(sum(math.exp(v) for v in z))
        rows.append(0.0 if k == unknown else -(weight * law * log_p).sum())
        norm += 0.0 if k == unknown else weight[k]
    want = {"none": np.array(rows), "sum": sum(rows), "mean": sum(rows) / norm}[reduction]

    def f(z):
        return losses.cross_entropy(z, labels, reduction, **options)

    assert_close(f(gg.tensor(Z)).numpy(), np.asarray(want), reduction=32)
    gg.gradcheck(f, Z, order=2, directions=4)


def test_unknown_labels_of_small_dtypes():
    """uint8 has no -1, and 255 is a label too where there are 256 classes."""
    z = np.random.default_rng(0).standard_normal((3, 256))
    for unknown, labels in ((255, [255, 0, 254]), (0, [0, 255, 254])):
        found = losses.cross_entropy(
            gg.tensor(z), np.array(labels, np.uint8), "none", ignore_index=unknown
        ).numpy()
        assert found[0] == 0
        assert_close(found[1:], by_definition(z[1:], labels[1:]), reduction=256)


def test_what_a_row_of_unknown_label_holds_does_not_matter():
    z = Z.copy()
    z[2], z[4, 1] = np.nan, np.inf
    t = gg.tensor(z, requires_grad=True)
    with np.errstate(invalid="ignore"):
        options = {"ignore_index": -7, "label_smoothing": 0.1, "weight": np.ones(4)}
        loss = losses.cross_entropy(t, KNOWN, **options)
        g = gg.grad(loss, t).numpy()
    assert math.isfinite(loss.item()) and not g[[2, 4]].any() and (g[[0, 1, 3, 5]] != 0).all()


def test_fused_cross_entropy_equals_the_composed():
    z = np.random.default_rng(0).normal(size=(5, 4, 7)) * 3
    labels = np.random.default_rng(1).integers(0, 7, (5, 4))
    g = np.random.default_rng(2).normal(size=(5, 4))
    got = []
    for f in (losses.cross_entropy, lambda z, *a: losses.nll(gg.log_softmax(z), *a)):
        t = gg.tensor(z, requires_grad=True)
        y = f(t, labels, "none")
        got.append((y.numpy(), gg.grad(y, t, g).numpy()))
    assert_close(got[0][0], got[1][0], reduction=16)
    assert_close(got[0][1], got[1][1], reduction=16)


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("logits", [1, 14, 21, 1000])
def test_a_softmax_in_parts_equals_one_in_whole(monkeypatch, logits, biased):
    """5 x 4 rows of 7 classes: parts of one row, of two, of three with a tail, of all."""
    monkeypatch.setattr(cross_entropy, "LOGITS", logits)
    draw = np.random.default_rng(0).standard_normal
    arrays = [draw((5, 4, 3)), 3 * draw((7, 3)), *([draw(7)] if biased else [])]
    labels, g = np.random.default_rng(1).integers(0, 7, (5, 4)), draw((5, 4))

    def whole(x, w, b=None):
        return losses.cross_entropy(gg.linear(x, w, b), labels, "none")

    def parts(x, w, b=None):
        return losses.linear_cross_entropy(x, w, b, labels, "none")

    found = []
    for f in (whole, parts):
        tensors = [gg.tensor(a, requires_grad=True) for a in arrays]
        y = f(*tensors)
        found.append([y, *gg.grad(y, tensors, g)])
    for a, b in zip(*found):
        assert_close(a.numpy(), b.numpy(), reduction=64)


@needs_numba  # the formula keeps rows for its sums
def test_a_softmax_in_parts_keeps_no_matrix():
    """Of 64 x 300 000 logits, 77 MB, and as many gradients, three parts exist at a time."""
    labels, peak = np.zeros(64, int), 0
    for classes in (7, 300_000):  # the first call compiles
        x, w = gg.ones((64, 1), requires_grad=True), gg.ones((classes, 1), requires_grad=True)
        tracemalloc.start()
        loss = losses.linear_cross_entropy(x, w, None, labels)
        gg.grad(loss, [x, w])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert math.isclose(loss.item(), math.log(classes), rel_tol=1e-6)
    assert peak < 3 * 4 * cross_entropy.LOGITS


def test_cross_entropy_of_logits_in_another_order_of_axes():
    """Logits [N, K, T], transposed: rows of the classes are then no view of the array."""
    z = gg.tensor(np.random.default_rng(0).normal(size=(4, 5, 7)), requires_grad=True)
    labels = np.random.default_rng(1).integers(0, 5, (4, 7))
    fused = gg.grad(losses.cross_entropy(z.transpose(0, 2, 1), labels, "sum"), z).numpy()
    p = np.exp(z.numpy()) / np.exp(z.numpy()).sum(axis=1, keepdims=True)
    assert_close(fused, p - (np.arange(5)[:, None] == labels[:, None]), reduction=16)


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", OPTIONS)
def test_options_equal_torch(options, reduction):
    torch = pytest.importorskip("torch")
    unknown, weight = options["ignore_index"], options["weight"]
    known = KNOWN if unknown else np.abs(KNOWN) % 4
    theirs = {**options, "ignore_index": unknown or -100, "reduction": reduction}
    theirs["weight"] = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    leaf = torch.tensor(Z, requires_grad=True)
    want = torch.nn.functional.cross_entropy(leaf, torch.tensor(known), **theirs)
    z = gg.tensor(Z, requires_grad=True)
    got = losses.cross_entropy(z, known, reduction, **options)
    assert_close(got.numpy(), want.detach().numpy(), reduction=64)
    g = np.random.default_rng(0).standard_normal(got.shape)
    want.backward(torch.tensor(g))
    assert_close(gg.grad(got, z, g).numpy(), leaf.grad.numpy(), reduction=64)
