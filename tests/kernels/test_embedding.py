"""Rows of a table against SciPy and by hand: sums, their order, transposes, extremes, errors."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from glassgrad.core.functions.indexing import scatter
from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, embedding
from glassgrad.kernels.embedding import cuda
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


def draw(V, D, N, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    index = np.minimum(rng.geometric(0.1, N) - 1, V - 1)  # one row in ten is row 0
    return (
        rng.standard_normal((V, D)).astype(dtype),
        rng.standard_normal((N, D)).astype(dtype),
        index,
    )


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_against_a_sparse_product(name, dtype):
    w, g, index = draw(17, 6, 200, dtype)
    one_hot = csr_matrix((np.ones(200), (np.arange(200), index)), (200, 17))
    with on(name, "embedding"):
        y, s = embedding.gather(w, index), embedding.scatter_add(g, index, 17)
    assert np.array_equal(y, one_hot @ w)
    assert_close(s, (one_hot.T @ g.astype("float64")).astype(dtype), reduction=200)


@pytest.mark.parametrize("name", BACKENDS)
def test_they_are_transposes(name):
    w, g, index = draw(9, 4, 70)
    with on(name, "embedding"):
        left = (g * embedding.gather(w, index)).sum()
        right = (embedding.scatter_add(g, index, 9) * w).sum()
    assert left == pytest.approx(right, rel=1e-13)


@pytest.mark.parametrize("name", ["reference", "numba", EMULATED[1]])
def test_the_order_is_that_of_the_places(name):
    """1 is lost next to 2^53, unless the two large ones have met before."""
    index, large = np.array([1, 0, 1, 1]), 2.0**53
    for g, want in (([large, 7, -large, 1], 1.0), ([large, 7, 1, -large], 0.0)):
        with on(name, "embedding"):
            s = embedding.scatter_add(np.array(g)[:, None], index, 2)
        assert s.ravel().tolist() == [7.0, want]


@pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER or "a compiler is there")
def test_a_rows_order_in_pieces_does_not_depend_on_other_rows():
    """Rows in front of it move its stretch by one place, and its pieces with it."""
    g = np.random.default_rng(1).standard_normal((5 * cuda.PIECE, 3)).astype("float32")
    index = np.ones(len(g), int)
    with on("emulated", "embedding"):
        alone = embedding.scatter_add(g, index, 2)[1]
        again = np.concatenate([g[:1], g]), np.concatenate([[0], index])
        assert np.array_equal(embedding.scatter_add(*again, 2)[1], alone)
        assert_close(alone, g.sum(axis=0), reduction=len(g))
        first = embedding.scatter_add(g, index, 2)
        assert np.array_equal(first, embedding.scatter_add(g, index, 2))


def test_the_same_bits_with_any_number_of_threads():
    _, g, index = draw(100, 150, 5000, "float32")
    record = type("Record", (), {"backend": "numba"})
    found = []
    for number in (1, 2):
        with threads(record, number):
            found.append(embedding.scatter_add(g, index, 100))
    assert np.array_equal(*found)
    want = np.zeros((100, 150), "float32")
    np.add.at(want, index, g)
    assert np.array_equal(found[0], want)  # in parts as in one, added in the same order


@pytest.mark.parametrize("name", BACKENDS)
def test_what_is_not_finite_stays_in_its_row(name):
    g, index = np.zeros((3, 2), "float32"), np.array([0, 2, 0])
    g[0, 1], g[1, 0] = np.nan, np.inf
    with on(name, "embedding"):
        s = embedding.scatter_add(g, index, 3)
        assert np.array_equal(s, [[0, np.nan], [0, 0], [np.inf, 0]], equal_nan=True)
        assert np.array_equal(embedding.gather(s, index), s[index], equal_nan=True)


def test_the_engine_scatters_by_it_where_the_library_has_no_order(monkeypatch):
    """Elements at any index are rows of one number: what a GPU gets, here on a host."""
    from glassgrad.core.functions import indexing

    x, index = np.arange(6.0).reshape(2, 3), (np.array([[1], [0]]), np.array([0, 2, 0]))
    want = scatter(x, index, (2, 4)).numpy()
    other = type("Library", (), {"zeros": np.zeros, "arange": np.arange})
    monkeypatch.setattr(indexing, "xp_of", lambda x: other)
    assert np.array_equal(scatter(x, index, (2, 4)).numpy(), want)


def test_errors():
    w, index = np.zeros((3, 2)), np.array([0, 2])
    with pytest.raises(ValueRangeError, match=r"gather: index .* expected 0\.\.2, got 0\.\.3"):
        embedding.gather(w, np.array([0, 3]))
    with pytest.raises(
        ValueRangeError, match=r"scatter_add: index .* expected 0\.\.1, got -1\.\.0"
    ):
        embedding.scatter_add(w, np.array([0, -1, 0]), 2)
    with pytest.raises(DTypeError, match=r"index.dtype must be int64"):
        embedding.gather(w, index.astype("int32"))
    with pytest.raises(ShapeError, match=r"axis \[N\]"):
        embedding.gather(w, index[None])
    with pytest.raises(ShapeError, match="w must have two axes"):
        embedding.gather(w[0], index)
    with pytest.raises(ShapeError, match=r"index.shape must be \[N\]; expected \(3,\), got \(2,\)"):
        embedding.scatter_add(w, index, 3)
