"""Powers of tensors, numbers and arrays, their conventions at zero; sums of long float32 arrays."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.core.functions.summation import _one_by_one, total
from tests.tools import assert_close


def slopes(x, y):
    x, y = (gg.tensor(np.array(v, "float64"), requires_grad=True) for v in (x, y))
    return [g.numpy().tolist() for g in gg.grad((x**y).sum(), [x, y])]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_way_to_write_a_power(dtype):
    a, b = np.array([0.5, 2.0, 3.0], dtype), np.array([2.0, -1.0, 0.5], dtype)
    x, y = gg.tensor(a, requires_grad=True), gg.tensor(b, requires_grad=True)
    for z in (x**y, x**b, a**y, gg.power(x, y), x ** gg.tensor(b)):
        assert z.dtype == dtype and z.requires_grad
        assert_close(z.numpy(), np.array([0.25, 0.5, 3**0.5], dtype))
    assert_close((2**y).numpy(), np.array([4, 0.5, 2**0.5], dtype))
    assert_close((2.5**y).numpy(), np.array([6.25, 0.4, 2.5**0.5], dtype))
    assert (2**y).dtype == (0.5**y).dtype == dtype


def test_a_negative_base_with_whole_exponents():
    """exp(y ln x) would be NaN."""
    x = gg.tensor(np.array([-2.0, -3.0]), requires_grad=True)
    z = x ** np.array([2, 3])
    assert z.numpy().tolist() == [4.0, -27.0]
    assert gg.grad(z.sum(), x).numpy().tolist() == [-4.0, 27.0]


def test_conventions_at_zero():
    assert slopes([0.0, 0.0, 0.0], [1.0, 2.0, 0.0]) == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert slopes([2.0], [0.0]) == [[0.0], [float(np.log(2.0))]]
    for exponent, want in ((0, [0.0, 0.0]), (0.0, [0.0, 0.0]), (1, [1.0, 1.0]), (2, [0.0, 4.0])):
        x = gg.tensor([0.0, 2.0], requires_grad=True)
        assert gg.grad((x**exponent).sum(), x).numpy().tolist() == want  # 0 · 0⁻¹ would be NaN
    with np.errstate(divide="ignore"):  # 0⁻¹ = ∞, and ∞ · ln 1 would be NaN
        assert slopes([0.0], [-1.0]) == [[-np.inf], [0.0]]
    y = gg.tensor([1.0, 2.0], requires_grad=True)
    assert gg.grad((0**y).sum(), y).numpy().tolist() == [0.0, 0.0]


def test_a_power_is_broadcast():
    gx, gy = slopes([[1.0], [2.0]], [2.0, 3.0])
    assert_close(np.array(gx), np.array([[5.0], [16.0]]))
    assert_close(np.array(gy), np.array([4.0, 8.0]) * np.log(2.0))


@pytest.mark.parametrize(
    "f, dtype, want",
    [
        (lambda i: i**0.5, "float32", [1.0, 2.0]),
        (lambda i: i**-1, "float32", [1.0, 0.25]),
        (lambda i: i ** np.array([-1, 1]), "float32", [1.0, 4.0]),
        (lambda i: i**2, "int64", [1, 16]),
        (lambda i: 2**i, "int64", [2, 16]),
        (lambda i: 2 ** (-i), "float32", [0.5, 0.0625]),
        (lambda i: 0.5**i, "float32", [0.5, 0.0625]),
    ],
)
def test_powers_of_integers(f, dtype, want):
    z = f(gg.tensor([1, 4]))
    assert z.dtype == dtype and z.numpy().tolist() == want


def test_powers_of_booleans_are_numpys():
    """x x would be a boolean."""
    for y in (1, 2, 3):
        want = np.array([True, False]) ** y
        got = gg.tensor([True, False]) ** y
        assert got.dtype == want.dtype and got.numpy().tolist() == want.tolist()


def test_running_sums_of_booleans_count():
    z = gg.cumsum(gg.tensor([True, True, False, True]))
    assert z.dtype == "int64" and z.numpy().tolist() == [1, 2, 2, 3]


# --------------------------------------------------------------- long sums of float32

LONG = (np.random.default_rng(4).standard_normal((60_000, 4)) + 1000).astype("float32")


@pytest.mark.parametrize("lay", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::-1]])
@pytest.mark.parametrize("axis", [0, (0, 2), 1, (1, 0), None, -1])
def test_long_sums_do_not_drift(axis, lay):
    x = lay(LONG.reshape(600, 100, 4).repeat(2, axis=0))
    for keepdims in (False, True):
        want = x.sum(axis=axis, keepdims=keepdims, dtype=np.float64)
        got = total(x, axis, keepdims)
        assert got.dtype == "float32" and got.shape == want.shape
        assert_close(got.astype("float64"), want, rtol=2e-6)
        assert_close(gg.sum(gg.Tensor(x), axis, keepdims).numpy(), np.asarray(got), rtol=0)


def test_the_rows_after_the_last_block_are_added_in_double_precision():
    """2²⁴ + 1 is no float32: one by one, each of the ones would be lost."""
    x = np.zeros((64 * 9 + 63, 2), "float32")
    x[64 * 9], x[64 * 9 + 1 :] = 2.0**24, 1.0
    assert total(x, axis=0).tolist() == [2.0**24 + 62] * 2


def test_means_and_their_gradients_over_many_rows():
    want = LONG.astype("float64").mean(axis=0)
    assert_close(gg.mean(gg.tensor(LONG), axis=0).numpy().astype("float64"), want, rtol=3e-7)
    b = gg.tensor(np.zeros(4, "float32"), requires_grad=True)
    g = gg.grad(gg.tensor(LONG) + b, b, LONG).numpy()
    assert_close(g.astype("float64"), LONG.astype("float64").sum(axis=0), rtol=3e-7)


def test_batch_norm_of_many_rows_far_from_zero():
    x, one = np.concatenate([LONG] * 4), np.ones(4, "float32")
    y, mean, variance = gg.batch_norm(gg.tensor(x), gg.tensor(one), gg.tensor(0 * one))
    wide = x.astype("float64")
    assert_close(mean.astype("float64"), wide.mean(axis=0), rtol=3e-7)
    assert_close(variance.astype("float64"), wide.var(axis=0), rtol=1e-5)
    assert np.abs(y.numpy().mean(axis=0, dtype="float64")).max() < 1e-4


def test_batch_norm_in_evaluation_does_not_cancel():
    norm = nn.BatchNorm(1, eps=0.0)
    norm.running_mean.assign([1e4])
    norm.running_var.assign([1e-6])
    norm.eval()
    x = np.float32([[1e4 + 0.0078125], [1e4]])
    assert_close(norm(gg.tensor(x)).numpy(), np.float32([[7.8125], [0.0]]), rtol=1e-5)


def test_only_the_axes_that_are_summed_count_as_terms():
    """300 numbers a column are few: the sum is NumPy's own, though the array holds 1200."""
    x = np.random.default_rng(0).standard_normal((300, 4)).astype("float32") + 1000
    assert _one_by_one(x, {0}) == 300 and _one_by_one(x, {1}) == 1
    assert _one_by_one(x, {0, 1}) == 1 and _one_by_one(x.T, {1}) == 300
    for axes in ((0,), (-2,)):
        assert total(x, axes).tobytes() == x.sum(0).tobytes()
