"""Tables as programs write them: indices, decimal commas, marks for no value, blanks."""

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError

N = 40


def read(path, lines, **options):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return data.read(path, **options)


def said(found):
    return "\n".join(found.info.understood)


def refused(path, lines, **options):
    with pytest.raises(DataError) as caught:
        read(path, lines, **options)
    text = str(caught.value)
    assert "\n" not in text and len(text) < 400 + len(str(path))
    return text


def column(found, place=0):
    """A column of all splits, sorted."""
    return np.sort(found.whole().x[:, place])


INDICES = {
    "pandas": (",a,b,kind", "{i},{i}.5,{w},{k}"),
    "R": ('"","a","b","kind"', '"{j}",{i}.5,{w},"{k}"'),
    "R, rows with names": ('"","a","b","kind"', '"row {j}",{i}.5,{w},"{k}"'),
    "named": ("id,a,b,kind", "{j},{i}.5,{w},{k}"),
}


@pytest.mark.parametrize("form", INDICES)
def test_a_column_that_numbers_or_names_the_rows_is_left_out(tmp_path, form):
    head, row = INDICES[form]
    lines = [row.format(i=i, j=i + 1, w=i % 3, k="xy"[i % 2]) for i in range(N)]
    found = read(tmp_path / "d.csv", [head, *lines])
    assert found.info.feature_names == ("a", "b") and found.info.classes == ("x", "y")
    assert column(found).tolist() == [i + 0.5 for i in range(N)]
    assert ": left out" in found.info.understood[1]


def test_an_index_of_texts_is_no_label(tmp_path):
    lines = [f"{'uv'[i % 2]},{i}.5,{i % 3}" for i in range(N)]
    assert read(tmp_path / "d.csv", [",a,b", *lines]).train.y is None
    assert read(tmp_path / "d.csv", ["k,a,b", *lines]).info.classes == ("u", "v")


def test_a_missing_cell_in_the_first_row_makes_it_no_header(tmp_path):
    lines = [f"{['red', 'blue', 'green'][i % 3]},{'ab'[i % 2]},v" for i in range(N)]
    found = read(tmp_path / "d.csv", [",lilac,v", *lines])
    assert "no header" in found.info.understood[0] and len(found.whole()) == N + 1


def test_a_comma_at_the_end_of_each_line(tmp_path):
    found = read(tmp_path / "d.csv", ["a,b,", *(f"{i}.5,{i % 3}," for i in range(N))])
    assert found.info.feature_names == ("a", "b") and "column 3: empty: left out" in said(found)


def test_two_columns_of_one_name_are_named(tmp_path):
    text = refused(tmp_path / "d.csv", ["a,b,a", *(f"{i},{i % 3},2" for i in range(N))])
    assert "line 1: columns 1 and 3 are both named 'a'" in text and "header=no" not in text


def test_a_header_that_is_not_seen_is_offered(tmp_path):
    text = refused(tmp_path / "d.csv", ["a,7", *(f"{i}.5,{i % 3}" for i in range(N))])
    assert text.endswith("if this row is a header: `--read header=yes`")
    found = read(tmp_path / "d.csv", ["a,7", *(f"{i}.5,2.5" for i in range(N))], header=True)
    assert found.info.feature_names == ("a", "7")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("head", [True, False])
def test_decimal_commas(tmp_path, separator, head):
    values = [f"{(-1) ** i * i},{i % 10}" for i in range(1, N)]
    lines = [separator.join((v, str(i % 3), "xy"[i % 2])) for i, v in enumerate(values)]
    first = [separator.join(("a", "b", "kind"))] if head else []
    found = read(tmp_path / "d.csv", first + lines)
    expected = np.sort(np.array([float(v.replace(",", ".")) for v in values], np.float32))
    assert (column(found) == expected).all() and found.info.classes == ("x", "y")
    assert "decimal comma" in found.info.understood[1]
    label = read(tmp_path / "d.csv", first + lines, label=1)
    assert label.train.y.dtype == np.float32  # a quantity, no text


@pytest.mark.parametrize("cell", ['"1,200"', "10%", '"-1,3"', '"1,234.50"'])
def test_numbers_that_are_spelled_otherwise_are_refused(tmp_path, cell):
    text = refused(tmp_path / "d.csv", ["a,b", *(f"{i},{cell}" for i in range(N))])
    assert f"line 2, column 2 (b): {cell.strip(chr(34))!r} is no number as it stands" in text
    text = refused(tmp_path / "d.csv", ["a;b", *(f"{i};1,5" for i in range(N)), "3;2.5"])
    assert "'1,5' is no number as it stands" in text  # both a comma and a point: which is it?


def measured(mark, share=3):
    return ["v,w", *(f"{mark if i % share == 0 else i * 1.5},{i % 4}" for i in range(60))]


@pytest.mark.parametrize("mark", ["-", "."])
def test_a_dash_among_numbers_is_a_missing_one(tmp_path, mark):
    found = read(tmp_path / "d.csv", measured(mark))
    assert "v: numbers, 20 missing: the mean of the training rows" in said(found)


def test_other_marks_among_numbers_are_named(tmp_path):
    path = tmp_path / "d.csv"
    text = refused(path, measured("<LOD"))
    assert "40 of 60 cells are numbers, the others are '<LOD'" in text
    assert text.endswith("if that stands for no value: `--read 'missing=<LOD'`")
    found = data.read(path, missing="<LOD")
    assert "v: numbers, 20 missing" in said(found)
    assert "`--read missing=none`" in refused(path, measured("none", 20))  # nearly all are numbers
    other = tmp_path / "t.csv"
    other.write_text("v,w\n<LOD,2\n3.5,2\n")
    read(path, measured("<LOD"), missing=["<LOD"])
    assert len(data.read(path, missing="<LOD", test=other).test) == 2


def test_a_scale_of_few_grades_is_text(tmp_path):
    grades = ["2", "3", "4", "more"]
    lines = [f"{grades[i % 4]},{i / 4},{'xy'[i % 2]}" for i in range(N)]
    found = read(tmp_path / "d.csv", ["doors,size,kind", *lines])
    assert "doors: text, 4 values, 3 of them numbers" in said(found)


def test_a_series_and_sequences_with_a_mark(tmp_path):
    days = np.datetime_as_string(np.datetime64("2020-01-01") + np.arange(60))
    values = ["n.d." if i % 3 == 1 else str(i) for i in range(60)]
    lines = [f"{d},{v}" for d, v in zip(days, values)]
    assert "`--read missing=n.d.`" in refused(tmp_path / "d.csv", ["date,v", *lines])
    found = data.read(tmp_path / "d.csv", missing="n.d.")
    assert found.info.kind == "series" and found.info.extra["missing"]["train"].sum() == 14
    assert (found.train.x[:, 0] == np.arange(len(found.train))).all()  # interpolated
    lines = [f"s{i // 5},{v}" for i, v in enumerate(values)]
    found = read(tmp_path / "s.csv", ["run,v", *lines], sequence="run", missing="n.d.")
    assert found.info.kind == "sequences" and found.train.x[0].shape == (5, 1)


@pytest.mark.parametrize("name", ["d.csv", "d.txt", "d.txt.gz"])
@pytest.mark.parametrize("header", ["", "a b"])
def test_what_savetxt_writes(tmp_path, name, header):
    x = np.random.default_rng(0).normal(size=(N, 2))
    np.savetxt(tmp_path / name, x, header=header)
    found = data.read(tmp_path / name)
    assert found.info.kind == "table" and "separated by blanks" in said(found)
    assert (np.sort(x[:, 0]).astype(np.float32) == column(found)).all()
    assert found.info.feature_names == (("a", "b") if header else ("column 1", "column 2"))


def test_a_text_with_numbers_is_a_text(tmp_path):
    lines = ["1 2 3 and a word"] * N
    assert read(tmp_path / "d.txt", lines).info.kind == "text"
    lines = ["12 13"] * N
    assert read(tmp_path / "d.txt", lines, kind="text").info.kind == "text"


def test_a_text_that_differs_in_nearly_all_rows(tmp_path):
    lines = ["name,v,w", *(f"n{i},{i}.5,{i % 3}" for i in range(N))]
    found = read(tmp_path / "d.csv", lines)
    assert found.info.feature_names == ("v", "w")
    assert f"name: text, {N} values in {N} rows: nearly all differ, left out" in said(found)


def test_a_number_that_counts_the_rows_is_said(tmp_path):
    lines = [f"{i % 3},{i}" for i in range(N)]
    found = read(tmp_path / "d.csv", ["v,id", *lines])  # not the first column: it stays
    assert found.info.feature_names == ("v", "id")
    assert "id: numbers that only count the rows" in said(found)


def test_why_a_column_is_the_label(tmp_path):
    path, kinds = tmp_path / "d.csv", ["xy"[i % 2] for i in range(N)]
    lines = [f"{i}.5,{k}" for i, k in enumerate(kinds)]
    found = read(path, ["v,kind", *lines])
    assert "label kind: 2 classes (x, y); taken as label because it is the last" in said(found)
    assert "`--label none` for none" in said(found)
    assert "because it is named class" in said(read(path, ["v,class", *lines]))
    assert "because" not in said(data.read(path, label="class"))
    found = read(path, ["v,kind", *lines, "7.5,z"])
    assert found.train.y is None
    assert "kind would be one, but some values occur only once (z): `--label kind`" in said(found)
