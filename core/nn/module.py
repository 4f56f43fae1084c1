"""`Module`: something with parameters, and how to find, save and move them.

A module is any object whose attributes are

    tensors that require gradients    parameters, changed by an optimiser
    other tensors                     buffers, saved but not trained (running means)
    generators                        streams of random numbers; their state is part of a checkpoint
    modules                           parts, found by attribute name

also inside lists, tuples and dictionaries. Names are joined by dots: ``encoder.0.weight``. There is
nothing to register and no ``super().__init__()`` to remember: the attributes are inspected when
needed. The result of a call on parameters (an activation kept for later, on the tape or not) is not
state and is left out; `.detach()` turns it into a constant, which is state.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from ...kernels.annotations import DType
from ...kernels.errors import GlassgradError, nearest
from ..arrays import FLOATS, module_for, to_device, to_numpy
from ..as_html import module_html
from ..random import Generator
from ..tensor import Tensor
from .states import State, StateError, arrays_of, as_state


def _walk(value, name: str, path: frozenset):
    """All (name, object with state) below `value`, in attribute order, parents first."""
    if isinstance(value, Generator) or (isinstance(value, Tensor) and not value.computed):
        yield name, value
        return
    if not isinstance(value, (Module, list, tuple, dict)) or id(value) in path:
        return  # plain data, or a part that refers back to its parent
    if isinstance(value, Module):
        yield name, value
        members = value.members()
    else:
        members = value.items() if isinstance(value, dict) else enumerate(value)
    path = path | {id(value)}
    for key, member in members:
        yield from _walk(member, f"{name}.{key}" if name else str(key), path)


def _once(pairs):
    """The pairs whose value did not occur under an earlier name."""
    seen = set()
    for name, value in pairs:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


class Module:
    """Base class of layers and networks: define ``forward``, then call the object.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = gg.tensor([2.0], requires_grad=True)
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> scale = Scale()
    >>> scale(gg.tensor([3.0])).item()
    6.0
    >>> [name for name, _ in scale.named_parameters()]
    ['factor']
    """

    training = True
    # for training in shards (core/training/shards.py): attributes with tensors that a step moves
    averaged: tuple[str, ...] = ()  # towards statistics of the batch, in which they are linear
    by_rows: Mapping[str, int] = MappingProxyType({})  # row by row; name -> axis of the rows
    in_shards: str = ""  # which statistics of a batch are those of a shard
    least_in_shard: int = 1  # samples; two where a shard's variance is needed

    def __init__(self):
        """A layer without settings takes no arguments."""

    def forward(self, *args, **kwargs):
        """The computation; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    # ------------------------------------------------------------ what it has

    def members(self):
        """(name, value) of everything that may hold state: by default, its attributes."""
        return vars(self).items()

    def _everything(self):
        return _walk(self, "", frozenset())

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter and buffer under every name it has: what `state_dict` holds."""
        return ((n, v) for n, v in self._everything() if isinstance(v, Tensor))

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Tensors that require gradients, each once, under its first name."""
        return _once((n, t) for n, t in self.named_tensors() if t.requires_grad)

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Tensors that do not require gradients, each once, under its first name."""
        return _once((n, t) for n, t in self.named_tensors() if not t.requires_grad)

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """Itself (under the name "") and every module inside, each once."""
        return _once((n, v) for n, v in self._everything() if isinstance(v, Module))

    def named_generators(self) -> Iterator[tuple[str, Generator]]:
        """Every random generator of the module and its parts, each once."""
        return _once((n, v) for n, v in self._everything() if isinstance(v, Generator))

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules directly inside, not those inside them."""
        inside = None
        for name, value in self._everything():
            if not isinstance(value, Module) or not name:
                continue
            if inside is None or not name.startswith(inside):
                inside = name + "."
                yield name, value

    def parameters(self) -> list[Tensor]:
        """All parameters; a tied one (one tensor under two names) appears once."""
        return [t for _, t in self.named_parameters()]

    def count(self) -> int:
        """The number of trained values."""
        return sum(t.size for t in self.parameters())

    # ----------------------------------------------------------- saved values

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers by name, as NumPy arrays."""
        return {name: np.array(to_numpy(t.data)) for name, t in self.named_tensors()}

    def adapt_state(self, state: dict, prefix: str) -> None:
        """Hook: rewrite entries of `state` under `prefix` that follow another convention."""

    def switch_for(self, names: set[str]) -> str:
        """Hook: which settings of this layer would take a state with these names, if others would.

        Part of the message about a state that does not fit; "" where no setting is in the way.
        """
        return ""

    def load_state_dict(self, state: State, strict: bool = True) -> tuple[list[str], list[str]]:
        """Set all parameters and buffers from arrays by name.

        Everything is checked before the first value is set: an error leaves the module unchanged.
        Shapes and dtypes must agree. With ``strict=False`` missing and unexpected names are
        allowed. Returns both: (missing, unexpected). A tied tensor needs only one of its names.
        Raises StateError.
        """
        state = arrays_of(type(self).__name__, as_state(type(self).__name__, state))
        for name, module in self.named_modules():
            module.adapt_state(state, f"{name}." if name else "")
        tensors = dict(self.named_tensors())
        values = {n: state[n] for n in tensors if n in state}
        # a tied tensor has several names; the first one given stands for it
        given = {id(tensors[n]): n for n in reversed(list(values))}
        missing = [n for n, t in tensors.items() if id(t) not in given]
        unexpected = [n for n in state if n not in tensors]
        problems = _name_problems(missing, unexpected, tensors) if strict else []
        problems = self._switches(state) * bool(problems) + problems
        for name, value in values.items():
            t, first = tensors[name], given[id(tensors[name])]
            if value.shape != t.shape:
                problems.append(f"{name}: expected shape {t.shape}, got {value.shape}")
            elif value.dtype != t.dtype:
                problems.append(
                    f"{name}: expected {t.dtype}, got {value.dtype}; convert one with .astype(...)"
                )
            elif first != name and not np.array_equal(values[first], value, equal_nan=True):
                problems.append(f"{name}: is tied to {first}, but the two values differ")
        if problems:
            shown = "".join(f"\n  {p}" for p in problems[:12])
            more = f"\n  and {len(problems) - 12} more" if len(problems) > 12 else ""
            raise StateError(
                f"load_state_dict: the state does not fit {type(self).__name__};"
                f" nothing was loaded:{shown}{more}"
            )
        for name, value in values.items():
            tensors[name].assign(value)
        return missing, unexpected

    def _switches(self, state: dict) -> list[str]:
        """One line for each part whose settings are in the way of the state's names."""
        lines = []
        for name, module in self.named_modules():
            prefix = f"{name}." if name else ""
            switch = module.switch_for({n[len(prefix) :] for n in state if n.startswith(prefix)})
            if switch:
                lines.append(f"{name or type(module).__name__}: the state fits with {switch}")
        return lines

    def with_parameters(self, tensors: Iterable) -> "Module":
        """Replace the parameters by `tensors`, in the order of `parameters()`.

        This makes the network a function of its parameters, which can be differentiated with
        respect to them. The first call finds the places; later calls replace what is there, even if
        it is no longer a parameter. A tuple is replaced by a new one. Raises StateError for a wrong
        number of tensors, or if a parameter is where nothing can be assigned (a property, say).
        """
        tensors = list(tensors)
        if self not in _places:
            named = list(self.named_parameters())
            wanted = {id(t): i for i, (_, t) in enumerate(named)}
            places = list(_find_places(self, wanted, set()))
            found = {place[-1] for place in places}
            lost = [name for i, (name, _) in enumerate(named) if i not in found]
            if lost:
                raise StateError(f"with_parameters: no place was found for {', '.join(lost)}")
            _places[self] = len(named), places
        count, places = _places[self]
        if len(tensors) != count:
            raise StateError(f"with_parameters: expected {count} tensors, got {len(tensors)}")
        for container, key, path, i in places:
            container[key] = _replaced(container[key], path, tensors[i])
        return self

    # ------------------------------------------------------------------ modes

    def train(self, mode: bool = True) -> "Module":
        """Training mode, in it and all its parts: dropout drops, batch norm uses the batch."""
        for _, module in self.named_modules():
            module.training = bool(mode)
        return self

    def eval(self) -> "Module":
        """Evaluation mode, the opposite of `train`."""
        return self.train(False)

    def to(self, device: str) -> "Module":
        """Move every tensor to ``"cpu"`` or ``"cuda"`` in place: references to it stay valid."""
        module_for(device)
        for t in [t for _, t in _once(self.named_tensors())]:
            t.data, t.grad = to_device(t.data, device), None
            t.version += 1
        for _, generator in self.named_generators():
            generator.device = device
        return self

    def astype(self, dtype: DType) -> "Module":
        """Convert every float tensor to float32 or float64 in place; integers stay."""
        dtype = np.dtype(dtype)
        if dtype not in FLOATS:
            raise GlassgradError(f"astype: expected float32 or float64, got {dtype}")
        for t in [t for _, t in _once(self.named_tensors()) if t.dtype.kind == "f"]:
            t.data, t.grad = t.data.astype(dtype), None
            t.version += 1
        return self

    # ---------------------------------------------------------------- display

    def extra(self) -> str:
        """Sizes and options, shown in brackets by `repr`."""
        return ""

    def __repr__(self):
        n = self.count()
        inside = [self.extra()] if self.extra() else []
        inside += [f"{n:,} parameter{'s' * (n != 1)}"] if n else []
        lines = [f"{type(self).__name__}({', '.join(inside)})"]
        for name, child in self.named_children():
            first, *rest = repr(child).splitlines()
            lines += [f"  {name}: {first}", *(f"  {line}" for line in rest)]
        return "\n".join(lines)

    _repr_html_ = module_html  # what a notebook shows


_places = weakref.WeakKeyDictionary()


def _find_places(value, wanted: dict, seen: set):
    """(dictionary or list, key, path, number) of every place below `value` with a wanted tensor.

    The path leads through the tuples inside ``container[key]``, which cannot be changed in place.
    """
    if id(value) in seen:
        return
    seen.add(id(value))
    inside = vars(value) if isinstance(value, Module) else value

    def look(key, path, member):
        if isinstance(member, Tensor) and id(member) in wanted:
            yield inside, key, path, wanted[id(member)]
        elif isinstance(member, tuple):
            for i, part in enumerate(member):
                yield from look(key, (*path, i), part)
        elif isinstance(member, (Module, list, dict)):
            yield from _find_places(member, wanted, seen)

    for key, member in list(inside.items() if isinstance(inside, dict) else enumerate(inside)):
        yield from look(key, (), member)


def _replaced(value, path: tuple, tensor):
    """The tensor, or the tuple `value` with the tensor at the end of the path through tuples."""
    if not path:
        return tensor
    items = list(value)
    items[path[0]] = _replaced(items[path[0]], path[1:], tensor)
    return type(value)._make(items) if hasattr(value, "_make") else type(value)(items)


def _name_problems(missing, unexpected, tensors) -> list[str]:
    """One line for each missing and each unexpected name, with the closest known name."""
    lines = [f"missing: {name} {tensors[name].describe()}" for name in missing]
    for name in unexpected:
        lines.append(f"unexpected: {name}{nearest(name, tensors)}")
    return lines


class Sequential(Module):
    """Modules applied one after the other; parts are named by position: ``0.weight``.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> rng = gg.Generator(0)
    >>> net = nn.Sequential(nn.Linear(4, 3, rng=rng), nn.Tanh(), nn.Linear(3, 1, rng=rng))
    >>> net
    Sequential(19 parameters)
      0: Linear(4 -> 3, 15 parameters)
      1: Tanh()
      2: Linear(3 -> 1, 4 parameters)
    >>> net(gg.ones((2, 4))).shape
    (2, 1)
    """

    def __init__(self, *layers: Module | Callable):
        self.layers = list(layers)

    def members(self):
        """The layers, named by position."""
        return enumerate(self.layers)

    def forward(self, x):
        """x through all layers in order."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self):
        return len(self.layers)

    def __iter__(self):
        return iter(self.layers)

    def __getitem__(self, index):
        return self.layers[index]
