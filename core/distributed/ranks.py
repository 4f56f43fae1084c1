"""Which communicator is in use, and what happens when one rank fails.

An error on one rank leaves the others waiting for what it will never send. So it ends all of them:
the rank says what happened, in one message, and aborts. Where all ranks meet the same error at the
same time (a wrong setting), rank 0 alone says it: the others give it a second.
"""

import contextlib
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from ...kernels.errors import GlassgradError, printable
from ..arrays import module_for
from .communicator import Communicator, OneProcess
from .mpi import MPI, launched

STOPPED = 130  # the exit code after Ctrl-C
WAIT = 1.0  # seconds that a rank leaves rank 0 to say the same
_ALONE = OneProcess()
_in_use: ContextVar[Communicator] = ContextVar("communicator", default=_ALONE)


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


def alone():
    """A block in which this process is the only one, whatever ranks there are around it.

    >>> with alone() as world:
    ...     world.size
    1
    """
    return using(_ALONE)


@contextlib.contextmanager
def ranks(
    report: Callable[[BaseException], int] | None = None, device: str = "cpu"
) -> Iterator[Communicator]:
    """The ranks that mpiexec or srun has started; this process alone where there are no others.

    `fit` and `train` inside the block share out their shards. An error on one rank ends all: it is
    given to `report`, which says what happened and returns the exit code. Without several ranks
    errors pass through. With device "cuda" each rank has a GPU of its own (nccl.py). Raises
    DistributedError where several ranks were started and mpi4py is missing.

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
            with _quiet(world), using(_on(world, device)) as world:
                yield world
        except SystemExit as error:
            if error.code:  # sys.exit(0) is an end like any other
                _end_all(world, error, _report)
            world.finish()
            raise
        except BaseException as error:
            if not getattr(error, "on_every_rank", False):
                _end_all(world, error, report or _report)
            elif not world.is_first:
                raise SystemExit(STOPPED) from None  # rank 0 says it
            raise
        world.finish()


def _on(world: Communicator, device: str) -> Communicator:
    """The communicator for arrays on that device."""
    if device != "cuda":
        return world
    from .nccl import NCCL

    module_for(device)  # which says what is missing
    return NCCL(world)


@contextlib.contextmanager
def _quiet(world: Communicator) -> Iterator[None]:
    """Rank 0 alone prints; what the others print would be the same again."""
    with contextlib.ExitStack() as streams:
        if not world.is_first:
            nowhere = streams.enter_context(open(os.devnull, "w"))
            streams.enter_context(contextlib.redirect_stdout(nowhere))
            streams.enter_context(contextlib.redirect_stderr(nowhere))
        yield


def _end_all(world: Communicator, error: BaseException, report) -> None:
    """Say what went wrong and end all ranks."""
    if not world.is_first:
        time.sleep(WAIT + 0.05 * world.rank)  # rank 0 has the same error, and has ended us by now
    code = report(error)
    sys.stdout.flush()
    sys.stderr.flush()
    world.abort(code)


def speaker() -> str:
    """How an error begins that this process reports: with its rank and host, if it is not rank 0.

    >>> speaker()
    ''
    """
    world = current()
    return "" if world.is_first else f"rank {world.rank} on {socket.gethostname()}: "


def _report(error: BaseException) -> int:
    """Print an expected error as a line, any other with its traceback; the exit code."""
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 1
        text = error.code if isinstance(error.code, str) else f"sys.exit({code})"
        print(f"glassgrad: {speaker()}{text}", file=sys.stderr)
        return code
    if isinstance(error, GlassgradError):
        print(f"glassgrad: {speaker()}{printable(str(error))}", file=sys.stderr)
    else:
        if speaker():
            print(f"glassgrad: {speaker()}{type(error).__name__}", file=sys.stderr)
        traceback.print_exception(error)
    return 1
