"""FastText's classifier: its mean and its step by hand, what pairs of words are for, its data."""

import numpy as np
import pytest
from scipy.special import log_softmax

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataSet, Info, Split, Vocabulary
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.embeddings import fasttext_classifier, fasttext_classifier_pictures
from glassgrad.models.embeddings.ngrams import fnv
from tests.tools import Undivided, assert_close

RECIPE = fasttext_classifier.RECIPE


def texts(rows, labels, words, held=0):
    vocabulary = Vocabulary(("<pad>", "<unk>", *words))
    x = [vocabulary.encode(row.split()) for row in rows]
    y, info = np.array(labels), Info("me", ("no", "yes"), vocabulary=vocabulary, kind="sentences")
    cut = len(x) - held
    test = Split(x[cut:], y[cut:]) if held else None
    return DataSet("d", Split(x[:cut], y[:cut]), None, test, info)


def sayings(n=400, seed=0):
    """One class has "a b" and "c d", the other "a d" and "c b": no word alone says anything."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for first, second in rng.integers(0, 2, (n, 2)):
        rows.append(f"x {'ac'[first]} {'bd'[second]} y z"[: rng.integers(5, 10)])
        labels.append(int(first == second))
    return texts(rows, labels, "abcdxyz", held=100)


def made(data, **changes):
    s = RECIPE.settings(**{"size": 6, "buckets": 500, **changes})
    data = RECIPE.prepare(data, s)
    return RECIPE.build(data, s, gg.Generator(s.seed)), data, s


def test_the_objective_passes_the_gradient_check():
    f, arrays = fasttext_classifier.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_the_features_of_a_text_are_its_words_and_pairs():
    data = texts(["a b zzz a", "zzz", "c"], [0, 1, 0], "abc")
    _, prepared, _ = made(data)
    a, b = (int(np.uint32(fnv(w)).astype(np.int32)) for w in "ab")
    assert a < 0 and b < 0  # hashes of words are signed where they make a pair
    pair = (a * 116049371 + b) % 2**64 % 500
    got = [x.tolist() for x in prepared.train.x]
    assert got == [[2, 3, 2, 5 + pair], [], [4]]  # nothing reaches over an unknown word
    _, alone, _ = made(data, ngrams=1)
    assert [x.tolist() for x in alone.train.x] == [[2, 3, 2], [], [4]]
    m, parts, _ = made(texts(["ab zzz a"], [0], ("ab", "a")), ngrams=1, longest=3)
    grams = [4 + fnv(gram) % 500 for gram in ("<ab", "ab>")]
    assert [x.tolist() for x in parts.train.x] == [[2, *grams, 3]] and m.z.shape == (504, 6)
    three, _, _ = made(data, ngrams=3)
    assert three.z.shape == (505, 6)


def loss_by_hand(z, w, rows, y):
    h = np.array([z[r].mean(axis=0) if len(r) else np.zeros(z.shape[1]) for r in rows])
    return -log_softmax(h @ w.T, axis=1)[np.arange(len(y)), y].mean()


def test_a_text_is_the_mean_of_its_features():
    m, data, _ = made(sayings())
    m.weight.assign(np.random.default_rng(0).standard_normal((2, 6)).astype("float32"))
    want = loss_by_hand(m.z.numpy(), m.weight.numpy(), data.test.x, data.test.y)
    found = m.evaluate(data.test, size=7)
    assert found["loss"] == pytest.approx(want, rel=1e-5)
    right = (m.answers(data.test.x) == data.test.y).mean()
    assert found["accuracy"] == pytest.approx(right)
    empty = [np.zeros(0, np.int64)]
    assert (m.codes([*empty, data.test.x[0]])[0] == 0).all()


class State:
    shards = Undivided()

    def __init__(self, s, done):
        self.settings, self.done = s, done


def test_a_step_adds_up_what_each_text_would_change_and_touches_no_other_row():
    m, data, s = made(sayings())
    m.weight.assign(np.random.default_rng(0).standard_normal((2, 6)).astype("float32"))
    z, w = m.z.numpy().astype(float), m.weight.numpy().astype(float)
    batch = next(m.batches(data, 4, 0, 0, 0))
    change = np.zeros_like(z), np.zeros_like(w)
    for i in range(4):
        rows = batch.x[: int(batch.mask[:, i].sum()), i]
        h = z[rows].mean(axis=0)
        p = np.exp(log_softmax(w @ h))
        p[batch.y[i]] -= 1
        np.add.at(change[0], rows, -0.5 * s.lr * (w.T @ p) / len(rows))
        change[1][...] -= 0.5 * s.lr * np.outer(p, h)
    m.train_step(batch, State(s, done=0.5))
    assert_close(m.z.numpy(), z + change[0], rtol=1e-5)
    assert_close(m.weight.numpy(), w + change[1], rtol=1e-5)
    still = np.setdiff1d(np.arange(len(z)), batch.x)
    assert np.array_equal(m.z.numpy()[still], z[still].astype("float32"))


def test_what_only_pairs_of_words_say_needs_pairs_of_words():
    accuracy = {}
    for ngrams in (1, 2):
        m, data, s = made(sayings(), ngrams=ngrams, epochs=20, lr=0.5)
        fit(m, data, s)
        accuracy[ngrams] = m.evaluate(data.test)["accuracy"]
    assert accuracy[2] == 1 and accuracy[1] < 0.7


def test_the_pictures_are_drawn():
    m, data, s = made(sayings(), epochs=2)
    fit(m, data, s)
    drawn = fasttext_classifier_pictures.figures(m, data, s)
    assert set(drawn) == {"words", "map", "confusion"}


def test_texts_without_classes_are_refused():
    data = sayings()
    bare = DataSet("bare", Split(data.train.x), info=data.info)
    with pytest.raises(SettingError, match="bare has no class labels"):
        RECIPE.prepare(bare, RECIPE.settings())
    for change in ({"optimiser": "sgd"}, {"optimiser": "adagrad"}, {"clip": 1.0}):
        with pytest.raises(SettingError, match="no effect on fasttext-classifier"):
            RECIPE.resolve("ag_news", change)
    with pytest.raises(SettingError, match="no effect with ngrams=1"):
        RECIPE.resolve("enwiki_subjects", {"ngrams": 1, "buckets": 7})
    with pytest.raises(SettingError, match="longest must be at least shortest"):
        RECIPE.resolve("enwiki_subjects", {"shortest": 4, "longest": 3})


def test_texts_of_ones_own_load_by_their_path_and_new_ones_are_evaluated(tmp_path):
    lines = [f"__label__{k} {'good fine' if k == 'yes' else 'bad poor'} w{i % 7}"
             for i in range(40) for k in ("yes", "no")]  # fmt: skip
    (tmp_path / "own.txt").write_text("\n".join(lines))
    (tmp_path / "new.txt").write_text("__label__yes it is good\n__label__no so poor\n" * 3)
    done, _ = training.train_and_write(
        RECIPE, tmp_path / "own.txt", overrides={"buckets": 100}, out=tmp_path / "runs"
    )
    assert done.test_figures["accuracy"] == 1
    from glassgrad.evaluation import evaluate

    found = evaluate(done.run.folder, tmp_path / "new.txt")
    assert found.examples == 6 and found.figures["accuracy"] == 1
