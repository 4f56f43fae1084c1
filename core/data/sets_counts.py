"""Documents as counts of words: x float32 [N, D], y int64 [N]."""

from dataclasses import replace

from .canon import FILES
from .dataset import DataSet
from .download import find
from .files import DataError
from .own.tables.counts import from_counts


def twenty_news(
    data_dir=None,
    words: int = 2000,
    clip: int | None = None,
    valid: int = 1131,
    seed: int = 0,
) -> DataSet:
    """20 Newsgroups by date: counts of the 2000 commonest words; 10,183 / 1131 / 7532 posts.

    words  only the first so many of them, which are the commonest: 500 take 38 MB, all 151 MB
    clip   larger counts become this one
    valid  posts for validation, drawn from the 11,314 training ones by `seed`; 0 for none, as in
           published results

    Three traps. The word ``max`` (column 9) comes almost wholly from ten posts of encoded binary
    data, with counts up to 800: give ``clip``, or take log(1 + x). 5 training and 8 test posts are
    empty rows, so whatever is divided by the length of a post must expect 0. ``edu``, ``com``,
    ``writes`` and ``article`` come from quoting. Rows are in the order of the groups: shuffle.
    Source: Lang 1995; the version by date of J. Rennie.
    """
    path = find(FILES["20news/20news_bydate_2000.npz"], data_dir)
    vocabulary = find(FILES["20news/vocabulary.txt"], data_dir)
    if vocabulary.parent != path.parent:
        raise DataError(f"{path} and {vocabulary} must be in one folder")
    data = from_counts(path, words, clip, valid, seed)
    note = (
        f"{data.info.note}; 'max' (column 9) has counts up to 800 from encoded binary data: clip,"
        " or take log(1 + x); 5 training and 8 test rows are empty"
    )
    return replace(data, name="20news", info=replace(data.info, source=str(path.parent), note=note))
