"""Some of a data set as a picture: what one looks at before training on it.

Here are images, tables and texts; lists of sequences, sentences and recordings are in
data_picture_lists.py, graphs in data_picture_graphs.py.
"""

import numpy as np

from .core import pictures
from .core.data import DataSet, Graph, OneShot, kind_of
from .core.data.text import WordEval
from .core.usage import UsageError
from .data_picture_graphs import graph, graphs
from .data_picture_lists import audio, games, pairs, sentences, sequences
from .data_picture_questions import one_shot, questions
from .data_picture_words import counts, tokens

SHOWN = 40  # images
COLUMNS = 12  # of a table
LOOKED_AT = 20_000  # rows
TENSORS = 12
FEW = 10  # different values of a column, which have a bar each
BITS, ROWS = 150, 40  # columns and rows of 0 and 1


def picture(data):
    """A matplotlib figure of the training split, by the kind of the data.

    images        the first of them, with their classes
    table         histograms of the columns, by class
    binary        the first rows, and the share of 1 in each column
    counts        the commonest words, and what each class has more of
    text          how often the commonest words or characters come
    sentences     lengths, and the commonest words;  pairs: of both sides
    sequences     the first of them over time;  series: all of it, the splits shaded
    audio         waveforms and spectrograms
    games         where the first moves go
    graph         a drawing of a small one, the degrees of a large one;  graphs: the first of them
    weights       the distribution of the values in the largest tensors
    evaluation    one-shot runs; how many analogies each section has; scores of pairs of words

    Raises UsageError for data that have no picture.
    """
    tensors = getattr(data, "tensors", None)
    if isinstance(tensors, dict):
        return weights(data.name, tensors)
    if isinstance(data, OneShot):
        return one_shot(data)
    if isinstance(data, WordEval):
        return questions(data)
    if not isinstance(data, DataSet | Graph):
        raise UsageError(f"there is no picture of {getattr(data, 'name', 'these data')}")
    return PICTURES[kind_of(data)](data)


def images(data: DataSet):
    """The first training images, and the names of their classes."""
    x, y = data.train.x[:SHOWN], data.train.y
    title = f"{data.name[:40]}: the first {len(x)} training images"
    if y is not None and y.dtype.kind == "i" and data.info.classes:
        names = list(dict.fromkeys(data.info.classes[i] for i in y[:SHOWN]))
        listed = f" ({', '.join(names)})"
        title += listed if len(title + listed) <= 78 else f" of {len(names)} classes"
    if x.shape[1] == 1:
        return pictures.image_sheet(x[:, 0], title=title)
    figure = pictures.figure(5.5, 0.55 * -(-len(x) // 10) + 0.4)
    ax = figure.subplots()
    ax.imshow(np.stack([pictures.tile(x[:, c], 10) for c in range(3)], -1))
    ax.set_axis_off()
    ax.set_title(title, fontsize=9)
    return figure


def columns(data: DataSet):
    """Histograms of the columns of a table, by class."""
    x, y = data.train.x[:LOOKED_AT], data.train.y
    y = None if y is None else y[:LOOKED_AT]
    shown = min(x.shape[1], COLUMNS)
    names = data.info.feature_names or tuple(f"column {i + 1}" for i in range(x.shape[1]))
    across = min(shown, 4)
    down = -(-shown // across)
    figure = pictures.figure(2.6 * across, 2.1 * down + 0.3)
    classes = data.info.classes if y is not None and y.dtype.kind == "i" else ()
    for i in range(shown):
        ax = figure.add_subplot(down, across, i + 1)
        edges, ticks = _bins(x[:, i])
        groups = [x[y == k, i] for k in range(len(classes))] if classes else [x[:, i]]
        ax.hist(groups[:10], bins=edges, stacked=True, label=classes[:10] or None)
        ax.set_title(names[i][:28], fontsize=8)
        ax.tick_params(labelsize=6)
        if ticks is not None:
            ax.set_xticks(ticks, [f"{v:g}" for v in ticks])
    figure.suptitle(_of_columns(data, shown), fontsize=9)
    if classes:
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), fontsize=7, loc="outside upper right"
        )
    return figure


def _bins(column: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(edges of the bars, ticks): a bar for each value where they are few and evenly spread."""
    kinds = np.unique(column)
    apart = np.diff(kinds)
    if len(kinds) == 1:
        return kinds[0] + np.array([-1.5, -0.5, 0.5, 1.5]), kinds
    if len(kinds) <= FEW and np.allclose(apart, apart[0]):
        step = apart[0]
        edges = kinds[0] + step * (np.arange(2 * len(kinds)) / 2 - 0.25)
        return edges, kinds
    return np.histogram_bin_edges(column, bins=20), None


def _of_columns(data: DataSet, shown: int) -> str:
    width = data.train.x.shape[1]
    which = f"the first {shown} of {width:,} columns" if shown < width else f"{width} columns"
    which = "1 column" if width == 1 else which
    return f"{data.name[:40]}: {which} of {len(data.train):,} training rows"


def bits(data: DataSet):
    """The first rows of 0 and 1, and the share of 1 in each column, by class."""
    x, y = np.asarray(data.train.x[:LOOKED_AT]), data.train.y
    y = None if y is None else y[:LOOKED_AT]
    shown = min(x.shape[1], BITS)
    names = data.info.feature_names
    figure = pictures.figure(9, 5)
    rows, shares = figure.subplots(2, 1, sharex=True, height_ratios=(1.3, 1))
    rows.imshow(x[:ROWS, :shown], aspect="auto", cmap="gray_r", interpolation="nearest",
                vmin=0, vmax=1)  # fmt: skip
    rows.set_ylabel(f"the first {min(ROWS, len(x))} rows", fontsize=8)
    classes = data.info.classes if y is not None and y.dtype.kind == "i" else ()
    groups = [(c, x[y == k]) for k, c in enumerate(classes[:10])] or [(None, x)]
    for k, (name, group) in enumerate(groups):
        if len(group):
            share = group[:, :shown].mean(axis=0)
            shares.step(range(shown), share, where="mid", lw=1, label=name,
                        color=pictures.CLASS_COLOURS[k])  # fmt: skip
    shares.set(ylim=(-0.03, 1.03), xlim=(-0.5, shown - 0.5))
    shares.set_ylabel("share of 1", fontsize=8)
    if len(names) > 0 and shown <= 24:
        shares.set_xticks(range(shown), [n[:16] for n in names[:shown]], rotation=90, fontsize=7)
    else:
        shares.set_xlabel("column", fontsize=8)
    if classes:
        shares.legend(fontsize=7)
    figure.suptitle(_of_columns(data, shown), fontsize=9)
    return figure


def series(data: DataSet):
    """Every quantity over time, a panel each; validation and test are shaded."""
    parts = list(data.splits())
    width = parts[0][1].x.shape[1]
    shown = min(width, 6)
    names = data.info.feature_names or tuple(f"column {i + 1}" for i in range(width))
    figure = pictures.figure(9, 0.6 + 1.7 * shown)
    axes = figure.subplots(shown, 1, sharex=True, squeeze=False)[:, 0]
    times = data.info.extra.get("times", {})
    start = 0
    for (part, split), shade in zip(parts, ("#ffffff", "#e8eef4", "#f6e6df")):
        at = times.get(part)
        if at is None or np.asarray(at).dtype.kind not in "iufM":
            at = np.arange(start, start + len(split))
        start += len(split)
        for i, ax in enumerate(axes):
            ax.plot(at, split.x[:, i], color=pictures.INK, lw=0.8)
            if len(at):
                ax.axvspan(at[0], at[-1], color=shade, zorder=0, label=part if i == 0 else None)
    for ax, name in zip(axes, names):
        ax.set_ylabel(name[:24], fontsize=8)
        ax.margins(x=0.01)
    axes[-1].set_xlabel("time" if times else "step")
    axes[0].legend(fontsize=7, loc="upper left")
    sizes = ", ".join(f"{part} {len(split):,}" for part, split in parts)
    figure.suptitle(f"{data.name}: {sizes}", fontsize=9)
    return figure


def weights(name: str, tensors: dict[str, np.ndarray]):
    """The distribution of the values in the largest tensors."""
    numbers = {k: a for k, a in tensors.items() if a.dtype.kind in "iuf" and a.size}
    largest = sorted(numbers, key=lambda k: -numbers[k].size)[:TENSORS]
    if not largest:
        raise UsageError(f"there is no picture of {name}: it holds no numbers")
    across = min(len(largest), 4)
    down = -(-len(largest) // across)
    figure = pictures.figure(2.7 * across, 2.0 * down + 0.3)
    for i, key in enumerate(largest):
        ax = figure.add_subplot(down, across, i + 1)
        ax.hist(numbers[key].ravel()[:1_000_000], bins=50, color=pictures.INK)
        shape = " x ".join(map(str, numbers[key].shape))
        ax.set_title(f"{key[-34:]}\n{shape}", fontsize=6.5)
        ax.tick_params(labelsize=6)
        ax.set_yticks([])
    figure.suptitle(f"{name}: the largest of {len(tensors)} tensors", fontsize=9)
    return figure


PICTURES = {
    "images": images, "table": columns, "binary": bits, "counts": counts, "text": tokens,
    "sentences": sentences, "pairs": pairs, "sequences": sequences, "series": series,
    "audio": audio, "graph": graph, "graphs": graphs, "games": games,
}  # fmt: skip
