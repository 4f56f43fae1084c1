"""Pictures of FastText's vectors: word2vec's, unseen words, and the parts that matter to a word."""

import numpy as np

from ..common.neighbours import unit_length
from . import word_pictures
from .lists import listed
from .ngrams import character_ngrams

ROWS = 12  # words of a list
NEAR = 6  # neighbours, or n-grams, of each


def figures(system, data, s) -> dict:
    """Word2vec's pictures, `unseen` and `n-grams`, as far as there are such words."""
    found = word_pictures.figures(system, data, s)
    if system.unseen[0] and s.longest:
        found["unseen"] = unseen(system)
    if s.longest:
        found["n-grams"] = important(system)
    return found


def unseen(system):
    """Words outside of the vocabulary, each with the seen words nearest to its n-grams' mean."""
    words = sorted(system.unseen[0], key=lambda word: (-len(word), word))
    words = words[:: max(1, len(words) // (3 * ROWS))]  # long ones first: they have more parts
    chosen = words[:ROWS]
    x, w = unit_length(system.vectors_of(chosen)), unit_length(system.w.numpy())
    near = np.argsort(-(x @ w.T), axis=1, kind="stable")[:, :NEAR]
    names = system.vocabulary.words
    rows = [(word, [names[i] for i in row]) for word, row in zip(chosen, near)]
    return listed(rows, "words that are not in the vocabulary, and the nearest that are")


def important(system):
    """For some words the n-grams without which the vector would turn most, the first first."""
    names = system.vocabulary.words
    rows = []
    for number in word_pictures.shown(system.vocabulary, ROWS):
        grams = character_ngrams(names[number], *system.subwords.between)
        if turned := turns(system, names[number], grams):
            rows.append((names[number], [g for _, g in turned[:NEAR]]))
    return listed(rows, "the n-grams that a word's vector depends on most")


def turns(system, word: str, grams: list[str]) -> list[tuple[float, str]]:
    """(cosine of the word's vector with and without it, the n-gram), the smallest cosine first."""
    z, parts = system.z.numpy(), system.subwords.rows(word)
    whole, found = z[parts].sum(axis=0), []
    for gram in dict.fromkeys(grams):
        row = system.subwords.row(gram)
        if row is not None:
            ends = unit_length(np.stack([whole, whole - z[row]]))
            found.append((float(ends[0] @ ends[1]), gram))
    return sorted(found)
