"""How examples without a split of their own are cut into training, validation and test."""

from ..batches import three_way
from ..dataset import Split
from ..files import DataError
from ..streams import check_seed

SPLITS = ("train", "valid", "test")
LEAST = 10  # examples; of fewer, a tenth is none


def seeded(function: str, name, what: str, whole: Split, seed: int):
    """(train, valid, test), and the words for it: a tenth for validation, a fifth for the test.

    Raises DataError, about `what` in `name`, for fewer than ten examples, and for a seed that is
    none.

    >>> import numpy as np
    >>> seeded("from_csv", "d.csv", "rows", Split(np.arange(20)), seed=0)[1]
    'random split 14/2/4, seed 0'
    """
    n = len(whole)
    if n < LEAST:
        raise DataError(f"{name}: {n} {what} are too few to split; at least {LEAST} are needed")
    valid, test, seed = n // 10, n // 5, check_seed(function, seed)
    how = f"random split {n - valid - test}/{valid}/{test}, seed {seed}"
    return three_way(whole.x, whole.y, valid, test, seed), how
