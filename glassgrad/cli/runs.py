"""List run folders: what was trained, how far training got, and the figure that sums it up.

glassgrad runs
glassgrad runs elsewhere/runs
"""

HELP = "the run folders in a folder, as a table"


def arguments(parser) -> None:
    """Where to look."""
    parser.add_argument("folder", metavar="DIR", nargs="?", default="runs", help="(runs)")


def run(args) -> int:
    """Print a row for each run."""
    from ..core.terminal import console, count, number, say, table
    from ..runs import find

    found, damaged = find(args.folder)
    rows = []
    for one in found:
        epochs = one.config["settings"].get("epochs", "")
        done = len(one.history)
        state = f"{done}" if one.result else f"{done} of {epochs}"
        value = f"{one.result['metric']} {number(one.result['value'])}" if one.result else ""
        rows.append((one.label, one.name, one.config["data"], state, value))
    columns = ("run", "system", "data", "epochs", "on held-out data")
    console().print(
        table(rows, *columns, title=f"{args.folder}: {count(len(rows), 'run')}", whole=("run",))
    )
    for reason in damaged:
        say(f"left out: {reason}")
    return 0
