"""Feed-forward layers: closed forms, finite differences, PyTorch with weights moved both ways."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.kernels.errors import DTypeError, GlassgradError, ShapeError, ValueRangeError
from tests.tools import assert_close


def r():
    return gg.Generator(11)


def arrays(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def functional(layer):
    """The layer as a function of (parameters..., x), for gradcheck: its tensors are swapped in."""
    names = [n for n, _ in layer.named_parameters()]

    def f(x, *values):
        held = {n: vars(layer)[n] for n in names}
        for n, v in zip(names, values):
            setattr(layer, n, v)
        try:
            return layer(x)
        finally:
            for n, v in held.items():
                setattr(layer, n, v)

    return f, [p.numpy() for p in layer.parameters()]


LAYERS = {
    "linear": (lambda: nn.Linear(3, 2, rng=r(), dtype="float64"), (4, 3)),
    "linear without bias": (lambda: nn.Linear(3, 2, bias=False, rng=r(), dtype="float64"), (4, 3)),
    "linear on sequences": (lambda: nn.Linear(3, 2, rng=r(), dtype="float64"), (2, 4, 3)),
    "weight norm": (lambda: nn.WeightNormLinear(3, 2, rng=r(), dtype="float64"), (4, 3)),
    "conv2d": (
        lambda: nn.Conv2d(4, 6, (3, 2), 2, 1, 1, 2, rng=r(), dtype="float64"),
        (2, 4, 5, 5),
    ),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3, 2, 1, rng=r(), dtype="float64"), (2, 2, 7)),
    "conv_transpose2d": (
        lambda: nn.ConvTranspose2d(2, 4, 3, 2, 1, 1, 1, 2, rng=r(), dtype="float64"),
        (2, 2, 3, 3),
    ),
    "batch norm, vectors": (lambda: nn.BatchNorm(3, dtype="float64"), (5, 3)),
    "batch norm, images": (lambda: nn.BatchNorm(2, dtype="float64"), (3, 2, 2, 3)),
    "batch norm, evaluation": (lambda: nn.BatchNorm(2, dtype="float64").eval(), (3, 2, 2, 3)),
    "layer norm": (lambda: nn.LayerNorm(4, dtype="float64"), (3, 4)),
    "flatten": (lambda: nn.Flatten(), (2, 3, 2)),
    "avg pool": (lambda: nn.AvgPool2d(3, 2, 1), (1, 2, 5, 5)),
    "local response norm": (lambda: nn.LocalResponseNorm(3, 0.3, 0.6, 1.0), (2, 4, 2, 3)),
    "max pool": (lambda: nn.MaxPool2d(3, 2, 1), (1, 2, 5, 5)),
    "relu": (lambda: nn.ReLU(), (3, 4)),
    "leaky relu": (lambda: nn.LeakyReLU(0.2), (3, 4)),
    "elu": (lambda: nn.ELU(0.7), (3, 4)),
    "tanh": (lambda: nn.Tanh(), (3, 4)),
    "sigmoid": (lambda: nn.Sigmoid(), (3, 4)),
    "softplus": (lambda: nn.Softplus(), (3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_both_orders(name):
    make, shape = LAYERS[name]
    f, values = functional(make())
    gg.gradcheck(f, arrays(*shape), *values, order=2, name=name, directions=15)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept(name, dtype):
    make, shape = LAYERS[name]
    y = make().astype(dtype)(gg.tensor(arrays(*shape).astype(dtype)))
    assert y.dtype == dtype and y.shape[0] == shape[0] and np.isfinite(y.numpy()).all()


def test_the_wrong_dtype_is_named():
    with pytest.raises(DTypeError, match="float dtypes must agree"):
        nn.Linear(3, 2, rng=r())(gg.tensor(arrays(4, 3)))


def test_linear_by_hand():
    layer = nn.Linear(2, 2, rng=r())
    layer.load_state_dict({"weight": np.float32([[1, 2], [3, 4]]), "bias": np.float32([10, 20])})
    assert layer(gg.tensor([[1.0, -1.0]])).numpy().tolist() == [[9.0, 19.0]]
    assert layer(gg.ones((0, 2))).shape == (0, 2)


def test_weight_norm_by_hand():
    """W = g v/‖v‖ row by row, and outputs of mean 0 and variance 1 after `adapt`."""
    layer = nn.WeightNormLinear(2, 2, rng=r(), dtype="float64")
    v = np.array([[3.0, 4.0], [0.0, 2.0]])
    layer.load_state_dict({"weight_v": v, "weight_g": [[10.0], [1.0]], "bias": [0.5, -1.0]})
    assert layer(gg.tensor([[1.0, 2.0]], dtype="float64")).numpy().tolist() == [[22.5, 1.0]]
    x = arrays(50, 2) * [1.0, 9.0] + [3.0, 0.0]
    y = layer.adapt(gg.tensor(x))
    w = layer.weight_g.numpy() * v / np.linalg.norm(v, axis=1, keepdims=True)
    assert_close(y.numpy(), x @ w.T + layer.bias.numpy(), reduction=2)
    assert abs(y.numpy().mean(axis=0)).max() < 1e-12
    assert_close(y.numpy().std(axis=0), np.ones(2), rtol=1e-12)
    still = nn.WeightNormLinear(2, 2, trained_scale=False, rng=r())
    assert [n for n, _ in still.named_parameters()] == ["weight_v", "bias"]
    assert np.isfinite(still.adapt(gg.zeros((4, 2))).numpy()).all()  # outputs without a spread


def test_the_gradient_of_a_direction_is_orthogonal_to_it():
    """Salimans & Kingma 2016, section 2.1: so a step of plain descent never shortens v."""
    layer = nn.WeightNormLinear(5, 3, rng=r(), dtype="float64")
    (layer(gg.tensor(arrays(7, 5))) * arrays(7, 3, seed=1)).sum().backward()
    v, slope = layer.weight_v.numpy(), layer.weight_v.grad.numpy()
    assert abs((v * slope).sum(axis=1)).max() < 1e-12 < abs(slope).max()


def test_convolutions_by_hand():
    conv = nn.Conv2d(1, 1, 2, rng=r())
    conv.load_state_dict({"weight": np.float32([[[[1, 0], [0, -1]]]]), "bias": np.float32([0.5])})
    x = gg.tensor(np.arange(9, dtype="float32").reshape(1, 1, 3, 3))
    assert (conv(x).numpy() == 0.5 - 4).all()  # x[i,j] - x[i+1,j+1] = -4 everywhere
    line = nn.Conv1d(1, 1, 3, bias=False, rng=r())
    line.weight.assign(np.float32([[[1, 2, 3]]]))
    assert line(gg.tensor([[[1.0, 0.0, 0.0, 1.0]]])).numpy().tolist() == [[[1.0, 3.0]]]
    up = nn.ConvTranspose2d(1, 1, 2, stride=2, bias=False, rng=r())
    up.weight.assign(np.float32([[[[1, 2], [3, 4]]]]))
    want = [[1, 2, 10, 20], [3, 4, 30, 40]]
    assert up(gg.tensor([[[[1.0, 10.0]]]])).numpy()[0, 0].tolist() == want


def test_transposed_convolution_is_the_adjoint():
    conv = nn.Conv2d(2, 4, 3, 2, 1, bias=False, rng=r(), dtype="float64")
    up = nn.ConvTranspose2d(4, 2, 3, 2, 1, output_padding=1, bias=False, rng=r(), dtype="float64")
    up.load_state_dict(conv.state_dict())
    x, y = gg.tensor(arrays(2, 2, 6, 6)), gg.tensor(arrays(2, 4, 3, 3, seed=1))
    one, two = (conv(x) * y).sum().item(), (x * up(y)).sum().item()
    assert abs(one - two) < 1e-12 * abs(one) and one


def test_pooling_by_hand():
    x = gg.tensor([[[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0], [9.0, 0.0, 1.0]]]])
    assert nn.MaxPool2d(2, stride=1)(x).numpy()[0, 0].tolist() == [[4, 5], [9, 3]]
    assert nn.AvgPool2d(2, stride=1)(x).numpy()[0, 0].tolist() == [[2.5, 2.5], [4.0, 1.0]]


def test_embedding_by_hand_and_its_gradient_adds_up():
    layer = nn.Embedding(3, 2, rng=r())
    layer.weight.assign(np.float32([[1, 2], [3, 4], [5, 6]]))
    y = layer(np.array([[2, 0], [2, 2]]))
    assert y.numpy().tolist() == [[[5, 6], [1, 2]], [[5, 6], [5, 6]]]
    y.sum().backward()
    assert layer.weight.grad.numpy().tolist() == [[1, 1], [0, 0], [3, 3]]
    for bad, error in (([3], ValueRangeError), ([-1], ValueRangeError), ([0.5], DTypeError)):
        with pytest.raises(error, match="indices"):
            layer(bad)


def test_batch_norm_by_hand():
    norm = nn.BatchNorm(2, eps=0.0, momentum=0.25, dtype="float64")
    x = np.array([[1.0, 0.0], [3.0, 4.0], [5.0, 8.0]])
    y = norm(gg.tensor(x))
    unit = 1.224744871391589  # √(3/2): deviation of (-1, 0, 1) is √(2/3)
    assert_close(y.numpy(), np.outer([-unit, 0, unit], [1, 1]))
    assert norm.running_mean.numpy().tolist() == [0.75, 1.0]  # 0.25 · mean
    assert norm.running_var.numpy().tolist() == [0.75 + 1.0, 0.75 + 4.0]  # 0.25 · unbiased 4, 16
    assert norm.num_batches_tracked.item() == 1
    norm.eval()
    assert_close(norm(gg.tensor(x)).numpy(), (x - [0.75, 1.0]) / np.sqrt([1.75, 4.75]))
    assert norm.num_batches_tracked.item() == 1


def test_batch_norm_without_momentum_averages_all_batches():
    norm = nn.BatchNorm(1, momentum=None, dtype="float64")
    for low in (0.0, 2.0, 7.0):
        norm(gg.tensor(np.array([[low], [low + 2]])))
    assert_close(norm.running_mean.numpy(), np.array([4.0]))
    assert_close(norm.running_var.numpy(), np.array([2.0]))


def test_batch_norm_refuses_what_it_cannot_normalise():
    with pytest.raises(ShapeError, match="at least two values"):
        nn.BatchNorm(2)(gg.ones((1, 2)))
    with pytest.raises(ShapeError, match=r"x must be \[N, C, \.\.\.\] with C; expected 2"):
        nn.BatchNorm(2)(gg.ones((4, 3)))


def test_layer_norm_by_hand():
    norm = nn.LayerNorm(3, eps=0.0, dtype="float64")
    norm.load_state_dict({"weight": np.array([1.0, 1.0, 2.0]), "bias": np.array([0.0, 5.0, 0.0])})
    unit = 1.224744871391589
    assert_close(norm(gg.tensor(np.array([[2.0, 4.0, 6.0]]))).numpy(), [[-unit, 5.0, 2 * unit]])


def test_dropout_streams_differ_resume_and_stop_in_evaluation():
    parent = gg.Generator(5)
    one, two = nn.Dropout(0.5, rng=parent), nn.Dropout(0.5, rng=parent)
    x = gg.ones((1000,))
    a, b = one(x).numpy(), two(x).numpy()
    assert 0.2 < (a != b).mean() < 0.8
    state = one.rng.state
    c = one(x).numpy()
    assert not np.array_equal(a, c)
    one.rng.state = state
    assert np.array_equal(one(x).numpy(), c)
    assert one.eval()(x) is x and one.rng.state != state
    assert nn.Dropout(0.0, rng=parent)(x) is x


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: nn.Linear(0, 2, rng=r()), "Linear: inputs must be a positive integer"),
        (lambda: nn.Linear(2, 2.0, rng=r()), "outputs has the wrong type"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2, rng=r()), "groups must divide inputs and outputs"),
        (lambda: nn.Conv2d(3, 4, (3, 0), rng=r()), "kernel_size must be a positive integer"),
        (lambda: nn.MaxPool2d(-2), "kernel_size must be a positive integer"),
        (lambda: nn.Embedding(True, 4, rng=r()), "entries has the wrong type"),
        (lambda: nn.Dropout(1.0, rng=r()), r"p must lie in \[0, 1\)"),
    ],
)
def test_bad_sizes_are_named(make, message):
    with pytest.raises(GlassgradError, match=message):
        make()


TORCH = {
    "linear": (
        lambda: nn.Linear(33, 7, rng=r()), lambda t: t.nn.Linear(33, 7), (31, 33),
    ),
    "weight norm": (
        lambda: nn.WeightNormLinear(33, 7, rng=r()),
        lambda t: t.nn.utils.weight_norm(t.nn.Linear(33, 7)), (31, 33),
    ),
    "conv2d": (
        lambda: nn.Conv2d(4, 6, (3, 5), (2, 1), (1, 2), (1, 2), 2, rng=r()),
        lambda t: t.nn.Conv2d(4, 6, (3, 5), (2, 1), (1, 2), (1, 2), 2), (3, 4, 9, 11),
    ),
    "conv1d": (
        lambda: nn.Conv1d(3, 5, 3, 2, 1, rng=r()), lambda t: t.nn.Conv1d(3, 5, 3, 2, 1), (2, 3, 17),
    ),
    "conv_transpose2d": (
        lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, rng=r()),
        lambda t: t.nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), (2, 4, 5, 7),
    ),
    "batch norm 1-d": (lambda: nn.BatchNorm(5), lambda t: t.nn.BatchNorm1d(5), (31, 5)),
    "batch norm 2-d": (lambda: nn.BatchNorm(5), lambda t: t.nn.BatchNorm2d(5), (7, 5, 3, 4)),
    "layer norm": (lambda: nn.LayerNorm(33), lambda t: t.nn.LayerNorm(33), (7, 33)),
    "local response norm": (
        lambda: nn.LocalResponseNorm(5, 0.1, 0.75, 1.0),
        lambda t: t.nn.LocalResponseNorm(5, 0.5, 0.75, 1.0),
        (2, 9, 5, 3),
    ),
    "max pool": (lambda: nn.MaxPool2d(3, 2, 1), lambda t: t.nn.MaxPool2d(3, 2, 1), (2, 3, 9, 7)),
    "avg pool": (lambda: nn.AvgPool2d(3, 2, 1), lambda t: t.nn.AvgPool2d(3, 2, 1), (2, 3, 9, 7)),
    "elu": (lambda: nn.ELU(0.5), lambda t: t.nn.ELU(0.5), (31, 7)),
    "leaky relu": (lambda: nn.LeakyReLU(), lambda t: t.nn.LeakyReLU(), (31, 7)),
    "softplus": (lambda: nn.Softplus(), lambda t: t.nn.Softplus(), (31, 7)),
}  # fmt: skip


def compare(ours, theirs, x, torch, steps=1):
    """Forward, input gradient, parameter gradients and buffers after `steps` calls."""
    for _ in range(steps):
        a = gg.tensor(x, requires_grad=True)
        b = torch.tensor(x, requires_grad=True)
        theirs.zero_grad()
        y, z = ours(a), theirs(b)
        assert_close(y.numpy(), z.detach().numpy(), reduction=256, what="y")
        g = np.random.default_rng(5).normal(size=y.shape).astype(x.dtype)
        y.backward(g)
        z.backward(torch.tensor(g))
    assert_close(a.grad.numpy(), b.grad.numpy(), reduction=256, what="gx")
    for name, p in theirs.named_parameters():
        mine = dict(ours.named_parameters())[name]
        assert_close(mine.grad.numpy(), p.grad.numpy(), reduction=1024, what=name)
    mine = dict(ours.named_buffers())
    for name, p in theirs.named_buffers():
        rtol = 0 if p.dtype == torch.int64 else None
        assert_close(mine[name].numpy(), p.numpy(), rtol, reduction=256, what=name)


@pytest.mark.torch
@pytest.mark.parametrize("direction", ["to torch", "from torch"])
@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_equal_torch(name, direction, dtype):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    make, make_theirs, shape = TORCH[name]
    ours, theirs = make().astype(dtype), make_theirs(torch).to(getattr(torch, dtype))
    if direction == "to torch":
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    else:
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = arrays(*shape, seed=2).astype(dtype)
    compare(ours, theirs, x, torch, steps=3)
    if "batch norm" in name:
        compare(ours.eval(), theirs.eval(), x, torch)
        assert ours.num_batches_tracked.item() == 3


@pytest.mark.torch
def test_embedding_equals_torch():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Embedding(7, 5, rng=r()), torch.nn.Embedding(7, 5)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    index = np.random.default_rng(0).integers(0, 7, (9, 4))
    g = arrays(9, 4, 5).astype("float32")
    y, z = ours(index), theirs(torch.tensor(index))
    assert np.array_equal(y.numpy(), z.detach().numpy())
    y.backward(g)
    z.backward(torch.tensor(g))
    assert_close(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), reduction=36)
