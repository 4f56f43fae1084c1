"""Arguments that several commands share."""

from ..core.usage import UsageError
from ..kernels.registry import BACKENDS


def data_arguments(parser) -> None:
    """--data, --data-dir, --set."""
    parser.add_argument("--data", metavar="D", help="data set, by default the system's own")
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument(
        "--set", metavar="K=V", nargs="+", action="extend", default=[], dest="sets",
        help="settings, such as lr=1e-3 hidden=[64,64] (`show NAME` lists them)",
    )  # fmt: skip


def device_arguments(parser) -> None:
    """--device, --backend; None where not given."""
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where the arrays are (cpu)")
    parser.add_argument("--backend", choices=BACKENDS, help="run every kernel on this backend")


def overrides(pairs) -> dict[str, str]:
    """``["lr=1e-3"]`` as a dictionary; the recipe turns the text into values."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set takes key=value; got {pair!r}")
        found[key.strip()] = value.strip()
    return found
