"""Bytes of a user's text file as text and lines."""

import codecs
import re
from collections.abc import Sequence

from ..files import DataError
from ..read import decode

_WORD = re.compile(r"[^ \t\n\r\v\f]+")


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun: `one` of one, `many` (by default with an s) of any other number.

    >>> counted(1, "class", "classes"), counted(0, "class", "classes"), counted(1200, "kind")
    ('1 class', '0 classes', '1,200 kinds')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def decoded(raw: bytes, name: str, encoding: str = "utf-8") -> str:
    """The text in `encoding`; a byte-order mark of UTF-8 is dropped, and lines end in a line feed.

    Raises DataError for an unknown encoding, for other bytes, and for a NUL character, with its
    line.

    >>> decoded(b"caf\\xe9\\r\\n", "d.txt", "latin-1")
    'café\\n'
    """
    try:
        known = codecs.lookup(encoding).name if isinstance(encoding, str) else ""
        text_encoding = known and codecs.lookup(known)._is_text_encoding
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        text_encoding = False
    if not text_encoding:
        raise DataError(f"{name}: there is no encoding {encoding!r:.60}; try utf-8 or latin-1")
    text = decode(raw, name, "utf-8-sig" if known == "utf-8" else known)
    text = text.replace("\r\n", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{name}, line {line}: a NUL character; this is no text")
    return text


def lines_of(text: str) -> list[str]:
    """The lines, without empty ones at the end. Only a line feed ends a line.

    `str.splitlines` would also break at U+0085 and U+2028, which occur inside sentences.

    >>> lines_of("a\\x85b\\nc\\n")
    ['a\\x85b', 'c']
    """
    text = text.rstrip("\n")
    return text.split("\n") if text else []


def spaced(line: str) -> list[str]:
    """What stands between the spaces of ASCII.

    `str.split` would also cut at U+0085 and U+00A0, which in Latin-1 files are parts of words.

    >>> spaced(" one\\ttwo caf\\xe9\\x85 ")
    ['one', 'two', 'café\\x85']
    """
    return _WORD.findall(line)


def listed(classes: Sequence[str], most: int = 12) -> str:
    """The first names in brackets.

    >>> listed(("a", "b", "c"), most=2)
    ' (a, b …)'
    """
    return f" ({', '.join(classes[:most])}{' …' if len(classes) > most else ''})"
