"""A report reads as a table: in a terminal and in a notebook."""

import re

from glassgrad.kernels.emulator import Report, watching
from glassgrad.kernels.emulator.report import Finding, Site
from tests.kernels.emulating import needs_compiler, numbers, source

STRIDED = """
extern "C" __global__ void k(const real* x, real* y) {
  y[threadIdx.x] = x[2 * threadIdx.x];
}
"""


@needs_compiler
def test_what_was_seen_is_printed(tmp_path):
    made, y = source(tmp_path, STRIDED), numbers(64)
    with watching() as report:
        made.launch("k", 1, 64, numbers(128), y)
    lines = str(report).splitlines()
    assert lines[:2] == ["Report: 1 launch, no finding", "k: 1 block of 64 threads"]
    assert re.split("  +", lines[2]) == [
        *("line", "memory", "access", "bytes", "requests", "per request", "least", "ways", "lanes")
    ]
    assert [line.split() for line in lines[3:]] == [
        ["planted.cu:4", "x", "load", "4", "2", "8", "4", "100", "%"],
        ["planted.cu:4", "y", "store", "4", "2", "4", "4", "100", "%"],
    ]
    page = report._repr_html_()
    assert re.findall("<tr><td>(.*?)</td><td>(.*?)</td>", page) == [
        ("planted.cu:4", "x"), ("planted.cu:4", "y")
    ]  # fmt: skip


def test_findings_are_listed_and_what_is_text_is_escaped():
    found = Finding("race", "k", "/a/<b>.cu", 3, "one & two", 2)
    report = Report([found], [], [{"kernel": "k", "grid": (2, 3, 1), "block": (8, 1, 1)}] * 2)
    assert repr(report).splitlines() == [
        "Report: 2 launches, 1 finding",
        "k: 2 x 3 blocks of 8 threads",
        "  k: <b>.cu:3: race: one & two (2 times)",
    ]
    page = report._repr_html_()
    assert "k: &lt;b&gt;.cu:3: race: one &amp; two (2 times)" in page and "<table>" not in page


def test_the_lines_that_move_most_are_shown_in_order_of_the_source():
    sites = [
        Site("k", "a.cu", n, "global", "load", 4, requests=1, units=n, ideal=1, array="x", at=n)
        for n in range(1, 31)
    ]
    lines = repr(Report([], sites)).splitlines()
    assert lines[-1] == "… and 10 lines more" and len(lines) == 1 + 1 + 20 + 1
    assert [line.split()[0] for line in lines[2:-1]] == [f"a.cu:{n}" for n in range(11, 31)]
    assert repr(Report()) == "Report: 0 launches, no finding"
