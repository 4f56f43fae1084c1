"""A piano roll as a file to listen to: MIDI, and samples by additive synthesis.

A standard MIDI file is a header and tracks, numbers with the highest byte first. A track is a list
of events, each after a time in ticks since the one before, in bytes of 7 bits whose highest bit
says that more follow ::

    "MThd" 6, format 0, 1 track, 480 ticks a quarter note
    "MTrk" length, then  Δt FF 51 03 µ    µ microseconds a quarter note
                         Δt 90 p v        key of pitch p goes down, v how hard
                         Δt 80 p 0        and up
                         Δt FF 2F 00      the end

A note sounds as long as its key is down in consecutive frames. As samples it is a sum of sines at
multiples of its frequency f = 440·2^((p - 69)/12) Hz, the k-th with loudness 1/k², that dies away.

Source: MIDI Manufacturers Association, "Standard MIDI files 1.0", 1996.
"""

import struct

import numpy as np

from ...core.data.own.sequences.piano_rolls import LOWEST

TICKS = 480  # a quarter note
HARD = 80  # how hard a key is struck, of 127
RATE = 22050  # samples a second
PARTIALS = 6
DECAY = 1.6  # seconds until a note has 1/e of its loudness
FADE = 0.02  # seconds to begin and to end in, without a click


def notes(roll: np.ndarray) -> list[tuple[int, int, int]]:
    """(first frame, frame after the last, pitch) of each note of a roll [T, K], in order.

    >>> notes(np.array([[1, 0], [1, 1], [0, 1]]))
    [(0, 2, 21), (1, 3, 22)]
    """
    down = np.pad(np.asarray(roll) > 0.5, ((1, 1), (0, 0))).astype(np.int8)
    change = np.diff(down, axis=0).T  # key by key, so that begins and ends match
    begins, ends = (np.argwhere(change == sign) for sign in (1, -1))
    found = zip(begins[:, 1].tolist(), ends[:, 1].tolist(), (LOWEST + begins[:, 0]).tolist())
    return sorted(found)


def variable_length(n: int) -> bytes:
    """A number as MIDI's bytes of 7 bits, the highest first.

    >>> variable_length(0x7F).hex(), variable_length(0x80).hex(), variable_length(480).hex()
    ('7f', '8100', '8360')
    """
    found = [n & 0x7F]
    while n := n >> 7:
        found.append(n & 0x7F | 0x80)
    return bytes(found[::-1])


def midi(roll: np.ndarray, beats: float = 96.0) -> bytes:
    """A roll [T, K] as a standard MIDI file, a frame a quarter note, `beats` of them a minute."""
    events = []  # (frame, what comes first in a frame, bytes): keys go up before others go down
    for first, end, pitch in notes(roll):
        events += [(first, 1, bytes((0x90, pitch, HARD))), (end, 0, bytes((0x80, pitch, 0)))]
    track, at = [b"\x00\xff\x51\x03", round(60e6 / beats).to_bytes(3, "big")], 0
    for frame, _, event in sorted(events):
        track += [variable_length(TICKS * (frame - at)), event]
        at = frame
    track += [variable_length(TICKS * (len(roll) - at)), b"\xff\x2f\x00"]
    body = b"".join(track)
    head = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, TICKS)
    return head + struct.pack(">4sI", b"MTrk", len(body)) + body


def samples(roll: np.ndarray, beats: float = 96.0) -> np.ndarray:
    """A roll [T, K] as samples float32 [S] in [-1, 1], 22,050 a second.

    Partials of 11,025 Hz and more are left out: they would be folded back.
    """
    step = 60 / beats * RATE
    sound = np.zeros(int(np.ceil(step * len(roll))) + 1)
    fade = int(FADE * RATE)
    for first, end, pitch in notes(roll):
        start, length = int(first * step), int((end - first) * step)
        t = np.arange(length) / RATE
        f = 440 * 2 ** ((pitch - 69) / 12)
        k = np.arange(1, min(PARTIALS, int(np.ceil(RATE / 2 / f)) - 1) + 1)[:, None]
        wave = (np.sin(2 * np.pi * f * k * t) / k**2).sum(axis=0) * np.exp(-t / DECAY)
        ramp = np.minimum(1, np.arange(1, length + 1) / fade)
        sound[start : start + length] += wave * ramp * ramp[::-1]
    peak = np.abs(sound).max()
    return (0.9 * sound / peak if peak else sound).astype(np.float32)
