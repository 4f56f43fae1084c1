"""`glassgrad train NAME --ranks N`: start mpiexec, pass on what it says, and end as it ends.

mpiexec starts N processes of the same command and ends all of them when one dies. Around this there
is a folder that lives as long as the command, named in GLASSGRAD_LAUNCH, with small files ::

    stop    Ctrl-C was pressed: the ranks stop after the step, and rank 0 saves
    run     written by rank 0: the run folder, for the message that says how to go on
    said    written by the rank that has explained its error: nothing needs to be added

What MPI libraries print about a process that has ended is left out: one message is enough.
"""

import contextlib
import importlib.util
import math
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from .core.distributed import DistributedError
from .core.distributed.ranks import STOPPED
from .core.machine import cores

LAUNCH = "GLASSGRAD_LAUNCH"  # the process that made the folder, its host, and the folder
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
GRACE = 10.0  # seconds from the signal that ends all ranks to SIGKILL, and for their last lines
RULE = re.compile(r"[-=]{70,}\s*$")
NOISE = ("BAD TERMINATION", "MPI_ABORT was invoked", "prterun", "mpirun", "PRTE has lost")
AFTER = (
    "YOUR APPLICATION TERMINATED", "This typically refers", "Please see the FAQ", "Abort(",
)  # fmt: skip


# ------------------------------------------------------------------------------ the launcher


def mpiexec() -> str:
    """The mpiexec of this environment, or else of the PATH. Raises DistributedError without one."""
    own = shutil.which("mpiexec", path=str(Path(sys.prefix) / "bin"))
    found = own or shutil.which("mpiexec")
    if found is None:
        raise DistributedError(
            "--ranks starts mpiexec, which is not there: pip install 'glassgrad[mpi]'"
        )
    return found


def options(version: str, user: int) -> list[str]:
    """What the mpiexec with this output of --version has to be told.

    Open MPI refuses root, and more ranks than cores, and binds each rank to one core.

    >>> options("mpiexec (Open MPI) 5.0.11", user=1000)
    ['--map-by', ':OVERSUBSCRIBE', '--bind-to', 'none']
    >>> options("HYDRA build details:", user=0)
    []
    """
    if "Open MPI" not in version and "OpenRTE" not in version:
        return []
    root = ["--allow-run-as-root"] if user == 0 else []
    return [*root, "--map-by", ":OVERSUBSCRIBE", "--bind-to", "none"]


def program(arguments: Sequence[str]) -> list[str]:
    """This command again, as it was started: by its script, or with -m glassgrad."""
    own = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv[1:])]
    again = own if own[-1:] and "glassgrad" in Path(own[-1]).name else ["", "-m", "glassgrad"]
    return [sys.executable, *again[1:], *arguments]


def without_ranks(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command without --ranks.

    >>> without_ranks(["train", "vae", "--ranks", "4", "--quiet"]), without_ranks(["--ranks=2"])
    (['train', 'vae', '--quiet'], [])
    """
    found, skip = [], False
    for a in arguments:
        if not skip and a != "--ranks" and not a.startswith("--ranks="):
            found.append(a)
        skip = a == "--ranks" and not skip
    return found


def threads_of(ranks: int, cores: int | None) -> int:
    """Threads of each rank: the cores, shared out.

    >>> threads_of(2, 8), threads_of(4, 2)
    (4, 1)
    """
    return max(1, (cores or 1) // ranks)


def command(ranks: int, arguments: Sequence[str], *before: str) -> list[str]:
    """The command line that runs a program, its path first, on so many ranks.

    `before` are options of mpiexec. Raises DistributedError without one, or without mpi4py, which
    every rank would miss.
    """
    if importlib.util.find_spec("mpi4py") is None:
        raise DistributedError("--ranks needs mpi4py: pip install 'glassgrad[mpi]'")
    starter = mpiexec()
    version = subprocess.run([starter, "--version"], capture_output=True, text=True).stdout
    return [starter, *before, "-n", str(ranks), *options(version, os.getuid()), *arguments]


def launch(ranks: int, arguments: Sequence[str]) -> int:
    """Run `glassgrad ARGUMENTS` on so many ranks; returns the exit code.

    Raises BrokenPipeError where nobody reads any more what they print, DistributedError where they
    have ended without a message.
    """
    line = command(ranks, program(arguments))
    threads = str(threads_of(ranks, cores()))
    with tempfile.TemporaryDirectory(prefix="glassgrad-") as folder:
        place, broken = Path(folder), threading.Event()
        environment = dict.fromkeys(THREADS, threads) | dict(os.environ)
        environment[LAUNCH] = f"{os.getpid()} {socket.gethostname()} {place}"
        with _noting(place) as asked:
            process = subprocess.Popen(
                line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
            copies = [
                threading.Thread(target=_copy, args=(*streams, broken.set), daemon=True)
                for streams in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
            ]
            for copy in copies:
                copy.start()
            code = _until_done(process, asked, broken)
        for copy in copies:
            copy.join(GRACE)
        if broken.is_set():
            raise BrokenPipeError  # which the command line ends with in silence
        if asked:
            return code and STOPPED  # 0 of a training that was over before it heard
        if code and not (place / "said").exists():
            raise DistributedError(_ended(code, place))
    return code


@contextlib.contextmanager
def _noting(place: Path) -> Iterator[list[int]]:
    """A block in which Ctrl-C and SIGTERM are noted: yields the list of them.

    The first asks the ranks to stop.
    """
    asked: list[int] = []

    def note(number, frame):
        asked.append(number)
        (place / "stop").touch()
        if asked == [signal.SIGINT]:
            os.write(2, b"glassgrad: stopping after this step; Ctrl-C again ends all ranks\n")

    main = threading.current_thread() is threading.main_thread()
    kinds = (signal.SIGINT, signal.SIGTERM) if main else ()
    before = [signal.signal(kind, note) for kind in kinds]
    try:
        yield asked
    finally:
        for kind, handler in zip(kinds, before):
            signal.signal(kind, handler)


def _until_done(process: subprocess.Popen, asked: list[int], broken: threading.Event) -> int:
    """Wait for mpiexec. A second Ctrl-C, SIGTERM, or that nobody reads, ends all ranks, and GRACE
    seconds later whatever is left of them is killed."""
    ending = math.inf
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
        must_end = len(asked) > 1 or signal.SIGTERM in asked or broken.is_set()
        if must_end and ending == math.inf:
            _to_all(process, signal.SIGTERM)
            ending = time.monotonic() + GRACE
        if time.monotonic() > ending:
            _to_all(process, signal.SIGKILL)
    return process.returncode


def _to_all(process: subprocess.Popen, number: int) -> None:
    """Send a signal to mpiexec and the ranks on this machine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _ended(code: int, place: Path) -> str:
    """What happened where no rank could say it."""
    known = code if code < 128 else code - 128
    names = {s.value: s.name for s in signal.Signals}
    how = f"was ended by {names[known]}" if known in (4, 6, 7, 8, 9, 11, 15) else "has died"
    text = f"a rank {how}, and mpiexec ended the others (exit code {code})"
    note = place / "run"
    if note.exists():
        run = note.read_text(encoding="utf-8")
        text += f"; go on with: {shlex.join(['glassgrad', 'train', '--resume', run])}"
    return text


def _copy(source: Iterable[str], target, closed: Callable[[], None]) -> None:
    """Write the lines of a stream to another as they come, without the noise of MPI libraries.

    Where nobody reads them any more (`| head`), mpiexec is ended, and the rest is read and thrown
    away: a pipe that nobody empties would hold up the ranks.
    """
    lines = without_noise(source)
    try:
        for line in lines:
            target.write(line)
            target.flush()
    except BrokenPipeError:
        closed()
        for _ in lines:
            pass


def without_noise(lines: Iterable[str]) -> Iterator[str]:
    """The lines without the paragraphs in which MPI libraries tell that a process has ended.

    >>> rule = "=" * 80
    >>> list(without_noise(["a", rule, "= BAD TERMINATION OF", rule, "This typically refers", "b"]))
    ['a', 'b']
    """
    held: list[str] | None = None  # since a rule; they are noise if a line says so
    for line in lines:
        if RULE.match(line):
            if held is None:
                held = [line]
                continue
            held.append(line)
            if not any(word in part for part in held for word in NOISE):
                yield from held
            held = None
        elif held is not None:
            held.append(line)
            if len(held) > 20:  # not theirs
                yield from held
                held = None
        elif not line.startswith(AFTER):
            yield line
    yield from held or ()


# --------------------------------------------------------------------------------- the ranks


def _place() -> tuple[int, Path] | None:
    """(the launcher's process, its folder), if this process is one of its ranks on its host.

    On other hosts that number is another process, or none, and the folder is not there.
    """
    process, _, rest = os.environ.get(LAUNCH, "").partition(" ")
    host, _, folder = rest.partition(" ")
    if not process.isdecimal() or not folder or host != socket.gethostname():
        return None
    return int(process), Path(folder)


def note(name: str, text: str = "") -> None:
    """Leave a file for the launcher, if there is one."""
    place = _place()
    if place is not None:
        with contextlib.suppress(OSError):
            (place[1] / name).write_text(text, encoding="utf-8")


def stop_asked(every: float = 0.2) -> Callable[[], bool]:
    """A function that says whether the launcher asks for a stop, or is gone.

    It looks at most once in so many seconds, and never without a launcher.

    >>> stop_asked()()
    False
    """
    place, last, found = _place(), 0.0, False

    def asked() -> bool:
        nonlocal last, found
        now = time.monotonic()
        if place is None or found or now - last < every:
            return found
        last = now
        try:
            os.kill(place[0], 0)
            found = (place[1] / "stop").exists()
        except ProcessLookupError:
            found = True
        except PermissionError:  # it runs as another user, and it runs
            found = (place[1] / "stop").exists()
        return found

    return asked
