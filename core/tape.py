"""The tape: which function produced which tensor, and the walk back along it.

While a program runs, every call of a differentiable function on tracked tensors leaves a `Node`.
A node knows its inputs by *edges*: the leaf tensor itself, or (node, output index) of the call that
produced it. Nodes never point forwards, so a finished graph is freed by reference counting alone.

**Why the order matters.** Take ::

    b = a + a
    c = b + b

The gradient at b arrives in two parts, one along each b of the second line. A walk that passes on
each part as soon as it arrives calls the first line's derivative twice, and in a chain of n such
lines 2ⁿ times. A walk that visits each node once but too early loses a part. Passing a gradient on
only after *all* uses of b have contributed, that is walking in reverse topological order, visits
each line once. Nodes are numbered as they are created, and the inputs of a node are always older
than the node: descending numbers are such an order, and need no recursion.

Gradients are kept in a dictionary per call, not on the nodes: a second identical call gives the
same answer.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated, Any, overload

from ..kernels.annotations import Kind
from ..kernels.checks import choice
from ..kernels.errors import DTypeError, GlassgradError, expect
from .recording import recording
from .tensor import Tensor, numbers_of

_numbers = itertools.count()


def _tensors(value):
    """A tensor, or a list of tensors only."""
    if isinstance(value, Tensor):
        return value
    found = list(value)
    if not all(isinstance(t, Tensor) for t in found):
        raise TypeError
    return found


Tensors = Annotated[object, Kind("Tensors", "a tensor or a list of tensors", _tensors)]


class GraphError(GlassgradError, RuntimeError):
    """A derivative was requested that the tape does not have."""


class Node:
    """One recorded call.

    function  the differentiable function (core/differentiable.py)
    edges     one per tensor argument: a leaf Tensor, a (Node, index), or None when untracked
    shapes    shapes of the tensor arguments
    saved     argument name -> array, only those that a derivative needs
    settings  the non-tensor arguments
    outputs   [(shape, dtype)] of the outputs; `out` holds the arrays if a derivative needs them
    ran       the kernel record (kernels/registry.py) if a hand-written kernel ran, else None
    """

    __slots__ = (
        "edges", "function", "number", "out", "outputs", "ran", "saved", "settings", "shapes",
        "versions", "xp",
    )  # fmt: skip

    def __init__(self, function, edges, shapes, settings):
        self.number = next(_numbers)
        self.function = function
        self.edges = edges
        self.shapes = shapes
        self.settings = settings
        self.saved = {}
        self.versions = {}
        self.out = None
        self.outputs = ()
        self.ran = None
        self.xp = None

    def __repr__(self):
        ran = f" on {self.ran.backend} v{self.ran.version}" if self.ran else ""
        return f"<{self.function.name} #{self.number}{ran}>"


def _key(edge):
    """A key that identifies the tensor at the other end of an edge."""
    return edge if type(edge) is tuple else id(edge)


def _reachable(roots) -> list[Node]:
    """All nodes behind `roots`, newest first."""
    seen, stack = set(), list(roots)
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(e[0] for e in node.edges if type(e) is tuple and e[0] not in seen)
    return sorted(seen, key=lambda n: n.number, reverse=True)


def walk_back(
    outputs, cotangents, wanted: set | None, create_graph: bool, look=None, final=None
) -> dict:
    """Gradients of Σ <output, cotangent> for every tensor in `wanted` (keys as of `_key`).

    `wanted` None means every leaf that requires a gradient. Returns {key: (edge, gradient)}.
    ``look(node, cotangents of its outputs, cotangents of its arguments)`` is called for every node,
    ``final(leaf, gradient)`` for every wanted leaf behind it once nothing more can be added.
    """
    roots = [t.node for t in outputs if t.node is not None]
    order = _reachable(roots)

    # A node is worth visiting if something wanted lies behind it: decided oldest first.
    def is_wanted(edge):
        return edge is not None and (
            type(edge) is not tuple if wanted is None else _key(edge) in wanted
        )

    worth = set()
    for node in reversed(order):
        if any(is_wanted(e) or (type(e) is tuple and e[0] in worth) for e in node.edges):
            worth.add(node)

    # How many uses of a leaf are still to come: its gradient is final with the last of them.
    uses = Counter()
    if final is not None:
        leaves = (e for node in worth for e in node.edges if type(e) is not tuple and is_wanted(e))
        uses.update(map(id, leaves))

    grads, owned, found = {}, set(), {}

    def add(edge, g):
        key = _key(edge)
        if key not in grads:
            grads[key] = g
        elif key in owned:  # a buffer of this walk, which nobody else can see: add in place
            grads[key].data += g.data
        else:
            grads[key] = grads[key] + g
            if not create_graph and grads[key].data.ndim:
                owned.add(key)
        if is_wanted(edge):
            found[key] = edge

    def used(node):
        if final is None:
            return
        for key in [id(e) for e in node.edges if id(e) in uses]:
            uses[key] -= 1
            if not uses[key] and key in found:
                final(found[key], grads[key])

    with recording(create_graph):
        for t, g in zip(outputs, cotangents):
            if t.edge is not None:
                add(t.edge, g)
        for node in order:
            if node not in worth:
                continue
            keys = [(node, i) for i in range(len(node.outputs))]
            got = [grads.get(k) for k in keys]
            if all(g is None for g in got):
                used(node)
                continue
            needs = [is_wanted(e) or (type(e) is tuple and e[0] in worth) for e in node.edges]
            pulled = node.function.pull_back(node, got, needs)
            if look is not None:
                look(node, got, pulled)
            for i, (edge, shape, need, g) in enumerate(zip(node.edges, node.shapes, needs, pulled)):
                if need:
                    if g is None:
                        raise GraphError(
                            f"{node.function.name}: the derivative of argument {i} returned None;"
                            " a gradient that is zero must be returned as zeros"
                        )
                    name, what = node.function.name, "a gradient must have its argument's shape"
                    expect(g.shape == shape, name, what, shape, g.shape, GraphError)
                    add(edge, g)
            for k in keys:  # done: free the gradients that nobody asked for
                if k not in found:
                    grads.pop(k, None)
                    owned.discard(k)
            used(node)
        if final is not None:
            for key, edge in found.items():
                if type(edge) is not tuple and key not in uses:  # an output that is a leaf
                    final(edge, grads[key])
    return {key: (edge, grads[key]) for key, edge in found.items()}


def _pairs(function, outputs, cotangents):
    """Lists of outputs and cotangents of equal length; a scalar output has cotangent 1."""
    if isinstance(outputs, Tensor):
        listed = isinstance(cotangents, (list, tuple)) and any(
            isinstance(c, Tensor) for c in cotangents
        )
        outputs, cotangents = [outputs], cotangents if listed else [cotangents]
    else:
        outputs = list(outputs)
    if cotangents is None:
        cotangents = [None] * len(outputs)
    n, what = len(outputs), "there must be one cotangent for each output"
    expect(len(cotangents) == n, function, what, n, len(cotangents))
    full = []
    for t, g in zip(outputs, cotangents):
        if t.edge is None:
            raise GraphError(
                f"{function}: the output {t.describe()} does not depend on any tensor that requires"
                " a gradient; was it made under no_grad(), or are all its inputs constants?"
            )
        if g is None:
            if t.size != 1:
                raise GraphError(
                    f"{function}: the output {t.describe()} is not a scalar;"
                    " pass a cotangent of its shape, or reduce it with .sum() or .mean()"
                )
            g = t.xp.ones(t.shape, t.dtype)
        g = g if isinstance(g, Tensor) else Tensor(numbers_of(function, g, like=t.data))
        shown, what = {"output": t, "cotangent": g}, "a cotangent must have its output's shape"
        expect(g.shape == t.shape, function, what, t.shape, g.shape, **shown)
        what = "a cotangent must have its output's dtype"
        expect(g.dtype == t.dtype, function, what, t.dtype, g.dtype, DTypeError, **shown)
        full.append(g)
    return outputs, full


@overload
def grad(
    outputs: Tensors,
    inputs: Tensor,
    cotangents: Any = None,
    *,
    create_graph: bool = False,
    unused: str = "error",
    final: Callable | None = None,
) -> Tensor: ...
@overload
def grad(
    outputs: Tensors, inputs: Iterable[Tensor], cotangents: Any = None, *,
    create_graph: bool = False, unused: str = "error", final: Callable | None = None,
) -> list[Tensor]: ...  # fmt: skip
def grad(
    outputs: Tensors,
    inputs: Tensors,
    cotangents=None,
    *,
    create_graph: bool = False,
    unused: str = "error",
    final: Callable | None = None,
):
    """Gradients of Σ <output, cotangent> with respect to `inputs`, as a list of tensors.

    A single tensor as `inputs` gives a single tensor back. With `create_graph` the gradients are
    themselves on the tape and can be differentiated again, any number of times. An input that the
    outputs do not depend on is an error, or zeros with ``unused="zero"``. `final` is called for
    inputs that are leaves, as in `backward`.

    >>> import glassgrad as gg
    >>> x = gg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> gg.grad((x**3).sum(), x).numpy().tolist()
    [3.0, 12.0, 27.0]
    >>> first = gg.grad((x**3).sum(), x, create_graph=True)
    >>> gg.grad(first.sum(), x).numpy().tolist()
    [6.0, 12.0, 18.0]
    """
    choice("grad", "unused", unused, ("error", "zero"), GraphError)
    single = isinstance(inputs, Tensor)
    inputs = [inputs] if single else list(inputs)
    for i, t in enumerate(inputs):
        if t.edge is None:
            raise GraphError(f"grad: inputs[{i}] {t.describe()} is not tracked: set requires_grad")
    outputs, cotangents = _pairs("grad", outputs, cotangents)
    wanted = {_key(t.edge) for t in inputs}
    found = walk_back(outputs, cotangents, wanted, create_graph, final=final)
    result, given = [], {_memory(c) for c in cotangents}
    for i, t in enumerate(inputs):
        if _key(t.edge) in found:
            result.append(_separate(found[_key(t.edge)][1], given, create_graph))
        elif unused == "zero":
            result.append(Tensor(t.xp.zeros(t.shape, t.dtype)))
        else:
            raise GraphError(
                f"grad: the outputs do not depend on inputs[{i}] {t.describe()};"
                " pass unused='zero' if that is meant"
            )
    return result[0] if single else result


def backward(
    output: Tensors, cotangent=None, *, create_graph: bool = False, accumulate: bool = False,
    final: Callable | None = None,
) -> None:  # fmt: skip
    """Set `.grad` of every leaf that `output` depends on; see Tensor.backward.

    final(leaf, gradient) is called for every such leaf as soon as its gradient by this call is
    complete, while those of others are still to be computed: at the end of a network first. It may
    read the gradient, and change nothing.

    >>> import glassgrad as gg
    >>> x = gg.tensor([1.0, 2.0], requires_grad=True)
    >>> gg.backward(x * x, gg.tensor([1.0, 10.0]))
    >>> x.grad
    tensor([ 2., 40.])
    """
    outputs, cotangents = _pairs("backward", output, cotangent)
    given = {_memory(c) for c in cotangents}
    for leaf, g in walk_back(outputs, cotangents, None, create_graph, final=final).values():
        if accumulate and leaf.grad is not None:
            g = leaf.grad + g
        leaf.grad = _separate(g, given, create_graph)


def _separate(g, given: set, create_graph: bool):
    """The gradient in its own array, different from those already `given`.

    c = a + b passes one array to both; changing b's gradient must not change a's.
    """
    if not create_graph and _memory(g) in given:
        g = Tensor(g.data.copy())
    given.add(_memory(g))
    return g


def _memory(t) -> int:
    """Equal for tensors that share their array's memory."""
    return id(t.data if t.data.base is None else t.data.base)
