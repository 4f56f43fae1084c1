"""The laws of the house: what is imported where, how long it takes, that every example runs."""

import ast
import doctest
import importlib
import pkgutil
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import glassgrad as gg
from glassgrad import cli

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {"kernels": 0, "core": 1, "models": 2, "glassgrad": 3}
FRAMEWORKS = {"torch", "tensorflow", "jax", "keras", "mxnet", "paddle", "pickle", "cPickle", "dill"}
SOURCES = [p for room in FLOORS for p in sorted((ROOT / room).rglob("*.py"))]
WRITTEN = [
    p
    for room in (*FLOORS, "bench", "tests")
    for p in sorted((ROOT / room).rglob("*"))
    if p.suffix in {".py", ".cu", ".cuh", ".h", ".cpp"}
]


def modules():
    """The name of every module of the package, but those that need a GPU library."""
    names = ["glassgrad"]
    for room in ("core", "kernels", "models", "glassgrad"):
        package = "glassgrad" if room == "glassgrad" else f"glassgrad.{room}"
        for info in pkgutil.walk_packages([str(ROOT / room)], f"{package}."):
            names.append(info.name)
    return [n for n in names if not n.endswith(("__main__", ".cuda"))]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_import_is_quick_and_loads_nothing_heavy():
    """Under 0.7 s of processor in the median of five: no compiler, no GPU library, no plotting."""
    timed = "import time; t = time.process_time(); import glassgrad"
    seconds = [float(python(f"{timed}; print(time.process_time() - t)")) for _ in range(5)]
    assert statistics.median(seconds) < 0.7, seconds
    loaded = python("import glassgrad, sys; print(*sys.modules)").split()
    heavy = {"numba", "cupy", "scipy", "sklearn", "matplotlib", "rich", "safetensors", "torch"}
    assert not heavy & set(loaded)


def test_every_public_name_is_there_and_explained():
    for name in gg.__all__:
        thing = getattr(gg, name)
        if callable(thing):
            assert thing.__doc__, name


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_has_one_subject_and_fits_in_a_sitting(path):
    assert path.read_text(encoding="utf-8").count("\n") <= 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_source_file_keeps_the_laws(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert not text.strip() or ast.get_docstring(tree), "a module says what it is about"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        assert not {n.split(".")[0] for n in names} & FRAMEWORKS
        if isinstance(node, ast.Import) or not node.level:
            assert not any(n.split(".")[0] == "glassgrad" for n in names), "imports are relative"


def dotted(path: Path) -> str:
    """The name under which a file of the repository is imported."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    parts = parts if parts[0] == "glassgrad" else ["glassgrad", *parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> dict[str, set[str]]:
    """Module -> the names taken out of it, for all relative imports of a file, inner ones too."""
    package = dotted(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + (node.module or "").split(".")
            base = ".".join(filter(None, base))
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.setdefault(inner if inner in FILES else base, set()).add(alias.name)
    return found


FILES = {dotted(p): p for room in (*FLOORS, "bench") for p in sorted((ROOT / room).rglob("*.py"))}
MODELS = [m for m in FILES if m.startswith("glassgrad.models.")]


def room(module: str) -> str:
    """The room that a module of the package lies in.

    >>> room("glassgrad.core.tape"), room("glassgrad.cli.train")
    ('core', 'glassgrad')
    """
    inside = module.split(".")[1:2]
    return inside[0] if inside and inside[0] in (*FLOORS, "bench", "tests") else "glassgrad"


@pytest.mark.parametrize("name", FILES)
def test_imports_run_downwards(name):
    """glassgrad → models → core → kernels. Nothing reads bench, but the command that runs it."""
    here = room(name)
    for target in map(room, imports(FILES[name])):
        if here == "bench":
            assert target != "tests"
        elif target == "bench":
            assert name == "glassgrad.cli.bench"
        else:
            assert FLOORS[target] <= FLOORS[here], f"imports upwards: {target}"


def test_every_command_is_a_file_of_its_folder():
    assert {f"glassgrad.cli.{module}" for module in cli.COMMANDS.values()} <= FILES.keys()


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Sets of files that reach one another.

    >>> circles({"a": {"b"}, "b": {"a", "c"}, "c": set()}) == [{"a", "b"}]
    True
    """
    reach = {name: set(targets) for name, targets in edges.items()}
    while True:
        grown = {n: found.union(*(reach[m] for m in found)) for n, found in reach.items()}
        if grown == reach:
            break
        reach = grown
    found = [{m for m in reach[n] if n in reach[m]} for n in reach if n in reach[n]]
    return [c for i, c in enumerate(found) if c not in found[:i]]


def test_no_files_import_one_another():
    """A package's page (`__init__.py`) may gather what is in it; files go one way."""
    files = {m for m, p in FILES.items() if p.name != "__init__.py"}
    assert circles({m: imports(FILES[m]).keys() & files for m in files}) == []
    assert circles({"a": {"b"}, "b": {"a", "c"}, "c": set()}) == [{"a", "b"}]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_takes_no_helper_out_of_another(name):
    """From a file that holds a recipe only systems and settings are taken, to be extended."""
    for source, names in imports(FILES[name]).items():
        if source not in MODELS or FILES[source].name == "__init__.py":
            continue
        module, leaf = importlib.import_module(source), source.rpartition(".")[2]
        if hasattr(module, "RECIPES"):
            text = FILES[name].read_text(encoding="utf-8")
            used = re.findall(rf"(?<![\w.]){leaf}\.(\w+)", text) if leaf in names else []
            for taken in {*names, *used} - {leaf, "py"}:
                assert isinstance(getattr(module, taken), type), f"{taken} of {source}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_numba_compiles_through_one_door_only(path):
    """Numba's own cache goes stale where one file's code is compiled into another's."""
    if path == ROOT / "kernels" / "compiled.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "numba" and not node.level:
            assert not {a.name for a in node.names} & {"jit", "njit", "vectorize", "guvectorize"}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("numba", "njit"), ("numba", "jit")}


def test_every_place_asks_for_the_same_ruff():
    """Another minor version formats otherwise: what passes here would fail elsewhere."""
    asked = {
        name: re.findall(r"ruff([=<>~!]=?[^'\"]+)['\"]", (ROOT / name).read_text(encoding="utf-8"))
        for name in ("setup.py", ".ci/run")
    }
    assert asked["setup.py"] == asked[".ci/run"] and re.fullmatch(
        r"==\d+\.\d+\.\*", asked["setup.py"][0]
    ), asked


def test_the_integration_run_starts_from_nothing():
    """An old build folder or page would pass for a new one."""
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    first = next(i for i, line in enumerate(commands) if line.startswith("rm -rf"))
    assert set(commands[first].split()[2:]) >= {"build", "*.egg-info", ".venv", "glassgrad-demo"}
    made = next(i for i, line in enumerate(commands) if "venv .venv" in line)
    assert first < made


@pytest.mark.parametrize("name", modules())
def test_every_example_in_the_docstrings_runs(name):
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    tests = finder.find(module, name)
    for function in vars(module).values():  # differentiable functions are objects, not functions
        if type(function).__name__ == "Differentiable" and function.__module__ == name:
            tests += finder.find(function.body, function.name, module=module)
    for test in tests:
        runner.run(test)
    assert runner.failures == 0
