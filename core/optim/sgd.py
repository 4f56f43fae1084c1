"""Stochastic gradient descent, plain and with momentum."""

from collections.abc import Iterable

from ...kernels import descent
from ...kernels.errors import ValueRangeError, expect
from .optimiser import Optimiser, step_in_place


class SGD(Optimiser):
    """x ← x - lr·g, with g + weight_decay·x for g (Robbins & Monro 1951).

    With `momentum` μ > 0 (Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013)::

        v ← μ v + g          x ← x - lr·v               plain
                             x ← x - lr·(g + μ v)       nesterov

    >>> import glassgrad as gg
    >>> from glassgrad.core import optim
    >>> x = gg.tensor([1.0], requires_grad=True)
    >>> opt = optim.SGD([x], lr=0.25)
    >>> (x * x).sum().backward()
    >>> opt.step()
    >>> x.item()
    0.5
    """

    slots = ("momentum_buffer",)

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        super().__init__(
            parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )

    def check(self, settings):
        """Check the ranges, and that `nesterov` comes with a momentum."""
        super().check(settings)
        if settings.get("nesterov"):
            name, momentum = type(self).__name__, settings["momentum"]
            what = "nesterov needs a momentum"
            expect(momentum > 0, name, what, "> 0", momentum, ValueRangeError)

    def needs(self, settings):
        """The velocity, if there is a momentum."""
        return self.slots if settings["momentum"] else ()

    def update(self, x, g, state, t, *, lr, momentum, nesterov, weight_decay):
        """One step; see the class."""
        slots = (state.get("momentum_buffer"),)
        step_in_place(descent.sgd, x, g, slots, lr, momentum, nesterov, weight_decay)


class Momentum(SGD):
    """`SGD` with a default momentum of 0.9."""

    def __init__(
        self,
        parameters: Iterable,
        lr: float = 1e-3,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr, momentum, nesterov, weight_decay)
