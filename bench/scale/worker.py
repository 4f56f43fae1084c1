"""One rank of the measurement: ``python -m glassgrad.bench.scale.worker FILE STEPS THREADS``.

Started alone it measures steps of one process, by mpiexec those of all ranks, and messages. Rank 0
writes the results to FILE.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from ...core import Generator
from ...core.data import DataSet, Info, Split
from ...core.distributed import ranks
from ...core.training.state import TrainingState
from ...models import recipe

SIZES = (0, 1 << 10, 1 << 13, 1 << 16, 1 << 18, 1 << 20, 1 << 22)  # bytes of a message
SYSTEMS = {
    "lenet": ({}, (1, 28, 28)),
    "som": ({"form": "batch", "rows": 20, "columns": 20}, (784,)),
}
EACH = {"lenet": 64, "som": 4096}  # samples of a shard


def data_of(samples: int, shape: tuple[int, ...]) -> DataSet:
    """Samples of noise with ten classes: only their number counts here."""
    rng = np.random.default_rng(0)
    x = rng.random((samples, *shape), np.float32)
    y = np.arange(samples) % 10
    image = shape if len(shape) == 3 else None
    kind = "images" if image else "table"
    info = Info(classes=tuple("0123456789"), image_shape=image, kind=kind)
    return DataSet("noise", Split(x, y), info=info)


def system_of(name: str, shards: int):
    """(system, its state of training) with one minibatch of `shards` shards in an epoch."""
    changes, shape = SYSTEMS[name]
    size, r = EACH[name] * shards, recipe(name)
    settings = r.settings(**changes, shards=shards, epochs=1)
    data = data_of(size, shape)
    system = r.build(data, settings, Generator(0))
    return system, TrainingState(system, data, settings)


def seconds(work, repeat: int) -> float:
    """The median time of a call, after two that do not count."""
    found = []
    for _ in range(repeat + 2):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found[2:])


def step_of(name: str, shards: int, repeat: int) -> dict:
    """Times of a step and of a minibatch, and what a rank sends in a step."""
    system, training = system_of(name, shards)
    world = training.shards.world

    def minibatch():
        return next(iter(system.batches(training.data, len(training.data.train), 0, 0, 0)))

    batch = system.on_device(minibatch())
    made = seconds(minibatch, repeat)
    before = world.bytes_sent
    took = seconds(lambda: system.train_step(batch, training), repeat)
    sent = (world.bytes_sent - before) // (repeat + 2)
    found = {"step": took, "minibatch": made, "sent": sent, "shards": shards}
    if world.size > 1:
        found["reduction"] = seconds(lambda: reduction(system, training, batch), repeat)
    return found


def reduction(system, training, batch) -> None:
    """All of a step but what a shard computes and the update: its arrays are there already."""
    w = [p.data for p in system.parameters()] or [system.w.data, system.w.data[:, 0].copy()]
    training.shards.mean(batch, lambda part: w)


def hearing(repeat: int) -> float:
    """Seconds that a rank takes to read the report of another."""
    report = {"figures": {"loss": 0.123456789, "accuracy": 0.5}, "offsets": [10**6]}
    text = json.dumps([False, [2**31], [[1, report]]]).encode()
    return seconds(lambda: json.loads(np.frombuffer(text, np.uint8).tobytes()), 20 * repeat)


def messages(world, repeat: int) -> list[list[float]]:
    """[bytes, seconds] of swaps between two ranks."""
    found = []
    for n in SIZES:
        x = np.zeros(max(1, n // 4), np.float32)
        world.barrier()
        found.append([x.nbytes, seconds(lambda x=x: world.swap(x, x, 1 - world.rank), repeat)])
    return found


def main(file: str, repeat: int, threads: int) -> None:
    """Measure, and write what was found."""
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    with ranks() as world:
        found = {"ranks": world.size, "threads": threads, "systems": {}}
        if world.size == 2:
            found["messages"] = messages(world, 5 * repeat)
            found["hearing"] = hearing(repeat)
        for name in SYSTEMS:
            # one process: a shard, and two of them; two ranks: a shard each
            counts = (1, 2) if world.size == 1 else (world.size,)
            found["systems"][name] = [step_of(name, n, repeat) for n in counts]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found["megabytes"] = [row / 1024 for row in world.gather(peak)]
        if world.is_first:
            Path(file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
