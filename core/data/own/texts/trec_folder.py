"""A folder of questions as the set TREC has them: NAME.train and NAME.test, perhaps NAME.valid."""

from dataclasses import replace
from pathlib import Path

from ...dataset import DataSet
from ...files import DataError
from ..splits import SPLITS
from .sentence_lines import from_trec, looks_like_trec


def from_trec_folder(
    path: str | Path, labels: str = "coarse", lower: bool = True, encoding: str = "latin-1",
    min_count: int = 1, seed: int = 0,
) -> DataSet:  # fmt: skip
    """The questions of the files .train, .valid and .test in a folder, each its split.

    What is missing is cut from .train; the options are those of `from_trec`. Raises DataError where
    there is no file .train, where two files want to be the same part, and as `from_trec`.
    """
    folder = Path(path)
    files = _files(folder)
    for part, found in files.items():
        if len(found) > 1:
            names = " and ".join(file.name for file in found)
            raise DataError(f"{folder}: {names} are both {part}")
    if "train" not in files:
        raise DataError(f"{folder} holds no file NAME.train of questions")
    train, *others = (found[0] for found in files.values())
    given = dict(zip(list(files)[1:], others))
    data = from_trec(train, labels, lower, encoding, min_count, seed, **given)
    used = ", ".join(file.name for file in (train, *others))
    words = (f"a folder of {used}", *data.info.understood)
    info = replace(data.info, source=str(folder), understood=words)
    return replace(data, name=folder.resolve().name, info=info)


def is_trec_folder(path: Path) -> bool:
    """Is there a file .train of questions in it?"""
    return any(map(looks_like_trec, _files(path).get("train", ())))


def _files(folder: Path) -> dict[str, list[Path]]:
    """{part: files} by the endings of the names of files in the folder, training first."""
    try:
        names = sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != ".")
    except OSError:
        return {}
    found = {part: [p for p in names if p.suffix.lower() == f".{part}"] for part in SPLITS}
    return {part: files for part, files in found.items() if files}
