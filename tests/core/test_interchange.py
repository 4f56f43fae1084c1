"""Tensors next to other libraries: NumPy's functions, DLPack both ways, formats."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.interchange import NUMPY
from glassgrad.kernels.errors import ArgumentError, DTypeError

A = np.array([[1.0, -2.0, 0.5], [3.0, 4.0, -1.0]], np.float32)

CALLS = [
    (np.sum, lambda f, t: f(t, axis=0)),
    (np.sum, lambda f, t: f(t, axis=1, keepdims=True)),
    (np.mean, lambda f, t: f(t, axis=1)),
    (np.max, lambda f, t: f(t, axis=0)),
    (np.min, lambda f, t: f(t)),
    (np.var, lambda f, t: f(t, axis=1)),
    (np.argmax, lambda f, t: f(t, axis=1)),
    (np.argmax, lambda f, t: f(t)),
    (np.sum, lambda f, t: f(t)),
    (np.mean, lambda f, t: f(t)),
    (np.max, lambda f, t: f(t)),
    (np.var, lambda f, t: f(t)),
    (np.clip, lambda f, t: f(t, -1.0, 1.0)),
    (np.where, lambda f, t: f(A > 0, t, 0.0)),
    (np.concatenate, lambda f, t: f([t, A], axis=0)),
    (np.stack, lambda f, t: f([t, t], axis=1)),
    (np.reshape, lambda f, t: f(t, (3, 2))),
    (np.transpose, lambda f, t: f(t)),
    (np.squeeze, lambda f, t: f(np.expand_dims(t, 1))),
    (np.squeeze, lambda f, t: f(np.expand_dims(t, 1), axis=1)),
    (np.expand_dims, lambda f, t: f(t, 1)),
    (np.broadcast_to, lambda f, t: f(t, (4, 2, 3))),
    (np.swapaxes, lambda f, t: f(t, 0, 1)),
    (np.prod, lambda f, t: f(t, axis=0, keepdims=True)),
    (np.cumsum, lambda f, t: f(t)),
    (np.cumsum, lambda f, t: f(t, 1)),
    (np.cumprod, lambda f, t: f(t)),
    (np.cumprod, lambda f, t: f(t, axis=0)),
    (np.any, lambda f, t: f(t > 0, axis=0)),
    (np.any, lambda f, t: f(t)),
    (np.all, lambda f, t: f(t, axis=1)),
    (np.argmin, lambda f, t: f(t)),
    (np.argmin, lambda f, t: f(t, axis=0)),
    (np.sort, lambda f, t: f(t, axis=0)),
    (np.sort, lambda f, t: f(t, kind="stable")),
    (np.sort, lambda f, t: f(t, axis=None)),
    (np.argsort, lambda f, t: f(t, axis=0)),
    (np.round, lambda f, t: f(t, 1)),
    (np.around, lambda f, t: f(t)),
    (np.tile, lambda f, t: f(t, (2, 1, 2))),
    (np.repeat, lambda f, t: f(t, 2)),
    (np.repeat, lambda f, t: f(t, [1, 0], axis=0)),
    (np.roll, lambda f, t: f(t, 1)),
    (np.roll, lambda f, t: f(t, (1, -1), axis=(0, 1))),
    (np.flip, lambda f, t: f(t, axis=0)),
    (np.einsum, lambda f, t: f("ij,kj->ik", t, t)),
    (np.zeros_like, lambda f, t: f(t)),
    (np.ones_like, lambda f, t: f(t)),
]
NO_SLOPE = (np.argmax, np.argmin, np.argsort, np.any, np.all, np.zeros_like, np.ones_like)


@pytest.mark.parametrize(("function", "call"), CALLS)
def test_numpys_function_of_a_tensor_is_the_engines(function, call):
    want = call(function, A)
    tracked = gg.tensor(A, requires_grad=True)
    for t in (gg.tensor(A), tracked):
        got = call(function, t)
        values = got.numpy() if isinstance(got, gg.Tensor) else got
        assert np.shape(values) == np.shape(want) and np.allclose(values, want, atol=1e-6)
    if function in NO_SLOPE:
        return
    assert got.requires_grad
    gg.grad(got.sum(), tracked)  # it is on the tape


def test_every_function_that_is_known_is_tried():
    assert set(NUMPY) == {f for f, _ in CALLS} | {np.shape, np.ndim, np.size}
    t = gg.tensor(A, requires_grad=True)
    assert (np.shape(t), np.ndim(t), np.size(t), np.size(t, 0)) == ((2, 3), 2, 6, 2)


def test_other_functions_take_constants_only():
    t, w = gg.tensor(A), gg.tensor(A, requires_grad=True)
    assert np.linalg.norm(t) == np.linalg.norm(A) and np.allclose(t, A)
    assert np.array_equal(np.vstack([t, t]), np.vstack([A, A]))
    for function in (np.linalg.norm, np.median, lambda x: np.vstack([x, x])):
        with pytest.raises(gg.TensorError, match="gradient would be lost"):
            function(w)
    with pytest.raises(ArgumentError, match=r"np\.sum of a tensor: .* 'dtype'"):
        np.sum(t, dtype="float64")
    with pytest.raises(TypeError, match="Tensor"):
        np.exp(t)


def test_dlpack_shares_memory_with_numpy():
    t = gg.tensor(A)
    out = np.from_dlpack(t)
    assert np.shares_memory(out, t.data) and np.array_equal(out, A)
    a = A.copy()
    back = gg.from_dlpack(a, requires_grad=True)
    assert back.data is a and back.requires_grad and back.data.dtype == np.float32
    with pytest.raises(gg.TensorError, match="detach"):
        np.from_dlpack(back)


@pytest.mark.torch
def test_dlpack_with_torch_both_ways():
    torch = pytest.importorskip("torch")
    t = gg.tensor(A)
    out = torch.from_dlpack(t)
    out[0, 0] = 7.0
    assert t.numpy()[0, 0] == 7.0
    other = torch.arange(6, dtype=torch.float64).reshape(2, 3).T  # strides that are not C's
    mine = gg.from_dlpack(other)
    assert mine.dtype == np.float64 and mine.shape == (3, 2)
    other[0, 0] = -1.0
    assert mine.numpy()[0, 0] == -1.0
    assert np.allclose((mine * 2).sum().item(), 2 * other.sum().item())
    assert torch.equal(torch.tensor(gg.tensor(A)), torch.tensor(A))
    assert torch.as_tensor(gg.tensor([1, 2])).dtype == torch.int64


@pytest.mark.parametrize("wrong", [3, [1.0], None, gg.tensor([1.0])])
def test_what_is_no_array_is_refused(wrong):
    with pytest.raises(gg.TensorError, match="array of another library"):
        gg.from_dlpack(wrong)


def test_dtypes_that_tensors_do_not_have():
    with pytest.raises(DTypeError, match="float16"):
        gg.from_dlpack(np.zeros(2, np.float16))


def test_one_number_has_a_format():
    loss = gg.tensor([1.23456], requires_grad=True).sum()
    assert f"{loss:.3f}" == "1.235" and format(gg.tensor(7), "d") == "7"
    assert f"{loss}" == str(loss) and f"{gg.tensor(A)}" == repr(gg.tensor(A))
    with pytest.raises(gg.TensorError, match="expected one element, got 6"):
        format(gg.tensor(A), ".3f")


def test_a_generator_says_its_seed_and_its_place():
    rng = gg.Generator(7)
    assert repr(rng) == "Generator(7)"
    rng.take(5)
    assert repr(rng) == "Generator(7, offset=2)" and eval(repr(rng), vars(gg)).state == rng.state


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.cumsum(t, dtype="float64"),
        lambda t: np.argmin(t, axis=0, keepdims=True),
        lambda t: np.sort(t, order="x"),
    ],
)
def test_options_of_numpy_that_tensors_lack_are_refused_in_one_line(call):
    says = r"np\.\w+ of a tensor: .* use the array of t\.numpy\(\)"
    with pytest.raises(ArgumentError, match=says):
        call(gg.tensor([[1.0, 2.0]]))
