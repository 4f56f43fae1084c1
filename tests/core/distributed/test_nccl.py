"""NCCL's communicator on stand-ins for CuPy and NCCL: which calls it makes, and their results.

No machine with two GPUs has run it.
"""

import inspect
import json
import subprocess
import sys

import pytest

from tests.core.distributed import fake_nccl
from tests.core.distributed.starting import ROOT
from tests.kernels.checking import why_no_emulator, why_no_gpu

pytestmark = pytest.mark.skipif(not why_no_gpu(), reason="a real GPU is there")


def on_stand_ins(*words):
    """What on_gpus.py prints."""
    script = [sys.executable, "-m", "tests.core.distributed.on_gpus", *map(str, words)]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("ranks", "shards"), [(2, 2), (4, 4), (3, 5), (2, 5)])
def test_sums_on_gpus_have_the_bits_of_the_tree(ranks, shards):
    for bits, fast, host, sent in on_stand_ins("sums", ranks, shards):
        assert bits and fast and host and sent > 0


def test_a_machine_with_fewer_gpus_than_ranks_is_refused():
    for said in on_stand_ins("too_many"):
        assert said.endswith("has 2 ranks and 1 GPUs: NCCL takes one rank a GPU")


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "it runs")
def test_two_gpus_train_to_the_weights_of_one():
    (alone,) = on_stand_ins("trained", 1)
    for reduce in ("ordered", "fast"):  # which is the sum of two numbers, in either way
        for found in on_stand_ins("trained", 2, reduce):
            assert found == alone


def test_the_stand_in_has_the_parameters_of_the_wheel():
    for name, wanted in fake_nccl.WHEEL.items():
        method = getattr(fake_nccl.NcclCommunicator, name)
        assert tuple(inspect.signature(method).parameters)[1:] == wanted
    nccl = pytest.importorskip(
        "cupy.cuda.nccl", reason="CuPy's wheel is not here", exc_type=ImportError
    )
    for name, wanted in fake_nccl.WHEEL.items():
        said = getattr(nccl.NcclCommunicator, name).__doc__
        assert said and all(parameter in said for parameter in wanted)
