"""Sparse products of the engine against SciPy and dense ones; patterns, blocks, errors, counts."""

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.sparse import csr_matrix

import glassgrad as gg
from glassgrad.core.sparsity import block_diagonal
from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError
from tests.tools import assert_close

A = csr_matrix(np.array([[0, 2.0, 0, 1], [0, 0, 0, 0], [3, 1, 0, 5]]))
PATTERN = gg.SparsePattern(A.indptr, A.indices, columns=4)
X, G = np.arange(8.0).reshape(4, 2), np.array([[1.0, -1], [2, 0], [3, 7]])


def dense(values, pattern=PATTERN):
    """The matrix of these entries as a NumPy array."""
    return csr_matrix((values, pattern.indices, pattern.indptr), pattern.shape).toarray()


def test_products_are_those_of_the_dense_matrix():
    v, x = gg.tensor(A.data, requires_grad=True), gg.tensor(X, requires_grad=True)
    y = gg.spmm(v, x, PATTERN)
    assert_close(y.numpy(), A.toarray() @ X)
    by_value, by_x = gg.grad(y, [v, x], G)
    assert_close(by_x.numpy(), A.toarray().T @ G)
    assert_close(by_value.numpy(), (G @ X.T)[A.toarray() != 0])
    assert_close(gg.sddmm(G, X, PATTERN).numpy(), (G @ X.T)[A.toarray() != 0])


def test_softmax_is_that_of_each_row():
    z = np.array([1.0, -2, 0.5, 3, 0])
    dense_z = np.where(A.toarray() != 0, dense(z), -np.inf)[[0, 2]]
    want = np.exp(dense_z) / np.exp(dense_z).sum(axis=1, keepdims=True)
    assert_close(gg.sparse_softmax(z, PATTERN).numpy(), want[want > 0])


def test_a_matrix_without_entries_rows_or_columns():
    empty = gg.SparsePattern([0, 0, 0], [], columns=3)
    v, x = (
        gg.tensor(np.zeros(0), requires_grad=True),
        gg.tensor(np.ones((3, 2)), requires_grad=True),
    )
    y = gg.spmm(v, x, empty)
    assert y.numpy().tolist() == [[0, 0], [0, 0]]
    assert gg.grad(y.sum(), x).numpy().tolist() == [[0, 0]] * 3
    assert gg.sparse_softmax(np.zeros(0), empty).shape == (0,)
    nothing = gg.SparsePattern([0], [], columns=0)
    assert nothing.shape == (0, 0) and gg.spmm([], np.zeros((0, 2), "float32"), nothing).shape == (
        0,
        2,
    )


def test_whole_numbers_become_floats():
    y = gg.spmm(np.array([1, 2, 3, 4, 5]), X.astype("float32"), PATTERN)
    assert y.dtype == np.float32 and y.numpy()[1].tolist() == [0, 0]
    assert gg.spmm([1, 1, 1, 1, 1], [[1], [2], [3], [4]], PATTERN).dtype == np.float32


def test_blocks_along_the_diagonal():
    one, two = (
        gg.SparsePattern([0, 2], [1, 0], columns=2),
        gg.SparsePattern([0, 0, 1], [0], columns=1),
    )
    joined = block_diagonal([one, two, one])
    parts = [np.array([5.0, 6]), np.array([7.0]), np.array([8.0, 9])]
    want = block_diag(*map(dense, parts, (one, two, one)))
    assert joined.shape == (4, 5) and np.array_equal(dense(np.concatenate(parts), joined), want)
    assert block_diagonal([]).shape == (0, 0)


def test_a_pattern_is_its_own():
    """Changing the arrays that it was made of changes nothing."""
    indptr, indices = np.array([0, 1, 2]), np.array([0, 1])
    pattern = gg.SparsePattern(indptr, indices, columns=2)
    indptr[1], indices[0] = 2, 1
    assert gg.spmm([2.0, 3.0], np.eye(2, dtype="float32"), pattern).numpy().tolist() == [
        [2, 0],
        [0, 3],
    ]
    assert repr(pattern) == "SparsePattern(2 x 2, 2 entries)"


def test_entries_are_sorted_by_column_only_for_a_transposed_product():
    pattern, x = gg.SparsePattern(A.indptr, A.indices, 4), gg.tensor(X, requires_grad=True)
    y = gg.spmm(A.data, x, pattern)
    gg.sparse_softmax(A.data, pattern)
    assert "turned" not in vars(pattern)
    assert_close(gg.grad(y, x, G).numpy(), A.toarray().T @ G)
    kept = pattern.turned_on(X)
    assert pattern.turned_on(G) is kept  # once for a device
    assert [a.tolist() for a in kept[:2]] == [A.tocsc().indptr.tolist(), [2, 0, 2, 0, 2]]


def test_flops_are_counted():
    with gg.trace() as t:
        gg.spmm(A.data, X, PATTERN)
        gg.sparse_softmax(A.data, PATTERN)
    assert [c.flops for c in t.calls] == [2 * 5 * 2, 5 * 5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: gg.spmm(A.data[:4], X, PATTERN),
            ShapeError,
            r"values must have a number for each",
        ),
        (lambda: gg.spmm(A.data, X[:3], PATTERN), ShapeError, r"x does not fit the pattern, its"),
        (lambda: gg.spmm(A.data, X[0], PATTERN), ShapeError, "x must have two axes"),
        (lambda: gg.spmm(A.data, X, A), DTypeError, "pattern has the wrong type"),
        (lambda: gg.spmm(A.data.astype("float32"), X, PATTERN), DTypeError, "dtypes must agree"),
        (lambda: gg.sddmm(G[:2], X, PATTERN), ShapeError, "a does not fit the pattern"),
        (lambda: gg.sddmm(G, X[:2], PATTERN), ShapeError, "b does not fit the pattern"),
        (lambda: gg.sddmm(G[:, :1], X, PATTERN), ShapeError, "a and b must be of one width"),
        (lambda: gg.sparse_softmax(G, PATTERN), ShapeError, "scores must have a number for each"),
        (lambda: gg.SparsePattern([0, 2], [0], 1), ValueRangeError, "end with the number of entr"),
        (lambda: gg.SparsePattern([0, 1], [1], 1), ValueRangeError, "indices must lie below 1"),
        (lambda: gg.SparsePattern([0, 1], [-1], 1), ValueRangeError, "indices must lie below 1"),
        (lambda: gg.SparsePattern([0, 2, 1], [0], 1), ValueRangeError, "indptr must not fall"),
        (lambda: gg.SparsePattern([1, 1], [0], 1), ValueRangeError, "indptr must begin with 0"),
        (lambda: gg.SparsePattern([], [], 1), ShapeError, "indptr must have an entry more than"),
        (lambda: gg.SparsePattern([0], [], -1), ShapeError, "columns"),
        (lambda: gg.SparsePattern([0, 1], [0], 1.5), DTypeError, "columns"),
        (lambda: gg.SparsePattern([0.5, 1], [0], 1), DTypeError, "indptr must hold whole numbers"),
        (lambda: gg.SparsePattern([[0, 1]], [0], 1), ShapeError, "indptr must have one axis"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
