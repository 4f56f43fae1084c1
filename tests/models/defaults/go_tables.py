"""Baselines of the policy network for Go: what frequencies know, and the player's own bound."""

from functools import cache

import numpy as np

from glassgrad.core.data import synthetic_go
from glassgrad.core.data.go_rules import Boards
from glassgrad.models.convolutional.go_planes import OTHER, OWN, TURN
from glassgrad.models.convolutional.go_positions import Games, positions

AROUND = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
FAR = 4  # distances from here on are one


def _held(done):
    """The positions that the test figures are for."""
    games, which = done.system.chosen(done.held, done.settings.tested)
    return games, which, positions(games, which)


def most_frequent_point(done) -> float:
    """Per cent wrong if the answer is the sensible point that is most frequent in the training
    games, and a pass where there is none."""
    *_, found = _held(done)
    count = np.bincount(np.concatenate(done.data.train.x), minlength=26)
    count[25] = 0
    can = np.concatenate([found.sensible, np.ones((len(found.y), 1), bool)], axis=1)
    return 100 * float((np.where(can, count, -1).argmax(axis=1) != found.y).mean())


@cache
def _canonical() -> np.ndarray:
    """The smallest code of each pattern of eight neighbours among its eight symmetries."""
    codes = np.arange(4**8)
    grid = np.zeros((len(codes), 3, 3), np.int64)
    for k, (a, b) in enumerate(AROUND):
        grid[:, 1 + a, 1 + b] = codes // 4**k % 4
    weight = np.zeros((3, 3), np.int64)
    for k, (a, b) in enumerate(AROUND):
        weight[1 + a, 1 + b] = 4**k
    turned = [np.rot90(g, r, (1, 2)) for g in (grid, grid[:, :, ::-1]) for r in range(4)]
    return np.min([(g * weight).sum(axis=(1, 2)) for g in turned], axis=0)


def _keys(found) -> np.ndarray:
    """int64 [N, side²]: pattern, distances to the last two moves and place of each point."""
    x, side = found.x, found.x.shape[-1]
    here = np.full((len(x), side + 2, side + 2), 3)
    here[:, 1:-1, 1:-1] = x[:, OWN] + 2 * x[:, OTHER]
    code = np.zeros((len(x), side, side), np.int64)
    for k, (a, b) in enumerate(AROUND):
        code += 4**k * here[:, 1 + a : 1 + a + side, 1 + b : 1 + b + side]
    key = _canonical()[code]
    row, column = np.mgrid[:side, :side]
    for ago in (0, 1):
        flat = x[:, TURN + ago].reshape(len(x), -1)
        r, c = np.divmod(flat.argmax(axis=1)[:, None, None], side)
        far = np.minimum(FAR, np.maximum(abs(row - r), abs(column - c)))
        key = (FAR + 1) * key + np.where(flat.any(axis=1)[:, None, None], far, FAR)
    edge = np.sort([np.minimum(a, side - 1 - a) for a in (row, column)], axis=0)
    return ((key * side + edge[0]) * side + edge[1]).reshape(len(x), -1)


def pattern_scores(train: Games, found) -> np.ndarray:
    """How often points like each were played where they could be, in the training positions.

    [N, side² + 1]: of legal points with the same stones around (3x3, turned or mirrored), the same
    distances to the last two moves, at the same place of the board; a pass by the number of
    sensible points. Smoothed by one twentieth of a move in one position.
    """
    played, could, last = {}, {}, np.zeros((2, 26))
    every = np.arange(len(train.moves))
    for at in range(0, len(every), 5000):
        seen = positions(train, every[at : at + 5000])
        keys, stones = _keys(seen), seen.y < seen.legal.shape[1]
        for table, rows in (
            (could, keys[seen.legal]),
            (played, keys[np.flatnonzero(stones), seen.y[stones]]),
        ):
            for key, n in zip(*np.unique(rows, return_counts=True)):
                table[key] = table.get(key, 0) + n
        left = np.minimum(seen.sensible.sum(axis=1), 25)
        last += [np.bincount(left[~stones], minlength=26), np.bincount(left, minlength=26)]
    ratio = {key: (played.get(key, 0) + 0.05) / (n + 1) for key, n in could.items()}
    keys = _keys(found)
    score = np.array([[ratio.get(k, 0.05) for k in row] for row in keys])
    passing = (last[0] + 0.05) / (last[1] + 1)
    left = np.minimum(found.sensible.sum(axis=1), 25)
    return np.concatenate([np.where(found.legal, score, 0), passing[left][:, None]], axis=1)


@cache
def _scores(done) -> np.ndarray:
    return pattern_scores(Games.of(done.data.train.x, done.system.side), _held(done)[2])


def pattern_table(done) -> float:
    """Per cent wrong by a table of patterns: the stones around a point (3x3), its distances to the
    last two moves, its place; a pass by the number of sensible points."""
    return 100 * float((_scores(done).argmax(axis=1) != _held(done)[2].y).mean())


@cache
def _bound(done) -> float:
    """-ln of the probability that the player itself gave its move, the mean over the positions."""
    games, which, _ = _held(done)
    ends = np.append(games.first[1:], len(games.moves))
    lengths = ends - games.first
    boards, last = Boards(len(lengths), games.side), np.full(len(lengths), 25)
    nats = np.zeros(len(games.moves))
    for t in range(lengths.max()):
        live = np.flatnonzero(t < lengths)
        move = np.full(len(lengths), 25)
        move[live] = games.moves[games.first[live] + t]
        found = boards.moves()
        w = np.concatenate([synthetic_go.weights(boards, found, last), np.zeros((len(move), 1))], 1)
        w[:, 25] = w.sum(axis=1) == 0
        p = w[np.arange(len(move)), move] / w.sum(axis=1)
        nats[games.first[live] + t] = -np.log(p[live])
        boards.play(move, found)
        last = move
    return float(nats[which].mean())


def excess(done) -> float:
    """-ln p of a move, less that of the player itself, which no prediction can beat; nats."""
    return done.test_figures["loss"] - _bound(done)


def excess_of_the_table(done) -> float:
    """The same of the table of patterns, its scores divided by their sum."""
    p = _scores(done) / _scores(done).sum(axis=1, keepdims=True)
    y = _held(done)[2].y
    return float(-np.log(p[np.arange(len(y)), y]).mean()) - _bound(done)
