"""What a net sees of a position of Go: one plane a fact, each side x side numbers, mostly 0 and 1.

`features`, 29 planes, are most of those of AlphaGo's first net (Silver et al. 2016, extended data,
table 2). "Own" is the player to move:

    planes   what is 1
     0 -  2  own stones; the opponent's; empty points
          3  every point: where it ends, beyond the edge, are the zeros of the padding
     4 -  7  own stones of chains with 1, 2, 3, 4 or more liberties
     8 - 11  the opponent's, in the same way
    12 - 19  the point of the last move, of the one before ... of the eighth ago
    20 - 23  legal points where a stone takes 1, 2, 3, 4 or more stones
    24 - 27  legal points where its chain has 1, 2, 3, 4 or more liberties afterwards; with one it
             may be taken at once ("self-atari")
         28  points that are sensible: legal, and no eye of one's own

An empty point with none of the planes 24 - 27 is illegal: by a ko, or as suicide. Theirs are 48:
eight levels where there are four here, the number of own stones that a self-atari loses, and two
that play out ladders.

`history`, 17 planes, are those of the net that the lecture cites (Silver et al. 2017), which was to
find out such facts for itself:

     0 -  7  own stones now, one move ago ... seven moves ago
     8 - 15  the opponent's
         16  every point where black is to move
"""

import numpy as np

from .go_board import Board

LEVELS, TURNS = 4, 8  # how far liberties and stones are counted; moves that are remembered
OWN, OTHER, EMPTY, ONES = range(4)
FREE_OWN, FREE_OTHER = 4, 8
TURN, TAKES, AFTER, SENSIBLE = 12, 20, 24, 28
HISTORY = 2 * TURNS
FEATURE_PLANES, HISTORY_PLANES = SENSIBLE + 1, HISTORY + 1
PLANES = {"features": FEATURE_PLANES, "history": HISTORY_PLANES}


def features(board: Board) -> np.ndarray:
    """Those of a board: float32 [29, side²].

    >>> board = Board(3)
    >>> board.play(4)
    >>> x = features(board)
    >>> x[OTHER].sum(), x[FREE_OTHER + 3].argmax(), x[TURN].argmax(), x[SENSIBLE].sum()
    (np.float32(1.0), np.int64(4), np.int64(4), np.float32(8.0))
    """
    x = np.zeros((FEATURE_PLANES, board.side**2), np.float32)
    x[OWN], x[OTHER] = board.colour == board.player, board.colour == 3 - board.player
    x[EMPTY], x[ONES] = board.colour == 0, 1
    for ago, move in enumerate(reversed(board.moves[-TURNS:])):
        if move < board.side**2:
            x[TURN + ago, move] = 1
    for p in range(board.side**2):
        if board.colour[p]:
            free = len(board.chain(p)[1])
            level = FREE_OWN if board.colour[p] == board.player else FREE_OTHER
            x[level + min(free, LEVELS) - 1, p] = 1
        elif board.legal(p):
            done = board.outcome(p)
            x[AFTER + min(len(done.liberties), LEVELS) - 1, p] = 1
            x[SENSIBLE, p] = not board.eye(p)
            if done.taken:
                x[TAKES + min(len(done.taken), LEVELS) - 1, p] = 1
    return x


def history(board: Board) -> np.ndarray:
    """Those of a board and its past: float32 [17, side²]; before the game there were no stones."""
    x = np.zeros((HISTORY_PLANES, board.side**2), np.float32)
    for ago, colour in enumerate([board.colour, *reversed(board.past[1 - TURNS :])]):
        x[ago], x[TURNS + ago] = colour == board.player, colour == 3 - board.player
    x[HISTORY] = board.player == 1
    return x


FORMS = {"features": features, "history": history}
