"""Convolution, pooling, normalisation and noise, against loops, SciPy and PyTorch.

Also: a fused gradient equals the composed one.
"""

import numpy as np
import pytest
import scipy.signal

import glassgrad as gg
from glassgrad.core.differentiable import Differentiable
from glassgrad.core.gradcases import CASES
from glassgrad.core.recording import recording
from glassgrad.kernels import philox
from glassgrad.kernels.errors import ShapeError
from tests.tools import assert_close

rng = np.random.default_rng(11)


def make(*shapes):
    return [rng.standard_normal(s) for s in shapes]


def tensors(*arrays, requires_grad=False):
    return [gg.tensor(a, requires_grad=requires_grad) for a in arrays]


# --------------------------------------------------------------------- convolution


def conv_loops(x, w, stride, padding, dilation, groups):
    """The sum of the docstring, term by term."""
    n, _, h, wd = x.shape
    o, cg, kh, kw = w.shape
    size = [
        (length + 2 * p - d * (k - 1) - 1) // s + 1
        for length, p, d, k, s in zip((h, wd), padding, dilation, (kh, kw), stride)
    ]
    y = np.zeros((n, o, *size))
    for m, q, i, j in np.ndindex(*y.shape):
        first = q // (o // groups) * cg
        for c, a, b in np.ndindex(cg, kh, kw):
            r = i * stride[0] + a * dilation[0] - padding[0]
            s = j * stride[1] + b * dilation[1] - padding[1]
            if 0 <= r < h and 0 <= s < wd:
                y[m, q, i, j] += w[q, c, a, b] * x[m, first + c, r, s]
    return y


OPTIONS = [
    ((1, 1), (0, 0), (1, 1), 1),
    ((2, 1), (1, 2), (1, 2), 1),
    ((1, 2), (0, 1), (2, 1), 2),
    ((2, 2), (2, 0), (1, 1), 4),
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_conv2d_by_loops(options):
    x, w, b = make((2, 4, 6, 5), (4, 4 // options[3], 3, 2), (4,))
    got = gg.conv2d(*tensors(x, w, b), *options)
    assert_close(got.numpy(), conv_loops(x, w, *options) + b[:, None, None], reduction=24)


def test_conv2d_is_scipys_correlation():
    x, w = make((1, 1, 7, 8), (1, 1, 3, 4))
    want = scipy.signal.correlate2d(x[0, 0], w[0, 0], "valid")
    assert_close(gg.conv2d(*tensors(x, w)).numpy()[0, 0], want, reduction=12)


def test_conv1d_is_numpys_correlation():
    x, w, b = make((2, 1, 9), (1, 1, 4), (1,))
    got = gg.conv1d(*tensors(x, w, b)).numpy()
    for n in range(2):
        assert_close(got[n, 0], np.correlate(x[n, 0], w[0, 0], "valid") + b[0], reduction=4)


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("options", OPTIONS[1:], ids=str)
def test_conv_transpose2d_is_the_transpose_of_conv2d(options, extra):
    stride, _, _, groups = options
    y, w = make((2, 4, 4, 3), (4, 4 // groups, 3, 2))
    extra = tuple(extra if s > 1 else 0 for s in stride)
    got = gg.conv_transpose2d(*tensors(y, w), None, *options, output_padding=extra).numpy()
    x = rng.standard_normal(got.shape)
    forward = conv_loops(x, w, *options)[:, :, :4, :3]  # <conv(x), y> = <x, convᵀ(y)>
    assert forward.shape == y.shape
    assert_close(np.sum(got * x), np.sum(forward * y), rtol=1e-12)


def transposed_loops(x, w, stride, padding, dilation, groups, extra):
    """Every pixel of x adds its share of w to the plane; what lies in the padding is cut off."""
    n, i, h, wd = x.shape
    _, og, kh, kw = w.shape
    full = [
        (m - 1) * s + d * (k - 1) + 1 for m, s, d, k in zip((h, wd), stride, dilation, (kh, kw))
    ]
    y = np.zeros((n, og * groups, *(f + e for f, e in zip(full, extra))))
    for m, c, r, s, o, a, b in np.ndindex(n, i, h, wd, og, kh, kw):
        to = c // (i // groups) * og + o, r * stride[0] + a * dilation[0]
        y[(m, *to, s * stride[1] + b * dilation[1])] += w[c, o, a, b] * x[m, c, r, s]
    rows, columns = (slice(p, f - p + e) for p, f, e in zip(padding, full, extra))
    return y[:, :, rows, columns]


@pytest.mark.parametrize("stride, padding, dilation, extra", [
    ((1, 1), (0, 0), (2, 3), (1, 2)), ((2, 1), (1, 0), (3, 2), (2, 1)),
    ((1, 2), (2, 1), (4, 1), (3, 1)), ((2, 3), (3, 0), (5, 4), (4, 3)),
])  # fmt: skip
@pytest.mark.parametrize("groups", [1, 2])
def test_conv_transpose2d_by_loops_where_output_padding_passes_the_stride(
    stride, padding, dilation, extra, groups
):
    x, w = make((2, 4, 3, 3), (4, 2, 3, 2))
    got = gg.conv_transpose2d(
        *tensors(x, w), None, stride, padding, dilation, groups, output_padding=extra
    )
    want = transposed_loops(x, w, stride, padding, dilation, groups, extra)
    assert_close(got.numpy(), want, reduction=24)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"output_padding": (1, 0)}, "output_padding must be below stride or dilation"),
        ({"output_padding": -1}, "output_padding must be below"),
        ({"padding": 3}, "padding must leave something"),
        ({"x": (1, 2, 0, 3)}, "x must have pixels"),
        ({"x": (1, 3, 3, 3)}, r"w.shape\[0\] must equal x.shape\[1\]; expected 3, got 2"),
    ],
)
def test_conv_transpose2d_names_what_does_not_fit(change, message):
    shape = change.pop("x", (1, 2, 3, 3))
    with pytest.raises(ShapeError, match=f"conv_transpose2d: {message}"):
        gg.conv_transpose2d(gg.ones(shape), gg.ones((2, 1, 2, 2)), **change)


# ------------------------------------------------------------------------- pooling


@pytest.mark.parametrize(
    "kernel, stride, padding", [(2, None, 0), (3, 1, 1), ((2, 3), (1, 2), (1, 0))]
)
def test_pooling_by_loops(kernel, stride, padding):
    x = rng.standard_normal((2, 3, 6, 7))
    kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
    sh, sw = (kh, kw) if stride is None else (stride, stride) if stride == 1 else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    size = (6 + 2 * ph - kh) // sh + 1, (7 + 2 * pw - kw) // sw + 1
    top, mean = np.zeros((2, 3, *size)), np.zeros((2, 3, *size))
    for n, c, i, j in np.ndindex(*top.shape):
        rows = range(max(0, i * sh - ph), min(6, i * sh - ph + kh))
        cols = range(max(0, j * sw - pw), min(7, j * sw - pw + kw))
        window = [x[n, c, r, s] for r in rows for s in cols]
        top[n, c, i, j], mean[n, c, i, j] = max(window), sum(window) / (kh * kw)
    (t,) = tensors(x)
    assert_close(gg.max_pool2d(t, kernel, stride, padding).numpy(), top)
    assert_close(gg.avg_pool2d(t, kernel, stride, padding).numpy(), mean, reduction=9)


# -------------------------------------------------------------------- normalisation


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4), (2, 3, 4, 2)])
def test_batch_norm(shape):
    x, gamma, beta = make(shape, (3,), (3,))
    y, mean, var = gg.batch_norm(*tensors(x, gamma, beta), eps=1e-3)
    for c in range(3):
        values = x[:, c]
        want = gamma[c] * (values - values.mean()) / np.sqrt(values.var() + 1e-3) + beta[c]
        assert_close(y.numpy()[:, c], want, rtol=1e-13)
        assert_close(mean[c], values.mean(), rtol=1e-13)
        assert_close(var[c], values.var(), rtol=1e-13)


def test_batch_norm_of_two_values_and_of_no_channel():
    """Of two values one lies a standard deviation above their mean, the other below."""
    x = np.array([[1.0, 7.0], [3.0, 3.0]])
    y, mean, var = gg.batch_norm(*tensors(x, np.ones(2), np.zeros(2)), eps=0.0)
    assert y.numpy().tolist() == [[-1.0, 1.0], [1.0, -1.0]]
    assert mean.tolist() == [2.0, 5.0] and var.tolist() == [1.0, 4.0]
    none = np.zeros(0)
    y, mean, var = gg.batch_norm(*tensors(np.zeros((2, 0, 3)), none, none))
    assert y.shape == (2, 0, 3) and mean.shape == var.shape == (0,)


def test_layer_norm():
    x, gamma, beta = make((2, 3, 5), (5,), (5,))
    want = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    assert_close(gg.layer_norm(*tensors(x, gamma, beta)).numpy(), want * gamma + beta, rtol=1e-13)


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_local_response_norm(size):
    """By a sum over the window of each number, as the paper writes it."""
    x = make((2, 6, 3, 2))[0]
    want = np.empty_like(x)
    for n, c, i, j in np.ndindex(x.shape):
        near = x[n, max(0, c - size // 2) : c + (size - 1) // 2 + 1, i, j]
        want[n, c, i, j] = x[n, c, i, j] / (1.5 + 0.3 * (near**2).sum()) ** 0.6
    got = gg.local_response_norm(gg.tensor(x), size, 0.3, 0.6, 1.5)
    assert_close(got.numpy(), want, rtol=1e-13)


# --------------------------------------------------------------------------- noise


def test_dropout():
    x = gg.tensor(np.full((40, 50), 2.0), requires_grad=True)
    stream = gg.Generator(3)
    y = gg.dropout(x, 0.25, stream)
    kept = philox.uniform((40, 50), 3, 0, "float64") >= 0.25
    assert_close(y.numpy(), np.where(kept, 2.0 / 0.75, 0.0))
    assert abs(kept.mean() - 0.75) < 0.05
    assert_close(gg.grad(y.sum(), x).numpy(), np.where(kept, 1 / 0.75, 0.0))
    assert stream.state == (3, 500)
    assert not np.array_equal(gg.dropout(x, 0.25, stream).numpy(), y.numpy())
    assert gg.dropout(x, 0.0, stream) is x and stream.state == (3, 1000)


def test_masking_and_gaussian_noise():
    x = gg.tensor(np.full((40, 50), 2.0), requires_grad=True)
    y = gg.masking_noise(x, 0.25, gg.Generator(3))
    kept = philox.uniform((40, 50), 3, 0, "float64") >= 0.25
    assert y.numpy().tolist() == np.where(kept, 2.0, 0.0).tolist()
    assert gg.grad(y.sum(), x).numpy().tolist() == kept.astype(float).tolist()
    z = gg.gaussian_noise(x, 0.5, gg.Generator(3))
    assert_close(z.numpy(), 2.0 + 0.5 * philox.normal((40, 50), 3, 0, "float64"))
    assert (gg.grad(z.sum(), x).numpy() == 1).all()


def test_reparameterise():
    mu, logvar = make((3, 4), (3, 4))
    z, kl = gg.reparameterise(*tensors(mu, logvar), gg.Generator(9))
    eps = philox.normal((3, 4), 9, 0, "float64")
    assert_close(z.numpy(), mu + np.exp(logvar / 2) * eps)
    # the integral of the definition, one dimension at a time, by quadrature
    t = np.linspace(-12, 12, 4001)
    for i in range(3):
        total = 0.0
        for m, s in zip(mu[i], np.exp(logvar[i] / 2)):
            x = m + s * t
            q = np.exp(-(t**2) / 2) / (s * np.sqrt(2 * np.pi))
            ratio = -(t**2) / 2 - np.log(s) + x**2 / 2
            total += np.trapezoid(q * ratio, x)
        assert abs(kl.numpy()[i] - total) < 1e-8


def test_the_sample_alone_has_no_gradient_from_the_divergence():
    mu, logvar = tensors(*make((3, 4), (3, 4)), requires_grad=True)
    eps = philox.normal((3, 4), 9, 0, "float64")
    for output, wanted in [
        (0, (np.ones((3, 4)), np.exp(logvar.numpy() / 2) * eps / 2)),
        (1, (mu.numpy(), (np.exp(logvar.numpy()) - 1) / 2)),
    ]:
        y = gg.reparameterise(mu, logvar, gg.Generator(9))[output]
        for got, want in zip(gg.grad(y.sum(), [mu, logvar]), wanted):
            assert_close(got.numpy(), want, rtol=1e-13)


# --------------------------------------------------------- fused against composed

FUSED = {
    f.name
    for f in gg.FUNCTIONS.values()
    if f.composed is not None and f.__module__.startswith("glassgrad.")
}


def test_the_fused_functions_are_known():
    assert {
        *("lstm", "gru", "nade", "normalise", "reparameterise", "cross_entropy", "logit_loss"),
        *("linear_cross_entropy", "local_response_norm", "attention"),
    } == FUSED


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if c.function in FUSED | {"batch_norm", "cross_entropy"}],
    ids=lambda c: c.name,
)
def test_fused_gradients_equal_composed_ones(case, monkeypatch):
    replays = []
    original = Differentiable._replay

    def counted(self, *args):
        replays.append(self.name)
        return original(self, *args)

    monkeypatch.setattr(Differentiable, "_replay", counted)
    xs = tensors(*case.arrays(), requires_grad=True)
    ys = case.f(*xs)
    ys = ys if isinstance(ys, (tuple, list)) else [ys]
    us = [np.random.default_rng(i).standard_normal(y.shape) for i, y in enumerate(ys)]
    fused = gg.grad(ys, xs, us)
    assert not replays  # the kernel did it
    with recording(True):
        composed = gg.grad(ys, xs, us, create_graph=True)
    assert replays
    for a, b in zip(fused, composed):
        assert_close(a.numpy(), b.numpy(), rtol=1e-12, what=case.name)


# ------------------------------------------------------------------ against PyTorch


@pytest.mark.torch
def test_layers_against_torch():
    torch = pytest.importorskip("torch")
    nn = torch.nn.functional

    def compare(ours, theirs, *arrays):
        xs = tensors(*arrays, requires_grad=True)
        ts = [torch.tensor(a, requires_grad=True) for a in arrays]
        y, t = ours(*xs), theirs(*ts)
        assert_close(y.numpy(), t.detach().numpy(), rtol=1e-12)
        u = rng.standard_normal(y.shape)
        for g, h in zip(gg.grad(y, xs, u), torch.autograd.grad(t, ts, torch.tensor(u))):
            assert_close(g.numpy(), h.numpy(), rtol=1e-12)

    x, w, b = make((2, 4, 6, 5), (6, 2, 3, 2), (6,))
    compare(
        lambda x, w, b: gg.conv2d(x, w, b, (2, 1), (1, 2), (1, 2), 2),
        lambda x, w, b: nn.conv2d(x, w, b, (2, 1), (1, 2), (1, 2), 2),
        x,
        w,
        b,
    )
    w, b = make((4, 3, 3, 2), (6,))
    compare(
        lambda x, w, b: gg.conv_transpose2d(x, w, b, 2, 1, (1, 2), 2, (1, 0)),
        lambda x, w, b: nn.conv_transpose2d(x, w, b, 2, 1, (1, 0), 2, (1, 2)),
        x,
        w,
        b,
    )
    compare(lambda x: gg.max_pool2d(x, 3, 2, 1), lambda x: nn.max_pool2d(x, 3, 2, 1), x)
    compare(lambda x: gg.avg_pool2d(x, 3, 2, 1), lambda x: nn.avg_pool2d(x, 3, 2, 1), x)
    gamma, beta = make((4,), (4,))
    compare(
        lambda x, g, b: gg.batch_norm(x, g, b)[0],
        lambda x, g, b: nn.batch_norm(x, None, None, g, b, training=True),
        x,
        gamma,
        beta,
    )
    x, h, c, u, v, bi = make((3, 2, 4), (2, 5), (2, 5), (20, 4), (20, 5), (20,))
    zero = torch.zeros(20, dtype=torch.float64)
    compare(
        lambda x, h, c, u, v, b: gg.lstm(x, h, c, u, v, b)[0],
        lambda x, h, c, u, v, b: torch.lstm(
            x, (h[None], c[None]), [u, v, b, zero], True, 1, 0.0, True, False, False
        )[0], x, h, c, u, v, bi,
    )  # fmt: skip
    u, v, bi, bh = make((15, 4), (15, 5), (15,), (15,))
    compare(
        lambda x, h, u, v, a, b: gg.gru(x, h, u, v, a, b, variant="library")[0],
        lambda x, h, u, v, a, b: torch.gru(
            x, h[None], [u, v, a, b], True, 1, 0.0, True, False, False
        )[0], x, h, u, v, bi, bh,
    )  # fmt: skip
