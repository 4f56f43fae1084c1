"""The LSTM cell by the equations of the slides (lecture 3, V2 263-427), and as a layer.

`lstm` explains the equations and turns the cell into a system. `peephole_lstm` adds weights to it,
and `rnn` compares its own cell with this one: how far do the gradients reach?
"""

from ... import core as gg
from ...core import nn
from ...core.training.settings import SettingError, setting
from .sequence import SequenceSettings


class LSTMSettings(SequenceSettings):
    """Settings of a net of LSTM cells."""

    biases: int = setting(1, least=0, below=3, help="biases b of a gate: 1, or a library's 2")
    forget_bias: float = setting(1.0, help="initial b_f, so that the forget gates start open")

    def check(self):
        """Check that `forget_bias` has a bias to go to."""
        if self.forget_bias and not self.biases:
            raise SettingError("forget_bias needs biases of 1 or 2")


def cell(x, h, C, W, b):
    """One step of the slides: (h_t, C_t, gates). W[gate] [H, H + I], b[gate] [H]; x [N, I].

    >>> W, b = (dict.fromkeys("fiCo", gg.zeros(shape)) for shape in ((1, 2), (1,)))
    >>> one = gg.ones((1, 1))
    >>> cell(one, one, one, W, b)[1].numpy()  # every gate half open, the candidate 0
    array([[0.5]], dtype=float32)
    """
    hx = gg.concatenate([h, x], axis=1)
    f = gg.sigmoid(gg.linear(hx, W["f"], b["f"]))
    i = gg.sigmoid(gg.linear(hx, W["i"], b["i"]))
    new = gg.tanh(gg.linear(hx, W["C"], b["C"]))
    C = f * C + i * new
    o = gg.sigmoid(gg.linear(hx, W["o"], b["o"]))
    return o * gg.tanh(C), C, {"f": f, "i": i, "o": o}


def layer(inputs: int, s: LSTMSettings, rng, dtype="float32") -> nn.LSTM:
    """The recurrent layer by the settings."""
    made = nn.LSTM(
        inputs, s.hidden, s.layers, biases=s.biases, dropout=s.dropout, rng=rng, dtype=dtype
    )
    return open_forget_gates(made, s.forget_bias)


def slide_weights(layer: nn.LSTM) -> tuple[dict, dict]:
    """W and b of `cell`, by gate, from the first level of a layer; b = 0 if it has no bias."""
    wh, wx = (gg.split(w, 4, axis=0) for w in (layer.weight_hh_l0, layer.weight_ih_l0))
    W = {g: gg.concatenate(parts, axis=1) for g, *parts in zip("ifCo", wh, wx)}
    b = layer.bias("l0") if layer.biases else gg.zeros((4 * layer.hidden,), wh[0].dtype)
    return W, dict(zip("ifCo", gg.split(b, 4, axis=0)))


def open_forget_gates(layer: nn.LSTM, bias: float) -> nn.LSTM:
    """Add `bias` to the forget gates' biases of all levels; with 0 the layer needs none."""
    if bias:
        for k in range(layer.layers):
            layer.get("bias_ih", f"l{k}").data[layer.hidden : 2 * layer.hidden] += bias
    return layer


PRESETS = {  # with peepholes and without
    "digits": {"epochs": 40, "batch": 50, "lr": 3e-3, "clip": 1.0, "select": "loss"},
    "embedded_reber": {
        "target": "next",
        "examples": 3000,
        "hidden": 32,
        "epochs": 16,
        "batch": 10,
        "lr": 1e-2,
        "clip": 1.0,
        "select": "loss",
    },
}
