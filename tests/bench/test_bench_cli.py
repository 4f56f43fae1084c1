"""`glassgrad bench`: names, errors and exit codes, tables, stored results."""

import ast
import doctest
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import pytest

import glassgrad.bench
from glassgrad import cli
from glassgrad.bench import peers, pipe, suite, timing
from glassgrad.bench.job import Contender
from glassgrad.kernels.errors import BackendError
from tests.bench.planted import LEAST, WORKER, peer, quick_session, record, row
from tests.tools import without_compiling

ROOM = Path(__file__).resolve().parents[2] / "bench"


def call(capsys, *argv):
    code = cli.main([str(a) for a in argv])
    captured = capsys.readouterr()
    return code, captured.out, without_compiling(captured.err)


@pytest.fixture
def cheap(monkeypatch):
    """No effort, and processes with a made-up roofline."""
    monkeypatch.setattr(timing, "QUICK", LEAST)
    monkeypatch.setattr(pipe, "command", lambda *given: [*WORKER, *map(str, given)])
    monkeypatch.setenv("PLANTED", "")


def test_names_stand_for_families_passes_layers_and_models():
    names = {p.name for p in suite.select(["conv2d"])}
    assert names == {"conv2d.forward", "conv2d.input_grad", "conv2d.weight_grad", "conv2d.layer"}
    assert {p.name for p in suite.select(["lstm.layer", "vae"])} == {"lstm.layer", "vae"}
    assert {p.name for p in suite.select(["models"])} == {"lenet", "vae", "jsb-lstm", "mlp"}
    assert len(suite.select(["conv2d", "conv2d.layer"])) == len(suite.select(["conv2d"]))
    assert len(suite.select()) == sum(map(len, suite.plans().values()))
    assert len(suite.select(["conv2d.layer"])) == 8 and len(suite.select(["gru.layer"])) == 4


def test_a_version_is_asked_of_those_that_have_it():
    assert {p.name for p in suite.select(["conv2d", "lenet"], version=1)} >= {"conv2d.layer"}
    assert "lenet" not in {p.name for p in suite.select(["conv2d", "lenet"], version=1)}
    with pytest.raises(BackendError, match=r"conv2d.forward has version 77 on numba"):
        suite.select(["conv2d.forward"], version=77)


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["con2d"], 1, "unknown 'con2d'; did you mean 'conv2d'?"),
        (["conv2d.foward"], 1, "did you mean 'conv2d.forward'?"),
        (["lenett"], 1, "did you mean 'lenet'?"),
        (["conv2d.forward", "--case", "moon"], 1, "no case has 'moon' in its name"),
        (["conv2d.forward", "--version", "77"], 1, "has version 77"),
        (["--peers", "pytorch"], 2, "unknown peer 'pytorch'; did you mean 'torch'?"),
        (["--threads", "0"], 2, "invalid whole number above 0"),
        (["mlp", "--threads", "9999"], 1, "threads must be 1 to"),
        (["--factor", "0.5"], 2, "--factor must be at least 1"),
        (["--add"], 2, "--add needs --json"),
        (["--factor", "nan"], 2, "--factor must be at least 1"),
        (["mlp", "--threads", "99"], 1, "threads must be 1 to"),
        (["--stored", "x.json", "mlp"], 2, "--stored and --list measure nothing"),
        (["--stored", "x.json", "--threads", "1"], 2, "--stored and --list measure nothing"),
        (["--list", "--json", "x.json"], 2, "--stored and --list measure nothing"),
        (["--stored", "x.json"], 2, "--stored needs --table, --figures or --against"),
        (["--stored", "nowhere.json", "--table", "x.md"], 1, "cannot be read"),
        (["mlp", "--table", "nowhere.md"], 1, "nowhere.md cannot be read"),
        (["--peers", "torch", "mlp"], 2, "--peers takes all names after it"),
        (["--quik"], 2, "unknown argument '--quik'; did you mean '--quick'?"),
    ],
)
def test_wrong_usage_is_explained(capsys, argv, code, said):
    got, out, err = call(capsys, "bench", *argv)
    assert (got, out) == (code, "") and said in err


def test_the_list_names_everything(capsys):
    code, out, _ = call(capsys, "bench", "--list")
    assert code == 0
    for name in ("conv2d.weight_grad", "gru.layer", "som.epoch", "fused.adam", "jsb-lstm"):
        assert name in out


def test_a_run_prints_keeps_and_compares(capsys, tmp_path, cheap):
    path, page = tmp_path / "r.json", tmp_path / "page.md"
    page.write_text("<!-- bench -->\n<!-- /bench -->\n")
    argv = ["bench", "dropout.forward", "--quick", "--peers", "none", "--backend", "numba"]
    code, out, err = call(capsys, *argv, "--json", path, "--table", page)
    assert (code, err) == (0, "") and "dropout.forward, shape (100, 200)" in out
    words = " ".join(out.split())  # wherever the lines end
    assert " threads, backend numba: 100 GFLOP/s in a matrix product" in words
    assert 0 <= json.loads(path.read_text())["busy"] <= 1
    rows = json.loads(path.read_text())["rows"]
    assert {r["case"] for r in rows} == {p.case for p in suite.select(["dropout.forward"])}
    assert all(r["median"] > 0 and r["roofline"] > 0 for r in rows)
    assert "dropout.forward, shape (100, 200)" in page.read_text()

    argv += ["--json", path, "--add", "--case", "(100, 200)"]
    assert call(capsys, *argv)[0] == 0
    assert len(json.loads(path.read_text())["rows"]) == len(rows)  # the other rows are kept

    faster = json.loads(path.read_text())
    for kept in faster["rows"]:
        kept["roofline"] *= 1000
    old = tmp_path / "old.json"
    old.write_text(json.dumps(faster))
    code, out, _ = call(capsys, "bench", "--stored", path, "--against", old)
    assert code == 1 and "part of the roofline fell" in out
    code, out, _ = call(capsys, "bench", "--stored", old, "--against", path)
    assert code == 0 and ": 0 fell" in out


def test_a_wrong_kernel_ends_with_one_sentence(capsys, tmp_path, monkeypatch, cheap):
    monkeypatch.setenv("PLANTED", "ours=wrong kernel")
    argv = ["bench", "dropout.forward", "--quick", "--peers", "none", "--backend", "numba"]
    code, _, err = call(capsys, *argv, "--json", tmp_path / "r.json")
    assert code == 1 and err.startswith("glassgrad: dropout.forward, shape (100, 200)")
    assert "v99" in err and "not finite" in err and err.count("\n") == 1


def test_stored_results_are_shown_on_a_page(capsys, tmp_path):
    path, page = tmp_path / "r.json", tmp_path / "page.md"
    record(row(peers={"torch": peer(2.0)})).write(path)
    page.write_text("<!-- bench -->\n<!-- /bench -->\n")
    code, out, _ = call(
        capsys, "bench", "--stored", path, "--table", page, "--figures", tmp_path / "f"
    )
    assert code == 0 and "roofline.png" in out and "| 2.00 |" in page.read_text()
    page.write_text("nothing")
    code, _, err = call(capsys, "bench", "--stored", path, "--table", page)
    assert code == 1 and "has no markers" in err


def test_a_broken_peer_is_left_out(monkeypatch):
    """Whatever another package raises, on import or at work, the run goes on without it."""

    def broken(*args):
        raise OSError("libc10.so:\n cannot open")

    monkeypatch.setattr("glassgrad.bench.peers.mini_som.why_not", broken)
    found, missing = peers.load(["minisom", "blas"], "cpu", 1)
    assert set(found) == {"blas"} and missing == {"minisom": "OSError: libc10.so: cannot open"}
    for maker in (broken, lambda *args: Contender(broken)):  # in making the job, and in doing it
        monkeypatch.setattr("glassgrad.bench.peers.blas.contender", maker)
        with quick_session(monkeypatch, peers=("blas",)) as session:
            plans = suite.select(["som.winners"], case="N5000")
            ((_, (row, *_)),) = session.run(plans)
        assert row["median"] > 0 and row["peers"] == {}
        assert session.notes[0].startswith("blas was left out: som.winners")
        assert session.notes[0].endswith("OSError: libc10.so: cannot open")


def test_missing_peers_are_reported(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found, missing = peers.load(peers.MODULES, "cpu", 1)
    assert set(found) == {"blas", "scipy"} and set(missing) == set(peers.MODULES) - set(found)
    assert missing["torch"] == "torch is not installed (pip install 'glassgrad[peers]')"


def test_every_peer_says_what_it_can_do():
    """A process is begun for a peer only where one of its jobs is measured."""
    measured = {p.name for backend in ("numba", "cuda") for p in suite.select(backend=backend)}
    extra = {"som.nearest"}  # a name that a contender is asked for by nearest_node.py
    for name in peers.MODULES:
        module = peers.module_of(name)
        assert module.JOBS and not module.JOBS - measured - extra, name
        assert module.contender("no.job") is None


def test_peers_without_a_gpu_version_say_so():
    _, missing = peers.load(("sklearn", "minisom"), "cuda", 1)
    assert missing == {
        "sklearn": "scikit-learn has no GPU version",
        "minisom": "MiniSom has no GPU version",
    }


# ------------------------------------------------------------------ the laws of the room

SOURCES = sorted(ROOM.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOM)))
def test_a_source_file_keeps_the_laws(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert text.count("\n") <= 400 and ast.get_docstring(tree)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    others = {"torch", "minisom", "sklearn", "jax", "gensim"}
    assert path.parent.name == "peers" or not others & names, "peers stand in peers/"
    assert "glassgrad" not in names, "imports are relative"


@pytest.mark.parametrize(
    "name",
    [
        m.name
        for m in pkgutil.walk_packages([str(ROOM)], "glassgrad.bench.")
        if not m.name.endswith(("__main__", "pytorch_models", "jax_models"))
    ],
)
def test_every_example_runs_and_no_peer_is_imported(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
    assert not {"minisom"} & set(vars(module))


def test_the_package_loads_no_peer_and_no_plotting():
    import subprocess

    code = (
        "import glassgrad.bench.apart, glassgrad.bench.session, glassgrad.bench.tables, sys;"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "jax", "minisom", "sklearn", "matplotlib", "numba", "cupy", "rich"}
    assert not heavy & set(done.stdout.split())
    assert glassgrad.bench.__doc__
