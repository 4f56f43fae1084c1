"""The rules of Go against a second engine, written with sets of points; and generated games."""

import random
from itertools import pairwise

import numpy as np
import pytest

from glassgrad.core.data import DataError, load, synthetic_go
from glassgrad.core.data.go_rules import Boards, replay
from tests.core.slow_go import Slow


@pytest.mark.parametrize("side", [2, 3, 4, 5, 7])
def test_random_games_by_both_engines(side):
    """Every point legal in one is legal in the other, on every board of the games."""
    rng, games = random.Random(side), 6
    boards, slow = Boards(games, side), [Slow(side) for _ in range(games)]
    kos = taken = 0
    for _ in range(min(90, 4 * side**2)):
        moves = boards.moves()
        points = []
        for n, one in enumerate(slow):
            legal = [p for p in range(side**2) if one.after(p) is not None]
            assert np.flatnonzero(moves.legal[n]).tolist() == legal
            kos += boards.ko[n] >= 0
            for p in legal:
                gone = sum(v == 3 - one.player for v in one.stones.values()) - sum(
                    v == 3 - one.player for v in one.after(p).values()
                )
                assert np.bitwise_count(moves.taken[n, p]) == gone
                free = one.chain(one.after(p), p)[1]
                assert np.bitwise_count(moves.after[n, p]) == len(free)
                taken += gone
            points.append(rng.choice(legal) if legal and rng.random() > 0.03 else side**2)
            one.play(points[-1])
        boards.play(np.array(points), moves)
        for n, one in enumerate(slow):
            got = {p: int(c) for p, c in enumerate(boards.colour[n]) if c}
            assert got == one.stones
        black, white = boards.points()
        assert black.tolist() == [one.points(1) for one in slow]
        assert white.tolist() == [one.points(2) for one in slow]
    assert taken > 50 and (kos > 0 or side == 2), "the games must show what is tested"


def at(text):
    """Moves from pairs of row and column: "01 12" is 1, 7 on five points a side."""
    return np.array([int(m[0]) * 5 + int(m[1]) if m != "--" else 25 for m in text.split()])


KO = "12 13 21 24 32 33 23 22"  # white's last stone takes the black one at 23


def test_ko():
    assert replay(at(KO + " 00"))[-1][at("23")].tolist() == [0]
    with pytest.raises(DataError, match="move 8: go: the move 13 is illegal: it retakes a ko"):
        replay(at(KO + " 23"))
    board = replay(at(KO + " 00 44 23 --"))[-1]  # after a move elsewhere it may be retaken
    assert board[at("23 22")].tolist() == [1, 0]
    with pytest.raises(DataError, match="retakes a ko at once"):
        replay(at(KO + " 00 44 23 22"))


def test_two_stones_may_be_retaken_by_one():
    """White takes two black stones in the corner; black puts one back (a snapback is no ko)."""
    moves = "01 02 00 11 44 10 00"
    board = replay(at(moves + " --"))
    assert board[6][:3].tolist() == [0, 0, 2], "both were taken"
    assert board[7][:3].tolist() == [1, 0, 2]


def test_suicide_and_occupied_points():
    with pytest.raises(DataError, match="move 4: go: the move 0 is illegal: it is suicide"):
        replay(at("44 01 43 10 00"))
    with pytest.raises(DataError, match="the move 1 is illegal: there is a stone"):
        replay(at("01 01"))
    taking = replay(at("01 00 10 --"))[-1]
    assert taking[:2].tolist() == [0, 1]
    filled = "01 02 10 11 44 20 00 --"  # black takes nothing, but its chain has no liberty left
    with pytest.raises(DataError, match=r"move 6: .* it is suicide"):
        replay(at(filled))


@pytest.mark.parametrize("bad", [[26], [-1], [[1, 2]], [1, 99]])
def test_moves_that_are_no_points(bad):
    with pytest.raises(DataError, match="a move must be from 0 to 25"):
        replay(np.array(bad))


def test_sides():
    for side in (1, 8, "5", None):
        with pytest.raises(DataError, match="Boards: side must be"):
            Boards(1, side)
    assert len(replay(np.array([], int))) == 0


# ------------------------------------------------------------- the generated games


@pytest.fixture(scope="module")
def games():
    return load("go_5x5", train=300, valid=40, test=20, seed=3)


def test_every_game_is_legal_and_ends_as_it_says(games):
    lengths = []
    for part, split in games.splits():
        for moves, winner, margin in zip(split.x, split.y, games.info.extra["margin"][part]):
            slow = Slow(5)
            for p in moves.tolist():
                assert p == 25 or slow.after(p) is not None
                slow.play(p)
            assert slow.points(1) - slow.points(2) - 2.5 == margin
            assert games.info.classes[winner] == ("black" if margin > 0 else "white")
            assert moves.dtype == np.int64
            passes = [a == b == 25 for a, b in pairwise(moves)]
            assert len(moves) == 100 or (passes[-1] and not any(passes[:-1]))
            lengths.append(len(moves))
        assert games.info.extra["lengths"][part].tolist() == [len(x) for x in split.x]
    assert [len(s) for _, s in games.splits()] == [300, 40, 20]
    assert games.info.kind == "games" and 25 < np.mean(lengths) < 60
    assert 0.35 < games.train.y.mean() < 0.65, "both colours win"


def test_the_bounds_of_prediction(games):
    """Uniform over the legal moves and a pass; and the player's own probabilities: by hand."""
    few = load("go_5x5", train=30, valid=5, test=5, seed=3)
    uniform = policy = hits = count = 0
    for moves in few.whole().x:
        slow, boards, last = Slow(5), Boards(1), np.array([25])
        for p in moves.tolist():
            uniform += np.log(1 + sum(slow.after(q) is not None for q in range(25)))
            w = synthetic_go.weights(boards, boards.moves(), last)[0]
            if p < 25:
                policy -= np.log(w[p] / w.sum())
                hits += p == w.argmax()
            else:
                assert w.sum() == 0
            last, count = np.array([p]), count + 1
            boards.play(last)
            slow.play(p)
    assert few.info.extra["uniform"] == pytest.approx(uniform / count, rel=1e-9)
    assert few.info.extra["policy"] == pytest.approx(policy / count, rel=1e-9)
    assert hits / count > 0.35
    bounds = games.info.extra
    assert bounds["policy"] < bounds["uniform"] - 0.6, "there is something to predict"


def test_the_player_takes_saves_and_leaves_its_eyes():
    boards = Boards(1)
    for p in at("01 00 44"):
        boards.play(np.array([p]))  # white's stone at 00 has one liberty, at 10
    w = synthetic_go.weights(boards, boards.moves(), np.array([24]))[0]
    boards.play(np.array([25]))
    black = synthetic_go.weights(boards, boards.moves(), np.array([25]))[0]
    assert black.argmax() == 5 and black[5] == 8 * 2 * 4, "it takes the stone"
    assert w[5] == 8 * 4, "white extends: two liberties"
    boards = Boards(1)
    for p in at("01 33 10 34 11 43"):
        boards.play(np.array([p]))
    assert boards.moves().legal[0, 0]
    assert synthetic_go.weights(boards, boards.moves(), np.array([25]))[0, 0] == 0, "an eye"


def test_a_game_depends_on_its_number_only(games):
    fewer = load("go_5x5", train=2, valid=3, test=0, seed=3)
    for a, b in zip(fewer.whole().x, games.train.x):
        assert np.array_equal(a, b)
    assert fewer.info.extra["margin"]["valid"].tolist() == (
        games.info.extra["margin"]["train"][2:5].tolist()
    )
    assert len(fewer.info.extra["margin"]["test"]) == 0
    other = load("go_5x5", train=5, valid=0, test=0, seed=4)
    assert not all(map(np.array_equal, other.train.x, games.train.x))


def test_known_games():
    """Fixed for ever: other numbers here would mean other data under the same name."""
    d = load("go_5x5", train=1, valid=0, test=0)
    assert d.train.x[0].tolist() == [
        14, 19, 18, 9, 13, 12, 16, 15, 21, 17, 24, 8, 20, 10, 11, 6, 1, 22, 4, 3, 2, 7, 21, 20, 16,
        11, 16, 0, 1, 2, 23, 19, 13, 21, 18, 24, 23, 14, 13, 18, 25, 25,
    ]  # fmt: skip
    assert len(load("go_5x5", train=0, valid=0, test=0).train) == 0
