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

QUICK = {"names": ["som.winners"], "case": "N5000 M100 D64"}  # of milliseconds
COMMAND = pipe.command  # as it is before a test plants another


def rows_of(run, plans):
    return [row for _, rows in run.run(plans) for row in rows]


@pytest.mark.slow
def test_contenders_are_compared_across_processes(monkeypatch):
    with apart(monkeypatch, peers=("sklearn", "itself"), **QUICK) as (run, plans):
        pids = {who: p.child.pid for who, p in run.processes.items()}
        rows = rows_of(run, plans)
        record = run.record()
    assert set(pids) == {"ours", "sklearn", "itself"} and len({*pids.values()}) == 3
    assert run.notes == [] and [r["version"] for r in rows] == sorted(r["version"] for r in rows)
    newest = max(row["version"] for row in rows)
    for row in rows:  # `itself` runs the newest version, and says nothing about the others
        compared = {"sklearn", "itself"} if row["version"] == newest else {"sklearn"}
        assert row["peers"].keys() == compared and row["left_out"] == {}
        assert all(peer["error"] < 1e-3 for peer in row["peers"].values())
        assert row["median"] > 0 and row["error"] < 1e-3 and row["runs"] >= 1
    assert set(record.peers) == {"sklearn"} and record.effort == "quick"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())
    assert not run.folder.exists()


FAULTS = {
    "dies": "its process ended with code 3: out of luck",
    "crashes": "its process was killed by SIGSEGV",
    "hangs": "its process did not answer within 0.5 s",
    "wrong": "values differ",
    "wrong later": "after timing",
    "other arrays": "its arrays are not ours",
}


@pytest.fixture(scope="module")
def shared():
    """A run for many tests, as starting one takes seconds: (run, plans)."""
    with (
        pytest.MonkeyPatch.context() as patch,
        apart(patch, peers=("sklearn", "blas"), **QUICK) as found,
    ):
        yield found


def test_a_bare_product_is_timed_and_not_compared(shared):
    run, plans = shared
    for row in rows_of(run, plans):
        assert row["peers"]["sklearn"]["error"] < 1e-3 and row["peers"]["blas"]["error"] is None


@pytest.fixture
def planted(shared, monkeypatch):
    """Plants a fault in a peer of the shared run, whose only peer it is: (run, plans)."""
    run, plans = shared

    def plant(who, fault):
        run.ask(who, 60, "plant", fault=fault)
        run.wanted = [who]
        return run, plans

    wanted = run.wanted
    run.notes.clear()
    yield plant
    for who in set(run.wanted):  # by a process without the fault
        run.processes[who].close(at_once=True)
        run._start(who)
        run.processes[who].hear(60)
    run.starts, run.wanted = dict.fromkeys(run.starts, 1), wanted


@pytest.mark.parametrize("fault", FAULTS)
def test_a_peer_that_fails_has_a_row_that_says_so(planted, monkeypatch, fault):
    who = "sklearn" if fault.startswith("wrong") else "blas"  # of BLAS nothing is compared
    run, plans = planted(who, fault)
    if fault == "hangs":
        ask = run.ask

        def short(who, limit, do, **what):
            return ask(who, 0.5 if (who, do) == ("blas", "turn") else limit, do, **what)

        monkeypatch.setattr(run, "ask", short)
    rows = rows_of(run, plans)
    (reason,) = {row["left_out"][who] for row in rows if row["median"]}
    assert FAULTS[fault] in reason and all(row["peers"] == {} for row in rows)
    (note,) = run.notes
    assert note.startswith(f"{who} was left out: som.winners") and FAULTS[fault] in note
    (line,) = tables.failures(rows)
    assert f"{who} was left out: " in line and FAULTS[fault] in line
    assert "left out" in tables.cells(rows[-1], tables.peers_of(rows))


def test_a_peer_killed_between_two_questions_says_so_and_is_back_in_the_next_plan(
    shared, monkeypatch
):
    """By the system, for its memory: the process after it does not know the plan."""
    run, plans = shared
    ask, asked = run.ask, []
    monkeypatch.setattr(run, "wanted", ["blas"])
    monkeypatch.setattr(run, "starts", {**run.starts, "blas": 1})

    def kill():
        os.kill(run.processes["blas"].child.pid, signal.SIGKILL)
        run.processes["blas"].child.wait()

    def kills(who, limit, do, **what):
        answer = ask(who, limit, do, **what)
        asked.append((who, do))
        if asked.count(("ours", "next")) == 1 and asked[-1] == ("ours", "next"):
            kill()  # it has been told the plan
        return answer

    monkeypatch.setattr(run, "ask", kills)
    said = []
    for k, (_, rows) in enumerate(run.run(plans * 4)):
        said.append({row["left_out"].get("blas") for row in rows})
        if k == 1:
            kill()  # between two plans
    reason = "its process was killed by SIGKILL"
    assert said == [{reason}, {None}, {reason}, {None}]
    assert run.starts["blas"] == 3


@pytest.mark.parametrize(
    "fault, said", [("dies at once", "out of luck"), ("babbles", "answered 'hello?', which is no")]
)
def test_a_peer_that_does_not_come_up_is_missing(monkeypatch, fault, said):
    with apart(monkeypatch, ["som.distances"], ("blas",), f"blas={fault}") as (run, _):
        assert said in run.missing["blas"] and set(run.processes) == {"ours"}


@pytest.mark.slow
def test_a_peer_that_died_gets_another_chance_and_not_a_fourth(monkeypatch):
    with apart(monkeypatch, peers=("blas",), faults="blas=dies", **QUICK) as (run, plans):
        rows = [rows[-1]["left_out"]["blas"] for _, rows in run.run(plans * 4)]
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
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
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
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PLANTED": "blas=hangs"},
    ) as child:
        pids = [int(pid) for pid in child.stdout.readline().split()]
        assert len(pids) == 2 and all(Path(f"/proc/{pid}").exists() for pid in pids)
        time.sleep(0.5)
        child.send_signal(how)
        try:
            child.wait(20)
        finally:
            child.kill()
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


PAUSE = Effort(seconds=0.5, turns=1, runs=1, brief=0.5)


def at_rest(run) -> float:
    """Hundredths of seconds of work by which a library's threads must have gone to sleep: those
    while ours warms up, of all its threads."""
    return 100 * PAUSE.warm * run.threads


linux = pytest.mark.skipif(sys.platform != "linux", reason="a process's work is read in /proc")


@linux
def test_the_others_wait_without_working(shared):
    """As soon as our turn begins, the peer whose turn it was rests."""
    run, plans = shared
    assert _work_after_its_turn(run, plans[0], "blas") <= at_rest(run)


@linux
@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("who", ["torch", "jax"])
def test_the_others_wait_without_working_in_training(monkeypatch, who):
    pytest.importorskip(who)
    with apart(monkeypatch, ["mlp"], (who,), effort=PAUSE) as (run, plans):
        assert _work_after_its_turn(run, plans[0], who) <= at_rest(run)
        assert run.missing == {}


@linux
def test_a_peer_that_goes_on_working_would_be_seen(planted):
    run, plans = planted("blas", "spins")
    assert _work_after_its_turn(run, plans[0], "blas") > at_rest(run)


def _work_after_its_turn(run, plan, who) -> int:
    """Hundredths of seconds that the peer works while ours has its turn, right after its own."""
    for each in ("ours", who):
        run.ask(each, 120, "plan", name=plan.name, case=plan.case)
    keys = {each: max(run.ask(each, 300, "next")["mine"]) for each in ("ours", who)}
    for each, key in keys.items():  # compile
        run.ask(each, 300, "call", key=key, what="", file=str(run.folder / "results.npz"))
    run.ask(who, 60, "turn", key=keys[who], effort=vars(PAUSE))
    before = _ticks(run.processes[who].child.pid)
    run.ask("ours", 60, "turn", key=keys["ours"], effort=vars(PAUSE))
    return _ticks(run.processes[who].child.pid) - before


def _ticks(pid: int) -> int:
    """Hundredths of seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.slow
def test_ours_against_ours_is_one(monkeypatch):
    """The smallest step, where a thread that must wake up first would show most.

    The rest of the machine may disturb a try, and not three.
    """
    effort, ratios = Effort(seconds=0.25, steps=3), []
    monkeypatch.setattr("glassgrad.bench.peak_memory.peak", lambda *args: None)
    with apart(monkeypatch, ["mlp"], ("itself",), effort=effort) as (run, plans):
        while len(ratios) < 3 and not any(abs(r - 1.0) <= 0.15 for r in ratios):
            (row,) = rows_of(run, plans)
            ratios.append(row["peers"]["itself"]["ratio"])
    assert any(abs(r - 1.0) <= 0.15 for r in ratios), ratios


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
    assert COMMAND("ours", "numba", 2, "")[1:3] == ["-m", "glassgrad.bench.worker"]
    assert WORKER[1] == "-m"
