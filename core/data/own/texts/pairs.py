"""Pairs of sentences of one's own, such as translations: a source and a target on each line."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...batches import order
from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import read_path
from ...streams import check_seed, whole_number
from ...text import END, PAD, UNKNOWN, Vocabulary, tokenise
from ..lines import counted, decoded, lines_of
from ..peek import head_lines
from ..splits import LEAST, OTHER, SPLITS, given_files, in_words, instead

BEGIN = "<bos>"
SPECIAL = (PAD, UNKNOWN, BEGIN, END)  # the first words of both vocabularies
LONGEST = 100_000  # characters of a sentence
_WORD = re.compile(r"[^\W_]|[^\w\s\\]")  # what `tokenise` takes for a word or the start of one


def from_pairs(
    path: str | Path,
    encoding: str = "utf-8",
    min_count: int = 1,
    seed: int = 0,
    valid: str | Path | None = None,
    test: str | Path | None = None,
) -> DataSet:
    """Pairs of sentences: x the words of the source, y those of the target, lists of int64 [T_n].

    path       a text file (or .gz of one), a pair a line: source, tab, target. A third column, as
               manythings.org writes its attribution, is ignored
    min_count  words that come less often in the training part are ``<unk>``
    seed       of the split: a tenth of the distinct source sentences for validation, a fifth for
               the test. All translations of a sentence are in one part
    valid, test  files of pairs, which are these parts

    Words are those of `words`. Each language has a vocabulary of its own, ``info.vocabulary`` and
    ``info.extra["target_vocabulary"]``; both begin with ``<pad> <unk> <bos> <eos>``, which no
    sentence of x and y holds. Raises DataError, with the line, for a line without two sentences.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.tsv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("".join(f"Go {i}!\\tVa {i} !\\n" for i in range(20)))
    ...     data = from_pairs(path)
    >>> data.info.vocabulary.decode(data.test.x[0]), len(data.train)
    (['go', '<unk>', '!'], 14)
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    pairs, more = _read(path, encoding)
    given = {}
    for part, file in files.items():
        found, others = _read(file, encoding)
        given[part], more = Split([a for a, _ in found], [b for _, b in found]), more + others
    parts, how = split_by_source(pairs, str(path), seed, given)
    total = len(pairs) + sum(map(len, given.values()))
    said = [f"{counted(total, 'pair')} of sentences, separated by a tab"]
    if more:
        said.append(f"a third column on {counted(more, 'line')} is ignored")
    for part, found in given.items():
        known = {tuple(a) for a, _ in pairs}
        again = sum(tuple(a) in known for a in found.x)
        said += [f"{part}: {counted(again, 'source')} of the training file"] * (again > 0)
    return pair_set(path.name, parts, min_count, Info(str(path), note=how), said)


def looks_like_pairs(path: Path) -> bool:
    """Do the first lines hold two sentences each, separated by a tab, with several words?"""
    lines = head_lines(path)
    cells = [line.split("\t") for line in lines]
    if len(cells) < LEAST or any(not 2 <= len(c) <= 3 for c in cells):
        return False
    if any(not c[0].strip() or not c[1].strip() for c in cells):
        return False
    if len({len(c) for c in cells}) > 1 or (len(cells[0]) == 3 and not _attribution(cells)):
        return False
    sides = [[c[k] for c in cells] for k in (0, 1)]
    return all(
        len(set(side)) > len(side) // 4 and sum(_is_sentence(s) for s in side) > len(side) // 2
        for side in sides
    )


def parse_pairs(text: str, name: str) -> list[tuple[str, str]]:
    """(source, target) of every line ``source, tab, target``; what follows a second tab is ignored.

    Raises DataError, with the line of `name`, for a line with one column and for an empty sentence.

    >>> parse_pairs("Go.\\tVa !\\nRun!\\tCours !\\tCC-BY\\n", "fra.txt")
    [('Go.', 'Va !'), ('Run!', 'Cours !')]
    """
    found = []
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        source, tab, rest = line.partition("\t")
        target = rest.partition("\t")[0]
        where = f"{name}, line {number}"
        if not tab:
            raise DataError(f"{where}: expected source, tab, target; there is no tab")
        for column, sentence in enumerate((source, target), 1):
            if not _WORD.search(sentence):
                raise DataError(f"{where}, column {column}: there are no words")
            if len(sentence) > LONGEST:
                raise DataError(f"{where}, column {column}: {len(sentence):,} characters")
        found.append((source.strip(), target.strip()))
    if not found:
        raise DataError(f"{name} holds no pairs of sentences")
    return found


def words(sentence: str) -> list[str]:
    """The words of a sentence, as `tokenise` cuts them; accents are composed (NFC) before.

    The typographic apostrophe is the plain one, so that both spellings of a word are one.

    >>> words("Qu’est-ce que c'est ?")
    ["qu'est", '-', 'ce', 'que', "c'est", '?']
    """
    return tokenise(unicodedata.normalize("NFC", sentence).replace("’", "'"))


def split_by_source(
    pairs: Sequence[tuple[list[str], list[str]]],
    name: str,
    seed: int,
    given: dict[str, Split] | None = None,
) -> tuple[list[Split], str]:
    """(parts, how): pairs of word lists in three parts; pairs of one source stay together.

    A tenth of the distinct sources is for validation, a fifth for the test, by order(n, seed), but
    for parts that are `given`. Raises DataError for fewer than ten.
    """
    if given and OTHER in given:
        rest = {part: found for part, found in given.items() if part != OTHER}
        parts, how = split_by_source(pairs, name, seed, rest)
        return instead(parts, given), how
    place: dict[tuple, int] = {}
    of = np.array([place.setdefault(tuple(a), len(place)) for a, _ in pairs], np.int64)
    n, given = len(place), given or {}
    if n < LEAST and len(given) < 2:
        raise DataError(
            f"{name}: {n} distinct source sentences are too few to split; at least {LEAST} are"
            " needed"
        )
    seed = check_seed("from_pairs", seed)
    valid = 0 if "valid" in given else n // 10
    test = 0 if "test" in given else n // 5
    part_of = np.zeros(n, np.int64)
    shuffled = order(n, seed)
    part_of[shuffled[n - valid - test : n - test]] = 1
    part_of[shuffled[n - test :]] = 2
    parts = []
    for k, part in enumerate(SPLITS):
        if part in given:
            parts.append(given[part])
            continue
        chosen = np.flatnonzero(part_of[of] == k)
        parts.append(Split([pairs[i][0] for i in chosen], [pairs[i][1] for i in chosen]))
    if given:
        return parts, in_words(parts, given, f"by distinct source sentence, seed {seed}")
    sizes = "/".join(str(len(p)) for p in parts)
    return parts, f"random split {sizes} by distinct source sentence, seed {seed}"


def pair_set(
    name: str, parts: Sequence[Split | None], min_count: int, info: Info, said: Sequence[str] = ()
) -> DataSet:
    """Parts of word lists (x the sources, y the targets) as numbers, with two vocabularies.

    The vocabularies are those of the training part; `said` begins ``info.understood``.
    """
    min_count = whole_number(name, "min_count", min_count, 1)
    source, target = (
        Vocabulary.build(sentences, first=SPECIAL, min_count=min_count)
        for sentences in (parts[0].x, parts[0].y)
    )
    numbered = [
        None
        if part is None
        else Split([source.encode(a) for a in part.x], [target.encode(b) for b in part.y])
        for part in parts
    ]
    kinds = f"vocabularies of {len(source):,} and {len(target):,} with {' '.join(SPECIAL)}"
    info = replace(
        info, kind="pairs", vocabulary=source,
        extra={**info.extra, "target_vocabulary": target},
        understood=(*said, kinds, *filter(None, [info.note])),
    )  # fmt: skip
    return DataSet(name, *numbered, info)


def _read(path: Path, encoding: str) -> tuple[list[tuple[list[str], list[str]]], int]:
    """The words of all pairs of a file, and the number of lines with more than two columns."""
    text = decoded(read_path(path), str(path), encoding)
    found = [(words(a), words(b)) for a, b in parse_pairs(text, str(path))]
    return found, sum(line.count("\t") > 1 for line in lines_of(text))


def _is_sentence(cell: str) -> bool:
    """Letters, and a space or a mark at the end: neither an identifier nor a number."""
    cell = cell.strip()
    return any(map(str.isalpha, cell)) and (" " in cell or cell[-1] in ".!?…。！？")


def _attribution(cells: list[list[str]]) -> bool:
    return sum("CC-BY" in c[2] for c in cells) > len(cells) // 2
