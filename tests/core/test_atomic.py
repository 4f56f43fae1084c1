"""Files written whole or not at all: permissions, links, what killed writers leave."""

import os
import stat

import pytest

from glassgrad.core.atomic import remove_stale, write_atomic
from glassgrad.core.run import Run
from glassgrad.core.run import write_atomic as write_text
from glassgrad.core.state import save_arrays


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
    assert len(list(tmp_path.iterdir())) == len(kept) + 2
    run.remove_stale()
    assert {p.name for p in tmp_path.iterdir()} == kept
    remove_stale(tmp_path)
