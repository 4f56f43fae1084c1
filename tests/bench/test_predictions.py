"""The predictions on the page are those of the program, whose arithmetic is that of its rule."""

import pytest

from glassgrad.bench.predictions import COPY, ISSUE, Row
from glassgrad.bench.predictions.__main__ import NOTES, filled, tables


def test_the_page_holds_the_tables_of_the_program():
    page = NOTES.read_text(encoding="utf-8")
    assert filled(page) == page, "run python -m glassgrad.bench.predictions"
    for name in tables():
        assert page.count(f"<!-- predicted {name} -->") == 1, name


@pytest.mark.parametrize(
    "row, microseconds",
    [
        (Row(1, "launches alone", launches=3), 3.0 + 2 * 1.2),
        (Row(1, "memory", moved=COPY * 0.95e-6 * 10), 13.0),
        (Row(1, "arithmetic hides memory", moved=1.0, instructions=ISSUE * 0.75e-6 * 20), 23.0),
        (Row(1, "waiting is added", moved=COPY * 0.95e-6 * 10, serial=5.0), 18.0),
    ],
)
def test_a_time_is_the_longest_of_its_parts(row, microseconds):
    assert row.time() == pytest.approx(microseconds)
