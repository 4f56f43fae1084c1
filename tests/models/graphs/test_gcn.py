"""Networks on one graph compared with dense matrices; the objective, stopping, own graphs."""

import dataclasses

import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, Graph, Info, load
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.graphs import gcn, gcn_pictures
from glassgrad.models.graphs.layers import LAYERS, MATRIX
from glassgrad.models.graphs.neighbourhoods import features, neighbours
from tests.tools import assert_close

RECIPE = models.recipe("gcn")
EDGES = np.array([[0, 1], [0, 2], [0, 4], [1, 2], [2, 3]])  # node 5 has no neighbour
RNG = np.random.default_rng(0)
H = RNG.standard_normal((6, 3))


def graph(weights=None, **more) -> Graph:
    return Graph("g", 6, EDGES, weights=weights, **more)


def dense(rows, values=None):
    """The sparse matrix as a NumPy array."""
    found = np.zeros(rows.pattern.shape)
    np.add.at(found, (rows.pattern.rows, rows.pattern.indices), rows.values)
    return found


@pytest.mark.parametrize("weights", [None, np.array([2, 0.5, 1, 3, 1], "float32")])
def test_matrices_of_neighbourhoods(weights):
    g = graph(weights)
    a = g.adjacency().toarray().astype("float64")
    assert_close(dense(neighbours(g, "sum", loops=False)), a)
    with_loops = a + np.eye(6)
    root = np.diag(with_loops.sum(axis=1) ** -0.5)
    assert_close(dense(neighbours(g, "symmetric", loops=True)), root @ with_loops @ root, 1e-6)
    degree = np.where(a.sum(axis=1) == 0, 1, a.sum(axis=1))
    assert_close(dense(neighbours(g, "mean", loops=False)), a / degree[:, None], 1e-6)


def test_a_negative_weight_has_no_root():
    g = graph(np.array([1, -1, 1, 1, 1], "float32"))
    with pytest.raises(SettingError, match="weight of an edge is negative"):
        neighbours(g, "symmetric", loops=True)
    assert dense(neighbours(g, "sum", loops=False))[0, 2] == -1


def test_features_are_sparse_rows():
    x = np.array([[0, 3.0, 1], [0, 0, 0], [2, 0, -2], [0, 1, 0], [1, 1, 1], [0, 0, 5]])
    from scipy.sparse import csr_matrix

    a = csr_matrix(x)
    g = graph(features=(a.data, a.indices, a.indptr, x.shape))
    sums = np.abs(x).sum(axis=1, keepdims=True)
    assert_close(dense(features(g)), x / np.where(sums == 0, 1, sums), 1e-6)
    assert_close(dense(features(g, normalise=False)), x)
    assert np.array_equal(dense(features(graph())), np.eye(6))


def layer(form, **more):
    made = LAYERS[form](3, 4, gg.Generator(2), dtype="float64", **more)
    for p in made.parameters():  # biases begin with 0
        p.assign(p.numpy() + 0.1 * RNG.standard_normal(p.shape))
    return made


@pytest.mark.parametrize("form", LAYERS)
def test_a_layer_is_its_formula_on_dense_matrices(form):
    made, g = layer(form, **({"heads": 2} if form == "gat" else {})), graph()
    p = {k: v.numpy() for k, v in made.named_parameters()}
    a, w = g.adjacency().toarray(), p["linear.weight"]
    got = made(gg.tensor(H), neighbours(g, *MATRIX[form])).numpy()
    if form == "gcn":
        loops = a + np.eye(6)
        root = np.diag(loops.sum(axis=1) ** -0.5)
        want = root @ loops @ root @ H @ w.T
    elif form == "sage":
        mean = a / np.maximum(a.sum(axis=1, keepdims=True), 1)
        want = H @ p["own.weight"].T + p["own.bias"] + mean @ H @ w.T
    elif form == "gin":
        z = ((1 + p["epsilon"]) * H + a @ H) @ w.T + p["bias"]
        want = np.maximum(z, 0) @ p["second.weight"].T + p["second.bias"]
    else:
        heads = []
        for k in range(2):
            y = H @ w[2 * k : 2 * k + 2].T
            e = (y @ p["left"][k].T) + (y @ p["right"][k].T).T
            e = np.where(a + np.eye(6) > 0, np.where(e > 0, e, 0.2 * e), -np.inf)
            heads.append(softmax(e, axis=1) @ y)
        want = np.concatenate(heads, axis=1) + p["bias"]
    assert_close(got, want, rtol=1e-6)


@pytest.mark.parametrize("form", LAYERS)
def test_numbers_of_nodes_do_not_count(form):
    """The same graph with its nodes in another order: the same answers in that order."""
    order = np.array([3, 1, 5, 0, 2, 4])  # old number of each new node
    new = np.argsort(order)
    moved = np.sort(new[EDGES], axis=1)
    made = layer(form)
    one = made(gg.tensor(H), neighbours(graph(), *MATRIX[form])).numpy()
    two = made(gg.tensor(H[order]), neighbours(Graph("m", 6, moved), *MATRIX[form])).numpy()
    assert_close(two, one[order], rtol=1e-12)


def test_sparse_and_dense_features_give_the_same():
    g = graph()
    for form in LAYERS:
        made, at = layer(form), neighbours(g, *MATRIX[form])
        made.linear.weight.assign(RNG.standard_normal(made.linear.weight.shape))
        sparse = features(Graph("x", 6, EDGES, features=_csr(H)), normalise=False)
        assert_close(
            made(sparse.on(made.linear.weight), at).numpy(),
            made(gg.tensor(H.astype("float32").astype("float64")), at).numpy(),
            rtol=1e-12,
        )


def _csr(x):
    from scipy.sparse import csr_matrix

    a = csr_matrix(x)
    return a.data, a.indices, a.indptr, x.shape


def test_the_loss_is_that_of_the_page():
    data = RECIPE.prepare(load("karate"), gcn.Settings())
    s = gcn.Settings(hidden=(5,), dropout=0.0, weight_decay=0.3)
    net = gcn.NodeNet(data.info.extra["graph"], 2, s, gg.Generator(1), "float64")
    one, two = (layer.linear.weight.numpy() for layer in net.layers)
    a = dense(net.at)  # in float32
    z = a @ np.maximum(a @ one.T, 0) @ two.T
    want = -log_softmax(z[[0, 33]], axis=1)[[0, 1], [0, 1]].mean() + 0.15 * (one**2).sum()
    loss, extra = net.objective(Batch(data.train.x, data.train.y))
    assert loss.item() == pytest.approx(want, rel=1e-12)
    assert extra["accuracy"] == (z[[0, 33]].argmax(axis=1) == [0, 1]).mean()
    net.s = dataclasses.replace(s, decay_all=True)
    more = net.objective(Batch(data.train.x, data.train.y))[0].item() - loss.item()
    assert more == pytest.approx(0.15 * (two**2).sum(), rel=1e-9)
    assert_close(net.answers(np.array([3, 0])), z[[3, 0]], rtol=1e-12)


@pytest.mark.parametrize("form", LAYERS)
def test_the_objective_passes_the_gradient_check(form):
    f, arrays = gcn.check(np.random.default_rng(0), form=form, attention_dropout=0.2)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


def test_training_stops_above_the_mean_of_the_validation_losses():
    net = gcn.NodeNet(load("karate"), 2, gcn.Settings(patience=3), gg.Generator(1))

    def over(*losses):
        history = [{"valid_loss": loss} for loss in losses]
        return net.finished(type("Training", (), {"history": history}))

    assert not over(3, 2, 1) and not over(3, 2, 1, 1.9) and over(3, 2, 1, 2.1)
    assert over(9, 9, 3, 2, 1, 2.1) and not over()
    net.s = dataclasses.replace(net.s, patience=0)
    assert not over(1, 1, 1, 9)


def test_one_step_sees_every_labelled_node_and_no_other():
    data = RECIPE.prepare(load("karate"), gcn.Settings())
    net = RECIPE.build(data, gcn.Settings(), gg.Generator(1))
    (batch,) = net.batches(data, 1, 0, 0, 0)
    assert batch.x.tolist() == [0, 33] and net.batches_per_epoch(data, 1) == 1
    assert not list(net.batches(data, 1, 0, 0, 1))
    assert set(data.test.x) == set(range(1, 33))


def own_files(folder):
    """Two rings of ten nodes with one edge between them, as an edge list and as an .npz file."""
    ring = np.stack([np.arange(10), (np.arange(10) + 1) % 10], axis=1)
    edges = np.concatenate([ring, ring + 10, [[0, 10]]])
    labels = np.repeat([0, 1], 10)
    lines = "".join(f"{u} {v}\n" for u, v in edges)
    (folder / "rings.edges").write_text(lines)
    (folder / "rings_labels.txt").write_text("".join(f"{i} {y}\n" for i, y in enumerate(labels)))
    x = np.eye(20)[:, :7] + np.repeat(np.eye(2), 10, axis=0) @ np.ones((2, 7))
    data, indices, indptr, shape = _csr(x)
    np.savez(folder / "rings.npz", x_data=data.astype("float32"), x_indices=indices,
             x_indptr=indptr, x_shape=shape, labels=labels, edges=edges)  # fmt: skip
    return folder / "rings.edges", folder / "rings.npz"


def test_own_graphs_load_by_path_and_train(tmp_path):
    """Their split is made by the reader; the run is loaded again, and refuses other graphs."""
    for path in own_files(tmp_path):
        done, result = training.train_and_write(
            RECIPE, path, overrides={"epochs": 30}, out=tmp_path / path.suffix[1:]
        )
        assert result["split"] == "test" and done.test_figures["accuracy"] > 0.5
        _, again = training.load(done.run.folder)
        assert np.array_equal(
            again.system.answers(np.arange(20)), done.system.answers(np.arange(20))
        )
        assert done.run.has("nodes.png") and done.run.has("confusion.png")
        from glassgrad.evaluation import evaluate

        assert evaluate(done.run.folder).figures == result["test"]
        with pytest.raises(DataError, match="was trained on one graph"):
            evaluate(done.run.folder, path)


def test_a_graph_in_memory_is_split_by_the_seed():
    labels = np.arange(34) % 2
    g = Graph("mine", 34, load("karate").edges, labels=labels, info=Info(classes=("a", "b")))
    data = RECIPE.prepare(g, gcn.Settings())
    parts = [data.train.x, data.valid.x, data.test.x]
    assert sorted(np.concatenate(parts)) == list(range(34))
    done = training.train(RECIPE, g, overrides={"epochs": 2})
    assert np.isfinite(done.test_figures["loss"])


@pytest.mark.parametrize(
    ("g", "message"),
    [
        (lambda: load("lesmis"), "lesmis has no class for each node"),
        (lambda: graph(label_pairs=np.array([[0, 1]])), "no class for each node, but groups"),
        (lambda: Graph("e", 3, np.zeros((0, 2), int), labels=np.arange(3)), "has no edges"),
        (lambda: graph(labels=np.array([0, 1, 1, -1, -1, -1])), "no split: 3 nodes with a label"),
    ],
)
def test_what_has_no_classes_is_refused(g, message):
    with pytest.raises(SettingError, match=message):
        RECIPE.prepare(g(), gcn.Settings())


def test_settings_that_do_not_fit():
    with pytest.raises(SettingError, match="heads must divide the widths"):
        RECIPE.resolve("karate", {"form": "gat", "hidden": (9,), "heads": 2})
    with pytest.raises(SettingError, match="'heads' has no effect with form=gcn"):
        RECIPE.resolve("karate", {"heads": 2})
    with pytest.raises(SettingError, match="'batch' has no effect on one graph"):
        RECIPE.resolve("karate", {"batch": 2})


def test_distances_are_the_shortest_paths():
    g, sources = load("karate"), np.array([5, 33])
    want = shortest_path(g.adjacency(), unweighted=True)[sources].min(axis=0)
    assert gcn_pictures.distances(g, sources).tolist() == want.tolist()


@pytest.mark.data
def test_cora_is_named_by_its_citations():
    """Far above what words alone tell a logistic regression on the same 140 papers."""
    if not gg.data.available("cora"):
        pytest.skip("cora is not here")
    done = training.train(RECIPE, "cora")
    x = load("cora").dense_features()
    words = LogisticRegression(max_iter=1000).fit(x[done.data.train.x], done.data.train.y)
    alone = words.score(x[done.data.test.x], done.data.test.y)
    assert alone < 0.65 and done.test_figures["accuracy"] > alone + 0.15
    assert len(gcn_pictures.figures(done.system, done.data, done.settings)) == 3
