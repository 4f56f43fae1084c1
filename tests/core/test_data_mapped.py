"""Arrays larger than memory: they stay in their files, and other formats are refused in advance."""

import bz2
import copy
import dataclasses
import gzip
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError, DataSet, Split, join, mapped, room
from glassgrad.core.data.own import FORMATS, array_files, reading


@pytest.fixture
def little(monkeypatch):
    """A machine with 32 kB of free memory, of which a quarter is for an array."""
    for module in (mapped, room):
        monkeypatch.setattr(module, "room", lambda: 32_000)
    monkeypatch.setattr(room, "SMALL", 0)


def saved(path, x):
    np.save(path, x)
    return path


@pytest.mark.parametrize(
    "dtype, shape", [(np.float32, (900, 5)), (np.float64, (900, 5)), (np.uint8, (300, 6, 5))]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_in_its_file_is_read_as_one_in_memory(tmp_path, monkeypatch, dtype, shape, order):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, shape) if dtype == np.uint8 else rng.random(shape)
    x = np.asarray(x, dtype, order=order)
    paths = {
        p: saved(tmp_path / f"{p}.npy", x[i:]) for i, p in enumerate(("train", "valid", "test"))
    }
    files = {"valid": paths["valid"], "test": paths["test"]}
    whole = data.read(paths["train"], **files)
    monkeypatch.setattr(mapped, "room", lambda: 8000)
    found = data.read(paths["train"], **files)
    assert type(found.train.x) is mapped.Mapped and found.train.x.shape == whole.train.x.shape
    assert (found.info.kind, found.info.image_shape) == (whole.info.kind, whole.info.image_shape)
    assert data.digest(found) == data.digest(whole)
    batches = [list(data.minibatches(d.train, 7, seed=3)) for d in (found, whole)]
    for ours, theirs in zip(*batches, strict=True):
        assert ours.x.dtype == np.float32 and np.array_equal(ours.x, theirs.x)
    assert np.array_equal(found.train.x[3], whole.train.x[3])
    assert np.array_equal(found.train.x[-1], list(found.train.x)[-1])
    assert np.array_equal(found.train.x[2:4, 0], whole.train.x[2:4, 0])
    flat = found.train.x.reshape(len(x), -1)
    assert np.array_equal(flat[5:9], whole.train.x.reshape(len(x), -1)[5:9])
    ours, theirs = found.standardised(), whole.standardised()
    assert type(ours.train.x) is mapped.Mapped
    assert np.allclose(ours.train.x[10:20], theirs.train.x[10:20], atol=1e-5)
    again = ours.standardised().train.x
    assert np.allclose(again[10:20], ours.train.x[10:20], atol=1e-5)


def test_it_is_split_as_in_memory(tmp_path, monkeypatch):
    x = np.arange(6000, dtype=np.float32).reshape(2000, 3) / 7
    np.save(tmp_path / "y.npy", np.arange(2000) // 700)  # sorted by class
    path, options = saved(tmp_path / "d.npy", x), {"labels": tmp_path / "y.npy", "seed": 3}
    whole = data.read(path, **options)
    monkeypatch.setattr(mapped, "room", lambda: 32_000)
    found = data.read(path, **options)
    assert type(found.train.x) is mapped.Mapped and type(found.valid.x) is np.ndarray
    assert data.digest(found) == data.digest(whole)
    assert data.digest(found) != data.digest(data.read(path, labels=tmp_path / "y.npy"))
    assert found.info.note == whole.info.note == "random split 1400/200/400, seed 3"
    assert "train stays in the file" in found.info.understood[1]
    later = found.train[100:]  # of an index
    assert type(later.x) is mapped.Mapped and np.array_equal(
        list(later.x[::-1]), whole.train.x[:99:-1]
    )
    assert np.array_equal(later.x[[-1, 0]], whole.train.x[[-1, 100]])
    assert np.array_equal(list(later.x)[7], whole.train.x[107])


def test_bits_of_an_array_in_its_file(tmp_path, little):
    path = saved(tmp_path / "b.npy", np.random.default_rng(0).integers(0, 2, (3000, 4)))
    found = data.read(path, kind="binary")
    assert type(found.train.x) is mapped.Mapped and found.info.kind == "binary"
    rows = saved(tmp_path / "d.npy", np.random.default_rng(0).random((3000, 4)))
    for options in ({"kind": "binary"}, {"bits": "median"}):
        with pytest.raises(DataError, match="bits are made of tables in memory; this is Mapped"):
            data.read(rows, **options)
    test = saved(tmp_path / "t.npy", np.full((10, 4), 0.5))
    assert data.read(path, test=test).info.kind == "table"


def test_a_white_pixel_is_that_of_the_training_part(tmp_path, little):
    bright = saved(tmp_path / "d.npy", np.resize([0.0, 7.0, 255.0], (500, 6, 6)))
    dark = saved(tmp_path / "t.npy", np.ones((20, 6, 6)))
    found = data.read(bright, test=dark)
    assert found.train.x[:9].max() == 1 and np.allclose(found.test.x, 1 / 255)
    with pytest.raises(DataError, match="pixels up to 255; in the training part up to 1"):
        data.read(saved(tmp_path / "w.npy", np.ones((500, 6, 6))), test=bright)


OURS = {"dtype", "ndim", "shape", "size", "__len__", "__iter__", "__getitem__", "reshape",
        "__array__", "__array_ufunc__", "__array_function__"}  # fmt: skip


def test_no_attribute_of_an_array_gives_the_numbers_of_the_file(tmp_path, little):
    x = mapped.mapped(saved(tmp_path / "d.npy", np.ones((4000, 3), np.uint8)), white=255.0)
    refused = 0
    for name in sorted(set(dir(np.ndarray)) - set(dir(object)) - OURS):
        if name not in vars(mapped.Mapped):
            assert not hasattr(x, name), name
            continue
        with pytest.raises(DataError, match=rf"d\.npy: .* in the file, but '{name}' needs"):
            getattr(x, name)()
        refused += 1
    assert refused > 120 and (np.shape(x), np.ndim(x), np.size(x)) == ((4000, 3), 2, 12_000)


@pytest.mark.parametrize(
    "whole",
    [
        lambda x: x.mean(), lambda x: x + 1, lambda x: np.concatenate([x, x]), lambda x: x.copy(),
        lambda x: x.astype("f8"), lambda x: x[np.arange(len(x))[:, None]], lambda x: x[:, 0],
        lambda x: x.T @ x, lambda x: np.linalg.svd(x), lambda x: x.min(axis=0), lambda x: x == 0,
        np.asarray, np.array, np.ascontiguousarray, np.float32, np.ravel, np.square, copy.deepcopy,
        pickle.dumps, lambda x: x.ctypes, lambda x: x.flat, lambda x: x.dot(1), lambda x: 1 - x,
        lambda x: x.reshape(3, -1), lambda x: np.asarray([x, x]), float, bool,
        lambda x: join([Split(x), Split(x)]), lambda x: np.take(x, 0), lambda x: x.view(np.ndarray),
    ],
)  # fmt: skip
def test_what_needs_the_whole_array_is_refused(tmp_path, little, whole):
    x = data.read(saved(tmp_path / "d.npy", np.random.default_rng(0).random((4000, 3)))).train.x
    with pytest.raises(DataError, match=r"d\.npy: 33600 bytes of numbers stay in the file, but"):
        whole(x)
    assert "Mapped(d.npy" in repr(x)


def test_nan_far_inside_is_found(tmp_path, little):
    few = saved(tmp_path / "few.npy", np.ones((5, 3)))  # the rest stays in its order
    x = np.zeros((4000, 3), np.float32)
    x[2500, 1] = np.nan
    with pytest.raises(DataError, match=r"train\.x has nan at row 2500, column 1 \(1 such values"):
        data.read(saved(tmp_path / "d.npy", x), valid=few, test=few)
    wide = np.ones((4000, 3))
    wide[7, 2] = 1e300  # is infinite in float32
    with pytest.raises(DataError, match="has inf at row 7, column 2"):
        data.read(saved(tmp_path / "d.npy", wide), valid=few, test=few)


@pytest.mark.parametrize(
    "x, message",
    [
        (np.full((500, 8, 8), 3.5), "must lie in [0, 1], or be 0 … 255; got 3.5 … 3.5"),
        (np.zeros((500, 2, 8, 8)), "with 1 or 3 channels; got [500, 2, 8, 8]"),
        (np.zeros(9000), "x must be [N, D]"),
        (np.zeros((9000, 0)), "x is empty"),
        (np.zeros((5, 1700)), "5 examples are too few"),
        (np.zeros((12, 9000)), "one example takes 0.0 MiB: too much for this memory"),
    ],
)
def test_large_arrays_that_do_not_fit(tmp_path, little, x, message):
    with pytest.raises(DataError) as caught:
        data.read(saved(tmp_path / "d.npy", x))
    assert message in str(caught.value)


def test_a_cut_off_large_file(tmp_path, little):
    path = saved(tmp_path / "d.npy", np.zeros((4000, 3)))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"shape \(4000, 3\) of float64 needs 96,000 bytes"):
        data.read(path)


def test_other_formats_are_refused_before_they_are_read(tmp_path, little, monkeypatch):
    def must_not(*_):
        raise AssertionError("was read")

    for name in ("tables.labels.learn", "texts.text_file.read_path", "tables.csv_rows.read_path",
                 "array_files.load_npz", "array_files.idx.read"):  # fmt: skip
        monkeypatch.setattr(f"glassgrad.core.data.own.{name}", must_not)
    rows = "1.5,red,2\n" * 4000
    (tmp_path / "d.csv").write_text(rows)
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(rows.encode()))
    (tmp_path / "D.CSV.GZ").write_bytes(gzip.compress(rows.encode()))
    (tmp_path / "d.csv.bz2").write_bytes(bz2.compress(rows.encode()))
    (tmp_path / "d.txt").write_text("to be\n" * 4000)
    np.savez(tmp_path / "d.npz", x=np.zeros((4000, 5)))
    (tmp_path / "d-idx3-ubyte").write_bytes(bytes(30_000))
    for name, said in (
        ("d.csv", "a table of about 4,000 rows, 3 cells each, would take about 1.5 MiB"),
        ("d.csv.bz2", "a table of about 4,000 rows, 3 cells each, would take about 1.5 MiB"),
        ("D.CSV.GZ", "a table of about 4,000 rows, 3 cells each, would take about 1.5 MiB"),
        ("d.csv.gz", "a table of about 4,000 rows, 3 cells each, would take about 1.5 MiB"),
        ("d.txt", "a text of 24,000 bytes would take about 0.4 MiB"),
        ("d.npz", "20,000 numbers would take about 0.2 MiB"),
        ("d-idx3-ubyte", "30,000 numbers would take about 0.3 MiB"),
    ):
        with pytest.raises(DataError) as caught:
            data.read(tmp_path / name)
        assert said in str(caught.value) and "more than half of what is free" in str(caught.value)


def test_every_other_format_is_refused_before_it_is_read(tmp_path, little, monkeypatch):
    """Each says what it takes for a byte, or asks itself (the test above, and pictures)."""
    asking = {"from_csv", "from_series", "from_sentences", "from_npz", "from_npy", "from_idx",
              "from_text", "from_image_folder", "from_sequence_table"}  # fmt: skip
    assert {f.reader.__name__ for f in FORMATS if not f.memory} == asking

    def must_not(*_, **__):
        raise AssertionError("was read")

    folder, large = tmp_path / "d", bytes(9000)
    folder.mkdir()
    (folder / "a").write_bytes(large)
    np.savez(tmp_path / "d.npz", x=np.zeros(9000, np.uint8))
    for found in (f for f in FORMATS if f.memory):
        path = tmp_path / f"d{found.endings[0]}" if found.endings else folder
        if not path.exists():
            path.write_bytes(large)
        with pytest.raises(DataError, match=r"would take about .* more than half of what is free"):
            reading._call(dataclasses.replace(found, reader=must_not), path, {})


def test_the_size_of_packed_files(tmp_path):
    text = "".join(f"{i} to be or not to be\n" for i in range(2000)).encode()
    for name, raw in (
        ("d.txt", text), ("d.TXT.GZ", gzip.compress(text)), ("d.bz2", bz2.compress(text)),
        ("damaged.bz2", text),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(raw)
        assert room.unpacked_size(tmp_path / name) == len(text), name
    several = b"".join(map(bz2.compress, [text] * 60))  # as parallel packers write it
    (tmp_path / "d.bz2").write_bytes(several)
    assert room.unpacked_size(tmp_path / "d.bz2") == pytest.approx(60 * len(text), rel=0.05)
    assert room.unpacked_size(tmp_path / "none.bz2") == 0


def test_the_room_is_what_the_system_says(tmp_path):
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:     5 kB\n")
    (tmp_path / "self/status").write_text("VmSize:\t1 kB\n")
    assert room.room(tmp_path) == 5 * 1024
    assert room.room(tmp_path / "nowhere") > 2**20
    assert array_files.COPIES == 2


def test_a_data_set_of_a_mapped_array_is_a_data_set(tmp_path):
    x = mapped.mapped(saved(tmp_path / "d.npy", np.eye(4, dtype=np.float32)))
    found = DataSet("d", Split(x))
    assert data.kind_of(found) == "binary" and len(found.train[1:3]) == 2


LIMITED = """
import resource, sys
import numpy as np
import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError
path, limit = sys.argv[1], int(sys.argv[2])
train = lambda **more: training.train(models.recipe("autoencoder"), path, overrides={
    "epochs": 1, "batch": 1000, "code": 4, **more})
training.train(models.recipe("autoencoder"), "digits", overrides={"epochs": 1})  # compiles
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    bytearray(limit)
    sys.exit("there is no limit")
except MemoryError:
    pass
done = train()
print(done.data.info.understood[1])
print(sorted(done.test_figures))
"""


@pytest.mark.slow
def test_a_training_on_a_file_larger_than_the_limit(tmp_path):
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "RLIMIT_DATA") or not sys.platform.startswith("linux"):
        pytest.skip("only Linux counts what is private")
    path, n = tmp_path / "d.npy", 500_000
    x = np.lib.format.open_memmap(path, "w+", np.uint8, (n, 28, 28))
    block = np.random.default_rng(0).integers(0, 256, (50_000, 28, 28), np.uint8)
    for at in range(0, n, len(block)):
        x[at : at + len(block)] = block
    x.flush()
    limit = 360 << 20
    assert limit < path.stat().st_size  # as float32 it is four times as much
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1.5 GiB as float32: train and valid and test stay in the file" in done.stdout
    assert "squared_error" in done.stdout


REFUSED = """
import resource, sys, time
import glassgrad as gg
from glassgrad.core.data import DataError
limit = int(sys.argv[1])
resource.setrlimit(getattr(resource, sys.argv[2]), (limit, limit))
for path in sys.argv[3:]:
    start = time.process_time()
    try:
        gg.data.read(path)
        sys.exit(f"{path} was read")
    except DataError as error:
        print(error, time.process_time() - start < 1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_a_table_and_a_text_larger_than_the_limit_are_refused_early(tmp_path, limit):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux keeps these limits")
    (tmp_path / "d.csv").write_text("1.25,2.5,red\n" * 5_000_000)
    (tmp_path / "d.txt").write_text("to be or not to be\n" * 4_000_000)
    np.savez(tmp_path / "d.npz", x=np.zeros((90_000_000, 1), np.uint8))
    most = {"RLIMIT_AS": 4 << 30, "RLIMIT_DATA": 500 << 20}[limit]
    if limit == "RLIMIT_AS":  # threads of the libraries take gigabytes of addresses
        (tmp_path / "d.csv").write_text("1.25,2.5,red\n" * 12_000_000)
        (tmp_path / "d.txt").write_text("to be or not to be\n" * 12_000_000)
        np.savez(tmp_path / "d.npz", x=np.zeros((300_000_000, 1), np.uint8))
    paths = [str(tmp_path / f"d.{ending}") for ending in ("csv", "txt", "npz")]
    command = [sys.executable, "-c", textwrap.dedent(REFUSED), str(most), limit, *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and all(line.endswith("True") for line in lines)
    assert all("of memory, more than half of what is free" in line for line in lines)
