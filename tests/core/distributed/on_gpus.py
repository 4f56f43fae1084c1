"""What test_nccl.py runs with the stand-ins in the place of CuPy and of NCCL."""

import json
import sys

import numpy as np

from tests import fake_cupy

fake_cupy.install()

import cupy  # noqa: E402

import glassgrad as gg  # noqa: E402
from glassgrad.core.distributed import DistributedError, using  # noqa: E402
from glassgrad.core.distributed.communicator import add_up  # noqa: E402
from glassgrad.core.distributed.nccl import NCCL  # noqa: E402
from tests.core.distributed import fake_nccl  # noqa: E402
from tests.core.distributed.test_tree import by_hand  # noqa: E402
from tests.core.distributed.threads import on_ranks, shard  # noqa: E402


def sums(ranks, shards):
    """Are the bits those of the tree, on every rank and on the GPU?"""

    def work(base):
        world = NCCL(base, fake_nccl)
        leaves = add_up(shards, world.shards_of(shards), lambda k: [cupy.asarray(shard(k))])
        found = world.ordered_sum({node: a for node, (a,) in leaves.items()}, shards)
        whole = world.fast_sum(cupy.asarray(shard(world.rank)))
        host = world.broadcast(shard(world.rank), 1)  # of the host: through the other one
        return [
            isinstance(found, cupy.ndarray) and np.array_equal(found.get(), by_hand(0, shards)),
            bool(np.allclose(whole.get(), sum(map(shard, range(ranks))), rtol=1e-4, atol=1e-2)),
            bool(np.array_equal(host, shard(1))),
            world.bytes_sent,
        ]

    return on_ranks(ranks, work)


def trained(ranks, reduce="ordered"):
    """The weights of a net trained on `ranks` GPUs in two shards, as numbers."""

    def work(base):
        with using(NCCL(base, fake_nccl) if ranks > 1 else base):
            net = gg.nn.Sequential(gg.nn.Flatten(), gg.nn.Linear(64, 10, rng=gg.Generator(0)))
            gg.fit(net.to("cuda"), "digits", epochs=1, batch=600, shards=2, reduce=reduce)
        return net[1].weight.data.get().tolist()

    return on_ranks(ranks, work)


def too_many():
    """The message where a machine has more ranks than GPUs."""
    cupy.cuda.runtime.getDeviceCount = lambda: 1

    def work(base):
        try:
            NCCL(base, fake_nccl)
        except DistributedError as error:
            return str(error)

    return on_ranks(2, work)


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    words = [int(w) if w.isdecimal() else w for w in words]
    print(json.dumps({"sums": sums, "trained": trained, "too_many": too_many}[what](*words)))
