"""Generated problems against independent oracles: regular expressions, counting, closed forms."""

import re

import numpy as np
import pytest

from glassgrad.core.data import DataError, grammars, load, synthetic
from glassgrad.core.data.grammars import counting_legal, is_reber, reber_legal
from tests.tools import assert_close

# The Reber automaton as a regular expression, by elimination of states (independent of the table):
# B T S* X goes to state 5, B P T* V to state 6; 5 -X-> T* V back to 6, 6 -P-> 5; out by S or V.
FROM_5 = r"(?:XT*VP)*(?:S|XT*VV)"
REBER = re.compile(rf"B(?:TS*X{FROM_5}|PT*V(?:V|P{FROM_5}))E")
EMBEDDED = re.compile(rf"B([TP]){REBER.pattern}\1E")


def decode(x, symbols):
    assert ((x == 0) | (x == 1)).all() and (x.sum(axis=1) == 1).all()
    return "".join(symbols[k] for k in x.argmax(axis=1))


def test_reber_against_the_regular_expression():
    rng = np.random.default_rng(0)
    strings = {grammars.reber(_Chooser(rng)) for _ in range(500)}
    assert len(strings) > 60 and all(REBER.fullmatch(s) for s in strings)
    for s in [s for s in strings if len(s) < 12]:
        assert is_reber(s, embedded=False)
        for k in range(len(s)):  # every single change of a symbol: accepted iff the regex accepts
            for c in grammars.REBER:
                changed = s[:k] + c + s[k + 1 :]
                assert is_reber(changed, embedded=False) == bool(REBER.fullmatch(changed))
            shorter = s[:k] + s[k + 1 :]
            assert is_reber(shorter, embedded=False) == bool(REBER.fullmatch(shorter))


class _Chooser:
    def __init__(self, rng):
        self.rng = rng

    def choose(self, options):
        return options[self.rng.integers(len(options))]


def test_legal_sets_by_brute_force():
    """A symbol is legal after a prefix where some complete string goes on with it."""
    rng = np.random.default_rng(1)
    inner = sorted({grammars.reber(_Chooser(rng)) for _ in range(4000)})
    strings = [f"B{o}{s}{o}E" for s in inner for o in "TP"]
    follows = {}
    for s in strings:
        for k in range(len(s)):
            follows.setdefault(s[: k + 1], set()).update(s[k + 1 : k + 2])
    for s in [s for s in strings if len(s) <= 12]:  # short prefixes have seen all their followers
        assert [set(c) for c in reber_legal(s)] == [follows[s[: k + 1]] for k in range(len(s))]


@pytest.mark.parametrize("bad", ["BTBPVVEPE", "BTBPVVET", "BTBPVVETEE", "TTBPVVETE", "B", "", "BX"])
def test_strings_that_are_not_embedded_reber(bad):
    assert not is_reber(bad) and not EMBEDDED.fullmatch(bad)


@pytest.mark.parametrize("known", ["BTXSE", "BPVVE", "BTSSXXTVVE", "BTSXXVPSE", "BPVPXVPXVPXVVE"])
def test_strings_of_the_reber_grammar(known):
    assert is_reber(known, embedded=False) and REBER.fullmatch(known)
    assert is_reber(f"BP{known}PE") and not is_reber(f"BP{known}TE")


def test_reber_error_names_the_place():
    with pytest.raises(DataError, match=r"has 'P' at 7, where one of 'T' is expected"):
        reber_legal("BTBPVVEPE")


def test_embedded_reber_data():
    d = load("embedded_reber", train=300, valid=20, test=30, seed=5)
    assert [len(s) for _, s in d.splits()] == [300, 20, 30]
    firsts = 0
    for (name, split), strings in zip(d.splits(), d.info.extra["strings"].values()):
        assert d.info.extra["strings"][name] is strings
        for x, y, s in zip(split.x, split.y, strings):
            assert EMBEDDED.fullmatch(s) and decode(x, grammars.REBER) == s
            assert x.dtype == y.dtype == np.float32 and x.shape == y.shape == (len(s), 7)
            assert (y[:-1] * x[1:]).sum() == len(s) - 1, "each next symbol is a legal one"
            assert y[-1].sum() == 0 and set(y[:-1].sum(axis=1)) <= {1, 2}
            assert y[-3].argmax() == x[1].argmax() and y[-3].sum() == 1, "the outer pair agrees"
            firsts += s[1] == "T"
    assert abs(firsts - 175) < 4 * np.sqrt(350 / 4)
    again = load("embedded_reber", train=10, valid=0, test=0, seed=5)
    assert again.info.extra["strings"]["train"] == d.info.extra["strings"]["train"][:10]
    other = load("embedded_reber", train=10, valid=0, test=0, seed=6)
    assert other.info.extra["strings"] != again.info.extra["strings"]
    plain = load("embedded_reber", train=50, valid=0, test=0, embedded=False)
    assert all(REBER.fullmatch(s) for s in plain.info.extra["strings"]["train"])


@pytest.mark.parametrize("letters", ["ab", "abc"])
def test_counting(letters):
    d = load("counting", letters=letters, train=(1, 5), valid=(6, 7), test=(8, 8))
    assert [len(s) for _, s in d.splits()] == [5, 2, 1]
    symbols = f"S{letters}T"
    every = ["S" + "".join(c * n for c in letters) + "T" for n in range(1, 12)]
    for _, split in d.splits():
        for x, y in zip(split.x, split.y):
            s = decode(x, symbols)
            assert s in every
            for t in range(len(s)):  # legal: some string of the language goes on so
                legal = {e[t + 1] for e in every if e.startswith(s[: t + 1]) and len(e) > t + 1}
                assert {symbols[k] for k in np.flatnonzero(y[t])} == legal
    for bad in ("ab", "SabbT", "SaabT", "SbT", "SaTb", "ST", "SabTT"):
        with pytest.raises(DataError, match="is expected"):
            counting_legal(bad)
    with pytest.raises(DataError, match="must be 'ab' or 'abc'"):
        load("counting", letters="abcd")
    with pytest.raises(DataError, match="n must be from 1"):
        load("counting", train=(0, 3))


def test_adding():
    d = load("adding", length=50, train=4000, valid=100, test=7, seed=2)
    assert d.train.x.shape == (4000, 50, 2) and d.test.y.shape == (7, 1)
    for _, split in d.splits():
        values, markers = split.x[..., 0], split.x[..., 1]
        assert set(np.unique(markers)) == {0, 1}
        assert (markers[:, :25].sum(1) == 1).all() and (markers[:, 25:].sum(1) == 1).all()
        assert_close(split.y[:, 0], (values * markers).sum(1), reduction=2)
    u = d.train.x[..., 0]
    assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / u.size)
    error = (d.train.y.astype(np.float64) - 1) ** 2
    # the variance of the squared error of a sum of two uniforms is 1/15 - 1/36
    assert abs(error.mean() - 1 / 6) < 4 * np.sqrt((1 / 15 - 1 / 36) / 4000)
    where = d.train.x[..., 1].argmax(1)
    assert np.bincount(where, minlength=25).min() > 160 - 5 * np.sqrt(160)
    fewer = load("adding", length=50, train=3, valid=0, test=0, seed=2)
    assert (fewer.train.x == d.train.x[:3]).all()
    odd = load("adding", length=3, train=50, valid=0, test=0)
    assert (odd.train.x[:, 0, 1] == 1).all() and (odd.train.x[:, 1:, 1].sum(1) == 1).all()


def test_adding_of_1997():
    d = load("adding", length=40, train=600, valid=1, test=1, variant="1997")
    lengths, marked_first = set(), 0
    for x, y in zip(d.train.x, d.train.y[:, 0]):
        lengths.add(len(x))
        marked = np.flatnonzero(x[:, 1] == 1)
        assert len(marked) == 2 and marked[1] < 20 and marked[0] < 10
        assert x[-1, 1] == -1 and (x[0, 1] == -1 or 0 in marked)
        assert (np.delete(x[:, 1], [0, len(x) - 1, *marked]) == 0).all()
        assert -1 <= x[:, 0].min() < -0.5 < 0.5 < x[:, 0].max() < 1
        counted = [float(x[t, 0]) for t in marked if t > 0]
        assert y == pytest.approx(0.5 + sum(counted) / 4, abs=1e-6)
        marked_first += marked[0] == 0
    assert lengths == set(range(40, 45)) and marked_first > 0
    with pytest.raises(DataError, match="variant must be 'unit' or '1997'"):
        load("adding", variant="lecture")
    with pytest.raises(DataError, match="length must be from 2"):
        load("adding", length=1)
    with pytest.raises(DataError, match="length must be from 22"):
        load("adding", length=10, variant="1997")


@pytest.mark.parametrize(
    "symbols, zones", [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])]
)
def test_temporal_order(symbols, zones):
    d = load("temporal_order", symbols=symbols, train=800, valid=0, test=5, seed=1)
    assert d.info.classes[1] == "X" * (symbols - 1) + "Y" and len(d.info.classes) == 2**symbols
    hit = [set() for _ in zones]
    for x, y in zip(d.train.x, d.train.y):
        s = decode(x, synthetic.TEMPORAL)
        assert 100 <= len(s) <= 110 and re.fullmatch(r"E[abcdXY]*B", s)
        at = [t for t, c in enumerate(s) if c in "XY"]
        assert "".join(s[t] for t in at) == d.info.classes[y]
        for t, (low, high), seen in zip(at, zones, hit):
            assert low <= t <= high
            seen.add(t)
    assert all(seen == set(range(low, high + 1)) for seen, (low, high) in zip(hit, zones))
    counts = np.bincount(d.train.y, minlength=2**symbols)
    assert np.abs(counts - 800 / 2**symbols).max() < 5 * np.sqrt(800 / 2**symbols)
    with pytest.raises(DataError, match="symbols must be from 2 to 3"):
        load("temporal_order", symbols=4)


@pytest.mark.parametrize("name", ["adding", "temporal_order", "embedded_reber"])
def test_generators_refuse_bad_sizes_and_seeds(name):
    with pytest.raises(DataError, match="size of a split must be from 0"):
        load(name, train=-1)
    with pytest.raises(DataError, match="seed must be from 0"):
        load(name, train=2, valid=0, test=0, seed=-1)


def test_known_values():
    """Fixed for ever: other numbers here would mean other data under the same name."""
    d = load("adding", length=5, train=1, valid=0, test=0, seed=0)
    assert (d.train.x[0] * 2**24).astype(int).tolist() == [
        [13871955, 0],
        [3054319, 16777216],
        [10484343, 0],
        [9900683, 0],
        [11104236, 16777216],
    ]
    strings = load("embedded_reber", train=3, valid=0, test=0).info.extra["strings"]["train"]
    assert strings == ["BPBPTVVEPE", "BPBTXSEPE", "BPBTXSEPE"]
