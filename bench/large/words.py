"""Skip-gram: pairs of words, steps on long tables, draws of words."""

from ...kernels.skip_gram import alias_table
from . import Large

WORDS, EACH = 50, 8  # of a small table; negatives of a pair
LONG, SHORT, GROUP = 1024, 32, 4  # numbers of a vector; rows that a pair stays among
SEED, OFFSET = 11, 5


def _pairs(fill, n):
    N, xp = n // EACH, fill.xp
    negative = (xp.arange(N * EACH) * 7 % WORDS).reshape(N, EACH)
    return xp.arange(N) * 3 % WORDS, xp.arange(N) * 5 % WORDS, negative


def _loss(fill, n):
    return fill(WORDS, 4), fill(WORDS, 4, seed=1), *_pairs(fill, n)


def _step(fill, n):
    """A pair for every four rows, which takes them all; none shares a word with another."""
    width, xp = LONG if n > 1 << 20 else SHORT, fill.xp
    rows = n // width // GROUP * GROUP
    centre = xp.arange(0, rows, GROUP)
    negative = centre[:, None] + xp.asarray([2, 3])
    tables = [fill(rows, width, seed=i, form=lambda a: a / 32) for i in range(2)]
    return (
        *tables,
        centre,
        centre + 1,
        negative,
        fill(len(centre), form=lambda a: 0 * a + 0.1),
        True,
    )


def _step_of_a_window(args, start):
    w, c, centre, context, negative, *rest = args
    mine = slice(start // GROUP, (start + len(w)) // GROUP)
    words = [a[mine] - start for a in (centre, context, negative)]
    return w, c, *words, rest[0][mine], rest[1]


def _noise(fill, n):
    table = map(fill.xp.asarray, alias_table(range(1, WORDS + 1)))
    return *table, n // EACH, EACH, SEED, OFFSET


def _outside(fill, n):
    """Word u has every second word in its list, from u % 2 on."""
    xp, half = fill.xp, WORDS // 2
    first = xp.arange(WORDS + 1) * half
    words = (2 * xp.arange(half) + xp.arange(WORDS)[:, None] % 2).reshape(-1)
    return first, words, xp.arange(n // EACH) * 3 % WORDS, EACH, SEED, OFFSET


def _later(words: int):
    """`words` of the stream for each sample."""

    def moved(args, start):
        return *args[:-1], OFFSET + start * words // 4

    return moved


CALLS = [
    Large("skip_gram", "loss", "pairs", _loss, (None, None, 0, 0, 0), (0,), reduction=EACH,
          floor=1.0),
    *(Large("skip_gram", pass_, "rows", _step, (0, 0, *(None,) * 5), (0, 0), window=GROUP,
            moved=_step_of_a_window, reduction=LONG, floor=1.0, in_place=True)
      for pass_ in ("step", "racing")),
    Large("skip_gram", "noise", "draws", _noise, (None, None, "count", None, None, None), (0,),
          moved=_later(2 * EACH)),
    Large("skip_gram", "outside", "draws", _outside, (None, None, 0, None, None, None), (0,),
          moved=_later(EACH)),
]  # fmt: skip
