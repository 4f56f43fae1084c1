"""Classes of texts: against PyTorch, padding, order of the batches, contributions, vectors."""

import dataclasses
import itertools

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet, Info, Split, load
from glassgrad.core.data.text import Vocabulary
from glassgrad.core.training.settings import SettingError
from glassgrad.models.embeddings import vector_files
from glassgrad.models.recurrent import sentiment
from glassgrad.models.recurrent.sentiment import Settings, TextReader, batch, by_length
from glassgrad.models.recurrent.sentiment_pictures import contributions, lay_out
from tests.tools import assert_close

TEXTS = [np.array([1, 4, 2, 2, 3]), np.array([3]), np.array([0, 2])]
SPLIT = Split(TEXTS, np.array([2, 0, 1]))


def made(**changes):
    s = Settings(**{"hidden": 4, "embed": 3, "dropout": 0.0, "word_dropout": 0.0, **changes})
    system = TextReader(6, 3, s, gg.Generator(2), "float64")
    for k, p in enumerate(system.parameters()):
        p.assign(np.random.default_rng(k).standard_normal(p.shape))
    return system


@pytest.mark.parametrize("pool", ["max", "mean", "last"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_one_text_at_a_time_with_loops(cell, pool):
    """Each direction alone, step by step, over texts without any padding."""
    system = made(cell=cell, pool=pool)
    found = system.logits(TEXTS)
    layer, output = system.layer, system.output
    for x, logits in zip(TEXTS, found):
        said = []
        for place, order in (("l0", 1), ("l0_reverse", -1)):
            w, u = (layer.get(f"weight_{k}", place).numpy() for k in ("ih", "hh"))
            hs = states(cell, system.embedding.weight.numpy()[x[::order]], w, u,
                        layer.bias(place))  # fmt: skip
            said.append((hs[::order], hs[-1]))
        both = np.concatenate([hs for hs, _ in said], axis=1)
        pooled = {
            "max": both.max(axis=0), "mean": both.mean(axis=0),
            "last": np.concatenate([last for _, last in said]),
        }[pool]  # fmt: skip
        want = output.weight.numpy() @ pooled + output.bias.numpy()
        assert_close(logits, want, rtol=1e-10)


def states(cell, vectors, w, u, bias):
    """h_1 .. h_T by the page's formulas of both cells."""

    def sigma(a):
        return 1 / (1 + np.exp(-a))

    h = c = np.zeros(u.shape[1])
    b, found = 0.0 if bias is None else bias.numpy(), []
    for e in vectors:
        if cell == "lstm":
            i, f, g, o = np.split(w @ e + u @ h + b, 4)
            c = sigma(f) * c + sigma(i) * np.tanh(g)
            h = sigma(o) * np.tanh(c)
        else:
            (wr, wz, wn), (ur, uz, un) = np.split(w, 3), np.split(u, 3)
            r, z = sigma(wr @ e + ur @ h), sigma(wz @ e + uz @ h)
            h = (1 - z) * h + z * np.tanh(wn @ e + un @ (r * h))
        found.append(h)
    return np.stack(found)


def test_dropped_words_are_dropped_whole():
    system = made(word_dropout=0.5, pool="mean")
    seen = []

    def layer(x, lengths):
        seen.append(x.numpy())
        return gg.zeros((40, 50, 8), "float64"), None

    system.layer.forward = layer
    system.embedding.weight.assign(np.ones((6, 3)))
    rows = [np.zeros(40, np.int64)] * 50
    part = system.on_device(batch(Split(rows, np.zeros(50, np.int64))))
    system(part.x, part.mask)
    values = seen[0].reshape(-1, 3)
    assert (values == values[:, :1]).all() and set(np.unique(values)) == {0.0, 2.0}
    assert abs((values[:, 0] > 0).mean() - 0.5) < 0.06
    system.eval()
    system(part.x, part.mask)
    assert (seen[1] == 1).all()


def test_an_epoch_has_every_text_once_in_batches_of_like_lengths():
    lengths = np.random.default_rng(0).integers(1, 300, 1234)
    split = Split([np.zeros(n, np.int64) for n in lengths])
    found = by_length(split, 10, seed=3, epoch=1)
    assert sorted(np.concatenate(found).tolist()) == list(range(1234))
    assert sorted(map(len, found)) == [4] + [10] * 123
    padded = sum(len(rows) * lengths[rows].max() for rows in found)
    assert padded < 1.03 * lengths.sum()
    again, other = by_length(split, 10, 3, 1), by_length(split, 10, 3, 2)
    assert all(np.array_equal(a, b) for a, b in zip(found, again))
    assert not all(np.array_equal(a, b) for a, b in zip(found, other))
    mean = np.array([lengths[rows].mean() for rows in found])
    assert abs(np.corrcoef(mean, np.arange(len(mean)))[0, 1]) < 0.3  # no order in the epoch


def test_an_epoch_goes_on_where_it_stopped():
    split = Split([np.full(1 + k % 7, k % 5) for k in range(40)], np.arange(40) % 3)
    data, system = DataSet("d", split), made()
    whole = list(system.batches(data, 8, 1, 2, 0))
    rest = list(system.batches(data, 8, 1, 2, 3))
    assert len(whole) == 5 and all(np.array_equal(a.x, b.x) for a, b in zip(whole[3:], rest))


def test_contributions_are_the_differences_of_a_net_that_is_linear_in_its_vectors():
    """`read` replaced by Σ_t A e_t: leaving out word t changes the answer by c_t exactly."""
    system, a = made(), np.random.default_rng(1).standard_normal((3, 3))
    system.read = lambda e, mask: e.sum(axis=0) @ gg.Tensor(a.T)
    x = TEXTS[0]
    each = system.embedding.weight.numpy()[x] @ a.T
    want = each[:, 1] - (each[:, 0] + each[:, 2]) / 2
    assert_close(contributions(system, x, 1), want, rtol=1e-12)


def test_words_are_laid_out_in_lines_without_loss():
    text = [f"word{k}" * (1 + k % 3) for k in range(60)]
    rows = lay_out(text, np.arange(60.0))
    assert [w for row in rows for _, w, _ in row] == text
    for row in rows:
        assert all(a + len(w) + 1 == b for (a, w, _), (b, _, _) in itertools.pairwise(row))
        assert row[0][0] == 0 and row[-1][0] + len(row[-1][1]) <= 92


def test_vectors_come_from_a_file_by_word(tmp_path):
    words = Vocabulary(("<unk>", "a", "b", "c"))
    data = DataSet("t", Split([np.array([1, 2])], np.array([0])), info=Info(vocabulary=words))
    path, vectors = tmp_path / "v.txt", np.float32([[1, 2], [3, 4], [5, 6]])
    vector_files.save(path, Vocabulary(("c", "zoo", "a")), vectors)
    s = Settings(embed=2, file=str(path))
    random = sentiment.build(data, dataclasses.replace(s, file=""), gg.Generator(0))
    found = sentiment.build(data, s, gg.Generator(0)).embedding.weight.numpy()
    assert found[[1, 3]].tolist() == [[5, 6], [1, 2]]
    assert np.array_equal(found[[0, 2]], random.embedding.weight.numpy()[[0, 2]])
    with pytest.raises(SettingError, match=r"setting 'file': .*nowhere"):
        sentiment.build(data, Settings(file=str(tmp_path / "nowhere")), gg.Generator(0))
    with pytest.raises(SettingError, match="have 2 numbers: set embed=2, not 5"):
        sentiment.build(data, Settings(embed=5, file=str(path)), gg.Generator(0))


def test_long_texts_keep_both_ends_and_an_empty_one_is_refused():
    data = DataSet("t", Split([np.arange(9), np.arange(3)], np.array([0, 1])))
    found = sentiment.prepare(data, Settings(longest=4)).train.x
    assert [x.tolist() for x in found] == [[0, 1, 7, 8], [0, 1, 2]]
    empty = DataSet("t", Split([np.arange(2), np.arange(0)], np.array([0, 1])))
    with pytest.raises(SettingError, match="t: train text 1 has no words"):
        sentiment.prepare(empty, Settings())


# ------------------------------------------------------------------ the generated opinions


def verdict(text: str) -> bool:
    """The opinion by reading: what the last clause says."""
    from glassgrad.core.data import synthetic_opinions as o

    words = [w for w in text.split() if w not in ("very", "really", "so")]
    clauses = [i for i, w in enumerate(words) if w == "is"]
    said = []
    for i in clauses:
        denied = words[i + 1] in o.DENIALS
        adjective = words[i + 1 + denied]
        assert adjective in o.ADJECTIVES[0] + o.ADJECTIVES[1]
        said.append((adjective in o.ADJECTIVES[1]) != denied)
    if len(said) == 2:
        assert ("but" in words) == (said[0] != said[1]) and ("and" in words) != ("but" in words)
    return said[-1]


def test_every_opinion_is_what_it_says():
    data = load("opinions", train=600, valid=50, test=50, seed=4)
    read = data.info.vocabulary.decode
    texts = [(" ".join(read(x)), y) for x, y in zip(data.train.x, data.train.y)]
    assert all(verdict(text) == bool(y) for text, y in texts)
    assert data.train.y.sum() == 300 and len({t for t, _ in texts}) > 590
    for words in (" but ", " and ", " not ", " hardly ", " so ", " , "):
        assert 60 < sum(words in t for t, _ in texts) < 540


def test_no_word_of_an_opinion_says_what_it_is():
    """The number of texts of each class with a word differs by chance alone: 4 deviations."""
    data = load("opinions")
    there = np.zeros((2, len(data.info.vocabulary)))
    for x, y in zip(data.train.x, data.train.y):
        there[y, np.unique(x)] += 1
    often = there.sum(axis=0) > 20
    assert (abs(there[0] - there[1]) < 4 * np.sqrt(there.sum(axis=0)))[often].all()
