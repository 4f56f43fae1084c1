"""The gated recurrent unit, a simpler LSTM (lecture 3, V2 465-495).

Only the state h; one update gate instead of the input and the forget gate, and a reset gate that
decides how much of the past the candidate sees ::

    z_t = σ(W_z [h_{t-1}, x_t])                update gate
    r_t = σ(W_r [h_{t-1}, x_t])                reset gate
    h̃_t = th(W_h [r_t ⊙ h_{t-1}, x_t])
    h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t

No biases, as on the slide. `variant="library"` is the form of PyTorch and cuDNN: it resets after
the product, h̃ = th(W_x x + b + r ⊙ (W_h h + b')), swaps the roles of z and 1 - z,
h = (1 - z) h̃ + z h, and has two biases. Neither form can represent the other. With `biases` = -1
the variant sets their number. The layer's weights [3H, I] and [3H, H] are the slide's W split
between h and x, in the order r, z, h̃.

The pictures: gates over time, by the slide's equations with the trained weights, and those of the
task.

The numbers: piano rolls (negative log-likelihood of a frame in nats) and the adding problem.
"""

from typing import Literal

from ... import core as gg
from ...core import nn
from ...core.training.recipe import Target
from ...core.training.settings import setting
from .over_time import over_time
from .sequence import FRAMES, SequenceSettings, recipe
from .sequence_pictures import traces


class Settings(SequenceSettings):
    """Settings of a net of gated recurrent units."""

    variant: Literal["lecture", "library"] = setting("lecture", help="form of h̃ and sense of z")
    biases: int = setting(-1, least=-1, below=3, help="biases of a gate, -1 for those of the form")


def cell(x, h, W):
    """One step of the slide: (h_t, gates). W[gate] [H, H + I] for r, z, h; x [N, I], h [N, H].

    >>> W, one = dict.fromkeys("rzh", gg.zeros((1, 2))), gg.ones((1, 1))
    >>> cell(one, one, W)[0].numpy()  # both gates half open, the candidate 0
    array([[0.5]], dtype=float32)
    """
    hx = gg.concatenate([h, x], axis=1)
    z = gg.sigmoid(gg.linear(hx, W["z"]))
    r = gg.sigmoid(gg.linear(hx, W["r"]))
    new = gg.tanh(gg.linear(gg.concatenate([r * h, x], axis=1), W["h"]))
    return (1 - z) * h + z * new, {"z": z, "r": r}


def slide_weights(layer: nn.GRU) -> dict:
    """W of `cell`, by gate, from the first level of a layer without biases."""
    wh, wx = (gg.split(w, 3, axis=0) for w in (layer.weight_hh_l0, layer.weight_ih_l0))
    return {g: gg.concatenate(parts, axis=1) for g, *parts in zip("rzh", wh, wx)}


def layer(inputs: int, s: Settings, rng, dtype="float32") -> nn.GRU:
    """The recurrent layer by the settings."""
    return nn.GRU(
        inputs,
        s.hidden,
        s.layers,
        variant=s.variant,
        dropout=s.dropout,
        biases=None if s.biases < 0 else s.biases,
        rng=rng,
        dtype=dtype,
    )


def gates(system, data, s: Settings) -> dict:
    """State and gates of at most eight units over one sequence, for the slide's form."""
    if s.variant != "lecture" or system.layer.biases:
        return {}
    x = system.task.batch(data.test[:1]).x if not system.task.carries else data.test.x[:60, None]
    ticks, x = system.task.ticks(x), gg.Tensor(system.encode(x).data)
    W = slide_weights(system.layer)

    def step(x, h):
        h, named = cell(x, h, W)
        return h, {"h": h, **named}

    shown = over_time(step, (gg.zeros((1, s.hidden), x.dtype),), x)
    return {"gates": traces({k: v[:, :8] for k, v in shown.items()}, ticks)}


GRU = recipe(
    name="gru",
    title="Gated recurrent unit",
    lecture="lecture 3 (V2 465-495)",
    rows=(83, 84),
    layer=layer,
    more_figures=gates,
    settings=Settings,
    presets={
        "digits": {"epochs": 40, "batch": 50, "lr": 3e-3, "clip": 1.0, "select": "loss"},
        "jsb_chorales": {
            "hidden": 200, "dropout": 0.3, "epochs": 80, "batch": 4, "lr": 5e-3, "clip": 1.0,
            "schedule": "cosine", "select": "loss",
        },
        "adding": {
            "examples": 5000, "hidden": 32, "epochs": 12, "batch": 50, "lr": 5e-3, "clip": 1.0,
            "select": "loss",
        },
        "tinyshakespeare": {
            "hidden": 128, "steps": 50, "epochs": 10, "batch": 50, "lr": 3e-3, "clip": 1.0,
            "schedule": "cosine", "select": "loss",
        },
    },
    metric="loss",
    targets=(
        Target(
            "adding problem of 100 steps, test MSE", "adding", "loss", "0.04", 0.04,
            source="Hochreiter & Schmidhuber 1997, section 5.4",
            note="0.04 is the paper's bound on the error of a sequence; always answering 1 has 1/6",
        ),
        Target(
            "JSB chorales, test NLL per frame", "jsb_chorales", "loss", "8.43", 8.43,
            source="Bai, Kolter & Koltun 2018, table 1", note=FRAMES, seeds=3,
        ),
    ),
)  # fmt: skip
RECIPES = (GRU,)
