"""Declaring a differentiable function, and derivatives that misbehave."""

import numpy as np
import pytest

import glassgrad as gg


def leaf(values):
    return gg.tensor(np.array(values, "float64"), requires_grad=True)


@pytest.fixture
def registry():
    before = dict(gg.FUNCTIONS)
    yield
    gg.FUNCTIONS.clear()
    gg.FUNCTIONS.update(before)


def test_a_derivative_that_returns_none(registry):
    @gg.differentiable(x=lambda g: None)
    def forgetful(x, /):
        return x * 2

    x = leaf(1.0)
    with pytest.raises(gg.GraphError, match=r"forgetful: the derivative .* 0 returned None"):
        gg.grad(forgetful(x), x, unused="zero")


def test_a_derivative_of_the_wrong_shape(registry):
    @gg.differentiable(x=lambda g: g.sum())
    def shrunk(x, /):
        return x * 2

    x = leaf([1.0, 2.0])
    with pytest.raises(gg.GraphError, match="shrunk: a gradient must have its argument's shape"):
        shrunk(x).backward(np.ones(2))


def test_a_vjp_that_forgets_an_argument(registry):
    @gg.differentiable(vjp=lambda g: [g])
    def half(x, y, /):
        return x + y

    x, y = leaf([1.0]), leaf([2.0])
    with pytest.raises(
        gg.GraphError, match="half: vjp must return one cotangent for each argument"
    ):
        half(x, y).backward()


def test_an_argument_without_derivative(registry):
    @gg.differentiable(x=lambda g: g)
    def lopsided(x, y, /):
        return x + y

    x, y = leaf([1.0]), leaf([2.0])
    assert gg.grad(lopsided(x, y), x).item() == 1.0
    with pytest.raises(gg.GraphError, match="lopsided: has no derivative with respect to 'y'"):
        gg.grad(lopsided(x, y), y)


def test_the_declaration_of_the_docstring(registry):
    @gg.differentiable(
        x=lambda g, y, x_shape: gg.sum_to(g * y, x_shape),
        y=lambda g, x, y_shape: gg.sum_to(g * x, y_shape),
    )
    def product(x, y, /):
        """x times y."""
        return x * y

    assert gg.FUNCTIONS["product"] is product and product.__doc__ == "x times y."
    assert gg.gradcheck(product, np.ones((2, 3)), np.arange(3.0), order=2).error < 1e-8


def test_settings_by_position_by_keyword_and_by_default(registry):
    @gg.differentiable(x=lambda g, factor: g * factor)
    def scaled(x, /, factor=2.0):
        return x * factor

    x = leaf([1.0])
    assert [scaled(x).item(), scaled(x, 3.0).item(), scaled(x, factor=4.0).item()] == [2, 3, 4]
    assert gg.grad(scaled(x, 5.0), x).item() == 5.0


def test_an_optional_tensor(registry):
    @gg.differentiable(x=lambda g: g, b=lambda g: g)
    def shifted(x, b=None, /):
        return x + 0 if b is None else x + b

    x, b = leaf([1.0]), leaf([2.0])
    assert gg.grad(shifted(x), x).item() == 1.0
    assert [g.item() for g in gg.grad(shifted(x, b), [x, b])] == [1.0, 1.0]


def test_several_outputs_of_which_one_is_no_float(registry):
    @gg.differentiable(x=lambda g, out: g[0] * gg.Tensor(out[1].data.astype(float)))
    def parts(x, /):
        return x * (x > 0), x > 0

    x = leaf([1.0, -1.0])
    y, sign = parts(x)
    assert sign.dtype == bool and not sign.requires_grad
    assert gg.grad(y.sum(), x).numpy().tolist() == [1.0, 0.0]


def test_a_derivative_for_an_argument_that_does_not_exist():
    with pytest.raises(gg.GraphError, match="odd: derivative for unknown argument"):

        @gg.differentiable(z=lambda g: g)
        def odd(x, /):
            return x


def test_a_tensor_method_is_bound():
    x = leaf([1.0, 2.0])
    assert x.sum(0).item() == x.sum(axis=0).item() == 3.0
    assert repr(gg.exp) == "<differentiable exp>"
