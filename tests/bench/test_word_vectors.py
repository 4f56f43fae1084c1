"""The table of word vectors: what both programs are given, and its page."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.bench import word_vectors
from glassgrad.bench.peers import gensim_words
from glassgrad.core import machine
from glassgrad.core.data import load
from glassgrad.core.training.loop import fit
from glassgrad.models.embeddings.word2vec import LIBRARY_RECIPE

TINY = {"epochs": 1, "size": 8, "min_count": 20, "sample": 0.0}


def test_gensim_reads_the_same_words_and_its_vectors_come_in_our_order(monkeypatch):
    """A training that writes down the text, and gives each word its own number as a vector."""
    gensim = pytest.importorskip("gensim.models")
    s = word_vectors.settings(seed=3, **TINY)
    data, read = LIBRARY_RECIPE.prepare(load("enwiki_piece"), s), []

    def train(model, pieces, total_examples, epochs):
        assert total_examples == len(pieces) and epochs == s.epochs
        read.extend(pieces)
        for word, row in model.wv.key_to_index.items():
            model.wv.vectors[row] = data.info.vocabulary.index[word]

    monkeypatch.setattr(gensim.Word2Vec, "train", train)
    vectors, _ = gensim_words.trained(data, s, 1)
    assert np.array_equal(vectors, np.repeat(np.arange(len(vectors))[:, None], 8, axis=1))
    assert len(read) == len(data.train)
    for words, piece in zip(read, data.train.x):
        assert np.array_equal(data.info.vocabulary.encode(words), piece)


@pytest.mark.parametrize("who", word_vectors.WHO)
def test_a_training_has_its_figures(who):
    if who == "gensim":
        pytest.importorskip("gensim")
    found = word_vectors.trained(who, "enwiki_piece", 1, 1, **TINY)
    assert found.keys() == word_vectors.FIGURES.keys()
    assert found["words"] > 0 and -1 <= found["rho"] <= 1 and 0 <= found["analogies"] <= 100


def test_ours_is_the_training_of_the_recipe():
    s = word_vectors.settings(seed=3, **TINY)
    data = LIBRARY_RECIPE.prepare(load("enwiki_piece"), s)
    (one, seconds), (two, _) = (word_vectors.ours(data, s) for _ in range(2))
    assert seconds > 0 and np.array_equal(one, two) and np.isfinite(one).all()
    other = LIBRARY_RECIPE.prepare(load("enwiki_piece"), s)
    system = LIBRARY_RECIPE.build(other, s, gg.Generator(s.seed))
    fit(system, other, s)
    assert np.array_equal(one, system.w.numpy())


def test_the_command_trains_both_in_turn_and_writes_its_page(monkeypatch, tmp_path, capsys):
    asked = []

    def one(who, name, seed, threads):
        asked.append((who, name, seed, threads))
        return {"words": 1000.0 + seed, "rho": 0.5, "analogies": 25.0}

    monkeypatch.setattr(word_vectors, "in_a_process", one)
    monkeypatch.setattr(word_vectors, "not_installed", lambda package: "")
    path = tmp_path / "page.md"
    given = ["--data", "enwiki_piece", "--seeds", "2", "--threads", "2"]
    word_vectors.main([*given, "--page", str(path)])
    assert asked == [(w, "enwiki_piece", seed, 2) for seed in range(2) for w in word_vectors.WHO]
    text = path.read_text(encoding="utf-8")
    command = f"python -m glassgrad.bench.word_vectors {' '.join(given)} --page {path}"
    assert f"\n    {command}\n" in text and "two racing threads each." in text
    assert f"Measured on {machine.in_words(machine.describe())}, gensim " in text
    assert "| gensim | 1000 ± 6 | 0.500 ± 0.000 | 25.0 ± 0.0 |" in text
    assert "glassgrad 1 1001 words a second" in capsys.readouterr().out


def test_a_process_of_its_own_is_told_what_to_train(monkeypatch, capsys):
    told = []

    def run(command, **how):
        assert command[-5:-3] == ["--one", "gensim"]
        monkeypatch.setattr(word_vectors, "hold_to", told.append)
        monkeypatch.setattr(word_vectors, "trained", lambda *given: told.append(given) or {"a": 1})
        word_vectors.main(command[-5:])
        return type("Done", (), {"stdout": capsys.readouterr().out})

    monkeypatch.setattr(word_vectors.subprocess, "run", run)
    assert word_vectors.in_a_process("gensim", "enwiki_a", 2, 1) == {"a": 1}
    assert told == [1, ("gensim", "enwiki_a", 2, 1)]
