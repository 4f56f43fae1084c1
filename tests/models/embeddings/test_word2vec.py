"""word2vec: its objectives by hand, who may be a negative, threads, resuming, planted contexts."""

import numpy as np
import pytest
from scipy.special import log_softmax

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataSet, Info, Split, Vocabulary
from glassgrad.core.training.loop import Interrupted, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.core.training.settings import SettingError
from glassgrad.models.embeddings import judging, texts, word2vec, word_pictures
from tests.tools import assert_close

SOFTMAX, NEGATIVE, LIBRARY = word2vec.RECIPES


def planted(lines=300, seed=0):
    """Words a0 ... a5 and b0 ... b5 stand with a's and b's alone, two of each in a line."""
    rng = np.random.default_rng(seed)
    pieces = [rng.integers(0, 6, 8) + 6 * (i % 2) for i in range(lines)]
    vocabulary = Vocabulary(tuple(f"{kind}{i}" for kind in "ab" for i in range(6)))
    counts = np.bincount(np.concatenate(pieces), minlength=12)
    info = Info("planted", vocabulary=vocabulary, extra={"counts": counts}, kind="text")
    return DataSet("planted", Split(pieces[:-20]), Split(pieces[-20:]), None, info)


def made(recipe, data, **changes):
    s = recipe.settings(**{"size": 8, "window": 2, **changes})
    return recipe.build(data, s, gg.Generator(s.seed)), s


@pytest.mark.parametrize("check", [word2vec.check, word2vec.check_negative])
def test_the_objectives_pass_the_gradient_check(check):
    f, arrays = check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_the_softmax_objective_is_the_sum_of_the_lecture():
    data = planted(30)
    m, _ = made(SOFTMAX, data)
    x = m.w.numpy().astype(float)
    total = count = 0.0
    for piece in data.train.x:
        for i, u in enumerate(piece):
            for j in range(max(0, i - 2), min(len(piece), i + 3)):
                if j != i:
                    total -= log_softmax(x @ x[u])[piece[j]]
                    count += 1
    sums = []
    for batch in m.batches(data, 5, 0, 0, 0):
        sums.append((m.objective(batch).item() * batch.y.sum(), batch.y.sum()))
    values, counts = np.array(sums).T
    assert len(sums) == m.batches_per_epoch(data, 5) == 3 and counts.sum() == count
    assert values.sum() == pytest.approx(total, rel=1e-5)
    assert m.evaluate(data.train)["loss"] == pytest.approx(total / count, rel=1e-5)


def test_the_lectures_negatives_are_not_from_the_context():
    data = planted()
    m, _ = made(NEGATIVE, data)
    u = np.arange(12).repeat(50)
    v = m.draws(u, gg.Generator(1))
    assert v.shape == (600, 5) and ((u[:, None] < 6) != (v < 6)).all()
    assert m.c is None and len(np.unique(v)) == 12
    library, _ = made(LIBRARY, data)
    v = library.draws(u, gg.Generator(1))
    assert ((u[:, None] < 6) == (v < 6)).mean() == pytest.approx(0.5, abs=0.05)


def test_a_pair_is_met_as_often_as_it_occurs():
    data = planted(60)
    m, _ = made(NEGATIVE, data)
    met = np.zeros((12, 12))
    batches = list(m.batches(data, 100, 0, 0, 0))
    for batch in batches:
        np.add.at(met, (batch.x, batch.y), 1)
    assert len(batches) == m.batches_per_epoch(data, 100) > 1
    assert np.array_equal(met, texts.cooccurrence(data.train.x, 2, 12).toarray())


def test_windows_of_random_width_have_fewer_pairs_and_new_ones_each_epoch():
    data = planted(60)
    m, _ = made(LIBRARY, data, sample=0.0)
    one, two = (next(m.batches(data, 10**6, 0, epoch, 0)) for epoch in (0, 1))
    whole = len(texts.near(data.train.x, 2)[0])
    assert 0.6 * whole < len(one.x) < 0.9 * whole
    assert not np.array_equal(one.x, two.x)
    again = next(m.batches(data, 10**6, 0, 0, 0))
    assert np.array_equal(one.x, again.x) and np.array_equal(one.y, again.y)


def test_softmax_with_two_tables_learns_how_common_words_are_and_with_one_it_cannot():
    """Words that come at random: the best that there is are their shares of the text."""
    rng, words = np.random.default_rng(0), 30
    p = 1.0 / np.arange(1, words + 1)
    pieces = [rng.choice(words, 8, p=p / p.sum()) for _ in range(400)]
    vocabulary = Vocabulary(tuple(f"w{i}" for i in range(words)))
    counts = np.bincount(np.concatenate(pieces), minlength=words)
    info = Info("random", vocabulary=vocabulary, extra={"counts": counts}, kind="text")
    data, loss = DataSet("random", Split(pieces[:-50]), Split(pieces[-50:]), None, info), {}
    for tables in ("one", "two"):
        m, s = made(SOFTMAX, data, tables=tables, epochs=30, batch=10, size=4, lr=0.02)
        fit(m, data, s)
        loss[tables] = m.evaluate(data.valid)["loss"]
    best = m.unigram_loss(data.valid)
    assert loss["two"] < best + 0.01 and loss["one"] > best + 0.05


@pytest.mark.parametrize("recipe", word2vec.RECIPES, ids=lambda r: r.name)
def test_words_of_like_company_get_like_vectors(recipe):
    changes = {
        SOFTMAX.name: {"epochs": 3, "batch": 12, "lr": 0.1},
        NEGATIVE.name: {"epochs": 4, "lr": 0.05},
        LIBRARY.name: {"epochs": 10, "lr": 0.05, "sample": 0.0},  # of 12 words all are common
    }[recipe.name]
    m, s = made(recipe, data := planted(), **changes)
    before = m.evaluate(data.valid)["loss"]
    history = fit(m, data, s)
    assert history[-1]["valid_loss"] < 0.9 * before
    for word in range(12):
        near = judging.neighbours(m.w.numpy(), word, 5)
        assert ((near < 6) == (word < 6)).all()


def test_a_training_is_the_same_on_one_thread_and_two_and_racing_is_as_good():
    import numba

    data, found = planted(), []
    for number, racing in ((1, False), (2, False), (2, True)):
        before = numba.get_num_threads()
        numba.set_num_threads(min(number, numba.config.NUMBA_NUM_THREADS))
        try:
            m, s = made(LIBRARY, data, epochs=2, sample=0.0, racing=racing, size=100)
            history = fit(m, data, s)
        finally:
            numba.set_num_threads(before)
        found.append((m.w.numpy(), history[-1]["valid_loss"]))
    assert np.array_equal(found[0][0], found[1][0])
    assert found[2][1] == pytest.approx(found[0][1], rel=0.1)


def test_a_training_that_was_stopped_ends_where_an_uninterrupted_one_does(tmp_path):
    data, steps = planted(60), []
    whole, s = made(LIBRARY, data, epochs=2, batch=100)
    fit(whole, data, s)
    run = Run.create(tmp_path, "run")

    def stop():
        steps.append(1)
        return len(steps) == 3

    first, _ = made(LIBRARY, data, epochs=2, batch=100)
    with pytest.raises(Interrupted):
        fit(first, data, s, run=run, stop=stop)
    second, _ = made(LIBRARY, data, epochs=2, batch=100)
    fit(second, data, s, run=run, resume=True)
    assert np.array_equal(second.w.numpy(), whole.w.numpy())
    assert np.array_equal(second.c.numpy(), whole.c.numpy())


def test_the_rate_falls_in_a_line(monkeypatch):
    data, rates = planted(60), []
    m, s = made(NEGATIVE, data, epochs=2, batch=100)
    monkeypatch.setattr(word2vec.kernel, "step", lambda *a, **k: rates.append(a[5][0]))
    fit(m, data, s)
    n = len(rates)
    assert n > 4 and rates[0] == np.float32(0.025)
    assert_close(np.array(rates), 0.025 * (1 - np.arange(n) / n), rtol=1e-5)


@pytest.mark.parametrize("recipe", word2vec.RECIPES, ids=lambda r: r.name)
def test_the_pictures_are_drawn(recipe):
    m, s = made(recipe, data := planted(20))
    assert {"neighbours", "map"} <= word_pictures.figures(m, data, s).keys()


def test_the_first_pieces_hold_the_words():
    pieces = [np.zeros(n) for n in (3, 4, 5)]
    assert [word2vec.first_pieces(pieces, n) for n in (1, 3, 4, 7, 99)] == [1, 1, 2, 2, 4]


@pytest.mark.slow
def test_likeness_needs_negatives_that_are_common_words():
    """Of the text that ships, 99 pairs of WordSim: chance makes 0.10 either way."""
    rho = {}
    for noise in ("outside", "counts"):
        done = training.train(models.recipe("word2vec-negative"), overrides={"noise": noise})
        rho[noise] = done.test_figures["rho"]
    assert rho["outside"] < 0.2 < rho["counts"]


def test_settings_without_effect_are_refused():
    for name, changes in (("word2vec", {"negatives": 3}), ("word2vec-library", {"clip": 1.0})):
        with pytest.raises(SettingError, match="has no effect with form="):
            models.recipe(name).resolve("enwiki_piece", changes)
    library = models.recipe("word2vec-library").resolve("enwiki_a")
    assert (library.size, library.tables, library.noise, library.whole) == (
        100, "two", "counts", True,
    )  # fmt: skip
