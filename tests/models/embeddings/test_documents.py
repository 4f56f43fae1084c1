"""Texts as documents: words, splits, passages, halves, hashed n-grams; the linear judge."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from glassgrad.core.data import DataError, DataSet, Info, Split, Vocabulary, load
from glassgrad.models.embeddings import documents, judging
from tests.models.embeddings.planted_documents import subjects


def test_sentences_lose_marks_and_rare_words_and_keep_splits_and_classes():
    vocabulary = Vocabulary(("<pad>", "<unk>", "x", "y", "z"))
    train = Split([np.array([2, 1, 3]), np.array([0, 3, 2, 3]), np.array([4])], np.array([1, 0, 1]))
    test = Split([np.array([4, 2])], np.array([0]))
    info = Info(classes=("no", "yes"), vocabulary=vocabulary, kind="sentences")
    data = documents.as_documents(DataSet("d", train, None, test, info), 2, 9)
    assert data.info.vocabulary.words == ("y", "x") and data.info.classes == ("no", "yes")
    assert [d.tolist() for d in data.train.x] == [[1, 0], [0, 1, 0], []]
    assert [d.tolist() for d in data.test.x] == [[1]] and data.valid is None
    assert data.info.extra["counts"].tolist() == [3, 2] and data.train.y.tolist() == [1, 0, 1]


def text(lines):
    tokens = [w for line in lines for w in (*line.split(), "<eos>")]
    vocabulary = Vocabulary(tuple(sorted(set(tokens))))
    info = Info("mine", vocabulary=vocabulary, kind="text")
    return DataSet("d", Split(vocabulary.encode(tokens)), info=info)


def test_lines_are_cut_and_one_in_twenty_is_held_out():
    data = documents.as_documents(text(["a b c d e"] * 40), 1, 2)
    assert [len(d) for d in data.train.x[:3]] == [2, 2, 1]  # half of the words are enough
    lines = data.info.extra["lines"]
    assert np.unique(lines["valid"]).tolist() == [19, 39] and len(data.valid) == 6
    assert not np.isin(lines["train"], [19, 39]).any() and len(data.train) == 38 * 3
    data = documents.as_documents(text(["a b c d e f g h i"] * 40), 1, 4)
    assert [len(d) for d in data.train.x] == [4] * 76  # and fewer are not


@pytest.mark.parametrize("lines", [["a b " * 300], ["a b"] * 300])
def test_of_a_text_in_one_line_or_in_short_ones_ten_pieces_are_a_line(lines):
    data = documents.as_documents(text(lines), 1, 2)
    numbers = data.info.extra["lines"]
    assert len(data.train) == 290 and len(data.valid) == 10
    assert set(numbers["valid"]) == {19} and np.bincount(numbers["train"])[0] == 10


def test_texts_without_words_are_one_clear_line():
    with pytest.raises(DataError, match=r"no document has two words that come 9 times or more"):
        documents.as_documents(text(["a b", "b c"]), 9, 5)
    plain = DataSet("d", Split([np.arange(3)]), info=Info(kind="sentences"))
    with pytest.raises(DataError, match=r"d: vectors of texts need a vocabulary"):
        documents.as_documents(plain, 1, 5)


def test_halves_find_each_other_by_the_angle():
    axes = np.eye(4)

    def vectors(some):
        return np.stack([axes[d].sum(axis=0) for d in some])

    pieces = [np.array([0, 0]), np.array([1, 1]), np.array([2, 3]), np.array([3, 2])]
    assert documents.halves(vectors, pieces) == 0.5
    assert documents.halves(vectors, pieces, most=2) == 1.0
    assert documents.halves(vectors, [np.array([1])]) == 0.0


def test_ngrams_are_rows_by_their_words_in_order():
    rng = np.random.default_rng(0)
    words = rng.integers(0, 6, (40, 7))  # 5 is no word
    for n in (2, 3):
        rows, seen = documents.ngrams(words, n, 5, 10**9), {}
        assert rows.shape == (40, 8 - n)
        for i in range(40):
            for t in range(8 - n):
                gram = tuple(words[i, t : t + n])
                if 5 in gram:
                    assert rows[i, t] == 5
                else:
                    assert seen.setdefault(gram, rows[i, t]) == rows[i, t] > 5
        assert len(set(seen.values())) == len(seen)  # (a, b) is not (b, a)
    assert documents.ngrams(words, 2, 5, 7).max() <= 5 + 7
    assert documents.ngrams(words[:, :1], 2, 5, 7).shape == (40, 0)


@pytest.mark.parametrize("penalties", [(1e-3, 0.1), (0.1, 1e-3)])
def test_the_linear_judge_is_logistic_regression_with_the_best_penalty_on_a_tenth(
    penalties, monkeypatch
):
    """The maximum is the one that SciPy finds; features on scales of their own."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    x = np.array([1e-3, 1.0, 50.0]) * (rng.normal(size=(200, 3)) + np.eye(3)[y])

    def accuracy(c, x, y, other, other_y):
        z, t = (x - x.mean(axis=0)) / x.std(axis=0), np.eye(3)[y]

        def cost(w):
            w = w.reshape(4, 3)
            logits = z @ w[:3] + w[3]
            return -(t * log_softmax(logits, axis=1)).sum() + 0.5 / c * (w[:3] ** 2).sum()

        w = minimize(cost, np.zeros(12), method="BFGS").x.reshape(4, 3)
        other = (other - x.mean(axis=0)) / x.std(axis=0)
        return ((other @ w[:3] + w[3]).argmax(axis=1) == other_y).mean()

    seen, held = (x[:150], y[:150]), (x[150:], y[150:])
    out = np.arange(150) % 10 == 0
    tenth = [accuracy(c, x[:150][~out], y[:150][~out], x[:150][out], y[:150][out])
             for c in penalties]  # fmt: skip
    final = [accuracy(c, *seen, *held) for c in penalties]
    assert tenth[0] != tenth[1] and final[0] != final[1]
    monkeypatch.setattr(judging, "PENALTIES", penalties)
    assert judging.linear_accuracy(*seen, *held) == final[int(np.argmax(tenth))] > 0.5


def test_the_pieces_that_ship_are_of_two_subjects_and_no_place_is_in_two_splits():
    data = load("enwiki_subjects")
    assert [len(s) for _, s in data.splits()] == [8060, 1407, 3542]
    assert data.info.classes == ("Economy", "Geography")
    assert all(10 <= len(d) <= 20 for d in data.train.x)
    found: dict = {}  # the splits and the class of each piece
    for name, split in data.splits():
        for d, y in zip(split.x, split.y, strict=True):
            found.setdefault(d.tobytes(), set()).add((name, data.info.classes[y]))
    corpus, places = load("enwiki_piece"), {"train": [], "valid": [], "test": []}
    for line, (_, title) in zip(corpus.lines(), corpus.titles(), strict=True):
        subject, place = title.split(" of ", 1)
        first = data.info.vocabulary.encode(line.split()[:20])
        ((name, kind),) = found[first.astype(data.train.x[0].dtype).tobytes()]
        assert kind == subject
        places[name].append(place)
    sets = {name: set(some) for name, some in places.items()}
    assert [len(some) for some in sets.values()] == [47, 7, 14]
    assert len(set.union(*sets.values())) == 47 + 7 + 14  # none is in two splits
    longer = load("enwiki_subjects", words=100)
    assert sum(len(s) for _, s in longer.splits()) < 2700
    with pytest.raises(DataError, match="enwiki_subjects: words must be"):
        load("enwiki_subjects", words=0)


def test_a_judge_without_classes_says_what_halves_are_worth():
    data = documents.as_documents(subjects(), 1, 9)
    counts = lambda some: np.stack([np.bincount(d, minlength=30) for d in some])  # noqa: E731
    found = documents.judged(counts, data.train, counts(data.train.x), data.test)
    assert found.keys() == {"halves", "accuracy"} and found["accuracy"] > 0.9
    assert documents.judged(counts, Split(data.train.x), None, data.test).keys() == {"halves"}
