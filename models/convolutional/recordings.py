"""Recordings as a net hears them: frames of numbers, changes that keep the word, one array a batch.

    x [T] samples → unit loudness → frames of `window` ms, one each `hop` ms → F numbers a frame

    spectrogram   log |X[k]|² of each frequency                    F = window / 2 + 1 samples
    log-mel       log energies in bands equally wide in mel        F = bands
    mfcc          the cosine transform of those, its first numbers F = coefficients
    slopes        how fast each of these numbers changes, too      F twice as large

A change of the training recordings must leave the word what it is: said faster and higher (`speed`,
which moves pitch and formants as another speaker's vocal tract does), a moment sooner or later
(`shift`), louder (`gain`); or a stretch of time or a few neighbouring bands unheard (`hide_frames`,
`hide_bands`: Park et al. 2019, "SpecAugment").
"""

from collections.abc import Sequence

import numpy as np

from ...core.data import pad
from ...core.data.spectrogram import log_mel, log_power, mfcc, slopes, unit_rms

DRAWS = 7  # uniform numbers that the changes of a recording take


def frames(clip: np.ndarray, rate: int, s) -> np.ndarray:
    """The frames float32 [T, F] of a recording at its own loudness; `s` has the settings' names."""
    window, hop = (max(2, round(rate * ms / 1000)) for ms in (s.window, s.hop))
    if s.front == "spectrogram":
        x = log_power(clip, window, hop)
    elif s.front == "log-mel":
        x = log_mel(clip, rate, window, hop, s.bands)
    else:
        x = mfcc(clip, rate, window, hop, s.bands, s.coefficients)
    return np.concatenate([x, slopes(x)], axis=1) if s.slopes else x


def heard(clip: np.ndarray, rate: int, s, u: np.ndarray | None = None) -> np.ndarray:
    """The frames of a recording at unit loudness, changed as the uniform numbers u [7] say."""
    if u is None:
        return frames(unit_rms(clip), rate, s)
    away = 2 * u - 1  # from -1 to 1
    if s.speed:
        clip = faster(clip, float(1 + s.speed * away[0]))
    if s.shift:
        clip = moved(clip, int(np.rint(away[1] * s.shift * rate / 1000)))
    return frames(10 ** (s.gain * away[2] / 20) * unit_rms(clip), rate, s)


def faster(clip: np.ndarray, factor: float) -> np.ndarray:
    """A recording [T] at `factor` times its speed, [T / factor]: all frequencies rise alike.

    Its discrete Fourier transform is cut, or filled with zeros, to the new length, which keeps
    tones what they are; what goes beyond half the sampling rate is lost.

    >>> tone = np.cos(2 * np.pi * np.arange(40) / 8)
    >>> np.allclose(faster(tone, 1.25), np.cos(2 * np.pi * np.arange(32) / 6.4))
    True
    """
    n = max(1, round(len(clip) / factor))
    return np.fft.irfft(np.fft.rfft(clip), n) * (n / len(clip))


def moved(clip: np.ndarray, by: int) -> np.ndarray:
    """A recording `by` samples later, or -by samples sooner; what comes in is silence.

    >>> moved(np.array([1.0, 2.0, 3.0]), 1).tolist(), moved(np.array([1.0, 2.0, 3.0]), -2).tolist()
    ([0.0, 1.0, 2.0], [3.0, 0.0, 0.0])
    """
    by = int(np.clip(by, -len(clip), len(clip)))
    silence = np.zeros(abs(by), clip.dtype)
    parts = (silence, clip[: len(clip) - by]) if by >= 0 else (clip[-by:], silence)
    return np.concatenate(parts)


def hide(x: np.ndarray, most_frames: int, most_bands: int, u: np.ndarray) -> None:
    """Set up to so many frames and bands of x [T, F] to 0, in place; u [4] says how many, where.

    >>> x = np.ones((3, 3))
    >>> hide(x, 1, 2, np.array([0.9, 0.5, 0.5, 0.9]))
    >>> x.tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    for axis, most, (size, place) in ((0, most_frames, u[:2]), (1, most_bands, u[2:])):
        n = min(int(size * (most + 1)), x.shape[axis] - 1)  # something is left to hear
        first = int(place * (x.shape[axis] - n + 1))
        np.moveaxis(x, axis, 0)[first : first + n] = 0


def together(found: Sequence[np.ndarray], multiple: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames [T_n, F] as one array [T, N, F] with zeros, and the mask [T, N] of those that exist.

    T is the longest, rounded up to a multiple.

    >>> x, mask = together([np.ones((3, 1)), np.ones((1, 1))], 2)
    >>> x[..., 0].T.tolist(), mask.T.tolist()
    ([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    """
    longest = max(map(len, found))
    return pad(found, at_least=-(-longest // multiple) * multiple)


def overlaps(lengths, k: int, steps: int, xp=np):
    """The weights [N, T, k] that average each k-th of the first `lengths` [N] of T frames.

    Frame t is the stretch from t to t + 1; part j of a recording of L frames goes from j L/k to
    (j + 1) L/k, and a frame on the border counts in both, as much of it as is inside. The weights
    of a part add up to 1, and those of frames beyond L are 0.

    >>> overlaps(np.array([3]), 2, 4)[0].T.round(3).tolist()
    [[0.667, 0.333, 0.0, 0.0], [0.0, 0.333, 0.667, 0.0]]
    """
    each = lengths[:, None, None] / k
    start, frame = xp.arange(k) * each, xp.arange(steps)[:, None]
    inside = xp.minimum(frame + 1, start + each) - xp.maximum(frame, start)
    return xp.clip(inside, 0, None) / each
