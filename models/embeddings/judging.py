"""What word vectors are worth: alike as people find words alike, and analogies.

    similarity   Spearman's ρ between cos(x_a, x_b) and the mean score that people gave the pair
                 (WordSim-353: 353 pairs of English words, 0 to 10)
    analogies    "a is to b as c is to d": d = argmax_w cos(x_w, x_b - x_a + x_c), the vectors at
                 length 1 and a, b, c left out; the share that is right (19,544 questions in 14
                 sections; Mikolov et al. 2013, "Efficient estimation")

Both go without regard to capitals, and leave out what has a word without a vector: how much is left
belongs to the figure.

    accuracy     of the classes of texts, by logistic regression from their vectors
"""

from dataclasses import dataclass

import numpy as np

from ...core.data import Vocabulary, WordEval, load
from ..common.neighbours import unit_length

COMMONEST = 30_000  # words that may be asked for and answered, as where the numbers are published
AT_ONCE = 256  # questions
PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)  # of logistic regression, strongest first


@dataclass(frozen=True)
class Judged:
    """ρ of so many pairs, and for each section how many of the questions asked were right."""

    rho: float
    pairs: int
    sections: dict[str, tuple[int, int]]

    @property
    def right(self) -> float:
        """The share of analogies that are right, in per cent; 0 where none could be asked."""
        asked = sum(n for _, n in self.sections.values())
        return 100 * sum(r for r, _ in self.sections.values()) / max(1, asked)

    @property
    def asked(self) -> int:
        """How many analogies had a vector for every word."""
        return sum(n for _, n in self.sections.values())


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the ranks of two rows of numbers, equal ones sharing the mean of theirs.

    0 where there are fewer than two different numbers.

    >>> spearman(np.array([1.0, 5.0, 9.0]), np.array([2.0, 3.0, 30.0]))
    1.0
    """
    from scipy.stats import rankdata

    middle = (len(a) + 1) / 2  # the mean of the ranks
    a, b = rankdata(a) - middle, rankdata(b) - middle
    spread = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / spread) if spread > 0 else 0.0


def numbers(vocabulary: Vocabulary) -> dict[str, int]:
    """Word in small letters -> its number; of several the lowest, which is the commonest."""
    found: dict[str, int] = {}
    for i, word in enumerate(vocabulary.words):
        found.setdefault(word.lower(), i)
    return found


def similarity(vectors: np.ndarray, index: dict[str, int], pairs) -> tuple[float, int]:
    """(ρ, how many pairs) of scored pairs of words."""
    known = [(a.lower(), b.lower(), s) for a, b, s in pairs]
    known = [(index[a], index[b], s) for a, b, s in known if a in index and b in index]
    if not known:
        return 0.0, 0
    x = unit_length(vectors.astype(np.float64))
    a, b, scores = (np.array(column) for column in zip(*known))
    return spearman((x[a] * x[b]).sum(axis=1), scores), len(known)


def questions(sections: dict, index: dict[str, int], below: int) -> dict[str, np.ndarray]:
    """The questions int64 [n,4] of each section whose words all have a number `below` that."""
    found = {}
    for name, rows in sections.items():
        asked = [[index.get(w.lower(), below) for w in row] for row in rows]
        kept = [row for row in asked if max(row) < below]
        found[name] = np.array(kept, np.int64).reshape(-1, 4)
    return found


def answers(vectors: np.ndarray, asked: np.ndarray, most: int = COMMONEST) -> np.ndarray:
    """The word d for each (a, b, c) of the questions [n, 3 or 4], among the first `most`: [n].

    >>> x = np.array([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0], [-0.2, 1.0]])
    >>> answers(x, np.array([[0, 1, 3]]))
    array([2])
    """
    x = unit_length(vectors[:most].astype(np.float32))
    found = np.empty(len(asked), np.int64)
    for at in range(0, len(asked), AT_ONCE):
        part = asked[at : at + AT_ONCE, :3]
        a, b, c = (x[part[:, i]] for i in range(3))
        scores = (b - a + c) @ x.T
        np.put_along_axis(scores, part, -np.inf, axis=1)
        found[at : at + AT_ONCE] = scores.argmax(axis=1)
    return found


def judge(vectors: np.ndarray, vocabulary: Vocabulary, by: WordEval | None = None) -> Judged:
    """Vectors [V,D] of the words of a vocabulary, commonest first, by the sets that ship."""
    by, index = load("word_eval") if by is None else by, numbers(vocabulary)
    rho, pairs = similarity(vectors, index, by.similarity)
    sections, most = {}, min(COMMONEST, len(vectors))
    for name, asked in questions(by.analogies, index, most).items():
        right = int((answers(vectors, asked, most) == asked[:, 3]).sum())
        sections[name] = right, len(asked)
    return Judged(rho, pairs, sections)


def neighbours(vectors: np.ndarray, word: int, k: int) -> np.ndarray:
    """The k words nearest to a word by the angle, without itself, nearest first."""
    x = unit_length(vectors.astype(np.float64))
    cosine = x @ x[word]
    cosine[word] = -np.inf
    return np.argsort(-cosine, kind="stable")[:k]


def linear_accuracy(x: np.ndarray, y: np.ndarray, other: np.ndarray, other_y: np.ndarray) -> float:
    """The share of right classes of vectors `other` [M,D], by logistic regression on x [N,D].

    Columns are standardised by x. The weight C of the likelihood next to half of the squared norm
    of the weights is that of `PENALTIES` that is best for every tenth vector of x, left out; then
    all of x is fitted. Raises ValueError where the labels y [N] have only one class.

    >>> x = np.array([[0.0], [0.1], [0.9], [1.0]] * 10)
    >>> linear_accuracy(x, np.array([0, 0, 1, 1] * 10), np.array([[0.2], [0.8]]), np.array([0, 1]))
    1.0
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def fitted(c, x, y):
        return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000)).fit(x, y)

    x, other = np.asarray(x, np.float64), np.asarray(other, np.float64)
    out = np.arange(len(x)) % 10 == 0
    scores = [fitted(c, x[~out], y[~out]).score(x[out], y[out]) for c in PENALTIES]
    return float(fitted(PENALTIES[int(np.argmax(scores))], x, y).score(other, other_y))
