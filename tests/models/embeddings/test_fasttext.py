"""FastText's vectors: the program's steps by hand, word2vec as its special case, unseen words."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Info, Split, Vocabulary, from_text
from glassgrad.core.training.loop import Interrupted, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.embeddings import fasttext, fasttext_pictures, vector_files
from tests.tools import assert_close

RECIPE = fasttext.RECIPE
ENDS = ("er", "ing", "ed", "s")
STEMS = {"cook": 0, "bak": 0, "fry": 0, "driv": 1, "park": 1, "rid": 1}
CONTEXTS = (("pan", "oven", "salt"), ("road", "wheel", "fuel"))


def planted(lines=400, seed=0, held=("fryed", "rided")):
    """Verbs of cooking and of driving, with words of the kitchen and of the street."""
    rng = np.random.default_rng(seed)
    verbs = [stem + end for stem in STEMS for end in ENDS]
    texts = []
    for _ in range(lines):
        verb = verbs[rng.integers(len(verbs))]
        kind = next(k for s, k in STEMS.items() if verb.startswith(s))
        near = [CONTEXTS[kind][i] for i in rng.integers(0, 3, 4)]
        texts.append(" ".join([*near[:2], verb, *near[2:]]))
    rare = [line for line in texts if not set(line.split()) & set(held)]
    return "\n".join(rare + [f"{CONTEXTS[k][0]} {w} {CONTEXTS[k][1]}" for k, w in enumerate(held)])


def data_of(text):
    tokens = [w for line in text.split("\n") for w in (*line.split(), "<eos>")]
    vocabulary = Vocabulary(tuple(sorted(set(tokens))))
    return DataSet("d", Split(vocabulary.encode(tokens)), info=Info("me", (), vocabulary=vocabulary,
                   kind="text"))  # fmt: skip


def made(text=None, **changes):
    settings = {"size": 6, "window": 2, "sample": 0.0, "min_count": 2, "batch": 40, **changes}
    s = RECIPE.settings(**settings)
    data = fasttext.prepare(data_of(planted() if text is None else text), s)
    return RECIPE.build(data, s, gg.Generator(s.seed)), data, s


def test_the_objective_passes_the_gradient_check():
    f, arrays = fasttext.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


@pytest.mark.parametrize("buckets", [0, 11])
def test_a_word_is_the_mean_of_its_parts(buckets):
    m, data, _ = made(buckets=buckets)
    z, words = m.z.numpy(), data.info.vocabulary.words
    want = [z[m.subwords.rows(w)].mean(axis=0) for w in words]
    assert_close(m.w.numpy(), np.array(want))
    assert_close(m.vectors_of(words), m.w.numpy())
    unseen = m.vectors_of(["cooked", "qx"])
    rows = m.subwords.rows("cooked")
    assert_close(unseen[0], z[rows].mean(axis=0))
    assert (unseen[1] == 0).all() == (buckets == 0)  # nobody has <qx


class State:
    """Where a training is, for a step by hand."""

    def __init__(self, s, done=0.25):
        self.settings, self.done, self.epoch, self.batch = s, done, 0, 0


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_step_is_that_of_the_program_where_no_part_is_shared():
    """FastText's model.cc: the hidden vector is the mean, its gradient is added to every part."""
    m, data, s = made("ab cd ef\nab cd\ncd ef gh ij\n" * 3, min_count=1, buckets=0, shortest=2)
    m.c.assign(np.random.default_rng(0).standard_normal(m.c.shape).astype("float32"))
    u, w = np.array([0, 1, 0, 2, 1]), np.array([1, 2, 3, 0, 0])
    shared = [set(m.subwords.rows(data.info.vocabulary.words[i])) for i in range(3)]
    assert not (shared[0] & shared[1] or shared[0] & shared[2] or shared[1] & shared[2])
    z, c = m.z.numpy().astype(float), m.c.numpy().astype(float)
    state = State(s)
    negative = m.draws(u, m.rng.child("draws", s.seed, 0, 0))
    m.train_step(Batch(u, w, None, 1), state)
    for i in range(len(u)):
        parts = m.subwords.rows(data.info.vocabulary.words[u[i]])
        x, e = z[parts].mean(axis=0), np.zeros(s.size)
        for t, label in [(w[i], 1), *((v, 0) for v in negative[i] if v != w[i])]:
            g = s.lr * (1 - state.done) * (label - sigmoid(x @ c[t]))
            e += g * c[t]
            c[t] += g * x
        z[parts] += e
    assert_close(m.z.numpy(), z, rtol=1e-5)
    assert_close(m.c.numpy(), c, rtol=1e-5)


def test_a_shared_part_gets_what_all_its_words_have_got():
    m, data, s = made(min_count=1)
    index = data.info.vocabulary.index
    u = np.array([index["cooker"], index["cooking"]])
    before, words = m.z.numpy().copy(), m.w.numpy().copy()
    m.c.assign(np.random.default_rng(0).standard_normal(m.c.shape).astype("float32"))
    m.train_step(Batch(u, np.array([index["pan"], index["oven"]]), None, 1), State(s))
    own = [m.words()[i] - words[i] for i in u]  # what each of them has got
    shared, one = m.subwords.row("<cook"), m.subwords.row("king>")
    assert_close(m.z.numpy()[shared] - before[shared], own[0] + own[1], rtol=1e-4)
    assert_close(m.z.numpy()[one] - before[one], own[1], rtol=1e-4)
    untouched = m.subwords.row("<driv")
    assert np.array_equal(m.z.numpy()[untouched], before[untouched])


def test_without_ngrams_it_is_word2vec():
    m, data, s = made(longest=0)
    other = models.recipe("word2vec-library")
    same = {k: v for k, v in s.as_dict().items() if k in other.settings().as_dict()}
    w2v = other.build(data, other.settings(**same), gg.Generator(s.seed))
    w2v.w.assign(m.z.numpy().copy())
    for system in (m, w2v):
        fit(system, data, s)
    assert_close(m.w.numpy(), w2v.w.numpy(), rtol=1e-4)
    assert_close(m.c.numpy(), w2v.c.numpy(), rtol=1e-4)


@pytest.mark.parametrize("buckets", [0, 2000])
def test_unseen_words_are_like_those_of_their_parts(buckets):
    m, data, s = made(buckets=buckets, epochs=8, lr=0.1, size=10)
    fit(m, data, s)
    words = data.info.vocabulary.words
    assert "fryed" not in words and set(m.unseen[0]) == {"fryed", "rided"}
    x, found = m.w.numpy(), m.evaluate_finished(data.valid)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    for word, kind in (("fryed", 0), ("rided", 1), ("cookery", 0), ("riders", 1)):
        own = m.vectors_of([word])[0]
        near = [words[i] for i in np.argsort(-(unit @ own))[:3]]
        assert all(any(n.startswith(s) for s, k in STEMS.items() if k == kind) for n in near), near
    assert found["unseen"] > 0.8 and found["pairs_all"] == 353
    without, _, _ = made(longest=0)
    assert without.fitting() == 0.5


def test_the_pairs_of_rare_words_are_those_of_a_loop():
    text = "a b x c\nx y\ny b"
    vocabulary = Vocabulary(("a", "b", "c"))
    words, centre, context = fasttext.unseen_pairs(data_of(text), vocabulary, 1)
    got = [(words[u], vocabulary.words[w]) for u, w in zip(centre, context)]
    assert got == [("x", "b"), ("x", "c"), ("y", "b")]


def test_a_training_that_was_stopped_ends_where_an_uninterrupted_one_does(tmp_path):
    whole, data, s = made(epochs=2)
    fit(whole, data, s)
    run, steps = Run.create(tmp_path, "run"), []

    def stop():
        steps.append(1)
        return len(steps) == 7

    with pytest.raises(Interrupted):
        fit(made(epochs=2)[0], data, s, run=run, stop=stop)
    second = made(epochs=2)[0]
    fit(second, data, s, run=run, resume=True)
    assert np.array_equal(second.z.numpy(), whole.z.numpy())
    assert np.array_equal(second.w.numpy(), whole.w.numpy())


def test_the_pictures_are_drawn_and_show_what_matters():
    m, data, s = made(buckets=0, epochs=3)
    assert {"neighbours", "map", "unseen", "n-grams"} <= fasttext_pictures.figures(
        m, data, s
    ).keys()
    z = m.z.numpy()
    z[...] = 0.01
    z[m.subwords.row("ook")] = 5 * np.array([1.0, -1, 1, -1, 1, -1])
    m.z.assign(z)
    assert fasttext_pictures.turns(m, "cooker", ["<co", "ook", "ker"])[0][1] == "ook"


@pytest.mark.parametrize("binary", [False, True])
def test_its_vectors_go_to_word2vecs_files(tmp_path, binary):
    m, data, _ = made()
    vector_files.save(tmp_path / "v", data.info.vocabulary, m.w.numpy(), binary)
    words, vectors = vector_files.load(tmp_path / "v")
    assert words == data.info.vocabulary and np.array_equal(vectors, m.w.numpy())


def test_a_text_of_ones_own_loads_by_its_path(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text(planted(60))
    changes = {"epochs": 1, "size": 5, "min_count": 2, "buckets": 50}
    done = training.train(RECIPE, path, overrides=changes)
    assert done.system.vocabulary == RECIPE.prepare(
        from_text(path), RECIPE.settings(min_count=2)
    ).info.vocabulary and np.isfinite(done.test_figures["rho_all"])


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(SettingError, match="longest must be at least shortest"):
        RECIPE.resolve("enwiki_piece", {"shortest": 5, "longest": 4})
    for change in ({"form": "softmax"}, {"tables": "one"}, {"noise": "outside"}):
        with pytest.raises(SettingError, match="no effect on fasttext"):
            RECIPE.resolve("enwiki_piece", change)
    with pytest.raises(SettingError, match="'buckets' has no effect"):
        RECIPE.resolve("enwiki_piece", {"longest": 0, "buckets": 5})
    assert RECIPE.resolve("enwiki_a").buckets == 500_000
