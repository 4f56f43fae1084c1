"""Files of one's own: what is understood, how it is split, and what two readers agree on."""

import bz2
import gzip
import struct

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError, DataSet, Split
from glassgrad.core.data.own import looks_like_path

TEN = "\n".join(f"{i},{'ab'[i % 2]}" for i in range(10))


def table(path, text, **options):
    path.write_text(text, encoding="utf-8")
    return data.from_csv(path, **options)


def rows_of(found):
    """The rows of all splits, sorted: independent of the order that the split takes them in."""
    return sorted(map(tuple, found.whole().x.tolist()))


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_of_numbers_and_text(tmp_path, separator, header):
    lines = [f"{i / 4},{['red', 'blue'][i % 2]},{'yes' if i > 4 else 'no'}" for i in range(10)]
    text = "\n".join((["size,colour,answer"] if header else []) + lines)
    found = table(tmp_path / "d.csv", text.replace(",", separator))
    assert rows_of(found) == sorted((i / 4, float(i % 2), float(i % 2 == 0)) for i in range(10))
    assert found.info.classes == ("no", "yes")
    first = "size" if header else "column 1"
    assert found.info.feature_names[0] == first and found.info.kind == "table"
    assert f"{'a header' if header else 'no header'}" in found.info.understood[0]
    assert len(found.info.understood) == 5  # the file, two columns, the label, the split
    for _, part in found.splits():  # the label goes with its row
        assert [bool(y) for y in part.y] == [x > 1 for x in part.x[:, 0]]


def test_columns_that_are_left_out_and_missing_cells(tmp_path):
    lines = [f"id{i},{i},{'?' if i == 3 else 'xy'[i % 2]},,{i % 3}" for i in range(60)]
    lines[5] = "id5,NA,x,,2"
    found = table(tmp_path / "d.csv", "name,n,t,nothing,class\n" + "\n".join(lines))
    assert found.info.feature_names == ("n", "t=?", "t=x", "t=y")
    said = "\n".join(found.info.understood)
    assert "name: text with 60 different values: left out" in said
    assert "nothing: empty: left out" in said
    assert "n: numbers, 1 missing: the mean of the training rows" in said
    assert "(1 missing are the value '?')" in said
    known = [x for x in found.train.x[:, 0] if x == round(x)]
    filled = {x for x in found.whole().x[:, 0] if x != round(x)} or {np.float32(np.mean(known))}
    assert filled == {np.float32(np.mean(known))}


def test_the_label(tmp_path):
    text = "a,b,c\n" + "\n".join(f"{i},{i % 2},{i * 0.5}" for i in range(20))
    path = tmp_path / "d.csv"
    assert table(path, text).train.y is None  # three columns of numbers: nothing says which
    by_name, by_number = table(path, text, label="b"), table(path, text, label=2)
    assert by_name.train.y.tolist() == by_number.train.y.tolist()
    assert by_name.info.classes == ("0", "1") and by_name.train.x.shape == (14, 2)
    quantity = table(path, text, label="c")
    assert quantity.train.y.shape == (14, 1) and quantity.train.y.dtype == np.float32
    assert quantity.info.target_names == ("c",) and quantity.info.classes == ()
    assert table(path, TEN, label="none").train.x.shape == (7, 3)


def test_binary_rows_are_a_kind_of_their_own(tmp_path):
    text = "\n".join("01"[i % 2] + ",1,0" for i in range(10))
    assert table(tmp_path / "d.csv", text).info.kind == "binary"


def test_a_table_is_what_the_reader_of_rows_of_0_and_1_is_asked_for(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("\n".join("01"[i % 2] + ",1,0" for i in range(10)))
    np.savez(tmp_path / "d.npz", x=np.eye(10))
    for file in (path, tmp_path / "d.npz"):
        found, bits = data.read(file, kind="table"), data.read(file)
        assert (data.kind_of(found), data.kind_of(bits)) == ("table", "binary")
        assert rows_of(found) == rows_of(bits) and data.digest(found) == data.digest(bits)
    folder = tmp_path / "split"
    folder.mkdir()
    np.savez(folder / "train.npz", x=np.eye(10))
    assert data.kind_of(data.read(folder, kind="table")) == "table"
    np.save(tmp_path / "images.npy", np.zeros((10, 2, 2)))
    with pytest.raises(data.DataError, match=r"images.npy is of the kind 'images', not 'table'"):
        data.read(tmp_path / "images.npy", kind="table")
    with pytest.raises(data.DataError, match=r"d.npz is of the kind 'binary', not 'images'"):
        data.read(tmp_path / "d.npz", kind="images")


def test_splits_by_seed_and_as_the_file_says(tmp_path):
    path = tmp_path / "d.csv"
    text = "v,split\n" + "\n".join(f"{i},{['train', 'test', 'valid'][i % 3]}" for i in range(12))
    found = table(path, text)
    assert found.train.x.ravel().tolist() == [0, 3, 6, 9]
    assert found.test.x.ravel().tolist() == [1, 4, 7, 10]
    text = "v,w\n" + "\n".join(f"{i},{i}.5" for i in range(100))
    one, same, other = (table(path, text, seed=s) for s in (1, 1, 2))
    assert [len(part) for _, part in one.splits()] == [70, 10, 20]
    assert (one.train.x == same.train.x).all() and (one.train.x != other.train.x).any()
    assert rows_of(one) == rows_of(other)


def test_quotes_line_ends_byte_order_mark_and_gzip(tmp_path):
    text = 'a,"the ""best"" one, by far"\r\n' + '1,"x\ny"\r\n2,z\r\n' * 5
    plain = table(tmp_path / "d.csv", "\ufeff" + text)
    assert plain.info.understood[0].startswith("10 rows and 2 columns")
    packed = tmp_path / "d.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert rows_of(data.read(packed)) == rows_of(plain)


@pytest.mark.parametrize("name", ["D.CSV.GZ", "D.csv.Bz2", "D.TSV.GZ"])
def test_endings_in_capitals(tmp_path, name):
    text = "size,class\n" + "1.5,a\n2.5,b\n" * 6
    text = text.replace(",", "\t") if "TSV" in name else text
    pack = gzip.compress if name.endswith("GZ") else bz2.compress
    (tmp_path / name).write_bytes(pack(text.encode()))
    found = data.read(tmp_path / name)
    assert found.info.classes == ("a", "b") and found.train.x.shape == (9, 1)


def test_arrays_in_memory_and_in_files_are_one(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 3)), np.arange(20) % 4
    memory = data.from_arrays(x, y)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    stored = data.read(tmp_path / "d.npz")
    assert (memory.train.x == stored.train.x).all() and (memory.test.y == stored.test.y).all()
    assert stored.info.classes == ("0", "1", "2", "3") and stored.name == "d.npz"
    np.save(tmp_path / "d.npy", x)
    assert data.read(tmp_path / "d.npy").train.y is None
    parts = {"x_train": x[:12], "y_train": y[:12], "x_test": x[12:], "y_test": y[12:]}
    np.savez(tmp_path / "parts.npz", **parts)
    told = data.read(tmp_path / "parts.npz")
    assert (told.train.x == x[:12].astype(np.float32)).all() and told.valid is None
    assert told.test.y.tolist() == y[12:].tolist()


@pytest.mark.parametrize(
    "x",
    [
        np.full((10, 4, 5), 255, np.uint8),
        np.full((10, 1, 4, 5), 255, np.int64),
        np.full((10, 4, 5, 1), 255.0),
        np.ones((10, 4, 5)),
    ],
    ids=["bytes", "whole numbers", "channels last", "floats in [0, 1]"],
)
def test_images_in_arrays(x):
    found = data.from_arrays(x)
    assert found.train.x.shape == (7, 1, 4, 5) and (found.train.x == 1).all()
    assert found.info.image_shape == (1, 4, 5) and found.info.kind == "images"


def idx_file(path, array):
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}i", *array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


def test_idx_images_find_their_labels(tmp_path):
    images = np.arange(10 * 2 * 2).reshape(10, 2, 2)
    idx_file(tmp_path / "my-images-idx3-ubyte", images)
    assert data.read(tmp_path / "my-images-idx3-ubyte").train.y is None
    idx_file(tmp_path / "my-labels-idx1-ubyte", np.arange(10) % 3)
    found = data.read(tmp_path / "my-images-idx3-ubyte")
    for x, y in zip(found.train.x, found.train.y):
        assert round(float(x[0, 0, 0]) * 255) // 4 % 3 == y


def picture(path, array, mode=None, **how):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8), mode).save(path, **how)


def test_a_folder_of_pictures(tmp_path):
    for i in range(6):
        picture(tmp_path / "cats" / f"{i}.png", np.full((4, 6), 10 * i))
        picture(tmp_path / "dogs" / f"{i}.png", np.full((4, 6), 200 + i))
    (tmp_path / "dogs" / "notes.txt").write_text("x")
    found = data.from_folder(tmp_path)
    assert found.info.classes == ("cats", "dogs") and found.info.image_shape == (1, 4, 6)
    assert [len(part) for _, part in found.splits()] == [9, 1, 2]
    for x, y in zip(found.whole().x, found.whole().y):
        assert (x == x[0, 0, 0]).all() and (x[0, 0, 0] > 0.5) == (y == 1)
    assert "1 file of other types left out" in found.info.understood


def test_pictures_that_are_left_out_are_counted(tmp_path):
    for i in range(10):
        picture(tmp_path / "ab"[i % 2] / f"{i}.png", np.full((4, 4), i))
    picture(tmp_path / "a" / "deep" / "x.png", np.full((4, 4), 9))
    for name in ("x.png", "y.png", "list.txt"):
        picture(tmp_path / name, np.full((4, 4), 9), format="png")
    said = data.from_folder(tmp_path).info.understood
    assert "1 folder inside the folders of classes left out" in said
    assert f"2 files right in {tmp_path.name}, next to folders of classes, left out" in said
    picture(tmp_path / "c" / "deep" / "x.png", np.full((4, 4), 9))
    with pytest.raises(DataError, match="c holds only folders, such as deep; expected the files"):
        data.from_folder(tmp_path)


def test_a_folder_of_pictures_with_tables_in_it(tmp_path):
    for i in range(10):
        picture(tmp_path / "train" / "ab"[i % 2] / f"{i}.png", np.full((4, 4), i))
    (tmp_path / "train.csv").write_text("size,class\n" + "1.5,a\n2.5,b\n" * 6)
    for options in ({}, {"kind": "images"}):
        found = data.read(tmp_path, **options)
        assert found.info.kind == "images" and len(found.train) == 10
        assert found.info.understood[-1].startswith("passed over: train.csv (read as kind=")
    assert data.read(tmp_path, kind="table").info.kind == "table"


def test_a_folder_of_nothing_known_says_what_may_be_in_it(tmp_path):
    (tmp_path / "my.csv").write_text("1,2\n")
    with pytest.raises(DataError, match=r"of recordings, .*; name the file itself: my\.csv"):
        data.read(tmp_path)


def test_pictures_are_made_equal(tmp_path):
    for i in range(9):
        picture(tmp_path / "a" / f"{i}.png", np.full((5, 5), 100))
    picture(tmp_path / "a" / "wide.png", np.full((5, 9, 3), 100))
    found = data.from_folder(tmp_path)
    assert found.info.image_shape == (3, 5, 5)
    assert "1 of another size stretched to it" in found.info.understood[1]
    assert np.allclose(found.whole().x, 100 / 255)
    assert data.from_folder(tmp_path, size=(2, 3)).info.image_shape == (3, 2, 3)


def test_transparent_is_black_and_sixteen_bits_are_scaled(tmp_path):
    from PIL import Image

    see_through = np.zeros((2, 2, 4), np.uint8)
    see_through[..., :3] = 255
    for i in range(10):
        picture(tmp_path / "clear" / f"{i}.png", see_through)
    assert (data.from_folder(tmp_path / "clear").train.x == 0).all()
    (tmp_path / "deep").mkdir()
    for i in range(10):
        half = np.full((2, 2), 32768, np.uint16)
        Image.fromarray(half).save(tmp_path / "deep" / f"{i}.png")
    deep = data.from_folder(tmp_path / "deep").train.x
    assert np.allclose(deep, 0.5, atol=1 / 255)


def test_folders_that_say_the_split(tmp_path):
    for part, count in (("train", 4), ("test", 2), ("val", 1)):
        for i in range(count):
            picture(tmp_path / part / "one" / f"{i}.png", np.full((2, 2), 9))
    found = data.from_folder(tmp_path)
    assert [len(part) for _, part in found.splits()] == [4, 1, 2]


def test_a_text(tmp_path):
    path = tmp_path / "d.txt"
    path.write_text("to be or not to be\n" * 20, encoding="utf-8")
    found = data.from_text(path)
    text = "".join(found.info.vocabulary.decode(found.whole().x))
    assert text == "to be or not to be\n" * 20 and found.info.kind == "text"
    words = data.read(path, level="word")
    assert words.info.vocabulary.decode(words.train.x[:6]) == ["to", "be", "or", "not", "to", "be"]


def test_paths_and_names():
    assert all(map(looks_like_path, ("d.csv", "d.csv.gz", "./digits", "a/b", "x-idx3-ubyte")))
    assert not any(map(looks_like_path, ("digits", "20news", "iris_uci")))


def test_a_split_in_the_place_of_the_name_is_an_error():
    split = Split(np.zeros((2, 2)))
    with pytest.raises(DataError, match="name has the wrong type; expected a string, got Split"):
        DataSet(split, split)
    with pytest.raises(DataError, match="train has the wrong type"):
        DataSet("d", np.zeros(3))
    with pytest.raises(DataError, match="test has the wrong type"):
        DataSet("d", split, test=[1])


def test_register(tmp_path):
    from glassgrad.core.data.catalogue import CATALOGUE

    path = tmp_path / "d.csv"
    path.write_text(TEN)
    data.register("mine", lambda: data.from_csv(path), "table", "ten rows")
    try:
        assert len(data.load("mine").train) == 7 and "mine" in data.names("table")
        assert data.available("mine") == "registered"
        with pytest.raises(DataError, match="there is a data set 'mine' already"):
            data.register("mine", lambda: None, "table")
    finally:
        del CATALOGUE["mine"]
    for bad, message in (
        (("a b", len, "table"), "letters, digits"),
        (("a", len, "tabel"), "unknown kind 'tabel'"),
        (("a", "len", "table"), "loader has the wrong type"),
    ):
        with pytest.raises(DataError, match=message):
            data.register(*bad)


def test_texts_as_labels_of_arrays_are_classes(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(20, 3)), ["dog", "cat"] * 10
    found = data.from_arrays(x, y)
    assert found.info.classes == ("cat", "dog")
    whole = found.whole()
    for row, k in zip(whole.x, whole.y):
        at = int(np.abs(x - row).sum(axis=1).argmin())
        assert found.info.classes[k] == y[at]
    assert data.from_arrays(x, np.array(y, object)).train.y.tolist() == found.train.y.tolist()
    assert data.from_arrays(x, y, classes=("dog", "cat")).train.y[0] == 1 - found.train.y[0]
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savez(tmp_path / "b.npz", x=x[:4], y=["dog"] * 4)
    read = data.read(tmp_path / "a.npz", test=tmp_path / "b.npz")
    assert read.test.y.tolist() == [1] * 4 and read.info.classes == ("cat", "dog")
    np.savez(tmp_path / "c.npz", x_train=x, y_train=y, x_test=x[:2], y_test=["dog", "emu"])
    parts = data.read(tmp_path / "c.npz")
    assert parts.info.classes == ("cat", "dog", "emu") and parts.test.y.tolist() == [1, 2]
    np.savez(tmp_path / "b.npz", x=x[:4], y=["emu"] * 4)
    with pytest.raises(DataError, match=r"b.npz: the label 'emu' is no class \(cat, dog\)"):
        data.read(tmp_path / "a.npz", test=tmp_path / "b.npz")


def test_padded_sequences_are_cut_by_their_lengths(tmp_path):
    rng, lengths = np.random.default_rng(0), np.arange(10) % 3 + 1
    x, y = rng.normal(size=(10, 4, 2)).astype(np.float32), rng.integers(0, 2, (10, 4))
    np.savez(tmp_path / "d.npz", x=x, lengths=lengths, y=y)
    found = data.read(tmp_path / "d.npz", seed=None)
    assert "padded in x to 4, cut by lengths" in found.info.understood[0]
    for n, k in enumerate(lengths):
        np.testing.assert_array_equal(found.train.x[n], x[n, :k])
        np.testing.assert_array_equal(found.train.y[n], y[n, :k])
    np.savez(tmp_path / "e.npz", x=x[..., 0], lengths=lengths, y=["b", "a"] * 5)
    found = data.read(tmp_path / "e.npz", seed=None)
    assert found.train.x[2].ravel().tolist() == x[2, :3, 0].tolist()
    assert found.info.classes == ("a", "b") and found.train.y.tolist() == [1, 0] * 5
