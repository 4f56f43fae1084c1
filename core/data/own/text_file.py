"""A text of one's own as a sequence of characters or words."""

from pathlib import Path

from ..dataset import DataSet, Info, Split
from ..files import DataError
from ..read import decode, read_path
from ..streams import whole_number
from ..text import Vocabulary, tokenise

LEAST = 100  # tokens; fewer leave nothing to test on
KINDS = 1000  # of characters: a text has some hundred, more is another encoding or no text


def from_text(path: str | Path, level: str = "char", min_count: int = 1) -> DataSet:
    """One long text as tokens int64 [T], cut in order into 90 / 5 / 5 %.

    path       a text file in UTF-8 (or .gz of one)
    level      "char", or "word" for the words of `tokenise`
    min_count  words that come less often in the training part are ``<unk>``

    Raises DataError for other bytes, for fewer than 100 tokens, and for more than 1000 kinds of
    characters.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.txt")
    ...     with open(path, "w") as file:
    ...         _ = file.write("abc " * 50)
    ...     data = from_text(path)
    >>> len(data.train), data.info.vocabulary.words
    (180, (' ', 'a', 'b', 'c'))
    """
    path = Path(path)
    if level not in ("char", "word"):
        raise DataError(f"level must be 'char' or 'word'; got {level!r:.60}")
    min_count = whole_number("from_text", "min_count", min_count, 1)
    text = decode(read_path(path), str(path), "utf-8-sig").replace("\r\n", "\n")
    tokens = text if level == "char" else tokenise(text)
    n = len(tokens)
    if n < LEAST:
        raise DataError(f"{path}: {n} {level}s are too few; at least {LEAST} are needed")
    a, b = n * 90 // 100, n * 95 // 100
    if level == "char":
        if len(set(text)) > KINDS:
            raise DataError(f"{path}: {len(set(text))} kinds of characters; is this a text?")
        vocabulary = Vocabulary(tuple(sorted(set(text))))
    else:
        vocabulary = Vocabulary.build([tokens[:a]], min_count=min_count)
    numbers = vocabulary.encode(tokens)
    parts = (Split(numbers[:a]), Split(numbers[a:b]), Split(numbers[b:]))
    how = "in order: 90 %, 5 %, 5 % of the text"
    kinds = f"{n:,} {level}s of {len(set(tokens)):,} kinds"
    if level == "word":
        kinds += f"; a vocabulary of {len(vocabulary):,} with <pad> and <unk>"
    info = Info(
        source=str(path), vocabulary=vocabulary, note=how, kind="text", understood=(kinds, how)
    )
    return DataSet(path.name, *parts, info)
