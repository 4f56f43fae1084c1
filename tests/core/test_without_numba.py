"""Where Numba cannot be imported the formulas serve, one line says so, and nothing else changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
WITHOUT = CHECKOUT / "tests" / "without_numba"
SAID = (
    "glassgrad: Numba is not installed: kernels run as NumPy formulas (backend reference),"
    " which is slower\n"
)
NOT_OURS = ("test_without_numba.py", "test_meaning.py", "test_torch_files_hostile.py")
ENGINE = [  # but for readers of data, which run no kernel, what Numba compiles, hostile files
    f"tests/core/{path.name}"
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    if not path.name.startswith("test_data_") and path.name not in NOT_OURS
]


def run(*command, folder=CHECKOUT, timeout=120):
    path = os.pathsep.join([str(WITHOUT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True,
        timeout=timeout,
    )  # fmt: skip


def test_a_training_runs_on_the_formulas_and_one_line_says_so(tmp_path):
    command = ["-m", "glassgrad", "train", "lenet", "--set", "epochs=1", "channels=2", "padding=1"]
    done = run(*command, "hidden=8", "--quiet", "--out", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == SAID


def test_equal_to_the_reference_where_numba_is(tmp_path):
    program = """
import hashlib
import glassgrad as gg
with gg.backend("reference"):
    net = gg.nn.Sequential(gg.nn.Flatten(), gg.nn.Linear(64, 10, rng=gg.Generator(0)))
    gg.fit(net, "digits", epochs=1)
print(hashlib.sha256(net.state_dict()["1.weight"].tobytes()).hexdigest())
"""
    bare = run("-c", program)
    command = [sys.executable, "-c", program]
    full = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert bare.returncode == full.returncode == 0
    assert bare.stdout == full.stdout and len(bare.stdout) == 65


def test_what_asks_for_numba_is_refused_in_one_line():
    program = "import glassgrad as gg\nwith gg.backend('numba'): pass"
    last = run("-c", program).stderr.strip().splitlines()[-1]
    assert last.endswith("backend: 'numba' does not run here: Numba is not installed")
    done = run("-m", "glassgrad", "compile")
    assert done.returncode == 1
    assert done.stderr == (
        "glassgrad: compile: there is nothing to compile: Numba is not installed\n"
    )


def test_the_commands_say_what_is_not_here():
    listed = run("-m", "glassgrad", "kernels").stdout
    assert "Numba is not installed" in listed and "numba v" not in listed
    doctor = run("-m", "glassgrad", "doctor").stdout
    assert "gradients, reference" in doctor and "gradients, numba" not in doctor


@pytest.mark.parametrize("kind", ["ImportError", "AttributeError"])
def test_a_numba_that_cannot_be_loaded_is_named_with_its_reason(tmp_path, kind):
    (tmp_path / "numba").mkdir()
    reason = f'raise {kind}("Numba needs NumPy 2.4 or less. Got NumPy 3.0.")\n'
    (tmp_path / "numba" / "__init__.py").write_text(reason)
    program = "from glassgrad.kernels.numba_here import why_not; print(why_not())"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, env=env, capture_output=True, text=True
    )
    assert done.stdout == (
        "Numba cannot be imported (Numba needs NumPy 2.4 or less. Got NumPy 3.0.)\n"
    )


@pytest.mark.slow
def test_the_tests_of_the_engine_pass():
    done = run("-m", "pytest", "-m", "not slow", "-p", "no:cacheprovider", *ENGINE, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:]
