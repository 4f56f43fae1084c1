"""The same training on every backend: Numba, and the CUDA C kernels, against the reference."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import kernels
from glassgrad.core.arrays import to_device
from glassgrad.core.gradcases import CASES
from glassgrad.core.gradcases.modules import CASES as LAYERS
from glassgrad.core.training.loop import Silent, fit
from glassgrad.kernels.errors import BackendError
from glassgrad.kernels.registry import watching
from glassgrad.training import backend_for
from tests.kernels.checking import why_no_emulator, why_no_gpu
from tests.models.small_systems import SYSTEMS, conv_vae
from tests.tools import assert_close

needs_compiler = pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "runs")
needs_gpu = pytest.mark.skipif(bool(why_no_gpu()), reason=why_no_gpu() or "a GPU is there")
STEPS = 5


class Enough(Exception):
    """The steps that were asked for are done."""


class Recorder(Silent):
    """Keeps the first figure of each step, and stops the training after `STEPS`."""

    def __init__(self):
        self.losses = []

    def step(self, epoch, batch, figures):
        self.losses.append(next(iter(figures.values())))
        if len(self.losses) == STEPS:
            raise Enough


def losses(make, backend, device="cpu", **s):
    """The losses of the first steps, and how often each kernel ran."""
    seen, recorder = Counter(), Recorder()

    def watch(record, args):
        seen[record.backend, record.op] += 1
        return record.function(*args)

    # what is no array (weights, the order of the batches) is drawn outside: the same for all
    system, found, settings = make(s)
    with backend_for(backend, device), watching(watch), pytest.raises(Enough):
        fit(system.to(device), found, settings, progress=recorder)
    return np.array(recorder.losses), seen


# on the host too: between two epochs the classifier that judges samples is trained; the random
# words of a batch are drawn with it
ON_HOST = {
    "gmmn-codes": {"philox", "cross_entropy", "descent"},
    "paragraph2vec-memory": {"philox", "skip_gram"},
    "sent2vec": {"philox", "skip_gram"},
}


@cache
def by_reference(name):
    """The losses of the first steps in NumPy, computed once for all backends."""
    wanted, _ = losses(SYSTEMS[name][0], "reference")
    assert len(wanted) == STEPS and np.isfinite(wanted).all()
    assert name == "som" or wanted[0] != wanted[-1], "nothing was learnt"
    return wanted


@needs_compiler
@pytest.mark.parametrize("name", SYSTEMS)
def test_five_steps_match_the_reference(name):
    make, families = SYSTEMS[name]
    got, seen = losses(make, "emulated")
    assert {backend for backend, _ in seen} == {"emulated"}, "another backend took part"
    assert families <= {op for _, op in seen}
    assert_close(got, by_reference(name), rtol=1e-4, what=name)


@pytest.mark.parametrize("name", SYSTEMS)
def test_five_steps_by_numba_match_the_reference(name):
    make, families = SYSTEMS[name]
    got, seen = losses(make, "numba")
    assert families <= {op for backend, op in seen if backend == "numba"}
    assert_close(got, by_reference(name), rtol=1e-4, what=name)


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("name", SYSTEMS)
def test_five_steps_on_a_gpu_match_the_reference(name):
    make, families = SYSTEMS[name]
    got, seen = losses(make, "cuda", device="cuda")
    assert families <= {op for backend, op in seen if backend == "cuda"}
    beside = {op for backend, op in seen if backend != "cuda"} - ON_HOST.get(name, {"philox"})
    assert not beside, "beside the GPU"
    assert_close(got, by_reference(name), rtol=1e-4, what=name)


@needs_compiler
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adagrad", "adadelta", "rmsprop", "adam"])
def test_every_optimiser_gets_the_same_gradients(optimiser):
    wanted, _ = losses(conv_vae, "reference", optimiser=optimiser, lr=1e-3)
    got, _ = losses(conv_vae, "emulated", optimiser=optimiser, lr=1e-3)
    assert_close(got, wanted, rtol=1e-4, what=optimiser)


def gradients(case, backend, device="cpu"):
    """Value and gradients of a gradient case, in float64, with a fixed random cotangent."""
    tensors = [gg.Tensor(to_device(a, device), requires_grad=True) for a in case.arrays()]
    seen = set()

    def watch(record, args):
        seen.add(record.op)
        return record.function(*args)

    with backend_for(backend, device), watching(watch):
        out = case.f(*tensors)
        outs = out if isinstance(out, (tuple, list)) else [out]
        outs = [o for o in outs if o.requires_grad]
        rng = np.random.default_rng(0)
        cotangents = [to_device(rng.standard_normal(o.shape), device) for o in outs]
        grads = gg.grad(outs, tensors, cotangents, unused="zero")
    return [o.numpy() for o in outs] + [g.numpy() for g in grads], seen


@needs_compiler
@pytest.mark.parametrize("case", [*CASES, *LAYERS], ids=lambda c: c.name)
def test_every_function_and_layer_has_the_same_gradients(case):
    """Those that run no kernel are skipped: NumPy computes them on both backends."""
    wanted, seen = gradients(case, "reference")
    if not seen:
        pytest.skip("runs no kernel")
    got, _ = gradients(case, "emulated")
    for g, w in zip(got, wanted, strict=True):
        assert_close(g, w, rtol=1e-11, what=case.name)


# cases that hold tensors of their own, on the host: labels, masks, running means
HOST = {
    "BatchNorm", "BatchNorm images", "BatchNorm evaluation", "WeightNormLinear fixed scale",
    "power to whole numbers", "one_hot", "max_pool2d_backward", "max_pool2d_backward squared",
    "max_pool2d_gather", "cross_entropy itself", "hinge", "nade of binary rows", "relu_backward",
}  # fmt: skip


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize(
    "case", [c for c in (*CASES, *LAYERS) if c.name not in HOST], ids=lambda c: c.name
)
def test_every_function_and_layer_has_the_same_gradients_on_a_gpu(case):
    wanted, _ = gradients(case, "reference")
    got, _ = gradients(case, "cuda", "cuda")
    for g, w in zip(got, wanted, strict=True):
        assert_close(g, w, rtol=1e-11, what=case.name)


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize(
    "case", [c for c in (*CASES, *LAYERS) if c.name not in HOST], ids=lambda c: c.name
)
def test_finite_differences_on_a_gpu(case):
    """In float64 where it runs: gradients by its kernels, differences of its values."""
    report = gg.gradcheck(case.f, *case.arrays(), name=case.name, directions=4, device="cuda")
    assert report.directions > 0


@needs_gpu
@pytest.mark.gpu
def test_ties_and_nan_have_one_order_on_a_gpu():
    """What core/functions/ordering.py promises of every backend."""
    rng = np.random.default_rng(0)
    a = rng.integers(-2, 3, (40, 33)).astype("float32")
    a[rng.random(a.shape) < 0.1] = np.nan
    a[rng.random(a.shape) < 0.1] = -0.0
    host, there = gg.Tensor(a), gg.Tensor(to_device(a, "cuda"))
    for f in (
        gg.argsort, lambda x: gg.argsort(x, 0, True), lambda x: gg.topk(x, 5)[1], gg.argmin,
        gg.argmax, lambda x: gg.topk(x, 4, 0, largest=False)[1],
    ):  # fmt: skip
        np.testing.assert_array_equal(f(there), f(host))
    for f in (
        gg.sort, gg.cumprod, lambda x: gg.topk(x, 5)[0], lambda x: gg.prod(x, axis=1), gg.round,
        gg.sign, gg.floor, lambda x: gg.mod(x, 1.5), lambda x: gg.floor_divide(x, -0.75),
    ):  # fmt: skip
        np.testing.assert_array_equal(f(there).numpy(), f(host).numpy())
    for f in (gg.isnan, gg.isinf, gg.isfinite, gg.any, lambda x: gg.all(x, axis=0)):
        found = f(there)
        assert type(found) is type(there.data)
        np.testing.assert_array_equal(gg.Tensor(found).numpy(), f(host))


BACKENDS = ("reference", "numba", "emulated")


@needs_compiler
def test_same_seed_same_noise_and_masks():
    """Bits, uniform numbers and dropout masks to the bit, normal numbers to their rounding."""

    def drawn(backend):
        with kernels.backend(backend):
            rng = gg.Generator(2**63 + 5)
            x = gg.Tensor(np.ones((13, 31), np.float32))
            exact = [rng.uniform((7, 33)), rng.integers(10, 50), rng.permutation(40)]
            exact += [gg.dropout(x, 0.3, rng).numpy(), rng.bernoulli(np.full(99, 0.5))]
            z, _ = gg.reparameterise(0 * x, 0 * x, rng)
            return exact, [rng.normal((5, 41)), z.numpy()]

    exact, close = drawn("reference")
    for backend in BACKENDS[1:]:
        got_exact, got_close = drawn(backend)
        for g, w in zip(got_exact, exact, strict=True):
            np.testing.assert_array_equal(g, w, backend)
        for g, w in zip(got_close, close, strict=True):
            assert_close(g, w, rtol=1e-6, what=backend)


def test_an_unknown_backend_is_refused_before_anything_runs():
    with (
        pytest.raises(BackendError, match="unknown backend 'emulator'"),
        kernels.backend("emulator"),
    ):
        pass
