"""Self-organising maps against SciPy, scikit-learn and the loops of the lectures."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import euclidean_distances

from glassgrad.kernels import (
    DTypeError,
    ShapeError,
    ValueRangeError,
    backend,
    implementations,
    som,
)
from tests.tools import LAYOUTS, assert_close

CPU = [("reference", 1), ("numba", 1), ("numba", 2)]
DTYPES = ["float32", "float64"]


def arrays(dtype, *shapes, seed=0):
    draw = np.random.default_rng(seed)
    return [draw.normal(size=s).astype(dtype) for s in shapes]


def version(which):
    """All of the map's passes on one backend, in one version."""
    return backend(which[0], som=which[1])


def winners(which, x, w):
    """`som.winners` on one version, also where `dispatch` would choose the other."""
    record = next(r for r in implementations("som", "winners") if (r.backend, r.version) == which)
    return record.function(x, w)


def grid_kernel(rows, columns):
    """exp(-grid distance) between the nodes of a grid, in a plain loop."""
    at = [(i, j) for i in range(rows) for j in range(columns)]
    return np.array([[np.exp(-abs(a - i) - abs(b - j)) for i, j in at] for a, b in at])


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N, M, D", [(1, 1, 1), (7, 33, 3), (33, 31, 5), (17, 127, 33)])
def test_distances_against_scipy_and_sklearn(which, dtype, N, M, D):
    x, w = arrays(dtype, (N, D), (M, D))
    with version(which):
        d2 = som.distances(x, w)
    assert_close(d2, cdist(x, w, "sqeuclidean").astype(dtype), reduction=D)
    sk = euclidean_distances(x.astype("float64"), w.astype("float64"), squared=True)
    assert_close(d2, sk.astype(dtype), reduction=D)


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N, M, D", [(1, 1, 1), (40, 33, 3), (520, 100, 40), (20, 64, 127)])
def test_winners_against_scipy(which, dtype, N, M, D):
    x, w = arrays(dtype, (N, D), (M, D))
    want = cdist(x.astype("float64"), w.astype("float64"), "sqeuclidean")
    index, d2 = winners(which, x, w)
    assert index.dtype == np.int64
    assert np.array_equal(index, want.argmin(1))
    assert_close(d2, want.min(1).astype(dtype), reduction=D)


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("offset", [1000.0, -30000.0])
def test_winners_far_from_the_origin(which, offset):
    """At 1000 the three-term formula has no correct digit left in float32."""
    x, w = arrays("float32", (300, 36), (50, 36))
    x, w = x + np.float32(offset), w + np.float32(offset)  # rounded once, then the data are these
    want = cdist(x.astype("float64"), w.astype("float64"), "sqeuclidean")
    index, d2 = winners(which, x, w)
    assert np.array_equal(index, want.argmin(1))
    assert_close(d2, want.min(1).astype("float32"), reduction=36)
    naive = ((x**2).sum(1)[:, None] - 2 * x @ w.T + (w**2).sum(1)).argmin(1)
    assert (naive != want.argmin(1)).mean() > 0.2  # the trap is there


@pytest.mark.parametrize("which", CPU)
def test_samples_far_from_all_nodes(which):
    """Centring does not help here: float32 cannot tell the nodes apart by matrix products, and
    hardly by differences, but the winner must still be the arg-min of direct distances.
    """
    x, w = arrays("float32", (60, 40), (70, 40))
    x, w = x + np.float32(500), w * np.float32(1e-3)
    index, d2 = winners(which, x, w)
    assert_close(d2, cdist(x, w, "sqeuclidean").min(1).astype("float32"), reduction=40)
    with version(which):
        direct = som.distances(x, w)
    assert np.array_equal(index, direct.argmin(1)) and np.array_equal(d2, direct.min(1))


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("M", [1, 7, 31, 32, 33, 64, 100])
@pytest.mark.parametrize("D", [1, 3, 33])
def test_equal_nodes_tie_and_the_lowest_wins(which, dtype, M, D):
    """Every node stands several times, at places in different lanes, with values that round."""
    x, few = arrays(dtype, (50, D), (max(M // 3, 1), D), seed=M)
    copies = np.random.default_rng(D).integers(0, len(few), M)
    index, _ = winners(which, x, few[copies])
    first = np.array([np.flatnonzero(copies == c)[0] for c in copies])
    assert np.array_equal(index, first[index])


@pytest.mark.parametrize("which", CPU)
def test_integer_ties(which):
    x = np.random.default_rng(0).integers(-2, 3, (400, 3)).astype("float32")
    w = np.random.default_rng(1).integers(-2, 3, (60, 3)).astype("float32")
    want = cdist(x, w, "sqeuclidean")
    assert ((want == want.min(1, keepdims=True)).sum(1) > 1).mean() > 0.3  # ties abound
    index, d2 = winners(which, x, w)
    assert np.array_equal(index, want.argmin(1)) and np.array_equal(d2, want.min(1))


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("M", [3, 40])
def test_winners_with_nan_and_infinity(which, M):
    x, w = arrays("float32", (5, 3), (M, 3))
    x[0] = np.nan
    x[1, 2] = np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        index, d2 = winners(which, x, w)
        assert index[0] == 0 and np.isnan(d2[0])  # all distances are NaN
        assert index[1] == 0 and np.isposinf(d2[1])  # all are infinite: the lowest
        w[0] = np.nan
        index, d2 = winners(which, x, w)
        assert index[1] == 1 and np.isposinf(d2[1])  # infinity beats NaN
        assert np.array_equal(index[2:], 1 + cdist(x[2:], w[1:], "sqeuclidean").argmin(1))
        huge = np.float32(1e30)  # squares overflow: every distance is infinite or zero
        index, d2 = winners(which, w[1:2] * huge, w[1:] * huge)
    assert index.tolist() == [0] and d2.tolist() == [0.0]


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
def test_update_is_the_sum_over_samples(which, dtype):
    w, x = arrays(dtype, (12, 5), (40, 5))
    winner = np.random.default_rng(2).integers(0, 12, 40)
    K = grid_kernel(3, 4).astype(dtype)
    want = {rule: w.astype("float64") for rule in ("difference", "additive")}
    for n in range(40):
        for m in range(12):
            h = 0.05 * float(K[winner[n], m])
            want["difference"][m] = want["difference"][m] + h * (x[n].astype(float) - w[m])
            want["additive"][m] = want["additive"][m] + h * x[n].astype(float)
    norm = np.linalg.norm(want["additive"], axis=1, keepdims=True)
    want["additive_normalised"] = want["additive"] / norm
    with version(which):
        for rule, value in want.items():
            got = som.update(w, x, winner, K, 0.05, rule)
            assert_close(got, value.astype(dtype), reduction=40, what=rule)
        assert_close(som.update(w, x, winner, K, 0.05), want["difference"].astype(dtype), 1e-5)


@pytest.mark.parametrize("which", CPU)
def test_update_does_not_cancel_far_from_the_origin(which):
    w, x = arrays("float32", (30, 4), (600, 4))
    w, x = w + np.float32(1000), x + np.float32(1000)
    K = grid_kernel(5, 6).astype("float32")
    winner, _ = som.winners(x, w)
    with version(which):
        got = som.update(w, x, winner, K, 0.01)
    pull = K.astype(float)[winner]
    want = w + 0.01 * (pull.T @ x.astype(float) - pull.sum(0)[:, None] * w.astype(float))
    assert np.abs(got - want).max() < 3e-4  # an ulp of 1000 is 6e-5


def test_unit_neighbourhood_and_full_rate_is_k_means():
    """With K = I and rate 1 / count a batch step puts each node on the mean of its samples."""
    w, x = arrays("float64", (4, 3), (50, 3))
    winner, _ = som.winners(x, w)
    for m in range(4):
        mine = x[winner == m]
        new = som.update(w, x, winner, np.eye(4), 1 / len(mine))
        assert_close(new[m], mine.mean(0))


def lecture_loop(w, x, table, schedule, rates, rule):
    w, index, d2 = w.astype("float64").copy(), [], []
    for n in range(len(x)):
        distance = [float(((x[n].astype(float) - w_m) ** 2).sum()) for w_m in w]
        c = distance.index(min(distance))
        index.append(c)
        d2.append(distance[c])
        for m in range(len(w)):
            h = float(rates[n]) * float(table[schedule[n], c, m])
            w[m] = w[m] + h * (x[n] - w[m] if rule == "difference" else x[n])
        if rule == "additive_normalised":
            for m in range(len(w)):
                w[m] = w[m] / np.sqrt((w[m] ** 2).sum())
    return w, np.array(index), np.array(d2)


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rule", som.RULES)
@pytest.mark.parametrize("grid, D", [((2, 3), 2), ((5, 7), 6)])
def test_online_against_the_lecture_loop(which, dtype, rule, grid, D):
    M, N = grid[0] * grid[1], 80
    w, x = arrays(dtype, (M, D), (N, D), seed=3)
    table = np.stack([grid_kernel(*grid) ** s for s in (1, 3)]).astype(dtype)
    schedule, rates = np.arange(N) // 40, np.linspace(0.5, 0.1, N).astype(dtype)
    want, index, d2 = lecture_loop(w, x, table, schedule, rates, rule)
    before = w.copy()
    with version(which):
        got, got_index, got_d2 = som.online(w, x, table, schedule, rates, rule)
    assert np.array_equal(got_index, index) and got_index.dtype == np.int64
    assert_close(got, want.astype(dtype), reduction=N)
    assert_close(got_d2, d2.astype(dtype), reduction=N * D)
    assert np.array_equal(w, before) and got.flags.c_contiguous


@pytest.mark.parametrize("which", CPU)
def test_online_leaves_nodes_outside_the_neighbourhood_alone(which):
    """Hard competition: one node moves a sample; a NaN sample spoils one node, not the map."""
    w, x = arrays("float32", (40, 3), (10, 3))
    x[4] = np.nan
    with version(which):
        new, index, d2 = som.online(
            w, x, np.eye(40, dtype="float32")[None], np.zeros(10, int), np.full(10, 0.1, "float32")
        )
    moved = (new != w).any(axis=1)
    assert set(np.flatnonzero(moved)) == set(index.tolist())
    assert index[4] == 0 and np.isnan(d2[4])
    assert np.isnan(new).any(axis=1).sum() == 1 and np.isnan(new[0]).all()


@pytest.mark.parametrize("which", CPU)
def test_online_leaves_every_bit_of_other_nodes_alone(which):
    """Zeros of both signs, infinities and NaN stay what they are where K is 0."""
    w, x = arrays("float32", (40, 3), (10, 3))
    w[1:5] = np.array([[0.0], [-0.0], [np.inf], [np.nan]])
    x[4] = np.inf
    with version(which), np.errstate(invalid="ignore"):
        new, index, _ = som.online(
            w, x, np.eye(40, dtype="float32")[None], np.zeros(10, int), np.full(10, 0.1, "float32")
        )
    others = np.setdiff1d(np.arange(40), index)
    assert {2, 3, 4} <= set(others.tolist())
    assert np.array_equal(new[others].view("int32"), w[others].view("int32"))


@pytest.mark.parametrize("which", CPU)
def test_additive_rule_grows_and_normalising_cures_it(which):
    w, x = arrays("float64", (6, 3), (500, 3))
    x = np.abs(x)
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    rest = grid_kernel(2, 3)[None], np.zeros(500, int), np.full(500, 0.1)
    with version(which):
        grown, _, _ = som.online(w, x, *rest, "additive")
        cured, _, _ = som.online(w, x, *rest, "additive_normalised")
        zero, _, _ = som.online(w * 0, x * 0, *rest, "additive_normalised")
    assert np.linalg.norm(grown, axis=1).min() > 10
    assert_close(np.linalg.norm(cured, axis=1), np.ones(6))
    assert not zero.any()  # a row without a direction stays


def test_online_orders_a_map():
    """Trained on a square, neighbours on the grid end up neighbours in the plane."""
    draw = np.random.default_rng(5)
    x = draw.random((4000, 2))
    w = draw.uniform(-1 / 128, 1 / 128, (64, 2))
    table = np.stack([grid_kernel(8, 8) ** s for s in (0.3, 0.6, 1.0, 2.0)])
    schedule, rates = np.arange(4000) // 1000, np.full(4000, 0.1)
    new, _, d2 = som.online(w, x, table, schedule, rates)
    sheet = new.reshape(8, 8, 2)
    near = np.linalg.norm(np.diff(sheet, axis=0), axis=2).mean()
    assert near < 0.5 * cdist(new, new).mean()
    assert d2[-500:].mean() < 0.2 * d2[:50].mean()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    w, x, K = (LAYOUTS[layout](a) for a in arrays("float32", (40, 36), (50, 36), (40, 40)))
    table, rates = LAYOUTS[layout](np.stack([K, K])), LAYOUTS[layout](np.full(50, 0.01, "float32"))
    schedule, winner = LAYOUTS[layout](np.arange(50) % 2), LAYOUTS[layout](np.arange(50) % 40)

    def run():
        yield som.distances(x, w)
        yield from som.winners(x, w)
        yield som.update(w, x, winner, K, 0.01)
        yield from som.online(w, x, table, schedule, rates)

    got = list(run())
    with backend("reference"):
        for fast, slow in zip(got, run()):
            assert fast.flags.c_contiguous
            if fast.dtype == np.int64:
                assert np.array_equal(fast, slow)
            else:
                assert_close(fast, slow, reduction=50 * 36)


@pytest.mark.parametrize("which", CPU)
@pytest.mark.parametrize("N, M, D", [(0, 3, 2), (0, 0, 2), (4, 3, 0)])
def test_empty(which, N, M, D):
    x, w = np.zeros((N, D)), np.zeros((M, D))
    with version(which):
        assert som.distances(x, w).shape == (N, M)
        index, d2 = som.winners(x, w)
        assert index.tolist() == [0] * N and d2.tolist() == [0.0] * N
        for rule in som.RULES:
            new = som.update(w, x, index, np.zeros((M, M)), 0.1, rule)
            assert new.shape == (M, D)
            new, index, d2 = som.online(w, x, np.zeros((1, M, M)), index, np.zeros(N), rule)
            assert new.shape == (M, D) and index.shape == d2.shape == (N,)


def test_errors():
    x, w, K = np.zeros((4, 2)), np.zeros((3, 2)), np.zeros((3, 3))
    some, rates = np.zeros(4, int), np.zeros(4)
    with pytest.raises(ShapeError, match=r"w\.shape\[1\] must equal.*expected 2, got 5"):
        som.distances(x, np.zeros((3, 5)))
    with pytest.raises(ShapeError, match="2 axes"):
        som.winners(x[0], w)
    with pytest.raises(ShapeError, match="needs a node"):
        som.winners(x, w[:0])
    with pytest.raises(DTypeError, match=r"w\.dtype"):
        som.winners(x, w.astype("float32"))
    with pytest.raises(ShapeError, match=r"neighbourhood\.shape"):
        som.update(w, x, some, K[:2], 0.1)
    with pytest.raises(ShapeError, match=r"winner\.shape"):
        som.update(w, x, some[:3], K, 0.1)
    with pytest.raises(DTypeError, match="integers"):
        som.update(w, x, rates, K, 0.1)
    for bad in -1, 3:
        with pytest.raises(ValueRangeError, match=r"0\.\.2"):
            som.update(w, x, np.array([0, 1, 2, bad]), K, 0.1)
    with pytest.raises(ValueRangeError, match="did you mean 'difference'"):
        som.update(w, x, some, K, 0.1, "diference")
    with pytest.raises(ValueRangeError, match="did you mean 'additive_normalised'"):
        som.online(w, x, K[None], some, rates, "additive-normalized")
    with pytest.raises(ShapeError, match=r"table\.shape"):
        som.online(w, x, K, some, rates)
    with pytest.raises(ShapeError, match=r"rates\.shape"):
        som.online(w, x, K[None], some, rates[:2])
    with pytest.raises(ValueRangeError, match="schedule"):
        som.online(w, x, K[None], some + 1, rates)
    with pytest.raises(ShapeError, match="needs a node"):
        som.online(w[:0], x, np.zeros((1, 0, 0)), some, rates)
