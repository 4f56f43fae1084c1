"""graph2vec: words and the trees written out, isomorphic graphs, new graphs, planted shapes."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataError, DataSet, Graph, Info, Split, load
from glassgrad.core.data.synthetic_graphs import rings_and_trees
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.evaluation import evaluate
from glassgrad.models.embeddings import graph2vec, graph_pictures, vector_files
from glassgrad.models.embeddings.subtree_words import SubtreeWords
from tests.tools import assert_close

RECIPE = graph2vec.RECIPE


def few(**sizes):
    return rings_and_trees(**{"train": 40, "valid": 10, "test": 12, "seed": 1, **sizes})


def tree(graph, node, depth):
    """What one sees from a node, written out: its label, then the trees of its neighbours."""
    near = [v if u == node else u for u, v in graph.edges.tolist() if node in (u, v)]
    label = len(near) if graph.labels is None else int(graph.labels[node])
    if not depth:
        return label
    return tree(graph, node, depth - 1), tuple(
        sorted((tree(graph, v, depth - 1) for v in near), key=repr)
    )


def renamed(graph, rng):
    """The same graph with its nodes in another order."""
    order = rng.permutation(graph.nodes)
    edges = np.sort(order[graph.edges], axis=1)
    labels = None if graph.labels is None else np.empty_like(graph.labels)
    if labels is not None:
        labels[order] = graph.labels
    return Graph("again", graph.nodes, edges, labels=labels)


def made(data, **changes):
    s = RECIPE.settings(**{"size": 8, "epochs": 2, **changes})
    data = RECIPE.prepare(data, s)
    return RECIPE.build(data, s, gg.Generator(s.seed)), data, s


# ------------------------------------------------------------------------------------ the words


@pytest.mark.parametrize("labels", [True, False])
def test_two_nodes_have_one_word_exactly_if_they_see_the_same_tree(labels):
    rng, graphs = np.random.default_rng(0), []
    for g in few(train=4).train.x:
        kinds = rng.integers(0, 2, g.nodes) if labels else None
        graphs.append(replace(g, labels=kinds))
    words = SubtreeWords(graphs, 3)
    seen: dict = {}
    for g in graphs:
        found = words.document(g).reshape(4, g.nodes)
        for depth in range(4):
            for node in range(g.nodes):
                key = depth, tree(g, node, depth)
                assert seen.setdefault(key, found[depth, node]) == found[depth, node]
    assert len(set(seen.values())) == len(seen) == len(words.depth)
    assert words.counts.sum() == 4 * sum(g.nodes for g in graphs)


def test_the_names_of_nodes_do_not_count():
    graphs, rng = few(train=6).train.x, np.random.default_rng(1)
    words = SubtreeWords(graphs, 4)
    for g in graphs:
        again = words.document(renamed(g, rng))
        assert sorted(again.tolist()) == sorted(words.document(g).tolist())


def test_words_that_nobody_has_met_are_left_out():
    path = Graph("path", 3, np.array([[0, 1], [1, 2]]))
    star = Graph("star", 4, np.array([[0, 1], [0, 2], [0, 3]]))
    words = SubtreeWords([path], 2)
    # a leaf is known, but not one next to a node with three edges
    assert words.document(star).tolist() == [words.number[0, 1]] * 3
    assert len(words.depth) == len(words.counts) == 6


# ------------------------------------------------------------------------------------ the system


def test_the_objective_passes_the_gradient_check():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_every_word_is_met_with_its_graph_once_an_epoch():
    m, data, _ = made(few())
    rows = len(data.info.extra["counts"])
    met, wanted = np.zeros((2, 40, rows))
    batches = list(m.batches(data, 7, 0, 0, 0))
    for batch in batches:
        np.add.at(met, (batch.x, batch.y), 1)
    for i, document in enumerate(data.train.x):
        np.add.at(wanted[i], document, 1)
    assert np.array_equal(met, wanted) and len(batches) == m.batches_per_epoch(data, 7) == 6
    late = list(m.batches(data, 7, 0, 0, 4))
    assert [b.x.tolist() for b in late] == [b.x.tolist() for b in batches[4:]]
    assert m.w.shape == m.c.shape == (max(40, rows), 8) and m.vectors.shape == (40, 8)


def test_a_step_is_the_formula():
    m, data, s = made(few(), batch=1)
    m.c.assign(np.random.default_rng(0).standard_normal(m.c.shape).astype("float32"))
    batch = next(m.batches(data, 1, 0, 0, 0))

    class State:
        settings, epoch, batch, done = s, 0, 0, 0.0

    w, c = m.w.numpy().astype(float), m.c.numpy().astype(float)
    negative = m.draws(batch.x, m.rng.child("draws", s.seed, 0, 0))
    m.train_step(batch, State)
    for u, t, vs in zip(batch.x, batch.y, negative):
        x, e = w[u].copy(), 0
        for word, label in [(t, 1), *((v, 0) for v in vs if v != t)]:
            g = s.lr * (label - 1 / (1 + np.exp(-x @ c[word])))
            e, c[word] = e + g * c[word], c[word] + g * x
        w[u] += e
    assert_close(m.w.numpy(), w, rtol=1e-4)
    assert_close(m.c.numpy(), c, rtol=1e-4)


def test_a_new_graph_that_equals_an_old_one_gets_a_like_vector_and_teaches_nothing():
    m, data, s = made(few(train=60), epochs=30, size=16)
    fit(m, data, s)
    before = m.c.numpy().copy()
    w, c = m.inferred(data.train.x)
    assert np.array_equal(m.c.numpy(), before) and np.array_equal(c[: len(before)], before)
    x, y = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (m.vectors, w[:60]))
    assert ((x @ y.T).argmax(axis=1) == np.arange(60)).mean() > 0.8
    assert np.array_equal(m.inferred(data.train.x)[0], w)


def test_shapes_are_told_apart_without_looking_at_classes():
    data = few(train=200, valid=0, test=100)
    m, prepared, s = made(data, epochs=25, size=16)
    fit(m, prepared, s)
    found = m.evaluate_finished(prepared.test)
    assert found["accuracy"] > 0.75 and found["loss"] < 11 * np.log(2)
    shuffled = replace(data, train=Split(data.train.x, 1 - data.train.y))
    other, blind, _ = made(shuffled, epochs=25, size=16)
    fit(other, blind, s)
    assert np.array_equal(other.vectors, m.vectors)


def test_all_graphs_at_once_are_judged_by_folds():
    data = few()
    m, prepared, s = made(data, whole=True, epochs=3)
    assert len(prepared.train) == 62 and prepared.test is None and len(m.vectors) == 62
    fit(m, prepared, s)
    found, one = m.evaluate_finished(prepared.train), m.by_folds()
    assert found["accuracy"] == one["accuracy"] and found["spread"] > 0
    m.w.assign(np.eye(len(m.w.numpy()), 8, dtype="float32") * 0)
    chance = m.by_folds()["accuracy"]
    m.w.data[:62, 0] = 9.0 * m.y - 4
    assert m.by_folds()["accuracy"] == 1 > chance


def test_graphs_without_classes_have_vectors_too():
    data = few()
    bare = DataSet("bare", Split(data.train.x), None, Split(data.test.x), Info(kind="graphs"))
    m, prepared, s = made(bare)
    fit(m, prepared, s)
    assert set(m.evaluate_finished(prepared.test)) == {"loss"}
    assert set(graph_pictures.figures(m, prepared, s)) == {"map", "neighbours"}
    empty = [Graph(f"g{i}", 0, np.zeros((0, 2), np.int64)) for i in range(3)]
    with pytest.raises(DataError, match="empty: graph2vec needs graphs with nodes"):
        made(DataSet("empty", Split(empty)))


def test_the_pictures_are_drawn():
    m, data, s = made(few())
    assert set(graph_pictures.figures(m, data, s)) == {"map", "neighbours"}
    at = graph_pictures.spectral(9, np.array([[i, i + 1] for i in range(8)]))[:, 0]
    assert (np.diff(at) > 0).all() or (np.diff(at) < 0).all()  # a path is drawn from end to end
    two = Graph("two", 7, np.array([[0, 2], [0, 4], [2, 4], [1, 3], [3, 5]]))  # and node 6
    at = graph_pictures.places(two)
    assert at[[0, 2, 4], 0].max() < at[[1, 3, 5], 0].min() and at[6, 0] > at[[1, 3, 5], 0].max()


@pytest.mark.parametrize("binary", [False, True])
def test_its_vectors_go_to_word2vecs_files(tmp_path, binary):
    m, data, _ = made(few())
    vector_files.save(tmp_path / "v", data.info.vocabulary, m.vectors, binary)
    words, vectors = vector_files.load(tmp_path / "v")
    assert words.words[0] == "rings_and_trees_0" and np.array_equal(vectors, m.vectors)


def tu_folder(path, graphs, y):
    """The files of the TU collection."""
    path.mkdir()
    first = np.cumsum([0, *(g.nodes for g in graphs)])
    lines = [f"{u + a + 1}, {v + a + 1}" for g, a in zip(graphs, first) for u, v in g.edges]
    (path / "P_A.txt").write_text("\n".join(lines))
    of = [i + 1 for i, g in enumerate(graphs) for _ in range(g.nodes)]
    (path / "P_graph_indicator.txt").write_text("\n".join(map(str, of)))
    (path / "P_graph_labels.txt").write_text("\n".join(map(str, y)))
    return path


def test_graphs_of_ones_own_load_by_their_path_and_new_ones_are_evaluated(tmp_path):
    data = few(train=60)
    own = tu_folder(tmp_path / "own", data.train.x, data.train.y)
    new = tu_folder(tmp_path / "new", data.test.x, data.test.y)
    done, _ = training.train_and_write(
        RECIPE, own, overrides={"epochs": 3, "size": 8}, out=tmp_path / "runs"
    )
    assert done.settings.size == 8 and {"loss", "accuracy"} == set(done.test_figures)
    found = evaluate(done.run.folder, new)
    assert found.examples == 12 and 0 <= found.figures["accuracy"] <= 1


def test_settings_without_effect_are_refused():
    for change in ({"window": 3}, {"sample": 0.1}, {"noise": "outside"}, {"tables": "one"}):
        with pytest.raises(SettingError, match="no effect on graph2vec"):
            RECIPE.resolve("mutag", change)
    assert RECIPE.resolve("mutag").whole and not RECIPE.resolve("rings_and_trees").whole
    assert load("rings_and_trees").info.kind == "graphs"
