"""Strings of formal languages, each with the symbols that may legally follow every prefix.

Embedded Reber grammar (Hochreiter & Schmidhuber 1997, experiment 1): ``B (T|P) R (T|P) E`` where
the two outer symbols must agree and R is a string of the Reber grammar

    1 -B-> 2      2 -T-> 3   2 -P-> 4     3 -S-> 3   3 -X-> 5     4 -T-> 4   4 -V-> 6
    5 -X-> 4      5 -S-> 7                6 -P-> 5   6 -V-> 7     7 -E-> end

with both branches equally likely. The outer T or P must be remembered throughout R.

Counting languages (Gers & Schmidhuber 2001): ``S a^n b^n T`` and ``S a^n b^n c^n T`` with n >= 1.
After S only `a` may follow; after an `a`, `a` or `b`; after the first `b` everything is determined.

    x  [L, K] one-hot symbols of the whole string, from the first to the end symbol
    y  [L, K] y[t, k] = 1 where symbol k may follow x[0..t]; the last row is 0
       the input of a predictor is x[:-1], its next symbol x[1:], the legal ones y[:-1]
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .files import DataError
from .streams import SYNTHETIC, check_seed, uniform, whole_number
from .text import Vocabulary

REBER = "BTPSXVE"
_NEXT = {  # state -> symbol -> state
    1: {"B": 2},
    2: {"T": 3, "P": 4},
    3: {"S": 3, "X": 5},
    4: {"T": 4, "V": 6},
    5: {"X": 4, "S": 7},
    6: {"P": 5, "V": 7},
    7: {"E": 8},
    8: {},
}


class _Draws:
    """The stream of uniform numbers of example `number` of a seed."""

    def __init__(self, seed: int, number: int):
        self.seed, self.offset, self.left = seed, SYNTHETIC + (number << 32), []

    def __call__(self) -> float:
        if not self.left:
            self.left = uniform((32,), self.seed, self.offset, "float64").tolist()[::-1]
            self.offset += 8
        return self.left.pop()

    def choose(self, options: str) -> str:
        return options[int(self() * len(options))]


def reber(draws) -> str:
    """One string of the Reber grammar; `draws.choose(symbols)` picks a branch."""
    state, out = 1, ""
    while state != 8:
        symbol = draws.choose("".join(_NEXT[state]))
        out, state = out + symbol, _NEXT[state][symbol]
    return out


def reber_legal(text: str, embedded: bool = True) -> list[str]:
    """For each prefix of `text`, the symbols that may follow it, in the order B T P S X V E.

    Raises DataError at the first symbol that the grammar does not allow, or if the two outer
    symbols of the embedded grammar differ. `text` may be incomplete.

    >>> reber_legal("BTBPVVETE")
    ['TP', 'B', 'TP', 'TV', 'PV', 'E', 'T', 'E', '']
    """
    legal, state, outer, expected = [], 1, "", "B"
    for t, symbol in enumerate(text):
        if symbol not in expected:
            raise DataError(
                f"reber: {text!r} has {symbol!r} at {t}, where one of {expected!r} is expected"
            )
        inner = t if not embedded else t - 2  # position in the inner string, after B and T or P
        if inner >= 0 and state != 8:
            state = _NEXT[state][symbol]
            done = state == 8
            expected = "".join(_NEXT[state]) or (outer if embedded and done else "")
        elif t == 0:
            expected = "TP"
        elif t == 1:
            outer, expected = symbol, "B"
        else:
            expected = "E" if symbol == outer and expected == outer else ""
        legal.append("".join(s for s in REBER if s in expected))
    return legal


def is_reber(text: str, embedded: bool = True) -> bool:
    """True if `text` is a complete string of the (embedded) Reber grammar.

    >>> is_reber("BTBPVVETE"), is_reber("BTBPVVEPE"), is_reber("BPVVE", embedded=False)
    (True, False, True)
    """
    try:
        return bool(text) and reber_legal(text, embedded)[-1] == ""
    except DataError:
        return False


def counting_legal(text: str, letters: str = "ab") -> list[str]:
    """For each prefix of S a^n b^n [c^n] T, the symbols that may follow; DataError if illegal.

    >>> counting_legal("SaabbT")
    ['a', 'ab', 'ab', 'b', 'T', '']
    """
    legal, counts, expected = [], dict.fromkeys(letters, 0), "S"
    for t, symbol in enumerate(text):
        if symbol not in expected or not symbol:
            raise DataError(
                f"counting: {text!r} has {symbol!r} at {t}, where one of {expected!r} is expected"
            )
        if symbol in counts:
            counts[symbol] += 1
            k, n = letters.index(symbol), counts[letters[0]]
            following = letters[k + 1] if k + 1 < len(letters) else "T"
            more = k == 0 or counts[symbol] < n  # may the same letter come again?
            done = k == 0 or not more
            expected = symbol * more + following * done
        else:
            expected = letters[0] if symbol == "S" else ""
        legal.append(expected)
    return legal


def _one_hot(sets: list[str], symbols: str) -> np.ndarray:
    return np.array([[float(s in chosen) for s in symbols] for chosen in sets], np.float32)


def _data_set(name: str, parts: list[list[str]], legal, symbols: str, note: str) -> DataSet:
    splits = [
        Split([_one_hot(list(s), symbols) for s in p], [_one_hot(legal(s), symbols) for s in p])
        for p in parts
    ]
    info = Info(
        source="generated",
        feature_names=tuple(symbols),
        vocabulary=Vocabulary(tuple(symbols)),
        note=note,
        extra={"strings": dict(zip(("train", "valid", "test"), parts))},
    )
    return DataSet(name, *splits, info)


def embedded_reber(
    train: int = 1000, valid: int = 256, test: int = 256, seed: int = 0, embedded: bool = True
) -> DataSet:
    """Strings of the (embedded) Reber grammar with their legal next symbols; see the page above.

    Example i of a seed does not depend on the sizes; strings may repeat.
    Source: Hochreiter & Schmidhuber 1997, section 5.1.
    """
    sizes = [
        whole_number("embedded_reber", "the size of a split", n, 0) for n in (train, valid, test)
    ]
    seed, strings = check_seed("embedded_reber", seed), []
    for number in range(sum(sizes)):
        draws = _Draws(seed, number)
        outer = draws.choose("TP")
        inner = reber(draws)
        strings.append(f"B{outer}{inner}{outer}E" if embedded else inner)
    a, b = sizes[0], sizes[0] + sizes[1]
    parts = [strings[:a], strings[a:b], strings[b:]]
    note = "symbols B T P S X V E; y marks the legal next symbols"
    return _data_set("embedded_reber", parts, lambda s: reber_legal(s, embedded), REBER, note)


def counting(
    letters: str = "ab",
    train: tuple[int, int] = (1, 10),
    valid: tuple[int, int] = (11, 20),
    test: tuple[int, int] = (21, 50),
) -> DataSet:
    """All strings S a^n b^n [c^n] T with n in each split's range (both ends included), by n.

    Nothing is random: a split has one string per n. Source: Gers & Schmidhuber 2001.

    >>> counting(train=(1, 3)).info.extra["strings"]["train"]
    ['SabT', 'SaabbT', 'SaaabbbT']
    """
    if letters not in ("ab", "abc"):
        raise DataError(f"counting: letters must be 'ab' or 'abc'; got {letters!r}")
    parts = []
    for low, high in (train, valid, test):
        low, high = (
            whole_number("counting", "n", low, 1),
            whole_number("counting", "n", high, 0, 10**5),
        )
        strings = [f"S{''.join(c * n for c in letters)}T" for n in range(low, high + 1)]
        parts.append(strings)
    name = "^n ".join(letters) + "^n"
    note = f"{name}, one string for each n; y marks the legal next symbols"
    symbols = f"S{letters}T"
    return _data_set(
        f"{letters}_counting", parts, lambda s: counting_legal(s, letters), symbols, note
    )
