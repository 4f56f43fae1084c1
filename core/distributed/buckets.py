"""`Buckets`: gradients are sent while the backward pass still computes others.

The walk back from a loss ends with the first layer, so gradients are complete from the last one to
the first. They are collected in *buckets* of some megabytes, and the sum of a bucket over the ranks
begins as soon as it is full ::

    backward pass    layer 5   layer 4   layer 3   layer 2   layer 1
    sent                       bucket 0 (5, 4)     bucket 1 (3, 2)     bucket 2 (1)

Which gradient lies in which bucket is a matter of the parameters alone, in reverse order, never of
the graph of a rank: all ranks have the same buckets and begin them in the same order, though
gradients may be complete in another one. They are those that had a gradient in the step before, as
all ranks know; others are sent afterwards. A parameter that has none this time has -0.0, which
changes no sum.

The sums are those of whole arrays, bit for bit: a number is added to the same numbers in the same
order, whichever array it lies in. (`reduce="fast"` leaves that to the library, which may choose
another order for an array of another size.)

MPI does its work when it is asked, so every gradient that comes asks. On one machine, where all
cores compute, there is little to gain: sending takes a core as computing does.
"""

from collections.abc import Iterator

import numpy as np

from .communicator import Communicator, Pending, added, times

LIMIT = 4 << 20  # bytes of a bucket; a larger gradient has one of its own


def layout(sizes: list[tuple[int, str]], limit: int = LIMIT) -> list[list[int]]:
    """The places of the arrays of each bucket, from the last array to the first.

    sizes: (bytes, dtype) of each array; a bucket has arrays of one dtype.

    >>> layout([(30, "<f4"), (60, "<f4"), (50, "<f4"), (50, "<f4")], limit=100)
    [[3, 2], [1, 0]]
    """
    found, room, kind = [], 0, None
    for i in reversed(range(len(sizes))):
        size, dtype = sizes[i]
        if not found or size > room or dtype != kind:
            found.append([])
            room, kind = limit, dtype
        found[-1].append(i)
        room -= size
    return found


class Buckets:
    """The sums over all ranks of the gradients of `tensors`, for one step.

    tensors parameters; their gradients have their shapes and dtypes
    fast    the library's sums, in place of those in the order of the tree, for which the shards of
            every rank have to be one node (`tree.is_even`)
    before  for each node of this rank that is complete, from left to right, its sums (an array or
            None for each tensor; an empty list for absent shards)
    share   the weight of the last shard, whose gradients `put` takes
    """

    def __init__(self, world: Communicator, tensors: list, fast: bool, before: list, share: float):
        self.world, self.fast, self.before, self.share = world, fast, before, share
        self.tensors = tensors
        self.index = {id(t): i for i, t in enumerate(tensors)}
        self.buckets = layout([(t.data.nbytes, t.dtype.str) for t in tensors], LIMIT)
        self.arrays = [self._empty(places) for places in self.buckets]
        self.at = {}  # place -> (bucket, its part of the array)
        for b, places in enumerate(self.buckets):
            ends = np.cumsum([tensors[i].size for i in places]).tolist()
            parts = map(slice, [0, *ends], ends)
            self.at.update((i, (b, part)) for i, part in zip(places, parts))
        self.missing = [len(places) for places in self.buckets]
        self.there = [False] * len(tensors)
        self.begun = 0  # buckets whose sums have begun
        self.running: list[_Sum] = []

    def _empty(self, places: list[int]):
        like = self.tensors[places[0]]
        return like.xp.full(sum(self.tensors[i].size for i in places), -0.0, like.dtype)

    def hear(self, leaf, gradient) -> None:
        """A gradient of the last shard is complete (`final` of core/tape.py)."""
        place = self.index.get(id(leaf))
        if place is not None:
            self.put(place, gradient.data)

    def put(self, place: int, gradient) -> None:
        """Add the last shard's gradient, or None, to those before; begin what is complete."""
        if self.there[place]:
            return
        self.there[place] = True
        total = None if gradient is None else times(gradient, self.share)
        for sums in reversed(self.before):
            if sums:
                total = added(sums[place], total)
        b, part = self.at[place]
        if total is not None:
            self.arrays[b][part] = total.reshape(-1)
        self.missing[b] -= 1
        while self.begun < len(self.buckets) and not self.missing[self.begun]:
            self.running.append(_Sum(self.world, self.arrays[self.begun], self.fast, self.begun))
            self.begun += 1
        self.go_on()

    def go_on(self) -> bool:
        """Let every sum that has begun do what it can; True if all of them are done."""
        done = [s.go_on() for s in self.running]
        return all(done)

    def finish(self) -> list:
        """The sums of all tensors, in their order and shapes; those not put have no gradient."""
        for place in range(len(self.tensors)):
            self.put(place, None)
        self.world.until(self.go_on, "the gradients of another rank")
        found = [self.running[b].value[part] for b, part in map(self.at.get, range(len(self.at)))]
        return [a.reshape(t.shape) for a, t in zip(found, self.tensors)]


class _Sum:
    """The sum over all ranks of one array, which goes on when it is asked to."""

    def __init__(self, world: Communicator, x, fast: bool, number: int):
        self.value = x
        self.steps = self._fast(world) if fast else world.halves(x, tag=1 + number)
        self.waits_for: Pending | None = next(self.steps, None)

    def _fast(self, world: Communicator) -> Iterator[Pending]:
        pending = world.begin_fast_sum(self.value)
        yield pending
        self.value = pending.value()

    def go_on(self) -> bool:
        """True if the sum is done."""
        while self.waits_for is not None and self.waits_for.done():
            self.waits_for = next(self.steps, None)
        return self.waits_for is None
