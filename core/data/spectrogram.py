"""Recordings as pictures of sound: unit loudness, and the energy in bands of pitch over time.

    frames      X[t, k] = sum_n w[n] x[t·hop + n] exp(-2πi k n / window),   k = 0 .. window/2
    Hann        w[n] = (1 - cos(2πn / window)) / 2
    pitch       mel(f) = 2595 log10(1 + f/700); a triangle for each band, equally wide in mel
    energies    S[t, b] = log(1e-6 + sum_k F[b, k] |X[t, k]|²)
    slopes      d[t] = sum_n n (x[t+n] - x[t-n]) / (2 sum_n n²),   n = 1 .. reach
    cepstrum    C[t, i] = a_i sum_b S[t, b] cos(π i (b + ½) / B),   a_0² = 1/B, a_i² = 2/B, B bands

The cepstrum says how the energies of a frame vary over the bands: C[., 0] is their sum, the first
few numbers are the broad shape (the vocal tract), the late ones its fine ripple (the voice).

Source of the scale: O'Shaughnessy, "Speech communication", 1987; of the features: Davis &
Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", 1980; of
the slopes: Furui, "Speaker-independent isolated word recognition using dynamic features", 1986.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .files import DataError
from .streams import whole_number

FLOOR = 1e-6  # added to an energy before its logarithm
LONGEST = 1 << 26  # samples of a recording; two hours at 8 kHz


def unit_rms(clip: np.ndarray) -> np.ndarray:
    """A recording [T] at the loudness sqrt(mean x²) = 1, float32; silence stays silence.

    Speakers differ in loudness, which says nothing about the word.

    >>> unit_rms(np.array([3.0, -3.0])).tolist(), unit_rms(np.zeros(2)).tolist()
    ([1.0, -1.0], [0.0, 0.0])
    """
    clip = _clip("unit_rms", clip)
    peak = np.abs(clip).max()  # divided out first, as the squares of small numbers are zero
    if peak == 0:
        return clip.astype(np.float32)
    scaled = clip / peak
    return (scaled / np.sqrt(np.mean(scaled**2))).astype(np.float32)


def _clip(function: str, clip) -> np.ndarray:
    try:
        found = np.asarray(clip, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{function}: a recording must be an array of numbers") from None
    if found.ndim != 1 or not 1 <= len(found) <= LONGEST:
        raise DataError(f"{function}: a recording must be [T], not empty; got {found.shape}")
    if not np.isfinite(found).all():
        raise DataError(f"{function}: sample {int(np.isfinite(found).argmin())} is not finite")
    return found


def mel(hertz):
    """The pitch of a frequency in hertz on the mel scale: 2595 log10(1 + f/700).

    >>> mel(0.0), round(float(mel(1000.0)))
    (np.float64(0.0), 1000)
    """
    return 2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0)


def hertz(mels):
    """The frequency of a pitch on the mel scale: 700 (10^(m/2595) - 1), the inverse of `mel`."""
    return 700.0 * (10.0 ** (np.asarray(mels, np.float64) / 2595.0) - 1.0)


def mel_filters(bands: int = 32, window: int = 256, rate: int = 8000) -> np.ndarray:
    """The weights of the frequencies k·rate/window in each band, float64 [bands, window/2 + 1].

    Band b is a triangle from c[b] over its peak 1 at c[b+1] to c[b+2]; c are bands + 2 frequencies
    from 0 to rate/2, equally far from each other in mel. Raises DataError if a band is so narrow
    that it holds no frequency.

    >>> mel_filters(3, 16).argmax(axis=1).tolist()
    [1, 2, 5]
    """
    bands = whole_number("mel_filters", "bands", bands, 1, 256)
    window = whole_number("mel_filters", "window", window, 2, 1 << 14)
    rate = whole_number("mel_filters", "rate", rate, 1, 10**6)
    corners = hertz(np.linspace(0, mel(rate / 2), bands + 2))
    f = np.arange(window // 2 + 1) * (rate / window)
    low, peak, high = (corners[k : k + bands, None] for k in range(3))
    weights = np.minimum((f - low) / (peak - low), (high - f) / (high - peak)).clip(0)
    if empty := int((weights.sum(axis=1) == 0).sum()):
        raise DataError(
            f"mel_filters: {empty} of {bands} bands hold none of the frequencies that a window of"
            f" {window} tells apart; take fewer bands or a longer window"
        )
    return weights


def hann(window: int) -> np.ndarray:
    """The Hann window of so many samples, float64: w[n] = (1 - cos(2πn / window)) / 2.

    >>> hann(4).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    window = whole_number("hann", "window", window, 1, 1 << 24)
    return (1 - np.cos(2 * np.pi * np.arange(window) / window)) / 2


def log_power(clip: np.ndarray, window: int = 256, hop: int = 80) -> np.ndarray:
    """log(1e-6 + |X|²) of each frequency, float32 [1 + (T - window) // hop, window // 2 + 1].

    clip    [T]; one shorter than a window is filled with zeros
    window  samples of a frame, and hop from one frame to the next

    >>> log_power(np.cos(np.pi / 2 * np.arange(64)), 16, 8).argmax(axis=1).tolist()  # 16 / 4
    [4, 4, 4, 4, 4, 4, 4]
    """
    return _log_energies("log_power", clip, window, hop, None)


def log_mel(
    clip: np.ndarray, rate: int = 8000, window: int = 256, hop: int = 80, bands: int = 32
) -> np.ndarray:
    """The logarithm of the energies in mel bands, float32 [1 + (T - window) // hop, bands].

    clip    [T]; one shorter than a window is filled with zeros
    rate    samples a second; window and hop are samples (32 ms and 10 ms by default)

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(800) / 8000)
    >>> log_mel(tone).shape, set(log_mel(tone).argmax(axis=1).tolist())
    ((7, 32), {14})
    """
    return _log_energies("log_mel", clip, window, hop, _filters(bands, window, rate))


@lru_cache(maxsize=16)
def _filters(bands, window, rate) -> np.ndarray:
    """`mel_filters`, made once for all recordings of a set."""
    return mel_filters(bands, window, rate)


def _log_energies(function: str, clip, window, hop, weights) -> np.ndarray:
    """The logarithm of each frame's energies, summed by `weights` [bands, frequencies] if any."""
    clip = _clip(function, clip)
    window = whole_number(function, "window", window, 2, 1 << 14)
    hop = whole_number(function, "hop", hop, 1)
    clip = np.pad(clip, (0, max(0, window - len(clip))))
    frames = np.lib.stride_tricks.sliding_window_view(clip, window)[::hop]
    width = window // 2 + 1 if weights is None else len(weights)
    out = np.empty((len(frames), width), np.float32)
    step = max(1, (1 << 20) // window)  # frames at a time, to bound the memory
    for at in range(0, len(frames), step):
        energy = np.abs(np.fft.rfft(frames[at : at + step] * hann(window), axis=1)) ** 2
        out[at : at + step] = np.log(FLOOR + (energy if weights is None else energy @ weights.T))
    return out


def cosines(count: int, size: int) -> np.ndarray:
    """The first rows of the orthogonal discrete cosine transform II, float64 [count, size].

        C[i, b] = a_i cos(π i (b + ½) / size),   a_0² = 1/size, a_i² = 2/size

    C @ v are the coefficients of v [size]; with count = size, C.T @ C = 1.

    >>> cosines(2, 2).round(3).tolist()
    [[0.707, 0.707], [0.707, -0.707]]
    """
    size = whole_number("cosines", "size", size, 1, 1 << 14)
    i = np.arange(whole_number("cosines", "count", count, 1, size))[:, None]
    scale = np.sqrt(np.where(i == 0, 1, 2) / size)
    return scale * np.cos(np.pi * i * (np.arange(size) + 0.5) / size)


def mfcc(
    clip: np.ndarray,
    rate: int = 8000,
    window: int = 256,
    hop: int = 80,
    bands: int = 32,
    count: int = 13,
) -> np.ndarray:
    """The first mel-frequency cepstral coefficients, float32 [1 + (T - window) // hop, count].

    The `cosines` of the log energies of a frame; the arguments are those of `log_mel`, and
    count <= bands.

    >>> mfcc(np.ones(800)).shape
    (7, 13)
    """
    bands = whole_number("mfcc", "bands", bands, 1, 256)
    count = whole_number("mfcc", "count", count, 1, bands)
    energies = log_mel(clip, rate, window, hop, bands)
    return energies @ cosines(count, bands).T.astype(np.float32)


def slopes(frames: np.ndarray, reach: int = 2) -> np.ndarray:
    """How fast each number of frames [T, K] changes, in units a frame, [T, K]: "deltas".

    The slope of the straight line through a frame and `reach` on both sides, by least squares;
    beyond the ends the first and the last go on.

    >>> slopes(np.array([[0.0], [3.0], [6.0], [9.0], [12.0]])).ravel().tolist()
    [1.5, 2.4, 3.0, 2.4, 1.5]
    """
    frames = np.asarray(frames)
    reach = whole_number("slopes", "reach", reach, 1, 1 << 10)
    if frames.ndim != 2 or not len(frames) or frames.dtype.kind != "f":
        raise DataError(f"slopes: frames must be floats [T, K], T > 0; got {frames.shape}")
    x, steps = np.pad(frames, ((reach, reach), (0, 0)), mode="edge"), len(frames)
    total = np.zeros_like(frames)
    for n in range(1, reach + 1):
        total += n * (x[reach + n :][:steps] - x[reach - n :][:steps])
    return total / (2 * sum(n * n for n in range(1, reach + 1)))


def stretched(frames: np.ndarray, steps: int) -> np.ndarray:
    """Frames [T, K] as `steps` frames, by linear interpolation between the two nearest in time.

    The first and the last stay the first and the last, so that short and long clips line up.

    >>> stretched(np.array([[0.0], [4.0]]), 3).ravel().tolist()
    [0.0, 2.0, 4.0]
    """
    frames = np.asarray(frames)
    steps = whole_number("stretched", "steps", steps, 1, 1 << 16)
    if frames.ndim != 2 or not len(frames) or frames.dtype.kind != "f":
        raise DataError(f"stretched: frames must be floats [T, K], T > 0; got {frames.shape}")
    at = np.linspace(0, len(frames) - 1, steps)
    first = np.minimum(at.astype(np.int64), max(0, len(frames) - 2))
    second = np.minimum(first + 1, len(frames) - 1)
    share = (at - first)[:, None].astype(frames.dtype)
    return frames[first] * (1 - share) + frames[second] * share


def pictures(
    clips: Sequence[np.ndarray], rate: int = 8000, steps: int = 32, bands: int = 32
) -> np.ndarray:
    """Recordings as pictures float32 [N, 1, bands, steps]: `log_mel` at unit loudness, stretched.

    Low bands are the first rows. The values are logarithms, about -11 to 12, not grey levels.

    >>> pictures([np.ones(300), np.arange(2000.0)]).shape
    (2, 1, 32, 32)
    """
    found = [stretched(log_mel(unit_rms(c), rate, bands=bands), steps).T for c in clips]
    if not found:
        raise DataError("pictures: there are no recordings")
    return np.stack(found)[:, None]
