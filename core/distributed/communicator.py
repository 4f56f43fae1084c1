"""`Communicator`: what ranks say to each other, in terms of five things that a library provides.

    send, receive   an array to, or from, another rank
    swap            an array to another rank, for one of its own
    gather          a small value of every rank, to every rank
    abort           end all ranks at once

and, to send while something else is computed, `begin_swap` and `begin_fast_sum`, which return what
is on its way (`Pending`). A library that has none of these does both at once.

Everything else is written here once: the sum over shards in the order of the tree, broadcasts, the
agreement of all ranks. So MPI, NCCL and the stand-ins of the tests do the same additions.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from ...kernels.errors import GlassgradError
from ..arrays import to_numpy, xp_of
from . import tree

DEFAULT_PATIENCE = 900.0  # seconds


class DistributedError(GlassgradError, RuntimeError):
    """Ranks cannot work together: they differ, one is gone, or the library is missing."""


class Pending:
    """An array on its way: `done()` asks whether it is here, `value()` is it then."""

    def __init__(self, done: Callable[[], bool], value: Callable):
        self.done, self.value = done, value


class Communicator:
    """Ranks 0 .. size - 1, each a process with the same program.

    `bytes_sent` counts what this rank has sent in arrays, for measurements.
    """

    rank: int = 0
    size: int = 1
    bytes_sent: int = 0

    # ------------------------------------------------------ what a library provides

    def send(self, array, to: int) -> None:
        """Send a contiguous array; returns when it may be changed again."""
        raise NotImplementedError(f"{type(self).__name__} sends nothing")

    def receive(self, like, sender: int):
        """A new array of the shape and dtype of `like`, from another rank."""
        raise NotImplementedError(f"{type(self).__name__} receives nothing")

    def swap(self, array, like, other: int):
        """Send an array to another rank while it sends one as large as `like`: that one."""
        raise NotImplementedError(f"{type(self).__name__} swaps nothing")

    def gather(self, value) -> list:
        """The values of all ranks in their order, on every rank: whatever JSON can write."""
        raise NotImplementedError(f"{type(self).__name__} gathers nothing")

    def abort(self, code: int) -> None:
        """End all ranks, at once, with this exit code."""
        raise NotImplementedError(f"{type(self).__name__} ends nothing")

    def fast_sum(self, array):
        """Σ over the ranks of their arrays, on every rank, in the library's own order."""
        return self.ordered_sum({tree.block(self.size, self.size, self.rank): array}, self.size)

    def begin_swap(self, array, like, other: int, tag: int = 0) -> Pending:
        """`swap`, whose end is not waited for; swaps of other tags may overtake it."""
        found = self.swap(array, like, other)
        return Pending(lambda: True, lambda: found)

    def begin_fast_sum(self, array) -> Pending:
        """`fast_sum`, whose end is not waited for. All ranks begin their sums in the same order."""
        found = self.fast_sum(array)
        return Pending(lambda: True, lambda: found)

    def sends_early(self, fast: bool) -> bool:
        """True if sums can go on while something else is computed, in any order on each rank."""
        return False

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Return when done() is true; DistributedError if that takes too long."""
        Patience(DEFAULT_PATIENCE, f"rank {self.rank}").until(done, what)

    # ------------------------------------------------------------- built upon these

    @property
    def is_first(self) -> bool:
        """True on rank 0, which alone writes files and talks to the user."""
        return self.rank == 0

    def shards_of(self, shards: int) -> range:
        """The shards of this rank, out of so many."""
        return range(*tree.block(shards, self.size, self.rank))

    def barrier(self) -> None:
        """Wait until all ranks are here."""
        self.gather(None)

    def finish(self) -> None:
        """Wait until all ranks are done, however long rank 0 draws its pictures."""
        self.barrier()

    def ordered_sum(self, own: dict[tree.Node, np.ndarray], shards: int):
        """Σ_k x_k over all shards in the order of the tree, on every rank: an array [n].

        own  the sums of this rank's nodes (`tree.inside` names them); they may be overwritten

        The result has the same bits for any number of ranks. Where the blocks are nodes of the
        tree and the ranks a power of two, P ranks exchange halves: 2 log₂P messages and
        2 (P-1)/P of the array are sent by each. Otherwise a rank sends its sums up the tree, and
        the result comes back down: the same order of messages, but whole arrays.
        """
        if self.size > 1 and tree.is_even(shards, self.size):
            return self._by_halves(own[tree.block(shards, self.size, self.rank)])
        for left, right, to, sender in tree.merges(shards, self.size):
            if self.rank == to:
                other = own.pop(right) if sender == to else self.receive(own[left], sender)
                own[left] += other
                own[left[0], right[1]] = own.pop(left)
            elif self.rank == sender:
                self.send(own[right], to)
        if self.size == 1:
            return own[0, shards]
        like = own[0, shards] if self.rank == 0 else next(iter(own.values()))
        return self.broadcast(like)

    def _by_halves(self, x):
        """The sum of all ranks' arrays [n], when it is done."""
        for pending in self.halves(x):
            self.until(pending.done, "an array of another rank")
        return x

    def halves(self, x, tag: int = 0) -> Iterator[Pending]:
        """Make of x [n] the sum of all ranks' x, ranks at distance 1 first, as the tree adds them.

        Yields what has to be here before it goes on. At each distance a pair of ranks shares out
        the part that both still sum: each keeps one half and sends the other. On the way back they
        give each other what they have summed. (Rabenseifner 2004, with the distances in the order
        that the tree needs.)
        """
        first, last, steps, distance = 0, len(x), [], 1
        while distance < self.size:
            other, half = self.rank ^ distance, first + (last - first) // 2
            low = self.rank < other
            keep, give = ((first, half), (half, last)) if low else ((half, last), (first, half))
            pending = self.begin_swap(x[slice(*give)], x[slice(*keep)], other, tag)
            yield pending
            x[slice(*keep)] += pending.value()
            steps.append((other, keep, give))
            (first, last), distance = keep, 2 * distance
        for other, keep, give in reversed(steps):
            pending = self.begin_swap(x[slice(*keep)], x[slice(*give)], other, tag)
            yield pending
            x[slice(*give)] = pending.value()

    def broadcast(self, array, root: int = 0):
        """The array of `root` on every rank; on the others `array` says its shape and dtype.

        In ⌈log₂P⌉ rounds: in each, every rank that has it sends it to one that has not.
        """
        me, distance = (self.rank - root) % self.size, 1
        while distance < self.size:
            if me < distance:
                if me + distance < self.size:
                    self.send(array, (self.rank + distance) % self.size)
            elif me < 2 * distance:
                array = self.receive(array, (self.rank - distance) % self.size)
            distance *= 2
        return array

    def collect(self, array, sizes: list[int]) -> list:
        """The arrays [n] of all ranks on every rank; sizes: the n of each."""
        likes = [xp_of(array).empty(n, array.dtype) for n in sizes]
        likes[self.rank] = array
        return [self.broadcast(like, rank) for rank, like in enumerate(likes)]

    def share(self, arrays: dict | None, value=None) -> tuple[dict, object]:
        """(arrays by name, a value that JSON can write) of rank 0, on every rank."""
        if self.size == 1:
            return arrays, value
        about = None
        if self.is_first:
            plain = {k: np.asarray(to_numpy(a), order="C") for k, a in arrays.items()}
            about = [[k, a.dtype.str, list(a.shape)] for k, a in plain.items()], value
        names, value = self.gather(about)[0]
        found = {}
        for name, dtype, shape in names:
            a = plain[name] if self.is_first else np.empty(shape, dtype)
            a = self.broadcast(np.ascontiguousarray(a).reshape(-1))
            found[name] = np.asarray(a).reshape(shape)
        return found, value

    def expect_equal(self, what: dict[str, str]) -> None:
        """Raise DistributedError on every rank if one differs from rank 0 in one of these texts."""
        all_of = self.gather(what)
        for rank, other in enumerate(all_of):
            for name in dict.fromkeys([*all_of[0], *other]):
                a, b = all_of[0].get(name, "nothing"), other.get(name, "nothing")
                if a != b:
                    raise DistributedError(
                        f"rank {rank} differs from rank 0 in {name}: {b} there, {a} on rank 0"
                    )


class OneProcess(Communicator):
    """The communicator of a process alone."""

    def gather(self, value) -> list:
        """[value], as JSON returns it."""
        return [json.loads(json.dumps(value))]

    def abort(self, code: int) -> None:
        """End this process."""
        sys.exit(code)

    def fast_sum(self, array):
        """The array itself."""
        return array


def add_up(shards: int, own: range, leaf: Callable[[int], list]) -> dict[tree.Node, list]:
    """The sums of this rank's nodes of the tree; leaf(k) is a list of arrays, or None, of shard k.

    Lists are added array by array, in place; None, and an empty list, are left out of a sum. Shards
    are asked for in their order, and at most about log₂ of their number are kept at a time.

    >>> found = add_up(3, range(3), lambda k: [np.array([10.0**k]), None])
    >>> found[0, 3][0].tolist()
    [111.0]
    """

    def value(first: int, last: int) -> list:
        if last - first == 1:
            return leaf(first)
        half = tree.middle(first, last)
        left, right = value(first, half), value(half, last)
        if not left or not right:
            return left or right
        return [added(a, b) for a, b in zip(left, right, strict=True)]

    return {node: value(*node) for node in tree.inside(shards, (own.start, own.stop))}


def added(a, b):
    """a + b in the place of a; one of them may be None, which is left out."""
    if a is None or b is None:
        return b if a is None else a
    a += b
    return a


def times(a, by: float):
    """A new array a · by in the dtype of a: gradients may share their memory with others."""
    xp = xp_of(a)
    return xp.multiply(a, a.dtype.type(by), out=xp.empty_like(a))


def flat(arrays: list, shapes: list[tuple], dtype, xp=np) -> np.ndarray:
    """The arrays one after another, [n]; None is -0.0 of its shape, which changes no sum.

    Adding +0.0 would make +0.0 of -0.0, which a sum that leaves None out does not.
    """
    found = xp.full(sum(int(np.prod(s)) for s in shapes), -0.0, dtype)
    at = 0
    for a, shape in zip(arrays, shapes, strict=True):
        n = int(np.prod(shape))
        if a is not None:
            found[at : at + n] = a.reshape(-1)
        at += n
    return found


def apart(x, shapes: list[tuple]) -> list:
    """What `flat` put together, as views of x [n].

    >>> [a.tolist() for a in apart(np.arange(5), [(2,), (3, 1)])]
    [[0, 1], [[2], [3], [4]]]
    """
    found, at = [], 0
    for shape in shapes:
        n = int(np.prod(shape))
        found.append(x[at : at + n].reshape(shape))
        at += n
    return found


class Patience:
    """Waits for others: first busily, for they are soon there, then in small sleeps.

    Raises DistributedError after `seconds`.
    """

    BUSY = 2e-3  # seconds without sleeping, but for letting other processes run
    NAP = 1e-4

    def __init__(self, seconds: float, who: str):
        self.seconds, self.who = seconds, who

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Return when done() is true."""
        if done():
            return
        start = time.monotonic()
        while not done():
            waited = time.monotonic() - start
            if waited > self.seconds:
                raise DistributedError(
                    f"{self.who} has waited {self.seconds:g} s for {what}: another rank hangs, or"
                    " the network is cut (GLASSGRAD_PATIENCE sets the seconds)"
                )
            time.sleep(0 if waited < self.BUSY else self.NAP)
