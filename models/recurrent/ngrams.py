"""N-grams with modified Kneser-Ney smoothing: the yardstick of language models, by counting alone.

The probability of a word w after the n-1 words h, h' being h without its first word ::

    p_n(w|h) = (a(hw) - D(a(hw))) / a(h·)  +  γ(h) p_{n-1}(w|h')         a(h·) = Σ_w a(hw)
    p_0(w)   = 1 / V                                                     γ(h): what makes Σ_w p = 1

At the highest order a(hw) counts how often hw occurs; below, after how many different words it
does: "Francisco" is frequent, but after "San" only, and says little where "San" did not come. From
every count a discount is taken, which goes to what was not seen after h ::

    D(1) = 1 - 2Y n_2/n_1,   D(2) = 2 - 3Y n_3/n_2,   D(3 and more) = 3 - 4Y n_4/n_3,
    Y = n_1 / (n_1 + 2 n_2),   n_k: how many n-grams have the count k

Order 1 with plain counts is the unigram model, order 2 the bigram, order 5 the usual yardstick of
language models: 141.2 on Penn Treebank (Mikolov et al. 2011), which a test computes again.

Sources: Kneser, Ney, "Improved backing-off for m-gram language modeling", 1995; Chen, Goodman, "An
empirical study of smoothing techniques for language modeling", 1998, section 3.
"""

import numpy as np


def kneser_ney(train: np.ndarray, held: np.ndarray, words: int, order: int) -> np.ndarray:
    """-ln p of each token of `held` but the first, float64 [len(held) - 1], counted in `train`.

    train, held  numbers of words int64 [T], below `words`
    order        how many words an n-gram has at most; at the beginning of `held` fewer are known

    >>> text = np.tile([0, 1, 2], 30)
    >>> np.exp(-kneser_ney(text, np.array([0, 1, 2, 2]), 3, 2)).round(2)
    array([0.99, 0.99, 0.01])
    """
    p = np.full(len(held) - 1, 1.0 / words)
    history = np.zeros(len(held), np.int64)  # the number of the n-1 words before each, -1 if new
    for level in ngrams(train, words, order):
        share, back = level.weights(history[1:], held[1:])
        p = share + back * p
        history = np.concatenate([[-1], level.find(history, held)[:-1]])
    return -np.log(p)


def ngrams(train: np.ndarray, words: int, order: int) -> list["Level"]:
    """The n-grams of a text for n from 1 to `order`, with the counts that smoothing takes."""
    levels, number, history = [], None, np.zeros(len(train), np.int64)
    for n in range(1, order + 1):
        key = history * words + train[n - 1 :]
        kinds, first, found = np.unique(key, return_index=True, return_inverse=True)
        if n > 1:  # the n-1 words that each of these n-grams ends with
            levels[-1].count(number[1:][first])
        levels.append(Level(kinds, words, 1 if n == 1 else len(levels[-1].kinds)))
        number = found
        history = found[:-1]
    levels[-1].count(number)
    return levels


def discounts(counts: np.ndarray) -> np.ndarray:
    """[0, D(1), D(2), D(3 and more)] for the counts of all n-grams; 1/2 each if they are too few.

    >>> discounts(np.repeat([1, 2, 3, 4], [40, 10, 5, 3])).round(3).tolist()
    [0.0, 0.667, 1.0, 1.4]
    """
    n = [(counts == k).sum() for k in range(5)]
    if min(n[1:]):
        y = n[1] / (n[1] + 2 * n[2])
        found = [k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3)]
        if min(found) > 0:
            return np.array([0.0, *found])
    return np.array([0.0, 0.5, 0.5, 0.5])


class Level:
    """The n-grams of one order: `kinds`, in ascending order, are history · words + last word."""

    def __init__(self, kinds: np.ndarray, words: int, histories: int):
        self.kinds, self.words, self.histories = kinds, words, histories

    def count(self, which: np.ndarray) -> None:
        """Count the n-grams by their numbers, and find discounts and γ."""
        a = np.bincount(which, minlength=len(self.kinds)).astype(np.float64)
        discount = discounts(a)[np.minimum(a, 3).astype(int)]
        history = self.kinds // self.words
        total = np.bincount(history, a, self.histories)
        known = np.where(total > 0, total, 1.0)  # the very last words have nothing after them
        self.share = (a - discount) / known[history]
        self.back = np.where(total > 0, np.bincount(history, discount, self.histories) / known, 1)

    def find(self, history: np.ndarray, word: np.ndarray) -> np.ndarray:
        """The numbers of the n-grams, -1 where the text has none."""
        key = history * self.words + word
        at = np.minimum(np.searchsorted(self.kinds, key), len(self.kinds) - 1)
        return np.where((history >= 0) & (self.kinds[at] == key), at, -1)

    def weights(self, history: np.ndarray, word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """((a - D) / a(h·), γ(h)) of words after histories: (0, 1) after one that is not known."""
        at = self.find(history, word)
        share = np.where(at >= 0, self.share[at], 0.0)
        return share, np.where(history >= 0, self.back[history], 1.0)
