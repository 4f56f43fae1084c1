"""Every registered kernel: operation, pass, backend, version and the idea behind it."""

HELP = "the registered kernels, and the backends that run here"


def arguments(parser) -> None:
    """The operation to list, if not all."""
    parser.add_argument("op", metavar="OP", nargs="?", help="one operation only")


def run(args) -> int:
    """Print the registry, then which backends run here."""
    from ..core.machine import backends
    from ..core.terminal import console, good, table
    from ..kernels import OPERATIONS, implementations
    from ..kernels.errors import BackendError, nearest

    if args.op is not None and args.op not in OPERATIONS:
        hint = nearest(args.op, OPERATIONS)
        raise BackendError(f"unknown operation {args.op!r}{hint} (known: {', '.join(OPERATIONS)})")
    found = implementations(args.op)
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
