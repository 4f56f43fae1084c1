"""Ranks that train together must be the same program on the same data: refused otherwise.

What differs between ranks would not show as an error. The sum of the gradients would be one of
different losses, and the weights would drift apart. So ranks compare before the first step what
they are about to do, and after every epoch what has come out of it.
"""

import functools
import hashlib
import platform
import zlib
from pathlib import Path

import numpy as np

from ..arrays import to_numpy
from ..distributed import Communicator, DistributedError
from ..machine import version

ROOMS = ("kernels", "core", "models")  # whose code decides what a step does


def shared_out(changes: dict | None, world: Communicator, known: int = 1) -> dict:
    """Changes of settings with a shard for each rank, where they, and `known`, ask for none.

    They are made before settings are checked: some have an effect with several shards only.

    >>> from ..distributed import OneProcess
    >>> shared_out({"lr": 0.1}, OneProcess())
    {'lr': 0.1}
    """
    shards = {"shards": world.size} if known == 1 < world.size else {}
    return {**shards, **(changes or {})}


@functools.cache
def code_digest() -> str:
    """A digest of the source files that a training may run."""
    found, root = hashlib.sha256(), Path(__file__).resolve().parents[2]
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.*")):
            if path.suffix in (".py", ".cu", ".cuh", ".h", ".cpp"):
                found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def data_digest(data) -> str:
    """A checksum of the arrays of a data set; of other examples their number.

    >>> from ..data import load
    >>> data_digest(load("iris")) == data_digest(load("iris")) != data_digest(load("wine"))
    True
    """
    found = 0
    for name, split in data.splits():
        for part in (split.x, split.y):
            found = zlib.crc32(f"{name} {0 if part is None else len(part)}".encode(), found)
            for a in part if isinstance(part, list) else (part,):
                if isinstance(a, np.ndarray) and a.dtype.kind in "fiub":
                    found = zlib.crc32(np.ascontiguousarray(a).reshape(-1).view(np.uint8), found)
    return f"{found:08x}"


def expect_same_start(training) -> None:
    """Raise DistributedError on every rank if one has other code, libraries, settings or data."""
    world = training.shards.world
    if world.size == 1:
        return
    settings = {f"setting {k}": str(v) for k, v in training.settings.as_dict().items()}
    world.expect_equal(
        {
            "code": code_digest(),
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            "Numba": str(version("numba")),
            "system": type(training.system).__name__,
            **settings,
            "data": f"{training.data.name}, checksum {data_digest(training.data)}",
        }
    )
    expect_equal_ranks(training)


def expect_equal_ranks(training, seconds: float = 0.0) -> float:
    """Raise DistributedError where ranks have other weights; returns the seconds of rank 0.

    They do the same arithmetic, so another bit means another processor, library or memory error.
    """
    world = training.shards.world
    if world.size == 1:
        return seconds
    found = 0
    for name, t in training.system.named_tensors():
        a = np.ascontiguousarray(to_numpy(t.data)).reshape(-1).view(np.uint8)
        found = zlib.crc32(a, zlib.crc32(name.encode(), found))
    streams = [list(g.state) for _, g in training.system.named_generators()]
    rows = world.gather([found, streams, seconds])
    for rank, row in enumerate(rows):
        if row[:2] != rows[0][:2]:
            raise DistributedError(
                f"rank {rank} has other weights than rank 0 after {training.epoch} epochs: do both"
                " have the same processor, libraries and data?"
            )
    return rows[0][2]
