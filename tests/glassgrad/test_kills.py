"""Twenty kills of random ranks: no run is lost, nothing hangs, the weights are those of no kill.

Places are drawn from the seed of a case (dying.py), so that a failure can be repeated.
"""

import os
import random
import subprocess
import sys

import pytest

from glassgrad import models, training
from glassgrad.core.training.checkpoint import load_arrays
from tests.core.distributed.starting import ROOT, why_no_mpi
from tests.glassgrad.dying import KILL
from tests.tools import without_compiling

SETTINGS = {
    "vae": {"hidden": (8, 8), "batch": 400, "epochs": 40},  # with noise, four steps an epoch
    "lenet": {"batch": 400, "epochs": 10},
    "som": {"form": "batch", "rows": 5, "columns": 5, "epochs": 80},
}
LATEST = {"vae": 150, "lenet": 50, "som": 150}  # moments; after all kills there are steps left
CASES = [  # system, ranks, shards, kills, seed; without a power of two sums go another way
    ("vae", 2, 3, 4, 1),
    ("vae", 4, 4, 3, 2),
    ("lenet", 2, 2, 3, 3),
    ("lenet", 4, 4, 3, 4),
    ("som", 2, 4, 4, 5),
    ("som", 4, 5, 3, 6),
]


def test_the_cases_are_twenty_kills():
    assert sum(kills for *_, kills, _ in CASES) == 20


def ended(*arguments, seconds, **environment):
    """(exit code, errors) of a command on ranks, which has to end within so many seconds."""
    line = [sys.executable, "-m", "tests.glassgrad.dying", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=seconds
    )
    return done.returncode, without_compiling(done.stderr)


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_mpi()), reason=why_no_mpi() or "MPI is here")
@pytest.mark.parametrize(("name", "ranks", "shards", "kills", "seed"), CASES)
def test_kills_of_random_ranks_lose_nothing(name, ranks, shards, kills, seed, tmp_path):
    changes, draw = {**SETTINGS[name], "shards": shards}, random.Random(seed)
    words = [f"{k}={list(v) if isinstance(v, tuple) else v}" for k, v in changes.items()]
    new = ["train", name, "--set", *words, "--out", tmp_path / "runs"]
    alone = training.train(models.recipe(name), overrides=changes, out=tmp_path / "alone").run
    places = []
    for _ in range(kills):
        places.append(f"{draw.randrange(ranks)} {draw.randint(1, LATEST[name])}")
        code, err = ended(*_on(new, tmp_path, ranks), seconds=60, **{KILL: places[-1]})
        assert code == 1 and len(err.splitlines()) == 1, (places, err)
        assert "a rank was ended by SIGKILL, and mpiexec ended the others" in err, places
    code, err = ended(*_on(new, tmp_path, ranks), seconds=120)
    assert code == 0, (places, err)
    (run,) = (tmp_path / "runs").iterdir()
    found, wanted = (load_arrays(r / "checkpoint.safetensors")[0] for r in (run, alone.folder))
    assert found.keys() == wanted.keys(), places
    assert [k for k in wanted if found[k].tobytes() != wanted[k].tobytes()] == [], places


def _on(new: list, tmp_path, ranks: int) -> list:
    """The command that goes on with the run below, or begins where there is none."""
    runs = [p for p in tmp_path.glob("runs/*") if (p / "config.json").exists()]
    assert len(runs) <= 1, "a run was lost: another one has begun"
    begin = ["train", "--resume", runs[0]] if runs else new
    return [*begin, "--ranks", ranks, "--quiet"]
