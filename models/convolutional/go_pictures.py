"""Pictures of a policy network: boards with probabilities, how often it is right, its games."""

from itertools import pairwise

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.data.go_rules import BLACK, EMPTY, WHITE
from .go_board import areas
from .go_play import games, interval, match, stones
from .go_positions import Games, drawn, positions

SHOWN = 6  # positions with the net's probabilities
WOOD, GRID, DARK, SHADE = "#f3e3c3", "#8a7a5c", "#222222", "#c8553d"
KOMI = 6.5  # of the recorded games, where the data do not say
BINS = 12  # of move numbers


def figures(system, data: DataSet, s) -> dict:
    """What it expects, how often it is right, a game with itself, games against chance."""
    split = next(p for p in (data.test, data.valid, data.train) if p is not None and len(p))
    komi = data.info.extra.get("komi", KOMI)
    return {
        "predictions": predictions(system, split, s),
        "by_move": by_move(system, split, s),
        "itself": itself(system, s.seed),
        "matches": matches(system, s.matches, komi, s.seed),
    }


def draw_board(ax, colour: np.ndarray, side: int, shade=None, mark: int | None = None) -> None:
    """Stones [side²]; probabilities [side²] as shades, √p; a ring at the point `mark`."""
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import to_rgb

    ax.set_facecolor(WOOD)
    thin = 0.5 if side > 9 else 0.8
    for k in range(side):
        ax.plot([0, side - 1], [k, k], color=GRID, lw=thin, zorder=1)
        ax.plot([k, k], [0, side - 1], color=GRID, lw=thin, zorder=1)
    if shade is not None:
        cells = np.ones((side, side, 4)) * (*to_rgb(SHADE), 1)
        cells[:, :, 3] = np.sqrt(shade).reshape(side, side)
        ax.imshow(cells, zorder=1.5)

    def discs(points, size, **look):
        at = np.stack(np.divmod(points, side)[::-1], axis=1)
        sizes = np.full(len(at), size)
        where = {"offsets": at, "offset_transform": ax.transData}
        ax.add_collection(EllipseCollection(sizes, sizes, 0 * sizes, units="x", **where, **look))

    for which, face in ((BLACK, DARK), (WHITE, "white")):
        discs(np.flatnonzero(colour == which), 0.92, fc=face, ec=DARK, lw=thin, zorder=2)
    if mark is not None and mark < side * side:
        stone = colour[mark] != EMPTY
        ring = "white" if colour[mark] == BLACK else pictures.COLOURS[0]
        discs(np.array([mark]), 0.5 if stone else 0.92, fc="none", ec=ring, lw=1.6, zorder=3)
    ax.set(xlim=(-0.8, side - 0.2), ylim=(side - 0.2, -0.8), xticks=[], yticks=[], aspect="equal")


def probabilities(system, found) -> np.ndarray:
    """p(move | position) [N, side²] (or + 1), float64."""
    z = system.scores(found).astype(np.float64)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def predictions(system, split, s):
    """Positions of different games, what the net expects there, and the move that was played."""
    side = system.side
    table = Games.of(split.x, side)
    known = table.answered(False)
    order = known[drawn(len(known), 0, seed=1, epoch=0)]
    _, first = np.unique(table.game(order), return_index=True)
    which = order[np.sort(first)[:SHOWN]]
    which = which[np.argsort(which - table.first[table.game(which)])]  # by the move's number
    found = positions(table, which, s.planes)
    p = probabilities(system, found)
    fig = pictures.figure(9.6, 7.0)
    axes = fig.subplots(2, SHOWN // 2).ravel()
    boards = stones([table.moves[k - n : k].tolist() for k, n in zip(which, found.played)], side)
    for ax, colour, q, move, played in zip(axes, boards, p, found.y, found.played):
        draw_board(ax, colour, side, q[: side * side], move)
        who = "black" if played % 2 == 0 else "white"
        rank = 1 + int((q > q[move]).sum())
        ax.set_title(f"move {played + 1}, {who}: p = {q[move]:.2f}, rank {rank}", fontsize=9)
    for ax in axes[len(which) :]:
        ax.set_axis_off()
    fig.suptitle("what the net expects (shade: √p) and what was played (ring)", size=10)
    return fig


def by_move(system, split, s):
    """Shares of moves that are the likeliest, or among the likeliest five, by their number."""
    found = system.answers(split, s.tested)
    edges = np.unique(np.quantile(found.played, np.linspace(0, 1, BINS + 1)).round())
    edges[-1] += 1  # the last move of all is in the last bin
    fig = pictures.figure(6.0, 3.6)
    ax = fig.subplots()
    for name, most, colour in (("first", 1, pictures.INK), ("in the first five", 5, SHADE)):
        right, middle, share, error = found.likelier < most, [], [], []
        for low, high in pairwise(edges):
            inside = (found.played >= low) & (found.played < high)
            if inside.sum() > 1:
                middle.append(found.played[inside].mean() + 1)
                share.append(100 * right[inside].mean())
                error.append(100 * right[inside].std() / np.sqrt(inside.sum()))
        ax.errorbar(middle, share, error, color=colour, marker="o", ms=3, label=name)
    ax.set(xlabel="number of the move", ylabel="% of moves", ylim=(0, 100))
    ax.set_title("how often the move that was played comes first, or among five", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    ax.legend(frameon=False, fontsize=8)
    return fig


def itself(system, seed: int):
    """One game of the net with itself, its moves drawn from its probabilities: four boards."""
    side, rng = system.side, gg.Generator(seed).child("itself")
    (moves,) = games(system, np.zeros(1, int), rng, draw=True)
    last = len(moves) - next((k for k, m in enumerate(reversed(moves)) if m < side * side), 0)
    shown = [max(1, round(last * part)) for part in (0.2, 0.45, 0.7, 1)]
    rows = 2 if side > 9 else 1
    fig = pictures.figure(7.2, 7.8) if rows == 2 else pictures.figure(9.6, 3.0)
    for ax, n in zip(fig.subplots(rows, 4 // rows).ravel(), shown):
        colour = stones([moves[:n]], side)[0]
        draw_board(ax, colour, side, mark=moves[n - 1])
        ax.set_title(f"after {n} moves", fontsize=9)
    black, white = areas(colour, side)
    fig.suptitle(
        f"a game of the net with itself: {len(moves)} moves, black has {black} points at the end,"
        f" white {white}",
        size=10,
    )
    return fig


def matches(system, count: int, komi: float, seed: int):
    """Points won by in games against a player who draws its moves; the last board of one."""
    found = match(system, count, komi, gg.Generator(seed).child("matches"))
    won, played = found.won
    low, high = interval(won, played)
    fig = pictures.figure(8.4, 3.4)
    ax, board = fig.subplots(1, 2, width_ratios=(1.5, 1))
    for which, name, face in ((BLACK, "the net is black", DARK), (WHITE, "white", "white")):
        margins = np.sort(found.margins[found.colours == which])
        share = (np.arange(len(margins)) + 0.5) / max(1, len(margins))
        ax.plot(margins, 100 * share, "o-", color=pictures.COLOURS[7], mfc=face, mec=DARK,
                ms=4, lw=0.8, label=name)  # fmt: skip
    ax.axvline(0, color=SHADE, lw=1)
    ax.set(
        xlabel="points of the net less those of chance, komi counted",
        ylabel="% of games",
        ylim=(0, 100),
    )
    ax.set_title(
        f"won {won} of {played}: {100 * won / played:.0f} % ({100 * low:.0f} to {100 * high:.0f})",
        fontsize=9,
    )
    ax.legend(frameon=False, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    colour = stones(found.games[:1], system.side)[0]
    draw_board(board, colour, system.side)
    board.set_title(f"the first game, {len(found.games[0])} moves: the net is black", fontsize=9)
    return fig
