"""The stored results: schema, merging, comparison, tables and figures."""

import json
import os

import pytest

from glassgrad.bench import figures, summary, tables
from glassgrad.bench.gpu import page
from glassgrad.bench.record import RecordError, fallen, read
from glassgrad.core.training.run_folder import RunError
from tests.bench.planted import MACHINE, peer, record, row


def test_a_record_goes_to_a_file_and_back(tmp_path):
    before = record(
        row(), row(mode="backward", version=2), row(case="gone", median=None, spread=None)
    )
    path = tmp_path / "r.json"
    before.write(path)
    assert read(path) == before
    assert "/" not in json.dumps([before.rows, before.machine])  # no path of any machine


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("threads"), "it must have"),
        (lambda c: c.update(rows={}), "rows must be a list"),
        (lambda c: c.update(format=0), "its format is 0"),
        (lambda c: c["rows"][0].pop("case"), "row 1 has no proper 'case'"),
        (lambda c: c["rows"][0].update(median="fast"), "row 1 has no proper 'median'"),
        (lambda c: c["rows"][0].update(median=0), "row 1 has no proper 'median'"),
        (lambda c: c["rows"][0].update(spread=None), "row 1 has no proper 'median'"),
        (lambda c: c["rows"][0].update(error=float("nan")), "row 1 has no proper 'error'"),
        (lambda c: c["rows"][0].pop("flops"), "row 1 has no proper 'flops'"),
        (lambda c: c["rows"][0].update(memory="much"), "row 1 has no proper 'peers' or 'memory'"),
        (lambda c: c["rows"][0]["peers"]["torch"].update(ratio=0), "no proper ratio to 'torch'"),
        (lambda c: c.update(machine={}), "machine has no 'cpu'"),
        (lambda c: c.update(roofline={"flops": 1, "bytes": "x"}), "must be of positive numbers"),
        (lambda c: c["rows"][0]["peers"]["torch"].pop("ratio"), "no proper ratio to 'torch'"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, change, said):
    path = tmp_path / "r.json"
    record(row()).write(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=said):
        read(path)


def test_damage_and_absence_are_told_apart(tmp_path):
    path = tmp_path / "r.json"
    with pytest.raises(RunError, match="cannot be read"):
        read(path)
    path.write_text('{"rows": [')
    with pytest.raises(RunError, match="damaged"):
        read(path)
    path.write_bytes(b"\xff")
    with pytest.raises(RunError, match="not UTF-8 text"):
        read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_no_record_and_no_page(tmp_path):
    """Reading it would wait for ever."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    for reads in (read, tables.expect_markers, lambda path: page.render({}, path)):
        with pytest.raises(RunError, match="it is a named pipe, not a regular file"):
            reads(path)


def test_ours_against_ours_cannot_fall():
    """It is a check of the run: where nothing else is shared, the roofline is compared."""
    old = record(
        row(peers={"torch": peer(1.5), "itself": peer(1.4)}),
        row(case="alone", peers={"itself": peer(1.4)}),
    )
    new = record(
        row(peers={"torch": peer(1.5), "itself": peer(0.9)}),
        row(case="alone", peers={"itself": peer(0.9)}, roofline=0.2),
    )
    assert fallen(new, old, 1.25) == (
        ["conv2d.layer alone, forward: part of the roofline fell from 0.5 to 0.2"],
        2,
    )
    gone = record(row(), row(case="alone", peers={}), peers={"torch": "2", "itself": "0"})
    assert fallen(gone, old, 1.25) == ([], 2)


def test_ours_against_ours_is_shown_as_a_check():
    rows = [row(case=c, peers={"torch": peer(2.0), "itself": peer(1.01)}) for c in "ab"]
    lines = summary.means(rows)
    assert lines == [
        "conv2d.layer, forward: torch's time is 2.00 of ours in the geometric mean of 2, 2.00 at"
        " the least",
        "conv2d.layer, forward: self-check: ours against ours is 1.01 in the geometric mean of 2",
    ]
    text = tables.markdown(record(*rows), ["summary"])
    assert "| self-check 1.01 |" in text and "itself" not in text


@pytest.mark.parametrize(
    "changes, ratio, said",
    [
        ({}, 1.04, None),
        ({}, 0.96, None),
        ({"busy": 0.1}, 1.0, None),
        ({"busy": None}, 1.0, None),
        ({}, 1.06, "ours against ours is 1.06 and not 1.00 in mlp b, step"),
        ({}, 0.94, "ours against ours is 0.94 and not 1.00 in mlp b, step"),
        ({"busy": 0.11}, 1.0, "other processes took 11 % of the processors"),
    ],
)
def test_a_table_of_a_disturbed_run_says_so_at_its_top(tmp_path, changes, ratio, said):
    check = row("mlp", "b", "step", peers={"itself": peer(ratio)})
    made = record(row("mlp", "a", "step", peers={"itself": peer(1.0)}), check, **changes)
    path = tmp_path / "page.md"
    for names in ("", ": summary"):
        path.write_text(f"<!-- bench{names} -->\n{tables.END}\n")
        tables.render(made, path)
        second = path.read_text().splitlines()[1]
        warned = f"**Do not rely on these ratios: {said}.**"
        assert second == warned if said else "rely" not in path.read_text()


def test_the_load_of_others_is_kept(tmp_path):
    """The largest of the runs that a file is made of; files without it are read."""
    path = tmp_path / "r.json"
    record(row(), busy=0.2).write(path)
    assert read(path).busy == 0.2
    found = record(row(case="new"), busy=0.1)
    found.keep(read(path))
    assert found.busy == 0.2
    content = json.loads(path.read_text())
    for wrong in ("much", 1.5, -0.1, True):
        path.write_text(json.dumps(content | {"busy": wrong}))
        with pytest.raises(RecordError, match="busy must be a number from 0 to 1"):
            read(path)
    del content["busy"]
    path.write_text(json.dumps(content))
    assert read(path).busy is None


def test_rows_replace_those_of_the_same_key():
    kept = record(row(), row(case="other"))
    kept.add([row(median=1.0), row(case="new")])
    assert [(r["case"], r["median"]) for r in kept.rows] == [
        ("(1,2)", 1.0),
        ("other", 2e-3),
        ("new", 2e-3),
    ]


def test_records_of_two_machines_are_not_mixed():
    older = record(row(), machine={**MACHINE, "cpu": "Athlon"})
    with pytest.raises(RecordError, match="another machine"):
        record(row()).keep(older)
    with pytest.raises(RecordError, match="another threads: 1, now 2"):
        record(row()).keep(record(row(), threads=1))
    found = record(row(median=1.0), peers={"minisom": "2"}, missing={"torch": "-"})
    found.keep(record(row(), row(case="other"), missing={"minisom": "-"}))
    assert [r["median"] for r in found.rows] == [1.0, 2e-3]
    assert set(found.peers) == {"minisom", "torch"} and found.missing == {}


def test_a_planted_fall_is_found():
    old = record(row(), row(case="steady"), row(case="alone", peers={}, roofline=0.8))
    new = record(
        row(peers={"torch": peer(1.1)}),
        row(case="steady", peers={"torch": peer(1.45)}),
        row(case="alone", peers={}, roofline=0.5),
        row(case="new"),
    )
    found, compared = fallen(new, old, 1.25)
    assert compared == 3
    assert found == [
        "conv2d.layer (1,2), forward: ratio to torch fell from 1.5 to 1.1",
        "conv2d.layer alone, forward: part of the roofline fell from 0.8 to 0.5",
    ]
    assert fallen(new, old, 2.0) == ([], 3)
    new.rows.pop()
    assert fallen(old, new, 1.25) == ([], 3)  # a rise is none


def test_a_slower_machine_is_no_fall():
    """Times are not compared: twice the time of everything leaves the ratios."""
    slower = record(row(median=4e-3, peers={"torch": peer(1.5)}))
    assert fallen(slower, record(row()), 1.25)[0] == []


def test_memory_is_compared_with_each_peer():
    before = record(row(memory={"ours": 20_000_000, "torch": 40_000_000}))
    after = record(row(memory={"ours": 30_000_000, "torch": 40_000_000}))
    assert fallen(after, before, 1.25)[0] == [
        "conv2d.layer (1,2), forward: torch's memory over ours fell from 2 to 1.33"
    ]
    assert fallen(before, after, 1.25)[0] == []


def test_what_is_not_measured_any_more_has_fallen():
    old = record(row(), row(case="gone"), row(case="refused"), row("gru.layer"))
    gone = row(case="refused", median=None, spread=None)
    found, compared = fallen(record(row(), gone), old, 1.25)  # gru.layer was not asked for
    assert compared == 1 and found == [
        "conv2d.layer gone, forward: not measured any more",
        "conv2d.layer refused, forward: not measured any more",
    ]
    alone = row(peers={})
    assert fallen(record(alone, peers={"torch": "2"}), record(row()), 1.25)[0] == [
        "conv2d.layer (1,2), forward: torch was left out"
    ]
    assert fallen(record(alone, peers={}), record(row()), 1.25)[0] == []  # torch is not here


@pytest.mark.parametrize("change", [{"threads": 9}, {"backend": "cuda"}, {"effort": "quick"}])
def test_records_of_other_circumstances_cannot_be_compared(change):
    with pytest.raises(RecordError, match="ratios cannot be compared"):
        fallen(record(row(), **change), record(row()), 1.25)


def test_records_without_a_common_row_cannot_be_compared():
    with pytest.raises(RecordError, match="share no row"):
        fallen(record(row(case="a")), record(row("gru.layer")), 1.25)


def test_markdown_has_every_row_and_says_what_is_missing():
    made = record(
        row(),
        row(case="(3,4)", peers={"torch": peer(6.0)}),
        row("dropout.forward", "p", "", 1, peers={}),
        row("dropout.forward", "p", "", 2, median=None),
        row("lenet", "batch 100", "step", memory={"ours": 30_000_000, "torch": 40_000_000}),
    )
    text = tables.markdown(made)
    assert "| (1,2) | fwd | 2 ms | 5 % | 50 | 0.5 | 50 % | 1.50 | 1.0e-07 |" in text
    assert "torch's time is 3.00 of ours in the geometric mean of 2, 1.50 at the least" in text
    assert "**dropout.forward, p**" in text and "not on this case" in text
    assert "30.0 MB, torch 40.0 MB (ours is 0.75 of it)" in text
    assert "– minisom: minisom is not installed." in text
    assert "2 threads" in text and "300 GFLOP/s" in text


def test_a_summary_has_a_line_for_each_layer_and_pass(tmp_path):
    made = record(
        row(error=1e-7),
        row(case="(3,4)", peers={"torch": peer(6.0)}, error=3e-7),
        row("dropout.forward", "p", "", 1),
        row("lenet", "batch 100", "step", memory={"ours": 30_000_000, "torch": 40_000_000}),
    )
    text = tables.markdown(made, ["summary"])
    assert "| conv2d.layer | fwd | 2 | torch 3.00 | 1.50 | 50 % | 3.0e-07 |  |" in text
    assert "| lenet | step | 1 | torch 1.50 |  | 50 % | 1.0e-07 | 0.75 |" in text
    assert "dropout" not in text and "300 GFLOP/s" in text


def test_tables_go_between_the_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n<!-- bench -->\nstale\n{tables.END}\nafter\n")
    for _ in range(2):
        tables.render(record(row()), page)
        text = page.read_text()
        assert text.startswith("before\n<!-- bench -->\n**conv2d.layer**")
        assert "stale" not in text
        assert text.endswith(f"{tables.END}\nafter\n") and text.count("(1,2)") == 1
    page.write_text(f"a <!-- bench --> b {tables.END} c <!-- bench: layers --> d {tables.END} e")
    tables.render(record(row()), page)
    text = page.read_text()
    assert text.count("(1,2)") == 2 and " b " not in text and " d " not in text
    assert text.startswith("a ") and f"{tables.END} c <!-- bench: layers -->" in text
    for wrong, said in {
        "nothing": "no markers",
        f"{tables.END} <!-- bench -->": "is not closed",
        f"<!-- bench --> text <!-- bench --> {tables.END}": "is not closed",
    }.items():
        page.write_text(wrong)
        with pytest.raises(RunError, match=said):
            tables.render(record(row()), page)


def test_a_page_may_ask_for_a_part(tmp_path):
    made = record(row(), row("lenet", "x", "step"), row("gru.cell_forward", "y", "", 1))
    page = tmp_path / "page.md"
    for names, shown in {
        "models": {"lenet"},
        "gru": {"gru.cell_forward, y"},
        "layers models": {"conv2d.layer", "lenet"},
    }.items():
        page.write_text(f"<!-- bench: {names} -->\n{tables.END}\n")
        tables.render(made, page)
        text = page.read_text()
        assert text.startswith(f"<!-- bench: {names} -->\n")
        assert {line.strip("*") for line in text.splitlines() if line.startswith("**")} == shown

    for names in ("nothing", "models nothing", "summary nothing"):
        page.write_text(f"<!-- bench: {names} -->\n{tables.END}\n")
        with pytest.raises(RunError, match=r"no results of .*nothing"):
            tables.render(made, page)


def test_figures_are_drawn(tmp_path):
    made = record(row(), row(case="(3,4)", peers={"torch": peer(0.4)}), row(median=None, version=3))
    paths = figures.write(made, tmp_path / "figures")
    assert [p.name for p in paths] == ["roofline.png", "ratios-torch.png"]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in paths)
    empty = record(row(median=None, peers={}))
    assert figures.write(empty, tmp_path / "none") == []


def test_the_newest_version_stands_for_a_case():
    rows = [row(version=v, median=1.0 * v if v < 3 else None) for v in (1, 2, 3)]
    assert [r["version"] for r in figures.newest(rows)] == [2]
