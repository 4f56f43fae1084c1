"""Sets by name, the sets that scikit-learn bundles, and loaders on damaged made-up files."""

import gzip
import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from glassgrad.core.data import (
    DataError,
    DataSet,
    available,
    canon,
    catalogue,
    describe,
    entry,
    files,
    from_arrays,
    load,
    names,
    order,
    register,
    registry,
    sets_images,
    sets_sequences,
    sets_tables,
    sets_text,
)
from tests.tools import assert_close

BUNDLED = (
    "digits", "iris", "wine", "breast_cancer", "diabetes", "linnerud", "china", "flower",
    "photographs",
)  # fmt: skip


def test_import_is_cheap_and_reads_nothing():
    code = "import sys, glassgrad.core.data.catalogue, glassgrad.core.data as d; d.names()"
    code += "; print(sorted({'scipy', 'sklearn', 'numba', 'urllib.request'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_every_entry_has_its_loader_files_and_line():
    folders = set()
    for name in names():
        record = entry(name)
        assert callable(registry._function(name))
        assert describe(name).startswith(f"{name}: ") and "\n" not in describe(name)
        assert record.what in describe(name) and record.terms in describe(name)
        if record.folder:
            folders.add(record.folder)
            assert {f.name for f in registry._files(record)} >= set(record.files)
            assert record.source.startswith("http")
    assert folders == {f.folder for f in canon.FILES.values()}
    assert names("graphs") == ("mutag", "rings_and_trees") and names("nothing") == ()
    assert set(names()) == {
        n for k in {e.kind for e in catalogue.CATALOGUE.values()} for n in names(k)
    }


@pytest.mark.parametrize(
    "wrong, right",
    [
        ("mnst", "mnist"),
        ("MNIST", "mnist"),
        ("fashion-mnist", "fashion_mnist"),
        ("brest", "breast_cancer"),
    ],
)
def test_unknown_name_gives_the_nearest(wrong, right):
    for function in (load, describe, available, entry):
        with pytest.raises(DataError, match=f"no data set '{wrong}'; did you mean '{right}'"):
            function(wrong)


def test_unknown_name_without_a_near_one():
    with pytest.raises(DataError, match="no data set 'qqqq'; there are: digits, iris"):
        load("qqqq")


def test_unknown_option():
    with pytest.raises(DataError, match="digits has no option 'fold'; it has seed"):
        load("digits", fold=1)
    with pytest.raises(DataError, match="karate has no option 'seed'; it has none"):
        load("karate", seed=1)


def test_available(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GLASSGRAD_DATA", raising=False)
    monkeypatch.setattr(files, "REPOSITORY", tmp_path)
    assert available("digits") == "scikit-learn" and available("counting") == "generated"
    assert available("karate") == "shipped" and available("mnist") is None
    assert available("enwiki_a") is None and available("trec") is None
    (tmp_path / "trec").mkdir()
    (tmp_path / "trec" / "TREC.test").touch()
    assert available("trec", tmp_path) is None, "one of two files is not enough"
    (tmp_path / "trec" / "TREC.train").touch()
    assert available("trec", tmp_path) == str(tmp_path / "trec")
    (tmp_path / "small_graphs").mkdir()
    for name in ("karate.gml", "karate_club_labels.txt"):
        (tmp_path / "small_graphs" / name).touch()
    assert available("karate", tmp_path) == str(tmp_path / "small_graphs")
    with pytest.raises(DataError, match="wrong checksum"):
        load("karate", tmp_path)


SIZES = {
    "digits": ((1297, 200, 300), (1, 8, 8), 10),
    "iris": ((90, 30, 30), (4,), 3),
    "wine": ((106, 36, 36), (13,), 3),
    "breast_cancer": ((341, 114, 114), (30,), 2),
    "diabetes": ((264, 89, 89), (10,), 0),
    "linnerud": ((14, 3, 3), (3,), 0),
}


@pytest.mark.parametrize("name", SIZES)
def test_bundled_tables_are_whole_and_cut_by_the_order(name):
    from sklearn import datasets

    sizes, shape, classes = SIZES[name]
    d = load(name)
    raw = getattr(datasets, f"load_{name}")()
    assert tuple(len(s) for _, s in d.splits()) == sizes
    assert all(s.x.shape[1:] == shape and s.x.dtype == np.float32 for _, s in d.splits())
    assert len(d.info.classes) == classes and d.info.source == "scikit-learn"
    p, whole = order(len(raw.data), 0), d.whole()
    scale = 16 if name == "digits" else 1
    assert_close(whole.x.reshape(len(p), -1), (raw.data[p] / scale).astype(np.float32))
    if classes:
        assert whole.y.dtype == np.int64 and (whole.y == raw.target[p]).all()
        for part, split in d.splits():
            assert set(split.y.tolist()) == set(range(classes)), f"a class is missing in {part}"
    else:
        assert_close(whole.y, raw.target[p].reshape(len(p), -1).astype(np.float32))
        assert len(d.info.target_names) == whole.y.shape[1]
    if len(shape) == 1:
        assert len(d.info.feature_names) == shape[0]
    other = load(name, seed=1)
    assert not np.array_equal(other.train.x, d.train.x)


@pytest.mark.parametrize("grey", [False, True])
def test_patches_are_parts_of_their_band(grey):
    d = load("china", patch=5, count=100, grey=grey, seed=4)
    image = d.info.extra["image"]
    channels = 1 if grey else 3
    assert image.shape == (channels, 427, 640) and d.info.image_shape == (channels, 5, 5)
    assert image.min() >= 0 and image.max() <= 1
    assert [len(s) for _, s in d.splits()] == [80, 10, 10]
    bands = {"train": (0, 512), "valid": (512, 576), "test": (576, 640)}
    for name, split in d.splits():
        band = image[:, :, slice(*bands[name])]
        view = np.lib.stride_tricks.sliding_window_view(band, (5, 5), axis=(1, 2))
        for patch in split.x[:10]:
            corner = view[0, :, :, 0, 0] == patch[0, 0, 0]
            candidates = view[:, corner].transpose(1, 0, 2, 3)
            assert (candidates == patch).all(axis=(1, 2, 3)).any()
    assert not np.array_equal(load("flower", patch=5, count=100).train.x, d.train.x)
    with pytest.raises(DataError, match="patch must be from 1 to 64; got 65"):
        load("china", patch=65)
    with pytest.raises(DataError, match="count must be from 10"):
        load("china", count=3)


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(DataError, match=r"load_digits: scikit-learn, .* is not installed"):
        load("digits")


@pytest.fixture
def forge(tmp_path, monkeypatch):
    """Write made-up content as a data file, with a table entry that fits it."""

    def write(table, path, body):
        file = canon.FILES[path]
        (tmp_path / file.folder).mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(body)
        new = replace(file, sha256=hashlib.sha256(body).hexdigest(), size=len(body))
        monkeypatch.setitem(table.FILES, path, new)
        return tmp_path

    return write


def idx_bytes(a):
    head = bytes([0, 0, 8, a.ndim]) + np.array(a.shape, ">i4").tobytes()
    return gzip.compress(head + a.astype(np.uint8).tobytes())


def forge_mnist(forge, n=12, side=28, labels=None):
    images = (np.arange(n * side * side) % 256).reshape(n, side, side)
    labels = np.arange(n) % 10 if labels is None else labels
    for part, a in zip(sets_images.PARTS, (images, labels, images[:5], labels[:5])):
        root = forge(sets_images, f"mnist/{part}", idx_bytes(np.asarray(a)))
    return images, root


def test_mnist_from_made_up_files(forge):
    images, root = forge_mnist(forge)
    d = load("mnist", root, valid=3)
    assert isinstance(d, DataSet) and [len(s) for _, s in d.splits()] == [9, 3, 5]
    assert_close(d.whole().x[:12, 0], (images / 255).astype(np.float32))
    assert d.valid.y.tolist() == [9, 0, 1] and d.train.x.dtype == np.float32
    assert d.info.source == str(root / "mnist")
    with pytest.raises(DataError, match="valid must be from 0 to 11; got 12"):
        load("mnist", root, valid=12)


@pytest.mark.parametrize(
    "options", [{"side": 27}, {"labels": np.arange(12)}, {"labels": np.arange(11) % 10}]
)
def test_mnist_that_makes_no_sense(forge, options):
    _, root = forge_mnist(forge, **options)
    with pytest.raises(DataError, match="expected uint8 images 28x28, each with a label 0 to 9"):
        load("mnist", root, valid=3)


NAMES = "".join(f"  {k + 2}. vote-{k}: 2 (y,n)\n" for k in range(16)).encode()


def votes(forge, data):
    forge(sets_tables, "house_votes_84/house-votes-84.names", NAMES)
    return forge(sets_tables, "house_votes_84/house-votes-84.data", data)


def test_votes_encodings(forge):
    rows = ["democrat," + ",".join("yn?y" * 4), "republican," + ",".join("nnnn" * 4)] * 100
    root = votes(forge, "\n".join(rows).encode() + b"\n")
    coded = {"sign": [1, -1, 0, 1], "binary": [1, 0, 0.5, 1]}
    for encoding, expected in coded.items():
        d = load("house_votes_84", root, encoding=encoding)
        whole = d.whole()
        assert whole.x[whole.y == 0][0].tolist() == expected * 4
        assert d.info.feature_names[3] == "vote-3" and d.info.classes == ("democrat", "republican")
    d = load("house_votes_84", root, encoding="onehot")
    whole = d.whole()
    expected = [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]
    assert whole.x[whole.y == 0][0].tolist() == expected * 4 and len(whole) == 200
    assert d.info.feature_names[:3] == ("vote-0=y", "vote-0=n", "vote-0=?")
    with pytest.raises(DataError, match=r"encoding must be one of .*onehot.*; got 'two'"):
        load("house_votes_84", root, encoding="two")


@pytest.mark.parametrize(
    "bad", ["whig" + ",y" * 16, "democrat" + ",y" * 15, "democrat" + ",x" * 16, ""]
)
def test_votes_damaged_row(forge, bad):
    good = "democrat" + ",y" * 16
    root = votes(forge, f"{good}\n{bad}\n{good}\n".encode())
    with pytest.raises(DataError, match=r"house-votes-84\.data, line 2: expected a party and 16"):
        load("house_votes_84", root)


@pytest.mark.parametrize(
    "body, message",
    [
        (b'{"train": [[[60]]], "valid": [', "not an object of train, valid, test"),
        (b'{"train": [[[60]]], "valid": []}', "not an object of train, valid, test: 'test'"),
        (b"[1, 2]", "piece 0: expected a list of steps, got int"),
        (b"[[[60]]]", "not an object of train, valid, test: 'train' is missing"),
        (b"\xff", "not utf-8 text at byte 0"),
        (
            json.dumps({"train": [[[60], [20]]], "valid": [], "test": []}).encode(),
            "step 1: 20 is no",
        ),
    ],
)
def test_chorales_damaged(forge, body, message):
    root = forge(sets_sequences, "jsb_chorales/jsb-chorales-quarter.json", body)
    with pytest.raises(DataError, match=message):
        load("jsb_chorales", root)


def test_sentences_from_made_up_files(forge):
    """Ten of each; the Latin-1 byte 0x85 is part of a word and ends no line."""
    for ending in ("neg", "pos"):
        body = b"".join(
            b"%s %d%s caf\xe9\x85 .\n" % (ending.encode(), k, ending.encode()) for k in range(10)
        )
        root = forge(sets_text, f"rt_polarity/rt-polarity.{ending}", body)
    seen = []
    for fold in range(10):
        d = load("rt_polarity", root, fold=fold)
        assert [len(s) for _, s in d.splits()] == [16, 2, 2]
        v = d.info.vocabulary
        assert v.words[:3] == ("<pad>", "<unk>", ".") and "caf\xe9\x85" in v
        for x, y in zip(d.test.x, d.test.y):
            assert v.decode(x) == [("neg", "pos")[y], "<unk>", "caf\xe9\x85", "."]
        seen += np.flatnonzero(d.info.extra["folds"] == fold).tolist()
    assert sorted(seen) == list(range(20))


def test_npz_set_with_wrong_values(forge, tmp_path):
    good = np.zeros((3, 112), np.uint8)
    for bad in (good + 2, good[:, 1:]):
        np.savez(tmp_path / "x.npz", train=good, valid=bad, test=good)
        body = (tmp_path / "x.npz").read_bytes()
        root = forge(sets_tables, "binary_mushrooms/mushrooms.npz", body)
        with pytest.raises(DataError, match=r"valid must be \[N, 112\] of 0 and 1"):
            load("binary_mushrooms", root)


def test_a_data_set_itself_is_registered_with_its_kind(monkeypatch):
    monkeypatch.setattr(registry, "CATALOGUE", dict(registry.CATALOGUE))
    own = from_arrays(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2)
    register("mine", own)
    assert entry("mine").kind == "table"
    assert load("mine").train.x.tolist() == own.train.x.tolist()
    for loader, kind, message in (
        (own.train.x, "table", "expected a function or a DataSet or a Graph"),
        (own.train, None, "expected a function or a DataSet or a Graph"),
        (lambda: own, None, "of what kind is 'other'?"),
        (lambda: own, own, "kind has the wrong type"),
    ):
        with pytest.raises(DataError) as caught:
            register("other", loader, kind)
        assert message in str(caught.value) and "array(" not in str(caught.value)


def test_a_data_set_prints_a_line_for_each_split():
    lines = str(load("iris")).splitlines()
    assert lines[0] == "DataSet 'iris'" and len(lines) == 4
    assert lines[3].startswith("  test: 30 examples, x float32 [30, 4], labels setosa ")
    assert repr(load("iris").test) == "Split(30 examples, x float32 [30, 4], labels int64 [30])"
