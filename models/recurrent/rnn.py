"""The recurrent net, and back-propagation through time (lecture 3, V2 160-262).

The same weights at every step; h_t is the only memory (V2 160-190) ::

    h_t = σ_h(U x_t + W h_{t-1})        U [H, I], W [H, H]
    y_t = σ_y(V h_t)                    V [K, H]
    Σ_t L_t(U, V, W)  →  min,           L_t = L(y_t)

The sum over the steps is a mean here, see `sequence`. σ_h is tanh; no biases, as on the slide
(`biases`: 1, or 2 as in libraries). The read-out has a bias in every preset, and none on the slide
(`readout_bias=false`; see `sequence`). Unfolded in time this is a feed-forward net with tied
weights, so its gradient is ordinary back-propagation, BPTT (V2 216-262) ::

    ∂L_t/∂W = ∂L_t/∂y_t · ∂y_t/∂h_t · Σ_{k=0}^t (Π_{i=k+1}^t ∂h_i/∂h_{i-1}) · ∂h_k/∂W

where the last factor is the immediate derivative, with h_{k-1} constant; the slide writes it like
the total one. With ∂h_i/∂h_{i-1} = diag(1 - h_i²) W the product shrinks or grows exponentially in
t - k: the distant past has no influence on the gradient, or dominates it. So the lecture wants
∂h_i/∂h_{i-1} → 1, which the cells of `lstm` and `gru` achieve.

The picture `bptt`: ‖∂L_t/∂h_k‖ over t - k, by differentiation on the tape. Left: random nets of
this kind, W orthogonal times a radius below, at and above 1, and the trained net. Right: LSTM
cells with more and more open forget gates, with respect to C_k.

The number: piano rolls, negative log-likelihood of a frame in nats.
"""

from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn, pictures
from ...core.training.recipe import Target
from ...core.training.settings import setting
from . import lstm_cell
from .sequence import FRAMES, SequenceSettings, recipe


class Settings(SequenceSettings):
    """Settings of a plain recurrent net."""

    activation: Literal["tanh", "relu", "sigmoid"] = setting("tanh", help="σ_h")
    biases: int = setting(0, least=0, below=3, help="biases of a level: none, 1, or a library's 2")


def cell(x, h, U, W):
    """h_t of the slide: x [N, I], h [N, H], U [H, I], W [H, H] -> [N, H].

    >>> one = gg.ones((1, 1))
    >>> cell(one, one, one, one).numpy().round(3)  # th 2
    array([[0.964]], dtype=float32)
    """
    return gg.tanh(gg.linear(x, U) + gg.linear(h, W))


def layer(inputs: int, s: Settings, rng, dtype="float32") -> nn.RNN:
    """The recurrent layer by the settings."""
    return nn.RNN(
        inputs,
        s.hidden,
        s.layers,
        biases=s.biases,
        activation=s.activation,
        dropout=s.dropout,
        rng=rng,
        dtype=dtype,
    )


def gradient_norms(step, state: tuple, x, u) -> np.ndarray:
    """‖∂L_T/∂s_k‖ for k = 0 .. T, where L_T = <u, h_T> and s_k is the last part of the state.

    step(x_t, state) -> state, a tuple of tensors [N, H] whose first part is h; x [T, N, I],
    u [N, H]. Returns the geometric mean of the norms over the N sequences.
    """
    states = [tuple(gg.Tensor(part.data, requires_grad=True) for part in state)]
    for t in range(x.shape[0]):
        states.append(step(x[t], states[-1]))
    loss = (states[-1][0] * gg.Tensor(u)).sum()
    gradients = gg.grad(loss, [s[-1] for s in states], unused="zero")
    norms = [np.linalg.norm(g.numpy(), axis=1) for g in gradients]
    return np.exp(np.log(np.maximum(norms, 1e-30)).mean(axis=1))


def bptt(system, data, s: SequenceSettings, hidden: int = 32, steps: int = 60, n: int = 16):
    """How far gradients reach: random nets of several radii, the trained net, and LSTM cells."""
    rng = gg.Generator(s.seed).child("bptt")
    x = gg.Tensor(1e-3 * rng.normal((steps, n, hidden), "float64"))  # so small that th(a) is a
    h, u = (gg.Tensor(rng.normal((n, hidden), "float64")) for _ in range(2))
    U, Q = (gg.Tensor(nn.init.orthogonal((hidden, hidden), rng, dtype="float64")) for _ in range(2))
    plain, gated = {}, {}
    for radius in (0.8, 1.0, 1.25):
        W = Q * radius
        norms = gradient_norms(lambda x, h, W=W: (cell(x, h[0], U, W),), (h * 1e-3,), x, u.data)
        plain[f"radius {radius:g}"] = norms
    if isinstance(system.layer, nn.RNN) and s.layers == 1:
        plain["this net, trained"] = trained(system, data, steps, n)
    for bias in (0.0, 2.0, 5.0):
        one = lstm_cell.layer(hidden, lstm_cell.LSTMSettings(hidden=hidden), rng, "float64")
        one.bias_ih_l0.data[hidden : 2 * hidden] = bias
        W, b = lstm_cell.slide_weights(one)

        def step(x, state, W=W, b=b):
            return lstm_cell.cell(x, *state, W, b)[:2]

        gated[f"forget bias {bias:g}"] = gradient_norms(step, (h * 1e-3, h * 1e-3), x, u.data)
    return reach({"RNN: ‖∂L/∂h_k‖": plain, "LSTM: ‖∂L/∂C_k‖": gated})


def trained(system, data, steps: int, n: int) -> np.ndarray:
    """`gradient_norms` of a trained net of one level on test sequences.

    In float64: after a silent beginning the norms may be beyond float32.
    """
    batch = system.on_device(next(iter(system.task.held_out(data.test, n))))
    ends = len(batch.x) if batch.mask is None else int(batch.mask.sum(axis=0).min())
    x = system.encode(batch.x[: min(steps, ends)]).astype("float64")
    x, weights = gg.Tensor(x.data), system.layer.parameters()

    def step(x, state):
        return (system.layer(gg.expand_dims(x, 0), gg.expand_dims(state[0], 0))[0][0],)

    zero = np.zeros((x.shape[1], system.s.hidden))
    u = gg.Generator(1).normal(zero.shape, "float64")
    system.layer.with_parameters([w.astype("float64") for w in weights])
    try:
        return gradient_norms(step, (gg.Tensor(zero),), x, u)
    finally:
        system.layer.with_parameters(weights)


def reach(panels: dict):
    """Norms over t - k, the last step at the left, one panel next to the other."""
    fig = pictures.figure(4.4 * len(panels), 3.6)
    for ax, (title, lines) in zip(np.atleast_1d(fig.subplots(1, len(panels))), panels.items()):
        for k, (label, norms) in enumerate(lines.items()):
            ax.semilogy(norms[::-1] / norms[-1], color=pictures.COLOURS[k], label=label)
        ax.set(title=title, xlabel="t - k")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
        ax.legend(frameon=False, fontsize=8)
    return fig


RNN = recipe(
    name="rnn",
    title="Recurrent net",
    lecture="lecture 3 (V2 160-262)",
    rows=(79, 80, 84),
    layer=layer,
    more_figures=lambda system, data, s: {"bptt": bptt(system, data, s)},
    settings=Settings,
    presets={
        "digits": {"epochs": 40, "batch": 50, "lr": 3e-3, "clip": 1.0, "select": "loss"},
        "jsb_chorales": {
            "hidden": 300, "dropout": 0.2, "epochs": 80, "batch": 4, "lr": 1e-3, "clip": 1.0,
            "schedule": "cosine", "select": "loss",
        },
        "adding": {
            "examples": 5000, "length": 20, "hidden": 32, "epochs": 20, "batch": 50, "lr": 2e-3,
            "clip": 1.0, "select": "loss",
        },
    },
    metric="loss",
    targets=(
        Target(
            "JSB chorales, test NLL per frame", "jsb_chorales", "loss", "8.91", 8.91,
            source="Bai, Kolter & Koltun 2018, table 1", note=FRAMES, seeds=3,
        ),
    ),
)  # fmt: skip
RECIPES = (RNN,)
