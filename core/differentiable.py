"""How a differentiable function is declared: once, next to its derivative.

The multiplication of this engine is ::

    @differentiable(
        x=lambda g, y, x_shape: sum_to(g * y, x_shape),
        y=lambda g, x, y_shape: sum_to(g * x, y_shape),
    )
    def mul(x, y, /):
        return x * y

- Arguments before the slash are tensors, those after it are settings (plain Python values).
- The body sees arrays and returns an array, or a tuple of them.
- For each tensor argument there is one derivative: it maps the cotangent `g` of the output (a
tuple when there are several outputs) to the cotangent of that argument. It *names* what it needs:
`g`, `out` (the output), any argument, any setting, or `x_shape` for the shape of argument x.
Nothing else is kept alive on the tape. With several outputs, `g` holds None for those that
nothing was computed from.
- Derivatives are written with tensors and differentiable functions, so they can be differentiated
  again: any order works, and no second derivative is ever derived by hand.
- `vjp=` gives all cotangents at once, where they share work. It names what it needs in the same
  way, and `needs` (one bool per tensor argument) if it matters which ones are requested.
- `composed=` marks `vjp` as *fused* (a kernel that is not differentiable itself): it serves the
first order only. When the gradient itself must be differentiable, the call is replayed through
`composed`, the same function written with differentiable functions.
"""

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from ..kernels import registry
from ..kernels.doors import Door, memory_error
from ..kernels.errors import (
    ArgumentError,
    DeviceError,
    DTypeError,
    GlassgradError,
    ShapeError,
    ValueRangeError,
    describe,
    expect,
)
from . import debug
from .arrays import is_array, is_cupy, plain, xp_of
from .kinds import SETTING
from .observers import watch_end, watch_start
from .recording import grad_enabled
from .tape import GraphError, Node, grad
from .tensor import Tensor, TensorError, numbers_of

FUNCTIONS: dict[str, "Differentiable"] = {}
P = ParamSpec("P")  # of the body: what a type checker sees of the function


class Differentiable:
    """A function on tensors that knows its derivative. Call it like the function it wraps."""

    def __init__(
        self, body, derivatives, vjp, composed, piecewise, elementwise, floats, flops, name
    ):
        self.body = body
        self.name = name or body.__name__
        self.__name__, self.__doc__, self.__module__ = self.name, body.__doc__, body.__module__
        self.__qualname__, self.__wrapped__ = body.__qualname__, body
        parameters = inspect.signature(body).parameters.values()
        self.tensors = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.optional = {
            p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is None
        }
        self._rest = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        self.setting_names = [p.name for p in self._rest]
        self.derivatives, self.vjp, self.composed, self.flops = derivatives, vjp, composed, flops
        self.piecewise, self.elementwise, self.floats = piecewise, elementwise, floats
        self._wants = {f: list(inspect.signature(f).parameters) for f in derivatives.values()}
        if vjp is not None:
            self._wants[vjp] = list(inspect.signature(vjp).parameters)
        wanted = {name for names in self._wants.values() for name in names}
        # a fused function keeps all its inputs, because `composed` needs them
        self.keeps = [t for t in self.tensors if t in wanted] if composed is None else self.tensors
        self.keeps_out = "out" in wanted
        self.keeps_all = self.variadic and "xs" in wanted

    @functools.cached_property
    def read(self):
        """A function from settings by name to all settings, checked; compiled at the first call."""
        found = ", ".join(f"{name!r}: {name}" for name in self.setting_names)
        door = _Settings(self.name, self._rest, SETTING)
        door.tensors = self.tensors
        return door.compiled(f"return {{{found}}}")

    def __repr__(self):
        return f"<differentiable {self.name}>"

    def __get__(self, instance, owner=None):
        """Bind to a tensor, as functions do: `Tensor.exp = exp` makes a method."""
        return self if instance is None else types.MethodType(self, instance)

    # ---------------------------------------------------------------- forward

    def __call__(self, *args, **settings):
        if self.variadic:
            joined = len(args) == 1 and isinstance(args[0], (list, tuple))
            tensors = tuple(args[0]) if joined else args
        else:
            n = len(self.tensors)
            tensors, extra = args[:n], args[n:]
            if len(tensors) < n:
                missing = self.tensors[len(tensors) :]
                if settings:  # tensors among them are refused
                    self.read(**settings)
                if not self.optional.issuperset(missing):
                    raise ArgumentError(f"{self.name}: missing argument {missing[0]!r}")
                tensors = tensors + (None,) * len(missing)
            if extra:
                if len(extra) > len(self.setting_names):
                    most = n + len(self.setting_names)
                    raise ArgumentError(f"{self.name}: takes {most} arguments; got {len(args)}")
                twice = [name for name in self.setting_names[: len(extra)] if name in settings]
                if twice:
                    raise ArgumentError(f"{self.name}: {twice[0]} is given by place and by name")
                settings.update(zip(self.setting_names, extra, strict=False))
        if self.setting_names or settings:
            settings = self.read(**settings)
        arrays = self._arrays(tensors)
        given = [t for t in tensors if type(t) is Tensor]

        start = watch_start()
        registry.last_run()  # forget a kernel that ran outside of any call: it is not ours
        try:
            out = self.body(*arrays, **settings)
        except GlassgradError:
            raise
        except (ValueError, IndexError, TypeError, OverflowError, MemoryError) as error:
            raise self._refusal(arrays, error) from error
        ran = registry.last_run()
        several = type(out) is tuple
        outs = tuple(o if is_array(o) else np.asarray(o) for o in (out if several else (out,)))
        if start is not None or debug.level():
            watch_end(self, start, arrays, outs, settings, ran)

        if grad_enabled() and any(t.requires_grad for t in given):
            node = self._record(tensors, arrays, outs, settings, ran)
            made = [
                Tensor(o, node=node, index=i) if o.dtype.kind == "f" else Tensor(o, derived=True)
                for i, o in enumerate(outs)
            ]
        else:
            derived = any(t.requires_grad or t.computed for t in given)
            made = [Tensor(o, derived=derived) for o in outs]
        for view in made:
            for t in given:
                if _shares_memory(view.data, t.data):
                    view.changes = t.changes
        return tuple(made) if several else made[0]

    def _refusal(self, arrays, error):
        """The array library's error in our own format."""
        if isinstance(error, MemoryError):
            return memory_error(self.name, error)
        if isinstance(error, (TypeError, OverflowError)):
            kind = DTypeError if isinstance(error, TypeError) else ValueRangeError
            return kind(f"{self.name}: {error} {self._describe(arrays)}")
        shapes = [a.shape for a in arrays if is_array(a)]
        if (self.elementwise or self.floats) and len(shapes) > 1 and not self.variadic:
            must = "shapes must broadcast; expected lengths that are equal or 1, counted from the"
            return ShapeError(
                f"{self.name}: {must} last axis, got {' and '.join(map(str, shapes))}"
                f" {self._describe(arrays)}"
            )
        return ShapeError(f"{self.name}: {error} {self._describe(arrays)}")

    def _arrays(self, tensors):
        """The arrays behind the arguments, checked: one float dtype, one device."""
        arrays = [t.data if type(t) is Tensor else _plain(t, self) for t in tensors]
        dtype = gpu = None
        for a in arrays:
            if is_array(a):
                if a.dtype.kind == "f":
                    if dtype is not None and a.dtype != dtype:
                        raise DTypeError(
                            f"{self.name}: float dtypes must agree; expected {dtype}, got {a.dtype}"
                            f" {self._describe(arrays)}; convert one with .astype(...)"
                        )
                    dtype = a.dtype
                if a.ndim:
                    if gpu is not None and gpu != is_cupy(a):
                        raise DeviceError(
                            f"{self.name}: all arguments must be on one device; expected"
                            f" {'cuda' if gpu else 'cpu'}, got {'cuda' if is_cupy(a) else 'cpu'}"
                            f" {self._describe(arrays)}; move one with .to('cuda') or .to('cpu')"
                        )
                    gpu = is_cupy(a)
        if dtype is None:  # Python floats, and integers where a float is needed, become float32
            if not any(is_array(a) for a in arrays):
                arrays = [
                    np.float32(a)[...] if type(a) is float
                    else a if a is None else numbers_of(self.name, a)
                    for a in arrays
                ]  # fmt: skip
            if self.floats or (self.elementwise and any(type(a) is float for a in arrays)):
                dtype = np.dtype(np.float32)
        if dtype is not None and (self.elementwise or self.floats):
            arrays = [
                a.astype(dtype) if is_array(a) and a.dtype.kind in "iub" else a for a in arrays
            ]
        return arrays

    def _describe(self, arrays):
        names = self.tensors or [f"x{i}" for i in range(len(arrays))]
        return describe(**{n: a for n, a in zip(names, arrays) if a is not None})

    def _record(self, tensors, arrays, outs, settings, ran):
        node = Node(
            self,
            tuple(t.edge if type(t) is Tensor else None for t in tensors),
            tuple(a.shape if is_array(a) else () for a in arrays),
            {name: _own(value) for name, value in settings.items()},
        )
        names = range(len(arrays)) if self.variadic else self.tensors
        for name, t, a in zip(names, tensors, arrays):
            if self.keeps_all or name in self.keeps:
                node.saved[name] = a
                if type(t) is Tensor:
                    node.versions[name] = (t, t.version)
        node.outputs = tuple((o.shape, o.dtype) for o in outs)
        if self.keeps_out:
            node.out = outs
        node.ran = ran
        node.xp = xp_of(*outs)
        return node

    # --------------------------------------------------------------- backward

    def pull_back(self, node: Node, cotangents, needs):
        """Cotangents of the arguments from those of the outputs; None where not needed."""
        g = cotangents[0] if len(cotangents) == 1 else tuple(cotangents)
        values = {"g": g, "needs": needs, **node.settings}
        for name, (tensor, version) in node.versions.items():
            if tensor.version != version:
                raise GraphError(
                    f"{self.name}: {name} {tensor.describe()} was changed in place after the"
                    " forward call; run the forward call again before asking for its gradient"
                )
        for position, (edge, shape) in enumerate(zip(node.edges, node.shapes)):
            name = position if self.variadic else self.tensors[position]
            values[f"{name}_shape"] = shape
            if name in node.saved:
                values[name] = _rebuilt(node.saved[name], edge)
        if self.variadic:
            values["shapes"] = node.shapes
            values["xs"] = tuple(values.get(i) for i in range(len(node.edges)))
        if node.out is not None:  # tracked, so that derivatives of higher order go through it
            outs = tuple(
                Tensor(o, node=node, index=i) if o.dtype.kind == "f" else Tensor(o)
                for i, o in enumerate(node.out)
            )
            values["out"] = outs[0] if len(outs) == 1 else outs
        if self.composed is not None and grad_enabled():  # the gradient is to be differentiated
            return self._replay(node, cotangents, values, needs)
        if self.vjp is not None:
            found = self._pull_back_at_once(node, cotangents, values)
            return [f if n else None for f, n in zip(found, needs)]
        result = []
        for name, need in zip(self.tensors, needs):
            if need and name not in self.derivatives:
                raise GraphError(f"{self.name}: has no derivative with respect to {name!r}")
            f = self.derivatives[name] if need else None
            result.append(f(**{k: values[k] for k in self._wants[f]}) if need else None)
        return result

    def _pull_back_at_once(self, node, cotangents, values):
        """What `vjp` returns; a kernel that it ran is reported to the observers."""
        start = watch_start()
        registry.last_run()  # forget earlier kernels
        found = self.vjp(**{k: values[k] for k in self._wants[self.vjp]})
        found = found if isinstance(found, (tuple, list)) else (found,)
        ran = registry.last_run()
        n, what = len(node.edges), "vjp must return one cotangent for each argument"
        expect(len(found) == n, self.name, what, n, len(found), GraphError)
        if ran is not None and (start is not None or debug.level()):
            arrays = [c.data for c in cotangents if c is not None] + list(node.saved.values())
            outs = tuple(f.data for f in found if f is not None)
            flops = self.flops and (
                lambda *_: 2 * self.flops(list(node.saved.values()), node.out, node.settings)
            )
            backward = types.SimpleNamespace(name=f"{self.name}_backward", flops=flops)
            watch_end(backward, start, arrays, outs, node.settings, ran)
        return found

    def _replay(self, node, cotangents, values, needs):
        """The gradient through `composed`, on the tape: what makes fused functions any-order.

        The inputs are replaced by aliases: the walk ends there, even if one input was computed
        from another.
        """
        inputs = [values.get(name) for name in self.tensors]
        aliases = [alias(t) if need else t for t, need in zip(inputs, needs)]
        outs = self.composed(*aliases, **node.settings)
        outs = outs if isinstance(outs, tuple) else (outs,)
        pairs = [(o, c) for o, c in zip(outs, cotangents) if o.edge is not None and c is not None]
        wanted = [a for a, need in zip(aliases, needs) if need]
        outs, given = [o for o, _ in pairs], [c for _, c in pairs]
        found = iter(grad(outs, wanted, given, create_graph=True, unused="zero"))
        return [next(found) if need else None for need in needs]


def _plain(value, function: Differentiable):
    """A non-tensor argument as an array, or as a Python scalar, which adopts the others' dtype."""
    if isinstance(value, np.generic):  # first: np.float64 is a Python float, but keeps its dtype
        return value.item()
    if isinstance(value, (bool, int, float)) or is_array(value):
        return plain(value)
    if value is None and function.optional:
        return None
    array = numbers_of(function.name, value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


class _Settings(Door):
    """Settings are constants: a tracked tensor among them would lose its gradient."""

    def read(self, i: int, value, me=None):
        if type(value) is Tensor and value.edge is not None:
            raise TensorError(
                f"{self.name}: {self.parameters[i].name} is a setting: no gradient would flow to"
                f" the tensor {value.describe()}; pass a number, or .detach() it"
            )
        return super().read(i, value)

    def unexpected(self, more, other, me=None):
        for name in filter(other.__contains__, self.tensors):
            raise ArgumentError(f"{self.name}: {name} is given by place, not by name")
        super().unexpected(more, other, me)


def _own(value):
    """A copy of a setting for the tape: the caller may reuse its buffer of labels or indices."""
    if type(value) is Tensor:
        return Tensor(value.data.copy())
    if is_array(value):
        return value.copy()
    return type(value)(map(_own, value)) if type(value) in (tuple, list) else value


def _shares_memory(o, a) -> bool:
    """True if the output `o` is the argument `a` or a view of it."""
    return o is a or (o.base is not None and (o.base is a or o.base is a.base))


def _rebuilt(array, edge):
    """The tensor behind an edge, rebuilt around the saved array."""
    if type(edge) is tuple:
        return Tensor(array, node=edge[0], index=edge[1])
    if edge is not None:
        return edge
    return Tensor(array) if is_array(array) else array


def differentiable(
    vjp=None, *, composed=None, piecewise=False, elementwise=False, floats=False, flops=None,
    name=None, **derivatives,
) -> Callable[[Callable[P, Any]], Callable[P, Tensor]]:  # fmt: skip
    """Declare a differentiable function; see the module's docstring.

    piecewise    it has kinks, or a second derivative that is zero almost everywhere
    elementwise  integer and boolean arguments are converted to the dtype of the float arguments
    floats       the same, and to float32 where no argument is a float
    flops        (arrays, outputs, settings) -> floating-point operations, default one per output
    name         for messages and tables, where it differs from the name of the body
    """

    def declare(body) -> Any:
        function = Differentiable(
            body, derivatives, vjp, composed, piecewise, elementwise, floats, flops, name
        )
        unknown = set(derivatives) - set(function.tensors)
        if unknown:
            raise GraphError(f"{function.name}: derivative for unknown argument {sorted(unknown)}")
        FUNCTIONS[function.name] = function
        return function

    return declare


def moves(arrays, outs, settings) -> int:
    """The `flops` of a function that only moves or repeats values: zero."""
    return 0


@differentiable(x=lambda g: g, flops=moves)
def alias(x, /):
    """The same values at a new place on the tape."""
    return x
