"""Classes apart, and episodes drawn from them: the data of few-shot learning."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ...core.data import DataSet, load
from ...core.training.settings import SettingError
from ..common.labels import classes_of

BACKGROUND = "omniglot_background_small1.npz"  # the file of Omniglot in its folder


def rows_by_class(y: np.ndarray) -> list[np.ndarray]:
    """The rows of each class that there is, in the order of the classes.

    >>> [rows.tolist() for rows in rows_by_class(np.array([4, 2, 4]))]
    [[1], [0, 2]]
    """
    return [np.flatnonzero(y == k) for k in np.unique(y)]


def episode(rows: list[np.ndarray], ways: int, each: int, rng, turns: int = 1):
    """(rows [ways, each] of different classes, quarter turns [ways] of each class).

    With `turns` = 4 a class turned by a quarter is another class, and may be there as well.
    """
    drawn = rng.permutation(len(rows) * turns)[:ways]
    chosen = [rows[k // turns] for k in drawn]
    return (
        np.stack([own[rng.permutation(len(own))[:each]] for own in chosen]),
        drawn % turns,
    )


def apart(data: DataSet, classes: int = 0) -> DataSet:
    """The images split by class: 3/5 of the classes for training, 1/5, and the last 1/5.

    At least two classes are in each; they are counted in the training and validation parts. Of the
    first two shares all images are taken, of the last those of the test part alone: where it is
    replaced by other data, no image of the set itself is among them. Of a set with alphabets the
    last is for validation, and none are for the test. Of the training classes only the first
    `classes` are kept, unless it is 0. Raises SettingError for fewer than six classes.

    >>> from glassgrad.core.data import Split
    >>> y = np.arange(20) % 10
    >>> found = apart(DataSet("ten", Split(np.zeros((20, 1, 2, 2)), y)), classes=4)
    >>> [sorted(set(split.y.tolist())) for _, split in found.splits()]
    [[0, 1, 2, 3], [6, 7], [8, 9]]
    """
    classes_of("few-shot", data)  # it must have labels
    whole, kinds = data.whole(), np.unique(replace(data, test=None).whole().y)
    n = len(kinds)
    if n < 6:
        raise SettingError(f"few-shot needs six classes, to hold out some; {data.name} has {n}")
    alphabet = data.info.extra.get("alphabet")
    if alphabet is None:
        held = max(2, n // 5)
        a, b = n - 2 * held, n - held
    else:
        a, b = int(np.argmax(alphabet[kinds] == alphabet[kinds[-1]])), n
    first, second, third = kinds[: min(a, classes or a)], kinds[a:b], kinds[b:]
    asked = whole if data.test is None else data.test
    return replace(
        data,
        train=whole[np.isin(whole.y, first)],
        valid=whole[np.isin(whole.y, second)],
        test=asked[np.isin(asked.y, third)] if len(third) else None,
    )


def expect_episodes(data: DataSet, ways: int, each: int, test_ways: int, test_each: int) -> None:
    """SettingError where a split has fewer classes, or a class fewer images, than an episode."""
    for name, split in data.splits():
        training = name == "train"
        wanted, images = (ways, each) if training else (test_ways, test_each)
        counts = [len(rows) for rows in rows_by_class(split.y)]
        least = min(counts, default=0)
        if len(counts) < wanted or least < images:
            raise SettingError(
                f"few-shot: an episode takes {wanted} classes and {images} images of each; in"
                f" {name} {data.name} has {len(counts)} classes of its share, the smallest of"
                f" {least}"
            )


def runs_of(data: DataSet, shrink: int):
    """The one-shot runs that belong to Omniglot, their pixels averaged; None of other data.

    They are looked for in the data folder that the images came from, then where `load` looks.
    """
    folder = Path(data.info.source)
    if data.name != "omniglot" or not (folder / BACKGROUND).is_file():  # a set of that name only
        return None
    return load("omniglot_one_shot", folder.parent, shrink=shrink)


def shrunk(data: DataSet, by: int) -> DataSet:
    """Images whose pixels are the means of blocks of by x by; SettingError where none fit.

    >>> from glassgrad.core.data import Split
    >>> d = DataSet("d", Split(np.arange(4.0).reshape(1, 1, 2, 2)))
    >>> shrunk(d, 2).train.x.ravel().tolist()
    [1.5]
    """
    c, height, width = data.train.x.shape[1:]
    if height % by or width % by:
        raise SettingError(f"few-shot: shrink must divide {height} and {width}; got {by}")
    parts = {}
    for name, split in data.splits():
        blocks = split.x.reshape(-1, c, height // by, by, width // by, by)
        parts[name] = replace(split, x=blocks.mean(axis=(3, 5)))
    return replace(data, **parts)
