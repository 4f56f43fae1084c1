"""A text as numbers: words, pieces, windows compared with loops, counts, and what is held out."""

from collections import Counter

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataError, DataSet, Info, Split, Vocabulary, load
from glassgrad.models.embeddings import texts


def pieces(seed=0, n=6, words=9):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, words, rng.integers(1, 8)) for _ in range(n)]


def by_loops(parts, width):
    """(centre, context) a word at a time; `width` is a number or one for each word."""
    found, number = [], 0
    for piece in parts:
        for i, u in enumerate(piece):
            h = width if np.isscalar(width) else width[number]
            number += 1
            found += [(u, piece[j]) for j in range(len(piece)) if j != i and abs(i - j) <= h]
    return found


@pytest.mark.parametrize("width", [1, 2, 20])
def test_pairs_are_those_of_a_loop(width):
    parts = pieces()
    assert list(zip(*texts.near(parts, width))) == by_loops(parts, width)


def test_every_word_has_a_window_of_its_own_width():
    parts = pieces(1)
    width = np.random.default_rng(2).integers(1, 5, sum(map(len, parts)))
    assert list(zip(*texts.near(parts, width))) == by_loops(parts, width)


def test_words_together_are_counted(monkeypatch):
    monkeypatch.setattr(texts, "PIECE", 4)  # more than one round
    parts = pieces(3, n=10)
    n, want = texts.cooccurrence(parts, 2, 9), np.zeros((9, 9))
    for pair, times in Counter(by_loops(parts, 2)).items():
        want[pair] = times
    assert np.array_equal(n.toarray(), want) and np.array_equal(want, want.T)
    assert all((np.diff(n.indices[a:b]) > 0).all() for a, b in zip(n.indptr, n.indptr[1:]))


def test_common_words_are_thinned_out_as_often_as_they_should():
    counts = np.array([6000, 300, 3])
    share = texts.kept_share(counts, 1e-2)
    f = 6000 / 6303
    assert share[0] == pytest.approx((0.01 / f) ** 0.5 + 0.01 / f) and share[2] == 1
    parts = [np.repeat(np.arange(3), counts)] * 2
    left = texts.thinned(parts, share, gg.Generator(1))
    got = sum(np.bincount(p, minlength=3) for p in left)
    spread = 4 * np.sqrt(2 * counts * share * (1 - share))
    assert (np.abs(got - 2 * counts * share) <= spread).all() and len(left) == 2
    assert not np.array_equal(*left)


def text_of(lines, level="word"):
    tokens = "\n".join(lines)
    if level == "word":
        tokens = [w for line in lines for w in (*line.split(), "<eos>")]
    vocabulary = Vocabulary(tuple(sorted(set(tokens))))
    info = Info("mine", vocabulary=vocabulary, kind="text")
    return DataSet("d", Split(vocabulary.encode(tokens)), info=info)


LINES = ["a b a c", "b a", "a rare b", "c c"]


@pytest.mark.parametrize("level", ["word", "char"])
def test_rare_words_are_taken_out_and_the_commonest_is_first(level):
    data = texts.as_numbers(text_of(LINES, level), 2, whole=True)
    assert data.info.vocabulary.words == ("a", "b", "c")
    assert data.info.extra["counts"].tolist() == [4, 3, 3]
    got = [data.info.vocabulary.decode(p) for p in data.train.x]
    assert got == [["a", "b", "a", "c"], ["b", "a"], ["a", "b"], ["c", "c"]] and data.valid is None


def test_sentences_lose_their_marks():
    vocabulary = Vocabulary(("<pad>", "<unk>", "x", "y"))
    x = [np.array([2, 1, 3]), np.array([0, 3, 2])]
    data = DataSet("s", Split(x), info=Info(vocabulary=vocabulary, kind="sentences"))
    assert list(texts.lines_of(data)) == [["x", "y"], ["y", "x"]]


def test_one_line_in_twenty_is_held_out_and_long_lines_are_cut(monkeypatch):
    monkeypatch.setattr(texts, "PIECE", 3)
    lines = [f"w{i % 5} w{(i + 1) % 5} w{(i + 2) % 5} w{i % 5}" for i in range(45)]
    data = texts.as_numbers(text_of(lines), 1, whole=False)
    assert len(data.valid) == 2 and len(data.train) == 43  # of the fourth word there is no pair
    assert all(len(p) == 3 for p in data.train.x)
    assert len(texts.as_numbers(text_of(lines), 1, whole=True).train) == 45


def test_the_text_that_ships():
    data = texts.as_numbers(load("enwiki_piece"), 5, whole=False)
    assert len(data.info.vocabulary) == 4156 and data.info.vocabulary.words[0] == "the"
    counts = data.info.extra["counts"]
    got = np.bincount(np.concatenate([*data.train.x, *data.valid.x]), minlength=4156)
    assert np.array_equal(got, counts) and (np.diff(counts) <= 0).all() and counts[-1] >= 5


def test_a_text_without_pairs_is_one_clear_line():
    with pytest.raises(DataError, match=r"no line has two words that come 9 times .* 4 different"):
        texts.as_numbers(text_of(LINES), 9, whole=True)
    data = DataSet("d", Split(np.arange(3)), info=Info(kind="text"))
    with pytest.raises(DataError, match=r"need a text with a vocabulary"):
        texts.as_numbers(data, 1, whole=True)
