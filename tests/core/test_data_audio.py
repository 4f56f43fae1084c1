"""Recordings: decoding, splits by take and by speaker, and the spectrogram with its yardsticks."""

import hashlib

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from glassgrad.core.data import DataError, available, join, load, spectrogram
from glassgrad.core.data.canon import FILES
from glassgrad.core.data.own.recordings import audio_npz
from glassgrad.core.data.read import read_npz
from tests.tools import assert_close


def real(**options):
    if available("fsdd") is None:
        pytest.skip("the file fsdd.npz is not on this machine")
    return load("fsdd", **options)


# ------------------------------------------------------------------ the sets


def test_differences_are_undone_for_every_pair_of_samples():
    rng = np.random.default_rng(0)
    a = rng.integers(-(2**15), 2**15, 5000).astype(np.int16)
    a[:4] = -(2**15), 2**15 - 1, -(2**15), 0  # the difference wraps
    low, high = audio_npz.differences(a)
    assert low.dtype == high.dtype == np.uint8
    assert np.array_equal(audio_npz.samples(low, high), a)
    step = (low.astype(int) + 256 * high.astype(int)) % 2**16
    assert np.array_equal(step[1:], np.diff(a.astype(int)) % 2**16)


def test_fsdd_piece():
    d = load("fsdd_piece")
    assert [len(s) for _, s in d.splits()] == [180, 60, 60] and d.info.kind == "audio"
    for part, split in d.splits():
        assert np.bincount(split.y).tolist() == [len(split) // 10] * 10
        speaker, take = d.info.extra["speaker"][part], d.info.extra["take"][part]
        assert np.bincount(speaker).tolist() == [len(split) // 6] * 6
        assert set(take) == {"train": {10, 11, 12}, "valid": {5}, "test": {0}}[part]
        for x in split.x:
            assert x.dtype == np.float32 and x.ndim == 1 and 1000 < len(x) < 20_000
            assert np.abs(x).max() <= 1 and np.array_equal(x * 2**15, np.round(x * 2**15))
    assert d.info.extra["speaker_names"][5] == "yweweler" and d.info.classes[7] == "seven"


@pytest.mark.data
def test_fsdd():
    d = real()
    assert [len(s) for _, s in d.splits()] == [2400, 300, 300]
    assert np.bincount(d.test.y).tolist() == [30] * 10
    lengths = [len(x) for x in d.whole().x]
    assert (min(lengths), max(lengths), sum(lengths)) == (1148, 18_262, 10_498_424)
    assert np.median(lengths) == 3358.5 and sum(n > 8000 for n in lengths) == 20
    speaker = np.concatenate(list(d.info.extra["speaker"].values()))
    loud = [
        np.concatenate([x for x, s in zip(d.whole().x, speaker) if s == k]).std() * 2**15
        for k in (5, 1)
    ]
    assert [round(float(s)) for s in loud] == [408, 3027]
    assert set(d.info.extra["take"]["test"]) == set(range(5))
    assert [len(s) for _, s in real(valid=0).splits()] == [2700, 0, 300]


@pytest.mark.data
def test_fsdd_with_one_speaker_left_out():
    d = real(speaker="lucas", valid=2)
    assert [len(s) for _, s in d.splits()] == [2400, 100, 500]
    assert set(d.info.extra["speaker"]["test"]) == {2}
    assert 2 not in d.info.extra["speaker"]["train"] and "lucas" in d.info.note
    assert set(d.info.extra["take"]["valid"]) == {5, 6}
    with pytest.raises(DataError, match=r"one of george, jackson, .*; got 'nobody'"):
        real(speaker="nobody")
    with pytest.raises(DataError, match="valid must be from 0 to 44; got 45"):
        real(valid=45)


@pytest.mark.data
@pytest.mark.slow
def test_the_decoded_recordings_are_the_published_ones():
    real()
    z = read_npz(FILES["fsdd/fsdd.npz"])
    a = np.concatenate(audio_npz.clips(z, "fsdd")).astype("<i2")
    assert hashlib.sha256(a.tobytes()).hexdigest() == (
        "801bcecb25fa3bfb54fb3c0b1d94732d8456ce5b0c1f036667852a341a3aacd4"
    )


@pytest.fixture
def arrays():
    low, high = audio_npz.differences(np.arange(6, dtype=np.int16))
    some = np.array([1, 2], np.uint8)
    return {
        "diff_lo": low, "diff_hi": high, "lengths": np.array([4, 2], np.int32), "digit": some,
        "speaker": some - 1, "take": some, "speaker_names": np.array(["a", "b"]),
        "speaker_accents": np.array(["c", "d"]), "sample_rate": np.array(8000),
    }  # fmt: skip


def test_clips_of_made_up_arrays(arrays):
    assert [c.tolist() for c in audio_npz.clips(arrays, "f")] == [[0, 1, 2, 3], [4, 5]]


@pytest.mark.parametrize(
    "key, value",
    [
        ("lengths", np.array([4, 3], np.int32)), ("lengths", np.array([7, -1])),
        ("lengths", np.array([6, 0])), ("lengths", np.array(6)), ("lengths", np.array([4.0, 2.0])),
        ("digit", np.array([1, 10], np.uint8)), ("digit", np.array([1], np.uint8)),
        ("speaker", np.array([0, 2], np.uint8)), ("take", np.array([[1, 2]], np.uint8)),
        ("diff_lo", np.zeros(5, np.uint8)), ("diff_hi", np.zeros((6, 1), np.uint8)),
        ("sample_rate", np.array([8000])),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(arrays, key, value):
    with pytest.raises(DataError, match=r"^f: .* do not fit$|^f: a label is not"):
        audio_npz.clips({**arrays, key: value}, "f")


# ------------------------------------------------------------ the spectrogram


def test_loudness():
    x = np.random.default_rng(0).normal(size=500)
    for scale in (1e-200, 1e-9, 1.0, 1e200):
        y = spectrogram.unit_rms(scale * x)
        assert y.dtype == np.float32
        assert np.mean(y.astype(np.float64) ** 2) == pytest.approx(1, rel=1e-6)
        assert_close(y, (x / np.sqrt(np.mean(x**2))).astype(np.float32))


def test_the_mel_scale():
    f = np.array([0.0, 100, 440, 1000, 4000])
    assert_close(spectrogram.hertz(spectrogram.mel(f)), f)
    assert_close(spectrogram.mel(f), 1127.010480 * np.log(1 + f / 700), rtol=2e-5)  # HTK's form


def test_bands_are_triangles_that_add_up_to_one():
    """Between the first and the last peak each frequency is shared by two neighbours."""
    weights = spectrogram.mel_filters(20, 512, 8000)
    assert weights.shape == (20, 257) and weights.min() == 0 and weights.max() <= 1
    peaks = spectrogram.hertz(np.linspace(0, spectrogram.mel(4000), 22))[1:-1]
    f = np.arange(257) * 8000 / 512
    between = (f >= peaks[0]) & (f <= peaks[-1])
    assert_close(weights[:, between].sum(axis=0), np.ones(between.sum()))
    for band, peak in zip(weights, peaks):
        assert abs(f[band.argmax()] - peak) <= 8000 / 512


def test_log_mel_is_its_formula():
    """By a loop and the definition of the discrete Fourier transform."""
    x = np.random.default_rng(1).normal(size=100)
    got = spectrogram.log_mel(x, rate=8000, window=32, hop=20, bands=4)
    n, k = np.arange(32), np.arange(17)
    wave = np.exp(-2j * np.pi * np.outer(k, n) / 32)
    weights = spectrogram.mel_filters(4, 32)
    rows = []
    for start in range(0, 100 - 32 + 1, 20):
        frame = x[start : start + 32] * (0.5 - 0.5 * np.cos(2 * np.pi * n / 32))
        rows.append(np.log(1e-6 + weights @ np.abs(wave @ frame) ** 2))
    assert got.shape == (4, 4)
    assert_close(got, np.array(rows, np.float32), reduction=32)


def test_the_energies_of_frequencies_are_those_that_bands_add_up():
    x = np.random.default_rng(3).normal(size=1000)
    power = np.exp(spectrogram.log_power(x).astype(np.float64)) - 1e-6
    assert power.shape == (10, 129)
    want = np.log(1e-6 + power @ spectrogram.mel_filters().T)
    assert_close(spectrogram.log_mel(x), want.astype(np.float32), 1e-4)


@pytest.mark.parametrize("size", [1, 2, 13, 32])
def test_the_cosine_transform_is_scipys(size):
    v = np.random.default_rng(size).normal(size=(5, size))
    for count in {1, (size + 1) // 2, size}:
        want = scipy.fft.dct(v, type=2, norm="ortho", axis=1)[:, :count]
        assert_close(v @ spectrogram.cosines(count, size).T, want, 1e-12)
    whole = spectrogram.cosines(size, size)
    assert_close(whole.T @ whole, np.eye(size), 1e-12)


def test_mfcc_is_the_cosine_transform_of_the_log_energies():
    x = np.random.default_rng(2).normal(size=900)
    options = {"rate": 11025, "window": 200, "hop": 70, "bands": 20}
    energies = spectrogram.log_mel(x, **options).astype(np.float64)
    want = scipy.fft.dct(energies, type=2, norm="ortho", axis=1)[:, :7]
    got = spectrogram.mfcc(x, **options, count=7)
    assert got.dtype == np.float32 and got.shape == (11, 7)
    assert_close(got, want.astype(np.float32), 1e-5)
    louder = spectrogram.mfcc(10 * x, **options, count=7) - got  # all bands alike: the first alone
    assert_close(louder[:, 0], np.full(11, np.sqrt(20) * np.log(100), np.float32), 1e-4)
    assert abs(louder[:, 1:]).max() < 1e-4


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_slopes_are_those_of_lines_through_the_neighbours(reach):
    x = np.random.default_rng(reach).normal(size=(12, 3))
    width = 2 * reach + 1
    want = scipy.signal.savgol_filter(x, width, 1, deriv=1, axis=0, mode="nearest")
    assert_close(spectrogram.slopes(x, reach), want, 1e-12)
    assert spectrogram.slopes(x.astype(np.float32)).dtype == np.float32
    assert not spectrogram.slopes(x[:1], reach).any()


def test_a_tone_is_in_its_band_at_its_time():
    t = np.arange(8000)
    x = np.where(t < 4000, np.sin(2 * np.pi * 300 * t / 8000), np.sin(2 * np.pi * 2000 * t / 8000))
    found = spectrogram.log_mel(x).argmax(axis=1)
    peaks = spectrogram.hertz(np.linspace(0, spectrogram.mel(4000), 34))[1:-1]
    assert set(found[:45]) == {int(np.abs(peaks - 300).argmin())}
    assert set(found[55:]) == {int(np.abs(peaks - 2000).argmin())}


def test_short_and_silent_recordings():
    assert spectrogram.log_mel(np.ones(3)).shape == (1, 32)
    silence = spectrogram.pictures([np.zeros(5)])
    assert silence.shape == (1, 1, 32, 32)
    assert_close(silence, np.full((1, 1, 32, 32), np.log(1e-6), np.float32))


def test_stretching_keeps_both_ends_and_straight_lines():
    line = np.linspace(-1, 3, 9)[:, None] * np.array([1.0, -2.0])
    for steps in (2, 5, 9, 33):
        want = np.linspace(-1, 3, steps)[:, None] * np.array([1.0, -2.0])
        assert_close(spectrogram.stretched(line, steps), want)
    assert spectrogram.stretched(line[:1], 3).tolist() == [[-1, 2]] * 3
    assert spectrogram.stretched(line, 1).tolist() == [[-1, 2]]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: spectrogram.log_mel(np.zeros(0)), r"must be \[T\], not empty; got \(0,\)"),
        (lambda: spectrogram.log_mel(np.zeros((2, 2))), r"got \(2, 2\)"),
        (lambda: spectrogram.unit_rms([0.0, np.nan]), "sample 1 is not finite"),
        (lambda: spectrogram.unit_rms(["a"]), "an array of numbers"),
        (lambda: spectrogram.log_mel(np.ones(9), hop=0), "hop must be from 1"),
        (lambda: spectrogram.log_power(np.ones(9), window=1), "window must be from 2"),
        (lambda: spectrogram.slopes(np.zeros((0, 3))), "slopes: frames must be floats"),
        (lambda: spectrogram.slopes(np.zeros((2, 3)), 0), "reach must be from 1"),
        (lambda: spectrogram.cosines(5, 4), "count must be from 1 to 4; got 5"),
        (lambda: spectrogram.mfcc(np.ones(9), bands=8, count=9), "count must be from 1 to 8"),
        (lambda: spectrogram.mel_filters(100, 64), r"\d+ of 100 bands hold none"),
        (lambda: spectrogram.mel_filters(window=1), "window must be from 2"),
        (lambda: spectrogram.log_mel(np.ones(9), bands=10**9), "bands must be from 1 to 256"),
        (lambda: spectrogram.log_mel(np.ones(9), window=10**9), "window must be from 2 to 16384"),
        (lambda: spectrogram.stretched(np.zeros((2, 3)), 10**9), "steps must be from 1"),
        (lambda: spectrogram.stretched(np.zeros((0, 3)), 2), "T > 0"),
        (lambda: spectrogram.stretched(np.zeros((2, 3), int), 2), "must be floats"),
        (lambda: spectrogram.pictures([]), "no recordings"),
    ],
)
def test_what_is_no_recording_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.data
@pytest.mark.slow
def test_the_yardsticks_of_spoken_digits():
    """96.0 % by logistic regression, 98.3 % by a support vector machine (within a point)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    d = real()
    train = join([d.train, d.valid])
    x, test = (spectrogram.pictures(s.x).reshape(len(s), -1) for s in (train, d.test))
    for model, published in (
        (LogisticRegression(C=0.1, max_iter=1000), 0.960),
        (SVC(C=10), 0.983),
    ):
        score = make_pipeline(StandardScaler(), model).fit(x, train.y).score(test, d.test.y)
        assert abs(score - published) < 0.01, (model, score)
