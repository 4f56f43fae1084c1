"""Are the derivatives right? Central differences against the tape, in float64.

What is compared is the gradient of  s(x) = Σ <u, f(x)>  for a random cotangent u, never for u = 1:
rows of a softmax sum to one, so with ``sum()`` a derivative that returns zero would pass.

    difference  = (s(x + h e) - s(x - h e)) / 2h,      error O(h²) + O(ε/h)

The second order does the same to  Σ <v, ∇s(x)>, with u among its variables: that is the derivative
of the derivative, in every argument.

A kink within h of x makes the two one-sided differences disagree; when the graph holds a function
declared piecewise, the point is moved and the check repeated, and the report says how often.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels.errors import GlassgradError
from .tape import _reachable, grad, recording
from .tensor import Tensor


class GradcheckError(GlassgradError, AssertionError):
    """A derivative disagrees with its finite difference."""


@dataclass(frozen=True)
class GradcheckReport:
    """Largest error relative to the gradient's scale, how many directions were tried, and notes."""

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
    f, *inputs, order: int = 1, name: str | None = None, seed: int = 0, step: float = 1e-5,
    tolerance: float = 1e-5, directions: int = 40,
) -> GradcheckReport:  # fmt: skip
    """Check the derivatives of f at the float64 arrays `inputs`; raise GradcheckError if wrong.

    f takes tensors and returns a tensor or several; it must be deterministic. Up to `directions`
    coordinates of each input are tried, and three random directions through all of them. Errors
    are relative to max(1, largest gradient). ``order=2`` checks first and second.

    >>> import numpy as np, glassgrad as gg
    >>> gg.gradcheck(gg.tanh, np.array([0.3, -1.2]), order=2).error < 1e-8
    True
    """
    name = name or getattr(f, "name", getattr(f, "__name__", "f"))
    rng = np.random.default_rng(seed)
    arrays = [np.array(x.data if isinstance(x, Tensor) else x, dtype=np.float64) for x in inputs]
    outs = _floats(f(*[Tensor(a) for a in arrays]))
    if not outs:
        raise GradcheckError(f"{name}: f returned no float tensor")
    us = [rng.standard_normal(y.shape) for y in outs]

    def value(*xs):
        return sum((y * Tensor(u)).sum() for y, u in zip(_floats(f(*xs)), us))

    report = _check(value, arrays, name, 1, rng, step, tolerance, directions)
    if order == 1:
        return report
    # The scalar whose gradient holds the second derivatives, with the cotangents as variables too.
    vs = [rng.standard_normal(a.shape) for a in arrays]
    n = len(arrays)

    def directional(*xs_and_us):
        xs, cotangents = xs_and_us[:n], xs_and_us[n:]
        ys = _floats(f(*xs))
        pairs = [(y, c) for y, c in zip(ys, cotangents) if y.edge is not None]
        if not pairs:
            return Tensor(np.zeros(()))
        gs = grad(
            [y for y, _ in pairs], xs, [c for _, c in pairs], create_graph=True, unused="zero"
        )
        return sum((g * Tensor(v)).sum() for g, v in zip(gs, vs))

    return _check(
        directional, arrays + us, name, 2, rng, step, tolerance, directions, n, report.piecewise
    )


def _gradients(value, arrays):
    """(value, gradients, whether a piecewise function took part)."""
    with recording(True):
        xs = [Tensor(a.copy(), requires_grad=True) for a in arrays]
        s = value(*xs)
        if s.edge is None:
            return s, [np.zeros_like(a) for a in arrays], False
        nodes = _reachable([s.node])
        gs = [g.numpy() for g in grad(s, xs, unused="zero")]
        again = [g.numpy() for g in grad(s, xs, unused="zero")]
    for i, (a, b) in enumerate(zip(gs, again)):
        if not np.array_equal(a, b, equal_nan=True):
            raise GradcheckError(f"the gradient of argument {i} differs between two backward runs")
        if not np.isfinite(a).all():
            raise GradcheckError(f"the gradient of argument {i} is not finite")
    return s, gs, any(n.function.piecewise for n in nodes)


def _check(
    value, arrays, name, order, rng, step, tolerance, directions, n_inputs=None, bends=False
):
    resampled = 0
    for _ in range(20):
        try:
            _, gs, piecewise = _gradients(value, arrays)
        except GradcheckError as error:
            raise GradcheckError(f"{name} order {order}: {error}") from None
        piecewise = piecewise or bends
        scale = max([1.0] + [float(np.abs(g).max()) for g in gs if g.size])
        error, where, kink, tried = _compare(
            value, arrays, gs, rng, step, tolerance * scale, directions
        )
        if kink and piecewise:
            resampled += 1
            arrays = [a + 1e-3 * rng.standard_normal(a.shape) for a in arrays]
            continue
        if not (error <= tolerance * scale):  # `not <=` so that NaN fails
            i, got, want = where
            raise GradcheckError(
                f"{name} order {order}: derivative with respect to argument {i} is {got:.9g},"
                f" finite difference {want:.9g}; error {error:.3g} > {tolerance * scale:.3g}"
            )
        zero = order == 2 and not any(g.any() for g in gs[:n_inputs])
        return GradcheckReport(name, order, error / scale, tried, resampled, piecewise, zero)
    raise GradcheckError(f"{name} order {order}: no point without a kink found in 20 tries")


def _compare(value, arrays, gs, rng, step, allowed, directions):
    """(largest error, where, was there a kink, directions tried)."""

    def at(t, dxs):
        with recording(True):  # at order 2 the value itself needs the tape
            xs = [Tensor(a + t * d, requires_grad=True) for a, d in zip(arrays, dxs)]
            return float(value(*xs).data)

    worst, where, tried = 0.0, None, 0
    middle = at(0.0, [np.zeros_like(a) for a in arrays])
    for i, dxs in _directions(arrays, rng, directions):
        tried += 1
        up, down = at(step, dxs), at(-step, dxs)
        want = (up - down) / (2 * step)
        got = float(sum((g * d).sum() for g, d in zip(gs, dxs)))
        error = abs(got - want)
        if not (error <= allowed):
            # The bend (right slope minus left slope) of a smooth function shrinks with the step, to
            # an eighth here; a kink at x keeps all of it, a kink beside x loses all of it.
            fine = step / 8
            bend = abs(up - 2 * middle + down) / step
            finer = abs(at(fine, dxs) - 2 * middle + at(-fine, dxs)) / fine
            if bend > allowed and not (bend / 16 < finer < bend / 4):
                return error, (i, got, want), True, tried
        if not (error <= worst):
            worst, where = error, (i, got, want)
    return worst, where, False, tried


def _directions(arrays, rng, directions):
    """Coordinates of each array, then random unit directions through all of them."""
    for i, a in enumerate(arrays):
        flat = rng.permutation(a.size)[:directions]
        for k in flat:
            dxs = [np.zeros_like(b) for b in arrays]
            dxs[i].reshape(-1)[k] = 1.0
            yield i, dxs
    for _ in range(3):
        dxs = [rng.standard_normal(a.shape) for a in arrays]
        length = np.sqrt(sum((d * d).sum() for d in dxs)) or 1.0
        yield "all", [d / length for d in dxs]
