"""Games as sequences of moves, in .npz files, as the set `go`."""

from pathlib import Path

import numpy as np

from ...batches import three_way
from ...dataset import DataSet, Info, Split
from ...files import DataError
from ...read import load_npz
from ...streams import check_seed, whole_number
from ..lines import counted
from ..npz_keys import integers, texts
from ..splits import LEAST, SPLITS, UNCUT, untrained

WINNERS = ("black", "white")


def from_games(path: str | Path, board: int = 19, seed: int | None = 0) -> DataSet:
    """Games of a board game of two as x, a list of int64 [T_n], one move after another; y who won.

    moves [M]     all games end to end: row x `board` + column, from 0 at the top left; `board`
                  squared is a pass. Black moves first, colours alternate
    lengths [N]   of the games
    winner [N]    1 black, 2 white: y is 0 or 1; may be missing
    split [N]     0 train, 1 valid, 2 test; without it the games are split by `seed`: a tenth for
                  validation, a fifth for the test; without a seed (None) they are not split
    others [N]    are kept, cut as the games are: ``info.extra[NAME][PART]``

    Raises DataError, with game and move, for what is out of range.
    """
    path = Path(path)
    board = whole_number(str(path), "board", board, 2, 100)
    seed = None if seed is None else check_seed("from_games", seed)
    z = load_npz(path)
    for key in ("moves", "lengths"):
        if key not in z:
            raise DataError(f"{path}: no array {key!r}; there are {sorted(z)}")
    lengths = integers(path, "lengths", z["lengths"], (None,), 1, 2**31)
    n, ends = len(lengths), np.cumsum(lengths)
    moves = _moves(path, z["moves"], ends, board)
    x = np.split(moves, ends[:-1]) if n else []
    y = None
    if "winner" in z:
        y = integers(path, "winner", z["winner"], (n,), 1, 3) - 1
    which, how = _parts(path, z, n, seed)
    whole = Split(x, y)
    parts = [whole[rows] for rows in which]
    if not len(parts[0]):
        raise DataError(f"{path}: no game is for training")
    wins = "" if y is None else f"black wins {int((y == 0).sum()):,}, white {int((y == 1).sum()):,}"
    passes = int((moves == board * board).sum())
    said = (
        f"{counted(n, 'game')} on {board} x {board} points, {counted(len(moves), 'move')}, of which"
        f" {passes:,} are passes",
        f"from {lengths.min()} to {lengths.max()} moves, {lengths.mean():.1f} on the average",
        "; ".join((wins, *untrained(WINNERS, parts))) if wins else "no winners",
        how,
    )
    info = Info(
        str(path),
        () if y is None else WINNERS,
        note=how,
        extra={"board": board, "pass": board * board} | _extra(path, z, n, which),
        kind="games",
        understood=said,
    )
    kept = parts[:1] if how == UNCUT else parts
    return DataSet(path.name, *kept, info=info)


def _moves(path: Path, moves: np.ndarray, ends: np.ndarray, board: int) -> np.ndarray:
    if moves.ndim != 1 or moves.dtype.kind not in "iu":
        raise DataError(
            f"{path}: moves must be whole numbers [M]; got {moves.dtype} of shape {moves.shape}"
        )
    total = int(ends[-1]) if len(ends) else 0
    if total != len(moves):
        raise DataError(f"{path}: the lengths add up to {total:,} moves; there are {len(moves):,}")
    for i in np.flatnonzero((moves < 0) | (moves > board * board))[:1]:
        game = int(np.searchsorted(ends, i, side="right"))
        at = i - (ends[game - 1] if game else 0)
        raise DataError(f"{path}, game {game}, move {at}: {moves[i]} is not in 0 … {board * board}")
    return moves.astype(np.int64)


def _parts(path: Path, z: dict, n: int, seed: int | None) -> tuple[list[np.ndarray], str]:
    """The numbers of the games of each part, and the words for it."""
    if "split" in z:
        of = integers(path, "split", z["split"], (n,), 0, len(SPLITS))
        if "split_names" in z and texts(path, "split_names", z["split_names"]) != SPLITS:
            raise DataError(f"{path}: split_names must be {', '.join(SPLITS)}")
        which = [np.flatnonzero(of == k) for k in range(len(SPLITS))]
        return which, "split as the file says: " + "/".join(str(len(rows)) for rows in which)
    if seed is None:
        none = np.zeros(0, np.int64)
        return [np.arange(n), none, none], UNCUT
    if n < LEAST:
        raise DataError(f"{path}: {n} games are too few to split; at least {LEAST} are needed")
    parts = three_way(np.arange(n), None, n // 10, n // 5, seed)
    which = [part.x for part in parts]
    return which, f"random split {'/'.join(str(len(rows)) for rows in which)}, seed {seed}"


def _extra(path: Path, z: dict, n: int, which: list[np.ndarray]) -> dict:
    """Whatever else the file says about the games, a part each; and the names of its numbers."""
    found: dict = {}
    for key, a in z.items():
        if key in ("moves", "winner", "split", "split_names"):
            continue
        if a.ndim and key.endswith("_names"):
            found[key] = texts(path, key, a)
        elif a.ndim and len(a) == n:
            found[key] = {part: a[rows] for part, rows in zip(SPLITS, which)}
    return found
