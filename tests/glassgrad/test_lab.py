"""The laboratory: what the page and the table say is what the emulator counted."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from glassgrad.cli import main
from glassgrad.kernels import cases, implementations
from glassgrad.kernels.emulator.report import Finding, Report, Site
from glassgrad.lab import Ladder, ladders, maps, measure, render
from glassgrad.lab.measure import Rung
from tests.kernels.checking import why_no_emulator

needs_compiler = pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "runs")


def site(addresses, size=4, space="global", access="load"):
    addresses = [*addresses, *[None] * (32 - len(addresses))]
    return Site("k", "", 0, space, access, size, array="x", sample=addresses)


def rectangles(svg):
    """(x, y, is it wanted, title) of every word drawn."""
    found = re.findall(r'<rect x="(\d+)" y="(\d+)".*?fill="(.*?)"><title>(.*?)</title>', svg)
    return [(int(x), int(y), fill.startswith("hsl"), title) for x, y, fill, title in found]


@pytest.mark.parametrize("stride, sectors", [(1, 4), (2, 8), (32, 32)])
def test_sector_map_of_textbook_strides(stride, sectors):
    words = rectangles(maps.of(site([4 * stride * lane for lane in range(32)])))
    assert len(words) == 8 * sectors
    assert sum(wanted for *_, wanted, _ in words) == 32
    assert words[0][3] == "byte 0: lane 0"


def test_sector_map_of_a_broadcast_is_one_word():
    words = rectangles(maps.of(site([64] * 32)))
    assert [w[3] for w in words if w[2]] == ["byte 64: 32 lanes"] and len(words) == 8


@pytest.mark.parametrize("pitch, ways", [(32, 32), (33, 1)])
def test_bank_map_of_the_transpose_tile(pitch, ways):
    words = rectangles(maps.of(site([4 * pitch * lane for lane in range(32)], space="shared")))
    assert len(words) == 32 * ways and len({y for _, y, *_ in words}) == ways
    assert len({x for x, _, wanted, _ in words if wanted}) == (1 if ways == 32 else 32)


def test_vector_loads_go_by_quarter_warps():
    words = rectangles(maps.of(site([16 * i for i in range(32)], size=16, space="shared")))
    assert len({y for _, y, *_ in words}) == 1, "no conflict within eight lanes"


@pytest.mark.parametrize(
    "addresses, access, lanes, depth",
    [
        ([0] * 32, "load", 16, 1),
        ([256 * (i // 16) for i in range(32)], "load", 16, 1),  # by half warps now, not by quarters
        ([16 * (i % 2) + 512 * (i // 8) for i in range(32)], "load", 16, 2),
        ([16 * (i % 8) + 128 * (i // 8) for i in range(32)], "load", 8, 1),
        ([0] * 32, "store", 8, 1),
    ],
)
def test_vectors_that_neighbours_share_go_by_more_lanes(addresses, access, lanes, depth):
    words = rectangles(maps.of(site(addresses, size=16, space="shared", access=access)))
    assert len({y for _, y, *_ in words}) == depth
    wanted = [title for _, _, is_wanted, title in words if is_wanted]
    if len(set(addresses)) == 1:
        told = f"{lanes} lanes" if lanes > 8 else "lane 0, 1, 2, 3, 4, 5, 6, 7"
        assert all(title.endswith(told) for title in wanted)


def test_the_least_stands_beside_what_is_more():
    wasteful = Site("k", __file__, 1, "global", "load", 4, requests=2, units=16, ideal=8, array="x")
    atomic = Site("k", __file__, 2, "global", "atomic", 4, requests=2, units=2, ideal=2, array="n")
    (record,) = implementations("philox", "bits", "emulated")[:1]
    rung = Rung(record, cases("philox", "bits")[0], Report([], [wasteful, atomic]))
    assert rung.report.per_request("global", "load") == (8, 4)
    page = render([Ladder("philox", "bits", rung.case, [rung])], "glassgrad lab philox")
    assert "<td class='n' data-name=\"sectors a load\">8<br><small>least 4</small></td>" in page
    assert "<code>n</code><br>atomic, 4 bytes a lane" in page
    assert "<td class='n' data-name=\"sectors a store\">0</td>" in page


X, N = np.ones((2, 3), "float32"), np.arange(3)
WRONG = {
    "another shape": (X.T, X),
    "a shape that would be broadcast": (X[:1], X),
    "another dtype": (X.astype("float64"), X),
    "integers of another dtype": (N.astype("int32"), N),
    "no array": (6.0, X),
    "nothing": (None, X),
    "too much": (X, None),
    "a result too few": ((X,), (X, N)),
    "none of the results": ((), (X, N)),
    "one of the results": (X, (X, N)),
    "one of a list": ([X, N + 1], [X, N]),
    "nothing of another shape": (X[:0, :2], X[:0]),
    "not a number": (X * np.nan, X),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_result_of_another_form_is_infinitely_wrong(which):
    got, wanted = WRONG[which]
    assert measure._error(got, wanted, 0.0) == np.inf
    assert measure._error(wanted, wanted, 0.0) == 0


def test_errors_of_several_results_are_those_of_the_worst():
    assert measure._error([X + 0.5, X], (X, X), 0.0) == 0.5


@needs_compiler
@pytest.mark.parametrize("wrong", [lambda y: y[:-1], lambda y: y.view("int32"), lambda y: None])
def test_a_version_with_a_wrong_result_is_wrong_on_the_page(wrong):
    (good,) = next(ladders("philox.bits", version=1)).rungs
    assert not good.wrong
    record = replace(good.record, function=lambda *args: wrong(good.record.function(*args)))
    rung = measure._rung(record, good.case)
    (finding,) = Ladder("philox", "bits", good.case, [rung]).findings
    assert finding.endswith("the result differs from the reference by inf")


def test_two_operations_of_a_file_have_links_and_a_title_of_their_own():
    """Both have a pass `forward`."""
    made = []
    for op in ("lrn", "conv2d"):
        record, case = implementations(op, "forward", "emulated")[0], cases(op, "forward")[0]
        made.append(Ladder(op, "forward", case, [Rung(record, case, None)]))
    page = render(made, "glassgrad lab two.py")
    assert "<title>glassgrad lab: lrn, conv2d</title>" in page and "<h1>lrn, conv2d</h1>" in page
    assert re.findall(r'<section id="(.*?)"', page) == ["lrn.forward", "conv2d.forward"]
    links = re.findall(r'<a href="#(.*?)">(.*?)</a>', page)
    assert links == [("lrn.forward", "lrn.forward"), ("conv2d.forward", "conv2d.forward")]
    one = render([made[0], replace(made[0], pass_="backward")], "glassgrad lab lrn")
    assert "<h1>lrn</h1>" in one and "<h1>lrn.forward</h1>" in render(made[:1], "glassgrad lab")
    assert re.findall(r'<a href="#(.*?)">(.*?)</a>', one) == [
        ("lrn.forward", "forward"), ("lrn.backward", "backward")
    ]  # fmt: skip


@pytest.mark.slow
@needs_compiler
def test_every_version_of_a_pass_is_measured():
    (ladder,) = ladders("som.distances")
    assert [r.record.version for r in ladder.rungs] == [1, 2, 3]
    for rung in ladder.rungs:
        assert (
            rung.report.traffic >= ladder.case.bytes / 2
            and rung.error < 1e-5
            and rung.intensity > 0
        )
    naive, tiled, _ = ladder.rungs
    assert naive.report.traffic > 2 * tiled.report.traffic, "tiles in shared memory save traffic"
    assert naive.report.ways == 0 and tiled.report.ways >= 1
    page = render([ladder], "glassgrad lab som.distances")
    for rung in ladder.rungs:
        assert f"<b>v{rung.record.version}</b>" in page
    assert "Every result equals the reference" in page and 'class="map"' in page


@pytest.mark.slow
@needs_compiler
def test_the_command_writes_table_and_page(tmp_path, capsys):
    page = tmp_path / "lab.html"
    command = ["lab", "philox.bits", "--version", "2", "--case", "n127", "--out", str(page)]
    assert main([*command[:4], "--case", "n127 offset 0", *command[6:]]) == 0
    said = capsys.readouterr().out
    assert "philox.bits" in said and "cuda_v2_blocks.cuh:" in said
    assert str(page) in said.replace("\n", "")
    text = page.read_text(encoding="utf-8")
    assert "glassgrad lab philox.bits --version 2 --case &#x27;n127 offset 0&#x27;" in text
    assert "/cuda" not in text and "/rungs" not in text, "no path of this machine"


@needs_compiler
def test_a_finding_is_shown_with_its_source(tmp_path, monkeypatch, capsys):
    source = tmp_path / "cuda.cu"
    source.write_text("one\ntwo\nthree < four\nfive\n")
    (record,) = [r.record for r in next(ladders("philox.bits", version=1)).rungs]
    finding = Finding("race", "k", str(source), 3, "thread 1 and thread 2", 1)
    case = cases("philox", "bits")[0]
    ladder = Ladder("philox", "bits", case, [Rung(record, case, Report([finding]))])
    page = render([ladder], "glassgrad lab philox")
    assert "1 finding." in page and '<span class="here">    3  three &lt; four</span>' in page
    monkeypatch.setattr("glassgrad.lab.ladders", lambda *_: [ladder])
    assert main(["lab", "philox", "--out", str(tmp_path / "page.html")]) == 1
    assert "cuda.cu:3: race: thread 1" in capsys.readouterr().out


@needs_compiler
@pytest.mark.parametrize(
    "arguments, said",
    [
        (["conv"], "unknown kernel 'conv'; did you mean 'conv2d'?"),
        (["conv2d.backward"], "known: conv2d.forward, conv2d.input_grad, conv2d.weight_grad"),
        (["dropout", "--version", "9"], "dropout has no version 9 (versions: [1, 2])"),
        (["dropout", "--case", "nothing"], "no single case 'nothing'; there are\n  shape ("),
        (["dropout", "--case", "shape"], "no single case 'shape'"),
    ],
)
def test_bad_input(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *arguments]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_a_compiler(monkeypatch, capsys, tmp_path):
    from glassgrad.kernels.emulator import compiler

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    compiler.compiler.cache_clear()
    try:
        assert main(["lab", "dropout"]) == 1
    finally:
        monkeypatch.undo()
        compiler.compiler.cache_clear()
    assert "the emulator needs a C++17 compiler: install g++" in capsys.readouterr().err


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """philox.bits v1 whose CUDA C is spoiled by one replacement."""
    from glassgrad.kernels.launcher import Source
    from glassgrad.kernels.philox import cuda

    def spoil(before, after):
        text = cuda.source.path.read_text()
        assert before in text
        path = tmp_path / "cuda.cu"
        path.write_text(text.replace(before, after))
        shutil.copytree(cuda.source.path.with_name("rungs"), tmp_path / "rungs")
        monkeypatch.setattr(cuda.source, "path", path)
        monkeypatch.setitem(vars(cuda.source), "text", Source(path).text)

    return spoil


@needs_compiler
def test_a_planted_overrun_ends_in_a_page(broken, tmp_path, capsys):
    broken("if (i < n)", "if (i <= n)")
    page = tmp_path / "page.html"
    assert main(["lab", "philox.bits", "--version", "1", "--out", str(page)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "out of bounds" in said and "past the end of out" in said
    assert "1 finding." in page.read_text(encoding="utf-8")


@needs_compiler
def test_a_wrong_result_is_a_finding(broken, tmp_path, capsys):
    broken("out[i] = ", "out[i] = 1 + ")
    page = tmp_path / "page.html"
    assert main(["lab", "philox.bits", "--version", "1", "--out", str(page)]) == 1
    assert "differs from the reference" in " ".join(capsys.readouterr().out.split())
    assert "equals the reference" not in page.read_text(encoding="utf-8")


@needs_compiler
def test_a_page_that_cannot_be_written_is_refused_first(capsys, tmp_path):
    for place in (tmp_path, tmp_path / "nowhere" / "page.html"):
        assert main(["lab", "philox.bits", "--out", str(place)]) == 1
        said = capsys.readouterr()
        assert "must be a file in a folder that is there" in said.err and not said.out
