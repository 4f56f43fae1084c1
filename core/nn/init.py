"""Initial values of weights, drawn from a `Generator`; each returns a NumPy array.

All take (shape, rng, ...) so that they are interchangeable. `fan_in` is the number of inputs that
feed one output, `fan_out` the number of outputs that one input feeds: for a weight [O, I, K...]
they are I·ΠK and O·ΠK. The layers' defaults are PyTorch's: U(±1/√fan_in), which is
`kaiming_uniform` with a = √5.

Numbers are always drawn on the CPU, so that a seed gives the same network on every device.
"""

import math
from collections.abc import Callable

import numpy as np

from ...kernels.annotations import DType, Number, Shape
from ...kernels.checks import choice, within
from ...kernels.errors import expect, shown
from ..arrays import to_numpy
from ..random import Generator, stream
from ..tensor import Tensor
from .module import Module

GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}

Rng = Generator | None  # without one it is that of `manual_seed`


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight [O, I, K...].

    >>> fans((16, 3, 5, 5))
    (75, 400)
    """
    expect(len(shape) >= 2, "fans", "a weight must have at least two axes [O, I]", "≥ 2", shape)
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def gain(activation: str, slope: float = 0.01) -> float:
    """The factor by which an activation shrinks a signal's deviation: √2 for relu, less if leaky.

    √(2/(1 + a²)) for a leaky relu of slope a.

    >>> round(gain("relu") ** 2, 6), gain("leaky_relu", math.sqrt(5)) ** 2
    (2.0, 0.3333333333333333)
    """
    if activation == "leaky_relu":
        return math.sqrt(2 / (1 + slope**2))
    choice("gain", "activation", activation, [*GAINS, "leaky_relu"])
    return GAINS[activation]


def zeros(shape: Shape, rng: Rng = None, *, dtype: DType = "float32") -> np.ndarray:
    """All zero; for biases."""
    return np.zeros(shape, dtype)


def ones(shape: Shape, rng: Rng = None, *, dtype: DType = "float32") -> np.ndarray:
    """All one; for scales."""
    return np.ones(shape, dtype)


def constant(
    shape: Shape, rng: Rng = None, *, value: Number, dtype: DType = "float32"
) -> np.ndarray:
    """All equal to `value`."""
    return np.full(shape, value, dtype)


def uniform(
    shape: Shape, rng: Rng = None, *, low: float = -0.1, high: float = 0.1, dtype: DType = "float32"
) -> np.ndarray:
    """U[low, high); the default ±0.1 is that of the small model in Zaremba et al. 2014."""
    return to_numpy(stream(rng).uniform(shape, low, high, dtype))


def normal(
    shape: Shape, rng: Rng = None, *, mean: float = 0.0, std: float = 0.01, dtype: DType = "float32"
) -> np.ndarray:
    """N(mean, std²), std ≥ 0; std 0.01 as in Krizhevsky et al. 2012."""
    within("normal", "std", std, least=0)
    draw = to_numpy(stream(rng).normal(shape, dtype))
    return draw * draw.dtype.type(std) + draw.dtype.type(mean)


def _symmetric(shape: Shape, rng, std, dtype):
    """Uniform with the given standard deviation: U(±√3 std)."""
    bound = math.sqrt(3) * std
    return uniform(shape, rng, low=-bound, high=bound, dtype=dtype)


def xavier_uniform(
    shape: Shape, rng: Rng = None, *, gain: float = 1.0, dtype: DType = "float32"
) -> np.ndarray:
    """U(±gain √(6/(fan_in + fan_out))): preserves deviations in both directions (Glorot 2010)."""
    return _symmetric(shape, rng, gain * math.sqrt(2 / sum(_some(shape))), dtype)


def xavier_normal(
    shape: Shape, rng: Rng = None, *, gain: float = 1.0, dtype: DType = "float32"
) -> np.ndarray:
    """N(0, gain² 2/(fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return normal(shape, rng, std=gain * math.sqrt(2 / sum(_some(shape))), dtype=dtype)


def kaiming_uniform(
    shape: Shape, rng: Rng = None, *, a: float = 0.0, dtype: DType = "float32"
) -> np.ndarray:
    """U(±√(6/((1 + a²) fan_in))): for relu, or leaky relu of slope a (He et al. 2015)."""
    std = gain("leaky_relu", a) / math.sqrt(_some(shape)[0])
    return _symmetric(shape, rng, std, dtype)


def kaiming_normal(
    shape: Shape, rng: Rng = None, *, a: float = 0.0, dtype: DType = "float32"
) -> np.ndarray:
    """N(0, 2/((1 + a²) fan_in)) (He et al. 2015)."""
    std = gain("leaky_relu", a) / math.sqrt(_some(shape)[0])
    return normal(shape, rng, std=std, dtype=dtype)


def lecun_normal(shape: Shape, rng: Rng = None, *, dtype: DType = "float32") -> np.ndarray:
    """N(0, 1/fan_in) (LeCun et al. 1998, "Efficient BackProp", section 4.6)."""
    return normal(shape, rng, std=1 / math.sqrt(_some(shape)[0]), dtype=dtype)


def lecun_uniform(shape: Shape, rng: Rng = None, *, dtype: DType = "float32") -> np.ndarray:
    """U(±√(3/fan_in)), with the variance of `lecun_normal`."""
    return _symmetric(shape, rng, 1 / math.sqrt(_some(shape)[0]), dtype)


def _some(shape) -> tuple[int, int]:
    found = fans(shape)
    expect(min(found) > 0, "init", "fan_in and fan_out must be positive", "> 0", shape)
    return found


def orthogonal(
    shape: Shape, rng: Rng = None, *, gain: float = 1.0, dtype: DType = "float32"
) -> np.ndarray:
    """A random matrix [shape[0], rest] with orthonormal rows or columns (Saxe et al. 2014).

    Q of the QR decomposition of a normal matrix. Its columns take the signs of R's diagonal, which
    makes it uniform over all orthogonal matrices.
    """
    expect(len(shape) >= 2, "orthogonal", "shape must have at least two axes", "≥ 2", shape)
    rows, columns = shape[0], math.prod(shape[1:])
    draw = to_numpy(stream(rng).normal((max(rows, columns), min(rows, columns)), "float64"))
    q, r = np.linalg.qr(draw)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    q = q if rows >= columns else q.T
    return np.ascontiguousarray(gain * q).reshape(shape).astype(dtype)


def identity(
    shape: Shape, rng: Rng = None, *, gain: float = 1.0, dtype: DType = "float32"
) -> np.ndarray:
    """The unit matrix: a recurrent ReLU network then starts as a memory (Le et al. 2015)."""
    expect(len(shape) == 2, "identity", "shape must have two axes", 2, shape)
    return gain * np.eye(*shape, dtype=dtype)


def everywhere(module: Module, rule: Callable, rng: Generator | None = None, **options) -> None:
    """Set every parameter of a module by one rule: ``everywhere(net, uniform, rng, low=…)``."""
    for p in module.parameters():
        p.assign(rule(p.shape, rng, dtype=p.dtype, **options))


def parameter(values) -> Tensor:
    """A leaf that requires a gradient."""
    return Tensor(values, requires_grad=True)


def scaled(shape, fan_in: int, rng: Generator | None, dtype) -> Tensor:
    """The layers' default: a parameter drawn from U(±1/√fan_in)."""
    expect_sizes("scaled", fan_in=fan_in)
    bound = 1 / math.sqrt(fan_in)
    return parameter(uniform(shape, rng, low=-bound, high=bound, dtype=dtype))


def expect_sizes(layer: str, **sizes) -> None:
    """Raise an error unless all sizes are positive integers."""
    for name, size in sizes.items():
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        expect(whole and size > 0, layer, f"{name} must be a positive integer", "≥ 1", shown(size))
