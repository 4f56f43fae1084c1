"""The command line: ``glassgrad COMMAND``. One file for each command.

A command's module has ``HELP`` (one line), ``arguments(parser)`` and ``run(args) -> exit code``. It
imports what it needs inside `run`, so that ``glassgrad --help`` stays quick.

Exit codes: 0 done; 1 an error, or a check that failed; 2 wrong usage; 130 stopped by Ctrl-C;
141 nobody reads the output any more.
"""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from ..core.usage import UsageError, folding
from ..kernels.errors import GlassgradError, nearest, printable
from . import own_files

# command -> file of this folder ("list" would hide the type)
COMMANDS = {
    "demo": "demo",
    "list": "listing",
    "show": "show",
    "train": "train",
    "sample": "sample",
    "evaluate": "evaluate",
    "predict": "predict",
    "runs": "runs",
    "compare": "compare",
    "data": "data",
    "reproduce": "reproduce",
    "lectures": "lectures",
    "gradcheck": "gradcheck",
    "kernels": "kernels",
    "lab": "lab",
    "bench": "bench",
    "compile": "compiling",
    "doctor": "doctor",
}


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are raised, with the nearest right name."""

    def __init__(self, **kwargs):
        super().__init__(allow_abbrev=False, **kwargs)

    def error(self, message):
        raise UsageError(f"{message} (see {self.prog} --help)")

    def parse_args(self, args=None, namespace=None):
        found, extra = self.parse_known_args(args, namespace)
        if extra:
            parser = self._sub(found.command)
            options = [s for action in parser._actions for s in action.option_strings]
            parser.error(f"unknown argument {extra[0]!r}{_hint(extra, options)}")
        return found

    def _sub(self, name):
        return self.commands.choices[name] if name else self


def _hint(extra: Sequence[str], options: list[str]) -> str:
    """What was meant by an unknown argument: an option of much that name, or a setting."""
    from ..core.training.settings import TrainingSettings

    if "--set" not in options or not extra[0].startswith("--"):
        return nearest(extra[0], options)
    name, _, value = extra[0].removeprefix("--").partition("=")
    near = nearest(extra[0], options, cutoff=0.75)
    if near and name not in TrainingSettings.rules():
        return near
    value = value or next((word for word in extra[1:2] if not word.startswith("-")), "…")
    return f"; settings are given by --set, such as --set {name}={value}"


class _Version(argparse.Action):
    """Prints one line; argparse's own action would fold it."""

    def __call__(self, parser, namespace, values, option_string=None):
        from .. import __version__, checkout

        print(f"{parser.prog} {__version__}, {checkout.copy()}")
        parser.exit()


def _module(command: str):
    return importlib.import_module(f".{COMMANDS[command]}", __name__)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = _Parser(
        prog="glassgrad",
        description="A glass-box deep-learning laboratory: train, look inside, check, compare.",
        formatter_class=folding(max_help_position=18),
        epilog="GLASSGRAD_DEBUG=1..4 says more; GLASSGRAD_DATA names a folder of data sets.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="version, and which copy this is")
    top.commands = top.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=_Parser
    )
    for name in COMMANDS:
        module = _module(name)
        sub = top.commands.add_parser(name, help=module.HELP, description=module.__doc__)
        sub.formatter_class = folding(argparse.RawDescriptionHelpFormatter)
        module.arguments(sub)
    return top


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    first = argv[0] if argv else ""
    if first and not first.startswith("-") and first not in COMMANDS:
        hint = nearest(first, COMMANDS)
        raise UsageError(f"unknown command {first!r}{hint} (known: {', '.join(COMMANDS)})")
    top = parser()
    args = top.parse_args(argv)
    args.argv = list(argv)
    if args.command is None:
        top.print_help()
        raise SystemExit(0)
    return args


def _run(argv: Sequence[str]) -> int:
    try:
        args = _parse(argv)
    except SystemExit as stop:  # --help, --version
        return stop.code or 0
    return _module(args.command).run(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code and prints every expected error as one message."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an ASCII terminal shows ? for a Greek letter
            stream.reconfigure(errors="replace")
    try:
        code = _run(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
        return code
    except (UsageError, GlassgradError, KeyboardInterrupt, MemoryError, OSError) as error:
        return said(error)
    except Exception as error:
        if not own_files.told(error):
            raise
        return said(error)


def said(error: BaseException, who: str = "") -> int:
    """Print an error as one message, or with its traceback if it is not expected: its exit code.

    `who` comes before the message: the process that has it, if it is one of several.
    """
    if isinstance(error, UsageError):
        return _fail(who + str(error), 2)
    if isinstance(error, BrokenPipeError):
        _silence()
        return 141
    if isinstance(error, KeyboardInterrupt):
        return _fail(who + (str(error) or "stopped"), 130)
    place = own_files.place(error)
    place = f"\n  at {place}" * bool(place)
    if isinstance(error, GlassgradError):
        return _fail(f"{who}{error}{place}", 1)
    if isinstance(error, MemoryError):
        return _fail(f"{who}not enough memory: {error}{place}", 1)
    if isinstance(error, OSError):
        _flush()
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{who}{where}{error.strerror or error}{place}", 1)
    if who:
        print(f"glassgrad: {who}{type(error).__name__}", file=sys.stderr)
    told = "" if _debugging() else own_files.told(error)
    print(told or "".join(traceback.format_exception(error)), end="", file=sys.stderr)
    return 1


def _debugging() -> bool:
    return os.environ.get("GLASSGRAD_DEBUG", "0") not in ("", "0")


def _fail(message: str, code: int) -> int:
    if code == 1 and _debugging():
        traceback.print_exc()
    print(f"glassgrad: {printable(message)}", file=sys.stderr)
    return code


def _flush() -> None:
    """Write out what was printed before an error; a full disk may be that very error."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence()


def _silence() -> None:
    """Point the closed or full standard output elsewhere, so that Python's exit does not fail."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return  # not a file, as under a test
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)
