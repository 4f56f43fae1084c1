"""Long short-term memory (lecture 3, V2 263-427).

A cell state C that only gates touch, so that the net itself learns what to remember for long. With
[h_{t-1}, x_t] one vector ::

    f_t = σ(W_f [h_{t-1}, x_t] + b_f)          forget gate: which coordinates of C stay
    i_t = σ(W_i [h_{t-1}, x_t] + b_i)          input gate: which are renewed
    C̃_t = th(W_C [h_{t-1}, x_t] + b_C)         candidates for the new state
    C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t
    o_t = σ(W_o [h_{t-1}, x_t] + b_o)          output gate: which are shown
    h_t = o_t ⊙ th(C_t)

Along C the gradient is multiplied by f alone: ∂C_t/∂C_{t-1} = diag(f_t) + what goes through the
gates, close to 1 where the gate is open. One bias for each gate, as on the slide; `biases` = 2 are
the library's two. The layer's weights [4H, I] and [4H, H] are the slide's W cut between h and x, in
the order i, f, C, o. The slide says nothing of initial values: the bias of the forget gate starts
at `forget_bias` = 1 (Gers, Schmidhuber & Cummins 2000), so that gates are open before they have
learnt what to forget.

The pictures: gates and cells over time, by the slide's equations with the trained weights; and what
the task shows.

The numbers: embedded Reber strings all solved (Hochreiter & Schmidhuber 1997, 5.1), the adding
problem, and piano rolls (negative log-likelihood of a frame in nats).
"""

import numpy as np

from .. import core as gg
from ..core import nn
from ..core.recipe import SettingError, Target
from .sequence import FRAMES, recipe
from .sequence_pictures import traces


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


def slide_weights(layer: nn.LSTM) -> tuple[dict, dict]:
    """W and b of `cell`, by gate, from the first level of a layer; b = 0 where it has no bias."""
    wh, wx = (gg.split(w, 4, axis=0) for w in (layer.weight_hh_l0, layer.weight_ih_l0))
    W = {g: gg.concatenate(parts, axis=1) for g, *parts in zip("ifCo", wh, wx)}
    b = layer.bias(0) if layer.biases else gg.zeros((4 * layer.hidden,), wh[0].dtype)
    return W, dict(zip("ifCo", gg.split(b, 4, axis=0)))


def open_forget_gates(layer: nn.LSTM, bias: float) -> nn.LSTM:
    """Add `bias` to the forget gates' biases of all levels."""
    if not bias:
        return layer
    if not layer.biases:
        raise SettingError("forget_bias needs biases of 1 or 2")
    for k in range(layer.layers):
        layer.get("bias_ih", k).data[layer.hidden : 2 * layer.hidden] += bias
    return layer


def layer(inputs: int, s: dict, rng, dtype="float32") -> nn.LSTM:
    """The recurrent layer by the settings."""
    made = nn.LSTM(
        inputs, s["hidden"], s["layers"], biases=s["biases"], dropout=s["dropout"], rng=rng,
        dtype=dtype,
    )  # fmt: skip
    return open_forget_gates(made, s["forget_bias"])


def over_time(step, state, x) -> dict:
    """{name: [T, H]} of what ``step(x_t, *state) -> (*state, named)`` computes on x [T, 1, I]."""
    found = {}
    with gg.no_grad():
        for t in range(x.shape[0]):
            *state, named = step(x[t], *state)
            for name, value in named.items():
                found.setdefault(name, []).append(value.numpy()[0])
    return {name: np.stack(values) for name, values in found.items()}


def gates(system, data, s: dict) -> dict:
    """Gates and cells of at most eight units over one sequence."""
    x = system.task.batch(data.test[:1]).x if not system.task.carries else data.test.x[:60, None]
    ticks, x = system.task.ticks(x), gg.Tensor(system.encode(x).data)
    W, b = slide_weights(system.layer)

    def step(x, h, C):
        h, C, named = cell(x, h, C, W, b)
        return h, C, {"C": C, **named}

    zero = gg.zeros((1, s["hidden"]), x.dtype)
    shown = over_time(step, (zero, zero), x)
    return {"gates": traces({k: v[:, :8] for k, v in shown.items()}, ticks)}


SETTINGS = {"biases": 1, "forget_bias": 1.0, "hidden": 64, "layers": 1, "dropout": 0.0}

LSTM = recipe(
    name="lstm",
    title="Long short-term memory",
    lecture="lecture 3 (V2 263-427)",
    rows=(81, 84),
    layer=layer,
    more_figures=gates,
    settings=SETTINGS,
    data="embedded_reber",
    presets={
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
        "jsb_chorales": {
            "hidden": 200,
            "dropout": 0.4,
            "epochs": 80,
            "batch": 4,
            "lr": 5e-3,
            "clip": 1.0,
            "schedule": "cosine",
            "select": "loss",
        },
        "adding": {
            "examples": 5000,
            "hidden": 32,
            "epochs": 20,
            "batch": 50,
            "lr": 1e-2,
            "clip": 1.0,
            "select": "loss",
        },
        "tinyshakespeare": {
            "hidden": 128,
            "steps": 50,
            "epochs": 10,
            "batch": 50,
            "lr": 3e-3,
            "clip": 1.0,
            "schedule": "cosine",
            "select": "loss",
        },
        # the small net of Zaremba et al. 2014; their cost sums over the 20 steps, ours averages,
        # so that their rate 1 and their clip 5 are 20 and 1/4 here
        "ptb": {
            "hidden": 200,
            "layers": 2,
            "embed": 200,
            "init": 0.1,
            "forget_bias": 0.0,
            "steps": 20,
            "epochs": 13,
            "batch": 20,
            "optimiser": "sgd",
            "lr": 20.0,
            "clip": 0.25,
            "schedule": "halving:4",
        },
    },
    metric="loss",
    targets=(
        Target(
            "adding problem of 100 steps, test MSE",
            "adding",
            "loss",
            "0.04",
            0.04,
            source="Hochreiter & Schmidhuber 1997, section 5.4",
            note="0.04 is the paper's bound on the error of a sequence; always answering 1 has 1/6",
        ),
        Target(
            "JSB chorales, test NLL per frame",
            "jsb_chorales",
            "loss",
            "8.45",
            8.6,
            source="Bai, Kolter & Koltun 2018, table 1",
            note=FRAMES,
        ),
        Target(
            "embedded Reber strings, unseen ones solved",
            "embedded_reber",
            "solved",
            "148 of 150 trials",
            1.0,
            better="higher",
            source="Hochreiter & Schmidhuber 1997, section 5.1",
            note="every legal successor predicted at every step of every test string",
        ),
    ),
)
RECIPES = (LSTM,)
