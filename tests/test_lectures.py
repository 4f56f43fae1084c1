"""LECTURES.md: its key covers every citation in the repository, every row has a system or is still
to come, and the table is what `glassgrad lectures` writes.
"""

import os
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from glassgrad import models
from glassgrad.cli import lectures
from glassgrad.models.lectures import DESCRIBED, ROWS
from glassgrad.reproduction import Record, render
from tests.tools import call, skip_without_needs

ROOT = Path(__file__).resolve().parents[1]
PAGE, README = ROOT / "LECTURES.md", ROOT / "README.md"
AGAIN = "run: glassgrad lectures --table LECTURES.md README.md"
KINDS = {".py", ".md", ".cu", ".cuh", ".json"}
MADE = {"build", "dist", "runs", "glassgrad-demo", "__pycache__"}

# A lecture is a letter and a digit; of what looks like one, only what line numbers follow is cited.
GAP = r"(?:[ \t]+|[ \t]*\n[ \t]*(?:#|//|\*)?[ \t]*)"  # a line of a comment may end in it
SPAN = r"L?\d+(?:\s*[-–]\s*L?\d+)?(?![\w%]|\.\d)"
CITATION = re.compile(
    rf"\b([VDUK]\d)(?:,?{GAP}lines?)?{GAP}({SPAN}(?:(?:,|{GAP}and\b){GAP}{SPAN})*)"
)
NUMBERED = re.compile(rf"\blecture{GAP}(\d),?{GAP}\(?([VDUK]\d)\b")


def cells(line: str) -> list[str]:
    return [c.strip() for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def sections(text: str) -> dict[str, list[tuple[int, int]]]:
    """Lecture -> the line ranges of its sections, from the tables below its heading in the key."""
    found: dict[str, list[tuple[int, int]]] = {}
    current = None
    for line in text.splitlines():
        if line.startswith("#"):
            heading = re.match(r"### ([VDUK]\d):", line)
            current = found.setdefault(heading[1], []) if heading else None
        elif current is not None and (span := re.match(r"\| (\d+)-(\d+) \|", line)):
            current.append((int(span[1]), int(span[2])))
    return found


def lecture_list(text: str) -> dict[str, tuple[int, int]]:
    """Lecture -> (its number, how many lines it has), from the list at the top of the page."""
    rows = [cells(line) for line in text.splitlines() if re.match(r"\| [VDUK]\d \| lecture", line)]
    return {row[0]: (int(row[1].split()[1]), int(row[-1])) for row in rows}


def citations(text: str):
    """(lecture, first line, last line, as written) of every citation in a text."""
    for found in CITATION.finditer(text):
        for part in re.finditer(r"(\d+)(?:\s*[-–]\s*L?(\d+))?", found[2]):
            yield found[1], int(part[1]), int(part[2] or part[1]), " ".join(found[0].split())


def unknown(text: str) -> list[str]:
    """What a text cites and the key does not have, or calls by another number than the key does."""
    page = PAGE.read_text(encoding="utf-8")
    key, listed = sections(page), lecture_list(page)
    wrong = [
        f"{written}: not in the key"
        for lecture, first, last, written in citations(text)
        if first > last
        or not all(any(a <= n <= b for a, b in key.get(lecture, ())) for n in {first, last})
    ]
    return wrong + [
        f"{' '.join(found[0].split())}: not that lecture"
        for found in NUMBERED.finditer(text)
        if listed.get(found[2], (None,))[0] != int(found[1])
    ]


def sources(root: Path = ROOT):
    """Every file of the repository that may cite a lecture."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(
            n for n in inner if n[0] != "." and n not in MADE and not n.endswith(".egg-info")
        )
        yield from (Path(folder, n) for n in sorted(names) if Path(n).suffix in KINDS)


def pictures_on_the_page() -> dict[str, list[str]]:
    """Recipe -> names of its pictures, as the table has them."""
    table = PAGE.read_text(encoding="utf-8").partition(lectures.BEGIN)[2]
    rows = [cells(line) for line in table.splitlines() if re.match(r"\| \d+ \|", line)]
    return {
        command.strip("`").removeprefix("glassgrad train "): shown.split(", ")
        for _, _, _, command, shown, _ in rows
        if not shown.startswith("as row ")
    }


# ------------------------------------------------------------------------------------ the key


def test_the_key_has_every_line_of_every_lecture():
    text = PAGE.read_text(encoding="utf-8")
    key, listed = sections(text), lecture_list(text)
    assert list(key) == list(listed) == ["V0", "D1", "V2", "U3", "K4"]
    assert [number for number, _ in listed.values()] == [1, 2, 3, 4, 5]
    for lecture, (_, length) in listed.items():
        spans = key[lecture]
        assert 10 <= len(spans) <= 25, lecture
        assert spans[0][0] == 1 and spans[-1][1] == length, lecture
        assert all(a <= b for a, b in spans), lecture
        assert all(a[1] + 1 == b[0] for a, b in pairwise(spans)), lecture


def test_every_section_says_something():
    key = PAGE.read_text(encoding="utf-8").partition("## The key")[2].partition("\n## ")[0]
    rows = [cells(line) for line in key.splitlines() if re.match(r"\| \d", line)]
    assert all(len(row) == 3 and all(row) for row in rows), [r for r in rows if not all(r)]


def test_every_citation_is_in_the_key():
    files = list(sources())
    found = {
        str(p.relative_to(ROOT)): wrong
        for p in files
        if (wrong := unknown(p.read_text(encoding="utf-8")))
    }
    assert not found
    cited = sum(len(list(citations(p.read_text(encoding="utf-8")))) for p in files)
    assert cited > 150  # the expression still finds them


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("{V} 188-250", [(188, 250)]),
        ("({V} 263-427)", [(263, 427)]),
        ("lecture 1, {V} 27-142)", [(27, 142)]),
        ("{V} 197, 289", [(197, 197), (289, 289)]),
        ("{V} 202-204, 252-268.", [(202, 204), (252, 268)]),
        ("{V} 73 and 74", [(73, 73), (74, 74)]),
        ("{V} L280", [(280, 280)]),
        ("{V} L27-L83, L90", [(27, 83), (90, 90)]),
        ("{V} 27–83", [(27, 83)]),
        ("{V}, lines 27-83", [(27, 83)]),
        ("{V} line 5", [(5, 5)]),
        ("a sentence ends with {V}\n    240-460", [(240, 460)]),
        ("// of {V}\n// 12-14", [(12, 14)]),
        ("{V} 188, D1 22", [(188, 188), (22, 22)]),
        ("{V} 342: MNIST, CIFAR-10", [(342, 342)]),
        ("({V} 296), two recipes", [(296, 296)]),
        ("{V} 105-170; Kohonen 1982", [(105, 170)]),
        ("prior of its own, 1 as in {V} if not said otherwise", []),
        ("N1 {V} H1-float32", []),
        ('["{V}", 17]', []),
        ("{V} 3x3 kernels", []),
        ("{V} 8.5 bits", []),
        ("X{V} 17", []),
    ],
)
def test_the_forms_of_a_citation(text, want):
    found = list(citations(text.format(V="V" + "0")))
    assert [(first, last) for _, first, last, _ in found] == want


@pytest.mark.parametrize(
    ("lecture", "lines"),
    [
        ("V0", "633"), ("V0", "0-26"), ("V0", "600-700"), ("D1", "54-66, 315"), ("K4", "L224"),
        ("U3", "460-240"), ("V1", "22-33"), ("U4", "240"), ("D1", "\n    999"),
    ],
)  # fmt: skip
def test_a_planted_citation_is_caught(tmp_path, lecture, lines):
    for suffix in KINDS:
        planted = tmp_path / f"planted{suffix}"
        planted.write_text(f"as in ({lecture} {lines}).\n", encoding="utf-8")
    for name in (".venv", "runs", "x.egg-info"):  # not of the repository
        (tmp_path / name).mkdir()
        (tmp_path / name / "other.py").write_text("", encoding="utf-8")
    (tmp_path / "planted.txt").write_text("", encoding="utf-8")
    found = list(sources(tmp_path))
    assert {p.suffix for p in found} == KINDS and len(found) == len(KINDS)
    for path in found:
        (wrong,) = unknown(path.read_text(encoding="utf-8"))
        assert wrong.startswith(f"{lecture} ") and wrong.endswith("not in the key")


@pytest.mark.parametrize("form", ["lecture {} ({} 20)", "lecture {}, {} 20", "lecture\n{} ({})"])
def test_a_lecture_under_the_number_of_another_is_caught(form):
    for number, lecture in ((1, "D1"), (3, "U3"), (5, "V0")):
        (wrong,) = unknown(form.format(number, lecture))
        assert lecture in wrong and wrong.endswith("not that lecture")
    assert all(unknown(form.format(n, lecture)) == [] for n, lecture in ((2, "D1"), (4, "U3")))


# ---------------------------------------------------------------------------------- the table


def test_every_row_of_a_recipe_has_a_name():
    assert list(ROWS) == list(range(1, 96))
    assert len(set(ROWS.values())) == len(ROWS) and all(ROWS.values())
    for name in models.names():
        rows = models.recipe(name).rows
        assert rows and set(rows) <= set(ROWS), name


def test_every_row_is_in_the_table_or_still_to_come():
    table = PAGE.read_text(encoding="utf-8").partition(lectures.BEGIN)[2]
    table, _, rest = table.partition("Still to come:")
    there = {int(n) for n in re.findall(r"^\| (\d+) \|", table, re.M)}
    missing = {int(n) for n in re.findall(r"(?:^|;) (\d+) ", rest.partition(lectures.END)[0])}
    assert there | missing | set(DESCRIBED) == set(ROWS) and not there & missing
    assert not set(DESCRIBED) & (there | missing)
    assert all((ROOT / "models" / file).is_file() for file in DESCRIBED.values())
    assert there == {row for name in models.names() for row in models.recipe(name).rows}


def test_the_table_is_what_the_command_writes(tmp_path):
    """But for the names of the pictures, which the next test asks for."""
    drawn = pictures_on_the_page()
    assert set(drawn) == set(models.names())
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    found = lectures.lines(lectures.record_rows(None), lambda recipe: drawn[recipe.name])
    record = lectures.record_rows(None)
    lectures.render(found, copy, record)
    assert copy.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), AGAIN
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    lectures.render(found, copy, record)
    assert copy.read_text(encoding="utf-8") == README.read_text(encoding="utf-8"), AGAIN


def test_the_page_has_every_number_of_the_record(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    render(Record(ROOT / "bench" / "results" / "reproduce.json"), copy)
    again = "run: glassgrad reproduce --json bench/results/reproduce.json --table LECTURES.md"
    assert copy.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), again


@pytest.mark.slow
@pytest.mark.parametrize("name", models.names())
def test_the_pictures_are_those_of_a_run(name):
    skip_without_needs(models.recipe(name))
    assert lectures.pictures(models.recipe(name)) == pictures_on_the_page()[name], AGAIN


def test_the_command_writes_the_page(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(lectures, "pictures", lambda recipe: ["a", "b"])
    page = tmp_path / "page.md"
    page.write_text(f"before\n{lectures.BEGIN}\nXYZZY\n{lectures.END}\nafter\n", encoding="utf-8")
    texts = []
    for _ in range(2):  # writing twice gives the same
        code, out, err = call(capsys, "lectures", "--table", page)
        assert (code, err) == (0, "") and out == f"written: {page}\n"
        texts.append(page.read_text(encoding="utf-8"))
    assert texts[0] == texts[1] and "XYZZY" not in texts[0]
    assert texts[0].startswith(f"before\n{lectures.BEGIN}\n| row |")
    assert texts[0].endswith(f"\n{lectures.END}\nafter\n")
    assert "| 79 | recurrent net | [recurrent/rnn.py](models/recurrent/rnn.py) |" in texts[0]
    assert list(tmp_path.iterdir()) == [page]


def test_the_command_prints_the_table(capsys, monkeypatch):
    monkeypatch.setattr(lectures, "pictures", None)  # none is drawn
    code, out, err = call(capsys, "lectures")
    assert (code, err) == (0, "")
    assert (
        "glassgrad train vae" in out
        and "as row 23" in out
        and "Every other row has a system." in out
    )


def test_a_page_without_markers_is_a_clear_error(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(lectures, "pictures", None)  # none is drawn
    page = tmp_path / "page.md"
    for text in ("nothing", lectures.BEGIN, f"{lectures.END}\n{lectures.BEGIN}"):
        page.write_text(text, encoding="utf-8")
        code, out, err = call(capsys, "lectures", "--table", page)
        assert code == 1 and out == "" and "has no markers" in err and lectures.BEGIN in err
        assert page.read_text(encoding="utf-8") == text
    code, _, err = call(capsys, "lectures", "--table", tmp_path / "none.md")
    assert code == 1 and "none.md" in err


def test_a_record_that_is_named_must_be_there(capsys, tmp_path):
    code, out, err = call(capsys, "lectures", "--json", tmp_path / "none.json")
    assert code == 1 and out == "" and "none.json does not exist" in err
    (tmp_path / "bad.json").write_text("[1]", encoding="utf-8")
    code, out, err = call(capsys, "lectures", "--json", tmp_path / "bad.json")
    assert code == 1 and out == "" and "bad.json is damaged" in err


def test_numbers_say_published_ours_and_status():
    recipe = models.recipe("fvsbn")
    target = recipe.targets[0]
    recipe = replace(recipe, targets=(target,))
    row = {
        "recipe": "fvsbn", "target": target.name, "data": target.data, "bound": 98.5,
        "better": "lower", "ours": 96.86, "spread": None, "status": "reached",
    }  # fmt: skip
    for record, status in (
        ([], "not measured yet"),
        ([row], "ours 96.86, reached (≤ 98.5)"),
        ([row | {"ours": None, "status": "skipped: data not here"}], "skipped: data not here"),
        ([row | {"data": "digits"}], "not measured yet"),
    ):
        assert lectures.numbers(recipe, record) == [f"{target.name}: {status}; published: 97.45"]


def test_with_a_system_for_every_row_nothing_is_to_come(monkeypatch):
    monkeypatch.setattr("glassgrad.models.lectures.ROWS", {23: "one"})
    assert lectures.to_come() == "Every other row has a system."
    monkeypatch.setattr("glassgrad.models.lectures.ROWS", {23: "one", 96: "another"})
    assert lectures.to_come() == "Still to come: 96 another."
