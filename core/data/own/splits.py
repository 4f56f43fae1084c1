"""How examples are cut into training, validation and test: by seed, or as given files say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..batches import three_way
from ..dataset import Split
from ..files import DataError
from ..streams import check_seed

SPLITS = ("train", "valid", "test")
UNCUT = "not split"
LEAST = 10  # examples; of fewer, a tenth is none
PARTS = {"train": "train", "valid": "valid", "validation": "valid", "val": "valid", "dev": "valid",
         "test": "test"}  # names of files and folders -> the split that they hold  # fmt: skip


OTHER = "the other file"  # next to the parts: what takes the place of the test part


@dataclass(frozen=True)
class Instead:
    """A file whose examples take the place of the test part; all is cut as without it.

    It is read as the training file says: by its columns, classes and words. `test` is the file of
    the test part, where that has one.
    """

    file: Path
    test: Path | None = None


def instead(parts: Sequence[Split | None], given: dict[str, Split]) -> list[Split | None]:
    """The parts, with what is given in the place of the test part, if it is."""
    train, valid, test = parts
    return [train, valid, given.get(OTHER, test)]


def seeded(
    function: str, name, what: str, whole: Split, seed: int | None, given: dict | None = None,
    tenths=1,
):  # fmt: skip
    """(train, valid, test), and the words for it: a tenth for validation, a fifth for the test.

    Without a seed (None) nothing is cut: all of `whole` is the training part.
    `tenths` of the examples, 1 or 2, are for validation. A part in `given` (part -> `Split`) is
    that one; only what is missing is cut from `whole`. Raises DataError, about `what` in `name`,
    for fewer than ten examples, and for a seed that is none.

    >>> import numpy as np
    >>> seeded("from_csv", "d.csv", "rows", Split(np.arange(20)), seed=0)[1]
    'random split 14/2/4, seed 0'
    >>> parts = {"test": Split(np.arange(5))}
    >>> seeded("from_csv", "d.csv", "rows", Split(np.arange(20)), 0, parts)[1]
    'train 18; valid 2, cut from it by seed 0; test 5 of its own file'
    """
    if given and OTHER in given:
        rest = {part: found for part, found in given.items() if part != OTHER}
        parts, how = seeded(function, name, what, whole, seed, rest, tenths)
        return instead(parts, given), how
    given = given or {}
    if seed is None and not given:
        return (whole, None, None), UNCUT
    n, seed = len(whole), check_seed(function, seed)
    valid = 0 if "valid" in given else tenths * n // 10
    test = 0 if "test" in given else n // 5
    if n < LEAST and not (valid == test == 0 and len(given) == 2):
        few = f"{n} {what} are" if n != 1 else f"1 {what.removesuffix('s')} is"
        raise DataError(f"{name}: {few} too few to split; at least {LEAST} are needed")
    cut = (whole, None, None)
    if len(given) < 2:
        cut = three_way(whole.x, whole.y, valid, test, seed)
    if not given:
        return cut, f"random split {n - valid - test}/{valid}/{test}, seed {seed}"
    parts = tuple(given.get(part, found) for part, found in zip(SPLITS, cut))
    return parts, in_words(parts, given, f"by seed {seed}")


def in_words(parts, given: dict, how: str) -> str:
    """What each part is: of its own file, or cut from the training file, and how.

    >>> parts = [Split([1, 2]), Split([3]), Split([4])]
    >>> in_words(parts, {"valid": parts[1]}, "in order")
    'train 2; valid 1 of its own file; test 1, cut from it in order'
    """
    words = [f"train {len(parts[0])}"]
    for part, found in zip(SPLITS[1:], parts[1:]):
        words.append(
            f"{part} {len(found)} of its own file"
            if part in given
            else f"{part} {len(found)}, cut from it {how}"
        )
    return "; ".join(words)


def untrained(classes: Sequence[str], parts: Sequence[Split | None]) -> tuple[str, ...]:
    """What to say of classes that no training example is of, while another part has some: a line.

    >>> import numpy as np
    >>> train, test = (Split(np.zeros((2, 1)), np.array(y)) for y in ([0, 0], [1, 0]))
    >>> untrained(("cat", "dog"), [train, None, test]), untrained(("cat", "dog"), [test, train])
    (('no training example is of dog',), ())
    """
    train, *others = (_classes_in(part) for part in parts)
    new = sorted(set().union(*others) - train) if classes else []
    names = ", ".join(classes[k] for k in new[:10]) + (" …" if len(new) > 10 else "")
    return (f"no training example is of {names}",) if new else ()


def _classes_in(part: Split | None) -> set[int]:
    y = None if part is None else part.y
    items = y if isinstance(y, list) else [] if y is None else [y]
    return set().union(*(np.unique(a).tolist() for a in items if a.dtype.kind == "i"))


def given_files(**files) -> dict[str, Path]:
    """{part: path} of the parts that have a file of their own; DataError for what is no path.

    >>> given_files(valid=None, test="t.csv")
    {'test': PosixPath('t.csv')}
    """
    for part, path in list(files.items()):
        if isinstance(path, Instead):
            files |= {part: path.test, OTHER: path.file}
        elif path is not None and not isinstance(path, str | Path):
            raise DataError(f"{part} must be the path of a file; got {path!r:.60}")
    return {part: Path(path) for part, path in files.items() if path is not None}


_NAME = re.compile(rf"(?:(?P<set>.*)[._-])?(?P<part>{'|'.join(PARTS)})(?P<type>\.\w+)(?:\.gz)?")


def split_files(folder: Path, endings: tuple[str, ...]) -> dict[str, Path] | None:
    """{part: path} where a folder holds train.csv, valid.csv, test.csv, or ``SET.train.txt`` …

    `endings` are those that count; valid may be val, validation or dev. None where there is no
    such training file. Raises DataError where two files want to be the same part.
    """
    found: dict[str, Path] = {}
    names = []
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name.lower()) if path.is_file() else None
        if match and match["type"] in endings:
            names.append((match["set"], match["type"], PARTS[match["part"]], path))
    sets = [(name, kind) for name, kind, part, _ in names if part == "train"]
    if not sets:
        return None
    for name, kind, part, path in names:
        if (name, kind) != sets[0] and part != "train":
            continue
        if part in found:
            raise DataError(f"{folder}: {found[part].name} and {path.name} are both {part}")
        found[part] = path
    return found
