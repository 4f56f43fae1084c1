"""Order, truth, whole parts and remainders against NumPy, with ties, NaN and infinities."""

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import functions as F
from glassgrad.kernels.errors import DTypeError, GlassgradError, ShapeError
from tests.core.test_functions_edges import SHAPES, axes_of, check, normal
from tests.tools import assert_close

NAN, INF = math.nan, math.inf
TIES = np.array(
    [[2.0, 1.0, 2.0, 1.0, 0.0], [NAN, 3.0, NAN, -INF, INF], [-0.0, 0.0, -1.0, 0.0, -0.0]]
)
DTYPES = ("float32", "float64", "int64", "int8", "uint8", "bool")


def by_hand(row, descending):
    """Places by Python's own sort: NaN above all numbers, ties in the order of their places."""
    keys = [(math.isnan(v), 0.0 if math.isnan(v) else v) for v in map(float, row)]
    if descending:  # `reverse` keeps the order of ties
        return sorted(range(len(keys)), key=keys.__getitem__, reverse=True)
    return sorted(range(len(keys)), key=keys.__getitem__)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sorted_places_and_values(dtype, descending):
    a = np.nan_to_num(TIES, nan=3, posinf=5, neginf=0)
    a = TIES.astype(dtype) if dtype.startswith("f") else np.abs(a).astype(dtype)
    want = np.array([by_hand(row, descending) for row in a])
    got = gg.argsort(gg.Tensor(a), descending=descending)
    assert np.array_equal(got, want) and type(got) is np.ndarray
    values = gg.sort(gg.Tensor(a), descending=descending)
    assert values.dtype == dtype
    assert np.array_equal(
        values.numpy(), np.take_along_axis(a, want, -1), equal_nan=dtype[0] == "f"
    )
    columns = gg.argsort(gg.Tensor(a.T.copy()), axis=0, descending=descending)
    assert np.array_equal(columns, want.T)
    for k, largest in itertools.product((0, 1, 3, 5), (False, True)):
        taken, places = gg.topk(gg.Tensor(a), k, largest=largest)
        hand = np.array([by_hand(row, largest)[:k] for row in a], int).reshape(len(a), k)
        assert np.array_equal(places, hand)
        picked = np.take_along_axis(a, hand, -1)
        assert np.array_equal(taken.numpy(), picked, equal_nan=dtype[0] == "f")


def test_a_long_tie_keeps_its_order():
    """Longer than what NumPy sorts by insertion."""
    x = np.random.default_rng(0).integers(0, 3, 5000)
    for dtype in ("float32", "int64", "int16"):
        a = x.astype(dtype)
        for descending in (False, True):
            assert gg.argsort(gg.Tensor(a), descending=descending).tolist() == by_hand(
                a, descending
            )


def test_the_gradient_of_a_tie_goes_where_its_place_says():
    x = gg.tensor([1.0, 5.0, 5.0], requires_grad=True)
    values, places = gg.topk(x, 1)
    assert places.tolist() == [1] and gg.grad(values.sum(), x).numpy().tolist() == [0, 1, 0]
    weights = gg.tensor([1.0, 10.0, 100.0])
    assert gg.grad((gg.sort(x) * weights).sum(), x).numpy().tolist() == [1, 10, 100]
    assert gg.grad((gg.sort(x, descending=True) * weights).sum(), x).numpy().tolist() == [
        100,
        1,
        10,
    ]


def test_extrema_show_nan_and_take_the_first():
    t = gg.tensor([[3.0, 1.0, 1.0], [2.0, NAN, NAN]])
    assert gg.argmin(t, 1).tolist() == [1, 1] and gg.argmax(t, 1).tolist() == [0, 1]
    assert gg.argmin(t).tolist() == 4 and gg.argmax(t).tolist() == 4
    assert gg.argmin(gg.tensor([3, 1, 1])).tolist() == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_orders_of_every_shape(shape):
    (x,) = normal(shape)
    for axis in (None, *range(-len(shape), len(shape))):
        check(lambda x: gg.sort(x, axis), lambda x: np.sort(x, axis), x)  # noqa: B023
        check(lambda x: gg.sort(x, axis, True), lambda x: -np.sort(-x, axis), x)  # noqa: B023
        assert np.array_equal(gg.argsort(x, axis), np.argsort(x, axis, kind="stable"))
        n = x.size if axis is None else shape[axis]
        for k in {0, n}:
            flat = x.reshape(-1) if axis is None else x
            at = 0 if axis is None else axis
            want = np.take(-np.sort(-flat, at), range(k), at)
            check(lambda x: gg.topk(x, k, axis)[0], lambda x: want, x)  # noqa: B023
        if n:
            assert np.array_equal(gg.argmin(x, axis), np.argmin(x, axis))
        else:
            with pytest.raises(ShapeError, match="argmin: there must be at least one element"):
                gg.argmin(x, axis)
        with pytest.raises(ShapeError, match=f"topk: k must not exceed the axis; expected ≤ {n}"):
            gg.topk(x, n + 1, axis)
    for name in ("sort", "argsort", "argmin"):
        with pytest.raises(ShapeError, match=f"{name}: axis must exist"):
            getattr(gg, name)(x, len(shape))
    with pytest.raises(ShapeError, match="topk: axis must exist"):
        gg.topk(x, 0, len(shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_truth_of_every_shape(shape):
    rng = np.random.default_rng(1)
    x = np.asarray(rng.choice([0.0, -0.0, 1.0, NAN, INF, -INF], shape))
    t = gg.tensor(x, requires_grad=True)
    for name in ("isnan", "isinf", "isfinite"):
        got = getattr(gg, name)(t)
        assert (
            got.dtype == bool and np.array_equal(got, getattr(np, name)(x)) and got.shape == shape
        )
    for axis, keep in itertools.product(axes_of(shape), (False, True)):
        assert np.array_equal(gg.any(t, axis, keep), x.any(axis=axis, keepdims=keep))
        assert np.array_equal(gg.all(t, axis, keep), x.all(axis=axis, keepdims=keep))
        assert np.array_equal(t.any(axis, keepdims=keep), x.any(axis=axis, keepdims=keep))
    for name in ("any", "all"):
        with pytest.raises(GlassgradError, match=f"{name}: axis must exist"):
            getattr(gg, name)(t, axis=len(shape))
    for whole in (gg.tensor([1, 0]), gg.tensor([True, False])):
        assert gg.any(whole) and not gg.all(whole) and not gg.any(gg.isnan(whole))


STEPS = np.array([-INF, -2.5, -2.0, -1.5, -0.5, -0.0, 0.0, 0.2, 0.5, 1.5, 2.5, 3.0, INF, NAN])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8"])
@pytest.mark.parametrize("name", ["floor", "ceil", "round", "sign"])
def test_whole_parts(name, dtype):
    a = STEPS.astype(dtype) if dtype[0] == "f" else np.arange(-3, 4).astype(dtype)
    got = getattr(gg, name)(gg.Tensor(a))
    want = a if dtype[0] == "i" and name != "sign" else getattr(np, name)(a)
    assert got.dtype == dtype and np.array_equal(got.numpy(), want, equal_nan=dtype[0] == "f")
    if dtype[0] == "f":
        x = gg.tensor(a[1:-2], requires_grad=True)
        assert not gg.grad(getattr(gg, name)(x).sum(), x).numpy().any()


def test_halves_go_to_the_even_neighbour():
    assert gg.round(gg.tensor([0.5, 1.5, 2.5, -0.5])).numpy().tolist() == [0, 2, 2, 0]
    assert gg.round(gg.tensor([1234.567], dtype="float64"), 1).item() == 1234.6
    assert (
        gg.round(gg.tensor([15, 25, -15]), -1).numpy().tolist()
        == np.round([15, 25, -15], -1).tolist()
    )
    assert round(gg.tensor(2.5)).item() == 2.0 and round(gg.tensor(0.25), 1).item() == np.float32(
        0.2
    )
    assert math.floor(gg.tensor(-1.5)).item() == -2 and math.ceil(gg.tensor(-1.5)).item() == -1
    assert gg.floor(gg.tensor([True])).dtype == bool == gg.round(gg.tensor([True])).dtype


PAIRS = [
    (7.0, 2.0), (-7.0, 2.0), (7.0, -2.0), (-7.0, -2.0), (5.5, 0.5), (0.0, 3.0), (1e-20, 3.0),
    (-1e-20, 3.0), (1.0, 0.0), (0.0, 0.0), (INF, 2.0), (2.0, INF), (-2.0, INF), (NAN, 1.0),
]  # fmt: skip


def test_division_with_remainder():
    x, y = (np.array(v) for v in zip(*PAIRS))
    with np.errstate(all="ignore"):
        for f, g, want in (
            (gg.floor_divide, lambda a, b: a // b, np.floor_divide),
            (gg.mod, lambda a, b: a % b, np.mod),
        ):
            for got in (f(gg.tensor(x), gg.tensor(y)), g(gg.tensor(x), y), g(x, gg.tensor(y))):
                assert np.array_equal(got.numpy(), want(x, y), equal_nan=True)
        q, r = divmod(gg.tensor(x), y)
        fine = np.isfinite(q.numpy()) & np.isfinite(r.numpy()) & np.isfinite(y)
        assert_close((q * y + r).numpy()[fine], x[fine])
        zero = gg.tensor([3, -3]) // gg.tensor([0, 0]), gg.tensor([3, -3]) % gg.tensor([0, 0])
    assert [z.numpy().tolist() for z in zero] == [[0, 0], [0, 0]]
    assert (7 // gg.tensor([2, -2])).numpy().tolist() == [3, -4]
    assert (7 % gg.tensor([2.0, -2.0])).numpy().tolist() == [1.0, -1.0]
    assert (gg.tensor([7, 8]) % 2.5).dtype == "float32"


def test_the_derivatives_of_a_remainder():
    x, y = (gg.tensor([[v], [2 * v]], requires_grad=True) for v in (7.25, -2.0))
    gx, gy = gg.grad(gg.mod(x, y).sum(), [x, y])
    assert gx.numpy().tolist() == [[1], [1]] and gy.numpy().tolist() == [[4], [4]]
    gx, gy = gg.grad(gg.floor_divide(x, y).sum(), [x, y])
    assert not gx.numpy().any() and not gy.numpy().any()


@pytest.mark.parametrize("name", ["floor_divide", "mod"])
@pytest.mark.parametrize("first", SHAPES, ids=str)
def test_remainders_of_every_two_shapes(name, first):
    want = {"floor_divide": np.floor_divide, "mod": np.mod}[name]
    for second in SHAPES:
        (x,), (y,) = normal(first), normal(second)
        check(getattr(gg, name), want, 7 + x, 3.3 + 0.1 * y)
    for one in ("floor", "ceil", "round", "sign"):
        check(getattr(gg, one), getattr(np, one), normal(first)[0])


def test_what_is_no_order_is_refused():
    with pytest.raises(ShapeError, match="shapes must broadcast"):
        gg.mod(gg.ones(2), gg.ones(3))
    with pytest.raises(DTypeError, match="mod: float dtypes must agree"):
        gg.mod(gg.ones(2), gg.ones(2, "float64"))
    with pytest.raises(GlassgradError, match="topk: k"):
        gg.topk(gg.ones(2), -1)
    with pytest.raises(GlassgradError, match="sort: axis has the wrong type"):
        gg.sort(gg.ones(2), 0.5)


@pytest.mark.torch
def test_pytorch_takes_the_same():
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(2).integers(0, 4, (5, 9)).astype("float32")
    a[1, 3] = NAN
    for descending in (False, True):
        got = gg.sort(gg.tensor(a), descending=descending).numpy()
        values, places = torch.sort(torch.tensor(a), descending=descending, stable=True)
        assert np.array_equal(got, values.numpy(), equal_nan=True)
        assert np.array_equal(gg.argsort(gg.tensor(a), -1, descending), places.numpy())
    taken, _ = gg.topk(gg.tensor(a), 4)
    assert np.array_equal(taken.numpy(), torch.topk(torch.tensor(a), 4)[0].numpy(), equal_nan=True)


def test_methods_are_the_functions():
    t = gg.tensor([[3.0, 1.0], [2.0, 4.0]])
    for name, args in {
        "argmin": (0,), "argsort": (0,), "sort": (0,), "prod": (1,), "cumsum": (0,),
        "cumprod": (0,), "any": (), "all": (), "round": (1,), "repeat": (2, 1),
    }.items():  # fmt: skip
        got, want = getattr(t, name)(*args), getattr(F, name)(t, *args)
        assert np.array_equal(np.asarray(got), np.asarray(want)), name
        assert np.array_equal(np.asarray(got), np.asarray(getattr(np.asarray(t), name)(*args)) if
                              name != "sort" else np.sort(np.asarray(t), 0)), name  # fmt: skip
    assert t.var().item() == np.asarray(t).var() and t.swapaxes(0, 1).numpy()[0, 1] == 2.0
    assert np.array_equal(t.numpy(), [[3, 1], [2, 4]])  # sort() makes a new one


def test_every_public_function_has_its_edges():
    """Scalars, empty arrays and every axis are tried in one of these files."""
    files = ("edges", "order", "products", "pooling")
    here = Path(__file__)
    text = "".join(here.with_name(f"test_functions_{name}.py").read_text() for name in files)
    tried = {*re.findall(r"gg\.(\w+)", text), *re.findall(r'"(\w+)"', text), "getitem"}
    assert [f for f in F.__all__ if f not in tried] == []
