"""The whole path of ``device="cuda"`` without a GPU: CuPy's rules, the emulator's arithmetic.

What a GPU computes is not known from this; that the engine puts every array where it belongs is.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.checking import why_no_emulator, why_no_gpu

pytestmark = pytest.mark.skipif(
    bool(why_no_emulator()) or not why_no_gpu(), reason="no compiler, or a real GPU is there"
)
ROOT = Path(__file__).parents[1]


def run(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=500
    )


@pytest.mark.slow
@pytest.mark.parametrize("file", ["tests/models/test_backends.py", "tests/bench/test_large.py"])
def test_training_and_gradients_on_the_stand_in(file):
    done = run("-m", "pytest", "-p", "tests.fake_cupy", "-m", "gpu and not slow", file)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


def test_the_command_line_on_the_stand_in(tmp_path):
    code = (
        "import sys; from tests import fake_cupy; fake_cupy.install();"
        "from glassgrad.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    start = ["train", "vae", "--data", "digits", "--device", "cuda", "--set", "epochs=1"]
    done = run("-c", code, *start, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.iterdir()
    for command in (["train", "--resume", str(made)], ["sample", str(made), "-n", "4"]):
        done = run("-c", code, *command)
        assert done.returncode == 0, done.stderr
