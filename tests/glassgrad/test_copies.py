"""Which copy is imported: with `pip install .`, with `-e`, with nothing installed; here and there.

Each copy is imported whole, from one folder, every file under one name.
"""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bench", "core", "glassgrad", "kernels", "models")
CHECKOUT = ("emulator", "predictions")  # of bench/: for the notes of a checkout
SHIPPED = "glassgrad/core/data/shipped/"
PAGES = ("README.md", "CHANGELOG.md", "LECTURES.md", "LICENSE", "Makefile")
COPIED = (*ROOMS, *PAGES, "tests", "setup.py", "pyproject.toml", "MANIFEST.in")

# The files of the modules that a process has imported, and of those that a child of multiprocessing
# has, which starts from nothing; and of one that is only looked for.
PROBE = """
import concurrent.futures, importlib.util, json, multiprocessing, sys

def seen(_=None):
    import glassgrad, glassgrad.bench.suite, glassgrad.cli, glassgrad.models
    return {n: m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] == "glassgrad"}

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawn) as pool:
        child = pool.submit(seen).result()
    later = importlib.util.find_spec("glassgrad.bench.gpu").origin
    print(json.dumps({"here": seen(), "child": child, "later": later}))
"""


class Environment:
    """A virtual environment with the packages of this one, but not with this one's glassgrad."""

    def __init__(self, folder: Path):
        venv.create(folder, symlinks=True)
        self.python, self.script = folder / "bin/python", folder / "bin/glassgrad"
        self.packages = next(folder.glob("lib/*/site-packages"))
        others = [p for p in sys.path if p.endswith("site-packages")]
        if any((Path(p) / "glassgrad").is_dir() for p in others):
            pytest.skip("glassgrad is installed among the packages that it needs")
        # a path in a .pth file is searched, its own .pth files (an editable install) are not read
        (self.packages / "others.pth").write_text("\n".join(others))

    def run(self, *argv, where: Path, code: int = 0, **options) -> str:
        done = subprocess.run(
            [str(a) for a in argv], cwd=where, capture_output=True, text=True, **options
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    def pip(self, *argv, where: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--quiet", "install"]
        self.run(*pip, "--no-deps", "--no-index", *argv, where=where)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A checkout of its own, in a folder whose name is not plain."""
    folder = tmp_path_factory.mktemp("check out ü")
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    """The wheel of the checkout, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"  # building leaves folders behind
    shutil.copytree(source, copy)
    return built(copy, folder)


def built(source: Path, folder: Path) -> Path:
    """The wheel of a folder of sources, in `folder`."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder]
    done = subprocess.run([*pip, "--no-build-isolation", source], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no wheel can be built here: {done.stderr.strip()[-200:]}")
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """`pip install .`, as README's first command does."""
    made = Environment(tmp_path_factory.mktemp("installed"))
    made.pip(wheel, where=wheel.parent)
    return made


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The packages that glassgrad needs, and no glassgrad."""
    return Environment(tmp_path_factory.mktemp("bare"))


def assert_whole(environment, where: Path, inside: Path, **options) -> None:
    """A process started in `where` imports everything from `inside`, and nothing twice."""
    (environment.packages / "probe.py").write_text(PROBE)
    out = environment.run(environment.python, "-m", "probe", where=where, **options)
    found = json.loads(out)
    for modules in (found["here"], found["child"]):
        assert len(modules) > 100
        assert {Path(f).is_relative_to(inside) for f in modules.values()} == {True}
        assert len(set(modules.values())) == len(modules)
    assert Path(found["later"]).is_relative_to(inside)


def version(environment, where: Path) -> str:
    return environment.run(environment.python, "-m", "glassgrad", "--version", where=where)


def test_installed_and_in_the_checkout_it_is_the_checkouts(installed, source):
    assert_whole(installed, source, source)
    assert version(installed, source) == f"glassgrad 0.1.0, checkout {source}\n"


@pytest.mark.parametrize("inside", [True, False])
def test_readmes_python_runs_after_readmes_install(installed, source, tmp_path, inside):
    readme, where = (ROOT / "README.md").read_text("utf-8"), source if inside else tmp_path
    for kind, code in re.findall(r"```(python|cuda)\n(.*?)```", readme, re.S):
        named = re.match(r"(?:#|//) (\w+\.\w+)", code)  # a file, with what it takes next to it
        if named:
            (where / named[1]).write_text(code)
        if kind == "cuda":
            continue
        script = named[1] if named else "-"
        out = installed.run(installed.python, "-W", "error", script, where=where, input=code)
        assert "print(t)" not in code or "linear" in out  # the trace


def test_installed_and_elsewhere_it_is_the_installed_one(installed, tmp_path):
    inside = installed.packages / "glassgrad"
    assert_whole(installed, tmp_path, inside)
    assert version(installed, tmp_path) == f"glassgrad 0.1.0, installed in {inside}\n"


def test_the_installed_command_is_the_installed_one_everywhere(installed, source, tmp_path):
    for where in (source, tmp_path):
        out = installed.run(installed.script, "--version", where=where)
        assert out == f"glassgrad 0.1.0, installed in {installed.packages / 'glassgrad'}\n"


def test_not_installed(bare, source, tmp_path):
    assert_whole(bare, source, source)
    assert_whole(bare, tmp_path, source, env={"PYTHONPATH": str(source), "HOME": str(tmp_path)})
    err = bare.run(bare.python, "-m", "glassgrad", where=tmp_path, code=1)
    assert "No module named glassgrad" in err


@pytest.mark.slow
def test_an_editable_install(source, tmp_path, tmp_path_factory):
    """Of this checkout: the same files from everywhere. In another checkout: that one's, whole."""
    made = Environment(tmp_path_factory.mktemp("editable"))
    linked = tmp_path / "linked"
    shutil.copytree(source, linked)
    made.pip("--no-build-isolation", "-e", linked, where=tmp_path)
    for where in (linked, tmp_path):
        assert_whole(made, where, linked)
        assert version(made, where) == f"glassgrad 0.1.0, checkout {linked}\n"
    assert_whole(made, source, source)


def test_foreign_folders_next_to_the_installed_package_stay_foreign(installed, tmp_path):
    """Other packages may have a core/ in site-packages."""
    for name in ("core", "kernels", "extra"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    shutil.copytree(installed.packages / "glassgrad", tmp_path / "glassgrad")
    assert_whole(installed, tmp_path, tmp_path / "glassgrad")
    err = installed.run(installed.python, "-c", "import glassgrad.extra", where=tmp_path, code=1)
    assert "No module named 'glassgrad.extra'" in err


@pytest.mark.parametrize("name", ["glassgrad", "setup", "tests"])
def test_the_checkout_finds_its_rooms_and_nothing_next_to_them(bare, source, name):
    err = bare.run(bare.python, "-c", f"import glassgrad.{name}", where=source, code=1)
    assert f"No module named 'glassgrad.{name}'" in err


def test_the_wheel_holds_every_package_and_file_but_the_checkouts_own(wheel):
    """An editable install finds what a wheel has forgotten, and what it must do without."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in ROOT.glob("*/**/*"):
        room, *rest = path.relative_to(ROOT).parts
        if room in ROOMS and path.suffix in {".py", ".html", ".css", ".js", ".cu", ".cuh", ".h"}:
            inside = "/".join(rest if room == "glassgrad" else (room, *rest))
            own = room == "bench" and rest[0] in CHECKOUT
            assert (f"glassgrad/{inside}" in names) is not own, path
    results = [n for n in names if n.startswith("glassgrad/bench/results")]
    others = (n for n in names if not n.startswith(SHIPPED))
    assert not results and not any(n.endswith((".json", ".md", ".png", ".svg")) for n in others)


def test_the_source_distribution_gives_the_same_wheel_and_its_tests_run(source, wheel, tmp_path):
    copy = tmp_path / "source"
    shutil.copytree(source, copy)
    build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(copy)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = (p for p in tmp_path.iterdir() if p.is_dir())
    assert set(COPIED) <= {p.name for p in unpacked.iterdir()}
    assert not list(unpacked.rglob("*.pyc"))
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/core/test_tape.py"]
    done = subprocess.run(tests, cwd=unpacked, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(built(unpacked, tmp_path)) as other:
        assert contents(one) == contents(other)


def contents(archive: zipfile.ZipFile) -> dict[str, int]:
    """The files of a wheel with their check sums; RECORD is in another order."""
    return {i.filename: i.CRC for i in archive.infolist() if not i.filename.endswith("RECORD")}


def test_the_wheel_holds_the_small_data_sets_in_less_than_four_megabytes(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {n: archive.read(n) for n in archive.namelist() if n.startswith(SHIPPED)}
        size = sum(archive.getinfo(n).compress_size for n in packed)
    folder = ROOT / "core" / "data" / "shipped"
    there = {p for p in folder.rglob("*") if p.is_file()}
    assert packed == {SHIPPED + p.relative_to(folder).as_posix(): p.read_bytes() for p in there}
    assert 1_000_000 < size < 4_000_000


def test_what_is_installed_has_data_of_its_own(installed, tmp_path):
    code = "from glassgrad.core import data as d; print(d.available('fsdd_piece'), d.available("
    code += "'fsdd'), len(d.load('fsdd_piece').train), d.load('karate').info.source)"
    out = installed.run(
        installed.python, "-c", code, where=tmp_path, env={"XDG_CACHE_HOME": str(tmp_path)}
    )
    folder = installed.packages / "glassgrad/core/data/shipped/small_graphs"
    assert out == f"shipped None 180 {folder}\n"


def test_what_the_wheel_leaves_out_is_read_by_nothing_in_it(wheel):
    """Of bench/ the commands' own imports, and the modules that they start by name."""
    for name in zipfile.ZipFile(wheel).namelist():
        if name.endswith(".py"):
            text = zipfile.ZipFile(wheel).read(name).decode()
            assert not re.search(rf"bench\.({'|'.join(CHECKOUT)})\b", text), name
            if name.startswith("glassgrad/bench/"):
                assert not re.search(rf"from \.+({'|'.join(CHECKOUT)})\b", text), name
                assert not re.search(rf"from \.+ import .*\b({'|'.join(CHECKOUT)})\b", text), name


def test_wheel_and_sdist_say_that_they_have_types(wheel, source, tmp_path):
    assert "glassgrad/py.typed" in zipfile.ZipFile(wheel).namelist()
    copy = tmp_path / "source"  # building leaves folders behind
    shutil.copytree(source, copy)
    code = f"from setuptools import build_meta as b; print(b.build_sdist({str(tmp_path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True)
    name = done.stdout.split()[-1]
    with tarfile.open(tmp_path / name) as archive:
        members = archive.getnames()
    assert f"{name.removesuffix('.tar.gz')}/glassgrad/py.typed" in members


@pytest.mark.slow
def test_a_type_checker_finds_the_types_of_what_is_installed(installed, tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text("import glassgrad as gg\nx: int = gg.mean(gg.ones(2))\n")
    command = [sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache", "use.py"]
    command += ["--python-executable", installed.python]
    done = subprocess.run(map(str, command), cwd=tmp_path, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1 and errors[0].startswith("use.py:2: error: Incompatible types"), errors
