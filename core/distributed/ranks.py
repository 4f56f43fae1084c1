"""Which communicator is in use, and what happens when one rank fails.

An error on one rank leaves the others waiting for what it will never send. So it ends all of them:
the rank says what happened, in one message, and aborts. Where all ranks meet the same error at the
same time (a wrong setting), rank 0 alone says it: the others give it two seconds.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from ...kernels.errors import printable
from .communicator import Communicator, OneProcess
from .mpi import MPI, launched

WAIT = 2.0  # seconds that a rank leaves rank 0 to say the same
_in_use: ContextVar[Communicator] = ContextVar("communicator", default=OneProcess())  # noqa: B039


def current() -> Communicator:
    """The communicator in use: that of the innermost `ranks` or `using`, or one process.

    >>> current().size
    1
    """
    return _in_use.get()


@contextlib.contextmanager
def using(communicator: Communicator) -> Iterator[Communicator]:
    """Train with this communicator inside the block.

    >>> with using(OneProcess()) as alone:
    ...     current() is alone
    True
    """
    before = _in_use.set(communicator)
    try:
        yield communicator
    finally:
        _in_use.reset(before)


@contextlib.contextmanager
def ranks() -> Iterator[Communicator]:
    """The ranks that mpiexec or srun has started; this process alone where there are no others.

    `fit` and `train` inside the block share out their shards. An error on one rank ends all.
    Raises DistributedError where several ranks were started and mpi4py is missing.

    >>> with ranks() as world:
    ...     world.is_first
    True
    """
    if not launched():
        with using(OneProcess()) as world:
            yield world
        return
    with using(MPI()) as world:
        try:
            yield world
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            end_all(world, lambda: _say(world, message), 1)
            raise


def end_all(world: Communicator, say: Callable[[], None], code: int) -> None:
    """Say what went wrong, and end all ranks; on one process it only says it."""
    if not world.is_first:
        time.sleep(WAIT + 0.05 * world.rank)  # rank 0 has the same error, and has ended us by now
    say()
    sys.stdout.flush()
    sys.stderr.flush()
    if world.size > 1:
        world.abort(code)


def _say(world: Communicator, message: str) -> None:
    print(f"glassgrad: rank {world.rank}: {printable(message)}", file=sys.stderr)
