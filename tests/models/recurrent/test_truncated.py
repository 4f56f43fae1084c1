"""Truncated back-propagation through time: against PyTorch, loops, and the whole gradient."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.kernels.errors import GlassgradError
from glassgrad.models.recurrent.truncated import Carried, parts_of, state_of, truncated
from tests.tools import assert_close

T, N, I, H = 11, 3, 2, 4
LAYERS = {
    "rnn": lambda levels: nn.RNN(I, H, levels, rng=gg.Generator(0), dtype="float64"),
    "lstm": lambda levels: nn.LSTM(I, H, levels, rng=gg.Generator(0), dtype="float64"),
    "gru": lambda levels: nn.GRU(I, H, levels, rng=gg.Generator(0), dtype="float64"),
}
rng = np.random.default_rng(0)
X, C = rng.standard_normal((T, N, I)), rng.standard_normal((T, N, H))


def run(layer, steps=None, lengths=None, state=None):
    """(hs, the parts of the last state, gradients of Σ C hs) over X; all at once by default."""
    x = gg.Tensor(X, requires_grad=True)
    if steps is None:
        hs, last = layer(x, state, lengths=lengths)
    else:
        hs, last = truncated(layer, x, state, lengths, steps=steps)
    grads = gg.grad((hs * gg.Tensor(C)).sum(), [x, *layer.parameters()])
    return hs.numpy(), [p.numpy() for p in parts_of(last)], [g.numpy() for g in grads]


@pytest.mark.parametrize("steps", [T, T + 5])
@pytest.mark.parametrize("lengths", [None, np.array([11, 4, 7])])
@pytest.mark.parametrize("kind", LAYERS)
def test_nothing_is_cut_from_a_sequence_that_fits_in_a_window(kind, lengths, steps):
    layer = LAYERS[kind](2)
    (hs, last, grads), (hs2, last2, grads2) = run(layer, None, lengths), run(layer, steps, lengths)
    for a, b in zip([hs, *last, *grads], [hs2, *last2, *grads2], strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("steps", [1, 3, 4, 10])
@pytest.mark.parametrize("lengths", [None, np.array([11, 4, 7])])
@pytest.mark.parametrize("kind", LAYERS)
def test_the_values_are_those_of_the_whole_sequence_and_the_gradients_are_not(kind, lengths, steps):
    layer = LAYERS[kind](2)
    (hs, last, grads), (hs2, last2, cut) = run(layer, None, lengths), run(layer, steps, lengths)
    for a, b in zip([hs, *last], [hs2, *last2], strict=True):
        assert_close(a, b, rtol=1e-12)
    assert all(abs(a - b).max() > 1e-4 for a, b in zip(grads, cut))


@pytest.mark.parametrize("kind", LAYERS)
def test_the_gradient_is_the_sum_over_windows_that_begin_with_a_constant(kind):
    """By hand: every window a call of its own, which begins with the state as plain numbers."""
    layer, state, steps = LAYERS[kind](1), None, 4
    total = [np.zeros((T, N, I)), *(np.zeros(p.shape) for p in layer.parameters())]
    for at in range(0, T, steps):
        x = gg.Tensor(X[at : at + steps], requires_grad=True)
        hs, last = layer(x, state)
        loss = (hs * gg.Tensor(C[at : at + steps])).sum()
        gx, *gw = gg.grad(loss, [x, *layer.parameters()])
        total[0][at : at + steps] = gx.numpy()
        for sum_, g in zip(total[1:], gw):
            sum_ += g.numpy()
        state = state_of([gg.Tensor(p.numpy()) for p in parts_of(last)])
    for a, b in zip(total, run(layer, steps)[2], strict=True):
        assert_close(a, b, rtol=1e-12)


def test_an_lstm_in_windows_has_the_gradients_of_pytorch():
    torch = pytest.importorskip("torch")
    layer = nn.LSTM(I, H, biases=2, rng=gg.Generator(0), dtype="float64")
    theirs = torch.nn.LSTM(I, H).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in layer.state_dict().items()})
    x, state, loss = torch.tensor(X), None, 0.0
    for at in range(0, T, 4):
        hs, state = theirs(x[at : at + 4], state)
        loss = loss + (hs * torch.tensor(C[at : at + 4])).sum()
        state = tuple(s.detach() for s in state)
    loss.backward()
    named = dict(theirs.named_parameters())
    found = run(layer, 4)[2][1:]
    for (name, _), g in zip(layer.named_parameters(), found, strict=True):
        assert_close(g, named[name].grad.numpy(), rtol=1e-10, what=name)


def test_a_loss_reaches_no_input_before_its_window():
    x = gg.Tensor(X, requires_grad=True)
    hs, _ = truncated(LAYERS["lstm"](1), x, steps=4)
    (g,) = gg.grad((hs[9] * hs[9]).sum(), [x])  # in the window of the steps 8, 9, 10
    reached = abs(g.numpy()).max(axis=(1, 2)) > 0
    assert np.flatnonzero(reached).tolist() == [8, 9]


def test_a_state_that_is_given_gets_its_gradient_from_the_first_window():
    layer = LAYERS["gru"](1)
    start = gg.Tensor(rng.standard_normal((1, N, H)), requires_grad=True)
    hs, _ = truncated(layer, gg.Tensor(X), start, steps=4)
    (whole,) = gg.grad((hs * gg.Tensor(C)).sum(), [start])
    hs, _ = layer(gg.Tensor(X[:4]), start)
    (first,) = gg.grad((hs * gg.Tensor(C[:4])).sum(), [start])
    assert_close(whole.numpy(), first.numpy(), rtol=1e-12)
    assert abs(whole.numpy()).max() > 0


@pytest.mark.parametrize("kind", LAYERS)
def test_a_carried_state_goes_on_and_begins_again(kind):
    layer = LAYERS[kind](2)
    carried = Carried(layer, N, "float64")
    hs = [layer(gg.Tensor(X), carried.state())[0].numpy()]
    for at in range(0, T, 5):
        out, state = layer(gg.Tensor(X[at : at + 5]), carried.state())
        carried.keep(state)
        hs.append(out.numpy())
    assert_close(np.concatenate(hs[1:]), hs[0], rtol=1e-12)
    assert not any(p.requires_grad or p.computed for p in parts_of(carried.state()))
    other = Carried(layer, N, "float64")
    other.load_state_dict(carried.state_dict())
    for a, b in zip(parts_of(other.state()), parts_of(carried.state()), strict=True):
        assert a.shape == (2, N, H) and np.array_equal(a.numpy(), b.numpy())
    before = carried.state()
    carried.reset()  # which leaves alone what was handed out
    assert not any(p.numpy().any() for p in parts_of(carried.state()))
    assert all(p.numpy().any() for p in parts_of(before))


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(GlassgradError, match="steps must be at least 1"):
        truncated(LAYERS["gru"](1), gg.Tensor(X), steps=0)
    both = nn.GRU(I, H, bidirectional=True, rng=gg.Generator(0), dtype="float64")
    with pytest.raises(GlassgradError, match="must read in one direction"):
        truncated(both, gg.Tensor(X), steps=4)
