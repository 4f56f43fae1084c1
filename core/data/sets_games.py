"""Games: x a list of int64 [T_n], the moves of each; y int64 [N], who won."""

from dataclasses import replace

from .canon import FILES
from .dataset import DataSet
from .download import find
from .own.sequences.games import from_games


def go(data_dir=None) -> DataSet:
    """Go on 19 x 19 points: 8506 games of players of 9 dan in 1,847,853 moves; 6906 / 800 / 800.

    A move is 19 row + column, row 0 at the top: SGF's ``[qd]``, column 16 and row 3, is 73. 361 is
    a pass (only 15). Black moves first and colours alternate in every game, without handicap, so
    that move t is black's where t is even. y is 0 where black won, 1 where white did; komi 6.5.
    ``info.extra`` has, a part each, ``how`` a game was won (with ``how_names``), ``margin`` (where
    won on points), ``date`` as yyyymmdd, ``nation_black_white`` and ``tygem_id``.

    The split is by date: training to 23 December 2005, the test from 27 December on, so that what
    was in fashion in one part is not spread over all. Read from disk, not to be shipped. Source:
    https://github.com/yenw/computer-go-dataset.
    """
    path = find(FILES["go/tygem_9d_2005.npz"], data_dir)
    data = from_games(path)
    note = (
        f"{data.info.note}, by date; 19 row + column, 361 is a pass; black moves first and colours"
        " alternate"
    )
    return replace(data, name="go", info=replace(data.info, source=str(path.parent), note=note))
