"""The table of word vectors: what both programs are given, and its page."""

import json

import numpy as np
import pytest

from glassgrad.bench import word_vectors
from glassgrad.core.data import load
from glassgrad.models.embeddings.word2vec import LIBRARY_RECIPE

TINY = {"epochs": 2, "size": 8, "min_count": 20, "sample": 0.0}


def test_both_train_on_the_same_words_in_the_same_order():
    pytest.importorskip("gensim")
    text, s = load("enwiki_piece"), word_vectors.settings(seed=3, **TINY)
    data = LIBRARY_RECIPE.prepare(text, s)
    counts = data.info.extra["counts"]
    for vectors, seconds in (
        word_vectors.ours(data, s),
        word_vectors.gensims(data, s, 1),
    ):
        assert vectors.shape == (len(counts), 8) and seconds > 0
        first, other = vectors[:20], vectors[-20:]  # common words have moved more than rare ones
        assert np.linalg.norm(first, axis=1).mean() > np.linalg.norm(other, axis=1).mean()


@pytest.mark.parametrize("who", word_vectors.WHO)
def test_a_training_has_its_figures(who):
    if who == "gensim":
        pytest.importorskip("gensim")
    found = word_vectors.trained(who, 1, 1, load("enwiki_piece"), **TINY)
    assert found.keys() == word_vectors.FIGURES.keys()
    assert found["words"] > 0 and -1 <= found["rho"] <= 1 and 0 <= found["right"] <= 100


def test_the_command_trains_by_turns_and_writes_its_page(monkeypatch, tmp_path, capsys):
    asked = []

    def apart(who, seed, threads):
        asked.append((who, seed, threads))
        return {"words": 1000.0 + seed, "rho": 0.5, "right": 25.0}

    monkeypatch.setattr(word_vectors, "apart", apart)
    monkeypatch.setattr(word_vectors, "not_installed", lambda package: "")
    path = tmp_path / "page.md"
    word_vectors.main(["--seeds", "2", "--threads", "2", "--page", str(path)])
    assert asked == [(who, seed, 2) for seed in range(2) for who in word_vectors.WHO]
    text = path.read_text(encoding="utf-8")
    command = f"python -m glassgrad.bench.word_vectors --seeds 2 --threads 2 --page {path}"
    assert f"\n    {command}\n" in text and "two racing threads each" in text
    assert "| gensim | 1000 ± 6 | 0.500 ± 0.000 | 25.0 ± 0.0 |" in text
    assert "glassgrad 1 1001 words a second" in capsys.readouterr().out


def test_a_process_of_its_own_has_so_many_threads(monkeypatch):
    def run(command, env, **how):
        assert command[-4:] == ["--one", "gensim", "2", "1"] and env["NUMBA_NUM_THREADS"] == "1"
        return type("Done", (), {"stdout": json.dumps({"rho": 1.0})})

    monkeypatch.setattr(word_vectors.subprocess, "run", run)
    assert word_vectors.apart("gensim", 2, 1) == {"rho": 1.0}
