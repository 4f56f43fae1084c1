"""Some of a data set as a picture: what one looks at before training on it."""

import numpy as np

from .core import pictures
from .core.data import DataSet

SHOWN = 40  # images
COLUMNS = 12  # of a table


def picture(data: DataSet):
    """A matplotlib figure of the training split; None for data that have no picture here.

    Images with their labels; histograms of the columns of a table, by class; how often the
    commonest words or characters of a text come.
    """
    x = data.train.x
    if isinstance(x, np.ndarray) and x.ndim == 4:
        return _images(data)
    if isinstance(x, np.ndarray) and x.ndim == 2:
        return _columns(data)
    if isinstance(x, np.ndarray) and x.ndim == 1 and data.info.vocabulary is not None:
        return _tokens(data)
    return None


def _images(data: DataSet):
    x, y = data.train.x[:SHOWN], data.train.y
    names = ""
    if y is not None and y.dtype.kind == "i" and data.info.classes:
        names = ", ".join(dict.fromkeys(data.info.classes[i] for i in y[:SHOWN]))
    images = x[:, 0] if x.shape[1] == 1 else x.transpose(0, 2, 3, 1)
    title = f"{data.name}: the first {len(x)} training images" + (f" ({names})" if names else "")
    return pictures.image_sheet(images, title=title[:110])


def _columns(data: DataSet):
    x, y = data.train.x, data.train.y
    shown = min(x.shape[1], COLUMNS)
    names = data.info.feature_names or tuple(f"column {i + 1}" for i in range(x.shape[1]))
    across = min(shown, 4)
    down = -(-shown // across)
    figure = pictures.figure(2.6 * across, 2.1 * down)
    classes = data.info.classes if y is not None and y.dtype.kind == "i" else ()
    for i in range(shown):
        ax = figure.add_subplot(down, across, i + 1)
        edges = np.histogram_bin_edges(x[:, i], bins=20)
        groups = [x[y == k, i] for k in range(len(classes))] if classes else [x[:, i]]
        ax.hist(groups[:10], bins=edges, stacked=True, label=classes[:10] or None)
        ax.set_title(names[i][:28], fontsize=8)
        ax.tick_params(labelsize=6)
    if classes:
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), fontsize=7, loc="outside upper right"
        )
    return figure


def _tokens(data: DataSet):
    words = data.info.vocabulary.words
    counts = np.bincount(data.train.x, minlength=len(words))
    top = np.argsort(-counts, kind="stable")[:SHOWN]
    figure = pictures.figure(8, 3)
    ax = figure.add_subplot()
    ax.bar(range(len(top)), counts[top] / counts.sum())
    labels = [repr(words[i])[1:-1] if words[i].strip() else repr(words[i]) for i in top]
    ax.set_xticks(range(len(top)), labels, rotation=90, fontsize=7)
    ax.set_ylabel("share of the text")
    ax.set_title(f"{data.name}: the commonest of {len(words):,}", fontsize=9)
    return figure
