"""Names of columns and classes as they appear in a picture: short, or numbered."""

from collections.abc import Iterable

from ...core.data import DataSet

LONGEST = 24  # characters that fit next to a picture


def short(name: str) -> str:
    """The name, cut to what fits next to a picture.

    >>> short("x" * 40)
    'xxxxxxxxxxxxxxxxxxxxxxx…'
    """
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def shorts(names: Iterable[str]) -> list[str]:
    """Each of the names, short.

    >>> shorts(["a", "b"])
    ['a', 'b']
    """
    return [short(name) for name in names]


def names_of(data: DataSet) -> list[str]:
    """A short name for each column.

    >>> import numpy as np
    >>> from glassgrad.core.data import Split
    >>> names_of(DataSet("two", Split(np.zeros((1, 2)))))
    ['column 1', 'column 2']
    """
    return shorts(data.info.feature_names or numbered(data.train.x[0].size))


def numbered(count: int) -> tuple[str, ...]:
    """Names of columns that have none.

    >>> numbered(2)
    ('column 1', 'column 2')
    """
    return tuple(f"column {j}" for j in range(1, count + 1))
