"""Generated cadences: the rules that the page promises, and the nats by counting again."""

import itertools

import numpy as np
import pytest

from glassgrad.core.data import digest, load
from glassgrad.core.data.synthetic_cadences import FIRST, FOLLOWS, LEAST, RANGES, TRIADS


@pytest.fixture(scope="module")
def data():
    return load("cadences", train=120, valid=20, test=20, seed=3)


def sung(roll) -> list[tuple[int, ...]]:
    """The four pitches of each frame, from the bass up."""
    return [tuple((np.flatnonzero(frame) + 21).tolist()) for frame in roll]


def chords(roll) -> list[tuple[tuple[int, ...], int]]:
    """(pitches, how many quarter notes) of the chords in a row."""
    found = []
    for frame in sung(roll):
        if found and found[-1][0] == frame:
            found[-1][1] += 1
        else:
            found.append([frame, 1])
    return [tuple(c) for c in found]


def degree(frame, tonic):
    """The name of a chord in a key by its pitch classes; KeyError if it has none."""
    names = {frozenset((tonic + s) % 12 for s in t): name for name, t in TRIADS.items()}
    name = names[frozenset(p % 12 for p in frame)]
    assert frame[0] % 12 == (tonic + TRIADS[name][0]) % 12, "the bass sings the root"
    return name


def test_tunes_keep_the_rules(data):
    tonics = set()
    for roll in data.train.x:
        parts = chords(roll)
        tonic = parts[0][0][0] % 12
        tonics.add(tonic)
        names = [degree(frame, tonic) for frame, _ in parts]
        assert names[0] == "I" and names[-2:] == ["V", "I"] and len(roll) >= LEAST
        assert all(b in FOLLOWS[a][0] for a, b in itertools.pairwise(names))
        assert all(n in (1, 2) for _, n in parts)
        assert all(p in voice for frame, _ in parts for p, voice in zip(frame[1:], RANGES))
    assert tonics == set(range(12))


def test_no_two_voices_move_in_parallel_fifths_or_octaves(data):
    moves = 0
    for roll in data.train.x:
        frames = [frame for frame, _ in chords(roll)]
        for one, two in itertools.pairwise(frames):
            for i in range(4):
                for j in range(i + 1, 4):
                    gap = one[j] - one[i]
                    if gap % 12 in (0, 7) and one[i] != two[i] and two[j] - two[i] == gap:
                        raise AssertionError((one, two))
                    moves += 1
    assert moves > 5000


def test_upper_voices_stay_near(data):
    steps = [
        abs(a - b)
        for roll in data.train.x
        for one, two in zip(sung(roll)[:-1], sung(roll)[1:], strict=True)
        for a, b in zip(one[1:], two[1:], strict=True)
    ]
    assert np.mean(steps) < 2 and max(steps) < 12
    assert all(abs(p - f) <= 5 for x in data.train.x for p, f in zip(sung(x)[0][1:], FIRST))


def test_the_nats_are_those_of_the_law(data):
    """The key, a coin for each quarter note that is not forced, and the chord that follows."""
    for part, split in data.splits():
        total = 0.0
        for roll in split.x:
            parts = chords(roll)
            tonic, total = parts[0][0][0] % 12, total + np.log(12)
            for k, (frame, held) in enumerate(parts):
                last = k == len(parts) - 1
                total += np.log(2) if held == 2 or not last else 0.0
                if not last:
                    follow, p = FOLLOWS[degree(frame, tonic)]
                    total -= np.log(p[follow.index(degree(parts[k + 1][0], tonic))])
        assert total / sum(map(len, split.x)) == pytest.approx(data.info.extra["nats"][part])


def test_a_seed_is_the_same_tunes_and_a_tune_does_not_depend_on_how_many():
    one, two = (load("cadences", train=n, valid=3, test=0, seed=5) for n in (4, 9))
    assert all(np.array_equal(a, b) for a, b in zip(one.train.x, two.train.x))
    again, other = (load("cadences", train=4, valid=3, test=0, seed=s) for s in (5, 6))
    assert digest(again) == digest(one) != digest(other)
