"""Recordings of spoken digits in one .npz file, their samples as first differences, as `fsdd`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import load_npz
from ...streams import whole_number
from ..lines import counted
from ..splits import untrained

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_TAKES = 5  # of each digit and speaker: takes 0 to 4, as the set's own readme says
KEYS = ("diff_lo", "diff_hi", "lengths", "digit", "speaker", "take", "speaker_names",
        "speaker_accents", "sample_rate")  # fmt: skip
Masks = Callable[[dict], tuple[np.ndarray, np.ndarray, np.ndarray]]


def from_audio_npz(path: str | Path, speaker: str | None = None, valid: int = 5) -> DataSet:
    """Spoken digits as x, a list of float32 [T_n] in [-1, 1), and the digit as y.

    diff_lo, diff_hi [S]  uint8, the low and high bytes of the first differences of the samples
                          int16 of all recordings, end to end
    lengths [N]           of the recordings
    digit, speaker, take [N]  of each: 0 … 9, the number in `speaker_names`, and which repetition
    speaker_names, speaker_accents, sample_rate  of the file

    speaker  whose recordings are the test; by default the test is takes 0 to 4
    valid    takes for validation: those from 5 on; with a speaker, those of the others

    ``info.extra`` has the sampling rate, and for each split the speakers and takes. Raises
    DataError for arrays that do not fit together.
    """
    path = Path(path)
    masks, note = official(str(path), speaker, valid)
    z = load_npz(path)
    for key in KEYS:
        if key not in z:
            raise DataError(f"{path}: no array {key!r}; there are {', '.join(sorted(z)):.200}")
    return recordings(path.name, z, str(path), str(path), masks, note)


def official(name: str, speaker: str | None, valid: int) -> tuple[Masks, str]:
    """How the arrays of a file are cut, as `from_audio_npz` says, and the words for it."""
    valid = whole_number(name, "valid", valid, 0, 44)
    by = f"test: {speaker}" if speaker is not None else "test: takes 0 to 4"

    def masks(z):
        names = list(map(str, z["speaker_names"]))
        if speaker is not None and speaker not in names:
            raise DataError(
                f"{name}: speaker must be one of {', '.join(names):.200}; got {speaker!r:.60}"
            )
        take = z["take"]
        test = take < TEST_TAKES if speaker is None else z["speaker"] == names.index(speaker)
        kept = ~test & (take >= TEST_TAKES) & (take < TEST_TAKES + valid)
        return ~test & ~kept, kept, test

    return masks, f"{by}; validation: takes 5 to {4 + valid}" if valid else f"{by}; no validation"


def recordings(name: str, z: dict, path: str, source: str, cut: Masks, note: str) -> DataSet:
    """The data set of the arrays of the file at `path`, in the three parts that `cut` makes."""
    found = [(c / np.float32(2**15)).astype(np.float32) for c in clips(z, path)]
    y = z["digit"].astype(np.int64)
    masks = dict(zip(("train", "valid", "test"), cut(z)))
    if not masks["train"].any():
        raise DataError(f"{path}: no recording is for training ({note})")
    extra = {
        "sample_rate": int(z["sample_rate"]),
        "speaker_names": tuple(map(str, z["speaker_names"])),
        "speaker_accents": tuple(map(str, z["speaker_accents"])),
        "speaker": {part: z["speaker"][mask].astype(np.int64) for part, mask in masks.items()},
        "take": {part: z["take"][mask].astype(np.int64) for part, mask in masks.items()},
    }
    parts, lengths = [Split(found, y)[mask] for mask in masks.values()], z["lengths"]
    said = (
        f"{counted(len(found), 'recording')} of digits by"
        f" {counted(len(extra['speaker_names']), 'speaker')}",
        *untrained(DIGITS, parts),
        f"{extra['sample_rate']:,} samples a second, {lengths.min():,} … {lengths.max():,} samples",
        note,
    )
    info = Info(source, DIGITS, note=note, extra=extra, kind="audio", understood=said)
    return DataSet(name, *parts, info)


def samples(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The samples int16 whose first differences have these low and high bytes.

    a_t = a_{t-1} + 256 high_t + low_t modulo 2^16, which wraps on purpose: the difference of two
    int16 needs 17 bits, but modulo 2^16 it says all that is needed.

    >>> samples(*differences(np.array([5, -32768, 32767], np.int16))).tolist()
    [5, -32768, 32767]
    """
    step = low.astype(np.uint16) | (high.astype(np.uint16) << 8)
    return np.cumsum(step, dtype=np.uint16).view(np.int16)


def differences(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The low and the high bytes (uint8) of the first differences of samples int16.

    Speech is smooth, so the high bytes are mostly 0 or 255: they pack to a fraction of the samples.

    >>> [part.tolist() for part in differences(np.array([1, 257, 256], np.int16))]
    [[1, 0, 255], [0, 1, 255]]
    """
    step = np.diff(a.view(np.uint16), prepend=np.uint16(0))
    return (step & 255).astype(np.uint8), (step >> 8).astype(np.uint8)


def clips(z: dict, name: str) -> list[np.ndarray]:
    """The recordings int16 [T_n] of the arrays of a file. Raises DataError if they do not fit."""
    count = len(z["lengths"]) if z["lengths"].ndim == 1 else -1
    whole = all(z[k].dtype.kind in "iu" for k in KEYS[:6]) and z["sample_rate"].shape == ()
    whole = whole and z["diff_lo"].shape == z["diff_hi"].shape and z["diff_lo"].ndim == 1
    whole = whole and all(z[k].shape == (count,) for k in ("digit", "speaker", "take"))
    whole = whole and all(z[k].ndim == 1 for k in ("speaker_names", "speaker_accents"))
    whole = whole and count > 0 and z["sample_rate"].dtype.kind in "iu" and z["sample_rate"] > 0
    if not whole or (z["lengths"] < 1).any() or z["lengths"].sum(dtype=int) != len(z["diff_lo"]):
        raise DataError(f"{name}: the recordings, their lengths and their labels do not fit")
    digits, speakers = z["digit"], z["speaker"]
    wrong = (digits < 0) | (digits > 9) | (speakers < 0) | (speakers >= len(z["speaker_names"]))
    if wrong.any():
        raise DataError(f"{name}: a label is not a digit or a speaker of the list")
    return np.split(samples(z["diff_lo"], z["diff_hi"]), np.cumsum(z["lengths"])[:-1])
