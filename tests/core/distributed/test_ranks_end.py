"""How the block of `ranks` ends, with a stand-in for MPI."""

import socket
import sys

import pytest

from glassgrad.cli import said
from glassgrad.core.distributed import OneProcess, ranks, using
from glassgrad.core.distributed.ranks import speaker
from glassgrad.kernels.errors import GlassgradError


class Second(OneProcess):
    """Rank 1 of two, which notes how it ends."""

    rank, size = 1, 2

    def __init__(self):
        self.ends = []

    def finish(self):
        self.ends.append("finish")

    def abort(self, code):
        self.ends.append(code)


@pytest.fixture
def world(monkeypatch):
    module, world = sys.modules["glassgrad.core.distributed.ranks"], Second()
    monkeypatch.setattr(module, "launched", lambda: True)
    monkeypatch.setattr(module, "MPI", lambda: world)
    monkeypatch.setattr(module, "WAIT", 0.0)
    return world


def ends(world, error):
    with pytest.raises(type(error)), ranks():
        raise error
    return world.ends


@pytest.mark.parametrize("code", [0, None])
def test_leaving_by_sys_exit_is_no_crash(world, code):
    assert ends(world, SystemExit(code)) == ["finish"]


def test_an_exit_with_a_code_ends_all_with_it(world, capsys):
    assert ends(world, SystemExit(3))[0] == 3
    assert "sys.exit(3)" in capsys.readouterr().err


def test_an_error_says_which_rank_it_is_of(world, capsys):
    assert ends(world, GlassgradError("no"))[0] == 1
    who = f"rank 1 on {socket.gethostname()}: "
    assert capsys.readouterr().err == f"glassgrad: {who}no\n"
    with using(world):
        assert said(GlassgradError("no"), speaker()) == 1
    assert capsys.readouterr().err == f"glassgrad: {who}no\n"
    assert speaker() == ""
