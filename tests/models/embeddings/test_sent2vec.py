"""sent2vec: means and losses by hand, what is predicted, n-grams, the peer, files and paths."""

import numpy as np
import pytest
from scipy.special import log_expit

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.embeddings import (
    document_pictures,
    documents,
    judging,
    sent2vec,
    vector_files,
)
from tests.models.embeddings.planted_documents import subjects, written
from tests.tools import assert_close

RECIPE = sent2vec.RECIPES[0]


def made(raw, **changes):
    small = {"size": 5, "min_count": 1, "batch": 20, "buckets": 50}
    s = RECIPE.settings(**{**small, **changes})
    data = RECIPE.prepare(raw, s)
    m = RECIPE.build(data, s, gg.Generator(s.seed))
    rng = np.random.default_rng(0)
    m.c.data[:] = rng.normal(size=m.c.shape)
    m.u.data[:] = rng.normal(size=m.u.shape)
    return m, data, s


def features(m, piece, without=None):
    """The rows of u of a sentence, in plain loops; less those over one place."""
    v, found = len(m.vocabulary), []
    for n in range(1, m.s.ngrams + 1):
        for t in range(len(piece) - n + 1):
            if without is None or not t <= without < t + n:
                gram = piece[None, t : t + n]
                row = piece[t] if n == 1 else documents.ngrams(gram, n, v, m.s.buckets)[0, 0]
                found.append(int(row))
    return found


def test_the_objective_passes_the_gradient_check():
    f, arrays = sent2vec.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_means_and_losses_are_those_of_the_page(ngrams):
    m, data, s = made(subjects(12, length=6), ngrams=ngrams)
    u, c = m.u.numpy(), m.c.numpy()
    pieces = [data.train.x[0], data.train.x[1][:3], data.train.x[2][:1], data.train.x[3][:2]]
    found = m.infer([*pieces, documents.NONE])
    wanted = [u[features(m, p)].mean(axis=0) for p in pieces]
    assert_close(found[:4], np.array(wanted), rtol=1e-5)
    assert (found[4] == 0).all()
    batch = m.batch_of(pieces)
    assert (batch.y[2] == -1).all()  # nothing predicts the only word of a sentence
    n = int((batch.y >= 0).sum())
    negative = np.random.default_rng(1).integers(0, len(m.vocabulary), (n, s.negatives))
    negative[0, 0] = pieces[0][0]  # does not count
    got, i = m.losses(batch.x, batch.y, negative).numpy(), 0
    for piece in (pieces[0], pieces[1], pieces[3]):
        for t, word in enumerate(piece):
            x = u[features(m, piece, t)].mean(axis=0)
            loss = -log_expit(c[word] @ x)
            loss -= sum(log_expit(-(c[v] @ x)) for v in negative[i] if v != word)
            assert got[i] == pytest.approx(loss, rel=1e-4)
            i += 1
    assert i == n


def test_common_words_are_predicted_less_often_but_stay_in_the_mean():
    m, data, _ = made(subjects(400), sample=0.02, drop=0.0)
    batch = m.batch_of(data.train.x, gg.Generator(3))
    shown = np.bincount(batch.y[batch.y >= 0], minlength=len(m.vocabulary))
    share = shown / m.counts
    assert_close(share, m.share, rtol=0.15)
    assert share[:3].max() < 0.6 < share[-3:].min() and (batch.x[:, :, 0] < len(m.vocabulary)).all()


def test_n_grams_are_left_out_in_training_alone():
    m, data, _ = made(subjects(200), drop=0.3)
    v, trained = len(m.vocabulary), m.batch_of(data.train.x, gg.Generator(3)).x
    assert (m.batch_of(data.train.x).x[:, :-1, 1] > v).all()
    assert (trained[:, :-1, 1] == v).mean() == pytest.approx(0.3, abs=0.04)
    assert (trained[:, :, 0] < v).all() and (trained[:, -1, 1] == v).all()


def test_random_words_come_with_the_root_of_their_counts():
    m, _, _ = made(subjects(400))
    drawn = np.bincount(m.noise(4000, gg.Generator(5)).ravel(), minlength=len(m.vocabulary))
    wanted = np.sqrt(m.counts) / np.sqrt(m.counts).sum()
    assert_close(drawn / drawn.sum(), wanted, rtol=0.1)


def test_a_batch_has_random_words_behind_each_word_that_is_predicted():
    m, data, s = made(subjects(12, length=6))
    batch = next(m.batches(data, 20, 0, 0, 0))
    wanted, negative = batch.y[..., 0], batch.y[..., 1:]
    there = wanted >= 0
    assert 0 < there.sum() < there.size and negative.shape == (*wanted.shape, s.negatives)
    assert (negative[there] >= 0).all() and (negative[~there] == -1).all()
    losses = m.losses(batch.x, wanted, negative[there]).numpy()
    assert m.objective(batch).item() == pytest.approx(losses.mean(), rel=1e-5)
    bare = sent2vec.Batch(batch.x, np.full_like(batch.y, -1))
    assert m.train_step(bare, None) == {"loss": 0.0}  # there is nothing to predict


def test_sentences_of_a_subject_are_alike_and_the_peer_is_word2vec(monkeypatch):
    raw = subjects()
    s = RECIPE.settings(size=5, min_count=1, batch=20, buckets=50, peer=1, epochs=6, sample=0.0)
    data = RECIPE.prepare(raw, s)
    m = RECIPE.build(data, s, gg.Generator(0))
    before = m.evaluate(data.test)["loss"]
    fit(m, data, s)
    found = m.evaluate_finished(data.test)
    assert found["loss"] < 0.9 * before and found["accuracy"] > 0.9
    means = sent2vec.averaged(data, s)
    other = judging.linear_accuracy(
        means(data.train.x), data.train.y, means(data.test.x), data.test.y
    )
    assert found["gain"] == pytest.approx(found["accuracy"] - other)
    monkeypatch.setattr(sent2vec, "averaged", None)  # it is not trained a second time
    assert m.evaluate_finished(data.test) == found
    one, two = data.test.x[0], data.test.x[1]
    both = means([one, two, np.concatenate([one, two]), documents.NONE])
    assert_close(both[2], (len(one) * both[0] + len(two) * both[1]) / (len(one) + len(two)))
    assert (both[3] == 0).all()


@pytest.mark.parametrize("binary", [False, True])
def test_words_travel_in_word2vecs_files(binary, tmp_path):
    m, _, _ = made(subjects(12))
    path = tmp_path / "words.vec"
    vector_files.save(path, m.vocabulary, m.word_vectors(), binary)
    words, vectors = vector_files.load(path)
    assert words.words == m.vocabulary.words and np.array_equal(vectors, m.word_vectors())


@pytest.mark.parametrize(("name", "labelled"), [("mine.txt", False), ("mine.csv", True)])
def test_ones_own_texts_are_trained_on_by_their_path(name, labelled, tmp_path):
    path = written(tmp_path / name, subjects(), labelled)
    few = {"epochs": 1, "size": 4, "buckets": 20, "peer": int(labelled)}
    done = training.train(RECIPE, path, overrides=few)
    assert ("gain" in done.test_figures) == labelled
    drawn = document_pictures.sentence_figures(done.system, done.data, done.settings)
    assert drawn.keys() == {"documents", "map", "words", "ngrams"}


def test_settings_without_effect_are_refused():
    with pytest.raises(SettingError, match="'buckets' has no effect with ngrams=1"):
        models.recipe("sent2vec").resolve("rt_polarity", {"ngrams": 1, "buckets": 7})
