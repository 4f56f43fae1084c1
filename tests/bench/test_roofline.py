"""The ceiling that rows are measured by: the better of two."""

from types import SimpleNamespace

from glassgrad.bench import session
from glassgrad.bench.roofline import Roofline


def test_rows_are_parts_of_the_better_roofline():
    """A machine that was slow while the first roofline was taken must not flatter the rows."""
    rows = [
        {"flops": 100, "bytes": 10, "median": 1.0, "roofline": 2.0, "bound": "arithmetic"},
        {"flops": 0, "bytes": 0, "median": None, "roofline": None, "bound": None},
    ]
    run = session.Run()
    run.roofline, run.measure_roofline = Roofline(50.0, 20.0), lambda: Roofline(200.0, 10.0)
    record = SimpleNamespace(roofline=None)
    run.finish(record, rows)
    assert record.roofline == {"flops": 200.0, "bytes": 20.0}
    assert [r["roofline"] for r in rows] == [0.5, None]
    (note,) = run.notes
    assert "at the beginning" in note and "at its end" in note
    steady = session.Run()
    steady.roofline, steady.measure_roofline = Roofline(50.0, 20.0), lambda: Roofline(51.0, 20.0)
    steady.finish(record, [])
    assert steady.notes == []
