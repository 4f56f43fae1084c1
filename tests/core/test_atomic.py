"""Files written whole or not at all: permissions, links, what killed writers leave."""

import errno
import os
import stat
import subprocess
import sys
import time

import pytest

from glassgrad.core.atomic import remove_stale, write_atomic
from glassgrad.core.training.checkpoint import save_arrays
from glassgrad.core.training.run_folder import Run, RunError, expect_writable
from glassgrad.core.training.run_folder import write_atomic as write_text


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("write", [write_text, lambda path, text: save_arrays(path, {"w": 1.0})])
def test_permissions_follow_the_umask(tmp_path, mask, write):
    before = os.umask(mask)
    try:
        write(tmp_path / "f", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o666 & ~mask


def test_a_link_is_followed(tmp_path):
    (tmp_path / "f").write_text("old")
    (tmp_path / "link").symlink_to("f")
    write_atomic(tmp_path / "link", "new", OSError)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "f").read_text() == "new"


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    run = Run(tmp_path)
    kept = {"config.json", ".hidden", ".f.tmp", "f.12-0123abcd.tmp", ".f.12-0123abcd.tmp.png"}
    for name in kept:
        (tmp_path / name).write_text("")
    with monkeypatch.context() as killed:  # as after a kill: neither renamed nor removed
        killed.setattr(os, "replace", lambda *a: None)
        killed.setattr(os, "unlink", lambda *a: None)
        run.write_json("metrics.json", {})
        save_arrays(run.checkpoint_path, {"w": 1.0})
    left = {p.name for p in tmp_path.iterdir()} - kept
    assert len(left) == 2
    run.remove_stale()  # their writer, this process, lives: perhaps it is writing them
    assert {p.name for p in tmp_path.iterdir()} == kept | left
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    old, new = sorted(left)
    os.utime(tmp_path / old, (time.time() - 25 * 3600,) * 2)
    (tmp_path / new).rename(tmp_path / new.replace(f".{os.getpid()}-", f".{dead.pid}-"))
    remove_stale(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == kept


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_permissions_of_a_file_that_is_replaced_stay(tmp_path, mode):
    (tmp_path / "f").write_text("old")
    (tmp_path / "f").chmod(mode)
    write_text(tmp_path / "f", "new")
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode
    assert (tmp_path / "f").read_text() == "new"


def test_looking_whether_a_file_can_be_written_does_not_touch_it(tmp_path, monkeypatch):
    (tmp_path / "f").write_text("old")
    os.link(tmp_path / "f", tmp_path / "other")
    before = os.stat(tmp_path / "f")
    expect_writable(tmp_path / "f")
    expect_writable(tmp_path / "new")
    after = os.stat(tmp_path / "f")
    assert (before.st_ino, before.st_mtime_ns, before.st_nlink) == (
        after.st_ino,
        after.st_mtime_ns,
        2,
    )
    assert sorted(os.listdir(tmp_path)) == ["f", "other"]
    for path in (tmp_path, tmp_path / "f" / "g", tmp_path / "no" / "where"):
        with pytest.raises(RunError, match="cannot write"):
            expect_writable(path)

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left"):
        expect_writable(tmp_path / "f")
    assert sorted(os.listdir(tmp_path)) == ["f", "other"]
