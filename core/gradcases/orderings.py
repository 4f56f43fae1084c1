"""Cases: rounding, remainders, order, truth, repetition, running products and contractions."""

import numpy as np

from .. import functions as F
from ..differentiable import FUNCTIONS
from ..tensor import Tensor
from .case import GradCase, away, normal, spread

ZERO = "linear: second derivative zero"
BENT = "piecewise linear: second derivative zero"
NONE = "discrete: no derivative"


def _between(*shapes):
    """`make` for arrays of both signs, no value nearer than 0.1 to a multiple of a half."""

    def make(rng):
        return [0.5 * rng.integers(-5, 5, s) + rng.choice([0.15, 0.35], s) for s in shapes]

    return make


def _with_zeros(rng):
    """Rows with no zero, one and two."""
    x = rng.uniform(0.5, 1.5, (3, 4)) * rng.choice([-1.0, 1.0], (3, 4))
    x[1, 2] = x[2, 0] = x[2, 3] = 0.0
    return [x]


def _discrete(name, f, make):
    return GradCase(name, lambda x: Tensor(np.asarray(f(x), "float64")), make, note=NONE)


STEPS = [
    GradCase("floor", F.floor, _between((2, 3)), note=BENT),
    GradCase("ceil", F.ceil, _between((2, 3)), note=BENT),
    GradCase("round", F.round, _between((2, 3)), note=BENT),
    GradCase("round to tens", lambda x: F.round(x * 10, -1), _between((3,)), note=BENT),
    GradCase("sign", F.sign, away((2, 3)), note=BENT),
    GradCase("floor_divide", F.floor_divide, lambda rng: [
        np.array([2.3, -1.2, 5.1]), np.array([0.7, 0.5, -2.0])], note=BENT),
    GradCase("floor_divide broadcast", lambda x: F.floor_divide(x, 0.5) + x, lambda rng: [
        np.array([[2.3], [-1.2]])], note=BENT),
    GradCase("mod", F.mod, lambda rng: [
        np.array([2.3, -1.2, 5.1]), np.array([0.7, 0.5, -2.0])], note=BENT),
    GradCase("mod broadcast both", F.mod, lambda rng: [
        np.array([[2.3], [-1.2]]), np.array([0.7, -0.9])], note=BENT),
    GradCase("mod squared", lambda x: F.mod(x, 0.5) ** 2, lambda rng: [
        np.array([2.3, -1.2, 0.1])], note="piecewise"),
]  # fmt: skip

ORDER = [
    GradCase("sort", F.sort, spread((2, 3)), note=BENT),
    GradCase("sort descending", lambda x: F.sort(x, 0, True) ** 2, spread((3, 2)),
             note="piecewise"),
    GradCase("sort everything", lambda x: F.sort(x, axis=None), spread((2, 3)), note=BENT),
    GradCase("topk", lambda x: F.topk(x, 2)[0], spread((2, 4)), note=BENT),
    GradCase("topk smallest", lambda x: F.topk(x, 1, 0, largest=False)[0] ** 2, spread((3, 2)),
             note="piecewise"),
    _discrete("argsort", F.argsort, spread((2, 3))),
    _discrete("argmin", F.argmin, spread((2, 3))),
]  # fmt: skip

TRUTH = [
    _discrete("any", lambda x: F.any(x > 0).tolist(), away((2, 3))),
    _discrete("all", lambda x: F.all(x > 0, axis=1).tolist(), away((2, 3))),
    _discrete("isnan", lambda x: F.isnan(x).tolist(), normal((2, 3))),
    _discrete("isinf", lambda x: F.isinf(x).tolist(), normal((2, 3))),
    _discrete("isfinite", lambda x: F.isfinite(x).tolist(), normal((2, 3))),
]

AGAIN = [
    GradCase("tile", lambda x: F.tile(x, (2, 1, 3)), normal((2, 2)), note=ZERO),
    GradCase("tile squared", lambda x: F.tile(x * x, 2), normal((2, 2))),
    GradCase("repeat", lambda x: F.repeat(x, 2), normal((2, 2)), note=ZERO),
    GradCase("repeat by counts", lambda x: F.repeat(x, [2, 0, 1], axis=-1) ** 2, normal((2, 3))),
    GradCase("roll", lambda x: F.roll(x, 2), normal((2, 3)), note=ZERO),
    GradCase("roll two axes", lambda x: F.roll(x, (1, -1), (0, 1)) * x, normal((2, 3))),
]

RUNNING = [
    GradCase("cumsum", lambda x: F.cumsum(x, -1), normal((2, 4)), note=ZERO),
    GradCase("cumsum of squares", lambda x: F.cumsum(x * x, axis=0), normal((2, 3))),
    GradCase("cumsum of everything", lambda x: F.cumsum(x, axis=None), normal((2, 3)), note=ZERO),
    GradCase("carry", lambda a, b: FUNCTIONS["carry"](a, b), normal((2, 4), (2, 4))),
    GradCase("cumprod", F.cumprod, away((2, 4))),
    GradCase("cumprod with zeros", F.cumprod, _with_zeros),
    GradCase("cumprod axis 0", lambda x: F.cumprod(x, axis=0), away((3, 2))),
    GradCase("prod", F.prod, away((2, 3))),
    GradCase("prod with zeros", lambda x: F.prod(x, axis=-1), _with_zeros),
    GradCase("prod two axes keepdims", lambda x: F.prod(x, (0, 2), True), away((2, 2, 3))),
]


def _einsum(text, *shapes, note=""):
    return GradCase(f"einsum {text}", lambda *t: F.einsum(text, *t), normal(*shapes), note=note)


CONTRACTIONS = [
    _einsum("ij,jk->ik", (2, 3), (3, 2), note="bilinear"),
    _einsum("bij,bkj->bik", (2, 2, 3), (2, 2, 3), note="bilinear"),
    _einsum("ii->i", (3, 3), note=ZERO),
    _einsum("iji->", (2, 3, 2), note=ZERO),
    _einsum("i,j,k", (2,), (2,), (3,)),
    _einsum("...ij,j->...i", (2, 2, 3), (3,), note="bilinear"),
    GradCase("einsum of itself", lambda x: F.einsum("ij,kj,kl->il", x, x, x), normal((2, 2))),
]
CASES = [*STEPS, *ORDER, *TRUTH, *AGAIN, *RUNNING, *CONTRACTIONS]
