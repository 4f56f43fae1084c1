"""Scalars, empty arrays, every axis and tuple of axes, for every public function.

Values and shapes are NumPy's; first and second derivatives are checked by finite differences, and
have the shape of their argument. What NumPy refuses is refused by an error of our own.
"""

# ruff: noqa: B023  (every function made in a loop is called before the next round)
import itertools

import numpy as np
import pytest
import scipy.special

import glassgrad as gg
from glassgrad.core.nn import losses
from glassgrad.kernels.errors import GlassgradError
from tests.tools import assert_close

SHAPES = [(), (1,), (0,), (2, 3), (0, 3), (2, 0), (2, 1, 2), (2, 0, 2)]


def normal(*shapes):
    rng = np.random.default_rng(3)
    return [np.asarray(rng.standard_normal(s)) for s in shapes]


def positive(*shapes):
    return [0.5 + abs(a) for a in normal(*shapes)]


def axes_of(shape):
    """None, (), each axis from both ends, a pair and all axes."""
    n = len(shape)
    several = [(0, -1)] if n > 1 else []
    return [None, (), *range(-n, n), *several, *([tuple(range(n))] if n else [])]


def check(f, want, *arrays):
    """f has the value that NumPy's `want` gives and right derivatives, or both refuse."""
    try:
        with np.errstate(all="ignore"):
            expected = want(*arrays)
    except (ValueError, IndexError):
        with pytest.raises(GlassgradError):
            f(*map(gg.Tensor, arrays))
        return
    got = f(*map(gg.Tensor, arrays))
    pairs = zip(got, expected, strict=True) if isinstance(got, list) else [(got, expected)]
    for one, other in pairs:
        assert one.shape == np.shape(other)
        if np.isfinite(other).all():
            assert_close(one.numpy(), np.asarray(other, one.dtype), rtol=1e-10)
        else:
            assert np.array_equal(one.numpy(), other)
    if all(np.isfinite(p.numpy()).all() for p in (got if isinstance(got, list) else [got])):
        check_derivatives(f, *arrays)


def check_derivatives(f, *arrays):
    """Both orders have their argument's shape, and agree with one central difference each."""
    rng, step = np.random.default_rng(7), 1e-6
    ways = [rng.standard_normal(a.shape) for a in arrays]

    def first(*arrays):
        """(Σ u f, its gradients on the tape)"""
        xs, random = [gg.tensor(a, requires_grad=True) for a in arrays], np.random.default_rng(8)
        ys = f(*xs)
        ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
        us = [random.standard_normal(y.shape) for y in ys]
        gs = gg.grad(ys, xs, us, create_graph=True, unused="zero")
        return sum(float((y.numpy() * u).sum()) for y, u in zip(ys, us)), gs, xs

    def second(*arrays):
        """(Σ v ∇, its gradients)"""
        _, gs, xs = first(*arrays)
        random = np.random.default_rng(9)
        pairs = [(g, random.standard_normal(g.shape)) for g in gs]
        value = sum(float((g.numpy() * v).sum()) for g, v in pairs)
        pairs = [(g, v) for g, v in pairs if g.edge is not None]
        if not pairs:
            return value, [gg.Tensor(np.zeros(a.shape)) for a in arrays], xs
        gs, vs = zip(*pairs)
        return value, gg.grad(gs, xs, list(vs), unused="zero"), xs

    for of in (first, second):
        _, gs, _ = of(*arrays)
        assert [g.shape for g in gs] == [a.shape for a in arrays]
        if not any(a.size for a in arrays):
            continue
        got = sum(float((g.numpy() * w).sum()) for g, w in zip(gs, ways))
        up, down = (of(*[a + t * w for a, w in zip(arrays, ways)])[0] for t in (step, -step))
        scale = max([1.0, *(float(abs(g.numpy()).max()) for g in gs if g.size)])
        assert abs(got - (up - down) / (2 * step)) <= 1e-5 * scale


def elu(x):
    return np.where(x > 0, x, np.expm1(x))


UNARY = {
    "absolute": np.abs, "neg": np.negative, "exp": np.exp, "expm1": np.expm1, "sin": np.sin,
    "cos": np.cos, "erf": scipy.special.erf, "tanh": np.tanh, "sigmoid": scipy.special.expit,
    "relu": lambda x: np.maximum(x, 0), "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": elu, "softplus": lambda x: np.logaddexp(0, x), "log": np.log, "log1p": np.log1p,
    "sqrt": np.sqrt, "log_sigmoid": lambda x: -np.logaddexp(0, -x), "transpose": np.transpose,
    "cumsum": np.cumsum,
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_one_argument(name, shape):
    make = positive if name in ("log", "log1p", "sqrt") else normal
    check(getattr(gg, name), UNARY[name], *make(shape))


def _variance(x, axis, keepdims):
    if gg.core.functions.reductions.count(x.shape, axis) == 0:
        raise ValueError("by our convention")
    return np.var(x, axis=axis, keepdims=keepdims)


def _mean(x, axis, keepdims):
    if gg.core.functions.reductions.count(x.shape, axis) == 0:
        raise ValueError("by our convention")
    return np.mean(x, axis=axis, keepdims=keepdims)


def _logsumexp(x, axis, keepdims):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


REDUCTIONS = {
    "sum": np.sum, "max": np.max, "min": np.min, "mean": _mean, "variance": _variance,
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    "logsumexp": _logsumexp,
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, shape):
    f, want = getattr(gg, name), REDUCTIONS[name]
    for axis, keepdims in itertools.product(axes_of(shape), (False, True)):
        options = {"axis": axis, "keepdims": keepdims}
        check(lambda x: f(x, **options), lambda x: want(x, **options), *normal(shape))
    for wrong in (len(shape), -len(shape) - 1, (0, 0) if shape else (0,)):
        with pytest.raises(GlassgradError, match=f"{name}: (axis must exist|an axis must)"):
            f(gg.ones(shape), axis=wrong)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_along_axes(shape):
    x, n = normal(shape), len(shape)

    def both(f, want):
        check(f, want, *x)

    for a in axes_of(shape):

        def softmax(x, a=a):
            e = np.exp(x)
            return e / e.sum(axis=a, keepdims=True)

        both(lambda x: gg.softmax(x, a), softmax)
        both(lambda x: gg.log_softmax(x, a), lambda x: np.log(softmax(x)))
        both(lambda x: gg.flip(x, a), lambda x: np.flip(x, a))
    for a in range(-n, n):
        both(lambda x: gg.squeeze(x, a), lambda x: np.squeeze(x, a))
        both(lambda x: gg.concatenate(x, x, axis=a), lambda x: np.concatenate([x, x], a))
        both(lambda x: gg.split(x, [0, shape[a]], a), lambda x: np.split(x, [0], a))
        both(lambda x: gg.split(x, 1, a), lambda x: [x])
        both(lambda x: gg.swap_axes(x, a, 0), lambda x: np.swapaxes(x, a, 0))
        if shape[a]:
            assert np.array_equal(gg.argmax(x[0], a), x[0].argmax(a))
    for a in range(-n - 1, n + 1):
        both(lambda x: gg.expand_dims(x, a), lambda x: np.expand_dims(x, a))
        both(lambda x: gg.stack([x, x], a), lambda x: np.stack([x, x], a))
    for order in itertools.permutations(range(n)):
        turned = tuple(a - n for a in order)
        both(lambda x: gg.transpose(x, turned), lambda x: np.transpose(x, order))
    both(lambda x: gg.pad(x, ((1, 0),) * n), lambda x: np.pad(x, ((1, 0),) * n) if n else x)
    both(lambda x: gg.flatten(x, 0), np.ravel)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_picks_and_shapes(shape):
    x, n = normal(shape), len(shape)
    none, empty = np.zeros(shape, bool), np.zeros((2, 0), int)
    for index in ((), ..., None, (None, ...), 0, -1, slice(0, 0), slice(None, None, -1), [], empty):
        key = np.asarray(index, int) if isinstance(index, list) else index
        check(lambda x: x[index], lambda x: x[key], *x)
        if n and isinstance(index, slice):
            picked = x[0][key]
            got = gg.scatter(picked, index, shape).numpy()
            assert got.shape == shape and np.array_equal(got[key], picked)
    check(lambda x: x[none], lambda x: x[none], *x)
    for target in SHAPES:
        check(lambda x: gg.broadcast_to(x, target), lambda x: np.broadcast_to(x, target), *x)
        check(lambda x: gg.reshape(x, target), lambda x: np.reshape(x, target), *x)
        if _broadcast(shape, target) == shape:
            check(lambda x: gg.sum_to(x, target), lambda x: _sum_to(x, target), *x)
    check(lambda x: gg.astype(x, "float64"), lambda x: x, *x)
    check(lambda x: gg.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), *x)
    labels = np.zeros(shape, int)
    assert gg.one_hot(labels, 2).shape == (*shape, 2)
    assert gg.embedding(gg.ones((1, 0)), labels).shape == (*shape, 0)
    assert gg.one_hot([], 2).shape == (0, 2) and gg.embedding(gg.ones((1, 2)), []).shape == (0, 2)
    check(lambda w: gg.embedding(w, labels), lambda w: w[labels], *normal((2, 3)))
    if n and shape[-1]:
        first = labels[..., 0]
        check(lambda x: gg.take_along(x, first), lambda x: x[..., 0], *x)
    for noise in (gg.dropout, gg.masking_noise, gg.gaussian_noise):
        check_derivatives(lambda x: noise(x, 0.5, gg.Generator(1)), *x)
        assert noise(gg.ones(shape), 0.5, gg.Generator(1)).shape == shape


def _broadcast(*shapes):
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _sum_to(x, target):
    x = x.sum(axis=tuple(range(x.ndim - len(target))))
    return x.sum(axis=tuple(a for a, n in enumerate(target) if n == 1), keepdims=True)


BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "power": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "matmul": np.matmul,
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("first", SHAPES, ids=str)
def test_two_arguments(name, first):
    for second in SHAPES:
        arrays = positive(first), normal(second)
        check(getattr(gg, name), BINARY[name], arrays[0][0], 0.3 + arrays[1][0] ** 2)


ROWS = list(itertools.product([(), (0,), (2,), (2, 0), (2, 1)], (0, 1, 3), (0, 2)))


@pytest.mark.parametrize("rows, inputs, outputs", ROWS)
def test_linear(rows, inputs, outputs):
    arrays = normal((*rows, inputs), (outputs, inputs), (outputs,))
    check(gg.linear, lambda x, w, b: x @ w.T + b, *arrays)
    check(gg.linear, lambda x, w: x @ w.T, *arrays[:2])


def test_where_of_scalars_and_empties():
    for shape in SHAPES:
        for condition in (True, np.zeros(shape, bool), np.ones((1,) * len(shape), bool)):
            check(
                lambda x, y: gg.where(condition, x, y),
                lambda x, y: np.where(condition, x, y),
                *normal(shape, shape),
            )


SIZES = list(itertools.product((0, 1, 2), (0, 2), (0, 2), (0, 2)))


@pytest.mark.parametrize("steps, n, inputs, hidden", SIZES)
def test_recurrent_nets_without_steps_sequences_inputs_or_units(steps, n, inputs, hidden):
    x, state = (steps, n, inputs), (n, hidden)
    for f, gates, states in ((gg.rnn, 1, 1), (gg.lstm, 4, 2), (gg.gru, 3, 1)):
        weights = (gates * hidden, inputs), (gates * hidden, hidden)
        arrays = normal(x, *[state] * states, *weights)
        tensors = [gg.Tensor(a) for a in arrays]
        assert f(*tensors)[0].shape == (steps, n, hidden)
        check_derivatives(lambda *t: f(*t)[0], *arrays)
        cell = {gg.rnn: None, gg.lstm: gg.lstm_step, gg.gru: gg.gru_step}[f]
        if cell and hidden:
            rest = [(3 * hidden, hidden)] if f is gg.gru else []
            check_derivatives(cell, *normal((n, gates * hidden), state, *rest))


@pytest.mark.parametrize("n, d, hidden", list(itertools.product((0, 2), (0, 1, 2), (0, 2))))
def test_nade_and_reparameterise(n, d, hidden):
    arrays = normal((n, d), (d, hidden), (hidden,), (d, hidden), (d,))
    assert gg.nade(*arrays).shape == (n, d)
    check_derivatives(gg.nade, *arrays)
    mu, logvar = normal((n, d), (n, d))
    z, kl = gg.reparameterise(mu, logvar, gg.Generator(1))
    assert z.shape == (n, d) and kl.shape == (n,)
    check_derivatives(lambda m, v: gg.reparameterise(m, v, gg.Generator(1)), mu, logvar)


@pytest.mark.parametrize("n, c, o", list(itertools.product((0, 1), (1, 2), (1, 2))))
def test_layers_without_images(n, c, o):
    x, w = (n, c, 3, 4), (o, c, 2, 2)
    for f, shapes, want in (
        (gg.conv2d, (x, w, (o,)), (n, o, 2, 3)),
        (gg.conv_transpose2d, (x, (c, o, 2, 2), (o,)), (n, o, 4, 5)),
        (gg.conv1d, ((*x[:2], 4), w[:3]), (n, o, 3)),
        (lambda x: gg.max_pool2d(x, 2), (x,), (n, c, 1, 2)),
        (lambda x: gg.avg_pool2d(x, 2), (x,), (n, c, 1, 2)),
        (gg.local_response_norm, ((n, c, 3),), (n, c, 3)),
        (gg.local_response_norm, ((n, c, 0),), (n, c, 0)),
        (gg.layer_norm, ((n, c, 3), (3,), (3,)), (n, c, 3)),
        (lambda *t: gg.batch_norm(*t)[0], ((n + 2, c), (c,), (c,)), (n + 2, c)),
        (lambda *t: gg.batch_norm(*t)[0], ((2, 0, n + 1), (0,), (0,)), (2, 0, n + 1)),
    ):
        arrays = normal(*shapes)
        assert f(*map(gg.Tensor, arrays)).shape == want
        check_derivatives(f, *arrays)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_losses_without_reduction(shape):
    for f in (losses.mse, losses.l1, losses.huber):
        arrays = normal(shape, shape)
        check_derivatives(lambda x, y: f(x, y, reduction="none"), *arrays)
        assert f(*map(gg.Tensor, arrays), reduction="none").shape == shape
    if not len(shape) > 0:
        return
    rows = shape[:-1]
    if shape[-1]:
        labels = np.zeros(rows, int)
        check(
            lambda z: losses.cross_entropy(z, labels, "none"),
            lambda z: np.log(np.exp(z).sum(-1)) - z[..., 0],
            *normal(shape),
        )
    check(
        lambda z: losses.kl_divergence(np.ones(shape), gg.log_softmax(z), "none"),
        lambda z: -np.sum(z - np.log(np.exp(z).sum(-1, keepdims=True)), -1),
        *normal(shape),
    )


@pytest.mark.parametrize(
    "b, m, n, d, e", list(itertools.product((0, 2), (0, 3), (0, 2), *2 * [(0, 1)]))
)
def test_attention_without_examples_queries_keys_or_numbers(b, m, n, d, e):
    rng = np.random.default_rng(0)
    q, k, v = (
        gg.tensor(rng.standard_normal(s), requires_grad=True)
        for s in ((b, m, d), (b, n, d), (b, n, e))
    )
    o = gg.scaled_dot_product_attention(q, k, v)
    assert o.shape == (b, m, e)
    if n == 0:
        assert not o.numpy().any()
    elif d == 0:  # all keys fit equally
        assert_close(o.numpy(), np.broadcast_to(v.numpy().mean(1, keepdims=True), (b, m, e)))
    for g, t in zip(gg.grad(o, [q, k, v], np.ones(o.shape)), (q, k, v)):
        assert g.shape == t.shape and np.isfinite(g.numpy()).all()


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
@pytest.mark.parametrize("widths", [((1, 0), (2, 3), (1, 1)), ((0, 0), (4, 0), (0, 2))])
def test_padding_with_values_of_its_own(mode, widths):
    x = np.random.default_rng(0).standard_normal((3, 5, 3))
    assert np.array_equal(gg.pad(gg.tensor(x), widths, mode=mode).numpy(), np.pad(x, widths, mode))


@pytest.mark.parametrize("rows, columns, d", [(0, 2, 3), (2, 0, 3), (3, 2, 0), (3, 2, 1)])
def test_sparse_matrices_without_rows_columns_entries_or_numbers(rows, columns, d):
    nothing = gg.SparsePattern([0] * (rows + 1), [], columns=columns)
    none, (x, g) = np.zeros(0), normal((columns, d), (rows, d))
    assert np.array_equal(gg.spmm(none, x, nothing).numpy(), np.zeros((rows, d)))
    assert gg.sddmm(g, x, nothing).shape == gg.sparse_softmax(none, nothing).shape == (0,)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gg.reshape(gg.ones((0, 3)), (0, -1)), "reshape: -1 next to a length 0 could be"),
        (lambda: gg.reshape(gg.ones(4), (-1, -1)), "reshape: one length may be left open"),
        (lambda: gg.reshape(gg.ones(4), (-2, -2)), "reshape: a length must not be negative"),
        (lambda: gg.transpose(gg.ones((2, 3)), (0, -2)), "transpose: axes must be a permutation"),
        (lambda: gg.pad(gg.ones(2), ((1, -1),)), "pad: widths must be pairs"),
        (lambda: gg.pad(gg.ones(2), ((0, 2),), mode="reflect"), "reflect' has too few elements"),
        (lambda: gg.pad(gg.ones(2), ((3, 0),), mode="wrap"), r"along axis 0; expected widths ≤ 2"),
        (lambda: gg.pad(gg.ones(0), ((1, 0),), mode="edge"), r"expected widths ≤ 0, got \(1, 0\)"),
        (lambda: gg.pad(gg.ones(2), ((0, -1),), mode="edge"), "pad: widths must be pairs"),
        (lambda: gg.pad(gg.ones(()), ((1, 1),)), "pad: there must be widths for each axis"),
        (lambda: gg.swap_axes(gg.ones(()), 0, 0), "axis must exist; expected none: x is a scalar"),
        (lambda: gg.one_hot([0], 0), "one_hot: .* expected no label: there are none, got 0"),
        (lambda: gg.max(gg.ones((2, 0)), axis=1), "max: there must be at least one element"),
    ],
)
def test_what_has_no_meaning_is_named(call, message):
    with pytest.raises(GlassgradError, match=message):
        call()
