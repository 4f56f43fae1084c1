"""Launch every CUDA kernel on every small case: for tools that watch a process from outside.

    python -m glassgrad.bench.gpu.every_kernel

with --op, --pass, --version, --case for some of them, --largest for each version's largest small
case of every kind, --once for one such case in each dtype, --textbook for the kernels of known
counters.

Every array has its own allocation, so that memcheck sees what runs over its end: CuPy's pool, which
would hide it, is off. With ``--backend emulated`` the same goes through the emulator.
"""

import argparse

import numpy as np

from ...core.arrays import module_for
from ...kernels import OPERATIONS, Implementation, backend, cases, implementations
from ...kernels.case import Case
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
    parser.add_argument("--largest", action="store_true", help="one case of each kind, float32")
    parser.add_argument("--once", action="store_true", help="the largest case, every dtype")
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
    known = [c for c in cases(record.op, record.pass_) if not c.bench]
    if args.largest:
        known = largest_of_each_kind(record, known)
    if args.once:
        known = [max(largest_of_each_kind(record, known), key=lambda c: (c.flops, c.bytes))]
    chosen = [c for c in known if (args.case or "") in c.name]
    if args.largest:
        record = _in_float32(record)
    count = launch(record, chosen, xp, wait)
    print(f"{record.name}: {count}", flush=True)
    return count


def kind(case: Case) -> str:
    """The options that a case's name ends with: each may have kernels of its own.

    >>> from glassgrad.kernels import cases
    >>> sorted({kind(c) for c in cases("gru", "cell_forward")})
    ['lecture', 'library']
    """
    words = case.name.rpartition(":")[2].split()
    return " ".join(w for w in words if w.isidentifier() and not any(map(str.isdigit, w)))


def largest_of_each_kind(record: Implementation, known: list[Case]) -> list[Case]:
    """Of the cases that the version supports, in float32, the one with the most work of each kind.

    Both backends choose the same: which cases a version supports is not the device's matter.
    """
    found: dict[str, Case] = {}
    for case in known:
        best = found.get(kind(case))
        if best and (best.flops, best.bytes) >= (case.flops, case.bytes):
            continue
        if record.supports(*case.normal()):
            found[kind(case)] = case
    return list(found.values())


def _in_float32(record: Implementation) -> Implementation:
    from dataclasses import replace

    return replace(record, dtypes=("float32",) if "float32" in record.dtypes else ())


if __name__ == "__main__":
    raise SystemExit(main())
