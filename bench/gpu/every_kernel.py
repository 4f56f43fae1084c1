"""Launch every CUDA kernel on every small case: for tools that watch a process from outside.

    python -m glassgrad.bench.gpu.every_kernel

with --op, --pass, --version, --case for some of them, --largest for each pass's largest small case,
--textbook for the kernels of known counters.

Every array has its own allocation, so that memcheck sees what runs over its end: CuPy's pool, which
would hide it, is off. With ``--backend emulated`` the same goes through the emulator.
"""

import argparse

import numpy as np

from ...core.arrays import module_for
from ...kernels import OPERATIONS, Implementation, backend, cases, implementations
from ...kernels.case import Case, largest
from . import textbook


def arguments(case: Case, dtype: str, xp) -> tuple:
    """The case's arguments on the device, the same in every run."""
    made = case.normal(dtype)
    return tuple(xp.asarray(a) if isinstance(a, np.ndarray) else a for a in made)


def launch(record: Implementation, chosen: list[Case], xp, wait) -> int:
    """Run one version on its cases; how many it supports."""
    count = 0
    for case in chosen:
        for dtype in record.dtypes:
            args = arguments(case, dtype, xp)
            if record.supports(*args):
                record.function(*args)
                wait()
                count += 1
    return count


def main(argv=None) -> int:
    """Run what the arguments ask for; 1 where nothing fits them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--op", choices=OPERATIONS)
    parser.add_argument("--pass", dest="pass_")
    parser.add_argument("--version", type=int)
    parser.add_argument("--case", help="a part of the case's name")
    parser.add_argument("--largest", action="store_true", help="one case for each pass, float32")
    parser.add_argument("--textbook", action="store_true")
    parser.add_argument("--backend", choices=("cuda", "emulated"), default="cuda")
    args = parser.parse_args(argv)
    on_gpu = args.backend == "cuda"
    xp = module_for("cuda" if on_gpu else "cpu")
    if on_gpu:
        xp.cuda.set_allocator(None)
    wait = xp.cuda.Device().synchronize if on_gpu else lambda: None
    if args.textbook:
        textbook.launch_all(xp)
        wait()
        return 0
    total = 0
    with backend(args.backend):
        for record in implementations(args.op, args.pass_, args.backend):
            if args.version not in (None, record.version):
                continue
            total += _run(record, args, xp, wait)
    print(f"{total} calls")
    return 0 if total else 1


def _run(record: Implementation, args, xp, wait) -> int:
    known = cases(record.op, record.pass_)
    if args.largest:
        known = [
            largest(record.op, record.pass_, implementations(record.op, record.pass_, "emulated"))
        ]
    chosen = [c for c in known if not c.bench and (args.case or "") in c.name]
    if args.largest:
        record = _in_float32(record)
    count = launch(record, chosen, xp, wait)
    print(f"{record.name}: {count}", flush=True)
    return count


def _in_float32(record: Implementation) -> Implementation:
    from dataclasses import replace

    return replace(record, dtypes=("float32",) if "float32" in record.dtypes else ())


if __name__ == "__main__":
    raise SystemExit(main())
