"""Every registered kernel: operation, pass, backend, version and the idea behind it.

glassgrad kernels                 all, with those of installed packages
glassgrad kernels conv2d          one operation
glassgrad kernels my_blur.py      what a file of your own registers
"""

HELP = "the registered kernels, and the backends that run here"


def arguments(parser) -> None:
    """The operation to list, if not all."""
    parser.add_argument("op", metavar="OP", nargs="?", help="one operation, or a file of yours")


def run(args) -> int:
    """Print the registry, then which backends run here."""
    from ..core.machine import backends
    from ..core.terminal import console, good, table
    from ..kernels import implementations
    from ..kernels.errors import BackendError, nearest
    from ..kernels.own import opened
    from ..kernels.registry import operations

    wanted = [None] if args.op is None else [n.partition(".")[0] for n in opened(args.op)]
    for op in filter(None, wanted):
        if op not in operations():
            hint, known = nearest(op, operations()), ", ".join(operations())
            raise BackendError(f"unknown operation {op!r}{hint} (known: {known})")
    found = [r for op in wanted for r in implementations(op)]
    rows = [
        (
            f"{r.op}.{r.pass_}",
            r.backend,
            r.version,
            r.idea,
            "/".join(d.removeprefix("float") for d in r.dtypes),
            "yes" if r.deterministic else "no",
        )
        for r in found
    ]
    out = console()
    out.print(
        table(
            rows,
            "kernel",
            "backend",
            "v",
            "idea",
            "float",
            "determ.",
            numbers=("v",),
            whole=("kernel", "backend"),
        ),
        f"{len(found)} kernels\n",
    )
    state = [(name, good(ok), text) for name, (ok, text) in backends().items()]
    out.print(table(state, "backend", "runs here", "why"))
    return 0
