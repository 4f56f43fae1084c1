"""A file read as another one says, in the place of its test part: the rest stays as it was."""

import wave

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError
from glassgrad.core.data.own import read_alike, read_whole
from tests.core.test_data_own import idx_file

RNG = np.random.default_rng(0)
WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "the", "dog", "ran", "to", "it"]


def sentence(i, n=5):
    return " ".join(WORDS[(3 * i + k) % len(WORDS)] for k in range(n + i % 3))


def saved(folder, name, **arrays):
    np.savez(folder / name, **arrays)


def made(folder, name, first, n):
    """A file of n examples of a format, in which something is counted from `first` on."""
    rows = range(first, first + n)
    text = {
        "table.csv": "a,c,class\n" + "".join(f"{i},{'rgb'[i % 3]},{'xy'[i % 2]}\n" for i in rows),
        "sentences.csv": "t,class\n" + "".join(f"{sentence(i)},{'xy'[i % 2]}\n" for i in rows),
        "forms.txt": "".join(f"__label__{'xy'[i % 2]} {sentence(i)}\n" for i in rows),
        "pairs.tsv": "".join(f"{sentence(i)} {i}\t{sentence(i + 1)}\n" for i in rows),
        "long.txt": " ".join(sentence(i) for i in rows),
        "series.csv": "date,v\n" + "".join(f"{1900 + i}-01-01,{i / 2}\n" for i in rows),
        "steps.csv": "sequence,v,class\n"
        + "".join(f"{i},{i + t},{'xy'[i % 2]}\n" for i in rows for t in range(2)),
        "flowers.data": "".join(f"{i / 3:.2f},1.5,{'xy'[i % 2]}\n" for i in rows),
    }.get(name)
    path = folder / name
    x, y = np.arange(3 * n).reshape(n, 3) + first + 0.5, np.arange(n) % 2
    if text is not None:
        path.write_text(text)
    elif name == "arrays.npz":
        saved(folder, name, x=x, y=y)
    elif name == "lengths.npz":
        saved(folder, name, x=np.arange(2.0 * n), lengths=[2] * n, y=y)
    elif name == "array.npy":
        np.save(path, x)
    else:
        idx_file(path, RNG.integers(0, 255, (n, 2, 2)))
    return path


NAMES = {
    "table.csv": {}, "sentences.csv": {}, "forms.txt": {}, "pairs.tsv": {}, "series.csv": {},
    "long.txt": {"level": "word"}, "steps.csv": {"sequence": "sequence"}, "flowers.data": {},
    "arrays.npz": {}, "lengths.npz": {}, "array.npy": {}, "a-images-idx3-ubyte": {},
}  # fmt: skip


def rest(found):
    return data.digest(data.DataSet("d", found.train, found.valid, None, found.info))


@pytest.mark.parametrize("name", NAMES)
def test_training_and_validation_stay_and_the_test_is_the_other_file(name, tmp_path):
    (tmp_path / "other").mkdir()
    path, other = made(tmp_path, name, 0, 40), made(tmp_path / "other", name, 50, 25)
    options = NAMES[name]
    own, alike = data.read(path, **options), read_alike(path, other, **options)
    if own.info.kind == "series":  # what was unknown is of the other file, too
        own.info.extra["missing"].pop("test")
        alike.info.extra["missing"].pop("test")
    assert rest(own) == rest(alike) and own.info.kind == alike.info.kind
    assert own.info.note == alike.info.note
    whole = read_whole(other, options)
    assert len(whole.train) == len(alike.test) and whole.valid is whole.test is None
    if own.info.vocabulary is None:
        for a, b in zip(whole.train.x, alike.test.x):
            assert np.array_equal(a, b)
    else:
        assert own.info.vocabulary.words == alike.info.vocabulary.words
        assert "cat" in whole.info.vocabulary.words


def test_parts_in_a_folder_stay_the_parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for part, n in (("train", 20), ("valid", 6), ("test", 7)):
        made(tmp_path, "table.csv", n, n).rename(folder / f"{part}.csv")
    other = made(tmp_path, "table.csv", 0, 3)
    own, alike = data.read(folder), read_alike(folder, other)
    assert rest(own) == rest(alike) and len(own.test) == 7 and len(alike.test) == 3
    x = np.eye(12)
    saved(tmp_path, "d.npz", x_train=x, x_valid=x[:2], x_test=x[:3])
    saved(tmp_path, "e.npz", x=x[:5])
    own, alike = data.read(tmp_path / "d.npz"), read_alike(tmp_path / "d.npz", tmp_path / "e.npz")
    assert rest(own) == rest(alike) and np.array_equal(alike.test.x, x[:5])


def test_medians_and_means_are_those_of_the_training_rows(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(30)))
    other = tmp_path / "e.csv"
    other.write_text("a,b\n1000,?\n0,3\n")
    own = data.read(path)
    assert read_alike(path, other).test.x[0].tolist() == pytest.approx(
        [1000, own.train.x[:, 1].mean()]
    )
    bits = read_alike(path, other, kind="binary")
    medians = np.median(own.train.x, axis=0)
    assert bits.test.x[1].tolist() == [0, float(medians[1] < 3)]
    assert rest(bits) == rest(data.read(path, kind="binary"))


def test_what_takes_no_other_file(tmp_path):
    saved(tmp_path, "d.npz", moves=np.arange(20) % 4, lengths=[1] * 20)
    assert read_alike(tmp_path / "d.npz", tmp_path / "e.npz") is None
    path = made(tmp_path, "table.csv", 0, 20)
    assert read_alike(path, tmp_path / "d.npz") is None  # another kind of file
    with pytest.raises(DataError, match=r"none.csv is not there; expected a file"):
        read_alike(path, tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder.csv is a folder; expected a file"):
        read_alike(path, tmp_path / "folder.csv")
    (tmp_path / "d.edges").write_text("a b\nb c\n")
    with pytest.raises(DataError, match="holds no examples"):
        read_whole(tmp_path / "d.edges")


def test_a_folder_or_file_of_one_example_is_whole(tmp_path):
    """What would be cut by a seed, or by folds, is not."""
    for name in ("texts", "waves", "set"):
        (tmp_path / name).mkdir()
    (tmp_path / "texts" / "good").mkdir()
    (tmp_path / "texts" / "good" / "1.txt").write_text("a very good film")
    with wave.open(str(tmp_path / "waves" / "3_anna_0.wav"), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
        file.writeframes(np.arange(90, dtype="<i2").tobytes())
    np.savez(tmp_path / "go.npz", moves=[3, 4, 5], lengths=[3], winner=[2])
    (tmp_path / "set" / "S_A.txt").write_text("1, 2\n2, 1\n")
    (tmp_path / "set" / "S_graph_indicator.txt").write_text("1\n1\n")
    (tmp_path / "set" / "S_graph_labels.txt").write_text("5\n")
    (tmp_path / "rolls.json").write_text("[[[60], [62, 64]]]")
    for name, kind in (
        ("texts", "sentences"), ("waves", "audio"), ("go.npz", "games"), ("set", "graphs"),
        ("rolls.json", "sequences"),
    ):  # fmt: skip
        with pytest.raises(DataError, match="too few to split"):
            data.read(tmp_path / name)
        found = read_whole(tmp_path / name)
        assert (len(found.train), data.kind_of(found)) == (1, kind)
        assert found.valid is None and found.test is None
        assert found.info.understood[-1] == "not split"
