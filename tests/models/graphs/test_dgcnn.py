"""Networks for whole graphs: encoding, blocks, pooling by hand, what fails, folds, pictures."""

import dataclasses

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import log_softmax

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, DataSet, Graph, Info, Split, load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.graphs import dgcnn, dgcnn_pictures
from glassgrad.models.graphs.graph_batches import Encoder
from tests.models.graphs.test_gcn import dense
from tests.tools import assert_close

RECIPE = models.recipe("dgcnn")
TRIANGLE = Graph("t", 3, np.array([[0, 1], [0, 2], [1, 2]]), labels=np.array([2, 0, 0]))
PATH = Graph("p", 4, np.array([[0, 1], [1, 2], [2, 3]]), labels=np.array([0, 1, 1, 0]))
STAR = Graph("s", 12, np.array([[0, i] for i in range(1, 12)]), labels=np.arange(12) % 3)
GRAPHS = [TRIANGLE, PATH, STAR]


def net(graphs=None, **changes) -> dgcnn.GraphNet:
    s = dgcnn.Settings(**{"hidden": (3, 2), "channels": (2, 3), "dense": 4, **changes})
    made = dgcnn.GraphNet(graphs or GRAPHS, 2, s, gg.Generator(1), dtype="float64")
    return made.eval()


def encoded(g: Graph, labels=3, degrees=0) -> np.ndarray:
    """The rows of a graph's nodes, by hand."""
    one = np.eye(labels)[g.labels]
    return np.c_[one, np.eye(degrees)[np.minimum(g.degree(), degrees - 1)]] if degrees else one


def test_nodes_know_their_label_their_features_and_their_degree():
    x = np.array([[0, 5.0], [0, 0], [7, -1]])
    a = csr_matrix(x)
    g = dataclasses.replace(TRIANGLE, features=(a.data, a.indices, a.indptr, (3, 2)))
    encoder = Encoder([g], True, "mean", True)
    rows, at = encoder.one(g)
    assert_close(dense(rows), np.c_[np.eye(3)[g.labels], x, np.eye(3)[[2, 2, 2]]])
    assert_close(dense(at), np.full((3, 3), 1 / 3), 1e-6)
    assert encoder.one(g)[0] is rows  # kept
    with pytest.raises(DataError, match="p has 0 features, not 2"):
        encoder.one(PATH)


def test_what_training_has_not_seen_has_no_column():
    encoder = Encoder([PATH], True, "sum", False)
    rows, _ = encoder.one(STAR)  # labels 0 to 2 of which 2 is new, 11 neighbours where 2 were most
    want = np.zeros((12, 2 + 3))
    want[np.arange(12), 2 + np.minimum(STAR.degree(), 2)] = 1
    known = STAR.labels < 2
    want[known, STAR.labels[known]] = 1
    assert np.array_equal(dense(rows), want)
    bare = Graph("bare", 2, np.array([[0, 1]]))
    assert dense(Encoder([bare], False, "sum", False).one(bare)[0]).tolist() == [[1], [1]]


def test_graphs_joined_are_blocks():
    encoder = Encoder(GRAPHS, True, "mean", True)
    joined = encoder(GRAPHS)
    assert joined.first.tolist() == [0, 3, 7, 19]
    assert_close(dense(joined.x), np.concatenate([encoded(g, 3, 12) for g in GRAPHS]))
    whole = dense(joined.at)
    for g, a, b in zip(GRAPHS, joined.first[:-1], joined.first[1:]):
        assert_close(whole[a:b, a:b], dense(encoder.one(g)[1]))
        whole[a:b, a:b] = 0
    assert not whole.any()
    assert_close(dense(joined.sums(mean=True)).sum(axis=1), np.ones(3), 1e-6)


def by_hand(m, graphs):
    """The logits of the page's formulas, graph by graph, with dense matrices."""
    p = {k: v.numpy() for k, v in m.named_parameters()}
    found = []
    for g in graphs:
        a = g.adjacency().toarray() + np.eye(g.nodes)
        a, h, every = a / a.sum(axis=1, keepdims=True), encoded(g), []
        for i in range(len(m.layers)):
            h = np.tanh(a @ h @ p[f"layers.{i}.linear.weight"].T)
            every.append(h)
        z = np.concatenate(every, axis=1)
        if m.s.pool == "sort":
            z = z[np.lexsort((-z[:, -2], -z[:, -1]))][: m.k]
            z = np.concatenate([z, np.zeros((m.k - len(z), z.shape[1]))])
            y = np.maximum(z @ p["each.weight"].T + p["each.bias"], 0).T
            y = np.maximum(y[:, 0 : m.k // 2 * 2 : 2], y[:, 1::2])
            w = p["along.weight"]
            y = [np.tensordot(w, y[:, t : t + 5], 2) for t in range(y.shape[1] - 4)]
            y = np.maximum(np.stack(y, axis=1) + p["along.bias"][:, None], 0).ravel()
        else:
            y = z.sum(axis=0) if m.s.pool == "sum" else z.mean(axis=0)
        y = np.maximum(p["dense.weight"] @ y + p["dense.bias"], 0)
        found.append(p["head.weight"] @ y + p["head.bias"])
    return np.stack(found)


@pytest.mark.parametrize("pool", ["sort", "sum", "mean"])
def test_the_network_is_its_formulas_graph_by_graph(pool):
    m = net(pool=pool)
    want = by_hand(m, GRAPHS)
    assert_close(m(GRAPHS).numpy(), want, rtol=1e-6)
    loss, extra = m.objective(Batch(GRAPHS, np.array([0, 1, 1])))
    assert loss.item() == pytest.approx(
        -log_softmax(want, axis=1)[range(3), [0, 1, 1]].mean(), 1e-6
    )
    assert extra["accuracy"] == (want.argmax(axis=1) == [0, 1, 1]).mean()
    assert_close(m.logits(GRAPHS, size=2), want, rtol=1e-6)


@pytest.mark.parametrize("form", ["walk", "gcn", "sage", "gin", "gat"])
def test_numbers_of_nodes_do_not_count(form):
    g = load("rings_and_trees", train=1, valid=0, test=0, seed=3).train.x[0]
    new = np.random.default_rng(0).permutation(g.nodes)
    moved = Graph("moved", g.nodes, np.sort(new[g.edges], axis=1), labels=g.labels)
    for pool in ("sort", "sum"):
        m = net([g], form=form, pool=pool, degrees=True)
        assert_close(m([moved]).numpy(), m([g]).numpy(), rtol=1e-9)


def test_k_is_such_that_the_share_of_graphs_has_more_nodes():
    graphs = [Graph(f"{n}", n, np.array([[0, 1]])) for n in range(11, 31)]
    m = net(graphs, share=0.6)
    assert sum(g.nodes > m.k for g in graphs) / len(graphs) == pytest.approx(0.6, abs=0.05)
    assert net(GRAPHS, share=0.9).k == 10  # what the window along the nodes needs


@pytest.mark.parametrize(
    "changes",
    [{}, {"pool": "sum"}, {"local": True}, {"batch_norm": True, "activation": "relu"},
     {"form": "gat", "degrees": True, "pool": "mean"}],
)  # fmt: skip
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = dgcnn.check(np.random.default_rng(0), **changes)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-5


def test_the_largest_of_a_neighbourhood():
    joined = Encoder([PATH], False, "sum", False)([PATH, PATH])
    h = np.array([[3.0, 0], [1, 9], [0, 1], [5, 2]] * 2)
    want = [[3, 9], [3, 9], [5, 9], [5, 2]] * 2
    assert dgcnn.largest(gg.tensor(h), joined).numpy().tolist() == want


def test_the_largest_is_that_of_each_neighbourhood_and_its_derivative_goes_to_the_first():
    rng = np.random.default_rng(4)
    edges = np.argwhere(np.triu(rng.random((30, 30)) < 0.1, 1))
    g = Graph("random", 31, edges)  # the last node is alone
    h = rng.integers(0, 4, (31, 3)).astype(float)  # with many equals
    near = g.adjacency().toarray() + np.eye(31) > 0
    joined = Encoder([g], False, "mean", True)([g])
    x = gg.tensor(h, requires_grad=True)
    y = dgcnn.largest(x, joined)
    weight, want, slope = rng.normal(size=h.shape), np.zeros_like(h), np.zeros_like(h)
    for i in range(31):
        for d in range(3):
            mine = np.flatnonzero(near[i])
            best = mine[h[mine, d].argmax()]
            want[i, d] = h[best, d]
            slope[best, d] += weight[i, d]
    assert y.numpy().tolist() == want.tolist()
    assert_close(gg.grad(y, x, weight).numpy(), slope)
    assert np.isnan(dgcnn.largest(gg.tensor(h * np.nan), joined).numpy()).all()


def test_a_hub_costs_no_more_than_its_edges():
    """20,000 nodes around one: [n, 1 + the largest degree] would have 4·10⁸ numbers."""
    n = 20_000
    star = Graph("star", n, np.stack([np.zeros(n - 1, int), np.arange(1, n)], axis=1))
    joined = Encoder([star], False, "mean", True)([star])
    h = np.arange(2.0 * n).reshape(n, 2)
    found = dgcnn.largest(gg.tensor(h), joined).numpy()
    assert found[0].tolist() == h[-1].tolist() and np.array_equal(found[1:], h[1:])


def test_nodes_that_know_nothing_look_alike_to_means_but_not_to_sums():
    """The page's failure and what mends it: degrees, or sums."""
    data = load("rings_and_trees", train=30, valid=0, test=0)
    for changes, blind in (({}, True), ({"degrees": True}, False), ({"form": "gin"}, False)):
        m = net(data.train.x, pool="mean", **changes)
        z = m.logits(data.train.x)
        assert (np.ptp(z, axis=0).max() < 1e-6) == blind, changes


def test_sort_pooling_sees_of_such_nodes_only_how_many_there_are():
    """Ring, path and star of 12 nodes look alike, one of 6 does not; nor do 12 with degrees."""
    ring = [[i, (i + 1) % 12] for i in range(12)]
    edges = (ring, ring[:-1], [[0, i] for i in range(1, 12)])
    equal = [Graph(f"g{i}", 12, np.sort(np.array(e), axis=1)) for i, e in enumerate(edges)]
    fewer = Graph("fewer", 6, np.array(ring[:5]))
    wide = {"channels": (16, 32), "dense": 32}  # a few units are above 0
    m, seeing = (net(equal, degrees=degrees, **wide) for degrees in (False, True))
    assert m.k == 12
    assert np.ptp(m(equal).numpy(), axis=0).max() < 1e-9
    assert abs(m([fewer]).numpy() - m(equal[:1]).numpy()).max() > 1e-3
    assert np.ptp(seeing(equal).numpy(), axis=0).max() > 1e-3


def test_the_folds_of_a_cross_validation_are_each_graph_once():
    data, seen = load("rings_and_trees", train=60, valid=20, test=20), []
    for seed in range(10):
        s = dgcnn.Settings(cross=True, seed=seed)
        found = dgcnn.prepare(data, s)
        assert found.valid is None and len(found.train) + len(found.test) == 100
        assert not {g.name for g in found.train.x} & {g.name for g in found.test.x}
        seen += [g.name for g in found.test.x]
    assert len(set(seen)) == len(seen) == 100
    assert dgcnn.prepare(data, dgcnn.Settings()) is data
    with pytest.raises(SettingError, match="cross has the folds 0 to 9; got the seed 10"):
        dgcnn.Settings(cross=True, seed=10)


def test_own_graphs_load_by_path_and_train(tmp_path):
    """A folder in the format of the TU collection: rings and paths, with attributes of nodes."""
    rng, lines, where, classes, values, first = np.random.default_rng(0), [], [], [], [], 1
    for g in range(40):
        n, ring = int(rng.integers(5, 9)), g % 2
        pairs = [(i, i + 1) for i in range(n - 1)] + ([(0, n - 1)] if ring else [])
        lines += [f"{first + u}, {first + v}\n{first + v}, {first + u}" for u, v in pairs]
        where, classes, first = where + [g + 1] * n, [*classes, 2 * ring - 1], first + n
        values += [f"{x:.3f}, 1.0" for x in rng.standard_normal(n)]
    for part, rows in (("A", lines), ("graph_indicator", where), ("graph_labels", classes),
                       ("node_attributes", values)):  # fmt: skip
        (tmp_path / f"MINE_{part}.txt").write_text("\n".join(map(str, rows)) + "\n")
    done, result = training.train_and_write(
        RECIPE, tmp_path, overrides={"epochs": 3, "hidden": (4,)}, out=tmp_path / "runs"
    )
    assert done.settings.degrees and done.system.encoder.features == 2
    assert result["split"] == "test" and done.run.has("reasons.png") and done.run.has("order.png")
    from glassgrad.evaluation import evaluate

    assert evaluate(done.run.folder).figures == result["test"]
    whole = evaluate(done.run.folder, tmp_path)
    assert whole.examples == 40 and np.isfinite(whole.figures["loss"])


def test_graphs_without_classes_or_nodes_are_refused():
    bare = DataSet("bare", Split(GRAPHS), info=Info(kind="graphs"))
    with pytest.raises(SettingError, match="bare has no class labels"):
        RECIPE.build(bare, dgcnn.Settings(), gg.Generator(1))
    empty = Graph("e", 0, np.zeros((0, 2), int))
    data = DataSet("empty", Split([empty, PATH], np.array([0, 1])))
    with pytest.raises(SettingError, match="empty has a graph without nodes"):
        RECIPE.build(data, dgcnn.Settings(), gg.Generator(1))


def test_a_node_is_taken_out():
    x = csr_matrix(np.array([[1.0, 0], [0, 2], [3, 4]]))
    g = dataclasses.replace(TRIANGLE, weights=np.array([1, 2, 3], "float32"),
                            features=(x.data, x.indices, x.indptr, x.shape))  # fmt: skip
    found = dgcnn_pictures.without(g, 1)
    assert found.edges.tolist() == [[0, 1]] and found.weights.tolist() == [2]
    assert found.labels.tolist() == [2, 0]
    assert found.dense_features().tolist() == [[1, 0], [3, 4]]


def test_what_decides_is_the_probability_lost():
    m = net(pool="sum")
    answer, change = dgcnn_pictures.lost(m, PATH)
    for node in range(4):
        z = m([PATH, dgcnn_pictures.without(PATH, node)]).numpy()
        p = np.exp(log_softmax(z, axis=1))[:, answer]
        assert p[0] > 0.5 and change[node] == pytest.approx(p[0] - p[1], abs=1e-12)
