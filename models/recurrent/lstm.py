"""Long short-term memory (lecture 3, V2 263-427).

A cell state C that only gates change, so that the net learns what to remember for a long time. With
[h_{t-1}, x_t] as one vector ::

    f_t = σ(W_f [h_{t-1}, x_t] + b_f)          forget gate: which coordinates of C stay
    i_t = σ(W_i [h_{t-1}, x_t] + b_i)          input gate: which are updated
    C̃_t = th(W_C [h_{t-1}, x_t] + b_C)         candidates for the new state
    C_t = f_t ⊙ C_{t-1} + i_t ⊙ C̃_t
    o_t = σ(W_o [h_{t-1}, x_t] + b_o)          output gate: which are output
    h_t = o_t ⊙ th(C_t)

Along C the gradient is multiplied only by f: ∂C_t/∂C_{t-1} = diag(f_t) + a part through the gates,
close to 1 where the gate is open. One bias for each gate, as on the slide; `biases` = 2 is the form
of libraries. The layer's weights [4H, I] and [4H, H] are the slide's W split between h and x, in
the order i, f, C, o. The slide gives no initial values: the bias of the forget gate starts at
`forget_bias` = 1 (Gers, Schmidhuber & Cummins 2000), so that gates are open before the net has
learnt what to forget.

The equations are in `lstm_cell`, which two other systems use.

The pictures: gates and cells over time, by the slide's equations with the trained weights, and
those of the task.

The numbers: embedded Reber strings all solved (Hochreiter & Schmidhuber 1997, 5.1), the adding
problem, and piano rolls (negative log-likelihood of a frame in nats).
"""

from ... import core as gg
from ...core.training.recipe import Target
from .lstm_cell import PRESETS, LSTMSettings, cell, layer, slide_weights
from .over_time import memory
from .sequence import FRAMES, recipe
from .sequence_pictures import traces


def gates(system, data, s: LSTMSettings) -> dict:
    """Gates and cells of at most eight units over one sequence."""
    x = system.task.batch(data.test[:1]).x if not system.task.carries else data.test.x[:60, None]
    ticks, x = system.task.ticks(x), gg.Tensor(system.encode(x).data)
    shown = memory(cell, slide_weights(system.layer), x, s.hidden)
    return {"gates": traces(shown, ticks)}


LSTM = recipe(
    name="lstm",
    title="Long short-term memory",
    lecture="lecture 3 (V2 263-427)",
    rows=(81, 84),
    layer=layer,
    more_figures=gates,
    settings=LSTMSettings,
    data="embedded_reber",
    presets={
        **PRESETS,
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
        # the small net of Zaremba et al. 2014; their cost is a sum over the 20 steps, ours a mean,
        # so their rate 1 and clip 5 become 20 and 1/4
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
            8.45,
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
