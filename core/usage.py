"""What command lines share: the error of wrong usage, checked values, and help that folds nowhere
but on a terminal.
"""

import argparse
import sys
from collections.abc import Callable

UNFOLDED = 1_000_000  # columns where output is no terminal: more than any line takes


class UsageError(Exception):
    """The command line makes no sense; `glassgrad` ends with exit code 2."""


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse.

    >>> positive("3")
    3
    """
    value = int(text)
    if value < 1:
        raise ValueError
    return value


positive.__name__ = "whole number above 0"  # argparse puts it into its message


def folding(kind: type = argparse.HelpFormatter, **options) -> Callable:
    """A `formatter_class` for argparse: it folds on a terminal, and in a pipe or a file nothing.

    argparse's own takes the width from COLUMNS wherever the output goes.
    """

    def formatter(prog):
        width = {} if sys.stdout.isatty() else {"width": UNFOLDED}
        return kind(prog, **options, **width)

    return formatter
