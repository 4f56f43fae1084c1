"""Seeded damage to data files of every format: our error or a value, quickly, in little memory."""

import gzip
import io
import json
import os
import random
import resource
import signal
import struct
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from glassgrad.core.data import files, gml, idx, load, text, wav
from glassgrad.core.data.own.lines import decoded
from glassgrad.core.data.own.sequences.piano_rolls import parse_rolls, roll
from glassgrad.core.data.own.sequences.series import parse_series
from glassgrad.core.data.own.texts.pairs import parse_pairs
from glassgrad.core.data.own.texts.sentence_lines import parse_fasttext, parse_imdb, parse_trec
from glassgrad.core.data.own.texts.sentence_table import from_sentences
from glassgrad.core.data.read import decode, gunzip, load_npz, read_path, stream_lines
from glassgrad.core.regular import read_json
from glassgrad.core.training.checkpoint import CheckpointError, load_arrays, save_arrays
from glassgrad.kernels.errors import GlassgradError
from tests.core.test_data_formats import GML

IDX = struct.pack(">HBB2i", 0, 0x0B, 2, 3, 4) + bytes(range(24))
WORDS = (
    b"[", b"]", b"{", b'"', b"\0", b"\xff", b"\xc2\xb2", b"9" * 400, b"1e999", b"NaN", b"-", b"\n",
    b"\x1b[2J", b"[" * 2000, b"\x7f\xff\xff\xff", b"(", b",", b"'descr'", b"True", b"\x80", b" ",
)  # fmt: skip


def npy(a):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, a)
    return buffer.getvalue()


def zipped(content, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as z:
        z.writestr("x.npy", content)
    return buffer.getvalue()


def checkpoint():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c"
        save_arrays(path, {"w": np.eye(2), "b": np.ones(3, "float32")}, {"progress": '{"a": 1}'})
        return path.read_bytes()


def same(content):
    return content


HEAD = struct.pack("<4sI4s4sI", b"RIFF", 60, b"WAVE", b"fmt ", 16)
RECORDING = HEAD + struct.pack("<HHIIHH4sI12h", 1, 2, 8000, 32000, 4, 16, b"data", 24, *range(12))
FLOATS = HEAD + struct.pack("<HHIIHH4sI6f", 3, 1, 8000, 32000, 4, 32, b"data", 24, *range(6))

# name -> (sound content, what is made of the damaged content, how it is read)
PARSERS = {
    "gml": (GML.encode(), same, lambda p: gml.graph(decode(read_path(p), str(p)), str(p))),
    "idx": (IDX, same, idx.read),
    "idx in gzip": (IDX, gzip.compress, lambda p: idx.parse(read_path(p), str(p))),
    "gzip": (gzip.compress(b"one two three\n" * 9, mtime=0), same,
             lambda p: gunzip(read_path(p), str(p))),
    "lines": (b"one two three\nfour\n" * 9, gzip.compress, lambda p: list(stream_lines(p))),
    "lines, packed": (gzip.compress(b"one two\nfour\n" * 9, mtime=0), same,
                      lambda p: list(stream_lines(p))),
    "titles": ("12\tÅland\n25\tB\n".encode(), same, lambda p: text.Corpus("c", p, p).titles()),
    "npz": (zipped(npy(np.arange(6.0).reshape(2, 3))), same, load_npz),
    "npz, stored": (zipped(npy(np.arange(6)), zipfile.ZIP_STORED), same, load_npz),
    "npy in npz": (npy(np.array(["Å", "bc"])), zipped, load_npz),
    "json": (json.dumps([[60, 62], [], 64, {"a": [1.5, None, True]}]).encode(), same,
             lambda p: read_json(p, CheckpointError)),
    "roll": (json.dumps([[60, 62], [], 64, [21]] * 3).encode(), same,
             lambda p: roll(read_json(p, CheckpointError), str(p))),
    "wav": (RECORDING, same, lambda p: wav.parse(read_path(p), str(p))),
    "wav of floats": (FLOATS, same, lambda p: wav.parse(read_path(p), str(p))),
    "rolls": (json.dumps({"train": [[[60, 62], [], [64]]], "test": [[[21]] * 3]}).encode(), same,
              lambda p: parse_rolls(decode(read_path(p), str(p)), str(p))),
    "pairs": ("Go.\tVa !\nÇa va?\tOui.\tCC-BY\n".encode() * 3, same,
              lambda p: parse_pairs(decoded(read_path(p), str(p)), str(p))),
    "fastText": (b"__label__a what a film\n__label__b no\n" * 4, same,
                 lambda p: parse_fasttext(decoded(read_path(p), str(p)), str(p))),
    "reviews": (b"1\t9\tgood film<br />\n2\t1\tbad\tfilm\n" * 4, same,
                lambda p: parse_imdb(decoded(read_path(p), str(p)), str(p))),
    "questions": (b"NUM:date When ?\nLOC:city Where ?\n" * 4, same,
                  lambda p: parse_trec(decoded(read_path(p), str(p)), str(p))),
    "series": (b"2020-01-01,1.5,2\n2020-01-02,,3\n2020-01-03,2,-1\n" , same, parse_series),
    "texts in a table": (b"text,label\n" + b"what a film it is,a\nnot a good one,b\n" * 5, same,
                         lambda p: from_sentences(p, text=1, label=2)),
    "safetensors": (checkpoint(), same, load_arrays),
}  # fmt: skip


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One to four changes: a bit, a part cut out, doubled or overwritten, a word put in, an end."""
    spoilt = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        n = len(spoilt)
        a = rng.randrange(n + 1)
        b = min(n, a + rng.choice((1, 2, 4, 8, 30)))
        kind = rng.randrange(7)
        if kind <= 1 and n:
            spoilt[min(a, n - 1)] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del spoilt[a:b]
        elif kind == 3:
            spoilt[a:a] = spoilt[a:b] * rng.choice((1, 2, 50))
        elif kind == 4:
            spoilt[a:a] = rng.choice(WORDS)
        elif kind == 5:
            spoilt[a:b] = rng.randbytes(b - a)
        else:
            del spoilt[rng.choice((a, n - 1, n - 2)) :]
    return bytes(spoilt)


@pytest.fixture
def bounded():
    """Four minutes in all, and one GB of memory more than the process has already."""

    def rise(*args):
        raise TimeoutError("a parser does not end")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGALRM, rise)
    signal.alarm(240)
    resource.setrlimit(resource.RLIMIT_AS, (now + (1 << 30), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize("name", PARSERS)
def test_damaged_files_are_our_error_or_a_value(tmp_path, bounded, name):
    """200 files of each kind, 4400 in all."""
    sound, pack, read = PARSERS[name]
    path, refused = tmp_path / "damaged", 0
    path.write_bytes(pack(sound))
    read(path)  # the sound one is read
    rng = random.Random(name)
    for _ in range(200):
        content = damaged(sound, rng)
        path.write_bytes(pack(content))
        started = time.process_time()
        try:
            read(path)
        except GlassgradError as error:
            refused += 1
            assert str(path) in str(error) and len(str(error)) < 1000, content
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} for {content!r}") from error
        assert time.process_time() - started < 1, content
    assert refused > 30


LOADERS = {  # set -> the files of which one is damaged
    "jsb_chorales": ["jsb_chorales/jsb-chorales-quarter.json"],
    "iris_uci": ["iris/iris.data"],
    "house_votes_84": ["house_votes_84/house-votes-84.data", "house_votes_84/house-votes-84.names"],
    "trec": ["trec/TREC.test", "trec/TREC.train"],
    "word_eval": ["word_eval/wordsim353.tsv", "word_eval/questions-words.txt"],
    "mutag": [
        f"mutag/MUTAG_{n}.txt"
        for n in ("A", "graph_indicator", "graph_labels", "node_labels", "edge_labels")
    ],
    "karate": ["small_graphs/karate.gml", "small_graphs/karate_club_labels.txt"],
    "lesmis": ["small_graphs/lesmis.gml"],
    "rt_polarity": ["rt_polarity/rt-polarity.neg"],
    "ag_news": ["ag_news/classes.txt", "ag_news/test.csv.gz"],
    "mnist": ["mnist/t10k-labels-idx1-ubyte.gz"],
    "ptb": ["ptb/ptb.valid.txt.gz"],
    "tinyshakespeare": ["tinyshakespeare/input.txt"],
    "cora": ["cora/cora_planetoid.npz"],
    "20news": ["20news/20news_bydate_2000.npz", "20news/vocabulary.txt"],
    "go": ["go/tygem_9d_2005.npz"],
    "efficientnet_lite0": [
        "efficientnet_lite0/efficientnet_lite0.safetensors",
        "efficientnet_lite0/imagenet_classes.txt",
        "efficientnet_lite0/check.npz",
    ],
}
QUICK = ("iris_uci", "house_votes_84", "karate", "mutag", "lesmis")


@needs_proc
@pytest.mark.data
@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in LOADERS]
)
def test_loaders_without_the_checksum(tmp_path, bounded, monkeypatch, name):
    """Whoever disables the checksums, or has a collision, gets our error too."""
    from glassgrad.core.data.canon import FILES, folder

    paths = {f: files.locate(f) for f in folder(FILES[LOADERS[name][0]].folder)}
    if None in paths.values():
        pytest.skip("the set is not here")
    monkeypatch.setattr(files, "verify", lambda *args: None)
    for file, path in paths.items():
        (tmp_path / file.folder).mkdir(exist_ok=True)
        (tmp_path / file.path).symlink_to(path)
    load(name, tmp_path)
    rng, refused = random.Random(name), 0
    for _ in range(60 if name in QUICK else 15):
        file = FILES[rng.choice(LOADERS[name])]
        place, content = tmp_path / file.path, read_path(paths[file])
        content = damaged(content, rng)
        place.unlink()
        place.write_bytes(gzip.compress(content, 1) if file.name.endswith(".gz") else content)
        try:
            load(name, tmp_path)
        except GlassgradError as error:
            refused += 1
            assert len(str(error)) < 1000
        except Exception as error:
            raise AssertionError(f"{file.path}: {type(error).__name__}: {error}") from error
        place.unlink()
        place.symlink_to(paths[file])
    assert refused > 5 or name not in QUICK
