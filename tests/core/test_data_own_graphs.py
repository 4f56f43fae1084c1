"""Graphs of one's own: edge lists, GML, .npz files and folders; how nodes are split."""

import gzip

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError, Graph
from glassgrad.core.data.own.graphs.node_parts import simple, split_nodes


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


RING = "".join(f"n{i} n{(i + 1) % 12}\n" for i in range(12))


@pytest.mark.parametrize("separator", [" ", "\t", ",", ";", "   "])
@pytest.mark.parametrize("name", ["d.edges", "d.edgelist", "d.txt", "d.csv"])
def test_an_edge_list(tmp_path, separator, name):
    text = "# a comment\n% another\n\nb a 2\na c 0.5\r\nc b -1e1\n"
    path = write(tmp_path / name, text.replace(" ", separator).replace("#", "# "))
    found = data.read(path, kind="graph")
    assert isinstance(found, Graph) and found.name == name and found.info.kind == "graph"
    assert found.node_names == ("a", "b", "c") and found.nodes == 3
    assert found.edges.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert found.weights.tolist() == [2, 0.5, -10] and found.labels is None
    assert found.info.understood == (
        "an edge list of 3 nodes", "3 undirected edges", "weighted", "no features", "no labels",
        "no split: there are no labels",
    )  # fmt: skip


def test_numbers_are_sorted_as_numbers_and_only_nodes_that_occur_are_there(tmp_path):
    path = write(tmp_path / "d.edges", "10 9\n9 1000000000\n9 -3\n")
    found = data.read(path)
    assert found.node_names == ("-3", "9", "10", "1000000000")
    assert found.edges.tolist() == [[0, 1], [1, 2], [1, 3]] and found.weights is None
    names = write(tmp_path / "e.edges", "10 x\nx 9\n")
    assert data.read(names).node_names == ("10", "9", "x"), "one name: all are texts"


def test_nodes_without_an_edge(tmp_path):
    found = data.read(write(tmp_path / "d.edges", "0 2\n2 4\n"), nodes=6)
    assert found.nodes == 6 and found.degree().tolist() == [1, 0, 2, 0, 1, 0]
    assert found.info.understood[0] == "an edge list of 6 nodes, 3 of them isolated"


def test_loops_repetitions_and_directions_are_said(tmp_path):
    text = "source,target,weight\na,b,1\nb,a,1\na,b,3\nc,c,1\nb,c,2\n"
    found = data.read(write(tmp_path / "d.csv", text), kind="graph")
    assert found.edges.tolist() == [[0, 1], [1, 2]] and found.weights.tolist() == [1, 2]
    assert found.info.understood[:2] == (
        "an edge list with a header of 3 nodes",
        "2 undirected edges; 1 loop dropped; 1 listed in both directions; 1 listed again, dropped;"
        " 1 of them with another weight: the first counts",
    )


def test_the_attributes_that_networkx_writes(tmp_path):
    plain = data.read(write(tmp_path / "a.edgelist", "0 1 {}\n1 2 {}\n"))
    assert plain.weights is None and len(plain.edges) == 2
    heavy = data.read(write(tmp_path / "b.edgelist", "0 1 {'weight': 2.5}\n1 2 {}\n"))
    assert heavy.weights.tolist() == [2.5, 1]


def test_packed(tmp_path):
    (tmp_path / "d.edges.gz").write_bytes(gzip.compress(RING.encode()))
    assert data.read(tmp_path / "d.edges.gz").nodes == 12


def test_labels_next_to_the_list(tmp_path):
    path = write(tmp_path / "ring.edges", RING)
    labels = "".join(f"n{i} {['even', 'odd'][i % 2]}\n" for i in range(12))
    write(tmp_path / "ring_labels.txt", labels + "alone even\n")
    found = data.read(path)
    assert found.info.classes == ("even", "odd") and found.nodes == 13
    assert "1 of them isolated" in found.info.understood[0]
    by_name = dict(zip(found.node_names, found.labels))
    assert by_name["n3"] == 1 and by_name["n10"] == by_name["alone"] == 0
    parts = np.concatenate([found.train, found.valid, found.test])
    assert sorted(parts.tolist()) == list(range(13)), "each node is in one part"
    assert set(found.labels[found.train]) == {0, 1}
    assert data.read(path, labels="none").labels is None
    write(tmp_path / "other.csv", "node,label\nn0,2\nn1,10\n")
    few = data.read(path, labels="other.csv")
    assert few.info.classes == ("2", "10") and (few.labels >= 0).sum() == 2
    assert "10 nodes without one" in few.info.understood[4]
    assert few.train is None and "no split: 2 nodes with a label" in few.info.note


def test_several_labels_a_node_are_groups(tmp_path):
    path = write(tmp_path / "ring.edges", RING)
    write(tmp_path / "ring.labels", "n0 a\nn0 b\nn1 b\nn0 b\n")
    found = data.read(path)
    assert found.labels is None and found.label_matrix()[:2].tolist() == [[1, 1], [0, 1]]
    assert found.info.classes == ("a", "b")


def test_nodes_that_are_known_in_training(tmp_path):
    path = write(tmp_path / "ring.edges", RING)
    write(tmp_path / "ring.labels", "".join(f"n{i} {i % 2}\n" for i in range(12)))
    found = data.read(path, train="n0, n11")
    assert [found.node_names[i] for i in found.train] == ["n0", "n11"] and found.valid is None
    assert len(found.test) == 10 and not set(found.test) & set(found.train)
    assert data.digest(found) != data.digest(data.read(path))
    assert data.digest(data.read(path, seed=1)) != data.digest(data.read(path))
    assert data.digest(data.read(path)) == data.digest(data.read(path))


def test_the_protocol_of_planetoid():
    labels = np.arange(1700) % 4
    labels[:10] = -1
    parts, said = split_nodes(labels, seed=3)
    assert [len(p) for p in parts.values()] == [80, 500, 1000]
    assert np.bincount(labels[parts["train"]]).tolist() == [20] * 4
    assert len(set(np.concatenate(list(parts.values())))) == 1580
    assert labels[np.concatenate(list(parts.values()))].min() == 0
    assert said == "random split 80/500/1000 of the nodes, 20 a class for training, seed 3"
    other, _ = split_nodes(labels, seed=4)
    assert (other["train"] != parts["train"]).any()
    few = np.array([0] * 9 + [1] * 400)
    parts, _ = split_nodes(few, seed=0)
    assert np.bincount(few[parts["train"]]).tolist() == [1, 20], "from 1 to 20 a class"
    assert sum(map(len, parts.values())) == 409


def test_simple_against_sets():
    rng = np.random.default_rng(0)
    for _ in range(20):
        pairs = rng.integers(0, 6, (rng.integers(0, 30), 2))
        weights = rng.random(len(pairs)).astype(np.float32)
        edges, kept, said = simple(pairs, 6, weights)
        first = {}
        for (u, v), w in zip(pairs.tolist(), weights):
            if u != v:
                first.setdefault((min(u, v), max(u, v)), w)
        assert [tuple(e) for e in edges.tolist()] == sorted(first)
        assert kept.tolist() == [first[e] for e in sorted(first)]
        loops = int((pairs[:, 0] == pairs[:, 1]).sum())
        assert (f"{loops} loop" in said) == (loops > 0)


GML = """graph [ directed 1
  node [ id 7 label "A" value "n" club 1 ] node [ id 3 label "B" value "c" club 2 ]
  node [ id 5 label "C" value "n" ]
  edge [ source 5 target 7 value 2.5 ] edge [ source 7 target 5 value 1 ]
  edge [ source 7 target 3 ] edge [ source 3 target 3 ] ]"""


def test_gml(tmp_path):
    found = data.read(write(tmp_path / "d.gml", GML))
    assert found.node_names == ("A", "B", "C") and found.edges.tolist() == [[0, 1], [0, 2]]
    assert found.weights.tolist() == [1, 2.5]
    assert found.info.classes == ("c", "n") and found.labels.tolist() == [1, 0, 1]
    assert found.info.understood[0] == "a GML graph, directed, made undirected, of 3 nodes"
    club = data.read(tmp_path / "d.gml", labels="club")
    assert club.labels.tolist() == [0, 1, -1] and club.info.classes == ("1", "2")
    write(tmp_path / "d_labels.txt", "A x\nB y\nC y\n")
    assert data.read(tmp_path / "d.gml").info.classes == ("x", "y"), "a file is nearer"
    assert data.read(tmp_path / "d.gml", labels="none").labels is None


def planetoid(n=30, columns=4, **more):
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 3, n)
    return {
        "x_data": np.ones(counts.sum(), np.float32),
        "x_indices": rng.integers(0, columns, counts.sum()).astype(np.int32),
        "x_indptr": np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        "x_shape": np.array([n, columns]),
        "labels": np.arange(n) % 3,
        "edges": np.array([[i, i + 1] for i in range(n - 1)]),
    } | more


def test_a_graph_with_features(tmp_path):
    content = planetoid(train_idx=np.array([0, 1, 2]), test_idx=np.arange(5, 9))
    np.savez(tmp_path / "d.npz", **content)
    found = data.read(tmp_path / "d.npz")
    assert found.train.tolist() == [0, 1, 2] and found.valid is None and len(found.test) == 4
    assert found.dense_features().sum() == len(content["x_data"])
    assert found.info.classes == ("class 0", "class 1", "class 2")
    np.savez(tmp_path / "e.npz", **planetoid(edges=np.array([[1, 0], [0, 1], [2, 2]])))
    seeded = data.read(tmp_path / "e.npz", seed=2)
    assert seeded.edges.tolist() == [[0, 1]] and len(seeded.train) == 3
    assert "28 of them isolated" in seeded.info.understood[0]
    assert "1 loop dropped; 1 listed in both directions" in seeded.info.understood[1]
    assert "seed 2" in seeded.info.understood[-1]


def test_a_graph_with_groups(tmp_path):
    np.savez(
        tmp_path / "d.npz", edges=np.array([[0, 1], [2, 1]]), n_nodes=4, n_labels=2,
        node_label_pairs=np.array([[0, 0], [0, 1], [3, 1]]),
    )  # fmt: skip
    found = data.read(tmp_path / "d.npz")
    assert found.edges.tolist() == [[0, 1], [1, 2]] and found.train is None
    assert found.label_matrix().tolist() == [[1, 1], [0, 0], [0, 0], [0, 1]]


def molecules(folder, prefix="TOY", n=20, **more):
    """Paths of 2 and 3 nodes in turn; both directions, 1-based."""
    folder.mkdir(exist_ok=True)
    arcs, of, first = [], [], 1
    for g in range(n):
        size = 2 + g % 2
        for i in range(size - 1):
            arcs += [(first + i, first + i + 1), (first + i + 1, first + i)]
        of += [g + 1] * size
        first += size
    files = {
        "A": "".join(f"{u}, {v}\n" for u, v in arcs),
        "graph_indicator": "".join(f"{g}\n" for g in of),
        "graph_labels": "".join(f"{1 - 2 * (g % 2)}\n" for g in range(n)),
        "node_labels": "".join(f"{5 + i % 2 * 3}\n" for i in range(len(of))),
        "edge_labels": "".join(f"{i // 2 % 3}\n" for i in range(len(arcs))),
    } | more
    for part, text in files.items():
        if text is not None:
            write(folder / f"{prefix}_{part}.txt", text)
    return len(of), len(arcs)


def test_a_folder_of_molecules(tmp_path):
    nodes, _ = molecules(tmp_path / "d")
    write(tmp_path / "d" / "README.txt", "not of the set")
    found = data.read(tmp_path / "d", fold=3)
    assert found.info.kind == "graphs" and [len(s) for _, s in found.splits()] == [16, 2, 2]
    assert found.info.classes == ("-1", "1") and found.info.feature_names == ("5", "8")
    for g, y in zip(found.whole().x, found.whole().y):
        assert g.nodes == 3 - y and len(g.edges) == g.nodes - 1
        assert set(g.labels) <= {0, 1} and len(g.edge_labels) == len(g.edges)
        assert g.features is None and g.edge_features is None
    assert sum(g.nodes for g in found.whole().x) == nodes
    assert data.digest(found) == data.digest(data.read(tmp_path / "d", fold=3))
    assert data.digest(found) != data.digest(data.read(tmp_path / "d"))
    assert np.bincount(found.info.extra["folds"]).tolist() == [2] * 10


def test_molecules_with_numbers_and_a_quantity(tmp_path):
    nodes, arcs = molecules(tmp_path / "d", graph_labels=None, node_labels=None, edge_labels=None)
    rows = [f"{i}, {i / 2}" for i in range(nodes)]
    write(tmp_path / "d" / "TOY_node_attributes.txt", "\n".join(rows))
    write(tmp_path / "d" / "TOY_edge_attributes.txt", "".join(f"{i}\n" for i in range(arcs)))
    write(tmp_path / "d" / "TOY_graph_attributes.txt", "".join(f"{g}.5\n" for g in range(20)))
    found = data.read(tmp_path / "d")
    assert [len(s) for _, s in found.splits()] == [14, 2, 4] and found.info.classes == ()
    first = [0, *np.cumsum([2 + g % 2 for g in range(20)])]
    for g, y in zip(found.whole().x, found.whole().y):
        number = int(y[0])
        a = first[number]
        expected = [[a + i, (a + i) / 2] for i in range(g.nodes)]
        assert g.dense_features().tolist() == expected, "its own rows"
        assert g.edge_features.ravel().tolist() == [
            2 * (a - number) + 1 + 2 * i for i in range(g.nodes - 1)
        ]
    unlabelled = data.read(tmp_path / "d").info.understood
    assert "2 numbers a node, 1 number an edge" in unlabelled


def test_molecules_without_anything_but_edges(tmp_path):
    molecules(tmp_path / "d", graph_labels=None, node_labels=None, edge_labels=None)
    found = data.read(tmp_path / "d")
    assert found.train.y is None and found.train.x[0].labels is None
    assert "no labels of nodes and edges" in found.info.understood


def test_what_is_no_edge_list_by_itself(tmp_path):
    """Without kind=graph files of numbers are tables, and a .txt with words in it is a text."""
    text = "".join(f"{i} {i + 1}\n" for i in range(50))
    assert data.read(write(tmp_path / "d.txt", text)).info.kind == "table"
    assert data.read(write(tmp_path / "w.txt", text + "end\n")).info.kind == "text"
    table = write(tmp_path / "d.csv", text.replace(" ", ","))
    assert data.read(table).info.kind == "table"
    assert data.read(table, kind="graph").nodes == 51
    with pytest.raises(DataError, match="not read as the kind 'graf'; did you mean 'graph'"):
        data.read(table, kind="graf")
