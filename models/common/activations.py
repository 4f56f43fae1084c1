"""The activations that a setting may name, as layers."""

from typing import Literal

from ...core import nn

Activation = Literal["sigmoid", "tanh", "relu"]
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
