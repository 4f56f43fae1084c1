"""The replicated softmax compared with all sequences of words; counts of texts."""

from itertools import product as sequences

import numpy as np
import pytest
from scipy.special import logsumexp

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, DataSet, Info, Split
from glassgrad.models.energy import replicated_softmax, word_counts
from glassgrad.models.energy.replicated_softmax import ReplicatedSoftmax, Settings, draw_counts
from tests.tools import Undivided


def machine(k=3, m=2, seed=0, **changes):
    s = Settings(hidden=m, **changes)
    system = ReplicatedSoftmax(np.arange(1.0, k + 1), s, gg.Generator(seed), "float64")
    rng = np.random.default_rng(seed)
    for p in (system.w, system.b, system.a):
        p.data = 0.7 * rng.normal(size=p.shape)
    return system


def energy(system, words, h):
    """-E by its definition, word after word."""
    w, b, a = (t.numpy() for t in (system.w, system.b, system.a))
    return sum(w[k] @ h + b[k] for k in words) + len(words) * (a @ h)


def table(system, d):
    """{sequence of d words: ln Σ_h e^{-E}} over all sequences."""
    k, m = system.w.shape
    hidden = [np.array(h) for h in sequences((0.0, 1.0), repeat=m)]
    return {
        words: logsumexp([energy(system, words, h) for h in hidden])
        for words in sequences(range(k), repeat=d)
    }


def counts(words, k):
    return np.bincount(np.array(words, int), minlength=k).astype(float)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_free_energy_and_partition_function_are_those_of_all_sequences(d):
    system = machine()
    by_hand = table(system, d)
    v = np.stack([counts(words, 3) for words in by_hand])
    np.testing.assert_allclose(-system.free(v)[0], list(by_hand.values()), rtol=1e-10)
    parts = (system.w.data, system.b.data, system.a.data)
    exact = replicated_softmax.exact(*parts, np.array([d]))[0]
    assert exact == pytest.approx(logsumexp(list(by_hand.values())), rel=1e-10)


def test_annealing_finds_the_partition_function_of_each_length():
    system = machine(k=6, m=4, seed=3, ais_chains=200, temperatures=200)
    lengths = np.array([1, 5, 17])
    parts = (system.w.data, system.b.data, system.a.data)
    exact = replicated_softmax.exact(*parts, lengths)
    for found, right in zip(system.partition(lengths, gg.Generator(1)), exact):
        assert abs(found.log_z - right) < 4 * found.spread + 0.01
        assert found.spread < 0.2


def test_the_conditionals_are_those_of_the_table():
    system, words = machine(), (0, 2, 2)
    hidden = [np.array(h) for h in sequences((0.0, 1.0), repeat=2)]
    p = np.exp([energy(system, words, h) for h in hidden])
    expected = (p[:, None] * np.stack(hidden)).sum(axis=0) / p.sum()
    np.testing.assert_allclose(system.hidden(counts(words, 3)[None])[0], expected)
    h = np.array([1.0, 0.0])
    q = np.exp([energy(system, (k, *words[1:]), h) for k in range(3)])
    logits = system.word_logits(h[None])[0]
    np.testing.assert_allclose(np.exp(logits - logsumexp(logits)), q / q.sum())


def test_counts_are_drawn_with_their_probabilities():
    logits = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    drawn = draw_counts(gg.Generator(0), np.repeat(logits, 3000, axis=0), np.repeat([7, 2], 3000))
    assert set(drawn[:3000].sum(axis=1)) == {7} and set(drawn[3000:].sum(axis=1)) == {2}
    np.testing.assert_allclose(drawn[:3000].mean(axis=0), [3.5, 2.1, 1.4], atol=0.1)
    np.testing.assert_allclose(drawn[3000:].mean(axis=0), [0.2, 0.2, 1.6], atol=0.05)
    np.testing.assert_allclose(drawn[:3000, 0].var(), 7 * 0.25, rtol=0.1)


def test_gibbs_steps_keep_the_lengths_and_reach_the_distribution():
    system, d = machine(), 2
    by_hand = table(system, d)
    v = np.tile(counts((0, 0), 3), (20_000, 1))
    v = system.gibbs(v, 30, gg.Generator(5))
    assert (v.sum(axis=1) == d).all()
    p = np.exp(np.array(list(by_hand.values())) - logsumexp(list(by_hand.values())))
    mean = sum(q * counts(words, 3) for words, q in zip(by_hand, p))
    np.testing.assert_allclose(v.mean(axis=0), mean, atol=0.03)


def test_a_step_follows_the_gradient_of_the_free_energies():
    """What train_step leaves in .grad is the gradient of F(v) - F(ṽ) for the samples it drew."""
    system = machine(k=5, m=3)
    v = np.random.default_rng(0).integers(0, 5, (8, 5)).astype(float)
    fantasy = system.gibbs(v, 1, gg.Generator(9))
    kept = []

    class Training:
        shards = Undivided()

        optimiser = type("O", (), {"step": lambda self: None})()

        def clip(self):
            kept.extend(p.grad.numpy() for p in (system.w, system.b, system.a))

    system.gibbs = lambda *_: fantasy
    system.train_step(type("B", (), {"x": v})(), Training())
    tensors = [gg.Tensor(p.numpy(), requires_grad=True) for p in (system.w, system.b, system.a)]

    def mean_free(x):
        w, b, a = tensors
        d = gg.Tensor(x.sum(axis=1, keepdims=True))
        x = gg.Tensor(x)
        return (-(x @ b) - gg.softplus(x @ w + d * a).sum(axis=1)).sum()

    wanted = gg.grad((mean_free(v) - mean_free(fantasy)) / v.sum(), tensors)
    for got, right in zip(kept, wanted, strict=True):
        np.testing.assert_allclose(got, right.numpy(), atol=1e-12)


def test_perplexity_is_that_of_the_table_and_the_unigram_that_of_frequencies():
    system = machine(k=3, m=2)
    documents = [(0, 1), (2, 2), (1,)]
    v = np.stack([counts(words, 3) for words in documents])
    log_p = []
    for words in documents:
        by_hand = table(system, len(words))
        log_p.append(by_hand[words] - logsumexp(list(by_hand.values())))
    found = system.evaluate_finished(Split(np.concatenate([v, np.zeros((1, 3))])))
    assert found["perplexity"] == pytest.approx(np.exp(-sum(log_p) / 5))
    each = [q / len(words) for q, words in zip(log_p, documents)]
    assert found["per_document"] == pytest.approx(np.exp(-np.mean(each)))
    p = np.array([2.0, 3.0, 4.0]) / 9  # counts 1, 2, 3 and one more each
    nats = -sum(np.log(p[k]) for words in documents for k in words)
    assert found["unigram"] == pytest.approx(np.exp(nats / 5))


def test_the_errors_of_perplexities_are_the_deviations_of_many_draws():
    """Other documents each time, and another ln Z_D of each length, with a known error."""
    rng, found, said = np.random.default_rng(8), [], []
    log_z_error = {5: 0.5, 40: 2.0, 90: 3.0}  # far apart: both parts count
    for _ in range(3000):
        lengths = rng.choice(list(log_z_error), 60)
        right = -2.0 * lengths + np.sqrt(lengths) * rng.normal(size=60)
        wrong = {d: s * rng.normal() for d, s in log_z_error.items()}
        log_p = right - np.array([wrong[d] for d in lengths])
        error = np.array([log_z_error[d] for d in lengths])
        said.append(replicated_softmax.spreads(log_p, lengths, error))
        found.append((np.exp(-log_p.sum() / lengths.sum()), np.exp(-(log_p / lengths).mean())))
    np.testing.assert_allclose(np.mean(said, axis=0), np.std(found, axis=0), rtol=0.05)
    certain = replicated_softmax.spreads(right, lengths, 0 * error)
    assert all(a < 0.8 * b for a, b in zip(certain, said[-1]))


@pytest.mark.parametrize("exact", [True, False])
def test_the_spread_of_a_target_is_that_of_its_metric(exact, monkeypatch):
    monkeypatch.setattr(replicated_softmax, "ENUMERATED", 14 if exact else 0)
    system = machine(k=4, m=3, ais_chains=20, temperatures=20)
    split = Split(np.random.default_rng(2).integers(0, 5, (9, 4)).astype(float))
    found = system.evaluate_finished(split)
    assert ("log_z_spread" in found) != exact
    for target in replicated_softmax.REPLICATED.targets:
        assert target.spread == f"{target.metric}_spread" and target.seeds == 3
        assert 0 < found[target.spread] < found[target.metric]


def text(lines) -> DataSet:
    words = ("ship", "sea", "the", "of", "field", "corn", "\n")
    index = {w: i for i, w in enumerate(words)}
    tokens = np.array([index[w] for line in lines for w in (*line.split(), "\n")])
    from glassgrad.core.data import Vocabulary

    vocabulary = Vocabulary((*words[:-1], "<eos>"))
    return DataSet("t", Split(tokens), info=Info(kind="text", vocabulary=vocabulary))


def test_a_text_becomes_documents_of_words_that_say_something():
    lines = ["the ship the sea of ship"] * 10 + ["the corn of the field corn"] * 10
    s = Settings(piece=6, rare=2, common=0.6)
    data = word_counts.as_counts(text(lines), s)
    assert set(data.info.feature_names) == {"ship", "sea", "corn", "field"}  # no "the", no "of"
    assert [len(part) for _, part in data.splits()] == [16, 2, 2]
    row = dict(zip(data.info.feature_names, data.train.x[0]))
    assert row == {"ship": 2, "sea": 1, "corn": 0, "field": 0}
    with pytest.raises(DataError, match="at least 10 are needed"):
        word_counts.as_counts(text(lines[:5]), s)
    with pytest.raises(DataError, match="no word of three letters"):
        word_counts.as_counts(text(lines), Settings(piece=6, rare=100))


def test_counts_are_clipped_in_training_only_and_empty_documents_left_out_there():
    x = np.array([[30.0, 1.0], [0.0, 0.0], [2.0, 2.0]], np.float32)
    raw = DataSet("c", Split(x), None, Split(x), Info(kind="counts"))
    data = word_counts.as_counts(raw, Settings(clip=20))
    assert data.train.x.tolist() == [[20, 1], [2, 2]] and data.test.x.tolist() == x.tolist()


@pytest.mark.slow
def test_topics_of_the_shipped_articles_are_about_something():
    """Perplexity far below that of single words, and below that of LDA's bound; words that fit."""
    from sklearn.decomposition import LatentDirichletAllocation

    done = training.train(models.recipe("replicated-softmax"))
    found = done.test_figures
    assert found["perplexity"] < 0.8 * found["unigram"]
    lda = LatentDirichletAllocation(12, max_iter=5, random_state=0).fit(done.data.train.x)
    assert found["perplexity"] < lda.perplexity(done.data.test.x)
    names, w = list(done.data.info.feature_names), done.system.w.numpy()
    at = {word: w[names.index(word)] for word in ("gdp", "exports", "coast", "mountains")}

    def alike(a, b):
        return np.corrcoef(at[a], at[b])[0, 1]

    assert alike("gdp", "exports") > alike("gdp", "coast")
    assert alike("coast", "mountains") > alike("exports", "mountains")


def test_bits_are_words_that_a_document_has():
    recipe = models.recipe("rbm-words")
    s = recipe.resolve("enwiki_piece")
    data = training.load_data(recipe, "enwiki_piece", s)
    assert set(np.unique(data.train.x)) == {0.0, 1.0} and len(data.info.feature_names) == 1000
