"""Series, sequences and recordings of one's own: values, times, gaps, lengths, rates and splits."""

import gzip
import io
import json
import struct
import wave

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import audio, wav
from glassgrad.core.data.own.sequences.times import moment, step


def read(path, content, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return data.read(path, **options)


def days(n, start="2020-01-30"):
    return [str(np.datetime64(start) + k) for k in range(n)]


def table(n=20, value=str, head="date,v\n", when=days):
    return head + "".join(f"{day},{value(i)}\n" for i, day in enumerate(when(n)))


def whole(found):
    return np.concatenate([s.x for _, s in found.splits()])


@pytest.mark.parametrize("head", ["date,v\n", ""])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_dates_in_the_first_column_make_a_series(tmp_path, head, separator):
    found = read(tmp_path / "d.csv", table(head=head).replace(",", separator))
    assert found.info.kind == "series" and found.train.x.dtype == np.float32
    assert [s.x.shape for _, s in found.splits()] == [(14, 1), (2, 1), (4, 1)]
    assert whole(found).ravel().tolist() == list(range(20))  # in order: nothing is shuffled
    assert found.train.y is None and found.info.extra["times"]["test"][-1] == moment("2020-02-18")
    said = "\n".join(found.info.understood)
    assert "2020-01-30 … 2020-02-18, a row every day" in said
    assert "in order of time: 14/2/4" in said


def test_year_and_month_in_columns_of_their_own(tmp_path):
    """As the sunspots of SILSO: the decimal year says the same again; spaces fill the cells."""
    rows = [(1749 + i // 12, i % 12 + 1) for i in range(40)]
    lines = [f"{y};{m:02d};{y + (m - 0.5) / 12:.3f}; {m}.5; -1;{y % 2}" for y, m in rows]
    found = read(tmp_path / "d.csv", "\n".join(lines))
    assert found.info.kind == "series"
    assert found.info.feature_names == ("column 4", "column 5", "column 6")
    assert "1749-01-01 … 1752-04-01, a row every month" in "\n".join(found.info.understood)
    assert whole(found)[:, 0].tolist() == [m + 0.5 for _, m in rows]
    one = data.read(tmp_path / "d.csv", columns=4)
    assert one.info.feature_names == ("column 4",)
    chosen = data.read(tmp_path / "d.csv", columns=(6, 4))
    assert chosen.info.feature_names == ("column 6", "column 4")
    assert (chosen.train.x[:, 1] == one.train.x[:, 0]).all()
    daily = [f"2000;1;{i + 1};{2000 + i / 366 + 0.001:.4f};{i}" for i in range(20)]
    found = read(tmp_path / "e.csv", "\n".join(daily))
    assert found.info.feature_names == ("column 5",)
    assert found.info.extra["times"]["train"][3] == moment("2000-01-04")


def test_gaps_are_interpolated_in_each_part_and_marked(tmp_path):
    gone = {0, 3, 4, 13, 14, 19}  # the ends of the training part, and the start of the next
    text = table(value=lambda i: ("", "?", "NA", "-1")[i % 4] if i in gone else i * i)
    found = read(tmp_path / "d.csv", text, unknown=-1)
    missing = found.info.extra["missing"]
    marked = np.flatnonzero(np.concatenate([missing[p] for p in ("train", "valid", "test")]))
    assert set(marked.tolist()) == gone
    x = found.train.x[:, 0].tolist()
    assert x[0] == 1 and x[3:5] == [4 + 7, 4 + 14] and x[13] == 12 * 12  # not towards 15
    assert found.valid.x[:, 0].tolist() == [225, 225] and found.test.x[-1, 0] == 18 * 18
    assert "6 unknown: interpolated" in "\n".join(found.info.understood)
    assert data.digest(data.read(tmp_path / "d.csv", unknown="-1.0")) == data.digest(found)
    kept = data.read(tmp_path / "d.csv", kind="series")
    assert sum(m.sum() for m in kept.info.extra["missing"].values()) == 4
    assert -1 in whole(kept)  # a value like others, without `unknown`


def test_times_that_are_named_or_none(tmp_path):
    plain = "v,w\n" + "".join(f"{i},{i % 3}\n" for i in range(20))
    assert read(tmp_path / "d.csv", plain).info.kind == "table"  # nothing says when
    found = data.read(tmp_path / "d.csv", kind="series")
    assert found.info.feature_names == ("v", "w") and "times" not in found.info.extra
    assert "the rows follow each other in equal steps" in "\n".join(found.info.understood)
    named = data.read(tmp_path / "d.csv", kind="series", time="v")
    assert named.info.feature_names == ("w",) and named.info.extra["times"]["train"][3] == 3
    years = "year,hares\n" + "".join(f"{1900 + i},{i % 7}\n" for i in range(30))
    found = read(tmp_path / "e.csv", years, kind="series")
    assert found.info.feature_names == ("hares",)
    assert data.read(tmp_path / "e.csv", kind="series", time="none").train.x.shape == (21, 2)


@pytest.mark.parametrize(
    "content",
    [
        table(head="date,size,label\n", value=lambda i: f"{i % 3},{i / 4}"),
        table(when=lambda n: days(n)[::-1]),
        table(head="date,size,kind\n", value=lambda i: f"{'uvw'[i % 3]},{'ab'[i % 2]}"),
        "".join(f"{1900 + i},{i % 7}\n" for i in range(30)),
        table(n=8) + "2020-01-40,1\n2020-01-41,2\n",
    ],
    ids=["a label", "falling", "no numbers", "bare years", "no dates"],
)
def test_tables_stay_tables(tmp_path, content):
    assert read(tmp_path / "d.csv", content).info.kind in ("table", "binary")


def test_a_label_named_by_hand_makes_a_table(tmp_path):
    found = read(tmp_path / "d.csv", table(head="date,v,w\n", value=lambda i: f"{i},{i % 3}"))
    assert found.info.kind == "series" and found.info.feature_names == ("v", "w")
    by_label = data.read(tmp_path / "d.csv", label="w")
    assert by_label.info.kind == "table" and by_label.info.classes == ("0", "1", "2")
    assert data.read(tmp_path / "d.csv", kind="table").info.feature_names[-2:] == ("v", "w")


@pytest.mark.parametrize(
    "cell, expected",
    [
        ("1949-02", "1949-02-01"),
        ("1958/03/29", "1958-03-29"),
        ("19580329", "1958-03-29"),
        ("2020-02-29T23:59:58Z", "2020-02-29T23:59:58"),
        ("2020-02-29 23:59", "2020-02-29T23:59"),
        ("2021-02-29", None),
        ("2020-13", None),
        ("29.02.2020", None),
        ("1749", None),
        ("2020-01-01 25:00", None),
        ("９999-01", None),
        ("", None),
    ],
)
def test_moments(cell, expected):
    found = moment(cell)
    assert found == (None if expected is None else np.datetime64(expected, "s"))


def test_steps_in_words():
    at = np.array(["2020-01-01T00:00", "2020-01-01T06:00", "2020-01-01T12:00"], "datetime64[s]")
    assert step(at) == "a row every 6 hours"
    assert step(at[[0, 1, 1]] + np.array([0, 0, 60])) == "steps of 1 to 360 minutes: not regular"
    assert step(at[:1]) == "one row"
    assert step(np.array(["2019", "2020", "2021"], "datetime64[s]")) == "a row every year"


def npz(path, **arrays):
    np.savez(path, **arrays)
    return data.read(path)


LENGTHS = np.arange(3, 23)  # twenty sequences
X = np.arange(2 * LENGTHS.sum(), dtype=np.float64).reshape(-1, 2)


def sequences_of(found):
    return [x for _, s in found.splits() for x in s.x]


@pytest.mark.parametrize("name", ["x", "data", "sequences"])
def test_sequences_end_to_end(tmp_path, name):
    found = npz(tmp_path / "d.npz", **{name: X}, lengths=LENGTHS, y=np.arange(20) % 3)
    assert found.info.kind == "sequences" and found.info.classes == ("0", "1", "2")
    assert [len(s) for _, s in found.splits()] == [14, 2, 4]
    starts = np.cumsum(LENGTHS) - LENGTHS
    for _, split in found.splits():
        for x, y in zip(split.x, split.y):
            n = len(x) - 3
            assert x.dtype == np.float32 and (x == X[starts[n] : starts[n] + n + 3]).all()
            assert y == n % 3
    assert "20 sequences of 3 … 22 steps" in found.info.understood[0]


def test_labels_of_every_step_and_quantities(tmp_path):
    steps = npz(tmp_path / "d.npz", x=X, lengths=LENGTHS, y=X[:, 0].astype(int) // 2 % 5)
    for x, y in zip(steps.train.x, steps.train.y):
        assert (x[:, 0] // 2 % 5 == y).all() and y.dtype == np.int64
    quantity = npz(tmp_path / "e.npz", x=X[:, 0], lengths=LENGTHS, y=np.linspace(0, 1, 20))
    assert quantity.train.y.shape == (14, 1) and quantity.train.x[0].shape[1] == 1
    assert npz(tmp_path / "f.npz", x=X, lengths=LENGTHS).train.y is None


def test_an_array_for_each_sequence(tmp_path):
    ends = np.cumsum(LENGTHS)[:-1]
    arrays = {f"seq_{i}": a for i, a in enumerate(np.split(X, ends))}
    apart = npz(tmp_path / "d.npz", **arrays, y=np.arange(20) % 2)
    together = npz(tmp_path / "e.npz", x=X, lengths=LENGTHS, y=np.arange(20) % 2)
    assert data.digest(apart) == data.digest(together)  # seq_10 follows seq_9, not seq_1


def test_other_archives_are_not_taken_for_sequences(tmp_path):
    assert npz(tmp_path / "d.npz", x=np.ones((12, 3)), y=np.arange(12) % 2).info.kind == "binary"
    with pytest.raises(data.DataError, match="expected an array x"):
        npz(tmp_path / "e.npz", a=np.ones((12, 3)), b=np.ones(12))


PIECES = [[[60 + k, 64 + k], [], [62 + k]] * (k + 1) for k in range(12)]


@pytest.mark.parametrize("packed", [False, True])
def test_piano_rolls(tmp_path, packed):
    """In the form of JSB's chorales, as they are and packed."""
    tune = json.dumps({"test": PIECES[10:], "train": PIECES[:8], "valid": PIECES[8:10]}).encode()
    name, content = ("d.json.gz", gzip.compress(tune)) if packed else ("d.json", tune)
    found = read(tmp_path / name, content)
    assert found.info.kind == "sequences" and found.info.feature_names[60 - 21] == "C4"
    assert [len(s) for _, s in found.splits()] == [8, 2, 2]
    assert found.train.x[1].shape == (6, 88) and found.train.y is None
    assert [np.flatnonzero(row).tolist() for row in found.test.x[0][:3]] == [[49, 53], [], [51]]
    one_list = read(tmp_path / "e.json", json.dumps(PIECES))
    assert [len(s) for _, s in one_list.splits()] == [9, 1, 2]
    single = read(tmp_path / "f.json", json.dumps([[60, 62, [64]]] * 10))  # one key at a time
    assert single.train.x[0].sum(axis=1).tolist() == [1, 1, 1]


def riff(samples, rate=8000, code=1, bits=16, extensible=False, before=b""):
    """A WAV file of an array [T, C] of the type that is stored."""
    samples = np.asarray(samples)
    samples = samples[:, None] if samples.ndim == 1 else samples
    channels, raw = samples.shape[1], samples.tobytes()
    if bits == 24:
        raw = samples.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 0xFFFE if extensible else code, channels, rate, rate * block,
                      block, bits)  # fmt: skip
    if extensible:
        fmt += struct.pack("<HHIH", 22, bits, 0, code) + bytes(14)
    chunks = before
    for kind, content in ((b"fmt ", fmt), (b"data", raw)):
        chunks += kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


HALF = np.array([0.5, -0.5, 0.0, -1.0])


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(
    "bits, code, dtype, scale, shift",
    [
        (8, 1, np.uint8, 128, 128),
        (16, 1, "<i2", 2**15, 0),
        (24, 1, "<i4", 2**23, 0),
        (32, 1, "<i4", 2**31, 0),
        (32, 3, "<f4", 1, 0),
        (64, 3, "<f8", 1, 0),
    ],
)
def test_wav_of_all_widths(bits, code, dtype, scale, shift, extensible):
    stored = (HALF * scale + shift).astype(dtype)
    x, rate = wav.parse(riff(stored, 11025, code, bits, extensible))
    assert rate == 11025 and x.dtype == np.float32
    assert x[:, 0].tolist() == HALF.tolist()
    two, _ = wav.parse(riff(np.stack([stored, stored[::-1]], 1), 11025, code, bits, extensible))
    assert two.T.tolist() == [HALF.tolist(), HALF[::-1].tolist()]


def test_wav_against_the_standard_library():
    rng = np.random.default_rng(0)
    samples = rng.integers(-(2**15), 2**15, (100, 2)).astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44100)
        out.writeframes(samples.tobytes())
    x, rate = wav.parse(stream.getvalue())
    assert rate == 44100 and (x == samples / np.float32(2**15)).all()
    noted = riff(samples, before=b"LIST" + struct.pack("<I", 3) + b"abc\0")  # padded to be even
    assert (wav.parse(noted)[0] == x).all()


def tone(n, rate, hertz=200, dtype="<i2", loud=0.5):
    return (loud * 32767 * np.sin(2 * np.pi * hertz * np.arange(n) / rate)).astype(dtype)


def test_a_tone_stays_the_same_when_resampled():
    found = audio.resampled(tone(4410, 44100).astype(np.float32) / 32768, 44100, 8000)
    assert found.dtype == np.float32 and len(found) == 800
    inner = slice(50, -50)  # the filter rings at the ends
    assert np.abs(found[inner] - tone(800, 8000)[inner] / 32768).max() < 2e-3
    assert audio.resampled(np.ones(1, np.float32), 1000, 999).shape == (1,)


def test_a_folder_of_recordings(tmp_path):
    for i in range(20):
        clip = tone(100 + i, 8000, loud=0.1 * (i % 2 + 1))
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        (tmp_path / "ab"[i % 2] / f"{i}.WAV").write_bytes(riff(clip))
    (tmp_path / "a" / "notes.txt").write_text("x")
    found = data.read(tmp_path)
    assert found.info.kind == "audio" and found.info.classes == ("a", "b")
    assert [len(s) for _, s in found.splits()] == [14, 2, 4]
    for _, split in found.splits():
        for x, y in zip(split.x, split.y):
            assert x.dtype == np.float32 and x.ndim == 1 and (len(x) - 100) % 2 == y
            assert np.abs(x).max() == pytest.approx(0.1 * (y + 1), rel=2e-3)
    said = "\n".join(found.info.understood)
    assert "20 recordings in 2 classes (a, b)" in said and "1 file of other types" in said
    assert "8,000 samples a second, 100 … 119 samples" in said
    assert found.info.extra["sample_rate"] == 8000
    loud = data.read(tmp_path, normalise=True)
    assert all(np.abs(x).max() == 1 for x in loud.train.x)


def test_names_that_say_class_and_speaker(tmp_path):
    for i in range(30):
        name = f"{i % 3}_{('amy', 'ben')[i % 2]}_{i}.wav"
        (tmp_path / name).write_bytes(riff(tone(50 + i, 8000)))
    found = data.read(tmp_path)
    assert "the class is the first part of the name" in found.info.understood[0]
    assert found.info.classes == ("0", "1", "2")
    assert found.info.extra["speaker_names"] == ("amy", "ben")
    for part, split in found.splits():
        for x, y, who in zip(split.x, split.y, found.info.extra["speaker"][part]):
            i = len(x) - 50
            assert y == i % 3 and who == i % 2


def test_recordings_are_made_alike(tmp_path):
    """The commonest rate wins; channels are averaged; what is louder than 1 is scaled."""
    for i in range(10):
        (tmp_path / f"{i}.wav").write_bytes(riff(tone(800, 8000)))
    (tmp_path / "fast.wav").write_bytes(riff(tone(4410, 44100), 44100))
    both = np.stack([tone(800, 8000), 0 * tone(800, 8000)], 1)
    (tmp_path / "stereo.wav").write_bytes(riff(both))
    (tmp_path / "loud.wav").write_bytes(riff(np.full(800, -4, "<f4"), code=3, bits=32))
    found = data.read(tmp_path)
    said = "\n".join(found.info.understood)
    assert found.train.y is None and "in no classes" in said
    assert "1 of several channels: their mean" in said
    assert "1 resampled (44,100 a second)" in said and "1 with samples beyond 1" in said
    peaks = sorted(float(np.abs(x).max()) for _, s in found.splits() for x in s.x)
    assert peaks[0] == pytest.approx(0.25, rel=1e-3) and peaks[-1] == 1
    assert all(len(x) == 800 for x in sequences_of(found))
    other = data.read(tmp_path, rate=4000)
    assert all(len(x) == 400 for x in sequences_of(other))
    assert "13 resampled (8,000, 44,100 a second)" in other.info.understood


def test_recordings_split_by_folders(tmp_path):
    for part, count in (("train", 4), ("val", 2), ("test", 2)):
        for i in range(count):
            folder = tmp_path / part / "xy"[i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{i}.wav").write_bytes(riff(tone(99, 8000)))
    found = data.read(tmp_path)
    assert [len(s) for _, s in found.splits()] == [4, 2, 2]
    assert found.info.note == "split as the folders say: train 4, valid 2, test 2"


def test_series_in_files_of_their_own(tmp_path):
    for name, start, n in (("a.csv", "2020-01-01", 20), ("b.csv", "2021-01-01", 7)):
        gap = table(n, lambda i: "" if i == 3 else i, when=lambda n, s=start: days(n, s))
        (tmp_path / name).write_text(gap)
    found = data.read(tmp_path / "a.csv", test=tmp_path / "b.csv")
    assert [len(s) for _, s in found.splits()] == [18, 2, 7]
    assert found.test.x[:, 0].tolist() == list(range(7))
    assert {p: int(m.sum()) for p, m in found.info.extra["missing"].items()} == {
        "train": 1, "valid": 0, "test": 1,
    }  # fmt: skip
    assert str(found.info.extra["times"]["test"][0]).startswith("2021-01-01")
    assert "train 18; valid 2, cut from it in order of time; test 7 of its own" in found.info.note
    (tmp_path / "c.csv").write_text(table(7, head="date,w\n"))
    with pytest.raises(data.DataError, match=r"c\.csv: its columns w are not those of .*a\.csv: v"):
        data.read(tmp_path / "a.csv", test=tmp_path / "c.csv")


def test_sequences_in_files_of_their_own(tmp_path):
    y = np.arange(20) % 2
    np.savez(tmp_path / "b.npz", x=X[:6], lengths=[2, 4], y=y[:2])
    np.savez(tmp_path / "a.npz", x=X, lengths=LENGTHS, y=y)
    found = data.read(tmp_path / "a.npz", valid=tmp_path / "b.npz", test=tmp_path / "b.npz")
    assert [len(s) for _, s in found.splits()] == [20, 2, 2]
    assert (found.test.x[1] == X[2:6]).all() and found.test.y.tolist() == [0, 1]
    for changed in ({"x": X[:6, :1]}, {"y": y[:6]}, {"y": y[:2] + 1}):
        np.savez(tmp_path / "b.npz", **{"x": X[:6], "lengths": [2, 4], "y": y[:2]} | changed)
        with pytest.raises(data.DataError, match=r"b\.npz: "):
            data.read(tmp_path / "a.npz", test=tmp_path / "b.npz")
