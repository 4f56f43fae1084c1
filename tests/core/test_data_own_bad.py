"""Sixty bad files: one clear line that says what is wrong and where, and nothing half-read."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError

GOOD = "a,b,label\n" + "".join(f"{i},{i % 3},{'xy'[i % 2]}\n" for i in range(12))


def png(array=None, mode=None):
    from PIL import Image

    stream = io.BytesIO()
    array = np.zeros((3, 4), np.uint8) if array is None else array
    Image.fromarray(array, mode).save(stream, "png")
    return stream.getvalue()


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def npy(array, **how):
    stream = io.BytesIO()
    np.save(stream, array, **how)
    return stream.getvalue()


def idx(shape, kind=8, content=None, zero=0):
    head = struct.pack(">HBB", zero, kind, len(shape)) + struct.pack(f">{len(shape)}i", *shape)
    return head + (bytes(int(np.prod(shape))) if content is None else content)


def line(number, text):
    """The good table with one line replaced."""
    lines = GOOD.splitlines()
    lines[number - 1] = text
    return "\n".join(lines)


def archive(name, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        out.writestr(name, content)
    return stream.getvalue()


X, Y = np.random.default_rng(0).random((12, 3)), np.arange(12) % 2
HUGE = b"\x93NUMPY\x01\x00\x76\x00" + (
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999, 99999), }".ljust(117) + b"\n"
)

TABLES = {  # content (text or bytes), options, what the message must say
    "empty": ("", {}, "has no rows"),
    "only blank lines": ("\n\n \n", {}, "has no rows"),
    "only a header": ("a,b\n", {"header": True}, "has no rows under its header"),
    "a short row": (line(5, "1,2"), {}, "line 5: 2 cells; line 1 has 3"),
    "a long row": (line(7, "1,2,x,9"), {}, "line 7: 4 cells; line 1 has 3"),
    "an open quotation mark": (line(4, '1,"2,x'), {}, "a quotation mark is open in this row"),
    "text after a quotation mark": (line(4, '1,"2"3,x'), {}, "line 4"),
    "a word among numbers": (line(6, "4,one,x"), {}, "line 6, column 2 (b): 'one' is no number"),
    "infinity": (line(6, "inf,1,x"), {}, "line 6, column 1 (a): 'inf' is not finite"),
    "beyond float32": (line(6, "1e39,1,x"), {}, "line 6, column 1 (a): '1e39' is not finite"),
    "no label in a row": (line(9, "7,1,"), {}, "line 9, column 3 (label): the label is missing"),
    "no such column": (GOOD, {"label": "lable"}, "no column 'lable'; did you mean 'label'?"),
    "column number 0": (GOOD, {"label": 0}, "no column 0"),
    "column number 4": (GOOD, {"label": 4}, "no column 4"),
    "two columns of one name": (GOOD.replace("a,b", "b,b"), {"header": True}, "named 'b'"),
    "nine rows": ("1,2\n" * 9, {}, "9 rows are too few to split"),
    "only a label": ("label\n" + "x\ny\n" * 6, {}, "no column is left to learn from"),
    "only identifiers": (
        "name\n" + "".join(f"n{i}\n" for i in range(60)), {}, "no column is left to learn from",
    ),
    "no training rows": (
        "v,split\n" + "1,test\n" * 12, {}, "the column 'split' names no row 'train'",
    ),
    "latin-1": ("näme,b\n1,2\n".encode("latin-1"), {}, "not utf-8"),
    "utf-16": (GOOD.encode("utf-16"), {}, "not utf-8"),
    "a NUL": (line(3, "1,\0,x"), {}, "line 3: a NUL character"),
    "a picture": (png(), {}, "not utf-8"),
    "infinite quantity": (
        "v,y\n" + "1,0.5\n" * 11 + "2,-inf\n", {}, "line 13, column 2 (y): '-inf' is not finite",
    ),
    "seed": (GOOD, {"seed": -1}, "seed must be from 0"),
    "unknown option": (GOOD, {"lable": "b"}, "no option 'lable'; did you mean 'label'?"),
}  # fmt: skip
FILES = {  # name, content, options, message
    "npz cut off": ("d.npz", npz(x=X)[:-30], {}, "not a valid .npz file"),
    "npz that is none": ("d.npz", b"hello", {}, "not a valid .npz file"),
    "npz without x": ("d.npz", npz(a=X, b=Y), {}, "expected an array x (and y)"),
    "npz of lengths that differ": ("d.npz", npz(x=X, y=Y[:5]), {}, "x has 12 examples, y has"),
    "npz of texts": ("d.npz", npz(x=np.array(["a"] * 12)), {}, "x must be numbers"),
    "npz of complex numbers": ("d.npz", npz(x=X * 1j), {}, "x must be numbers"),
    "npz with one axis": ("d.npz", npz(x=X[:, 0]), {}, "x must be [N, D]"),
    "npz with five axes": ("d.npz", npz(x=X.reshape(12, 1, 1, 1, 3)), {}, "x must be [N, D]"),
    "npz with NaN": ("d.npz", npz(x=np.where(X > 0.9, np.nan, X)), {}, "has nan at row"),
    "npz, no columns": ("d.npz", npz(x=X[:, :0]), {}, "x is empty"),
    "npz, few rows": ("d.npz", npz(x=X[:9]), {}, "9 examples are too few"),
    "npz, negative classes": ("d.npz", npz(x=X, y=Y - 1), {}, "labels must be 0"),
    "npz, absurd classes": ("d.npz", npz(x=X, y=Y * 10**6), {}, "labels must be 0"),
    "npz, labels of three axes": ("d.npz", npz(x=X, y=X[:, :, None]), {}, "y must be classes"),
    "npz, seven channels": ("d.npz", npz(x=np.zeros((12, 7, 5, 5))), {}, "1 or 3 channels"),
    "npz, pixels beyond 255": ("d.npz", npz(x=np.full((12, 5, 5), 256)), {}, "0 … 255"),
    "npz, pixels below 0": ("d.npz", npz(x=np.full((12, 5, 5), -0.1)), {}, "must lie in [0, 1]"),
    "npz, pixels of 1.5": ("d.npz", npz(x=np.full((12, 5, 5), 1.5)), {}, "must lie in [0, 1]"),
    "npz, parts that differ": (
        "d.npz", npz(x_train=X, x_test=X[:, :2]), {}, "the parts have different shapes",
    ),
    "npz, labels in one part": (
        "d.npz", npz(x_train=X, y_train=Y, x_test=X), {}, "some parts have labels",
    ),
    "npz with a pickle": (
        "d.npz", npz(x=np.array([{}] * 12, object)), {}, "holds Python objects, which are pickled",
    ),
    "npz that claims terabytes": ("d.npz", archive("x.npy", HUGE), {}, "needs 79,999,"),
    "npy, labels that are no path": ("d.npy", npy(X), {"labels": 5}, "labels must be the path"),
    "npy cut off": ("d.npy", npy(X)[:-8], {}, "needs 288 bytes"),
    "npy with a longer end": ("d.npy", npy(X) + b"1", {}, "needs 288 bytes"),
    "npy that is none": ("d.npy", b"\x93NUMPY\x09\x00", {}, "version (9, 0)"),
    "npy that claims terabytes": ("d.npy", HUGE, {}, "needs 79,999,"),
    "npy, an archive": ("d.npy", npz(x=X), {}, "not a valid .npy file"),
    "npz, a bare array": ("d.npz", npy(X), {}, "a bare .npy array"),
    "idx cut off": ("a-idx3-ubyte", idx((12, 2, 2))[:-1], {}, "truncated"),
    "idx too long": ("a-idx3-ubyte", idx((12, 2, 2)) + b"1", {}, "too long"),
    "idx of another kind": ("a-idx3-ubyte", idx((12, 2, 2), kind=7), {}, "not an IDX file"),
    "idx with a magic": ("a-idx3-ubyte", idx((12, 2, 2), zero=1), {}, "not an IDX file"),
    "idx with one axis": ("a-idx1-ubyte", idx((12,)), {}, "x must be [N, D]"),
    "text too short": ("d.txt", b"to be or not to be", {}, "18 characters are too few"),
    "text in latin-1": ("d.txt", "é".encode("latin-1") * 200, {}, "not utf-8"),
    "text, unknown level": ("d.txt", b"to be " * 50, {"level": "line"}, "level must be"),
    "text, min_count 0": ("d.txt", b"to be " * 50, {"min_count": 0}, "min_count must be from 1"),
    "gzip cut off": ("d.csv.gz", gzip.compress(GOOD.encode())[:-9], {}, "damaged"),
    "gzip that is none": ("d.csv.gz", GOOD.encode(), {}, "damaged"),
    "another type": ("d.xlsx", b"PK", {}, "files of type .xlsx are not read; known are .csv"),
    "no type": ("data", b"1,2", {}, "files of type unknown are not read"),
}  # fmt: skip
FOLDERS = {  # {file: content}, options, message
    "no pictures": ({"a.txt": b"x"}, {}, "holds no pictures"),
    "empty": ({}, {}, "holds no pictures"),
    "few pictures": ({f"{i}.png": png() for i in range(9)}, {}, "9 pictures are too few"),
    "a damaged picture": (
        {**{f"a/{i}.png": png() for i in range(10)}, "a/bad.png": png()[:40]}, {}, "bad.png",
    ),
    "a text as a picture": (
        {**{f"a/{i}.png": png() for i in range(10)}, "a/bad.jpg": b"hello"}, {}, "bad.jpg is no",
    ),
    "size 0": ({f"{i}.png": png() for i in range(10)}, {"size": 0}, "size must be"),
    "absurd size": ({f"{i}.png": png() for i in range(10)}, {"size": 99999}, "GiB, at most 2"),
    "no training folder": (
        {f"test/a/{i}.png": png() for i in range(10)}, {}, "there is no folder train",
    ),
    "nothing in the training folder": (
        {"train/a/notes.txt": b"x", **{f"test/a/{i}.png": png() for i in range(10)}}, {},
        "there is nothing in the folder train next to train, test",
    ),
}  # fmt: skip


def refuse(path, options, message):
    with pytest.raises(DataError) as caught:
        data.read(path, **options)
    text = str(caught.value)
    assert message in text, text
    assert "\n" not in text and len(text) < 400 + len(str(path)), text


@pytest.mark.parametrize("name", TABLES)
def test_bad_tables(name, tmp_path):
    content, options, message = TABLES[name]
    path = tmp_path / "d.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refuse(path, options, message)


@pytest.mark.parametrize("case", FILES)
def test_bad_files(case, tmp_path):
    name, content, options, message = FILES[case]
    (tmp_path / name).write_bytes(content)
    refuse(tmp_path / name, options, message)


@pytest.mark.parametrize("case", FOLDERS)
def test_bad_folders(case, tmp_path):
    files, options, message = FOLDERS[case]
    root = tmp_path / "pictures"
    root.mkdir()
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    refuse(root, options, message)


def test_nothing_there_and_what_is_no_file(tmp_path):
    import os

    refuse(tmp_path / "nowhere.csv", {}, "there is no file or folder")
    os.mkfifo(tmp_path / "pipe.csv")
    refuse(tmp_path / "pipe.csv", {}, "it is a named pipe, not a regular file")
    (tmp_path / "link.csv").symlink_to(tmp_path / "gone.csv")
    refuse(tmp_path / "link.csv", {}, "link to nothing")


def test_the_good_table_is_good(tmp_path):
    """What the bad ones differ from: a typing error here would let them pass for another reason."""
    path = tmp_path / "d.csv"
    path.write_text(GOOD)
    found = data.read(path)
    assert found.info.classes == ("x", "y") and found.train.x.shape == (9, 2)
