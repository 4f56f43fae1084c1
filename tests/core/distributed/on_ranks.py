"""What tests run on ranks of MPI: ``mpiexec -n N python on_ranks.py WHAT``."""

import contextlib
import os
import signal
import sys
import zlib

import numpy as np

import glassgrad as gg
from glassgrad.core.distributed import tree
from glassgrad.core.distributed.communicator import add_up
from tests.core.distributed.test_tree import by_hand
from tests.core.distributed.threads import shard


def checked(world) -> None:
    """Every function of the communicator against what it must give."""
    for shards in (world.size, world.size + 1, 7):
        own = add_up(shards, world.shards_of(shards), lambda k: [shard(k)])
        found = world.ordered_sum({node: a for node, (a,) in own.items()}, shards)
        assert np.array_equal(found, by_hand(0, shards))
    own = {tree.block(world.size, world.size, world.rank): shard(world.rank, 1_000_000)}
    long = world.ordered_sum(own, world.size)  # larger than any buffer
    assert np.array_equal(long, by_hand(0, world.size, 1_000_000))
    wanted = [["é" * 3000 * r, r] for r in range(world.size)]  # longer than the first round
    assert world.gather(wanted[world.rank]) == wanted
    assert world.gather(world.rank) == list(range(world.size))
    assert np.array_equal(world.broadcast(shard(world.rank), 1), shard(1))
    sizes = [3 * r for r in range(world.size)]  # the first has nothing
    for wanted, found in zip(sizes, world.collect(shard(world.rank, sizes[world.rank]), sizes)):
        assert np.array_equal(found, shard(wanted // 3, wanted))
    arrays, value = world.share({"a": np.eye(2)} if world.is_first else None, 3 + world.rank)
    assert np.array_equal(arrays["a"], np.eye(2))
    assert value == 3
    total = np.sum([shard(r) for r in range(world.size)], axis=0, dtype="float64")
    np.testing.assert_allclose(world.fast_sum(shard(world.rank)), total, rtol=1e-4, atol=1e-2)
    world.barrier()


def checksum(weights) -> int:
    return zlib.crc32(weights.tobytes())


def trained(world, wrong: str = "") -> np.ndarray:
    """The weights trained in four shards; `wrong` is what rank 1 does."""
    seed = world.rank if wrong == "weights" else 0
    net = gg.nn.Sequential(
        gg.nn.Flatten(), gg.nn.Dropout(0.2, rng=gg.Generator(1)),
        gg.nn.Linear(64, 10, rng=gg.Generator(seed)),
    )  # fmt: skip

    def loss(out, y):
        if world.rank == 1 and wrong == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if world.rank == 1 and wrong == "raise":
            raise RuntimeError("only on this rank")
        factor = np.nan if world.rank == 1 and wrong == "nan" else 1.0
        return gg.cross_entropy(out, y) * factor

    lr = 1e-2 * (1 + world.rank) if wrong == "settings" else 1e-2
    options = {"reduce": "fast"} if wrong == "fast" else {}
    gg.fit(net, "digits", epochs=2, lr=lr, shards=4, loss=loss, **options)
    return net[2].weight.numpy()


if __name__ == "__main__":
    what = sys.argv[1]
    with gg.distributed.ranks() as world, contextlib.suppress(BrokenPipeError):
        if what == "long":
            print("begun", flush=True)
            gg.fit(gg.nn.Sequential(gg.nn.Flatten(), gg.nn.Linear(64, 10)), "digits", epochs=9999)
        elif what == "check":
            checked(world)
            print("checked", world.size)
        elif what == "fast":
            np.testing.assert_allclose(trained(world, "fast"), trained(world), atol=1e-4)
            print("alike")
        else:
            print("weights", checksum(trained(world, "" if what == "train" else what)))
