"""Run the parts of `make gpu`; see stages.py. Ends with 1 without a GPU, or if a part failed."""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

from ...core import machine
from ...core.regular import read_json
from ...core.training.run_folder import RunError, write_atomic
from ...core.usage import folding
from .page import render
from .process import run as command
from .process import tool
from .stages import FIRST, PARTS, ROOM, SECOND, of

LEAST = 5  # a part with fewer seconds left is not started


def main(argv=None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        description="everything that needs a GPU, into one JSON file",
        formatter_class=folding(argparse.RawDescriptionHelpFormatter),
        epilog=_listed(),
    )
    parser.add_argument("--json", metavar="FILE", default="bench/results/gpu.json")
    parser.add_argument("--stage", choices=ROOM, nargs="+", help="by default both, one by one")
    parser.add_argument("--only", choices=PARTS, nargs="+", help="these parts; others are kept")
    parser.add_argument(
        "--seconds", metavar="PART=N", nargs="+", default=[], type=_limit, help="time of a part"
    )
    parser.add_argument(
        "--table", metavar="PAGE", nargs="+", help="measure nothing: put what the file holds there"
    )
    args = parser.parse_args(argv)
    if args.table:
        return show(Path(args.json), [Path(p) for p in args.table])
    there, what = machine.gpu()
    if not there:
        print(f"make gpu: there is no GPU to run on: {what}", file=sys.stderr)
        return 1
    path = Path(args.json)
    found, machine_now = _older(path), describe()
    other = found.get("machine", machine_now)["gpu"]
    if other != machine_now["gpu"]:
        print(
            f"make gpu: {path} holds what {other} did, this is {machine_now['gpu']}:"
            " write to another file",
            file=sys.stderr,
        )
        return 1
    found |= {"made": time.strftime("%Y-%m-%d %H:%M"), "machine": machine_now}
    write(path, found)
    names = args.only or of(args.stage or (FIRST, SECOND))
    limits = {name: part.seconds for name, part in PARTS.items()} | dict(args.seconds)
    ends = None if args.only else _ends(args.stage or (FIRST, SECOND))
    for name in names:
        left = limits[name] if ends is None else min(limits[name], ends(name))
        if left < LEAST:
            found[name] = {"status": "not run", "why": "the stage is out of time", "seconds": 0.0}
        else:
            found[name] = outcome(PARTS[name].run, left)
        write(path, found)
        print(f"{name}: {found[name]['status']}, {found[name]['seconds']} s", flush=True)
    failed = [n for n in names if found[n]["status"] == "failed"]
    idle = [n for n in names if found[n]["status"] == "not run"]
    rest = [n for n in PARTS if n not in found]
    said = {"failed": failed, "not run, out of time": idle, "not asked for": rest}
    for what, which in said.items():
        if which:
            print(f"{what}: {', '.join(which)}")
    print(f"written: {path}")
    return 1 if failed else 0


def _ends(stages):
    """name -> the seconds left in its stage; a stage's time begins with its first part."""
    begun: dict[str, float] = {}

    def left(name: str) -> float:
        stage = PARTS[name].stage
        begun.setdefault(stage, time.monotonic())
        return ROOM[stage] - (time.monotonic() - begun[stage])

    return left


def write(path: Path, found: dict) -> None:
    """Write everything found so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(found, indent=1) + "\n")


def _listed() -> str:
    rows = (
        f"  {name:14}{part.seconds:4} s  {part.stage or 'by name':8}{part.what}"
        for name, part in PARTS.items()
    )
    return "\n".join(["parts, at most so long, in which stage:", *rows])


def show(path: Path, pages: list[Path]) -> int:
    """Put the outcome of an earlier run on the pages."""
    try:
        if not path.exists():
            raise RunError(f"there is no {path}: make gpu writes it")
        for page in pages:
            render(read_json(path, RunError), page)
            print(f"written: {page}")
    except RunError as error:
        print(f"make gpu: {error}", file=sys.stderr)
        return 1
    return 0


def _limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"unknown part {name!r} (known: {', '.join(PARTS)})")
    return name, float(value)


def outcome(part, limit: float) -> dict:
    """What a part found, with its seconds; its own error is an outcome and does not end the run."""
    started = time.monotonic()
    try:
        found = part(limit, lambda: time.monotonic() - started)
    except Exception as error:  # whatever it is, the other parts still run
        found = {"status": "failed", "why": f"{type(error).__name__}: {error}"}
    return found | {"seconds": round(time.monotonic() - started, 1)}


def _older(path: Path) -> dict:
    """What the file holds of earlier parts."""
    return read_json(path, RunError) if path.exists() else {}


def describe() -> dict:
    """GPU, driver, CUDA, and the host."""
    import cupy

    device = cupy.cuda.Device()
    properties = cupy.cuda.runtime.getDeviceProperties(device.id)
    return {
        "gpu": properties["name"].decode(), "compute_capability": device.compute_capability,
        "memory": properties["totalGlobalMem"], "l2": properties["l2CacheSize"],
        "multiprocessors": properties["multiProcessorCount"], "driver": driver(),
        "driver_cuda": cupy.cuda.runtime.driverGetVersion(),
        "runtime_cuda": cupy.cuda.runtime.runtimeGetVersion(), "cupy": cupy.__version__,
        "torch": machine.version("torch"), "numpy": machine.version("numpy"),
        "python": platform.python_version(), "os": platform.platform(),
        "cpu": machine.cpu_model(), "cores": machine.cores(),
    }  # fmt: skip


def driver() -> str:
    """The driver's release, as nvidia-smi says it."""
    path = tool("nvidia-smi")
    if path is None:
        return "unknown: there is no nvidia-smi"
    said = command([path, "--query-gpu=driver_version", "--format=csv,noheader"], 20).output
    return said.splitlines()[0].strip() if said.strip() else "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
