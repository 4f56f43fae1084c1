"""Cases: moving, picking and joining values, and products of dense and sparse matrices."""

import numpy as np

from .. import functions as F
from ..differentiable import FUNCTIONS
from ..sparsity import SparsePattern
from ..tensor import Tensor
from .case import GradCase, normal, spread

ZERO = "linear: second derivative zero"
AGAIN = np.array([[0, 2, 2], [1, 0, 2]])  # index 2 three times, index 0 twice
MASK = np.array([[True, False, True], [False, True, True]])


def _linear(name, f, *shapes):
    return GradCase(name, f, normal(*shapes), note=ZERO)


def _picked(name, index, shape=(3, 4)):
    return _linear(f"getitem {name}", lambda x: x[index], shape)


MOVES = [
    _linear("reshape", lambda x: F.reshape(x, (3, -1)), (2, 3, 2)),
    _linear("transpose", lambda x: F.transpose(x), (2, 3)),
    _linear("transpose cycle", lambda x: F.transpose(x, (2, 0, 1)), (2, 3, 4)),
    GradCase("transpose then square", lambda x: F.transpose(x, (1, 2, 0)) ** 2, normal((2, 3, 2))),
    _linear("swap_axes", lambda x: F.swap_axes(x, -1, 0), (2, 3, 2)),
    _linear("expand_dims", lambda x: F.expand_dims(x, -2), (2, 3)),
    _linear("squeeze", lambda x: F.squeeze(x, -2), (2, 1, 3)),
    _linear("flatten", lambda x: F.flatten(x), (2, 3, 2)),
    _linear("broadcast_to", lambda x: F.broadcast_to(x, (4, 2, 3)), (2, 1)),
    _linear("sum_to", lambda x: F.sum_to(x, (2, 1)), (4, 2, 3)),
    _linear("sum_to scalar", lambda x: F.sum_to(x, ()), (2, 3)),
    _linear("concatenate", lambda x, y: F.concatenate(x, y, axis=-1), (2, 3), (2, 1)),
    GradCase(
        "concatenate tensor with itself", lambda x: F.concatenate(x, x * x, x), normal((2, 2))
    ),
    _linear("stack", lambda x, y: F.stack([x, y], axis=1), (2, 3), (2, 3)),
    _linear("split", lambda x: F.split(x, [1, 3], axis=-1), (2, 4)),
    _linear("split equally", lambda x: F.split(x, 2)[1], (4, 2)),
    *(
        _linear(f"getitem pads, {m}", lambda x, m=m: F.pad(x, ((1, 0), (2, 1)), mode=m), (2, 3))
        for m in ("edge", "reflect", "wrap")
    ),
    _linear("pad", lambda x: F.pad(x, ((1, 0), (2, 1)), 3.0), (2, 3)),
    _linear("flip", lambda x: F.flip(x, -1), (2, 3)),
    _linear("flip two axes", lambda x: F.flip(x, (0, -1)), (2, 3, 2)),
    _linear("astype", lambda x: F.astype(x, "float64"), (3,)),
]

PICKS = [
    _picked("slice", slice(1, None)),
    _picked("negative step", (slice(None, None, -2), slice(3, 0, -1))),
    _picked("int and ellipsis", (Ellipsis, -1)),
    _picked("new axis", (None, slice(0, 2), None, 1)),
    _picked("repeated rows", [0, 0, 2]),
    _picked("repeated index array", AGAIN),
    _picked("two index arrays", (np.array([0, 0, -1]), np.array([1, 1, 3]))),
    _picked("mask", MASK, (2, 3)),
    GradCase("getitem repeated then square", lambda x: x[AGAIN] ** 2, normal((3,))),
    _linear("scatter repeated", lambda x: F.scatter(x, AGAIN, (3,)), (2, 3)),
    _linear("scatter slice", lambda x: F.scatter(x, (slice(0, 2), 1), (3, 2)), (2,)),
    GradCase("scatter then square", lambda x: F.scatter(x, AGAIN, (3,)) ** 2, normal((2, 3))),
    _linear("embedding", lambda w: F.embedding(w, AGAIN), (4, 2)),
    GradCase("embedding squared", lambda w: F.embedding(w, AGAIN) ** 2, normal((3, 2))),
    _linear(
        "embedding_backward", lambda x: FUNCTIONS["embedding_backward"](x, index=AGAIN, rows=4),
        (2, 3, 2),
    ),
    GradCase(
        "embedding_backward squared",
        lambda x: FUNCTIONS["embedding_backward"](x, index=AGAIN, rows=3) ** 2, normal((2, 3, 2)),
    ),
    _linear("take_along", lambda x: F.take_along(x, [2, 0]), (2, 3)),
    GradCase(
        "argmax", lambda x: Tensor(F.argmax(x, 1).astype("float64")), spread((2, 3)),
        note="discrete: no derivative",
    ),
    GradCase(
        "one_hot", lambda x: x * F.one_hot([2, 0], 3, "float64"), normal((2, 3)),
        note="linear: a constant factor",
    ),
]  # fmt: skip

PRODUCTS = [
    GradCase("matmul", F.matmul, normal((2, 3), (3, 2)), note="bilinear"),
    GradCase("matmul batched", F.matmul, normal((2, 2, 3), (2, 3, 2)), note="bilinear"),
    GradCase("matmul broadcast batch", F.matmul, normal((2, 1, 2, 3), (3, 3, 1)), note="bilinear"),
    GradCase("matmul batch by matrix", F.matmul, normal((2, 2, 3), (3, 2)), note="bilinear"),
    GradCase("matmul matrix by batch", F.matmul, normal((2, 3), (2, 3, 1)), note="bilinear"),
    GradCase("matmul vectors", F.matmul, normal((3,), (3,)), note="bilinear"),
    GradCase("matmul vector first", F.matmul, normal((3,), (2, 3, 2)), note="bilinear"),
    GradCase("matmul vector last", F.matmul, normal((2, 2, 3), (3,)), note="bilinear"),
    GradCase("matmul with itself", lambda x: F.matmul(x, F.transpose(x)), normal((2, 3))),
    GradCase("linear", F.linear, normal((2, 3), (2, 3), (2,)), note="bilinear"),
    GradCase("linear three axes", F.linear, normal((2, 2, 3), (2, 3)), note="bilinear"),
]

PATTERN = SparsePattern([0, 2, 2, 5], [1, 3, 0, 1, 1], columns=4)  # an entry twice, a row without
SPARSE = [
    GradCase("spmm", lambda v, x: F.spmm(v, x, PATTERN), normal((5,), (4, 2)), note="bilinear"),
    GradCase(
        "spmm four columns", lambda v, x: F.spmm(v, x, PATTERN) ** 2, normal((5,), (4, 4))
    ),
    GradCase(
        "spmm_transposed", lambda v, x: FUNCTIONS["spmm_transposed"](v, x, PATTERN),
        normal((5,), (3, 2)), note="bilinear",
    ),
    GradCase(
        "sddmm", lambda a, b: F.sddmm(a, b, PATTERN), normal((3, 2), (4, 2)), note="bilinear"
    ),
    GradCase("sparse_softmax", lambda z: F.sparse_softmax(z, PATTERN), normal((5,))),
    GradCase(
        "sparse_softmax of products",
        lambda a, b: F.spmm(F.sparse_softmax(F.sddmm(a, b, PATTERN), PATTERN), b, PATTERN),
        normal((3, 2), (4, 2)),
    ),
]  # fmt: skip

CASES = [*MOVES, *PICKS, *PRODUCTS, *SPARSE]
