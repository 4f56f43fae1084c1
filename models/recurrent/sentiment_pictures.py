"""Pictures of a classifier of texts: which words count, how its answer grows, what it confuses."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet, Split
from ..common.confusion import confusion
from ..common.names import short

SHOWN, CURVES = 8, 4  # texts
WIDTH = 92  # characters of a line
MOST = 60  # words of a text that are shown
FEW = 20  # classes of which the confusions are legible


def figures(system, data: DataSet, s) -> dict:
    """`words`, `over_time`, and `confusion` where there are not too many classes."""
    split = data.test if data.test is not None else data.train
    names = data.info.classes or tuple(map(str, range(system.output.weight.shape[0])))
    answers = system.logits(split.x).argmax(axis=1)
    chosen = examples(split, answers)
    found = {
        "words": words(system, data, split[chosen], answers[chosen], names),
        "over_time": over_time(system, data, split[chosen[:CURVES]], names),
    }
    if len(names) <= FEW:
        found["confusion"] = confusion(split.y, answers, names)
    return found


def examples(split: Split, answers: np.ndarray) -> np.ndarray:
    """The rows of texts to show: the first ones that are not short.

    A quarter of them are wrong answers, if there are so many.
    """
    lengths = np.array([len(x) for x in split.x])
    able = lengths >= min(np.median(lengths), MOST)
    right, wrong = (np.flatnonzero(able & hit) for hit in (answers == split.y, answers != split.y))
    few = min(len(wrong), SHOWN // 4)
    return np.concatenate([right[: SHOWN - few], wrong[:few]])


def contributions(system, x: np.ndarray, answer: int) -> np.ndarray:
    """What each word of a text x [T] adds to the answer: gradient × input, float64 [T].

    c_t = <∂/∂e_t (a_y - 1/(C-1) Σ_{k≠y} a_k), e_t>, with a the logits and y the answer: to first
    order what the difference would lose if the vector of word t were 0.
    """
    vectors = gg.Tensor(system.embedding(x[:, None]).data, requires_grad=True)
    logits = system.read(vectors, np.ones((len(x), 1), vectors.dtype))[0]
    others = (logits.sum() - logits[answer]) / max(len(logits) - 1, 1)
    gradient = gg.grad(logits[answer] - others, vectors)
    return (gradient * vectors).sum(axis=(1, 2)).numpy().astype(np.float64)


def words(system, data: DataSet, split: Split, answers, names):
    """Texts whose words are coloured by what they add to the answer, red for and blue against."""
    lines = []  # of (words, colours, title)
    for x, y, answer in zip(split.x, split.y, answers):
        value = contributions(system, x, int(answer))
        value = value[:MOST] / max(abs(value).max(), 1e-12)
        title = names[answer] + ("" if y == answer else f"  (is {names[y]})")
        lines.append((data.info.vocabulary.decode(x[:MOST]), value, title))
    placed = [lay_out(text, value) for text, value, _ in lines]
    rows = sum(len(rows) + 1.7 for rows in placed)
    fig = pictures.figure(0.075 * WIDTH + 0.3, 0.2 * rows + 0.4)
    ax = fig.subplots()
    ax.set(xlim=(-0.5, WIDTH), ylim=(rows - 1.1, -0.8))
    ax.axis("off")
    y = 0.0
    red, blue = (np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)])
                 for c in (pictures.ACCENT, pictures.COLOURS[0]))  # fmt: skip
    for (*_, title), found in zip(lines, placed):
        ax.text(0, y, title, size=8, weight="bold",
                color=pictures.INK, va="center")  # fmt: skip
        for row in found:
            y += 1
            for at, word, value in row:
                colour = 1 - min(1, abs(value)) * 0.75 * (1 - (red if value > 0 else blue))
                ax.add_patch(_patch(at - 0.3, y - 0.47, len(word) + 0.6, 0.94, colour))
                ink = "white" if abs(value) > 0.7 else pictures.INK
                middle = {"va": "center", "ha": "center", "family": "monospace"}
                ax.text(at + len(word) / 2, y, word, size=8, color=ink, **middle)
        y += 1.7
    ax.set_title("what each word adds to the answer: red for it, blue against it", size=9)
    return fig


def _patch(x, y, width, height, colour):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=tuple(colour), linewidth=0)


def lay_out(text: list[str], value: np.ndarray) -> list[list[tuple[int, str, float]]]:
    """Words with their values in lines of at most ``WIDTH`` characters: (column, word, value)."""
    rows, at = [[]], 0
    for word, v in zip(text, value):
        word = word if len(word) < 30 else word[:29] + "…"
        if at + len(word) > WIDTH:
            rows.append([])
            at = 0
        rows[-1].append((at, word, float(v)))
        at += len(word) + 1
    return rows


def over_time(system, data: DataSet, split: Split, names):
    """p(class | the first t words) over t, for the classes that are ever likely."""
    fig = pictures.figure(8.2, 2.1 * len(split))
    axes = np.atleast_1d(fig.subplots(len(split)))
    for ax, x, y in zip(axes, split.x, split.y):
        x = x[:MOST]
        logits = system.logits([x[: t + 1] for t in range(len(x))])
        p = gg.softmax(gg.Tensor(logits)).numpy()
        for k in np.flatnonzero(p.max(axis=0) > 0.25):
            colour = pictures.CLASS_COLOURS[int(k) % 10]
            ax.plot(p[:, k], "-o", ms=2.5, lw=1.4, color=colour, label=short(names[k]))
        ax.set_xticks(
            range(len(x)), [short(w) for w in data.info.vocabulary.decode(x)], rotation=55,
            ha="right", rotation_mode="anchor", fontsize=7,
        )  # fmt: skip
        ax.set(ylim=(-0.04, 1.04), yticks=(0, 0.5, 1))
        ax.set_title(f"is {short(names[y])}", fontsize=8, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.2)
        ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    fig.suptitle("p(class | the words so far)", size=10)
    return fig
