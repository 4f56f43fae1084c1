"""Files in a user's folder: one sub-folder a class, and folders that say the split."""

import os
from collections import Counter
from pathlib import Path

from ..files import DataError
from .splits import PARTS, SPLITS

LOOK = 1000  # entries of a folder that are looked at to guess what it holds

Found = dict[str, list[tuple[Path, str]]]


def find(root: Path, suffixes: frozenset[str]) -> tuple[Found, tuple[str, ...]]:
    """{part: [(file, class)]} of the files with these endings; what is left out, a line each.

    The part is "" where the folders say none, and the class is "" right in `root`. Names that begin
    with a dot are not looked at. Raises DataError for a folder that cannot be read, and for the
    folder of a class in which there are only folders.
    """
    folders = _folders(root)
    named = [f for f in folders if f.name.lower() in PARTS]
    if named and len(named) == len(folders):
        found, left = {}, Counter()
        for folder in named:
            files = _classes(folder, suffixes, left)
            found.setdefault(PARTS[folder.name.lower()], []).extend(files)
        return {p: found[p] for p in SPLITS if p in found}, _words(left)
    left = Counter()
    return {"": _classes(root, suffixes, left)}, _words(left)


def _words(left: Counter) -> tuple[str, ...]:
    return tuple(
        f"{n:,} {what}{'s' * (n != 1)} {where} left out" for (what, where), n in left.items() if n
    )


def check_train(root: Path, found: Found) -> None:
    """Raises DataError where folders say the split and none of the files is for training."""
    if "" not in found and not found.get("train"):
        what = "is nothing in the" if "train" in found else "is no"
        raise DataError(f"{root}: there {what} folder train next to {', '.join(found)}")


def holds(root: Path, suffixes: frozenset[str]) -> bool:
    """Is there any file with one of these endings, at most two folders further down?"""
    patterns = ("*", "*/*", "*/*/*")
    return any(p.suffix.lower() in suffixes for pattern in patterns for p in root.glob(pattern))


def mostly(root: Path, suffixes: frozenset[str], deep: bool = False) -> bool:
    """Have most files in a folder, or two folders further down, one of these endings?

    With `deep` those right in `root` do not count. Looks at a thousand entries; never raises.
    """
    good, other, left, folders = 0, 0, LOOK, [(str(root), 0)]
    while folders and left > 0:
        folder, depth = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        break
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        folders += [(entry.path, depth + 1)] * (depth < 2)
                    elif depth or not deep:
                        fits = os.path.splitext(entry.name)[1].lower() in suffixes
                        good, other = good + fits, other + (not fits)
        except OSError:
            continue
    return good > other


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from None


def _folders(root: Path) -> list[Path]:
    return [p for p in _entries(root) if p.is_dir()]


def _classes(root: Path, suffixes: frozenset[str], left: Counter) -> list[tuple[Path, str]]:
    """[(file, class)] of a folder; what is left out is counted in `left`."""
    found, folders = [], _folders(root)
    for folder in folders or [root]:
        files = [file for file in _entries(folder) if not file.is_dir()]
        inside = _folders(folder) if folders else []
        if inside and not files:
            raise DataError(
                f"{folder} holds only folders, such as {inside[0].name}; expected the files of one"
                " class"
            )
        left["folder", "inside the folders of classes"] += len(inside)
        good = [file for file in files if file.suffix.lower() in suffixes]
        found += [(file, folder.name if folders else "") for file in good]
        left["file", "of other types"] += len(files) - len(good)
    if folders:
        beside = sum(p.suffix.lower() in suffixes for p in _entries(root) if not p.is_dir())
        left["file", f"right in {root.name or root}, next to folders of classes,"] += beside
    return found
