"""The weights of seven systems on 1, 2 and 4 ranks, of two libraries of MPI, killed and not.

All in four shards, and so all with the same bits. `python -m tests.models.test_table_of_ranks`
prints the table.
"""

import tempfile

import pytest

from glassgrad.core.distributed import OneProcess
from tests.core.distributed.starting import started, why_not
from tests.models.table_on_ranks import SYSTEMS, digests

SCRIPT = ("-m", "tests.models.table_on_ranks")
LAYOUTS = [("", 1), *((name, ranks) for name in ("mpich", "openmpi") for ranks in (2, 4))]


def column(library: str, ranks: int, kills: bool) -> dict[str, str]:
    """System -> the digest of its weights. With `kills` each loses a rank once, and goes on."""
    deadly = {name: (3 * i + 1) % ranks for i, name in enumerate(SYSTEMS)} if kills else {}
    words = [f"{name}:{rank}" for name, rank in deadly.items()]
    with tempfile.TemporaryDirectory() as folder:
        for _ in deadly:
            done = started(ranks, *SCRIPT, folder, *words, library=library)
            assert done.returncode != 0, done.stdout
        done = started(ranks, *SCRIPT, folder, *words, library=library)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return digests(tmp_path_factory.mktemp("alone"), OneProcess())


@pytest.mark.slow
@pytest.mark.parametrize("kills", [False, True], ids=["undisturbed", "killed"])
@pytest.mark.parametrize(("library", "ranks"), LAYOUTS)
def test_every_layout_leaves_the_weights_of_one_process(library, ranks, kills, alone):
    if library and why_not(library):
        pytest.skip(why_not(library))
    assert column(library, ranks, kills) == alone


@pytest.mark.slow
def test_other_shards_leave_other_weights_so_that_the_table_can_differ(alone, tmp_path):
    found = digests(tmp_path, OneProcess(), shards=2)
    assert all(found[name] != alone[name] for name in SYSTEMS)


if __name__ == "__main__":
    print("ranks", "killed", *(f"{name:16}" for name in SYSTEMS))
    for library, ranks in LAYOUTS:
        if reason := library and why_not(library):
            print(reason)
            continue
        for kills in (False, True):
            found = column(library, ranks, kills)
            print(f"{ranks} {library:8}", "yes" if kills else "no ", *found.values(), flush=True)
