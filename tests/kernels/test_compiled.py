"""Machine code on disk: found again, never stale, never another package's, never in the way.

Each test runs a copy of the kernels in processes of its own, with its own places for caches.
"""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from glassgrad.kernels import cache, compiled

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
DROPOUT = """
import numpy as np
from {package} import dropout
print(dropout.forward(np.ones(64), 0.5, 3, 0).astype(int).tolist())
from {package}.dropout import cpu
print(sum(cpu._forward.stats.cache_hits.values()))
"""


@pytest.fixture
def copy(tmp_path):
    """The kernels as glassgrad.kernels, in a folder that cannot take Numba's in-tree cache."""
    root = tmp_path / "site"
    shutil.copytree(KERNELS, root / "glassgrad/kernels", ignore=lambda *_: ["__pycache__"])
    (root / "glassgrad/__init__.py").write_text("")
    for family in [root / "glassgrad/kernels", *(root / "glassgrad/kernels").iterdir()]:
        if family.is_dir():
            (family / "__pycache__").write_text("a file where a folder should be")
    return root


def run(root: Path, code: str, **places: str) -> list[str]:
    """The printed lines of `code`, run with nothing but `places` to write to."""
    env = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    env |= {"HOME": str(root / "no home"), "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= places
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def dropout(root: Path, package: str = "glassgrad.kernels", **places: str) -> tuple[str, int]:
    """The numbers that dropout gives, and how many of its functions came from the disk."""
    numbers, hits = run(root, DROPOUT.format(package=package), **places)
    return numbers, int(hits)


@pytest.mark.slow
def test_compiled_code_is_found_again(copy, tmp_path):
    place = str(tmp_path / "cache")
    first, second = (dropout(copy, NUMBA_CACHE_DIR=place) for _ in range(2))
    assert (first[1], second[1]) == (0, 1) and first[0] == second[0]
    (folder,) = (tmp_path / "cache").iterdir()
    assert folder.name.startswith("glassgrad-numba-")


@pytest.mark.slow
def test_a_change_in_another_file_is_seen_at_once(copy, tmp_path):
    """Dropout has the Philox block of philox/cpu.py compiled into it."""
    place = str(tmp_path / "cache")
    before, _ = dropout(copy, NUMBA_CACHE_DIR=place)
    source = copy / "glassgrad/kernels/philox/cpu.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("in range(10)", "in range(7)"), encoding="utf-8")
    changed, hits = dropout(copy, NUMBA_CACHE_DIR=place)
    assert changed != before and hits == 0
    source.write_text(text, encoding="utf-8")
    assert dropout(copy, NUMBA_CACHE_DIR=place) == (before, 1)


@pytest.mark.slow
def test_the_folder_imported_as_a_plain_package_poisons_nothing(copy, tmp_path):
    place = str(tmp_path / "cache")
    inside = str(copy / "glassgrad")
    plain, _ = dropout(copy, "kernels", NUMBA_CACHE_DIR=place, PYTHONPATH=inside)
    assert dropout(copy, NUMBA_CACHE_DIR=place) == (plain, 0)


def test_nothing_can_be_written_at_all(copy):
    code = "import tempfile; tempfile.tempdir = '/proc/nonexistent'\n" + DROPOUT
    code = code.format(package="glassgrad.kernels") + (
        "from glassgrad.kernels.compiled import cache_folder; print(cache_folder())"
    )
    nowhere = {"NUMBA_CACHE_DIR": "/proc/nonexistent", "XDG_CACHE_HOME": "/proc/nonexistent"}
    numbers, hits, folder = run(copy, code, **nowhere)
    assert len(numbers) == len(str([0] * 64)) and (hits, folder) == ("0", "None")
    assert not (copy / "no home").exists()


FOLDER = "from glassgrad.kernels.compiled import cache_folder; print(cache_folder())"


def test_where_the_code_is_kept(copy, tmp_path):
    """The place asked for, else the user's cache, else a private temporary folder."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    rest = {"TMPDIR": str(temporary)}

    def parent(**places):
        (line,) = run(copy, FOLDER, **places, **rest)
        return Path(line).parent

    chosen, xdg = tmp_path / "chosen", tmp_path / "xdg"
    assert parent(NUMBA_CACHE_DIR=str(chosen), HOME=str(home)) == chosen
    assert parent(XDG_CACHE_HOME=str(xdg), HOME=str(home)) == xdg / "glassgrad"
    assert parent(XDG_CACHE_HOME="relative", HOME=str(home)) == home / ".cache/glassgrad"
    private = parent()
    assert private.parent == temporary
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_a_temporary_folder_that_others_can_write_is_not_used(tmp_path, monkeypatch):
    """What lies in the cache is run: a folder laid out by somebody else must not be trusted."""
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    places = [(cache.temporary_folder, "x")]
    mine = cache.private_folder(places)
    assert mine is not None and mine.parent.parent == tmp_path
    mine.parent.chmod(0o777)
    assert cache.private_folder(places) is None
    mine.rmdir()
    mine.parent.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o777)
    (tmp_path / "elsewhere").chmod(0o777)
    mine.parent.symlink_to(tmp_path / "elsewhere")
    assert cache.private_folder(places) is None


def test_old_folders_are_removed_and_others_left(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.config, "CACHE_DIR", str(tmp_path))
    names = [f"glassgrad-numba-{i:016x}" for i in range(5)]
    others = ["glassgrad-numba-mine", "numba-0000000000000000", "notes"]
    for age, name in enumerate([*names, *others]):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    folder = compiled.cache_folder.__wrapped__()
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {folder.name, names[0], names[1], *others}


def test_the_users_own_functions_keep_their_setting():
    setting = str(compiled.config.CACHE_DIR)

    @compiled.njit(fastmath=True)
    def twice(x):
        return 2 * x

    assert (twice(21), str(compiled.config.CACHE_DIR)) == (42, setting)


def test_the_key_is_cheap():
    """It is paid when the first kernel of a process is loaded."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        compiled.key()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2e-2, seconds


def test_no_kernel_assigns_a_slice_to_a_slice():
    """For `a[i:j] = b` Numba compiles a check of the shapes with its message: 2 s each."""
    import ast

    found = []
    for path in sorted(KERNELS.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            marks = [ast.unparse(d) for d in getattr(function, "decorator_list", ())]
            if not any(m.startswith(("njit", "vectorised", "summing")) for m in marks):
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Assign | ast.AugAssign):
                    continue
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                slices = any(
                    isinstance(t, ast.Subscript) and ":" in ast.unparse(t.slice) for t in targets
                )
                number = not isinstance(node.value, ast.Subscript | ast.Tuple | ast.Name)
                if slices and not (number and isinstance(node, ast.Assign)):
                    found.append(f"{path.name}: {ast.unparse(node)}")
    # one number from an array, written into every place of a slice, needs no check
    assert found == ["cpu_v2_one_pass.py: spread[n * columns:(n + 1) * columns] = gkl[row + n]"]
