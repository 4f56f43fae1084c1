"""Ranks of MPI: sums, bits of weights, and what happens when ranks differ or die."""

import re
import time

import pytest

from glassgrad.core.distributed import OneProcess
from glassgrad.core.distributed.mpi import SIZES, expect_all_seen, launched, patience
from glassgrad.kernels.errors import GlassgradError
from tests.core.distributed import on_ranks
from tests.core.distributed.starting import ROOT, started, why_no_mpi

pytestmark = pytest.mark.skipif(bool(why_no_mpi()), reason=why_no_mpi() or "MPI is here")
SCRIPT = str(ROOT / "tests/core/distributed/on_ranks.py")


def slow(*values):
    """A case that takes its seconds elsewhere."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow), 4])
def test_the_communicator_gives_what_it_must(ranks):
    done = started(ranks, SCRIPT, "check")
    assert done.stdout.split() == ["checked", str(ranks)], done.stderr


def test_two_and_four_ranks_train_to_the_weights_of_one():
    wanted = on_ranks.checksum(on_ranks.trained(OneProcess()))
    for ranks in (2, 4):
        done = started(ranks, SCRIPT, "train")
        assert done.stdout.split() == ["weights", str(wanted)], done.stderr


@pytest.mark.slow
def test_the_librarys_own_sum_trains_as_well():
    done = started(2, SCRIPT, "fast")
    assert done.returncode == 0 and done.stdout.split() == ["alike"], done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("settings", r"rank 1 differs from rank 0 in setting lr: 0\.02 there, 0\.01 on rank 0"),
        slow("weights", "rank 1 has other weights than rank 0 after 0 epochs"),
        slow("nan", "training diverged: loss is nan at epoch 1, batch 1"),
        slow("raise", "RuntimeError: only on this rank"),
        ("die", r"Killed \(signal 9\)|on signal 9"),  # MPICH's words, and Open MPI's
    ],
)
def test_one_rank_that_fails_ends_all_with_one_message(wrong, said):
    start = time.monotonic()
    done = started(2, SCRIPT, wrong, seconds=60)
    assert done.returncode != 0 and "weights" not in done.stdout
    assert time.monotonic() - start < 30
    output = done.stdout + done.stderr
    assert len(re.findall(said, output)) == 1, output
    assert done.stderr.count("glassgrad: ") == (wrong != "die"), output


def test_a_launcher_is_known_by_what_it_tells_its_processes():
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        assert launched({name: "2"}) and not launched({name: "1"}) and not launched({name: "x"})
    assert not launched({})


def test_ranks_that_do_not_see_each_other_are_refused():
    for name in SIZES:
        with pytest.raises(GlassgradError, match=r"srun needs --mpi=pmi2 .* or --mpi=pmix"):
            expect_all_seen(1, {name: "4"})
        expect_all_seen(2, {name: "2"})
        expect_all_seen(1, {name: "1"})


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan"])
def test_patience_is_a_number_of_seconds(text):
    with pytest.raises(GlassgradError, match="GLASSGRAD_PATIENCE must be a number of seconds"):
        patience({"GLASSGRAD_PATIENCE": text})
