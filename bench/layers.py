"""Layers as a network uses them, through the engine: forward, and forward with all gradients.

Each is compared with the same layer in float64 on the reference backend; the relative L2 error (the
largest among results and gradients) is given with the time.

    conv2d.layer    (N, C, H, O, k, s, p): images H x H, kernel k x k, stride s, padding p
    lstm.layer      (T, B, I, H): T steps, batch B, I inputs, H hidden; two biases as in the library
    gru.layer       the same, the library's variant
    pool2d.layer    (N, C, H, k, s, p): max-pooling
    attention.layer (B, M, N, D): M queries of N keys and values, all of D numbers
    lrn.layer       (N, C, H): local response normalisation over 5 channels, as in the paper
    softmax.layer   (N, D, K): D inputs, a softmax over K classes, its cross-entropy; never all
                    N x K logits at a time

A training step needs the gradients of input and weights, so "forward+backward" of a convolution is
three convolutions' work.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from .. import core as gg
from .. import kernels
from ..core import nn
from ..kernels.case import ROUNDED
from ..kernels.conv2d import output_shape
from .job import Contender, Job, Plan, with_check
from .verify import expect_near, several

CONVOLUTIONS = (
    (32, 64, 28, 64, 3, 1, 1),
    (64, 1, 28, 32, 5, 1, 2),
    (32, 128, 14, 128, 3, 1, 1),
    (16, 3, 64, 64, 4, 2, 1),
    (8, 256, 8, 256, 3, 1, 1),
    (1, 3, 224, 64, 7, 2, 3),
    (31, 33, 27, 65, 3, 1, 1),
    (32, 64, 28, 128, 1, 1, 0),
)
RECURRENT = ((28, 128, 28, 128), (100, 64, 128, 256), (35, 20, 200, 200), (35, 20, 650, 650))
ATTENTIONS = ((32, 256, 256, 64), (64, 20, 20, 128))
NORMALISED = ((32, 96, 27),)
VOCABULARIES = ((1024, 100, 30_000),)
POOLS = ((64, 32, 28, 2, 2, 0), (32, 64, 56, 3, 2, 1), (31, 33, 27, 2, 2, 0))
# largest relative L2 error from float64 with which a layer may be timed
CONVOLUTION_ERROR, RECURRENT_ERROR, SOFTMAX_ERROR = 1e-5, 1e-5, 1e-5
POOL_ERROR, NORM_ERROR, ATTENTION_ERROR = 1e-6, 1e-6, 1e-5


def plans() -> list[Plan]:
    """A plan for each layer and shape."""
    shapes = {
        "conv2d.layer": (CONVOLUTIONS, convolution),
        "lstm.layer": (RECURRENT, recurrent(nn.LSTM)),
        "gru.layer": (RECURRENT, recurrent(nn.GRU)),
        "pool2d.layer": (POOLS, pool),
        "attention.layer": (ATTENTIONS, attention),
        "lrn.layer": (NORMALISED, local_response_norm),
        "softmax.layer": (VOCABULARIES, vocabulary),
    }
    return [
        Plan(name, label(shape), lambda session, make=make, shape=shape: make(session, *shape))
        for name, (known, make) in shapes.items()
        for shape in known
    ]


def label(shape: tuple) -> str:
    """``(32,64,28)``."""
    return f"({','.join(map(str, shape))})"


def tensors(result) -> tuple[np.ndarray, ...]:
    """NumPy arrays of glassgrad's tensors."""
    return tuple(t.numpy() for t in several(result))


def both_modes(
    session, name: str, case: str, layer: Callable, leaves: list, cotangent, most: float,
    flops: tuple, moved: tuple, given: tuple,
):  # fmt: skip
    """The jobs "forward" and "forward+backward" of ``layer(*leaves) -> y``.

    `leaves` are float32 arrays, `cotangent` is that of y; flops and moved are (forward, both). The
    peers are asked for ``name`` with (mode, leaves, cotangent, *given).
    """
    host = leaves, cotangent

    @cache
    def wanted():
        leaves, g = ([a.astype("float64") for a in host[0]], host[1].astype("float64"))
        with kernels.backend("reference"):
            inputs = [gg.Tensor(a, requires_grad=True) for a in leaves]
            y = layer(*inputs)
            return tensors([y, *gg.grad(y, inputs, gg.Tensor(g))])

    leaves, cotangent = list(map(session.put, leaves)), session.put(cotangent)

    def forward():
        with gg.no_grad():
            return layer(*map(gg.Tensor, leaves))

    def both():
        inputs = [gg.Tensor(a, requires_grad=True) for a in leaves]
        y = layer(*inputs)
        return [y, *gg.grad(y, inputs, gg.Tensor(cotangent))]

    for i, (mode, call) in enumerate({"forward": forward, "forward+backward": both}.items()):
        right = wanted if i else lambda: wanted()[:1]

        def check(precision="full", right=right):
            allowed = most + ROUNDED[precision]
            return lambda what, got: expect_near(what, got, right(), allowed)

        yield Job(
            name,
            case,
            [Contender(call, tensors, session.version)],
            check(),
            flops[i],
            moved[i],
            mode,
            right,
            with_check(session.contenders(name, mode, leaves, cotangent, *given), check),
        )


def convolution(session, N, C, H, O, k, s, p):
    """2 N O OH OW C k k operations forward, three times as many with both gradients."""
    x, w = (N, C, H, H), (O, C, k, k)
    y = output_shape(x, w, s, p)
    arrays = [session.draw(*x), session.draw(*w, seed=1) / np.float32((C * k * k) ** 0.5)]
    flops = 2 * int(np.prod(y)) * C * k * k
    moved = 4 * sum(int(np.prod(shape)) for shape in (x, w, y))
    return both_modes(
        session, "conv2d.layer", label((N, C, H, O, k, s, p)),
        lambda x, w: gg.conv2d(x, w, None, s, p), arrays, session.draw(*y, seed=2),
        CONVOLUTION_ERROR, (flops, 3 * flops), (moved, 3 * moved), (s, p),
    )  # fmt: skip


def recurrent(kind: type) -> Callable:
    """The maker of jobs for a layer: nn.LSTM or nn.GRU."""
    gates = kind.gates
    options = {"biases": 2} if kind is nn.LSTM else {"variant": "library"}
    name = f"{kind.__name__.lower()}.layer"

    def make(session, T, B, I, H):
        net = kind(I, H, rng=gg.Generator(0), **options)
        names, arrays = zip(*((n, p.numpy().copy()) for n, p in net.named_parameters()))

        def layer(x, *parameters):
            return net.with_parameters(parameters)(x)[0]

        rows = gates * H
        flops = 2 * T * B * rows * (I + H)
        moved = 4 * (T * B * (I + H) + rows * (I + H + 2))
        return both_modes(
            session, name, label((T, B, I, H)), layer, [session.draw(T, B, I), *arrays],
            session.draw(T, B, H, seed=2), RECURRENT_ERROR, (flops, 3 * flops),
            (moved, 2 * moved), (names, H),
        )  # fmt: skip

    return make


def pool(session, N, C, H, k, s, p):
    """k k comparisons for each result; the gradient reads and writes as much again."""
    out = (H + 2 * p - k) // s + 1
    outs, ins = N * C * out * out, N * C * H * H
    return both_modes(
        session,
        "pool2d.layer",
        label((N, C, H, k, s, p)),
        lambda x: gg.max_pool2d(x, k, s, p),
        [session.draw(N, C, H, H)],
        session.draw(N, C, out, out, seed=2),
        POOL_ERROR,
        (outs * k * k, outs * (k * k + 1)),
        (4 * (ins + outs), 8 * (ins + outs)),
        (k, s, p),
    )


def local_response_norm(session, N, C, H):
    """13 operations and a power a number forward; 20 and two powers more backward."""
    x = session.draw(N, C, H, H)
    return both_modes(
        session, "lrn.layer", label((N, C, H)), gg.local_response_norm, [x],
        session.draw(N, C, H, H, seed=1), NORM_ERROR, (14 * x.size, 36 * x.size),
        (12 * x.size, 28 * x.size), (),
    )  # fmt: skip


def attention(session, B, M, N, D):
    """4 M N D operations and an exponential a score forward; 10 M N D backward."""
    q, k, v = session.draw(B, M, D), session.draw(B, N, D, seed=1), session.draw(B, N, D, seed=2)
    scores, numbers = B * M * N, B * D * (2 * M + 2 * N)
    return both_modes(
        session, "attention.layer", label((B, M, N, D)), gg.scaled_dot_product_attention, [q, k, v],
        session.draw(B, M, D, seed=3), ATTENTION_ERROR, (4 * scores * D, 14 * scores * D),
        (4 * numbers, 12 * numbers), (),
    )  # fmt: skip


def vocabulary(session, N, D, K):
    """2 N D K operations forward; backward the same again for the logits, and both gradients."""
    labels = np.random.default_rng(1).integers(0, K, N)
    put = session.put(labels)
    leaves = [session.draw(N, D), 0.1 * session.draw(K, D, seed=1), session.draw(K, seed=2)]

    def layer(x, w, b):
        on_host = isinstance(x.data, np.ndarray)
        return nn.losses.linear_cross_entropy(x, w, b, labels if on_host else put)

    product, moved = 2 * N * D * K, 4 * (N * D + K * (D + 1))
    return both_modes(
        session, "softmax.layer", label((N, D, K)), layer, leaves, np.ones((), "float32"),
        SOFTMAX_ERROR, (product, 4 * product), (moved, 3 * moved), (put,),
    )  # fmt: skip
