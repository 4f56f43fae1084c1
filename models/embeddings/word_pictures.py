"""Pictures of word vectors: neighbours, analogies by section, a map, countries and capitals."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet, load
from ..common.principal import principal
from . import judging

WORDS = 12  # rows of the list of neighbours
NEAR = 6  # neighbours of each
MAPPED = 200  # words on the map, fewer where one would be written over another
APART = 0.08, 0.022  # of the map's width and height, between two words
SKIPPED = 100  # the commonest words, "the" and the like, which are near to everything
CAPITALS = ("capital-common-countries", "capital-world")
MOST_CAPITALS = 14


def figures(system, data: DataSet, s) -> dict:
    """The neighbours, a map, and what the vocabulary has of analogies and capitals."""
    vectors, vocabulary = system.w.numpy(), system.vocabulary
    sets = load("word_eval")
    found = {"neighbours": neighbours(vectors, vocabulary), "map": word_map(vectors, vocabulary)}
    judged = judging.judge(vectors, vocabulary, sets)
    if judged.asked:
        found["analogies"] = analogies(judged)
    pairs = capitals(sets, judging.numbers(vocabulary))
    if len(pairs) > 2:
        found["capitals"] = capital_plane(vectors, vocabulary, pairs)
    return found


def neighbours(vectors: np.ndarray, vocabulary):
    """Some words, and those whose vectors have the smallest angles to theirs."""
    numbers = shown(vocabulary, WORDS)
    fig = pictures.figure(7.4, 0.3 * len(numbers) + 0.7)
    ax = fig.subplots()
    ax.axis("off")
    ax.set_title("nearest words, by the angle", loc="left")
    for row, number in enumerate(numbers):
        y = 1 - (row + 0.5) / len(numbers)
        near = judging.neighbours(vectors, number, min(NEAR, len(vectors) - 1))
        ax.text(0, y, vocabulary.words[number], va="center", weight="bold", color=pictures.ACCENT)
        ax.text(0.19, y, ", ".join(vocabulary.words[i] for i in near), va="center")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return fig


def shown(vocabulary, count: int) -> list[int]:
    """Words to show: of more than three letters, spread over ranks that fall by the same factor."""
    able = [i for i, w in enumerate(vocabulary.words) if len(w) > 3 and i >= SKIPPED]
    able = able or list(range(len(vocabulary)))
    ranks = np.geomspace(1, max(1, len(able) // 2), min(count, len(able))).astype(int) - 1
    return [able[i] for i in dict.fromkeys(ranks.tolist())]


def analogies(judged: judging.Judged):
    """Per section the share of analogies that are right, and how many could be asked."""
    rows = {k: v for k, v in judged.sections.items() if v[1]}
    fig = pictures.figure(6.4, 0.3 * len(rows) + 1.2)
    ax = fig.subplots()
    plain = [name.partition("-")[2] if name.startswith("gram") else name for name in rows]
    names = [f"{name}  ({n})" for name, (_, n) in zip(plain, rows.values())]
    shares = [100 * right / n for right, n in rows.values()]
    ax.barh(range(len(rows)), shares, color=pictures.COLOURS[0])
    for i, share in enumerate(shares):
        ax.text(share, i, f" {share:.0f}", va="center", fontsize=8)
    ax.set_yticks(range(len(rows)), names, fontsize=8)
    ax.invert_yaxis()
    ax.set(xlim=(0, max(10.0, 1.12 * max(shares))), xlabel="right, %")
    ax.set_title(f"analogies: {judged.right:.1f} % of {judged.asked}", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    return fig


def directions(vectors: np.ndarray) -> np.ndarray:
    """Rows [N,D] at length 1, in the plane of their two main axes: [N,2]."""
    x = judging.unit_length(vectors.astype(np.float64))
    x = x - x.mean(axis=0)
    flat = x @ principal(x, 2)[0]
    return flat if flat.shape[1] == 2 else np.pad(flat, ((0, 0), (0, 1)))


def legible(at: np.ndarray) -> list[int]:
    """Which of the words at [N,2] can be written without one over another, the first first."""
    span = np.maximum(np.ptp(at, axis=0), 1e-12)
    kept: list[int] = []
    for i, place in enumerate(at / span):
        off = np.abs(at[kept] / span - place)
        if not ((off[:, 0] < APART[0]) & (off[:, 1] < APART[1])).any():
            kept.append(i)
    return kept


def word_map(vectors: np.ndarray, vocabulary):
    """The commonest words beyond the first hundred, in the plane of their two main axes."""
    able = [i for i, w in enumerate(vocabulary.words) if len(w) > 3 and i >= SKIPPED][:MAPPED]
    able = able or list(range(len(vocabulary)))[:MAPPED]
    at = directions(vectors[able])
    free = legible(at)
    at, able = at[free], [able[i] for i in free]
    fig = pictures.figure(9.0, 7.0)
    ax = fig.subplots()
    ax.scatter(*at.T, s=5, color=pictures.ACCENT, linewidths=0)
    for (x, y), i in zip(at, able):
        ax.annotate(
            vocabulary.words[i], (x, y), (2, 2), textcoords="offset points", fontsize=6.5,
            color=pictures.INK,
        )  # fmt: skip
    ax.margins(0.07)
    ax.set(xticks=[], yticks=[])
    ax.set_title("words by the two main axes of their directions", loc="left")
    return fig


def capitals(sets, index: dict[str, int]) -> list[tuple[int, int]]:
    """(capital, country) of the analogies whose words both have a vector, commonest first."""
    found = set()
    for section in CAPITALS:
        for row in sets.analogies.get(section, ()):
            for capital, country in (row[:2], row[2:]):
                if capital.lower() in index and country.lower() in index:
                    found.add((index[capital.lower()], index[country.lower()]))
    return sorted(found, key=lambda pair: max(pair))[:MOST_CAPITALS]


def capital_plane(vectors: np.ndarray, vocabulary, pairs: list[tuple[int, int]]):
    """Countries and their capitals, joined by a line, in the plane of their two main axes."""
    flat = [i for pair in pairs for i in pair]
    at = directions(vectors[flat]).reshape(-1, 2, 2)
    fig = pictures.figure(7.0, 5.5)
    ax = fig.subplots()
    for (capital, country), ends in zip(pairs, at):
        ax.plot(*ends.T, color="#c9ced6", lw=1, zorder=1)
        for i, (x, y), colour in ((capital, ends[0], 1), (country, ends[1], 0)):
            colour = pictures.COLOURS[colour]
            ax.scatter([x], [y], s=14, color=colour, zorder=2)
            ax.annotate(
                vocabulary.words[i], (x, y), (3, 3), textcoords="offset points", fontsize=8,
                color=colour,
            )  # fmt: skip
    ax.margins(0.07)
    ax.set(xticks=[], yticks=[])
    ax.set_title("capitals (red) and their countries (blue)", loc="left")
    return fig
