"""A gradient case for every layer of core/nn: the layer as a function of its input and parameters.

The other files here check the functions. What a layer adds is which parameter goes where, the bias
that may be absent, the levels of a recurrent net, the mask of dropout. The layer is built once in
float64; the case then puts the tensors it is given in the place of the parameters.
"""

import numpy as np

from .. import nn
from ..random import Generator
from ..tensor import Tensor
from .case import GradCase, away, spread

SEED = 11


def _floats(outputs) -> list[Tensor]:
    """All tensors of nested tuples: a recurrent layer returns (hs, (h, c))."""
    if isinstance(outputs, Tensor):
        return [outputs]
    return [t for part in outputs for t in _floats(part)]


def layer_case(name: str, layer: nn.Module, *inputs, order: int = 2, note: str = "") -> GradCase:
    """A case for `layer` at inputs given as shapes (standard normal) or as functions of an rng.

    An array of integers is an input too, but no variable (the indices of an embedding).
    """
    fixed = [x for x in inputs if isinstance(x, np.ndarray)]
    shapes = [x for x in inputs if not isinstance(x, np.ndarray)]
    start = [g.state for _, g in layer.named_generators()]
    weights = [p.numpy().copy() for p in layer.parameters()]  # f puts others in their place

    def make(rng):
        xs = [s(rng) if callable(s) else rng.standard_normal(s) for s in shapes]
        return xs + [w.copy() for w in weights]

    def f(*tensors):
        for (_, generator), state in zip(layer.named_generators(), start):
            generator.state = state  # the same mask at every call
        xs, parameters = tensors[: len(shapes)], tensors[len(shapes) :]
        return tuple(_floats(layer.with_parameters(parameters)(*fixed, *xs)))

    return GradCase(name, f, make, order, note)


def _one(make):
    """The one array of a `make` of case.py, as an input of `layer_case`."""
    return lambda rng: make(rng)[0]


def _cases() -> list[GradCase]:
    made = {"rng": Generator(SEED), "dtype": "float64"}
    double = {"dtype": "float64"}
    norm, table = nn.BatchNorm(2, **double), nn.Embedding(4, 3, **made)
    still = nn.BatchNorm(2, **double)
    still.running_mean.assign(np.array([0.3, -0.2]))
    still.running_var.assign(np.array([0.5, 2.0]))
    x, state = (3, 2, 3), (1, 2, 2)  # T = 3 steps, N = 2 sequences, I = 3 inputs; H = 2
    short = (2, 1, 2)  # for two levels, whose second derivatives are long to check
    piecewise, fused = "piecewise linear: second derivative zero", "fused backward at order 1"
    return [
        layer_case("Linear", nn.Linear(3, 2, **made), (4, 3), note="bilinear"),
        layer_case("Linear no bias", nn.Linear(3, 2, bias=False, **made), (2, 2, 3)),
        layer_case("WeightNormLinear", nn.WeightNormLinear(3, 2, **made), (4, 3), note="smooth"),
        layer_case(
            "WeightNormLinear fixed scale",
            nn.WeightNormLinear(3, 2, trained_scale=False, **made),
            (2, 2, 3),
        ),
        layer_case("Flatten", nn.Flatten(), (2, 2, 3), note="linear"),
        layer_case("Sequential", nn.mlp([3, 4, 2], nn.Tanh, **made), (2, 3)),
        layer_case("Conv1d", nn.Conv1d(2, 2, 3, stride=2, padding=1, **made), (2, 2, 6)),
        layer_case("Conv2d", nn.Conv2d(1, 2, 3, padding=1, **made), (1, 1, 4, 3)),
        layer_case(
            "Conv2d groups", nn.Conv2d(2, 2, 2, 2, groups=2, bias=False, **made), (1, 2, 4, 4)
        ),
        layer_case("ConvTranspose2d", nn.ConvTranspose2d(2, 1, 3, 2, 1, 1, **made), (1, 2, 2, 3)),
        layer_case("MaxPool2d", nn.MaxPool2d(2), _one(spread((1, 2, 4, 4))), note=piecewise),
        layer_case(
            "MaxPool2d overlapping",
            nn.MaxPool2d(3, 2, 1),
            _one(spread((1, 1, 5, 4))),
            note=piecewise,
        ),
        layer_case("AvgPool2d", nn.AvgPool2d((2, 3), 1), (1, 2, 3, 4), note="linear"),
        layer_case("MaxPool1d", nn.MaxPool1d(2, 1), _one(spread((1, 2, 4))), note=piecewise),
        layer_case("AvgPool1d", nn.AvgPool1d(2, ceil_mode=True), (1, 2, 5), note="linear"),
        layer_case("GroupNorm", nn.GroupNorm(2, 4, **double), (2, 4, 3)),
        layer_case("BatchNorm", norm, (4, 2)),
        layer_case("BatchNorm images", nn.BatchNorm(2, **double), (2, 2, 2, 2)),
        layer_case("BatchNorm evaluation", still.eval(), (3, 2), note="bilinear"),
        layer_case("LayerNorm", nn.LayerNorm(4, **double), (2, 4)),
        layer_case("LocalResponseNorm", nn.LocalResponseNorm(3, 0.5), (1, 3, 1, 2), note=fused),
        layer_case("Embedding", table, np.array([[0, 3], [3, 1]]), note="linear"),
        layer_case("Dropout", nn.Dropout(0.4, rng=Generator(SEED)), (3, 4), note="linear"),
        layer_case("ReLU", nn.ReLU(), _one(away((3, 4))), note=piecewise),
        layer_case("LeakyReLU", nn.LeakyReLU(0.1), _one(away((3, 4))), note=piecewise),
        layer_case("ELU", nn.ELU(0.7), _one(away((3, 4))), note="piecewise"),
        layer_case("Tanh", nn.Tanh(), (3, 4)),
        layer_case("SiLU", nn.SiLU(), (3, 4)),
        layer_case("GELU", nn.GELU(), (3, 4)),
        layer_case("GELU by a tangent", nn.GELU("tanh"), (3, 4)),
        layer_case("Sigmoid", nn.Sigmoid(), (3, 4)),
        layer_case("Softplus", nn.Softplus(), (3, 4)),
        layer_case("RNN", nn.RNN(3, 2, biases=1, **made), x, state),
        layer_case("RNN two levels", nn.RNN(2, 2, 2, activation="sigmoid", **made), short),
        layer_case("LSTM", nn.LSTM(3, 2, **made), x, note=fused),
        layer_case(
            "LSTM two levels, two biases, dropout",
            nn.LSTM(2, 2, 2, biases=2, dropout=0.3, **made),
            short,
            note=fused,
        ),
        layer_case("LSTM both ways", nn.LSTM(2, 2, bidirectional=True, **made), short, note=fused),
        layer_case("LSTM peephole", nn.LSTM(3, 2, peephole=True, **made), x, note=fused),
        layer_case("GRU lecture", nn.GRU(3, 2, **made), x, state, note=fused),
        layer_case(
            "GRU library, two levels",
            nn.GRU(2, 2, 2, variant="library", **made),
            short,
            note=fused,
        ),
    ]


CASES: list[GradCase] = _cases()
