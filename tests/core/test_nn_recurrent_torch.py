"""Recurrent layers next to PyTorch: weights both ways, directions, lengths, order of gates."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from tests.core.test_nn_recurrent import arrays
from tests.tools import assert_close

TORCH = {
    "rnn": (lambda **k: nn.RNN(7, 5, 2, biases=2, **k), lambda t: t.nn.RNN(7, 5, 2)),
    "rnn relu": (
        lambda **k: nn.RNN(7, 5, 2, biases=0, activation="relu", **k),
        lambda t: t.nn.RNN(7, 5, 2, nonlinearity="relu", bias=False),
    ),
    "lstm": (lambda **k: nn.LSTM(7, 5, 2, biases=2, **k), lambda t: t.nn.LSTM(7, 5, 2)),
    "gru": (lambda **k: nn.GRU(7, 5, 2, variant="library", **k), lambda t: t.nn.GRU(7, 5, 2)),
    "lstm both ways": (
        lambda **k: nn.LSTM(7, 5, 2, biases=2, bidirectional=True, **k),
        lambda t: t.nn.LSTM(7, 5, 2, bidirectional=True),
    ),
    "gru both ways": (
        lambda **k: nn.GRU(7, 5, 2, variant="library", bidirectional=True, **k),
        lambda t: t.nn.GRU(7, 5, 2, bidirectional=True),
    ),
}


def _against_torch(ours, theirs, torch, lengths=None):
    x = arrays(6, 4, 7, seed=7).astype("float32")
    a, b = gg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    if lengths is None:
        (y, state), (z, end) = ours(a), theirs(b)
    else:
        packed = torch.nn.utils.rnn.pack_padded_sequence(b, lengths, enforce_sorted=False)
        (y, state), (z, end) = ours(a, lengths=lengths), theirs(packed)
        z = torch.nn.utils.rnn.pad_packed_sequence(z, total_length=6)[0]
    g = arrays(*y.shape, seed=5).astype("float32")
    assert_close(y.numpy(), z.detach().numpy(), reduction=256, what="hs")
    for m, t in zip(state, end) if isinstance(state, tuple) else ((state, end),):
        assert_close(m.numpy(), t.detach().numpy(), reduction=256, what="state")
    y.backward(g)
    z.backward(torch.tensor(g))
    assert_close(a.grad.numpy(), b.grad.numpy(), reduction=1024, what="gx")
    mine = dict(ours.named_parameters())
    for name, p in theirs.named_parameters():
        assert_close(mine[name].grad.numpy(), p.grad.numpy(), reduction=1024, what=name)


@pytest.mark.torch
@pytest.mark.parametrize("direction", ["to torch", "from torch"])
@pytest.mark.parametrize("name", TORCH)
def test_recurrent_layers_equal_torch(name, direction):
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    make_ours, make_theirs = TORCH[name]
    ours, theirs = make_ours(rng=gg.Generator(2)), make_theirs(torch)
    if direction == "to torch":
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    else:
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    _against_torch(ours, theirs, torch)


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_lengths_equal_torch(name):
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    make_ours, make_theirs = TORCH[name]
    ours, theirs = make_ours(rng=gg.Generator(2)), make_theirs(torch)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    _against_torch(ours, theirs, torch, [3, 6, 1, 4])


@pytest.mark.torch
@pytest.mark.parametrize("name, order", [("lstm", (0, 1, 3, 2)), ("gru", (1, 0, 2))])
def test_a_wrong_gate_order_is_caught(name, order):
    """A planted bug: the gates' rows in another library's order, of the right shape."""
    torch = pytest.importorskip("torch")
    make_ours, make_theirs = TORCH[name]
    ours, theirs = make_ours(rng=gg.Generator(2)), make_theirs(torch)
    state = {}
    for key, v in ours.state_dict().items():
        gates = np.split(v, len(order))
        state[key] = torch.tensor(np.concatenate([gates[i] for i in order]))
    theirs.load_state_dict(state)
    with pytest.raises(AssertionError, match=r"hs: \|got - want\|"):
        _against_torch(ours, theirs, torch)
