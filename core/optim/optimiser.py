"""`Optimiser`: what all optimisers share. A subclass defines the update of one parameter.

An optimiser changes parameters in place, by the `.grad` that `backward()` left. Gradients are set,
not accumulated, so nothing has to be zeroed. A gradient is used once: a parameter that the last
backward pass did not reach stays unchanged, even though its old `.grad` is still there.
"""

from collections.abc import Iterable

import numpy as np

from ...kernels.annotations import kind_of
from ...kernels.checks import within
from ...kernels.doors import read
from ...kernels.errors import GlassgradError, ValueRangeError, expect, shown
from ..arrays import is_array, to_numpy, xp_of
from ..nn.states import State, StateError, as_state, is_count, is_rate
from ..tensor import Tensor


class OptimiserError(GlassgradError, RuntimeError):
    """An optimiser was given nothing to optimise, or no gradients."""


class Optimiser:
    """Base class. A rule names its state arrays in `slots` and defines `update`.

    `parameters` is an iterable of tensors, or of groups: dictionaries with ``"parameters"`` and
    settings of their own, such as ``"lr"`` or ``"weight_decay"``.
    """

    slots: tuple[str, ...] = ()

    def __init__(self, parameters: Iterable, **settings):
        parameters = list(parameters)
        name = type(self).__name__
        groups = (
            parameters
            if parameters and all(isinstance(p, dict) for p in parameters)
            else [{"parameters": parameters}]
        )
        self.groups, self.parameters = [], []
        for group in groups:
            unknown = set(group) - set(settings) - {"parameters"}
            if unknown or "parameters" not in group:
                raise OptimiserError(
                    f"{name}: a group needs 'parameters' and may set {sorted(settings)};"
                    f" got {sorted(group)}"
                )
            own = group["parameters"]
            own = [own] if isinstance(own, Tensor) else list(own)
            for p in own:
                self._expect_parameter(p)
            self.parameters += own
            numbers = {
                k: read(name, k, v, kind_of(bool if isinstance(settings[k], bool) else float))
                if k != "betas"
                else v
                for k, v in group.items()
                if k != "parameters"
            }
            self.groups.append({**settings, **numbers, "parameters": own})
            self.check({k: v for k, v in self.groups[-1].items() if k != "parameters"})
        if not self.parameters:
            raise OptimiserError(f"{name}: there are no parameters to optimise")
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise OptimiserError(f"{name}: a parameter is listed twice")
        # A schedule sets one rate; groups with their own rate keep its ratio to that one.
        self._lr = settings["lr"]
        fits = self._lr > 0 or all(g["lr"] == self._lr for g in self.groups)
        what = "lr must be positive if a group has its own rate, which keeps its ratio to lr"
        expect(fits, name, what, "> 0", self._lr, ValueRangeError)
        self._ratios = [g["lr"] / self._lr if g["lr"] != self._lr else 1.0 for g in self.groups]
        self.state = [None] * len(self.parameters)  # slot -> array, filled at the first step
        self.steps = [0] * len(self.parameters)
        self._used = [None] * len(self.parameters)

    def _expect_parameter(self, p):
        if not isinstance(p, Tensor) or p.node is not None or not p.requires_grad:
            what = p.describe() if isinstance(p, Tensor) else type(p).__name__
            raise OptimiserError(
                f"{type(self).__name__}: parameters must be leaf tensors that require gradients;"
                f" got {what}"
            )

    def check(self, settings: dict) -> None:
        """Check the ranges of all settings: decays in [0, 1), everything else not negative."""
        name = type(self).__name__
        for key, value in settings.items():
            several = key == "betas"
            if several and not (isinstance(value, (tuple, list)) and len(value) == 2):
                expect(False, name, "betas must be a pair", "two numbers", repr(value))
            for v in value if several else (value,):
                below = 1 if key in ("momentum", "betas", "alpha", "rho") else None
                within(name, key, v, least=0, below=below)  # a group with rate 0 does not move

    @property
    def lr(self) -> float:
        """The learning rate. Setting it scales every group's rate by the same ratio."""
        return self._lr

    @lr.setter
    def lr(self, value: float):
        value = read(type(self).__name__, "lr", value, kind_of(float))
        self.check({"lr": value})
        self._lr = value
        for group, ratio in zip(self.groups, self._ratios):
            group["lr"] = value * ratio

    # ----------------------------------------------------------------- a step

    def update(self, x, g, state: dict, t: int, **settings) -> None:
        """Change the array x in place by its gradient g, which must not be changed.

        `state` holds the arrays named in `slots`; t counts steps from 1. The rules here are kernels
        (kernels/descent); your own may use plain array operations.
        """
        raise NotImplementedError

    def initial(self, slot: str, x, settings: dict):
        """The state array before the first step: zeros."""
        return xp_of(x).zeros_like(x)

    def needs(self, settings: dict) -> tuple[str, ...]:
        """The slots that these settings use."""
        return self.slots

    def step(self) -> None:
        """One step for every parameter with a new gradient; an error if there is none."""
        fresh = [
            p.grad is not None and p.grad is not used
            for p, used in zip(self.parameters, self._used)
        ]
        if not any(fresh):
            raise OptimiserError(
                f"{type(self).__name__}: no parameter has a new gradient; call backward() on the"
                " objective before each step()"
            )
        i = 0
        for group in self.groups:
            settings = {k: v for k, v in group.items() if k != "parameters"}
            for p in group["parameters"]:
                if fresh[i]:
                    self._step_one(i, p, settings)
                i += 1

    def _step_one(self, i, p, settings):
        x, g = p.data, p.grad.data
        if g.shape != x.shape or g.dtype != x.dtype:
            what = f"the gradient of parameter {i} must match it"
            expect(False, type(self).__name__, what, p.describe(), p.grad.describe())
        if self.state[i] is None:
            self.state[i] = {s: self.initial(s, x, settings) for s in self.needs(settings)}
        for a in self.state[i].values():
            if type(a) is not type(x) or a.dtype != x.dtype:
                raise OptimiserError(
                    f"{type(self).__name__}: parameter {i} was moved or converted after the first"
                    " step; make a new optimiser after .to(...) or .astype(...)"
                )
        self.steps[i] += 1
        self.update(x, g, self.state[i], self.steps[i], **settings)
        p.version += 1  # calls recorded before this step can no longer be differentiated
        self._used[i] = p.grad

    # ------------------------------------------------------------ checkpoints

    def state_dict(self) -> dict:
        """A flat dict of NumPy arrays and numbers, enough to resume a run bit for bit.

        ``lr``; ``group.{j}.lr``; for each parameter that was stepped ``{i}.step`` and
        ``{i}.{slot}``.
        """
        found = {"lr": float(self._lr)}
        found.update({f"group.{j}.lr": float(g["lr"]) for j, g in enumerate(self.groups)})
        for i, slots in enumerate(self.state):
            if slots is not None:
                found[f"{i}.step"] = self.steps[i]
                found.update({f"{i}.{s}": np.array(to_numpy(a)) for s, a in slots.items()})
        return found

    def load_state_dict(self, state: State) -> None:
        """Load what `state_dict` returned; everything is read and checked before anything is set.

        Raises StateError, and then leaves the optimiser unchanged.
        """
        self.take_over(self.read_state(state))

    def read_state(self, state: State) -> tuple:
        """The state as `take_over` expects it: checked and copied; StateError if it does not fit.

        Two separate steps, so that several optimisers change together or not at all.
        """
        state = as_state(type(self).__name__, state)
        expected, rates = {}, {"lr", *(f"group.{j}.lr" for j in range(len(self.groups)))}
        # slots are expected only for parameters that the state says were stepped
        i = 0
        for group in self.groups:
            for p in group["parameters"]:
                if f"{i}.step" in state:
                    expected.update({f"{i}.{s}": p for s in self.needs(group)})
                i += 1
        steps = {f"{i}.step" for i in range(len(self.parameters)) if f"{i}.step" in state}
        known = rates | steps | set(expected)
        problems = [f"missing: {k}" for k in sorted((rates | set(expected)) - set(state))]
        problems += [f"unexpected: {k}" for k in sorted(set(state) - known)]
        for k in sorted((rates | steps) & set(state)):
            if k in rates and not is_rate(state[k]):
                problems.append(f"{k}: expected a rate, got {shown(state[k])}")
            if k in steps and not is_count(state[k], least=1):
                problems.append(f"{k}: expected a count of steps from 1 on, got {shown(state[k])}")
        for k in sorted(set(expected) & set(state)):
            value, p = state[k], expected[k]
            if not is_array(value) or value.shape != p.shape or value.dtype != p.dtype:
                got = f"{value.shape}, {value.dtype}" if is_array(value) else type(value).__name__
                problems.append(f"{k}: expected {p.describe()}, got ({got})")
            elif np.ma.is_masked(value):
                problems.append(f"{k}: expected {p.describe()}, got a masked array")
        if problems:
            lines = "".join(f"\n  {p}" for p in problems[:12])
            raise StateError(
                f"load_state_dict: the state does not fit this {type(self).__name__};"
                f" nothing was loaded:{lines}"
            )
        # copies, on the device of each parameter: the caller may change its arrays later
        lrs = [float(state[f"group.{j}.lr"]) for j in range(len(self.groups))]
        counts = [int(state.get(f"{i}.step", 0)) for i in range(len(self.parameters))]
        slots = [{} if t else None for t in counts]
        for k, p in expected.items():
            number, _, slot = k.partition(".")
            slots[int(number)][slot] = xp_of(p.data).array(state[k])
        return float(state["lr"]), lrs, counts, slots

    def take_over(self, read: tuple) -> None:
        """Set what `read_state` returned."""
        self._lr, lrs, self.steps, self.state = read
        for group, lr in zip(self.groups, lrs):
            group["lr"] = lr

    def __repr__(self):
        shown = ", ".join(
            f"{k}={v}" for k, v in self.groups[0].items() if k not in ("parameters", "lr")
        )
        n = sum(p.size for p in self.parameters)
        return f"{type(self).__name__}(lr={self._lr}, {shown}; {n:,} numbers)"


def step_in_place(rule, x, g, slots, *numbers) -> None:
    """Apply a rule of kernels/descent to x and its slots in place, for any memory layout."""
    arrays = (x, *slots)
    if all(a is None or a.flags.c_contiguous for a in arrays):
        rule(x, g, *slots, *numbers, in_place=True)
        return
    for old, new in zip(arrays, rule(x, g, *slots, *numbers)):
        if old is not None:
            old[...] = new
