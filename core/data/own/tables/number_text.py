"""Text files of nothing but numbers in equal rows, such as `numpy.savetxt` writes."""

from pathlib import Path

from ...files import DataError
from ..peek import head_text
from ..splits import LEAST
from .csv_rows import rows_of
from .spelling import are_numbers


def looks_like_numbers(path: Path) -> bool:
    """Are these at least ten rows of as many numbers each, with or without names above them?

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "d.txt")
    ...     with open(path, "w") as file:
    ...         _ = file.write("1.5 2\\n3 4e-1\\n" * 5)
    ...     looks_like_numbers(Path(path))
    True
    """
    try:
        rows = rows_of(path, head_text(path), whole=False)
    except DataError:
        return False
    return len(rows.cells) >= LEAST and all(map(are_numbers, zip(*rows.cells)))
