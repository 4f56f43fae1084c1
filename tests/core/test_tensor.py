"""Tensor: what it holds, what it refuses, and what it says then."""

import re
import sys

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.tensor import TensorError
from glassgrad.kernels.errors import DeviceError, DTypeError, GlassgradError, ShapeError
from tests.tools import assert_close


def tracked(*shape):
    return gg.tensor(np.arange(1.0, 1 + np.prod(shape)).reshape(shape), requires_grad=True)


# ------------------------------------------------------------------------- dtypes


@pytest.mark.parametrize(
    "values, dtype",
    [
        (1.5, "float32"),
        ([1.0, 2], "float32"),
        ([1, 2], "int64"),
        ([True], "bool"),
        (np.array([1.0]), "float64"),
        (np.float64(1.0), "float64"),
        (np.array([1.0], "float32"), "float32"),
        (np.array([1], "uint8"), "uint8"),
    ],
)
def test_dtype_of_a_new_tensor(values, dtype):
    assert gg.tensor(values).dtype == dtype


def test_tensor_copies_its_values():
    array = np.ones(2)
    t = gg.tensor(array)
    array[:] = 7
    assert t.numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", ["float16", "complex64", "U3"])
def test_strange_dtypes_are_refused(dtype):
    with pytest.raises(DTypeError, match="tensor: "):
        gg.tensor(np.zeros(2, dtype))


@pytest.mark.parametrize("array", [np.array([1, 2]), np.array([True])])
def test_only_float32_and_float64_require_gradients(array):
    with pytest.raises(DTypeError, match="only float32 and float64 can require gradients"):
        gg.Tensor(array, requires_grad=True)
    with pytest.raises(DTypeError, match="requires_grad"):
        gg.Tensor(array).requires_grad = True


OPERATIONS = {
    "x + 1.5": lambda x: x + 1.5,
    "2 - x": lambda x: 2 - x,
    "x * 0.1": lambda x: x * 0.1,
    "1 / x": lambda x: 1 / x,
    "x ** 2.5": lambda x: x**2.5,
    "x ** np.float64": lambda x: x ** np.float64(2.5),
    "np.float64 * x": lambda x: np.float64(2.5) * x,
    "x + int array": lambda x: x + np.arange(1, 4),
    "x * bool array": lambda x: x * np.array([True, False, True]),
    "int tensor / x": lambda x: gg.tensor([1, 2, 3]) / x,
    "x @ int array": lambda x: x @ np.ones((3, 2), int),
    "list": lambda x: gg.add(x, [0.5, 1.0, 2.0]),
    "maximum": lambda x: gg.maximum(x, 0.1),
    "where": lambda x: gg.where(x > 1, x, 0.0),
    "clip": lambda x: x.clip(0.5, 1.5),
    "mean": lambda x: x.mean(),
    "variance": lambda x: x.variance(ddof=1),
    "concatenate with ints": lambda x: gg.concatenate(x, np.arange(3)),
    "matmul with a list": lambda x: gg.matmul(x, [[0.5], [1.0], [2.0]]),
    "sigmoid": gg.sigmoid,
    "softplus": gg.softplus,
    "gelu by hand": lambda x: x * 0.5 * (1 + gg.erf(x / 2**0.5)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_dtype_survives(name, dtype):
    x = gg.tensor(np.array([0.5, 1.0, 2.0], dtype), requires_grad=True)
    if dtype == "float64" and "list" in name:
        return _lists_are_float32(OPERATIONS[name], x)
    y = OPERATIONS[name](x)
    assert y.dtype == dtype
    assert gg.grad(y.sum(), x).dtype == dtype


def _lists_are_float32(f, x):
    with pytest.raises(DTypeError, match="float dtypes must agree"):
        f(x)


@pytest.mark.parametrize(
    "y, dtype",
    [
        (lambda i: i + 1, "int64"),
        (lambda i: i * i, "int64"),
        (lambda i: i + 0.5, "float32"),
        (lambda i: i / 2, "float32"),
        (lambda i: i / i, "float32"),
        (lambda i: i.mean(), "float32"),
        (gg.exp, "float32"),
        (gg.sigmoid, "float32"),
        (gg.leaky_relu, "float32"),
        (gg.softmax, "float32"),
        (gg.norm, "float32"),
    ],
)
def test_integers_become_float32_where_a_float_is_needed(y, dtype):
    assert y(gg.tensor([1, 2, 3])).dtype == dtype


def test_integer_arguments_compute_the_same_as_floats():
    i, x = gg.tensor([-1, 0, 2]), gg.tensor([-1.0, 0.0, 2.0])
    for f in (gg.sigmoid, gg.leaky_relu, gg.elu, gg.tanh, gg.softmax, gg.softplus, gg.erf):
        assert_close(f(i).numpy(), f(x).numpy(), rtol=0)


def test_python_numbers_alone_give_float32():
    assert gg.exp(1.0).dtype == "float32" and gg.sigmoid(0.0).item() == 0.5
    assert gg.absolute(-2.5).dtype == "float32"
    assert gg.where(True, 1.0, 2.0).dtype == "float32"
    assert gg.add(1, 2).item() == 3


@pytest.mark.parametrize(
    "f, name",
    [
        (lambda a, b: a + b, "add"),
        (lambda a, b: a * b, "mul"),
        (lambda a, b: a @ b, "matmul"),
        (lambda a, b: gg.concatenate(a, b), "concatenate"),
        (lambda a, b: gg.where(np.eye(2) > 0, a, b), "where"),
        (lambda a, b: gg.conv2d(a.reshape(1, 1, 2, 2), b.reshape(1, 1, 2, 2)), "conv2d"),
    ],
)
def test_mixed_float_dtypes_name_the_function(f, name):
    a, b = gg.tensor(np.ones((2, 2), "float32")), gg.tensor(np.ones((2, 2), "float64"))
    with pytest.raises(DTypeError) as error:
        f(a, b)
    message = str(error.value)
    assert message.startswith(f"{name}: float dtypes must agree; expected float32, got float64")
    assert "2, 2) float32" in message and "2, 2) float64" in message


# ------------------------------------------------------------------ traps of Python


def test_float_of_a_vector():
    with pytest.raises(TensorError, match=r"item: expected one element, got 3 \(shape \(3,\), "):
        float(tracked(3))
    with pytest.raises(TensorError, match=r"reduce with \.sum"):
        int(tracked(2))
    assert float(tracked(1)) == 1.0 and int(gg.tensor(3)) == 3


def test_truth_of_a_vector():
    with pytest.raises(TensorError, match="item: expected one element"):
        bool(tracked(2))
    assert bool(gg.tensor([1.0])) and not bool(gg.tensor(0.0))


def test_assignment_into_a_tracked_tensor():
    for t in (tracked(3), tracked(3) * 2):
        with pytest.raises(TensorError, match=r"assignment into a tracked tensor \(shape \(3,\)"):
            t[0] = 1.0
    constant = gg.tensor([1.0, 2.0])
    constant[0] = 5.0
    assert constant.numpy().tolist() == [5.0, 2.0]


@pytest.mark.parametrize("target", [gg.zeros(2), gg.zeros(2, requires_grad=True)])
@pytest.mark.parametrize("value", [tracked(2), tracked(2) * 2, tracked(1)])
def test_a_tracked_value_is_not_written_in_place(target, value):
    way_out = r"gradient of the tracked value \(shape .* would be lost; .* write its \.detach"
    if not target.requires_grad:
        with pytest.raises(TensorError, match=f"assignment: the {way_out}"):
            target[0] = value[0]
    with pytest.raises(TensorError, match=f"assign: the {way_out}"):
        target.assign(value)
    assert target.version == 0 and (target.numpy() == 0).all()


def test_the_ways_to_write_a_tracked_value():
    buffer, x = gg.zeros(2), tracked(2)
    buffer[0] = x[1].detach()
    buffer.assign(buffer * 3)
    with gg.no_grad():
        buffer[1] = x[0]
        x.assign(x * 2)
    assert buffer.numpy().tolist() == [6.0, 1.0] and x.numpy().tolist() == [2.0, 4.0]
    y = gg.stack([x[1], x[0]])
    assert gg.grad((y * gg.tensor([1.0, 10.0]).astype(x.dtype)).sum(), x).numpy().tolist() == [
        10,
        1,
    ]


def test_array_of_a_tracked_tensor():
    with pytest.raises(TensorError, match=r"take \.numpy\(\)"):
        np.asarray(tracked(2))
    with pytest.raises(TensorError, match=r"take \.numpy\(\)"):
        np.asarray(tracked(2) * 2)
    assert np.asarray(tracked(2).detach()).tolist() == [1.0, 2.0]
    assert np.asarray(gg.tensor([1.0]), dtype="float64").dtype == "float64"


def test_numpy_functions_do_not_swallow_tensors():
    with pytest.raises(TypeError):
        np.exp(tracked(2))
    y = np.ones((2, 2)) @ tracked(2)
    assert isinstance(y, gg.Tensor) and y.requires_grad
    assert isinstance(np.ones(2) * tracked(2), gg.Tensor)


def test_length_and_iteration():
    with pytest.raises(TensorError, match="len: a scalar tensor has no length"):
        len(gg.tensor(1.0))
    with pytest.raises(TensorError, match="scalar"):
        iter(gg.tensor(1.0))
    rows = list(tracked(3, 2))
    assert len(rows) == len(tracked(3, 2)) == 3 and all(r.shape == (2,) for r in rows)
    x = tracked(3)
    assert gg.grad(sum(v * v for v in x), x).numpy().tolist() == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "t, text",
    [
        (gg.tensor([1.0]), "tensor([1.])"),
        (gg.tensor([1]), "tensor([1], dtype=int64)"),
        (gg.tensor(2.0, "float64"), "tensor(2., dtype=float64)"),
        (gg.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (gg.tensor([1.0], requires_grad=True) * 2, "tensor([2.], from mul)"),
        (gg.ones((1, 1), requires_grad=True) @ gg.ones((1, 1)), "tensor([[1.]], from matmul)"),
    ],
)
def test_repr(t, text):
    assert repr(t) == text


def test_repr_of_a_large_tensor_is_short():
    assert len(repr(gg.zeros((1000, 1000)))) < 1000


def test_comparisons_are_plain_arrays():
    x = tracked(3)
    assert type(x > 1) is np.ndarray and (x > 1).tolist() == [False, True, True]
    assert (x == x).all() and (x >= 2).tolist() == [False, True, True]
    assert len({x, x, tracked(3)}) == 2  # hashed by identity


# ------------------------------------------------------------------------- leaves


def test_results_are_not_leaves(monkeypatch):
    y = tracked(2) * 2
    with pytest.raises(TensorError, match="is the result of mul, not a leaf"):
        y.requires_grad = False
    with pytest.raises(TensorError, match="is not a leaf"):
        y.assign(np.zeros(2))
    monkeypatch.setattr(sys.modules["glassgrad.core.tensor"], "module_for", lambda device: np)
    with pytest.raises(TensorError, match="to: move leaves only"):
        y.to("cuda")
    assert y.to("cpu") is y


def test_unknown_device():
    with pytest.raises(DeviceError, match="unknown device 'tpu'; known are cpu, cuda"):
        gg.tensor([1.0]).to("tpu")


def test_assign_keeps_shape_dtype_and_identity():
    x = tracked(2)
    before = x.data
    x.assign([5, 6])
    assert x.data is before and x.numpy().tolist() == [5.0, 6.0] and x.version == 1
    with pytest.raises(TensorError, match=r"assign: expected shape \(2,\), got \(3,\)"):
        x.assign(np.zeros(3))


def test_detach_shares_values_and_stops_gradients():
    x = tracked(2)
    d = (x * 2).detach()
    assert not d.requires_grad and d.node is None
    assert gg.grad((x * x.detach()).sum(), x).numpy().tolist() == [1.0, 2.0]


def test_a_tensor_cannot_hide_among_the_settings():
    x, slope = tracked(2), gg.tensor(0.1, requires_grad=True)
    with pytest.raises(TensorError, match="leaky_relu: slope is a setting: no gradient"):
        gg.leaky_relu(x, slope)
    with pytest.raises(TensorError, match="elu: alpha is a setting"):
        gg.elu(x, slope)
    assert gg.leaky_relu(x, slope.detach()).shape == (2,)


def test_too_many_or_too_few_arguments():
    x = tracked(2)
    with pytest.raises(TypeError, match="add: takes 2 arguments; got 3"):
        gg.add(x, x, x)
    with pytest.raises(TypeError, match="mul: missing argument 'y'"):
        gg.mul(x)


def test_something_that_is_no_array():
    with pytest.raises(DTypeError, match="add: cannot make an array of object"):
        gg.tensor([1.0]) + object()


# ------------------------------------------------------------- the form of the errors

HOUSE = re.compile(r"^[a-z_0-9.]+: .+; expected .+, got .+", re.DOTALL)
X23, X32 = gg.ones((2, 3)), gg.ones((3, 2))


@pytest.mark.parametrize(
    "call, start, end",
    [
        (lambda: X23 + X32, "add: shapes must broadcast", "(x=(2, 3) float32, y=(3, 2) float32)"),
        (lambda: X23 / X32, "div: shapes must", "(x=(2, 3) float32, y=(3, 2) float32)"),
        (lambda: X23 @ X23, "matmul: x's last axis", "(x=(2, 3) float32, y=(2, 3) float32)"),
        (
            lambda: gg.ones((2, 2, 3)) @ gg.ones((4, 3, 2)),
            "matmul: the axes before the last two must broadcast",
            "(x=(2, 2, 3) float32, y=(4, 3, 2) float32)",
        ),
        (lambda: gg.linear(X23, X32), "linear: x's last", "(x=(2, 3) float32, w=(3, 2) float32)"),
        (lambda: gg.linear(X23, X23, gg.ones(3)), "linear: b must", "w=(2, 3) float32, b=(3,) flo"),
        (lambda: X23.reshape(4, 2), "reshape: the number of elements", "(x=(2, 3) float32)"),
        (lambda: X23.reshape([4, -1]), "reshape: the number of elements", "(x=(2, 3) float32)"),
        (lambda: X23.sum(axis=2), "sum: axis must exist", "(x=(2, 3) float32)"),
        (lambda: X23.mean(axis=5), "mean: axis must exist", "(x=(2, 3) float32)"),
        (lambda: gg.tensor(1.0).variance(axis=0), "variance: axis must exist", "(x=() float32)"),
        (lambda: gg.zeros((0,)).mean(), "mean: there must be at least", "(x=(0,) float32)"),
        (lambda: gg.zeros((2, 0)).max(axis=1), "max: there must be", "(x=(2, 0) float32)"),
        (lambda: gg.ones(1).variance(ddof=1), "variance: there must be more", "(x=(1,) float32)"),
        (lambda: gg.transpose(X23, (0, 0)), "transpose: axes must be a", "(x=(2, 3) float32)"),
        (lambda: gg.swap_axes(X23, 0, 2), "swap_axes: axis must exist", "(x=(2, 3) float32)"),
        (lambda: gg.squeeze(X23, 0), "squeeze: axis 0 must have length 1", "(x=(2, 3) float32)"),
        (lambda: gg.split(X23, [1, 1], axis=1), "split: the sizes must", "(x=(2, 3) float32)"),
        (lambda: gg.split(X23, 2, axis=1), "split: the pieces must", "(x=(2, 3) float32)"),
        (lambda: gg.concatenate(X23, X32, axis=1), "concatenate: xs[1] must have", "(3, 2)"),
        (lambda: gg.softmax(X23, axis=2), "softmax: axis must exist", "(x=(2, 3) float32)"),
        (lambda: gg.one_hot([3], 3), "one_hot: labels must lie in the range", "got 3"),
        (lambda: gg.embedding(X23, [-1]), "embedding: indices must lie", "got -1"),
        (lambda: gg.take_along(X23, [0]), "take_along: labels must have x's", "(x=(2, 3) float32)"),
        (lambda: gg.dropout(X23, 1.0, gg.Generator()), "dropout: p must lie in [0, 1)", "got 1.0"),
        (lambda: gg.masking_noise(X23, 2, gg.Generator()), "masking_noise: p must", "got 2"),
        (
            lambda: gg.conv2d(gg.ones((1, 3, 4, 4)), gg.ones((2, 4, 2, 2))),
            "conv2d",
            "x=(1, 3, 4, 4) float32, w=(2, 4, 2, 2) float32",
        ),
        (lambda: gg.conv1d(X23, X23), "conv1d: x and w must have three axes", "(2, 3) float32"),
        (lambda: gg.batch_norm(X23, gg.ones(2), gg.ones(3)), "batch_norm: gamma must", "float32)"),
        (lambda: gg.lstm(X23, X23, X23, X23, X23), "lstm: x must be [T, N, I]", "(x=(2, 3) floa"),
        (
            lambda: gg.gru(gg.ones((1, 1, 1)), X23, X23, X23, variant="new"),
            "gru: variant is not allowed; expected 'lecture' or 'library'",
            "got 'new'",
        ),
        (
            lambda: gg.reparameterise(X23, X32, gg.Generator()),
            "reparameterise: mu and logvar",
            "(mu=(2, 3) float32, logvar=(3, 2) float32)",
        ),
    ],
)
def test_errors_have_the_form_of_the_house(call, start, end):
    with pytest.raises(GlassgradError) as error:
        call()
    message = str(error.value)
    assert HOUSE.match(message), message
    assert message.startswith(start) and end in message, message


def test_what_numpy_refuses_is_told_with_name_and_shapes():
    with pytest.raises(ShapeError, match=r"^getitem: index 5 is out of bounds .* \(x=\(2, 3\) flo"):
        X23[5]
    with pytest.raises(ShapeError, match=r"^flip: .*\(x=\(2, 3\) float32\)"):
        gg.flip(X23, 4)
    with pytest.raises(ShapeError, match=r"^broadcast_to: .*\(x=\(2, 3\) float32\)"):
        gg.broadcast_to(X23, (2, 4))
