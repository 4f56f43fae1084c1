"""Where a number stops being finite: found afterwards, on the tape that the step left behind.

A healthy step pays nothing for this. When a loss or a gradient is not finite, the graph still
exists. For a bad *loss*, its calls are repeated, oldest first, from what the tape kept. For a bad
*gradient* of a finite loss, a second backward walk checks every cotangent.

**How a finite loss can have an infinite gradient.** A network that is unrolled in time multiplies
the gradient by ∂hₜ/∂hₜ₋₁ = φ'(a) W at every step back. If φ' = 1 (a tanh near 0: a piano roll that
begins with silence) and W has a spectral radius ρ above 1, T steps make it ρᵀ times as large: 10⁴⁰,
beyond float32, while h and the loss stay small. Clipping acts on the finished gradient, too late.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ...kernels.errors import GlassgradError
from ..arrays import is_array, xp_of
from ..tape import Node, _reachable, walk_back
from ..tensor import Tensor

RECURRENT = ("lstm", "gru")  # functions that loop over all time steps themselves


class DivergedError(GlassgradError, ArithmeticError):
    """The loss, a gradient, a weight or a validation metric became NaN or infinite."""


@dataclass(frozen=True)
class Culprit:
    """The call that produced the first number that is not finite.

    kind       "infinite" or "NaN"
    function   of the call; "" if the number was there before any call
    parameter  the nearest parameter behind the call, by its path in the system; "" if there is none
    uses       how often the parameter is used; the backward walk had passed `behind` of them
    growth     factor by which the largest cotangent grew from use to use; 0 if there are too few
    known      False if the tape kept too little to tell this call from those after it
    """

    kind: str
    function: str
    parameter: str = ""
    uses: int = 0
    behind: int = 0
    growth: float = 0.0
    known: bool = True

    @property
    def unrolled(self) -> bool:
        """True if it is a network unrolled in time."""
        return self.uses > 2 or self.function in RECURRENT

    def __str__(self):
        if not self.function:
            return f"{self.parameter or 'what the batch holds'} is {self.kind} to begin with"
        text = f"{self.function}" + (f" of {self.parameter}" if self.parameter else "")
        if not self.known:
            text += " has finite inputs; it, or what follows it, makes the first"
            return f"{text} {self.kind} number"
        text += f" makes the first {self.kind} number"
        if self.uses > 2 and self.behind:
            text += f", {self.behind} of {self.uses} uses back from the loss"
        if self.growth > 1:
            text += f"; with each use the largest grew {self.growth:.3g}-fold"
        return text


def _bad(a) -> str:
    """What is wrong with an array: "NaN", "infinite" or ""."""
    if not is_array(a) or a.dtype.kind != "f":
        return ""
    xp = xp_of(a)
    if bool(xp.isfinite(a).all()):
        return ""
    return "NaN" if bool(xp.isnan(a).any()) else "infinite"


def _parameter(node: Node, names: dict) -> str:
    """The name of the nearest parameter behind a call, by the number of calls in between."""
    seen, layer = {node}, [node]
    while layer:
        edges = [e for n in layer for e in n.edges if e is not None]
        for e in edges:
            if isinstance(e, Tensor) and id(e) in names:
                return names[id(e)]
        layer = list({e[0]: None for e in edges if type(e) is tuple and e[0] not in seen})
        seen.update(layer)
    return ""


def in_forward(loss: Tensor, names: dict) -> Culprit | None:
    """What produced the first number that is not finite on the way to a loss; None if nothing did.

    The calls are repeated, oldest first, as far as the tape kept their arguments. `names` maps
    id(parameter) to its path.
    """
    if loss.node is None:
        return None
    nodes = _reachable([loss.node])[::-1]
    made: dict[tuple, np.ndarray | None] = {}  # None after the last use: known, not needed
    uses = Counter(edge for n in nodes for edge in n.edges if type(edge) is tuple)
    with np.errstate(all="ignore"):
        for node in nodes:
            arguments = _arguments(node, made)
            for edge, a in zip(node.edges, arguments):
                if kind := _bad(a):
                    if type(edge) is tuple:
                        return _maker(kind, edge[0], made, names)
                    return Culprit(kind, "", names.get(id(edge), ""))
            outs = node.out if node.out is not None else _again(node, arguments)
            for i, out in enumerate(outs):
                if kind := _bad(out):
                    return _maker(kind, node, made, names)
                made[node, i] = out if uses[node, i] else None
            for edge in node.edges:
                if type(edge) is tuple:
                    uses[edge] -= 1
                    if edge in made and not uses[edge]:
                        made[edge] = None
    kind = _bad(loss.data)
    return _maker(kind, loss.node, made, names) if kind else None


def _arguments(node: Node, made: dict) -> list:
    """The arguments of a call; `...` for those that are no longer known."""
    found = []
    for i, (edge, shape) in enumerate(zip(node.edges, node.shapes)):
        key = i if node.function.variadic else node.function.tensors[i]
        if key in node.saved:
            found.append(node.saved[key])
        elif type(edge) is tuple:
            found.append(made.get(edge, ...))
        elif edge is not None:
            found.append(edge.data)
        else:  # a constant that no derivative needs
            found.append(None if key in node.function.optional and shape == () else ...)
    return found


def _again(node: Node, arguments: list) -> tuple:
    """The outputs of the repeated call; empty if an argument is not known."""
    if any(a is ... for a in arguments):
        return ()
    outs = node.function.body(*arguments, **node.settings)
    return outs if type(outs) is tuple else (outs,)


def _maker(kind: str, node: Node, made: dict, names: dict) -> Culprit:
    """The call that produced a number, or the newest before it whose arguments are known."""
    layer, seen = [node], {node}
    while layer:
        for n in layer:
            if all(a is not ... for a in _arguments(n, made)):
                name = _parameter(n, names)
                return Culprit(kind, n.function.name, name, known=n is node)
        edges = [e[0] for n in layer for e in n.edges if type(e) is tuple and e[0] not in seen]
        layer = list(dict.fromkeys(edges))
        seen.update(layer)
    return Culprit(kind, node.function.name, _parameter(node, names), known=False)


def in_backward(loss: Tensor, names: dict) -> Culprit | None:
    """What produced the first cotangent that is not finite on the way back from a loss."""
    if loss.node is None:
        return None
    sizes: dict[str, list] = {}
    found = []

    def look(node, got, pulled):
        if found:
            return
        direct = [names[id(e)] for e in node.edges if isinstance(e, Tensor) and id(e) in names]
        top = max((float(abs(g.data).max()) for g in got if g is not None and g.size), default=0.0)
        for name in direct:
            sizes.setdefault(name, []).append(top)
        kind = next(filter(None, (_bad(g.data) for g in pulled if g is not None)), "")
        if kind:
            found.append((node, kind))

    with np.errstate(all="ignore"):
        one = Tensor(loss.xp.ones(loss.shape, loss.dtype))
        walk_back([loss], [one], None, create_graph=False, look=look)
    if not found:
        return None
    node, kind = found[0]
    name = _parameter(node, names)
    uses = sum(
        any(names.get(id(e)) == name for e in n.edges if isinstance(e, Tensor))
        for n in _reachable([loss.node])
    )
    # the geometric mean of the growth from one use to the next
    passed = [s for s in sizes.get(name, []) if 0 < s < np.inf]
    growth = (passed[-1] / passed[0]) ** (1 / (len(passed) - 1)) if len(passed) > 2 else 0.0
    return Culprit(kind, node.function.name, name, uses, len(sizes.get(name, [])), growth)


def advice(culprit: Culprit, forward: bool, begun: bool) -> str:
    """What may help, judging by the place. `begun`: whether training has changed the weights."""
    lr = ", or a smaller lr" if begun else ""
    if not culprit.function:
        return "look at the data" if not culprit.parameter else "its initial value is at fault"
    if culprit.unrolled and not forward:  # also if a fused call turned it into ∞ - ∞ = NaN
        return (
            "clipping comes after the backward pass and cannot help; try shorter sequences"
            " (truncated back-propagation through time), recurrent weights that start smaller (a"
            f" spectral radius of at most 1), an lstm or gru{lr}"
        )
    if culprit.kind == "NaN":
        return f"its derivative or its value has none there: change what goes into it{lr}"
    if forward:
        return f"try smaller initial weights, inputs of the order of 1{lr}"
    return (
        "clipping comes after the backward pass and cannot help; try smaller initial weights or"
        f" normalisation{lr}"
    )
