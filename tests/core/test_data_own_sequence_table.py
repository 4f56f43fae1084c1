"""Many sequences in one table: which row is of which, their labels, parts and errors."""

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data import DataError

HEAD = "run,time,force,state,class\n"


def lines(n=12, change=None):
    """Rows of n sequences of 2 to 4 steps; `change` maps (sequence, step, column) to a cell."""
    found = []
    for k in range(n):
        for t in range(2 + k % 3):
            row = [f"r{k}", str(t / 2), str(k + 0.5 * t), "up" if t else "down", "ab"[k % 2]]
            for (sequence, step, column), cell in (change or {}).items():
                if (sequence, step) == (k, t):
                    row[column] = cell
            found.append(row)
    return found


def written(path, rows):
    path.write_text(HEAD + "".join(",".join(row) + "\n" for row in rows))
    return path


def all_of(found):
    """{first number of a sequence: (its x, its y)}, of all parts."""
    return {x[0, 0]: (x, y) for _, part in found.splits() for x, y in zip(part.x, part.y)}


def test_a_column_says_which_sequence_a_row_is_of(tmp_path):
    path = written(tmp_path / "d.csv", lines())
    found = data.read(path, sequence="run")
    assert [len(part) for _, part in found.splits()] == [9, 1, 2]
    assert found.info.feature_names == ("force", "state=down", "state=up")
    assert found.info.kind == data.kind_of(found) == "sequences"
    assert found.info.classes == ("a", "b")
    for k in range(12):
        x, y = all_of(found)[k]
        assert x[:, 0].tolist() == [k + 0.5 * t for t in range(2 + k % 3)] and y == k % 2
        assert x[:, 1:].tolist() == [[1, 0]] + [[0, 1]] * (1 + k % 3)
    assert found.info.understood == (
        "36 rows, separated by commas, of 12 sequences by run, of 2 … 4 steps: 3 numbers a step",
        "time: time",
        "force: numbers",
        "state: text, 2 values: a column of 0 and 1 for each",
        "label class for each sequence: 2 classes (a, b)",
        "random split 9/1/2, seed 0",
    )
    same = data.read(path, sequence=1)
    assert data.digest(same) == data.digest(found)
    renamed = written(tmp_path / "e.csv", lines())
    renamed.write_text(renamed.read_text().replace("run", "Sequence", 1))
    assert data.digest(data.read(renamed, kind="sequences")) == data.digest(found)


def test_rows_of_other_sequences_may_come_between(tmp_path):
    rows = lines()
    mixed = sorted(rows, key=lambda row: float(row[1]))
    whole = data.read(written(tmp_path / "d.csv", rows), sequence="run")
    found = data.read(written(tmp_path / "e.csv", mixed), sequence="run")
    assert data.digest(found) == data.digest(whole)
    assert "rows of different sequences are mixed" in found.info.understood
    assert "rows of different sequences are mixed" not in whole.info.understood


def test_a_label_of_each_step(tmp_path):
    path = written(tmp_path / "d.csv", lines())
    found = data.read(path, sequence="run", label="state", columns="force")
    for x, y in all_of(found).values():
        assert y.tolist() == [0] + [1] * (len(x) - 1) and x.shape[1] == 1
    assert "label state for each step: 2 classes (down, up)" in found.info.understood
    assert "left out: class" in found.info.understood
    target = data.read(path, sequence="run", label="force", columns="state")
    assert target.info.target_names == ("force",)
    assert target.train.y[0].shape == (len(target.train.x[0]), 1)
    none = data.read(path, sequence="run", label="none", columns=["force"], time="none")
    assert none.train.y is None and none.info.feature_names == ("force",)


def test_missing_numbers_are_interpolated_within_their_sequence(tmp_path):
    rows = lines(change={(5, 1, 2): "?", (5, 3, 2): "", (8, 0, 2): "NA"})
    found = data.read(written(tmp_path / "d.csv", rows), sequence="run", label="none")
    x = {len(a): a for _, part in found.splits() for a in part.x if 5 <= a[0, 0] < 5.2}
    assert x[4][:, 0].tolist() == [5, 5.5, 6, 6]
    known = [a[:, 0].tolist() for _, part in found.splits() for a in part.x if a[0, 0] == 8.5]
    assert known == [[8.5, 8.5, 9, 9.5]]  # the nearest one, at the beginning
    assert "force: numbers, 3 missing: interpolated" in found.info.understood


def test_parts_by_a_column_and_by_files(tmp_path):
    rows = [[*row, ["train", "valid", "test"][int(row[0][1:]) % 3]] for row in lines()]
    path = tmp_path / "d.csv"
    path.write_text(HEAD.replace("\n", ",split\n") + "".join(",".join(r) + "\n" for r in rows))
    found = data.read(path, sequence="run")
    assert [len(part) for _, part in found.splits()] == [4, 4, 4]
    assert found.info.understood[-1] == "split 4/4/4 as the file says"
    assert [x[0, 0] for x in found.valid.x] == [1, 4, 7, 10]
    written(tmp_path / "train.csv", lines())
    written(tmp_path / "test.csv", lines(3, {(1, 1, 3): "side"}))
    (tmp_path / "parts").mkdir()
    for part in ("train", "test"):
        (tmp_path / f"{part}.csv").rename(tmp_path / "parts" / f"{part}.csv")
    found = data.read(tmp_path / "parts", sequence="run")
    assert [len(part) for _, part in found.splits()] == [11, 1, 3]
    assert found.test.x[1].tolist() == [[1, 1, 0], [1.5, 0, 0], [2, 0, 1]]


BAD = {
    "no such column": ({}, {"sequence": "runn"}, "no column 'runn'; did you mean 'run'"),
    "which column": ({}, {"kind": "sequences"}, "give sequence=COLUMN; there are run, time,"),
    "none": ({}, {"sequence": "none"}, "sequence must name a column; got 'none'"),
    "of no sequence": (
        {(3, 1, 0): " "}, {}, "d.csv, line 12, column 1 (run): the sequence is missing",
    ),
    "a number": (
        {(0, 1, 2): "2,5"}, {}, "d.csv, line 3: 6 cells; line 1 has 5",
    ),
    "a word": ({(2, 0, 2): "x"}, {}, "d.csv, line 7, column 3 (force): 'x' is no number"),
    "infinite": ({(2, 0, 2): "1e99"}, {}, "line 7, column 3 (force): '1e99' is not finite"),
    "backwards": (
        {(2, 1, 1): "-1"}, {}, "d.csv, line 8, column 2 (time): '-1' is not later than the row",
    ),
    "no time": ({(2, 1, 1): "soon"}, {}, "line 8, column 2 (time): 'soon' is no time"),
    "a label that changes": (
        {(4, 1, 4): "b"}, {},
        "line 14, column 5 (class): 'b' is another than in the rows of this sequence before; in",
    ),
    "no label": ({(4, 1, 4): ""}, {}, "line 14, column 5 (class): '' is another than in the"),
    "no label at all": (
        {(0, 0, 4): "", (0, 1, 4): ""}, {}, "line 2, column 5 (class): the label is missing",
    ),
    "nothing known": (
        {(0, 0, 2): "", (0, 1, 2): "?"}, {},
        "line 2, column 3 (force): the sequence that begins here has no known value",
    ),
    "two meanings": ({}, {"label": "run"}, "the column 'run' has two meanings"),
    "x twice": ({}, {"columns": "force,3"}, "columns must name different columns"),
    "taken": ({}, {"columns": "class"}, "the column 'class' is no part of x"),
    "no columns": ({}, {"columns": ()}, "columns must name different columns; got ()"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, name):
    change, options, message = BAD[name]
    path = written(tmp_path / "d.csv", lines(change=change))
    with pytest.raises(DataError) as caught:
        data.read(path, **({} if "kind" in options else {"sequence": "run"}) | options)
    assert message in str(caught.value)


def test_too_few_and_other_files(tmp_path):
    path = written(tmp_path / "d.csv", lines(4))
    with pytest.raises(DataError, match="4 sequences are too few to split"):
        data.read(path, sequence="run")
    path = written(tmp_path / "d.csv", lines())
    other = written(tmp_path / "test.csv", lines(3, {(1, 1, 4): "a"}))
    with pytest.raises(DataError, match=r"test.csv, line 5, column 5 \(class\): 'a' is another"):
        data.read(path, sequence="run", test=other)
    other = written(tmp_path / "test.csv", lines(3, {(1, t, 4): "c" for t in range(3)}))
    with pytest.raises(DataError, match="'c' is no class of the training file"):
        data.read(path, sequence="run", test=other)
    other.write_text(HEAD.replace("force", "power") + "r,0,1,up,a\n")
    with pytest.raises(DataError, match=r"has no column 'force', which .* it has 'power' besides"):
        data.read(path, sequence="run", test=other)
    rows = [[*row, ["train", "test"][i % 2]] for i, row in enumerate(lines())]
    path.write_text(HEAD.replace("\n", ",split\n") + "".join(",".join(r) + "\n" for r in rows))
    with pytest.raises(DataError, match=r"line 3, column 6 \(split\): 'test' is another"):
        data.read(path, sequence="run")


def test_texts_of_letters_are_sequences_of_0_and_1(tmp_path):
    rows = "".join(f"{k},{'ACGT'[(k + t) % 4]},{k % 2}\n" for k in range(10) for t in range(3))
    (tmp_path / "dna.tsv").write_text(("sequence,base,y\n" + rows).replace(",", "\t"))
    found = data.read(tmp_path / "dna.tsv", kind="sequences")
    assert found.info.feature_names == ("base=A", "base=C", "base=G", "base=T")
    assert all(np.array_equal(x.sum(axis=1), [1, 1, 1]) for x in found.train.x)
