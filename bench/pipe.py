"""A contender's process as the run sees it: questions and answers are lines of JSON.

Whatever goes wrong with it (it dies, hangs, answers something else) becomes one ProcessError with
the reason, and the process is ended. It leads a process group of its own: Ctrl-C reaches only the
run, which ends the group, a compiler's helpers included.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time

from ..kernels.errors import GlassgradError
from .verify import VerifyError

PATIENCE = 2.0  # seconds that a process has to end by itself


class ProcessError(GlassgradError, RuntimeError):
    """A contender's process failed; no result of ours was wrong."""


def command(*given) -> list[str]:
    """The command line of a contender's process (worker.py)."""
    return [sys.executable, "-m", f"{__package__}.worker", *map(str, given)]


class Process:
    """A child that answers questions. Where it is `heard`, its stderr is kept for its last words;
    otherwise the user sees it."""

    def __init__(self, argv: list[str], env: dict[str, str], heard: bool = True):
        self.work, self.rest = 0.0, b""
        self.said = tempfile.TemporaryFile() if heard else None  # noqa: SIM115 (`close` closes it)
        self.child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            env=env,
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        """Has it not ended yet?"""
        return self.child.poll() is None

    @property
    def closed(self) -> bool:
        """Was it ended here, after a failure or because the run is over?"""
        return self.child.stdout.closed

    def ask(self, limit: float, do: str, **what) -> dict:
        """The answer to a question, within `limit` seconds.

        VerifyError where the process says that a result is wrong, ProcessError for anything else.
        """
        self.tell(do, **what)
        return self.hear(limit)

    def tell(self, do: str, **what) -> None:
        """Ask without waiting for the answer, which `hear` gives."""
        try:
            self.child.stdin.write(json.dumps({"do": do, **what}).encode() + b"\n")
            self.child.stdin.flush()
        except (OSError, ValueError):  # the pipe is broken, or closed
            raise self._failed(self._last_words()) from None

    def hear(self, limit: float) -> dict:
        """The next answer."""
        line = self._line(limit)
        try:
            answer = json.loads(line)
            self.work = float(answer.pop("work"))
        except (ValueError, TypeError, KeyError, AttributeError):
            shown = line[:60].decode(errors="replace").strip()
            raise self._failed(f"its process answered {shown!r}, which is no answer") from None
        if "error" in answer:
            kind = VerifyError if answer.get("wrong") else ProcessError
            raise kind(answer["error"])
        return answer

    def _line(self, limit: float) -> bytes:
        end = time.monotonic() + limit
        with selectors.DefaultSelector() as ready:
            ready.register(self.child.stdout, selectors.EVENT_READ)
            while b"\n" not in self.rest:
                if not ready.select(max(0.0, end - time.monotonic())):
                    raise self._failed(f"its process did not answer within {limit:g} s")
                found = os.read(self.child.stdout.fileno(), 1 << 16)
                if not found:
                    raise self._failed(self._last_words())
                self.rest += found
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def _last_words(self) -> str:
        """How it ended, and the last line that it wrote."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(PATIENCE)
        code = self.child.returncode
        if code is None:
            how = "its process closed the pipe"
        elif code < 0:
            how = f"its process was killed by {signal.Signals(-code).name}"
        else:
            how = f"its process ended with code {code}"
        if self.said is None:
            return how
        self.said.seek(0)
        lines = self.said.read()[-2000:].decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{how}: {last}" if last else how

    def _failed(self, why: str) -> ProcessError:
        self.close(at_once=True)
        return ProcessError(why)

    def close(self, at_once: bool = False) -> None:
        """End the process and whatever it started."""
        if self.child.poll() is None and not at_once:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self.child.stdin.close()
                self.child.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.said):
            with contextlib.suppress(OSError, AttributeError):
                stream.close()
