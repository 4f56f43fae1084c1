"""Data to judge with as pictures: one-shot runs, analogies, and scored pairs of words."""

import numpy as np

from .core import pictures
from .core.data import OneShot
from .core.data.text import WordEval
from .core.usage import UsageError
from .data_picture_words import readable

SECTIONS = 20  # of analogies
ENDS = 8  # pairs of words of each end of the scale


def one_shot(data: OneShot):
    """The characters of the first run, and those to classify under the ones they belong to."""
    train, test, answer = data.train[0], data.test[0], data.answer[0]
    order = np.argsort(answer, kind="stable")
    across = len(train)
    figure = pictures.figure(0.55 * across + 0.6, 1.7)
    ax = figure.subplots()
    side = train.shape[-1]
    sheet = np.zeros((2 * side, across * side), np.float32)
    for k in range(across):
        sheet[:side, k * side : (k + 1) * side] = train[k].mean(axis=0)
    for n in order[::-1]:  # of several for one character the first is on top
        k = int(answer[n])
        sheet[side:, k * side : (k + 1) * side] = test[n].mean(axis=0)
    ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    for k in range(1, across):
        ax.axvline(k * side - 0.5, color="#cccccc", lw=0.5)
    ax.axhline(side - 0.5, color=pictures.ACCENT, lw=1)
    ax.set_xticks([])
    ax.set_yticks([side / 2, 3 * side / 2], ["known", "to classify"], fontsize=7)
    figure.suptitle(f"{data.name}: the first of {len(data.train):,} runs", fontsize=9)
    return figure


def questions(data: WordEval):
    """How many analogies each section has; or how pairs of words are scored."""
    if data.analogies:
        return _analogies(data.name, data.analogies)
    if data.similarity:
        return _pairs(data.name, data.similarity)
    raise UsageError(f"there is no picture of {data.name}: it has no questions")


def _analogies(name: str, found: dict):
    sections = list(found.items())[:SECTIONS]
    figure = pictures.figure(8.5, 0.26 * len(sections) + 0.9)
    ax = figure.subplots()
    ax.barh(range(len(sections)), [len(a) for _, a in sections], color=pictures.COLOURS[0])
    for k, (_, analogies) in enumerate(sections):
        if analogies:
            a, b, c, d = map(readable, analogies[0])
            ax.annotate(
                f"{a} : {b} = {c} : {d}", (len(analogies), k), xytext=(4, 0),
                textcoords="offset points", va="center", fontsize=6.5,
            )  # fmt: skip
    ax.set_yticks(range(len(sections)), [s[:30] for s, _ in sections], fontsize=7)
    ax.invert_yaxis()
    ax.margins(x=0.35)
    ax.set_xlabel("analogies, and the first of each section", fontsize=8)
    total = sum(map(len, found.values()))
    figure.suptitle(f"{name}: {total:,} analogies, {len(found)} sections", fontsize=9)
    return figure


def _pairs(name: str, found: list):
    figure = pictures.figure(8.5, 3.4)
    left, right = figure.subplots(1, 2)
    scores = np.array([score for _, _, score in found])
    left.hist(scores, bins=np.arange(0, 10.5, 0.5), color=pictures.COLOURS[0])
    left.set_xlabel("score", fontsize=8)
    left.set_ylabel("pairs", fontsize=8)
    rank = np.argsort(-scores, kind="stable")
    shown = rank if len(rank) <= 2 * ENDS else np.concatenate([rank[:ENDS], rank[-ENDS:]])
    right.barh(range(len(shown)), scores[shown], color=pictures.ACCENT)
    labels = [f"{readable(found[i][0])} – {readable(found[i][1])}" for i in shown]
    right.set_yticks(range(len(shown)), labels, fontsize=6.5)
    right.invert_yaxis()
    right.set_title("the most alike, and the least", fontsize=8)
    figure.suptitle(f"{name}: {len(found):,} pairs of words, scored from 0 to 10", fontsize=9)
    return figure
