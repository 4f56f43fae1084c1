"""Parts of words and texts: published hashes, the paper's example, loops, Python's own integers."""

import numpy as np
import pytest

from glassgrad.models.embeddings import ngrams
from glassgrad.models.embeddings.ngrams import Subwords, fnv

# from the page of the hash's authors: http://www.isthe.com/chongo/tech/comp/fnv
PUBLISHED = {"": 0x811C9DC5, "a": 0xE40C292C, "b": 0xE70C2DE5, "foobar": 0xBF9CF968}


@pytest.mark.parametrize("text", PUBLISHED)
def test_the_hash_is_the_published_one(text):
    assert fnv(text) == PUBLISHED[text]


def test_bytes_beyond_ascii_are_signed_as_in_the_program():
    """h ^ uint32_t(int8_t(byte)), in NumPy's integers of 32 bits."""
    h = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for byte in np.frombuffer("été".encode(), np.int8):
            h = (h ^ byte.astype(np.uint32)) * np.uint32(16777619)
    assert fnv("été") == int(h)


def test_the_ngrams_of_where_are_those_of_the_paper():
    assert ngrams.character_ngrams("where", 3, 3) == ["<wh", "whe", "her", "ere", "re>"]
    every = set(ngrams.character_ngrams("where", 3, 6))
    whole = "<where>"
    assert every == {whole[a:b] for a in range(7) for b in range(a + 3, min(a + 6, 7) + 1)}
    assert ngrams.character_ngrams("a", 3, 6) == [] and ngrams.character_ngrams("her", 3, 0) == []


WORDS = ("her", "here", "where", "été")


@pytest.mark.parametrize("buckets", [0, 7])
def test_a_word_is_itself_and_its_ngrams(buckets):
    parts = Subwords(WORDS, 3, 4, buckets)
    grams = dict.fromkeys(g for w in WORDS for g in ngrams.character_ngrams(w, 3, 4))
    assert parts.size == 4 + (buckets or len(grams))
    for i, word in enumerate(WORDS):
        row, *rest = parts.rows(word).tolist()
        assert row == i
        for gram, r in zip(ngrams.character_ngrams(word, 3, 4), rest, strict=True):
            assert r == 4 + (fnv(gram) % 7 if buckets else list(grams).index(gram))
    unseen = parts.rows("they").tolist()  # <th the hey ey> <the they hey>, of which none is known
    assert len(unseen) == (7 if buckets else 0)
    assert len(parts.rows("there")) == (9 if buckets else 5)  # her ere re> here ere>


def test_lists_side_by_side_and_some_of_them():
    rng = np.random.default_rng(0)
    lists = [rng.integers(0, 99, n) for n in (3, 0, 2, 5)]
    items, first = ngrams.flat(lists)
    assert items.tolist() == [x for a in lists for x in a] and first.tolist() == [0, 3, 3, 5, 10]
    for which in ([2, 0, 1], [], [3, 3], [1]):
        got, place = ngrams.chosen(items, first, np.array(which, np.int64))
        assert got.tolist() == [x for i in which for x in lists[i]]
        assert place.tolist() == [p for p, i in enumerate(which) for _ in lists[i]]


def test_runs_of_words_have_the_programs_hash():
    """In Python's integers; the program's std::vector<int32_t> makes the hashes signed."""
    hashes = [fnv(w) for w in ("this", "was", "not", "good")]
    signed = [h - 2**32 if h >= 2**31 else h for h in hashes]
    assert min(signed) < 0 < max(signed)
    want = []
    for n in (2, 3):
        for i in range(4 - n + 1):
            h = signed[i]
            for more in signed[i + 1 : i + n]:
                h = (h * 116049371 + more) % 2**64
            want.append(h % 1000)
    got = ngrams.word_ngrams(np.array(hashes, np.uint64), 3, 1000)
    assert got.tolist() == want and got.dtype == np.int64
    assert ngrams.word_ngrams(np.array(hashes[:1], np.uint64), 3, 1000).tolist() == []
