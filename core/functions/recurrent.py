"""Recurrent cells and sequences. Each is written twice: step by step with differentiable functions
(the lecture's form, used for derivatives of higher order), and as one fused call of the kernels
(kernels/lstm, kernels/gru) for the first order. A test checks that the two agree.

Letters: T steps, N sequences, I inputs, H hidden units; sequences are [T, N, ...].

`lengths` [N] lets the sequences of a batch end at different steps: sequence n ends after step
lengths_n, its state is the one there, and its later rows of hs are 0. What x holds there has no
influence.
"""

from collections.abc import Callable
from typing import Literal

from ...kernels import gru as gru_kernel
from ...kernels import lstm as lstm_kernel
from ...kernels.errors import DTypeError, expect
from ...kernels.product import product
from ..differentiable import differentiable
from ..kinds import Like
from ..tensor import Tensor, as_tensor
from .activations import relu, sigmoid, tanh
from .arithmetic import where
from .indexing import check_lengths
from .linalg import linear, matmul
from .shapes import split, stack, swap_axes

Variant = Literal["lecture", "library"]


def _sized(function: str, rows: int, **given):
    """The arguments as tensors, checked against the letters; `rows` gates have H rows each."""
    given = {name: t if t is None else as_tensor(t) for name, t in given.items()}
    x, w_hh = given["x"], given["w_hh"]
    expect(x.ndim == 3, function, "x must be [T, N, I]", 3, x.ndim, x=x)
    expect(w_hh.ndim == 2, function, "w_hh must have two axes", 2, w_hh.ndim, w_hh=w_hh)
    (_, n, i), h, dtype = x.shape, w_hh.shape[1], w_hh.dtype
    # what each argument may be, as text for messages and as numbers
    k = str(rows) if rows > 1 else ""
    state, bias = ("[N, H]", (n, h)), (f"[{k}H]", (rows * h,))
    letters = {
        "w_hh": (f"[{k}H, H]", (rows * h, h)), "w_ih": (f"[{k}H, I]", (rows * h, i)),
        "h": state, "c": state, "b": bias, "b_ih": bias, "b_hh": bias,
        "peephole": ("[3H, H]", (3 * h, h)),
    }  # fmt: skip
    shown = {name: t for name, t in given.items() if t is not None}
    for name, (form, shape) in letters.items():
        if name in shown:
            t = shown[name]
            expect(t.shape == shape, function, f"{name} must be {form}", shape, t.shape, **shown)
            what = f"{name} must have the dtype of w_hh"
            expect(t.dtype == dtype, function, what, dtype, t.dtype, DTypeError, **shown)
    fits, what = x.dtype.kind != "f" or x.dtype == dtype, "x must have the dtype of w_hh"
    expect(fits, function, what, dtype, x.dtype, DTypeError, **shown)
    return given.values()


@differentiable(
    x=lambda g, w, x_shape: matmul(_flat(g), w).reshape(x_shape),
    w=lambda g, x: matmul(swap_axes(_flat(g), 0, 1), _flat(x)),
    b=lambda g: _flat(g).sum(axis=0),
    floats=True,
    flops=lambda arrays, outs, settings: 2 * outs[0].size * arrays[1].shape[1],
    name="input_product",
)
def _inputs(x, w, b=None, /):
    """x wᵀ + b for all steps at once: x [T, N, I] -> [T, N, G·H].

    One product of a tall matrix with T·N rows, instead of T small ones in NumPy's matmul; the bias
    is added in place.
    """
    xa = product(x.reshape(x.shape[0] * x.shape[1], x.shape[2]), w.T)
    if b is not None:
        xa += b
    return xa.reshape(*x.shape[:2], len(w))


def _flat(x):
    """[T, N, …] as [T·N, …]."""
    return x.reshape((x.shape[0] * x.shape[1], x.shape[2]))


def expect_lengths(function: str, x, lengths):
    """Lengths int64 [N] next to x [T, N, ...], each in 1..T, or an error; None stays None."""
    if lengths is None:
        return None
    t, n = x.shape[:2]
    return check_lengths(function, lengths, "be [N]", (n,), (1, t, "T"), x)


def _until(x, lengths):
    """x [T, N, D], 0 from step lengths_n on."""
    if lengths is None:
        return x
    steps = x.xp.arange(x.shape[0])[:, None]
    return where((steps < lengths)[:, :, None], x, 0.0)


def _last(states, lengths):
    """The states [T, N, H] after the last step of each sequence."""
    if lengths is None:
        return states[-1]
    return states[lengths - 1, states.xp.arange(states.shape[1])]


def backwards(x: Like, lengths=None) -> Tensor:
    """x [T, N, ...] with the steps of each sequence in reverse, those after its end in place.

    >>> import glassgrad as gg
    >>> import numpy as np
    >>> backwards(gg.tensor([[1.0], [2.0], [0.0]]), np.array([2])).reshape(3)
    tensor([2., 1., 0.])
    """
    if lengths is None:
        return x[::-1]
    steps = x.xp.arange(x.shape[0])[:, None]
    order = x.xp.where(steps < lengths, lengths - 1 - steps, steps)
    return x[order, x.xp.arange(x.shape[1])]


def _no_steps(h, *others):
    """Empty states [0, N, H], but on the tape: every argument gets a gradient of zeros."""
    states = Tensor(h.xp.zeros((0, *h.shape), h.dtype))
    for t in (h, *others):
        if t is not None and t.requires_grad:
            states = states + t[:0].sum()
    return states


def rnn(
    x: Like,
    h: Like,
    w_ih: Like,
    w_hh: Like,
    b: Like | None = None,
    activation: Callable = tanh,
    lengths=None,
) -> tuple[Tensor, Tensor]:
    """hₜ = φ(U xₜ + W hₜ₋₁ [+ b]): returns (all states [T, N, H], the last state [N, H]).

    Plain back-propagation through time: the tape unrolls the loop (lecture 3, slides on BPTT).

    x [T, N, I], h [N, H], w_ih [H, I], w_hh [H, H], b [H], lengths [N] or None; no steps give
    states [0, N, H]. Raises ShapeError, DTypeError, ValueRangeError (lengths).

    >>> import glassgrad as gg
    >>> hs, h = gg.rnn(gg.ones((3, 2, 4)), gg.zeros((2, 5)), gg.ones((5, 4)), gg.zeros((5, 5)))
    >>> hs.shape, h.shape
    ((3, 2, 5), (2, 5))
    """
    x, h, w_ih, w_hh, b = _sized("rnn", 1, x=x, h=h, w_ih=w_ih, w_hh=w_hh, b=b)
    lengths = expect_lengths("rnn", x, lengths)
    a = _inputs(_until(x, lengths), w_ih, b)
    states = []
    for t in range(x.shape[0]):
        h = activation(a[t] + linear(h, w_hh))
        states.append(h)
    if not states:
        return _no_steps(h, x, w_ih, w_hh, b), h
    hs = stack(states)
    return _until(hs, lengths), h if lengths is None else _last(hs, lengths)


def lstm_step(a: Like, c: Like, p: Like | None = None) -> tuple[Tensor, Tensor]:
    """One LSTM step from the pre-activations a [N, 4H] (order i, f, g, o) and the cell c [N, H].

    i, f = σ(a + P c),  g = tanh(a),  c' = f c + i g,  o = σ(a + P c'),  h' = o tanh(c')

    p [3H, H] are the peepholes P of i, f, o (lecture 3). Returns (h', c').

    >>> import glassgrad as gg
    >>> h, c = gg.lstm_step(gg.zeros((1, 4)), gg.ones((1, 1)))
    >>> c
    tensor([[0.5]])
    """
    ai, af, ag, ao = split(a, 4, axis=1)
    if p is not None:
        pi, pf, po = split(p, 3, axis=0)
        ai, af = ai + linear(c, pi), af + linear(c, pf)
    c = sigmoid(af) * c + sigmoid(ai) * tanh(ag)
    if p is not None:
        ao = ao + linear(c, po)
    return sigmoid(ao) * tanh(c), c


def _lstm_composed(xa, h, c, wh, p=None, /):
    hs, cs, gates = [], [], Tensor(xa.data[:0])
    for t in range(xa.shape[0]):
        h, c = lstm_step(xa[t] + linear(h, wh), c, p)
        hs.append(h)
        cs.append(c)
    return stack(hs), stack(cs), gates


def _lstm_fused(g, xa, h, c, wh, p, out):
    hs, cs, gates = (o.data for o in out)
    ghs = xa.xp.zeros_like(hs) if g[0] is None else g[0].data
    gcs = None if g[1] is None else g[1].data
    found = lstm_kernel.sequence_backward(
        ghs, gcs, hs, cs, gates, h.data, c.data, wh.data, None if p is None else p.data
    )
    return [None if f is None else Tensor(f) for f in found]


def _lstm_flops(arrays, outs, settings):
    """The products with wh and with the peepholes: 2 T N · (rows · H)."""
    return 2 * outs[0].size * sum(w.shape[0] for w in arrays[3:] if w is not None)


@differentiable(vjp=_lstm_fused, composed=_lstm_composed, flops=_lstm_flops, name="lstm")
def _lstm(xa, h, c, wh, p=None, /):
    """(hs, cs, gates); the gates are kept for the backward pass and carry no gradient."""
    return lstm_kernel.sequence_forward(xa, h, c, wh, p)


def lstm(
    x: Like,
    h: Like,
    c: Like,
    w_ih: Like,
    w_hh: Like,
    b: Like | None = None,
    peephole: Like | None = None,
    lengths=None,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """A whole LSTM sequence: returns (hs [T, N, H], (h [N, H], c [N, H]) after the last step).

    x [T, N, I], w_ih [4H, I], w_hh [4H, H], b [4H], gate order i, f, g, o. `peephole` [3H, H] lets
    i and f see cₜ₋₁ and o see cₜ through full matrices (lecture 3). `lengths` [N] is the number of
    steps of each sequence, by default T. One GEMM computes all inputs.

    Raises ShapeError, DTypeError, ValueRangeError (lengths). (Hochreiter & Schmidhuber 1997.)

    >>> import glassgrad as gg
    >>> x, h = gg.ones((3, 2, 4)), gg.zeros((2, 5))
    >>> hs, (h, c) = gg.lstm(x, h, h, gg.zeros((20, 4)), gg.zeros((20, 5)))
    >>> hs.shape, h.shape, c.shape
    ((3, 2, 5), (2, 5), (2, 5))
    """
    x, h, c, w_ih, w_hh, b, peephole = _sized(
        "lstm", 4, x=x, h=h, c=c, w_ih=w_ih, w_hh=w_hh, b=b, peephole=peephole
    )
    lengths = expect_lengths("lstm", x, lengths)
    if x.shape[0] == 0:
        return _no_steps(h, x, c, w_ih, w_hh, b, peephole), (h, c)
    hs, cs, _ = _lstm(_inputs(_until(x, lengths), w_ih, b), h, c, w_hh, peephole)
    return _until(hs, lengths), (_last(hs, lengths), _last(cs, lengths))


def gru_step(
    xa: Like, h: Like, wh: Like, bh: Like | None = None, variant: Variant = "lecture"
) -> Tensor:
    """One GRU step from xa = W x + b [N, 3H] (order r, z, n) and h [N, H].

    lecture:  n = tanh(xa + W (r h)),   h' = (1 - z) h + z n
    library:  n = tanh(xa + r (W h)),   h' = (1 - z) n + z h

    h [N, H], wh [3H, H], bh [3H] -> [N, H]. Raises ValueRangeError for an unknown variant.

    >>> import glassgrad as gg
    >>> gg.gru_step(gg.zeros((1, 3)), gg.ones((1, 1)), gg.zeros((3, 1)))
    tensor([[0.5]])
    """
    expect(h.ndim == 2, "gru_step", "h must be [N, H]", "2 axes", h.ndim, xa=xa, h=h, wh=wh)
    hidden = h.shape[1]
    xr, xz, xn = split(xa, 3, axis=1)
    wr, wz, wn = split(wh, 3, axis=0)
    br, bz, bn = (None, None, None) if bh is None else split(bh, [hidden] * 3, axis=0)
    r = sigmoid(xr + linear(h, wr, br))
    z = sigmoid(xz + linear(h, wz, bz))
    if variant == "lecture":
        n = tanh(xn + linear(r * h, wn, bn))
        return h + z * (n - h)
    n = tanh(xn + r * linear(h, wn, bn))
    return n + z * (h - n)


def _gru_composed(xa, h, wh, bh=None, /, variant="lecture"):
    hs = []
    for t in range(xa.shape[0]):
        h = gru_step(xa[t], h, wh, bh, variant)
        hs.append(h)
    return stack(hs), Tensor(xa.data[:0])


def _gru_fused(g, h, wh, bh, out, variant):
    hs, gates = (o.data for o in out)
    found = gru_kernel.sequence_backward(
        g[0].data, hs, gates, h.data, wh.data, None if bh is None else bh.data, variant
    )
    return [None if f is None else Tensor(f) for f in found]


def _gru_flops(arrays, outs, settings):
    """The products with wh: 2 T N · 3H · H."""
    return 2 * outs[0].size * arrays[2].shape[0]


@differentiable(vjp=_gru_fused, composed=_gru_composed, flops=_gru_flops, name="gru")
def _gru(xa, h, wh, bh=None, /, variant="lecture"):
    """(hs, gates); the gates are kept for the backward pass and carry no gradient."""
    return gru_kernel.sequence_forward(xa, h, wh, bh, variant)


def gru(
    x: Like,
    h: Like,
    w_ih: Like,
    w_hh: Like,
    b_ih: Like | None = None,
    b_hh: Like | None = None,
    variant: Variant = "lecture",
    lengths=None,
) -> tuple[Tensor, Tensor]:
    """A whole GRU sequence: returns (hs [T, N, H], the last state [N, H]).

    x [T, N, I], w_ih [3H, I], w_hh [3H, H], gate order r, z, n; `variant` as in `gru_step`.

    b_ih, b_hh [3H]; `lengths` [N] is the number of steps of each sequence, by default T.
    Raises ShapeError, DTypeError, ValueRangeError. (Cho et al. 2014.)

    >>> import glassgrad as gg
    >>> x, h = gg.ones((3, 2, 4)), gg.zeros((2, 5))
    >>> hs, h = gg.gru(x, h, gg.zeros((15, 4)), gg.zeros((15, 5)), variant="library")
    >>> hs.shape, h.shape
    ((3, 2, 5), (2, 5))
    """
    x, h, w_ih, w_hh, b_ih, b_hh = _sized(
        "gru", 3, x=x, h=h, w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh
    )
    lengths = expect_lengths("gru", x, lengths)
    if x.shape[0] == 0:
        return _no_steps(h, x, w_ih, w_hh, b_ih, b_hh), h
    hs, _ = _gru(_inputs(_until(x, lengths), w_ih, b_ih), h, w_hh, b_hh, variant=variant)
    return _until(hs, lengths), _last(hs, lengths)


ACTIVATIONS = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid}
