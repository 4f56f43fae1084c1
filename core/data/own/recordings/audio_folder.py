"""A folder of recordings as a data set: one class a sub-folder, or the first part of the name."""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from ....regular import read_regular
from ... import wav
from ...audio import mono, resampled, unit_peak, within_one
from ...dataset import DataSet, Info, Split
from ...files import DataError
from .. import folders
from ..folders import Found
from ..lines import counted, listed
from ..splits import SPLITS, seeded, untrained

WAV = frozenset({".wav"})
FILE_BYTES = 256 << 20  # of one recording
BYTES = 2 << 30  # of all of them, as float32
_FSDD = re.compile(r"([^_]+)_([^_]+)_(\d+)", re.ASCII)  # 7_jackson_32: class, speaker, take


def from_audio_folder(
    path: str | Path, rate: int | None = None, normalise: bool = False, seed: int = 0
) -> DataSet:
    """Recordings (.wav) in sub-folders, one a class: x a list of float32 [T_n] in [-1, 1], y.

    path       ``path/CLASS/name.wav``; or ``path/train/CLASS/…``, ``path/test/CLASS/…`` (and
               valid), which is then the split. Right in `path` the class is the first part of names
               such as ``7_jackson_32.wav``; with other names there is no class
    rate       samples a second of all; by default the commonest there is. Other recordings are
               resampled to it
    normalise  whether each recording is divided by its peak: loudness differs between speakers
    seed       of the split where the folders do not say one: a tenth for validation, a fifth for
               the test

    PCM of 8 to 32 bits and floating point are read (wav.py); channels become one, their mean;
    floating-point samples beyond 1 are scaled to it. ``info.extra["sample_rate"]`` is the sampling
    rate. Where the names say the speakers, ``info.extra["speaker_names"]`` lists them, and
    ``info.extra["speaker"][part]`` has the number of each recording's. Raises DataError, with the
    file, for one that cannot be read or holds no samples.
    """
    root = Path(path)
    found, other = folders.find(root, WAV)
    if not any(found.values()):
        raise DataError(f"{root} holds no recordings (.wav)")
    folders.check_train(root, found)
    flat = all(not name for files in found.values() for _, name in files)
    names = {p: [_FSDD.fullmatch(f.stem) for f, _ in files] for p, files in found.items()}
    named = all(all(parts) for parts in names.values())
    if flat and named:
        found = {p: [(f, m[1]) for (f, _), m in zip(found[p], names[p])] for p in found}
    clips, said = _read(root, found, rate, normalise)
    rate = said.pop("rate")
    classes = tuple(sorted({c for files in found.values() for _, c in files if c}))
    splits = {p: Split(clips[p], _numbers(found[p], classes)) for p in found}
    speakers = tuple(sorted({m[2] for parts in names.values() for m in parts})) if named else ()
    speaker = {
        p: np.searchsorted(speakers, [m[2] for m in names[p]]).astype(np.int64)
        for p in names
        if named
    }
    if "" in splits:
        everything = Split(np.arange(len(splits[""])))
        parts, how = seeded("from_audio_folder", root, "recordings", everything, seed)
        splits = {p: splits[""][part.x] for p, part in zip(SPLITS, parts) if part is not None}
        if named:
            speaker = {p: speaker[""][part.x] for p, part in zip(SPLITS, parts) if part is not None}
    else:
        how = "split as the folders say: " + ", ".join(f"{p} {len(s)}" for p, s in splits.items())
    kinds = counted(len(classes), "class", "classes") if classes else "no classes"
    understood = [
        f"{counted(sum(map(len, found.values())), 'recording')} in {kinds}"
        + listed(classes) * bool(classes)
        + "; the class is the first part of the name" * (flat and named),
        f"{rate:,} samples a second, {said.pop('shortest'):,} … {said.pop('longest'):,} samples",
        *(f"{n:,} {what}" for what, n in said.items() if n),
        *untrained(classes, [splits.get(p) for p in SPLITS]),
        *other,
        how,
    ]
    extra = {"sample_rate": rate}
    if named:
        extra |= {"speaker_names": speakers, "speaker": speaker}
    info = Info(
        str(root), classes, note=how, extra=extra, kind="audio", understood=tuple(understood)
    )
    return DataSet(root.resolve().name, *(splits.get(p) for p in SPLITS), info)


def looks_like_audio(path: Path) -> bool:
    """Are most files of the folder recordings?"""
    return folders.mostly(path, WAV)


def _read(
    root: Path, found: Found, rate, normalise: bool
) -> tuple[dict[str, list[np.ndarray]], dict]:
    """The clips of each part, and how many of them were changed in which way."""
    if not isinstance(normalise, bool):
        raise DataError(f"normalise must be yes or no; got {normalise!r:.60}")
    clips: dict[str, list[tuple[np.ndarray, int]]] = {}
    rates, several, loud, total = Counter(), 0, 0, 0
    for part, files in found.items():
        clips[part] = []
        for file, _ in files:
            samples, own = wav.parse(read_regular(file, FILE_BYTES, DataError), str(file))
            if not len(samples):
                raise DataError(f"{file} holds no samples")
            several += samples.shape[1] > 1
            clip = mono(samples)
            loud += np.abs(clip).max() > 1
            clip = within_one(clip)
            total += clip.nbytes
            if total > BYTES:
                raise DataError(f"{file}: with it the recordings take more than {BYTES >> 30} GiB")
            clips[part].append((unit_peak(clip) if normalise else clip, own))
            rates[own] += 1
    if rate is None:
        most = max(rates.values())
        rate = max(r for r, n in rates.items() if n == most)
    elif type(rate) is not int or not wav.RATES[0] <= rate <= wav.RATES[1]:
        raise DataError(
            f"rate must be {wav.RATES[0]} … {wav.RATES[1]} samples a second; got {rate!r:.60}"
        )
    grown = sum(len(c) * rate / own for part in clips.values() for c, own in part)
    if 4 * grown > BYTES:
        raise DataError(
            f"{root}: at {rate:,} samples a second all take more than {BYTES >> 30} GiB"
        )
    alike = {p: [resampled(c, own, rate) for c, own in part] for p, part in clips.items()}
    lengths = [len(c) for part in alike.values() for c in part]
    return alike, {
        "rate": rate,
        "shortest": min(lengths),
        "longest": max(lengths),
        "of several channels: their mean": several,
        f"resampled ({', '.join(f'{r:,}' for r in sorted(rates) if r != rate)} a second)": sum(
            n for r, n in rates.items() if r != rate
        ),
        "with samples beyond 1: scaled to it": loud,
        "divided by their peak": len(lengths) * normalise,
    }


def _numbers(files: list[tuple[Path, str]], classes: tuple[str, ...]) -> np.ndarray | None:
    place = {c: k for k, c in enumerate(classes)}
    return np.array([place[c] for _, c in files], np.int64) if classes else None
