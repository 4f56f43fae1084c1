"""Cases: arithmetic, elementary functions and activations."""

import numpy as np

from .. import functions as F
from ..differentiable import FUNCTIONS
from .case import GradCase, away, normal, positive, spread

ZERO = "linear: second derivative zero"
BENT = "piecewise linear: second derivative zero"
HOLES = np.array([[True, False, True], [False, False, True]])

ARITHMETIC = [
    GradCase("add", F.add, normal((2, 3), (2, 3)), note=ZERO),
    GradCase("add broadcast both", F.add, normal((2, 1, 3), (4, 1)), note=ZERO),
    GradCase("add scalar", lambda x: F.add(x, 2.0), normal((3,)), note=ZERO),
    GradCase("add same tensor twice", lambda x: F.add(x, x), normal((3,)), note=ZERO),
    GradCase("sub", F.sub, normal((2, 3), (3,)), note=ZERO),
    GradCase("sub broadcast both", F.sub, normal((3, 1), (1, 2)), note=ZERO),
    GradCase("mul", F.mul, normal((2, 3), (2, 3)), note="bilinear"),
    GradCase("mul broadcast both", F.mul, normal((2, 1, 3), (4, 1)), note="bilinear"),
    GradCase("mul same tensor twice", lambda x: F.mul(x, x), normal((4,))),
    GradCase("mul 0-d", F.mul, normal((), (2, 2)), note="bilinear"),
    GradCase("div", F.div, lambda rng: [*normal((2, 3))(rng), *away((2, 3))(rng)]),
    GradCase("div broadcast both", F.div, lambda rng: [*normal((3, 1))(rng), *away((2,))(rng)]),
    GradCase("div scalar by tensor", lambda y: F.div(2.0, y), away((3,))),
    GradCase("neg", F.neg, normal((2, 3)), note=ZERO),
    GradCase("power 3", lambda x: F.power(x, 3), normal((4,))),
    GradCase("power 2", lambda x: F.power(x, 2), normal((4,))),
    GradCase("power 1", lambda x: F.power(x, 1), normal((4,)), note=ZERO),
    GradCase("power 0", lambda x: F.power(x, 0), normal((4,)), note=ZERO),
    GradCase("power -2", lambda x: F.power(x, -2), away((4,))),
    GradCase("power 1.7", lambda x: F.power(x, 1.7), positive((4,))),
    GradCase("power of tensors", F.power, positive((2, 3), (2, 3))),
    GradCase("power broadcast both", F.power, positive((2, 1), (3,))),
    GradCase("power of a number", lambda y: F.power(2.0, y), normal((4,))),
    GradCase("power to itself", lambda x: x**x, positive((3,))),
    GradCase("power to whole numbers", lambda x: x ** np.array([0, 1, 2, 3, -1]), away((5,))),
    GradCase("exp", F.exp, normal((2, 3))),
    GradCase("log", F.log, positive((2, 3))),
    GradCase("log1p", F.log1p, positive((2, 3))),
    GradCase("expm1", F.expm1, normal((2, 3))),
    GradCase("sqrt", F.sqrt, positive((2, 3))),
    GradCase("sin", F.sin, normal((2, 3))),
    GradCase("cos", F.cos, normal((2, 3))),
    GradCase("erf", F.erf, normal((2, 3))),
    GradCase("alias", lambda x: FUNCTIONS["alias"](x), normal((3,)), note=ZERO),
]

BENDS = [
    GradCase("absolute", F.absolute, away((2, 3)), note=BENT),
    GradCase("maximum", F.maximum, normal((2, 3), (2, 3)), note=BENT),
    GradCase("maximum broadcast both", F.maximum, normal((3, 1), (2,)), note=BENT),
    GradCase("maximum scalar", lambda x: F.maximum(x, 0.3), normal((5,)), note=BENT),
    GradCase("minimum", F.minimum, normal((2, 3), (3,)), note=BENT),
    GradCase("minimum scalar first", lambda x: F.minimum(0.3, x), normal((5,)), note=BENT),
    GradCase("clip", lambda x: F.clip(x, -0.5, 0.8), normal((6,)), note=BENT),
    GradCase("clip above only", lambda x: F.clip(x, high=0.4), normal((6,)), note=BENT),
    GradCase("where", lambda x, y: F.where(HOLES, x, y), normal((2, 3), (2, 3)), note=ZERO),
    GradCase("where broadcast", lambda x, y: F.where(HOLES, x, y), normal((3,), (2, 1)), note=ZERO),
    GradCase("where scalar", lambda x: F.where(HOLES, x, 0.0) ** 2, normal((2, 3))),
]

ACTIVATIONS = [
    GradCase("sigmoid", F.sigmoid, normal((2, 3))),
    GradCase("sigmoid far out", F.sigmoid, lambda rng: [np.array([-30.0, -9.0, 9.0, 30.0])]),
    GradCase("tanh", F.tanh, normal((2, 3))),
    GradCase("softplus", F.softplus, normal((2, 3))),
    GradCase("log_sigmoid", F.log_sigmoid, normal((2, 3))),
    GradCase("relu", F.relu, normal((3, 3)), note=BENT),
    GradCase("relu at its kink", F.relu, lambda rng: [np.array([0.0, 1.0])], note=BENT),
    GradCase(
        "relu_backward",
        lambda x: FUNCTIONS["relu_backward"](x, mask=np.eye(3, dtype=bool)),
        normal((3, 3)),
        note=ZERO,
    ),
    GradCase("leaky_relu", lambda x: F.leaky_relu(x, 0.1), normal((3, 3)), note=BENT),
    GradCase("silu", F.silu, normal((2, 3))),
    GradCase("gelu", F.gelu, normal((2, 3))),
    GradCase("gelu by a tangent", lambda x: F.gelu(x, "tanh"), normal((2, 3))),
    GradCase("normal_cdf", F.normal_cdf, normal((2, 3))),
    GradCase("elu", lambda x: F.elu(x, 0.7), away((3, 3)), note="piecewise"),
]

REDUCTIONS = [
    GradCase("softmax", F.softmax, normal((2, 4))),
    GradCase("softmax axis 0", lambda x: F.softmax(x, axis=0), normal((3, 2))),
    GradCase("softmax two axes", lambda x: F.softmax(x, axis=(0, -1)), normal((2, 2, 3))),
    GradCase("log_softmax", F.log_softmax, normal((2, 4))),
    GradCase("log_softmax axis -2", lambda x: F.log_softmax(x, axis=-2), normal((3, 2))),
    GradCase("logsumexp", F.logsumexp, normal((2, 4))),
    GradCase("logsumexp two axes", lambda x: F.logsumexp(x, axis=(0, 2)), normal((2, 3, 2))),
    GradCase("logsumexp keepdims", lambda x: F.logsumexp(x, 0, keepdims=True), normal((3, 2))),
    GradCase("sum", F.sum, normal((2, 3)), note=ZERO),
    GradCase("sum axis -1", lambda x: F.sum(x, axis=-1), normal((2, 3)), note=ZERO),
    GradCase(
        "sum two axes keepdims",
        lambda x: F.sum(x, axis=(0, -1), keepdims=True),
        normal((2, 3, 2)),
        note=ZERO,
    ),
    GradCase("sum of squares", lambda x: F.sum(x * x, axis=(-1, 0)), normal((2, 3, 2))),
    GradCase("mean", F.mean, normal((2, 3)), note=ZERO),
    GradCase("mean two axes", lambda x: F.mean(x, axis=(0, -1)), normal((2, 3, 2)), note=ZERO),
    GradCase("variance", F.variance, normal((2, 3))),
    GradCase("variance axis, ddof 1", lambda x: F.variance(x, axis=-1, ddof=1), normal((2, 4))),
    GradCase("max", F.max, spread((2, 3)), note=BENT),
    GradCase("max axis -1", lambda x: F.max(x, axis=-1), spread((2, 3)), note=BENT),
    GradCase("max two axes", lambda x: F.max(x, axis=(0, 2)), spread((2, 3, 2)), note=BENT),
    GradCase("min keepdims", lambda x: F.min(x, 0, keepdims=True), spread((3, 2)), note=BENT),
    GradCase("min two axes", lambda x: F.min(x, axis=(2, 0)), spread((2, 2, 3)), note=BENT),
    GradCase("norm", F.norm, away((2, 3))),
    GradCase("norm axis -1", lambda x: F.norm(x, axis=-1), away((2, 3))),
    GradCase("norm two axes", lambda x: F.norm(x, axis=(0, 2), keepdims=True), away((2, 2, 2))),
]

CASES = [*ARITHMETIC, *BENDS, *ACTIVATIONS, *REDUCTIONS]
