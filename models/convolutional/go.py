"""Go: a network that names the next move (lecture 3, V2 127-131; Silver et al. 2016, 2017).

The lecture gives decisions in games of logic as an application of convolutions and cites the second
paper, without a formula. Here is the net that the first one begins with: its policy network p,
trained on the moves of strong players. What it sees of a position are `planes`, images of the size
of the board (go_planes.py) ::

    x  [N, 29, 19, 19]                                     stones, liberties, last moves, captures
    h_1 = max(0, W_1 ∗ x + b_1)                            5x5, `filters` maps
    h_l = max(0, W_l ∗ h_{l-1} + b_l),   l = 2 ... L       3x3; L is `layers`
    z_p = <w, h_L(p)> + b_p                                1x1; a bias for each point p of the board
    p(move = p | position) = exp z_p / Σ_q exp z_q         over all points q

    -ln p(move | position)  →  min                         moves of recorded games

A frame of zeros keeps the size of the board; W_l ∗ is the cross-correlation of lenet.py. The paper
has L = 12 and 192 filters, which are the defaults for data without a preset. The rules are the same
in all eight directions of the board, so each position is turned or mirrored at random.

Switches:

    planes       features are the above; history are the stones of the last eight positions (2017):
                 liberties are for the net to find out
    batch_norm   batch normalisation before each ReLU, as in the paper of 2017
    legal        the softmax is over the legal points alone; the paper's form is over all
    pass_move    a pass is an answer too. Its logit is <w', mean of h_L over the board> + b'. The
                 recorded games have 15 passes in 1.8 million moves, and the paper's net knows none;
                 those on 5x5 end with two

Epochs are samples of positions (go_positions.py). A position of 19x19 points takes the smallest net
some 3.5 ms of a core; to make it takes 70 µs, a fiftieth, in which the rules, compiled
(go_compiled.py), play the game up to there.

The number: AlphaGo's first net names 57.0 % of the moves of strong players with its planes of
facts, 55.7 % with the stones and the last moves alone, after 28.4 million positions. `--data go`
are other games. There a table of 3x3 patterns and distances to the last moves, from 4000 games,
names 25.0 %, and ours with the preset, 360,000 positions in 19 minutes of one core, 39.6 %. With a
tenth of the positions (standard error 0.34, 20,000 test moves) ::

    layers 2, 4, 6                    32.6, 32.7, 31.9 %       depth pays later
    6 layers, planes=history          28.8                     what liberties are it has to find out
    6 layers, batch_norm=False        30.7                     at half the learning rate

The default is games of a simple player on 5x5 points, whose own probabilities are known: no net can
have fewer nats a move than these. With seed 0 it has 0.057 more, a table of patterns 0.279 more; it
names 49.7 % of the test moves, the table 42.5 %.

The pictures: positions with the probabilities as shades and the move that was played as a ring;
how often it comes first, and among five, by its number; a game of the net with itself; and games
against a player who draws its moves from those that are legal and fill no eye (go_play.py), with
the share that is won and Wilson's interval.

Left out: the value net and the search for which the papers need policy and value, learning from
games with itself. Both take millions of games.

Sources: Silver, Huang, Maddison et al., "Mastering the game of Go with deep neural networks and
tree search", 2016; Silver, Schrittwieser, Simonyan et al., "Mastering the game of Go without human
knowledge", 2017; Clark, Storkey, "Training deep convolutional neural networks to play Go", 2015.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ... import core as gg
from ...core import nn
from ...core.data import DataSet, Split
from ...core.nn.init import parameter
from ...core.training.recipe import Recipe, Target
from ...core.training.settings import TrainingSettings, setting
from ...core.training.system import Batch, System, cut_along
from ..common.gradients import by_parameters
from . import go_pictures
from .go_planes import PLANES
from .go_positions import SYMMETRIES, Games, Positions, drawn, expect_legal, positions


class Settings(TrainingSettings):
    """Settings of a policy network."""

    planes: Literal["features", "history"] = setting(
        "features", help="what it sees: facts of the position, or the stones of the last eight"
    )
    layers: int = setting(12, least=1, help="convolutions before the last, of 1x1")
    filters: int = setting(192, least=1, help="maps of each")
    batch_norm: bool = setting(False, help="batch normalisation before each ReLU")
    legal: bool = setting(False, help="the softmax is over the legal points alone")
    pass_move: bool = setting(False, help="a pass is an answer too, with a logit of its own")
    symmetries: bool = setting(True, help="each position is turned or mirrored at random")
    positions: int = setting(0, least=0, help="positions of an epoch, 0 for all that there are")
    validated: int = setting(2000, least=1, help="validation positions, at most")
    tested: int = setting(20000, least=1, help="test positions, at most")
    matches: int = setting(40, least=2, help="games against a random player, in the pictures")


@dataclass(frozen=True, eq=False)
class Answers:
    """Of some positions, [N]: -ln p of the move that was played, how many moves were likelier,
    how many moves had been played, and the number of the game."""

    nats: np.ndarray
    likelier: np.ndarray
    played: np.ndarray
    game: np.ndarray

    def figures(self) -> dict[str, float]:
        """The mean of -ln p, and the shares of moves that come first and among the first five."""
        return {
            "loss": float(self.nats.mean()),
            "accuracy": float((self.likelier == 0).mean()),
            "top5": float((self.likelier < 5).mean()),
        }

    def error(self) -> float:
        """The standard error of the accuracy, the games being independent, not their positions:
        √Σ_g (Σ_i (a_i - ā))² / N, with i over the positions of game g."""
        right = self.likelier == 0
        off = np.bincount(self.game, right - right.mean())
        return float(np.sqrt((off**2).sum()) / len(right))

    def phases(self, side: int) -> dict[str, float]:
        """The accuracy in each phase of the game that has positions."""
        phase = np.searchsorted(phase_ends(side), self.played, side="right")
        return {
            name: float((self.likelier[phase == k] == 0).mean())
            for k, name in enumerate(PHASES)
            if (phase == k).any()
        }


PHASES = ("opening", "middle", "end")


def phase_ends(side: int) -> tuple[int, int]:
    """After how many moves the opening and the middle of a game end: 1/6 and 5/12 of the points.

    >>> phase_ends(19), phase_ends(5)
    ((60, 150), (4, 10))
    """
    return side * side // 6, 5 * side * side // 12


class Policy(System):
    """Logits of the points, and of a pass if `pass_move`, from planes [N, C, side, side].

    `layers` is the body, `head` the 1x1 convolution, `place` the bias of each point.
    """

    def __init__(self, side: int, s: Settings, rng, dtype="float32"):
        self.s, self.side, made = s, side, {"dtype": dtype}
        layers, maps = [], PLANES[s.planes]
        for i in range(s.layers):
            k = 3 if i else 5
            conv = nn.Conv2d(
                maps, s.filters, k, padding=k // 2, bias=not s.batch_norm,
                rng=rng.child("layer", i), **made,
            )  # fmt: skip
            conv.weight.assign(
                nn.init.kaiming_normal(conv.weight.shape, rng.child("start", i), **made)
            )
            norm = [nn.BatchNorm(s.filters, **made)] if s.batch_norm else []
            layers += [conv, *norm, nn.ReLU()]
            maps = s.filters
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv2d(maps, 1, 1, bias=False, rng=rng.child("head"), **made)
        self.place = parameter(np.zeros(side * side, dtype))
        if s.pass_move:
            self.passing = nn.Linear(maps, 1, rng=rng.child("pass"), **made)

    def forward(self, x):
        """Logits [N, side²], or [N, side² + 1] with the pass last."""
        h = self.layers(x)
        z = gg.flatten(self.head(h)) + self.place
        if self.s.pass_move:
            z = gg.concatenate([z, self.passing(h.mean(axis=(2, 3)))], axis=1)
        return z

    def logits(self, x, legal):
        """The same; with the setting `legal`, -∞ where legal [N, side²] (or + 1) is false."""
        z = self(x)
        return gg.where(legal, z, -np.inf) if self.s.legal else z

    # -------------------------------------------------------------------------- learning

    def batch(self, found: Positions) -> Batch:
        """Positions as a batch: the mask is what is legal, a pass among it if it is an answer."""
        always = np.ones((len(found.y), int(self.s.pass_move)), bool)
        return Batch(found.x, found.y, np.concatenate([found.legal, always], axis=1))

    def batches(self, data, size, seed, epoch, start):
        """The positions of an epoch, drawn and turned by (seed, epoch)."""
        games = Games.of(data.train.x, self.side)
        known = games.answered(self.s.pass_move)
        which = known[drawn(len(known), self.s.positions, seed, epoch)]
        turned = np.zeros(len(which), np.int64)
        if self.s.symmetries:
            rng = gg.Generator(seed).child("symmetries", epoch)
            turned = rng.integers(SYMMETRIES, len(which))
        for at in range(start * size, len(which), size):
            part = slice(at, at + size)
            yield self.batch(positions(games, which[part], self.s.planes, turned[part]))

    def batches_per_epoch(self, data, size):
        """The number of minibatches in an epoch."""
        known = len(Games.of(data.train.x, self.side).answered(self.s.pass_move))
        return -(-(self.s.positions or known) // size)

    def cut(self, batch, n):
        """Parts with some of the positions."""
        return cut_along(batch, n, {"x": 0, "y": 0, "mask": 0}, self.fewest_in_shard)

    def objective(self, batch):
        """(the mean of -ln p(move | position), {"accuracy": share of moves that are likeliest})."""
        z = self.logits(batch.x, batch.mask)
        right = (z.data.argmax(axis=1) == batch.y).mean()
        return nn.losses.cross_entropy(z, batch.y), {"accuracy": right}

    # ------------------------------------------------------------------------ evaluation

    def scores(self, found: Positions, size: int = 250) -> np.ndarray:
        """Logits [N, side²] (or + 1) of any number of positions, without a tape."""
        batch, parts = self.batch(found), []
        with gg.no_grad():
            for at in range(0, len(batch), size):
                part = slice(at, at + size)
                one = self.on_device(Batch(batch.x[part], mask=batch.mask[part]))
                parts.append(self.logits(one.x, one.mask).numpy())
        return np.concatenate(parts)

    def chosen(self, split: Split, most: int) -> tuple[Games, np.ndarray]:
        """The games of a split, and `most` of their positions: always the same ones."""
        games = Games.of(split.x, self.side)
        known = games.answered(self.s.pass_move)
        return games, known[drawn(len(known), min(most, len(known)), seed=0, epoch=0)]

    def answers(self, split: Split, most: int, size: int = 250) -> Answers:
        """What it says of the `chosen` positions."""
        (games, which), parts = self.chosen(split, most), []
        for at in range(0, len(which), size):
            found = positions(games, which[at : at + size], self.s.planes)
            z = self.scores(found).astype(np.float64)
            z -= z.max(axis=1, keepdims=True)
            own = np.take_along_axis(z, found.y[:, None], axis=1)
            nats = np.log(np.exp(z).sum(axis=1)) - own[:, 0]
            # of moves that are equally likely the one with the lowest number comes first
            before = (z > own) | ((z == own) & (np.arange(z.shape[1]) < found.y[:, None]))
            parts.append((nats, before.sum(axis=1), found.played))
        return Answers(*map(np.concatenate, zip(*parts)), games.game(which))

    def evaluate(self, split, size=250):
        """`loss`, nats a move; `accuracy`, the share of moves that are its likeliest, and `top5`,
        of those among its five likeliest: of the first `validated` positions of a random order."""
        return self.answers(split, self.s.validated, size).figures()

    def evaluate_finished(self, split):
        """The same of `tested` positions, with the standard error of the accuracy, and with the
        accuracy by phase of the game."""
        found = self.answers(split, self.s.tested)
        return {**found.figures(), "accuracy_error": found.error(), **found.phases(self.side)}


def build(data: DataSet, s: Settings, rng) -> Policy:
    """The network for games on one board; they must keep the rules."""
    side = data.info.extra["board"]
    for part, split in data.splits():
        expect_legal(f"{data.name}, {part}", split, side)
    return Policy(side, s, rng)


def check(rng, **changes):
    """The objective of a small network as a function of its parameters, for gradcheck."""
    s = Settings(**{"layers": 2, "filters": 2, **changes})
    system = Policy(3, s, gg.Generator(3), dtype="float64")
    games = Games.of([np.array([4, 1, 3, 9, 5]), np.array([0, 8, 2])], 3)
    batch = system.batch(positions(games, np.array([0, 2, 4, 7]), s.planes))
    return by_parameters(system, Batch(batch.x.astype(np.float64), batch.y, batch.mask))


SMALL = {
    "layers": 3, "filters": 32, "pass_move": True, "positions": 15_000, "validated": 1000,
    "tested": 10_000, "matches": 200, "epochs": 4, "batch": 100, "lr": 4e-3, "schedule": "cosine",
}  # fmt: skip
LARGE = {
    "layers": 6, "filters": 48, "batch_norm": True, "positions": 18_000,
    "epochs": 20, "batch": 32, "lr": 4e-3, "schedule": "cosine",
}  # fmt: skip


def rung(what: str, settings: dict) -> Target:
    """A net at a tenth of the steps, to be compared with others."""
    return Target(
        f"19x19, a tenth of the steps: {what}",
        "go",
        "accuracy",
        "none",
        0.25,
        better="higher",
        settings={"epochs": 2, **settings},
        own=True,
        spread="accuracy_error",
        note="25.0 % is a table of patterns from 4000 games",
    )


GO = Recipe(
    name="go",
    title="Go: a policy network",
    lecture="lecture 3 (V2 127-131)",
    rows=(74,),
    build=build,
    settings=Settings,
    takes=("games",),
    data="go_5x5",
    presets={"go_5x5": SMALL, "go": LARGE, "games": SMALL},
    metric="accuracy",
    better="higher",
    targets=(
        Target(
            "19x19: share of the moves of 9-dan players that come first",
            "go",
            "accuracy",
            "57.0 % of other games, with 28.4 million positions",
            0.35,
            better="higher",
            own=True,
            spread="accuracy_error",
            source="Silver et al. 2016, supervised learning of policy networks",
            note="360,000 positions on one core; a table of patterns has 25.0 %",
        ),
        *(rung(f"{n} layers", {"layers": n}) for n in (2, 4, 6)),
        rung("6 layers, the stones of eight positions", {"planes": "history"}),
        rung("6 layers without batch normalisation", {"batch_norm": False, "lr": 2e-3}),
    ),
    figures=go_pictures.figures,
    check=check,
)
RECIPES = (GO,)
