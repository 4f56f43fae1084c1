"""Two hosts: network namespaces of this machine, joined by a virtual cable.

The ranks share no memory and have nothing but TCP. It takes root, and MPICH, whose launcher starts
processes on a host by a command of ours in the place of ssh.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glassgrad.core.distributed import OneProcess
from glassgrad.launching import THREADS, command, mpiexec
from tests.core.distributed import on_ranks
from tests.core.distributed.starting import ROOT, why_no_mpi

SCRIPT = str(ROOT / "tests/core/distributed/on_ranks.py")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
# nothing through shared memory, which the namespaces of one machine still have
TCP = {"MPIR_CVAR_NOLOCAL": "1", "UCX_TLS": "tcp,self", "FI_PROVIDER": "tcp"}
REMOTE = """#!/bin/sh
while true; do case "$1" in -*) shift;; *) break;; esac; done
case "$1" in {0[0]}) host={1[0]};; *) host={1[1]};; esac
shift
exec ip netns exec $host sh -c "$*"
"""


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True)


def why_not() -> str:
    """Why there can be no two hosts here; "" if there can."""
    if why_no_mpi():
        return why_no_mpi()
    if os.geteuid() or not shutil.which("ip"):
        return "network namespaces need root, and the command ip"
    version = subprocess.run([mpiexec(), "--version"], capture_output=True, text=True).stdout
    if "HYDRA" not in version:
        return "it is for MPICH's launcher"
    name = f"glassgrad{os.getpid()}"
    done = ip("netns", "add", name)
    ip("netns", "del", name)
    return "this machine has no network namespaces" if done.returncode else ""


pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "it runs")]


class Hosts:
    """The two, and the cable between them."""

    def __init__(self, folder):
        self.names = tuple(f"glassgrad{os.getpid()}{end}" for end in "ab")
        self.remote = folder / "remote.sh"
        self.remote.write_text(REMOTE.format(ADDRESSES, self.names))
        self.remote.chmod(0o755)

    def __enter__(self):
        a, b = self.names
        for name in self.names:
            ip("netns", "add", name)
        ip("link", "add", "cable", "netns", a, "type", "veth", "peer", "name", "cable", "netns", b)
        for name, address in zip(self.names, ADDRESSES):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "cable")
            for link in ("cable", "lo"):
                ip("-n", name, "link", "set", link, "up")
        end = time.monotonic() + 10  # a link is up a moment after it was told so
        while not all(self.carries(name) for name in self.names) and time.monotonic() < end:
            time.sleep(0.05)
        return self

    def carries(self, name: str) -> bool:
        """Is the cable of this host up, its address settled?"""
        shown = [["link", "show", "dev", "cable"], ["addr", "show", "dev", "cable", "tentative"]]
        link, unsettled = (
            subprocess.run(["ip", "-n", name, *words], capture_output=True, text=True).stdout
            for words in shown
        )
        return "state UP" in link and not unsettled.strip()

    def __exit__(self, *error):
        for name in self.names:
            ip("netns", "del", name)

    def sent(self) -> int:
        """Bytes that the first has sent through the cable."""
        file = "/sys/class/net/cable/statistics/tx_bytes"
        found = ["ip", "netns", "exec", self.names[0], "cat", file]
        return int(subprocess.run(found, capture_output=True, text=True, check=True).stdout)

    def cut(self):
        """Take the cable out."""
        ip("-n", self.names[0], "link", "set", "cable", "down")

    def start(self, *words, **more):
        """The running processes, a rank on each host."""
        launcher = ["-launcher", "ssh", "-launcher-exec", str(self.remote)]
        hosts = ["-hosts", ",".join(ADDRESSES)]
        line = command(2, [sys.executable, SCRIPT, *words], *launcher, *hosts)
        environment = {**dict.fromkeys(THREADS, "1"), **os.environ, **TCP, **more}
        environment["PYTHONPATH"] = str(ROOT)
        return subprocess.Popen(
            ["ip", "netns", "exec", self.names[0], *line], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture
def hosts(tmp_path):
    with Hosts(tmp_path) as two:
        yield two


def test_two_hosts_train_to_the_weights_of_one_process(hosts):
    out, err = hosts.start("train").communicate(timeout=100)
    assert out.split() == ["weights", str(on_ranks.checksum(on_ranks.trained(OneProcess())))], err
    assert hosts.sent() > 50_000, "the ranks have talked elsewhere"


def test_a_cut_cable_ends_every_rank_with_one_message(hosts):
    process = hosts.start("long", GLASSGRAD_PATIENCE="3")
    try:
        assert process.stdout.readline().strip() == "begun"
        time.sleep(1)
        hosts.cut()
        start = time.monotonic()
        _, err = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode != 0 and time.monotonic() - start < 20
    assert err.count("has waited 3 s for ") == 1, err
    assert err.count("glassgrad: ") == 1
    while left() and time.monotonic() - start < 20:  # the other one cannot say that it ends
        time.sleep(0.1)
    assert not left(), "a rank is left"


def left() -> list[str]:
    """The processes of ranks that have this patience."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            line, more = (Path("/proc", entry, n).read_bytes() for n in ("cmdline", "environ"))
        except OSError:
            continue
        if SCRIPT.encode() in line and b"GLASSGRAD_PATIENCE=3" in more:
            found.append(entry)
    return found
