"""What the benchmark's tests share: a session that costs nothing, made-up rows, planted kernels."""

import contextlib
import sys

from glassgrad.bench import pipe, roofline, session, suite
from glassgrad.bench.apart import Apart
from glassgrad.bench.record import Record
from glassgrad.bench.timing import Effort
from glassgrad.kernels import registry

LEAST = Effort(runs=2, seconds=0.0, turns=1, steps=1, warm=0.0, brief=0.0)
MACHINE = {"cpu": "Pentium", "cores": 2, "os": "Linux", "python": "3.11", "numpy": "2.4",
           "numba": "0.68", "blas": "openblas", "device": "cpu"}  # fmt: skip


@contextlib.contextmanager
def quick_session(monkeypatch, peers=(), **options):
    """A session with the least effort and a made-up roofline; threads are put back."""
    import numba
    from threadpoolctl import threadpool_limits

    line = roofline.Roofline(flops=1e11, bytes=1e10)
    monkeypatch.setattr(roofline, "measure", lambda *args: line)
    before = numba.get_num_threads()
    with threadpool_limits():
        yield session.Session(effort=LEAST, wanted_peers=peers, **options)
    numba.set_num_threads(before)


WORKER = [sys.executable, "-m", "tests.bench.planted_worker"]


@contextlib.contextmanager
def apart(monkeypatch, names, peers=(), faults="", effort=LEAST, case=None):
    """A run in processes with planted faults (planted_worker.py): (run, plans)."""
    monkeypatch.setattr(pipe, "command", lambda *given: [*WORKER, *map(str, given)])
    monkeypatch.setenv("PLANTED", faults)
    plans = suite.select(names, case=case)
    with Apart(effort=effort, wanted_peers=peers, plans=plans) as run:
        yield run, plans


def plant(monkeypatch, op, pass_, function, version=99, **changes):
    """Register a version of a kernel on numba, for one test."""
    registry.implementations(op, backend="numba")
    versions = registry._records[op, pass_, "numba"]
    record = registry.Implementation(
        op, pass_, "numba", version, "planted", True, ("float32", "float64"), function,
        changes.pop("supports", lambda *args: True), **changes,
    )  # fmt: skip
    monkeypatch.setitem(versions, version, record)
    return record


def row(name="conv2d.layer", case="(1,2)", mode="forward", version=None, **changes):
    """A row as `measure` makes it."""
    made = {
        "name": name, "case": case, "mode": mode, "backend": "numba", "version": version,
        "idea": "", "median": 2e-3, "spread": 1e-4, "best": 1.9e-3, "runs": 15, "flops": 10**8,
        "bytes": 10**6, "roofline": 0.5, "bound": "arithmetic", "first": 0.1, "error": 1e-7,
        "peers": {"torch": peer(1.5)}, "left_out": {}, "memory": None,
    }  # fmt: skip
    return made | changes


def peer(ratio):
    return {"median": 3e-3, "spread": 1e-4, "best": 3e-3, "runs": 15, "error": None, "ratio": ratio}


def record(*rows, **changes):
    """A record of these rows."""
    fields = {
        "made": "2026-01-01", "machine": dict(MACHINE), "threads": 2, "backend": "numba",
        "roofline": {"flops": 3e11, "bytes": 2e10}, "peers": {"torch": "2.13"},
        "missing": {"minisom": "minisom is not installed"}, "effort": "full", "kernels": "0" * 16,
    }  # fmt: skip
    return Record(**{**fields, **changes}, rows=list(rows))
