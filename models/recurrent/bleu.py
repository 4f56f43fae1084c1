"""BLEU: how many stretches of words a translation has in common with those that people made.

Of all n-grams of the candidates, p_n is the share that some reference of the same sentence has too;
none counts more often than in the reference that has it most often. With c words in all candidates
and r in the references nearest in length ::

    BLEU = min(1, e^(1 - r/c)) (p_1 p_2 p_3 p_4)^¼

The first factor is for candidates that are too short, which would be right too easily. All counts
are of the whole corpus; without a common 4-gram BLEU is 0. Words are compared as they are, so two
figures can be compared only with the same references, cut into words in the same way.

Source: Papineni, Roukos, Ward, Zhu, "BLEU: a method for automatic evaluation of machine
translation", 2002.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from ...core.data import Split

Sentence = Sequence[Hashable]


def grams(sentence: Sentence, n: int) -> Counter:
    """How often each stretch of n words occurs.

    >>> grams("abab", 2)
    Counter({('a', 'b'): 2, ('b', 'a'): 1})
    """
    return Counter(tuple(sentence[i : i + n]) for i in range(len(sentence) - n + 1))


def bleu(candidates: list[Sentence], references: list[list[Sentence]], most: int = 4) -> float:
    """Corpus BLEU in per cent of sentences, each with one reference or several; n = 1 ... `most`.

    >>> bleu(["the cat sat on it".split()], [["the cat sat on it".split()]])
    100.0
    >>> round(bleu(["the the the".split()], [["the cat is".split(), "the".split()]], most=1), 4)
    33.3333
    """
    hits, totals, length, nearest = [0] * most, [0] * most, 0, 0
    for ours, theirs in zip(candidates, references, strict=True):
        length += len(ours)
        nearest += min((abs(len(t) - len(ours)), len(t)) for t in theirs)[1]
        for n in range(1, most + 1):
            allowed = Counter()
            for t in theirs:
                allowed |= grams(t, n)
            own = grams(ours, n)
            hits[n - 1] += sum((own & allowed).values())
            totals[n - 1] += sum(own.values())
    if not all(hits):
        return 0.0
    precision = sum(math.log(h / t) for h, t in zip(hits, totals)) / most
    return 100 * math.exp(min(0.0, 1 - nearest / length) + precision)


def by_source(split: Split) -> tuple[list[np.ndarray], list[list[list[int]]]]:
    """The distinct sources of a split, and all targets of each.

    >>> x, y = [np.array([5, 6]), np.array([7]), np.array([5, 6])], [[8], [9], [8, 9]]
    >>> by_source(Split(x, y))[1]
    [[[8], [8, 9]], [[9]]]
    """
    targets = defaultdict(list)
    for x, y in zip(split.x, split.y):
        targets[tuple(x)].append(list(y))
    return [np.array(x) for x in targets], list(targets.values())
