"""Files that judge word vectors: analogies in sections, and pairs of words with a score."""

import re
from pathlib import Path

from ...dataset import Info
from ...files import DataError
from ...read import read_path
from ...text import WordEval
from ..lines import counted, decoded, lines_of
from ..peek import head_lines

MOSTLY = 0.9  # of the first lines; what is wrong with the others, the reader says
_SCORED = re.compile(r"[^\t]+\t[^\t]+\t\s*[0-9]+(?:\.[0-9]*)?\s*$")
Analogies = dict[str, list[tuple[str, str, str, str]]]
Scored = list[tuple[str, str, float]]


def from_analogies(path: str | Path, encoding: str = "utf-8") -> WordEval:
    """Analogies as word2vec's questions-words.txt has them: ``: section``, then ``a b c d`` a line.

    Raises DataError, with the line, for a line that is neither.
    """
    path = Path(path)
    text = decoded(read_path(path), str(path), encoding)
    found = parse_analogies(lines_of(text), str(path))
    n = counted(sum(map(len, found.values())), "analogy", "analogies")
    said = f"{n} in {counted(len(found), 'section')}"
    info = Info(str(path), kind="evaluation", understood=(said,))
    return WordEval(path.name, found, [], info)


def from_scored_words(path: str | Path, encoding: str = "utf-8") -> WordEval:
    """Pairs of words with a score, as WordSim-353 has them: word, tab, word, tab, score a line.

    Lines that begin with # are comments. Raises DataError, with the line, for another line and for
    a score outside 0 … 10.
    """
    path = Path(path)
    text = decoded(read_path(path), str(path), encoding)
    found = parse_scored_words(lines_of(text), str(path))
    said = f"{counted(len(found), 'pair')} of words with a score from 0 to 10"
    return WordEval(path.name, {}, found, Info(str(path), kind="evaluation", understood=(said,)))


def parse_analogies(lines: list[str], name: str) -> Analogies:
    """{section: [(a, b, c, d)]} of the lines of a file.

    >>> parse_analogies([": capitals", "Athens Greece Oslo Norway"], "d.txt")
    {'capitals': [('Athens', 'Greece', 'Oslo', 'Norway')]}
    """
    found: Analogies = {}
    section: list | None = None
    for number, line in enumerate(lines, 1):
        words = line.split()
        if line.startswith(": "):
            section = found.setdefault(line[2:].strip(), [])
        elif words and (len(words) != 4 or section is None):
            raise DataError(f"{name}, line {number}: expected a section or four words")
        elif words:
            section.append(tuple(words))
    if not any(found.values()):
        raise DataError(f"{name} holds no analogies")
    return found


def parse_scored_words(lines: list[str], name: str) -> Scored:
    """[(word, word, score)] of the lines of a file.

    >>> parse_scored_words(["# of WordSim-353", "tiger\\tcat\\t7.35"], "d.tsv")
    [('tiger', 'cat', 7.35)]
    """
    found: Scored = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        try:
            a, b, score = line.split("\t")
            found.append((a.strip(), b.strip(), float(score)))
        except ValueError as error:
            raise DataError(f"{name}, line {number}: expected word, word, score") from error
        if not all(found[-1][:2]):
            raise DataError(f"{name}, line {number}: a word is empty")
        if not 0 <= found[-1][2] <= 10:
            raise DataError(f"{name}, line {number}: a score from 0 to 10, got {score[:20]!r}")
    if not found:
        raise DataError(f"{name} holds no pairs of words")
    return found


def looks_like_analogies(path: Path) -> bool:
    """Does it begin with a section, and have nearly all other first lines four words each?"""
    lines = head_lines(path)
    if not lines or not lines[0].startswith(": "):
        return False
    words = [line.split() for line in lines if not line.startswith(": ")]
    return bool(words) and sum(len(w) == 4 for w in words) >= MOSTLY * len(words)


def looks_like_scored_words(path: Path) -> bool:
    """Does it begin with a comment, and are nearly all other first lines word, word, score?

    Without a comment it may as well be a table, or a graph with weights.
    """
    lines = head_lines(path)
    if not lines or not lines[0].startswith("#"):
        return False
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    return bool(lines) and sum(map(bool, map(_SCORED.match, lines))) >= MOSTLY * len(lines)
