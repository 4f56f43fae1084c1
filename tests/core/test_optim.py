"""Optimisers against scalar loops over the papers' formulas, PyTorch, and their own resumption."""

import math

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn, optim
from glassgrad.kernels.errors import GlassgradError
from tests.tools import assert_close

# ------------------------------------------- one coordinate, as the papers write it


def _sgd(x, g, s, t, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    g += weight_decay * x
    if not momentum:
        return x - lr * g
    s["v"] = momentum * s.get("v", 0.0) + g
    return x - lr * (g + momentum * s["v"] if nesterov else s["v"])


def _adagrad(x, g, s, t, lr, lr_decay=0.0, weight_decay=0.0, eps=1e-10, start=0.0):
    g += weight_decay * x
    s["sum"] = s.get("sum", start) + g * g
    return x - lr / (1 + (t - 1) * lr_decay) * g / (math.sqrt(s["sum"]) + eps)


def _adadelta(x, g, s, t, lr, rho=0.9, eps=1e-6, weight_decay=0.0):
    g += weight_decay * x
    s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g * g
    d = g * math.sqrt(s.get("u", 0.0) + eps) / math.sqrt(s["v"] + eps)
    s["u"] = rho * s.get("u", 0.0) + (1 - rho) * d * d
    return x - lr * d


def _rmsprop(x, g, s, t, lr, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centred=False):
    g += weight_decay * x
    s["v"] = alpha * s.get("v", 0.0) + (1 - alpha) * g * g
    s["m"] = alpha * s.get("m", 0.0) + (1 - alpha) * g
    d = g / (math.sqrt(s["v"] - s["m"] ** 2 if centred else s["v"]) + eps)
    s["b"] = momentum * s.get("b", 0.0) + d
    return x - lr * s["b"]


def _adam(
    x, g, s, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled=False
):
    if decoupled:
        x -= lr * weight_decay * x
    else:
        g += weight_decay * x
    s["m"] = betas[0] * s.get("m", 0.0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0.0) + (1 - betas[1]) * g * g
    s["top"] = max(s.get("top", 0.0), s["v"])
    m, v = s["m"] / (1 - betas[0] ** t), (s["top"] if amsgrad else s["v"]) / (1 - betas[1] ** t)
    return x - lr * m / (math.sqrt(v) + eps)


# name -> (ours, settings, formula, PyTorch's name, its settings where they differ)
RULES = {
    "sgd": (optim.SGD, {"lr": 0.1}, _sgd, "SGD", {}),
    "sgd, decay": (optim.SGD, {"lr": 0.1, "weight_decay": 0.2}, _sgd, "SGD", {}),
    "momentum": (
        optim.Momentum, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}, _sgd, "SGD", {},
    ),
    "nesterov": (
        optim.SGD, {"lr": 0.05, "momentum": 0.8, "nesterov": True}, _sgd, "SGD", {},
    ),
    "adagrad": (optim.AdaGrad, {"lr": 0.3}, _adagrad, "Adagrad", {}),
    "adagrad, options": (
        optim.AdaGrad, {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.1, "eps": 0.01}, _adagrad,
        "Adagrad", {},
    ),
    "adadelta": (optim.Adadelta, {"lr": 1.0}, _adadelta, "Adadelta", {}),
    "adadelta, options": (
        optim.Adadelta, {"lr": 0.5, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1}, _adadelta,
        "Adadelta", {},
    ),
    "rmsprop": (optim.RMSProp, {"lr": 0.05}, _rmsprop, "RMSprop", {}),
    "rmsprop, options": (
        optim.RMSProp, {"lr": 0.02, "alpha": 0.9, "weight_decay": 0.1, "momentum": 0.5}, _rmsprop,
        "RMSprop", {},
    ),
    "rmsprop, centred": (
        optim.RMSProp, {"lr": 0.02, "centred": True, "eps": 1e-2}, _rmsprop, "RMSprop",
        {"centered": True},
    ),
    "adam": (optim.Adam, {"lr": 0.1}, _adam, "Adam", {}),
    "adam, options": (
        optim.Adam, {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1, "eps": 1e-3}, _adam,
        "Adam", {},
    ),
    "amsgrad": (optim.Adam, {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5)}, _adam, "Adam", {}),
    "adamw": (
        optim.AdamW, {"lr": 0.1, "weight_decay": 0.3},
        lambda *a, **k: _adam(*a, decoupled=True, **k), "AdamW", {},
    ),
}  # fmt: skip
CURVE = np.array([0.5, 1.0, 3.0, 10.0])
START = np.array([1.0, -2.0, 0.5, 0.3])


def run(make, dtype="float64", steps=20):
    """`steps` steps down Σ ½ c x² from START, whose gradient is c x."""
    x = gg.tensor(START.astype(dtype), requires_grad=True)
    opt = make([x])
    path = []
    for _ in range(steps):
        (x * x * CURVE.astype(dtype) * 0.5).sum().backward()
        opt.step()
        path.append(x.numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_rules_equal_their_formulas(name, dtype):
    kind, settings, formula, _, _ = RULES[name]
    got = run(lambda p: kind(p, **settings), dtype)
    want = []
    for c, x in zip(CURVE, START):
        state, path = {}, []
        for t in range(1, 21):
            x = formula(x, c * x, state, t, **settings)
            path.append(x)
        want.append(path)
    assert_close(got, np.array(want).T.astype(dtype), reduction=400)


@pytest.mark.torch
@pytest.mark.parametrize("name", RULES)
def test_rules_equal_torch(name):
    torch = pytest.importorskip("torch")
    kind, settings, _, theirs, more = RULES[name]
    settings_there = {k: v for k, v in settings.items() if k != "centred"} | more
    x = torch.tensor(START, requires_grad=True)
    opt = getattr(torch.optim, theirs)([x], **settings_there)
    want = []
    for _ in range(20):
        opt.zero_grad()
        (x * x * torch.tensor(CURVE) * 0.5).sum().backward()
        opt.step()
        want.append(x.detach().numpy().copy())
    assert_close(run(lambda p: kind(p, **settings)), np.array(want), reduction=400)


@pytest.mark.torch
def test_defaults_equal_torch():
    torch = pytest.importorskip("torch")
    for kind, theirs, renamed in (
        (optim.SGD, torch.optim.SGD, {}),
        (optim.AdaGrad, torch.optim.Adagrad, {}),
        (optim.Adadelta, torch.optim.Adadelta, {}),
        (optim.Adam, torch.optim.Adam, {}),
        (optim.RMSProp, torch.optim.RMSprop, {"centred": "centered"}),
        (optim.AdamW, torch.optim.AdamW, {}),
    ):
        ours = kind([gg.zeros((1,), requires_grad=True)]).groups[0]
        there = theirs([torch.zeros(1, requires_grad=True)]).param_groups[0]
        for key, value in ours.items():
            if key != "parameters":
                assert there[renamed.get(key, key)] == value, (kind, key)


def test_stored_first_steps():
    """By hand, from x = 1 with gradient 2: the first step of each."""
    for kind, settings, want in (
        (optim.SGD, {"lr": 0.1}, 0.8),
        (optim.Momentum, {"lr": 0.1}, 0.8),
        (optim.SGD, {"lr": 0.1, "momentum": 0.5, "nesterov": True}, 1 - 0.1 * (2 + 0.5 * 2)),
        (optim.AdaGrad, {"lr": 0.1}, 0.9),
        (optim.AdaGrad, {"lr": 0.1, "initial_accumulator_value": 5.0}, 1 - 0.1 * 2 / 3),
        (optim.RMSProp, {"lr": 0.1, "alpha": 0.75}, 0.9 - 0.1),
        (optim.Adam, {"lr": 0.1}, 0.9),
        (optim.AdamW, {"lr": 0.1, "weight_decay": 0.5}, 0.95 - 0.1),
        (optim.Adadelta, {"rho": 0.75, "eps": 1.0}, 1 - 2 / math.sqrt(2)),
    ):
        x = gg.tensor(np.array([1.0]), requires_grad=True)
        opt = kind([x], **settings)
        (x * x).sum().backward()
        opt.step()
        assert abs(x.item() - want) < 1e-7, (kind, x.item())


def test_a_wrong_formula_is_caught():
    """A planted bug: Adam that forgets to correct the second moment's zero start."""

    class Forgetful(optim.Adam):
        def update(self, x, g, state, t, **settings):
            x0 = x.copy()
            super().update(x, g, state, t, **settings)
            x[...] = x0 + (x - x0) * math.sqrt(1 - settings["betas"][1] ** t)

    good, bad = run(lambda p: optim.Adam(p, lr=0.1)), run(lambda p: Forgetful(p, lr=0.1))
    with pytest.raises(AssertionError, match="got"):
        assert_close(bad, good, reduction=400)


# ------------------------------------------------------------ what all share


def two_layers(dtype="float32"):
    rng = gg.Generator(0)
    return nn.Sequential(
        nn.Linear(3, 5, rng=rng, dtype=dtype), nn.Tanh(), nn.Linear(5, 1, rng=rng, dtype=dtype)
    )


X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def descend(net, opt, steps):
    for _ in range(steps):
        y = net(gg.tensor(X))
        (y * y - y).sum().backward()
        opt.step()


@pytest.mark.parametrize("name", RULES)
def test_a_resumed_run_is_the_same_bit_for_bit(name):
    kind, settings, *_ = RULES[name]
    whole, net = two_layers(), two_layers()
    descend(whole, kind(whole.parameters(), **settings), 7)
    opt = kind(net.parameters(), **settings)
    descend(net, opt, 3)
    saved, weights = opt.state_dict(), net.state_dict()
    kept = {k: np.array(v) for k, v in saved.items()}
    descend(net, opt, 2)
    for k, v in saved.items():
        assert np.array_equal(v, kept[k]), k  # copies, not views
    new = two_layers()
    new.load_state_dict(weights)
    again = kind(new.parameters(), **settings)
    again.load_state_dict(saved)
    descend(new, again, 4)
    for name, value in new.state_dict().items():
        assert np.array_equal(value, whole.state_dict()[name]), name


def test_state_dict_before_and_after_the_first_step():
    net = two_layers()
    opt = optim.Adam(net.parameters(), lr=0.1)
    assert opt.state_dict() == {"lr": 0.1, "group.0.lr": 0.1}
    descend(net, opt, 2)
    state = opt.state_dict()
    assert state["3.step"] == 2 and state["0.exp_avg"].shape == (5, 3)
    assert len(state) == 2 + 4 * 3
    as_arrays = {k: np.asarray(v) for k, v in state.items()}  # as a file gives them back
    other = optim.Adam(two_layers().parameters(), lr=1.0)
    other.load_state_dict(as_arrays)
    assert other.lr == 0.1 and other.steps == [2] * 4


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda s: s.pop("1.exp_avg"), r"missing: 1\.exp_avg"),
        (lambda s: s.pop("lr"), "missing: lr"),
        (lambda s: s.update({"9.exp_avg": np.zeros(1)}), r"unexpected: 9\.exp_avg"),
        (lambda s: s.update({"0.exp_avg": np.zeros((5, 3))}), r"0\.exp_avg: expected .*float32"),
        (lambda s: s.update({"0.exp_avg": np.zeros((3, 5), "float32")}), r"got \(\(3, 5\), float"),
    ],
)
def test_a_bad_state_is_named_and_nothing_is_loaded(spoil, message):
    net = two_layers()
    opt = optim.Adam(net.parameters())
    descend(net, opt, 1)
    before = opt.state_dict()
    state = {k: v + 1 for k, v in before.items()}
    spoil(state)
    with pytest.raises(nn.StateError, match=message):
        opt.load_state_dict(state)
    for k, v in opt.state_dict().items():
        assert np.array_equal(v, before[k]), k
    with pytest.raises(nn.StateError, match="does not fit this SGD"):
        optim.SGD(net.parameters()).load_state_dict(before)


def test_groups_have_their_own_settings_and_keep_their_ratio():
    a, b = (gg.tensor([1.0], requires_grad=True) for _ in range(2))
    opt = optim.SGD(
        [{"parameters": [a]}, {"parameters": [b], "lr": 0.01, "weight_decay": 1.0}], lr=0.1
    )
    (a + b).sum().backward()
    opt.step()
    assert_close(a.numpy(), np.float32([0.9]))
    assert_close(b.numpy(), np.float32([1 - 0.01 * (1 + 1)]))
    opt.lr = 0.05
    assert opt.lr == 0.05 and [g["lr"] for g in opt.groups] == pytest.approx([0.05, 0.005])
    assert [g["weight_decay"] for g in opt.groups] == [0.0, 1.0]


def test_a_gradient_is_used_once():
    a, b = (gg.tensor([1.0], requires_grad=True) for _ in range(2))
    opt = optim.SGD([a, b], lr=0.5)
    (a + b).sum().backward()
    opt.step()
    a.sum().backward()
    opt.step()
    assert a.item() == 0.0 and b.item() == 0.5  # b's old gradient is still there, and not used
    assert b.grad.item() == 1.0 and opt.steps == [2, 1]
    with pytest.raises(
        optim.OptimiserError, match="no parameter has a new gradient; call backward"
    ):
        opt.step()


def test_a_step_never_changes_gradients_and_invalidates_old_graphs():
    for kind, settings, *_ in RULES.values():
        x = gg.tensor(START, requires_grad=True)
        y = (x * x).sum()
        y.backward()
        g = x.grad.numpy().copy()
        kind([x], **settings).step()
        assert np.array_equal(x.grad.numpy(), g) and not np.array_equal(x.numpy(), START)
        with pytest.raises(gg.GraphError, match="changed in place"):
            y.backward()


def test_shapes_zero_and_scalar_and_strided():
    x = gg.tensor(np.array(3.0), requires_grad=True)
    e = gg.zeros((0, 2), "float64", requires_grad=True)
    s = gg.Tensor(np.ones((4, 6))[:, ::2], requires_grad=True)
    for kind, settings, *_ in RULES.values():
        opt = kind([x, e, s], **settings)
        before = x.item(), s.numpy().copy()
        (x * x + e.sum() + (s * s).sum()).backward()
        opt.step()
        assert x.item() != before[0] and (s.numpy() != before[1]).all() and x.shape == ()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda p: optim.SGD([]), "there are no parameters"),
        (lambda p: optim.SGD([p, p]), "listed twice"),
        (lambda p: optim.SGD([p * 2]), "must be leaf tensors"),
        (lambda p: optim.SGD([p.detach()]), "must be leaf tensors"),
        (lambda p: optim.SGD([3.0]), "got float"),
        (lambda p: optim.SGD([{"params": [p]}]), "a group needs 'parameters'"),
        (lambda p: optim.SGD([{"parameters": [p], "beta": 1}]), "may set .*'lr'"),
        (lambda p: optim.SGD([p], lr=-1.0), "SGD: lr must lie in its range"),
        (lambda p: optim.SGD([p], lr=math.nan), "SGD: lr is not allowed; expected a finite"),
        (lambda p: optim.SGD([p], nesterov=True), "nesterov needs a momentum"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), "betas must lie in its range"),
        (lambda p: optim.RMSProp([p], alpha=1.5), "alpha must lie in its range"),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(GlassgradError, match=message):
        make(gg.tensor([1.0], requires_grad=True))


def test_a_conversion_after_the_first_step_is_an_error():
    net = two_layers()
    opt = optim.Adam(net.parameters())
    descend(net, opt, 1)
    net.astype("float64")
    y = net(gg.tensor(X.astype("float64")))
    y.sum().backward()
    with pytest.raises(optim.OptimiserError, match="was moved or converted"):
        opt.step()


def test_a_rate_of_its_own_beside_lr_0_is_named():
    a, b = (gg.tensor([1.0], requires_grad=True) for _ in range(2))
    with pytest.raises(GlassgradError, match="SGD: lr must be positive if a group has"):
        optim.SGD([{"parameters": [a], "lr": 0.1}], lr=0)
    opt = optim.SGD([{"parameters": [a]}, {"parameters": [b], "lr": 0.0}], lr=0)
    opt.lr = 0.5
    assert [g["lr"] for g in opt.groups] == [0.5, 0.5]


@pytest.mark.parametrize(
    "key, value", [("lr", "x"), ("lr", -1.0), ("lr", float("nan")), ("group.0.lr", [1]),
                   ("0.step", 1.5), ("0.step", "1"), ("0.step", -1)],
)  # fmt: skip
def test_rates_and_steps_of_a_state_are_numbers(key, value):
    x = gg.tensor([1.0], requires_grad=True)
    opt = optim.Adam([x], lr=0.1)
    (x * x).sum().backward()
    opt.step()
    state = opt.state_dict()
    with pytest.raises(nn.StateError, match=f"{key}: expected a"):
        opt.load_state_dict({**state, key: value})
    assert opt.state_dict() == state
