"""Are the derivatives right? Central differences against the tape, in float64.

What is compared is the gradient of  s(x) = Σ <u, f(x)>  for a random cotangent u, never for u = 1:
rows of a softmax sum to one, so with ``sum()`` a derivative that returns zero would pass.

    difference  = (s(x + h e) - s(x - h e)) / 2h,      error O(h²) + O(ε/h)

**What an error is relative to.** The gradients of two arguments may differ by many orders of
magnitude, and with one common scale the smaller could be anything. So for each argument i ::

    |gradient - difference|  ≤  tolerance · max over i of |gradient|, |difference|  +  rounding
    rounding  =  C ε (Σ|u f(x)| + Σ|gradient · x| over the coordinates that move) / h

`rounding` is what the difference itself cannot resolve: each term of s is known to ε of its size,
and each x ± h to ε of x. There is no other absolute tolerance.

The second order applies the same check to  Σ <v, ∇s(x)>, with u among its variables: the derivative
of the derivative with respect to every argument.

A kink within h of x makes the two one-sided differences disagree; when the graph holds a function
declared piecewise, the point is moved and the check repeated, and the report says how often.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..kernels.checks import choice, within
from ..kernels.errors import GlassgradError
from .arrays import to_device
from .kinds import Like
from .recording import recording
from .tape import _reachable, grad
from .tensor import Tensor

ROUNDINGS = 32  # C: the number of roundings behind a value
EPS = 2.0**-52


class GradcheckError(GlassgradError, AssertionError):
    """A derivative disagrees with its finite difference."""


@dataclass(frozen=True)
class GradcheckReport:
    """Largest error relative to its argument's scale (and rounding), directions tried, notes."""

    name: str
    order: int
    error: float
    directions: int
    resampled: int
    piecewise: bool
    zero: bool  # at order 2: every second derivative is zero here

    def __str__(self):
        notes = ["piecewise"] * self.piecewise + ["second derivative zero"] * self.zero
        if self.resampled:
            notes.append(f"resampled {self.resampled}x")
        return f"{self.name} order {self.order}: error {self.error:.1e} {', '.join(notes)}".rstrip()


def _tuple(y):
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)


def _floats(ys):
    return [y for y in _tuple(ys) if isinstance(y, Tensor) and y.dtype.kind == "f"]


def gradcheck(
    f: Callable,
    *inputs: Like,
    order: int = 1,
    name: str | None = None,
    seed: int = 0,
    step: float = 1e-5,
    tolerance: float = 1e-5,
    directions: int = 40,
    device: str = "cpu",
) -> GradcheckReport:
    """Check the derivatives of f at the float64 arrays `inputs`; raise GradcheckError if wrong.

    f takes tensors on `device` and returns one tensor or several; it must be deterministic. The
    check tries up to `directions` coordinates of each input, and three random directions through
    all of them. Errors are relative to the largest derivative of the same argument. ``order=2``
    checks first and second derivatives.

    >>> import numpy as np, glassgrad as gg
    >>> gg.gradcheck(gg.tanh, np.array([0.3, -1.2]), order=2).error < 1e-8
    True
    """
    choice("gradcheck", "order", order, (1, 2))
    within("gradcheck", "step", step, above=0)
    within("gradcheck", "tolerance", tolerance, above=0)
    within("gradcheck", "directions", directions, least=1)
    name = name or getattr(f, "name", getattr(f, "__name__", "f"))
    rng = np.random.default_rng(seed)
    arrays = [np.array(x.data if isinstance(x, Tensor) else x, dtype=np.float64) for x in inputs]
    outs = _floats(f(*[Tensor(to_device(a, device)) for a in arrays]))
    if not outs:
        raise GradcheckError(f"{name}: f returned no float tensor")
    us = [rng.standard_normal(y.shape) for y in outs]

    def terms(*xs):
        return [y * Tensor(to_device(u, y.device)) for y, u in zip(_floats(f(*xs)), us)]

    report = _check(terms, arrays, name, 1, rng, step, tolerance, directions, device)
    if order == 1:
        return report
    # The gradient of this scalar holds the second derivatives; the cotangents are variables too.
    vs = [rng.standard_normal(a.shape) for a in arrays]
    n = len(arrays)

    def directional(*xs_and_us):
        xs, cotangents = xs_and_us[:n], xs_and_us[n:]
        ys = _floats(f(*xs))
        pairs = [(y, c) for y, c in zip(ys, cotangents) if y.edge is not None]
        if not pairs:
            return [Tensor(np.zeros(()))]
        gs = grad(
            [y for y, _ in pairs], xs, [c for _, c in pairs], create_graph=True, unused="zero"
        )
        return [g * Tensor(to_device(v, g.device)) for g, v in zip(gs, vs)]

    return _check(
        directional,
        arrays + us,
        name,
        2,
        rng,
        step,
        tolerance,
        directions,
        device,
        n,
        report.piecewise,
    )


def _leaf(array, device: str) -> Tensor:
    return Tensor(to_device(array, device), requires_grad=True)


def _gradients(terms, arrays, device):
    """Gradients of the sum of all terms, and whether its graph holds a piecewise function."""
    with recording(True):
        xs = [_leaf(a.copy(), device) for a in arrays]
        s = sum(t.sum() for t in terms(*xs))
        if s.edge is None:
            return [np.zeros_like(a) for a in arrays], False
        nodes = _reachable([s.node])
        gs = [g.numpy() for g in grad(s, xs, unused="zero")]
        again = [g.numpy() for g in grad(s, xs, unused="zero")]
    for i, (a, b) in enumerate(zip(gs, again)):
        if not np.array_equal(a, b, equal_nan=True):
            raise GradcheckError(f"the gradient of argument {i} differs between two backward runs")
        if not np.isfinite(a).all():
            raise GradcheckError(f"the gradient of argument {i} is not finite")
    return gs, any(n.function.piecewise for n in nodes)


def _check(
    terms, arrays, name, order, rng, step, tolerance, directions, device, n_inputs=None, bends=False
):
    resampled = 0
    for _ in range(20):
        try:
            gs, piecewise = _gradients(terms, arrays, device)
        except GradcheckError as error:
            raise GradcheckError(f"{name} order {order}: {error}") from None
        piecewise = piecewise or bends
        worst, failure, kink, tried = _compare(
            terms, arrays, gs, rng, step, tolerance, directions, device
        )
        if kink and piecewise:  # move off the kink and check again
            resampled += 1
            arrays = [a + 1e-3 * rng.standard_normal(a.shape) for a in arrays]
            continue
        if failure:
            d, error, allowed = failure
            raise GradcheckError(
                f"{name} order {order}: derivative with respect to argument {d.of} is {d.got:.9g},"
                f" finite difference {d.want:.9g}; error {error:.3g} > {allowed:.3g}"
            )
        zero = order == 2 and not any(g.any() for g in gs[:n_inputs])
        return GradcheckReport(name, order, worst, tried, resampled, piecewise, zero)
    raise GradcheckError(f"{name} order {order}: no point without a kink found in 20 tries")


@dataclass(frozen=True)
class _Difference:
    """One direction: its derivative from the tape, and from finite differences."""

    of: int | str  # the argument's number, or "all"
    dxs: list
    got: float
    want: float
    rounding: float  # what `want` cannot resolve
    up: float
    down: float


def _compare(terms, arrays, gs, rng, step, tolerance, directions, device):
    """(largest relative error, failing (difference, error, allowed), is it a kink, tried)."""

    def at(t, dxs):
        """The value, and the sum of the absolute values of its terms."""
        with recording(True):  # at order 2 the value itself needs the tape
            parts = [
                p.data for p in terms(*[_leaf(a + t * d, device) for a, d in zip(arrays, dxs)])
            ]
        return float(sum(p.sum() for p in parts)), float(sum(np.abs(p).sum() for p in parts))

    found = []
    for of, dxs in _directions(arrays, rng, directions):
        (up, size), (down, _) = at(step, dxs), at(-step, dxs)
        moved = sum(np.abs(g * a)[d != 0].sum() for g, a, d in zip(gs, arrays, dxs))
        got = float(sum((g * d).sum() for g, d in zip(gs, dxs)))
        want, rounding = (up - down) / (2 * step), ROUNDINGS * EPS * (size + float(moved)) / step
        found.append(_Difference(of, dxs, got, want, rounding, up, down))
    scales = {i: float(np.abs(g).max()) if g.size else 0.0 for i, g in enumerate(gs)}
    for d in found:
        if d.of != "all":
            scales[d.of] = max(scales[d.of], abs(d.want))
    scales["all"] = max(scales.values(), default=0.0)
    middle, worst = None, 0.0
    for d in found:
        error, allowed = abs(d.got - d.want), tolerance * scales[d.of] + d.rounding
        if not (error <= allowed):  # `not <=` so that NaN fails
            # The bend (right slope minus left slope) of a smooth function shrinks with the step, to
            # an eighth here; a kink at x keeps all of it, a kink next to x loses all of it. A jump
            # at x (of a gradient, at order 2) may have no bend, but its difference grows eightfold.
            middle = at(0.0, d.dxs)[0] if middle is None else middle
            fine = step / 8
            up, down = at(fine, d.dxs)[0], at(-fine, d.dxs)[0]
            bend = abs(d.up - 2 * middle + d.down) / step
            finer = abs(up - 2 * middle + down) / fine
            jump = abs(up - down) / (2 * fine) > 4 * abs(d.want) > 0
            kink = jump or (bend > allowed and not (bend / 16 < finer < bend / 4))
            return worst, (d, error, allowed), kink, len(found)
        if error:
            worst = max(worst, tolerance * error / allowed)
    return worst, None, False, len(found)


def _directions(arrays, rng, directions):
    """Coordinates of each array, then random unit directions through all of them."""
    for i, a in enumerate(arrays):
        for k in rng.permutation(a.size)[:directions]:
            dxs = [np.zeros_like(b) for b in arrays]
            dxs[i].flat[k] = 1.0  # .reshape(-1) would write to a copy of a column-major array
            yield i, dxs
    for _ in range(3):
        dxs = [rng.standard_normal(a.shape) for a in arrays]
        length = np.sqrt(sum((d * d).sum() for d in dxs)) or 1.0
        yield "all", [d / length for d in dxs]
