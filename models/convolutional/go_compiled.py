"""Games of Go replayed and positions described by plain loops, compiled: see go_positions.py.

A board is its colours, int8 [P], and the point of a ko. Nothing else is kept from move to move:
whether a chain has a liberty is found by a search from one of its stones that stops at the first
liberty, which is mostly next to it. Chains are numbered once, when a position is described.

`mark` and `stack`, int64 [P], are the searches' memory. A point is marked where its mark is the
number of the search, `mark[P]`, so that no search has to clean up after the one before.
"""

import numpy as np

from ...kernels.compiled import njit
from ...kernels.threads import in_parts, parts_for
from .go_board import DIAGONAL, neighbours
from .go_planes import (
    AFTER,
    EMPTY,
    FREE_OTHER,
    FREE_OWN,
    HISTORY,
    HISTORY_PLANES,
    LEVELS,
    ONES,
    OTHER,
    OWN,
    SENSIBLE,
    TAKES,
    TURN,
    TURNS,
)

PART = 1 << 12  # moves and points in a part of the work


@njit
def _breathes(colour, near, p, mark, stack):
    """Has the chain at p a liberty?"""
    mark[-1] += 1
    search = mark[-1]
    mark[p], stack[0], n = search, p, 1
    while n:
        n -= 1
        for q in near[stack[n]]:
            if q < 0 or mark[q] == search:
                continue
            if colour[q] == 0:
                return True
            if colour[q] == colour[p]:
                mark[q], stack[n] = search, q
                n += 1
    return False


@njit
def _take(colour, near, p, stack):
    """Take off the chain at p: how many stones it had."""
    own, taken = colour[p], 1
    colour[p], stack[0], n = 0, p, 1
    while n:
        n -= 1
        for q in near[stack[n]]:
            if q >= 0 and colour[q] == own:
                colour[q], stack[n] = 0, q
                n += 1
                taken += 1
    return taken


@njit
def _play(colour, near, p, player, ko, mark, stack):
    """The point of the ko after the move, -1 for none; -2, -3 or -4 where it is illegal."""
    if p == len(colour):
        return -1
    if colour[p] != 0:
        return -2
    if p == ko:
        return -3
    colour[p] = player
    taken, place, free, alone = 0, -1, 0, True
    for q in near[p]:
        if q >= 0 and colour[q] == 3 - player and not _breathes(colour, near, q, mark, stack):
            taken += _take(colour, near, q, stack)
            place = q
    if not _breathes(colour, near, p, mark, stack):
        return -4
    for q in near[p]:
        if q >= 0:
            free += colour[q] == 0
            alone &= colour[q] != player
    return place if taken == 1 and free == 1 and alone else -1


@njit
def _number(colour, near, chain, size, free, mark, stack):
    """The chain at each point, numbered by one of its stones; stones and liberties of each."""
    chain[:] = -1
    for p in range(len(colour)):
        if colour[p] == 0 or chain[p] >= 0:
            continue
        mark[-1] += 1
        search = mark[-1]
        chain[p], size[p], free[p], stack[0], n = p, 1, 0, p, 1
        while n:
            n -= 1
            for q in near[stack[n]]:
                if q < 0:
                    continue
                if colour[q] == colour[p]:
                    if chain[q] < 0:
                        chain[q], stack[n] = p, q
                        n += 1
                        size[p] += 1
                elif colour[q] == 0 and mark[q] != search:
                    mark[q] = search
                    free[p] += 1


@njit
def _would_take(colour, near, p, player, chain, size, free):
    """How many stones a stone at p takes."""
    taken = 0
    for k in range(4):
        q = near[p, k]
        if q < 0 or colour[q] != 3 - player or free[chain[q]] != 1:
            continue
        again = False
        for j in range(k):
            r = near[p, j]
            again |= r >= 0 and chain[r] == chain[q]
        taken += 0 if again else size[chain[q]]
    return taken


@njit
def _liberties(colour, near, p, player, chain, free, most, mark, stack):
    """The liberties, counted up to `most`, of the chain that a stone at p would be part of."""
    mark[-1] += 1
    search = mark[-1]
    found = 0
    mark[p], stack[0], n = search, p, 1
    while n:
        n -= 1
        r = stack[n]
        for q in near[r]:
            if q < 0 or mark[q] == search:
                continue
            if colour[q] == player:
                mark[q], stack[n] = search, q
                n += 1
                continue
            gone = False
            if colour[q] == 3 - player and free[chain[q]] == 1:
                # its only liberty is p if it lies next to p
                for s in near[p]:
                    gone |= s >= 0 and chain[s] == chain[q]
            if colour[q] == 0 or gone:
                mark[q] = search
                found += 1
                if found == most:
                    return found
    return found


@njit
def _eye(colour, near, diagonal, p, player):
    """Is the empty point p an eye of the player's?"""
    for q in near[p]:
        if q >= 0 and colour[q] != player:
            return False
    inside, against = 0, 0
    for q in diagonal[p]:
        if q >= 0:
            inside += 1
            against += colour[q] == 3 - player
    return against <= (1 if inside == 4 else 0)


@njit
def _stones(colour, player, back, planes):
    """The stones `back` moves ago, seen by the player."""
    for p in range(len(colour)):
        planes[back, p] = colour[p] == player
        planes[TURNS + back, p] = colour[p] == 3 - player


@njit
def _features(colour, near, player, chain, size, free, legal, sensible, mark, stack, planes):
    """All but the planes of the last moves."""
    planes[ONES] = 1
    for p in range(len(colour)):
        if colour[p] != 0:
            whose, level = (OWN, FREE_OWN) if colour[p] == player else (OTHER, FREE_OTHER)
            planes[whose, p] = 1
            planes[level + min(free[chain[p]], LEVELS) - 1, p] = 1
            continue
        planes[EMPTY, p], planes[SENSIBLE, p] = 1, sensible[p]
        if not legal[p]:
            continue
        after = _liberties(colour, near, p, player, chain, free, LEVELS, mark, stack)
        planes[AFTER + after - 1, p] = 1
        taken = _would_take(colour, near, p, player, chain, size, free)
        if taken:
            planes[TAKES + min(taken, LEVELS) - 1, p] = 1


@njit(nogil=True)
def _positions(moves, first, count, turned, tables, x, legal, sensible, wrong, parts, part):
    near, diagonal, turns = tables
    points, n, history = len(near), len(first), x.shape[1] == HISTORY_PLANES
    mark, stack = np.zeros(points + 1, np.int64), np.empty(points, np.int64)
    chain, size, free = stack.copy(), stack.copy(), stack.copy()
    colour = np.empty(points, np.int8)
    for i in range(part * n // parts, (part + 1) * n // parts):
        colour[:] = 0
        ko, player, mine = -1, 1, 1 + count[i] % 2
        for t in range(count[i]):
            back = count[i] - t  # this move is that many moves ago
            if history and back < TURNS:
                _stones(colour, mine, back, x[i])
            move = turns[turned[i], moves[first[i] + t]]
            if not history and back <= TURNS and move < points:
                x[i, TURN + back - 1, move] = 1
            ko = _play(colour, near, move, player, ko, mark, stack)
            if ko < -1:
                wrong[i, 0], wrong[i, 1] = t, -2 - ko
                break
            player = 3 - player
        if ko < -1:
            continue
        _number(colour, near, chain, size, free, mark, stack)
        for p in range(points):
            legal[i, p] = colour[p] == 0 and p != ko
            if legal[i, p]:
                legal[i, p] = _liberties(colour, near, p, player, chain, free, 1, mark, stack)
            sensible[i, p] = legal[i, p] and not _eye(colour, near, diagonal, p, player)
        if history:
            _stones(colour, player, 0, x[i])
            x[i, HISTORY] = player == 1
        else:
            _features(
                colour, near, player, chain, size, free, legal[i], sensible[i], mark, stack, x[i]
            )


def by_loops(moves, first, count, turned, turns, x, legal, sensible) -> np.ndarray:
    """As `go_positions.by_boards`."""
    n, planes, side = x.shape[:3]
    wrong = np.full((n, 2), -1)
    tables = neighbours(side), neighbours(side, DIAGONAL), turns
    parts = parts_for(int(count.sum()) + legal.size, max(1, n), PART)
    flat = x.reshape(n, planes, side * side)
    given = moves, first, count, turned, tables, flat, legal, sensible, wrong
    in_parts(_positions, parts, *given, parts)
    return wrong
