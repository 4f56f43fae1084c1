"""A process for each contender: faults become clear rows, nothing is left behind, 1 means 1."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from glassgrad.bench import pipe, tables, worker
from glassgrad.bench.timing import Effort
from glassgrad.bench.verify import VerifyError
from tests.bench.planted import WORKER, apart

CASE = "(1000, 100, 16)"


def rows_of(run, plans):
    return [row for _, rows in run.run(plans) for row in rows]


def test_contenders_are_compared_across_processes(monkeypatch):
    with apart(monkeypatch, ["som.winners"], ("sklearn", "blas", "itself")) as (run, plans):
        pids = {who: p.child.pid for who, p in run.processes.items()}
        rows = rows_of(run, plans[:1])
        record = run.record()
    assert set(pids) == {"ours", "sklearn", "blas", "itself"} and len({*pids.values()}) == 4
    assert run.notes == [] and [r["version"] for r in rows] == sorted(r["version"] for r in rows)
    for row in rows:
        assert row["peers"].keys() == {"sklearn", "blas", "itself"} and row["left_out"] == {}
        assert row["peers"]["sklearn"]["error"] < 1e-3 and row["peers"]["blas"]["error"] is None
        assert row["peers"]["itself"]["error"] < 1e-3
        assert row["median"] > 0 and row["error"] < 1e-3 and row["runs"] >= 1
    assert set(record.peers) == {"sklearn", "blas"} and record.effort == "quick"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())
    assert not run.folder.exists()


FAULTS = {
    "dies": "its process ended with code 3: out of luck",
    "crashes": "its process was killed by SIGSEGV",
    "hangs": "its process did not answer within 0.5 s",
    "wrong": "relative error",
    "wrong later": "after timing",
    "other arrays": "its arrays are not ours",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_peer_that_fails_has_a_row_that_says_so(monkeypatch, fault):
    who = "sklearn" if fault.startswith("wrong") else "blas"  # of BLAS nothing is compared
    with apart(monkeypatch, ["som.distances"], (who,), f"{who}={fault}") as (run, plans):
        if fault == "hangs":
            ask = run.ask

            def short(who, limit, do, **what):
                return ask(who, 0.5 if (who, do) == ("blas", "turn") else limit, do, **what)

            monkeypatch.setattr(run, "ask", short)
        rows = rows_of(run, plans[:1])
    (reason,) = {row["left_out"][who] for row in rows if row["median"]}
    assert FAULTS[fault] in reason and all(row["peers"] == {} for row in rows)
    (note,) = run.notes
    assert note.startswith(f"{who} was left out: som.distances") and FAULTS[fault] in note
    (line,) = tables.failures(rows)
    assert f"{who} was left out: " in line and FAULTS[fault] in line
    assert "left out" in tables.cells(rows[-1], tables.peers_of(rows))


@pytest.mark.parametrize(
    "fault, said", [("dies at once", "out of luck"), ("babbles", "answered 'hello?', which is no")]
)
def test_a_peer_that_does_not_come_up_is_missing(monkeypatch, fault, said):
    with apart(monkeypatch, ["som.distances"], ("blas",), f"blas={fault}") as (run, _):
        assert said in run.missing["blas"] and set(run.processes) == {"ours"}


def test_a_peer_that_died_gets_another_chance_and_not_a_fourth(monkeypatch):
    with apart(monkeypatch, ["som"], ("blas",), "blas=dies") as (run, plans):
        plans = [p for p in plans if p.name in ("som.distances", "som.winners")]
        rows = [rows[-1]["left_out"]["blas"] for _, rows in run.run((plans * 4)[:4])]
    assert ["out of luck" in why for why in rows] == [True, True, True, False]
    assert rows[-1] == "its process failed 3 times"


def test_ours_wrong_or_dead_ends_the_run(monkeypatch):
    with (
        apart(monkeypatch, ["dropout.forward"], (), "ours=wrong kernel") as (run, plans),
        pytest.raises(VerifyError, match=r"^dropout.forward, shape .*, v99, result 0.*not finite"),
    ):
        rows_of(run, plans)
    with (
        apart(monkeypatch, ["dropout.forward"], (), "ours=dies") as (run, plans),
        pytest.raises(pipe.ProcessError, match="its process ended with code 3"),
    ):
        rows_of(run, plans)


SCRIPT = """
import sys
from glassgrad.bench import pipe, suite
from glassgrad.bench.apart import Apart
from tests.bench.planted import WORKER, LEAST
pipe.command = lambda *given: [*WORKER, *map(str, given)]
plans = suite.select(["som.distances"])
with Apart(effort=LEAST, wanted_peers=("blas",), plans=plans) as run:
    print(*(p.child.pid for p in run.processes.values()), flush=True)
    list(run.run(plans))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process(how):
    """In the middle of a turn of the peer's."""
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PLANTED": "blas=hangs"},
    ) as child:  # fmt: skip
        pids = [int(pid) for pid in child.stdout.readline().split()]
        assert len(pids) == 2 and all(Path(f"/proc/{pid}").exists() for pid in pids)
        time.sleep(0.5)
        child.send_signal(how)
        child.wait(20)
    end = time.monotonic() + 10
    while any(_running(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(_running(pid) for pid in pids)


def _running(pid: int) -> bool:
    """Is there such a process, other than a zombie that nobody has fetched?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_others_wait_without_working(monkeypatch):
    """While ours works, the peer's process uses no time of the processor."""
    effort = Effort(seconds=0.5, turns=1, warm=0.0, runs=1, brief=0.5)
    with apart(monkeypatch, ["som.distances"], ("blas",), effort=effort) as (run, plans):
        rows_of(run, plans[:1])
        pid = run.processes["blas"].child.pid
        run.ask("ours", 60, "plan", name=plans[0].name, case=plans[0].case)
        key = max(run.ask("ours", 60, "next")["mine"])
        before = _ticks(pid)
        run.ask("ours", 60, "turn", key=key, effort=vars(effort))
        assert _ticks(pid) - before <= 1


def _ticks(pid: int) -> int:
    """Hundredths of seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_ours_against_ours_is_one(monkeypatch):
    """The smallest step, where a thread that must wake up first would show most."""
    effort = Effort(seconds=0.25, steps=3)
    with apart(monkeypatch, ["mlp"], ("itself",), effort=effort) as (run, plans):
        monkeypatch.setattr("glassgrad.bench.memory.peak", lambda *args: None)
        (row,) = rows_of(run, plans)
        busy = run.others.share() or 0.0
    if busy > 0.6:
        pytest.skip(f"other processes took {100 * busy:.0f} % of the processors")
    other = row["peers"]["itself"]
    ratio = other["ratio"] if busy < 0.05 else other["best"] / row["best"]  # best: see noise.py
    assert ratio == pytest.approx(1.0, abs=0.15), (busy, row)


def test_results_travel_whole(tmp_path):
    made = np.arange(3, dtype="float32"), None, np.array(2.0), np.zeros((0, 4))
    worker.save(str(tmp_path / "r.npz"), made)
    found = worker.load(str(tmp_path / "r.npz"))
    assert found[1] is None and len(found) == 4
    for got, want in ((found[0], made[0]), (found[2], made[2]), (found[3], made[3])):
        assert np.array_equal(got, want) and got.dtype == want.dtype and got.shape == want.shape


def test_arrays_are_told_apart():
    a = np.arange(6.0)
    assert worker.digest((a, [1])) == worker.digest([a.copy(), (1,)])
    others = (a + 1e-12, [1]), (a.reshape(2, 3), [1]), (a.astype("float32"), [1]), (a, [2])
    assert len({worker.digest((a, [1])), *map(worker.digest, others)}) == 5


def test_a_command_is_the_workers():
    assert pipe.command("ours", "numba", 2, "")[1:3] == ["-m", "glassgrad.bench.worker"]
    assert WORKER[1] == "-m"
