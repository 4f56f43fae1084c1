"""paragraph2vec: losses by hand, the kernel's step, inference with frozen words, files, paths."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_expit

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.training.loop import Interrupted, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.models.embeddings import document_pictures, documents, paragraph2vec, vector_files
from tests.models.embeddings.planted_documents import subjects, written
from tests.tools import assert_close

BAG, MEMORY = paragraph2vec.RECIPES
MEAN, JOINED = {"combine": "mean"}, {"combine": "concatenation"}
FORMS = [(BAG, {}), (MEMORY, MEAN), (MEMORY, JOINED)]


def made(recipe, raw, **changes):
    s = recipe.settings(**{"size": 6, "min_count": 1, "batch": 100, **changes})
    data = recipe.prepare(raw, s)
    return recipe.build(data, s, gg.Generator(s.seed)), data, s


def randomised(m, seed=0):
    """The system with larger numbers in all tables."""
    rng = np.random.default_rng(seed)
    for _, t in m.named_tensors():
        t.data[:] = rng.normal(size=t.shape)
    return m


@pytest.mark.parametrize(
    "check",
    [
        paragraph2vec.check,
        paragraph2vec.check_memory,
        lambda rng: paragraph2vec.check_memory(rng, "concatenation"),
    ],
    ids=["dbow", "mean", "concatenation"],
)
def test_the_objectives_pass_the_gradient_check(check):
    f, arrays = check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


@pytest.mark.parametrize(("recipe", "changes"), FORMS, ids=["dbow", "mean", "concatenation"])
def test_the_loss_is_the_sum_of_the_page(recipe, changes):
    """Place by place in plain loops, with the words around cut off where a document ends."""
    m, data, s = made(
        recipe, subjects(8, length=5), **changes, **({"window": 2} if changes else {})
    )
    randomised(m)
    pieces, rng = data.train.x[:3], np.random.default_rng(1)
    rows = m.places(np.array([4, 0, 2]), pieces)
    negative = rng.integers(0, len(m.vocabulary), (len(rows), s.negatives))
    negative[0, 0] = rows[0, 1]  # does not count
    x = m.document_vectors()
    h = m.hidden(gg.Tensor(x[rows[:, 0]]), rows[:, 2:])
    got, c, wanted = m.losses(h, rows[:, 1], negative).numpy(), m.targets().numpy(), []
    for number, piece in zip((4, 0, 2), pieces):
        for t, word in enumerate(piece):
            places = [t + d for d in (-2, -1, 1, 2)]
            inside = [p for p in places if 0 <= p < len(piece)]
            if recipe is BAG:
                own = x[number]
            elif changes == MEAN:
                own = np.mean([x[number], *(m.u.numpy()[piece[p]] for p in inside)], axis=0)
            else:
                around = [piece[p] if p in inside else len(m.vocabulary) for p in places]
                own = np.concatenate([x[number], *(m.u.numpy()[w] for w in around)])
            loss = -log_expit(c[word] @ own)
            for v in negative[len(wanted)]:
                loss -= log_expit(-(c[v] @ own)) if v != word else 0
            wanted.append(loss)
    assert_close(got, np.array(wanted), rtol=1e-4)


def test_the_kernels_step_goes_down_the_gradient_of_the_loss():
    """Of a place whose random words are all different, one of them the word itself."""
    m, _, _ = made(BAG, subjects(8), negatives=4)
    before, v = randomised(m).table.numpy().copy(), len(m.vocabulary)
    word, negative, rate = np.array([5]), np.array([[1, 2, 7, 5]]), 0.01
    x = gg.embedding(m.table, np.array([v + 3]))
    g = gg.grad(m.losses(x, word, negative).sum(), m.table).numpy()
    rates = np.array([rate], np.float32)
    kernel = paragraph2vec.kernel
    kernel.step(m.table.data, None, np.array([v + 3]), word, negative, rates, in_place=True)
    assert_close(m.table.numpy(), before - rate * g, rtol=1e-5)
    changed = np.abs(m.table.numpy() - before).max(axis=1)
    assert np.flatnonzero(changed).tolist() == [1, 2, 5, 7, v + 3]


@pytest.mark.parametrize(("recipe", "changes"), FORMS, ids=["dbow", "mean", "concatenation"])
def test_new_documents_leave_the_words_as_they_are_and_do_not_depend_on_each_other(recipe, changes):
    m, data, _ = made(recipe, subjects(12), infer=3, **changes)
    randomised(m)
    before = [t.numpy().copy() for _, t in m.named_tensors()]
    pieces = [data.test.x[0], data.test.x[1][:4], documents.NONE, data.test.x[2]]
    found = m.infer(pieces)
    assert all(np.array_equal(a, t.numpy()) for a, (_, t) in zip(before, m.named_tensors()))
    alone = np.concatenate([m.infer([p]) for p in pieces])
    assert_close(found, alone, rtol=1e-4)
    assert (found[2] == 0).all() and (found[[0, 1, 3]] != 0).all()
    assert m.infer([]).shape == (0, 6)


def test_the_vector_of_a_new_document_is_where_the_expected_loss_is_least():
    """Given the words, the loss of dbow is convex; SciPy finds the minimum of its expectation."""
    m, data, s = made(BAG, subjects(40), infer=120, rate=0.05)
    randomised(m)
    m.table.data *= 0.5
    piece, c = data.test.x[0], m.targets().numpy().astype(float)
    p = m.counts**0.75 / (m.counts**0.75).sum()

    def expected(x):
        f = c @ x
        others = p[None] * (np.arange(len(p)) != piece[:, None])
        return -log_expit(f[piece]).sum() - s.negatives * (others @ log_expit(-f)).sum()

    best = minimize(expected, np.zeros(6)).x
    x = m.infer([piece])[0]
    assert expected(x) < expected(best) + 0.02 * (expected(np.zeros(6)) - expected(best))
    assert x @ best > 0.98 * np.linalg.norm(x) * np.linalg.norm(best)


@pytest.mark.parametrize(("recipe", "changes"), FORMS, ids=["dbow", "mean", "concatenation"])
def test_documents_of_a_subject_get_like_vectors(recipe, changes):
    bag, memory = {"lr": 0.2, "epochs": 15}, {"lr": 0.03, "epochs": 15, "window": 1, "rate": 1.0}
    m, data, s = made(recipe, subjects(), **changes, **(memory if changes else bag))
    before = m.evaluate(data.test)["loss"]
    fit(m, data, s)
    found = m.evaluate_finished(data.test)
    assert found["loss"] < 0.9 * before and found["accuracy"] > 0.8
    assert found.keys() == {"loss", "accuracy", "halves"}
    assert found["halves"] == documents.halves(m.infer, data.test.x)
    assert documents.halves(m.infer, [np.tile(d, 2) for d in data.test.x]) == 1  # equal halves


@pytest.mark.parametrize(("recipe", "changes"), FORMS, ids=["dbow", "mean", "concatenation"])
def test_held_out_documents_are_learnt_from_without_their_classes(recipe, changes):
    """`transductive`: they have rows of the table, and other classes change no number."""
    raw, given = subjects(40), {"transductive": True, "epochs": 2, **changes}
    lied = replace(raw, test=replace(raw.test, y=1 - raw.test.y))
    systems, sets = [], []
    for one in (raw, lied):
        m, data, s = made(recipe, one, **given)
        fit(m, data, s)
        systems.append(m)
        sets.append(data)
    m, other = systems
    own = m.document_vectors()
    assert len(own) == len(data.train) + len(data.test)
    assert np.array_equal(own, other.document_vectors())
    assert np.array_equal(m.vectors(data.test.x), own[len(data.train) :])
    new = data.test.x[0][:3]  # a document that nothing was learnt from
    assert np.array_equal(m.vectors([data.test.x[1], new])[1:], m.infer([new]))
    right = [x.evaluate_finished(d.test)["accuracy"] for x, d in zip(systems, sets)]
    assert right[0] + right[1] == pytest.approx(1)
    inductive, _, _ = made(recipe, raw, **changes)
    assert np.array_equal(inductive.vectors(data.test.x), inductive.infer(data.test.x))
    assert len(inductive.document_vectors()) == len(data.train)


def test_thinned_words_are_not_met():
    m, data, _ = made(BAG, subjects(), sample=0.02)
    whole = sum(map(len, data.train.x))
    met = sum(len(b.x) for b in m.batches(data, 100, 0, 0, 0))
    assert 0.4 * whole < met < 0.9 * whole
    plain, _, _ = made(BAG, subjects())
    rows = np.concatenate([b.x for b in plain.batches(data, 100, 0, 0, 0)])
    assert len(rows) == whole and len(np.unique(rows[:, 0])) == len(data.train)
    assert plain.batches_per_epoch(data, 100) == len(list(plain.batches(data, 100, 0, 0, 0))) == 9


@pytest.mark.parametrize("recipe", paragraph2vec.RECIPES, ids=lambda r: r.name)
def test_a_training_that_was_stopped_ends_where_an_uninterrupted_one_does(recipe, tmp_path):
    raw, steps = subjects(40), []
    whole, data, s = made(recipe, raw, epochs=2)
    fit(whole, data, s)

    def stop():
        steps.append(1)
        return len(steps) == 4

    run = Run.create(tmp_path, "run")
    with pytest.raises(Interrupted):
        fit(made(recipe, raw, epochs=2)[0], data, s, run=run, stop=stop)
    second, _, _ = made(recipe, raw, epochs=2)
    fit(second, data, s, run=run, resume=True)
    for (_, a), (_, b) in zip(second.named_tensors(), whole.named_tensors(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("binary", [False, True])
def test_words_travel_in_word2vecs_files_and_documents_by_their_numbers(binary, tmp_path):
    m, data, _ = made(BAG, subjects(12))
    path = tmp_path / "words.vec"
    vector_files.save(path, m.vocabulary, m.word_vectors() + m.start("any", 1), binary)
    words, vectors = vector_files.load(path)
    assert words.words == m.vocabulary.words
    assert np.array_equal(vectors, m.word_vectors() + m.start("any", 1))
    assert m.document_vectors().shape == (len(data.train), 6)


@pytest.mark.parametrize("recipe", paragraph2vec.RECIPES, ids=lambda r: r.name)
@pytest.mark.parametrize(("name", "labelled"), [("mine.txt", False), ("mine.csv", True)])
def test_ones_own_texts_are_trained_on_by_their_path(recipe, name, labelled, tmp_path):
    path = written(tmp_path / name, subjects(), labelled)
    few = {"epochs": 1, "size": 4, "infer": 1} | ({} if labelled else {"words": 10})
    done = training.train(recipe, path, overrides=few)
    assert np.isfinite(list(done.test_figures.values())).all()
    assert ("accuracy" in done.test_figures) == labelled
    drawn = document_pictures.figures(done.system, done.data, done.settings)
    assert drawn.keys() == {"documents", "map", "words"}


def test_settings_without_effect_are_refused():
    for name, changes in (
        ("paragraph2vec", {"window": 3}),
        ("paragraph2vec-memory", {"sample": 1}),
    ):
        with pytest.raises(SettingError, match="has no effect with form="):
            models.recipe(name).resolve("enwiki_subjects", changes)
    with pytest.raises(SettingError, match="'words' has no effect on data of the kind"):
        models.recipe("paragraph2vec").resolve("imdb", {"words": 9}, "sentences")
    assert models.recipe("paragraph2vec").resolve("imdb").size == 100
