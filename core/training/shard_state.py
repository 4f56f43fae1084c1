"""`ShardState`: streams of random numbers and buffers, which each shard finds as they were.

shards.py says what happens to each kind of them.
"""

import math

from ..arrays import xp_of
from ..distributed import Communicator
from ..distributed.communicator import apart, flat
from ..distributed.tree import block
from ..random import Generator
from ..tensor import Tensor
from .settings import SettingError


class ShardState:
    """What a shard must not see of another: streams and buffers of a system."""

    def __init__(self, system, parts: int):
        self.parts = parts
        self.generators = [g for _, g in system.named_generators()]
        self.starts = [g.state for g in self.generators]
        modules = [module for _, module in system.named_modules()]
        self.averaged = [t for m in modules for name in m.averaged for t in _listed(m, name)]
        self.before = [t.data.copy() for t in self.averaged]
        self.rows = [(t, axis) for m in modules for name, axis in m.by_rows.items()
                     for t in _listed(m, name)]  # fmt: skip
        self.full = [t.data for t, _ in self.rows]
        for (_, axis), data in zip(self.rows, self.full):
            if data.shape[axis] and data.shape[axis] < parts:
                raise SettingError(
                    f"{type(system).__name__}: {data.shape[axis]} chains or rows cannot be shared"
                    f" out among {parts} shards"
                )
        self.kept: dict[int, list] = {}  # the rows of own shards, afterwards

    @property
    def averages(self) -> int:
        """The number of averaged buffers."""
        return len(self.averaged)

    def enter(self, k: int) -> None:
        """Give the system the streams and buffers of shard k."""
        for g, (seed, offset) in zip(self.generators, self.starts):
            g.state = Generator(seed).child("shard", k).seed, offset
        for t, data in zip(self.averaged, self.before):
            _set(t, data.copy())
        for (t, axis), data in zip(self.rows, self.full):
            _set(t, _slice(data, axis, *block(data.shape[axis], self.parts, k)).copy())

    def restore(self) -> None:
        """Give the system back what it had before the first shard."""
        for g, start in zip(self.generators, self.starts):
            g.state = start
        for t, data in zip(self.averaged, self.before):
            _set(t, data)
        for (t, _), data in zip(self.rows, self.full):
            _set(t, data)

    def leave(self, k: int) -> list:
        """Keep the rows of shard k; returns its averaged buffers, integers as floats."""
        self.kept[k] = [t.data for t, _ in self.rows]
        return [t.data if t.dtype.kind == "f" else t.data.astype("float64") for t in self.averaged]

    def offsets(self) -> list[int]:
        """Where the streams stand."""
        return [g.state[1] for g in self.generators]

    def finish(self, averages: list, reports: dict, world: Communicator, count: int) -> None:
        """Give the system the streams and buffers that all shards together leave."""
        offsets = [reports[k]["offsets"] for k in sorted(reports)]
        for i, (g, (seed, _)) in enumerate(zip(self.generators, self.starts)):
            g.state = seed, max(row[i] for row in offsets)
        for t, old, new in zip(self.averaged, self.before, averages, strict=True):
            new = new if old.dtype.kind == "f" else new.round()
            _set(t, xp_of(old).asarray(new, old.dtype))
        self._collect_rows(world, count)

    def _collect_rows(self, world: Communicator, count: int) -> None:
        """Give the buffers with rows those that the shards have left: a message for each dtype."""
        whose = [[k for k in range(*block(count, world.size, rank)) if k < self.parts]
                 for rank in range(world.size)]  # fmt: skip

        def rows(i: int, shards: list[int]):  # as they were
            (_, axis), data = self.rows[i], self.full[i]
            bounds = [block(data.shape[axis], self.parts, k) for k in shards] or [(0, 0)]
            return _slice(data, axis, bounds[0][0], bounds[-1][1])

        for dtype in dict.fromkeys(data.dtype for data in self.full):
            places = [i for i, data in enumerate(self.full) if data.dtype == dtype]
            shapes = [[rows(i, shards).shape for i in places] for shards in whose]
            mine, xp = whose[world.rank], xp_of(self.full[places[0]])
            own = [xp.concatenate([self.kept[k][i] for k in mine], axis=self.rows[i][1])
                   for i in places if mine] or [None] * len(places)  # fmt: skip
            sizes = [sum(map(math.prod, row)) for row in shapes]
            found = world.collect(flat(own, shapes[world.rank], dtype, xp), sizes)
            pieces = [apart(x, row) for x, row in zip(found, shapes)]
            for n, i in enumerate(places):
                t, axis = self.rows[i]
                _set(t, xp.concatenate([row[n] for row in pieces], axis=axis))


def _listed(module, name: str) -> list[Tensor]:
    value = getattr(module, name)
    return [value] if isinstance(value, Tensor) else list(value)


def _set(t: Tensor, data) -> None:
    t.data = data
    t.version += 1


def _slice(data, axis: int, first: int, last: int):
    return data[(slice(None),) * axis + (slice(first, last),)]
