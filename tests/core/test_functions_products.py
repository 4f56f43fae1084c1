"""Running sums and products, repetition, contractions and smooth activations against oracles."""

import itertools
import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

import glassgrad as gg
from glassgrad.kernels.errors import ArgumentError, DTypeError, GlassgradError, ShapeError
from tests.core.test_functions_edges import SHAPES, axes_of, check, normal
from tests.tools import assert_close

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_of_every_shape(shape):
    (x,) = normal(shape)
    for axis, keep in itertools.product(axes_of(shape), (False, True)):
        check(lambda x: gg.prod(x, axis, keep), lambda x: np.prod(x, axis=axis, keepdims=keep), x)  # noqa: B023
    for axis in (None, *range(-len(shape), len(shape))):
        check(lambda x: gg.cumprod(x, axis), lambda x: np.cumprod(x, axis), x)  # noqa: B023
        check(lambda x: gg.cumsum(x, axis), lambda x: np.cumsum(x, axis), x)  # noqa: B023
    for name in ("prod", "cumprod", "cumsum"):
        with pytest.raises(ShapeError, match=f"{name}: axis must exist"):
            getattr(gg, name)(x, axis=len(shape) or 1)


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 2, 3)], ids=str)
def test_a_factor_of_zero_has_a_slope(zeros):
    """Each derivative is the product of the others, multiplied one by one."""
    a = np.array([2.0, -3.0, 0.5, 4.0])
    a[list(zeros)] = 0.0
    x = gg.tensor(a, requires_grad=True)
    others = [math.prod(np.delete(a, i)) for i in range(4)]
    assert gg.grad(gg.prod(x), x).numpy().tolist() == others
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    want = [
        sum(w * math.prod(np.delete(a[: i + 1], k)) for i, w in enumerate(weights) if i >= k)
        for k in range(4)
    ]
    assert_close(gg.grad(gg.cumprod(x), x, weights).numpy(), np.array(want))


def test_small_and_large_factors_do_not_divide():
    """In float32 the product underflows to 0; its derivative does not."""
    x = gg.tensor([1e-30, 1e-30, 1e30], requires_grad=True)
    assert gg.prod(x).item() == 0.0
    assert_close(gg.grad(gg.prod(x), x).numpy()[:2], np.float32([1.0, 1.0]))
    assert_close(gg.grad(gg.cumprod(x)[2], x).numpy()[:2], np.float32([1.0, 1.0]))


def test_products_of_whole_numbers_and_nan():
    assert gg.prod(gg.tensor([3, 4])).dtype == "int64" and gg.prod(gg.tensor([3, 4])).item() == 12
    assert gg.cumprod(gg.tensor([True, False])).numpy().tolist() == [1, 0]
    assert gg.cumsum(gg.tensor([[True, True]]), 1).numpy().tolist() == [[1, 2]]
    assert np.isnan(gg.prod(gg.tensor([0.0, NAN])).item())
    assert gg.prod(gg.tensor([0.5, 3.0])).dtype == "float32"


# -------------------------------------------------------------------------- repetition


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_repetitions_of_every_shape(shape):
    (x,) = normal(shape)
    for reps in (0, 2, (2,), (1, 3), (2, 0), (2, 1, 2, 2), ()):
        check(lambda x: gg.tile(x, reps), lambda x: np.tile(x, reps), x)  # noqa: B023
    for axis in (None, *range(-len(shape), len(shape))):
        n = x.size if axis is None else shape[axis]
        for repeats in (0, 3, [2], list(range(n))):
            if repeats == [] or (repeats == [2] and n == 0):
                continue
            check(lambda x: gg.repeat(x, repeats, axis), lambda x: np.repeat(x, repeats, axis), x)  # noqa: B023
        for shift in (0, 1, -4, 7):
            check(lambda x: gg.roll(x, shift, axis), lambda x: np.roll(x, shift, axis), x)  # noqa: B023
    if len(shape) > 1:
        check(lambda x: gg.roll(x, (1, -1), (0, -1)), lambda x: np.roll(x, (1, -1), (0, -1)), x)
        check(lambda x: gg.roll(x, (1, 2), 0), lambda x: np.roll(x, (1, 2), 0), x)
        check(lambda x: gg.roll(x, 1, (0, 1)), lambda x: np.roll(x, 1, (0, 1)), x)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: gg.tile(x, -1), "tile: reps must not be negative"),
        (lambda x: gg.tile(x, 2**40), "tile: the result must fit into memory"),
        (lambda x: gg.repeat(x, -1), "repeat: repeats must not be negative"),
        (lambda x: gg.repeat(x, [1, -2]), "repeat: repeats must not be negative"),
        (lambda x: gg.repeat(x, 2**40), "repeat: the result must fit into memory"),
        (lambda x: gg.repeat(x, [2**40, 1]), "repeat: the result must fit into memory"),
        (lambda x: gg.repeat(x, [1, 2, 3]), "repeat: repeats must be a number, or one for each"),
        (lambda x: gg.repeat(x, 1.5), "repeat: repeats .*float64|wrong type"),
        (lambda x: gg.repeat(x, 1, 1), "repeat: axis must exist"),
        (lambda x: gg.roll(x, 1, 1), "roll: axis must exist"),
        (lambda x: gg.roll(x, (1, 2), (0, 0, 0)), "roll: shift and axis must be numbers, or as"),
        (lambda x: gg.einsum("ij", x), "einsum: 'ij' must have a letter for each axis"),
        (lambda x: gg.einsum("", x), "einsum: '' must have a letter for each axis"),
        (lambda x: gg.einsum("i,i", x), "einsum: there must be letters for each operand"),
        (lambda x: gg.einsum("i->j", x), "einsum: 'j' in 'i->j' is in no operand"),
        (lambda x: gg.einsum("i->ii", x), "einsum: 'i' in 'i->ii' is twice"),
        (lambda x: gg.einsum("1->1", x), "einsum: '1' in '1->1' is not a letter"),
        (lambda x: gg.einsum("i->i->i", x), "einsum: .* is not a letter"),
        (lambda x: gg.einsum("i,i", x, gg.ones(3)), "axes of one letter must have one length"),
        (lambda x: gg.einsum("i,i", x, gg.ones(1)), "axes of one letter must have one length"),
        (lambda x: gg.einsum("ii", gg.ones((1, 2))), "one letter must have one length"),
        (lambda x: gg.einsum("...i,...i", gg.ones((2, 2)), gg.ones((3, 2))), "one length"),
        (lambda x: gg.einsum("i,i", x, gg.ones(2, "float64")), "matmul: float dtypes must agree"),
        (lambda x: gg.einsum("...->", x), "einsum: the dots of '...->' must be on the right"),
        (lambda x: gg.einsum(), "einsum: missing argument"),
        (lambda x: gg.einsum(x, x), "einsum: subscripts has the wrong type"),
    ],
)
def test_what_makes_no_sense_is_named(call, message):
    with pytest.raises(GlassgradError, match=message):
        call(gg.ones(2))


# ------------------------------------------------------------------------ contractions

EINSUMS = [
    ("ij,jk", (2, 3), (3, 4)), ("ij,jk->ki", (2, 3), (3, 4)), ("ij,ij", (2, 3), (2, 3)),
    ("ij,ij->ij", (2, 3), (2, 3)), ("i,j->ij", (2,), (3,)), ("i,i->", (3,), (3,)),
    ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ba", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)),
    ("iij->j", (2, 2, 3)), ("iji,j->i", (2, 3, 2), (3,)), ("ijij->ij", (2, 3, 2, 3)),
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)), ("bij,jk->bki", (5, 2, 3), (3, 4)),
    ("ij,kj,lk->il", (2, 3), (4, 3), (5, 4)), ("ij,jk,kl,lm->im", (2, 3), (3, 2), (2, 4), (4, 2)),
    ("i,ij,j", (2,), (2, 3), (3,)), ("abc,bd,cd->ad", (2, 3, 4), (3, 2), (4, 2)),
    ("a,b,c->cab", (2,), (3,), (4,)), ("ijk,l->il", (2, 3, 4), (2,)), (",i->i", (), (3,)),
    ("->", ()), ("...ij->...ji", (2, 3, 4)), ("...ij,...jk->...ik", (5, 2, 3), (5, 3, 4)),
    ("...ij,jk", (5, 2, 3), (3, 4)), ("...i,...i->...", (5, 2, 3), (2, 3)),
    ("...i,...i->...i", (1, 3), (4, 3)), ("...,...", (5, 1, 3), (2, 1)), ("i...->...", (2, 3, 4)),
    ("i...i->...", (2, 3, 2)), ("i...j->...ij", (2, 3, 4)),
    ("ij,jk", (2, 0), (0, 3)), ("ij,jk", (0, 2), (2, 3)), ("ij,j", (2, 1), (1,)),
    ("Zz,zA->AZ", (2, 3), (3, 2)), (" i j , j k -> i k ", (2, 3), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("text, shapes", [(t, s) for t, *s in EINSUMS], ids=lambda v: str(v))
def test_einsum(text, shapes):
    check(lambda *xs: gg.einsum(text, *xs), lambda *xs: np.einsum(text, *xs), *normal(*shapes))


def test_einsum_of_whole_numbers_and_of_one_tensor_twice():
    a = np.arange(6).reshape(2, 3)
    assert np.array_equal(gg.einsum("ij,kj", a, a).numpy(), np.einsum("ij,kj", a, a))
    x = gg.tensor(a.astype("float64"), requires_grad=True)
    assert np.array_equal(gg.grad(gg.einsum("ij,ij", x, x), x).numpy(), 2 * a)


def test_a_random_einsum_is_numpys():
    rng = np.random.default_rng(0)
    sizes = dict(zip("abcdef", (1, 2, 3, 2, 1, 4)))
    for _ in range(200):
        terms = [
            "".join(rng.choice(list(sizes), rng.integers(0, 4))) for _ in range(rng.integers(1, 4))
        ]
        letters = sorted(set("".join(terms)))
        out = "".join(rng.permutation([k for k in letters if rng.random() < 0.5]))
        text = ",".join(terms) + ("->" + out if rng.random() < 0.8 else "")
        arrays = [np.asarray(rng.standard_normal([sizes[k] for k in t])) for t in terms]
        want = np.einsum(text, *arrays)
        assert_close(gg.einsum(text, *arrays).numpy().astype(float), want, rtol=1e-5, what=text)


# ------------------------------------------------------------------ smooth activations


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_smooth_activations(dtype):
    a = np.concatenate([np.linspace(-12, 12, 97), [-40.0, 40.0, -1e-30]]).astype(dtype)
    wide = a.astype("float64")
    tangent = 2 * math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)
    for f, want in (
        (gg.silu, wide * scipy.special.expit(wide)),
        (gg.gelu, wide * scipy.stats.norm.cdf(wide)),
        (gg.normal_cdf, scipy.stats.norm.cdf(wide)),
        (lambda x: gg.gelu(x, "tanh"), wide * scipy.special.expit(tangent)),
    ):
        got = f(gg.tensor(a)).numpy()
        assert got.dtype == dtype
        eps = np.finfo(
            dtype
        ).eps  # relative, number by number: errors of exp grow with its argument
        err = abs(got - want) / np.maximum(abs(want), np.finfo("float32").tiny)
        assert (err <= eps * 8 * (1 + wide**2)).all(), (f, err.max())


def test_far_out_there_are_values_and_slopes():
    for dtype in ("float32", "float64"):
        x = gg.tensor(np.array([-INF, -1e30, 1e30, INF], dtype), requires_grad=True)
        with np.errstate(over="ignore"):
            for f in (gg.silu, gg.gelu, lambda x: gg.gelu(x, "tanh")):
                y = f(x)
                assert y.numpy().tolist() == [0, 0, x.numpy()[2], INF]
                assert gg.grad(y.sum(), x).numpy().tolist() == [0, 0, 1, 1]
    for f in (gg.silu, gg.gelu, gg.normal_cdf, lambda x: gg.gelu(x, "tanh")):
        assert np.isnan(f(gg.tensor([NAN])).item())
    with pytest.raises(
        GlassgradError, match=r"gelu: approximate is not allowed; expected 'none' or"
    ):
        gg.gelu(x, "tangent")
    assert gg.gelu(gg.tensor([1, 2])).dtype == gg.silu(gg.tensor([1])).dtype == "float32"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_smooth_activations_of_every_shape(shape):
    check(gg.silu, lambda x: x * scipy.special.expit(x), *normal(shape))
    check(gg.gelu, lambda x: x * scipy.special.ndtr(x), *normal(shape))
    check(gg.normal_cdf, scipy.special.ndtr, *normal(shape))


@pytest.mark.torch
def test_pytorch_has_the_same_numbers():
    torch = pytest.importorskip("torch")
    a = np.linspace(-6, 6, 101).astype("float32")
    t = torch.tensor(a, requires_grad=True)
    for ours, theirs in (
        (gg.silu, torch.nn.functional.silu),
        (gg.gelu, torch.nn.functional.gelu),
        (lambda x: gg.gelu(x, "tanh"), lambda x: torch.nn.functional.gelu(x, approximate="tanh")),
        (lambda x: gg.prod(x[:5]), lambda x: x[:5].prod()),
        (lambda x: gg.cumprod(x[:5]), lambda x: x[:5].cumprod(0)),
        (lambda x: gg.roll(x, 3), lambda x: x.roll(3)),
        (lambda x: gg.repeat(x, 2), lambda x: x.repeat_interleave(2)),
        (lambda x: gg.tile(x, (2, 2)), lambda x: x.tile(2, 2)),
        (lambda x: gg.mod(x, -0.7), lambda x: x % -0.7),
        (lambda x: gg.einsum("i,i,j->j", x, x, x), lambda x: torch.einsum("i,i,j->j", x, x, x)),
    ):
        x = gg.tensor(a, requires_grad=True)
        y, z = ours(x), theirs(t)
        assert_close(y.numpy(), z.detach().numpy(), rtol=1e-5)
        (g,) = torch.autograd.grad(z.sum(), t)
        assert_close(gg.grad(y.sum(), x).numpy(), g.numpy(), rtol=1e-5)


def test_errors_are_of_our_kinds():
    for call, kind in (
        (lambda: gg.einsum("i,i", gg.ones(2)), ArgumentError),
        (lambda: gg.repeat(gg.ones(2), [0.5, 1.0]), DTypeError),
    ):
        with pytest.raises(kind):
            call()
