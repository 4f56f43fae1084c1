"""Data files made to do harm: bombs, pipes, endless numbers, deep nesting. Our error, quickly."""

import bz2
import gzip
import io
import os
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from glassgrad.core.data import DataError, File, files, find, gml, idx, text
from glassgrad.core.data.own.sequences.piano_rolls import roll
from glassgrad.core.data.read import gunzip, load_npz, read_path, stream_lines


@pytest.fixture(autouse=True)
def quickly():
    """Every test here takes less than a second of processor and 300 MB."""
    started = time.process_time()
    tracemalloc.start()
    yield
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - started < 2  # the counting of memory doubles it
    assert most < 300 << 20


# ----------------------------------------------------------------------- GML


def test_a_long_number_takes_linear_time():
    """16,000 digits before a letter took 17.7 s: every split of the digits was tried."""
    for token in ("1" * 100_000 + "x", "+" * 100_000, "." * 100_000, "1." * 50_000, "1e" * 50_000):
        with pytest.raises(DataError, match="my file, line 1, column 3: cannot read"):
            gml.parse(f"a {token}", "my file")
    with pytest.raises(DataError, match=r"the number 0{20} is too large"):
        gml.parse("a " + "0" * 100_000)


@pytest.mark.parametrize(
    "value, message",
    [
        ("9" * 5000, "number 99999999999999999999 is too"), ("1e400", "number 1e400 is too large"),
        ("-1e400", "is too large"), (str(2**63), "is too large"), ("²", "cannot read '²"),
        ("1²", "cannot read '1²'"), ("١", "cannot read"), ("1_0", "cannot read '1_0'"),
        ("nan", "the key 'a' has no value"), ("0x10", "cannot read '0x10'"),
        ("[ b " * 101, r"line 1, column \d+: more than 100 brackets are open"),
        ("[ b " * 100_000, "more than 100 brackets are open"), ("\x1b[2J", "cannot read '.x1b"),
    ],
)  # fmt: skip
def test_gml_values_that_cannot_be(value, message):
    with pytest.raises(DataError, match=message):
        gml.parse(f"a {value}")


def test_gml_numbers_that_can_be():
    shown = "a 1 a -2 a +3 a 1. a .5 a -1.5e-3 a 2E2 a 9223372036854775807"
    assert [v for _, v in gml.parse(shown)] == [1, -2, 3, 1.0, 0.5, -0.0015, 200.0, 2**63 - 1]


def test_gml_graphs_that_cannot_be():
    nodes = "node [ id 0 ] node [ id 1 ]"
    for edge, message in (
        ("source 0 target [ a [ b 1 ] ]", "which is not a node"),
        (f"source 0 target {2**62}", "which is not a node"),
        ("source 0 target 1 value 1e300", r"line 1: the weight 1e\+300 is not finite"),
        ('source 0 target 1 value "' + "x" * 10_000 + '"', "which is not a number"),
    ):
        with pytest.raises(DataError, match=message) as error:
            gml.graph(f"graph [ {nodes} edge [ {edge} ] ]")
        assert len(str(error.value)) < 300
    with pytest.raises(DataError, match="its own id"):
        gml.graph(f"graph [ node [ id {'9' * 15}.5 ] ]")


# ----------------------------------------------------------------------- IDX


@pytest.mark.parametrize("axes", [65, 100, 255])
@pytest.mark.parametrize("size", [0, 1, 2**31 - 1])
def test_idx_with_more_axes_than_an_array_has(axes, size):
    raw = struct.pack(f">HBB{axes}i", 0, 8, axes, *[size] * axes) + b"\0"
    with pytest.raises(DataError, match=f"^my file: {axes} axes; at most 64"):
        idx.parse(raw, "my file")


@pytest.mark.parametrize("shape", [(0, *[2**31 - 1] * 3), (0, *[2**31 - 1] * 63), (1,) * 64])
def test_idx_with_sizes_beyond_an_array(shape):
    raw = struct.pack(f">HBB{len(shape)}i", 0, 8, len(shape), *shape)
    if 0 in shape:
        with pytest.raises(DataError, match="no array has the shape"):
            idx.parse(raw)
    else:
        assert idx.parse(raw + b"\7").shape == shape


# --------------------------------------------------------------------- bombs


def test_a_gzip_bomb_is_stopped(tmp_path):
    """80 MB of zeros in 350 kB; what a data set may have, 64 MB of them, is taken."""
    bomb, path = gzip.compress(bytes(80 << 20), 1), tmp_path / "a.gz"
    path.write_bytes(bomb)
    message = r"(my file|a\.gz): .* bytes unpack to more than [\d,]+"
    for call in (lambda: gunzip(bomb, "my file"), lambda: idx.read(path), lambda: read_path(path)):
        with pytest.raises(DataError, match=message):
            call()


def test_plain_zeros_are_no_bomb():
    assert gunzip(gzip.compress(bytes(60 << 20), 1), "x") == bytes(60 << 20)


@pytest.mark.parametrize(
    "body, line",
    [(b"a" * (40 << 20), 1), (b"a\n" + b"a" * (40 << 20), 2), ((b"a" * 999_999 + b"\n") * 99, 68)],
)
def test_a_text_bomb_is_stopped(tmp_path, body, line):
    (tmp_path / "a.gz").write_bytes(gzip.compress(body, 1))
    with pytest.raises(DataError, match=rf"a\.gz, line {line}: (this|what).* is too long"):
        for _ in stream_lines(tmp_path / "a.gz"):
            pass


def archive(path, content, **changes):
    with zipfile.ZipFile(path, "w", changes.pop("method", zipfile.ZIP_DEFLATED)) as z:
        z.writestr("x.npy", content)
    raw = bytearray(path.read_bytes())
    local, central = raw.index(b"PK\3\4"), raw.rindex(b"PK\1\2")
    for name, value in changes.items():
        at, size = {"flags": (6, 2), "method_is": (8, 2), "unpacked": (22, 4)}[name]
        raw[local + at : local + at + size] = value.to_bytes(size, "little")
        raw[central + at + 2 : central + at + 2 + size] = value.to_bytes(size, "little")
    path.write_bytes(raw)
    return path


def npy(a, **changes):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, a, **changes)
    return buffer.getvalue()


def headed(header, body=b""):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"flags": 1}, r"x\.npy is encrypted"),
        ({"method_is": 99}, "is packed by method 99; only"),
        ({"method": zipfile.ZIP_BZIP2}, "is packed by method 12; only 0 and 8"),
        ({"method": zipfile.ZIP_LZMA}, "is packed by method 14"),
        ({"unpacked": 2**31}, "bytes would unpack to 2,147,483,648"),
        ({"unpacked": 10}, "not a valid .npz file"),
    ],
)
def test_archives_that_are_not_ours_to_read(tmp_path, changes, message):
    path = archive(tmp_path / "a.npz", npy(np.arange(10)), **changes)
    with pytest.raises(DataError, match=rf"a\.npz: .*{message}"):
        load_npz(path, "x")


def test_an_npz_bomb_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "a.npz", npy(np.zeros(9 << 20)))
    with pytest.raises(DataError, match=r"a\.npz: [\d,]+ bytes would unpack to 75,497,"):
        load_npz(path)


def test_the_members_of_an_npz_bomb_count_together(tmp_path):
    """12 of 30 MB: each could be taken, all of them make 360 MB out of 400 kB."""
    path, content = tmp_path / "a.npz", npy(np.zeros(30 << 20, np.uint8))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for i in range(12):
            z.writestr(f"{i}.npy", content)
    with pytest.raises(DataError, match=r"a\.npz: [\d,]+ bytes would unpack to 377,"):
        load_npz(path)
    assert load_npz(path, "3", "4")["4"].nbytes == 30 << 20  # only what is read counts


def test_idx_is_unpacked_once(tmp_path):
    """Zeros packed twice would have a limit of a hundred times what was unpacked already."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))))
    with pytest.raises(DataError, match="not an IDX file; the first bytes are 1f 8b"):
        idx.read(path)


OBJECTS = npy(np.array([{"a": 1}], object), allow_pickle=True)
RECORDS = npy(np.zeros(2, [("a", "i4")]))


@pytest.mark.parametrize(
    "content, message",
    [
        (OBJECTS, "holds Python objects, which are pickled"), (RECORDS, "holds the dtype .*'a'"),
        (npy(np.zeros(2, "M8[s]")), "holds the dtype datetime64"),
        (headed("{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,)}"),
         "needs 80,000,000,000,000 bytes"),
        (headed("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "needs -8 bytes"),
        (headed("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", b"\0" * 17), "needs 16"),
        (headed("{'descr': '<f8', 'fortran_order': False, 'shape': (1.5,)}"), "not a valid"),
        (headed("{'descr': '<f8'}"), "not a valid"), (headed("(" * 100), "not a valid"),
        (headed("__import__('os')"), "not a valid"), (headed("{'descr': 'q', "), "not a valid"),
        (b"\x93NUMPY\3\0" + b"\0" * 10, "version .3, 0. of the"), (b"", "not a valid"),
        (b"\x93NUMPY\2\0\xff\xff\xff\x7f", "not a valid"), (b"text", "not a valid"),
    ],
)  # fmt: skip
def test_arrays_that_are_none(tmp_path, content, message):
    path = archive(tmp_path / "a.npz", content)
    with pytest.raises(DataError, match=rf"a\.npz: .*{message}"):
        load_npz(path)


@pytest.mark.parametrize(
    "a",
    [np.arange(6.0).reshape(2, 3).T, np.array(3), np.zeros((0, 3)), np.array(["Å", "bc"]),
     np.array([b"a"]), np.array([True]), np.arange(3, dtype=">i4"), np.array([1j]), np.array([""])],
)  # fmt: skip
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_every_kind_come_out(tmp_path, a, save):
    save(tmp_path / "a.npz", x=a)
    got = load_npz(tmp_path / "a.npz", "x")["x"]
    assert got.shape == a.shape and got.dtype == a.dtype and (got == a).all()
    assert got.flags.writeable


# ----------------------------------------------------- files that are no files


@pytest.mark.parametrize("thing", ["pipe", "folder", "device", "dangling link", "loop"])
def test_what_is_no_file_is_neither_read_nor_passed_over(tmp_path, monkeypatch, thing):
    monkeypatch.setattr(files, "REPOSITORY", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "given" / "set" / "a.npz"
    path.parent.mkdir(parents=True)
    {"pipe": os.mkfifo, "folder": os.mkdir, "device": lambda p: p.symlink_to("/dev/zero"),
     "dangling link": lambda p: p.symlink_to("nothing"),
     "loop": lambda p: p.symlink_to(p.name)}[thing](path)  # fmt: skip
    file = File("set", "a.npz", "0" * 64, 1)
    assert files.locate(file, tmp_path / "given") is None
    for call in (
        lambda: find(file, tmp_path / "given"), lambda: read_path(path), lambda: load_npz(path),
        lambda: idx.read(path), lambda: next(stream_lines(path)), lambda: files.verify(file, path),
    ):  # fmt: skip
        with pytest.raises(DataError, match=r"a\.npz cannot be read: "):
            call()


def test_a_file_larger_than_any_data_set(tmp_path):
    with open(tmp_path / "a.npz", "wb") as file:
        file.truncate(1 << 40)
    for call in (read_path, load_npz, idx.read):
        with pytest.raises(DataError, match="bytes; the limit is 4,294,967,296"):
            call(tmp_path / "a.npz")


# ---------------------------------------------------------------- text and JSON


@pytest.mark.parametrize("page", ["²", "١", "-1", "1" * 5000, "", " 1", "1_0"])
def test_titles_with_a_page_that_is_no_number(tmp_path, page):
    (tmp_path / "t").write_text(f"1\tA\n{page}\tB\n", encoding="utf-8")
    with pytest.raises(DataError, match="t, line 2: expected page, tab, title"):
        text.Corpus("c", tmp_path, tmp_path / "t").titles()


def test_bz2_is_no_format_of_ours(tmp_path):
    (tmp_path / "a.gz").write_bytes(bz2.compress(b"x"))
    with pytest.raises(DataError, match="the gzip data is damaged"):
        read_path(tmp_path / "a.gz")


@pytest.mark.parametrize(
    "steps", [3, None, "ab", {"a": 1}, [[[60]]], [[{}]], [1e999], [["x" * 999]]]
)
def test_rolls_that_are_none(steps):
    with pytest.raises(DataError, match="my piece") as error:
        roll(steps, "my piece")
    assert len(str(error.value)) < 200
