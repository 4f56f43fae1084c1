"""What a module finds, saves, loads and moves; and that a bad state changes nothing."""

from typing import NamedTuple

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn
from glassgrad.kernels.errors import DeviceError, GlassgradError

rng = gg.Generator


class Net(nn.Module):
    """Every way of holding something: attribute, list, tuple, dictionary, nested, tied."""

    def __init__(self):
        r = rng(3)
        self.encoder = [nn.Linear(3, 2, rng=r), nn.ReLU(), nn.Linear(2, 2, rng=r)]
        self.heads = {"mean": nn.Linear(2, 1, rng=r), "scale": gg.tensor([1.0, 2.0])}
        self.norm = nn.BatchNorm(2)
        self.drop = nn.Dropout(0.5, rng=r)
        self.tied = self.encoder[2].weight
        self.table = (gg.tensor([[1.0]], requires_grad=True), "text", 3)
        self.parent = self
        self.sizes = [1, 2, 3]

    def forward(self, x):
        for layer in self.encoder:
            x = layer(x)
        return self.heads["mean"](self.drop(self.norm(x)))


PARAMETERS = [
    "encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias",
    "heads.mean.weight", "heads.mean.bias", "norm.weight", "norm.bias", "table.0",
]  # fmt: skip
BUFFERS = ["heads.scale", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]


def test_everything_is_found_by_name():
    net = Net()
    assert [n for n, _ in net.named_parameters()] == PARAMETERS
    assert [n for n, _ in net.named_buffers()] == BUFFERS
    assert sorted(n for n, _ in net.named_tensors()) == sorted([*PARAMETERS, *BUFFERS, "tied"])
    assert [n for n, _ in net.named_modules()] == [
        "", "encoder.0", "encoder.1", "encoder.2", "heads.mean", "norm", "drop",
    ]  # fmt: skip
    assert [n for n, _ in net.named_children()] == [n for n, _ in net.named_modules()][1:]
    assert [n for n, _ in net.named_generators()] == ["drop.rng"]
    assert net.count() == 6 + 2 + 4 + 2 + 2 + 1 + 2 + 2 + 1
    assert len({id(p) for p in net.parameters()}) == len(net.parameters()) == len(PARAMETERS)


def test_children_do_not_include_grandchildren():
    r = rng(0)
    net = nn.Sequential(nn.Sequential(nn.Linear(1, 1, rng=r)), nn.Linear(1, 1, rng=r))
    assert [n for n, _ in net.named_children()] == ["0", "1"]
    assert [n for n, _ in net.named_modules()] == ["", "0", "0.0", "1"]
    assert list(net.state_dict()) == ["0.0.weight", "0.0.bias", "1.weight", "1.bias"]
    assert len(net) == 2 and net[1] is list(net)[1]


def test_a_result_on_the_tape_is_not_state():
    net = nn.Linear(1, 1, rng=rng(0))
    net.last = net(gg.ones((1, 1)))
    assert list(net.state_dict()) == ["weight", "bias"]


def test_a_result_under_no_grad_is_not_state_either():
    net = nn.Linear(1, 1, rng=rng(0))
    with gg.no_grad():
        net.last = net(gg.ones((1, 1)))
        net.twice = net.last * 2
        net.rows = net.weight.argmax(axis=0)
    net.later = net.twice + 1
    net.index = net.weight.argmax(axis=0)  # an integer: off the tape in any case
    assert list(net.state_dict()) == ["weight", "bias"]
    net.constant = gg.ones((2,)) * 3  # made by the user: nothing of it was ever trained
    net.kept = net.last.detach()
    net.scale = net.twice
    net.scale.requires_grad = True
    assert list(net.state_dict()) == ["weight", "bias", "twice", "constant", "kept", "scale"]


def test_an_evaluation_between_saving_and_loading_changes_no_name():
    class Remembers(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2, rng=rng(0))

        def forward(self, x):
            self.h = self.layer(x)
            return self.h

    net = Remembers()
    state = net.state_dict()
    with gg.no_grad():
        net(gg.ones((3, 2)))
    assert net.load_state_dict(state) == ([], [])


class Pair(NamedTuple):
    first: object
    second: object


def test_with_parameters_finds_every_place():
    class Holder(nn.Module):
        def __init__(self):
            def made(value):
                return gg.tensor([value], requires_grad=True)

            a = made(1.0)
            self.plain, self.tied = a, (a, "text")
            self.nested = ((made(2.0), 5), [made(3.0), (made(4.0),)])
            self.named = Pair(made(5.0), {"x": made(6.0)})
            self.parts = (nn.Linear(1, 1, bias=False, rng=rng(0)), nn.ReLU())

    holder = Holder()
    n = len(holder.parameters())
    for factor in (1, 2):
        new = [gg.tensor([[10.0 * factor + i]]) for i in range(n)]
        assert holder.with_parameters(new) is holder
        assert holder.plain is holder.tied[0] is new[0] and holder.tied[1] == "text"
        assert holder.nested[0] == (new[1], 5) and holder.nested[1] == [new[2], (new[3],)]
        assert type(holder.named) is Pair and holder.named.first is new[4]
        assert holder.named.second["x"] is new[5] and holder.parts[0].weight is new[6]
    with pytest.raises(nn.StateError, match="expected 7 tensors, got 6"):
        holder.with_parameters(new[:6])


def test_with_parameters_says_where_it_can_put_nothing():
    class Hidden(nn.Module):
        def __init__(self):
            self._kept = {"w": gg.tensor([1.0], requires_grad=True)}.values()

        def members(self):
            return zip("w", self._kept)

    with pytest.raises(nn.StateError, match="no place was found for w"):
        Hidden().with_parameters([gg.tensor([2.0])])


def test_state_moves_to_an_equal_module_and_is_a_copy():
    one, two = Net(), Net()
    for p in one.parameters():
        p.assign(p.data + 1)
    state = one.state_dict()
    kept = {k: v.copy() for k, v in state.items()}
    assert two.load_state_dict(state) == ([], [])
    for name, t in two.named_tensors():
        assert np.array_equal(t.numpy(), kept[name]), name
    for p in one.parameters():
        p.assign(p.data * 0)
    for name, value in state.items():
        assert np.array_equal(value, kept[name]), name
    assert two.tied is two.encoder[2].weight


def test_a_tied_tensor_needs_one_name_only_and_one_value():
    net = Net()
    state = net.state_dict()
    del state["encoder.2.weight"]
    state["tied"] = state["tied"] + 1
    net.load_state_dict(state)
    assert np.array_equal(net.encoder[2].weight.numpy(), state["tied"])
    state["encoder.2.weight"] = state["tied"] + 1
    with pytest.raises(nn.StateError, match=r"tied: is tied to encoder\.2\.weight, but .* differ"):
        net.load_state_dict(state)


def _without(state):
    del state["norm.bias"]


def _misspelt(state):
    state["norm.wieght"] = state.pop("norm.weight")


def _wrong_shape(state):
    state["table.0"] = np.zeros((2, 1), "float32")


def _wrong_dtype(state):
    state["table.0"] = np.zeros((1, 1))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (_without, r"missing: norm\.bias \(shape \(2,\), float32\)"),
        (_misspelt, r"unexpected: norm\.wieght; did you mean 'norm\.weight'\?"),
        (_wrong_shape, r"table\.0: expected shape \(1, 1\), got \(2, 1\)"),
        (_wrong_dtype, r"table\.0: expected float32, got float64; convert"),
    ],
)
def test_a_bad_state_is_named_and_nothing_is_loaded(spoil, message):
    net = Net()
    before = net.state_dict()
    state = {k: v + 1 for k, v in before.items()}
    spoil(state)
    with pytest.raises(nn.StateError, match=message) as caught:
        net.load_state_dict(state)
    assert "nothing was loaded" in str(caught.value)
    for name, value in net.state_dict().items():
        assert np.array_equal(value, before[name]), name


def test_all_problems_are_told_at_once_and_not_strict_allows_names_only():
    net, state = Net(), Net().state_dict()
    _without(state)
    _misspelt(state)
    with pytest.raises(nn.StateError) as caught:
        net.load_state_dict(state)
    assert str(caught.value).count("\n") == 3
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert missing == ["norm.weight", "norm.bias"] and unexpected == ["norm.wieght"]
    _wrong_shape(state)
    with pytest.raises(nn.StateError, match="expected shape"):
        net.load_state_dict(state, strict=False)


def test_modes_reach_every_part():
    net = Net()
    assert net.eval() is net
    assert not any(m.training for _, m in net.named_modules())
    assert all(m.training for _, m in net.train().named_modules())


def test_astype_converts_in_place_and_keeps_ties_and_integers():
    net = Net()
    weight = net.encoder[2].weight
    before = net.state_dict()
    net.astype("float64")
    assert net.encoder[2].weight is weight is net.tied and weight.dtype == np.float64
    assert net.norm.num_batches_tracked.dtype == np.int64
    y = net(gg.tensor(np.ones((4, 3))))
    assert y.dtype == np.float64
    y.sum().backward()
    assert weight.grad.dtype == np.float64
    net.load_state_dict({k: v.astype(net.state_dict()[k].dtype) for k, v in before.items()})
    with pytest.raises(GlassgradError, match=r"Net\.astype: dtype has the wrong type"):
        net.astype("float16")


def test_a_call_recorded_before_a_change_refuses_to_be_differentiated():
    layer = nn.Linear(2, 2, rng=rng(0))
    y = layer(gg.ones((1, 2)))
    z = layer(y)
    layer.astype("float64")
    with pytest.raises(gg.GraphError, match="changed in place"):
        z.sum().backward()


def test_to_names_an_unknown_device():
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        Net().to("tpu")
    net = Net()
    assert net.to("cpu") is net


def test_the_tree_shows_sizes_and_counts():
    r = rng(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2, rng=r), nn.Sequential(nn.LSTM(8, 4, rng=r)))
    assert repr(net) == (
        "Sequential(816 parameters)\n"
        "  0: Conv2d(3 -> 8, 5x5, stride 2, 608 parameters)\n"
        "  1: Sequential(208 parameters)\n"
        "    0: LSTM(8 -> 4, biases 1, 208 parameters)"
    )


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        nn.Module()(1)
