"""Gradients that are sent during the backward pass: when, and that no bit of them changes."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import Generator, nn
from glassgrad.core.data import load
from glassgrad.core.distributed import OneProcess, buckets, using
from glassgrad.core.training.loop import fit
from glassgrad.core.training.state import DivergedError
from glassgrad.core.training.system import System
from tests.core.distributed.threads import Thread, on_ranks
from tests.models.small_systems import SYSTEMS


class Net(System):
    """Three layers, one that is never used, and two of which the data choose one."""

    def __init__(self):
        super().__init__()
        layer = lambda n, m, seed: nn.Linear(n, m, rng=Generator(seed))  # noqa: E731
        self.first, self.unused, self.middle = layer(64, 30, 0), layer(9, 9, 1), layer(30, 20, 2)
        self.even, self.odd, self.last = layer(20, 20, 3), layer(20, 20, 4), layer(20, 10, 5)
        self.heard = []

    def objective(self, batch):
        x = gg.Tensor(batch.x.reshape(len(batch.x), -1))
        h = self.middle(gg.tanh(self.first(x)))
        both = self.even(h) + self.odd(h) if batch.y[0] % 3 else self.odd(h) + self.even(h)
        h = self.even(h) if batch.y[0] % 2 else both
        return gg.cross_entropy(self.last(gg.tanh(h)), batch.y)


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
    monkeypatch.setattr(buckets, "LIMIT", 500)


def trained(world, shards, early=True, make=Net, **changes):
    """The system after an epoch on this rank."""
    world.sends_early = lambda fast: early
    with using(world):
        system = make()
        fit(system, load("digits"), epochs=1, batch=300, lr=1e-2, shards=shards, **changes)
    return system


def bits(system):
    return {n: p.data.tobytes() for n, p in system.named_parameters()}


@pytest.mark.parametrize(("ranks", "shards"), [(2, 2), (2, 4), (2, 8), (4, 4), (4, 8)])
def test_the_weights_are_those_of_one_process(ranks, shards):
    """Also with several shards a rank, whose gradients add up before they are sent."""
    alone = bits(trained(OneProcess(), shards))
    for early in (True, False):
        assert on_ranks(ranks, lambda w, e=early: bits(trained(w, shards, e))) == [alone] * ranks


@pytest.mark.parametrize(("ranks", "shards"), [(2, 2), (2, 5), (3, 4)])
def test_fast_sums_have_the_same_weights_early_and_late(ranks, shards):
    """Where ranks add up in the library's order, but for rounding: blocks are no nodes of trees."""
    early, late = (
        on_ranks(ranks, lambda w, e=e: trained(w, shards, e, reduce="fast").state_dict())
        for e in (True, False)
    )
    for found in early:
        for name, a in late[0].items():
            np.testing.assert_allclose(found[name], a, rtol=1e-4, atol=1e-6)
            assert found[name].tobytes() == early[0][name].tobytes()


def test_a_layer_without_gradient_has_none_on_any_rank_and_is_not_sent():
    def work(world, early=True):
        system = trained(world, 4, early)
        return [n for n, p in system.named_parameters() if p.grad is None], world.bytes_sent

    found = on_ranks(2, work)
    assert [names for names, _ in found] == [["unused.weight", "unused.bias"]] * 2
    assert found == on_ranks(2, lambda world: work(world, early=False))


def test_a_layer_may_get_its_first_gradient_late_and_its_last_early():
    """A net in stages: in every other batch its first layer learns, in the others its last."""

    class Staged(Net):
        steps = 0

        def objective(self, batch):
            loss, self.steps = super().objective(batch), self.steps + 1
            stage = (self.steps - 1) // self.parts % 2
            return loss if stage else (self.last.weight**2).sum() + (self.unused.bias**2).sum()

    for ranks, shards in ((2, 4), (4, 4)):

        def make(parts):
            system = Staged()
            system.parts = parts
            return system

        alone = bits(trained(OneProcess(), shards, make=lambda s=shards: make(s)))
        each = shards // ranks
        found = on_ranks(
            ranks, lambda w, s=shards, e=each: bits(trained(w, s, make=lambda: make(e)))
        )
        assert found == [alone] * ranks


class Recording(System):
    """A net that notes when its walk back is at the first layer."""

    def __init__(self, notes):
        super().__init__()
        self.notes = notes
        self.layers = [nn.Linear(64, 64, rng=Generator(k)) for k in range(6)]
        for k, layer in enumerate(self.layers):
            setattr(self, f"layer{k}", layer)

    def objective(self, batch):
        x = gg.tensor(batch.x.reshape(len(batch.x), -1), requires_grad=True)
        h = x
        for layer in self.layers:
            h = gg.tanh(layer(h))
        return gg.cross_entropy(h, batch.y)


@pytest.mark.parametrize("reduce", ["ordered", "fast"])
def test_sums_begin_while_the_walk_goes_back(reduce, monkeypatch):
    """In the order of the buckets on every rank, and the first long before the last gradient."""
    notes = {0: [], 1: []}
    put = buckets.Buckets.put

    def noted(self, place, gradient):
        notes[self.world.rank].append(("gradient", place))
        put(self, place, gradient)

    class Noting(Thread):
        def begin_swap(self, array, like, other, tag=0):
            if tag:
                notes[self.rank].append(("begins", tag))
            return super().begin_swap(array, like, other, tag)

        def begin_fast_sum(self, array):
            notes[self.rank].append(("begins", 0))
            return super().begin_fast_sum(array)

    monkeypatch.setattr(buckets.Buckets, "put", noted)

    def work(world):
        world.__class__ = Noting
        trained(world, 2, make=lambda: Recording(notes[world.rank]), reduce=reduce)

    on_ranks(2, work)
    for rank in (0, 1):
        one = notes[rank][: notes[rank].index(("gradient", 0))]  # place 0 is the first layer
        assert one[0] == ("gradient", 11) or one[0] == ("gradient", 10)
        assert sum(what == "begins" for what, _ in one) >= 8
        assert one.index(("gradient", 2)) > next(
            i for i, (what, _) in enumerate(one) if what == "begins"
        )


@pytest.mark.parametrize("name", ["gan", "wgan"])
def test_each_phase_of_an_alternating_step_sends_its_own_gradients(name, monkeypatch):
    make, sent = SYSTEMS[name][0], []
    begun = buckets.Buckets.__init__

    def noted(self, world, tensors, *more):
        if world.rank == 0:
            sent.append(len(tensors))
        begun(self, world, tensors, *more)

    monkeypatch.setattr(buckets.Buckets, "__init__", noted)

    def after(world, early=True):
        world.sends_early = lambda fast: early
        with using(world):
            system, data, settings = make({})
            data = replace(data, train=data.train[:100], valid=None)
            fit(system, data, settings.changed(shards=4, epochs=1))
        return bits(system), world.bytes_sent

    alone, _ = after(OneProcess())
    late = on_ranks(2, lambda world: after(world, early=False))
    assert not sent
    assert on_ranks(2, after) == late and [found for found, _ in late] == [alone] * 2
    assert len(sent) >= 4 and max(sent) < len(alone), "those of a phase, never of all"


def test_a_shard_that_diverges_is_heard_of_on_every_rank():
    def work(world):
        class Diverging(Net):
            def objective(self, batch):
                bad = np.nan if world.rank == 1 else 1.0
                return super().objective(batch) * bad

        with pytest.raises(DivergedError, match="loss is nan"):
            trained(world, 4, make=Diverging)
        return True

    assert on_ranks(2, work) == [True, True]


def test_a_step_that_changes_its_gradients_sends_them_afterwards():
    class Doubling(Net):
        def differentiate(self, batch, training):
            found = super().differentiate(batch, training)
            for p in self.parameters():
                p.grad = None if p.grad is None else p.grad * 2
            return found

    alone = bits(trained(OneProcess(), 2, make=Doubling, optimiser="sgd"))
    assert alone != bits(trained(OneProcess(), 2, optimiser="sgd"))
    found = on_ranks(2, lambda w: bits(trained(w, 2, make=Doubling, optimiser="sgd")))
    assert found == [alone] * 2
