"""A kernel in a file of one's own: the commands take it, and the contract finds what is planted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from glassgrad import cli
from glassgrad.kernels import BackendError
from glassgrad.testing import contract
from tests.kernels.checking import why_no_emulator
from tests.tools import call, needs_numba, unregistered

NONE = why_no_emulator()
needs_compiler = pytest.mark.skipif(bool(NONE), reason=NONE or "a compiler is there")
README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
FILES = {
    name: text
    for text in re.findall(r"```\w+\n(.*?)```", README, re.S)
    for name in re.findall(r"\A(?:#|//) (\w+\.\w+)", text)
}
NUMBA = """
from numba import njit


@njit
def _blur(x, y):
    for i in range(x.size):
        total = x[i]
        if i > 0:
            total += x[i - 1]
        if i + 1 < x.size:
            total += x[i + 1]
        y[i] = total / x.dtype.type(3)


@register("blur", "forward", backend="numba", idea="one pass")
def forward_cpu(x):
    y = np.empty(x.shape, x.dtype)
    _blur(x, y)
    return y
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    with unregistered():
        yield


@pytest.fixture
def blur(tmp_path):
    """The path of README's my_blur.py."""
    for name in ("my_blur.py", "my_blur.cu", "test_blur.py"):
        (tmp_path / name).write_text(FILES[name])
    return tmp_path / "my_blur.py"


def change(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


def failures(path, skipped=False):
    """What fails of the contract of a file, or what it skips as it runs: name -> message."""
    (mark,) = contract(path).pytestmark
    found = {}
    for parameters in mark.args[1]:
        if parameters.marks:
            continue
        try:
            parameters.values[0]()
        except pytest.skip.Exception as error:
            if skipped:
                found[parameters.id] = str(error)
        except Exception as error:
            if not skipped:
                found[parameters.id] = str(error)
    return found


def test_kernels_lists_it(blur, capsys):
    code, out, _ = call(capsys, "kernels", blur)
    rows = [line.split()[:3] for line in out.splitlines() if line.startswith("blur.forward")]
    assert code == 0 and "3 kernels" in out
    assert rows == [["blur.forward", b, "1"] for b in ("reference", "cuda", "emulated")]


def test_gradcheck_checks_its_derivative(blur, capsys):
    code, out, _ = call(capsys, "gradcheck", blur)
    assert code == 0 and "2 checks, 0 failed" in out
    change(blur, ("x=lambda g: blur(g)", "x=lambda g: 2 * blur(g)"))
    code, out, _ = call(capsys, "gradcheck", blur)
    assert code == 1 and "FAILED function blur, order 1" in out


def test_one_file_may_hold_a_kernel_and_a_model(blur, capsys):
    blur.write_text(blur.read_text() + FILES["my_model.py"])
    for name, rows in ((blur, 2), (f"{blur}:blur", 2), (f"{blur}:MyModel", 1)):
        code, out, err = call(capsys, "gradcheck", name)
        assert code == 0, err
        assert len(re.findall(r"^(function|system) ", out, re.M)) >= rows
        assert ("system" in out) == str(name).endswith("MyModel")


@needs_compiler
def test_what_is_registered_has_its_name(blur, capsys, monkeypatch, tmp_path):
    """As an operation has that an installed package announces."""
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, "gradcheck", "blur")
    assert code == 1 and "nothing is called 'blur'" in err
    assert call(capsys, "kernels", blur)[0] == 0
    for words in (["kernels", "blur"], ["gradcheck", "blur"], ["lab", "blur.forward"],
                  ["bench", "blur", "--list"]):  # fmt: skip
        code, out, err = call(capsys, *words)
        assert code == 0 and "blur" in out, err


def test_gradcheck_misses_a_case(blur, capsys):
    change(blur, ('GradCase("blur", blur', 'GradCase("tanh", gg.tanh'))
    code, _, err = call(capsys, "gradcheck", blur)
    assert code == 1 and "my_blur.py has no case for blur; expected GRADCASES = [" in err
    change(blur, ("GRADCASES =", "OTHERS ="))
    code, _, err = call(capsys, "gradcheck", blur)
    assert code == 1 and "my_blur.py has no case for blur" in err


@needs_compiler
def test_the_lab_shows_it(blur, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "lab", "my_blur.py")
    assert code == 0 and "blur.forward, N127" in out and "a thread a number" in out
    page = (tmp_path / "glassgrad-lab-blur.html").read_text()
    assert "Every result equals the reference" in page and "glassgrad lab my_blur.py" in page


@needs_compiler
def test_the_lab_finds_what_is_wrong_with_it(blur, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    change(blur.with_suffix(".cu"), ("i + 1 < n ?", "i < n ?"))
    code, out, _ = call(capsys, "lab", "my_blur.py:blur.forward")
    assert code == 1 and "my_blur.cu:7: out of bounds" in out
    assert (tmp_path / "glassgrad-lab-blur.forward.html").is_file()


@needs_numba
@needs_compiler
@pytest.mark.parametrize("words", [["--list"], ["--list", "--case", "N127"]])
def test_bench_knows_its_cases(blur, capsys, words):
    code, out, _ = call(capsys, "bench", blur, *words)
    assert code == 0 and "blur.forward" in out and "N127" in out
    code, out, _ = call(capsys, "bench", f"{blur}:blur", "--list", "--backend", "numba")
    assert code == 0 and "N1048576" in out


@pytest.mark.slow
@pytest.mark.parametrize("numba", [False, pytest.param(True, marks=needs_numba)])
def test_bench_measures_it(blur, capsys, numba):
    """With a Numba version in processes apart, which open the file; else in the emulator."""
    if numba:
        change(blur, ("\nCASES =", f"{NUMBA}\nCASES ="))
    code, out, err = call(capsys, "bench", blur, "--quick", "--peers", "itself")
    assert code == 0, err
    assert f"backend {'numba' if numba else 'emulated'}:" in out
    (row,) = [line for line in out.splitlines() if line.startswith("1 ")]
    assert ("one pass" if numba else "a thread a number") in row


@needs_compiler
def test_it_is_compiled_ahead(blur, capsys):
    code, out, _ = call(capsys, "compile", "--backend", "emulated", blur)
    assert code == 0 and "compiled in" in out


@needs_numba
def test_names_that_nobody_has(blur, capsys):
    for command in ("kernels", "lab", "bench", "compile"):
        code, _, err = call(capsys, command, f"{blur}:blurr")
        assert code == 1 and "my_blur.py registers no 'blurr'; did you mean 'blur'" in err
        code, _, err = call(capsys, command, blur.with_name("no.py"))
        assert code == 1 and "no.py: No such file" in err


@needs_compiler
def test_the_contract_is_a_test_for_pytest(blur, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_blur.py"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout
    wrong = ("x[i] + (i + 1", "x[i] + (i + 2")
    change(blur.with_suffix(".cu"), wrong)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_blur.py"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "test_blur.py::test_blur[blur.forward[emulated v1]-N31]" in done.stdout


@needs_compiler
def test_the_contract_holds_on_the_stand_in_of_cupy(blur, tmp_path):
    """The launches of the backend `cuda`, on arrays that obey CuPy's rules."""
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "tests.fake_cupy",
         "-k", "cuda", "test_blur.py"],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"\[blur.forward\[cuda v1\]-N\S+ PASSED", done.stdout)) == 13


@needs_numba
@needs_compiler
def test_the_contract_holds_with_a_numba_version(blur):
    change(blur, ("\nCASES =", f"{NUMBA}\nCASES ="))
    (mark,) = contract(blur).pytestmark
    names = [p.id for p in mark.args[1]]
    assert len(names) == len(set(names))
    assert {"blur-complete", "blur.forward[numba v1]-N1048576", "gradcheck-blur-order2",
            "blur.forward[emulated v1]-N31-findings", "my_blur.cu-sm_90"} < {*names}  # fmt: skip
    assert failures(blur) == {}


PLANTED = {
    "a wrong Numba version": (
        ("\nCASES =", NUMBA.replace("i + 1 < x.size", "i + 2 < x.size") + "\nCASES ="),
        r"blur.forward\[numba v1\]-N31$", "wanted",
    ),
    "a wrong derivative": (
        ("x=lambda g: blur(g)", "x=lambda g: g"), "gradcheck-blur-order1", "blur",
    ),
    "a derivative that nobody checks": (
        ('GradCase("blur"', 'GradCase("other"'), "blur-has-a-gradient-case", "has no GradCase",
    ),
    "no reference": (
        ('backend="reference"', 'backend="numba"'), "blur-complete", "has no reference",
    ),
    "two cases of a name": (
        ('f"N{n}"', '"N"'), "blur-complete", "two cases share a name"
    ),
    "an argument that changes": (
        ("    x, y = contiguous(x), empty(x, x.shape)", "    x[:1] = 3; y = empty(x, x.shape)"),
        r"blur.forward\[emulated v1\]-N31$", "changed its argument 0",
    ),
}  # fmt: skip


@needs_numba
@needs_compiler
@pytest.mark.parametrize("bug", PLANTED)
def test_the_contract_catches_a_planted_bug(blur, bug):
    pair, name, says = PLANTED[bug]
    change(blur, pair)
    found = failures(blur)
    assert any(re.search(name, k) and says in v for k, v in found.items()), found


@needs_compiler
@pytest.mark.parametrize(
    "old, new, test, says",
    [
        ("i + 1 < n ?", "i < n ?", "N31-findings", "out of bounds"),
        ("if (i >= n) return;", "if (i >= n - 1) return;", "N31-findings", "writes nothing|wanted"),
        ("  const int i", "  __shared__ real s; s = x[0];\n  const int i", "N31-findings", "race"),
    ],
)
def test_the_contract_catches_a_bug_of_cuda(blur, old, new, test, says):
    change(blur.with_suffix(".cu"), (old, new))
    found = failures(blur)
    assert any(re.search(says, text) for text in found.values()), found


def test_the_contract_of_nothing(tmp_path):
    (tmp_path / "nothing.py").write_text("x = 1\n")
    with pytest.raises(BackendError, match="registers no kernel"):
        contract(tmp_path / "nothing.py")
    with pytest.raises(BackendError, match="unknown operation 'blurr'"):
        contract("blurr")
    assert cli.main(["kernels", "lrn"]) == 0


@needs_compiler
def test_the_contract_of_an_operation_of_ours():
    (mark,) = contract("lrn").pytestmark
    names = [p.id for p in mark.args[1]]
    assert "lrn-complete" in names and len(names) > 50
    next(p for p in mark.args[1] if p.id == "lrn-complete").values[0]()


@needs_numba
@pytest.mark.parametrize(
    "supports, dtypes",
    [("x.size != 31", "float32, float64"), ("x.dtype == 'float32' or x.size != 31", "float64")],
)
def test_what_a_version_does_not_support_is_skipped(blur, supports, dtypes):
    """It would pass with nothing run."""
    text = NUMBA.replace('"numba",', f'"numba", supports=lambda x: {supports},')
    change(blur, ("\nCASES =", f"{text}\nCASES ="))
    found = {k: v for k, v in failures(blur, skipped=True).items() if "numba" in k}
    name, alone = "blur.forward[numba v1]", dtypes == "float64"
    assert {*found} == {
        f"{name}-N31{end}" for end in ("", "-transposed", "-sliced")[: 1 if alone else 3]
    }
    assert found[f"{name}-N31"] == f"{name} does not support blur.forward: N31 in {dtypes}"
    assert not failures(blur)


@needs_numba
def test_layouts_of_exact_cases_are_compared_to_the_last_bit(blur):
    """Half a unit of the last place goes unseen by a tolerance; integers have no such excuse."""
    wrong = NUMBA.replace(
        "    return y", "    return y if x.flags.c_contiguous else np.nextafter(y, y + 1)"
    )
    change(blur, ("\nCASES =", f"{wrong}\nCASES ="))
    blur.write_text(f"{blur.read_text()}\nfrom dataclasses import replace\n")
    blur.write_text(f"{blur.read_text()}CASES = [replace(c, exact=True) for c in CASES]\n")
    found = [k for k in failures(blur) if "numba" in k]
    assert found == ["blur.forward[numba v1]-N31-sliced", "blur.forward[numba v1]-N127-sliced"]
