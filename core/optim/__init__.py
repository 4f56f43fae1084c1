"""Optimisers, learning-rate schedules and clipping.

Reading order: optimiser, sgd, adaptive, several, schedules, clipping.
"""

from ...kernels.doors import check_all
from .adaptive import Adadelta, AdaGrad, Adam, AdamW, RMSProp
from .clipping import (
    clip_grad_norm,
    clip_grad_value,
    clip_weights,
    finite_gradients,
    grad_norm,
)
from .optimiser import Optimiser, OptimiserError
from .schedules import (
    Constant,
    Cosine,
    Exponential,
    Halving,
    InverseTime,
    MultiStep,
    ReduceOnPlateau,
    Schedule,
    Step,
    WarmUp,
)
from .several import Alternating
from .sgd import SGD, Momentum

__all__ = [
    "AdaGrad", "Adadelta", "Adam", "AdamW", "Alternating", "Constant", "Cosine", "Exponential",
    "Halving", "InverseTime", "Momentum", "MultiStep", "Optimiser", "OptimiserError", "RMSProp",
    "ReduceOnPlateau", "SGD", "Schedule", "Step", "WarmUp", "clip_grad_norm", "clip_grad_value",
    "clip_weights", "finite_gradients", "grad_norm",
]  # fmt: skip
check_all(globals(), __all__)
