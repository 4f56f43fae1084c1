"""Optimisers with a learning rate per coordinate, from the history of its squared gradients.

Formulas, order of operations and defaults are PyTorch's. All squares, roots and quotients are
element by element; with a weight decay, g means g + weight_decay·x.
"""

import math
from collections.abc import Iterable

from ...kernels import descent
from ..arrays import xp_of
from .optimiser import Optimiser, step_in_place


class AdaGrad(Optimiser):
    """s ← s + g²,  x ← x - lr/(1 + (t-1)·lr_decay) · g/(√s + ε)  (Duchi, Hazan & Singer 2011)."""

    slots = ("sum",)

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ):
        super().__init__(
            parameters,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )

    def initial(self, slot, x, settings):
        """The sum starts at `initial_accumulator_value`."""
        return xp_of(x).full_like(x, settings["initial_accumulator_value"])

    def update(self, x, g, state, t, *, lr, lr_decay, weight_decay, initial_accumulator_value, eps):
        """One step; see the class."""
        rate = lr / (1 + (t - 1) * lr_decay)
        step_in_place(descent.adagrad, x, g, (state["sum"],), rate, eps, weight_decay)


class Adadelta(Optimiser):
    """Steps in the units of x, without a learning rate to choose (Zeiler 2012)::

    v ← ρ v + (1-ρ) g²        d = g √(u + ε)/√(v + ε)
    u ← ρ u + (1-ρ) d²        x ← x - lr·d
    """

    slots = ("square_avg", "acc_delta")

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)

    def update(self, x, g, state, t, *, lr, rho, eps, weight_decay):
        """One step; see the class."""
        slots = state["square_avg"], state["acc_delta"]
        step_in_place(descent.adadelta, x, g, slots, lr, rho, eps, weight_decay)


class RMSProp(Optimiser):
    """The gradient over its root mean square (Tieleman & Hinton 2012, lecture 6.5)::

        v ← α v + (1-α) g²        d = g/(√v + ε)

    `centred` takes √(v - m²), m ← α m + (1-α) g, the deviation (Graves 2013); with `momentum`
    b ← μ b + d and x ← x - lr·b, else x ← x - lr·d.
    """

    slots = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centred: bool = False,
    ):
        super().__init__(
            parameters,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centred=centred,
        )

    def needs(self, settings):
        """`square_avg`, and one more slot each for `momentum` and `centred`."""
        used = (True, settings["centred"], settings["momentum"])
        return tuple(s for s, u in zip(self.slots, used) if u)

    def update(self, x, g, state, t, *, lr, alpha, eps, weight_decay, momentum, centred):
        """One step; see the class."""
        slots = [state.get(name) for name in self.slots]
        step_in_place(descent.rmsprop, x, g, slots, lr, alpha, eps, momentum, weight_decay)


class Adam(Optimiser):
    """Momentum and root mean square, both corrected for their start at zero (Kingma & Ba 2015)::

        m ← β₁ m + (1-β₁) g       v ← β₂ v + (1-β₂) g²
        x ← x - lr · m/(1-β₁ᵗ) / (√v/√(1-β₂ᵗ) + ε)

    `amsgrad` puts the largest v so far in the denominator (Reddi et al. 2018). With `decoupled`
    weight decay acts on x directly, x ← x - lr·weight_decay·x, not through g (`AdamW`).
    """

    slots = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    decoupled = False

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        super().__init__(
            parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        )

    def needs(self, settings):
        """Both averages, and the maximum of v with `amsgrad`."""
        return self.slots if settings["amsgrad"] else self.slots[:2]

    def update(self, x, g, state, t, *, lr, betas, eps, weight_decay, amsgrad):
        """One step; see the class."""
        keep, decay = (1 - lr * weight_decay, 0.0) if self.decoupled else (1.0, weight_decay)
        rate, scale = lr / (1 - betas[0] ** t), 1 / math.sqrt(1 - betas[1] ** t)
        slots = [state.get(name) for name in self.slots]
        step_in_place(descent.adam, x, g, slots, rate, scale, *betas, eps, keep, decay)


class AdamW(Adam):
    """`Adam` with decoupled weight decay, 0.01 by default (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)
