"""node2vec: the judge compared with scikit-learn, planted communities, graphs by their paths."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

import glassgrad as gg
from glassgrad import training
from glassgrad.core.data import DataError, Graph, load
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.models.embeddings import (
    judging,
    logistic,
    node2vec,
    node_judging,
    node_pictures,
    vector_files,
)
from tests.tools import assert_close

RECIPE = node2vec.RECIPE


def cliques(count=3, size=8, **more):
    """Cliques in a ring, one edge from each to the next."""
    within = [(a, b) for a in range(size) for b in range(a)]
    edges = [sorted((a + c * size, b + c * size)) for c in range(count) for a, b in within]
    edges += [sorted((c * size, (c + 1) % count * size + 1)) for c in range(count)]
    labels = np.arange(count).repeat(size)
    return Graph("cliques", count * size, np.array(sorted(edges)), labels=labels, **more)


def made(graph, **changes):
    s = RECIPE.settings(**{"size": 8, "window": 3, "walks": 4, "length": 20, **changes})
    data = RECIPE.prepare(graph, s)
    return RECIPE.build(data, s, gg.Generator(s.seed)), data, s


def test_the_objective_passes_the_gradient_check():
    f, arrays = RECIPE.check(np.random.default_rng(0))
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


# ------------------------------------------------------------------------------------ the judge


@pytest.mark.parametrize("strength", [0.1, 1.0, 30.0])
def test_logistic_regression_is_that_of_scikit_learn(strength):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((90, 5)), rng.integers(0, 2, (90, 3))
    w, b = logistic.one_vs_rest(x, y, strength)
    for k in range(3):
        right = LogisticRegression(C=strength, tol=1e-10, max_iter=5000).fit(x, y[:, k])
        assert_close(w[:, k], right.coef_[0], rtol=1e-3)
        assert b[k] == pytest.approx(right.intercept_[0], abs=1e-3)


def test_classes_are_told_apart_by_their_largest_score():
    rng = np.random.default_rng(2)
    y = rng.integers(4, 7, 60)
    x = rng.standard_normal((60, 3)) + 4 * np.eye(3)[y - 4]
    assert (logistic.classified(x, y, x) == y).mean() > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_f1_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    y, guess = rng.integers(0, 2, (2, 40, 6))
    guess[:, 5] = 0
    y[:, 4] = guess[:, 4] = 0
    wanted = [f1_score(y, guess, average=how, zero_division=0) for how in ("macro", "micro")]
    assert node_judging.f1(y, guess) == pytest.approx(wanted)


def test_as_many_groups_as_are_known():
    scores = np.random.default_rng(0).standard_normal((20, 7))
    counts = np.arange(20) % 8
    got = node_judging.as_many(scores, counts)
    for row, guess, n in zip(scores, got, counts):
        assert set(np.flatnonzero(guess)) == set(np.argsort(-row)[:n])


def test_the_protocol_by_hand():
    """Half of the nodes with a group, one draw, scikit-learn's classifiers."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, (60, 3))
    y[:10] = 0
    x = rng.standard_normal((60, 4)) + y @ rng.standard_normal((3, 4))
    got = node_judging.of_groups(x, y, 0.5, 1, gg.Generator(4))
    known = np.flatnonzero(y.sum(axis=1))
    order = known[gg.Generator(4).permutation(len(known))]
    half = round(len(known) / 2)
    train, test = order[:half], order[half:]
    scores = np.stack([LogisticRegression(tol=1e-10, max_iter=5000).fit(x[train], y[train, k])
                       .decision_function(x[test]) for k in range(3)], 1)  # fmt: skip
    guess = np.zeros_like(y[test])
    for i, n in enumerate(y[test].sum(axis=1)):
        guess[i, np.argsort(-scores[i])[:n]] = 1
    assert got["macro_f1"] == pytest.approx(f1_score(y[test], guess, average="macro"))
    assert got["micro_f1"] == pytest.approx(f1_score(y[test], guess, average="micro"))


def test_edges_are_compared_with_pairs_that_have_none():
    graph, rng = cliques(), np.random.default_rng(0)
    inside = np.eye(3)[graph.labels] + 0.01 * rng.standard_normal((24, 3))
    chance = node_judging.of_edges(rng.standard_normal((24, 9)), graph, gg.Generator(1))
    assert node_judging.of_edges(inside, graph, gg.Generator(1)) > 0.93 > 0.65 > chance > 0.35
    assert node_judging.of_edges(0 * inside, graph, gg.Generator(1)) == 0.5
    whole = Graph("whole", 3, np.array([[0, 1], [0, 2], [1, 2]]))
    assert node_judging.of_edges(inside[:3], whole, gg.Generator(1)) == 0.5


def test_which_graphs_have_groups():
    pairs = np.array([[0, 1], [0, 2], [3, 1]])
    several = Graph("g", 4, np.array([[0, 1]]), label_pairs=pairs)
    assert node_judging.groups_of(several).tolist() == [[0, 1, 1], [0] * 3, [0] * 3, [0, 1, 0]]
    some = Graph("g", 3, np.array([[0, 1]]), labels=np.array([1, -1, 0]))
    assert node_judging.groups_of(some).tolist() == [[0, 1], [0, 0], [1, 0]]
    one = Graph("g", 2, np.array([[0, 1]]), labels=np.array([2, 2]))
    assert node_judging.groups_of(one) is None and node_judging.groups_of(load("lesmis")) is None


# ------------------------------------------------------------------------------------ the system


def test_walks_are_the_text():
    m, data, s = made(graph := cliques())
    assert len(data.train) == 4 * 24 and {len(x) for x in data.train.x} == {20}
    assert np.bincount([x[0] for x in data.train.x]).tolist() == [4] * 24
    counts = data.info.extra["counts"]
    assert np.array_equal(counts, np.bincount(np.concatenate(data.train.x), minlength=24))
    first = {x.tobytes() for x in data.train.x}
    assert not first & {x.tobytes() for x in data.valid.x} and len(data.valid) == 24
    assert m.w.shape == m.c.shape == (24, s.size) and data.info.extra["graph"] is graph
    batch = next(m.batches(data, 10**6, 0, 0, 0))
    assert len(batch.x) and set(batch.x) == set(range(24))


def test_nodes_of_one_community_get_like_vectors():
    m, data, s = made(graph := cliques(), epochs=8)
    before = m.evaluate(data.valid)["loss"]
    assert fit(m, data, s)[-1]["valid_loss"] < 0.9 * before
    found = m.evaluate_finished(data.valid)
    assert found["edges"] > 0.9 and found["macro_f1"] > 0.95 and found["micro_f1"] > 0.95
    right = 0
    for node in range(24):
        right += (
            graph.labels[judging.neighbours(m.w.numpy(), node, 7)] == graph.labels[node]
        ).sum()
    assert right > 0.9 * 24 * 7


def test_a_node_without_an_edge_keeps_its_row():
    edges = np.array([[0, 1], [1, 2]])
    m, data, s = made(Graph("g", 5, edges, labels=np.array([0, 1, 0, 1, 0])), epochs=1)
    before = m.w.numpy().copy()
    fit(m, data, s)
    assert np.array_equal(m.w.numpy()[3:], before[3:]) and len(data.train) == 12
    assert np.isfinite(list(m.evaluate_finished(data.valid).values())).all()
    with pytest.raises(DataError, match="alone: walks need an edge"):
        made(Graph("alone", 3, np.zeros((0, 2), np.int64)))


@pytest.mark.parametrize("binary", [False, True])
def test_its_vectors_go_to_word2vecs_files(tmp_path, binary):
    m, data, _ = made(load("lesmis"))
    vector_files.save(tmp_path / "v", data.info.vocabulary, m.w.numpy(), binary)
    words, vectors = vector_files.load(tmp_path / "v")
    assert words.words == load("lesmis").node_names and np.array_equal(vectors, m.w.numpy())


@pytest.mark.parametrize("ending", ["edges", "gml"])
def test_a_graph_of_ones_own_loads_by_its_path(tmp_path, ending):
    path = tmp_path / f"own.{ending}"
    g = cliques()
    if ending == "edges":
        path.write_text("".join(f"n{u} n{v}\n" for u, v in g.edges))
    else:
        nodes = "".join(f'node [ id {i} label "n{i}" ]\n' for i in range(24))
        edges = "".join(f"edge [ source {u} target {v} ]\n" for u, v in g.edges)
        path.write_text(f"graph [\n{nodes}{edges}]\n")
    done, result = training.train_and_write(
        RECIPE, path, overrides={"walks": 5, "window": 3}, out=tmp_path / "runs"
    )
    assert set(done.system.vocabulary.words) == {f"n{i}" for i in range(24)}
    assert result["metric"] == "edges" and result["value"] > 0.8
    assert training.load(done.run.folder)[1].settings == done.settings
    assert (done.run.folder / "figures" / "map.png").exists() or list(done.run.folder.rglob("map*"))


def test_the_pictures_are_drawn():
    for graph in (cliques(), load("lesmis"), load("karate")):
        m, data, s = made(graph, walks=1)
        assert set(node_pictures.figures(m, data, s)) == {"map", "neighbours"}
    pairs = np.array([[0, 2], [0, 1], [3, 1]])
    several = Graph("g", 4, np.array([[0, 1]]), label_pairs=pairs)
    assert node_pictures.classes_of(several)[0].tolist() == [2, -1, -1, 1]


def test_settings_without_effect_are_refused():
    for change in ({"form": "softmax"}, {"min_count": 2}, {"whole": True}):
        with pytest.raises(SettingError, match="no effect on node2vec"):
            RECIPE.resolve("karate", change)
    blogs = RECIPE.resolve("blogcatalog")
    assert (blogs.p, blogs.q, blogs.size, blogs.walks, blogs.length) == (0.25, 0.25, 128, 10, 80)
