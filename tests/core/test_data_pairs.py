"""English and French pairs: the words, the split by sentence, both directions, damaged lines."""

import gzip
import hashlib
import zlib
from dataclasses import replace

import numpy as np
import pytest

from glassgrad.core.data import DataError, available, load, sets_pairs
from glassgrad.core.data.canon import FILES

MARKS = ("<pad>", "<unk>", "<bos>", "<eos>")


@pytest.fixture(scope="module")
def tutorial():
    return load("eng_fra_piece")


def test_the_tutorials_pairs(tutorial):
    d, target = tutorial, tutorial.info.extra["target_vocabulary"]
    assert [len(s) for _, s in d.splits()] == [10_691, 596, 535] and d.info.kind == "pairs"
    for part, split in d.splits():
        for x, y in zip(split.x, split.y):
            assert x.dtype == y.dtype == np.int64 and 1 <= len(x) <= 9 and 1 <= len(y) <= 9
            if part == "train":  # its words are the vocabulary
                assert x.min() > 3 and y.min() > 3
    french, english = set(), set()
    for _, split in d.splits():
        for y in split.y:
            text = " ".join(target.decode(y))
            assert sets_pairs.in_tutorial(text) or "<unk>" in text
    assert d.info.vocabulary.words[:4] == target.words[:4] == MARKS
    for side, vocabulary in ((french, d.info.vocabulary), (english, target)):
        side.update(vocabulary.words)
    assert len(french) <= 4668 + 4 and len(english) <= 3028 + 4, "the words of all three parts"


def test_all_translations_of_a_sentence_are_in_one_part(tutorial):
    target = tutorial.info.extra["target_vocabulary"]
    seen = {}
    for part, split in tutorial.splits():
        for y in split.y:
            text = " ".join(target.decode(y))
            if "<unk>" not in text:
                remainder = zlib.crc32(text.encode()) % 20
                assert part == {0: "test", 1: "valid"}.get(remainder, "train")
                assert seen.setdefault(text, part) == part


def test_the_other_direction_is_the_same_pairs(tutorial):
    other = load("eng_fra_piece", direction="eng-fra")
    assert other.info.extra["target_vocabulary"] == tutorial.info.vocabulary
    assert other.info.vocabulary == tutorial.info.extra["target_vocabulary"]
    for (_, a), (_, b) in zip(tutorial.splits(), other.splits()):
        assert all(map(np.array_equal, a.x, b.y)) and all(map(np.array_equal, a.y, b.x))
    assert other.info.extra["languages"] == ("eng", "fra")


@pytest.fixture
def forge(tmp_path, monkeypatch):
    """A made-up file in the place of fra.txt.gz."""

    def write(text: str, **options):
        raw = gzip.compress(text.encode())
        (tmp_path / "eng_fra").mkdir(exist_ok=True)
        (tmp_path / "eng_fra" / "fra.txt.gz").write_bytes(raw)
        new = replace(
            FILES["eng_fra/fra.txt.gz"], sha256=hashlib.sha256(raw).hexdigest(), size=len(raw)
        )
        monkeypatch.setitem(sets_pairs.FILES, "eng_fra/fra.txt.gz", new)
        return load("eng_fra", tmp_path, **options)

    return write


def test_options_on_a_made_up_file(forge):
    lines = ["I'm cold.\tJ'ai froid !", "Go!\tVa\u202f!", "He is Élan, 3.\tC’est Élan."]
    lines += [f"word {'x' * n}\tmot" for n in range(1, 60)] + ["a b c d e f g h i j\tz"]
    d = forge("\n".join(lines) + "\n")
    v, target = d.info.vocabulary, d.info.extra["target_vocabulary"]
    assert sum(len(s) for _, s in d.splits()) == 62, "ten words are one too many"
    assert len(forge("\n".join(lines), most=10).whole()) == 63
    pairs = {
        (" ".join(v.decode(x)), " ".join(target.decode(y)))
        for x, y in zip(d.whole().x, d.whole().y)
    }
    for pair in (("va !", "go !"), ("j ai froid !", "i m cold"), ("c est elan", "he is elan")):
        split = {"train": 0, "valid": 1, "test": 2}
        part = next(n for n, k in split.items() if k == sets_pairs.split_of(pair[1]))
        assert pair in pairs or part != "train"
    assert len(forge("\n".join(lines), tutorial=True).whole()) == 2
    few = forge("\n".join(lines), min_count=40)
    assert few.info.vocabulary.words == (*MARKS, "mot")
    assert few.info.extra["target_vocabulary"].words == (*MARKS, "word")


@pytest.mark.parametrize("bad", ["no tab", "a\tb\tc", ""])
def test_a_damaged_line_is_named(forge, bad):
    with pytest.raises(DataError, match=r"eng_fra/fra\.txt\.gz, line 2: expected English, tab"):
        forge(f"Go.\tVa !\n{bad}\nGo.\tVa !\n")


@pytest.mark.parametrize("direction", ["eng", "eng-eng", "fra-deu", "", None, 3])
def test_a_direction_that_is_none(direction):
    with pytest.raises(DataError, match="direction must be 'fra-eng' or 'eng-fra'"):
        load("eng_fra_piece", direction=direction)


def test_bad_numbers():
    with pytest.raises(DataError, match="eng_fra_piece: min_count must be from 1"):
        load("eng_fra_piece", min_count=0)
    with pytest.raises(DataError, match="eng_fra_piece has no option 'most'"):
        load("eng_fra_piece", most=3)


@pytest.mark.data
@pytest.mark.slow
def test_all_pairs_of_at_most_nine_words():
    if available("eng_fra") is None:
        pytest.skip("the file fra.txt.gz is not on this machine")
    d = load("eng_fra")
    assert [len(s) for _, s in d.splits()] == [100_415, 5_515, 5_488]
    every = sets_pairs.sentences("eng_fra/fra.txt.gz", most=10**6)
    assert len(every) == 142_787 and len({line for *_, line in every}) == 142_782
    short = [row for row in every if max(len(s.split()) for s in row[1:3]) < 10]
    assert len(short) == 111_418
    kept = [row for row in short if sets_pairs.in_tutorial(row[1])]
    assert len(kept) == 11_822
    french, english = ({w for row in kept for w in row[column].split()} for column in (2, 1))
    assert (len(french), len(english)) == (4668, 3028)
