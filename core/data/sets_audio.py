"""Recordings: a list of float32 [T_n] in [-1, 1), 8000 samples a second, with a class each."""

from .canon import FILES
from .dataset import DataSet
from .download import find
from .own.recordings.audio_npz import KEYS, TEST_TAKES, Masks, official, recordings
from .read import read_npz


def _fsdd(name: str, path: str, data_dir, cut: Masks, note: str) -> DataSet:
    """The set, cut into the three masks of recordings that `cut` makes of the arrays."""
    z = read_npz(FILES[path], data_dir, *KEYS)
    return recordings(name, z, path, str(find(FILES[path], data_dir).parent), cut, note)


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
    return _fsdd("fsdd", "fsdd/fsdd.npz", data_dir, *official("fsdd", speaker, valid))


def fsdd_piece(data_dir=None) -> DataSet:
    """300 recordings of `fsdd`, five of each digit and speaker; they ship with the package.

    Takes 10, 11, 12 are for training (180), 5 for validation (60), 0 for the test (60): each split
    is a part of the same split of `fsdd`.

    >>> d = fsdd_piece()
    >>> [len(split) for _, split in d.splits()], d.info.extra["sample_rate"]
    ([180, 60, 60], 8000)
    """

    def masks(z):
        take = z["take"]
        return take >= 2 * TEST_TAKES, (take >= TEST_TAKES) & (take < 10), take < TEST_TAKES

    note = "takes 10, 11, 12 for training, 5 for validation, 0 for the test"
    return _fsdd("fsdd_piece", "fsdd_piece/fsdd_piece.npz", data_dir, masks, note)
