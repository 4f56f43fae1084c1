"""Settings without a meaning are refused, with the nearest one that has; so are foreign arrays."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn, optim
from glassgrad.core.gradcases import run
from glassgrad.kernels import batchnorm, gru
from glassgrad.kernels.checks import choice, within
from glassgrad.kernels.errors import DeviceError, DTypeError, ShapeError, ValueRangeError
from tests.tools import assert_close

ONE, ZERO = gg.ones, gg.zeros
MADE = {"rng": gg.Generator(0)}


def leaf():
    return [gg.ones(1, requires_grad=True)]


NAMES = [  # what is called, with a name that is almost right, and the right one
    (lambda v: gg.gru_step(ZERO((1, 3)), ONE((1, 1)), ZERO((3, 1)), variant=v),
     "lectrue", "lecture"),
    (lambda v: gg.gru(ZERO((1, 1, 1)), ONE((1, 1)), ZERO((3, 1)), ZERO((3, 1)), variant=v),
     "libary", "library"),
    (lambda v: gru.cell_forward(*np.zeros((2, 1, 3)), np.zeros((1, 1)), v), "lectur", "lecture"),
    (lambda v: nn.GRU(2, 2, variant=v, **MADE), "libray", "library"),
    (lambda v: nn.RNN(2, 2, activation=v, **MADE), "relo", "relu"),
    (lambda v: nn.losses.mse(ONE(2), ONE(2), v), "maen", "mean"),
    (lambda v: nn.losses.cross_entropy(ONE((1, 2)), [0], v), "nome", "none"),
    (lambda v: nn.init.gain(v), "rleu", "relu"),
    (lambda v: optim.ReduceOnPlateau(mode=v), "mx", "max"),
    (lambda v: gg.Generator(0, device=v), "cdua", "cuda"),
    (lambda v: ONE(1).to(v), "cp", "cpu"),
    (lambda v: nn.Linear(1, 1, **MADE).to(v), "coda", "cuda"),
    (lambda v: gg.grad(ONE(1), ONE(1, requires_grad=True), unused=v), "zeros", "zero"),
    (lambda v: run(v), "tahn", "tanh"),
]  # fmt: skip


@pytest.mark.parametrize("call, wrong, right", NAMES, ids=[n[1] for n in NAMES])
def test_a_wrong_name_is_refused_with_the_one_meant(call, wrong, right):
    with pytest.raises(gg.GlassgradError, match=f"'{wrong}'.*did you mean '{right}'"):
        call(wrong)
    with pytest.raises(gg.GlassgradError):
        call("")


NUMBERS = [  # the call, the setting's name, values without a meaning, the nearest of the first
    (lambda v: gg.variance(ONE(3), ddof=v), "ddof", [-3, np.nan], 0),
    (lambda v: gg.batch_norm(ONE((3, 2)), ONE(2), ONE(2), eps=v), "eps", [-1e-5, np.inf], 0),
    (lambda v: gg.layer_norm(ONE((3, 2)), ONE(2), ONE(2), eps=v), "eps", [-1.0], 0),
    (lambda v: batchnorm.forward(np.ones((2, 1, 1)), np.ones(1), np.ones(1), v), "eps", [-1], 0),
    (lambda v: nn.BatchNorm(2, eps=v), "eps", [-1.0, np.nan], 0),
    (lambda v: nn.BatchNorm(2, momentum=v), "momentum", [1.5, -0.1, np.nan], 1),
    (lambda v: nn.LayerNorm(2, eps=v), "eps", [-1.0], 0),
    (lambda v: nn.LSTM(2, 2, dropout=v, **MADE), "dropout", [-0.5, 1.0], 0),
    (lambda v: gg.gaussian_noise(ONE(2), v, gg.Generator(0)), "sigma", [-0.1, np.inf], 0),
    (lambda v: gg.dropout(ONE(2), v, gg.Generator(0)), "p", [1.0, -0.1, np.nan], None),
    (lambda v: gg.masking_noise(ONE(2), v, gg.Generator(0)), "p", [1.1, -0.1, np.nan], None),
    (lambda v: gg.clip(ONE(2), v, 1.0), "low", [2.0], None),
    (lambda v: nn.losses.gaussian_nll(ONE(2), ONE(2), ONE(2), eps=v), "eps", [-1e-6], 0),
    (lambda v: nn.losses.huber(ONE(2), ONE(2), delta=v), "delta", [0.0, -1.0, np.nan], None),
    (lambda v: nn.init.normal((2, 2), gg.Generator(0), std=v), "std", [-1.0, np.nan], 0),
    (lambda v: optim.SGD(leaf(), lr=v), "lr", [-1.0, np.nan, np.inf], 0),
    (lambda v: optim.SGD(leaf(), momentum=v), "momentum", [-0.1, 1.0], 0),
    (lambda v: optim.Adam(leaf(), betas=(0.9, v)), "betas", [-1.0, 1.0, np.nan], 0),
    (lambda v: optim.Adam(leaf(), eps=v), "eps", [-1e-8], 0),
    (lambda v: optim.AdamW(leaf(), weight_decay=v), "weight_decay", [-1.0], 0),
    (lambda v: optim.RMSProp([{"parameters": leaf(), "alpha": v}]), "alpha", [-1.0, 1.0], 0),
    (lambda v: optim.Adadelta(leaf(), rho=v), "rho", [-0.5, 1.0], 0),
    (lambda v: optim.clip_grad_norm(leaf(), v), "max_norm", [0.0, np.nan], None),
    (lambda v: optim.ReduceOnPlateau(patience=v), "patience", [-1], 0),
    (lambda v: optim.ReduceOnPlateau(floor=v), "floor", [2.0, -1.0], 1),
    (lambda v: optim.ReduceOnPlateau(gamma=v), "gamma", [1.0, 0.0], None),
    (lambda v: optim.Exponential(v), "gamma", [-0.5, np.nan], 0),
    (lambda v: optim.Step(2, v), "gamma", [-0.5], 0),
    (lambda v: optim.MultiStep((1,), v), "gamma", [-0.5], 0),
    (lambda v: optim.Constant(v), "factor", [-1.0, np.inf], 0),
    (lambda v: optim.Halving(v), "after", [-1], 0),
    (lambda v: optim.InverseTime(v), "rate", [-1.0], 0),
    (lambda v: optim.Cosine(5, v), "floor", [-1.0], 0),
    (lambda v: gg.gradcheck(gg.exp, np.ones(2), step=v), "step", [0.0, -1e-5], None),
    (lambda v: gg.gradcheck(gg.exp, np.ones(2), directions=v), "directions", [0], 1),
]


@pytest.mark.parametrize("call, name, wrong, near", NUMBERS)
def test_a_number_without_a_meaning_is_refused_with_the_nearest(call, name, wrong, near):
    for i, value in enumerate(wrong):
        refused = f": {name} (must|is not allowed|has the wrong type)"  # the last by its annotation
        with pytest.raises((ValueRangeError, DTypeError), match=refused) as caught:
            call(value)
        if i == 0 and near is not None:
            assert str(caught.value).partition(" (")[0].endswith(f"; the nearest is {near}")


@pytest.mark.parametrize("call, message", [
    (lambda: nn.Conv2d(1, 1, 3, stride=0, **MADE), "Conv2d: stride must be >= 1"),
    (lambda: nn.Conv1d(1, 1, 3, padding=-1, **MADE), "Conv1d: padding must be >= 0"),
    (lambda: nn.ConvTranspose2d(1, 1, 3, dilation=(1, 0), **MADE), "dilation must be >= 1"),
    (lambda: nn.MaxPool2d(2, stride=0), "MaxPool2d: stride must be >= 1"),
    (lambda: nn.AvgPool2d(2, padding=-1), "AvgPool2d: padding must be >= 0"),
    (lambda: gg.conv2d(ONE((1, 2, 3, 3)), ONE((2, 2, 1, 1)), groups=0), "groups must be >= 1"),
    (lambda: gg.split(ONE(4), [5, -1]), r"a size must not be negative; expected ≥ 0, got \[5, -1"),
    (lambda: gg.scatter(ONE(1), slice(0, 3), (4,)), r"scatter: .* expected \(3,\), got \(1,\)"),
    (lambda: gg.scatter(ONE(()), [0, 1], (4,)), r"scatter: x must .* expected \(2,\), got \(\)"),
    (lambda: gg.scatter(ONE((2, 1)), [0, 1], (4, 3)), r"scatter: x must .* expected \(2, 3\)"),
    (lambda: gg.scatter(ONE(1), [7], (4,)), "scatter: index 7 is out of bounds"),
    (lambda: optim.Adam([{"parameters": leaf(), "betas": (0.9,)}]), "Adam: betas must be a pair"),
])  # fmt: skip
def test_a_geometry_without_a_meaning_is_refused(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


MATRIX = np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix)
HIDING = np.ma.masked_array([1.0, 2.0], [False, True])


class Metres(np.ndarray):
    """An array with a unit."""


def test_a_matrix_is_taken_for_its_numbers():
    for t in (gg.Tensor(MATRIX), gg.tensor(MATRIX), gg.tensor([MATRIX])[0]):
        assert type(t.data) is np.ndarray
        assert_close((t * t).numpy(), np.square(np.asarray(MATRIX)))
    for product in (gg.mul(MATRIX, MATRIX), MATRIX * gg.Tensor(MATRIX), gg.Tensor(MATRIX) * MATRIX):
        assert_close(product.numpy(), np.square(np.asarray(MATRIX)))
    assert np.shares_memory(gg.Tensor(MATRIX).data, MATRIX)
    leaf = gg.zeros((2, 2), "float64")
    leaf.assign(MATRIX)
    assert type(leaf.data) is np.ndarray and leaf.numpy()[1, 1] == 4.0
    assert type(gg.Tensor(np.zeros((2, 2)).view(np.memmap)).data) is np.ndarray


USES = [
    gg.Tensor, gg.tensor, lambda a: gg.tensor([a, a]), lambda a: gg.add(1.0, a),
    lambda a: gg.ones(2, "float64") * a, lambda a: gg.ones(2, "float64") < a, gg.mean,
    lambda a: gg.where(a, 1.0, 2.0), lambda a: gg.one_hot(a.astype(int), 3),
    lambda a: gg.embedding(ONE((3, 1)), a.astype(int)), lambda a: gg.ones(2, "float64").assign(a),
    lambda a: gg.zeros(2, "float64").__setitem__(slice(None), a), lambda a: ONE(3)[a.astype(int)],
    lambda a: nn.losses.mse(gg.ones(2, "float64"), a),
    lambda a: nn.losses.cross_entropy(ONE((2, 3)), a.astype(int)),
]  # fmt: skip


@pytest.mark.parametrize("use", USES)
def test_a_mask_or_a_unit_is_never_lost_in_silence(use):
    with pytest.raises(DTypeError, match=r"would lose its mask, 1 of 2 elements; take \.filled"):
        use(HIDING)
    with pytest.raises(DTypeError, match="a Metres carries more than its values"):
        use(np.ones(2).view(Metres))
    use(np.ma.masked_array([1.0, 2.0]))  # a mask that hides nothing


def test_helpers():
    assert choice("f", "mode", "max", ("min", "max")) == "max"
    with pytest.raises(ValueRangeError, match=r"order must be known; expected 1 or 2, got \[3\]"):
        choice("f", "order", [3], (1, 2))
    with pytest.raises(DTypeError, match="f: p must be a number; got 'a'"):
        within("f", "p", "a", least=0)
    with pytest.raises(ValueRangeError, match=r"expected 0 < p < 1, got 1$"):
        within("f", "p", 1, above=0, below=1)
    with pytest.raises(ValueRangeError, match="expected a finite number, got inf"):
        within("f", "p", np.inf)
    within("f", "p", np.float32(0.5), above=0, most=1)
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        ONE(1).to("gpu")
