"""Walks: the two versions are equal, and both have the probabilities of the formula."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chisquare

from glassgrad import kernels
from glassgrad.core.data import DataError, Graph, load
from glassgrad.models.embeddings import walks as module
from glassgrad.models.embeddings.walks import neighbourhoods, walks
from tests.tools import on_threads


def graph(weights=False, seed=0, nodes=30, edges=70):
    rng = np.random.default_rng(seed)
    pairs = {(min(u, v), max(u, v)) for u, v in rng.integers(0, nodes - 1, (edges, 2)) if u != v}
    pairs = np.array(sorted(pairs))  # the last node has no edge
    w = rng.integers(0, 5, len(pairs)).astype("float32") if weights else None
    return Graph("g", nodes, pairs, weights=w)


CASES = {
    "plain": (graph(), 1.0, 1.0),
    "back and forth": (graph(), 0.1, 4.0),
    "far": (graph(), 4.0, 0.25),
    "weights": (graph(True), 0.5, 2.0),
    "lesmis": (load("lesmis"), 1.0, 0.5),
    "leaves": (Graph("star", 5, np.array([[0, k] for k in range(1, 5)])), 900.0, 0.01),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("length", [1, 2, 40])
def test_the_compiled_version_equals_the_reference(case, length):
    g, p, q = CASES[case]
    near, starts = neighbourhoods(g), np.arange(g.nodes).repeat(3)
    got = walks(near, starts, length, p, q, seed=2**40 + 7)
    with kernels.backend("reference"):
        want = walks(near, starts, length, p, q, seed=2**40 + 7)
    assert got.dtype == np.int64 and np.array_equal(got, want)
    other = on_threads(2, walks, near, starts.repeat(300), length, p, q, 5)
    assert np.array_equal(other, on_threads(1, walks, near, starts.repeat(300), length, p, q, 5))


def test_a_walk_goes_along_edges_and_ends_where_there_is_none():
    g, p, q = CASES["weights"]
    a, found = g.adjacency().toarray(), walks(neighbourhoods(g), np.arange(30), 50, p, q, 1)
    for walk in found:
        nodes = walk[walk >= 0]
        alone = a[walk[0]].sum() == 0
        assert len(nodes) == (1 if alone else 50)
        assert all(a[u, v] > 0 for u, v in pairwise(nodes))
    assert (found[29, 1:] == -1).all()


def test_a_walk_does_not_depend_on_the_others_nor_on_its_length():
    g, p, q = CASES["far"]
    near, starts = neighbourhoods(g), np.arange(20)
    whole = walks(near, starts, 60, p, q, 3)
    assert np.array_equal(walks(near, starts[:4], 60, p, q, 3), whole[:4])
    assert np.array_equal(walks(near, starts, 25, p, q, 3), whole[:, :25])
    assert not np.array_equal(walks(near, starts, 60, p, q, 4), whole)


@pytest.mark.parametrize(("p", "q", "weights"), [(1, 1, False), (0.25, 4, True), (3, 0.2, True)])
@pytest.mark.parametrize("backend", ["numba", "reference"])
def test_steps_have_the_probabilities_of_the_formula(p, q, weights, backend):
    """From t = 0 to v = 1, which has three neighbours besides: near t, far from it, heavy."""
    edges = np.array([[0, 1], [0, 2], [1, 2], [1, 3], [1, 4], [3, 4]])
    w = np.array([2, 1, 3, 1, 4, 1], "float32") if weights else None
    g = Graph("g", 5, edges, weights=w)
    with kernels.backend(backend):
        found = walks(neighbourhoods(g), np.zeros(40_000, np.int64), 3, p, q, 11)
    a = g.adjacency().toarray().astype(float)
    first = np.bincount(found[:, 1], minlength=5)
    assert chisquare(first[[1, 2]], 40_000 * a[0, [1, 2]] / a[0].sum()).pvalue > 1e-4
    second = np.bincount(found[found[:, 1] == 1, 2], minlength=5)
    alpha = np.array([1 / p, 0, 1, 1 / q, 1 / q])
    share = alpha * a[1] / (alpha * a[1]).sum()
    open_ = share > 0
    assert (second[~open_] == 0).all()
    assert chisquare(second[open_], second.sum() * share[open_]).pvalue > 1e-4


def test_negative_weights_are_refused():
    g = Graph("mine", 2, np.array([[0, 1]]), weights=np.array([-1.0], "float32"))
    with pytest.raises(DataError, match="mine: walks need weights that are not negative"):
        neighbourhoods(g)


def test_neighbourhoods_are_those_of_the_adjacency_matrix():
    g = graph(True)
    near, a = neighbourhoods(g), g.adjacency().toarray()
    for v in range(g.nodes):
        own = near.near[near.first[v] : near.first[v + 1]]
        assert own.tolist() == np.flatnonzero(a[v] > 0).tolist()
    assert module.acceptances(1, 1).tolist() == [2**32] * 3
