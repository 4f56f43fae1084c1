"""word2vec's files: there and back, by other programs, and damaged ones, each one clear line."""

import gzip

import numpy as np
import pytest

from glassgrad.core.data import DataError, Vocabulary
from glassgrad.models.embeddings import vector_files

WORDS = Vocabulary(("the", "été", "x"))
X = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("said", [True, False])
def test_there_and_back(tmp_path, binary, said):
    path = tmp_path / "v.bin"
    vector_files.save(path, WORDS, X, binary)
    words, x = vector_files.load(path, binary if said else None)
    assert words == WORDS and x.dtype == np.float32 and np.array_equal(x, X)


def test_the_bytes_are_those_of_the_program(tmp_path):
    vector_files.save(tmp_path / "a", Vocabulary(("a", "b")), np.array([[1.0, -0.5], [2, 0]]))
    assert (tmp_path / "a").read_bytes() == b"2 2\na 1.0 -0.5\nb 2.0 0.0\n"
    vector_files.save(tmp_path / "b", Vocabulary(("a",)), np.array([[1.0, -0.5]]), binary=True)
    assert (tmp_path / "b").read_bytes() == b"1 2\na \x00\x00\x80\x3f\x00\x00\x00\xbf\n"


def test_gensims_binary_has_no_line_feeds_and_a_gz_is_unpacked(tmp_path):
    rows = b"".join(w.encode() + b" " + x.tobytes() for w, x in zip(WORDS.words, X))
    (tmp_path / "v").write_bytes(b"3 4\n" + rows)
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"3 4\n" + rows))
    for name in ("v", "v.gz"):
        words, x = vector_files.load(tmp_path / name)
        assert words == WORDS and np.array_equal(x, X)


def test_numbers_that_look_like_line_feeds_and_spaces_are_numbers(tmp_path):
    x = np.frombuffer(b"\n\n  " * 6, "<f4").reshape(3, 2)
    vector_files.save(tmp_path / "v", WORDS, x, binary=True)
    assert np.array_equal(vector_files.load(tmp_path / "v", binary=True)[1], x)


def row(x=X[0]):
    return b"a " + x.tobytes()


DAMAGED = {
    b"": "first line of two numbers",
    b"word 1 2\n": "first line of two numbers",
    b"2\na 1\n": "first line of two numbers",
    b"0 3\n": "0 vectors of 3 numbers",
    b"999999999 999999\na 1\n": "999999999 vectors of 999999 numbers cannot be in a file of 21",
    b"2 2\na 1 2\n": "expected 2 vectors, got 1 lines",
    b"1 2\na 1 2\nb 1 2\n": "expected 1 vectors, got 2 lines",
    b"2 2\na 1 2\nb 1\n": "line 3: expected a word and 2 numbers, got 1",
    b"2 2\na 1 2\nb 1 2 3\n": "line 3: expected a word and 2 numbers, got 3",
    b"2 2\na 1 2\nb 1 two\n": "line 3: a number is not one",
    b"2 2\na 1 2\nb 1 nan\n": "the vector of 'b' is not finite",
    b"2 2\na 1 2\nb 1 1e99\n": "the vector of 'b' is not finite",
    b"2 2\na 1 2\na 3 4\n": "the word 'a' occurs twice",
    b"1 2\n\xff 1 2\n": "word 1 is not UTF-8",
    b"2 4\n" + row() + row()[:-3]: "cut off in vector 2 of 2",
    b"2 4\n" + row() + b"\nb": "cut off in vector 2 of 2",
    b"1 4\n" + row() + b"\nmore": "5 bytes after the last of 1 vectors",
    b"1 4\n" + row(np.array([1, 2, np.inf, 3], "<f4")): "the vector of 'a' is not finite",
}


@pytest.mark.parametrize("raw", DAMAGED, ids=DAMAGED.values())
@pytest.mark.filterwarnings("error")
def test_a_damaged_file_is_one_clear_line(tmp_path, raw):
    path = tmp_path / "v"
    path.write_bytes(raw)
    with pytest.raises(DataError) as error:
        vector_files.load(path)
    said = str(error.value)
    assert said.startswith(str(path)) and DAMAGED[raw] in said and "\n" not in said


def test_every_cut_of_a_file_is_an_error(tmp_path):
    path = tmp_path / "v"
    for binary in (False, True):
        vector_files.save(path, WORDS, X, binary)
        raw = path.read_bytes()
        for length in range(len(raw) - 1 - (not binary)):  # a text may end without its line feed
            path.write_bytes(raw[:length])
            try:
                words, _ = vector_files.load(path)
            except DataError:
                continue
            assert not binary and words == WORDS and length > raw.rfind(b" ")  # in the last number


def test_what_cannot_be_written(tmp_path):
    for words, x, said in (
        (WORDS, X[:2], r"expected vectors \[3, D\]"),
        (Vocabulary(("a b",)), X[:1], "cannot hold the word 'a b'"),
        (Vocabulary(("",)), X[:1], "cannot hold the word ''"),
        (Vocabulary(("a",)), np.array([[np.nan]]), "not finite"),
    ):
        with pytest.raises(DataError, match=said):
            vector_files.save(tmp_path / "v", words, x)
    assert not list(tmp_path.iterdir())
