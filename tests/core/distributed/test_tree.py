"""The tree of shards, and sums over ranks in its order: bits, bytes, messages."""

import functools

import numpy as np
import pytest

from glassgrad.core.distributed import DistributedError, OneProcess, tree
from glassgrad.core.distributed.communicator import Patience, add_up, apart, flat
from tests.core.distributed.threads import on_ranks, shard

LAYOUTS = [(s, p) for s in (1, 2, 3, 4, 5, 6, 7, 8, 12, 16) for p in (1, 2, 3, 4, 5, 8) if p <= s]


def by_hand(first, last, n=37):
    """The sum of shards first .. last - 1 by the definition: halves, the left one larger."""
    if last - first == 1:
        return shard(first, n)
    half = (first + last + 1) // 2
    return by_hand(first, half, n) + by_hand(half, last, n)


@pytest.mark.parametrize(("shards", "ranks"), LAYOUTS)
def test_blocks_cover_the_shards_in_order_and_owners_agree(shards, ranks):
    blocks = [tree.block(shards, ranks, r) for r in range(ranks)]
    assert [k for a, b in blocks for k in range(a, b)] == list(range(shards))
    lengths = [b - a for a, b in blocks]
    assert max(lengths) - min(lengths) <= 1
    for r, (a, b) in enumerate(blocks):
        assert all(tree.owner(shards, ranks, k) == r for k in range(a, b))
        nodes = tree.inside(shards, (a, b))
        assert [k for n in nodes for k in range(*n)] == list(range(a, b))


@pytest.mark.parametrize(("shards", "ranks"), LAYOUTS)
def test_the_sum_has_the_bits_of_the_tree_on_every_rank(shards, ranks):
    def work(world):
        own = add_up(shards, world.shards_of(shards), lambda k: [shard(k)])
        return world.ordered_sum({node: found for node, (found,) in own.items()}, shards)

    for found in on_ranks(ranks, work):
        assert np.array_equal(found, by_hand(0, shards))


def test_the_order_matters_so_that_the_test_above_can_fail():
    in_turn = functools.reduce(np.add, map(shard, range(8)))
    assert not np.array_equal(in_turn, by_hand(0, 8))


@pytest.mark.parametrize("ranks", [2, 4, 8])
def test_halves_send_less_than_whole_arrays(ranks):
    n = 64

    def work(world):
        own = {tree.block(ranks, ranks, world.rank): shard(world.rank, n)}
        world.ordered_sum(own, ranks)
        return world.bytes_sent

    assert on_ranks(ranks, work) == [2 * (ranks - 1) * n * 4 // ranks] * ranks


@pytest.mark.parametrize(
    ("ranks", "root"), [(p, root) for p in (1, 2, 3, 5, 8) for root in (0, 1, 4) if root < p]
)
def test_a_broadcast_reaches_every_rank(ranks, root):
    wanted = shard(9)

    def work(world):
        return world.broadcast(wanted if world.rank == root else np.zeros_like(wanted), root)

    assert all(np.array_equal(found, wanted) for found in on_ranks(ranks, work))


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_arrays_of_all_ranks_reach_every_rank(ranks):
    sizes = [3 * r for r in range(ranks)]  # the first has nothing

    def work(world):
        return world.collect(shard(world.rank, sizes[world.rank]), sizes)

    for found in on_ranks(ranks, work):
        assert len(found) == ranks
        assert all(np.array_equal(a, shard(r, sizes[r])) for r, a in enumerate(found))


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_arrays_and_a_value_of_the_first_rank_reach_the_others(ranks):
    arrays = {"w": np.eye(3, dtype="float64"), "n": np.array(7), "none": np.zeros((0, 2), "int64")}
    value = {"epoch": 3, "nan": float("inf")}

    def work(world):
        return world.share(*(arrays, value) if world.is_first else (None, None))

    for found, plain in on_ranks(ranks, work):
        assert plain == value and found.keys() == arrays.keys()
        for name, a in arrays.items():
            assert found[name].dtype == a.dtype and np.array_equal(found[name], a)


def test_ranks_agree_or_every_one_says_which_differs():
    def work(world):
        world.expect_equal({"data": "a", "code": "b" if world.rank == 2 else "c"})

    def caught(world):
        with pytest.raises(DistributedError, match="rank 2 differs from rank 0 in code: b there"):
            work(world)
        return True

    assert on_ranks(3, caught) == [True] * 3
    OneProcess().expect_equal({"data": "a"})


def test_a_missing_array_is_left_out_of_a_sum():
    leaves = [[np.ones(2), None], [None, None], [np.ones(2), np.ones(1)]]
    (found,) = add_up(3, range(3), lambda k: leaves[k]).values()
    assert found[0].tolist() == [2.0, 2.0] and found[1].tolist() == [1.0]


def test_flat_and_apart_are_inverse_and_none_is_zeros():
    arrays, shapes = [np.arange(6.0).reshape(2, 3), None, np.array(5.0)], [(2, 3), (2,), ()]
    found = apart(flat(arrays, shapes, "float32"), shapes)
    assert [a.tolist() for a in found] == [[[0, 1, 2], [3, 4, 5]], [0, 0], 5]


def test_patience_ends():
    with pytest.raises(DistributedError, match=r"rank 3 has waited 0\.01 s for an array of rank 0"):
        Patience(0.01, "rank 3").until(lambda: False, "an array of rank 0")


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("absent", [0, 1, 2])
def test_an_absent_shard_changes_no_bit_wherever_it_is(ranks, absent):
    """-0.0 + 0.0 is 0.0: zeros in the place of a shard would show between ranks alone."""
    minus = np.full(3, -0.0, np.float32)

    def work(world):
        own = add_up(3, world.shards_of(3), lambda k: [] if k == absent else [minus.copy()])
        sums = {n: flat(a or [None], [(3,)], np.float32) for n, a in own.items()}
        return world.ordered_sum(sums, 3)

    for found in on_ranks(ranks, work):
        assert found.tobytes() == minus.tobytes()
