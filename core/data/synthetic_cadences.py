"""Generated tunes for four voices: chords of a major key, led by the rules of counterpoint.

    chords    I ii IV V vi of one of the twelve major keys; a tune begins on I, each chord follows
              the one before it by the table `FOLLOWS`, for one or two quarter notes by a coin. It
              ends with the first step from V to I after `LEAST` quarter notes
    voices    the bass sings the root. Tenor, alto and soprano share root, third and fifth, in the
              places that are nearest to where they were; no two voices move in parallel fifths or
              octaves

What comes next is drawn, how it is sung is not: the nats that a tune costs under this law are known
exactly (`info.extra["nats"]`). Only a model that knows where tunes end does better, by .02 nats a
frame: it need not pay for the hold of the last chord. Drawn from Philox.
"""

from functools import cache
from itertools import combinations, product

import numpy as np

from .dataset import DataSet, Info, Split
from .own.sequences.piano_rolls import KEYS, LOWEST, NAMES
from .streams import SYNTHETIC, check_seed, uniform_rows
from .synthetic import _choice, _three

TRIADS = {"I": (0, 4, 7), "ii": (2, 5, 9), "IV": (5, 9, 0), "V": (7, 11, 2), "vi": (9, 0, 4)}
FOLLOWS = {  # chord -> (what may follow, with which probability)
    "I": (("IV", "V", "vi", "ii"), (0.3, 0.3, 0.2, 0.2)),
    "ii": (("V",), (1.0,)),
    "IV": (("V", "I", "ii"), (0.5, 0.3, 0.2)),
    "V": (("I", "vi"), (0.7, 0.3)),
    "vi": (("ii", "IV"), (0.5, 0.5)),
}
BASS = range(40, 52)  # pitches: each root has one place, E2 .. D#3
RANGES = (range(48, 68), range(55, 74), range(60, 80))  # tenor, alto, soprano
FIRST = (52, 60, 67)  # near which they begin
LEAST, MOST = 16, 40  # quarter notes before the end; chords of a tune


def chord_of(tonic: int, degree: str) -> tuple[int, tuple[int, ...]]:
    """(the bass, the pitch classes of root, third and fifth)."""
    tones = tuple((tonic + step) % 12 for step in TRIADS[degree])
    return next(p for p in BASS if p % 12 == tones[0]), tones


def parallel(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Do two voices move by the same interval, a fifth or an octave apart?

    >>> parallel((40, 47), (42, 49)), parallel((40, 47), (42, 50)), parallel((40, 47), (40, 47))
    (True, False, False)
    """
    return any(
        (b - a) % 12 in (0, 7) and (d - c) % 12 == (b - a) % 12 and c - a == d - b != 0
        for (a, c), (b, d) in combinations(zip(before, after), 2)
    )


@cache
def voiced(before: tuple[int, ...] | None, tonic: int, degree: str) -> tuple[int, ...]:
    """(bass, tenor, alto, soprano) of a chord after those of the one before it; None at first.

    Of all places within the voices' ranges, voices in order, each tone once, the one without
    parallels that moves least, Σ |steps|; on a tie the lowest.

    >>> voiced(None, 0, "I")
    (48, 52, 60, 67)
    """
    bass, tones = chord_of(tonic, degree)
    able = [[p for p in voice if p % 12 in tones] for voice in RANGES]
    places = [
        (bass, *upper)
        for upper in product(*able)
        if bass < upper[0] < upper[1] < upper[2] and len({p % 12 for p in upper}) == 3
    ]
    if before is not None:
        places = [p for p in places if not parallel(before, p)]
    start = FIRST if before is None else before[1:]
    return min(places, key=lambda p: (sum(abs(a - b) for a, b in zip(p[1:], start)), p))


def tune(u: np.ndarray) -> tuple[np.ndarray, float]:
    """(a roll float32 [T, 88], the nats of its frames) by 1 + 2·``MOST`` numbers in [0, 1)."""
    tonic, came_from, degree = int(_choice(u[0], 0, 12)), "", "I"
    pitches = voiced(None, tonic, degree)
    frames, nats = [], np.log(12)
    for hold, follow in u[1:].reshape(-1, 2).tolist():
        frames.append(pitches)
        if hold < 0.5:
            frames.append(pitches)
            nats += np.log(2)
        if len(frames) >= LEAST and (came_from, degree) == ("V", "I"):
            break
        names, p = FOLLOWS[degree]
        k = min(int(np.searchsorted(np.cumsum(p), follow, side="right")), len(names) - 1)
        nats += -np.log(p[k]) + (np.log(2) if hold >= 0.5 else 0.0)
        came_from, degree = degree, names[k]
        pitches = voiced(pitches, tonic, degree)
    roll = np.zeros((len(frames), KEYS), np.float32)
    roll[np.arange(len(frames))[:, None], np.array(frames) - LOWEST] = 1
    return roll, float(nats)


def cadences(train: int = 400, valid: int = 100, test: int = 100, seed: int = 0) -> DataSet:
    """Tunes as rolls, x a list of float32 [T_n, 88], one row a quarter note: see the page above.

    ``info.extra["nats"]`` has for each split the nats of a frame under the law that drew the tunes.

    >>> d = cadences(train=3, valid=1, test=1)
    >>> [len(x) for x in d.train.x], int(d.train.x[0][0].sum())
    ([22, 17, 18], 4)
    """
    seed = check_seed("cadences", seed)
    cost: list[float] = []

    def make(first: int, size: int) -> Split:
        rows = uniform_rows(seed, SYNTHETIC, first, size, 1 + 2 * MOST)
        rolls, nats = zip(*map(tune, rows)) if size else ((), ())
        cost.append(sum(nats) / max(1, sum(map(len, rolls))))
        return Split(list(rolls))

    parts = _three(make, train, valid, test)
    extra = {"nats": dict(zip(("train", "valid", "test"), cost))}
    info = Info("generated", feature_names=NAMES, note=f"seed {seed}", extra=extra)
    return DataSet("cadences", *parts, info)
