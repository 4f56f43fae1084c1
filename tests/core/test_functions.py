"""Every forward against an independent oracle, and the written conventions: ties, kinks, limits.

The layers (convolution, pooling, normalisation, recurrent nets) are in test_functions_layers.py.
"""

import math

import numpy as np
import pytest
import scipy.special

import glassgrad as gg
from glassgrad.core.gradcases import CASES
from glassgrad.kernels.errors import DTypeError, ShapeError
from tests.tools import assert_close

FLOATS = ("float32", "float64")
rng = np.random.default_rng(7)
A = rng.standard_normal((3, 4, 2))
P = np.abs(A) + 0.1


def both(f, oracle, *arrays, rtol=None, reduction=1):
    """f agrees with the oracle, computed in float64, for both dtypes."""
    for dtype in FLOATS:
        given = [a.astype(dtype) for a in arrays]
        got = f(*[gg.tensor(a) for a in given])
        want = np.asarray(oracle(*[a.astype("float64") for a in given]))
        assert got.dtype == dtype
        assert_close(got.numpy(), want.astype(dtype), rtol=rtol, reduction=reduction)


# -------------------------------------------------------------------- elementwise

UNARY = {
    "neg": (gg.neg, lambda x: -x, A),
    "exp": (gg.exp, np.exp, A),
    "log": (gg.log, np.log, P),
    "log1p": (gg.log1p, np.log1p, P),
    "expm1": (gg.expm1, np.expm1, A),
    "sqrt": (gg.sqrt, np.sqrt, P),
    "sin": (gg.sin, np.sin, A),
    "cos": (gg.cos, np.cos, A),
    "tanh": (gg.tanh, np.tanh, A),
    "erf": (gg.erf, np.vectorize(math.erf), A),
    "absolute": (gg.absolute, np.abs, A),
    "sigmoid": (gg.sigmoid, scipy.special.expit, A * 5),
    "softplus": (gg.softplus, lambda x: np.logaddexp(0, x), A * 5),
    "log_sigmoid": (gg.log_sigmoid, scipy.special.log_expit, A * 5),
    "relu": (gg.relu, lambda x: np.where(x > 0, x, 0), A),
    "leaky_relu": (lambda x: gg.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x), A),
    "elu": (lambda x: gg.elu(x, 0.5), lambda x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1)), A),
    "power": (lambda x: gg.power(x, 3), lambda x: x * x * x, A),
    "power -1": (lambda x: gg.power(x, -1), lambda x: 1 / x, P),
    "power 1.5": (lambda x: gg.power(x, 1.5), lambda x: x * np.sqrt(x), P),
    "tensor power": (lambda x: x**x, lambda x: np.exp(x * np.log(x)), P),
    "clip": (lambda x: gg.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), A),
}


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    f, oracle, x = UNARY[name]
    both(f, oracle, x)


SHAPES = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 1, 4), (3, 1)), ((), (2,))]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize(
    "f, oracle",
    [
        (gg.add, np.add),
        (gg.sub, np.subtract),
        (gg.mul, np.multiply),
        (gg.div, np.divide),
        (gg.maximum, np.maximum),
        (gg.minimum, np.minimum),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_binary_with_broadcasting(f, oracle, shapes):
    x, y = (np.random.default_rng(1).uniform(0.5, 2, s) for s in shapes)
    both(f, oracle, x, y)
    # the gradient of <f(x, y), u> summed by hand over the axes that were repeated
    tx, ty = gg.tensor(x, requires_grad=True), gg.tensor(y, requires_grad=True)
    gx, gy = gg.grad(gg.sum(tx + 2 * ty), [tx, ty])
    size = np.broadcast_shapes(*shapes)
    assert gx.shape == x.shape and gy.shape == y.shape
    assert_close(gx.numpy(), np.full(x.shape, np.prod(size) / x.size))
    assert_close(gy.numpy(), np.full(y.shape, 2 * np.prod(size) / y.size))


def test_where():
    hold = A > 0
    both(lambda x, y: gg.where(hold, x, y), lambda x, y: np.where(hold, x, y), A, 2 * A)
    both(lambda x: gg.where(hold, x, -1.0), lambda x: np.where(hold, x, -1.0), A)
    assert gg.where([True, False], 1.0, 2.0).numpy().tolist() == [1.0, 2.0]
    assert gg.where(gg.tensor([1, 0]), np.float32([1, 2]), 0.0).numpy().tolist() == [1.0, 0.0]


def test_where_takes_no_gradient_from_the_other_branch():
    x = gg.tensor([0.0, 4.0], requires_grad=True)
    safe = gg.where(x > 0, x, 1.0)  # the usual way around the slope of √ at 0
    g = gg.grad(gg.where(x > 0, gg.sqrt(safe), 0.0).sum(), x)
    assert g.numpy().tolist() == [0.0, 0.25]


# ------------------------------------------------------------------ ties and kinks


def slope(f, *values):
    xs = [gg.tensor(np.array(v), requires_grad=True) for v in values]
    gs = gg.grad(f(*xs).sum(), xs)
    return [g.numpy().tolist() for g in gs]


def test_kinks():
    assert slope(gg.relu, [0.0, -0.0, 1.0, -1.0]) == [[0.0, 0.0, 1.0, 0.0]]
    assert slope(gg.absolute, [0.0, -0.0, 2.0, -2.0]) == [[0.0, 0.0, 1.0, -1.0]]
    assert slope(gg.norm, [0.0, 0.0]) == [[0.0, 0.0]]
    assert slope(lambda x: gg.norm(x, axis=1), [[0.0, 0.0], [3.0, 4.0]]) == [[[0, 0], [0.6, 0.8]]]
    assert slope(lambda x: gg.leaky_relu(x, 0.5), [0.0]) == [[0.5]]
    assert slope(lambda x: gg.elu(x, 0.5), [0.0]) == [[0.5]]
    assert slope(lambda x: gg.clip(x, -1.0, 1.0), [-2.0, -1.0, 1.0, 2.0]) == [[0, 1, 1, 0]]


def test_a_tie_of_maximum_and_minimum_goes_to_x():
    assert slope(gg.maximum, [1.0, 2.0], [1.0, 3.0]) == [[1.0, 0.0], [0.0, 1.0]]
    assert slope(gg.minimum, [1.0, 2.0], [1.0, 3.0]) == [[1.0, 1.0], [0.0, 0.0]]


def test_ties_of_an_extremum_go_to_the_lowest_index():
    assert slope(gg.max, [1.0, 5.0, 5.0]) == [[0.0, 1.0, 0.0]]
    assert slope(gg.min, [[2.0, 1.0], [1.0, 1.0]]) == [[[0.0, 1.0], [0.0, 0.0]]]
    x = np.zeros((2, 2, 2))
    assert slope(lambda x: gg.max(x, axis=(0, 2)), x) == [[[[1, 0], [1, 0]], [[0, 0], [0, 0]]]]
    assert slope(lambda x: gg.max(x, axis=(2, 0)), x) == [[[[1, 0], [1, 0]], [[0, 0], [0, 0]]]]
    assert gg.argmax(gg.tensor([[2.0, 2.0], [1.0, 3.0]]), 1).tolist() == [0, 1]
    assert slope(lambda x: gg.max_pool2d(x, 2), np.ones((1, 1, 2, 2))) == [[[[[1, 0], [0, 0]]]]]


# ------------------------------------------------------------------------ stability


@pytest.mark.parametrize("dtype", FLOATS)
def test_far_out_nothing_overflows(dtype):
    x = gg.tensor(np.array([-1e4, -40, 0, 40, 1e4], dtype), requires_grad=True)
    with np.errstate(all="raise", under="ignore"):
        for f, want in [
            (gg.sigmoid, [0, scipy.special.expit(-40.0), 0.5, 1, 1]),
            (gg.softplus, [0, np.log1p(np.exp(-40.0)), math.log(2), 40, 1e4]),
            (gg.log_sigmoid, [-1e4, -40, -math.log(2), -np.log1p(np.exp(-40.0)), 0]),
            (gg.tanh, [-1, -1, 0, 1, 1]),
            (gg.elu, [-1, np.expm1(-40), 0, 40, 1e4]),
        ]:
            y = f(x)
            assert np.allclose(y.numpy(), want, rtol=1e-5, atol=0), f
            assert np.isfinite(gg.grad(y.sum(), x).numpy()).all(), f
        assert_close(gg.softmax(x).numpy(), np.array([0, 0, 0, 0, 1], dtype))
        assert_close(gg.logsumexp(x).numpy(), np.array(1e4, dtype))
        assert_close(gg.log_softmax(x).numpy(), x.numpy() - dtype_of(dtype)(1e4))
        for f in (gg.softmax, gg.logsumexp, gg.log_softmax):
            assert np.isfinite(gg.grad((f(x) * 0.5).sum(), x).numpy()).all(), f


def dtype_of(name):
    return np.dtype(name).type


def test_small_values_keep_their_digits():
    x = np.array([-15.0, -30.0, -80.0])
    for f, oracle in [
        (gg.sigmoid, scipy.special.expit),
        (gg.softplus, lambda v: np.log1p(np.exp(v))),
    ]:
        got = f(gg.tensor(x.astype("float32"))).numpy()
        assert np.allclose(got, oracle(x), rtol=1e-5, atol=0), f
    tiny = gg.tensor(np.float32([1e-20]))
    assert gg.log1p(tiny).item() == gg.expm1(tiny).item() == tiny.item()


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_row_of_minus_infinity(dtype):
    x = gg.tensor(np.array([[-np.inf, -np.inf], [0.0, -np.inf]], dtype), requires_grad=True)
    with np.errstate(all="ignore"):
        y = gg.logsumexp(x)
        assert y.numpy().tolist() == [-np.inf, 0.0]
        assert gg.grad(y, x, np.ones(2)).numpy().tolist() == [[0.0, 0.0], [1.0, 0.0]]
        p = gg.softmax(x).numpy()
        assert np.isnan(p[0]).all() and p[1].tolist() == [1.0, 0.0]
        assert gg.log_softmax(x).numpy()[1].tolist() == [0.0, -np.inf]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "f",
    [
        gg.relu, gg.leaky_relu, gg.elu, gg.sigmoid, gg.tanh, gg.softplus, gg.absolute, gg.max,
        gg.min, gg.norm, gg.sum, gg.logsumexp, lambda x: gg.clip(x, -1.0, 1.0),
        lambda x: gg.maximum(x, 0.0), lambda x: gg.minimum(0.0, x),
        lambda x: gg.max_pool2d(gg.reshape(x, (1, 1, 2, 2)), 2),
    ],
)  # fmt: skip
def test_nan_is_not_swallowed(f, dtype):
    for at in range(4):
        x = np.array([1.0, -2.0, 3.0, -4.0], dtype)
        x[at] = np.nan
        y = f(gg.tensor(x)).numpy()
        assert np.isnan(y[at] if y.shape == (4,) else y).all()


def test_infinities_have_slopes():
    x = gg.tensor([np.inf, -np.inf], requires_grad=True)
    for f, want in [(gg.relu, [1, 0]), (gg.elu, [1, 0]), (gg.sigmoid, [0, 0]), (gg.tanh, [0, 0])]:
        assert gg.grad(f(x).sum(), x).numpy().tolist() == want, f


def test_norm_neither_overflows_nor_underflows():
    for scale in (1e30, 1e-30):
        x = gg.tensor(np.float32([3 * scale, 4 * scale]), requires_grad=True)
        assert_close((gg.norm(x) / (5 * scale)).numpy(), np.float32(1.0))
        assert_close(gg.grad(gg.norm(x), x).numpy(), np.float32([0.6, 0.8]))


@pytest.mark.parametrize("n", [3, 49, 1000])
def test_the_mean_of_equal_values_is_that_value(n):
    assert gg.mean(gg.ones((n,))).item() == 1.0
    assert gg.variance(gg.ones((n,)) * 3).item() == 0.0


# ---------------------------------------------------------------------- reductions

AXES = [None, 0, -1, (0, 2), (-1, -3), (0, 1, 2)]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_reductions(name, axis, keepdims):
    oracle = getattr(np, name)
    both(
        lambda x: getattr(gg, name)(x, axis, keepdims),
        lambda x: oracle(x, axis=axis, keepdims=keepdims),
        A,
        reduction=24,
    )


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_variance_norm_and_logsumexp(axis):
    both(lambda x: gg.variance(x, axis, ddof=1), lambda x: np.var(x, axis=axis, ddof=1), A)
    both(lambda x: gg.norm(x, axis), lambda x: np.sqrt(np.sum(x * x, axis=axis)), A, reduction=24)
    both(
        lambda x: gg.logsumexp(x, axis),
        lambda x: scipy.special.logsumexp(x, axis=axis),
        A,
        reduction=24,
    )
    both(lambda x: gg.softmax(x, axis), lambda x: scipy.special.softmax(x, axis=axis), A)
    both(lambda x: gg.log_softmax(x, axis), lambda x: scipy.special.log_softmax(x, axis=axis), A)


def test_as_many_elements_as_ddof_have_no_variance():
    """Σ(x - mean)²/0 is no number, however it is asked for."""
    for shape, ddof in (((1,), 1), ((2, 3), 6), ((2,), 3)):
        with pytest.raises(ShapeError, match="more elements than ddof"):
            gg.variance(gg.ones(shape), ddof=ddof)
    assert gg.variance(gg.tensor([1.0, 3.0, 5.0]), ddof=2).item() == 8.0


def test_reductions_of_nothing():
    assert gg.sum(gg.zeros((0, 3)), axis=0).numpy().tolist() == [0.0] * 3
    assert gg.norm(gg.zeros((0,))).item() == 0.0
    assert gg.norm(gg.zeros((0, 3)), axis=0).numpy().tolist() == [0.0] * 3
    assert gg.norm(gg.zeros((0, 3)), axis=1).shape == (0,)
    assert gg.softmax(gg.zeros((0, 3))).shape == (0, 3)


# ----------------------------------------------------------------- shapes and picks

MOVES = {
    "reshape": (lambda x: gg.reshape(x, (4, -1)), lambda x: x.reshape(4, 6)),
    "reshape by list": (lambda x: x.reshape([2, 12]), lambda x: x.reshape(2, 12)),
    "transpose": (gg.transpose, lambda x: np.einsum("abc->cba", x)),
    "transpose axes": (lambda x: x.transpose(1, 2, 0), lambda x: np.einsum("abc->bca", x)),
    "swap_axes": (lambda x: gg.swap_axes(x, 0, -1), lambda x: np.swapaxes(x, 0, 2)),
    "expand_dims": (lambda x: gg.expand_dims(x, -2), lambda x: x[:, :, None, :]),
    "squeeze": (lambda x: gg.squeeze(x[:, :1], 1), lambda x: x[:, 0]),
    "flatten": (gg.flatten, lambda x: x.reshape(3, 8)),
    "broadcast_to": (lambda x: gg.broadcast_to(x[:, :1], (2, 3, 4, 2)),
                     lambda x: np.broadcast_to(x[:, :1], (2, 3, 4, 2))),
    "sum_to": (lambda x: gg.sum_to(x, (4, 1)), lambda x: x.sum(axis=(0, 2))[:, None]),
    "concatenate": (lambda x: gg.concatenate(x, x[:, 1:2], axis=-2),
                    lambda x: np.concatenate([x, x[:, 1:2]], axis=1)),
    "concatenate a list": (lambda x: gg.concatenate([x, x]), lambda x: np.concatenate([x, x])),
    "stack": (lambda x: gg.stack([x, 2 * x], axis=1), lambda x: np.stack([x, 2 * x], axis=1)),
    "split": (lambda x: gg.split(x, [1, 3], axis=1)[1], lambda x: x[:, 1:4]),
    "pad": (lambda x: gg.pad(x, ((1, 0), (0, 2), (1, 1)), 9.0),
            lambda x: np.pad(x, ((1, 0), (0, 2), (1, 1)), constant_values=9.0)),
    "flip": (lambda x: gg.flip(x, (0, -1)), lambda x: x[::-1, :, ::-1]),
    "cumsum": (lambda x: gg.cumsum(x, -1),
               lambda x: np.stack([x[..., 0], x[..., 0] + x[..., 1]], axis=-1)),
    "slice": (lambda x: x[1:, ::-2, 0], lambda x: x[1:, ::-2, 0]),
    "ellipsis": (lambda x: x[..., None, -1], lambda x: x[..., None, -1]),
    "index arrays": (lambda x: x[[0, 0, 2], :, [1, 1, 0]], lambda x: x[[0, 0, 2], :, [1, 1, 0]]),
    "mask": (lambda x: x[A > 0], lambda x: x[A > 0]),
    "tensor index": (lambda x: x[gg.tensor([2, 2])], lambda x: x[[2, 2]]),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_moves(name):
    f, oracle = MOVES[name]
    both(f, oracle, A, reduction=6)


def test_scatter_and_getitem_are_transposes():
    index = np.array([[0, 2, 2], [1, 0, 2]])
    x, y = rng.standard_normal((4, 2)), rng.standard_normal((2, 3, 2))
    picked = gg.tensor(x)[index].numpy()
    put = gg.scatter(gg.tensor(y), index, (4, 2)).numpy()
    want = np.zeros((4, 2))
    for i in range(2):
        for j in range(3):
            want[index[i, j]] += y[i, j]
    assert_close(put, want)
    assert_close(np.sum(picked * y), np.sum(x * put), rtol=1e-14)
    w = gg.tensor(x, requires_grad=True)
    assert_close(gg.grad(gg.embedding(w, index), w, y).numpy(), want)
    assert_close(gg.grad(w[index], w, y).numpy(), want)


def test_an_element_picked_twice_between_slices_gets_both_gradients():
    x = gg.tensor(A, requires_grad=True)  # [3, 4, 2]
    g = gg.grad(x[[0, 0, 2], :, [1, 1, 0]].sum(), x).numpy()
    want = np.zeros((3, 4, 2))
    want[0, :, 1], want[2, :, 0] = 2, 1
    assert g.tolist() == want.tolist()


def test_labels():
    x = gg.tensor(A[0])
    assert_close(gg.take_along(x, [0, 1, 1, 0]).numpy(), A[0][np.arange(4), [0, 1, 1, 0]])
    assert gg.take_along(gg.tensor([5.0, 6.0]), 1).item() == 6.0
    assert gg.one_hot(np.array([[1], [0]]), 2).numpy().tolist() == [[[0, 1]], [[1, 0]]]
    for f in (lambda i: gg.embedding(x, i), lambda i: gg.one_hot(i, 3)):
        with pytest.raises(DTypeError, match=r"(labels|indices) must be integers; got float64"):
            f(np.array([0.0]))
    assert gg.embedding(x, np.zeros((0, 2), int)).shape == (0, 2, 2)
    whole = gg.embedding(np.array([[1, 2], [3, 4]]), [[1], [0]])
    assert whole.dtype == "int64" and whole.numpy().tolist() == [[[3, 4]], [[1, 2]]]


def test_astype_and_back():
    x = gg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = x.astype("float32")
    assert y.dtype == "float32"
    g = gg.grad((y * y).sum(), x)
    assert g.dtype == "float64" and g.numpy().tolist() == [2.0, 4.0]


MATMULS = [
    ((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((2, 3), (5, 3, 1)), ((0, 3), (3, 2)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", MATMULS, ids=str)
def test_matmul(shapes):
    x, y = (rng.standard_normal(s) for s in shapes)
    both(gg.matmul, np.matmul, x, y, reduction=3)


def test_linear_by_loops():
    x, w, b = rng.standard_normal((2, 2, 3)), rng.standard_normal((4, 3)), rng.standard_normal(4)
    want = np.zeros((2, 2, 4))
    for i, j, o in np.ndindex(2, 2, 4):
        want[i, j, o] = b[o] + sum(w[o, k] * x[i, j, k] for k in range(3))
    both(gg.linear, lambda *_: want, x, w, b, rtol=1e-5)


# ------------------------------------------------------------------------ all of them


def test_float32_stays_float32_forward_and_backward():
    """Every gradient case, run in float32: outputs and gradients keep the dtype."""
    for case in CASES:
        if case.function in ("astype", "one_hot") or case.note.startswith("discrete"):
            continue  # the case itself asks for float64
        xs = [gg.tensor(a.astype("float32"), requires_grad=True) for a in case.arrays()]
        ys = case.f(*xs)
        ys = [y for y in (ys if isinstance(ys, (tuple, list)) else [ys]) if y.requires_grad]
        assert all(y.dtype == "float32" for y in ys), case.name
        gs = gg.grad(ys, xs, [np.ones(y.shape) for y in ys], unused="zero")
        assert all(g.dtype == "float32" and g.shape == x.shape for g, x in zip(gs, xs)), case.name
