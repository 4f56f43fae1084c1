"""Activation functions as layers, for `Sequential`."""

from typing import Literal

from ..functions import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh
from .module import Module


class ReLU(Module):
    """max(x, 0), with derivative 0 at 0."""

    def forward(self, x):
        """x of any shape -> the same shape."""
        return relu(x)


class LeakyReLU(Module):
    """x for x > 0, slope·x otherwise (Maas et al. 2013)."""

    def __init__(self, slope: float = 0.01):
        self.slope = slope

    def forward(self, x):
        """x of any shape -> the same shape."""
        return leaky_relu(x, self.slope)

    def extra(self):
        """The slope."""
        return f"slope {self.slope}"


class ELU(Module):
    """x for x > 0, α(eˣ - 1) otherwise (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def forward(self, x):
        """x of any shape -> the same shape."""
        return elu(x, self.alpha)

    def extra(self):
        """The factor α."""
        return f"alpha {self.alpha}"


class Tanh(Module):
    """tanh x."""

    def forward(self, x):
        """x of any shape -> the same shape."""
        return tanh(x)


class Sigmoid(Module):
    """1/(1 + e⁻ˣ)."""

    def forward(self, x):
        """x of any shape -> the same shape."""
        return sigmoid(x)


class Softplus(Module):
    """ln(1 + eˣ)."""

    def forward(self, x):
        """x of any shape -> the same shape."""
        return softplus(x)


class SiLU(Module):
    """x σ(x), also called swish (Elfwing et al. 2018)."""

    def forward(self, x):
        """x of any shape -> the same shape."""
        return silu(x)


class GELU(Module):
    """x Φ(x), or its approximation by a hyperbolic tangent (Hendrycks & Gimpel 2016)."""

    def __init__(self, approximate: Literal["none", "tanh"] = "none"):
        self.approximate = approximate

    def forward(self, x):
        """x of any shape -> the same shape."""
        return gelu(x, self.approximate)

    def extra(self):
        """The approximation, if there is one."""
        return "tanh" if self.approximate == "tanh" else ""
