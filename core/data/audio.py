"""Recordings as arrays: one channel, one sampling rate, one loudness."""

import math

import numpy as np


def mono(samples: np.ndarray) -> np.ndarray:
    """The mean [T] of the channels of samples [T, C].

    >>> mono(np.array([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [0.5, 0.5]
    """
    return samples.mean(axis=1, dtype=samples.dtype)


def resampled(clip: np.ndarray, rate: int, to: int) -> np.ndarray:
    """A clip [T] of `rate` samples a second as one of `to` a second, [ceil(T·to/rate)].

    By a polyphase low-pass filter (a Kaiser window, scipy.signal.resample_poly), which keeps tones
    below half of the lower rate. What the filter carries beyond [-1, 1] is cut.

    >>> resampled(np.zeros(441, np.float32), 44100, 8000).shape
    (80,)
    """
    if rate == to or not len(clip):
        return clip
    from scipy.signal import resample_poly

    common = math.gcd(rate, to)
    found = resample_poly(clip.astype(np.float64), to // common, rate // common)
    return found.clip(-1, 1).astype(np.float32)


def within_one(clip: np.ndarray) -> np.ndarray:
    """The clip, divided by its greatest absolute value where that is above 1.

    >>> within_one(np.array([2.0, -1.0])).tolist(), within_one(np.array([0.5])).tolist()
    ([1.0, -0.5], [0.5])
    """
    peak = np.abs(clip).max(initial=0)
    return clip / peak if peak > 1 else clip


def unit_peak(clip: np.ndarray) -> np.ndarray:
    """The clip divided by its greatest absolute value; silence stays as it is.

    Speakers and microphones differ in loudness by a factor of ten; what is said does not.

    >>> unit_peak(np.array([0.1, -0.05])).tolist()
    [1.0, -0.5]
    """
    peak = np.abs(clip).max(initial=0)
    return clip / peak if peak > 0 else clip
