"""No derivative depends on how its arrays lie in memory, on their precision, or on the order asked.

Every gradient case again: inputs and cotangents in column-major order, as strided slices of larger
arrays, and in float32, against the gradients of row-major float64. And the fused backward passes
against the composed ones (`create_graph`).
"""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.gradcases import CASES
from tests.tools import assert_close, sliced, transposed

FLOAT64 = ("astype", "one_hot")  # the case itself asks for float64


def holes(a):
    """Every second element along every axis of an array full of NaN."""
    if a.ndim == 0:
        return a
    big = np.full([2 * n + 1 for n in a.shape], np.nan, a.dtype)
    view = big[tuple(slice(1, 2 * n + 1, 2) for n in a.shape)]
    view[...] = a
    return view


LAYOUTS = {"column-major": transposed, "sliced": sliced, "sliced everywhere": holes}


def gradients(case, arrays, lay=lambda a: a, create_graph=False):
    """Gradients of Σ <output, cotangent> by the arrays, for cotangents that are always the same."""
    xs = [gg.Tensor(lay(a), requires_grad=True) for a in arrays]
    ys = case.f(*xs)
    ys = [y for y in (ys if isinstance(ys, (tuple, list)) else [ys]) if y.requires_grad]
    if not ys:
        return [np.zeros(a.shape) for a in arrays]
    rng = np.random.default_rng(5)
    us = [gg.Tensor(lay(rng.standard_normal(y.shape).astype(y.dtype))) for y in ys]
    gs = gg.grad(ys, xs, us, unused="zero", create_graph=create_graph)
    return [g.numpy() for g in gs]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_gradients_do_not_depend_on_the_layout(case, layout):
    arrays = case.arrays()
    for got, want in zip(gradients(case, arrays, LAYOUTS[layout]), gradients(case, arrays)):
        assert_close(got, want, rtol=1e-13, what=case.name)


@pytest.mark.parametrize("layout", ["row-major", *LAYOUTS])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_gradients_that_can_be_differentiated_equal_those_that_cannot(case, layout):
    arrays, lay = case.arrays(), LAYOUTS.get(layout, lambda a: a)
    for got, want in zip(gradients(case, arrays, lay, create_graph=True), gradients(case, arrays)):
        assert_close(got, want, rtol=1e-12, what=case.name)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.function not in FLOAT64 and not c.note.startswith("discrete")],
    ids=lambda c: c.name,
)
def test_gradients_in_float32(case):
    arrays = case.arrays()
    short = [a.astype("float32") for a in arrays]
    wide = [a.astype("float64") for a in short]  # the same numbers
    for lay in (lambda a: a, transposed):
        for got, want in zip(gradients(case, short, lay), gradients(case, wide)):
            assert got.dtype == "float32"
            assert_close(got.astype("float64"), want, rtol=3e-5, what=case.name)
