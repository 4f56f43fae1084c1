"""`make gpu` as far as it goes without a GPU: its sentence, its parts, its launches emulated."""

import argparse
import json
import sys

import pytest

from glassgrad.bench import suite
from glassgrad.bench.gpu import __main__ as gpu
from glassgrad.bench.gpu import counters, every_kernel, parts, predict, process, stages
from glassgrad.bench.gpu.textbook import KNOWN
from glassgrad.bench.job import Contender, Job, Plan
from glassgrad.cli import bench
from glassgrad.kernels import OPERATIONS
from glassgrad.kernels.errors import BackendError
from glassgrad.kernels.launcher import Source
from tests.kernels.checking import why_no_emulator, why_no_gpu

NONE = why_no_emulator()
emulator = pytest.mark.skipif(bool(NONE), reason=NONE or "a compiler is there")


@pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU")
def test_without_a_gpu_it_says_one_sentence(capsys, tmp_path):
    path = tmp_path / "gpu.json"
    assert gpu.main(["--json", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("make gpu: there is no GPU to run on: ")
    assert not path.exists()


@pytest.fixture
def pretended(monkeypatch):
    """A GPU that exists on paper, and parts that end in every way."""

    def fails(limit, clock):
        raise BackendError("no such kernel")

    def part(run, stage, seconds=60):
        return stages.Part("", seconds, stage, run)

    found = {
        "once": part(lambda limit, clock: {"status": "passed", "limit": limit}, "first"),
        "tests": part(fails, "first"),
        "counters": part(lambda limit, clock: {"status": "skipped", "why": "no ncu"}, "second"),
        "layers": part(lambda limit, clock: {"status": "passed"}, "second"),
        "replay": part(lambda limit, clock: {"status": "refused"}, None),
    }
    monkeypatch.setattr(gpu.machine, "gpu", lambda: (True, "H0"))
    monkeypatch.setattr(gpu, "describe", lambda: {"gpu": "H0"})
    for module in (gpu, stages):
        monkeypatch.setattr(module, "PARTS", found)


def test_a_part_that_fails_leaves_the_others(capsys, tmp_path, pretended):
    path = tmp_path / "results" / "gpu.json"
    assert gpu.main(["--json", str(path), "--seconds", "once=7"]) == 1
    found = json.loads(path.read_text())
    assert found["once"]["limit"] == 7 and found["machine"] == {"gpu": "H0"}
    assert found["tests"]["why"] == "BackendError: no such kernel"
    asked = ("once", "tests", "counters", "layers")
    assert [found[p]["status"] for p in asked] == ["passed", "failed", "skipped", "passed"]
    said = capsys.readouterr().out
    assert "failed: tests" in said and "not asked for: replay" in said and "replay" not in found


def test_the_stages_are_two_commands_into_one_file(tmp_path, pretended, capsys):
    path = tmp_path / "gpu.json"
    assert gpu.main(["--json", str(path), "--stage", "first"]) == 1
    assert [*json.loads(path.read_text())] == ["made", "machine", "once", "tests"]
    assert gpu.main(["--json", str(path), "--stage", "second"]) == 0
    assert {"once", "tests", "counters", "layers"} <= set(json.loads(path.read_text()))
    assert gpu.main(["--json", str(path), "--only", "replay"]) == 0
    found = json.loads(path.read_text())
    assert found["replay"]["status"] == "refused" and found["layers"]["status"] == "passed"


def test_the_file_is_there_after_every_part(tmp_path, pretended, monkeypatch):
    """A machine that is taken away leaves what was done, and the versions before anything."""
    path, seen = tmp_path / "gpu.json", []

    def looks(limit, clock):
        seen.append([*json.loads(path.read_text())])
        return {"status": "passed"}

    for name in ("once", "layers"):
        monkeypatch.setitem(stages.PARTS, name, stages.Part("", 9, "first", looks))
    gpu.main(["--json", str(path), "--stage", "first"])
    assert seen == [["made", "machine"], ["made", "machine", "once", "tests"]]


def test_a_stage_that_is_out_of_time_says_what_did_not_run(
    tmp_path, pretended, monkeypatch, capsys
):
    monkeypatch.setitem(gpu.ROOM, "second", 3)
    path = tmp_path / "gpu.json"
    assert gpu.main(["--json", str(path), "--stage", "second"]) == 0
    found = json.loads(path.read_text())
    assert found["counters"] == {
        "status": "not run",
        "why": "the stage is out of time",
        "seconds": 0.0,
    }
    assert "not run, out of time: counters, layers" in capsys.readouterr().out


def test_the_limits_of_a_stage_fit_its_time():
    """3.5 and 6 minutes; what is slow and says little runs by name alone."""
    for stage, room in stages.ROOM.items():
        assert sum(stages.PARTS[name].seconds for name in stages.of([stage])) <= room
    assert stages.ROOM["first"] <= 210 and stages.ROOM["second"] <= 360
    assert sum(stages.ROOM.values()) < 13 * 60
    assert {n for n, p in stages.PARTS.items() if p.stage is None} == {
        "all-tests", "beyond", "all-counters", "all-sanitizer", "replay", "kernels"
    }  # fmt: skip
    with pytest.raises(SystemExit):
        gpu.main(["--help"])


def test_two_gpus_do_not_share_a_file(tmp_path, pretended, monkeypatch, capsys):
    path = tmp_path / "gpu.json"
    assert gpu.main(["--json", str(path), "--only", "once"]) == 0
    monkeypatch.setattr(gpu, "describe", lambda: {"gpu": "H1"})
    before = path.read_text()
    assert gpu.main(["--json", str(path), "--only", "layers"]) == 1
    assert "holds what H0 did, this is H1" in capsys.readouterr().err
    assert path.read_text() == before


def test_a_command_has_a_limit_and_its_children_end_with_it():
    done = process.run([sys.executable, "-c", "print('begun', flush=True)\nwhile True: pass"], 1.0)
    assert done.code is None and done.output == "begun\n" and done.seconds < 5
    assert process.run([sys.executable, "-c", "raise SystemExit(9)"], 20).code == 9


def test_missing_tools_are_said(monkeypatch):
    monkeypatch.setattr(parts, "tool", lambda name: None)
    monkeypatch.setattr(counters, "tool", lambda name: None)
    assert parts.sanitizer()(1, lambda: 0)["why"].startswith("compute-sanitizer is not on PATH")
    assert counters.measure()(1, lambda: 0)["why"].startswith("ncu is not on PATH")


def fake_tool(tmp_path, monkeypatch, script):
    """A stand-in for one of NVIDIA's tools."""
    path = tmp_path / "tool"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    for module in (parts, counters):
        monkeypatch.setattr(module, "tool", lambda name: str(path))


def test_the_sanitizer_goes_through_families_and_tools(tmp_path, monkeypatch):
    script = "import sys\nprint('5 calls')\nsys.exit(9 if 'racecheck' in sys.argv else 0)"
    fake_tool(tmp_path, monkeypatch, script)
    monkeypatch.setattr(parts, "OPERATIONS", ("som", "gru"))
    found = parts.sanitizer()(60, lambda: 0)
    assert found["status"] == "failed" and len(found["runs"]) == 8
    assert found["runs"]["memcheck som"]["calls"] == 5
    assert {k for k, v in found["runs"].items() if v["status"] == "failed"} == {
        "racecheck som",
        "racecheck gru",
    }
    assert parts.sanitizer()(60, lambda: 55)["status"] == "incomplete"
    few = parts.sanitizer(("memcheck",), ("lstm", "som"))(60, lambda: 0)
    assert few["status"] == "passed" and [*few["runs"]] == ["memcheck lstm", "memcheck som"]


def test_tests_that_were_all_skipped_prove_nothing(monkeypatch):
    def said(output, code):
        done = process.Done(code, output, 1.0)
        monkeypatch.setattr(parts, "run", lambda command, limit: done)
        return parts.tests("contract")(60, lambda: 0)["status"]

    assert said("t.py::a PASSED [50%]\nt.py::b SKIPPED [100%]", 0) == "passed"
    assert said("t.py::a SKIPPED [100%]", 0) == "failed"
    assert said("t.py::a PASSED [50%]\nt.py::b FAILED [100%]", 1) == "failed"
    assert said("t.py::a PASSED [50%]", None) == "incomplete"
    assert said("[gw0] [ 50%] PASSED t.py::a\n[gw1] [100%] PASSED t.py::b", 0) == "passed"
    assert said("[gw0] [ 50%] PASSED t.py::a\n[gw1] [100%] FAILED t.py::b", 1) == "failed"


def test_each_group_of_tests_has_tests(monkeypatch):
    """What is run side by side, and what alone, is all of the GPU tests."""
    commands = {}

    def run(command, limit):
        commands.setdefault(which, []).append(command[command.index("-m", 2) :])
        return process.Done(0, "t.py::a PASSED [50%]", 1.0)

    monkeypatch.setattr(parts, "run", run)
    for which in parts.GROUPS:
        found = parts.tests(which)(60, lambda: 0)
        assert found["status"] == "passed" and [*found][1:] == [*parts.GROUPS[which]]
    assert [["-n" in c for c in commands[w]] for w in parts.GROUPS] == [
        [True],
        [True, True],
        [False],
    ]
    assert all((process.ROOT / name).is_file() for name in (parts.BEYOND, *parts.CONTRACT))


def test_every_kernel_once_is_a_process_an_operation(monkeypatch):
    def run(command, limit):
        op = command[command.index("--op") + 1]
        return process.Done(1 if op == "gru" else 0, f"...\n{len(op)} calls\n", 1.0)

    monkeypatch.setattr(parts, "run", run)
    found = parts.once(60, lambda: 0)
    assert found["status"] == "failed" and [*found["runs"]] == [*OPERATIONS]
    assert found["runs"]["lstm"] == {"status": "passed", "calls": 4, "seconds": 1.0}
    assert found["runs"]["gru"]["said"].startswith("...")
    assert parts.once(60, lambda: 58)["status"] == "incomplete"


def test_what_is_measured_exists(monkeypatch):
    """The command line takes the words of every part, and each name and case is there on a GPU."""
    parser = argparse.ArgumentParser()
    bench.arguments(parser)
    asked = []
    monkeypatch.setattr(
        parts, "run", lambda command, limit: asked.append(command) or process.Done(0, "", 1.0)
    )
    for name in ("layers", "bandwidth", "ladders", "models", "kernels"):
        stages.PARTS[name].run(60, lambda: 0)
        assert asked[-1][1:4] == ["-m", "glassgrad", "bench"]
        args = parser.parse_args(asked[-1][4:])
        assert args.backend == "cuda" and args.newer is (name in ("bandwidth", "ladders"))
        found = suite.select(
            args.names, args.backend, args.case, args.version, args.without, args.newer
        )
        cases = {p.case.startswith("large,") for p in found}
        assert cases == {"bandwidth": {True}, "kernels": {True, False}}.get(name, {False}), name
        if name == "ladders":
            assert {p.name.partition(".")[0] for p in found} >= set(stages.LADDERS)


def test_first_versions_are_left_out_where_there_are_newer_ones(monkeypatch):
    def versions(newer, *able):
        made = [Contender(len, version=v) for v in able]
        plan = Plan("a.b", "c", lambda session: iter([Job("a.b", "c", made, len)]))
        monkeypatch.setattr(suite, "plans", lambda backend: {"kernels": [plan]})
        (found,) = suite.select(newer=newer)
        (job,) = found.make(None)
        return [c.version for c in job.ours]

    assert versions(True, 1, 2, 3) == [2, 3] and versions(False, 1, 2, 3) == [1, 2, 3]
    assert versions(True, 1) == [1] and versions(True) == [] and versions(True, None) == [None]


def test_a_part_apart_can_crash(monkeypatch):
    """Here it does, as there is no GPU; what it says is kept, and what it prints is its outcome."""
    crashed = parts.apart("nothing_of_that_name")(60, lambda: 0)
    assert crashed["status"] == "failed" and crashed["why"] == "exit code 1"
    assert "nothing_of_that_name" in crashed["said"]
    said = process.Done(0, 'a warning\n{"status": "done"}\n', 1.0)
    monkeypatch.setattr(parts, "run", lambda command, limit: said)
    assert parts.apart("launches")(60, lambda: 0) == {"status": "done"}
    for said, found in {
        '{"status": "done"}\n==warning== {of another}\n\n': {"status": "done"},
        '{"status": "early"}\n{"status": "done"}\nat exit': {"status": "done"},
        "": {"status": "failed", "why": "it gave no outcome", "said": ""},
        "only words": {"status": "failed", "why": "it gave no outcome", "said": "only words"},
    }.items():
        done = process.Done(0, said, 1.0)
        monkeypatch.setattr(parts, "run", lambda command, limit, done=done: done)
        assert parts.apart("launches")(60, lambda: 0) == found


def test_a_mistake_in_a_part_is_its_outcome():
    def wrong(limit, clock):
        return None.partition("(")

    found = gpu.outcome(wrong, 1.0)
    assert found["status"] == "failed" and found["why"].startswith("AttributeError: 'NoneType'")


def test_a_benchmark_that_is_cut_short_keeps_what_it_has(monkeypatch):
    def run(command, limit):
        with open(command[-1], "w") as file:
            file.write('{"rows": [1]}')
        return process.Done(None, "conv2d.forward ...", limit)

    monkeypatch.setattr(parts, "run", run)
    found = parts.bench("kernels")(5, lambda: 0)
    assert found["status"] == "out of time" and found["record"] == {"rows": [1]}
    assert found["said"] == "conv2d.forward ..."


def test_forbidden_counters_are_said(tmp_path, monkeypatch):
    fake_tool(tmp_path, monkeypatch, "print('==ERROR== ERR_NVGPUCTRPERM')\nraise SystemExit(1)")
    found = counters.measure()(60, lambda: 0)
    assert found["status"] == "forbidden" and "only administrators" in found["why"]


@pytest.mark.slow
@emulator
def test_the_textbook_kernels_count_what_is_known():
    found = predict.count("textbook")
    for kernel, known in KNOWN.items():
        for name, value in known.items():
            assert found[kernel][name] == value, (kernel, name)
    same = counters.compare(found, found)
    assert all(c["same"] for kernel in same.values() for c in kernel.values())
    other = counters.compare({"textbook_strided": {"load_sectors": 100}}, found)
    assert other["textbook_strided"]["load_sectors"] == {
        "ncu": 100, "emulator": 44, "known": 44, "same": False, "expected": "equal"
    }  # fmt: skip
    assert other["textbook_strided"]["load_bytes"]["ncu"] == 3200
    listed = counters.outside({"textbook": {"kernels": other}, "som": {"status": "failed"}})
    assert [(o["kernel"], o["counter"], o["off"]) for o in listed] == [
        ("textbook_strided", "load_sectors", -0.56),
        ("textbook_strided", "load_bytes", -0.56),
    ]
    assert counters.outside({"textbook": {"kernels": same}}) == []


def test_what_was_predicted_counts_until_a_kernel_changes(tmp_path, monkeypatch, capsys):
    """A GPU machine never waits for the emulator; the command on its own counts again."""
    path = tmp_path / "predicted.json"
    monkeypatch.setattr(predict, "FILE", path)
    counted = []
    monkeypatch.setattr(predict, "count", lambda group: counted.append(group) or {"k": {}})
    assert predict.predicted("textbook") == (predict.STALE, "stale")
    written = {"edition": predict.edition("textbook"), "kernels": {"k": {"load_sectors": 7}}}
    path.write_text(json.dumps({"textbook": written}))
    assert predict.predicted("textbook") == ({"k": {"load_sectors": 7}}, "before")
    path.write_text(json.dumps({"textbook": written | {"edition": "0" * 16}}))
    assert predict.predicted("textbook") == (predict.STALE, "stale")
    found = counters.compare({"k": {"load_sectors": 7}}, predict.STALE)
    assert found["emulator"] == predict.STALE and found["k"]["load_sectors"]["same"] is None
    assert counted == []
    monkeypatch.setattr(predict, "GROUPS", ("textbook",))
    predict.main()
    assert counted == ["textbook"] and "counted now" in capsys.readouterr().out
    assert predict.predicted("textbook") == ({"k": {}}, "before")


def test_every_family_has_an_edition_of_its_own():
    editions = [predict.edition(group) for group in predict.GROUPS]
    assert len(set(editions)) == len(editions)


def test_every_kernel_of_a_cuda_file_is_predicted():
    """What stands written names the kernels of every family: none was forgotten."""
    stored = json.loads(predict.FILE.read_text())
    assert set(stored) == set(predict.GROUPS)
    for op in OPERATIONS:
        names = set(Source(predict.KERNELS / op / "cuda.cu").text.signatures)
        stale = stored[op]["edition"] != predict.edition(op)
        assert stale or set(stored[op]["kernels"]) == names, op


@pytest.mark.slow
@emulator
def test_every_kernel_of_a_family_is_launched(capsys):
    assert every_kernel.main(["--op", "dropout", "--backend", "emulated"]) == 0
    out = capsys.readouterr().out
    assert "dropout.forward[emulated v1]" in out and out.endswith(" calls\n")
    argv = ["--op", "dropout", "--backend", "emulated", "--version", "1", "--largest"]
    assert every_kernel.main(argv) == 0
    assert capsys.readouterr().out == "dropout.forward[emulated v1]: 1\n1 calls\n"
    assert every_kernel.main(["--op", "dropout", "--backend", "emulated", "--version", "77"]) == 1
