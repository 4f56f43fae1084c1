"""Pictures of a text CNN: the n-grams that fire its filters, the words behind its answers."""

import numpy as np

from ...core import pictures
from ...core.data.text import UNKNOWN
from ..common.confusion import confusion
from ..common.names import short

CLASSES, FILTERS, GRAMS = 8, 6, 5  # that are listed: of a class filters, of a filter n-grams
TEXTS = 2000  # held-out texts whose n-grams are looked at
RIGHT, WRONG = 6, 3  # texts whose words are coloured
LONGEST = 45  # words of such a text
COLUMNS = 104  # characters of a line there, at most
TITLE = 66  # and at least: what its title takes
SIZE = 8.0  # of their letters, in points
LETTER = 0.602 * SIZE / 72  # the width of one, in inches: DejaVu Sans Mono
FEW = 20  # classes of which the confusions are legible


def figures(system, data, s) -> dict:
    """`ngrams`, `reasons`, and `confusion` where there are not too many classes."""
    split = next(p for p in (data.test, data.valid, data.train) if p is not None and len(p))
    names = names_of(data)
    texts = [np.asarray(x, np.int64) for x in split.x]
    logits, features, windows = system.answers(texts)
    few = slice(TEXTS)
    grams = ngrams(system, data, texts[few], logits[few], features[few], windows[few])
    found = {"ngrams": grams, "reasons": reasons(system, data, texts, split.y, logits)}
    if len(names) <= FEW:
        found["confusion"] = confusion(split.y, logits.argmax(axis=1), names)
    return found


def names_of(data) -> tuple[str, ...]:
    """The names of the classes, or their numbers."""
    classes = max(len(data.info.classes), int(data.train.y.max()) + 1)
    return data.info.classes or tuple(map(str, range(classes)))


def written(data, numbers) -> list[str]:
    """The words of a text; an unknown one is ``…``."""
    words = data.info.vocabulary.words
    return ["…" if words[i] == UNKNOWN else words[i] for i in numbers]


def strongest(weight: np.ndarray, features: np.ndarray, guess: np.ndarray) -> list[np.ndarray]:
    """For each class the filters that speak most for it where it is the answer.

    weight [classes, F], features ĉ [N, F], guess [N]. A filter says (W_kf - the mean of W_jf over
    the other classes j) times the mean of ĉ_f over the texts that are taken for class k.
    """
    n = len(weight)
    against = (weight.sum(axis=0) - weight) / max(1, n - 1)
    found = []
    for k in range(n):
        mine = features[guess == k] if (guess == k).any() else features
        found.append(np.argsort(-(weight[k] - against[k]) * mine.mean(axis=0))[:FILTERS])
    return found


def fired(texts, features, windows, f: int, h: int) -> list[tuple[int, ...]]:
    """The distinct runs of words at most h long that fire filter f most, strongest first."""
    found: dict[tuple[int, ...], None] = {}
    for n in np.argsort(-features[:, f], kind="stable"):
        if features[n, f] <= 0 or len(found) == GRAMS:
            break
        last = windows[n, f]
        found[tuple(texts[n][max(0, last - h + 1) : last + 1].tolist())] = None
    return list(found)


def ngrams(system, data, texts, logits, features, windows):
    """For each class its strongest filters, each with the held-out n-grams that fire it most."""
    weight, names = system.output.weight.numpy(), names_of(data)
    widths = np.repeat(system.s.widths, system.s.maps)
    rows = []
    for k, filters in list(enumerate(strongest(weight, features, logits.argmax(axis=1))))[:CLASSES]:
        rows.append((short(names[k]), None))
        for f in filters:
            grams = fired(texts, features, windows, f, widths[f])
            rows.append((f"{widths[f]} words", [" ".join(written(data, g)) for g in grams]))
    fig = pictures.figure(9.6, 0.23 * len(rows) + 0.5)
    ax = fig.subplots()
    ax.axis("off")
    ax.set_title("the phrases that fire the strongest filters of each class", loc="left")
    for number, (name, grams) in enumerate(rows):
        y = 1 - (number + 0.5) / len(rows)
        if grams is None:
            ax.text(0, y, name, va="center", weight="bold", color=pictures.ACCENT)
            continue
        ax.text(0.02, y, name, va="center", size=8, color="0.5")
        ax.text(0.1, y, in_a_line(grams), va="center", size=8.5, color=pictures.INK)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return fig


def in_a_line(grams: list[str]) -> str:
    """As many of the phrases as a line of the picture takes, long ones cut."""
    line = ""
    for gram in grams:
        gram = gram if len(gram) <= 30 else gram[:29] + "…"
        more = f"{line}   |   {gram}" if line else gram
        line = more if len(more) <= 112 else line
    return line


def reasons(system, data, texts, y, logits):
    """Held-out texts, each word coloured by what it adds to the answer: red for, blue against.

    That is its share of the answer's logit less the mean of its shares of the others.
    """
    guess, names = logits.argmax(axis=1), names_of(data)
    fit = np.array([3 <= len(t) <= LONGEST for t in texts])
    chosen = [*np.flatnonzero(fit & (guess == y))[:: max(1, (fit & (guess == y)).sum() // RIGHT)]]
    chosen = [*chosen[:RIGHT], *np.flatnonzero(fit & (guess != y))[:WRONG]]
    lines, row = [], 0.0  # (row, column, text, share; None of a heading)
    for n in chosen:
        shares, k = system.shares(texts[n])[:-1], guess[n]
        others = (shares.sum(axis=1) - shares[:, k]) / max(1, len(names) - 1)
        shares = shares[:, k] - others
        said = f"{names[k]}" + ("" if k == y[n] else f", but it is {names[y[n]]}")
        lines.append((row, 0, said, None))
        row, column = row + 1.15, 0
        for word, share in zip(written(data, texts[n]), shares):
            if column + len(word) > COLUMNS:
                row, column = row + 1.15, 0
            lines.append((row, column, word, share))
            column += len(word) + 1
        row += 1.7
    most = max((abs(share) for *_, share in lines if share is not None), default=1.0) or 1.0
    return coloured(lines, row, most)


def coloured(lines, rows: float, most: float):
    """Words at (row, column) over rectangles of their colour; headings in bold."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    wide = max([TITLE, *(column + len(text) for _, column, text, _ in lines)])
    fig = pictures.figure(LETTER * (wide + 3), 0.165 * (rows + 2.5))
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))  # a column is as wide as a letter
    ax.set(xlim=(-1.5, wide + 1.5), ylim=(rows + 0.2, -2.3))
    ax.axis("off")
    title = "what each word adds to the answer: red for it, blue against it"
    ax.text(0, -1.4, title, va="center", color=pictures.INK, size=10)
    colours = colormaps["RdBu_r"]
    for row, column, text, share in lines:
        if share is None:
            ax.text(0, row, text, va="center", weight="bold", size=SIZE,
                    color=pictures.ACCENT)  # fmt: skip
            continue
        colour = colours(0.5 + 0.42 * share / most)
        box = Rectangle((column - 0.15, row - 0.5), len(text) + 0.3, 1.0, color=colour, lw=0)
        ax.add_patch(box)
        ax.text(column, row, text, va="center", family="monospace", size=SIZE,
                color="white" if abs(share) > 0.8 * most else pictures.INK)  # fmt: skip
    return fig
