"""The tasks of sequences: what their batches hold, their losses by hand, what they make up."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet, Info, Split, Vocabulary, load
from glassgrad.core.data.grammars import is_reber
from glassgrad.core.training.system import Batch
from glassgrad.models.recurrent import lstm, sequence
from tests.tools import assert_close


def task(data, **changes):
    return sequence.task_for(data, lstm.LSTM.resolve("rolls", {"batch": 4, **changes}))


def text(tokens):
    part = Split(np.asarray(tokens))
    return DataSet("text", part, part, part, Info(vocabulary=Vocabulary(tuple("abcd"))))


class Table:
    """A system whose next symbol depends on the last one alone, by a table of logits."""

    def __init__(self, task, logits):
        self.task, self.logits = task, np.asarray(logits, "f4")

    def __call__(self, x, state=None, mask=None):
        symbols = np.asarray(x) if np.asarray(x).ndim == 2 else np.asarray(x).argmax(axis=-1)
        return gg.Tensor(self.logits[symbols]), state


def test_windows_of_a_text_hold_each_symbol_and_the_next():
    tokens = np.arange(23) % 4
    t = task(text(tokens), steps=3)
    found = list(t.training(Split(tokens), 2, 0, 0, 0))
    assert len(found) == t.per_epoch(Split(tokens), 2) == 4
    assert [len(b) for b in found] == [2] * 4
    assert [len(b.x) for b in found] == [3, 3, 3, 2]
    x, y = (np.concatenate([getattr(b, k) for b in found]) for k in "xy")
    assert (x.T.reshape(-1) == tokens[:22]).all() and (y.T.reshape(-1) == tokens[1:]).all()
    (later,) = t.training(Split(tokens), 2, 0, 0, 3)
    assert (later.x == found[3].x).all()
    held = list(t.held_out(Split(tokens), 500))
    assert [len(b) for b in held] == [10] and held[0].x.shape == (2, 10)


def test_a_texts_loss_is_the_cross_entropy_of_each_symbol():
    t, rng = task(text(np.arange(12) % 4)), np.random.default_rng(0)
    z, y = rng.standard_normal((3, 2, 4)), rng.integers(0, 4, (3, 2))
    got = t.losses(gg.Tensor(z), Batch(None, y)).numpy()
    for i in range(3):
        for j in range(2):
            p = np.exp(z[i, j]) / np.exp(z[i, j]).sum()
            assert got[i, j] == pytest.approx(-np.log(p[y[i, j]]), rel=1e-12)
    figures = t.summary({"loss": np.array([1.0, 2.0])})
    assert figures == pytest.approx(
        {"loss": 1.5, "bits": 1.5 / np.log(2), "perplexity": np.exp(1.5)}
    )


def test_made_up_text_follows_the_probabilities():
    data = text(np.arange(12) % 4)
    after = np.full((4, 4), -50.0)
    after[[0, 1, 2, 3], [1, 2, 3, 0]] = 0  # each symbol has one successor
    figure = task(data).sample(Table(task(data), after), data, 9, gg.Generator(0))
    assert figure.texts[0].get_text() == "abcdabcda"  # after the last training symbol, d
    even = task(data).sample(Table(task(data), np.zeros((4, 4))), data, 2000, gg.Generator(0))
    made = even.texts[0].get_text().replace("\n", "")
    assert all(abs(made.count(c) / 2000 - 0.25) < 0.04 for c in "abcd")


def test_a_legal_loss_sums_over_the_symbols():
    data = load("embedded_reber")
    for target in ("legal", "next"):
        t = task(data, target=target)
        batch = t.batch(data.test[:3])
        batch.y = batch.y.astype("float64")
        z = np.random.default_rng(1).standard_normal(batch.x.shape)
        p, y = 1 / (1 + np.exp(-z)), batch.y[0]
        want = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=2)
        assert_close(t.losses(gg.Tensor(z), batch).numpy(), want, rtol=1e-12)
        strings = [len(x) - 1 for x in data.test.x[:3]]
        assert batch.mask.sum(axis=0).tolist() == strings and len(batch) == 3
        t_symbols = "".join(t.ticks(batch.x[: strings[0], :1]))
        assert is_reber(t_symbols + "E") and t_symbols[0] == "B"


def test_made_up_strings_end_with_the_end_symbol():
    """A system that knows S -> a, a -> b, b -> T writes SabT."""
    data = load("counting")
    names = "".join(data.info.feature_names)
    after = np.full((4, 4), -9.0)
    for one, other in ("Sa", "ab", "bT", "TS"):
        after[names.index(one), names.index(other)] = 9
    t = task(data)
    figure = t.sample(Table(t, after), data, 3, gg.Generator(0))
    assert figure.texts[0].get_text() == "SabT\nSabT\nSabT"


def test_counting_scores_name_the_n_of_each_string():
    data = load("counting")
    t = task(data)
    batch = t.batch(data.test[:4])
    perfect = np.where(batch.y[1] > 0, 1.0, -1.0)
    found = t.scores(perfect, batch)
    strings = data.info.extra["strings"]["test"][:4]
    assert found["n"].tolist() == [s.count("a") for s in strings]
    assert found["solved"].all()
    perfect[0, 2] = -1.0
    assert t.scores(perfect, batch)["solved"].tolist() == [True, True, False, True]


def test_numbers_cost_their_mean_squared_error():
    rng = np.random.default_rng(0)
    data = DataSet("sums", Split(rng.random((5, 4, 2)).astype("f4"), rng.random((5, 3))))
    t = task(data)
    batch = t.batch(data.train)
    assert batch.x.shape == (4, 5, 2) and batch.mask is None and len(batch) == 5
    z = rng.random((5, 3))
    want = [np.mean([(a - b) ** 2 for a, b in zip(*rows)]) for rows in zip(z, data.train.y)]
    assert_close(t.losses(gg.Tensor(z), batch).numpy(), np.array(want), rtol=1e-12)
    near = data.train.y + np.array([[0.03, 0.0, 0.0]] * 4 + [[0.05, 0.0, 0.0]])
    assert t.scores(near, batch)["within"].tolist() == [True] * 4 + [False]
