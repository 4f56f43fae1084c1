"""The gradient table holds for every function, and gradcheck catches what is planted."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import glassgrad as gg
import glassgrad.core
from glassgrad.core import functions as F
from glassgrad.core.gradcases import CASES, GradCase, check, run
from glassgrad.core.gradcheck import GradcheckError
from glassgrad.core.nn import cross_entropy, losses
from glassgrad.core.tensor import Tensor
from glassgrad.kernels.errors import GlassgradError, ValueRangeError

X = np.array([0.3, -1.2, 0.8])

for _module in pkgutil.walk_packages(glassgrad.core.__path__, "glassgrad.core."):
    importlib.import_module(_module.name)  # whatever declares a differentiable function
PRODUCT = {n for n, f in gg.FUNCTIONS.items() if f.__module__.startswith("glassgrad.")}
LOSSES = {
    name
    for name, f in inspect.getmembers(losses, inspect.isfunction)
    if f.__module__ in (losses.__name__, cross_entropy.__name__) and not name.startswith("_")
}


@pytest.fixture(autouse=True)
def no_planted_function_stays():
    before = dict(gg.FUNCTIONS)
    yield
    gg.FUNCTIONS.clear()
    gg.FUNCTIONS.update(before)


# ---------------------------------------------------------------------- the table


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case, order):
    row = check(case, order)
    assert row.passed, row.message
    assert row.error < 1e-7
    assert row.directions > 0
    if order == 2:  # the note tells the truth
        said = case.note.startswith(("linear", "piecewise linear", "discrete"))
        assert row.zero == said, (
            f"{case.name}: note {case.note!r}, second derivative zero: {row.zero}"
        )


def test_no_differentiable_function_lacks_a_case():
    covered = {c.function for c in CASES}
    assert PRODUCT - covered == set()
    assert set(F.__all__) - covered == set()
    assert LOSSES - covered == set()
    assert len({c.name for c in CASES}) == len(CASES)


def test_every_case_runs_the_function_it_is_named_after():
    for case in CASES:
        if case.function in PRODUCT:
            with gg.trace() as t:
                case.f(*map(Tensor, case.arrays()))
            assert case.function in {c.function for c in t.calls}, case.name
        else:
            assert case.function in {*F.__all__, *LOSSES}, case.name


def test_cases_are_the_same_every_time():
    for case in CASES:
        for a, b in zip(case.arrays(), case.arrays()):
            assert np.array_equal(a, b) and a.dtype == np.float64


def test_run_selects_by_function_and_by_name():
    assert [r.order for r in run("tanh")] == [1, 2]
    assert [r.name for r in run("mul 0-d", order=1)] == ["mul 0-d"]
    assert len(run("power", order=1)) == 11
    with pytest.raises(ValueRangeError, match="gradcheck: no case for 'tangent'; known are "):
        run("tangent")
    with pytest.raises(ValueRangeError, match="order must be known; expected 1 or 2, got 3"):
        run("tanh", order=3)


def test_a_failed_case_is_a_row():
    @gg.differentiable(x=lambda g, x: g * x)
    def square(x, /):
        return x * x

    row = check(GradCase("square", square, lambda rng: [X]), 1)
    assert not row.passed and np.isnan(row.error)
    assert row.message.startswith("square order 1: derivative with respect to argument 0 is")
    assert "FAILED" in str(row)


def test_a_report_can_be_read():
    report = gg.gradcheck(gg.relu, X, order=2)
    assert (report.name, report.order, report.zero, report.piecewise) == ("relu", 2, True, True)
    assert str(report).startswith("relu order 2: error ") and "second derivative zero" in str(
        report
    )


# -------------------------------------------------------------------- planted bugs


def caught(f, *inputs, order=1, match="finite difference"):
    with pytest.raises(GlassgradError, match=match):
        gg.gradcheck(f, *(inputs or (X,)), order=order)


def test_a_softmax_whose_derivative_is_zero():
    @gg.differentiable(x=lambda g: g * 0)
    def softmax(x, /):
        e = np.exp(x - x.max())
        return e / e.sum()

    caught(softmax)
    total = gg.grad(softmax(gg.tensor(X, requires_grad=True)).sum(), t := leaf(), unused="zero")
    assert (total.numpy() == 0).all() and t.size  # with sum() it would have passed


def leaf():
    return gg.tensor(X, requires_grad=True)


def test_a_derivative_that_is_zero_beside_a_large_one():
    @gg.differentiable(x=lambda g: g * 1e6, y=lambda g: g * 0)
    def mostly_x(x, y, /):
        return x * 1e6 + y

    caught(mostly_x, X, 2 * X, match="mostly_x order 1: derivative with respect to argument 1")


def test_a_small_derivative_that_is_zero():
    @gg.differentiable(x=lambda g: g * 0)
    def faint(x, /):
        return x * 1e-6

    caught(faint, match="faint order 1: derivative with respect to argument 0")


def test_a_bias_whose_derivative_is_zero_beside_large_inputs():
    @gg.differentiable(x=lambda g, w: g * w, w=lambda g, x: g * x, b=lambda g: g * 0)
    def line(x, w, b, /):
        return x * w + b

    caught(line, 2e5 + X, X, X, match="line order 1: derivative with respect to argument 2")

    @gg.differentiable(x=lambda g, w: g * w, w=lambda g, x: g * x, b=lambda g: g)
    def right(x, w, b, /):
        return x * w + b

    assert gg.gradcheck(right, 2e5 + X, X, X, order=2).error < 1e-7


def test_every_coordinate_of_a_column_major_array_is_tried():
    @gg.differentiable(x=lambda g, x: g * Tensor(np.where(x.data == 6.0, 2.001, 2.0)))
    def double(x, /):
        return 2.0 * x

    caught(double, np.arange(1.0, 13.0).reshape(3, 4).T, match="argument 0 is")


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.5, 1.001])
def test_a_derivative_off_by_a_factor(factor):
    @gg.differentiable(x=lambda g, out: g * out * factor)
    def growth(x, /):
        return np.exp(x)

    caught(growth)


def test_a_missing_sum_over_the_broadcast_axis():
    @gg.differentiable(x=lambda g: g, y=lambda g: g)
    def plus(x, y, /):
        return x + y

    caught(plus, np.ones((2, 3)), np.ones(3), match="must have its argument's shape")

    @gg.differentiable(x=lambda g: g, y=lambda g, y_shape: g[0].reshape(y_shape))
    def plus_first_row(x, y, /):
        return x + y

    caught(plus_first_row, np.ones((2, 3)), np.ones(3))
    gg.gradcheck(plus_first_row, np.ones((1, 3)), np.ones(3))  # right where nothing is repeated


def test_a_derivative_that_is_wrong_only_at_the_second_order():
    @gg.differentiable(x=lambda g, x: g * Tensor(np.cos(x.data)))  # a constant: off the tape
    def sine(x, /):
        return np.sin(x)

    gg.gradcheck(sine, X, order=1)
    caught(sine, order=2, match="sine order 2")


def test_a_second_order_wrong_in_the_cotangent_only():
    @gg.differentiable(x=lambda g: 3.0 * Tensor(g.data))  # loses the way back to g
    def triple(x, /):
        return 3.0 * x

    gg.gradcheck(triple, X, order=1)
    caught(triple, order=2, match="triple order 2")


def test_a_backward_pass_that_is_not_deterministic():
    noise = np.random.default_rng(0)

    @gg.differentiable(x=lambda g: g * (2.0 + 1e-14 * noise.standard_normal()))
    def double(x, /):
        return 2.0 * x

    caught(double, match="differs between two backward runs")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("x", [X, X[:1]], ids=["vector", "one element"])
def test_a_gradient_that_is_not_finite(bad, x):
    @gg.differentiable(x=lambda g: g * bad)
    def broken(x, /):
        return 2.0 * x

    caught(broken, x, match="gradient of argument 0 is not finite")


def test_one_nan_among_many():
    @gg.differentiable(x=lambda g, x: g * Tensor(np.where(x.data > 0.7, np.nan, 2.0)))
    def broken(x, /):
        return 2.0 * x

    caught(broken, match="not finite")


def test_a_wrong_derivative_is_not_excused_as_a_kink():
    @gg.differentiable(x=lambda g: g * 0.5, piecewise=True)
    def half_relu(x, /):
        return np.maximum(x, 0)

    caught(half_relu)
    caught(half_relu, np.array([0.0, 1.0]))  # nor at the kink itself
    caught(lambda x: half_relu(x) * gg.exp(5 * x), np.array([1.0, 2.0]))  # nor where it is curved


def test_a_wrong_side_of_a_bend():
    @gg.differentiable(x=lambda g, x: g * Tensor((x.data < 0).astype(float)), piecewise=True)
    def mirrored(x, /):
        return np.maximum(x, 0)

    caught(mirrored)


def test_a_kink_that_nobody_declared():
    @gg.differentiable(x=lambda g, x: g * Tensor((x.data > 0).astype(float)))
    def secret(x, /):
        return np.maximum(x, 0)

    caught(secret, np.array([0.0, 1.0]))
    assert gg.gradcheck(gg.relu, np.array([0.0, 1.0])).resampled > 0


def test_a_jump_is_never_excused():
    @gg.differentiable(x=lambda g: g * 0, piecewise=True)
    def floor(x, /):
        return np.floor(x * 1e7)  # jumps within every step

    caught(floor, match=r"finite difference|no point without a kink")


def test_a_gradient_that_jumps_at_the_very_point_is_moved_off():
    report = gg.gradcheck(gg.absolute, np.array([0.0, 1.0]), order=2)
    assert report.resampled > 0 and report.zero


def test_a_derivative_that_returns_none():
    @gg.differentiable(x=lambda g: None)
    def silent(x, /):
        return 2.0 * x

    caught(silent, match="silent: the derivative of argument 0 returned None")


def test_a_gradient_that_is_cut():
    caught(lambda x: x.detach() * x)
    caught(lambda x: Tensor(np.sin(x.data)))


def test_a_wrong_argument_is_named():
    @gg.differentiable(x=lambda g, y: g * y, y=lambda g, y: g * y)
    def product(x, y, /):
        return x * y

    caught(product, X, 2 * X, match="product order 1: derivative with respect to argument 1")


def test_a_function_without_float_output():
    with pytest.raises(GradcheckError, match="returned no float tensor"):
        gg.gradcheck(lambda x: gg.tensor([1]), X)


def test_only_some_coordinates_of_a_large_array_are_tried():
    report = gg.gradcheck(gg.tanh, np.linspace(-1, 1, 500), directions=10)
    assert report.directions == 13
