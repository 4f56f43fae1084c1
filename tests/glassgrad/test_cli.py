"""The command line as a user meets it: exit codes, messages, tables."""

import errno
import json
import os
import re
import subprocess
import sys
import types

import numpy as np
import pytest

from glassgrad import checkout, cli, models
from glassgrad.cli import main
from glassgrad.core.machine import describe
from glassgrad.kernels import OPERATIONS, implementations
from glassgrad.kernels.errors import GlassgradError
from tests.tools import call, skip_without_needs


def test_help_is_quick_and_names_every_command(capsys):
    code, out, _ = call(capsys, "--help")
    assert code == 0
    assert all(name in out for name in cli.COMMANDS)
    script = "import sys; from glassgrad.cli import main; main(['--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    modules = loaded.stdout.split()
    assert "glassgrad.cli.train" in modules
    slow = ("numba", "scipy", "sklearn", "matplotlib", "rich", "safetensors", "cupy", "torch")
    assert not set(slow) & set(modules)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_of_each_command(capsys, command):
    code, out, _ = call(capsys, command, "--help")
    assert code == 0 and f"glassgrad {command}" in out


def test_no_command_shows_the_help(capsys):
    code, out, _ = call(capsys)
    assert code == 0 and "reproduce" in out


def test_version(capsys):
    import glassgrad

    code, out, _ = call(capsys, "--version")
    assert (code, out) == (0, f"glassgrad {glassgrad.__version__}, {checkout.copy()}\n")


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["trian", "vae"], 2, "unknown command 'trian'; did you mean 'train'?"),
        (["train", "vaee"], 1, "did you mean 'vae'"),
        (["train", "vae", "--data", "digit"], 1, "did you mean 'digits'?"),
        (["train", "vae", "--set", "epoch=3"], 1, "did you mean 'epochs'?"),
        (["train", "vae", "--set", "epochs=many"], 1, "must be an int of at most 64 bits"),
        (["train", "vae", "--set", "epochs=-1"], 1, "must be at least 0"),
        (["train", "vae", "--set", "lr=NaN"], 1, "must be a finite number"),
        (["train", "vae", "--set", "lr=-1"], 1, "'lr' must be at least 0; got -1"),
        (["train", "vae", "--set", "clip=-1"], 1, "'clip' must be at least 0; got -1"),
        (["train", "som", "--set", "weight_decay=-1"], 1, "'weight_decay' must be at least 0"),
        (["train", "vae", "--set", "optimiser=adm"], 1, "did you mean 'adam'?"),
        (["train", "som", "--set", "optimiser=sgd"], 1, "has no effect on a self-organising map"),
        (["train", "vae", "--set", "schedule=cosin"], 1, "did you mean 'cosine'?"),
        (["train", "vae", "--set", "schedule=step:0"], 1, "schedule 'step:0': Step: size must lie"),
        (["train", "vae", "--set", "schedule=exponential:-1"], 1, "expected 0 ≤ gamma, got -1.0"),
        (["train", "vae", "--set", "schedule=inverse-time:-1"], 1, "expected 0 ≤ rate, got -1.0"),
        (["train", "vae", "--set", "select=foo"], 1, "select='foo' is not among the validation"),
        (
            ["train", "vae", "--set", "decoder=foo"],
            1,
            "'decoder' must be 'bernoulli', 'gaussian' or",
        ),
        (["train", "vae", "--set", "samples=0"], 1, "'samples' must be at least 1; got 0"),
        (["train", "vae", "--set", "samples=-2"], 1, "'samples' must be at least 1; got -2"),
        (["train", "vae", "--set", "hidden=[]"], 1, "'hidden' must be a list of at least one"),
        (["train", "vae", "--set", "floor=-3"], 1, "'floor' has no effect with decoder=bernoulli"),
        (["train", "vae-gaussian", "--set", "sigma=0"], 1, "'sigma' must be above 0; got 0"),
        (["train", "vae-gaussian", "--set", "sigma=-1"], 1, "'sigma' must be above 0; got -1"),
        (["train", "lenet", "--set", "shift=-1"], 1, "'shift' must be at least 0; got -1"),
        (["train", "lenet", "--set", "shift=40"], 1, "shift must be below the size of the images"),
        (
            ["train", "lenet", "--set", "channels=[]", "padding=[]"],
            1,
            "'channels' must be a list of at least",
        ),
        (["train", "lenet", "--set", "pool=maxx"], 1, "did you mean 'max'?"),
        (["train", "autoencoder", "--set", "loss=square"], 1, "did you mean 'squared'?"),
        (["train", "autoencoder", "--set", "activation=relo"], 1, "did you mean 'relu'?"),
        (["train", "deep-autoencoder", "--set", "start=balance"], 1, "did you mean 'balanced'?"),
        (["train", "som", "--set", "rows=0"], 1, "'rows' must be at least 1; got 0"),
        (["train", "som", "--set", "sigma=0"], 1, "'sigma' must be above 0; got 0"),
        (["train", "som-dyakonov", "--set", "sigma=-1"], 1, "'sigma' must be above 0; got -1"),
        (["train", "som", "--set", "radius=-5"], 1, "'radius' must be at least 0; got -5"),
        (["train", "som", "--set", "neighbours=0"], 1, "'neighbours' must be at least 1; got 0"),
        (["train", "som", "--set", "neighbours=-3"], 1, "'neighbours' must be at least 1; got -3"),
        (["train", "som", "--set", "neighbours=100000"], 1, "neighbours must be at most 1797"),
        (["train", "som", "--set", "draws=-5"], 1, "'draws' must be at least 0; got -5"),
        (["train", "som", "--set", "schedule=cosine"], 1, "'schedule' has no effect"),
        (["train", "linear-autoencoder", "--set", "passes=0"], 1, "'passes' must be at least 1"),
        (["train", "linear-autoencoder", "--set", "passes=-1"], 1, "'passes' must be at least 1"),
        (["train", "linear-autoencoder", "--set", "dtype=float3"], 1, "did you mean 'float32'?"),
        (["train", "linear-autoencoder", "--set", "dtype="], 1, "'dtype' must be 'float32' or"),
        (["train", "lstm", "--set", "examples=0"], 1, "'examples' must be at least 1; got 0"),
        (["train", "lstm", "--set", "target=nxt"], 1, "did you mean 'next'?"),
        (["train", "peephole-lstm", "--set", "train_n=[5,1]"], 1, "a pair [first, last] with"),
        (["train", "peephole-lstm", "--set", "train_n=[1]"], 1, "a pair [first, last] with"),
        (["train", "peephole-lstm", "--set", "test_n=[1,2,3]"], 1, "a pair [first, last] with"),
        (["train", "peephole-lstm", "--set", "peephole=ful"], 1, "did you mean 'full'?"),
        (["train", "peephole-lstm", "--set", "letters=abd"], 1, "did you mean 'ab"),
        (
            ["train", "lstm", "--data", "tinyshakespeare", "--set", "steps=0"],
            1,
            "'steps' must be at least 1; got 0",
        ),
        (["train", "gru", "--set", "weight_noise=-1"], 1, "'weight_noise' must be at least 0"),
        (["train", "gru", "--set", "steps=3"], 1, "'steps' has no effect on digits"),
        (["train", "vae", "--set", 'hidden=["a"]'], 1, "must be a list or tuple, each an int"),
        (["train", "vae", "--set", "hidden=" + "[" * 9999], 1, "must be a list or tuple, each"),
        (["train", "vae", "--set", "lr=1" + "0" * 400], 1, "must be a finite number"),
        (["train", "vae", "--set", "lr"], 2, "key=value"),
        (["train", "vae", "--dta", "digits"], 2, "did you mean '--data'?"),
        (["train", "vae", "--device", "gpu"], 2, "invalid choice: 'gpu'"),
        (["train", "nade", "--data", "iris"], 1, "expected 'images' or 'binary', such as digits"),
        (["train", "lenet", "--data", "iris"], 1, "of the kind 'table'; expected 'images'"),
        (["train", "vae", "--backend", "cuda"], 1, "do not go together"),
        (["train", "vae", "--data-dir", "/nowhere", "--data", "mnist"], 1, "not a folder"),
        (["train"], 2, "NAME"),
        (["train", "--resume", "nowhere"], 1, "not a run folder"),
        (["sample", "nowhere"], 1, "not a run folder"),
        (["evaluate", "nowhere"], 1, "not a run folder"),
        (["evaluate", "nowhere", "--label", "a"], 2, "they need --data"),
        (["sample", "nowhere", "-n", "0"], 2, "whole number above 0"),
        (["show", "rnnn"], 1, "did you mean 'rnn'"),
        (["list", "date"], 2, "did you mean 'data'?"),
        (["kernels", "conv3d"], 1, "did you mean 'conv2d'?"),
        (["gradcheck", "tahn"], 1, "did you mean 'tanh'?"),
        (["reproduce", "vaee"], 1, "did you mean 'vae'"),
        (["reproduce", "--table", "README.md"], 2, "needs --json"),
        (["demo", "--seed", "-1"], 1, "'seed' must be at least 0; got -1"),
    ],
)
def test_wrong_names_give_one_message_and_the_nearest(
    capsys, tmp_path, monkeypatch, argv, code, said
):
    monkeypatch.chdir(tmp_path)
    got, out, err = call(capsys, *argv)
    assert got == code and out == ""
    assert said in err and err.startswith("glassgrad: ") and "Traceback" not in err
    assert os.listdir(tmp_path) == []  # nothing is left behind by a command that could not start


def test_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setenv("GLASSGRAD_DEBUG", "1")
    code, _, err = call(capsys, "train", "vaee")
    assert code == 1 and "Traceback" in err and "did you mean" in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(), 141, ""),
        (KeyboardInterrupt(), 130, "glassgrad: stopped\n"),
        (OSError(errno.ENOSPC, "No space left on device", "a.dot"), 1,
         "glassgrad: a.dot: No space left on device\n"),
        (MemoryError("Unable to allocate 8 TiB"), 1,
         "glassgrad: not enough memory: Unable to allocate 8 TiB\n"),
        (GlassgradError("x: y"), 1, "glassgrad: x: y\n"),
    ],
)  # fmt: skip
def test_every_expected_error_has_its_code(capsys, monkeypatch, error, code, said):
    def fail(args):
        raise error

    monkeypatch.setattr("glassgrad.cli.kernels.run", fail)
    monkeypatch.setattr(cli, "_silence", lambda: None)
    assert call(capsys, "kernels") == (code, "", said)


def test_unexpected_errors_are_not_hidden(monkeypatch):
    def fail(args):
        raise ZeroDivisionError

    monkeypatch.setattr("glassgrad.cli.kernels.run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["kernels"])


def run(*argv, **options):
    """`python -m glassgrad` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "glassgrad", *map(str, argv)], text=True, **options
    )


def test_a_closed_pipe_is_silent():
    read, write = os.pipe()
    os.close(read)
    done = run("reproduce", "som", "--list", stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_one_message():
    with open("/dev/full", "w") as full:
        done = run("reproduce", "som", "--list", stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "glassgrad: No space left on device\n")


def test_show_gives_page_modules_graph_and_settings(capsys, tmp_path):
    code, out, _ = call(capsys, "show", "vae", "--set", "hidden=[8,6]", "--dot", tmp_path / "a.dot")
    assert code == 0
    assert "KL = -½ Σ_j" in out  # the lecture page
    assert "Linear(64 -> 8, 520 parameters)" in out
    assert "reparameterise" in out and "numba v2" in out
    assert "[8,6]" in out and "86.76" in out
    dot = (tmp_path / "a.dot").read_text()
    assert dot.startswith("digraph") and "reparameterise" in dot and "->" in dot


def test_show_of_a_system_without_gradient(capsys):
    code, out, _ = call(capsys, "show", "som", "--data", "iris")
    assert code == 0 and "som.online" in out and "no gradient is taken" in out


@pytest.mark.parametrize("name", models.names())
def test_show_works_for_every_system(capsys, name):
    recipe = models.recipe(name)
    skip_without_needs(recipe)
    whole = bool(recipe.resolve().idle("batch"))  # takes all samples
    code, out, _ = call(capsys, "show", name, "--set", "seed=3" if whole else "batch=3")
    assert code == 0 and "Settings" in out
    _, _, rest = re.split(r"^Modules, for \w+$|^Settings$", out, flags=re.M)
    assert not re.search(r"^\s*[.,;:)]|[,(:]$|\( *\)$|None", rest, re.M), "a broken sentence"
    assert rest.count("to reach: ") == len(recipe.targets) == rest.count("  published ")
    for target in recipe.targets:
        for name, text in (("source", target.source), ("note", target.note)):
            assert not text or f"\n{name}: {text}\n" in rest


def test_kernels_lists_the_registry(capsys):
    code, out, _ = call(capsys, "kernels")
    assert code == 0
    assert f"{len(implementations())} kernels" in out
    for r in implementations():
        assert f"{r.op}.{r.pass_} " in out
    assert re.search(r"^reference +yes", out, re.M)


def test_kernels_of_one_operation(capsys):
    out = call(capsys, "kernels", "dropout")[1]
    others = [f"{op}.forward" for op in OPERATIONS if op != "dropout"]
    assert "dropout.forward" in out and not any(o in out for o in others)


def test_gradcheck_of_a_function_a_layer_and_a_system(capsys):
    code, out, _ = call(capsys, "gradcheck", "tanh", "Linear", "som", "--order", "1")
    assert code == 0
    for kind in ("function", "layer", "system"):
        assert re.search(rf"^{kind} ", out, re.M)
    assert "4 checks, 0 failed" in out  # Linear has two cases


def test_gradcheck_catches_a_wrong_derivative(capsys, monkeypatch):
    from glassgrad.core import FUNCTIONS

    tanh = FUNCTIONS["tanh"]
    right = tanh.derivatives["x"]

    def wrong(g, out):
        return g * (1 - out)

    monkeypatch.setitem(tanh.derivatives, "x", wrong)
    monkeypatch.setitem(tanh._wants, wrong, ["g", "out"])
    code, out, _ = call(capsys, "gradcheck", "tanh", "--order", "1")
    assert code == 1 and "FAILED function tanh, order 1" in out
    monkeypatch.setitem(tanh.derivatives, "x", right)
    assert call(capsys, "gradcheck", "tanh", "--order", "1")[0] == 0


def test_doctor(capsys, monkeypatch, tmp_path):
    from glassgrad.core.data import files

    monkeypatch.setattr(files, "REPOSITORY", tmp_path)  # no need to hash real data here
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code, out, _ = call(capsys, "doctor")
    assert code == 0, out
    assert "FAILED" not in out and "numba = reference" in out
    assert re.search(rf"^glassgrad +0\.1\.0, {re.escape(checkout.copy())}$", out, re.M)
    assert describe()["numpy"] == np.__version__
    assert np.__version__ in out and "digits" in out


def test_doctor_fails_when_two_backends_disagree(capsys, monkeypatch):
    from glassgrad.cli import doctor
    from glassgrad.kernels import conv2d

    once = iter([1.0, 2.0])
    forward = conv2d.forward
    monkeypatch.setattr(conv2d, "forward", lambda *a: forward(*a) * next(once))
    ok, said = doctor._agree("numba")
    assert not ok and said == "results differ"
    monkeypatch.setattr(doctor, "self_test", lambda compiles: {"planted": (False, "broken")})
    monkeypatch.setattr(doctor, "_data", lambda folder: [])
    code, out, err = call(capsys, "doctor")
    assert code == 1 and "planted" in out and "do not trust" in err


def test_demo_gets_its_arguments(capsys, monkeypatch, tmp_path):
    page = tmp_path / "index.html"
    seen = []

    def demo(out, seed, progress):
        seen.append((out, seed))
        return page

    monkeypatch.setitem(sys.modules, "glassgrad.demo", types.SimpleNamespace(run=demo))
    monkeypatch.setattr("webbrowser.open", seen.append)
    code, out, _ = call(capsys, "demo", "--out", tmp_path, "--seed", 3, "--open")
    assert code == 0 and str(page) in out
    assert seen == [(str(tmp_path), 3), page.as_uri()]


def test_the_record_file_is_json_with_the_machine(tmp_path):
    from glassgrad.reproduction import Record

    record = Record(tmp_path / "r.json")
    row = {
        "recipe": "a", "target": "t", "data": "d", "ours": 1.0, "machine": describe(),
        "published": "1", "bound": 2.0, "better": "lower", "status": "reached", "seconds": 3.0,
    }  # fmt: skip
    record.put(row)
    skipped = {**row, "ours": None, "status": "skipped: data not here"}
    record.put(skipped)  # wipes out no figure
    record.put({**skipped, "target": "u"})
    rows = json.loads((tmp_path / "r.json").read_text())["rows"]
    assert [(r["target"], r["ours"]) for r in rows] == [("t", 1.0), ("u", None)]
    assert rows[0]["machine"]["cores"] >= 1
    assert Record(tmp_path / "r.json").rows == rows
    record.put({**row, "ours": None, "status": "failed"})  # what failed now is reached no more
    assert Record(tmp_path / "r.json").rows[0]["status"] == "failed"
