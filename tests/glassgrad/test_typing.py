"""The package has types that a checker can use: right programs pass, wrong ones are reported.

The checker sees the package as it is when installed, with `py.typed` in it.
"""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import glassgrad as gg
from glassgrad import core
from tests.glassgrad import typed_use

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]


def test_the_listed_names_are_those_that_are_there():
    """They are written out twice more, for checkers, which run no code."""
    from glassgrad.core import functions

    assert set(functions.__all__) < set(core.__all__) < set(gg.__all__)
    assert set(gg.__all__) - set(core.__all__) == {
        "GlassgradError", "__version__", "backend", "load", "save",
    }  # fmt: skip
    for module in (gg, core):
        assert len(set(module.__all__)) == len(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)
    at_the_top = {n for n, v in vars(core).items() if not n.startswith("_") and callable(v)}
    assert at_the_top - set(core.__all__) <= {"check_all"}


def declared() -> dict[str, ast.FunctionDef]:
    """The methods that core/typed.py tells checkers of."""
    tree = ast.parse((ROOT / "core/typed.py").read_text())
    methods = next(n for n in tree.body if isinstance(n, ast.ClassDef))
    block = next(n for n in methods.body if isinstance(n, ast.If))
    return {n.name: n for n in block.body if isinstance(n, ast.FunctionDef)}


def test_what_checkers_are_told_of_tensors_is_there():
    for name, node in declared().items():
        real = getattr(gg.Tensor, name)
        assert callable(real), name
        if name.startswith("_"):
            continue
        args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        told = [a.arg for a in args[1:]] + ([node.args.vararg.arg] if node.args.vararg else [])
        parameters = list(inspect.signature(real).parameters.values())[1:]
        assert told == [p.name for p in parameters], name
        defaults = [p.default for p in parameters if p.default is not p.empty]
        given = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        assert [ast.literal_eval(d) for d in given] == defaults, name


def test_checkers_are_told_of_all_that_is_installed():
    tree = ast.parse((ROOT / "core/tensor.py").read_text())
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Tensor").body
    written = {n.name for n in body if isinstance(n, ast.FunctionDef)}
    slots = set(gg.Tensor.__slots__)
    left = {"__module__", "__doc__", "__slots__", "__array_ufunc__", "__array_function__",
            "__format__", "__weakref__", "__static_attributes__", "__firstlineno__"}  # fmt: skip
    installed = set(vars(gg.Tensor)) - written - slots - left
    assert installed - set(declared()) == {"T"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder of packages that has this one, as it lies when installed."""
    site = tmp_path_factory.mktemp("site")
    package = site / "glassgrad"
    package.mkdir()
    for item in (ROOT / "glassgrad").iterdir():
        (package / item.name).symlink_to(item)
    for room in ("core", "kernels", "models", "bench"):
        (package / room).symlink_to(ROOT / room)
    return site


def mypy(site: Path, *arguments) -> list[str]:
    """What mypy says of files, a line each; the package itself is not reported on."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--no-color-output"]
    command += ["--no-error-summary", "--cache-dir", str(site / "cache"), *map(str, arguments)]
    folders = {str(site), *(str(p.parent) for p in arguments if isinstance(p, Path))}
    environment = {"MYPYPATH": ":".join(sorted(folders)), "PATH": ""}
    done = subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_right_program_passes(site, tmp_path):
    (tmp_path / "use.py").write_text((HERE / "typed_use.py").read_text())
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
    for i, block in enumerate(blocks):
        named = re.match(r"# (\w+\.py)\n", block)  # a file that another block may import
        (tmp_path / (named[1] if named else f"readme_{i}.py")).write_text(block)
    assert len(blocks) > 2
    cycle = "--disable-error-code=has-type"  # a derivative that names its own function
    assert mypy(site, cycle, *sorted(tmp_path.iterdir())) == []
    assert mypy(site, "--strict", tmp_path / "use.py") == []


@pytest.mark.slow
def test_every_wrong_use_is_reported(site, tmp_path):
    text = (HERE / "wrong_use.py").read_text()
    (tmp_path / "wrong.py").write_text(text)
    found: dict[int, set[str]] = {}
    for line in mypy(site, tmp_path / "wrong.py"):
        place = re.match(r".*?wrong\.py:(\d+): error: .*\[([\w-]+)\]$", line)
        if place:
            found.setdefault(int(place[1]), set()).add(place[2])
    wanted = {
        i: set(line.partition("  # ")[2].split(", "))
        for i, line in enumerate(text.splitlines(), 1)
        if "  # " in line
    }
    assert found.keys() == wanted.keys(), (found, wanted)
    for line, kinds in found.items():
        assert kinds & wanted[line], (line, kinds)


def test_the_right_program_runs(tmp_path):
    typed_use.main(tmp_path)
