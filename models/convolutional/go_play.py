"""Games of a policy network: against itself, or against a player who knows the rules only.

Games are played side by side, all at the same move. A player takes a sensible point (go_board.py):
the net the likeliest, or one drawn from its probabilities; the random player any, all with the same
probability. Both pass where no point is sensible, the net also where a pass is its answer. A game
ends with two passes, or after three times as many moves as there are points.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from .go_board import BLACK, WHITE, areas
from .go_planes import OTHER, OWN
from .go_positions import Positions, after


def allowed(found: Positions, passes: bool) -> np.ndarray:
    """bool [N, side² + 1]: the sensible points; a pass where it is an answer, or where none is."""
    none = ~found.sensible.any(axis=1, keepdims=True)
    return np.concatenate([found.sensible, none | passes], axis=1)


def by_net(system, found: Positions, rng=None) -> np.ndarray:
    """The net's moves [N]: the likeliest ones, or with `rng` drawn from its probabilities."""
    z = system.scores(found)
    if not system.s.pass_move:
        z = np.concatenate([z, np.zeros((len(z), 1))], axis=1)
    z = np.where(allowed(found, system.s.pass_move), z, -np.inf)
    return (z if rng is None else z + gumbel(rng, z.shape)).argmax(axis=1)


def by_chance(found: Positions, rng) -> np.ndarray:
    """Moves [N] that are drawn from the sensible points."""
    can = allowed(found, False)
    return np.where(can, rng.uniform(can.shape), -1).argmax(axis=1)


def gumbel(rng, shape) -> np.ndarray:
    """-ln(-ln u): what, added to logits, makes the largest a draw from their softmax."""
    return -np.log(-np.log(rng.uniform(shape, 1e-6, 1.0, "float64")))


def games(system, colours: np.ndarray, rng, draw=False) -> list[list[int]]:
    """The moves of len(colours) games: the net has black (1), white (2) or both (0) in each.

    With `draw` its moves are drawn, else they are its likeliest.
    """
    side = system.side
    away, found = side * side, [[] for _ in colours]
    live = np.arange(len(colours))
    for t in range(3 * away):
        turn = BLACK if t % 2 == 0 else WHITE
        own = (colours[live] == turn) | (colours[live] == 0)
        for nets, chosen in ((True, live[own]), (False, live[~own])):
            if not len(chosen):
                continue
            boards = after([found[i] for i in chosen], side, system.s.planes)
            if nets:
                moves = by_net(system, boards, rng if draw else None)
            else:
                moves = by_chance(boards, rng)
            for i, move in zip(chosen, moves.tolist()):
                found[i].append(move)
        live = live[[found[i][-2:] != [away, away] for i in live]]
        if not len(live):
            break
    return found


def stones(games: list[list[int]], side: int) -> np.ndarray:
    """The boards after games, int8 [N, side²]: 0 empty, 1 black, 2 white."""
    x = after(games, side).x.reshape(len(games), -1, side * side)
    mine = np.array([BLACK if len(game) % 2 == 0 else WHITE for game in games])[:, None]
    return (mine * x[:, OWN] + (WHITE + BLACK - mine) * x[:, OTHER]).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Match:
    """Games of the net against chance: moves; its colour, 1 or 2; its points less the other's."""

    games: list[list[int]]
    colours: np.ndarray
    margins: np.ndarray

    @property
    def won(self) -> tuple[int, int]:
        """(games that the net has won, games)."""
        return int((self.margins > 0).sum()), len(self.margins)


def match(system, count: int, komi: float, rng) -> Match:
    """`count` games against chance, the net with black and white in turn."""
    colours = 1 + np.arange(count) % 2
    found = games(system, colours, rng)
    score = [np.subtract(*areas(board, system.side)) - komi for board in stones(found, system.side)]
    return Match(found, colours, np.array(score) * np.where(colours == BLACK, 1, -1))


def interval(won: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a probability, of 95 % for z = 1.96, from `won` of `count` trials.

    >>> [round(p, 3) for p in interval(10, 10)]
    [0.722, 1.0]
    """
    p, n = won / count, count
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
