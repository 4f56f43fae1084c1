"""Sparse products against SciPy and by hand: sums, their order, transposes, extremes, errors."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax as right_softmax

from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, spmm
from tests.kernels.checking import on, threads, why_no_emulator
from tests.tools import assert_close

NO_COMPILER = why_no_emulator()
EMULATED = [
    pytest.param(
        f"emulated{v}", marks=pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER or "there")
    )
    for v in ("", " v1")
]
BACKENDS = ["reference", "numba", *EMULATED]


def draw(N, M, E, D, dtype="float64", seed=0):
    """(SciPy's matrix with E entries, x [M, D], g [N, D]); row 0 has a third of the entries."""
    rng = np.random.default_rng(seed)
    rows = np.sort(np.where(rng.random(E) < 0.3, 0, rng.integers(0, N, E)))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=N))])
    values = rng.standard_normal(E).astype(dtype)
    a = csr_matrix((values, rng.integers(0, M, E), indptr), (N, M))
    return a, *(rng.standard_normal((n, D)).astype(dtype) for n in (M, N))


def parts(a):
    """indptr and indices of a SciPy matrix in int64, the row of each entry, and its transpose."""
    indptr, indices = a.indptr.astype("int64"), a.indices.astype("int64")
    rows = np.repeat(np.arange(a.shape[0]), np.diff(indptr))
    return indptr, indices, rows, spmm.transpose(indptr, indices, a.shape[1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BACKENDS)
def test_against_scipy(name, dtype):
    """Entries repeat here: both sides add them."""
    a, x, g = draw(17, 11, 200, 8, dtype)
    indptr, indices, rows, turned = parts(a)
    with on(name, "spmm"):
        y = spmm.forward(indptr, indices, a.data, x)
        s = spmm.transposed(*turned, a.data, g)
        at = spmm.values_grad(rows, indices, g, x)
        weights = spmm.softmax(indptr, a.data)
    wide = a.astype("float64")
    assert_close(y, (wide @ x.astype("float64")).astype(dtype), reduction=200)
    assert_close(s, (wide.T @ g.astype("float64")).astype(dtype), reduction=200)
    assert_close(at, (g @ x.T)[rows, indices], reduction=8)
    pieces = [right_softmax(p) for p in np.split(a.data, indptr[1:-1])]
    assert_close(weights, np.concatenate(pieces), reduction=100)


@pytest.mark.parametrize("name", BACKENDS)
def test_they_are_derivatives_of_one_form(name):
    """<g, A x> is linear in x, in g and in the values: three ways to the same number."""
    a, x, g = draw(9, 13, 70, 4)
    indptr, indices, rows, turned = parts(a)
    with on(name, "spmm"):
        by_row = (g * spmm.forward(indptr, indices, a.data, x)).sum()
        by_column = (x * spmm.transposed(*turned, a.data, g)).sum()
        by_entry = (a.data * spmm.values_grad(rows, indices, g, x)).sum()
    assert by_row == pytest.approx(by_column, rel=1e-13)
    assert by_row == pytest.approx(by_entry, rel=1e-13)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("name", BACKENDS)
def test_the_order_is_that_of_the_entries(name, width):
    """1 is lost next to 2^53, unless the two large ones have met before; also in four at once."""
    large, ones = 2.0**24 if width == 4 else 2.0**53, np.ones((3, width))
    dtype = "float32" if width == 4 else "float64"
    indptr, indices = np.array([0, 0, 3, 3]), np.array([2, 0, 1])
    column = np.array([0, 1, 2, 3]), np.zeros(3, int)  # three rows, all in column 0
    for values, want in (([large, -large, 1], 1.0), ([large, 1, -large], 0.0)):
        values = np.array(values, dtype)
        with on(name, "spmm"):
            y = spmm.forward(indptr, indices, values, ones.astype(dtype))
            s = spmm.transposed(*spmm.transpose(*column, 1), values, ones.astype(dtype))
        assert y.tolist() == [[0.0] * width, [want] * width, [0.0] * width]
        assert s.tolist() == [[want] * width]


@pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER or "a compiler is there")
def test_four_at_once_are_the_bits_of_one_at_a_time():
    a, x, g = draw(40, 30, 500, 12, "float32")
    indptr, indices, _, turned = parts(a)
    found = []
    for version in ("emulated v1", "emulated v2"):
        with on(version, "spmm"):
            found.append(spmm.forward(indptr, indices, a.data, x))
            found.append(spmm.transposed(*turned, a.data, g))
    assert np.array_equal(found[0], found[2]) and np.array_equal(found[1], found[3])


def test_the_same_bits_with_any_number_of_threads():
    a, x, g = draw(300, 200, 5000, 40, "float32")
    indptr, indices, rows, turned = parts(a)
    record, found = type("Record", (), {"backend": "numba"}), []
    for number in (1, 2):
        with threads(record, number):
            found.append([
                spmm.forward(indptr, indices, a.data, x),
                spmm.transposed(*turned, a.data, g),
                spmm.values_grad(rows, indices, g, x),
                spmm.softmax(indptr, a.data),
            ])  # fmt: skip
    assert all(map(np.array_equal, *found))


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_not_finite_stays_in_its_row(name):
    indptr, indices = np.array([0, 2, 2, 3]), np.array([0, 1, 1])
    x = np.array([[1.0, np.nan], [2.0, 3.0]], "float32")
    with on(name, "spmm"):
        y = spmm.forward(indptr, indices, np.ones(3, "float32"), x)
        assert np.array_equal(y, [[3, np.nan], [0, 0], [2, 3]], equal_nan=True)
        a = spmm.softmax(indptr, np.array([np.nan, 1, 5], "float32"))
        assert np.array_equal(a, [np.nan, np.nan, 1], equal_nan=True)


@pytest.mark.parametrize("name", BACKENDS)
def test_softmax_takes_any_scores(name):
    """Large ones do not overflow, and a constant added to a row changes nothing."""
    indptr = np.array([0, 40, 40, 43])
    z = np.random.default_rng(2).standard_normal(43)
    with on(name, "spmm"):
        a = spmm.softmax(indptr, z)
        shifted = spmm.softmax(indptr, z + np.repeat([1e4, -1e4], [40, 3]))
        one_hot = spmm.softmax(np.array([0, 2]), np.array([-1e4, 1e4]))
    assert_close(shifted, a, rtol=1e-10)
    assert [a[:40].sum(), a[40:].sum()] == pytest.approx([1, 1])
    assert one_hot.tolist() == [0, 1]


def test_transpose_sorts_by_column_and_keeps_the_order_within():
    a, *_ = draw(23, 9, 150, 1)
    _, indices, rows, (turned, at, place) = parts(a)
    assert np.array_equal(turned, csr_matrix(a.T).indptr) and np.array_equal(at, rows[place])
    assert sorted(place) == list(range(150))
    for j in range(9):
        mine = place[turned[j] : turned[j + 1]]
        assert (indices[mine] == j).all() and (np.diff(mine) > 0).all()
    empty = spmm.transpose(np.array([0]), np.zeros(0, int), 2)
    assert [e.tolist() for e in empty] == [[0, 0, 0], [], []]


def test_errors():
    indptr, indices, values = np.array([0, 1, 3]), np.array([0, 2, 1]), np.ones(3)
    x, g = np.ones((3, 2)), np.ones((2, 2))
    with pytest.raises(ValueRangeError, match=r"indices must lie below 2; expected 0\.\.1, got"):
        spmm.forward(indptr, indices, values, x[:2])
    with pytest.raises(ValueRangeError, match="indptr must begin with 0 and end"):
        spmm.forward(indptr[:2], indices, values, x)
    with pytest.raises(ValueRangeError, match="indptr must not fall"):
        spmm.forward(np.array([0, 4, 3]), indices, values, x)
    with pytest.raises(DTypeError, match=r"indices.dtype must be int64"):
        spmm.forward(indptr, indices.astype("int32"), values, x)
    with pytest.raises(DTypeError, match="dtype"):
        spmm.forward(indptr, indices, values.astype("float32"), x)
    with pytest.raises(ShapeError, match=r"values must be \[E\]; expected \(3,\), got \(2,\)"):
        spmm.forward(indptr, indices, values[:2], x)
    with pytest.raises(ShapeError, match="x must have two axes"):
        spmm.forward(indptr, indices, values, x[0])
    with pytest.raises(ShapeError, match="indptr must have an entry more than rows"):
        spmm.forward(indptr[:0], indices, values, x)
    turned = spmm.transpose(indptr, indices, 3)
    with pytest.raises(ValueRangeError, match="rows must lie below 1"):
        spmm.transposed(*turned, values, g[:1])
    with pytest.raises(ValueRangeError, match="place must lie below 3"):
        spmm.transposed(*turned[:2], turned[2] + 1, values, g)
    rows = np.array([0, 1, 1])
    with pytest.raises(ShapeError, match="g and x must be of one width"):
        spmm.values_grad(rows, indices, g[:, :1], x)
    with pytest.raises(ValueRangeError, match="rows must lie below 2"):
        spmm.values_grad(rows + 1, indices, g, x)
    with pytest.raises(ValueRangeError, match="indices must lie below 3"):
        spmm.values_grad(rows, indices + 1, g, x)
    with pytest.raises(ShapeError, match=r"indices must be \[E\]"):
        spmm.values_grad(rows, indices[:2], g, x)
    with pytest.raises(ShapeError, match="scores must have one axis"):
        spmm.softmax(indptr, x)
    with pytest.raises(ValueRangeError, match="indices must lie below 2"):
        spmm.transpose(indptr, indices, 2)
