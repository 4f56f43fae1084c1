"""What recurrent nets claim: they remember, and one translates what another has read."""

import itertools
from collections import Counter

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from glassgrad.models.recurrent.forecast_yardsticks import yardsticks
from glassgrad.models.recurrent.ngrams import kneser_ney

from .baselines import frequencies, linear_map, majority_class, nearest_bleu
from .claims import claims


def steps_of(done, split) -> tuple[np.ndarray, np.ndarray]:
    """(symbols [M, K], what follows [M, K]) over all steps of all strings of a split."""
    batch = done.system.task.batch(split)
    exist = np.asarray(batch.mask) > 0
    return batch.x[exist], batch.y[0][exist]


def bits(y, p) -> float:
    """-Σ_k ln p(y_k) of each step, the mean, nats: y [M, K], p [K] or [M, K]."""
    return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).sum(axis=1).mean())


def frequencies_of_symbols(done) -> float:
    """The loss of the frequencies with which symbols come next in the training strings."""
    y = steps_of(done, done.data.train)[1]
    return bits(steps_of(done, done.held)[1], (y.sum(axis=0) + 1) / (len(y) + 2))


def memory_of_one_symbol(done) -> float:
    """The loss of the same frequencies after each symbol: of a net that remembers no other."""
    x, y = steps_of(done, done.data.train)
    p = (x.T @ y + 1) / (x.sum(axis=0)[:, None] + 2)
    x, y = steps_of(done, done.held)
    return bits(y, p[x.argmax(axis=1)])


def unsolved(done) -> float:
    """Per cent of the strings with a wrong step."""
    return 100 * (1 - done.test_figures["solved"])


def all_strings(done) -> float:
    """100 %."""
    return 100.0


def strings_beyond_training(done) -> float:
    """Per cent of the test strings that are longer than those of the training set."""
    longest = max(map(len, done.data.train.x))
    return 100 * float(np.mean([len(x) > longest for x in done.held.x]))


def short_of_bleu(done) -> float:
    """100 less BLEU in per cent."""
    return 100 - done.test_figures["bleu"]


def nearest_sentence(done) -> float:
    """The same of the translation of the training sentence with most words in common, TF-IDF."""
    return 100 - nearest_bleu(done.data.train, done.held)


def frequencies_of_words(done) -> float:
    """-ln of a word's share of all words and ends of the training targets, nats."""
    end = done.system.mark["<eos>"]
    counts = np.bincount(
        np.concatenate([*done.data.train.y, np.full(len(done.data.train), end)]),
        minlength=len(done.system.words),
    )
    held = np.concatenate([*done.held.y, np.full(len(done.held), end)])
    share = (counts + 1) / (counts + 1).sum()
    return float(-np.log(share[held]).mean())


def by_yardstick(done, name: str) -> float:
    """The root mean square error of a yardstick's forecasts of the same values."""
    (f,) = (f for k, f in yardsticks(done.data, done.settings).items() if k.startswith(name))
    return float(np.sqrt(np.mean((f - done.held.y[:, :, 0]) ** 2)))


def no_change(done) -> float:
    """The error of the last known value, over all steps ahead."""
    return by_yardstick(done, "persistence")


def linear_autoregression(done) -> float:
    """The error of the linear model of as many values, over all steps ahead."""
    return by_yardstick(done, "autoregression")


def ngram_bits(done, order: int) -> float:
    """Bits a symbol of n-grams with Kneser-Ney smoothing, counted in the training text."""
    x, words = done.data.train.x, len(done.system.words)
    return float(kneser_ney(x, done.held.x, words, order).mean() / np.log(2))


def pairs_of_symbols(done) -> float:
    """Bits a symbol of bigrams, smoothed."""
    return ngram_bits(done, 2)


def threes_of_symbols(done) -> float:
    """Bits a symbol of trigrams, smoothed."""
    return ngram_bits(done, 3)


def rolls_of(split) -> list[list[tuple]]:
    """The frames of each tune, as the keys that sound."""
    return [[tuple(np.flatnonzero(frame)) for frame in roll] for roll in split.x]


def repeated_frame(done) -> float:
    """Nats a frame if the one before is repeated, or not, with the shares of training; then any.

    A new chord is one of those of training, by its frequency; the first frame of a tune is new.
    """
    train, held = (rolls_of(split) for split in (done.data.train, done.held))
    same = [a == b for tune in train for a, b in itertools.pairwise(tune)]
    p, counts = np.mean(same), Counter(frame for tune in train for frame in tune)
    total, known = 0.0, sum(counts.values()) + len(counts) + 1
    for tune in held:
        for before, frame in zip([None, *tune[:-1]], tune, strict=True):
            new = (counts[frame] + 1) / known
            again = p * (before == frame) + (1 - p) * new
            total -= np.log(new if before is None else again)
    return total / sum(map(len, held))


def bigram_of_chords(done) -> float:
    """Nats a frame by the frequencies of pairs of frames, filled up with those of frames.

    p(b | a) = (pairs of a and b + p(b)) / (pairs of a and any + 1)
    """
    train, held = (rolls_of(split) for split in (done.data.train, done.held))
    pairs = Counter(p for tune in train for p in zip([None, *tune[:-1]], tune, strict=True))
    ones = Counter(frame for tune in train for frame in tune)
    before, known = Counter(), sum(ones.values()) + len(ones) + 1
    for (a, _), n in pairs.items():
        before[a] += n
    total = 0.0
    for tune in held:
        for a, b in zip([None, *tune[:-1]], tune, strict=True):
            p = (ones[b] + 1) / known
            total -= np.log((pairs[a, b] + p) / (before[a] + 1))
    return total / sum(map(len, held))


def logistic_regression(done, most: int) -> float:
    """Per cent wrong by logistic regression on counts of runs of at most `most` words."""
    counts = CountVectorizer(ngram_range=(1, most), token_pattern=r"\S+")
    x = counts.fit_transform(" ".join(map(str, t)) for t in done.data.train.x)
    fitted = LogisticRegression(max_iter=500).fit(x, done.data.train.y)
    held = counts.transform(" ".join(map(str, t)) for t in done.held.x)
    return 100 * (1 - fitted.score(held, done.held.y))


def counts_of_words(done) -> float:
    """Per cent wrong by logistic regression on counts of words."""
    return logistic_regression(done, 1)


def counts_of_pairs(done) -> float:
    """Per cent wrong by logistic regression on counts of words and pairs of words."""
    return logistic_regression(done, 2)


CLAIMS = (
    *claims(
        "forecast",
        "mackey_glass",
        "rmse",
        (no_change, (0.018, 0.021, 0.025), 0.03),
        (linear_autoregression, (0.067, 0.080, 0.096), 0.12),
    ),
    *claims(
        "language-model",
        "shakespeare_piece",
        "bits",
        (pairs_of_symbols, (0.598, 0.589, 0.599), 0.63),
        (threes_of_symbols, (0.796, 0.784, 0.796), 0.83),
    ),
    *claims(
        "translation", "eng_fra_piece", "loss", (frequencies_of_words, (0.454, 0.433, 0.442), 0.49)
    ),
    *claims(
        "translation",
        "eng_fra_piece",
        short_of_bleu,
        (nearest_sentence, (0.927, 0.890, 0.895), 0.96),
    ),
    *claims("sentiment", "enwiki_subjects", "error", (majority_class, (0.279, 0.271, 0.285), 0.33)),
    *claims(
        "sentiment",
        "opinions",
        "error",
        (counts_of_words, (0.0, 0.0, 0.0), 0.04),
        (counts_of_pairs, (0.0, 0.0, 0.0), 0.07),
    ),
    *claims(
        "music",
        "cadences",
        "loss",
        (repeated_frame, (0.382, 0.388, 0.390), 0.44),
        (bigram_of_chords, (0.838, 0.850, 0.855), 0.9),
    ),
    *claims("rnn", "digits", "loss", (frequencies, (0.029, 0.031, 0.026), 0.041)),
    *claims(
        "rnn",
        "digits",
        "error",
        (majority_class, (0.022, 0.025, 0.015), 0.037),
        (linear_map, (0.400, 0.467, 0.267), 0.61),
    ),
    *claims("gru", "digits", "loss", (frequencies, (0.025, 0.025, 0.035), 0.048)),
    *claims(
        "gru",
        "digits",
        "error",
        (majority_class, (0.018, 0.025, 0.022), 0.036),
        (linear_map, (0.333, 0.467, 0.400), 0.58),
    ),
    *claims(
        "lstm",
        "embedded_reber",
        "loss",
        (frequencies_of_symbols, (0.399, 0.393, 0.393), 0.44),
        (memory_of_one_symbol, (0.499, 0.492, 0.491), 0.55),
    ),
    *claims("lstm", "embedded_reber", unsolved, (all_strings, (0.000, 0.000, 0.000), 0)),
    *claims(
        "peephole-lstm", "counting", "loss", (memory_of_one_symbol, (0.095, 0.026, 0.099), 0.149)
    ),
    *claims(
        "peephole-lstm",
        "counting",
        unsolved,
        (strings_beyond_training, (0.411, 0.000, 0.500), 0.67),
    ),
)
