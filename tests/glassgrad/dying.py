"""The command `glassgrad`, one of whose ranks is killed at a place that a test has drawn.

``GLASSGRAD_TEST_KILL="RANK N" python -m tests.glassgrad.dying train …``: at the N-th moment of
that rank, SIGKILL. Moments are what a training does outside of its own memory: waits for messages,
and files of its run opened and renamed. So the same numbers kill at the same place again.
"""

import os
import signal
import sys

from glassgrad import cli
from glassgrad.core.distributed.mpi import MPI

KILL = "GLASSGRAD_TEST_KILL"
RUNS = "/runs/"  # in the path of a run's files


def die_at(rank: int, moment: int) -> None:
    """Let this process be killed at that moment, if it is that rank."""
    left, wait = [moment], MPI.until

    def count():
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event, arguments):
        if event in ("open", "os.rename") and RUNS in str(arguments[0]):
            count()

    def counted(self, done, what):
        if self.rank == rank:
            if left == [moment]:  # the first message
                sys.addaudithook(heard)
            count()
        wait(self, done, what)

    MPI.until = counted


if __name__ == "__main__":
    if KILL in os.environ:
        die_at(*map(int, os.environ[KILL].split()))
    sys.exit(cli.main(sys.argv[1:]))
