"""Ranks that train together must be the same program on the same data: refused otherwise.

What differs between ranks would not show as an error. The sum of the gradients would be one of
different losses, and the weights would drift apart. So ranks compare before the first step what
they are about to do, and after every epoch what has come out of it.
"""

import dataclasses
import functools
import hashlib
import platform
import zlib
from pathlib import Path

import numpy as np

from ..arrays import is_array, to_numpy
from ..data.dataset import Info
from ..data.mapped import Mapped
from ..distributed import Communicator, DistributedError
from ..machine import version
from .settings import SettingError

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


def expect_shards(shards: int, world: Communicator, begun: bool = True) -> None:
    """Raise SettingError for more ranks than shards: of a run that has `begun`, or of a new one."""
    if shards >= world.size:
        return
    if begun:
        s = "s" * (shards > 1)
        raise SettingError(f"this run has {shards} shard{s}: at most {shards} rank{s}")
    raise SettingError(f"{world.size} ranks need at least as many shards; got shards={shards}")


@functools.cache
def code_digest() -> str:
    """A digest of the source files that a training may run."""
    found, root = hashlib.sha256(), Path(__file__).resolve().parents[2]
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.*")):
            if path.suffix in (".py", ".cu", ".cuh", ".h", ".cpp"):
                found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def own_files(system) -> list[Path]:
    """The source files of a system, its layers and its loss that are not of this package."""
    root, found = Path(__file__).resolve().parents[2], set()
    for _, module in system.named_modules():
        makers = [f for kind in type(module).__mro__ for f in vars(kind).values()]
        for f in (*makers, *vars(module).values()):
            code = getattr(getattr(f, "fget", f), "__code__", None)
            path = Path(getattr(code, "co_filename", ""))
            own = not any(path.resolve().is_relative_to(root / room) for room in ROOMS)
            if own and path.is_file():
                found.add(path.resolve())
    return sorted(found)


def system_digest(system) -> str:
    """A digest of the files that `own_files` finds; "none" where there are none."""
    files = own_files(system)
    if not files:
        return "none"
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def data_digest(data) -> str:
    """A checksum of the examples of a data set: arrays, texts, graphs.

    Of what stays in a file it is the shape alone.

    >>> from ..data import load
    >>> data_digest(load("iris")) == data_digest(load("iris")) != data_digest(load("wine"))
    True
    """
    found = hashlib.blake2b(digest_size=8)
    for name, split in data.splits():
        _hash([name, split.x, split.y], found)
    _hash(data.info.extra, found)
    return found.hexdigest()


def _hash(value, found) -> None:
    """Add a value and all that is in it; the kinds and lengths keep different ones apart."""
    if is_array(value):
        a = np.ascontiguousarray(to_numpy(value))
        found.update(f"array {a.dtype.str} {a.shape};".encode())
        if a.dtype.hasobject:
            _hash(a.tolist(), found)
        elif a.size:
            found.update(a.reshape(-1).view(np.uint8))
    elif isinstance(value, str | bytes):
        text = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        found.update(f"text {len(text)};".encode() + text)
    elif isinstance(value, list | tuple):
        found.update(f"list {len(value)};".encode())
        for part in value:
            _hash(part, found)
    elif isinstance(value, dict):
        _hash([list(value), list(value.values())], found)
    elif isinstance(value, Mapped):
        found.update(f"mapped {value.shape} {value.raw.dtype.str};".encode())
    elif dataclasses.is_dataclass(value) and not isinstance(value, Info):
        found.update(f"{type(value).__name__};".encode())
        for field in dataclasses.fields(value):
            _hash(getattr(value, field.name), found)
    elif value is None or isinstance(value, bool | int | float | np.generic):
        found.update(f"{value!r};".encode())
    else:
        found.update(f"{type(value).__name__};".encode())


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
            "file of the system": system_digest(training.system),
            **settings,
            "data": f"{training.data.name}, checksum {data_digest(training.data)}",
        }
    )
    expect_equal_ranks(training, training.epoch)


def expect_equal_ranks(training, epochs: int, seconds: float = 0.0) -> float:
    """Raise DistributedError where ranks have other weights; returns the seconds of rank 0.

    epochs: how many are done.
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
                f"rank {rank} has other weights than rank 0 after {epochs} epochs: do both"
                " have the same processor, libraries and data?"
            )
    return rows[0][2]
