r"""Word vectors in files of word2vec's two formats, which gensim, FastText and others read too.

    text     "V D\n", then for each word "word x_1 ... x_D\n", numbers in decimal
    binary   "V D\n", then for each word "word ", D numbers of 4 bytes (float32, lowest byte first)
             and, as word2vec's program writes it, "\n"; gensim writes none, and both can be read

Words are UTF-8 without white space. A damaged file is one clear error; nothing in it is executed.
"""

import os
import re
from pathlib import Path

import numpy as np

from ...core.atomic import write_atomic
from ...core.data import DataError, Vocabulary
from ...core.data.read import read_path

HEADER = re.compile(rb"\s*(\d{1,12}) +(\d{1,9})[ \t]*\r?\n")
FLOAT = np.dtype("<f4")


def save(path: str | os.PathLike, vocabulary: Vocabulary, vectors, binary: bool = False) -> None:
    """Write the vectors [V,D] of the words of a vocabulary; in text numbers are read back equal.

    Raises DataError where their number is not that of the words, for a word that the format cannot
    hold, and for vectors that are not finite; OSError where the file cannot be written.
    """
    write_atomic(Path(path), written(path, vocabulary, vectors, binary), OSError)


def of_run(system, data, s) -> dict[str, bytes]:
    """``vectors.bin`` for the run folder of a system with `vocabulary` and vectors `w` [V,D].

    There is none where the format cannot hold a word: of a text by characters, white space.
    """
    if not all(map(_holds, system.vocabulary.words)):
        return {}
    name = "vectors.bin"
    return {name: written(name, system.vocabulary, system.w.numpy(), binary=True)}


def written(path: str | os.PathLike, vocabulary: Vocabulary, vectors, binary: bool) -> bytes:
    """The content of the file at `path`, see `save`."""
    x = np.asarray(vectors)
    if x.ndim != 2 or len(x) != len(vocabulary) or x.dtype.kind != "f":
        raise DataError(f"{path}: expected vectors [{len(vocabulary)}, D]; got {x.dtype} {x.shape}")
    if not np.isfinite(x).all():
        raise DataError(f"{path}: a vector is not finite")
    x = x.astype(FLOAT)
    for word in vocabulary.words:
        if not _holds(word):
            raise DataError(f"{path}: the format cannot hold the word {word!r:.60}")
    parts = [b"%d %d\n" % x.shape]
    for word, row in zip(vocabulary.words, x):
        if binary:
            parts += [word.encode(), b" ", row.tobytes(), b"\n"]
        else:
            parts.append(" ".join([word, *map(str, row)]).encode() + b"\n")
    return b"".join(parts)


def _holds(word: str) -> bool:
    return word.split() == [word]


def load(path: str | os.PathLike, binary: bool | None = None) -> tuple[Vocabulary, np.ndarray]:
    """(vocabulary, vectors float32 [V,D]) of a file, which may be a ``.gz``.

    `binary` says which of the formats it is; None looks at the file. Raises DataError for a file
    that is neither, is cut off, has more or fewer vectors than it says, a word twice, or a number
    that is none.
    """
    path = Path(path)
    raw = read_path(path)
    header = HEADER.match(raw)
    if header is None:
        raise DataError(f"{path}: expected a first line of two numbers, words and length")
    count, size = int(header[1]), int(header[2])
    if not 0 < count * size <= len(raw):  # a number takes a byte at least
        raise DataError(
            f"{path}: {count} vectors of {size} numbers cannot be in a file of {len(raw)} bytes"
        )
    if binary is None:
        binary = not _looks_like_text(raw, header.end(), size)
    read = _binary if binary else _text
    words, vectors = read(path, raw, header.end(), count, size)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise DataError(f"{path}: the vector of {words[row]!r:.60} is not finite")
    try:
        return Vocabulary(tuple(words)), vectors
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _looks_like_text(raw: bytes, start: int, size: int) -> bool:
    """Is the first line after the header a word and as many numbers?"""
    end = raw.find(b"\n", start)
    fields = raw[start : end if end >= 0 else len(raw)].split()
    try:
        return len(fields) == size + 1 and all(len(f) < 40 and [float(f)] for f in fields[1:])
    except ValueError:
        return False


def _word(path: Path, raw: bytes, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path}: word {number} is not UTF-8") from None


def _text(path: Path, raw: bytes, start: int, count: int, size: int):
    lines = raw[start:].split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) != count:
        raise DataError(f"{path}: expected {count} vectors, got {len(lines)} lines")
    words, vectors = [], np.empty((count, size), np.float32)
    for i, line in enumerate(lines):
        word, *fields = line.split()[: size + 2] or [b""]
        if len(fields) != size:
            raise DataError(
                f"{path}, line {i + 2}: expected a word and {size} numbers, got {len(fields)}"
            )
        try:
            with np.errstate(over="ignore"):  # what float32 cannot hold is infinite
                vectors[i] = [float(f) for f in fields]
        except ValueError:
            raise DataError(f"{path}, line {i + 2}: a number is not one") from None
        words.append(_word(path, word, i + 1))
    return words, vectors


def _binary(path: Path, raw: bytes, start: int, count: int, size: int):
    words, vectors, at = [], np.empty((count, size), np.float32), start
    for i in range(count):
        space = raw.find(b" ", at)
        end = space + 1 + size * FLOAT.itemsize
        if space < 0 or end > len(raw):
            raise DataError(f"{path}: cut off in vector {i + 1} of {count}")
        words.append(_word(path, raw[at:space].lstrip(b"\n"), i + 1))
        vectors[i] = np.frombuffer(raw, FLOAT, size, space + 1)
        at = end
    if raw[at:].strip():
        raise DataError(f"{path}: {len(raw) - at} bytes after the last of {count} vectors")
    return words, vectors
