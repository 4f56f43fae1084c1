"""Lists of different lengths as pictures: sequences, sentences, pairs, recordings and games."""

import numpy as np

from .core import pictures
from .core.data import DataSet
from .core.data.spectrogram import hann
from .data_picture_words import commonest

SEQUENCES = 6
RECORDINGS = 4
OPENING = 20  # moves of a game that count as its opening


def lengths(ax, x: list, what: str, unit: str, y=None, classes=()) -> None:
    """A histogram of the lengths of x on `ax`, stacked by class where there are classes."""
    n = np.array([len(item) for item in x], np.int64)
    top = int(np.percentile(n, 99.5)) if len(n) else 1
    n = np.minimum(n, top)  # a few very long ones would leave no room for the others
    groups, labels = [n], None
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind == "i" and 1 < len(classes) <= 10:
        groups, labels = [n[y == k] for k in range(len(classes))], list(classes)
    step = max(1, -(-top // 50))
    low = int(n.min(initial=top)) // step * step
    bins = np.arange(low, top + step + 1, step) - 0.5
    ax.hist(groups, bins=bins, stacked=True, label=labels)
    clipped = len(n) and max(map(len, x)) > top
    ax.set_xlabel(unit + " (longer ones in the last bar)" * bool(clipped), fontsize=8)
    ax.set_ylabel(what, fontsize=8)
    if labels:
        ax.legend(fontsize=6)


def sequences(data: DataSet):
    """The first training sequences over time, and the lengths of all."""
    x = data.train.x
    shown = x[:SEQUENCES] if isinstance(x, list) else list(x[:SEQUENCES])
    figure = pictures.figure(8, 5.6)
    axes = figure.subplots(3, 3)
    for ax in axes[:2].ravel()[len(shown) :]:
        ax.set_axis_off()
    for i, (ax, item) in enumerate(zip(axes[:2].ravel(), shown)):
        item = np.asarray(item, np.float32).reshape(len(item), -1)
        if item.shape[1] > 4:  # as a roll
            used = np.flatnonzero(item.any(axis=0))
            low, high = (used[0], used[-1] + 1) if len(used) else (0, item.shape[1])
            ax.imshow(
                item[:, low:high].T, aspect="auto", origin="lower", cmap="gray_r",
                interpolation="nearest", extent=(0, len(item), low, high),
            )  # fmt: skip
        else:
            ax.plot(item, lw=0.8)
        ax.set_title(f"{len(item)} steps{_class(data, i)}", fontsize=8)
        ax.tick_params(labelsize=6)
    for ax in axes[2]:
        ax.remove()
    grid = axes[2, 0].get_gridspec()
    lengths(figure.add_subplot(grid[2, :]), list(x), "sequences", "steps", data.train.y,
            data.info.classes)  # fmt: skip
    figure.suptitle(f"{data.name}: the first training sequences, and all lengths", fontsize=9)
    return figure


def sentences(data: DataSet):
    """How long the sentences are, by class, and which words are the commonest."""
    figure = pictures.figure(9, 3.2)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.8))
    lengths(left, data.train.x, "sentences", "words", data.train.y, data.info.classes)
    _words(right, data.train.x, data.info.vocabulary)
    figure.suptitle(f"{data.name}: {len(data.train):,} training sentences", fontsize=9)
    return figure


def pairs(data: DataSet):
    """Lengths and commonest words of both sides of the pairs."""
    figure = pictures.figure(9, 6)
    axes = figure.subplots(2, 2, width_ratios=(1, 1.8))
    sides = (
        ("source", data.train.x, data.info.vocabulary),
        ("target", data.train.y, data.info.extra.get("target_vocabulary")),
    )
    for row, (name, side, vocabulary) in zip(axes, sides):
        lengths(row[0], side, f"sentences, {name}", "words")
        _words(row[1], side, vocabulary)
    figure.suptitle(f"{data.name}: {len(data.train):,} training pairs", fontsize=9)
    return figure


def _words(ax, x: list, vocabulary) -> None:
    numbers = np.concatenate(x) if x else np.zeros(0, np.int64)
    top = int(numbers.max(initial=-1)) + 1
    words = vocabulary.words if vocabulary is not None else tuple(map(str, range(top)))
    commonest(ax, numbers, words, 30, "all words")
    ax.set_title(f"the commonest of {len(words):,}", fontsize=8)


def spectrogram(x: np.ndarray, window: int) -> np.ndarray:
    """Loudness in decibels [window / 2 + 1, frames]: |FFT|² of Hann windows that overlap by half.

    The loudest is 0, and nothing is below -80.

    >>> t = np.arange(512)
    >>> spectrogram(np.sin(2 * np.pi * t / 8), 64).argmax(axis=0).tolist()[:3]  # 64 / 8
    [8, 8, 8]
    """
    window = min(window, max(2, len(x)))
    step = max(1, window // 2)
    x = np.pad(x, (0, max(0, window - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(x, window)[::step]
    power = np.abs(np.fft.rfft(frames * hann(window), axis=1)) ** 2
    loudest = power.max(initial=0)
    if loudest == 0:
        return np.full((power.shape[1], len(power)), -80.0)
    return 10 * np.log10(np.maximum(power / loudest, 1e-8)).T


def audio(data: DataSet):
    """Waveforms of the first training recordings over their spectrograms."""
    shown = data.train.x[:RECORDINGS]
    rate = data.info.extra.get("sample_rate")
    figure = pictures.figure(2.6 * len(shown) + 0.6, 4.2)
    axes = figure.subplots(2, len(shown), squeeze=False)
    for i, clip in enumerate(shown):
        clip = np.asarray(clip, np.float64).reshape(-1)
        seconds = len(clip) / (rate or 1)
        axes[0, i].plot(np.linspace(0, seconds, len(clip)), clip, lw=0.5, color=pictures.INK)
        axes[0, i].set(ylim=(-1.05, 1.05), xlim=(0, seconds))
        axes[0, i].set_title(f"{len(clip):,} samples{_class(data, i)}", fontsize=8)
        image = spectrogram(clip, 256)
        axes[1, i].imshow(
            image, aspect="auto", origin="lower", cmap="magma", vmin=-80, vmax=0,
            extent=(0, seconds, 0, (rate or 1) / 2000 if rate else 0.5),
        )  # fmt: skip
        axes[1, i].set_xlabel("seconds" if rate else "samples", fontsize=8)
        for ax in axes[:, i]:
            ax.tick_params(labelsize=6)
    axes[0, 0].set_ylabel("amplitude", fontsize=8)
    axes[1, 0].set_ylabel("kHz" if rate else "cycles a sample", fontsize=8)
    figure.suptitle(f"{data.name}: waveforms and spectrograms (0 to -80 dB)", fontsize=9)
    return figure


def games(data: DataSet):
    """Where first moves and openings go, and how long games are."""
    x, board = data.train.x, data.info.extra.get("board")
    figure = pictures.figure(9.5, 3.4)
    first, opening, last = figure.subplots(1, 3)
    moves = [np.asarray(game, np.int64).reshape(-1) for game in x]
    openings = (
        (first, np.array([m[0] for m in moves if len(m)], np.int64), "the first move"),
        (opening, np.concatenate([m[:OPENING] for m in moves]), f"the first {OPENING} moves"),
    )
    for ax, found, title in openings:
        if board:
            on_board = found[found < board * board]
            shares = np.bincount(on_board, minlength=board * board).reshape(board, board)
            drawn = ax.imshow(shares / max(1, len(found)), cmap="viridis")
            ticks = range(0, board, max(1, board // 6))
            ax.set_xticks(ticks)
            ax.set_yticks(ticks)
            figure.colorbar(drawn, ax=ax, shrink=0.7).ax.tick_params(labelsize=6)
        else:
            kinds, n = np.unique(found, return_counts=True)
            top = np.argsort(-n, kind="stable")[:20]
            ax.bar(range(len(top)), n[top] / max(1, len(found)), color=pictures.COLOURS[0])
            ax.set_xticks(range(len(top)), [str(k) for k in kinds[top]], rotation=90, fontsize=7)
        ax.set_title(title, fontsize=8)
        ax.tick_params(labelsize=6)
    lengths(last, moves, "games", "moves", data.train.y, data.info.classes)
    figure.suptitle(f"{data.name}: {len(x):,} training games, share of moves", fontsize=9)
    return figure


def _class(data: DataSet, i: int) -> str:
    y = data.train.y
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind == "i" and data.info.classes:
        return f", {data.info.classes[y[i]]}"[:24]
    return ""
