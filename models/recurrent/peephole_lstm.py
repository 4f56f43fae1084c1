"""The LSTM with peepholes (lecture 3, V2 428-464).

The gates see the cell state itself, not only what the output gate lets through ::

    f_t = σ(W_f [C_{t-1}, h_{t-1}, x_t] + b_f)
    i_t = σ(W_i [C_{t-1}, h_{t-1}, x_t] + b_i)
    C̃_t = th(W_C [h_{t-1}, x_t] + b_C)                no peephole
    C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t
    o_t = σ(W_o [C_t, h_{t-1}, x_t] + b_o)            the new state already
    h_t = o_t ⊙ th(C_t)

On the slide, and here, the peepholes are full matrices: W_f is [H, 2H + I]. `peephole="diagonal"`
is the form of Gers & Schmidhuber 2000 and of libraries, where a gate sees only its own cell. Not
every gate needs one (V2 463): `gates` names those of "fio" that have it. The layer keeps the
C-parts of the matrices of these G gates as weight_ph [G·H, H], or their diagonals as [G·H], in the
order i, f, o; the rest is as in `lstm`.

With peepholes a net can count: on a^n b^n a cell goes up with every a and down with every b, and
the gates see its value. The pictures: cells and gates on a long string, and its legal symbols.

The number: trained on n = 1 .. 10, right for every n from 1 to 65 and beyond (Gers & Schmidhuber
2001). The epoch is selected on n = 11 .. 30, far below the test range's end at 100.
"""

from typing import Literal

from ... import core as gg
from ...core import nn
from ...core.training.recipe import Target
from ...core.training.settings import SettingError, setting
from . import lstm_cell
from .lstm_cell import LSTMSettings
from .over_time import memory
from .sequence import recipe
from .sequence_pictures import traces


class Settings(LSTMSettings):
    """Settings of a net of LSTM cells with peepholes."""

    peephole: Literal["full", "diagonal"] = setting("full", help="C-parts of W_f, W_i and W_o")
    gates: str = setting("fio", help="those with a peephole, of f, i and o")

    def check(self):
        """Check that `gates` names some of f, i and o."""
        super().check()
        if not set(self.gates) <= set("fio"):
            raise SettingError(f"gates must be some of f, i, o; got {self.gates!r}")


def cell(x, h, C, W, b):
    """One step of the slide: (h_t, C_t, gates). W[f], W[i], W[o] [H, 2H + I], W[C] [H, H + I].

    >>> W = {g: gg.zeros((1, 2 if g == "C" else 3)) for g in "fiCo"}
    >>> b, one = dict.fromkeys("fiCo", gg.zeros((1,))), gg.ones((1, 1))
    >>> cell(one, one, one, W, b)[1].numpy()  # every gate half open, the candidate 0
    array([[0.5]], dtype=float32)
    """
    hx = gg.concatenate([h, x], axis=1)
    old = gg.concatenate([C, hx], axis=1)
    f = gg.sigmoid(gg.linear(old, W["f"], b["f"]))
    i = gg.sigmoid(gg.linear(old, W["i"], b["i"]))
    new = gg.tanh(gg.linear(hx, W["C"], b["C"]))
    C = f * C + i * new
    o = gg.sigmoid(gg.linear(gg.concatenate([C, hx], axis=1), W["o"], b["o"]))
    return o * gg.tanh(C), C, {"f": f, "i": i, "o": o}


class PeepholeLSTM(nn.LSTM):
    """The engine's LSTM with peepholes, full or diagonal, on some of its gates.

    weight_ph_l{k} [G·H, H], or [G·H] for diagonal ones, for the G gates that have a peephole, in
    the order i, f, o; none if no gate has one.
    """

    def __init__(self, inputs, hidden, layers, *, diagonal, gates, rng, dtype, **options):
        self.diagonal, self.seeing = diagonal, [g for g in "ifo" if g in gates]
        super().__init__(inputs, hidden, layers, peephole=True, rng=rng, dtype=dtype, **options)

    def more_shapes(self):
        """weight_ph: [G·H, H], or [G·H] if diagonal; empty if no gate has a peephole."""
        rows = len(self.seeing) * self.hidden
        if not rows:
            return {}
        return {"weight_ph": (rows,) if self.diagonal else (rows, self.hidden)}

    def get(self, kind, place):
        """The parameter of a net; peepholes as the matrices [3H, H] that the engine takes."""
        found = super().get(kind, place)
        if kind != "weight_ph" or found is None:
            return found
        blocks = gg.split(found, len(self.seeing), axis=0)
        if self.diagonal:
            eye = gg.Tensor(found.xp.eye(self.hidden, dtype=found.dtype))
            blocks = [gg.expand_dims(d, 1) * eye for d in blocks]
        elif len(blocks) == 3:
            return found
        zero = gg.Tensor(found.xp.zeros((self.hidden, self.hidden), found.dtype))
        there = dict(zip(self.seeing, blocks))
        return gg.concatenate([there.get(g, zero) for g in "ifo"], axis=0)


def slide_weights(layer: PeepholeLSTM) -> tuple[dict, dict]:
    """W and b of `cell`, by gate, from the first level of a layer."""
    W, b = lstm_cell.slide_weights(layer)
    ph = layer.get("weight_ph", "l0")
    ph = gg.zeros((3 * layer.hidden, layer.hidden), b["f"].dtype) if ph is None else ph
    peep = dict(zip("ifo", gg.split(ph, 3, axis=0)))
    return {g: gg.concatenate([peep[g], w], axis=1) if g in peep else w for g, w in W.items()}, b


def layer(inputs: int, s: Settings, rng, dtype="float32") -> PeepholeLSTM:
    """The recurrent layer by the settings."""
    made = PeepholeLSTM(
        inputs,
        s.hidden,
        s.layers,
        biases=s.biases,
        dropout=s.dropout,
        rng=rng,
        dtype=dtype,
        diagonal=s.peephole == "diagonal",
        gates=s.gates,
    )
    return lstm_cell.open_forget_gates(made, s.forget_bias)


def counters(system, data, s: Settings) -> dict:
    """Cells and gates over one string: on a^n b^n the first of the test range beyond training."""
    split = data.test
    if data.name.endswith("_counting"):
        at = [n for n, x in enumerate(split.x) if len(x) > max(map(len, data.train.x))]
        split = split[[at[len(at) // 20]]] if at else split
    x = system.task.batch(split[:1]).x if not system.task.carries else split.x[:60, None]
    ticks, x = system.task.ticks(x), gg.Tensor(system.encode(x).data)
    shown = memory(cell, slide_weights(system.layer), x, s.hidden)
    return {"counters": traces(shown, ticks)}


PEEPHOLE_LSTM = recipe(
    name="peephole-lstm",
    title="LSTM with peepholes",
    lecture="lecture 3 (V2 428-464)",
    rows=(82,),
    layer=layer,
    more_figures=counters,
    settings=Settings,
    data="counting",
    presets={
        "counting": {
            "hidden": 6, "epochs": 3000, "batch": 10, "lr": 2e-2, "clip": 1.0, "select": "loss",
            "weight_noise": 0.2, "forget_bias": 3.0,
        },
        **lstm_cell.PRESETS,
    },
    metric="loss",
    targets=(
        Target(
            "aⁿbⁿ, trained to n = 10: largest n up to which all are right", "counting",
            "largest_n", "65 or more", 65, better="higher",
            source="Gers & Schmidhuber 2001, table III",
            note="full-matrix peepholes; the epoch is chosen on n = 11 to 30", seeds=3,
        ),
    ),
)  # fmt: skip
RECIPES = (PEEPHOLE_LSTM,)
