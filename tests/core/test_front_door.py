"""Arguments of the engine's functions: given twice, hidden in lists, in another order of bytes."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import kernels
from glassgrad.core import data, nn, optim
from glassgrad.kernels.errors import ArgumentError, DTypeError, ValueRangeError
from tests.tools import needs_numba

X = gg.ones((2, 3))
MASKED = np.ma.masked_array([1.0, 2.0], [True, False])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gg.sum(X, 0, axis=1), "sum: axis is given by place and by name"),
        (lambda: X.sum(0, axis=1), "sum: axis is given by place and by name"),
        (lambda: gg.leaky_relu(X, 0.1, slope=0.2), "slope is given by place and by name"),
        (lambda: gg.relu(x=X), "relu: x is given by place, not by name"),
        (lambda: gg.relu(X, x=X), "relu: x is given by place, not by name"),
        (lambda: gg.sum(X, x=X), "sum: x is given by place, not by name"),
        (lambda: gg.add(X, y=X), "add: y is given by place, not by name"),
        (lambda: gg.conv2d(X, X, x=X), "conv2d: x is given by place and by name"),
        (lambda: kernels.conv2d.forward(X, X, w=X), "forward: w is given by place and by name"),
        (lambda: nn.Linear(2, 3, inputs=2, rng=gg.Generator(1)), "Linear: inputs is given by pl"),
        (lambda: gg.Generator(1).uniform((2,), shape=(3,)), "Generator.uniform: shape is given"),
    ],
)
def test_an_argument_given_twice_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


@pytest.mark.parametrize(
    "use",
    [
        lambda m: gg.tensor([[1.0, 2.0], m]), lambda m: gg.tensor([[m]]),
        lambda m: gg.Tensor([[m]]),
        lambda m: gg.zeros((2, 2)).__setitem__([0], [[m]]), lambda m: gg.add(X[0, 0], [[m]]),
        lambda m: gg.clip(m), lambda m: gg.clip(X[0, :2], m), lambda m: gg.stack([[m], [m]]),
    ],
)  # fmt: skip
def test_a_mask_inside_of_lists_is_not_lost(use):
    with pytest.raises(DTypeError, match="would lose its mask"):
        use(MASKED)


@pytest.mark.parametrize("kind", [np.ma.masked_array, np.matrix])
def test_kernels_take_plain_arrays_only(kind):
    x = np.ones((1, 1, 3, 3))
    odd = x.view(np.ma.MaskedArray) if kind is np.ma.masked_array else np.ones((2, 2)).view(kind)
    for call in (
        lambda: kernels.conv2d.forward(odd, x[:, :, :2, :2]),
        lambda: kernels.conv2d.forward(x, odd),
        lambda: kernels.pool2d.max_forward(odd, 2),
    ):
        with pytest.raises(
            DTypeError, match=r"must be a plain array; got (MaskedArray|matrix), whose"
        ):
            call()


def test_clip_compares_two_numbers():
    x = gg.tensor([-2.0, 0.5, 2.0])
    with pytest.raises(ValueRangeError, match="clip: low must not exceed high"):
        gg.clip(x, 1.0, -1.0)
    with pytest.raises(ValueRangeError, match="clip: low must not exceed high"):
        x.clip(np.float64(2), 1)
    for wrong in ({"low": "a"}, {"high": "a"}, {"low": {1}, "high": 2.0}):
        with pytest.raises(DTypeError, match=r"clip: (low|high) has the wrong type"):
            gg.clip(x, **wrong)
    assert isinstance(gg.clip([1.0]), gg.Tensor) and gg.clip(x) is x
    np.testing.assert_array_equal(gg.clip(x, [3.0], [1.0]).data, np.ones(3))  # high decides
    wide = gg.tensor([0.25], dtype="float64")
    assert gg.clip(wide, 0, float("inf")).dtype == np.float64


def test_tensors_are_in_the_order_of_the_machine():
    for t in (
        gg.zeros(3, dtype=">f4"),
        gg.tensor([1.0], dtype=">f8"),
        gg.ones(2, dtype=np.dtype("<f4")),
        gg.tensor(np.array([1, 2], ">i4")),
        gg.Tensor(np.array([1.0, 2.0], ">f4")),
    ):
        assert t.dtype.isnative
    assert gg.Tensor(np.array([1.0, 2.0], ">f4")).numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("value", ["yes", 2, None, [True]])
def test_requires_grad_is_true_or_false(value):
    t = gg.ones(1)
    for call in (
        lambda: gg.Tensor([1.0], requires_grad=value),
        lambda: setattr(t, "requires_grad", value),
    ):
        with pytest.raises(gg.GlassgradError, match="Tensor: requires_grad"):
            call()
    t.requires_grad = np.True_
    assert t.requires_grad is True and gg.Tensor([1.0], requires_grad=1).requires_grad is True


ONE = np.ones(1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: nn.Linear.forward(), "Linear.forward: missing argument 'self'"),
        (lambda: gg.Generator.uniform(), "Generator.uniform: missing argument 'self'"),
        (lambda: nn.Sigmoid(x=1), "Sigmoid: unexpected argument 'x'"),
        (lambda: nn.ReLU(1), "ReLU: takes 0 arguments; got 1"),
        (lambda: nn.Sequential(1, 2), "Sequential: layers has the wrong type"),
        (lambda: nn.Sequential([nn.Tanh()]), "Sequential: layers has the wrong type"),
        (lambda: nn.Sequential(layers=1), "Sequential: unexpected argument 'layers'"),
        (lambda: optim.MultiStep((1, "a")), "MultiStep: milestones has the wrong type"),
        (lambda: optim.Exponential(2.0)(10**6), "Exponential: a number grows too large"),
        (lambda: optim.Step(1, 0.5)(-1e308), "Step: a number grows too large"),
        (lambda: nn.init.kaiming_uniform((2, 3), gg.Generator(1), a=1e308), "a number grows too"),
        (lambda: kernels.dropout.threshold(1e308), "threshold: "),
        (lambda: data.pad([[1, 2], [3]], value=2**70), "pad: "),
        (lambda: gg.pad(X, iter([2**63, 1])), "pad: widths has the wrong type"),
        (lambda: gg.pad(X, ((2**63, 1), (0, 0))), "pad: widths is not allowed"),
        (lambda: gg.zeros(True), "zeros: shape has the wrong type"),
        (lambda: gg.conv2d(ONE, ONE, groups=True), "conv2d: groups has the wrong type"),
        (lambda: kernels.descent.adam(ONE, ONE, ONE, None, None, 0.1, 1.0), "v must be an array"),
        (lambda: kernels.descent.adagrad(ONE, ONE, None, 0.1), "s must be an array"),
        (lambda: X != 10**5000, "ne: "),
        (lambda: X >= [[1.0], [2.0, 3.0]], "ge: nested lists must have equal lengths"),
    ],
)
@pytest.mark.parametrize("backend", ["reference", pytest.param("numba", marks=needs_numba)])
def test_what_makes_no_sense_is_our_own_error(call, message, backend):
    with gg.backend(backend), pytest.raises(gg.GlassgradError, match=message):
        call()


def test_widths_may_come_from_an_iterator():
    x = gg.tensor([1.0, 2.0], requires_grad=True)
    y = gg.pad(x, iter([(1, 2)]))
    assert gg.grad(y.sum(), x).data.tolist() == [1.0, 1.0] and y.shape == (5,)
