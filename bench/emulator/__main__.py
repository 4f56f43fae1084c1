"""Measure the emulator, plain and instrumented, and Numba's CUDA simulator."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from ...core.machine import describe
from ...kernels.emulator import watching
from ...kernels.launcher import Source

TILE = 16
HERE = Path(__file__).parent
source = Source(HERE / "sgemm.cu")


def emulated(n: int, instrumented: bool) -> float:
    """Seconds of one product in the emulator, checked."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, n, n)).astype(np.float32)
    c = np.empty_like(a)
    arguments = "sgemm", (n // TILE, n // TILE), (TILE, TILE), a, b, c, n
    started = time.perf_counter()
    if instrumented:
        with watching() as report:
            source.launch(*arguments)
        assert not report.findings, report.findings
    else:
        source.launch(*arguments)
    seconds = time.perf_counter() - started
    assert np.abs(c - a @ b).max() < 1e-4, "the emulator's product is wrong"
    return seconds


def simulator(n: int) -> subprocess.Popen:
    """A process that runs the product in Numba's CUDA simulator whenever it reads a line."""
    return subprocess.Popen(
        [sys.executable, str(HERE / "simulator.py"), str(n)],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def simulated(process: subprocess.Popen) -> float:
    """Seconds of one product in the simulator, checked."""
    process.stdin.write("run\n")
    process.stdin.flush()
    answer = process.stdout.readline().split()
    if not answer:
        raise SystemExit("glassgrad: Numba's CUDA simulator does not run here")
    seconds, error = map(float, answer)
    assert error < 1e-4, "the simulator's product is wrong"
    return seconds


def measure(n: int, rounds: int) -> dict:
    """Medians of `rounds` alternating runs on n x n matrices, in seconds, and their ratios."""
    times = {"emulator": [], "instrumented": [], "simulator": []}
    with simulator(n) as process:
        for instrumented in (False, True):  # compiled, or from the cache
            emulated(n, instrumented)
        for _ in range(rounds):
            times["simulator"].append(simulated(process))
            times["emulator"] += [emulated(n, False) for _ in range(9)]
            times["instrumented"] += [emulated(n, True) for _ in range(3)]
        process.stdin.close()
    median = {k: statistics.median(v) for k, v in times.items()}
    return {
        "size": n,
        "seconds": median,
        "spread": {k: [min(v), max(v)] for k, v in times.items()},
        "gflops": 2 * n**3 / median["emulator"] / 1e9,
        "times_faster": median["simulator"] / median["emulator"],
        "times_faster_instrumented": median["simulator"] / median["instrumented"],
        "machine": describe(),
    }


def main() -> None:
    """Measure, print, and keep the figures where --json says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = measure(args.size, args.rounds)
    for name, seconds in found["seconds"].items():
        print(f"{name:<14}{seconds:10.4f} s")
    plain, watched = found["times_faster"], found["times_faster_instrumented"]
    print(f"{plain:.0f} times faster, instrumented {watched:.0f}; {found['gflops']:.2f} GFLOP/s")
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
