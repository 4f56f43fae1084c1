"""Names that people bring along, losses at the top, layers without `rng`."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import hints


@pytest.mark.parametrize(
    ("module", "name", "says"),
    [
        (gg, "cat", r"gg\.concatenate"),
        (gg, "sigmod", "did you mean 'sigmoid'"),
        (gg.nn, "CrossEntropyLoss", r"gg\.cross_entropy"),
        (gg.nn, "Liner", "did you mean 'Linear'"),
        (gg.nn, "BatchNorm2d", r"gg\.nn\.BatchNorm"),
    ],
)
def test_a_name_from_elsewhere_says_where_it_is(module, name, says):
    with pytest.raises(AttributeError, match=says):
        getattr(module, name)
    assert not hasattr(module, name)


def test_what_the_hints_name_exists():
    for name, hint in hints.HINTS.items():
        if hint.startswith("gg."):
            path = hint.split("(")[0].split(" ")[0].removeprefix("gg.")
            found = gg
            for part in path.split("."):
                found = getattr(found, part)
        assert not hasattr(gg, name) and not hasattr(gg.nn, name), name


def test_losses_are_at_the_top():
    z, y = gg.tensor([[1.0, 2.0]]), np.array([1])
    assert gg.cross_entropy(z, y).item() == gg.nn.losses.cross_entropy(z, y).item()
    for name in ("mse", "l1", "huber", "hinge", "binary_cross_entropy", "kl_divergence"):
        assert getattr(gg, name) is getattr(gg.nn.losses, name)


LAYERS = [
    lambda: gg.nn.Linear(3, 2),
    lambda: gg.nn.Conv2d(1, 2, 3),
    lambda: gg.nn.Conv1d(1, 2, 3),
    lambda: gg.nn.ConvTranspose2d(1, 2, 3),
    lambda: gg.nn.Embedding(5, 2),
    lambda: gg.nn.LSTM(2, 3, layers=2, dropout=0.5),
    lambda: gg.nn.GRU(2, 3),
    lambda: gg.nn.RNN(2, 3),
    lambda: gg.nn.WeightNormLinear(3, 2),
    lambda: gg.nn.mlp([3, 4, 2], gg.nn.Tanh),
]


@pytest.mark.parametrize("make", LAYERS)
def test_layers_need_no_generator(make):
    gg.manual_seed(3)
    first, second = make().state_dict(), make().state_dict()
    gg.manual_seed(3)
    again = make().state_dict()
    gg.manual_seed(4)
    other = make().state_dict()
    drawn = [k for k in first if first[k].any()]
    assert drawn and all(np.array_equal(first[k], again[k]) for k in first)
    assert all(not np.array_equal(first[k], second[k]) for k in drawn)
    assert all(not np.array_equal(first[k], other[k]) for k in drawn)


def test_two_dropouts_drop_differently():
    gg.manual_seed(0)
    a, b = gg.nn.Dropout(0.5), gg.nn.Dropout(0.5)
    x = gg.ones((1, 100))
    assert not np.array_equal(a(x).numpy(), b(x).numpy())


def test_a_generator_of_ones_own_is_not_touched_by_the_default():
    own = gg.nn.Linear(3, 2, rng=gg.Generator(5)).state_dict()
    gg.manual_seed(5)
    gg.nn.Linear(3, 2)
    assert np.array_equal(own["weight"], gg.nn.Linear(3, 2, rng=gg.Generator(5)).weight.numpy())
    assert repr(gg.manual_seed(9)) == "Generator(9)"
