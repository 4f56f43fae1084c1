"""What is not a tensor is taken, or refused by our own error, which names the public function."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.nn import losses
from glassgrad.kernels.errors import DTypeError, ShapeError
from tests.tools import assert_close

ONES = gg.ones


def wide(*shape):
    return gg.ones(shape, "float64")


def test_arrays_and_lists_are_taken():
    square = np.array([1.0, 2.0])
    assert gg.jacobian(lambda x: x * x, square).numpy().tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert gg.hvp(lambda x: (x**3).sum(), square, [1.0, 1.0]).numpy().tolist() == [6.0, 12.0]
    assert gg.mean([1.0, 3.0]).item() == 2.0 and gg.variance([1.0, 3.0]).item() == 1.0
    assert gg.linear([[1.0, 2.0]], [[3.0, 4.0]], [0.5]).numpy().tolist() == [[11.5]]
    assert gg.sum([[1.0, 2.0], [3.0, 4.0]], axis=[0, 1]).item() == 10.0
    x = gg.ones((2, 3, 4), requires_grad=True)
    for f in (gg.sum, gg.mean, gg.max, gg.norm, gg.logsumexp, gg.softmax):
        assert_close(f(x, axis=[0, -1]).numpy(), f(x, axis=(0, -1)).numpy())
        assert gg.grad(f(x, axis=[0, -1]).sum(), x).shape == x.shape
    assert gg.flatten([[[1.0], [2.0]]]).shape == (1, 2)
    assert gg.squeeze([[1.0]], 0).shape == (1,) and gg.expand_dims([1.0], 0).shape == (1, 1)
    assert gg.broadcast_to([1.0, 2.0], (2, 2)).numpy().tolist() == [[1.0, 2.0]] * 2
    assert gg.sum_to([[1.0, 2.0], [3.0, 4.0]], (2,)).numpy().tolist() == [4.0, 6.0]
    assert gg.embedding([[1.0], [2.0]], [1]).numpy().tolist() == [[2.0]]
    assert gg.argmax([[1.0, 3.0]], 1).tolist() == [1]
    assert losses.mse([1.0, 2.0], [0.0, 4.0]).item() == 2.5
    assert losses.cross_entropy([[0.0, 0.0]], [1]).item() == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: ONES(3) < ONES(2), ShapeError, r"lt: shapes must broadcast; .*\(x=\(3,\) float32"),
        (lambda: ONES(3) == np.ones(2), ShapeError, r"eq: shapes must broadcast; .*y=\(2,\)"),
        (lambda: gg.zeros(-1), ShapeError, "zeros: shape is not allowed; .*got -1"),
        (lambda: gg.ones((2, 1.5)), DTypeError, "ones: shape has the wrong type"),
        (lambda: gg.argmax(gg.zeros((2, 0))), ShapeError, "argmax: there must be at least one"),
        (lambda: gg.argmax(ONES(2), 1), ShapeError, "argmax: axis must exist"),
        (lambda: gg.tensor([[1], [1, 2]]), ShapeError, "tensor: nested lists must have equal"),
        (lambda: gg.Tensor(None), DTypeError, "Tensor: cannot make an array of NoneType"),
        (lambda: gg.tensor(None), DTypeError, "tensor: cannot make an array of NoneType"),
        (lambda: gg.Tensor(np.zeros(2, "float16")), DTypeError, "Tensor: float32, .* got float16"),
        (lambda: gg.Tensor(np.zeros(2, complex)), DTypeError, "Tensor: .* got complex128"),
        (lambda: gg.flatten(ONES((2, 3)), start=5), ShapeError, "flatten: start must be an axis"),
        (lambda: gg.sum(ONES(2), axis=0.5), DTypeError, "sum: axis has the wrong type; .* an int"),
        (lambda: losses.mse(ONES(2), wide(2)), DTypeError, "mse: float dtypes must agree; .*targ"),
        (lambda: losses.l1(ONES(2), np.ones(2)), DTypeError, "l1: float dtypes must agree"),
        (
            lambda: gg.conv2d(ONES((1, 1, 2, 2)), ONES((1, 1, 1, 1)), wide(1)), DTypeError,
            r"conv2d: b must have the dtype of x and w; expected float32, got float64",
        ),
        (
            lambda: gg.where(np.ones(3, bool), ONES((2, 2)), 0.0), ShapeError,
            r"where: shapes must broadcast; .*\(condition=\(3,\) bool, x=\(2, 2\) float32, y=0.0",
        ),
        (lambda: gg.take_along(gg.tensor(1.0), 0), ShapeError, "take_along: x must have a class"),
        (lambda: gg.matmul(gg.tensor(1.0), ONES(2)), ShapeError, "matmul: both must have an axis"),
        (lambda: gg.matmul(ONES(2), gg.tensor(1.0)), ShapeError, "matmul: both must have an axis"),
        (lambda: ONES((2, 3)).reshape(3), ShapeError, "reshape: the number of elements must stay"),
        (
            lambda: gg.batch_norm(ONES((1, 3)), ONES(3), ONES(3)), ShapeError,
            "batch_norm: needs at least two values in each channel",
        ),
        (lambda: gg.squeeze(ONES((2, 1)), 2), ShapeError, "squeeze: axis must exist"),
        (lambda: gg.expand_dims(ONES((2, 1)), 4), ShapeError, "expand_dims: axis must exist"),
        (lambda: gg.split(ONES((2, 1)), 1, axis=2), ShapeError, "split: axis must exist"),
        (lambda: gg.split(ONES(4), 0), ShapeError, "split: the pieces must be equal"),
        (lambda: gg.split(ONES(4), -2), ShapeError, "split: the pieces must be equal"),
        (
            lambda: gg.gru_step(ONES((1, 6)), ONES((1, 2)), ONES((6, 2)), ONES((6, 1))), ShapeError,
            r"linear: b must have shape \[O\]; expected \(2,\), got \(2, 1\)",
        ),
        (lambda: gg.embedding(ONES((2, 2)), [2]), gg.GlassgradError, "embedding: indices must lie"),
        (lambda: gg.embedding(ONES((2, 2)), [0.5]), DTypeError, "indices must be integers"),
    ],
)  # fmt: skip
def test_inputs_that_make_no_sense(call, error, message):
    with pytest.raises(error, match=message):
        call()


RNN = {"x": (3, 2, 4), "h": (2, 5), "w_ih": (5, 4), "w_hh": (5, 5), "b": (5,)}
LSTM = {"x": (3, 2, 4), "h": (2, 5), "c": (2, 5), "w_ih": (20, 4), "w_hh": (20, 5), "b": (20,),
        "peephole": (15, 5)}  # fmt: skip
GRU = {"x": (3, 2, 4), "h": (2, 5), "w_ih": (15, 4), "w_hh": (15, 5), "b_ih": (15,), "b_hh": (15,)}
FAULTS = [
    (f, sizes, name)
    for f, sizes in ((gg.rnn, RNN), (gg.lstm, LSTM), (gg.gru, GRU))
    for name in sizes
    if name != "x"
]


@pytest.mark.parametrize("f, sizes, name", FAULTS, ids=lambda v: getattr(v, "__name__", str(v)))
def test_a_recurrent_net_names_the_argument_that_does_not_fit(f, sizes, name):
    given = {k: gg.ones(s) for k, s in sizes.items()}
    bad = gg.ones((sizes[name][0] + 1, *sizes[name][1:]))
    with pytest.raises(ShapeError, match=rf"{f.__name__}: {name} must be \[.*; expected \("):
        f(**{**given, name: bad})
    other = "h" if name == "w_hh" else name  # everything is measured by w_hh
    with pytest.raises(DTypeError, match=f"{f.__name__}: {other} must have the dtype of w_hh"):
        f(**{**given, other: wide(*sizes[other])})


@pytest.mark.parametrize("f, sizes", [(gg.rnn, RNN), (gg.lstm, LSTM), (gg.gru, GRU)])
def test_no_steps_give_no_states(f, sizes):
    given = {k: gg.ones(s) for k, s in sizes.items()}
    hs, last = f(**{**given, "x": gg.ones((0, 2, 4))})
    assert hs.shape == (0, 2, 5)
    assert (last[0] if isinstance(last, tuple) else last) is given["h"]
