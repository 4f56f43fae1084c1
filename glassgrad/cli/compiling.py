"""Compile kernels ahead of their first use, which otherwise waits for it, once.

  glassgrad compile                       every operation, for the CPU
  glassgrad compile lstm descent          these
  glassgrad compile --backend emulated    the CUDA C, for the emulator
  glassgrad compile my_blur.py            kernels of your own

Machine code is kept in the user's cache; what is there already is not compiled again.
"""

import time

HELP = "compile kernels ahead of their first use"


def arguments(parser) -> None:
    """Which operations, for which backend, in which dtype."""
    parser.add_argument(
        "operations", metavar="OPERATION", nargs="*", help="as `kernels` names them; by default all"
    )
    parser.add_argument(
        "--backend", choices=("numba", "emulated"), default="numba", help="for which (numba)"
    )
    parser.add_argument("--double", action="store_true", help="for float64 instead of float32")


def run(args) -> int:
    """Run every pass on its small cases, so that all its code is compiled and kept."""
    from ..core.terminal import console, count, seconds
    from ..kernels import BackendError, compiling
    from ..kernels.numba_here import why_not

    if args.backend == "numba" and why_not():
        raise BackendError(f"compile: there is nothing to compile: {why_not()}")
    out, names, started = console(), [], time.perf_counter()
    jobs = list(_jobs(args.operations, args.backend, "float64" if args.double else "float32"))
    with compiling.ahead(), _bar(out, len(jobs)) as advance:

        def show(name):
            names.append(name)
            advance(f"compiling {name}", 0)

        compiling.watch(show)
        try:
            for label, job in jobs:
                advance(label, 0)
                job()
                advance(label, 1)
        finally:
            compiling.unwatch(show)
    took = seconds(time.perf_counter() - started)
    what = "function" if args.backend == "numba" else "file"
    out.print(
        f"{count(len(names), what)} compiled in {took}; kept in {_place(args.backend)}",
        soft_wrap=True,
    )
    return 0


def _jobs(operations, backend: str, dtype: str):
    """(name, function that runs it) of every pass on its small cases: all types that it meets."""
    from ..kernels import BackendError, cases, implementations, registry
    from ..kernels.errors import nearest
    from ..kernels.own import opened
    from ..kernels.registry import find

    wanted = [op for name in operations for op in opened(name)]
    for op in wanted:
        if op not in registry.operations():
            hint = ", ".join(registry.operations()) + nearest(op, registry.operations())
            raise BackendError(f"compile: unknown operation {op!r}; known are {hint}")
    for op in wanted or dict.fromkeys(r.op for r in implementations(backend=backend)):
        for pass_ in dict.fromkeys(r.pass_ for r in implementations(op, backend=backend)):
            small = [c for c in cases(op, pass_) if not c.bench]
            if backend == "emulated":  # one file holds them all, whatever the shapes
                small = sorted(small, key=lambda c: c.flops)[:1]

            def job(op=op, pass_=pass_, small=small):
                for case in small:
                    args = case.normal(dtype)
                    find(op, pass_, backend, args).function(*args)

            yield f"{op}.{pass_}", job


def _place(backend: str):
    if backend == "numba":
        from ..kernels.compiled import cache_folder
    else:
        from ..kernels.emulator.compiler import cache_folder
    return cache_folder() or "no folder: none is writable, or safe from others"


def _bar(out, total: int):
    """A context manager: a bar on a terminal, nothing elsewhere; gives advance(label, steps)."""
    import contextlib

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    @contextlib.contextmanager
    def shown():
        columns = TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn()
        with Progress(*columns, console=out, transient=True, expand=True) as bar:
            task = bar.add_task("", total=total)
            yield lambda label, steps: bar.update(task, description=label, advance=steps)

    @contextlib.contextmanager
    def hidden():
        yield lambda label, steps: None

    return shown() if out.is_interactive else hidden()
