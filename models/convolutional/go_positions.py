"""Positions of recorded games: which there are, which an epoch sees, how they are turned.

A position is a game and a number of moves: the board after so many, with the next one as the
answer. It is made when it is needed, by playing the game up to there; at 14,000 positions a second
that costs a fiftieth of what the smallest net does with it.

An epoch is a few of all positions. They are taken in a random order that sees every position once
before any comes again: epoch e of n positions has numbers e n ... e n + n - 1 of the permutations
of all, one after another. That is a function of (seed, epoch), so that a run that is resumed
goes on with what an uninterrupted one sees.

The rules know no directions: a game turned by a quarter, or seen in a mirror, is a game. So
positions are turned by turning the moves before they are played.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...core.data import DataError, Split
from ...core.data.batches import order
from ...kernels.registry import current_backend
from .go_board import WRONG, Board
from .go_planes import FORMS, PLANES

SYMMETRIES = 8


@lru_cache
def turns(side: int) -> np.ndarray:
    """Where each point goes by each symmetry of the square, and a pass: int64 [8, side² + 1].

    Number s: mirrored if s is odd, then turned by s // 2 quarters.

    >>> turns(2).tolist()[1:3]  # left and right change places; a quarter against the clock
    [[1, 0, 3, 2, 4], [2, 0, 3, 1, 4]]
    """
    places, found = np.arange(side * side).reshape(side, side), []
    for s in range(SYMMETRIES):
        seen = np.rot90(places[:, ::-1] if s % 2 else places, s // 2)
        goes = np.empty(side * side + 1, np.int64)
        goes[seen.reshape(-1)] = np.arange(side * side)  # what is seen there came from here
        goes[-1] = side * side
        found.append(goes)
    table = np.stack(found)
    table.flags.writeable = False
    return table


@dataclass(frozen=True, eq=False)
class Games:
    """Games of Go end to end; position k is the board before the k-th move of all.

    moves [M]   of all games;  first [G]  where each begins;  side  of the board
    """

    moves: np.ndarray
    first: np.ndarray
    side: int

    @classmethod
    def of(cls, games: list[np.ndarray], side: int) -> "Games":
        """Those of a split, a list of int64 [T]."""
        lengths = [len(game) for game in games]
        first = np.cumsum([0, *lengths[:-1]]) if games else np.zeros(0)
        moves = np.concatenate([*games, np.zeros(0, np.int64)])
        return cls(moves.astype(np.int64), first.astype(np.int64), side)

    def game(self, position: np.ndarray) -> np.ndarray:
        """The numbers of the games that positions are of."""
        return np.searchsorted(self.first, position, side="right") - 1

    def answered(self, passes: bool) -> np.ndarray:
        """The positions whose next move is a point, or a pass, if that is an answer too."""
        return np.flatnonzero(passes | (self.moves < self.side**2))


@dataclass(frozen=True, eq=False)
class Positions:
    """x float32 [N, C, side, side]; the next move y int64 [N]; legal and sensible points, bool
    [N, side²]; how many moves were played, int64 [N]."""

    x: np.ndarray
    y: np.ndarray
    legal: np.ndarray
    sensible: np.ndarray
    played: np.ndarray


def positions(games: Games, which: np.ndarray, form="features", turned=None) -> Positions:
    """The positions `which` [N] of games, seen in the directions `turned` [N], 0 … 7.

    Raises DataError where a game breaks the rules before its position.

    >>> games = Games.of([np.array([4, 1, 3])], side=3)
    >>> found = positions(games, np.array([2]))
    >>> found.y.tolist(), found.x.shape, found.x[0, 1].tolist()
    ([3], (1, 29, 3, 3), [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    """
    game, table = games.game(which), turns(games.side)
    turned = np.zeros(len(which), np.int64) if turned is None else turned
    first = games.first[game]
    y = table[turned, games.moves[which]]
    return _described(games.moves, first, which - first, turned, games.side, form, y, game)


def after(games: list, side: int, form="features", number: int = 0) -> Positions:
    """The positions after all moves of games; y is of no meaning. `number` is that of the first.

    Raises DataError, with game and move, where one breaks the rules.
    """
    count = np.array([len(game) for game in games])
    first = np.concatenate([[0], np.cumsum(count[:-1])])
    moves = np.concatenate([np.asarray(game, np.int64) for game in games])
    nothing = np.zeros(len(games), np.int64)
    numbers = number + np.arange(len(games))
    return _described(moves, first, count, nothing, side, form, nothing, numbers)


def _described(moves, first, count, turned, side, form, y, numbers) -> Positions:
    n, points = len(first), side * side
    x = np.zeros((n, PLANES[form], side, side), np.float32)
    legal, sensible = np.zeros((2, n, points), bool)
    given = moves, first, count, turned, turns(side), x, legal, sensible
    if current_backend() == "reference":
        wrong = by_boards(*given)
    else:
        from .go_compiled import by_loops  # on the host, whatever device learns from them

        wrong = by_loops(*given)
    for i in np.flatnonzero(wrong[:, 0] >= 0)[:1]:
        t, why = wrong[i]
        move = moves[first[i] + t]
        raise DataError(f"game {numbers[i]}, move {t}: {move} is illegal: {WRONG[why]}")
    return Positions(x, y, legal, sensible, count)


def by_boards(moves, first, count, turned, turns, x, legal, sensible) -> np.ndarray:
    """Fill x, legal and sensible by `Board`; int64 [N, 2]: (move, number of the reason) where a
    game is illegal, else -1."""
    side, wrong = x.shape[-1], np.full((len(x), 2), -1)
    form = next(name for name, planes in PLANES.items() if planes == x.shape[1])
    for i in range(len(x)):
        board = Board(side)
        for t in range(count[i]):
            move = int(turns[turned[i], moves[first[i] + t]])
            why = "" if move == side * side else board.wrong(move)
            if why:
                wrong[i] = t, WRONG.index(why)
                break
            board.play(move)
        else:
            x[i] = FORMS[form](board).reshape(x.shape[1:])
            legal[i] = [board.legal(p) for p in range(side * side)]
            sensible[i] = [board.sensible(p) for p in range(side * side)]
    return wrong


def expect_legal(name: str, split: Split, side: int, size: int = 200) -> None:
    """Raise DataError, with game and move, unless every game of a split keeps the rules; and if
    there is no move at all."""
    if not any(map(len, split.x)):
        raise DataError(f"{name}: there are no moves")
    for at in range(0, len(split), size):
        try:
            after(split.x[at : at + size], side, "history", at)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None


def drawn(total: int, each: int, seed: int, epoch: int) -> np.ndarray:
    """The numbers of an epoch of `each` out of `total` positions; all of them if each is 0.

    >>> whole = [drawn(5, 2, seed=0, epoch=e).tolist() for e in range(5)]
    >>> sorted(sum(whole, [])) == sorted(2 * [0, 1, 2, 3, 4])
    True
    """
    each = each or total
    at, end, found = epoch * each, (epoch + 1) * each, [np.zeros(0, np.int64)]
    while at < end:
        number, start = divmod(at, total)
        found.append(order(total, seed, number)[start : start + end - at])
        at += len(found[-1])
    return np.concatenate(found)
