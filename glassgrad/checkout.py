"""Which copy of glassgrad this is, and where its rooms are.

In an installed copy core/, kernels/, models/ and bench/ are inside the folder glassgrad/; in a
checkout they are next to it. Python finds the checkout's folder first where it is started there
(``python -m glassgrad``, a script, a notebook), so this folder finds its own rooms: a copy is
imported whole, never half of it from another one.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.util import spec_from_file_location
from pathlib import Path

HERE = Path(__file__).parent
ROOT = None if (HERE / "core" / "__init__.py").is_file() else HERE.resolve().parent
ROOMS = ("bench", "core", "kernels", "models")


class Rooms(MetaPathFinder):
    """Finds the rooms of a checkout, and nothing else next to them: setup.py is no part of it."""

    def find_spec(self, name, path=None, target=None):
        """Where a room lies; None for every other name."""
        package, _, room = name.partition(".")
        if package != "glassgrad" or room not in ROOMS:
            return None
        folder = ROOT / room
        return spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )


if ROOT is not None:  # before the finders of any other copy
    sys.meta_path.insert(0, Rooms())


def copy() -> str:
    """The folder that this copy is in, and which kind it is."""
    from .kernels.errors import printable

    return printable(f"checkout {ROOT}" if ROOT else f"installed in {HERE}")
