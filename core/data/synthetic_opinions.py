"""Generated opinions on films, in which the order of the words decides.

    opinion   [aside] judgement [, aside]
    judgement clause | clause and clause | clause but clause
    clause    the plot is [not | never | hardly] [very | really | so] good

A clause is positive if its adjective is and nothing denies it, or if the adjective is negative and
denied. "and" joins two clauses of one opinion, "but" two of opposite ones, and then the second
counts. The same words in another order are another opinion ::

    the plot is not dull but the cast is so weak      negative
    the cast is so weak but the plot is not dull      positive
    the plot is dull but the cast is not so weak      positive

Everything is drawn from Philox, as in `synthetic`.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .own.texts.sentences import sentence_set
from .streams import SYNTHETIC, check_seed, uniform_rows
from .synthetic import _choice, _three

OPINIONS = ("negative", "positive")
SUBJECTS = (
    "plot", "story", "cast", "acting", "music", "dialogue", "ending", "camera work", "hero",
    "villain", "humour", "director",
)  # fmt: skip
ADJECTIVES = (
    ("dull", "weak", "bad", "boring", "clumsy", "tired", "flat", "silly", "awful", "empty"),
    ("good", "sharp", "fresh", "moving", "funny", "bright", "clever", "warm", "lively", "superb"),
)
DENIALS, DEGREES = ("not", "never", "hardly"), ("very", "really", "so")
JOINED = ("", "and", "but")
ASIDES = (
    "i saw it on a rainy monday", "we went with the whole family", "it runs for two hours",
    "my brother had told me of the book", "the room was almost empty that night",
    "it was the last film of the week",
)  # fmt: skip
DRAWS = 14  # uniform numbers of an opinion


def _clause(positive: bool, u) -> str:
    """A clause of that opinion by u [5]: half of all clauses are denied, half have a degree."""
    denied = bool(u[0] < 0.5)
    adjectives = ADJECTIVES[int(positive != denied)]
    said = ["the", SUBJECTS[_choice(u[1], 0, len(SUBJECTS))], "is"]
    said += [DENIALS[_choice(u[2], 0, len(DENIALS))]] if denied else []
    said += [DEGREES[_choice(2 * u[3], 0, len(DEGREES))]] if u[3] < 0.5 else []
    return " ".join([*said, adjectives[_choice(u[4], 0, len(adjectives))]])


def opinion(positive: bool, u) -> list[str]:
    """The words of an opinion by 14 numbers in [0, 1).

    >>> " ".join(opinion(True, np.full(14, 0.4)))
    'it runs for two hours , the music is never so clumsy and the music is never so clumsy'
    """
    joined = JOINED[_choice(u[0], 0, len(JOINED))]
    said = _clause(positive, u[1:6])
    if joined:
        said = f"{_clause(positive != (joined == 'but'), u[6:11])} {joined} {said}"
    aside = ASIDES[_choice(u[11], 0, len(ASIDES))]
    parts = [aside, ",", said] if u[12] < 0.5 else [said, ",", aside]
    return " ".join(parts if u[13] < 0.5 else [said]).split()


def opinions(train: int = 3000, valid: int = 500, test: int = 1000, seed: int = 0) -> DataSet:
    """Opinions of 4 to 23 words, negative (0) or positive (1), as many of each: see the page above.

    >>> d = opinions(train=200, valid=2, test=2)
    >>> " ".join(d.info.vocabulary.decode(d.train.x[0][:9])), d.info.classes[d.train.y[0]]
    ('the ending is awful and the villain is tired', 'negative')
    """
    seed = check_seed("opinions", seed)

    def make(first: int, size: int) -> Split:
        u = uniform_rows(seed, SYNTHETIC, first, size, DRAWS)
        y = (first + np.arange(size)) % 2
        return Split([opinion(bool(k), row) for k, row in zip(y, u)], y)

    info = Info("generated", OPINIONS, note=f"seed {seed}")
    return sentence_set("opinions", _three(make, train, valid, test), 1, info)
