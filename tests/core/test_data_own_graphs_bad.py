"""Bad files of graphs and of the catalogue's formats: one line with file, row and column each."""

import gzip
import io
import random
import time

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError
from glassgrad.core.training.checkpoint import save_arrays
from tests.core.test_data_fuzz import bounded, damaged, needs_proc  # noqa: F401
from tests.core.test_data_own_formats import counts, drawn, idx
from tests.core.test_data_own_graphs import GML, RING, molecules, planetoid

EDGES = {  # content of d.edges, options, what the message must say
    "empty": ("", {}, "d.edges has no edges"),
    "only comments": ("# a b\n% c d\n", {}, "has no edges"),
    "one cell": ("a b\n# c\nc\n", {}, "line 3: 1 cell; expected u v or u v weight"),
    "four cells": ("a b 1 2\n", {}, "line 1: 4 cells; expected u v or u v weight"),
    "a weight in some lines": ("a b 1\nb c\n", {}, "line 2: 2 cells; line 1 has 3"),
    "a weight that is none": ("a b 1\nb c x\n", {}, "line 2, column 3: 'x' is no weight"),
    "a weight that is not finite": ("a b nan\n", {}, "line 1, column 3: the weight 'nan' is not"),
    "a weight beyond float32": ("a b 1e39\n", {}, "line 1, column 3: the weight '1e39' is not"),
    "no name": ("a,b\na,\n", {}, "line 2, column 2: the name of a node is missing"),
    "a NUL": ("a b\nc\0 d\n", {}, "line 2: a NUL character"),
    "latin-1": ("é b\n".encode("latin-1"), {}, "not utf-8"),
    "unknown attributes": ("a b {'x': 1}\n", {}, "line 1, column 3: \"{'x': 1}\" is no weight"),
    "a billion nodes": ("0 1\n", {"nodes": 10**9}, "1,000,000,000 nodes; at most 10,000,000"),
    "nodes that are not there": (
        "0 1\n1 999999999999\n", {"nodes": 3}, "line 2, column 2: the node '999999999999' is not",
    ),
    "a node with a zero before it": ("0 01\n", {"nodes": 3}, "column 2: the node '01' is not in"),
    "no number of nodes": ("0 1\n", {"nodes": "many"}, "nodes must be a whole number from 1"),
    "no file of labels": (RING, {"labels": "nowhere.txt"}, "there is no file 'nowhere.txt'"),
    "train without labels": (RING, {"train": "n0"}, "train needs labels"),
    "seed": (RING, {"seed": -1}, "seed must be from 0"),
    "unknown option": (RING, {"label": "x"}, "no option 'label'; did you mean 'labels'?"),
    "a tangled gzip": (gzip.compress(RING.encode())[:-7], {}, "damaged"),
}  # fmt: skip
LABELS = {  # content of d.labels, options, message
    "three cells": ("n0 1\nn1 2 3\n", {}, "d.labels, line 2: 3 cells; expected a node and a label"),
    "no label": ("n0,1\nn1,\n", {}, "d.labels, line 2: 2 cells; expected a node and a label"),
    "empty": ("# nothing\n", {}, "d.labels has no labels"),
    "train is no node": ("n0 1\n", {"train": "n77"}, "train names 'n77', which is no node"),
    "train has no label": ("n0 1\n", {"train": "n1"}, "train names 'n1', which is no node with"),
    "train in groups": ("n0 1\nn0 2\n", {"train": "n0"}, "train needs one label a node"),
}
GMLS = {  # old and new text in GML, message
    "an unknown node": ("source 5", "source 6", "line 4: an edge has the source 6, which is not"),
    "a node twice": ("id 3", "id 7", "line 2: every node needs its own id, a whole number; got 7"),
    "a weight of text": ("value 2.5", 'value "x"', "line 4: an edge has the value 'x', which is"),
    "a weight beyond float32": ("value 2.5", "value 1e39", "line 4: the weight 1e+39 is not"),
    "cut off": ("] ]", "]", "line 5, column 56: 1 bracket(s) are not closed"),
    "a large number": ("id 5", "id 99999999999999999999", "line 3, column 13: the number 99999"),
}
PLANETOIDS = {  # arrays that replace, message
    "pointers out of range": ({"x_indptr": [0] * 30 + [10**9]}, "x_indptr, row 30: 1000000000 is"),
    "pointers that go back": ({"x_indptr": [0, 5] + [3] * 29}, "x_indptr, row 1: it ends before"),
    "pointers too few": ({"x_indptr": [0, 1]}, "x_indptr has 2 numbers, not 30 + 1"),
    "pointers that end early": ({"x_indptr": [0] * 31}, "x_indptr runs from 0 to 0, not from 0"),
    "a billion nodes": ({"x_shape": [10**9, 4]}, "1,000,000,000 nodes; at most 10,000,000"),
    "a billion features": ({"x_shape": [30, 10**9]}, "1,000,000,000 features; at most 10,000,000"),
    "a feature out of range": ({"x_shape": [30, 1]}, "is not in 0 … 0"),
    "a value that is not finite": ({"x_data": np.inf}, ", x, row 0: the value inf is not finite"),
    "an edge out of range": ({"edges": [[0, 1], [1, 30]]}, "edges, row 1, column 1: 30 is not in"),
    "edges of three": ({"edges": [[0, 1, 2]]}, "edges must be whole numbers [N, 2]"),
    "edges of floats": ({"edges": [[0, 1.5]]}, "edges must be whole numbers [N, 2]; got float64"),
    "labels too few": ({"labels": [0, 1]}, "labels must be whole numbers [30]"),
    "an absurd label": ({"labels": [0] * 29 + [10**6]}, "labels, row 29: 1000000 is not in"),
    "no labels": ({"labels": [-1] * 30}, "no node has a label"),
    "a split out of range": ({"train_idx": [30]}, "train_idx, row 0: 30 is not in 0 … 29"),
    "a node in two parts": (
        {"train_idx": [1, 2], "test_idx": [3, 2]}, "test_idx, row 1: the node 2 is in the split",
    ),
}  # fmt: skip
FOLDERS = {  # file, old and new text, message
    "a word": ("A", "1, 2\n", "1, two\n", "TOY_A.txt, line 1, column 2: 'two' is no whole number"),
    "an unknown node": ("A", "1, 2\n", "1, 51\n", "A.txt, line 1, column 2: there is no node 51"),
    "node 0": ("A", "2, 1\n", "0, 1\n", "A.txt, line 2, column 1: there is no node 0"),
    "an edge across": ("A", "1, 2\n", "1, 3\n", "A.txt, line 1: an edge between the graphs 1 and"),
    "three cells": ("A", "1, 2\n", "1, 2, 3\n", "A.txt, line 1: 3 numbers, not 2"),
    "a graph missing": ("graph_indicator", "2\n", "3\n", "line 3: graph 3 after graph 1"),
    "graphs from 0": ("graph_indicator", "1\n1\n", "0\n1\n", "line 1: the first graph must be 1"),
    "graphs out of order": ("graph_indicator", "4\n", "1\n", "after graph 3; they must ascend"),
    "a billion graphs": ("graph_indicator", "2\n", "1000000000\n", "graph 1000000000 after graph"),
    "a label missing": ("graph_labels", "1\n", "", "graph_labels.txt: 19 lines for 20 graphs"),
    "a label of text": ("node_labels", "5\n", "C\n", "node_labels.txt, line 1, column 1: 'C' is"),
    "an edge label missing": ("edge_labels", "0\n", "", "59 lines for 60 edges"),
    "attributes that differ": ("node_attributes", "", "1, 2\n" * 49 + "1\n", "line 50: 1 numbers;"),
    "an attribute of text": (
        "node_attributes",
        "",
        "1\n" * 49 + "x\n",
        "line 50, column 1: 'x' is",
    ),
    "an infinite attribute": (
        "node_attributes",
        "",
        "1\n" * 49 + "inf",
        "column 1: 'inf' is no fi",
    ),
    "a NUL": ("A", "1, 2\n", "1, \0\n", "A.txt, line 1, column 2: '\\x00' is no whole number"),
}
N = np.arange(12)
CSR = counts()[1]
DRAWN = drawn()[1]
RUNS = {"train_bits": np.zeros((2, 3, 1379), np.uint8), "test_bits": np.zeros((2, 3, 1379), "u1")}
PICTURES = {
    "train_images": np.zeros((12, 2, 2), np.uint8), "train_labels": N,
    "test_images": np.zeros((12, 2, 2), np.uint8), "test_labels": N,
}  # fmt: skip
ARCHIVES = {  # arrays, options, message
    "counts: a column out of range": (CSR | {"shape": np.array([2])}, {}, "column 2 is not in 0"),
    "counts: a number as pointers": (
        CSR | {"test_indptr": np.array(3)}, {}, "there are no rows in test_indptr",
    ),
    "counts: pointers out of range": (
        CSR | {"test_indptr": CSR["test_indptr"] * 1000}, {}, "test_indptr, row 1: 3000 is not in",
    ),
    "counts: half a word": (
        CSR | {"train_data": CSR["train_data"] * 0.5}, {}, "train_data, row 0, column 1: 0.5 is no",
    ),
    "counts: fewer than none": (
        CSR | {"train_data": -CSR["train_data"].astype(int)}, {}, "-1 is no count",
    ),
    "counts: a column twice": (
        CSR | {"train_indices": CSR["train_indices"] * 0}, {}, "row 0: the column 0 is there twice",
    ),
    "counts: too large": (
        CSR | {"shape": np.array([10**7 + 1])}, {}, "shape, row 0: 10000001 is not in 1 … 10000000",
    ),
    "counts: many columns": (
        {**CSR, "train_indptr": np.zeros(10**5, "i4"), "shape": np.array([10**7])}, {},
        "100,019 rows of 10,000,000 counts take 3726.0 GiB",
    ),
    "counts: labels in one part": (
        {k: a for k, a in CSR.items() if k != "test_labels"}, {}, "test_labels is missing",
    ),
    "counts: a class without a name": (
        CSR | {"label_names": np.array(["a"])}, {}, "1 label_names for labels up to 1",
    ),
    "counts: words": (CSR, {"words": 6}, "words must be from 1 to 5; got 6"),
    "games: lengths that do not add up": (
        {"moves": N, "lengths": N + 1}, {}, "the lengths add up to 78 moves; there are 12",
    ),
    "games: an impossible move": (
        {"moves": np.array([*range(77), 362]), "lengths": N + 1}, {},
        "game 11, move 11: 362 is not in 0 … 361",
    ),
    "games: a length below 1": ({"moves": N, "lengths": N}, {}, "lengths, row 0: 0 is not in"),
    "games: no winner": (
        {"moves": N, "lengths": N * 0 + 1, "winner": N}, {}, "winner, row 0: 0 is not in 1 … 2",
    ),
    "games: another part": (
        {"moves": N, "lengths": N * 0 + 1, "split": N}, {}, "split, row 3: 3 is not in 0 … 2",
    ),
    "games: few": ({"moves": N[:3], "lengths": N[:3] * 0 + 1}, {}, "3 games are too few to split"),
    "drawn: other bits": (
        DRAWN | {"image_bits": DRAWN["image_bits"][:, 1:]}, {}, "must be uint8 [N, 1379]",
    ),
    "drawn: a character missing": (
        DRAWN | {"character": DRAWN["character"] * 2}, {}, "no picture shows the character 1",
    ),
    "drawn: an unknown alphabet": (
        DRAWN | {"alphabet": DRAWN["alphabet"] * 2}, {}, "alphabet, row 10: 2 is not in 0 … 1",
    ),
    "drawn: shrink": (DRAWN, {"shrink": 4}, "shrink must divide 105"),
    "runs: an answer out of range": (
        RUNS | {"answer": np.full((2, 3), 3)}, {}, "answer, row 0, column 0: 3 is not in 0 … 2",
    ),
    "parts: a label without a name": (
        PICTURES | {"class_names": np.array(["a"] * 5)}, {}, "train_labels, row 5: 5 is not in",
    ),
    "parts: floats": (
        PICTURES | {"test_images": np.zeros((12, 2, 2))}, {}, "test_images must be uint8 [N, H, W]",
    ),
    "parts: labels too few": (PICTURES | {"test_labels": N[:3]}, {}, "must be whole numbers [12]"),
    "groups: a group out of range": (
        {"edges": [[0, 1]], "node_label_pairs": [[1, 5]], "n_nodes": 2, "n_labels": 2}, {},
        "node_label_pairs, row 0: the group 5 is not in 0 … 1",
    ),
    "groups: a billion nodes": (
        {"edges": [[0, 1]], "node_label_pairs": [[1, 5]], "n_nodes": 10**9, "n_labels": 2}, {},
        "1,000,000,000 nodes; at most",
    ),
    "a film of nine": ({"images": np.zeros((9, 28, 20), np.uint8)}, {}, "9 frames are too few"),
}  # fmt: skip
UCI = {  # content, options, message
    "a short row": ("1,2,a\n2,b\n", {}, "line 2: 2 cells; line 1 has 3"),
    "a short row between blanks": ("1 2 a\n\n2  b\n", {}, "line 3: 2 cells; line 1 has 3"),
    "a word among numbers": ("1,2,a\n" * 11 + "x,2,b\n", {}, "line 12, column 1 (column 1): 'x'"),
    "nine rows": ("1,2,a\n" * 9, {}, "9 rows are too few to split"),
    "an encoding": ("1,2,a\n" * 12, {"encoding": "one"}, "encoding must be one of"),
    "a label that is not there": ("1,2,a\n" * 12, {"label": 4}, "no column 4"),
    "an open quotation mark": ("1 a\n" * 12 + '2 "b\n', {}, "line 13: unexpected end of data"),
    "nothing": ("\n\n", {}, "has no rows"),
}  # fmt: skip


def refuse(path, options, message):
    started = time.process_time()
    with pytest.raises(DataError) as caught:
        data.read(path, **options)
    assert time.process_time() - started < 1
    text = str(caught.value)
    assert message in text, text
    assert str(path.parent) in text or "seed" in message, text
    assert "\n" not in text and len(text) < 400 + len(str(path)), text


@pytest.mark.parametrize("case", EDGES)
def test_bad_edge_lists(case, tmp_path):
    content, options, message = EDGES[case]
    path = tmp_path / ("d.edges.gz" if "gzip" in case else "d.edges")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refuse(path, options, message)


@pytest.mark.parametrize("case", LABELS)
def test_bad_labels(case, tmp_path):
    content, options, message = LABELS[case]
    (tmp_path / "d.edges").write_text(RING)
    (tmp_path / "d.labels").write_text(content)
    refuse(tmp_path / "d.edges", options, message)


def test_two_files_of_labels(tmp_path):
    (tmp_path / "d.edges").write_text(RING)
    for name in ("d.labels", "d_labels.txt"):
        (tmp_path / name).write_text("n0 1\n")
    refuse(tmp_path / "d.edges", {}, "which file has the labels? give labels=FILE: d.labels, d_lab")


@pytest.mark.parametrize("case", GMLS)
def test_bad_gml(case, tmp_path):
    old, new, message = GMLS[case]
    assert old in GML
    (tmp_path / "d.gml").write_text(new.join(GML.rsplit(old, 1)))
    refuse(tmp_path / "d.gml", {}, message)


@pytest.mark.parametrize("case", PLANETOIDS)
def test_bad_graphs_with_features(case, tmp_path):
    changed, message = PLANETOIDS[case]
    arrays = planetoid()
    for key, value in changed.items():
        arrays[key] = np.full_like(arrays[key], value) if key == "x_data" else np.array(value)
    np.savez(tmp_path / "d.npz", **arrays)
    refuse(tmp_path / "d.npz", {}, message)


@pytest.mark.parametrize("case", FOLDERS)
def test_bad_folders_of_molecules(case, tmp_path):
    part, old, new, message = FOLDERS[case]
    molecules(tmp_path / "d")
    file = tmp_path / "d" / f"TOY_{part}.txt"
    text = file.read_text() if file.exists() else ""
    assert old in text
    file.write_text(text.replace(old, new, 1))
    refuse(tmp_path / "d", {}, message)


def test_other_bad_folders(tmp_path):
    molecules(tmp_path / "few", n=9)
    refuse(tmp_path / "few", {}, "9 graphs are too few to split")
    molecules(tmp_path / "two")
    molecules(tmp_path / "two", prefix="OTHER")
    refuse(tmp_path / "two", {}, "expected the files of one set, P_A.txt and others; P is OTHER,")
    molecules(tmp_path / "d")
    refuse(tmp_path / "d", {"fold": 10}, "fold must be from 0 to 9; got 10")
    (tmp_path / "mnist").mkdir()
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        a = np.zeros((5, 2, 2) if "images" in part else (4,))
        (tmp_path / "mnist" / f"{part}-ubyte").write_bytes(idx(a))
    refuse(tmp_path / "mnist", {}, "train-labels-idx1-ubyte: 4 labels for 5 images")


@pytest.mark.parametrize("case", ARCHIVES)
def test_bad_archives(case, tmp_path):
    arrays, options, message = ARCHIVES[case]
    np.savez_compressed(tmp_path / "d.npz", **arrays)
    refuse(tmp_path / "d.npz", options, message)


@pytest.mark.parametrize("case", UCI)
def test_bad_tables_of_uci(case, tmp_path):
    content, options, message = UCI[case]
    (tmp_path / "d.data").write_text(content)
    refuse(tmp_path / "d.data", options, message)


def test_bad_weights(tmp_path):
    path = tmp_path / "w.safetensors"
    save_arrays(path, {"a.weight": np.array([[0, np.nan]], np.float32)})
    refuse(path, {}, "w.safetensors, a.weight, (0, 1): nan is not finite")
    save_arrays(path, {"a": np.ones(3)})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    refuse(path, {}, "w.safetensors")
    path.write_bytes(whole)
    (tmp_path / "a_classes.txt").write_text("cat\n\ndog\n")
    refuse(path, {}, "a_classes.txt: line 2 is empty")


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


SOUND = {  # name of the file -> its content
    "d.edges": RING.encode(),
    "d.gml": GML.encode(),
    "d.data": b"5.1,3.5,a\n4.9,3.0,b\n" * 6,
    "planetoid.npz": npz(**planetoid()),
    "counts.npz": npz(**CSR),
    "games.npz": npz(moves=N, lengths=N * 0 + 1, winner=N % 2 + 1),
    "d/TOY_A.txt": None,
}


@needs_proc
@pytest.mark.parametrize("name", SOUND)
def test_damaged_files_are_our_error_or_data(tmp_path, bounded, name):  # noqa: F811
    """A hundred seeded damages of each: nothing else is raised, and none takes a second."""
    molecules(tmp_path / "d")
    path = tmp_path / name
    sound = SOUND[name] or path.read_bytes()
    path.write_bytes(sound)
    whole = tmp_path / "d" if name.startswith("d/") else path
    data.read(whole)
    rng, refused = random.Random(name), 0
    for _ in range(100):
        content = damaged(sound, rng)
        path.write_bytes(content)
        started = time.process_time()
        try:
            data.read(whole)
        except DataError as error:
            refused += 1
            assert str(whole) in str(error) and len(str(error)) < 1000, content
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {content!r}") from error
        assert time.process_time() - started < 1, content
    assert refused > 10
