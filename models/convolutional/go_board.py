"""One board of Go of any size, by the rules as they read: the reference of go_compiled.py.

A chain is a set of stones of one colour that are connected; its liberties are the empty points next
to it. A stone of the player at an empty point p does this:

    taken      the chains of the opponent next to p whose only liberty is p
    chain      p and the player's chains next to it
    liberties  the points next to the chain that are empty or of taken stones, without p

The move is illegal if no liberty is left (suicide), and if it takes back a ko at once: a stone that
has just taken one stone, stands alone and has only its place as a liberty. Two more notions belong
to players, not to the rules:

    eye        an empty point with the player's stones at all its neighbours, and the opponent's at
               no more than one of the points diagonally next to it: at none on the edge
    sensible   a legal move that does not fill such an eye. Without it games between players who
               know nothing would not end: a chain that has filled its own eyes is taken

core/data/go_rules.py has the same rules for thousands of boards of up to 7 x 7 points at once. Here
a board may be larger, and moves have a history.

Source: the Chinese rules of the Chinese Weiqi Association, with the simple ko; the eye is that of
Brügmann, "Monte Carlo Go", 1993.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...core.data import DataError
from ...core.data.go_rules import BLACK, EMPTY, WHITE

NOWHERE = -1  # beyond the edge; no ko
ACROSS = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))
WRONG = ("there is a stone", "it retakes a ko at once", "it is suicide")


@lru_cache
def neighbours(side: int, steps=ACROSS) -> np.ndarray:
    """The four points next to each of side², or at other `steps`: int64 [side², 4], -1 outside.

    >>> neighbours(3)[0].tolist(), neighbours(3, DIAGONAL)[4].tolist()
    ([-1, 3, -1, 1], [0, 2, 6, 8])
    """
    row, column = np.divmod(np.arange(side * side), side)
    found = []
    for down, right in steps:
        r, c = row + down, column + right
        inside = (r >= 0) & (r < side) & (c >= 0) & (c < side)
        found.append(np.where(inside, side * r + c, NOWHERE))
    table = np.stack(found, axis=1)
    table.flags.writeable = False  # one for all
    return table


@dataclass(frozen=True)
class Outcome:
    """What a stone at an empty point would do: sets of points."""

    taken: set[int]
    chain: set[int]
    liberties: set[int]


class Board:
    """A board of side x side points, number side·row + column; side² is a pass. Black begins.

    `colour` [side²] is 0 empty, 1 black, 2 white; `moves` all moves so far; `past` the colours
    before each of them. Raises DataError for a move that the rules forbid.

    >>> board = Board(3)
    >>> for move in (1, 0, 3):  # white in the corner is taken by the second black stone
    ...     board.play(move)
    >>> board.colour.tolist(), board.legal(0)
    ([0, 1, 0, 1, 0, 0, 0, 0, 0], False)
    """

    def __init__(self, side: int):
        self.side, self.player, self.ko = side, BLACK, NOWHERE
        self.colour = np.zeros(side * side, np.int8)
        self.moves: list[int] = []
        self.past: list[np.ndarray] = []

    def near(self, p: int, steps=ACROSS) -> list[int]:
        """The points next to p."""
        return [q for q in neighbours(self.side, steps)[p].tolist() if q != NOWHERE]

    def chain(self, p: int) -> tuple[set[int], set[int]]:
        """(the stones of the chain at p, its liberties)."""
        stones, liberties, todo = {p}, set(), [p]
        while todo:
            for q in self.near(todo.pop()):
                if self.colour[q] == EMPTY:
                    liberties.add(q)
                elif self.colour[q] == self.colour[p] and q not in stones:
                    stones.add(q)
                    todo.append(q)
        return stones, liberties

    def outcome(self, p: int) -> Outcome:
        """What a stone of the player at the empty point p would do."""
        taken, chain = set(), {p}
        for q in self.near(p):
            if self.colour[q] == EMPTY:
                continue
            stones, liberties = self.chain(q)
            if self.colour[q] == self.player:
                chain |= stones
            elif liberties == {p}:
                taken |= stones
        around = {q for r in chain for q in self.near(r)}
        return Outcome(taken, chain, {q for q in around if not self.colour[q] or q in taken} - {p})

    def wrong(self, p: int) -> str:
        """Why the player may not put a stone at p; "" if it may."""
        if self.colour[p] != EMPTY:
            return WRONG[0]
        if p == self.ko:
            return WRONG[1]
        return "" if self.outcome(p).liberties else WRONG[2]

    def legal(self, p: int) -> bool:
        """May the player put a stone at p?"""
        return not self.wrong(p)

    def eye(self, p: int) -> bool:
        """Is p an eye of the player's?"""
        if self.colour[p] != EMPTY or any(self.colour[q] != self.player for q in self.near(p)):
            return False
        diagonal = self.near(p, DIAGONAL)
        against = sum(self.colour[q] == WHITE + BLACK - self.player for q in diagonal)
        return against <= (1 if len(diagonal) == len(DIAGONAL) else 0)

    def sensible(self, p: int) -> bool:
        """Is p a legal move that fills no eye of the player's?"""
        return self.legal(p) and not self.eye(p)

    def play(self, p: int) -> None:
        """Put a stone of the player at p, or pass; the turn changes."""
        stone = p < self.side**2
        if stone and (why := self.wrong(p)):
            raise DataError(f"go: the move {p} is illegal: {why}")
        self.past.append(self.colour.copy())
        self.moves.append(p)
        self.ko = NOWHERE
        if stone:
            done = self.outcome(p)
            self.colour[p] = self.player
            self.colour[list(done.taken)] = EMPTY
            if len(done.taken) == 1 and done.chain == {p} and done.liberties == done.taken:
                (self.ko,) = done.taken
        self.player = WHITE + BLACK - self.player


def areas(colour: np.ndarray, side: int) -> tuple[int, int]:
    """(black's, white's) stones and empty points that touch only this colour: the end's score.

    >>> areas(np.array([0, 1, 0, 1, 1, 0, 2, 2, 0]), 3)
    (4, 2)
    """
    board = Board(side)
    board.colour[:] = colour
    score, left = {BLACK: 0, WHITE: 0}, set()
    for p in range(side * side):
        if colour[p] != EMPTY:
            score[int(colour[p])] += 1
        else:
            left.add(p)
    while left:
        region, todo, seen = set(), [left.pop()], set()
        while todo:
            p = todo.pop()
            region.add(p)
            for q in board.near(p):
                if colour[q] != EMPTY:
                    seen.add(int(colour[q]))
                elif q in left:
                    left.remove(q)
                    todo.append(q)
        if len(seen) == 1:
            score[seen.pop()] += len(region)
    return score[BLACK], score[WHITE]
