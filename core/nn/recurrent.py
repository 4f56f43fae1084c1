"""Recurrent layers: plain, LSTM, GRU, of one or several levels; by default in the lecture's form.

Letters: T steps, N sequences, I inputs, H hidden units, L levels. x is [T, N, I]; a state is
[L, N, H] (of the LSTM a pair (h, c) of such); each layer returns (hs [T, N, H] of the top level,
state after the last step) and starts from zeros when no state is given. With `lengths` [N] sequence
n ends after lengths_n steps: its state is the one there, its later rows of hs are 0.

`bidirectional` gives each level a second net, which reads every sequence from its end (Schuster &
Paliwal 1997). hs is [T, N, 2H], what both say of step t, and the input of the next level; a state
is [2L, N, H], forward and backward of each level in turn. That of the backward net is the one after
it has read step 0.

Parameters, as in PyTorch, for level k: ``weight_ih_l{k}`` [G·H, inputs], ``weight_hh_l{k}``
[G·H, H], ``bias_ih_l{k}``, ``bias_hh_l{k}`` [G·H], with G = 1 (plain), 4 (LSTM: i, f, g, o) or
3 (GRU: r, z, n); those of a backward net end in ``_reverse``. All start from U(±1/√H).

`biases` is their number: 0; 1 (``bias_ih`` only, as papers write it); 2 (as in libraries). A state
with two biases loads into a layer with one: the two are added, which gives the same function if
both enter the same sum. In the library's GRU they do not, so loading is refused there. Weights of
PyTorch fit an RNN with ``biases=2`` and a GRU with ``variant="library"``, as the message says where
they do not. A GRU without biases has the same names in both variants: say which it is.
"""

from ...kernels.annotations import DType
from ...kernels.checks import choice, within
from ...kernels.errors import expect
from ..functions import concatenate, expand_dims, gru, lstm, rnn, stack
from ..functions.recurrent import ACTIVATIONS, backwards, expect_lengths
from ..random import Generator
from ..tensor import Tensor, as_tensor
from .dropout import Dropout
from .init import expect_sizes, scaled
from .module import Module


def detached(state):
    """A state as constants, to truncate back-propagation through time."""
    return tuple(map(detached, state)) if isinstance(state, tuple) else as_tensor(state).detach()


class _Recurrent(Module):
    """Parameters of all levels, and the loop over levels."""

    gates = 1
    biases_add_up = True  # both biases enter the same sum

    def __init__(self, inputs, hidden, layers, biases, dropout, bidirectional, rng, dtype):
        name = type(self).__name__
        expect_sizes(name, inputs=inputs, hidden=hidden, layers=layers)
        choice(name, "biases", biases, (0, 1, 2))
        expect(layers <= 1000, name, "layers must be few enough to build", "≤ 1000", layers)
        self.inputs, self.hidden, self.layers, self.biases = inputs, hidden, layers, biases
        self.directions = ("", "_reverse") if bidirectional else ("",)
        rows = self.gates * hidden
        for k in range(layers):
            shapes = {
                "weight_ih": (rows, inputs if k == 0 else len(self.directions) * hidden),
                "weight_hh": (rows, hidden),
                **dict.fromkeys(("bias_ih", "bias_hh")[:biases], (rows,)),
                **self.more_shapes(),
            }
            for place in self.places(k):
                for kind, shape in shapes.items():
                    setattr(self, f"{kind}_{place}", scaled(shape, hidden, rng, dtype))
        within(name, "dropout", dropout, least=0, below=1)
        self.dropout = Dropout(dropout, rng=rng) if dropout else None

    def places(self, k: int) -> list[str]:
        """How the names of the parameters of level k end, for each direction."""
        return [f"l{k}{direction}" for direction in self.directions]

    def more_shapes(self) -> dict:
        """Parameters beyond weights and biases: name -> shape."""
        return {}

    def level(self, x, state, place: str, lengths):
        """One net of one level: (hs, state tuple after the last step)."""
        raise NotImplementedError

    def get(self, kind: str, place: str):
        """The parameter of that net, or None if the layer has none."""
        return getattr(self, f"{kind}_{place}", None)

    def bias(self, place: str):
        """The sum of the net's biases, or None."""
        one, two = self.get("bias_ih", place), self.get("bias_hh", place)
        return one if two is None else one + two

    def run(self, x: Tensor, states: list, lengths):
        """All levels; `states` are tensors [L, N, H], or None for zeros."""
        name = type(self).__name__
        fits = x.ndim == 3 and x.shape[2] == self.inputs
        expect(fits, name, "x must be [T, N, I] with I", self.inputs, x.shape, x=x)
        lengths = expect_lengths(name, x, lengths)
        shape = (len(self.directions) * self.layers, x.shape[1], self.hidden)
        states = [Tensor(x.xp.zeros(shape, x.dtype)) if s is None else s for s in states]
        for s in states:
            form = "[L, N, H]" if len(self.directions) == 1 else "[2L, N, H]"
            expect(s.shape == shape, name, f"a state must be {form}", shape, s.shape, x=x)
        last = []
        for k in range(self.layers):
            if k and self.dropout is not None:  # between levels only
                x = self.dropout(x)
            said = []
            for place, direction in zip(self.places(k), self.directions):
                state = [s[len(last)] for s in states]
                read = backwards(x, lengths) if direction else x
                hs, new = self.level(read, state, place, lengths)
                said.append(backwards(hs, lengths) if direction else hs)
                last.append(new)
            x = concatenate(said, axis=2) if self.directions[1:] else said[0]
        if len(last) == 1:
            return x, [expand_dims(s, 0) for s in last[0]]
        return x, [stack(parts) for parts in zip(*last)]

    def adapt_state(self, state, prefix):
        if self.biases != 1 or not self.biases_add_up:
            return
        for place in (p for k in range(self.layers) for p in self.places(k)):
            one, two = f"{prefix}bias_ih_{place}", f"{prefix}bias_hh_{place}"
            if one in state and two in state and state[one].shape == state[two].shape:
                state[one] = state[one] + state.pop(two)

    def switch_for(self, names):
        """The number of biases, levels and directions that the names tell of, as settings."""
        if "weight_ih_l0" not in names:
            return ""
        found = {
            "biases": ("bias_ih_l0" in names) + ("bias_hh_l0" in names),
            "layers": sum(f"weight_ih_l{k}" in names for k in range(len(names))),
            "bidirectional": "weight_ih_l0_reverse" in names,
        }
        mine = {
            "biases": self.biases,
            "layers": self.layers,
            "bidirectional": len(self.directions) > 1,
        }
        if self.biases == 1 and self.biases_add_up and found["biases"] == 2:
            mine["biases"] = 2  # the two are added
        return self.spelled({k: v for k, v in found.items() if v != mine[k]})

    def spelled(self, settings: dict) -> str:
        """Settings as they stand in a call."""
        return ", ".join(f"{name}={value!r}" for name, value in settings.items())

    def extra(self):
        levels = f", {self.layers} layers" if self.layers > 1 else ""
        both = ", bidirectional" if self.directions[1:] else ""
        return f"{self.inputs} -> {self.hidden}{levels}{both}, biases {self.biases}"


class RNN(_Recurrent):
    """hₜ = φ(U xₜ + W hₜ₋₁ [+ b]), φ tanh, relu or sigmoid; no bias by default (lecture 3).

    `dropout` acts between levels, not between time steps (Zaremba et al. 2014).

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> hs, h = nn.RNN(3, 4, rng=gg.Generator(0))(gg.ones((5, 2, 3)))
    >>> hs.shape, h.shape
    ((5, 2, 4), (1, 2, 4))
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        layers: int = 1,
        *,
        biases: int = 0,
        activation: str = "tanh",
        dropout: float = 0.0,
        bidirectional: bool = False,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        choice("RNN", "activation", activation, ACTIVATIONS)
        self.activation = activation
        super().__init__(inputs, hidden, layers, biases, dropout, bidirectional, rng, dtype)

    def level(self, x, state, place, lengths):
        """One net: (hs, (h,))."""
        w_ih, w_hh = self.get("weight_ih", place), self.get("weight_hh", place)
        activation = ACTIVATIONS[self.activation]
        hs, h = rnn(x, state[0], w_ih, w_hh, self.bias(place), activation, lengths)
        return hs, (h,)

    def forward(self, x: Tensor, h: Tensor | None = None, lengths=None):
        """x [T, N, I], h [L, N, H] or None for zeros -> (hs [T, N, H], h [L, N, H])."""
        hs, (h,) = self.run(x, [h], lengths)
        return hs, h


class LSTM(_Recurrent):
    """i, f, o = σ(a), g = tanh(a), a = W [x, h] + b;  c' = f c + i g,  h' = o tanh(c').

    One bias per gate (lecture 3; Hochreiter & Schmidhuber 1997, Gers et al. 2000);
    ``biases=2`` is the form of libraries. ``peephole=True`` adds ``weight_ph_l{k}`` [3H, H], full
    matrices through which i and f see c and o sees c' (order i, f, o). State: a pair (h, c).

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> hs, (h, c) = nn.LSTM(3, 4, layers=2, rng=gg.Generator(0))(gg.ones((5, 2, 3)))
    >>> hs.shape, h.shape, c.shape
    ((5, 2, 4), (2, 2, 4), (2, 2, 4))
    """

    gates = 4

    def __init__(
        self,
        inputs: int,
        hidden: int,
        layers: int = 1,
        *,
        biases: int = 1,
        peephole: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        self.peephole = peephole
        super().__init__(inputs, hidden, layers, biases, dropout, bidirectional, rng, dtype)

    def more_shapes(self):
        """The peepholes, if the layer has them."""
        return {"weight_ph": (3 * self.hidden, self.hidden)} if self.peephole else {}

    def level(self, x, state, place, lengths):
        """One net: (hs, (h, c))."""
        w_ih, w_hh = self.get("weight_ih", place), self.get("weight_hh", place)
        peephole = self.get("weight_ph", place)
        return lstm(x, *state, w_ih, w_hh, self.bias(place), peephole, lengths)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None, lengths=None):
        """x [T, N, I], state (h, c) of [L, N, H] or None for zeros -> (hs [T, N, H], (h, c))."""
        hs, state = self.run(x, [None, None] if state is None else list(state), lengths)
        return hs, tuple(state)

    def extra(self):
        """Sizes, biases and peepholes."""
        return super().extra() + (", peephole" if self.peephole else "")


class GRU(_Recurrent):
    """The gated recurrent unit, r, z = σ(W [x, h] + b).

    ``variant="lecture"``:  n = tanh(W x + U (r h)),        h' = (1 - z) h + z n,  no biases
    ``variant="library"``:  n = tanh(W x + b + r (U h + b)),  h' = (1 - z) n + z h,  two biases

    (Cho et al. 2014; "library" is the form of PyTorch and cuDNN.) `biases` overrides the variant's.

    >>> import glassgrad as gg
    >>> from glassgrad.core import nn
    >>> nn.GRU(3, 4, rng=gg.Generator(0)).count()
    84
    """

    gates = 3

    def __init__(
        self,
        inputs: int,
        hidden: int,
        layers: int = 1,
        *,
        variant: str = "lecture",
        biases: int | None = None,
        dropout: float = 0.0,
        bidirectional: bool = False,
        rng: Generator | None = None,
        dtype: DType = "float32",
    ):
        choice("GRU", "variant", variant, ("lecture", "library"))
        self.variant, self.biases_add_up = variant, variant == "lecture"
        biases = biases if biases is not None else {"lecture": 0, "library": 2}[variant]
        super().__init__(inputs, hidden, layers, biases, dropout, bidirectional, rng, dtype)

    def level(self, x, state, place, lengths):
        """One net: (hs, (h,))."""
        w_ih, w_hh = self.get("weight_ih", place), self.get("weight_hh", place)
        b_ih, b_hh = self.get("bias_ih", place), self.get("bias_hh", place)
        hs, h = gru(x, state[0], w_ih, w_hh, b_ih, b_hh, self.variant, lengths)
        return hs, (h,)

    def forward(self, x: Tensor, h: Tensor | None = None, lengths=None):
        """x [T, N, I], h [L, N, H] or None for zeros -> (hs [T, N, H], h [L, N, H])."""
        hs, (h,) = self.run(x, [h], lengths)
        return hs, h

    def spelled(self, settings):
        """Two biases are those of the library's form, which has other equations, too."""
        if settings.get("biases") == 2 and self.variant == "lecture":
            settings = {"variant": "library"} | {k: v for k, v in settings.items() if k != "biases"}
        return super().spelled(settings)

    def extra(self):
        """Sizes, biases and the variant."""
        return super().extra() + f", {self.variant}"
