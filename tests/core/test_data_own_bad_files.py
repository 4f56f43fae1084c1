"""Damaged, lying and odd files on the command line: one line that says where, and nothing else."""

import bz2
import gzip
import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest

from glassgrad import cli

NPY = "<f8"


def npz(**arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def npy(shape, dtype=NPY, body=b"\0" * 8):
    """An .npy file whose header claims what it likes."""
    head = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    head += b" " * (63 - (len(head) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + body


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def idx(kind, *shape):
    return struct.pack(f">HBB{len(shape)}i", 0, kind, len(shape), *shape) + b"\0" * 50


def tensors(**entries):
    head = json.dumps(entries).encode()
    return struct.pack("<Q", len(head)) + head + b"\0" * 12


def png(width, height):
    def chunk(kind, body):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    )


DAYS = "".join(f"2020-01-{i:02d},{i}\n" for i in range(1, 20))
ROWS = "1,2\n" * 12
F32 = {"dtype": "F32", "shape": [2]}
WHOLE = npz(x=np.arange(200.0).reshape(50, 4), y=np.arange(50) % 2)
CASES = {
    "half an archive": ("d.npz", WHOLE[: len(WHOLE) // 2], "not a valid .npz file"),
    "an empty archive": ("d.npz", npz(), "there are none"),
    "a size of petabytes": (
        "d.npz", zipped(x=npy((10**9, 10**6))),
        "x.npy: shape (1000000000, 1000000) of float64 needs 8,000,000,000,000,000 bytes",
    ),
    "more than fits": ("d.npy", npy((2**62, 2**62)), "needs 170,141,183,460,469,231,731"),
    "less than nothing": ("d.npy", npy((-5, 3)), "shape (-5, 3) of float64 needs -120 bytes"),
    "a shape of letters": ("d.npy", npy("abc"), "shape is not valid: 'abc'"),
    "objects": ("d.npy", npy((3,), "|O"), "Python objects, which are pickled"),
    "objects in an archive": ("d.npz", npz(x=np.array([[1], [2, 3]], object)), "holds Python"),
    "numbers with a root of -1": ("d.npz", npz(x=np.ones((20, 3), complex)), "got complex128"),
    "dates": ("d.npz", npz(x=np.zeros((20, 1), "M8[D]")), "holds the dtype datetime64[D]"),
    "five axes": ("d.npz", npz(x=np.zeros((10, 2, 2, 2, 2))), "got (10, 2, 2, 2, 2)"),
    "a hole in x": (
        "d.npz", npz(x=np.r_[np.ones((19, 3)), [[1, np.nan, 2]]]), "x has nan at row 19, column 1",
    ),
    "a hole in y": (
        "d.npz", npz(x=np.eye(12), y=np.r_[np.arange(11) / 2, np.inf]), "y has inf at row 11",
    ),
    "a length below none": (
        "d.npz", npz(x=np.arange(30.0), lengths=[5, -2, 27]), "the length of sequence 1 is -2, of",
    ),
    "a length beyond all": (
        "d.npz", npz(x=np.arange(30.0), lengths=np.array([2**64 - 1], np.uint64)),
        "the length of sequence 0 is 18446744073709551615, of 30 steps",
    ),
    "lengths that wrap": (
        "d.npz", npz(x=np.arange(30.0), lengths=np.array([2**63 - 1, 2**63 - 1, 32])),
        "the length of sequence 0 is 9223372036854775807, of 30 steps",
    ),
    "half a gzip": ("d.csv.gz", gzip.compress(ROWS.encode())[:-9], "the gzip data is damaged"),
    "no gzip": ("d.csv.gz", ROWS, "the gzip data is damaged: Not a gzipped file"),
    "half a bzip2": ("d.csv.bz2", bz2.compress(ROWS.encode())[:-9], "the bzip2 data is damaged"),
    "a mark and no more": ("d.csv", b"\xef\xbb\xbf", "has no rows"),
    "UTF-16": ("d.csv", ROWS.encode("utf-16"), "not utf-8 text at byte 0, line 1"),
    "Latin-1": ("d.csv", (ROWS + "caf\xe9,2\n").encode("latin-1"), "at byte 51, line 13"),
    "a NUL": ("d.csv", ROWS + "\0,3\n", "line 13: a NUL character"),
    "an open quotation mark": (
        "d.csv", ROWS + '1,"open\n' + ROWS,
        "line 13: a quotation mark is open in this row to the end of the file",
    ),
    "a cell without end": (
        "d.csv", "a,b\n" + "x" * ((16 << 20) + 1) + ",1\n",
        "line 2: a cell of more than 16,777,216 characters",
    ),
    "a header of twice the same": ("d.csv", "a,a\n" + ROWS, "1 and 2 are both named 'a'"),
    "names and no rows": ("d.csv", "a,b,c\n", "1 row is too few to split"),
    "a row that is longer": ("d.csv", ROWS + "1,2,3\n", "line 13: 3 cells; line 1 has 2"),
    "a label that is none": (
        "d.csv", "a,class\n" + "1,x\n2,nan\n" * 8, "line 3, column 2 (class): the label is missing",
    ),
    "more than a number holds": (
        "d.csv", ROWS + "1e400,2\n", "line 13, column 1 (column 1): '1e400' is not finite",
    ),
    "a day that is none": (
        "d.csv", f"date,v\n{DAYS}2020-02-31,4\n", "line 21, column 1 (date): '2020-02-31' is",
    ),
    "a day before": (
        "d.csv", f"date,v\n{DAYS}2020-01-05,4\n", "column 1 (date): '2020-01-05' is not later",
    ),
    "a score beyond ten": (
        "d.tsv", "# scores\n" + "a\tb\t5\n" * 12 + "a\tb\t50\n", "line 14: a score from 0 to 10",
    ),
    "an analogy of three": (
        "d.txt", ": s\n" + "a b c d\n" * 12 + "a b c\n", "line 14: expected a section or four",
    ),
    "a list in a list": ("d.json", "[" * 100_000, "maximum recursion depth exceeded"),
    "a chord of a word": ("d.json", '[[[60, "x"]]]', "piece 0, step 0: 'x' is not a pitch"),
    "a billion images": (
        "d-idx3-ubyte", idx(8, 10**9, 1000, 1000), "needs 1,000,000,000,000,000 bytes",
    ),
    "images of a size below none": ("d-idx3-ubyte", idx(8, -10, 28, 28), "a size is negative"),
    "a type that is none": ("d-idx3-ubyte", idx(77, 1, 2, 2), "not an IDX file"),
    "a header of terabytes": ("d.safetensors", struct.pack("<Q", 10**15) + b"{}", "safetensors"),
    "tensors in one place": (
        "d.safetensors",
        tensors(a=F32 | {"data_offsets": [0, 8]}, b=F32 | {"data_offsets": [4, 12]}),
        "invalid offset for tensor `b`",
    ),
    "an edge to nowhere": (
        "d.gml", "graph [ node [ id 1 ] edge [ source 1 target 9 ] ]", "the target 9, which is not",
    ),
    "a bracket": ("d.gml", "graph [ node [ id 1 ", "column 21: 2 bracket(s) are not closed"),
    "a picture of acres": ("d/a/1.png", png(100_000, 100_000), "a/1.png is no picture"),
    "a picture of nothing": ("d/a/1.png", b"\x89PNG\r\n\x1a\nnot", "cannot identify image file"),
    "sound without end": (
        "d/a/1.wav",
        b"RIFF\xff\xff\xff\x7fWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
        + b"data" + struct.pack("<I", 2**31 - 1), "needs 2,147,483,647 bytes, 0 are there",
    ),
    "a class without words": (
        "d.txt", "__label__a hello\n" * 12 + "__label__b\n", "line 13: there are no words",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_line_that_says_where(name, tmp_path, capsys):
    file, content, message = CASES[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    given = tmp_path / file.split("/")[0]
    assert cli.main(["data", str(given), "--picture", str(tmp_path / "some.png")]) == 1
    out, err = capsys.readouterr()
    assert not out and not (tmp_path / "some.png").exists(), "nothing was half read"
    assert message in err and err.startswith(f"glassgrad: {given}") and err.count("\n") == 1


def test_what_only_looks_odd_is_read(tmp_path, capsys):
    (tmp_path / "d.csv").write_bytes(
        b"\xef\xbb\xbfa,t,class\r\n" + b'1,"two\r\nlines",x\r\n2,b,y\r\n' * 8
    )
    assert cli.main(["data", str(tmp_path / "d.csv")]) == 0
    out, err = capsys.readouterr()
    assert not err and "16 rows and 3 columns" in out and "a: numbers" in out
