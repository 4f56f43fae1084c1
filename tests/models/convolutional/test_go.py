"""The policy network: its formula next to PyTorch, legality, its figures by hand, its games."""

from itertools import pairwise

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core.data import DataError, DataSet, Info, Split, load
from glassgrad.core.optim import Adam
from glassgrad.core.training.loop import Interrupted, fit
from glassgrad.core.training.run_folder import Run
from glassgrad.models.convolutional import go, go_play
from glassgrad.models.convolutional.go import Answers, Policy, Settings
from glassgrad.models.convolutional.go_board import Board
from glassgrad.models.convolutional.go_positions import Games, after, positions, turns
from tests.tools import assert_close

RECIPE = models.recipe("go")
SMALL = {"layers": 2, "filters": 3, "pass_move": True}


def made(side=5, dtype="float32", seed=1, **changes):
    system = Policy(side, Settings(**{**SMALL, **changes}), gg.Generator(seed), dtype)
    system.place.assign(np.random.default_rng(seed).standard_normal(side * side))
    return system


@pytest.fixture(scope="module")
def data():
    return load("go_5x5", train=60, valid=20, test=20)


@pytest.mark.torch
@pytest.mark.parametrize("passes", [False, True])
@pytest.mark.parametrize("legal", [False, True])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_objective_next_to_pytorch(data, batch_norm, legal, passes):
    torch = pytest.importorskip("torch")
    conv = torch.nn.functional.conv2d
    m = made(dtype="float64", layers=3, batch_norm=batch_norm, legal=legal, pass_move=passes)
    games = Games.of(data.train.x, 5)
    found = positions(games, games.answered(passes)[5:400:9])
    p = {k: torch.tensor(v) for k, v in m.state_dict().items()}
    x = h = torch.tensor(found.x, dtype=torch.float64)
    for i in range(3):
        at, k = i * (3 if batch_norm else 2), 2 if i == 0 else 1
        h = conv(h, p[f"layers.{at}.weight"], p.get(f"layers.{at}.bias"), padding=k)
        if batch_norm:
            w, b = (p[f"layers.{at + 1}.{name}"] for name in ("weight", "bias"))
            h = torch.nn.functional.batch_norm(h, None, None, w, b, training=True)
        h = h.relu()
    z = conv(h, p["head.weight"])[:, 0].reshape(len(x), 25) + p["place"]
    can = torch.tensor(found.legal)
    if passes:
        z = torch.cat([z, h.mean((2, 3)) @ p["passing.weight"].T + p["passing.bias"]], 1)
        can = torch.cat([can, torch.ones(len(x), 1, dtype=torch.bool)], 1)
    if legal:
        z = z.masked_fill(~can, -torch.inf)
    batch = m.batch(found)
    loss, extra = m.objective(go.Batch(found.x.astype(float), batch.y, batch.mask))
    assert loss.item() == pytest.approx(
        torch.nn.functional.cross_entropy(z, torch.tensor(found.y)).item(), rel=1e-6
    )
    assert extra["accuracy"] == (z.argmax(1).numpy() == found.y).mean()


@pytest.mark.parametrize(
    "changes", [{}, {"pass_move": True, "legal": True}, {"batch_norm": True, "planes": "history"}]
)
def test_the_objective_passes_the_gradient_check(changes):
    f, arrays = go.check(np.random.default_rng(0), **{"pass_move": True, **changes})
    assert gg.gradcheck(f, *arrays, order=2, directions=2).error < 1e-6


def test_the_softmax_over_legal_points_gives_others_nothing(data):
    games = Games.of(data.test.x, 5)
    found = positions(games, np.arange(0, 300, 7))
    z = made(legal=True).scores(found)
    assert np.array_equal(np.isfinite(z[:, :25]), found.legal) and np.isfinite(z[:, 25]).all()
    assert np.isfinite(made(legal=False).scores(found)).all()


def test_a_net_that_knows_no_directions_says_the_same_of_turned_positions(data):
    """Kernels and biases made symmetric: then its probabilities turn with the board."""
    m = made(dtype="float64")
    for layer in (m.layers[0], m.layers[2]):
        w = layer.weight.numpy()
        same = [np.rot90(v, k, (2, 3)) for v in (w, w[..., ::-1]) for k in range(4)]
        layer.weight.assign(np.mean(same, axis=0))
    m.place.assign(np.mean([m.place.numpy()[turns(5)[s][:25]] for s in range(8)], axis=0))
    games, which = Games.of(data.test.x, 5), np.arange(0, 200, 5)
    plain = m.scores(positions(games, which))
    for s in range(8):
        turned = m.scores(positions(games, which, turned=np.full(len(which), s)))
        assert_close(turned[:, turns(5)[s]], plain, rtol=1e-9)


def test_figures_by_hand():
    found = Answers(
        np.array([1.0, 2.0, 3.0, 2.0]), np.array([0, 4, 5, 0]), np.array([0, 4, 10, 40]),
        np.array([0, 0, 1, 1]),
    )  # fmt: skip
    assert found.figures() == {"loss": 2.0, "accuracy": 0.5, "top5": 0.75}
    assert found.error() == 0.0  # one of two in either game
    assert found.phases(5) == {"opening": 1.0, "middle": 0.0, "end": 0.5}
    other = Answers(found.nats, np.array([0, 0, 5, 9]), np.array([0, 1, 2, 3]), found.game)
    assert other.error() == pytest.approx(np.sqrt(2) / 4) and other.phases(5) == {"opening": 0.5}


def test_evaluation_is_of_one_sample_whatever_its_parts(data):
    m = made(validated=90, tested=5000)
    m.eval()
    one, two = (m.evaluate(data.test, size=size) for size in (7, 400))
    assert one == pytest.approx(two)
    games, which = m.chosen(data.test, 90)
    z = m.scores(positions(games, which))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = games.moves[which]
    assert one["loss"] == pytest.approx(-np.log(p[np.arange(90), y]).mean(), rel=1e-5)
    assert one["accuracy"] == pytest.approx((p.argmax(axis=1) == y).mean())
    first = np.argsort(-p, axis=1)[:, :5]
    assert one["top5"] == pytest.approx((first == y[:, None]).any(axis=1).mean())
    whole = m.answers(data.test, 5000)
    assert len(whole.nats) == sum(map(len, data.test.x)), "no more than there are"


def test_of_equally_likely_moves_the_first_point_comes_first(data):
    m = made()
    for p in m.parameters():
        p.assign(np.zeros(p.shape))
    found = m.answers(data.test, 200)
    games, which = m.chosen(data.test, 200)
    assert np.array_equal(found.likelier, games.moves[which])


def test_passes_are_left_out_where_they_are_no_answer(data):
    with_passes, without = made(), made(pass_move=False)
    batches = list(without.batches(data, 500, 0, 0, 0))
    assert all((b.y < 25).all() and b.mask.shape[1] == 25 for b in batches)
    moves = np.concatenate(data.train.x)
    assert sum(map(len, batches)) == (moves < 25).sum() < len(moves)
    assert with_passes.batches_per_epoch(data, 500) == -(-len(moves) // 500)
    assert without.batches_per_epoch(data, 500) == len(batches)


def test_an_epoch_is_a_sample_that_depends_on_seed_and_epoch_only(data):
    m = made(positions=200)
    whole = list(m.batches(data, 60, 3, 1, 0))
    rest = list(m.batches(data, 60, 3, 1, 2))
    assert [len(b) for b in whole] == [60, 60, 60, 20] and m.batches_per_epoch(data, 60) == 4
    for a, b in zip(rest, whole[2:], strict=True):
        assert np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y)
    assert not np.array_equal(next(m.batches(data, 60, 3, 2, 0)).x, whole[0].x)
    plain = next(made(positions=200, symmetries=False).batches(data, 60, 3, 1, 0))
    assert not np.array_equal(plain.x, whole[0].x)
    assert np.array_equal(plain.x[:, :3].sum((2, 3)), whole[0].x[:, :3].sum((2, 3)))


def test_a_resumed_training_is_the_uninterrupted_one(data, tmp_path):
    s = RECIPE.resolve("go_5x5", {"filters": 4, "layers": 2, "positions": 150, "epochs": 2})
    nets = [go.build(data, s, gg.Generator(0)) for _ in range(2)]
    whole = fit(nets[0], data, s)
    left = iter([False] * 3)
    run = Run.create(tmp_path, "go")
    with pytest.raises(Interrupted):
        fit(nets[1], data, s, run=run, stop=lambda: next(left, True))
    again = go.build(data, s, gg.Generator(5))
    resumed = fit(again, data, s, run=run, resume=True)
    for a, b in zip(whole, resumed, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
    for (_, a), (_, b) in zip(nets[0].named_tensors(), again.named_tensors(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_it_learns_positions_by_heart(data):
    games = Games.of(data.train.x, 5)
    m = made(layers=3, filters=24, legal=True)
    batch = m.batch(positions(games, np.arange(10, 500, 12)))
    optimiser = Adam(m.parameters(), lr=5e-3)
    for _ in range(120):
        m.objective(batch)[0].backward()
        optimiser.step()
    assert m.objective(batch)[1]["accuracy"] > 0.95


def test_games_that_break_the_rules_are_refused():
    split = Split([np.array([0, 1, 1])])
    wrong = DataSet("mine", split, info=Info(kind="games", extra={"board": 3}))
    with pytest.raises(DataError, match="mine, train: game 0, move 2: 1 is illegal"):
        go.build(wrong, Settings(**SMALL), gg.Generator(0))


# ---------------------------------------------------------------------------- games


@pytest.mark.parametrize("passes", [False, True])
@pytest.mark.parametrize("side", [3, 5])
def test_games_are_played_by_the_rules(side, passes):
    """Every move is sensible, or a pass; a player without a pass of its own passes at need only."""
    m = made(side, pass_move=passes)
    found = go_play.games(m, np.array([0, 1, 2, 1]), gg.Generator(0), draw=True)
    for moves, own in zip(found, (0, 1, 2, 1)):
        board = Board(side)
        for t, move in enumerate(moves):
            can = [p for p in range(side**2) if board.sensible(p)]
            net = own in (0, 1 + t % 2)
            assert move in can or (move == side**2 and (not can or (net and passes)))
            board.play(move)
        ended = moves[-2:] == [side**2] * 2
        assert ended or len(moves) == 3 * side**2
        assert not any(a == b == side**2 for a, b in pairwise(moves[:-1]))
        assert np.array_equal(go_play.stones([moves], side)[0], board.colour)


def test_the_likeliest_move_and_a_draw(data):
    m, many = made(), 3000
    found = after([data.test.x[0][:9].tolist()] * many, 5)
    z = np.where(go_play.allowed(found, True), m.scores(found), -np.inf)[0]
    assert (go_play.by_net(m, found) == z.argmax()).all()
    drawn = np.bincount(go_play.by_net(m, found, gg.Generator(4)), minlength=26)
    assert abs(drawn / many - np.exp(z) / np.exp(z).sum()).max() < 0.03
    even = np.bincount(go_play.by_chance(found, gg.Generator(5)), minlength=26)
    can = found.sensible[0]
    assert (even[:25] > 0).tolist() == can.tolist() and even[25] == 0
    assert abs(even[:25][can] / many - 1 / can.sum()).max() < 0.03


def test_a_match_counts_points_for_the_net():
    m = made(3)
    found = go_play.match(m, 6, 2.5, gg.Generator(1))
    assert found.colours.tolist() == [1, 2, 1, 2, 1, 2]
    for moves, colour, margin in zip(found.games, found.colours, found.margins):
        board = go_play.stones([moves], 3)[0]
        black, white = go_play.areas(board, 3)
        assert margin == (black - white - 2.5) * (1 if colour == 1 else -1)
    assert found.won == (int((found.margins > 0).sum()), 6)


def test_wilsons_interval():
    """Its ends p solve (won/n - p)² = z² p (1 - p)/n."""
    for won, n in ((3, 10), (198, 200), (0, 5)):
        for p in go_play.interval(won, n):
            assert (won / n - p) ** 2 == pytest.approx(1.96**2 * p * (1 - p) / n, abs=1e-12)
