"""Every load_state_dict under 300 seeded corruptions: it loads, or refuses and changes no bit."""

import copy
import json

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn, optim
from glassgrad.core.data import DataSet, Split
from glassgrad.core.training.settings import TrainingSettings
from glassgrad.core.training.state import TrainingState
from glassgrad.core.training.system import System
from glassgrad.kernels.errors import DTypeError

X = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
COUNTS = [0, -1, 1, 1.0, 1.5, float("nan"), float("inf"), 2**60, 2**70, 10**400, True, "3", None]
VALUES = [
    *COUNTS, -0.5, "", b"x", [], [1.0], {}, (1, 2), object(), np.float64("nan"), np.zeros(3),
    np.full((2, 2), np.nan), np.ma.masked_array([1.0, 2.0], [0, 1]), np.array(["a"]),
    np.array([None]), [[1.0], [1.0, 2.0]], np.zeros((0, 4), "float32"), np.array(2), np.array(0),
]  # fmt: skip


def spoil(state: dict, rng, names) -> None:
    """One to three corruptions in place."""
    for _ in range(rng.integers(1, 4)):
        kind, key = rng.integers(9), None
        if state:
            key = list(state)[rng.integers(len(state))]
        value = VALUES[rng.integers(len(VALUES))]
        a = state.get(key)
        if kind == 0:
            state.pop(key, None)
        elif kind == 1:
            odd = [*names, "", "x", 3, None, ("a",), "0.step", "lr"]
            state[odd[rng.integers(len(odd))]] = value
        elif kind in (2, 3):
            state[key] = value
        elif kind == 4 and any(str(k).endswith("step") for k in state):
            steps = [k for k in state if str(k).endswith("step")]
            state[steps[rng.integers(len(steps))]] = COUNTS[rng.integers(len(COUNTS))]
        elif isinstance(a, np.ndarray):
            nan = np.full(a.shape, np.nan, a.dtype if a.dtype.kind == "f" else "float32")
            other = a.view(np.matrix) if a.ndim == 2 else a.tolist()
            state[key] = [np.ones(a.shape), a[..., None], nan, other][kind % 4]
        else:
            state[str(key) + "x"] = state.pop(key, value)


def net_of_layers():
    rng = gg.Generator(3)
    return nn.Sequential(nn.Linear(3, 4, rng=rng), nn.BatchNorm(4), nn.Linear(4, 2, rng=rng))


def descend(net, *optimisers):
    y = net(gg.Tensor(X))
    (y * y).sum().backward()
    for o in optimisers:
        o.step()


def trained(make):
    net = net_of_layers()
    opt = make(net.parameters())
    descend(net, opt)
    return opt


def alternating():
    net = net_of_layers()
    first, second = net.parameters()[:2], net.parameters()
    both = optim.Alternating(0.1, {"up": optim.Adam(first, 0.1), "down": optim.SGD(second, 0.05)})
    descend(net, *both.optimisers.values())
    return both


def plateau():
    watch = optim.ReduceOnPlateau(patience=1)
    for metric in (3.0, 4.0, 5.0):
        watch(metric)
    return watch


def recurrent():
    return nn.Sequential(nn.LSTM(3, 2, rng=gg.Generator(1)), nn.RNN(2, 2, rng=gg.Generator(2)))


MAKERS = {
    "module": net_of_layers,
    "recurrent": recurrent,
    "adam": lambda: trained(lambda p: optim.Adam(p, amsgrad=True)),
    "rmsprop": lambda: trained(lambda p: optim.RMSProp(p, centred=True, momentum=0.9)),
    "momentum": lambda: trained(optim.Momentum),
    "groups": lambda: trained(
        lambda p: optim.AdaGrad([{"parameters": p[:2]}, {"parameters": p[2:], "lr": 0.5}])
    ),
    "alternating": alternating,
    "plateau": plateau,
}


def bits(state) -> str:
    """A state as text that differs where a bit differs."""
    if isinstance(state, np.ndarray):
        return f"{state.dtype}{state.shape}{state.tobytes().hex()}"
    return repr([(k, bits(v)) for k, v in state.items()] if isinstance(state, dict) else state)


@pytest.mark.parametrize("name", MAKERS)
def test_300_corruptions_of_a_state(name):
    thing, loaded = MAKERS[name](), 0
    good = thing.state_dict()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        state = copy.copy(good)
        spoil(state, rng, list(good))
        before = bits(thing.state_dict())
        try:
            thing.load_state_dict(state)
        except nn.StateError as error:
            assert len(str(error)) < 3000
            assert bits(thing.state_dict()) == before, seed
        else:
            loaded += 1
            assert bits(thing.state_dict()).count("(") >= 1
            if isinstance(thing, optim.Optimiser):  # what was loaded can be stepped from
                for p in thing.parameters:
                    p.grad = gg.Tensor(np.ones(p.shape, p.dtype))
                with np.errstate(all="ignore"):
                    thing.step()
            thing.load_state_dict(good)
    assert 0 < loaded < 150
    for no_state in (None, 3, "text", [], [("lr", 1.0)], np.zeros(2)):
        with pytest.raises((nn.StateError, DTypeError), match="expected a dict"):
            thing.load_state_dict(no_state)
    assert bits(thing.state_dict()) == bits(good)


def test_a_count_of_no_steps_changes_nothing():
    opt = trained(optim.Adam)
    before = opt.state_dict()
    with pytest.raises(nn.StateError, match=r"0\.step: expected a count of steps from 1 on, got 0"):
        opt.load_state_dict({**before, "lr": 0.7, "group.0.lr": 0.7, "0.step": 0})
    assert opt.lr == 1e-3 and bits(opt.state_dict()) == bits(before)


def test_a_generator_keeps_its_state():
    rng = gg.Generator(3, 5)
    for value in (
        *(v for v in VALUES if type(v) is not tuple),
        (1,),
        (1, 2, 3),
        (1, -1),
        (-1, 1),
        (1, 2**64),
        ("1", 2),
        (1.0, 2),
    ):
        with pytest.raises(gg.GlassgradError, match="Generator: "):
            rng.state = value
        assert rng.state == (3, 5)


class Line(System):
    def __init__(self):
        rng = gg.Generator(0)
        self.layer, self.drop = nn.Linear(2, 1, rng=rng), nn.Dropout(0.1, rng=rng.child("drop"))

    def objective(self, batch):
        return (self.drop(self.layer(gg.Tensor(batch.x))) ** 2).mean()


def test_300_corruptions_of_a_checkpoint():
    x = np.random.default_rng(0).standard_normal((12, 2)).astype(np.float32)
    data = DataSet("line", Split(x, x[:, 0]), None)
    trainer = TrainingState(Line(), data, TrainingSettings(epochs=2, batch=4))
    trainer.sums = trainer.system.train_step(trainer.system.on_device(data.train), trainer)
    arrays, progress = trainer.state()
    loaded = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        bad, plain = copy.copy(arrays), json.loads(json.dumps(progress))
        parts = [bad, plain, plain["generators"], plain["optimiser"], plain["sums"]]
        spoil(parts[rng.integers(5)], rng, ["epoch", "generators"])
        before = bits([trainer.state()])
        try:
            trainer.restore(bad, plain)
        except gg.GlassgradError:
            assert bits([trainer.state()]) == before, seed
        else:
            loaded += 1
            trainer.restore(arrays, json.loads(json.dumps(progress)))
    assert 0 < loaded < 150
