"""A text of one's own as a sequence of characters or words."""

from pathlib import Path

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import decode, read_path
from ...room import expect_room, unpacked_size
from ...streams import whole_number
from ...text import END, UNKNOWN, Vocabulary, tokenise
from ..lines import counted
from ..splits import OTHER, SPLITS, given_files, in_words

NOUNS = {"char": "character", "word": "word", "token": "token"}  # of the levels
LEAST = 100  # tokens; fewer leave nothing to test on
KINDS = 1000  # of characters: a text has some hundred, more is another encoding or no text
BYTES = 18  # of memory for a byte of the file, while it is read: 17 for characters, 15 for words


def from_text(
    path: str | Path, level: str = "char", min_count: int = 1,
    valid: str | Path | None = None, test: str | Path | None = None,
) -> DataSet:  # fmt: skip
    """One long text as tokens int64 [T], cut in order into 90 / 5 / 5 %.

    path       a text file in UTF-8 (or .gz of one)
    level      "char"; "word" for the words of `tokenise`; "token" for what stands between spaces,
               as it is, and ``<eos>`` at the end of each line: the format of the Penn Treebank
    min_count  words that come less often in the training part are ``<unk>``
    valid, test  texts that are these parts; only what is missing is cut from the end of `path`

    The vocabulary is that of the training part, of characters that of `path`; what only another
    file has is ``<unk>``. Raises DataError for other bytes, for fewer than 100 tokens, for more
    than 1000 kinds of characters, and for a text that would not fit into memory.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.txt")
    ...     with open(path, "w") as file:
    ...         _ = file.write("abc " * 50)
    ...     data = from_text(path)
    >>> len(data.train), data.info.vocabulary.words
    (180, (' ', 'a', 'b', 'c'))
    """
    path, files = Path(path), given_files(valid=valid, test=test)
    if level not in NOUNS:
        raise DataError(f"level must be 'char', 'word' or 'token'; got {level!r:.60}")
    min_count = whole_number("from_text", "min_count", min_count, 1)
    tokens = _tokens(path, level)
    n = len(tokens)
    if n < LEAST:
        raise DataError(f"{path}: {n} {NOUNS[level]}s are too few; at least {LEAST} are needed")
    others = {part: _tokens(file, level) for part, file in files.items()}
    for part, found in others.items():
        if len(found) < 2:
            raise DataError(
                f"{files[part]}: {len(found)} {NOUNS[level]}s are too few to predict any"
            )
    b = n if "test" in files else n * 95 // 100
    a = b if "valid" in files else b - n * 5 // 100 if "test" in files else n * 90 // 100
    own = {part: found for part, found in others.items() if part != OTHER}
    vocabulary = _vocabulary(tokens if level == "char" else tokens[:a], level, min_count, own)
    if OTHER in others and UNKNOWN not in vocabulary:
        _expect_known(files[OTHER], others[OTHER], vocabulary)
    cut = dict(zip(SPLITS, (tokens[:a], tokens[a:b], tokens[b:]))) | others
    cut["test"] = others.get(OTHER, cut["test"])
    parts = [Split(vocabulary.encode(cut[part])) for part in SPLITS]
    if not files.keys() & set(SPLITS):
        how = "in order: 90 %, 5 %, 5 % of the text"
    else:
        how = in_words(parts, others, "in order")
    kinds = f"{counted(n, NOUNS[level])}, {len(set(tokens)):,} different"
    if level != "char":
        special = [w for w in ("<pad>", UNKNOWN) if w in vocabulary]
        kinds += f"; a vocabulary of {len(vocabulary):,}"
        kinds += f" with {' and '.join(special)}" if special else ""
    known = set(tokens)
    new = {
        part: f"{part}: {counted(len(set(found) - known), NOUNS[level])} that the training file has"
        f" not: {UNKNOWN}"
        for part, found in others.items()
        if set(found) - known
    }
    info = Info(
        source=str(path), vocabulary=vocabulary, note=how, kind="text",
        understood=(kinds, *new.values(), how),
        other=tuple(line for part, line in new.items() if part == OTHER),
    )  # fmt: skip
    return DataSet(path.name, *parts, info)


def _tokens(path: Path, level: str) -> str | list[str]:
    """The characters, or words, of one file."""
    if path.is_file():
        size = unpacked_size(path)
        expect_room(path, BYTES * size, f"a text of {size:,} bytes")
    text = decode(read_path(path), str(path), "utf-8-sig").replace("\r\n", "\n")
    if level == "char":
        if len(set(text)) > KINDS:
            raise DataError(f"{path}: {len(set(text))} kinds of characters; is this a text?")
        return text
    if level == "word":
        return tokenise(text)
    return [word for line in text.rstrip("\n").split("\n") for word in (*line.split(), END)]


def _expect_known(path: Path, text: str, vocabulary: Vocabulary) -> None:
    """Raises DataError, with line and column, for a character that has no number."""
    for character in sorted(set(text) - set(vocabulary.words), key=text.index)[:1]:
        before = text[: text.index(character)]
        raise DataError(
            f"{path}, line {before.count(chr(10)) + 1}, column"
            f" {len(before) - before.rfind(chr(10))}: the training text has no {character!r}"
        )


def _vocabulary(train, level: str, min_count: int, others: dict) -> Vocabulary:
    if level == "word":
        return Vocabulary.build([train], min_count=min_count)
    known = set(train)
    if level == "char":
        new = any(set(found) - known for found in others.values())
        return Vocabulary(((UNKNOWN,) if new else ()) + tuple(sorted(known)))
    first = () if UNKNOWN in known else (UNKNOWN,)
    return Vocabulary.build([train], first=first, min_count=min_count)
