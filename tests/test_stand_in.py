"""The whole path of ``device="cuda"`` without a GPU: CuPy's rules, the emulator's arithmetic.

What a GPU computes is not known from this; that the engine puts every array where it belongs is.
"""

import json
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
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=1500
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "file, which",
    [  # that gradients are the reference's says all but how gradcheck moves its arrays
        ("tests/models/test_backends.py", "not finite_differences or LSTM"),
        ("tests/bench/test_large.py", ""),
    ],
)
def test_training_and_gradients_on_the_stand_in(file, which):
    marks = "gpu and not slow"
    done = run("-m", "pytest", "-p", "tests.fake_cupy", "-m", marks, "-k", which, file)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


@pytest.mark.slow
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


SMALL = """
import sys
from tests import fake_cupy; fake_cupy.install()
from glassgrad.bench import bandwidth, nearest_node, roofline, timing
from tests.bench.planted import LEAST
timing.QUICK, bandwidth.SIZE = LEAST, 1 << 14
nearest_node.N, nearest_node.NODES = 500, 64
roofline.SIZE["cuda"], roofline.COPIED["cuda"] = 64, 1 << 16
from glassgrad.cli import main
sys.exit(main(["bench", *sys.argv[1:], "--quick", "--backend", "cuda", "--peers", "none"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", [["kernels", "--case", "large,"], ["som", "--case", "on 100x100"]])
def test_what_is_measured_on_a_gpu_alone(what, tmp_path):
    """Each is verified before and after it is timed, and ends as a row."""
    path = tmp_path / "record.json"
    done = run("-c", SMALL, *what, "--json", str(path))
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads(path.read_text())["rows"]
    assert {r["backend"] for r in rows} == {"cuda"} and any(r["median"] for r in rows)
