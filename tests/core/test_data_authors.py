"""Pieces of an encyclopedia and of Shakespeare: what is in them; no split has what another has."""

import re
from collections import Counter

import numpy as np
import pytest

from glassgrad.core.data import DataError, load

FIGURES = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}


def texts(data, split):
    return [" ".join(data.info.vocabulary.decode(x)) for x in split.x]


def spoken():
    """The play's lines but for those that name a speaker: after an empty line, with a colon."""
    source = load("shakespeare_piece")
    numbers = np.concatenate([s.x for _, s in source.splits()])
    lines = "".join(source.info.vocabulary.decode(numbers)).split("\n")
    named = [i for i, line in enumerate(lines) if line.endswith(":") and not (i and lines[i - 1])]
    return [line for i, line in enumerate(lines) if i not in set(named)], [lines[i] for i in named]


@pytest.fixture(scope="module")
def whole():
    """All words, and long pieces."""
    return load("enwiki_or_shakespeare", words=50, shared=0)


def test_both_authors_have_as_many_pieces_of_the_same_length():
    data = load("enwiki_or_shakespeare")
    assert [len(s) for _, s in data.splits()] == [3586, 512, 1026]
    assert data.info.classes == ("encyclopedia", "Shakespeare")
    for _, split in data.splits():
        assert np.bincount(split.y).tolist() == [len(split) // 2] * 2
        assert {len(x) for x in split.x} == {20}


def test_words_that_are_left_occur_ten_times_in_the_training_pieces_of_each():
    data = load("enwiki_or_shakespeare")
    words, everything = data.info.vocabulary.words, load("enwiki_or_shakespeare", shared=0)
    counts = [Counter(), Counter()]
    for text, y in zip(texts(everything, everything.train), everything.train.y):
        counts[y].update(text.split())
    want = {w for w in counts[0] | counts[1] if min(c[w] for c in counts) >= 10}
    assert want == set(words[2:]) and len(want) == 97
    for part in ("train", "valid", "test"):  # and all others are unknown, where they stood
        pairs = zip(texts(everything, getattr(everything, part)), texts(data, getattr(data, part)))
        for full, masked in list(pairs)[::50]:
            for w, m in zip(full.split(), masked.split(), strict=True):
                assert m == (w if w in want else "<unk>")


def test_no_typography_tells_them_apart(whole):
    for w in whole.info.vocabulary.words[2:]:
        assert re.fullmatch("[a-z]{2,}|[aio]", w) and w not in FIGURES


def test_the_names_of_speakers_are_left_out(whole):
    said = Counter(w for text in texts(whole, whole.train) for w in text.split())
    headings = spoken()[1]
    assert headings.count("MENENIUS:") > 100 > said["menenius"] > 0, "he is spoken of and to"
    assert said["citizen"] < 20 < sum("Citizen" in h for h in headings)


def test_plays_are_cut_in_order_and_places_are_in_one_split(whole):
    play = re.sub("[^a-z]+", " ", " ".join(spoken()[0]).lower())
    plain = " ".join(w for w in play.split() if w not in FIGURES and (len(w) > 1 or w in "aio"))
    articles = {}
    corpus = load("enwiki_piece")
    for line, (_, title) in zip(corpus.lines(), corpus.titles()):
        kept = (w for w in line.split() if w not in FIGURES and (len(w) > 1 or w in "aio"))
        articles[title] = " ".join(kept)
    last, places = -1, {}
    for name, split in whole.splits():
        for x, y in zip(split.x, split.y):
            known = [whole.info.vocabulary.words[i] for i in x]
            if "<unk>" in known:  # of held-out pieces: a run of known words stands for them
                runs = " ".join(known).split("<unk>")
                known = max(runs, key=len).split()
            if y and len(known) == 50:
                at = plain.index(" ".join(known))
                assert at > last
                last = at
            elif not y and len(known) > 12:
                there = {t.split(" of ", 1)[1] for t, text in articles.items()
                         if " ".join(known) in text}  # fmt: skip
                if len(there) == 1:
                    places.setdefault(there.pop(), set()).add(name)
    assert len(places) > 40 and all(len(names) == 1 for names in places.values())
    assert len({names.copy().pop() for names in places.values()}) == 3


def test_wrong_options_are_refused():
    with pytest.raises(DataError, match="enwiki_or_shakespeare: words must be"):
        load("enwiki_or_shakespeare", words=0)
    with pytest.raises(DataError, match="enwiki_or_shakespeare: shared must be"):
        load("enwiki_or_shakespeare", shared=-1)


def test_words_that_became_unknown_are_kept_in_their_order():
    whole, few = (load("enwiki_subjects", min_count=n) for n in (1, 9))
    lost = few.info.extra["unknown"]
    for name, split in few.splits():
        words = iter(lost[name])
        full = load("enwiki_subjects").train if name == "train" else None
        for n, x in enumerate(split.x):
            found = few.info.vocabulary.decode(x)
            if full is not None:
                real = whole.info.vocabulary.decode(full.x[n])
                put = [next(words) if w == "<unk>" else w for w in found]
                assert put == real
        if full is None:
            assert len(lost[name]) == sum((x == 1).sum() for x in split.x) > 0
