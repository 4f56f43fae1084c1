"""Recurrent layers: a scalar loop over the lecture's formulas, finite differences, PyTorch."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.kernels.errors import DTypeError, GlassgradError, ShapeError, ValueRangeError
from tests.core.test_nn_layers import functional
from tests.tools import assert_close

T, N, I, H = 3, 2, 3, 2
LAYERS = {
    "rnn": lambda **k: nn.RNN(I, H, **k),
    "rnn relu, one bias": lambda **k: nn.RNN(I, H, activation="relu", biases=1, **k),
    "rnn two biases": lambda **k: nn.RNN(I, H, biases=2, **k),
    "lstm": lambda **k: nn.LSTM(I, H, **k),
    "lstm no bias": lambda **k: nn.LSTM(I, H, biases=0, **k),
    "lstm two biases": lambda **k: nn.LSTM(I, H, biases=2, **k),
    "lstm peephole": lambda **k: nn.LSTM(I, H, peephole=True, **k),
    "gru lecture": lambda **k: nn.GRU(I, H, **k),
    "gru lecture, two biases": lambda **k: nn.GRU(I, H, biases=2, **k),
    "gru library": lambda **k: nn.GRU(I, H, variant="library", **k),
    "gru library, one bias": lambda **k: nn.GRU(I, H, variant="library", biases=1, **k),
}


def make(name, layers=1):
    return LAYERS[name](layers=layers, rng=gg.Generator(4), dtype="float64")


def arrays(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# ------------------------------------------------------- the formulas as loops


def s(x):
    return 1 / (1 + math.exp(-x))


def loop(layer, x, state, place="l0"):
    """One net, one unit at a time, from the layer's own arrays: (hs, state)."""
    end = f"_{place}"
    p = {n.removesuffix(end): v for n, v in layer.state_dict().items() if n.endswith(end)}
    kind = type(layer)
    both = [
        np.zeros(len(p["weight_hh"])) if p.get(b) is None else p[b] for b in ("bias_ih", "bias_hh")
    ]
    states, hs = [a.copy() for a in state], []
    for t in range(len(x)):
        new = [a.copy() for a in states]
        for n in range(x.shape[1]):
            h = states[0][n]
            xi = p["weight_ih"] @ x[t, n] + both[0]
            hi = p["weight_hh"] @ h + both[1]
            for j in range(layer.hidden):
                if kind is nn.RNN:
                    a = xi[j] + hi[j]
                    new[0][n, j] = math.tanh(a) if layer.activation == "tanh" else max(a, 0)
                elif kind is nn.LSTM:
                    q = layer.hidden
                    a = [xi[j + g * q] + hi[j + g * q] for g in range(4)]  # i f g o
                    if layer.peephole:
                        a[0] += p["weight_ph"][j] @ states[1][n]
                        a[1] += p["weight_ph"][j + q] @ states[1][n]
                    new[1][n, j] = s(a[1]) * states[1][n, j] + s(a[0]) * math.tanh(a[2])
                else:
                    q = layer.hidden
                    z = s(xi[q + j] + hi[q + j])
                    if layer.variant == "library":
                        rj = s(xi[j] + hi[j])
                        cand = math.tanh(xi[2 * q + j] + rj * hi[2 * q + j])
                        new[0][n, j] = (1 - z) * cand + z * h[j]
                    else:
                        r = np.array([s(xi[i] + hi[i]) for i in range(q)])
                        inner = p["weight_hh"][2 * q + j] @ (r * h) + both[1][2 * q + j]
                        new[0][n, j] = (1 - z) * h[j] + z * math.tanh(xi[2 * q + j] + inner)
            if kind is nn.LSTM:  # the output gate sees the new cell
                q = layer.hidden
                for j in range(q):
                    o = xi[j + 3 * q] + hi[j + 3 * q]
                    if layer.peephole:
                        o += p["weight_ph"][j + 2 * q] @ new[1][n]
                    new[0][n, j] = s(o) * math.tanh(new[1][n, j])
        states = new
        hs.append(states[0])
    return np.array(hs), states


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("given", [True, False])
def test_forward_equals_the_loop(name, layers, given):
    layer, x = make(name, layers), arrays(T, N, I)
    two = isinstance(layer, nn.LSTM)
    states = [arrays(layers, N, H, seed=i + 1) * given for i in range(1 + two)]
    tensors = [gg.tensor(a) for a in states]
    y, last = layer(gg.tensor(x), (tuple(tensors) if two else tensors[0]) if given else None)
    want, ends = x, []
    for k in range(layers):
        want, end = loop(layer, want, [a[k] for a in states], f"l{k}")
        ends.append(end)
    assert_close(y.numpy(), want, reduction=64)
    for got, parts in zip(last if two else (last,), zip(*ends)):
        assert_close(got.numpy(), np.array(parts), reduction=64)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name):
    layer = make(name, layers=2)
    f, values = functional(layer)

    def both(x, *values):
        y, state = f(x, *values)
        return (y, *state) if isinstance(state, tuple) else (y, state)

    order = 1 if "relu" in name else 2
    gg.gradcheck(both, arrays(T, N, I), *values, order=order, name=name, directions=2)


@pytest.mark.parametrize("name", ["rnn", "lstm", "lstm peephole", "gru lecture", "gru library"])
def test_gradients_where_sequences_end_at_different_steps(name):
    layer = LAYERS[name](bidirectional=True, rng=gg.Generator(4), dtype="float64")

    def f(x, *values):
        hs, state = layer.with_parameters(values)(x, lengths=[T, 1])
        return (hs, *state) if isinstance(state, tuple) else (hs, state)

    values = [p.numpy() for p in layer.parameters()]
    gg.gradcheck(f, arrays(T, N, I), *values, order=2, name=name, directions=2)


@pytest.mark.parametrize("name", ["rnn", "lstm", "lstm peephole", "gru lecture", "gru library"])
def test_gradients_of_the_initial_state(name):
    layer = make(name)
    two = isinstance(layer, nn.LSTM)

    def f(x, *state):
        return layer(x, state if two else state[0])[0]

    states = [arrays(1, N, H, seed=i) for i in range(1 + two)]
    gg.gradcheck(f, arrays(T, N, I), *states, order=2, name=name, directions=6)


def both_ways(layer, x, lengths):
    """A bidirectional level by the loop, a sequence at a time: hs [T, N, 2H], states [2, N, H]."""
    parts = 2 if type(layer) is nn.LSTM else 1
    hs, last = np.zeros((T, N, 2 * H)), np.zeros((parts, 2, N, H))
    for n, end in enumerate(lengths):
        for d, place in enumerate(("l0", "l0_reverse")):
            own = x[:end, n : n + 1][:: -1 if d else 1]
            found, state = loop(layer, own, [np.zeros((1, H))] * parts, place)
            hs[:end, n, d * H : (d + 1) * H] = np.array(found)[:: -1 if d else 1, 0]
            for k in range(parts):
                last[k, d, n] = state[k][0]
    return hs, last


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("lengths", [None, [T, 1]])
def test_both_directions_equal_the_loop(name, lengths):
    layer = LAYERS[name](bidirectional=True, rng=gg.Generator(4), dtype="float64")
    x = arrays(T, N, I)
    hs, state = layer(gg.tensor(x), lengths=lengths)
    want, last = both_ways(layer, x, lengths or [T] * N)
    assert_close(hs.numpy(), want, reduction=64)
    for got, right in zip(state if isinstance(state, tuple) else (state,), last):
        assert_close(got.numpy(), right, reduction=64)


@pytest.mark.parametrize("name", ["rnn", "lstm peephole", "gru lecture", "gru library"])
def test_what_follows_the_end_of_a_sequence_does_not_matter(name):
    layer = LAYERS[name](layers=2, bidirectional=True, rng=gg.Generator(4), dtype="float64")
    x = arrays(T, N, I)
    found = []
    for rest in (0.0, 9.0, np.nan, np.inf):
        x[1:, 1] = rest
        t = gg.tensor(x, requires_grad=True)
        hs, _ = layer(t, lengths=[T, 1])
        grads = gg.grad(hs, [t, *layer.parameters()], arrays(*hs.shape, seed=1))
        found.append([hs.numpy(), *(g.numpy() for g in grads)])
    for other in found[1:]:
        for a, b in zip(found[0], other):
            assert np.array_equal(a, b)
    assert not found[0][0][1:, 1].any() and not found[0][1][1:, 1].any()


def test_two_halves_with_the_state_handed_on_equal_the_whole():
    for name in LAYERS:
        layer, x = make(name, 2), gg.tensor(arrays(5, N, I))
        whole, end = layer(x)
        first, state = layer(x[:2])
        second, last = layer(x[2:], nn.detached(state))
        assert_close(np.concatenate([first.numpy(), second.numpy()]), whole.numpy())
        pairs = zip(last, end) if isinstance(last, tuple) else [(last, end)]
        for one, two in pairs:
            assert_close(one.numpy(), two.numpy())
            assert nn.detached(one).edge is None


def test_parameter_names_and_shapes():
    layer = nn.LSTM(I, H, layers=2, biases=2, peephole=True, rng=gg.Generator(0))
    assert {n: v.shape for n, v in layer.state_dict().items()} == {
        "weight_ih_l0": (4 * H, I), "weight_hh_l0": (4 * H, H), "bias_ih_l0": (4 * H,),
        "bias_hh_l0": (4 * H,), "weight_ph_l0": (3 * H, H),
        "weight_ih_l1": (4 * H, H), "weight_hh_l1": (4 * H, H), "bias_ih_l1": (4 * H,),
        "bias_hh_l1": (4 * H,), "weight_ph_l1": (3 * H, H),
    }  # fmt: skip
    assert list(nn.RNN(I, H, rng=gg.Generator(0)).state_dict()) == ["weight_ih_l0", "weight_hh_l0"]
    lecture, library = (
        nn.GRU(I, H, variant=v, rng=gg.Generator(0)) for v in ("lecture", "library")
    )
    assert lecture.biases == 0 and library.biases == 2


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_two_biases_load_into_one_as_their_sum(kind):
    two = kind(I, H, 2, biases=2, rng=gg.Generator(0), dtype="float64")
    one = kind(I, H, 2, biases=1, rng=gg.Generator(1), dtype="float64")
    holder = nn.Sequential(one)
    state = {f"0.{k}": v for k, v in two.state_dict().items()}
    kept = dict(state)
    holder.load_state_dict(state)
    assert state.keys() == kept.keys()  # the caller's dict is not touched
    x = gg.tensor(arrays(T, N, I))
    assert_close(one(x)[0].numpy(), two(x)[0].numpy())


def test_the_library_gru_refuses_to_add_its_biases():
    two = nn.GRU(I, H, variant="library", rng=gg.Generator(0))
    one = nn.GRU(I, H, variant="library", biases=1, rng=gg.Generator(0))
    with pytest.raises(nn.StateError, match="unexpected: bias_hh_l0"):
        one.load_state_dict(two.state_dict())


def test_dropout_acts_between_levels_only_in_training():
    deep = nn.LSTM(I, 50, layers=2, dropout=0.5, rng=gg.Generator(0))
    x = gg.tensor(arrays(T, N, I).astype("float32"))
    assert [n for n, _ in deep.named_generators()] == ["dropout.rng"]
    assert not np.array_equal(deep(x)[0].numpy(), deep(x)[0].numpy())
    deep.eval()
    assert np.array_equal(deep(x)[0].numpy(), deep(x)[0].numpy())
    flat = nn.LSTM(I, H, layers=1, dropout=0.5, rng=gg.Generator(0))
    assert np.array_equal(flat(x)[0].numpy(), flat(x)[0].numpy())


def test_no_steps_and_no_sequences():
    for name in LAYERS:
        layer = make(name, 2)
        for shape in ((0, N, I), (T, 0, I)):
            y, state = layer(gg.tensor(np.zeros(shape)))
            assert y.shape == (*shape[:2], H)
            for part in state if isinstance(state, tuple) else (state,):
                assert part.shape == (2, shape[1], H)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda g: nn.LSTM(I, H, rng=g)(gg.ones((T, I))), ShapeError, r"x must be \[T, N, I\]"),
        (lambda g: nn.GRU(I, H, rng=g)(gg.ones((T, N, 9))), ShapeError, "with I; expected 3"),
        (
            lambda g: nn.RNN(I, H, rng=g)(gg.ones((T, N, I)), gg.ones((N, H))),
            ShapeError,
            r"RNN: a state must be \[L, N, H\]; expected \(1, 2, 2\), got \(2, 2\)",
        ),
        (
            lambda g: nn.RNN(I, H, bidirectional=True, rng=g)(
                gg.ones((T, N, I)), gg.ones((1, N, H))
            ),
            ShapeError,
            r"RNN: a state must be \[2L, N, H\]; expected \(2, 2, 2\), got \(1, 2, 2\)",
        ),
        (
            lambda g: nn.GRU(I, H, rng=g)(gg.ones((T, N, I)), lengths=[1, 4]),
            ValueRangeError,
            r"GRU: lengths must lie in 1\.\.T; expected 1\.\.3, got 1\.\.4",
        ),
        (
            lambda g: nn.LSTM(I, H, rng=g)(gg.ones((T, N, I)), lengths=[0, 3]),
            ValueRangeError,
            "got 0..3",
        ),
        (
            lambda g: nn.GRU(I, H, rng=g)(gg.zeros((0, N, I)), lengths=[9, 1]),
            ValueRangeError,
            "got 1..9",
        ),
        (
            lambda g: nn.LSTM(I, H, rng=g)(gg.ones((T, N, I)), lengths=[3]),
            ShapeError,
            r"lengths must be \[N\]; expected \(2,\), got \(1,\)",
        ),
        (
            lambda g: nn.RNN(I, H, rng=g)(gg.ones((T, N, I)), lengths=[1.0, 2.0]),
            DTypeError,
            "lengths must be integers",
        ),
        (lambda g: nn.RNN(I, H, biases=3, rng=g), GlassgradError, "biases must be known"),
        (lambda g: nn.RNN(I, H, activation="sin", rng=g), GlassgradError, "activation must be"),
        (lambda g: nn.GRU(I, H, variant="torch", rng=g), GlassgradError, "variant must be known"),
        (lambda g: nn.LSTM(I, 0, rng=g), GlassgradError, "hidden must be a positive integer"),
    ],
)
def test_bad_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(gg.Generator(0))


def test_a_wrong_gate_order_is_caught_by_the_loop_too():
    layer, x = make("lstm"), arrays(T, N, I)
    want, _ = loop(layer, x, [np.zeros((N, H))] * 2)
    for p in layer.parameters():
        i, f, g, o = np.split(p.numpy(), 4)
        p.assign(np.concatenate([i, f, o, g]))
    with pytest.raises(AssertionError, match="got"):
        assert_close(layer(gg.tensor(x))[0].numpy(), want)
