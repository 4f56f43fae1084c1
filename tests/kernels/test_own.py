"""Kernels in files and packages that are not ours join the registry."""

import importlib.metadata
import sys
import textwrap

import numpy as np
import pytest

from glassgrad.kernels import BackendError, backend, cases, implementations, notice, own, registry
from glassgrad.kernels.registry import dispatch, last_run
from glassgrad.testing import contract
from tests.tools import needs_numba, unregistered

HALF = """
import numpy as np
from glassgrad.kernels import Case, register

FACTOR = 0.5

@register("half", "forward", backend="reference", idea="the formula")
def forward(x):
    return x * x.dtype.type(FACTOR)

CASES = [Case("half", "forward", "N3", lambda draw, dtype: (draw(3),), flops=3, bytes=24)]
"""
FOLDER = {
    "__init__.py": "",
    "reference.py": """
        from glassgrad.kernels import register
        @register("thirds", "forward", backend="reference", idea="the formula")
        def forward(x):
            return x / 3
    """,
    "cpu.py": """
        from glassgrad.kernels import register
        from . import reference
        @register("thirds", "forward", backend="numba", idea="no loop at all")
        def forward(x):
            return reference.forward(x)
    """,
    "cases.py": """
        from glassgrad.kernels import Case
        CASES = [Case("thirds", "forward", "N3", lambda draw, dtype: (draw(3),), 3, 24)]
    """,
}


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setattr(notice, "_said", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    with unregistered():
        yield
    registry._announced.cache_clear()


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(textwrap.dedent(text))
    return folder


@pytest.fixture
def half(tmp_path):
    path = tmp_path / "half.py"
    path.write_text(HALF)
    return path


def test_a_file_registers_an_operation(half):
    assert own.opened(half) == own.opened(f"{half}:half") == ["half"]
    assert own.opened(f"{half}:half.forward") == ["half.forward"]
    assert [r.name for r in implementations("half")] == ["half.forward[reference v1]"]
    assert [c.name for c in cases("half")] == ["N3"]
    assert registry.operations()[-1] == "half" and implementations()[-1].op == "half"


@needs_numba
def test_its_default_on_the_cpu_is_what_it_has(half):
    own.opened(half)
    x = np.ones(3, "float32")
    assert dispatch("half", "forward", x).tolist() == [0.5] * 3
    assert last_run().backend == "reference"
    with backend("numba"), pytest.raises(BackendError, match="no implementation on backend 'numba"):
        dispatch("half", "forward", x)  # asked for, there is no fallback
    registry.register("half", "forward", backend="numba", idea="planted")(lambda x: x)
    dispatch("half", "forward", x)
    assert last_run().backend == "numba"


@needs_numba
def test_a_folder_is_loaded_by_parts(tmp_path):
    folder = write(tmp_path / "thirds", FOLDER)
    assert own.opened(folder) == own.opened(f"{folder}/:thirds") == ["thirds"]
    x = np.ones(3, "float32")
    assert np.array_equal(dispatch("thirds", "forward", x), x / 3)
    assert last_run().name == "thirds.forward[numba v1]"
    assert [r.backend for r in implementations("thirds")] == ["reference", "numba"]
    assert [c.op for c in cases("thirds", "forward")] == ["thirds"]


@needs_numba
@pytest.mark.parametrize("imported", [False, True])
def test_the_contract_of_a_folder_finds_its_parts(tmp_path, monkeypatch, imported):
    folder = write(tmp_path / "thirds", FOLDER)
    (folder / "cuda.cu").write_text("__global__ void k(float* y) {}")
    (folder / "cuda.py").write_text(
        "from glassgrad.kernels import Source\nsource = Source(__file__)\n"
        '@source.implements("thirds", "forward", idea="not written yet")\n'
        "def forward_v1(x):\n    raise NotImplementedError\n"
    )
    what = folder
    if imported:
        monkeypatch.syspath_prepend(tmp_path)
        import thirds as what
    (mark,) = contract(what).pytestmark
    names = {p.id for p in mark.args[1]}
    assert {"thirds-complete", "thirds.forward[numba v1]-N3", "cuda.cu-sm_80"} <= names
    assert "thirds.forward[emulated v1]-N3-findings" in names
    for name in [n for n in sys.modules if n.partition(".")[0] == "thirds"]:
        del sys.modules[name]


def test_a_file_that_changes_is_executed_again(half):
    x = np.ones(1, "float32")
    own.opened(half)
    assert dispatch("half", "forward", x) == [0.5]
    first = len(sys.modules)
    own.opened(half)
    assert len(sys.modules) == first
    half.write_text(HALF.replace("0.5", "0.25"))
    assert own.opened(half) == ["half"] and dispatch("half", "forward", x) == [0.25]
    half.write_text(HALF.replace('"half"', '"quarter"'))
    assert own.opened(half) == ["quarter"]
    with pytest.raises(BackendError, match="unknown operation 'half'"):
        implementations("half")


def test_a_file_that_the_program_has_imported_is_not_executed_twice(half, monkeypatch):
    monkeypatch.syspath_prepend(half.parent)
    half.rename(half.with_name("half_of_it.py"))
    import half_of_it

    try:
        assert own.opened(half.with_name("half_of_it.py")) == ["half"]
        (record,) = implementations("half")
        assert record.function is half_of_it.forward
    finally:
        del sys.modules["half_of_it"]


@needs_numba
def test_a_version_may_be_added_to_an_operation_of_ours(tmp_path):
    path = tmp_path / "mine.py"
    text = HALF.replace(
        '"half", "forward", backend="reference"', '"lrn", "forward", version=9, backend="numba"'
    )
    path.write_text(text.partition("CASES")[0])
    assert own.opened(path) == ["lrn"]
    assert max(r.version for r in implementations("lrn", "forward", "numba")) == 9
    assert registry.home("lrn") == "glassgrad.kernels.lrn" and cases("lrn", "forward")


@pytest.mark.parametrize(
    "text, name, says",
    [
        (None, "half.py", "cannot read .*half.py: No such file"),
        ("x = 1", "half.py", "half.py registers no kernel: nothing there calls @register"),
        (HALF, "half.py:hafl", "registers no 'hafl'; did you mean 'half'"),
        (HALF, "half.py:xyz", r"registers no 'xyz' \(it registers half\)"),
        (None, "half/", "cannot read .*half: No such file"),
    ],
)
def test_what_is_no_file_of_kernels(tmp_path, text, name, says):
    if text is not None:
        (tmp_path / "half.py").write_text(text)
    with pytest.raises(BackendError, match=says):
        own.opened(f"{tmp_path}/{name}")


def test_what_a_file_raises_is_raised_and_leaves_nothing(half):
    half.write_text(HALF + "\n1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        own.opened(half)
    assert not [n for n in sys.modules if n.startswith("own_half")]
    half.write_text(HALF)
    assert own.opened(half) == ["half"]


def test_cases_are_asked_for(half):
    half.write_text(HALF.partition("CASES")[0])
    own.opened(half)
    with pytest.raises(BackendError, match=r"half: .*half.py needs CASES, a list of glassgrad"):
        cases("half")


def test_two_files_cannot_have_one_version(half, tmp_path):
    own.opened(half)
    other = tmp_path / "other.py"
    other.write_text(HALF)
    with pytest.raises(BackendError, match=r"half.forward\[reference v1\] is registered twice"):
        own.opened(other)


def announce(monkeypatch, folder, *entries):
    """Installed packages of these entry points."""
    found = [importlib.metadata.EntryPoint(name, value, registry.GROUP) for name, value in entries]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)
    monkeypatch.syspath_prepend(folder)
    registry._announced.cache_clear()


@needs_numba
def test_packages_announce_operations(monkeypatch, tmp_path):
    write(tmp_path, {"announced_half.py": HALF})
    write(tmp_path / "announced_thirds", FOLDER)
    entries = ("half", "announced_half"), ("thirds", "announced_thirds")
    announce(monkeypatch, tmp_path, *entries)
    try:
        assert registry.operations()[-2:] == ("half", "thirds")
        assert not {m for m in sys.modules if m.startswith("announced_")}  # only when asked for
        x = np.ones(3, "float32")
        assert dispatch("half", "forward", x).tolist() == [0.5] * 3
        assert np.array_equal(dispatch("thirds", "forward", x), x / 3)
        assert {r.op for r in implementations(backend="reference")} >= {"half", "thirds", "lrn"}
        assert [c.name for c in cases("thirds")] == ["N3"]
    finally:
        for name in [m for m in sys.modules if m.startswith("announced_")]:
            del sys.modules[name]


def test_a_package_that_is_broken_hides_no_other(monkeypatch, tmp_path, capsys):
    write(tmp_path, {"broken_kernels.py": "import nothing_like_that"})
    announce(monkeypatch, tmp_path, ("broken", "broken_kernels"), ("conv2d", "broken_kernels"))
    assert {r.op for r in implementations(backend="reference")} == {*registry.OPERATIONS}
    said = capsys.readouterr().err
    assert said.count("broken: a package cannot be imported: ModuleNotFoundError") == 1
    assert "a package announces a kernel 'conv2d', which there is already" in said
    with pytest.raises(BackendError, match="broken: a package cannot be imported"):
        implementations("broken")


@needs_numba
def test_a_file_executed_without_being_a_module_hides_no_other(half):
    """As runpy, exec and module_from_spec do."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("nowhere_half", half)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert "nowhere_half" not in sys.modules
    assert [r.backend for r in implementations("half")] == ["reference"]
    assert {r.op for r in implementations(backend="reference")} == {*registry.OPERATIONS, "half"}
    assert dispatch("half", "forward", np.ones(1, "float32")).tolist() == [0.5]
    with pytest.raises(BackendError, match="half: nowhere_half cannot be imported: ModuleNotF"):
        cases("half")


@needs_numba
@pytest.mark.parametrize("raises", ["1 / 0", "import nothing_like_that", "x ="])
def test_a_part_that_is_broken_hides_no_other(monkeypatch, tmp_path, capsys, raises):
    write(tmp_path / "broken_thirds", {**FOLDER, "cpu.py": raises, "cases.py": raises})
    announce(monkeypatch, tmp_path, ("thirds", "broken_thirds"))
    try:
        assert {r.op for r in implementations(backend="numba")} == {*registry.OPERATIONS}
        assert "thirds: broken_thirds.cpu cannot be imported: " in capsys.readouterr().err
        with pytest.raises(BackendError, match=r"thirds: broken_thirds.cpu cannot be imported: "):
            implementations("thirds")
        with pytest.raises(BackendError, match=r"thirds: broken_thirds.cases cannot be imported"):
            cases("thirds")
        assert implementations("thirds", backend="reference")
    finally:
        for name in [m for m in sys.modules if m.startswith("broken_thirds")]:
            del sys.modules[name]
