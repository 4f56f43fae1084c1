"""The numbers of each rule, which travel together; in the order of the structs in cuda.cu.

`rest` of a rate is one less it. It is made here, in double precision: in single precision
1 - 0.999 has lost four digits.
"""

from typing import NamedTuple


class Sgd(NamedTuple):
    """Gradient descent, with momentum where it has a velocity."""

    lr: float
    momentum: float
    weight_decay: float


class Adagrad(NamedTuple):
    """AdaGrad."""

    lr: float
    eps: float
    weight_decay: float


class Adadelta(NamedTuple):
    """Adadelta."""

    lr: float
    rho: float
    rest: float  # 1 - rho
    eps: float
    weight_decay: float

    @classmethod
    def of(cls, lr, rho, eps, weight_decay) -> "Adadelta":
        """From the arguments of `descent.adadelta`."""
        return cls(lr, rho, 1 - rho, eps, weight_decay)


class RMSProp(NamedTuple):
    """RMSProp."""

    lr: float
    alpha: float
    rest: float  # 1 - alpha
    eps: float
    momentum: float
    weight_decay: float

    @classmethod
    def of(cls, lr, alpha, eps, momentum, weight_decay) -> "RMSProp":
        """From the arguments of `descent.rmsprop`."""
        return cls(lr, alpha, 1 - alpha, eps, momentum, weight_decay)


class Adam(NamedTuple):
    """Adam; lr and scale hold what depends on the number of the step, keep the decoupled decay."""

    lr: float
    scale: float
    beta1: float
    rest1: float  # 1 - beta1
    beta2: float
    rest2: float  # 1 - beta2
    eps: float
    keep: float
    weight_decay: float

    @classmethod
    def of(cls, lr, scale, beta1, beta2, eps, keep, weight_decay) -> "Adam":
        """From the arguments of `descent.adam`."""
        return cls(lr, scale, beta1, 1 - beta1, beta2, 1 - beta2, eps, keep, weight_decay)
