"""Layers take PyTorch's weights and give PyTorch's numbers, checked where PyTorch is not installed.

`torch_layout.json` was written once with PyTorch 2.13.0 (CPU): for each layer below, in float64
and from `torch.manual_seed(7)`, the `state_dict()`, a normal input x, the output y, a normal
cotangent gy and, by `y.backward(gy)`, the gradients of x and of every parameter; for batch
normalisation first in training, then in evaluation with the running estimates which that left. Its
scale, shift and estimates were drawn at random beforehand: ones and zeros would hide a mix-up.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from tests.tools import assert_close

STORED = json.loads((Path(__file__).parent / "torch_layout.json").read_text(encoding="utf-8"))

LAYERS = {
    "linear": lambda **k: nn.Linear(3, 2, **k),
    "conv2d": lambda **k: nn.Conv2d(2, 4, (3, 2), (2, 1), (1, 0), groups=2, **k),
    "batch_norm_1d": lambda rng, **k: nn.BatchNorm(3, **k),
    "batch_norm_2d": lambda rng, **k: nn.BatchNorm(2, **k),
    "embedding": lambda **k: nn.Embedding(5, 3, **k),
    "lstm": lambda **k: nn.LSTM(3, 2, 2, biases=2, **k),
    "gru": lambda **k: nn.GRU(3, 2, 2, variant="library", **k),
    "rnn": lambda **k: nn.RNN(3, 2, 2, biases=2, **k),
}
MODES = [(name, mode) for name in STORED["layers"] for mode in STORED["layers"][name]["modes"]]


def array(stored):
    return np.array(stored["values"], stored["dtype"]).reshape(stored["shape"])


def dictionary(stored) -> dict:
    return {name: array(a) for name, a in stored.items()}


def loaded(name, state):
    layer = LAYERS[name](rng=gg.Generator(0), dtype="float64")
    layer.load_state_dict(state)
    return layer


def assert_equal(got: dict, want: dict) -> None:
    assert set(got) == set(want)
    for name, a in want.items():
        assert got[name].dtype == a.dtype and got[name].shape == a.shape, name
        assert np.array_equal(got[name], a), name


def compare(name, mode, state=None):
    """Outputs, gradients and the state after one call, as PyTorch left them."""
    record = STORED["layers"][name]
    stored = record["modes"][mode]
    before = record["state"] if mode == "train" else record["modes"]["train"]["state_after"]
    layer = loaded(name, dictionary(before) if state is None else state)
    layer = layer.train() if mode == "train" else layer.eval()
    x = array(record["x"])
    given = gg.tensor(x, requires_grad=True) if "gx" in stored else x
    y = layer(given)
    y = y[0] if isinstance(y, tuple) else y
    assert_close(y.numpy(), array(stored["y"]), reduction=64, what="y")
    y.backward(array(stored["gy"]))
    if "gx" in stored:
        assert_close(given.grad.numpy(), array(stored["gx"]), reduction=64, what="gx", floor=1.0)
    want = dictionary(stored["gradients"])
    got = {key: p.grad.numpy() for key, p in layer.named_parameters()}
    assert set(got) == set(want)
    for key, g in want.items():
        assert_close(got[key], g, reduction=64, what=key, floor=1.0)  # sums that may cancel
    after, want = layer.state_dict(), dictionary(stored["state_after"])
    assert set(after) == set(want)
    for key, a in want.items():
        exact = a.dtype.kind != "f"  # the number of batches
        assert_close(after[key], a, rtol=0 if exact else None, what=f"{key} after")


def test_every_layer_is_stored():
    assert set(STORED["layers"]) == set(LAYERS) and STORED["torch"].startswith("2.13.0")


@pytest.mark.parametrize("name, mode", MODES)
def test_the_numbers_are_those_of_pytorch(name, mode):
    compare(name, mode)


@pytest.mark.parametrize("name", LAYERS)
def test_a_state_comes_back_as_it_was_loaded(name):
    state = dictionary(STORED["layers"][name]["state"])
    assert_equal(loaded(name, state).state_dict(), state)


@pytest.mark.parametrize("name, order", [("lstm", (0, 1, 3, 2)), ("gru", (1, 0, 2))])
def test_another_order_of_gates_is_caught(name, order):
    """A planted bug, of the right shape."""
    state = dictionary(STORED["layers"][name]["state"])
    turned = {}
    for key, a in state.items():
        gates = np.split(a, len(order))
        turned[key] = np.concatenate([gates[i] for i in order])
    with pytest.raises(AssertionError, match=r"y: \|got - want\|"):
        compare(name, "train", turned)


@pytest.mark.parametrize("name", ["linear", "conv2d"])
def test_weights_in_another_order_of_axes_are_caught(name):
    """A planted bug: outputs run backwards, the shape is unchanged."""
    state = dictionary(STORED["layers"][name]["state"])
    state["weight"] = state["weight"][::-1].copy()
    with pytest.raises(AssertionError, match=r"y: \|got - want\|"):
        compare(name, "train", state)


def test_exchanged_scale_and_shift_are_caught():
    """A planted bug: two vectors of the same shape."""
    before = STORED["layers"]["batch_norm_1d"]["modes"]["train"]["state_after"]
    state = dictionary(before)
    state["weight"], state["bias"] = state["bias"], state["weight"]
    with pytest.raises(AssertionError, match=r"y: \|got - want\|"):
        compare("batch_norm_1d", "eval", state)
