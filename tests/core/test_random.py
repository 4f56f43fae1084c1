"""Generators: the same seed and offset give the same numbers, children and draws do not overlap."""

import numpy as np
import pytest
import scipy.stats

import glassgrad as gg
from glassgrad.kernels.errors import DTypeError, ShapeError, ValueRangeError


def draws(g):
    return [g.uniform((3, 2)), g.normal((5,)), g.permutation(7), g.integers(10, 6), g.normal()]


def test_same_seed_same_numbers():
    for a, b in zip(draws(gg.Generator(42)), draws(gg.Generator(42))):
        assert np.array_equal(a, b)
    assert not np.array_equal(gg.Generator(42).normal((9,)), gg.Generator(43).normal((9,)))


def test_an_offset_continues_the_stream():
    whole = gg.Generator(1).uniform((12,))
    assert np.array_equal(gg.Generator(1, offset=2).uniform((4,)), whole[8:])


def test_draws_of_one_generator_do_not_overlap():
    g = gg.Generator(1)
    values = np.concatenate([g.uniform((n,), dtype="float64") for n in (1, 2, 3, 4, 5, 100)])
    assert len(np.unique(values)) == values.size


def test_state_round_trip():
    g = gg.Generator(5)
    g.normal((10,))
    kept = g.state
    first = draws(g)
    other = gg.Generator()
    other.state = kept
    for a, b in zip(first, draws(other)):
        assert np.array_equal(a, b)
    assert other.state == g.state
    assert all(type(v) is int for v in kept)


def test_children():
    g = gg.Generator(7)
    names = ["", "a", "b", "ab", "a/b", *range(200)]
    seeds = {g.child(n).seed for n in names}
    assert len(seeds) == len(names)
    assert g.child("a", 1).seed == gg.Generator(7, offset=99).child("a", 1).seed
    assert g.child("a").seed != gg.Generator(8).child("a").seed
    assert g.child("a").child("b").seed != g.child("b").child("a").seed
    assert g.state == (7, 0)  # asking for a child draws nothing
    streams = [g.child("layer", i).normal((1000,), "float64") for i in range(4)]
    r = np.corrcoef(streams)
    assert np.abs(r - np.eye(4)).max() < 0.15


def test_both_dtypes_follow_one_stream():
    a, b = gg.Generator(3), gg.Generator(3)
    assert np.array_equal(a.uniform((100,)), b.uniform((100,), dtype="float64"))
    x, y = a.normal((1000,)), b.normal((1000,), "float64")
    assert x.dtype == "float32" and y.dtype == "float64" and np.abs(x - y).max() < 1e-5


def test_uniform_is_uniform_and_half_open():
    u = gg.Generator(11).uniform((20_000,), low=-3.0, high=5.0)
    assert u.dtype == "float32" and u.min() >= -3 and u.max() < 5
    assert scipy.stats.kstest((u.astype(float) + 3) / 8, "uniform").pvalue > 1e-3


def test_rounding_does_not_reach_the_upper_end(monkeypatch):
    most = np.full(4, 1 - 2.0**-24, "float32")  # 1 + most rounds up to 2 in float32
    monkeypatch.setattr("glassgrad.core.random.philox.uniform", lambda *a: most)
    assert (gg.Generator(1).uniform((4,), low=1.0, high=2.0) < 2.0).all()


def test_normal_is_normal():
    z = gg.Generator(12).normal((20_000,), "float64")
    assert scipy.stats.kstest(z, "norm").pvalue > 1e-3


def test_bernoulli():
    p = np.array([0.0, 1.0] * 5000 + [0.3] * 20_000, "float32")
    b = gg.Generator(13).bernoulli(gg.tensor(p))
    assert b.dtype == "float32" and set(np.unique(b)) == {0.0, 1.0}
    assert b[:10_000:2].sum() == 0 and b[1:10_000:2].all()
    assert abs(b[10_000:].mean() - 0.3) < 0.02


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_permutation(n):
    p = gg.Generator(14).permutation(n)
    assert p.dtype == np.int64 and sorted(p.tolist()) == list(range(n))


def test_permutations_are_all_equally_likely():
    g, counts = gg.Generator(15), {}
    for _ in range(3000):
        key = tuple(g.permutation(3).tolist())
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 6
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_integers():
    values = gg.Generator(16).integers(6, 6000)
    assert values.dtype == np.int64
    assert scipy.stats.chisquare(np.bincount(values, minlength=6)).pvalue > 1e-3
    assert set(gg.Generator(16).integers(1, 5).tolist()) == {0}
    large = gg.Generator(16).integers(2**32, 1000)
    assert large.min() >= 0 and large.max() < 2**32 and large.max() > 2**31


def test_bad_requests_leave_the_stream_where_it_was():
    g = gg.Generator(1)
    with pytest.raises(ShapeError, match=r"Generator: a draw must not be negative"):
        g.take(-1)
    with pytest.raises(ValueRangeError, match=r"integers: high must fit 32 bits; .* got 0"):
        g.integers(0, 3)
    with pytest.raises(ValueRangeError, match="uniform: high must not be below low; expected ≥ 1"):
        g.uniform((2,), low=1.0, high=0.0)
    assert g.state == (1, 0)
    with pytest.raises(DTypeError, match=r"Generator\.normal: dtype has the wrong type"):
        g.normal((2,), "float16")


def test_shapes():
    g = gg.Generator(1)
    assert (
        g.uniform().shape == () and g.normal(3).shape == (3,) and g.normal((0, 2)).shape == (0, 2)
    )


def test_seeds_are_integers_of_64_bits():
    assert gg.Generator(2**64 - 1).seed == 2**64 - 1
    assert type(gg.Generator(np.uint64(3)).seed) is int
    with pytest.raises(ValueRangeError, match="Generator: seed must fit 64 bits; expected 0"):
        gg.Generator(-1)
    for bad in 2**64, 2**64 + 3:
        with pytest.raises(ValueRangeError, match=r"seed is not allowed; expected .* 64 bits"):
            gg.Generator(bad)
    for bad in 1.5, "7", None, np.float32(2):
        with pytest.raises(DTypeError, match="Generator: seed has the wrong type; expected an int"):
            gg.Generator(bad)
    with pytest.raises(ValueRangeError, match="Generator: offset must fit 64 bits"):
        gg.Generator(1).state = (1, -1)


@pytest.mark.parametrize("p", [[0.5, 1.5], [-0.1], [np.nan, 0.5], 2])
def test_probabilities_outside_0_to_1_are_refused(p):
    g = gg.Generator(1)
    with pytest.raises(ValueRangeError, match=r"bernoulli: p must hold probabilities; expected 0"):
        g.bernoulli(p)
    assert g.state == (1, 0)


def test_bernoulli_of_numbers_and_lists():
    assert gg.Generator(1).bernoulli(1).tolist() == 1.0
    assert gg.Generator(1).bernoulli([0.0, 1.0]).tolist() == [0.0, 1.0]
    assert gg.Generator(1).bernoulli(np.zeros(0)).shape == (0,)
