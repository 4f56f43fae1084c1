"""Skip-gram: its step is the gradient of its loss, a loop of the paper, and what cannot be seen."""

import numpy as np
import pytest
from scipy.special import expit, log_expit
from scipy.stats import chisquare

import glassgrad as gg
from glassgrad.kernels import DTypeError, ShapeError, ValueRangeError, philox, skip_gram
from glassgrad.kernels.skip_gram import alias_table
from glassgrad.kernels.threads import PRODUCTS, parts_for
from tests.kernels.checking import on, threads, why_no_emulator
from tests.tools import assert_close

NO_COMPILER = why_no_emulator()
EMULATED = pytest.param(
    "emulated", marks=pytest.mark.skipif(bool(NO_COMPILER), reason=NO_COMPILER or "there")
)
BACKENDS = ["reference", "numba", "numba v1", EMULATED]
V, D, K = 12, 7, 3


def tables(dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [(0.7 * rng.standard_normal((V, D))).astype(dtype) for _ in range(2)]


def pairs(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, V, n), rng.integers(0, V, n), rng.integers(-1, V, (n, K))


def counted(context, negative):
    return (negative != context[:, None]) & (negative >= 0)


def by_scipy(w, c, centre, context, negative):
    """The sum over pairs, as whole arrays."""
    positive = log_expit((w[centre] * c[context]).sum(axis=1))
    f = np.einsum("nd,nkd->nk", w[centre], c[negative])
    return -positive - np.where(counted(context, negative), log_expit(-f), 0).sum(axis=1)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_is_that_of_scipy(name, dtype):
    (w, c), given = tables(dtype), pairs(40)
    with on(name, "skip_gram"):
        two, one = (skip_gram.loss(w, out, *given) for out in (c, None))
    wide = w.astype("float64"), c.astype("float64")
    assert_close(two, by_scipy(*wide, *given).astype(dtype), reduction=D * K, floor=1.0)
    assert_close(one, by_scipy(wide[0], wide[0], *given).astype(dtype), None, D * K, floor=1.0)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("one_table", [False, True])
def test_a_step_goes_down_the_gradient_of_the_loss(name, one_table):
    """The engine's gradient of the composed formula; words of a pair that are all different."""
    (w, c), words = tables(), np.random.default_rng(1).permutation(V)[: K + 2]
    u, t, negative = words[:1], words[1:2], words[None, 2:]
    leaves = [gg.Tensor(a, requires_grad=True) for a in (w, c)]
    out = leaves[0] if one_table else leaves[1]
    x = gg.embedding(leaves[0], u)
    loss = gg.softplus(-(x * gg.embedding(out, t)).sum())
    for v in negative[0]:
        loss = loss + gg.softplus((x * gg.embedding(out, np.array([v]))).sum())
    wanted = gg.grad(loss, leaves[:1] if one_table else leaves[:2])
    with on(name, "skip_gram"):
        moved = skip_gram.step(w, None if one_table else c, u, t, negative, np.array([0.25]))
        value = skip_gram.loss(w, None if one_table else c, u, t, negative)
    assert value[0] == pytest.approx(loss.item(), rel=1e-12)
    assert (moved[1] is None) == one_table
    for before, after, g in zip((w, c), moved, wanted):
        assert_close(before - after, 0.25 * g.numpy(), rtol=1e-13, floor=1.0)


def loop_of_word2vec(w, c, centre, context, negative, rates):
    """Written after word2vec.c, a number at a time."""
    w, c = w.copy(), c.copy()
    for n in range(len(centre)):
        l1, neu1e = centre[n], [0.0] * D
        for d in range(K + 1):
            if d == 0:
                target, label = context[n], 1
            else:
                target, label = negative[n, d - 1], 0
                if target in (context[n], -1):
                    continue
            f = 0.0
            for a in range(D):
                f += w[l1, a] * c[target, a]
            g = (label - expit(f)) * rates[n]
            for a in range(D):
                neu1e[a] += g * c[target, a]
            for a in range(D):
                c[target, a] += g * w[l1, a]
        for a in range(D):
            w[l1, a] += neu1e[a]
    return w, c


@pytest.mark.parametrize("name", BACKENDS)
def test_many_steps_are_those_of_the_program_of_the_paper(name):
    (w, c), given = tables(), pairs(60)
    rates = np.linspace(0.5, 0.1, 60)
    with on(name, "skip_gram"):
        got = skip_gram.step(w, c, *given, rates)
    for g, want in zip(got, loop_of_word2vec(w, c, *given, rates)):
        assert_close(g, want, rtol=1e-12)


@pytest.mark.parametrize("name", BACKENDS)
def test_in_place_the_arguments_change_and_are_returned(name):
    for shared in (False, True):
        (w, c), given, rates = tables("float32"), pairs(9), np.full(9, 0.1, "float32")
        c = None if shared else c
        with on(name, "skip_gram"):
            want = skip_gram.step(w, c, *given, rates)
            got = skip_gram.step(w, c, *given, rates, in_place=True)
        assert got[0] is w and got[1] is c and np.array_equal(w, want[0])
        assert shared or np.array_equal(c, want[1])


@pytest.mark.parametrize("name", ["numba", "numba v2", "numba v1"])
def test_the_same_bits_with_any_number_of_threads_and_in_any_cut(name):
    """A call of all pairs, so many that threads would share them, or one for each half."""
    record = type("Record", (), {"backend": "numba"})
    w, c = tables("float32")
    n = 40_000
    given, rates = pairs(n), np.full(n, 0.02, "float32")
    assert parts_for(n * (1 + K) * D, n, PRODUCTS) > 1
    found = []
    with on(name, "skip_gram"):
        for number in (1, 2):
            with threads(record, number):
                found.append(skip_gram.step(w, c, *given, rates))
        halves = [[a[part] for a in (*given, rates)] for part in (slice(0, 2001), slice(2001, n))]
        found.append(skip_gram.step(*skip_gram.step(w, c, *halves[0]), *halves[1]))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other))


@pytest.mark.parametrize("name", ["numba", "numba v1", EMULATED])
def test_threads_that_race_learn_as_well(name):
    """Not the same numbers, but the same loss: additions that are lost are few."""
    w, c = tables("float32")
    n = 300 if name == "emulated" else 20_000
    given, rates = pairs(n), np.full(n, 0.02, "float32")
    with on(name, "skip_gram"):
        before = skip_gram.loss(w, c, *given).mean()
        calm = skip_gram.loss(*skip_gram.step(w, c, *given, rates), *given).mean()
        raced = skip_gram.loss(*skip_gram.step(w, c, *given, rates, racing=True), *given).mean()
    assert calm < before and abs(raced - calm) < 0.2 * (before - calm)


@pytest.mark.parametrize("name", BACKENDS)
def test_extremes(name):
    """A product of 1000 is no loss or a loss of 1000; NaN reaches the words of its pair alone."""
    w, c = np.zeros((4, 2), "float32"), np.zeros((4, 2), "float32")
    w[0, 0] = c[1, 0] = 1000.0
    c[2, 0], w[3, 0] = -1000.0, np.nan
    given = np.array([0, 0]), np.array([1, 2]), np.array([[2], [1]])
    with on(name, "skip_gram"):
        assert skip_gram.loss(w, c, *given).tolist() == [0.0, 2e6]
        last = np.array([3]), np.array([1]), np.array([[2]])
        got = skip_gram.step(w, c, *last, np.ones(1, "float32"))
    assert np.isnan(got[0][3]).any() and np.array_equal(got[0][:3], w[:3])
    assert np.isnan(got[1][1:3]).any(axis=1).all() and not np.isnan(got[1][[0, 3]]).any()


# ------------------------------------------------------------------ the negatives


def test_the_alias_table_has_the_probabilities():
    weights = np.array([5.0, 0.0, 1.0, 0.25, 30.0, 1.0])
    keep, other = alias_table(weights)
    p = np.zeros(6)
    np.add.at(p, np.arange(6), keep / 2**32)
    np.add.at(p, other, 1 - keep / 2**32)
    assert_close(p / 6, weights / weights.sum(), rtol=1e-8)
    for bad in ([], [0.0, 0.0], [1.0, -1.0], [1.0, np.nan], [[1.0]], [np.inf]):
        with pytest.raises(ValueRangeError, match="alias_table: weights must"):
            alias_table(bad)


@pytest.mark.parametrize("name", ["reference", "numba"])
def test_words_come_as_often_as_they_should(name):
    weights = np.arange(1.0, 11.0) ** 0.75
    with on(name, "skip_gram"):
        drawn = skip_gram.noise(*alias_table(weights), 4000, 5, seed=3, offset=0)
    seen = np.bincount(drawn.ravel(), minlength=10)
    assert chisquare(seen, weights / weights.sum() * drawn.size).pvalue > 0.01


@pytest.mark.parametrize("name", ["reference", "numba", EMULATED])
def test_draws_go_on_where_the_last_call_ended(name):
    table = alias_table(np.arange(1.0, 9.0))
    first, words = np.array([0, 3, 3, 5]), np.array([0, 1, 2, 0, 2])
    centre = np.array([1, 2, 1, 2])
    with on(name, "skip_gram"):
        whole = skip_gram.noise(*table, 8, 3, 7, 100)
        rest = skip_gram.noise(*table, 4, 3, 7, 100 + philox.blocks(2 * 4 * 3))
        lists = skip_gram.outside(first, words, np.tile(centre, 2), 3, 7, 100)
        last = skip_gram.outside(first, words, centre, 3, 7, 100 + philox.blocks(4 * 3))
    assert np.array_equal(whole[4:], rest) and np.array_equal(lists[4:], last)


@pytest.mark.parametrize("name", ["reference", "numba", EMULATED])
def test_outside_draws_every_other_word_equally_often(name):
    member = np.random.default_rng(2).random((6, 6)) < 0.5
    member[3], member[4] = True, False
    first = np.concatenate([[0], member.sum(axis=1).cumsum()])
    words, n = np.nonzero(member)[1], 60 if name == "emulated" else 1500
    with on(name, "skip_gram"):
        drawn = skip_gram.outside(first, words, np.tile(np.arange(6), n), 2, 1, 0)
    drawn = drawn.reshape(n, 6, 2)
    for u in range(6):
        got = drawn[:, u].ravel()
        if member[u].all():
            assert (got == -1).all()
            continue
        seen = np.bincount(got, minlength=6)
        assert (seen[member[u]] == 0).all() and chisquare(seen[~member[u]]).pvalue > 0.005


def test_errors():
    (w, c), (u, t, v), rates = tables(), pairs(4), np.ones(4)
    with pytest.raises(ShapeError, match=r"c.shape must equal w.shape"):
        skip_gram.loss(w, c[1:], u, t, v)
    with pytest.raises(ShapeError, match=r"w must have the axes \[V, D\]"):
        skip_gram.loss(w[0], None, u, t, v)
    with pytest.raises(DTypeError, match=r"context.dtype must be int64"):
        skip_gram.loss(w, c, u, rates, v)
    with pytest.raises(ValueRangeError, match=rf"centre .* expected 0..{V - 1}, got -1\.\."):
        skip_gram.loss(w, c, u - u.min() - 1, t, v)
    with pytest.raises(ValueRangeError, match=r"negative .* expected -1\.\."):
        skip_gram.loss(w, c, u, t, v - 1 - v.min() - 1)
    with pytest.raises(ShapeError, match=r"negative must have the axes \[N, k\]"):
        skip_gram.loss(w, c, u, t, v[:, 0])
    with pytest.raises(ShapeError, match=r"rates.shape must be \[N\]; expected \(4,\), got \(3,\)"):
        skip_gram.step(w, c, u, t, v, rates[1:])
    with pytest.raises(DTypeError, match=r"rates.dtype must equal w.dtype"):
        skip_gram.step(w, c, u, t, v, rates.astype("float32"))
    with pytest.raises(ShapeError, match=r"w must be C-contiguous to be changed in place"):
        skip_gram.step(w.T.copy().T, c, u, t, v, rates, in_place=True)
    keep, other = alias_table([1.0, 2.0])
    with pytest.raises(ValueRangeError, match=r"noise: other must hold words below 2"):
        skip_gram.noise(keep, other + 2, 1, 1, 0, 0)
    with pytest.raises(ShapeError, match=r"keep must have a word to draw"):
        skip_gram.noise(keep[:0], other[:0], 1, 1, 0, 0)
    first, words = np.array([0, 1, 2]), np.array([0, 1])
    with pytest.raises(ValueRangeError, match=r"first must go from 0 up to words.size"):
        skip_gram.outside(np.array([0, 1, 1]), words, u % 2, 1, 0, 0)
    with pytest.raises(ValueRangeError, match=r"centre must hold words below 2"):
        skip_gram.outside(first, words, u % 2 + 1, 1, 0, 0)
