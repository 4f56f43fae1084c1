"""Peak memory of a training step, measured in a fresh process.

    python -m glassgrad.bench.peak_memory lenet ours        a step of ours
    python -m glassgrad.bench.peak_memory lenet torch       the peer's

The process loads its libraries and takes steps with one sample, so that everything is imported and
compiled; what it holds then is not counted. From there on it makes the real model, optimiser and
batch, and takes five steps; the result is by how much its resident memory grew at its peak.
"""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

from . import peers

WARM, STEPS = 3, 5
LIMIT = 300  # seconds


def peak(step: str, who: str, session) -> int | None:
    """Bytes of one step of ours or of a peer; None, with a note, where it cannot be measured."""
    if not Path("/proc/self/clear_refs").exists():
        session.note("peak memory is measured on Linux alone")
        return None
    command = [sys.executable, "-m", __name__, step, who, session.backend, str(session.threads)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, env=environment(who)
        )
    except subprocess.TimeoutExpired:
        session.note(f"peak memory of {step}, {who}: not done after {LIMIT} s")
        return None
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        session.note(f"peak memory of {step}, {who}: {last}")
        return None
    return json.loads(done.stdout)["step"]


def compiles(who: str) -> bool:
    """Does the peer compile as it runs? A compiler's memory cannot be separated from a step's."""
    return getattr(peers.module_of(who), "COMPILES", False)


def environment(who: str) -> dict[str, str]:
    """A peer keeps the C library's own way with freed memory (see kernels/kept_pages.py)."""
    return {**os.environ} | ({} if who == "ours" else {"GLIBC_TUNABLES": "glibc.malloc.check=0"})


def main(step: str, who: str, backend: str, threads: int) -> None:
    """Print the growth in bytes as JSON."""
    from .. import kernels
    from .steps import STEPS as KNOWN
    from .steps import Ready
    from .threads import fix_threads

    fix_threads(threads)
    found, _ = peers.load([] if who == "ours" else [who], "cpu", threads)

    def take(samples: int | None, steps: int) -> None:
        ready = Ready(KNOWN[step], samples=samples)
        call = ready
        if who != "ours":
            call = found[who].contender(step, ready).call
            del ready.system, ready.training  # the peer has its own
        for _ in range(steps):
            call()

    with kernels.backend(backend):
        take(1, WARM)
        before = settle()
        take(None, STEPS)
        print(json.dumps({"step": highest() - before}))


def settle() -> int:
    """Return free memory to the system and reset the peak; returns the resident bytes."""
    import ctypes

    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def highest() -> int:
    """The most bytes that were resident since `settle`."""
    return status("VmHWM")


def status(name: str) -> int:
    """A field of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {name}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
