"""Music: piano rolls, a list of float32 [T_n, 88], one row per quarter note."""

import json

import numpy as np

from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .read import decode, read_bytes

LOWEST, KEYS = 21, 88  # MIDI pitch of the lowest key of a piano (A0), and the number of keys
_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def roll(steps: list, where: str = "roll") -> np.ndarray:
    """A list of steps, each a list of MIDI pitches 21 .. 108, as a roll float32 [T, 88].

    >>> roll([[21], [], [60, 64]]).nonzero()
    (array([0, 2, 2]), array([ 0, 39, 43]))
    """
    if not isinstance(steps, list):
        raise DataError(f"{where}: expected a list of steps, got {type(steps).__name__}")
    out = np.zeros((len(steps), KEYS), np.float32)
    for t, pitches in enumerate(steps):
        for p in pitches if isinstance(pitches, list) else [pitches]:
            if type(p) is not int or not LOWEST <= p < LOWEST + KEYS:
                got = f"a {type(p).__name__}" if isinstance(p, list | dict) else f"{p!r:.80}"
                raise DataError(f"{where}, step {t}: {got} is not a pitch from 21 to 108")
            out[t, p - LOWEST] = 1
    return out


def jsb_chorales(data_dir=None) -> DataSet:
    """Bach's chorales, one row per quarter note: 229 / 76 / 77 pieces, no labels.

    x[n][t, k] = 1 where key k (MIDI pitch 21 + k) sounds. The model predicts x[n][t+1] from
    x[n][: t+1]. Source: split of Boulanger-Lewandowski, Bengio, Vincent 2012.
    """
    file = FILES["jsb_chorales/jsb-chorales-quarter.json"]
    try:
        raw = json.loads(decode(read_bytes(file, data_dir), file.path))
        pieces = {part: list(raw[part]) for part in ("train", "valid", "test")}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{file.path}: not an object of train, valid, test: {error!s:.120}"
        ) from error
    splits = [
        Split([roll(piece, f"{file.path}, {part} {n}") for n, piece in enumerate(found)])
        for part, found in pieces.items()
    ]
    names = (f"{_NOTES[p % 12]}{p // 12 - 1}" for p in range(LOWEST, LOWEST + KEYS))
    info = Info(
        str(find(file, data_dir).parent),
        feature_names=tuple(names),
        note="official split; one step is a quarter note",
    )
    return DataSet("jsb_chorales", *splits, info)
