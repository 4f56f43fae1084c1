"""What a notebook shows of tensors, networks and traces: well-formed, escaped, short."""

import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core import nn


def cells(page: str) -> list[list[str]]:
    """The rows of the table; a ParseError where the HTML is not well-formed."""
    tree = ET.fromstring(page)
    return [["".join(c.itertext()) for c in row] for row in tree.iter("tr")]


def facts(page: str) -> str:
    return next("".join(p.itertext()) for p in ET.fromstring(page).iter("p"))


def test_a_small_matrix_is_a_table_of_its_numbers():
    t = gg.tensor([[1.5, -2.0], [0.25, 1e10]], requires_grad=True)
    page = t._repr_html_()
    assert cells(page) == [["", "0", "1"], ["0", "1.5", "-2"], ["1", "0.25", "1e+10"]]
    assert facts(page).startswith("2 × 2 · float32 · requires grad · -2 … 1e+10, mean 2.5e+09")
    assert "from mul" in facts((t * 2)._repr_html_())
    assert cells(gg.tensor([True, False])._repr_html_()) == [["", "0", "1"], ["0", "True", "False"]]


SHAPES = [(1000, 1000), (3, 4, 500, 700), (10**7,), (2, 0), (), (1,), (5, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_any_tensor_is_short(shape):
    page = gg.zeros(shape)._repr_html_()
    assert len(page) < 6000
    rows = cells(page)
    assert len(rows) <= 10 and all(len(r) <= 12 for r in rows)
    if len(shape) > 2:
        assert "[0, 0, :, :]" in page
    if shape == (1000, 1000):
        assert rows[0][1:] == ["0", "1", "2", "3", "4", "…", "995", "996", "997", "998", "999"]
        assert [r[0] for r in rows[1:]] == ["0", "1", "2", "3", "…", "996", "997", "998", "999"]


def test_the_shown_numbers_are_those_of_their_place():
    a = np.arange(400.0).reshape(20, 20)
    rows = cells(gg.tensor(a)._repr_html_())
    head = rows[0]
    for row in rows[1:]:
        for place, value in zip(head[1:], row[1:]):
            if "…" not in (row[0], place):
                assert float(value) == a[int(row[0]), int(place)]


def test_numbers_that_are_none_are_counted():
    assert "1 … 1, mean 1, 2 not finite" in facts(gg.tensor([1.0, np.nan, np.inf])._repr_html_())
    assert "1 not finite" in facts(gg.tensor([np.nan])._repr_html_())
    assert gg.tensor(2.5)._repr_html_().startswith("<div><b>tensor(2.5)</b>")


def test_a_network_has_a_row_for_each_part():
    net = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.Tanh(), nn.BatchNorm(2))).eval()
    page = net._repr_html_()
    rows = cells(page)
    assert rows[0] == ["part", "layer", "settings", "parameters", "numbers"]
    assert [(r[0], r[1].strip(), r[3], r[4]) for r in rows[1:]] == [
        ("·", "Sequential", "", "12"),
        ("0", "Linear", "weight [2, 3], bias [2]", "8"),
        ("1", "Sequential", "", "4"),
        ("1.0", "Tanh", "", "0"),
        ("1.1", "BatchNorm", "weight [2], bias [2]", "4"),
    ]
    assert facts(page) == "12 parameters · evaluation mode"


def test_parameters_in_lists_are_those_of_their_owner():
    class Own(nn.Module):
        def __init__(self):
            self.parts = [nn.Linear(2, 2), nn.Linear(2, 3)]
            self.more = {"a": gg.ones(4, requires_grad=True)}

    rows = cells(Own()._repr_html_())
    assert [r[3] for r in rows[1:]] == ["more.a [4]", "weight [2, 2], bias [2]",
                                        "weight [3, 2], bias [3]"]  # fmt: skip


def test_texts_are_escaped():
    class Odd(nn.Module):
        def extra(self):
            return "<script>alert('&')</script>"

    Odd.__name__ = "<b>"
    page = Odd()._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b><b>" not in page
    assert cells(page)[1][2] == "<script>alert('&')</script>"


def test_a_trace_has_a_row_for_each_call():
    with gg.trace() as t:
        x = gg.ones((2, 3)) @ gg.ones((3, 4))
        for _ in range(150):
            x = x + 1.0
    rows = cells(t._repr_html_())
    assert rows[1][:4] == ["matmul", "(2,3) (3,4)", "(2,4)", "0.000"]
    assert len(rows) == 102 and rows[-1][0] == "and 51 more"
    assert facts(t._repr_html_()).startswith("151 calls · ")
    assert repr(t) == "<trace of 151 calls: print it, or .dot()>"


def test_short_reprs_of_data_and_generators():
    data = gg.data.load("digits")
    assert repr(data).startswith("DataSet 'digits'\n  train: 1,297 examples")
    assert len(repr(data)) < 500 and len(repr(data.train)) < 200
    assert repr(gg.Generator(3)) == "Generator(3)"


def test_a_long_row_is_not_turned_into_numbers():
    started = time.process_time()
    gg.zeros(20_000_000)._repr_html_()
    assert time.process_time() - started < 1
