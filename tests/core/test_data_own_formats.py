"""A file in the format of a set of the catalogue: by path it gives the same arrays as by name."""

import gzip
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError, Weights
from glassgrad.core.data.files import SHIPPED
from glassgrad.core.data.own.formats import FORMATS
from glassgrad.core.data.own.recordings import audio_npz
from glassgrad.core.training.checkpoint import save_arrays

SETS = {  # name -> (its file or folder, options of the reader)
    "binary_mushrooms": ("mushrooms.npz", {}),
    "blogcatalog": ("blogcatalog.npz", {}),
    "cifar10_jpeg_subset": ("cifar10_subset.npz", {}),
    "cora": ("cora_planetoid.npz", {}),
    "efficientnet_lite0": ("efficientnet_lite0.safetensors", {}),
    "frey_faces": ("freyfaces.npz", {}),
    "go": ("tygem_9d_2005.npz", {}),
    "house_votes_84": ("house-votes-84.data", {}),
    "iris_uci": ("iris.data", {}),
    "karate": ("karate.gml", {"train": (1, 34)}),  # which members are known is in no file
    "lesmis": ("lesmis.gml", {}),
    "mnist": (".", {}),
    "fashion_mnist": (".", {}),
    "mutag": (".", {"fold": 4}),
    "omniglot": ("omniglot_background_small1.npz", {"shrink": 3}),
    "omniglot_one_shot": ("omniglot_one_shot_runs.npz", {"shrink": 5}),
    "fsdd_piece": ("fsdd_piece.npz", {}),
    "20news": ("20news_bydate_2000.npz", {"words": 300}),
}
SLOW = ("mnist", "fashion_mnist", "cifar10_jpeg_subset")


@pytest.mark.data
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in SETS]
)
def test_by_path_and_by_name(name):
    folder = data.available(name)
    if folder is None:
        pytest.skip(f"the files of {name} are not on this machine")
    if folder == "shipped":
        folder = SHIPPED / data.entry(name).folder
    file, options = SETS[name]
    by_path = data.read(Path(folder) / file, **options)
    options = {k: v for k, v in options.items() if k != "train"}
    by_name = data.load(name, **options)
    same = replace(by_path, info=by_name.info)  # the catalogue gives classes nicer names
    assert data.digest(same) == data.digest(by_name)
    kinds = (by_path.info.kind, by_name.info.kind)
    assert len(set(kinds)) == 1 or kinds == ("table", "binary"), kinds
    assert by_path.info.understood and all(by_path.info.understood)


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_a_table_of_uci_with_bits_and_files_for_its_parts(tmp_path):
    path, test = tmp_path / "d.data", tmp_path / "t.data"
    path.write_text(
        "".join(f"{(i % 2 and 'whig') or 'tory'},{'yn?'[i % 3]},{i}\n" for i in range(30))
    )
    test.write_text("tory,?,7\nwhig,n,99\n")
    found = data.read(path, test=test)
    assert found.test.x.tolist() == [[0, 7], [-1, 99]] and found.test.y.tolist() == [0, 1]
    assert [len(part) for _, part in found.splits()] == [24, 6, 2]
    bits = data.read(path, kind="binary", valid=test, test=test)
    assert bits.info.kind == "binary" and bits.test.x.tolist() == [[0, 0], [0, 1]]
    test.write_text("tory,yes,7\n")
    with pytest.raises(data.DataError, match=r"t\.data, line 1, column 2 .*'yes' is none of y, n"):
        data.read(path, test=test)


@pytest.mark.parametrize(
    "text, first, values",
    [
        ("5.1,3.5,a\n4.9,3.0,b\n" * 6, "label column 3: 2 classes (a, b)", {5.1, 4.9, 3.5, 3.0}),
        ("a,5.1,3.5\nb,4.9,3.0\n" * 6, "label column 1: 2 classes (a, b)", {5.1, 4.9, 3.5, 3.0}),
        ("1,14.2,5\n2,13.1,6\n1,12.1,7\n" * 4, "label column 1: 2 classes (1, 2)", None),
        (
            "0.1 7 2\n0.2  8 4\n0.3 9\t1\n0.5 9 3\n" * 4,
            "label column 3: 4 classes (1, 2, 3, 4)",
            None,
        ),
        ("0.1 7 .2\n0.2  8 .4\n0.3 9\t.1\n" * 4, "no label", None),
        ("x 1.5 '1'\ny  2.5 '1'\n" * 6, "label column 1: 2 classes (x, y)", None),
        ("x,a,b\ny,c,b\ny,d,c\n" * 4, "label column 3: 2 classes (b, c)", None),
    ],
)
def test_tables_of_uci(tmp_path, text, first, values):
    path = tmp_path / "d.data"
    path.write_text(text + "\n")
    found = data.read(path)
    assert first in found.info.understood, found.info.understood
    n = len(found.whole())
    assert [len(s) for _, s in found.splits()] == [n - 2 * (n // 5), n // 5, n // 5]
    assert values is None or {round(float(v), 3) for v in found.whole().x.ravel()} == values


def test_votes_and_missing_numbers(tmp_path):
    path = tmp_path / "d.data"
    path.write_text("left,y,?,1\nright,n,y,?\nleft,?,n,4\nright,y,n,5\n" * 5)
    found = data.read(path)
    assert found.info.classes == ("left", "right") and found.train.x.shape == (12, 3)
    rows = found.whole().x[found.whole().y == 0]
    assert set(map(tuple, rows[:, :2].tolist())) == {(1, 0), (0, -1)}
    assert np.isfinite(found.whole().x).all()
    whole = data.read(path, encoding="onehot", label="none").whole().x
    assert whole.shape == (20, 2 + 3 + 3 + 1)
    assert set(np.unique(whole[:, :8])) == {0, 1}


def test_images_in_two_parts(tmp_path):
    x = np.arange(30 * 2 * 3 * 3).reshape(30, 2, 3, 3).astype(np.uint8)
    y = np.arange(30) % 3
    arrays = {"train_images": x, "train_labels": y, "test_images": x[:4], "test_labels": y[:4]}
    found = data.read(npz(tmp_path / "d.npz", **arrays))
    assert [len(s) for _, s in found.splits()] == [27, 3, 4]
    assert found.info.image_shape == (3, 2, 3) and found.info.classes == ("0", "1", "2")
    assert found.valid.y.tolist() == [0, 1, 2]
    expected = x[5].transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(found.train.x[5], expected)
    names = np.array(["ant", "bee", "cat", "dog"])
    named = data.read(npz(tmp_path / "e.npz", **arrays, class_names=names), valid=0)
    assert named.info.classes == tuple(names) and len(named.train) == 30


def test_a_film_is_split_in_order(tmp_path):
    x = np.repeat(np.arange(20, dtype=np.uint8), 28 * 20).reshape(20, 28, 20)
    found = data.read(npz(tmp_path / "d.npz", images=x))
    assert [len(s) for _, s in found.splits()] == [16, 2, 2]
    assert (found.test.x[:, 0, 0, 0] * 255).round().tolist() == [18, 19]
    other = data.read(npz(tmp_path / "e.npz", images=x[:, :20]))
    assert "seed 0" in other.info.note, "frames of another size are any images"


def drawn(n=3, drawers=5):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (n * drawers, 105 * 105)).astype(np.uint8)
    return bits, {
        "image_bits": np.packbits(bits, axis=1),
        "alphabet": np.repeat([0, 0, 1], drawers),
        "character": np.repeat(np.arange(n), drawers),
        "drawer": np.tile(np.arange(drawers), n),
        "alphabet_names": np.array(["Latin", "Greek"]),
    }


def test_drawn_characters(tmp_path):
    bits, arrays = drawn()
    found = data.read(npz(tmp_path / "d.npz", **arrays))
    assert [len(s) for _, s in found.splits()] == [9, 3, 3]
    assert found.info.classes == ("Latin 1", "Latin 2", "Greek 1")
    assert found.test.y.tolist() == [0, 1, 2]
    assert np.array_equal(found.test.x[1].ravel(), bits[9].astype(np.float32))
    small = data.read(tmp_path / "d.npz", shrink=35)
    assert small.info.image_shape == (1, 3, 3)
    assert np.allclose(small.train.x.mean(), found.train.x.mean())


def test_one_shot_runs(tmp_path):
    _, arrays = drawn()
    bits = arrays["image_bits"].reshape(3, 5, -1)
    path = npz(
        tmp_path / "d.npz", train_bits=bits, test_bits=bits[:, ::-1],
        answer=np.tile(np.arange(5)[::-1], (3, 1)),
    )  # fmt: skip
    found = data.read(path, shrink=7)
    assert found.train.shape == (3, 5, 1, 15, 15) and found.info.kind == "evaluation"
    assert np.array_equal(found.train[1, found.answer[1, 0]], found.test[1, 0])


def idx(a):
    head = struct.pack(">HBB", 0, 8, a.ndim) + struct.pack(f">{a.ndim}i", *a.shape)
    return head + a.astype(np.uint8).tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_mnists_files(tmp_path, packed):
    images, labels = np.arange(12 * 4).reshape(12, 2, 2), np.arange(12) % 5
    for part, a in (
        ("train-images-idx3", images), ("train-labels-idx1", labels),
        ("t10k-images-idx3", images[:3]), ("t10k-labels-idx1", labels[:3]),
    ):  # fmt: skip
        content = gzip.compress(idx(a)) if packed else idx(a)
        (tmp_path / f"{part}-ubyte{'.gz' * packed}").write_bytes(content)
    found = data.read(tmp_path)
    assert [len(s) for _, s in found.splits()] == [10, 2, 3]
    assert found.info.image_shape == (1, 2, 2) and len(found.info.classes) == 5
    assert (found.valid.x[1].ravel() * 255).round().tolist() == [44, 45, 46, 47]
    assert found.valid.y.tolist() == [0, 1]
    assert data.digest(data.from_folder(tmp_path)) == data.digest(found)


def counts(n=20, columns=5, **more):
    x = np.arange(n * columns).reshape(n, columns) % 3
    x[2] = 0
    row, column = np.nonzero(x)
    csr = {
        "data": x[row, column].astype(np.uint16),
        "indices": column.astype(np.uint16),
        "indptr": np.searchsorted(row, np.arange(n + 1)).astype(np.int32),
        "labels": (np.arange(n) % 2).astype(np.uint8),
    }
    both = {f"{part}_{key}": a for part in ("train", "test") for key, a in csr.items()}
    return x, both | {"shape": np.array([columns])} | more


def test_counts_of_words(tmp_path):
    x, arrays = counts(label_names=np.array(["ham", "spam"]))
    path = npz(tmp_path / "d.npz", **arrays)
    found = data.read(path, valid=0)
    assert np.array_equal(found.train.x, x) and found.train.x.dtype == np.float32
    assert found.valid is None and found.info.kind == "counts"
    assert "empty rows: 1 in train, 1 in test" in found.info.understood
    assert found.info.feature_names[3] == "word 3" and found.info.classes == ("ham", "spam")
    (tmp_path / "vocabulary.txt").write_text("a\nb\nc\nd\ne\n")
    few = data.read(path, words=2, clip=1, valid=0)
    assert np.array_equal(few.test.x, np.minimum(x[:, :2], 1))
    assert few.info.feature_names == ("a", "b")
    drawn = data.read(path, seed=3)
    assert [len(s) for _, s in drawn.splits()] == [18, 2, 20]
    both = np.concatenate([drawn.train.x, drawn.valid.x])
    assert sorted(both.tolist()) == sorted(x.tolist())


def test_games(tmp_path):
    lengths = np.arange(1, 13)
    arrays = {
        "moves": np.arange(78) % 362,
        "lengths": lengths,
        "winner": np.tile([1, 2], 6),
        "date": 20050000 + np.arange(12),
        "how_names": np.array(["resign"]),
    }
    found = data.read(npz(tmp_path / "d.npz", **arrays))
    assert [len(s) for _, s in found.splits()] == [9, 1, 2] and found.info.kind == "games"
    for part, split in found.splits():
        for x, y, date in zip(split.x, split.y, found.info.extra["date"][part]):
            n = len(x)
            assert x.tolist() == list(range(n * (n - 1) // 2, n * (n + 1) // 2))
            assert y == (n + 1) % 2 and date == 20050000 + n - 1
    told = data.read(npz(tmp_path / "e.npz", **arrays, split=np.repeat([0, 2, 1], 4)))
    assert [len(x) for x in told.train.x] == [1, 2, 3, 4]
    assert [len(x) for x in told.test.x] == [5, 6, 7, 8]
    assert found.info.extra["pass"] == 361 and found.info.extra["how_names"] == ("resign",)


def test_weights(tmp_path):
    path = tmp_path / "w.safetensors"
    save_arrays(path, {"a": np.ones((2, 2), np.float32), "b": np.arange(3)})
    found = data.read(path)
    assert isinstance(found, Weights) and found.parameters() == 7 and not found.check
    assert found.info.classes == () and len(found) == 2
    (tmp_path / "my_classes.txt").write_text("cat\ndog\n")
    np.savez(tmp_path / "check.npz", logits=np.ones(2))
    more = data.read(path)
    assert more.info.classes == ("cat", "dog") and more.check["logits"].tolist() == [1, 1]
    assert data.digest(more) != data.digest(found)


def test_each_format_is_reached(tmp_path):
    """No row of the table is hidden by one before it, but those that are chosen by hand."""
    made = {
        "a graph with groups": {
            "edges": np.array([[0, 1]]), "n_nodes": 2, "n_labels": 1,
            "node_label_pairs": np.array([[0, 0]]),
        },
        "counts of words": counts()[1],
        "games": {"moves": np.zeros(12, int), "lengths": np.ones(12, int)},
        "drawn characters": drawn()[1],
        "arrays": {"x": np.ones((12, 2))},
    }  # fmt: skip
    for what, arrays in made.items():
        path = npz(tmp_path / "d.npz", **arrays)
        claimed = [f for f in FORMATS if f.claims(path.name)]
        assert next(f.what for f in claimed if f.fits(path)) == what


def test_evaluations_of_word_vectors_are_read_by_path(tmp_path):
    folder = SHIPPED / "word_eval"
    by_name = data.load("word_eval")
    analogies = data.read(folder / "questions-words.txt")
    scored = data.read(folder / "wordsim353.tsv")
    assert analogies.analogies == by_name.analogies and scored.similarity == by_name.similarity
    assert data.digest(analogies) != data.digest(scored)
    path = tmp_path / "d.tsv"
    for text, message in (
        ("# a comment\ncat\tdog\t11\n", "line 2: a score from 0 to 10, got '11'"),
        ("# a comment\ncat\tdog\n", "line 2: expected word, word, score"),
        ("# a comment\n\tdog\t1\n", "line 2: a word is empty"),
        ("# a comment\n", "holds no pairs of words"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=re.escape(message)):
            data.read(path, kind="evaluation")
    text = tmp_path / "d.txt"
    for lines, message in (
        ("a b c d\n", "line 1: expected a section or four words"),
        (": one\n\na b c\n", "line 3: expected a section or four words"),
        (": one\n", "holds no analogies"),
    ):
        text.write_text(lines)
        with pytest.raises(DataError, match=re.escape(message)):
            data.read(text, kind="evaluation")


def test_a_folder_of_questions(tmp_path):
    lines = "".join(f"{'ABCDE'[i % 5] * 2}:fine question number {i} ?\n" for i in range(20))
    (tmp_path / "Q.train").write_text(lines)
    assert [len(s) for _, s in data.read(tmp_path).splits()] == [14, 2, 4]
    (tmp_path / "Q.test").write_text(lines)
    (tmp_path / "notes.md").write_text("read me")
    found = data.read(tmp_path, labels="fine")
    assert [len(s) for _, s in found.splits()] == [18, 2, 20]
    assert found.info.understood[0] == "a folder of Q.train, Q.test" and "AA:fine" in str(
        found.info.classes
    )
    (tmp_path / "R.test").write_text(lines)
    with pytest.raises(DataError, match=r"Q\.test and R\.test are both test"):
        data.read(tmp_path)


def test_damaged_recordings_are_refused(tmp_path):
    low, high = audio_npz.differences(np.arange(12, dtype=np.int16))
    good = {
        "diff_lo": low, "diff_hi": high, "lengths": np.full(4, 3), "digit": np.arange(4),
        "speaker": np.zeros(4, np.int64), "take": np.array([0, 5, 9, 12]),
        "speaker_names": np.array(["anna"]), "speaker_accents": np.array(["none"]),
        "sample_rate": np.array(8000),
    }  # fmt: skip
    found = data.read(npz(tmp_path / "a.npz", **good))
    assert [split.y.tolist() for _, split in found.splits()] == [[3], [1, 2], [0]]
    assert np.concatenate(found.train.x).tolist() == [k / 2**15 for k in (9, 10, 11)]
    for wrong in (
        {"lengths": np.full(4, 4)},
        {"lengths": np.array(4)},
        {"digit": np.array([0, 1, 2, 10])},
        {"digit": np.array([0, 1, 2, -1])},
        {"speaker": np.full(4, -1)},
        {"speaker_names": np.array("anna")},
        {"sample_rate": np.array(0)},
        {"take": np.arange(4)},
        {k: good[k][:0] for k in ("diff_lo", "diff_hi", "lengths", "digit", "speaker", "take")},
    ):
        with pytest.raises(DataError, match=r"b\.npz: "):
            data.read(npz(tmp_path / "b.npz", **good | wrong))
    with pytest.raises(DataError, match="speaker must be one of anna; got 'bob'"):
        data.read(tmp_path / "a.npz", speaker="bob")
