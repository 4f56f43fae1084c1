"""Every layer has a gradient case, every case holds, and a wrong layer is caught."""

import pytest

from glassgrad.core import gradcases, nn
from glassgrad.core.gradcases.modules import CASES, layer_case
from glassgrad.core.random import Generator


def test_every_layer_has_a_case():
    public = {n: getattr(nn, n) for n in nn.__all__}
    layers = {n for n, t in public.items() if isinstance(t, type) and issubclass(t, nn.Module)}
    assert layers - {"Module"} == {c.function for c in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_first_derivative(case):
    row = gradcases.check(case, 1)
    assert row.passed, row.message
    assert row.directions > 3


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if "level" not in c.name and "peep" not in c.name],
    ids=lambda c: c.name,
)
def test_second_derivative(case):
    row = gradcases.check(case, 2)
    assert row.passed, row.message
    assert row.zero == ("zero" in row.note or row.note == "linear")


def test_parameters_are_variables_of_the_case():
    case = next(c for c in CASES if c.name == "LSTM peephole")
    assert [a.shape for a in case.arrays()] == [(3, 2, 3), (8, 3), (8, 2), (8,), (6, 2)]


def test_a_layer_that_hides_a_parameter_from_the_tape_is_caught():
    class Deaf(nn.Linear):
        def forward(self, x):
            return x @ self.weight.detach().T + self.bias

    case = layer_case("Deaf", Deaf(3, 2, rng=Generator(0), dtype="float64"), (2, 3))
    row = gradcases.check(case, 1)
    assert not row.passed and "argument 1" in row.message
