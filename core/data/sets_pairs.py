"""Pairs of sentences: English and French, as lists of word numbers int64 [T_n], x to y."""

import re
import unicodedata
import zlib

from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .own.texts.pairs import pair_set
from .read import read_lines
from .streams import whole_number

LANGUAGES = ("eng", "fra")
STARTS = tuple(
    start + rest
    for start, rests in {
        "i ": ("am ", "m "), "he ": ("is", "s "), "she ": ("is", "s "), "you ": ("are", "re "),
        "we ": ("are", "re "), "they ": ("are", "re "),
    }.items()
    for rest in rests
)  # fmt: skip
_MARKS, _OTHERS = re.compile(r"([.!?])"), re.compile(r"[^a-zA-Z!?]+")


class _Accents(dict):
    """A table for `str.translate` that drops the marks without width, filled as they occur."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)) == "Mn" else code
        return self[code]


_ACCENTS = _Accents()


def normalised(sentence: str) -> str:
    """A sentence as words of a to z and the marks ! and ?, separated by single spaces.

    Lower case; accents off (NFD without marks); every run of other characters is a space, so that
    full stops and digits are gone. Source: PyTorch's tutorial on translation with attention.

    >>> normalised("Ça va, M. Élan ? Oui!")
    'ca va m elan ? oui !'
    """
    plain = sentence.lower().strip()
    if not plain.isascii():
        plain = unicodedata.normalize("NFD", plain).translate(_ACCENTS)
    return _OTHERS.sub(" ", _MARKS.sub(r" \1", plain)).strip()


def in_tutorial(english: str) -> bool:
    """Does a normalised English sentence begin as those of the tutorial do ("i am", "he s" …)?

    >>> in_tutorial("you re late"), in_tutorial("your train is late")
    (True, False)
    """
    return english.startswith(STARTS)


def split_of(english: str) -> int:
    """0 training, 1 validation, 2 test: by crc32 of the normalised English sentence, modulo 20.

    Remainder 0 is test, 1 is validation. All translations of a sentence are in one split.

    >>> [split_of(s) for s in ("i m happy", "i m hot", "he is a doctor")]
    [0, 1, 2]
    """
    return {0: 2, 1: 1}.get(zlib.crc32(english.encode()) % 20, 0)


def sentences(
    path: str, data_dir=None, most: int = 9, tutorial: bool = False
) -> list[tuple[int, str, str, str]]:
    """(split, English, French, line) of the pairs with at most `most` words on either side."""
    found = []
    for number, line in enumerate(read_lines(FILES[path], data_dir), 1):
        english, tab, french = line.partition("\t")
        if not tab or "\t" in french:
            raise DataError(f"{path}, line {number}: expected English, tab, French")
        english, french = normalised(english), normalised(french)
        longest = max(english.count(" "), french.count(" ")) + 1
        if longest <= most and (not tutorial or in_tutorial(english)):
            found.append((split_of(english), english, french, line))
    return found


def _pairs(name, path, data_dir, direction, most, tutorial, min_count) -> DataSet:
    source, dash, target = str(direction).partition("-")
    if not dash or {source, target} != set(LANGUAGES):
        raise DataError(f"{name}: direction must be 'fra-eng' or 'eng-fra'; got {direction!r:.60}")
    most = whole_number(name, "most", most, 1)
    min_count = whole_number(name, "min_count", min_count, 1)
    parts: list[tuple[list, list]] = [([], []), ([], []), ([], [])]
    for split, english, french, _ in sentences(path, data_dir, most, tutorial):
        words = {"eng": english.split(), "fra": french.split()}
        parts[split][0].append(words[source])
        parts[split][1].append(words[target])
    info = Info(
        str(find(FILES[path], data_dir).parent),
        note=f"{source} to {target}, at most {most} words; split by crc32 of the English sentence",
        extra={"languages": (source, target)},
    )
    return pair_set(name, [Split(one, two) for one, two in parts], min_count, info)


def eng_fra(
    data_dir=None,
    direction: str = "fra-eng",
    most: int = 9,
    tutorial: bool = False,
    min_count: int = 1,
) -> DataSet:
    """English and French sentences of Tatoeba: 111,418 pairs of at most nine words each.

    direction  "fra-eng": x is French and y English; or "eng-fra"
    most       words of either sentence; longer pairs (of 142,787) are left out
    tutorial   only sentences of PyTorch's tutorial ("i am", "he is" …): 11,822 pairs at most 9
    min_count  words that come less often in the training split are ``<unk>``

    Sentences are those of `normalised`. Each language has a vocabulary of its own,
    ``info.vocabulary`` and ``info.extra["target_vocabulary"]``, of the training split; both begin
    with ``<pad> <unk> <bos> <eos>``, which no sentence of x and y holds. The split is that of
    `split_of`: 100,415 / 5,515 / 5,488 pairs, with the tutorial's 10,691 / 596 / 535. A sentence
    often has several translations, and five pairs occur twice.
    Source: manythings.org/anki, file of 2017-09-29, from tatoeba.org.
    """
    return _pairs("eng_fra", "eng_fra/fra.txt.gz", data_dir, direction, most, tutorial, min_count)


def eng_fra_piece(data_dir=None, direction: str = "fra-eng", min_count: int = 1) -> DataSet:
    """The 11,822 pairs of `eng_fra` that PyTorch's tutorial keeps: the same as its `tutorial`.

    It ships with the package. Training, validation and test are 10,691 / 596 / 535 pairs.

    >>> d = eng_fra_piece()
    >>> d.info.vocabulary.decode(d.test.x[0]), [len(split) for _, split in d.splits()]
    (['je', 'suis', 'en', 'retard'], [10691, 596, 535])
    """
    path = "eng_fra_piece/eng_fra_piece.txt.gz"
    return _pairs("eng_fra_piece", path, data_dir, direction, 9, True, min_count)
