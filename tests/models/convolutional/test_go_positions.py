"""Positions of Go: planes by search on random games, symmetries, legality, what an epoch sees."""

import random

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataError, Split, load
from glassgrad.core.data.go_rules import Boards
from glassgrad.models.convolutional import go_positions
from glassgrad.models.convolutional.go_board import Board, areas
from glassgrad.models.convolutional.go_positions import Games, after, drawn, positions, turns
from tests.core.slow_go import Slow

BACKENDS = ("numba", "reference")


def random_game(side, length, seed, passes=0.03):
    """(moves, the engines before each of them): legal moves, any of them, now and then a pass."""
    rng, slow, moves, stones = random.Random(seed), Slow(side), [], []
    for _ in range(length):
        legal = [p for p in range(side * side) if slow.after(p) is not None]
        move = rng.choice(legal) if legal and rng.random() > passes else side * side
        stones.append((dict(slow.stones), slow.before, slow.player))
        moves.append(move)
        slow.play(move)
    return moves, stones


def engine(side, state):
    """The slow engine in a state."""
    slow = Slow(side)
    slow.stones, slow.before, slow.player = state
    return slow


def is_eye(slow, p):
    """By the definition: all neighbours own; of the diagonal points at most one, at the edge none,
    the opponent's."""
    if p in slow.stones or any(slow.stones.get(q) != slow.player for q in slow.beside(p)):
        return False
    row, column = divmod(p, slow.side)
    diagonal = [(row + a, column + b) for a in (-1, 1) for b in (-1, 1)]
    inside = [r * slow.side + c for r, c in diagonal if {r, c} <= set(range(slow.side))]
    against = sum(slow.stones.get(q) == 3 - slow.player for q in inside)
    return against <= (len(inside) == 4)


def planes_by_search(slow, moves):
    """(29 planes, legal points, sensible points) as the page lists them, point by point."""
    points, me = slow.side**2, slow.player
    x, legal, sensible = np.zeros((29, points)), np.zeros(points, bool), np.zeros(points, bool)
    x[3] = 1
    for ago, move in enumerate(moves[::-1][:8]):
        if move < points:
            x[12 + ago, move] = 1
    for p in range(points):
        if p in slow.stones:
            mine = slow.stones[p] == me
            x[0 if mine else 1, p] = 1
            free = len(slow.chain(slow.stones, p)[1])
            x[(4 if mine else 8) + min(free, 4) - 1, p] = 1
            continue
        x[2, p] = 1
        then = slow.after(p)
        if then is None:
            continue
        legal[p], sensible[p] = True, not is_eye(slow, p)
        x[28, p] = sensible[p]
        x[24 + min(len(slow.chain(then, p)[1]), 4) - 1, p] = 1
        taken = len(slow.stones) + 1 - len(then)
        if taken:
            x[20 + min(taken, 4) - 1, p] = 1
    return x, legal, sensible


def history_by_search(states, t, side):
    """17 planes: the stones of the last eight positions, and whose turn it is."""
    x, me = np.zeros((17, side**2)), states[t][2]
    for ago in range(min(8, t + 1)):
        for p, colour in states[t - ago][0].items():
            x[ago if colour == me else 8 + ago, p] = 1
    x[16] = me == 1
    return x


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "side, length, every", [(2, 12, 1), (3, 40, 1), (5, 120, 3), (9, 240, 24)], ids=str
)
def test_planes_are_those_of_a_search(side, length, every, backend):
    """Random games fill a board until chains are taken over and over."""
    moves, states = random_game(side, length, seed=side)
    games, which = Games.of([np.array(moves)], side), np.arange(0, length, every)
    with gg.backend(backend):
        facts, past = (positions(games, which, form) for form in ("features", "history"))
    found = facts.x.reshape(len(which), 29, -1)
    for i, t in enumerate(which):
        x, legal, sensible = planes_by_search(engine(side, states[t]), moves[:t])
        np.testing.assert_array_equal(found[i], x, f"move {t}")
        np.testing.assert_array_equal(facts.legal[i], legal)
        np.testing.assert_array_equal(facts.sensible[i], sensible)
        np.testing.assert_array_equal(
            past.x[i].reshape(17, -1), history_by_search(states, t, side), f"move {t}"
        )
    assert facts.y.tolist() == [moves[t] for t in which] and facts.played.tolist() == [*which]
    seen = found.any(axis=(0, 2))
    assert seen.all() or side not in (3, 5), "the games must show what is tested"


def test_legal_points_are_those_of_the_rules_engine():
    """On every position of generated games, kos among them, and suicides."""
    split = load("go_5x5", train=1, valid=0, test=40).test
    games, kos, suicides = Games.of(split.x, 5), 0, 0
    found = positions(games, np.arange(len(games.moves)))
    for number, game in enumerate(split.x):
        boards, first = Boards(1), games.first[number]
        for t, move in enumerate(game):
            legal = boards.moves().legal[0]
            assert np.array_equal(found.legal[first + t], legal), (number, t)
            kos += boards.ko[0] >= 0
            suicides += int(((boards.colour[0] == 0) & ~legal).sum())
            boards.play(np.array([move]))
    assert kos > 10 and suicides > 100


KO = [7, 8, 11, 14, 17, 18, 13, 12]  # white's last stone takes the black one at 13


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ko_and_what_else_is_illegal(backend):
    with gg.backend(backend):
        found = after([KO, [*KO, 0, 24]], 5)
        assert not found.legal[0, 13] and found.legal[1, 13]
        assert found.x[1, 20].reshape(-1)[13] == 1 and not found.x[0, 20].any()
        for moves, why in (
            ([*KO, 13], "game 6, move 8: 13 is illegal: it retakes a ko at once"),
            ([3, 3], "game 6, move 1: 3 is illegal: there is a stone"),
            ([24, 1, 23, 5, 0], "game 6, move 4: 0 is illegal: it is suicide"),
        ):
            with pytest.raises(DataError, match=why):
                after([moves], 5, number=6)
    with pytest.raises(DataError, match="it is suicide"):
        board = Board(5)
        for move in (24, 1, 23, 5, 0):
            board.play(move)


def test_a_split_whose_games_break_the_rules_is_refused():
    good = np.array([0, 1, 2])
    go_positions.expect_legal("mine", Split([good] * 3), 3)
    with pytest.raises(DataError, match="mine: game 2, move 3: 1 is illegal: there is a stone"):
        go_positions.expect_legal("mine", Split([good, good, np.array([0, 1, 2, 1])]), 3, size=2)
    with pytest.raises(DataError, match="mine: there are no moves"):
        go_positions.expect_legal("mine", Split([good[:0]]), 3)


# ---------------------------------------------------------------------- symmetries


def test_symmetries_are_the_eight_of_the_square():
    """All different; neighbours stay neighbours, and a pass a pass."""
    table = turns(4)
    assert len({tuple(row) for row in table.tolist()}) == 8
    for row in table:
        assert sorted(row.tolist()) == list(range(17)) and row[16] == 16
        for p in range(15):
            (a, b), (c, d) = (divmod(int(row[q]), 4) for q in (p, p + 1))
            assert (abs(a - c) + abs(b - d) == 1) == (p % 4 != 3)
    assert table[0].tolist() == list(range(17))


@pytest.mark.parametrize("form", ["features", "history"])
def test_a_turned_position_has_turned_planes(form):
    moves, _ = random_game(5, 60, seed=3)
    games, which = Games.of([np.array(moves)], 5), np.arange(60)
    plain = positions(games, which, form)
    for s in range(8):
        turned = positions(games, which, form, np.full(60, s))
        goes = turns(5)[s]
        flat = turned.x.reshape(*turned.x.shape[:2], 25)
        assert np.array_equal(flat[:, :, goes[:25]], plain.x.reshape(flat.shape))
        assert np.array_equal(turned.y, goes[plain.y])
        assert np.array_equal(turned.legal[:, goes[:25]], plain.legal)
        assert np.array_equal(turned.sensible[:, goes[:25]], plain.sensible)


# ------------------------------------------------------------------ what there is


def test_positions_are_numbered_through_all_games():
    games = Games.of([np.array([0, 1]), np.array([9, 4, 3])], 3)
    assert games.game(np.arange(5)).tolist() == [0, 0, 1, 1, 1]
    assert games.answered(True).tolist() == [0, 1, 2, 3, 4]
    assert games.answered(False).tolist() == [0, 1, 3, 4]
    assert positions(games, np.array([4, 1])).played.tolist() == [2, 1]


@pytest.mark.parametrize("total, each", [(10, 3), (4, 11), (7, 7), (6, 0)])
def test_an_epoch_goes_on_where_the_last_one_ended(total, each):
    """Every position once before any comes again; a function of seed and epoch alone."""
    size = each or total
    whole = np.concatenate([drawn(total, each, 5, epoch) for epoch in range(8)])
    assert len(whole) == 8 * size
    for at in range(0, len(whole) - total + 1, total):
        assert sorted(whole[at : at + total]) == list(range(total))
    assert drawn(total, each, 5, 3).tolist() == whole[3 * size : 4 * size].tolist()
    assert drawn(40, 20, 5, 0).tolist() != drawn(40, 20, 6, 0).tolist()


def test_areas_by_hand():
    board = np.array([[0, 1, 0, 2], [1, 1, 0, 2], [0, 0, 0, 2], [1, 2, 2, 2]])
    assert areas(board.reshape(-1), 4) == (5, 6)  # the corner is black's; the middle nobody's
    slow = Slow(5)
    for move in random_game(5, 31, seed=8)[0]:
        slow.play(move)
    colour = np.array([slow.stones.get(p, 0) for p in range(25)])
    assert areas(colour, 5) == (slow.points(1), slow.points(2))


@pytest.mark.data
def test_all_recorded_games_are_legal_and_some_positions_are_those_of_the_reference():
    if not gg.data.available("go"):
        pytest.skip("the games are not here")
    data = load("go")
    for part, split in data.splits():
        go_positions.expect_legal(part, split, 19)
    games = Games.of(data.test.x, 19)
    which = np.random.default_rng(0).integers(0, len(games.moves), 6)
    turned = np.arange(6) + 2
    found = positions(games, which, turned=turned)
    with gg.backend("reference"):
        wanted = positions(games, which, turned=turned)
    for part in ("x", "y", "legal", "sensible", "played"):
        assert np.array_equal(getattr(found, part), getattr(wanted, part)), part
