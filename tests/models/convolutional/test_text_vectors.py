"""Vectors of a text CNN from a file: whose they are, what is drawn, and word2vec's own run."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, Info, Split, Vocabulary, load
from glassgrad.core.data.own.texts.sentences import sentence_set
from glassgrad.models.convolutional import text_cnn, text_vectors
from glassgrad.models.embeddings import vector_files

RECIPE = text_cnn.TEXT_CNN
KNOWN = ("good", "bad", "film", "new", "dog", "other")
FEW = {"widths": (2,), "maps": 4, "epochs": 2, "batch": 4}


def sentences():
    """Training texts of good, bad, film and odd; the test has new and rare, which are unknown."""
    train = Split([t.split() for t in ["good film", "bad film", "odd film"] * 6],
                  np.array([1, 0, 0] * 6))  # fmt: skip
    test = Split([t.split() for t in ["new film", "rare new good"]], np.array([0, 1]))
    return sentence_set("d", [train, None, test], 1, Info("me", ("no", "yes"), kind="sentences"))


@pytest.fixture
def file(tmp_path):
    x = np.random.default_rng(0).normal(0, 0.3, (len(KNOWN), 50)).astype(np.float32)
    vector_files.save(tmp_path / "v.bin", Vocabulary(KNOWN), x, binary=True)
    vector_files.save(tmp_path / "v.txt", Vocabulary(KNOWN), x)
    return tmp_path / "v.bin", x


def made(path, vectors="static", **changes):
    s = RECIPE.settings(**{**FEW, "vectors": vectors, "file": str(path), **changes})
    data = RECIPE.prepare(sentences(), s)
    return RECIPE.build(data, s, gg.Generator(s.seed)), data, s


def test_words_of_the_file_have_its_vectors_those_of_held_out_texts_too(file):
    path, x = file
    m, data, _ = made(path)
    words = data.info.vocabulary
    assert set(words.words) == {"<pad>", "<unk>", "good", "bad", "film", "odd", "new"}
    table = m.fixed.numpy()
    for word in ("good", "bad", "film", "new"):
        assert np.array_equal(table[words.index[word]], x[KNOWN.index(word)])
    assert [words.decode(t) for t in data.test.x] == [["new", "film"], ["<unk>", "new", "good"]]
    assert [words.decode(t) for t in data.train.x[:1]] != [["<unk>", "film"]]


def test_both_forms_of_the_file_make_the_same_network(file):
    path, _ = file
    one, other = (made(p)[0].state_dict() for p in (path, path.with_suffix(".txt")))
    assert all(np.array_equal(one[k], other[k]) for k in one)


def test_a_word_without_a_vector_is_drawn_with_the_variance_of_the_others():
    rng = np.random.default_rng(1)
    there = np.arange(500) % 2 == 0
    table = np.where(there[:, None], rng.normal(0.1, 0.4, (500, 60)), 0).astype(np.float32)
    data = sentences()
    info = Info("me", vocabulary=Vocabulary([f"w{i}" for i in range(500)]),
                extra={"vectors": (there, table)})  # fmt: skip
    data = type(data)("d", data.train, info=info)
    s = RECIPE.settings(vectors="static", file="v.bin")
    found = text_vectors.table_of(data, s, gg.Generator(0))
    assert np.array_equal(found[there], table[there])
    drawn, bound = found[~there], np.sqrt(3) * table[there].std()
    assert drawn.std() == pytest.approx(table[there].std(), rel=0.02)
    assert abs(drawn.mean()) < 0.01 and 0.99 * bound < np.abs(drawn).max() <= bound


def test_random_vectors_are_uniform():
    s = RECIPE.settings(size=2000)
    table = text_vectors.table_of(sentences(), s, gg.Generator(0))
    assert table.shape == (6, 2000) and 0.249 < np.abs(table).max() <= 0.25
    assert table.std() == pytest.approx(0.25 / np.sqrt(3), rel=0.02)


def test_static_vectors_stay_and_others_are_trained_where_they_occur(file):
    from glassgrad.core.training.loop import fit

    path, _ = file
    for vectors in ("static", "non-static", "multichannel"):
        m, data, s = made(path, vectors)
        words, before = data.info.vocabulary, made(path, vectors)[0].state_dict()
        fit(m, data, s)
        after = m.state_dict()
        assert ("tuned" in after) == (vectors != "static")
        assert ("fixed" in after) == (vectors != "non-static")
        if "fixed" in after:
            assert np.array_equal(after["fixed"], before["fixed"])
        if "tuned" in after:
            moved = (after["tuned"] != before["tuned"]).any(axis=1)
            assert {w for w, there in zip(words.words, moved) if there} == {
                "good", "bad", "film", "odd",
            }  # fmt: skip
        assert after["convolutions.0.weight"].shape[1] == (100 if vectors == "multichannel" else 50)


def test_a_file_that_does_not_fit_is_refused(file, tmp_path):
    vector_files.save(tmp_path / "w", Vocabulary(("x", "y")), np.ones((2, 3), np.float32))
    with pytest.raises(DataError, match=r"none of its 6 words is in the file of vectors"):
        made(tmp_path / "w")
    with pytest.raises(gg.GlassgradError, match="nowhere"):
        made(tmp_path / "nowhere")


def test_a_text_that_had_unknown_words_before_keeps_its_numbers():
    """Of ``<unk>`` in the text itself nothing is known: then none of a split is restored."""
    words = Vocabulary(("<pad>", "<unk>", "a", "b"))
    split = Split([np.array([1, 2]), np.array([1, 1])], np.array([0, 1]))
    assert text_vectors.restored(split, words, ["b"]).x[0].tolist() == [1, 2]
    found = text_vectors.restored(split, words, ["b", "zzz", "a"])
    assert [x.tolist() for x in found.x] == [[3, 2], [1, 2]]


def test_folds_of_film_reviews_know_the_words_of_the_file_in_each_fold(file):
    data = sentences()
    s = RECIPE.settings(vectors="static", file=str(file[0]), cross=True, seed=1)
    parts = RECIPE.prepare(data, s)
    assert sum(len(p) for _, p in parts.splits()) == 20
    new = parts.info.vocabulary.index["new"]
    assert sum((x == new).sum() for _, p in parts.splits() for x in p.x) == 2


def test_a_run_of_word2vec_leaves_the_file(tmp_path):
    few = {"epochs": 1, "size": 6, "min_count": 20}
    word2vec = models.recipe("word2vec-library")
    done, _ = training.train_and_write(word2vec, overrides=few, out=tmp_path / "runs")
    path = done.run.folder / "vectors.bin"
    words, x = vector_files.load(path)
    assert words == done.system.vocabulary and np.array_equal(x, done.system.w.numpy())
    own = {**FEW, "vectors": "static", "file": str(path), "epochs": 1, "batch": 100}
    cnn, _ = training.train_and_write(RECIPE, overrides=own, out=tmp_path / "cnn")
    at = cnn.data.info.vocabulary.index["the"]
    assert np.array_equal(cnn.system.fixed.numpy()[at], x[words.index["the"]])
    again = training.load(cnn.run.folder)[1]
    assert again.system.evaluate(again.data.test) == cnn.system.evaluate(cnn.data.test)


def test_a_text_by_characters_leaves_no_file():
    data = load("shakespeare_piece")
    system = type("S", (), {"vocabulary": data.info.vocabulary, "w": None})
    assert vector_files.of_run(system, data, None) == {}
