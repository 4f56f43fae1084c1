"""New tensors: constants, steps, identity, likeness, and random numbers of the default stream."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.kernels.errors import GlassgradError, ValueRangeError

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
def test_constants(dtype):
    for shape in ((), 3, (2, 0), (2, 3)):
        assert np.array_equal(gg.full(shape, 1, dtype).numpy(), np.full(shape, 1, dtype))
        assert gg.full(shape, 1, dtype).dtype == dtype
    like = gg.zeros((2, 3), dtype)
    for made, want in ((gg.zeros_like(like), 0), (gg.ones_like(like), 1)):
        assert made.dtype == dtype and np.array_equal(made.numpy(), np.full((2, 3), want, dtype))
    for n, m in ((3, None), (2, 4), (4, 2), (0, 3)):
        assert np.array_equal(gg.eye(n, m, dtype).numpy(), np.eye(n, m, dtype=dtype))


def test_full_has_the_dtype_of_its_number():
    dtypes = [gg.full(2, v).dtype for v in (0.5, 7, True, np.float64(2), np.int8(3))]
    assert dtypes == ["float32", "int64", "bool", "float32", "int64"]
    assert np.isnan(gg.full(2, float("nan")).numpy()).all()
    assert gg.full(2, 1.0, requires_grad=True).requires_grad
    assert gg.ones_like([1.0, 2.0], "float64", requires_grad=True).requires_grad


@pytest.mark.parametrize(
    "args",
    [(5,), (0,), (-2,), (2, 7), (7, 2), (7, 2, -2), (0.0, 1.0, 0.25), (1, 2, 0.5), (1.5,), (3, 3)],
)
def test_arange(args):
    got, want = gg.arange(*args), np.arange(*args)
    assert np.allclose(got.numpy(), want, rtol=1e-6) and got.shape == want.shape
    whole = all(isinstance(a, int) for a in args)
    assert got.dtype == ("int64" if whole else "float32")
    assert gg.arange(*args, dtype="float64").dtype == "float64"


def test_random_tensors_come_from_one_stream():
    gg.manual_seed(3)
    a, b = gg.randn((4, 5)), gg.rand(7, "float64")
    gg.manual_seed(3)
    same = gg.Generator(3)
    assert np.array_equal(a.numpy(), same.normal((4, 5)))
    assert np.array_equal(b.numpy(), same.uniform((7,), dtype="float64"))
    assert np.array_equal(gg.randn((4, 5)).numpy(), a.numpy())
    assert not np.array_equal(gg.randn((4, 5)).numpy(), a.numpy())
    gg.manual_seed(0)
    rng = gg.Generator(5)
    before = gg.Generator(0)
    gg.randn(3, rng=rng)
    assert np.array_equal(gg.rand(3).numpy(), before.uniform((3,)))  # rng= leaves the stream alone
    many = gg.rand(100_000).numpy()
    assert many.min() >= 0 and many.max() < 1 and abs(many.mean() - 0.5) < 0.01
    many = gg.randn(100_000, requires_grad=True)
    assert many.requires_grad and abs(many.numpy().std() - 1) < 0.02


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gg.full(2, 300, "uint8"), "full: value must fit the dtype; expected a number of"),
        (lambda: gg.full(2, float("nan"), "int64"), "full: value must fit the dtype"),
        (lambda: gg.full(2, "a"), "full: value has the wrong type"),
        (lambda: gg.full(-1, 0.0), "full: shape is not allowed"),
        (lambda: gg.arange(0, 1, 0), "arange: step must not be 0"),
        (lambda: gg.arange(2**50), "arange: the result must fit into memory"),
        (lambda: gg.arange(0, 1, 1e-300), "arange: the result must fit into memory"),
        (lambda: gg.arange(0, float("inf")), "arange: stop is not allowed"),
        (lambda: gg.eye(-1), "eye: n is not allowed"),
        (lambda: gg.eye(2**20, 2**20), "eye|fit into memory"),
        (lambda: gg.rand((2, 3), requires_grad=True, dtype="int64"), "rand|uniform"),
        (lambda: gg.randn(2, rng=3), "randn: rng has the wrong type"),
        (lambda: gg.zeros_like("a"), "zeros_like: x has the wrong type"),
    ],
)
def test_what_makes_no_sense_is_named(call, message):
    with pytest.raises(GlassgradError, match=message):
        call()


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(0.5, "int64"), (1e39, "float32"), (300, "int8"), (-1, "uint8"), (2, "bool")],
)
def test_full_refuses_a_number_that_the_dtype_does_not_hold(value, dtype):
    with pytest.raises(ValueRangeError, match="value must fit the dtype"):
        gg.full((2,), value, dtype)


def test_full_takes_what_fits():
    assert gg.full((2,), 0.1, "float32").numpy()[0] == np.float32(0.1)
    assert gg.full((1,), 7.0, "int8").item() == 7
    assert np.isinf(gg.full((1,), float("inf"), "float32").item())
