"""Piano rolls in JSON, as those of JSB's chorales: the keys that sound in each step."""

import json
import re
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import decode, read_path
from ..lines import counted
from ..peek import head
from ..splits import SPLITS, seeded

LOWEST, KEYS = 21, 88  # MIDI pitch of the lowest key of a piano (A0), and the number of keys
STEPS = 1 << 20  # of all rolls together: 370 MB as float32
_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NAMES = tuple(f"{_NOTES[p % 12]}{p // 12 - 1}" for p in range(LOWEST, LOWEST + KEYS))
_ROLLS = re.compile(rb'\s*(?:\{\s*"(?:train|valid|test)"\s*:\s*)?\[\s*\[\s*(?:\[|\d)')


def from_rolls(path: str | Path, seed: int = 0) -> DataSet:
    """Piano rolls in the form of JSB's chorales: x a list of float32 [T_n, 88], no labels.

    path  a .json file (or .gz of one): an object of ``train``, ``valid`` and ``test``, each a list
          of pieces; or one list of pieces. A piece is a list of steps, a step a list of MIDI
          pitches 21 … 108
    seed  of the split where the file has none: a tenth for validation, a fifth for the test

    x[n][t, k] = 1 where key k (pitch 21 + k) sounds. Raises DataError, with piece and step, for
    what is no pitch.
    """
    path = Path(path)
    pieces = parse_rolls(decode(read_path(path), str(path), "utf-8-sig"), str(path))
    if "" in pieces:
        parts, how = seeded("from_rolls", path, "pieces", Split(pieces[""]), seed)
    else:
        parts = [Split(pieces[p]) if pieces.get(p) else None for p in SPLITS]
        how = "split as the file says: " + ", ".join(f"{p} {len(x)}" for p, x in pieces.items())
    steps = [len(x) for rolls in pieces.values() for x in rolls]
    rolls = counted(len(steps), "piano roll")
    said = f"{rolls} of {min(steps):,} … {max(steps):,} steps, 88 keys"
    info = Info(str(path), feature_names=NAMES, note=how, kind="sequences", understood=(said, how))
    return DataSet(path.name, *parts, info)


def looks_like_rolls(path: Path) -> bool:
    """Does the file begin with a list of pieces, or with an object of splits?"""
    return bool(_ROLLS.match(head(path)[0].removeprefix(b"\xef\xbb\xbf")))


def parse_rolls(text: str, name: str) -> dict[str, list[np.ndarray]]:
    """{part: [roll]} of the JSON text of a file; the part "" where it is one list of pieces.

    >>> {part: len(rolls) for part, rolls in parse_rolls('{"train": [[[60], []]]}', "d").items()}
    {'train': 1}
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: not an object of train, valid, test: {error!s:.120}") from error
    if isinstance(raw, list):
        raw = {"": raw}
    elif not isinstance(raw, dict) or "train" not in raw or set(raw) - set(SPLITS):
        got = f"keys {', '.join(raw)}" if isinstance(raw, dict) else f"a {type(raw).__name__}"
        raise DataError(
            f"{name}: not an object of train, valid, test, nor a list of pieces; got {got:.120}"
        )
    total, found = 0, {}
    for part in sorted(raw, key=(*SPLITS, "").index):
        pieces = raw[part]
        if not isinstance(pieces, list) or (not pieces and part in ("train", "")):
            raise DataError(f"{name}: {part or 'the file'} is no list of pieces, or is empty")
        total += sum(len(piece) for piece in pieces if isinstance(piece, list))
        if total > STEPS:
            raise DataError(f"{name}: more than {STEPS:,} steps")
        found[part] = [roll(p, f"{name}, {part or 'piece'} {n}") for n, p in enumerate(pieces)]
    return found


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
