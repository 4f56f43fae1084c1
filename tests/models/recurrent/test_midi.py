"""Rolls as MIDI, read again byte by byte, and as samples: pitches by their spectrum."""

import struct

import numpy as np
import pytest

from glassgrad.core.data import load, wav
from glassgrad.models.recurrent.midi import RATE, TICKS, midi, notes, samples, variable_length


def read(raw: bytes) -> tuple[dict, np.ndarray]:
    """(what the head and the meta events say, the roll) of a MIDI file, by the standard."""
    kind, six, form, tracks, ticks = struct.unpack_from(">4sIHHH", raw)
    mark, length = struct.unpack_from(">4sI", raw, 14)
    assert (kind, six, mark) == (b"MThd", 6, b"MTrk") and len(raw) == 22 + length
    said = {"format": form, "tracks": tracks, "ticks": ticks}
    at, now, down, sounds = 22, 0, {}, []
    while at < len(raw):
        delta = 0
        while True:
            byte = raw[at]
            at, delta = at + 1, delta << 7 | byte & 0x7F
            if byte < 0x80:
                break
        now += delta
        status = raw[at]
        if status == 0xFF:
            what, size = raw[at + 1], raw[at + 2]
            said[what] = raw[at + 3 : at + 3 + size]
            at += 3 + size
        else:
            _, pitch, force = raw[at : at + 3]
            at += 3
            if status == 0x90 and force:
                assert pitch not in down, "struck while it is down"
                down[pitch] = now
            else:
                assert status == 0x80
                sounds.append((down.pop(pitch), now, pitch))
    assert not down and what == 0x2F
    roll = np.zeros((now // ticks, 88), np.float32)
    for first, end, pitch in sounds:
        roll[first // ticks : end // ticks, pitch - 21] = 1
    return said, roll


@pytest.mark.parametrize("seed", [0, 1])
def test_a_file_says_the_roll_it_was_made_of(seed):
    roll = (np.random.default_rng(seed).random((300, 88)) < 0.3).astype(np.float32)
    roll[140:280] = 0  # so long a rest needs three bytes
    said, found = read(midi(roll, beats=120))
    assert np.array_equal(found, roll)
    assert said == {
        "format": 0, "tracks": 1, "ticks": TICKS, 0x51: (500_000).to_bytes(3, "big"), 0x2F: b"",
    }  # fmt: skip


@pytest.mark.parametrize("frames", [0, 3])
def test_a_silent_roll_is_a_file_and_a_sound(frames):
    roll = np.zeros((frames, 88))
    assert np.array_equal(read(midi(roll))[1], roll)
    assert not samples(roll).any()


def test_numbers_of_variable_length_by_the_standard():
    table = {0: "00", 0x40: "40", 0x2000: "c000", 0x3FFF: "ff7f", 0x4000: "818000",
             0x1FFFFF: "ffff7f", 0x200000: "81808000", 0xFFFFFFF: "ffffff7f"}  # fmt: skip
    for number, want in table.items():
        assert variable_length(number).hex() == want


def test_notes_of_a_tune_cover_it_once():
    roll = load("cadences", train=1, valid=0, test=0).train.x[0]
    again = np.zeros_like(roll)
    for first, end, pitch in notes(roll):
        again[first:end, pitch - 21] += 1
    assert np.array_equal(again, roll)


def test_a_chord_sounds_at_its_pitches():
    """One second of A3 and E4: of all semitones between G2 and G5, the loudest are these."""
    roll = np.zeros((1, 88))
    roll[0, [57 - 21, 64 - 21]] = 1
    x = samples(roll, beats=60)
    assert len(x) == RATE + 1 and abs(x).max() == pytest.approx(0.9)
    t = np.arange(len(x)) / RATE
    pitches = np.arange(43, 80)
    f = 440 * 2 ** ((pitches[:, None] - 69) / 12)
    power = abs((x * np.exp(-2j * np.pi * f * t)).sum(axis=1))
    assert set(pitches[np.argsort(-power)[:2]]) == {57, 64}


def test_the_highest_key_is_not_folded_back():
    """The highest key, 4186 Hz: its partials from the third on are above half of the rate."""
    roll = np.zeros((1, 88))
    roll[0, 87] = 1
    spectrum = abs(np.fft.rfft(samples(roll, beats=60)))
    hertz = np.fft.rfftfreq(RATE + 1, 1 / RATE)
    near = (abs(hertz - 4186) < 60) | (abs(hertz - 8372) < 60)
    assert spectrum[~near].max() < 0.02 * spectrum.max()


@pytest.mark.parametrize("channels", [1, 2])
def test_a_written_wav_file_is_read_again(channels):
    x = np.random.default_rng(0).uniform(-1, 1, (999, channels)).astype(np.float32)
    x[0], x[1] = 1, -1
    found, rate = wav.parse(wav.written(x, 22050))
    assert rate == 22050 and found.shape == x.shape
    assert abs(found * 32768 / 32767 - x).max() <= 0.5 / 32767 + 1e-7
    for bad in (x * 1.01, np.full((3, 1), np.nan), np.zeros((2, 2, 2))):
        with pytest.raises(wav.DataError, match="in \\[-1, 1\\]"):
            wav.written(bad, 22050)
