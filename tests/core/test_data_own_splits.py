"""Splits by given files: the training file says what a column means, for all of them."""

import gzip
import wave

import numpy as np
import pytest
from PIL import Image

from glassgrad.core import data
from glassgrad.core.data import DataError
from tests.core.test_data_own import idx_file
from tests.core.test_data_own_formats import counts, drawn, idx

TRAIN = "n,colour,kind\n" + "".join(
    f"{i},{['red', 'blue'][i % 2]},{'ab'[i % 2]}\n" for i in range(20)
)
TEST = "n,colour,kind\n7,green,a\n?,blue,b\n9,red,b\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "test.csv").write_text(TEST)
    return tmp_path


def test_the_training_file_says_what_columns_mean(folder):
    found = data.from_csv(folder / "train.csv", test=folder / "test.csv")
    assert found.info.feature_names == ("n", "colour=blue", "colour=red")
    assert [len(part) for _, part in found.splits()] == [18, 2, 3]
    mean = np.float32(
        found.train.x[:, 0].mean(dtype=np.float64)
    )  # of the training rows, not of the file's
    assert found.test.x.tolist() == [[7, 0, 0], [mean, 1, 0], [9, 0, 1]]
    assert found.test.y.tolist() == [0, 1, 1] and found.info.classes == ("a", "b")
    said = "\n".join(found.info.understood)
    assert "colour: text, 2 values: a column of 0 and 1 for each; only test has 'green'" in said
    assert "20 rows, 3 in test.csv and 3 columns" in said
    assert "train 18; valid 2, cut from it by seed 0; test 3 of its own file" in said


def test_both_files_leave_the_training_file_whole(folder):
    found = data.read(folder / "train.csv", valid=folder / "test.csv", test=folder / "test.csv")
    assert found.train.x[:, 0].tolist() == list(range(20))
    assert (found.valid.x == found.test.x).all()
    assert "train 20; valid 3 of its own file; test 3 of its own file" in found.info.note


@pytest.mark.parametrize(
    "names, sizes",
    [
        (("valid", "test"), [20, 3, 3]),
        (("dev", "test"), [20, 3, 3]),
        (("val",), [16, 3, 4]),
        ((), [14, 2, 4]),
    ],
)
def test_a_folder_of_files_is_its_split(folder, names, sizes):
    (folder / "test.csv").unlink()
    (folder / "notes.txt").write_text("not read")
    for name in names:
        (folder / f"{name}.csv").write_text(TEST)
    found = data.read(folder, label="kind")
    assert [len(part) for _, part in found.splits()] == sizes
    assert found.name == folder.name
    assert found.info.understood[0].startswith("a folder of train.csv")


def test_numbers_as_classes_agree_across_files(tmp_path):
    (tmp_path / "a.csv").write_text("x,label\n" + "1.5,0\n2.5,1\n" * 10)
    (tmp_path / "b.csv").write_text("x,label\n1,1.0\n2,0\n")
    assert data.from_csv(tmp_path / "a.csv", test=tmp_path / "b.csv").test.y.tolist() == [1, 0]


@pytest.mark.parametrize(
    "test, message",
    [
        ("n,colour\n1,red\n", "test.csv has no column 'kind', which "),
        ("n,color,kind\n1,red,a\n", "test.csv has no column 'colour', which "),
        ("n,colour,kind\nx,red,a\n", "test.csv, line 2, column 1 (n): 'x' is no number"),
        (
            "n,colour,kind\n1,red,c\n",
            "(kind): 'c' is no class of the training file, which has a, b",
        ),
        ("n,colour,kind\n1,red,\n", "test.csv, line 2, column 3 (kind): the label is missing"),
        ("n,colour,kind\n1e99,red,a\n", "test.csv, line 2, column 1 (n): '1e99' is not finite"),
        ("n,colour,kind\n", "test.csv has no rows under its header"),
        ("n,colour,kind\n1,red\n", "test.csv, line 2: 2 cells; line 1 has 3"),
    ],
)
def test_a_test_file_that_does_not_fit(folder, test, message):
    (folder / "test.csv").write_text(test)
    with pytest.raises(DataError) as caught:
        data.read(folder)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"test": "nowhere.csv"}, "nowhere.csv"),
        ({"test": 5}, "test must be the path of a file; got 5"),
        ({"tests": "x.csv"}, "did you mean 'test'?"),
        ({"bits": "mean"}, "bits must be 'median'; got 'mean'"),
    ],
)
def test_options_that_do_not_fit(folder, options, message):
    with pytest.raises(DataError) as caught:
        data.read(folder / "train.csv", **options)
    assert message in str(caught.value)


def test_what_no_training_row_has_is_said(tmp_path):
    path = tmp_path / "d.csv"
    rows = [("red", "cat", "train"), ("blue", "dog", "train"), ("green", "fox", "test")] * 4
    path.write_text("colour,class,split\n" + "".join(",".join(row) + "\n" for row in rows))
    said = data.read(path).info.understood
    assert "no training row has 'green'" in said[1] and "red" not in said[1]
    assert said[2] == (
        "label class: 3 classes (cat, dog, fox); taken as label because it is named class;"
        " `--label none` for none; no training example is of fox"
    )
    path.write_text("said,class,split\n" + "".join(
        f"it is so {c} {i},{k},{s}\n" for i, (c, k, s) in enumerate(rows)))  # fmt: skip
    found = data.read(path)
    assert found.info.kind == "sentences"
    assert "no training example is of fox" in found.info.understood
    np.savez(tmp_path / "s.npz", x=np.ones(20) / 3, lengths=[1] * 20, y=[1] + [0] * 19)
    known = [data.read(tmp_path / "s.npz", seed=seed).info.understood for seed in range(9)]
    assert {"no training example is of 1" in said for said in known} == {True, False}


@pytest.mark.parametrize("ending", [".png", ".wav", ".txt"])
def test_a_folder_that_only_the_test_part_has_is_said(tmp_path, ending):
    for i, place in enumerate(["train/a", "train/b", "test/a", "test/c"] * 3):
        path = tmp_path / place / f"{i}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".png":
            Image.fromarray(np.full((2, 2), i, np.uint8)).save(path)
        elif ending == ".wav":
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(np.arange(1, 50, dtype="<i2").tobytes())
        else:
            path.write_text("what a day")
    assert "no training example is of c" in data.read(tmp_path).info.understood


def test_one_of_a_kind_is_in_the_singular(tmp_path):
    np.savez(tmp_path / "d.npz", x=np.ones((10, 2)) / 3, y=np.zeros(10, int))
    assert data.read(tmp_path / "d.npz").info.understood[1] == "1 class"
    np.savez(tmp_path / "d.npz", x=np.ones((10, 2)) / 3, y=np.ones(10) / 3)
    assert data.read(tmp_path / "d.npz").info.understood[1] == "1 number to be predicted"
    (tmp_path / "d.csv").write_text("size,class\n" + "1.5,a\n" * 10)
    assert data.read(tmp_path / "d.csv", label="class").info.understood[-2] == (
        "label class: 1 class (a)"
    )


def test_two_files_for_one_split(folder):
    for name in ("dev.csv", "valid.csv"):
        (folder / name).write_text(TEST)
    with pytest.raises(DataError, match=r"dev\.csv and valid\.csv are both valid"):
        data.read(folder)
    (folder / "dev.csv").unlink()
    with pytest.raises(DataError, match=r"holds test\.csv: leave out test"):
        data.read(folder, test="test.csv")


def test_arrays_with_files_for_their_splits(tmp_path):
    rng = np.random.default_rng(0)
    for name, n in (("train", 20), ("test", 6)):
        np.save(tmp_path / f"{name}.npy", rng.random((n, 3)))
        np.savez(tmp_path / f"{name}.npz", x=rng.integers(0, 256, (n, 4, 4)), y=np.arange(n) % 3)
        idx_file(tmp_path / f"{name}-images-idx3-ubyte", rng.integers(0, 256, (n, 4, 4)))
        idx_file(tmp_path / f"{name}-labels-idx1-ubyte", np.arange(n) % 3)
    for ending, labels in ((".npy", False), (".npz", True), ("-images-idx3-ubyte", True)):
        found = data.read(tmp_path / f"train{ending}", test=tmp_path / f"test{ending}")
        assert [len(part) for _, part in found.splits()] == [18, 2, 6]
        assert (found.test.y is not None) == labels
        assert not labels or found.test.y.tolist() == [0, 1, 2, 0, 1, 2]
    dark = tmp_path / "dark.npz"  # 0 … 255 as the training part has it, although none is above 1
    np.savez(dark, x=np.ones((5, 4, 4)), y=np.arange(5) % 3)
    assert np.allclose(data.read(tmp_path / "train.npz", test=dark).test.x, 1 / 255)
    np.savez(tmp_path / "rows.npz", x=rng.random((5, 16)), y=np.arange(5) % 3)
    with pytest.raises(DataError, match=r"table, where .* holds images"):
        data.read(tmp_path / "train.npz", test=tmp_path / "rows.npz")
    np.save(tmp_path / "wide.npy", rng.random((5, 4)))
    with pytest.raises(DataError, match=r"\[4\] an example, where .* has \[3\]"):
        data.read(tmp_path / "train.npy", test=tmp_path / "wide.npy")
    np.savez(dark, x=np.ones((5, 4, 4)))
    with pytest.raises(DataError, match="some parts have labels, others have none"):
        data.read(tmp_path / "train.npz", test=dark)


def test_texts_with_files_for_their_splits(tmp_path):
    (tmp_path / "train.txt").write_text("to be or not to be\n" * 20)
    (tmp_path / "test.txt").write_text("to see\n" * 5)
    words = data.read(tmp_path, level="word")
    assert words.info.vocabulary.decode(words.test.x[:2]) == ["to", "<unk>"]
    assert [len(part) for _, part in words.splits()] == [114, 6, 10]
    characters = data.read(tmp_path)
    assert characters.info.vocabulary.words == ("<unk>", "\n", " ", "b", "e", "n", "o", "r", "t")
    said = "\n".join(characters.info.understood)
    assert "test: 1 character that the training file has not: <unk>" in said
    (tmp_path / "test.txt").write_text("to be")
    assert "<unk>" not in data.read(tmp_path).info.vocabulary


def test_the_penn_treebanks_three_files_are_its_split(tmp_path):
    for part in ("train", "valid", "test"):
        text = " the <unk> cat \n sat N times \n" * 20
        (tmp_path / f"ptb.{part}.txt.gz").write_bytes(gzip.compress(text.encode()))
    found = data.read(tmp_path, level="token")
    assert found.info.vocabulary.decode(found.test.x[:8]) == [
        "the", "<unk>", "cat", "<eos>", "sat", "N", "times", "<eos>",
    ]  # fmt: skip
    assert [len(part) for _, part in found.splits()] == [160] * 3


def test_bits_of_a_table(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("n,flag,colour,top\n" + "".join(
        f"{i},{i % 2},{'rgb'[i % 3]},{min(i, 5)}\n" for i in range(20)))  # fmt: skip
    found = data.read(path, kind="binary", label="none")
    assert found.info.kind == "binary" and set(np.unique(found.whole().x)) == {0, 1}
    numbers = data.read(path, label="none")
    median = np.median(numbers.train.x[:, 0])
    for part, before in zip(
        ("train", "valid", "test"), (numbers.train, numbers.valid, numbers.test)
    ):
        bits = getattr(found, part).x
        assert (bits[:, 0] == (before.x[:, 0] > median)).all()
        assert (bits[:, 1:5] == before.x[:, 1:5]).all()  # flags and colours are bits already
        assert (bits[:, 5] == (before.x[:, 5] >= 5)).all()  # none is above the median
    said = found.info.understood
    assert (
        f"n: numbers that only count the rows; 1 above {median:g}, the median of the training rows"
        in said
    )
    assert "top: numbers; 1 from 5, the median of the training rows" in said
    assert "flag: numbers" in said
    np.save(tmp_path / "d.npy", np.arange(40.0).reshape(20, 2))
    assert data.read(tmp_path / "d.npy", kind="binary").info.kind == "binary"
    assert data.from_arrays(np.arange(40.0).reshape(20, 2), bits="median").info.kind == "binary"
    with pytest.raises(DataError, match="bits are made of tables"):
        data.from_arrays(np.zeros((10, 4, 4)), bits="median")


@pytest.mark.parametrize("form", ["file", "parts", "sequences", "steps"])
def test_the_training_part_says_whether_labels_are_classes(tmp_path, form):
    def read(train, test):
        x = {"train": np.ones((40, 2)) / 3, "test": np.ones((20, 2)) / 7}
        y = {"train": np.resize(train, 40), "test": np.resize(test, 20)}
        if form == "parts":
            np.savez(tmp_path / "d.npz", **{f"x_{p}": a for p, a in x.items()},
                     **{f"y_{p}": a for p, a in y.items()})  # fmt: skip
            return data.read(tmp_path / "d.npz")
        for part, a in x.items():
            lengths = {
                "sequences": {"lengths": [1] * len(a)},
                "steps": {"lengths": [2] * (len(a) // 2)},
            }
            np.savez(tmp_path / f"{part}.npz", x=a, y=y[part], **lengths.get(form, {}))
        return data.read(tmp_path / "train.npz", test=tmp_path / "test.npz")

    def labels(split):
        return np.concatenate(split.y) if isinstance(split.y, list) else split.y

    found = read([0.5, 2.5], [5000, -3])  # whole numbers, but of a quantity
    assert labels(found.test).dtype == np.float32 and found.info.classes == ()
    assert labels(found.test)[:2].tolist() == [[5000.0], [-3.0]]
    found = read([0, 1, 2], [2.0, 0.0])
    assert labels(found.test).dtype == np.int64 and labels(found.test)[:2].tolist() == [2, 0]
    assert found.info.classes == ("0", "1", "2")
    with pytest.raises(DataError, match=r"the label of example 1 is 0\.5, no whole number"):
        read([0, 1, 2], [1.0, 0.5])
    with pytest.raises(DataError, match="the label of example 0 is nan, no whole number"):
        read([0, 1, 2], [np.nan, 0.5])


def test_another_number_of_labels(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=np.ones((9, 2)) / 3, x_test=np.ones((9, 2)) / 3,
             y_train=np.ones((9, 2)) / 3, y_test=np.ones((9, 3)) / 3)  # fmt: skip
    with pytest.raises(DataError, match="test: 3 labels an example; the training part has 2"):
        data.read(tmp_path / "d.npz")


def image_parts(folder):
    x = np.zeros((10, 4, 4), np.uint8)
    np.savez(folder / "d.npz", train_images=x, train_labels=np.arange(10) % 2,
             test_images=x, test_labels=np.arange(10) % 3)  # fmt: skip
    return {"file": "d.npz"}, "no training example is of 2", "3 classes (0, 1, 2)"


def drawn_characters(folder):
    arrays = drawn()[1]
    kept = (arrays["character"] > 0) | (arrays["drawer"] > 2)  # those who draw the test part
    arrays = {k: a[kept] if len(a) == len(kept) else a for k, a in arrays.items()}
    np.savez(folder / "d.npz", **arrays)
    return {"file": "d.npz"}, "no training example is of Latin 1", "3 characters of 2 alphabets"


def words(folder):
    np.savez(folder / "d.npz", **counts(test_labels=np.arange(20) % 3)[1])
    return {"file": "d.npz"}, "no training example is of 2", "label: 3 classes (0, 1, 2)"


def mnists_files(folder):
    for part, n in (("train", 2), ("t10k", 4)):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(np.zeros((12, 2, 2))))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(12) % n))
    return {}, "no training example is of 2, 3", "4 classes"


def graphs(folder):
    (folder / "D_A.txt").write_text("".join(f"{2 * i + 1},{2 * i + 2}\n" for i in range(20)))
    (folder / "D_graph_indicator.txt").write_text("".join(f"{i // 2 + 1}\n" for i in range(40)))
    (folder / "D_graph_labels.txt").write_text("1\n" * 19 + "7\n")
    fold = next(k for k in range(10) if 1 in data.read(folder, fold=k).test.y)
    return {"fold": fold}, "no training example is of 7", "label: 2 classes (1: 19, 7: 1)"


def moves(folder):
    np.savez(folder / "d.npz", moves=np.arange(10) % 4, lengths=[1] * 10, winner=[1] * 9 + [2],
             split=[0] * 8 + [2] * 2)  # fmt: skip
    return {"file": "d.npz"}, "no training example is of white", "black wins 9, white 1"


def members(folder):
    (folder / "d.edges").write_text("".join(f"{i} {i + 1}\n" for i in range(12)))
    (folder / "d.labels").write_text("".join(f"{i} {'abc'[i % 3]}\n" for i in range(13)))
    return (
        {"file": "d.edges", "train": "0,1"},
        "no training example is of c",
        "label: 3 classes (a, b, c)",
    )


@pytest.mark.parametrize(
    "make", [image_parts, drawn_characters, words, mnists_files, graphs, moves, members]
)
def test_a_class_that_only_another_part_has_is_said(tmp_path, make):
    options, never, label = make(tmp_path)
    said = "; ".join(data.read(tmp_path / options.pop("file", ""), **options).info.understood)
    assert label in said and never in said


def test_one_of_a_thing_is_no_plural(tmp_path):
    np.savez(
        tmp_path / "d.npz", **counts(columns=1, train_labels=[0] * 20, test_labels=[0] * 20)[1]
    )
    said = data.read(tmp_path / "d.npz").info.understood
    assert said[0] == "rows of 1 count" and said[2] == "label: 1 class (0)"
