"""Receptive fields next to the pixels that a unit's derivative reaches; the strongest patches."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.models.convolutional.receptive import Field, fields, patch, strongest


def conv(k, stride=1, padding=0):
    return nn.Conv2d(1, 1, k, stride, padding, bias=False, rng=gg.Generator(k), dtype="float64")


STACKS = {
    "one": [conv(5, padding=2)],
    "three": [conv(3, padding=1), conv(3, padding=1), conv(3)],
    "strided": [conv(5, 2, 1), nn.Tanh(), conv(3, 3, 2)],
    "apart": [conv(5, padding=2), nn.Tanh(), nn.AvgPool2d(2), conv(3, padding=1)],
    "overlapping": [conv(3, padding=1), nn.AvgPool2d(3, 2, 1), conv(3), nn.AvgPool2d(3, 2, 1)],
}


@pytest.mark.parametrize("name", STACKS)
def test_a_field_is_what_the_derivative_of_a_unit_reaches(name):
    side = 40
    x = gg.Tensor(np.random.default_rng(0).random((1, 1, side, side)), requires_grad=True)
    h = x
    for layer, (size, jump, start) in zip(STACKS[name], fields(STACKS[name]), strict=True):
        h = layer(h)
        for i, j in ((0, 0), (3, 2), (h.shape[2] - 1, 1)):
            (g,) = gg.grad([h[0, 0, i, j]], [x])
            there = g.numpy()[0, 0] != 0
            for at, axis in ((i, 1), (j, 0)):
                pixels = np.flatnonzero(there.any(axis=axis))
                first = start + at * jump
                assert pixels[0] == max(first, 0), (layer, at)
                assert pixels[-1] == min(first + size - 1, side - 1), (layer, at)


def test_layers_without_a_window_see_what_the_one_before_sees():
    layers = [conv(3), nn.ReLU(), nn.LocalResponseNorm(), nn.BatchNorm(1), nn.MaxPool2d(3, 2, 1)]
    assert fields(layers) == [Field(3, 1, 0)] * 4 + [Field(5, 2, -1)]


def test_the_strongest_are_those_that_sorting_finds_an_image_at_most_once():
    maps = np.random.default_rng(1).random((9, 3, 4, 5))
    found = strongest(maps, 4)
    assert found.shape == (3, 4, 3)
    for c, places in enumerate(found):
        every = sorted(np.ndindex(9, 4, 5), key=lambda at: -maps[at[0], c, at[1], at[2]])
        wanted = {}
        for n, i, j in every:
            wanted.setdefault(n, [n, i, j])
        assert places.tolist() == list(wanted.values())[:4]
    assert strongest(maps[:2], 4).shape == (3, 2, 3)


def test_a_patch_excites_its_unit_as_its_image_does():
    """The unit in the middle of the patch alone has the value that it had in the image."""
    layers = [conv(3, padding=1), nn.Tanh(), nn.MaxPool2d(2), conv(3), nn.Tanh()]
    image = np.random.default_rng(2).random((1, 20, 20))
    field = fields(layers)[-1]
    assert field.size == 8  # 3, 4 with pooling, and 2 · 2 more
    net = nn.Sequential(*layers)
    maps = net(gg.Tensor(image[None])).numpy()[0, 0]
    cut = patch(image, field, 2, 3)
    assert np.array_equal(cut, image[:, 3 : 3 + 8, 5 : 5 + 8])
    inner = nn.Sequential(conv(3), *layers[1:])  # the patch has its own border
    assert inner(gg.Tensor(cut[None])).numpy().item() == pytest.approx(maps[2, 3])


def test_a_patch_beyond_the_edge_is_filled():
    image = np.arange(1.0, 10).reshape(1, 3, 3)
    got = patch(image, Field(5, 2, -3), 0, 2, fill=-1)
    wanted = np.full((5, 5), -1.0)
    wanted[3:, :2] = image[0, :2, 1:]
    assert np.array_equal(got[0], wanted)
