"""The tree in which shards are summed: its shape depends on their number, never on the ranks.

Floating-point sums depend on their order. S shards are therefore always summed in the same tree,
which halves the shards until one is left; for S = 5 ::

    0 1 2 3 4   →   ((0 + 1) + 2) + (3 + 4)

Each rank has a block of consecutive shards. It sums the subtrees that lie inside its block by
itself; where a node spans several ranks, the owner of its right part sends that part's sum to the
owner of its left part. So 1, 2 or 4 ranks do the same additions, in other places.
"""

from collections.abc import Iterator
from functools import cache

Node = tuple[int, int]  # the shards first .. last - 1


def middle(first: int, last: int) -> int:
    """Where a node of two or more shards divides; the left half has the odd one.

    >>> middle(0, 5)
    3
    """
    return first + (last - first + 1) // 2


def block(shards: int, ranks: int, rank: int) -> Node:
    """The shards of a rank; the first ranks have one more where they do not divide evenly.

    >>> [block(5, 3, r) for r in range(3)]
    [(0, 2), (2, 4), (4, 5)]
    """
    each, more = divmod(shards, ranks)
    first = rank * each + min(rank, more)
    return first, first + each + (rank < more)


def owner(shards: int, ranks: int, shard: int) -> int:
    """The rank that has a shard.

    >>> [owner(5, 3, k) for k in range(5)]
    [0, 0, 1, 1, 2]
    """
    each, more = divmod(shards, ranks)
    long = more * (each + 1)
    return shard // (each + 1) if shard < long else more + (shard - long) // each


def inside(shards: int, own: Node) -> list[Node]:
    """The largest nodes of the tree that lie inside a block, from left to right.

    >>> inside(6, (0, 4))  # the tree of six: (0 1 2) (3 4 5), of three: (0 1) 2
    [(0, 3), (3, 4)]
    """

    def look(first: int, last: int) -> Iterator[Node]:
        if own[0] <= first and last <= own[1]:
            yield first, last
        elif first < own[1] and own[0] < last:
            half = middle(first, last)
            yield from look(first, half)
            yield from look(half, last)

    return list(look(0, shards))


@cache
def merges(shards: int, ranks: int) -> tuple[tuple[Node, Node, int, int], ...]:
    """The additions that no rank can do alone, children first: (left, right, to, sender).

    The rank `to` has the sum of `left`, and gets that of `right` from `sender`, which may be
    itself.

    >>> merges(4, 2)
    (((0, 2), (2, 4), 0, 1),)
    """
    found = []

    def visit(first: int, last: int) -> None:
        to = owner(shards, ranks, first)
        if to == owner(shards, ranks, last - 1):
            return  # inside a block
        half = middle(first, last)
        visit(first, half)
        visit(half, last)
        found.append(((first, half), (half, last), to, owner(shards, ranks, half)))

    visit(0, shards)
    return tuple(found)


def is_even(shards: int, ranks: int) -> bool:
    """True if every rank's block is one node and the ranks are a power of two.

    Then ranks can sum in pairs, at distances 1, 2, 4 …, and still do the tree's additions.

    >>> is_even(4, 4), is_even(6, 2), is_even(6, 4)
    (True, True, False)
    """
    return shards % ranks == 0 and ranks & (ranks - 1) == 0
