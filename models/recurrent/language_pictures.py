"""Pictures of a language model: what context is worth, surprise, single units, made-up text."""

import re

import numpy as np

from ...core import pictures
from ...core import random as streams
from ...core.data import DataSet
from ...core.data.text import END
from .ngrams import kneser_ney
from .sequence_pictures import page

ORDERS = (2, 3, 4, 5, 6)  # of the n-grams that are drawn
COUNTED = 3_000_000  # symbols of a training text in which they are counted, at most
CONTEXT = 64  # symbols, from no state on
EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)  # groups of them, whose mean is drawn
PASSAGE, STUDIED = 800, 8000  # letters that are shown, symbols in which units are looked for
COLUMNS = 56  # characters of a line
SIZE = 8.7  # points of the letters; those of the monospaced font are 0.602 as wide as high
CELL, LINE = SIZE * 0.602 / 72, SIZE * 1.5 / 72  # inches


def figures(system, data: DataSet, s) -> dict:
    """Context, surprise, units and made-up text, of the test part."""
    rng = streams.Generator(s.seed).child("sample")
    return {
        "context": context(system, data),
        "surprise": surprise(system, data),
        "units": units(system, data),
        "sample": made_up(system, data, 400, rng),
    }


# ------------------------------------------------------------------- what context is worth


def context(system, data: DataSet):
    """Bits a symbol after so many symbols from no state on; next to n-grams that know as many."""
    held = data.test.x[:60_000]
    length = max(1, min(CONTEXT, len(held) // 2 - 1))
    nats = system.surprise(held, rows=max(1, (len(held) - 1) // length))[:length]
    whole = system.surprise(held).mean() / np.log(2)
    fig = pictures.figure(6.4, 4.2)
    ax = fig.subplots()
    edges = np.array([a for a in EDGES if a < len(nats)])
    sizes = np.diff([*edges, len(nats)])
    known = edges + (sizes + 1) / 2  # the middle of the numbers of symbols in a group
    bits = np.add.reduceat(nats.mean(axis=1), edges) / sizes / np.log(2)
    ax.plot(known, bits, ".-", color=pictures.COLOURS[0], label="the net")
    ax.axhline(whole, color=pictures.COLOURS[0], ls="--", lw=1,
               label=f"the net, all of the text before: {whole:.2f}")  # fmt: skip
    if len(data.train) <= COUNTED:
        counted = [kneser_ney(data.train.x, held, len(system.words), n).mean() for n in ORDERS]
        bits = np.array(counted) / np.log(2)
        ax.plot(np.array(ORDERS) - 1, bits, "o", color=pictures.ACCENT, label="n-grams, Kneser-Ney")
        for n, b in zip(ORDERS, bits):
            ax.annotate(f"{b:.2f}", (n - 1, b), (4, 4), textcoords="offset points", size=8,
                        color=pictures.ACCENT)  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks := [2**k for k in range(7) if 2**k <= max(6, len(nats))], ticks)
    ax.set(xlabel="symbols before that are known", ylabel="bits a symbol",
           title="what context is worth, on the test text")  # fmt: skip
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    return fig


# ------------------------------------------------------------------- text with colours


def laid_out(symbols: list[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """(lines of at most COLUMNS characters, the value of each place [lines, COLUMNS] or NaN).

    A line ends with "\\n" or <eos>, which stays visible as ↵. Words stand apart.

    >>> laid_out(list("a\\nb"), np.array([1, 2, 3]))[0]
    ['a↵', 'b']
    """
    apart = any(len(s) > 1 for s in symbols if s != END)
    lines, rows, full = [""], [np.full(COLUMNS, np.nan)], False
    for symbol, value in zip(symbols, values):
        ends = symbol in ("\n", END)
        text = "↵" if ends else (symbol + " " * apart)[:COLUMNS]
        if full or len(lines[-1]) + len(text) > COLUMNS:
            lines.append("")
            rows.append(np.full(COLUMNS, np.nan))
        at = len(lines[-1])
        rows[-1][at : at + len(text.rstrip() or " ")] = value
        lines[-1] += text
        full = ends
    return lines, np.stack(rows)


def coloured(panels: list, cmap: str, low: float, high: float, legend: str, across: int = 1):
    """Panels (title, symbols, values), `across` of them side by side, a colour behind a symbol."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    light = np.linspace(0.0 if low == 0 else 0.2, 0.8, 256)  # letters must stay legible
    cmap = ListedColormap(colormaps[cmap](light))
    laid = [(title, *laid_out(symbols, values)) for title, symbols, values in panels]
    rows = [laid[i : i + across] for i in range(0, len(laid), across)]
    width = CELL * (COLUMNS + 3) * across + 0.8
    height = sum(LINE * (max(len(lines) for _, lines, _ in row) + 2.2) for row in rows) + 0.1
    fig = pictures.figure(width, max(height, 1.6))
    fig.set_layout_engine("none")  # letters and cells must keep their sizes
    width, height = fig.get_size_inches()
    norm, top = Normalize(low, high), height
    for row in rows:
        for k, (title, lines, grid) in enumerate(row):
            at, size = 0.1 + CELL * (COLUMNS + 3) * k, LINE * len(lines)
            below = top - 1.6 * LINE - size
            place = [at / width, below / height, CELL * COLUMNS / width, size / height]
            ax = fig.add_axes(place)
            ax.imshow(grid, cmap=cmap, norm=norm, aspect="auto", extent=(0, COLUMNS, len(lines), 0))
            for i, line in enumerate(lines):  # by words: rounded widths of letters must not add up
                for word in re.finditer(r"\S+", line):
                    ax.text(
                        word.start(), i + 0.5, word[0], family="monospace", size=SIZE,
                        va="center_baseline", color=pictures.INK,
                    )  # fmt: skip
            ax.set_title(title, size=9, loc="left", pad=4)
            ax.axis("off")
        top -= LINE * (max(len(lines) for _, lines, _ in row) + 2.2)
    place = [1 - 0.66 / width, 1 - 1.4 / height, 0.12 / width, 1.1 / height]
    bar = fig.add_axes(place)
    fig.colorbar(ScalarMappable(norm, cmap), cax=bar).set_label(legend, size=8)
    bar.tick_params(labelsize=8)
    return fig


def passage(system, data: DataSet, letters: int) -> np.ndarray:
    """Tokens of about so many letters of the test text, from a new line on if there is one."""
    tokens, words = data.test.x, system.words.words
    apart = 0 if all(len(w) == 1 or w == END for w in words) else 1
    n = int(letters / np.mean([len(words[t]) + apart for t in tokens[:letters]]))
    ends = [system.words.index[s] for s in ("\n", END) if s in system.words]
    lines = np.flatnonzero(np.isin(tokens[: max(0, len(tokens) - n)], ends))
    at = lines[0] if len(lines) else 0
    return tokens[at : at + n + 1]


def surprise(system, data: DataSet):
    """A passage of the test text, each symbol as dark as it was surprising."""
    tokens = passage(system, data, PASSAGE)
    bits = system.surprise(tokens)[:, 0] / np.log(2)
    title = f"-log₂ p of each symbol of a test passage: {bits.mean():.2f} bits in the mean"
    shown = system.words.decode(tokens[1:])
    most = max(12.0, 4 + np.log2(len(system.words)))
    return coloured([(title, shown, bits)], "OrRd", 0.0, most, "bits")


# ------------------------------------------------------------------- what units fire on


def since(marks: list[bool]) -> np.ndarray:
    """How many symbols ago a mark stood, at most 60.

    >>> since([False, True, False, False]).tolist()
    [1, 0, 1, 2]
    """
    found, n = [], 0
    for mark in marks:
        n = 0 if mark else n + 1
        found.append(min(n, 60))
    return np.array(found)


def properties(symbols: list[str]) -> dict[str, np.ndarray]:
    """Properties of a text that one may look for, a number for each symbol."""
    ends = [s in ("\n", END) for s in symbols]
    found = {}
    if all(len(s) == 1 or s == END for s in symbols):
        lines = "".join("\n" if e else s for s, e in zip(symbols, ends)).split("\n")
        named = [np.full(len(line) + 1, line.endswith(":")) for line in lines]
        found["a line that ends with a colon"] = np.concatenate(named)[:-1]
        found["the place in the word"] = since([not s.isalpha() for s in symbols])
        found["a vowel"] = np.array([s in "aeiouAEIOU" for s in symbols])
    else:
        _, at, counts = np.unique(symbols, return_inverse=True, return_counts=True)
        found["a rare word: -ln of its share"] = -np.log(counts[at] / len(symbols))
        found["a short word"] = np.array([len(s) < 4 for s in symbols])
    found["the place in the line"] = since(ends)
    found["symbols since a sentence ended"] = since([s in (*".!?", END) for s in symbols])
    return {name: v.astype(np.float64) for name, v in found.items()}


def states(system, tokens: np.ndarray) -> np.ndarray:
    """h of the top level after every token but the last, [T, H]."""
    return np.concatenate([hs.numpy()[:, 0] for hs, _ in system.read(tokens)])


def units(system, data: DataSet):
    """For each property the unit that goes along with it best in validation, in the test text."""
    part = data.valid if data.valid is not None and len(data.valid) > 2 else data.train
    tokens = part.x[: STUDIED + 1]
    h = states(system, tokens)
    h = (h - h.mean(axis=0)) / np.maximum(h.std(axis=0), 1e-6)
    shown = passage(system, data, PASSAGE // 2)[1:]
    fired, symbols, panels = states(system, shown), system.words.decode(shown[:-1]), []
    taken = np.zeros(h.shape[1], bool)
    for name, value in properties(system.words.decode(tokens[:-1])).items():
        if value.std() == 0 or taken.all():  # the text has no such thing
            continue
        r = ((value - value.mean()) / value.std()) @ h / len(value)
        best = int(np.argmax(np.where(taken, 0, abs(r))))
        taken[best] = True
        title = f"unit {best + 1}: {name} (correlation {r[best]:+.2f})"
        panels.append((title, symbols, fired[:, best]))
    return coloured(panels, "RdBu_r", -1.0, 1.0, "h", across=2)


# ------------------------------------------------------------------- made-up text


def made_up(system, data: DataSet, n: int, rng):
    """n symbols at each temperature, after the end of a line if the text has lines."""
    words, texts = system.words.words, []
    ends = [system.words.index[s] for s in ("\n", END) if s in system.words]
    first = ends[0] if ends else int(data.train.x[-1])
    between = "" if np.mean([len(w) == 1 for w in words]) > 0.5 else " "
    for t in system.s.temperature:
        made = system.words.decode(system.write(n, t, rng, first))
        texts.append(f"— temperature {t:g} —\n" + between.join(made).replace(END, "\n"))
    return page("\n\n".join(texts))
