"""Arguments that several commands share."""

import re

from ..core.usage import UsageError
from ..kernels.registry import BACKENDS

LONGEST = 300  # characters of a line about the data


def data_arguments(parser) -> None:
    """--data, --label, --read, --data-dir, --set."""
    parser.add_argument(
        "--data", metavar="D", help="data set, file or folder; by default the system's own set"
    )
    reading_arguments(parser)
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")
    parser.add_argument(
        "--set", metavar="K=V", nargs="+", action="extend", default=[], dest="sets",
        help="settings, such as lr=1e-3 hidden=[64,64] (`show NAME` lists them)",
    )  # fmt: skip


def reading_arguments(parser) -> None:
    """--label, --read: options for the reader of a file or folder, or the loader of a name."""
    parser.add_argument("--label", metavar="COLUMN", help="of a table: name or number, or none")
    parser.add_argument(
        "--read", metavar="K=V", nargs="+", action="extend", default=[],
        help="how data are read, such as test=t.csv level=word size=28 kind=binary header=no",
    )  # fmt: skip


def reading(args) -> dict:
    """The options for a reader that the command line holds: numbers, yes and no, texts."""
    found = {k: _plain(v) for k, v in overrides(args.read, "--read").items()}
    return found if args.label is None else found | {"label": args.label}


def _plain(text: str):
    """A value as a reader takes it.

    >>> _plain("no"), _plain("28"), _plain("28,20"), _plain("word")
    (False, 28, (28, 20), 'word')
    """
    if text in ("yes", "no"):
        return text == "yes"
    parts = text.split(",")
    if all(re.fullmatch(r"-?[0-9]{1,18}", p) for p in parts):
        numbers = tuple(map(int, parts))
        return numbers if len(numbers) > 1 else numbers[0]
    return text


def shortened(lines, most: int) -> list[str]:
    """At most so many lines: of more, the first and the last two, which say label and split.

    Long ones, such as those that list classes, are cut.

    >>> shortened(["rows", "a", "b", "c", "d", "label", "split"], 5)
    ['rows', 'a', '… 3 lines more, in info.understood of gg.data.read', 'label', 'split']
    """
    kept = [line if len(line) <= LONGEST else f"{line[:LONGEST]} …" for line in lines]
    if len(kept) <= most:
        return kept
    more = f"… {len(kept) - most + 1} lines more, in info.understood of gg.data.read"
    return [*kept[: most - 3], more, *kept[-2:]]


def source(args, recipe):
    """The `Source` that the command line names, by default the recipe's own data set."""
    from ..sources import Source

    return Source.of(args.data or recipe.data, args.data_dir, reading(args))


def expect_ending(path: str, ending: str, option: str = "--out") -> None:
    """UsageError where the name of a file that is written says that it is something else.

    >>> expect_ending("said.csv", ".csv")
    """
    if not path.lower().endswith(ending):
        raise UsageError(f"{option} {path}: let the name of the file end in {ending}")


def device_arguments(parser) -> None:
    """--device, --backend; None where not given."""
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where the arrays are (cpu)")
    parser.add_argument("--backend", choices=BACKENDS, help="run every kernel on this backend")


def overrides(pairs, option: str = "--set") -> dict[str, str]:
    """``["lr=1e-3"]`` as a dictionary; the recipe turns the text into values."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"{option} takes key=value; got {pair!r}")
        found[key.strip()] = value.strip()
    return found
