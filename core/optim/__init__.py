"""Optimisers, learning-rate schedules, clipping and max-norm.

Reading order: optimiser, sgd, adaptive, rows, several, schedules, clipping, max_norm.
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
from .max_norm import max_norm
from .optimiser import Optimiser, OptimiserError
from .rows import RowAdadelta
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
    "ReduceOnPlateau", "RowAdadelta", "SGD", "Schedule", "Step", "WarmUp", "clip_grad_norm",
    "clip_grad_value", "clip_weights", "finite_gradients", "grad_norm", "max_norm",
]  # fmt: skip
check_all(globals(), __all__)
