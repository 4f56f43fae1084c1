"""Counters of the hardware next to the emulator's: what ncu counts apart is expected apart."""

import stat
import sys

import pytest

from glassgrad.bench.gpu import counters, predict
from glassgrad.kernels.emulator.report import Report, Site

UNITS = {"requests": "request", "sectors": "sector", "bytes": "byte"}


def said(kernels: dict[str, dict[str, int]]) -> str:
    """What ``ncu --csv --page raw`` writes of launches: noise, names, units, a row a launch."""
    names = [*counters.ALL]
    metrics = [counters.ALL[n] for n in names]
    units = [next((u for k, u in UNITS.items() if k in n), "") for n in names]
    lines = [
        "==PROF== Connected to process 7",
        '"ID","Process ID","Kernel Name",' + quoted(metrics),
    ]
    lines.append('"","","",' + quoted(units))
    for i, (kernel, values) in enumerate(kernels.items()):
        row = [f"{values.get(n, 0):,}" for n in names]
        lines.append(f'"{i}","7","{kernel}(const float *, float *, int)",' + quoted(row))
    return "\n".join(lines) + "\n==PROF== Disconnected\n"


def quoted(words) -> str:
    return ",".join(f'"{w}"' for w in words)


EMULATED = {
    "load_requests": 100, "load_sectors": 400, "store_requests": 10, "store_sectors": 40,
    "shared_load_waves": 2000, "shared_store_waves": 300, "shared_load_conflicts": 0,
    "shared_store_conflicts": 60, "copy_requests": 50, "copy_sectors": 200, "copy_waves": 64,
    "copy_conflicts": 14,
}  # fmt: skip


def hardware(**changes) -> dict[str, int]:
    """The same launch as a GPU counts it: exact counters, and those with arbitration 3 % higher."""
    with_traffic = {
        f"{k} with arbitration": v + v // 32
        for k, v in EMULATED.items()
        if k in counters.ARBITRATED
    }
    return {**EMULATED, **with_traffic, "dram_read": 12345, "dram_written": 77, **changes}


def compared(values, waits=()):
    return counters.compare(counters.parse(said({"k": values})), {"k": EMULATED}, waits)["k"]


def off(values, waits=()) -> set[str]:
    return {name for name, c in compared(values, waits).items() if c["same"] is False}


def test_copies_are_counted_as_ldgsts():
    """They are none of the loads and stores, on either side."""
    found = compared(hardware())
    assert found["copy_requests"]["ncu"] == 50 and found["copy_bytes"]["ncu"] == 200 * 32
    assert "ldgsts" in counters.METRICS["copy_sectors"] and not off(hardware())
    assert off(hardware(load_requests=150)) == {"load_requests"}
    assert off(hardware(copy_requests=0)) == {"copy_requests"}


def test_polls_of_the_grid_barrier_are_loads_that_only_the_hardware_makes():
    polled = hardware(load_requests=170, load_sectors=470)
    assert off(polled) == {"load_requests", "load_sectors", "load_bytes"}
    assert off(polled, waits={"k"}) == set()
    assert compared(polled, {"k"})["load_requests"]["expected"].startswith("at least: polls")
    assert off(hardware(load_requests=90), {"k"}) == {"load_requests"}  # it cannot read less
    assert off(hardware(store_requests=15), {"k"}) == {"store_requests"}


def test_arbitration_is_in_the_counters_of_the_unit_alone():
    """What the instructions cause is equal; what the unit spends is at least that."""
    name = "shared_store_conflicts"
    busy = hardware(**{f"{name} with arbitration": 500})
    assert off(busy) == set()
    assert compared(busy)[f"{name} with arbitration"]["expected"].startswith("at least: cycles")
    assert off(hardware(**{f"{name} with arbitration": 30})) == {f"{name} with arbitration"}
    assert off(hardware(**{name: 500})) == {name}
    assert all("sass" in counters.METRICS[n] for n in counters.ARBITRATED)
    assert not any("sass" in m for m in counters.ARBITRATED.values())


def test_kernels_that_wait_for_each_other_are_known():
    waits = counters.waiting("lstm")
    assert waits == {f"lstm_sequence_{w}_v{v}" for w in ("forward", "backward") for v in (3, 4)}
    assert counters.waiting("conv2d") == counters.waiting("textbook") == set()


def test_lines_of_asynchronous_copies_are_counted_apart(tmp_path):
    """The emulator calls them a load and a store; the line in the source says what they are."""
    path = tmp_path / "k.cu"
    path.write_text("x[0] = y[0];\ncopy_async<16>(to, from);\n")
    sites = [
        Site("k", str(path), 1, "global", "load", 4, requests=3, units=12, ideal=12),
        Site("k", str(path), 2, "global", "load", 16, requests=2, units=32, ideal=32),
        Site("k", str(path), 2, "shared", "store", 16, requests=2, units=11, ideal=8),
    ]
    report = Report()
    report.sites.extend(sites)
    (found,) = predict.counted(report).values()
    assert {k: v for k, v in found.items() if v} == {
        "load_requests": 3, "load_sectors": 12, "copy_requests": 2, "copy_sectors": 32,
        "copy_waves": 11, "copy_conflicts": 3,
    }  # fmt: skip


NCU = """
import sys
if "--query-metrics" in sys.argv:
    print("Device NVIDIA H0")
    print(chr(10).join(f"{m.removesuffix('.sum')}    Counter  what it is" for m in METRICS))
else:
    asked = sys.argv[sys.argv.index("--metrics") + 1].split(",")
    assert asked == METRICS, asked
    open(sys.argv[sys.argv.index("--log-file") + 1], "w").write(SAID)
"""


@pytest.fixture
def ncu(tmp_path, monkeypatch):
    """Puts a stand-in for ncu in place, which knows some metrics and prints a given text."""

    def put(metrics, text):
        path = tmp_path / "ncu"
        head = f"#!{sys.executable}\nMETRICS, SAID = {metrics!r}, {text!r}\n"
        path.write_text(head + NCU)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(counters, "tool", lambda name: str(path))

    return put


def test_a_run_of_ncu_is_compared(ncu, monkeypatch):
    monkeypatch.setattr(counters, "predicted", lambda group: ({"k": EMULATED}, "before"))
    ncu([*counters.ALL.values()], said({"k": hardware(store_sectors=80)}))
    found = counters.measure(("textbook",))(60, lambda: 0)
    assert found["status"] == "done" and found["unknown"] == []
    assert [o["counter"] for o in found["outside"]] == ["store_sectors", "store_bytes"]


def test_a_metric_that_ncu_does_not_know_is_left_out_and_said(ncu, monkeypatch):
    """One that it does not know would end its run."""
    monkeypatch.setattr(counters, "predicted", lambda group: ({"k": EMULATED}, "before"))
    known = [m for n, m in counters.ALL.items() if n != "copy_waves"]
    ncu(known, said({"k": hardware()}))
    found = counters.measure(("textbook",))(60, lambda: 0)
    assert found["status"] == "done" and found["unknown"] == ["copy_waves"]


def test_a_cut_csv_counts_as_far_as_it_goes():
    """A row may end anywhere: before its kernel's name, or before some of its counters."""
    whole = said({"a": hardware(), "b": hardware()})
    rows = whole.splitlines()
    start = next(i for i, line in enumerate(rows) if line.startswith('"ID"'))
    both = "\n".join(rows[start : start + 4])
    assert set(counters.parse(both)) == {"a", "b"}
    last = both.rindex("\n")
    for cut in range(last, len(both)):
        assert counters.parse(both[:cut])["a"] == hardware()


def test_a_stale_prediction_is_compared_with_nothing_and_said(ncu, monkeypatch):
    monkeypatch.setattr(predict, "edition", lambda group: "another")
    ncu([*counters.ALL.values()], said({"k": hardware()}))
    found = counters.measure(("textbook",))(60, lambda: 0)
    group = found["groups"]["textbook"]
    assert found["status"] == "incomplete" and group["status"] == group["predicted"] == "stale"
    assert group["kernels"]["k"]["load_sectors"]["ncu"] == EMULATED["load_sectors"]
    assert group["kernels"]["emulator"].startswith("stale: ") and found["outside"] == []


def test_what_ncu_had_counted_when_its_time_was_over_stays(ncu, monkeypatch):
    """What it wrote is kept as it is: sums of a run that was cut off are compared with nothing."""
    text = said({"k": hardware()})
    ncu([*counters.ALL.values()], text)
    run = counters.run

    def slow(command, limit):
        done = run(command, limit)
        return done if "--query-metrics" in command else type(done)(None, "", limit)

    monkeypatch.setattr(counters, "run", slow)
    found = counters.measure(("textbook",))(60, lambda: 0)
    group = found["groups"]["textbook"]
    assert found["status"] == "incomplete" and group["why"] == "out of time"
    assert counters.parse(group["csv"])["k"] == hardware()
