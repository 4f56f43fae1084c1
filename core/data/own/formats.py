"""Which reader a file or a folder goes to. A table: a new format is one row.

Several formats may share an ending: the first whose `fits` says yes is taken, so that the general
one comes last. ``kind`` chooses among them by hand: ``--read kind=table``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..dataset import DataSet
from ..graph import Graph
from .array_files import from_idx, from_npy, from_npz
from .image_folder import from_image_folder
from .tables import from_csv
from .text_file import from_text

PACKED = (".gz",)  # endings that say nothing about the content


def always(path: Path) -> bool:
    """What the ending says is enough."""
    return True


@dataclass(frozen=True)
class Format:
    """One format.

    kind     of the data it holds, as the catalogue names kinds; "table" may turn out binary
    endings  of the file's name, without .gz; empty for a folder
    what     in words, for messages
    reader   (path, options) -> the data
    fits     path -> does the content look like it? Reads little, and raises nothing
    """

    kind: str
    endings: tuple[str, ...]
    what: str
    reader: Callable[..., DataSet | Graph]
    fits: Callable[[Path], bool] = always

    def claims(self, name: str) -> bool:
        """Does the name of a file say that it is of this format?"""
        return unpacked_name(name).endswith(self.endings) if self.endings else False


def unpacked_name(name: str) -> str:
    """The name in lower case, without the ending of a packed file.

    >>> unpacked_name("D.CSV.gz")
    'd.csv'
    """
    name = name.lower()
    return next((name.removesuffix(p) for p in PACKED if name.endswith(p)), name)


FORMATS = (
    Format("table", (".csv", ".tsv"), "a table", from_csv),
    Format("images", (".npz",), "arrays", from_npz),
    Format("images", (".npy",), "an array", from_npy),
    Format("images", ("-idx1-ubyte", "-idx3-ubyte"), "an IDX file", from_idx),
    Format("text", (".txt",), "a text", from_text),
    Format("images", (), "a folder of pictures", from_image_folder),
)
