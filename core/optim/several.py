"""`Alternating`: several optimisers behind one interface, for training in phases.

Each phase has its own optimiser over its own parameters, with its own rate, momentum and step
counts. A parameter may be changed in several phases and then has a state in each. Schedules and
checkpoints see a single optimiser: setting `lr` scales every rate by the same ratio, and
`state_dict` holds the states of all phases under their names.
"""

from ...kernels.errors import shown
from ..nn.states import State, StateError, as_state, is_rate
from .optimiser import Optimiser, OptimiserError


class Alternating:
    """Optimisers by the names of their phases: ``Alternating(lr, {"critic": Adam(...), ...})``.

    `lr` is the rate that schedules set; each optimiser keeps the ratio of its own rate to it.

    >>> import glassgrad as gg
    >>> from glassgrad.core.optim import SGD
    >>> x, y = (gg.tensor([1.0], requires_grad=True) for _ in range(2))
    >>> both = Alternating(0.1, {"up": SGD([x], lr=0.1), "down": SGD([x, y], lr=0.5)})
    >>> both.lr = 0.01
    >>> both["down"].lr, len(both.parameters)
    (0.05, 2)
    """

    def __init__(self, lr: float, optimisers: dict[str, Optimiser]):
        if not optimisers:
            raise OptimiserError("Alternating: there are no phases")
        if lr <= 0 and any(o.lr != lr for o in optimisers.values()):
            raise OptimiserError(
                "Alternating: lr must be positive if a phase has its own rate, which keeps its"
                f" ratio to lr; got {lr}"
            )
        self.optimisers, self._lr = dict(optimisers), lr
        self._ratios = {n: o.lr / lr if o.lr != lr else 1.0 for n, o in optimisers.items()}

    def __getitem__(self, phase: str) -> Optimiser:
        return self.optimisers[phase]

    @property
    def parameters(self) -> list:
        """The parameters of all phases, each once."""
        found = {id(p): p for o in self.optimisers.values() for p in o.parameters}
        return list(found.values())

    @property
    def lr(self) -> float:
        """The learning rate. Setting it scales every phase's rate by the same ratio."""
        return self._lr

    @lr.setter
    def lr(self, value: float):
        self._lr = value
        for name, optimiser in self.optimisers.items():
            optimiser.lr = value * self._ratios[name]

    def state_dict(self) -> dict:
        """``lr``, and each optimiser's own state dict as ``{phase}/{key}``."""
        found = {"lr": float(self._lr)}
        for name, optimiser in self.optimisers.items():
            found |= {f"{name}/{key}": v for key, v in optimiser.state_dict().items()}
        return found

    def load_state_dict(self, state: State) -> None:
        """Load what `state_dict` returned; StateError, and nothing is set, if it does not fit."""
        parts, rest = {name: {} for name in self.optimisers}, as_state("Alternating", state)
        for key in list(rest):
            name, slash, own = key.partition("/")
            if slash and name in parts:
                parts[name][own] = rest.pop(key)
        lr = rest.pop("lr", None)
        if rest or not is_rate(lr):
            raise StateError(
                f"load_state_dict: expected lr and the phases {', '.join(parts)}; got"
                f" lr={shown(lr)}" + (f" and {', '.join(sorted(rest)[:6])}" if rest else "")
            )
        read = {}
        for name, optimiser in self.optimisers.items():
            try:
                read[name] = optimiser.read_state(parts[name])
            except StateError as error:
                raise StateError(f"phase {name!r}: {error}") from None
        for name, optimiser in self.optimisers.items():
            optimiser.take_over(read[name])
        self._lr = float(lr)

    def __repr__(self):
        return f"Alternating({', '.join(f'{n}: {o!r}' for n, o in self.optimisers.items())})"
