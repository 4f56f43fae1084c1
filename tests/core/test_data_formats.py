"""Parsers against data written here by hand: IDX, npz, GML, vocabularies; damage is named."""

import gzip
import struct

import numpy as np
import pytest

from glassgrad.core.data import DataError, Graph, Vocabulary, gml, idx, text, tokenise
from glassgrad.core.data.graph import undirected
from glassgrad.core.data.own.sequences.piano_rolls import roll
from glassgrad.core.data.read import load_npz, read_path, stream_lines

LETTERS = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}


def packed(kind=0x08, shape=(2, 3), values=None):
    n = int(np.prod(shape))
    values = list(range(n)) if values is None else values
    head = struct.pack(f">HBB{len(shape)}i", 0, kind, len(shape), *shape)
    return head + struct.pack(f">{len(values)}{LETTERS[kind]}", *values)


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("shape", [(), (6,), (2, 3), (3, 1, 2), (0, 28, 28)])
def test_idx_values(kind, shape):
    got = idx.parse(packed(kind, shape))
    expected = np.arange(int(np.prod(shape))).reshape(shape)
    assert got.shape == shape and (got == expected).all()
    assert got.dtype.isnative and got.flags.writeable
    assert got.dtype == np.dtype({"B": "u1", "b": "i1"}.get(LETTERS[kind], LETTERS[kind]))


def test_idx_signs_and_gzip(tmp_path):
    raw = packed(0x0B, (3,), [-1, 256, -32768])
    assert idx.parse(raw).tolist() == [-1, 256, -32768]
    assert idx.parse(gzip.compress(raw, mtime=0)).tolist() == [-1, 256, -32768]
    (tmp_path / "a.gz").write_bytes(gzip.compress(raw, mtime=0))
    (tmp_path / "a").write_bytes(raw)
    assert idx.read(tmp_path / "a.gz").tolist() == idx.read(tmp_path / "a").tolist()


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"", "at least 4 bytes; got 0"),
        (b"\0\0\x08", "at least 4 bytes; got 3"),
        (b"\0\1\x08\1\0\0\0\0", "not an IDX file; the first bytes are 00 01 08 01"),
        (b"\0\0\x0a\1\0\0\0\0", "not an IDX file"),
        (b"PK\3\4....", "not an IDX file"),
        (packed()[:9], "header is cut off: expected 12 bytes, got 9"),
        (packed()[:-1], r"truncated: shape \(2, 3\) of uint8 needs 6 bytes .* got 5"),
        (packed() + b"x", "too long: .* needs 6 bytes .* got 7"),
        (packed(0x0E)[:-8], "truncated: .* float64 needs 48 bytes .* got 40"),
        (struct.pack(">HBB2i", 0, 8, 2, -1, 5), r"a size is negative: \(-1, 5\)"),
        (struct.pack(">HBB3i", 0, 8, 3, *[2**31 - 1] * 3), "truncated"),
        (gzip.compress(packed(), mtime=0)[:-10], "the gzip data is damaged"),
        (gzip.compress(packed(), mtime=0)[:12] + b"\xff" * 20, "the gzip data is damaged"),
    ],
)
def test_idx_faults(raw, message):
    with pytest.raises(DataError, match=f"^my file: .*{message}"):
        idx.parse(raw, "my file")


def test_idx_wrong_number_of_axes(tmp_path):
    (tmp_path / "labels").write_bytes(packed())
    with pytest.raises(DataError, match=r"labels: expected 1 axes, got 2"):
        idx.read(tmp_path / "labels", axes=1)
    with pytest.raises(DataError, match=r"absent cannot be read: No such file"):
        idx.read(tmp_path / "absent")


def test_npz_faults(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.arange(1000), y=np.ones(3))
    assert load_npz(path, "x")["x"][999] == 999
    assert set(load_npz(path)) == {"x", "y"}
    with pytest.raises(DataError, match=r"a.npz: no array 'z'; there are \['x', 'y'\]"):
        load_npz(path, "x", "z")
    whole = path.read_bytes()
    for bad in (b"", whole[:30], whole[:-30], b"text", whole[:60] + b"\0" * 40 + whole[100:]):
        path.write_bytes(bad)
        with pytest.raises(DataError, match=r"a\.npz: not a valid \.npz file"):
            load_npz(path, "x", "y")
    np.savez(path, x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match=r"a\.npz: x\.npy holds Python objects, which are pickled"):
        load_npz(path, "x")
    with path.open("wb") as f:
        np.save(f, np.arange(3))
    with pytest.raises(DataError, match=r"a bare \.npy array"):
        load_npz(path, "x")


GML = """Creator "somebody"  # a comment with [ brackets ]
graph [ directed 0
  node [ id 7 label "A b" graphics [ x 1.5 y -2e1 ] ] node [ id 3 ]
  node [ id 5 name "C" ]
  edge [ source 5 target 7 value 2.5 ]
  edge [ source 7 target 3 ]
]"""


def test_gml():
    g = gml.graph(GML)
    assert g.nodes == 3 and g.node_names == ("A b", "3", "C")
    assert g.edges.tolist() == [[0, 1], [0, 2]] and g.weights.tolist() == [1.0, 2.5]
    node = dict(gml.parse(GML)[1][1])["node"]
    assert node == [("id", 5), ("name", "C")]
    deep = "a [ " * 100 + "b 1 " + "]" * 100
    assert len(gml.parse(deep)) == 1


@pytest.mark.parametrize(
    "old, new, message",
    [
        (" ]\n]", " ]", r"line 6, column \d+: 1 bracket\(s\) are not closed"),
        ("target 3 ]\n]", "target", r"line 6, column \d+: the key 'target' has no value"),
        ("]\n]", "]\n]]", r"line 7, column \d+: a bracket is closed that was not opened"),
        ("id 3 ", "id ", r"line 3, column \d+: the key 'id' has no value"),
        ("id 3", "3", r"line 3, column \d+: the value '3' has no key"),
        ("id 3", "id 3x", r"line 3, column \d+: cannot read '3x"),
        ('"C"', '"C', r"line 4, column \d+: cannot read '\"C"),
        ("source 7", "weight [ ] source x", "the key 'source' has no value"),
        ("id 3", "id 7", "every node needs its own id"),
        ("id 3", "", "every node needs its own id"),
        ("target 3", "target 4", "an edge has the target 4, which is not a node"),
        ("target 3", "", "an edge has the target None, which is not a node"),
        ("value 2.5", 'value "much"', "which is not a number"),
        ("target 3", "target 7", r"u < v \(no loops\)"),
        ("target 3", "target 5", "an edge is listed twice"),
        ("directed 0", "directed 1", "the graph is directed"),
        ("graph [", "picture [", "expected one graph, got 0"),
        ("node [ id 3 ]", "node 3", "node must be a list in brackets"),
    ],
)
def test_gml_faults(old, new, message):
    assert old in GML
    with pytest.raises(DataError, match=message):
        gml.graph(GML.replace(old, new, 1))


def small(**options):
    return Graph("g", 4, np.array([[0, 1], [0, 2], [1, 2]]), **options)


def test_graph_views_agree():
    data, indices, indptr = np.array([2.0, 3.0]), np.array([1, 0]), np.array([0, 1, 1, 2, 2])
    pairs = np.array([[0, 1], [0, 0], [3, 1]])
    g = small(features=(data, indices, indptr, (4, 2)), label_pairs=pairs)
    dense = [[0, 2], [0, 0], [3, 0], [0, 0]]
    assert g.dense_features().tolist() == dense == g.sparse_features().toarray().tolist()
    a = g.adjacency().toarray()
    assert (a == a.T).all() and a.sum(axis=0).tolist() == g.degree().tolist() == [2, 2, 2, 0]
    assert [n.tolist() for n in g.neighbours()] == [[1, 2], [0, 2], [0, 1], []]
    assert g.label_matrix().tolist() == [[1, 1], [0, 0], [0, 0], [0, 1]]
    assert undirected(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"labels": np.zeros(3)}, "labels must have length 4; got 3"),
        ({"weights": np.array([1, np.nan, 1])}, "a weight is not finite"),
        ({"train": np.array([4])}, r"train must lie in 0 \.\. 3"),
        ({"features": (np.ones(1), np.zeros(1, int), np.zeros(4, int), (3, 1))}, "3 rows, not 4"),
        ({"features": (np.ones(1), np.zeros(1, int), np.zeros(5, int), (4, 1))}, "CSR pointer"),
        ({"features": (np.ones(1), np.ones(1, int), np.array([0, 1, 1, 1, 1]), (4, 1))}, "indices"),
    ],
)
def test_graph_faults(options, message):
    with pytest.raises(DataError, match=message):
        small(**options)


def test_graph_bad_edges():
    for edges, message in (([[0, 4]], "0 .. 3"), ([[1, 0]], "u < v"), ([0, 1], "E, 2")):
        with pytest.raises(DataError, match=message):
            Graph("g", 4, np.array(edges))
    with pytest.raises(DataError, match="no features"):
        small().dense_features()


def test_vocabulary():
    counts = {}
    v = Vocabulary.build([["b", "a", "b"], ["c", "a", "d"]], min_count=2, counts=counts)
    assert v.words == ("<pad>", "<unk>", "a", "b") and counts == {"a": 2, "b": 2}
    assert v.encode(["a", "zebra"]).tolist() == [2, 1] and v.encode([]).dtype == np.int64
    assert "a" in v and "zebra" not in v and len(v) == 4
    with pytest.raises(DataError, match="no word has number 4"):
        v.decode([4])
    with pytest.raises(DataError, match="no word has number -1"):
        v.decode([-1])
    with pytest.raises(DataError, match="not known"):
        Vocabulary(("a",)).encode("ab")
    with pytest.raises(DataError, match="'a' occurs twice"):
        Vocabulary(("a", "b", "a"))


def test_tokenise():
    assert tokenise("") == []
    words = ["it's", "'", "1,000.5", "#", "(", "ap", ")", "yes"]
    assert tokenise("It's #39;1,000.5# (AP)\\yes") == words


def test_corpus(tmp_path):
    path, titles = tmp_path / "a.txt.gz", tmp_path / "t.tsv.gz"
    path.write_bytes(gzip.compress(b"a b c d e\nb b\n", mtime=0))
    titles.write_bytes(gzip.compress("12\tÅland\n25\tB\n".encode(), mtime=0))
    corpus = text.Corpus("c", path, titles)
    assert list(corpus.pieces(2)) == [["a", "b"], ["c", "d"], ["e"], ["b", "b"]]
    assert list(corpus.pieces(9, limit=1)) == [list("abcde")]
    assert corpus.titles() == [(12, "Åland"), (25, "B")]
    assert corpus.vocabulary(min_count=2).words == ("b",)
    with pytest.raises(DataError, match="at least one word"):
        next(corpus.pieces(0))
    titles.write_bytes(gzip.compress(b"no tab\n", mtime=0))
    with pytest.raises(DataError, match="line 1: expected page, tab, title"):
        corpus.titles()
    for bad in (path.read_bytes()[:-12], b"plain", gzip.compress(b"\xff\n", mtime=0)):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="the text is damaged"):
            list(corpus.lines())
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        list(stream_lines(path))
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8bbroken")
    with pytest.raises(DataError, match="gzip data is damaged"):
        read_path(tmp_path / "b.gz")


@pytest.mark.parametrize("pitch", [20, 109, "60", 60.0, True, None])
def test_roll_refuses_what_is_no_key(pitch):
    assert roll([[21, 108]]).sum() == 2
    with pytest.raises(DataError, match=r"step 1: .* is not a pitch from 21 to 108"):
        roll([[60], [pitch]], "piece")
