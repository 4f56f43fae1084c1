"""Files of yours, executed as modules: models (models/own.py) and kernels (own.py).

A file is executed once, unless it changes; one that the program has imported by itself is taken as
it is. The folder that it is in is searched for what it imports, last, so that nothing there hides
what is installed.
"""

import hashlib
import importlib.util
import sys
from pathlib import Path

PREFIX = "own_"  # of the names of such modules


def execute(path: Path, content: bytes):
    """The file with this content as a module, or a package where it is an `__init__.py`.

    Raises whatever the file itself raises.
    """
    name, folder = name_of(path, content), path.name == "__init__.py"
    if name in sys.modules:
        return sys.modules[name]
    home = str(path.parent.parent if folder else path.parent)
    if home not in sys.path:
        sys.path.append(home)
    inside = [str(path.parent)] if folder else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        exec(compile(content, str(path), "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def name_of(path: Path, content: bytes) -> str:
    """What the module is called that `execute` makes of it."""
    stem = path.parent.name if path.name == "__init__.py" else path.stem
    digest = hashlib.sha256(str(path).encode() + content).hexdigest()[:16]
    return f"{PREFIX}{stem}_{digest}"


def executed(path: Path) -> list:
    """The modules that were made from the file before, by us or by the program."""
    found = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(path.name) and Path(file) == path:
            found.append(module)
    return found
