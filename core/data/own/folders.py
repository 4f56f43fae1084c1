"""Files in a user's folder: one sub-folder a class, and folders that say the split."""

import os
from pathlib import Path

from ..files import DataError
from .splits import PARTS, SPLITS

LOOK = 1000  # entries of a folder that are looked at to guess what it holds

Found = dict[str, list[tuple[Path, str]]]


def find(root: Path, suffixes: frozenset[str]) -> tuple[Found, int]:
    """{part: [(file, class)]} of the files with these endings; how many others there are.

    The part is "" where the folders say none, and the class is "" right in `root`. Names that begin
    with a dot are not looked at. Raises DataError for a folder that cannot be read.
    """
    folders = _folders(root)
    told = [f for f in folders if f.name.lower() in PARTS]
    if told and len(told) == len(folders):
        found, other = {}, 0
        for folder in told:
            files, more = _classes(folder, suffixes)
            found.setdefault(PARTS[folder.name.lower()], []).extend(files)
            other += more
        return {p: found[p] for p in SPLITS if p in found}, other
    files, other = _classes(root, suffixes)
    return {"": files}, other


def check_train(root: Path, found: Found) -> None:
    """Raises DataError where folders say the split and none of the files is for training."""
    if "" not in found and not found.get("train"):
        what = "is nothing in the" if "train" in found else "is no"
        raise DataError(f"{root}: there {what} folder train next to {', '.join(found)}")


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


def _classes(root: Path, suffixes: frozenset[str]) -> tuple[list[tuple[Path, str]], int]:
    found, other = [], 0
    folders = _folders(root)
    for folder in folders or [root]:
        for file in _entries(folder):
            if file.is_dir():
                continue
            if file.suffix.lower() in suffixes:
                found.append((file, folder.name if folders else ""))
            else:
                other += 1
    return found, other
