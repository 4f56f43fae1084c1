"""Recordings: a list of float32 [T_n] in [-1, 1), 8000 samples a second, with a class each."""

import numpy as np

from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .read import read_npz
from .streams import whole_number

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_TAKES = 5  # of each digit and speaker: takes 0 to 4, as the set's own readme says
KEYS = ("diff_lo", "diff_hi", "lengths", "digit", "speaker", "take", "speaker_names",
        "speaker_accents", "sample_rate")  # fmt: skip


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
    if not whole or (z["lengths"] < 1).any() or z["lengths"].sum(dtype=int) != len(z["diff_lo"]):
        raise DataError(f"{name}: the recordings, their lengths and their labels do not fit")
    if (z["digit"] > 9).any() or (z["speaker"] >= len(z["speaker_names"])).any():
        raise DataError(f"{name}: a label is not a digit or a speaker of the list")
    return np.split(samples(z["diff_lo"], z["diff_hi"]), np.cumsum(z["lengths"])[:-1])


def _fsdd(name: str, path: str, data_dir, parts, note: str) -> DataSet:
    """The set, cut into the three masks of recordings that `parts` makes of the arrays."""
    z = read_npz(FILES[path], data_dir, *KEYS)
    found = [(c / np.float32(2**15)).astype(np.float32) for c in clips(z, path)]
    y = z["digit"].astype(np.int64)
    masks = dict(zip(("train", "valid", "test"), parts(z)))
    extra = {
        "sample_rate": int(z["sample_rate"]),
        "speaker_names": tuple(map(str, z["speaker_names"])),
        "speaker_accents": tuple(map(str, z["speaker_accents"])),
        "speaker": {part: z["speaker"][mask].astype(np.int64) for part, mask in masks.items()},
        "take": {part: z["take"][mask].astype(np.int64) for part, mask in masks.items()},
    }
    info = Info(str(find(FILES[path], data_dir).parent), DIGITS, note=note, extra=extra)
    return DataSet(name, *(Split(found, y)[mask] for mask in masks.values()), info)


def fsdd(data_dir=None, speaker: str | None = None, valid: int = 5) -> DataSet:
    """Free Spoken Digit Dataset: 3000 recordings of ten English digits by six speakers.

    speaker  None for the official split: of the 50 takes of each digit and speaker, 0 to 4 are the
             test (300). Or a name (george, jackson, lucas, nicolas, theo, yweweler): all 500
             recordings of this speaker are the test, which is harder and tells more
    valid    takes for validation: those from 5 on, 300 recordings by default; with a speaker, those
             of the others

    x is a list of float32 [T], the samples / 2^15; y the digit. ``info.extra`` has the sampling
    rate, and for each split the speakers and takes. Loudness differs by a factor of 7 between
    speakers: see `spectrogram.unit_rms`. Logistic regression on 32 x 32 log-mel energies names
    96.0 % of the test digits, a support vector machine 98.3 %, and 74.8 % where one speaker is left
    out. Source: Jackson et al., github.com/Jakobovski/free-spoken-digit-dataset.
    """
    valid = whole_number("fsdd", "valid", valid, 0, 44)
    by = f"test: {speaker}" if speaker is not None else "test: takes 0 to 4"

    def parts(z):
        names = list(map(str, z["speaker_names"]))
        if speaker is not None and speaker not in names:
            raise DataError(f"fsdd: speaker must be one of {', '.join(names)}; got {speaker!r:.60}")
        take = z["take"]
        test = take < TEST_TAKES if speaker is None else z["speaker"] == names.index(speaker)
        kept = ~test & (take >= TEST_TAKES) & (take < TEST_TAKES + valid)
        return ~test & ~kept, kept, test

    note = f"{by}; validation: takes 5 to {4 + valid}" if valid else f"{by}; no validation"
    return _fsdd("fsdd", "fsdd/fsdd.npz", data_dir, parts, note)


def fsdd_piece(data_dir=None) -> DataSet:
    """300 recordings of `fsdd`, five of each digit and speaker; they ship with the package.

    Takes 10, 11, 12 are for training (180), 5 for validation (60), 0 for the test (60): each split
    is a part of the same split of `fsdd`.

    >>> d = fsdd_piece()
    >>> [len(split) for _, split in d.splits()], d.info.extra["sample_rate"]
    ([180, 60, 60], 8000)
    """

    def parts(z):
        take = z["take"]
        return take >= 2 * TEST_TAKES, (take >= TEST_TAKES) & (take < 10), take < TEST_TAKES

    note = "takes 10, 11, 12 for training, 5 for validation, 0 for the test"
    return _fsdd("fsdd_piece", "fsdd_piece/fsdd_piece.npz", data_dir, parts, note)
