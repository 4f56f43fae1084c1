"""Generated games of Go on a small board, by a player that is simple but not blind.

Everything is drawn from Philox, as in `synthetic`: a seed gives the same games on every machine,
and game i of a seed does not depend on how many there are. The rules are those of `go_rules`.
"""

import numpy as np

from .dataset import DataSet, Info, Split
from .go_rules import Boards, Moves
from .streams import SYNTHETIC, check_seed, uniform_rows, whole_number
from .synthetic import _three

SPLITS = ("train", "valid", "test")
KOMI = 2.5  # points for white, who moves second


def weights(boards: Boards, moves: Moves, last: np.ndarray) -> np.ndarray:
    """How much the player likes each point, whole numbers [N, side²]; 0 where it never plays.

    A weight is a product, beginning with 1 for a legal point:

        8 (1 + s)   takes s stones
        8           saves a chain of its own that has one liberty: afterwards it has more
        4           leaves an opponent's chain with one liberty
        4           its chain has at least two liberties afterwards, or it takes stones
        3           lies next to the last move, or diagonally
        2           does not lie on the edge
        0           fills an eye: every neighbour is its own, in chains of two liberties or more
    """
    side, bit = boards.side, boards.bit
    own, other = moves.near == boards.player, moves.near == 3 - boards.player
    size = np.bitwise_count(moves.taken).astype(np.int64)
    liberties = np.bitwise_count(moves.after)
    single = np.bitwise_count(moves.free) == 1
    safe = (liberties >= 2) | (size > 0)
    w = np.where(size > 0, 8 * (1 + size), 1)
    w *= np.where((own & single).any(axis=0) & (liberties >= 2), 8, 1)
    w *= np.where((other & (np.bitwise_count(moves.free & ~bit) == 1)).any(axis=0), 4, 1)
    w *= np.where(safe, 4, 1)
    row, column = np.divmod(np.arange(side**2), side)
    there = np.where(last < side**2, last, -9 * side)  # far from any point
    far = np.maximum(np.abs(row - there[:, None] // side), np.abs(column - there[:, None] % side))
    w *= np.where(far <= 1, 3, 1)
    w *= np.where(np.minimum(np.minimum(row, column), side - 1 - np.maximum(row, column)), 2, 1)
    eye = ((own & ~single) | (moves.near == -1)).all(axis=0)
    return np.where(moves.legal & ~eye, w, 0)


def go_5x5(train: int = 2000, valid: int = 250, test: int = 250, seed: int = 0) -> DataSet:
    """Games on 5 x 5 points, to predict the next move or the winner.

    A move is drawn with a probability in proportion to `weights`; the player passes (25) where all
    are 0. A game ends with two passes, or after 100 moves. Black moves first, colours alternate;
    who has more points wins, white with 2.5 more (komi).

    x is a list of int64 [T], moves 5·row + column, row 0 at the top, 25 for a pass; y is 0 where
    black wins, 1 where white does. `go_rules.replay` gives the boards. ``info.extra`` has board,
    pass and komi, and

        uniform  nats a move of a player that knows the rules only: the mean of log(legal moves + 1)
        policy   nats a move of the player itself: on average no prediction is better
        margin   for each split, black's points less white's less komi, float32 [N]
        lengths  for each split, moves of each game, int64 [N]

    >>> d = go_5x5(train=2, valid=0, test=0)
    >>> d.train.x[0][:4].tolist(), d.info.classes[d.train.y[0]]
    ([14, 19, 18, 9], 'white')
    """
    seed = check_seed("go_5x5", seed)
    margins, nats = [], np.zeros(3)  # margins of each split; `_three` makes them in order

    def make(first: int, size: int) -> Split:
        moves, margin, said = play(seed, first, size)
        margins.append(margin)
        nats[:] += said
        return Split(moves, (margin < 0).astype(np.int64))

    splits = _three(make, train, valid, test)
    count = max(1.0, nats[2])
    info = Info(
        source="generated",
        classes=("black", "white"),
        note=f"komi {KOMI}, 25 is a pass, seed {seed}",
        extra={
            "board": 5,
            "pass": 25,
            "komi": KOMI,
            "uniform": float(nats[0] / count),
            "policy": float(nats[1] / count),
            "margin": dict(zip(SPLITS, margins)),
            "lengths": {
                p: np.array([len(g) for g in s.x], np.int64) for p, s in zip(SPLITS, splits)
            },
        },
    )
    return DataSet("go_5x5", *splits, info)


def play(
    seed: int, first: int, count: int, side: int = 5, longest: int = 100
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """(moves, margins, nats) of games first .. first + count - 1 of a seed, all played together.

    nats are three sums over all moves: of log(legal moves + 1), of -log of the probability that
    the player gave its move, and of 1.

    >>> [len(game) for game in play(0, 0, 3)[0]] == [len(game) for game in play(0, 1, 2)[0]]
    False
    """
    count = whole_number("play", "count", count, 0, 1 << 24)
    u = uniform_rows(seed, SYNTHETIC, first, count, longest)
    boards, away = Boards(count, side), side**2
    games = np.full((count, longest), -1, np.int64)
    last, passes = np.full(count, away, np.int64), np.zeros(count, np.int64)
    live, nats = np.ones(count, bool), np.zeros(3)
    for t in range(longest):
        moves = boards.moves()
        w = weights(boards, moves, last)
        total = w.sum(axis=1)
        # the first point whose running sum exceeds u·total, in whole numbers: the same everywhere
        point = (w.cumsum(axis=1) > np.floor(u[:, t] * total)[:, None]).argmax(axis=1)
        point = np.where(live & (total > 0), point, away)
        chosen = np.where(point < away, w[np.arange(count), np.minimum(point, away - 1)], 1)
        nats += (
            np.log1p(moves.legal.sum(axis=1)[live]).sum(),
            np.log(np.maximum(total, 1)[live] / chosen[live]).sum(),
            live.sum(),
        )
        games[live, t] = point[live]
        boards.play(point, moves)
        passes = np.where(point == away, passes + 1, 0)
        last, live = point, live & (passes < 2)
        if not live.any():
            break
    black, white = boards.points()
    margin = (black - white - KOMI).astype(np.float32)
    return [game[game >= 0] for game in games], margin, nats
