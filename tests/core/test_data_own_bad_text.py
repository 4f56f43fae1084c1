"""Bad texts, pairs, series, sequences and recordings: one clear line, and nothing half-read."""

import bz2
import gzip
import json
import struct
import time

import numpy as np
import pytest

from tests.core.test_data_own_bad import npz, refuse
from tests.core.test_data_own_series import riff, table

REVIEWS = ["text,label", *(f"what a long text {i},{'ab'[i % 2]}" for i in range(14))]
FASTTEXT = [f"__label__{'ab'[i % 2]} what a text {i}" for i in range(14)]
QUESTIONS = [f"NUM:{'date' if i % 2 else 'count'} How many is {i} ?" for i in range(14)]
IMDB = [f"{i}\t{9 if i % 2 else 2}\tWhat a film, number {i}!" for i in range(14)]
PAIRS = [f"Go {i}!\tVa {i} !" for i in range(14)]
SERIES = table(14).splitlines()
ROLLS = {"train": [[[60], []]] * 3, "valid": [[[60]]], "test": [[[60]]]}
X, L, Y = np.arange(40.0).reshape(20, 2), np.full(10, 2), np.arange(10) % 2
TEXT, SEQUENCES = {"kind": "sentences"}, {"kind": "sequences"}


def line(lines, number, text):
    """The lines with one replaced, as a file."""
    return "\n".join([*lines[: number - 1], text, *lines[number:]])


def rolls(**changes):
    return json.dumps({k: v for k, v in {**ROLLS, **changes}.items() if v is not None})


def packed(lines):
    return bz2.compress((lines if isinstance(lines, str) else "\n".join(lines)).encode())


FILES = {  # name, content, options, what the message must say
    "no text in a row": ("d.csv", line(REVIEWS, 5, " ,a"), {}, "line 5, column 1 (text): there"),
    "no label in a row": ("d.csv", line(REVIEWS, 5, "what a long text,"), {"text": 1},
                          "line 5, column 2 (label): the label is missing"),
    "a short row": ("d.csv", line(REVIEWS, 7, "what a long text"), TEXT, "line 7: 1 cell; line 1"),
    "a stray quotation mark": ("d.csv", line(REVIEWS, 4, '"what" a long text,a'), TEXT,
                               "line 4: ',' expected after '\"'; with quotes=no"),
    "no such text column": ("d.csv", "\n".join(REVIEWS), {"text": "txt"}, "no column 'txt'; did"),
    "no such second column": ("d.csv", "\n".join(REVIEWS), {"text": "text,9"}, "no column '9'"),
    "the text is the label": ("d.csv", "\n".join(REVIEWS), {"text": 2, "label": 2},
                              "is both the text and the label"),
    "no column is a text": ("d.csv", "a,label\n" + "1,x\n2,y\n" * 7, TEXT, "name it by text="),
    "text of no column": ("d.csv", "\n".join(REVIEWS), {"text": "none"}, "text must name a column"),
    "thousands of classes": ("d.csv", "text,label\n" + "".join(f"a b c d {i},x{i}\n" for i in
                             range(1500)), {"text": 1}, "takes 1,500 values; at most 1000"),
    "nine texts": ("d.csv", "\n".join(REVIEWS[:10]), {"text": 1}, "9 texts are too few to split"),
    "unknown cutter": ("d.csv", "\n".join(REVIEWS), {"words": "lines"}, "words must be 'marks' or"),
    "min_count 0": ("d.csv", "\n".join(REVIEWS), {"min_count": 0}, "min_count must be from 1"),
    "min_count of words": ("d.csv", "\n".join(REVIEWS), {"min_count": "x"}, "must be an integer"),
    "unknown encoding": ("d.csv", "\n".join(REVIEWS), {**TEXT, "encoding": "klingon"},
                         "there is no encoding 'klingon'; try utf-8 or latin-1"),
    "encoding of bytes": ("d.csv", "\n".join(REVIEWS), {**TEXT, "encoding": "zlib"},
                          "there is no encoding 'zlib'"),
    "latin-1": ("d.csv", "\n".join(REVIEWS).replace("what", "é").encode("latin-1"), TEXT,
                "not utf-8"),
    "a NUL": ("d.csv", line(REVIEWS, 3, "what \0 long text,a"), TEXT, "line 3: a NUL character"),
    "fastText, no label": ("d.txt", line(FASTTEXT, 6, "what a text"), TEXT,
                           "line 6: expected __label__CLASS and words; got 'what a text'"),
    "fastText, only a label": ("d.train", line(FASTTEXT, 6, "__label__a  "), TEXT,
                               "line 6: there are no words"),
    "fastText, no name": ("d.txt", line(FASTTEXT, 2, "__label__ what"), TEXT, "line 2: expected"),
    "TREC, no colon": ("d.label", line(QUESTIONS, 3, "NUM How many ?"), TEXT,
                       "d.label, line 3: expected CLASS:class and a question"),
    "TREC, no question": ("d.label", line(QUESTIONS, 14, "NUM:date"), {}, "line 14: expected"),
    "TREC, an empty line": ("TREC.train", line(QUESTIONS, 5, ""), {"labels": "fine"}, "line 5:"),
    "TREC, unknown classes": ("TREC.train", "\n".join(QUESTIONS), {"labels": "all"},
                              "labels must be 'coarse' or 'fine'; got 'all'"),
    "IMDb, a neutral rating": ("d.tsv.bz2", packed(line(IMDB, 9, "8\t5\tSo so.")), TEXT,
                               "line 9, column 2: a rating is 1 … 4 (negative) or 7 … 10"),
    "IMDb, no rating": ("d.tsv.bz2", packed(line(IMDB, 9, "8\tx\tSo so.")), TEXT, "got 'x'"),
    "IMDb, two cells": ("d.tsv.bz2", packed(line(IMDB, 14, "8\t9")), TEXT, "line 14: 2 cells; exp"),
    "IMDb, no words": ("d.tsv.bz2", packed(line(IMDB, 2, "8\t9\t<br />")), TEXT,
                       "line 2, column 3: there are no words"),
    "bzip2 cut off": ("d.tsv.bz2", packed(IMDB)[:-9], {}, "the bzip2 data is damaged"),
    "bzip2 that is none": ("d.tsv.bz2", b"1\t9\tgood", {}, "the bzip2 data is damaged"),
    "a pair without a tab": ("d.txt", line(PAIRS, 4, "Go!"), {"kind": "pairs"},
                             "line 4: expected source, tab, target; there is no tab"),
    "a pair without a source": ("d.txt", line(PAIRS, 4, " \tVa !"), {"kind": "pairs"},
                                "line 4, column 1: there are no words"),
    "a pair without a target": ("d.tsv", line(PAIRS, 5, "Go!\t\tCC-BY"), {"kind": "pairs"},
                                "line 5, column 2: there are no words"),
    "a sentence of 100,001 characters": ("d.tsv", line(PAIRS, 5, "x" * 100_001 + "\ty"), {
        "kind": "pairs"}, "line 5, column 1: 100,001 characters"),
    "nine sources": ("d.tsv", "\n".join(PAIRS[:9] * 3), {}, "9 distinct source sentences are too"),
    "pairs of nothing": ("d.tsv", "\n \n", {"kind": "pairs"}, "holds no pairs of sentences"),
    "a date that comes twice": ("d.csv", line(SERIES, 6, SERIES[4]), {"kind": "series"},
                                "line 6, column 1 (date): '2020-02-02' is not later than the row"),
    "a date that is none": ("d.csv", line(SERIES, 6, "2020-02-30,4"), {"kind": "series"},
                            "line 6, column 1 (date): '2020-02-30' is no time: expected"),
    "a word in a series": ("d.csv", line(SERIES, 8, "2020-02-05,six"), {"columns": "v"},
                           "line 8, column 2 (v): 'six' is no number"),
    "a word among numbers": ("d.csv", line(SERIES, 8, "2020-02-05,six"), {"kind": "series"},
                             "line 8, column 2 (v): 'six' is no number, but nearly all others"),
    "infinity in a series": ("d.csv", line(SERIES, 8, "2020-02-05,inf"), {},
                             "line 8, column 2 (v): 'inf' is not finite"),
    "a series of one column of times": ("d.csv", "\n".join(s[:10].strip(",v") for s in SERIES), {
        "kind": "series"}, "no column holds numbers"),
    "a series of nine rows": ("d.csv", "\n".join(SERIES[:10]), {"kind": "series"}, "9 rows are"),
    "time as a quantity": ("d.csv", "\n".join(SERIES), {"columns": 1}, "says when, not what"),
    "a column twice": ("d.csv", "\n".join(SERIES), {"columns": (2, 2)}, "different columns"),
    "no such column": ("d.csv", "\n".join(SERIES), {"columns": 3}, "no column 3"),
    "no such time": ("d.csv", "\n".join(SERIES), {"time": "when"}, "no column 'when'"),
    "unknown of words": ("d.csv", "\n".join(SERIES), {"unknown": "x"}, "unknown must be a number"),
    "a part without values": ("d.csv", table(20, lambda i: "" if i > 15 else i), {},
                              "d.csv: test has no known value of v"),
    "rolls, a pitch too low": ("d.json", rolls(valid=[[[60], [20]]]), {},
                               "valid 0, step 1: 20 is not a pitch from 21 to 108"),
    "rolls, a word": ("d.json", rolls(train=[[[60], ["C4"]]]), {}, "train 0, step 1: 'C4' is not"),
    "rolls, a number": ("d.json", rolls(test=[[[60]], 60]), {}, "test 1: expected a list of steps"),
    "rolls, another part": ("d.json", rolls(extra=[]), {}, "not an object of train, valid, test"),
    "rolls, no training": ("d.json", rolls(train=[]), SEQUENCES, "train is no list of pieces"),
    "rolls cut off": ("d.json", rolls()[:-9], {}, "not an object of train, valid, test"),
    "rolls of a deep list": ("d.json", "[" * 100_000, SEQUENCES, "not an object of"),
    "rolls, a list of few": ("d.json", "[[[60]]]", {}, "1 piece is too few to split"),
    "another JSON": ("d.json", '{"a": 1}', {}, "is none of what is read here: piano rolls"),
    "lengths too long": ("d.npz", npz(x=X, lengths=L + 1), {}, "lengths add up to 30; x has 20"),
    "lengths too short": ("d.npz", npz(x=X, lengths=L[1:]), {}, "the lengths add up to 18; x has"),
    "a length of 0": ("d.npz", npz(x=X, lengths=L * (Y + 1) - L), {}, "length of sequence 0 is 0"),
    "lengths of fractions": ("d.npz", npz(x=X, lengths=L * 1.0), {}, "lengths must be whole"),
    "lengths of 2^62": ("d.npz", npz(x=X, lengths=L << 61), {}, "the length of sequence 0 is"),
    "sequences of texts": ("d.npz", npz(x=np.array(["a"] * 20), lengths=L), {}, "x must be"),
    "sequences of three axes": ("d.npz", npz(x=X[None], lengths=L), {}, "x must be numbers [T] or"),
    "labels that do not fit": ("d.npz", npz(x=X, lengths=L, y=Y[1:]), {},
                               "labels must be numbers for 10 sequences or 20 steps"),
    "negative classes": ("d.npz", npz(x=X, lengths=L, y=Y - 1), {}, "labels must be 0 … 999"),
    "NaN in a sequence": ("d.npz", npz(x=np.where(X == 7, np.nan, X), lengths=L), {}, "has nan at"),
    "sequences of other widths": ("d.npz", npz(**{f"x_{i}": X[:, : i % 2 + 1] for i in range(12)}),
                                  {}, "x_1 has the shape (20, 2), x_0 (20, 1)"),
    "no sequences": ("d.npz", npz(a=X), SEQUENCES, "expected x and lengths, or x_0"),
}  # fmt: skip
GOOD = riff(np.arange(100, dtype="<i2"))


def patched(at, form, value):
    """A recording with one number of its header replaced."""
    raw = bytearray(GOOD)
    struct.pack_into(form, raw, at, value)
    return bytes(raw)


RECORDINGS = {  # the content of one of ten files, what the message must say
    "no WAV": (b"ID3 and more", "bad.wav is no WAV file"),
    "empty": (b"", "bad.wav is no WAV file"),
    "cut off": (GOOD[:-3], "the WAV file is cut off: the chunk b'data' at byte 36 needs 200 bytes"),
    "that claims gigabytes": (patched(40, "<I", 2**32 - 1), "needs 4,294,967,295 bytes, 200 are"),
    "without a format": (GOOD[:12] + GOOD[36:], "has no chunk 'fmt'"),
    "without data": (GOOD[:36], "has no chunk 'data'"),
    "a short format": (GOOD[:16] + struct.pack("<I", 8) + GOOD[20:28] + GOOD[36:], "has 8 bytes"),
    "µ-law": (patched(20, "<H", 7), "samples of µ-law, 16 bits"),
    "MP3": (patched(20, "<H", 85), "samples of MP3"),
    "12 bits": (patched(34, "<H", 12), "samples of PCM, 12 bits"),
    "no channel": (patched(22, "<H", 0), "0 channels; 1 … 64 are read"),
    "a rate of 0": (patched(24, "<I", 0), "0 samples a second"),
    "another block": (patched(32, "<H", 4), "a block of 4 bytes is not 1 channels of 16 bits"),
    "half a sample": (riff(np.arange(3, dtype=np.uint8)), "3 bytes of samples are no"),
    "no samples": (riff(np.empty((0, 1), "<i2")), "bad.wav holds no samples"),
    "NaN": (riff(np.array([0, np.nan], "<f4"), code=3, bits=32), "sample 1 is nan"),
    "beyond float32": (riff(np.array([1e300]), code=3, bits=64), "sample 0 is inf"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_bad_files(case, tmp_path):
    name, content, options, message = FILES[case]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    started = time.process_time()
    refuse(tmp_path / name, options, message)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("case", RECORDINGS)
def test_bad_recordings(case, tmp_path):
    content, message = RECORDINGS[case]
    for i in range(10):
        (tmp_path / f"{i}.wav").write_bytes(GOOD)
    (tmp_path / "bad.wav").write_bytes(content)
    refuse(tmp_path, {}, message)


FOLDERS = {  # {file: content}, options, message
    "few recordings": ({f"{i}.wav": GOOD for i in range(9)}, {}, "9 recordings are too few"),
    "an absurd rate": ({f"{i}.wav": GOOD for i in range(9)}, {"rate": 5}, "rate must be 100 …"),
    "a rate that takes gigabytes": (
        {f"{i}.wav": riff(np.zeros(90_000, "<i2"), 101) for i in range(2)}, {"rate": 1_000_000},
        "at 1,000,000 samples a second all take more than 2 GiB",
    ),
    "normalise of words": ({f"{i}.wav": GOOD for i in range(9)}, {"normalise": "x"}, "yes or no"),
    "no recordings to train on": ({f"test/a/{i}.wav": GOOD for i in range(9)}, {}, "no folder"),
    "an empty text": (
        {f"{'ab'[i % 2]}/{i}.txt": b"what" if i else b" " for i in range(12)}, {},
        "a/0.txt: there are no words",
    ),
    "a text in latin-1": (
        {f"{'ab'[i % 2]}/{i}.txt": b"what" if i else b"\xe9" for i in range(12)}, {},
        "a/0.txt: not utf-8",
    ),
    "texts right in the folder": (
        {f"{i}.txt": b"what" for i in range(12)}, TEXT, "in sub-folders, one a class",
    ),
    "two files of a class": (
        {"a.neg": b"x", "b.neg": b"x", "a.pos": b"x"}, {}, "expected one file *.neg; there are 2",
    ),
    "an empty line of a class": (
        {"a.neg": b"x\n\nx", "a.pos": b"x"}, {}, "a.neg, line 2: there are no words",
    ),
    "no texts to train on": ({f"test/a/{i}.txt": b"x" for i in range(9)}, {}, "no folder train"),
}  # fmt: skip


@pytest.mark.parametrize("case", FOLDERS)
def test_bad_folders(case, tmp_path):
    files, options, message = FOLDERS[case]
    for name, content in files.items():
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(content)
    refuse(tmp_path / "d", options, message)


def test_what_is_no_regular_file_in_a_folder(tmp_path):
    import os

    for folder, ending, content in (("w", "wav", GOOD), ("t/a", "txt", b"what")):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(10):
            (tmp_path / folder / f"{i}.{ending}").write_bytes(content)
        os.mkfifo(tmp_path / folder / f"pipe.{ending}")
    refuse(tmp_path / "w", {}, "it is a named pipe, not a regular file")
    refuse(tmp_path / "t", {}, "it is a named pipe, not a regular file")


@pytest.mark.parametrize(
    "name, content, kind, message",
    [
        ("d.txt", "__label__a " * 400_000, "sentences", "line 1: there are no words"),
        ("d.txt", "__label__" * 400_000, "sentences", "line 1: there are no words"),
        ("d.tsv", "a\t" * 2_000_000, "series", "2,000,001 cells; at most 100,000 are read"),
        ("d.csv", ",".join(f"n{i}" for i in range(90_000)), "sentences", "no column holds texts"),
        ("d.txt", " " * 4_000_000 + "\tx", "pairs", "line 1, column 1: there are no words"),
        ("d.json", "[[[" + "1," * 2_000_000, "sequences", "not an object of train"),
        ("d.json", "[[[" + "],[" * 1_100_000 + "]]]", "sequences", "more than 1,048,576 steps"),
        ("d.csv", "2020-01-01,1\n" * 100_000, "series", "line 2, column 1"),
    ],
    ids=["labels", "one label", "columns", "names", "spaces", "numbers", "steps", "days"],
)
def test_what_would_take_long_is_refused_soon(name, content, kind, message, tmp_path):
    (tmp_path / name).write_text(content)
    started = time.process_time()
    refuse(tmp_path / name, {"kind": kind}, message)
    assert time.process_time() - started < 6


@pytest.mark.parametrize("ending", ["gz", "bz2"])
def test_a_bomb_is_refused(ending, tmp_path):
    """Zeros of which a kilobyte unpacks to 65 MB: neither the guess nor the reader takes them."""
    pack = {"gz": gzip.compress, "bz2": bz2.compress}[ending]
    (tmp_path / f"d.tsv.{ending}").write_bytes(pack(bytes(65 << 20)))
    for kind in (None, "pairs"):
        refuse(tmp_path / f"d.tsv.{ending}", {"kind": kind}, "unpack to more than 67,108,864")


@pytest.mark.parametrize(
    "name, content",
    [
        ("d.csv", "\n".join(REVIEWS)), ("d.train", "\n".join(FASTTEXT)),
        ("d.tsv", "\n".join(PAIRS)), ("d.label", "\n".join(QUESTIONS)),
        ("d.tsv.bz2", packed(IMDB)), ("s.csv", "\n".join(SERIES)),
        ("d.json", rolls()), ("d.npz", npz(x=X, lengths=L, y=Y)),
    ],
)  # fmt: skip
def test_the_good_ones_are_good(name, content, tmp_path):
    """What the bad ones differ from: a typing error here would let them pass for another reason."""
    from glassgrad.core import data

    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert len(data.read(tmp_path / name).train) >= 3
