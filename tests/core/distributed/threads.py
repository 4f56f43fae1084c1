"""Ranks that are threads of one process: what a communicator's own code does, without a library."""

import json
import queue
import threading

import numpy as np

from glassgrad.core.distributed import Communicator
from glassgrad.core.distributed.communicator import Pending

LIMIT = 20  # seconds: a deadlock is an error, not a test that never ends


class Boxes(dict):
    """A queue for each (sender, receiver, tag)."""

    def __missing__(self, key):
        return self.setdefault(key, queue.Queue())


class Thread(Communicator):
    """A rank among threads, which share a box for each pair and a place for gathered values."""

    def __init__(self, rank, size, boxes, values, meeting):
        self.rank, self.size = rank, size
        self.boxes, self.values, self.meeting = boxes, values, meeting

    def send(self, array, to, tag=0):
        self.bytes_sent += array.nbytes
        self.boxes[self.rank, to, tag].put(array.copy())

    def receive(self, like, sender):
        found = self.boxes[sender, self.rank, 0].get(timeout=LIMIT)
        assert found.shape == like.shape and found.dtype == like.dtype
        return found

    def swap(self, array, like, other):
        self.send(array, other)
        return self.receive(like, other)

    def begin_swap(self, array, like, other, tag=0):
        self.send(array, other, tag)
        box = self.boxes[other, self.rank, tag]
        return Pending(lambda: not box.empty(), box.get)

    def sends_early(self, fast):
        return True

    def gather(self, value):
        self.values[self.rank] = json.dumps(value)
        self.meeting.wait(LIMIT)
        found = [json.loads(self.values[r]) for r in range(self.size)]
        self.meeting.wait(LIMIT)
        return found


def on_ranks(size, work):
    """[work(communicator)] of so many threads; raises the first of their errors."""
    boxes, meeting, values, found, errors = Boxes(), threading.Barrier(size), {}, {}, []

    def run(rank):
        try:
            found[rank] = work(Thread(rank, size, boxes, values, meeting))
        except BaseException as error:
            errors.append(error)
            meeting.abort()

    threads = [threading.Thread(target=run, args=(r,), daemon=True) for r in range(size)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(LIMIT)
    if errors:
        broken = threading.BrokenBarrierError  # of those that waited for the one that failed
        raise next((e for e in errors if not isinstance(e, broken)), errors[0])
    assert len(found) == size, "a rank hangs"
    return [found[r] for r in range(size)]


def shard(k, n=37, seed=0):
    """The array of shard k, on several scales: its sums depend on their order."""
    rng = np.random.default_rng((seed, k))
    return (rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)).astype(np.float32)
