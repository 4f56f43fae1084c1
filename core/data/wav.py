"""WAV files: PCM of 8, 16, 24 and 32 bits and floating point, as float32 samples.

A RIFF file is a list of chunks: four letters, a length, the content, and a zero byte where the
length is odd. "fmt " says how the samples are stored, "data" holds them, channel after channel.
"""

import struct

import numpy as np

from .files import DataError

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
NAMES = {2: "ADPCM", 6: "A-law", 7: "µ-law", 17: "IMA ADPCM", 85: "MP3"}
CHANNELS, RATES = 64, (100, 1_000_000)  # the most channels; samples a second
WIDTHS = {PCM: (8, 16, 24, 32), FLOAT: (32, 64)}  # bits of a sample


def parse(raw: bytes, name: str = "wav") -> tuple[np.ndarray, int]:
    """(samples float32 [T, C], samples a second) of the bytes of a WAV file.

    Whole numbers of b bits are divided by 2^(b-1), so that they lie in [-1, 1); those of 8 bits
    are unsigned, with 128 as zero. Floating-point samples stay as they are. Raises DataError,
    about `name`, for other bytes, a file that is cut off, another encoding, and NaN or infinity.

    >>> head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 40, b"WAVE", b"fmt ", 16, 1, 1, 8000,
    ...                    16000, 2, 16)
    >>> x, rate = parse(head + struct.pack("<4sI2h", b"data", 4, 16384, -32768))
    >>> x.ravel().tolist(), rate
    ([0.5, -1.0], 8000)
    """
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise DataError(f"{name} is no WAV file: it begins with {raw[:12]!r}")
    chunks = _chunks(raw, name)
    if b"fmt " not in chunks or b"data" not in chunks:
        gone = "fmt" if b"fmt " not in chunks else "data"
        raise DataError(f"{name}: the WAV file has no chunk {gone!r}")
    code, channels, rate, bits = _format(raw, *chunks[b"fmt "], name)
    start, length = chunks[b"data"]
    step = channels * bits // 8
    if length % step:
        raise DataError(f"{name}: {length:,} bytes of samples are no multiple of {step}")
    x = _numbers(np.frombuffer(raw, np.uint8, length, start), code, bits)
    if code == FLOAT and not np.isfinite(x).all():
        at = int(np.flatnonzero(~np.isfinite(x))[0])
        raise DataError(f"{name}: sample {at // channels} is {x[at]}")
    return x.reshape(-1, channels), rate


def written(x: np.ndarray, rate: int) -> bytes:
    """A WAV file of samples [T] or [T, C] in [-1, 1], as PCM of 16 bits.

    Each is rounded to the nearest of 65,535 steps of 1/32767; `parse` divides by 32768. Raises
    DataError for other samples, NaN among them, and for a rate that `parse` would refuse.

    >>> x, rate = parse(written(np.array([0.0, 0.5, -1.0]), 8000))
    >>> x.ravel().round(3).tolist(), rate
    ([0.0, 0.5, -1.0], 8000)
    """
    x = np.asarray(x)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not 1 <= x.shape[1] <= CHANNELS or not (abs(x) <= 1).all():
        raise DataError(f"wav: samples must be [T] or [T, C] in [-1, 1]; got {x.shape}")
    if not RATES[0] <= rate <= RATES[1]:
        raise DataError(f"wav: the rate must be {RATES[0]} … {RATES[1]} a second; got {rate}")
    body = np.rint(x * 32767).astype("<i2").tobytes()
    block = 2 * x.shape[1]
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, PCM, x.shape[1], rate, rate * block, block, 16)
    size = 4 + len(form) + 8 + len(body)
    return b"".join((struct.pack("<4sI4s", b"RIFF", size, b"WAVE"), form,
                     struct.pack("<4sI", b"data", len(body)), body))  # fmt: skip


def _chunks(raw: bytes, name: str) -> dict[bytes, tuple[int, int]]:
    """(start, length) of the chunks, the first of each kind."""
    found, at = {}, 12
    while at + 8 <= len(raw) and b"data" not in found:
        kind, length = struct.unpack_from("<4sI", raw, at)
        if at + 8 + length > len(raw):
            raise DataError(
                f"{name}: the WAV file is cut off: the chunk {kind!r} at byte {at} needs"
                f" {length:,} bytes, {len(raw) - at - 8:,} are there"
            )
        found.setdefault(kind, (at + 8, length))
        at += 8 + length + length % 2
    return found


def _format(raw: bytes, start: int, length: int, name: str) -> tuple[int, int, int, int]:
    if length < 16:
        raise DataError(f"{name}: the chunk 'fmt' has {length} bytes; at least 16 are needed")
    code, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", raw, start)
    if code == EXTENSIBLE and length >= 26:  # the format itself stands further down
        (code,) = struct.unpack_from("<H", raw, start + 24)
    if bits not in WIDTHS.get(code, ()):
        what = NAMES.get(code, f"format {code}")
        what = {PCM: "PCM", FLOAT: "floating point"}.get(code, what)
        raise DataError(
            f"{name}: samples of {what}, {bits} bits; read are PCM of 8, 16, 24 and 32 bits and"
            " floating point of 32 and 64"
        )
    if not 1 <= channels <= CHANNELS:
        raise DataError(f"{name}: {channels} channels; 1 … {CHANNELS} are read")
    if not RATES[0] <= rate <= RATES[1]:
        raise DataError(f"{name}: {rate} samples a second; {RATES[0]} … {RATES[1]} are read")
    if block != channels * bits // 8:
        raise DataError(
            f"{name}: a block of {block} bytes is not {channels} channels of {bits} bits"
        )
    return code, channels, rate, bits


def _numbers(raw: np.ndarray, code: int, bits: int) -> np.ndarray:
    if code == FLOAT:
        with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite: refused
            return raw.view(f"<f{bits // 8}").astype(np.float32)
    if bits == 8:
        return (raw.astype(np.float32) - 128) / 128
    if bits == 24:  # the three bytes are the upper ones of four
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = raw.reshape(-1, 3)
        raw, bits = wide.reshape(-1), 32
    return (raw.view(f"<i{bits // 8}") / 2.0 ** (bits - 1)).astype(np.float32)
