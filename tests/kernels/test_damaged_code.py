"""Damaged machine code on the disk: never run, never in the way, made again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numba.core.serialize import dumps

from glassgrad.kernels import compiled, notice, trust

SOURCE = """
import numpy as np
from glassgrad.kernels.compiled import njit

@njit(fastmath={"contract"})
def square(x):
    return x * x

@njit(nogil=True)
def sums(a, out):
    for i in range(len(a)):
        out[0] += square(a[i])
        out[1] += a[i]
"""
RUN = """
from kernels_of_ours import *
for real in "float32", "float64":
    out = np.zeros(2, real)
    sums(np.arange(100, dtype=real), out)
    print(*map(int, out))
"""
RIGHT = "328350 4950\n" * 2


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The cache folder of this test, and a function that runs the kernels in this process."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    (tmp_path / "kernels_of_ours.py").write_text(SOURCE)
    monkeypatch.setattr(compiled, "cache_folder", lambda: folder)
    monkeypatch.setattr(notice, "_said", set())
    code = compile(SOURCE, str(tmp_path / "kernels_of_ours.py"), "exec")

    def run():
        made = {"__name__": "kernels_of_ours"}
        exec(code, made)
        out = np.zeros(2, np.float32)
        made["sums"](np.arange(100, dtype=np.float32), out)
        assert out.tolist() == [328350, 4950]
        stats = [made[name].stats for name in ("square", "sums")]
        return [sum(s.cache_hits.values()) for s in stats]

    assert run() == [0, 0]
    return folder, run


def damages(size: int, count: int, seed: int) -> list:
    """Functions of the bytes: cut short, emptied, garbage, a bit turned over."""
    rng = random.Random(seed)
    cuts = sorted({0, 1, 31, 32, 33, size // 2, size - 1})
    found = [lambda data, n=n: data[:n] for n in cuts]
    found += [lambda data: data + b"x", lambda data: rng.randbytes(size), lambda data: bytes(size)]

    def flip(data):
        changed = bytearray(data)
        changed[rng.randrange(size)] ^= 1 << rng.randrange(8)
        return bytes(changed)

    found += [flip] * max(5, count - len(found))
    return found if count > len(found) else rng.sample(found, count)


def spoil_every_file(place, count, capsys):
    folder, run = place
    files = sorted(folder.iterdir())
    assert len(files) == 2 and run() == [0, 1]  # `square` lies within `sums`
    (path,) = (p for p in files if ".sums-" in p.name)
    whole, done = path.read_bytes(), 0
    for seed, file in enumerate(files):
        data = file.read_bytes()
        for damage in damages(len(data), count, seed):
            path.write_bytes(whole)
            if file == path:
                path.write_bytes(damage(data))
            else:  # is read only where `sums` has to be compiled
                path.unlink()
                file.write_bytes(damage(data))
            notice._said.clear()
            capsys.readouterr()
            hits = run()
            said = capsys.readouterr().err
            assert hits == ([1, 0] if file == path else [0, 0])
            assert said.count(f"{file} is damaged: removed, and compiled again\n") == 1
            assert run() == [0, 1] and {*folder.iterdir()} == {*files}
            done += 1
    return done


def test_a_few_damages(place, capsys):
    assert spoil_every_file(place, 3, capsys) == 6


@pytest.mark.slow
def test_many_damages(place, capsys):
    assert spoil_every_file(place, 110, capsys) == 220


@pytest.mark.parametrize("what", ["folder", "pipe", "link", "payload", "target"])
def test_what_is_no_code_of_this_function_is_replaced_and_said(place, what, tmp_path, capsys):
    folder, run = place
    (path,) = folder.glob("*.sums-*")
    (other,) = folder.glob("*.square-*")
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    if what == "payload":
        trust.write(path, dumps(("target", ())))
    elif what == "target":
        path.write_bytes(other.read_bytes())
    else:
        path.unlink()
        make = {
            "folder": lambda: shutil.copytree(kept, path),
            "pipe": lambda: os.mkfifo(path, 0o600),
            "link": lambda: path.symlink_to(kept),
        }
        make[what]()
    capsys.readouterr()
    assert run() == [1, 0]
    (line,) = [s for s in capsys.readouterr().err.splitlines() if "compiling" not in s]
    why = {"folder": "", "pipe": "is not", "link": "Too many", "payload": "cannot be loaded (",
           "target": "is another function's"}[what]  # fmt: skip
    assert line.startswith(f"glassgrad: compiled code {path} {why}")
    assert line.endswith(": removed, and compiled again")
    assert run() == [0, 1] and (kept / "file").is_file()
    assert not capsys.readouterr().err


def test_what_cannot_be_removed_is_said_once(place, monkeypatch, capsys):
    folder, run = place
    (path,) = folder.glob("*.sums-*")
    path.unlink()
    path.mkdir()

    def busy(path):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(shutil, "rmtree", busy)
    capsys.readouterr()
    for _ in range(2):
        assert run() == [1, 0]
    said = [s for s in capsys.readouterr().err.splitlines() if "every process" in s]
    assert [s.partition(str(path))[2] for s in said] == [
        " cannot be replaced (Device or resource busy): compiled in every process",
        " cannot be written (Is a directory): compiled in every process",
    ]


def test_a_disk_that_takes_nothing_does_no_harm(place, monkeypatch, capsys):
    folder, run = place
    for path in folder.iterdir():
        path.unlink()

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compiled, "write", full)
    capsys.readouterr()
    assert run() == [0, 0] and not list(folder.iterdir())
    (line,) = [s for s in capsys.readouterr().err.splitlines() if "compiled code" in s]
    assert line.endswith("cannot be written (No space left on device): compiled in every process")


def process(tmp_path: Path, **more) -> subprocess.Popen:
    env = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "own")}
    return subprocess.Popen(
        [sys.executable, "-c", RUN], env=env, text=True, stdout=-1, stderr=-1, **more
    )


@pytest.mark.slow
def test_processes_that_compile_at_once_and_are_killed(place, tmp_path):
    """Whatever a killed one leaves and whoever writes at the same time: the right numbers."""
    rng = random.Random(0)
    for _ in range(6):
        victim = process(tmp_path)
        time.sleep(rng.uniform(1.0, 4.0))
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
    together = [process(tmp_path) for _ in range(4)]
    for one in together:
        out, err = one.communicate()
        assert (one.returncode, out) == (0, RIGHT), err
    (folder,) = (tmp_path / "own").iterdir()
    for path in folder.glob("*.code"):
        path.write_bytes(path.read_bytes()[:-1])
    together = [process(tmp_path) for _ in range(4)]
    for one in together:
        out, err = one.communicate()
        assert (one.returncode, out) == (0, RIGHT), err
    last = process(tmp_path)
    assert last.communicate() == (RIGHT, "") and len(list(folder.glob("*.code"))) == 4
