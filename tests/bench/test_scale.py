"""`glassgrad bench scale`: the model of messages and steps, and the measurement itself."""

import json
from itertools import pairwise

import numpy as np
import pytest

from glassgrad import cli
from glassgrad.bench.scale.model import (
    NETWORK,
    RANKS,
    Link,
    Step,
    at_root,
    efficiency,
    fit,
    limit,
    ordered,
    parts,
    ring,
)
from tests.core.distributed.starting import why_no_mpi
from tests.core.distributed.threads import on_ranks, shard

LINK = Link(2e-6, 1e-9)


def test_the_fit_finds_the_link_behind_noisy_times():
    sizes = np.array([0, 1e3, 1e4, 1e5, 1e6, 1e7])
    noise = 1 + 0.03 * np.random.default_rng(0).standard_normal(6)
    found = fit(sizes, (LINK.alpha + sizes * LINK.beta) * noise)
    assert found.alpha == pytest.approx(LINK.alpha, rel=0.1)
    assert found.beta == pytest.approx(LINK.beta, rel=0.1)


@pytest.mark.parametrize("ranks", [2, 3, 4, 5, 8])
def test_messages_and_bytes_are_those_that_the_sum_sends(ranks):
    """With α = 1 and β = 0 the model counts rounds, with α = 0 and β = 1 bytes of one rank."""
    n = 64

    def work(world):
        rounds, send = [], world.send

        def counted(array, to, *tag):
            rounds.append(array.nbytes)
            send(array, to, *tag)

        world.send = counted
        first = world.shards_of(ranks).start
        world.ordered_sum({(first, first + 1): shard(world.rank, n)}, ranks)
        return rounds

    sent = on_ranks(ranks, work)
    if ranks & (ranks - 1) == 0:
        assert {len(row) for row in sent} == {ordered(Link(1, 0), ranks, 4 * n)}
        assert {sum(row) for row in sent} == {ordered(Link(0, 1), ranks, 4 * n)}
    else:  # the busiest path: up the tree, and back
        assert ordered(Link(1, 0), ranks, 4 * n) == 2 * (ranks - 1).bit_length()
        assert max(map(len, sent)) <= ordered(Link(1, 0), ranks, 4 * n)


def test_the_ordered_sum_has_the_bytes_of_a_ring_and_fewer_latencies():
    for p in RANKS[1:]:
        assert ordered(Link(0, 1e-9), p, 1e6) == pytest.approx(ring(Link(0, 1e-9), p, 1e6))
        assert ordered(Link(1e-6, 0), p, 1e6) <= ring(Link(1e-6, 0), p, 1e6)
        assert at_root(LINK, p, 1e6) >= ordered(LINK, p, 1e6)
    assert ordered(LINK, 1, 1e6) == ring(LINK, 1, 1e6) == 0


def test_the_efficiency_falls_and_its_limit_is_named():
    step = Step(gradient=10e-3, update=1e-3, batch=1e-5, bytes=400_000)
    curve = [efficiency(step, NETWORK, p) for p in RANKS]
    assert curve[0] == 1 and all(a > b for a, b in pairwise(curve))
    assert limit(step, NETWORK, 1024) == "minibatch"
    assert limit(step, Link(1.0, 1e-9), 4) == "sum"
    assert sum(parts(step, NETWORK, 1).values()) == pytest.approx(11.01e-3)


def test_pythons_part_counts_once_for_several_ranks_and_hearing_for_each_other():
    step = Step(gradient=1.0, update=0.0, batch=0.0, bytes=0, reduction=0.5, hearing=0.01)
    assert sum(parts(step, Link(0, 0), 1).values()) == 1.0
    for ranks in (2, 4, 1024):
        found = parts(step, Link(0, 0), ranks)
        assert found["reduction"] == 0.5
        assert found["figures"] == pytest.approx(0.01 * (ranks - 1))
    assert limit(step, Link(0, 0), 2) == "reduction" and limit(step, Link(0, 0), 1024) == "figures"


@pytest.mark.parametrize("option", ["--list", "--add"])
def test_other_options_are_refused(option, capsys):
    assert cli.main(["bench", "scale", option]) == 2
    assert "bench scale takes --quick, --json and --figures only" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_mpi()), reason=why_no_mpi() or "MPI is here")
def test_the_command_measures_keeps_and_draws(capsys, tmp_path):
    file = tmp_path / "scale.json"
    words = ["bench", "scale", "--quick", "--json", str(file), "--figures", str(tmp_path)]
    assert cli.main(words) == 0
    found = json.loads(file.read_text())
    assert set(found["systems"]) == {"lenet", "som"} and found["link"]["beta"] > 0
    for row in found["systems"].values():
        assert row["sent"] > 1000 and row["two_ranks"] > 0
        assert len(row["efficiency"]["network"]["ordered"]) == len(found["ranks"]) == 11
    assert (tmp_path / "scale.png").read_bytes().startswith(b"\x89PNG")
    assert "A step of two shards" in capsys.readouterr().out
