"""Splits, orders, minibatches, padding, windows and folds, against plain loops."""

import itertools

import numpy as np
import pytest

from glassgrad.core.data import (
    DataError,
    DataSet,
    Info,
    Split,
    binarised,
    count,
    folds,
    join,
    minibatches,
    order,
    pad,
    streams,
    three_way,
    windows,
)
from tests.tools import assert_close


def test_order_by_a_plain_loop():
    """The order sorts 64-bit keys made of two words of the stream; here with Python integers."""
    n, seed, epoch = 33, 2**63 + 5, 3
    words = streams.bits(seed, (4 << 60) + (epoch << 32), 2 * n).tolist()
    keys = [words[2 * i] * 2**32 + words[2 * i + 1] for i in range(n)]
    assert order(n, seed, epoch).tolist() == sorted(range(n), key=keys.__getitem__)


def test_order_is_fixed_for_ever():
    """Known values: a change here would silently change every recorded split and run."""
    assert order(10, 0).tolist() == [3, 6, 2, 5, 9, 8, 7, 4, 0, 1]
    assert order(10, 12345, 7).tolist() == [0, 8, 6, 4, 5, 9, 3, 7, 2, 1]


@pytest.mark.parametrize("n", [0, 1, 2, 31, 1000])
def test_order_is_a_permutation(n):
    p = order(n, seed=4)
    assert p.dtype == np.int64 and sorted(p.tolist()) == list(range(n))
    assert order(n, 4, shuffle=False).tolist() == list(range(n))


def test_order_differs_by_seed_and_epoch_and_is_uniform():
    seen = {tuple(order(50, seed, epoch)) for seed in range(4) for epoch in range(4)}
    assert len(seen) == 16
    counts = dict.fromkeys(itertools.permutations(range(3)), 0)
    for epoch in range(1200):
        counts[tuple(order(3, 9, epoch).tolist())] += 1
    chi2 = sum((c - 200) ** 2 / 200 for c in counts.values())
    assert chi2 < 20.5  # 5 degrees of freedom, p = 0.001


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((-1, 0), "n must be from 0"),
        ((3.0, 0), "n has the wrong type; .* got 3.0"),
        ((3, -1), "seed must be from 0"),
        ((3, 2**64), "seed is not allowed"),
        ((3, 0, -1), "epoch must be from 0"),
        ((3, None), "seed has the wrong type"),
    ],
)
def test_order_faults(arguments, message):
    with pytest.raises(DataError, match=message):
        order(*arguments)


def test_uniform_rows_are_rows_of_the_stream():
    seed, region = 2**40 + 1, streams.SYNTHETIC
    got = streams.uniform_rows(seed, region, 5, 3, 7)
    rows = [streams.uniform((7,), seed, region + (k << 32), "float64") for k in (5, 6, 7)]
    assert (got == np.array(rows)).all()
    assert streams.uniform_rows(seed, region, 0, 0, 7).shape == (0, 7)
    many = streams.uniform_rows(1, region, 0, 40, 10_000)  # more than one part
    assert (many[39] == streams.uniform_rows(1, region, 39, 1, 10_000)[0]).all()


def examples(n=11):
    return Split(np.arange(2 * n).reshape(n, 2), np.arange(n))


@pytest.mark.parametrize("size", [1, 3, 11, 50])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_minibatches_cover_an_epoch(size, drop_last, shuffle):
    if size > 11 and drop_last:
        with pytest.raises(DataError, match="drop_last leaves nothing of 11 examples for size 50"):
            minibatches(examples(), size, drop_last=True)
        return
    got = list(minibatches(examples(), size, 3, 2, drop_last=drop_last, shuffle=shuffle))
    assert len(got) == count(11, size, drop_last)
    ys = np.concatenate([b.y for b in got]).tolist()
    expected = order(11, 3, 2, shuffle).tolist()
    assert ys == expected[: 11 // size * size if drop_last else 11]
    assert all((b.x[:, 0] == 2 * b.y).all() for b in got)


def test_minibatches_resume():
    whole = [b.y.tolist() for b in minibatches(examples(), 2, seed=1, epoch=5)]
    for start in range(7):
        again = [b.y.tolist() for b in minibatches(examples(), 2, seed=1, epoch=5, start=start)]
        assert again == whole[start:]


def test_minibatches_of_lists():
    ragged = Split([np.full((k + 1, 2), k) for k in range(5)], [np.full(k, k) for k in range(5)])
    for batch in minibatches(ragged, 2, seed=1):
        assert all(len(x) == x[0, 0] + 1 and len(y) == x[0, 0] for x, y in zip(batch.x, batch.y))


def test_minibatches_copy_or_view():
    split = examples()
    assert not np.shares_memory(next(minibatches(split, 3)).x, split.x)
    assert np.shares_memory(next(minibatches(split, 3, shuffle=False)).x, split.x)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"size": 0}, "size must be from 1"),
        ({"size": -3}, "size must be from 1"),
        ({"size": 2.5}, "size has the wrong type"),
        ({"size": 2, "start": 7}, "start must be from 0 to 6; got 7"),
        ({"size": 2, "start": -1}, "start must be from 0"),
    ],
)
def test_minibatches_faults_come_at_once(options, message):
    with pytest.raises(DataError, match=message):
        minibatches(examples(), **options)
    with pytest.raises(DataError, match="the split is empty"):
        minibatches(examples(0), 4)


def test_pad():
    sequences = [np.ones((3, 2), np.float32), np.zeros((0, 2), np.float32), np.full((5, 2), 7.0)]
    x, mask = pad(sequences, value=-1)
    assert x.shape == (5, 3, 2) and mask.shape == (5, 3) and mask.dtype == np.float32
    for t, n in itertools.product(range(5), range(3)):
        inside = t < len(sequences[n])
        assert mask[t, n] == inside
        assert (x[t, n] == (sequences[n][t] if inside else -1)).all()
    tokens, _ = pad([np.array([5])], at_least=4)
    assert tokens.dtype == np.int64 and tokens.T.tolist() == [[5, 0, 0, 0]]
    with pytest.raises(DataError, match="there are no sequences"):
        pad([])
    with pytest.raises(DataError, match=r"sequence 0 has shape \(3, 2\), sequence 1 has \(3, 4\)"):
        pad([np.ones((3, 2)), np.ones((3, 4))])


@pytest.mark.parametrize("n, batch, steps", [(2, 1, 1), (30, 4, 3), (31, 3, 5), (32, 3, 100)])
def test_windows(n, batch, steps):
    tokens = np.arange(100, 100 + n)
    got = list(windows(tokens, batch, steps))
    length = (n - 1) // batch
    x = np.concatenate([w[0] for w in got])
    for t, row in itertools.product(range(length), range(batch)):
        assert x[t, row] == tokens[row * length + t]
    for wx, wy in got:
        assert (wy == wx + 1).all() and wx.flags.c_contiguous and len(wx) <= steps
    assert all(len(wx) == steps for wx, _ in got[:-1])
    again = [w[0].tolist() for w in windows(tokens, batch, steps, start=1)]
    assert again == [w[0].tolist() for w in got[1:]]


def test_windows_faults():
    with pytest.raises(DataError, match="4 tokens are too few for 4 rows"):
        windows(np.arange(4), 4, 2)
    with pytest.raises(DataError, match="0 tokens are too few"):
        windows(np.arange(0), 1, 2)
    with pytest.raises(DataError, match="batch must be from 1"):
        windows(np.arange(9), 0, 2)
    with pytest.raises(DataError, match="steps must be from 1"):
        windows(np.arange(9), 1, 0)
    with pytest.raises(DataError, match="one axis"):
        windows(np.ones((3, 3)), 1, 1)


def test_folds_are_stratified():
    y = np.array([0] * 25 + [1] * 50 + [2] * 7)[order(82, 1)]
    fold = folds(y, 10)
    sizes = np.bincount(fold, minlength=10)
    assert sizes.max() - sizes.min() <= 1
    for label in range(3):
        per = np.bincount(fold[y == label], minlength=10)
        assert per.max() - per.min() <= 1
    assert (folds(y, 10) == fold).all() and (folds(y, 10, seed=1) != fold).any()
    with pytest.raises(DataError, match="10 folds need that many labels"):
        folds(np.zeros(9), 10)


def test_three_way():
    train, valid, test = three_way(np.arange(10), np.arange(10), 2, 3, seed=8)
    assert [len(s) for s in (train, valid, test)] == [5, 2, 3]
    joined = join([train, valid, test])
    assert joined.x.tolist() == joined.y.tolist() == order(10, 8).tolist()
    with pytest.raises(DataError, match="leave none of 10"):
        three_way(np.arange(10), None, 5, 5)


def test_binarised():
    p = np.repeat(np.array([0, 0.25, 0.5, 1], np.float32), 300_000).reshape(4, -1)
    draw = binarised(p, seed=3)
    assert draw.dtype == np.float32 and set(np.unique(draw)) == {0, 1}
    means = draw.mean(axis=1, dtype=np.float64)
    assert means[0] == 0 and means[3] == 1
    assert np.abs(means - p[:, 0]).max() < 5 * np.sqrt(0.25 / 300_000)
    assert (binarised(p, 3) == draw).all() and (binarised(p, 3, epoch=1) != draw).any()
    # the draw is made in parts: the seam at 2^20 must be one stream
    whole = streams.uniform(p.shape, 3, streams.BINARISE, "float32") < p
    assert (whole == draw).all()
    for bad in (-0.1, 1.1, np.nan):
        with pytest.raises(DataError, match=r"must lie in \[0, 1\]"):
            binarised(np.array([bad]), 0)


def test_split_faults():
    with pytest.raises(DataError, match="same length; got 3 and 2"):
        Split(np.ones(3), np.ones(2))
    with pytest.raises(DataError, match="same length; got 3 and 4"):
        Split([np.ones(1)] * 3, np.ones(4))
    with pytest.raises(DataError, match="y must be an array or a list; got int"):
        Split(np.ones(3), 3)
    with pytest.raises(DataError, match="x must be an array or a list; got NoneType"):
        Split(None)
    with pytest.raises(DataError, match="at least one axis"):
        Split(np.array(3.0))
    with pytest.raises(DataError, match="slice or a sequence"):
        examples()[2]
    with pytest.raises(AttributeError):
        examples().x = 3


def test_split_indexing():
    s = examples()
    assert s[s.y > 8].y.tolist() == [9, 10] and len(s[[]]) == 0
    assert len(Split((1, 2, 3), [4, 5, 6])[np.array([2, 0])].x) == 2
    assert join([s, Split(s.x)]).y is None


def nasty(value, place):
    x = np.zeros((4, 3), np.float32)
    x[place] = value
    return x


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_refused_by_place(value):
    good, info = Split(np.zeros((4, 3), np.float32)), Info(feature_names=("a", "b", "width"))
    bad = Split(nasty(value, (3, 2)))
    with pytest.raises(
        DataError, match=r"^d: valid.x has \S+ at row 3, column 2 \(width\) \(1 such"
    ):
        DataSet("d", good, valid=bad, info=info)
    with pytest.raises(DataError, match=r"train.y has \S+ at row 1, column 0"):
        DataSet("d", Split(good.x, nasty(value, (1, 0))))
    with pytest.raises(DataError, match=r"test.x has \S+ at sequence 1, step 3, column 2"):
        DataSet("d", good, test=Split([good.x, bad.x]))
    with pytest.raises(DataError, match=r"row 1, column \(0, 2\)"):
        DataSet("d", Split(nasty(value, (3, 2)).reshape(2, 2, 3)[:, 1:]))
    with pytest.raises(DataError, match=r"train.x has \S+ at row 3 \("):
        DataSet("d", Split(bad.x[:, 2]))


def test_standardised():
    x = np.array([[1, 5, 10], [3, 5, 30], [5, 5, 20]], np.float32)
    d = DataSet("d", Split(x), test=Split(x + 1)).standardised()
    column = np.array([-1, 0, 1]) * np.sqrt(1.5)
    expected = np.stack([column, np.zeros(3), column[[0, 2, 1]]], axis=1)
    assert_close(d.train.x, expected.astype(np.float32))
    std = np.array([np.sqrt(8 / 3), 1, np.sqrt(200 / 3)])
    assert_close(d.test.x, (expected + 1 / std).astype(np.float32))
    assert d.valid is None and len(d.whole()) == 6
    with pytest.raises(DataError, match="one array of floats"):
        DataSet("d", Split(np.arange(3))).standardised()
    with pytest.raises(DataError, match="not empty"):
        DataSet("d", Split(x[:0])).standardised()
