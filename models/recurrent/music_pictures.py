"""Pictures of a composer: a tune of its own, what it expects next, a chord note by note."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.data.own.sequences.piano_rolls import LOWEST
from ...core.data.wav import written
from ...core.training.system import Batch
from .midi import RATE, midi, notes, samples

SHOWN = 64  # frames of a picture
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
BLACK = {1, 3, 6, 8, 10}  # of the twelve pitch classes


def figures(system, data: DataSet, s) -> dict:
    """`sample`: tunes of its own; `expected`: the next frame; `chord`: one note by note."""
    rng = gg.Generator(s.seed).child("sample")
    piece = data.test.x[0][:SHOWN]
    return {
        "sample": sample(system, data, SHOWN, rng),
        "expected": expected(system, piece),
        "chord": chord(system, piece),
    }


def composed(system, n: int, rng) -> np.ndarray:
    """A tune of n frames from nothing, [n, K]."""
    return system.compose(n, rng)[0]


def sample(system, data: DataSet, n: int, rng):
    """A tune of n frames that the system made up, over one of the test tunes."""
    piece = data.test.x[0][:n]
    rolls = {"made up": composed(system, n, rng), f"a tune of {data.name}": piece}
    fig = pictures.figure(8.4, 5.4)
    for ax, (title, roll) in zip(fig.subplots(2), rolls.items()):
        keyboard(ax, np.concatenate(list(rolls.values())))
        draw_notes(ax, roll)
        ax.set_title(title, size=9, loc="left")
        ax.set_xlim(0, max(map(len, rolls.values())))
    ax.set_xlabel("quarter note")
    return fig


def files(system, data: DataSet, n: int, rng) -> dict[str, bytes]:
    """The made-up tune of `sample` with the same rng, to listen to and to edit."""
    roll = composed(system, n, rng)
    return {".wav": written(samples(roll), RATE), ".mid": midi(roll)}


def keyboard(ax, rolls: np.ndarray) -> None:
    """Axes of the pitches that sound in rolls [T, K], black keys as grey rows, the Cs named."""
    used = np.flatnonzero(rolls.max(axis=0) > 0.5) + LOWEST
    low, high = (used.min() - 2, used.max() + 2) if used.size else (48, 72)
    for pitch in range(low, high + 1):
        if pitch % 12 in BLACK:
            ax.axhspan(pitch - 0.5, pitch + 0.5, color="0.94", lw=0)
    cs = [p for p in range(low, high + 1) if p % 12 == 0]
    ax.set_yticks(cs, [f"C{p // 12 - 1}" for p in cs])
    ax.set_ylim(low - 0.5, high + 0.5)
    ax.spines[["top", "right"]].set_visible(False)


def draw_notes(ax, roll: np.ndarray) -> None:
    """The notes of a roll as bars, in the colour of their pitch class on the circle of fifths."""
    import matplotlib

    colours = matplotlib.colormaps["twilight_shifted"]
    for first, end, pitch in notes(roll):
        colour = colours(0.08 + 0.84 * (pitch * 7 % 12) / 12)
        ax.barh(pitch, end - first - 0.08, left=first + 0.04, height=0.82, color=colour, lw=0)


def states(system, piece: np.ndarray):
    """s_t [T, h] of a piece."""
    batch = system.on_device(Batch(np.concatenate([np.zeros_like(piece[:1]), piece[:-1]])[:, None]))
    return system.past(batch.x)[:, 0]


def expected(system, piece: np.ndarray):
    """p(key | the past and the keys below it) as shades, and a ring for each key that sounds."""
    with gg.no_grad():
        f = system.on_device(Batch(piece)).x
        p = gg.sigmoid(system.logits(states(system, piece), f)).numpy()
    fig = pictures.figure(8.4, 3.6)
    ax = fig.subplots()
    keyboard(ax, np.maximum(piece, p > 0.5))
    keys = np.arange(p.shape[1]) + LOWEST
    ax.pcolormesh(np.arange(len(p) + 1), np.append(keys, keys[-1] + 1) - 0.5, p.T, cmap="Blues",
                  vmin=0, vmax=1, alpha=0.9)  # fmt: skip
    t, k = np.nonzero(piece)
    ax.plot(t + 0.5, k + LOWEST, "o", mfc="none", mec=pictures.ACCENT, ms=5, mew=1)
    ax.set(xlabel="quarter note", xlim=(0, len(piece)))
    ax.set_title("p(key | the past, the keys below it); rings: the tune", size=9)
    return fig


def chord(system, piece: np.ndarray):
    """How a chord is written: p of each key that is likely before, and after each note below it."""
    at = min(len(piece) - 1, 8)
    struck = np.flatnonzero(piece[at])
    with gg.no_grad():
        s = states(system, piece)[at : at + 1]
        rows = []
        for r in range(len(struck) + 1):  # the notes so far, then p of the keys above
            f = np.zeros_like(piece[:1])
            f[0, struck[:r]] = 1
            p = gg.sigmoid(system.logits(s, system.on_device(Batch(f)).x)).numpy()[0]
            p[: struck[r - 1] + 1 if r else 0] = np.nan
            rows.append(p)
    rows = np.stack(rows)
    shown = np.flatnonzero((np.nan_to_num(rows).max(axis=0) > 0.02) | (piece[at] > 0))
    fig = pictures.figure(8.4, 0.45 * len(rows) + 1.3)
    ax = fig.subplots()
    ax.imshow(rows[:, shown], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for r in range(len(rows)):
        ax.plot(np.searchsorted(shown, struck[:r]), [r] * r, "o", color=pictures.ACCENT, ms=7)
    ax.set_xticks(
        range(len(shown)),
        [f"{NAMES[(k + LOWEST) % 12]}{(k + LOWEST) // 12 - 1}" for k in shown],
        rotation=90, fontsize=7,
    )  # fmt: skip
    ax.set_yticks(range(len(rows)), [f"{r} notes" for r in range(len(rows))])
    ax.set_title(f"frame {at + 1} note by note: p of the keys above the notes so far", size=9)
    return fig
