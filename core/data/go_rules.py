"""The rules of Go on boards of up to 7 x 7 points, for many games at once.

A set of points is one integer, bit p for point p = side·row + column, row 0 at the top. For each
point that holds a stone two sets are kept: the stones of its chain, and the chain's liberties (the
empty points next to it). All boards of a step are worked on together, as arrays [N, side²].

    capture   a chain of the opponent without a liberty is taken off, before one's own is looked at
    suicide   a move that leaves its own chain without a liberty is illegal
    ko        a move that takes one stone may not be answered by taking back at once the stone that
              took it, where that would make the board what it was
    end       two passes; points are stones and the empty regions that touch one colour only

Source: the Chinese rules of the Chinese Weiqi Association, with the simple ko.
"""

from dataclasses import dataclass, field

import numpy as np

from .files import DataError
from .streams import whole_number

EMPTY, BLACK, WHITE = 0, 1, 2
LARGEST = 7  # points a side: 49 bits of a set


@dataclass(eq=False)
class Boards:
    """N boards of side x side points. Colours: 0 empty, 1 black, 2 white. Black moves first.

    >>> boards = Boards(1, 3)
    >>> for move in (1, 0, 3):  # white in the corner is taken by the second black stone
    ...     boards.play(np.array([move]))
    >>> boards.colour[0].tolist()
    [0, 1, 0, 1, 0, 0, 0, 0, 0]
    """

    count: int
    side: int = 5
    colour: np.ndarray = field(init=False)  # int8 [N, side²]
    ko: np.ndarray = field(init=False)  # int64 [N]: the point that may not be played, or -1
    player: int = field(init=False, default=BLACK)

    def __post_init__(self):
        self.count = whole_number("Boards", "count", self.count, 0, 1 << 24)
        self.side = whole_number("Boards", "side", self.side, 2, LARGEST)
        self.colour = np.zeros((self.count, self.side**2), np.int8)
        self.ko = np.full(self.count, -1, np.int64)
        self.bit = np.int64(1) << np.arange(self.side**2, dtype=np.int64)

    def beside(self, a: np.ndarray, outside=0) -> np.ndarray:
        """The values of a [N, side²] at the four neighbours of each point: [4, N, side²]."""
        grid = a.reshape(len(a), self.side, self.side)
        out = np.full((4, *grid.shape), outside, a.dtype)
        out[0, :, 1:], out[1, :, :-1] = grid[:, :-1], grid[:, 1:]
        out[2, :, :, 1:], out[3, :, :, :-1] = grid[:, :, :-1], grid[:, :, 1:]
        return out.reshape(4, *a.shape)

    def spread(self, start: np.ndarray, colour: np.ndarray) -> np.ndarray:
        """Each point's set, joined with those of all points of its colour that it connects to."""
        alike = self.beside(colour, -1) == colour
        while True:
            found = start | np.bitwise_or.reduce(np.where(alike, self.beside(start), 0), axis=0)
            if np.array_equal(found, start):
                return found
            start = found

    def chains(self) -> tuple[np.ndarray, np.ndarray]:
        """(stones, liberties) of the chain at each point, int64 [N, side²]; 0 where it is empty."""
        stone, empty = self.colour != EMPTY, np.where(self.colour == EMPTY, self.bit, 0)
        around = np.bitwise_or.reduce(self.beside(empty), axis=0)
        both = (np.where(stone, part, 0) for part in (self.bit, around))
        return tuple(np.where(stone, self.spread(part, self.colour), 0) for part in both)

    def moves(self) -> "Moves":
        """What every point would do for the player whose turn it is."""
        stones, liberties = self.chains()
        near = self.beside(self.colour, -1)
        chain, free = self.beside(stones), self.beside(liberties)
        own, other = near == self.player, near == 3 - self.player
        taken = np.where(other & (free == self.bit), chain, 0)
        taken = np.bitwise_or.reduce(taken, axis=0)
        room = np.bitwise_or.reduce(np.where(near == EMPTY, self.beside(self._bits()), 0), axis=0)
        joined = np.bitwise_or.reduce(np.where(own, free, 0), axis=0)
        stones_after = self.bit | np.bitwise_or.reduce(np.where(own, chain, 0), axis=0)
        around = self._next_to(stones_after)
        after = (room | joined | (taken & around)) & ~self.bit
        legal = (self.colour == EMPTY) & (after != 0)
        legal &= self.ko[:, None] != np.arange(self.side**2)
        return Moves(legal, taken, after, near, chain, free)

    def _bits(self) -> np.ndarray:
        return np.broadcast_to(self.bit, self.colour.shape)

    def _next_to(self, sets: np.ndarray) -> np.ndarray:
        """The points next to any point of each set."""
        side, last = self.side, int(self.bit.sum())
        left = int(self.bit[::side].sum())  # the first column
        right = left << (side - 1)
        across = ((sets & ~right) << 1) | ((sets & ~left) >> 1)
        return (across | (sets << side) | (sets >> side)) & last

    def play(self, points: np.ndarray, moves: "Moves | None" = None) -> None:
        """Put a stone of the player at a point of each board, side² for a pass; the turn changes.

        Raises DataError for a move that the rules forbid.
        """
        points, moves = np.asarray(points, np.int64), moves or self.moves()
        if points.shape != (self.count,) or (points < 0).any() or (points > self.side**2).any():
            raise DataError(f"go: a move must be from 0 to {self.side**2} for each of the boards")
        on = np.flatnonzero(points < self.side**2)
        at = points[on]
        bad = np.flatnonzero(~moves.legal[on, at])
        if bad.size:
            n, p = int(on[bad[0]]), int(at[bad[0]])
            raise DataError(f"go: the move {p} is illegal: {self._why(n, p)}")
        taken = moves.taken[on, at]
        self.colour[on] = np.where(taken[:, None] & self.bit, EMPTY, self.colour[on])
        self.colour[on, at] = self.player
        # one stone took one stone and has only its place as a liberty: the opponent may not retake
        alone = (moves.near[:, on, at] != self.player).all(axis=0)
        ko = alone & (np.bitwise_count(taken) == 1) & (moves.after[on, at] == taken)
        self.ko[:] = -1
        self.ko[on[ko]] = np.log2(taken[ko].astype(np.float64)).astype(np.int64)
        self.player = 3 - self.player

    def _why(self, n: int, p: int) -> str:
        if self.colour[n, p] != EMPTY:
            return "there is a stone"
        return "it retakes a ko at once" if self.ko[n] == p else "it is suicide"

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """(black's, white's) stones and empty points that touch only this colour, int64 [N]."""
        scores = []
        empty = self.colour == EMPTY
        for colour in (BLACK, WHITE):
            touch = np.where(self.colour == colour, self.bit, 0)
            seen = np.bitwise_or.reduce(self.beside(touch), axis=0)
            scores.append(self.spread(np.where(empty, seen, 0), self.colour) != 0)
        black, white = scores
        return tuple(
            ((self.colour == colour) | (empty & mine & ~theirs)).sum(axis=1)
            for colour, mine, theirs in ((BLACK, black, white), (WHITE, white, black))
        )


@dataclass(frozen=True, eq=False)
class Moves:
    """What a stone of the player at each point would do; sets are integers, arrays [N, side²]."""

    legal: np.ndarray  # bool
    taken: np.ndarray  # the stones that it takes
    after: np.ndarray  # the liberties of its chain afterwards
    near: np.ndarray  # int8 [4, N, side²]: colours of the neighbours, -1 outside
    chain: np.ndarray  # [4, N, side²]: stones of the chains at the neighbours
    free: np.ndarray  # [4, N, side²]: their liberties


def replay(moves: np.ndarray, side: int = 5) -> np.ndarray:
    """The board before every move of one game, int8 [T, side²]. Raises DataError if one is illegal.

    >>> replay(np.array([12, 7, 25]))[2].reshape(5, 5)[1:3, 2].tolist()
    [2, 1]
    """
    boards, found = Boards(1, side), []
    for t, move in enumerate(np.asarray(moves).tolist()):
        found.append(boards.colour[0].copy())
        try:
            boards.play(np.array([move]))
        except DataError as error:
            raise DataError(f"move {t}: {error}") from None
    return np.array(found, np.int8).reshape(-1, side**2)
