"""Layers, their initial values, and losses.

Reading order: module, init, linear, convolution, pooling, normalisation, weight_norm, embedding,
activations, dropout, recurrent, losses.
"""

from typing import TYPE_CHECKING

from ...kernels.doors import check_all
from ..hints import missing
from . import init, losses
from .activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from .convolution import Conv1d, Conv2d, ConvTranspose2d
from .dropout import Dropout
from .embedding import Embedding
from .linear import Flatten, Linear
from .mlp import mlp
from .module import Module, Sequential, StateError
from .normalisation import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm
from .pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .recurrent import GRU, LSTM, RNN, detached
from .weight_norm import WeightNormLinear

__all__ = [
    "AvgPool1d", "AvgPool2d", "BatchNorm", "Conv1d", "Conv2d", "ConvTranspose2d", "Dropout", "ELU",
    "Embedding", "Flatten", "GELU", "GRU", "GroupNorm", "LSTM", "LayerNorm", "LeakyReLU", "Linear",
    "LocalResponseNorm", "MaxPool1d", "MaxPool2d", "Module", "RNN", "ReLU", "Sequential", "SiLU",
    "Sigmoid", "Softplus", "StateError", "Tanh", "WeightNormLinear", "detached", "init", "losses",
    "mlp",
]  # fmt: skip
check_all(globals(), __all__)
for _module in (init, losses):
    check_all(vars(_module))


if not TYPE_CHECKING:  # else checkers would take every name for one that is there

    def __getattr__(name: str):
        raise missing("glassgrad.nn", name, __all__)
