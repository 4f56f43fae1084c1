"""Cases: convolution, pooling, normalisation, noise, and recurrent nets.

Those with a fused backward kernel are checked at order 1 through the kernel, and at order 2 through
the form composed of differentiable functions.
"""

import numpy as np

from .. import functions as F
from ..arrays import placed
from ..differentiable import FUNCTIONS
from ..random import Generator
from .case import GradCase, normal, spread

ZERO = "linear: second derivative zero"
BENT = "piecewise linear: second derivative zero"
FUSED = "fused backward at order 1"
ONE = ((1, 1), (0, 0), (1, 1), 1)  # stride, padding, dilation, groups


def _conv(name, x, w, *b, **options):
    return GradCase(name, lambda *t: F.conv2d(*t, **options), normal(x, w, *b), note="bilinear")


def _transposed(name, x, w, *b, **options):
    return GradCase(
        name, lambda *t: F.conv_transpose2d(*t, **options), normal(x, w, *b), note="bilinear"
    )


def _gradient(name, shapes, shape, *options):
    return GradCase(
        name,
        lambda a, b: FUNCTIONS[name.partition(" ")[0]](a, b, shape, *options),
        normal(*shapes),
        note="bilinear",
    )


STRIDED = ((2, 1), (1, 2), (1, 2), 2)

CONVOLUTIONS = [
    _conv("conv2d", (1, 2, 3, 3), (2, 2, 2, 2), (2,)),
    _conv("conv2d stride and padding", (1, 1, 4, 5), (2, 1, 3, 2), stride=2, padding=1),
    _conv("conv2d dilation", (1, 1, 4, 5), (1, 1, 2, 2), dilation=(1, 2)),
    _conv("conv2d groups", (1, 4, 3, 3), (2, 2, 2, 2), groups=2),
    _conv(
        "conv2d all options", (2, 2, 4, 4), (2, 1, 2, 2), stride=(2, 1), padding=(1, 2),
        dilation=(1, 2), groups=2,
    ),
    _gradient("conv2d_input_grad", [(1, 2, 2, 2), (2, 1, 2, 2)], (1, 1, 3, 3), *ONE),
    _gradient(
        "conv2d_input_grad all options", [(1, 2, 3, 6), (2, 1, 2, 2)], (1, 2, 4, 4), *STRIDED
    ),
    _gradient("conv2d_weight_grad", [(1, 2, 2, 2), (1, 1, 3, 3)], (2, 1, 2, 2), *ONE),
    _gradient(
        "conv2d_weight_grad all options", [(1, 2, 3, 6), (1, 2, 4, 4)], (2, 1, 2, 2), *STRIDED
    ),
    GradCase(
        "conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1, dilation=2),
        normal((2, 2, 6), (2, 2, 2), (2,)), note="bilinear",
    ),
    _transposed("conv_transpose2d", (1, 2, 2, 2), (2, 1, 2, 2), (1,)),
    _transposed(
        "conv_transpose2d all options", (1, 2, 2, 3), (2, 1, 3, 2), (2,), stride=2, padding=(1, 0),
        dilation=(1, 2), groups=2, output_padding=(1, 0),
    ),
    _transposed(
        "conv_transpose2d output_padding beyond the stride", (1, 2, 2, 2), (2, 1, 2, 2), (1,),
        padding=(1, 0), dilation=(3, 2), output_padding=(2, 1),
    ),
]  # fmt: skip

WINNERS = np.array([[[[0, 4], [4, 8]]]])  # places in a 3 x 3 plane, one of them twice

POOLING = [
    GradCase("max_pool2d", lambda x: F.max_pool2d(x, 2), spread((1, 2, 4, 4)), note=BENT),
    GradCase(
        "max_pool2d overlapping", lambda x: F.max_pool2d(x, 3, stride=1, padding=1),
        spread((1, 1, 4, 4)), note=BENT,
    ),
    GradCase(
        "max_pool2d of squares", lambda x: F.max_pool2d(x * x, (2, 3), stride=(1, 2)),
        spread((1, 1, 3, 5)), note="piecewise",
    ),
    GradCase(
        "max_pool2d_backward",
        lambda x: FUNCTIONS["max_pool2d_backward"](x, index=WINNERS, shape=(1, 1, 3, 3)),
        normal((1, 1, 2, 2)), note=ZERO,
    ),
    GradCase(
        "max_pool2d_backward squared",
        lambda x: FUNCTIONS["max_pool2d_backward"](x, index=WINNERS, shape=(1, 1, 3, 3)) ** 2,
        normal((1, 1, 2, 2)),
    ),
    GradCase(
        "max_pool2d_gather", lambda x: FUNCTIONS["max_pool2d_gather"](x, index=WINNERS),
        normal((1, 1, 3, 3)), note=ZERO,
    ),
    GradCase(
        "max_pool2d ceil mode", lambda x: F.max_pool2d(x, 2, ceil_mode=True),
        spread((1, 1, 3, 5)), note=BENT,
    ),
    GradCase(
        "max_pool1d", lambda x: F.max_pool1d(x, 3, 2, 1, ceil_mode=True, return_indices=True)[0],
        spread((1, 2, 6)), note=BENT,
    ),
    GradCase(
        "avg_pool1d", lambda x: F.avg_pool1d(x * x, 3, 2, 1, ceil_mode=True), normal((1, 2, 6))
    ),
    GradCase(
        "avg_pool2d ceil mode", lambda x: F.avg_pool2d(x, 2, ceil_mode=True), normal((1, 1, 3, 5)),
        note=ZERO,
    ),
    GradCase("avg_pool2d", lambda x: F.avg_pool2d(x, 2), normal((1, 2, 4, 4)), note=ZERO),
    GradCase(
        "avg_pool2d overlapping", lambda x: F.avg_pool2d(x * x, 3, stride=(1, 2), padding=1),
        normal((1, 1, 3, 4)),
    ),
    GradCase(
        "avg_pool2d_backward",
        lambda x: FUNCTIONS["avg_pool2d_backward"](
            x, shape=(1, 1, 3, 4), kernel_size=(2, 2), stride=(1, 2), padding=(0, 0)
        ),
        normal((1, 1, 2, 2)), note=ZERO,
    ),
]  # fmt: skip

NORMALISATION = [
    GradCase("batch_norm", lambda x, g, b: F.batch_norm(x, g, b)[0], normal((4, 2), (2,), (2,))),
    GradCase(
        "batch_norm images", lambda x, g, b: F.batch_norm(x, g, b)[0],
        normal((2, 2, 2, 2), (2,), (2,)), note=FUSED,
    ),
    GradCase(
        "normalise", lambda x, g, b: FUNCTIONS["normalise"](x, g, b, 1e-3)[0],
        normal((4, 2), (2,), (2,)), note=FUSED,
    ),
    GradCase(
        "group_norm", lambda x, g, b: F.group_norm(x, 2, g, b), normal((2, 4, 3), (4,), (4,))
    ),
    GradCase(
        "group_norm one group", lambda x, g, b: F.group_norm(x, 1, g, b, 0.1),
        normal((2, 2), (2,), (2,)),
    ),
    GradCase("layer_norm", F.layer_norm, normal((2, 4), (4,), (4,))),
    GradCase(
        "local_response_norm", lambda x: F.local_response_norm(x, 3, 0.5, 0.6, 1.0),
        normal((1, 4, 2)), note=FUSED,
    ),
    GradCase(
        "local_response_norm itself",
        lambda x: FUNCTIONS["local_response_norm"](x, 4, 0.5, 0.75, 2.0)[0], normal((2, 5)),
        note=FUSED,
    ),
]  # fmt: skip

ATTENTION = [
    GradCase(
        "scaled_dot_product_attention",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, [3, 1]),
        normal((2, 2, 3), (2, 3, 3), (2, 3, 2)), note=FUSED,
    ),
    GradCase(
        "attention causal",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, causal=True, scale=1.5),
        normal((3, 2), (4, 2), (4, 1)), note=FUSED,
    ),
    GradCase(
        "attention",
        lambda q, k, v: FUNCTIONS["attention"](
            q, k, v, placed(np.array([2, 0]), q.data), 0.7, False
        )[0],
        normal((2, 2, 2), (2, 3, 2), (2, 3, 1)), note=FUSED,
    ),
]  # fmt: skip

NOISE = [
    GradCase("dropout", lambda x: F.dropout(x, 0.4, Generator(3)), normal((3, 4)), note=ZERO),
    GradCase("dropout squared", lambda x: F.dropout(x, 0.4, Generator(3)) ** 2, normal((3, 4))),
    GradCase(
        "masking_noise", lambda x: F.masking_noise(x, 0.4, Generator(3)), normal((3, 4)), note=ZERO
    ),
    GradCase(
        "gaussian_noise", lambda x: F.gaussian_noise(x, 0.4, Generator(3)), normal((3, 4)),
        note=ZERO,
    ),
    GradCase(
        "reparameterise", lambda m, v: F.reparameterise(m, v, Generator(5)),
        normal((2, 3), (2, 3)), note=FUSED,
    ),
    GradCase(
        "reparameterise z only", lambda m, v: F.reparameterise(m, v, Generator(5))[0],
        normal((2, 3), (2, 3)), note=FUSED,
    ),
    GradCase(
        "reparameterise kl only", lambda m, v: F.reparameterise(m, v, Generator(5))[1],
        normal((2, 3), (2, 3)), note=FUSED,
    ),
]  # fmt: skip

# T = 2 steps, N = 2 sequences, I = 3 inputs, H = 2 hidden units
X, S = (2, 2, 3), (2, 2)


def _states(x, h, c, wi, wh, b=None, p=None):
    hs, (h, c) = F.lstm(x, h, c, wi, wh, b, p)
    return hs, c


def _tied(x, w, h):
    """One matrix as input and as recurrent weights: one argument owes to another."""
    return F.lstm(F.tanh(x * w[0]), h, h, w, w)[0]


def _gru_case(name, variant, *biases):
    return GradCase(
        name,
        lambda *t: F.gru(*t, variant=variant)[0],
        normal(X, S, (6, 3), (6, 2), *biases),
        note=FUSED,
    )


def _gru_step_case(variant):
    return GradCase(
        f"gru_step {variant}",
        lambda a, h, w, b: F.gru_step(a, h, w, b, variant),
        normal((2, 6), S, (6, 2), (6,)),
    )


RECURRENT = [
    GradCase("input_product", FUNCTIONS["input_product"], normal(X, (8, 3), (8,)), note="bilinear"),
    GradCase("rnn", F.rnn, normal(X, S, (2, 3), (2, 2), (2,))),
    GradCase(
        "rnn sigmoid, no bias",
        lambda *t: F.rnn(*t, activation=F.sigmoid)[1],
        normal(X, S, (2, 3), (2, 2)),
    ),
    GradCase("lstm_step", F.lstm_step, normal((2, 8), S)),
    GradCase("lstm_step peephole", F.lstm_step, normal((2, 8), S, (6, 2))),
    GradCase("lstm", _states, normal(X, S, S, (8, 3), (8, 2), (8,)), note=FUSED),
    GradCase("lstm no bias", _states, normal(X, S, S, (8, 3), (8, 2)), note=FUSED),
    GradCase("lstm peephole", _states, normal(X, S, S, (8, 3), (8, 2), (8,), (6, 2)), note=FUSED),
    GradCase(
        "lstm cell only", lambda *t: _states(*t)[1], normal(X, S, S, (8, 3), (8, 2)), note=FUSED
    ),
    GradCase("lstm tied weights", _tied, normal((2, 1, 2), (8, 2), (1, 2)), note=FUSED),
    _gru_step_case("lecture"),
    _gru_step_case("library"),
    _gru_case("gru lecture", "lecture", (6,), (6,)),
    _gru_case("gru lecture, no bias", "lecture"),
    _gru_case("gru library", "library", (6,), (6,)),
    _gru_case("gru library, no bias", "library"),
]

BINARY = np.array([[1, 0, 0, 1], [0, 1, 1, 0]])
AUTOREGRESSIVE = [
    GradCase("nade", F.nade, normal((2, 4), (4, 3), (3,), (4, 3), (4,)), note=FUSED),
    GradCase(
        "nade of binary rows",
        lambda w, *t: F.nade(BINARY.astype(w.dtype), w, *t),
        normal((4, 3), (3,), (4, 3), (4,)),
        note=FUSED,
    ),
]

CASES = [
    *CONVOLUTIONS, *POOLING, *NORMALISATION, *ATTENTION, *NOISE, *RECURRENT, *AUTOREGRESSIVE,
]  # fmt: skip
