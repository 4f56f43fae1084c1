"""A setting is a constant: changing the object that it came from changes nothing."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn, optim

Z = [-2.0, 3.0]


@pytest.mark.parametrize("make", [lambda: gg.tensor(0.5), lambda: np.array(0.5)])
def test_the_tape_keeps_the_number_of_the_forward_call(make):
    z, slope = gg.tensor(Z, requires_grad=True), make()
    y = gg.leaky_relu(z, slope)
    slope[...] = 99.0
    np.testing.assert_array_equal(gg.grad(y.sum(), z).data, np.float32([0.5, 1.0]))


@pytest.mark.parametrize("make", [gg.tensor, np.array, list])
def test_the_tape_keeps_the_indices_of_the_forward_call(make):
    z, index = gg.tensor(Z, requires_grad=True), make([0, 0])
    y = z[index]
    index[0] = 1
    np.testing.assert_array_equal(gg.grad(y.sum(), z).data, np.float32([2.0, 0.0]))


def test_a_rate_is_not_shared_with_the_array_it_came_from():
    p, rate = gg.tensor(Z, requires_grad=True), np.array(0.1)
    made = optim.SGD([p], lr=rate)
    grouped = optim.SGD([{"parameters": [p], "lr": rate}])
    changed = optim.SGD([p], lr=1.0)
    changed.lr = rate
    rate[...] = 7.0
    assert made.lr == made.groups[0]["lr"] == 0.1 and type(made.lr) is float
    assert grouped.groups[0]["lr"] == 0.1 and changed.lr == 0.1


@pytest.mark.parametrize("number", [np.array(0.5), np.float64(0.5), gg.tensor(0.5)])
def test_numbers_of_any_library_are_settings(number):
    x = gg.tensor([[1.0, 2.0]])
    assert gg.gaussian_noise(x, number, gg.Generator(1)).dtype == np.float32
    assert gg.layer_norm(x, gg.ones(2), gg.ones(2), eps=number).dtype == np.float32
    assert (
        gg.leaky_relu(x, number).dtype == np.float32
        and nn.Dropout(number, rng=gg.Generator(1)).p == 0.5
    )


TRACKED = gg.tensor(0.5, requires_grad=True)
P = gg.tensor(Z, requires_grad=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: optim.SGD([P], lr=TRACKED),
        lambda: optim.SGD([{"parameters": [P], "lr": TRACKED}]),
        lambda: setattr(optim.SGD([P]), "lr", TRACKED),
        lambda: optim.Adam([P], betas=(TRACKED, 0.9)),
        lambda: nn.Dropout(TRACKED, rng=gg.Generator(1)),
        lambda: gg.leaky_relu(P, TRACKED),
        lambda: optim.SGD([P], lr=True),
        lambda: optim.SGD([P], lr=np.True_),
        lambda: optim.SGD([{"parameters": [P], "lr": True}]),
    ],
)
def test_tracked_tensors_and_truth_values_are_no_settings(call):
    with pytest.raises(gg.GlassgradError, match=r"wrong type|is a setting"):
        call()
