"""Kernels in files of your own: ``glassgrad bench my_blur.py``.

A file registers operations like the modules of a family here, all in one place ::

    source = Source(__file__)                    # the my_blur.cu next to it

    @register("blur", "forward", backend="reference", idea="three shifted copies")
    def forward(x): ...

    @source.implements("blur", "forward", idea="a thread a number")
    def forward_v1(x): ...

    CASES = [Case("blur", "forward", "N31", lambda draw, dtype: (draw(31),), flops=93, bytes=248)]

For functions with a derivative the file also has GRADCASES (glassgrad/testing), which `glassgrad
gradcheck my_blur.py` checks; `glassgrad.testing.contract` makes a pytest test of everything.

A folder is laid out like one of ours (`__init__.py`, `reference.py`, `cpu.py`, `cuda.py`,
`cases.py`), and its name is that of the operation. An installed package announces its operations as
entry points (registry.py). The file is executed, as Python would execute it: open what you trust.
"""

import importlib
import os
import re
import sys
from pathlib import Path

from . import registry
from .errors import BackendError, nearest
from .execution import PREFIX, execute, executed, name_of

REFERENCE = re.compile(r"(?P<file>.+\.py)(?::(?P<name>\w+(?:\.\w+)?))?", re.DOTALL)
FOLDER = re.compile(r"(?P<file>.*[/\\][^:]*)(?::(?P<name>\w+(?:\.\w+)?))?", re.DOTALL)


def is_reference(name: str) -> bool:
    """Does this name a file, or a folder? The path of a folder has a slash in it.

    >>> is_reference("my_blur.py"), is_reference("my_blur.py:blur.forward"), is_reference("./blur")
    (True, True, True)
    >>> is_reference("conv2d.forward")
    False
    """
    return isinstance(name, str) and bool(REFERENCE.fullmatch(name) or FOLDER.fullmatch(name))


def parts_of(reference: str) -> tuple[Path, str | None]:
    """(absolute path, name or None) of ``file.py:name``.

    >>> parts_of("/tmp/my_blur.py:blur.forward")
    (PosixPath('/tmp/my_blur.py'), 'blur.forward')
    """
    found = REFERENCE.fullmatch(reference) or FOLDER.fullmatch(reference)
    return Path(os.path.abspath(found["file"])), found["name"]


def opened(reference: str | Path) -> list[str]:
    """The names of what a file or folder registers: its operations, or the one after a colon.

    Names that are no reference are given back as they are. Raises BackendError where there is no
    such file, where it registers nothing, or nothing of that name; and whatever the file raises.

    >>> opened("conv2d.forward")
    ['conv2d.forward']
    """
    said = os.fspath(reference)
    if said.endswith(".cu"):
        must = f"the Python file that registers it; glassgrad lab {said} runs it as it is"
        raise BackendError(f"{said} is CUDA C; expected {must}")
    if not is_reference(said):
        return [said]
    path, name = parts_of(said)
    module = module_of(path)
    known = operations_of(module)
    if not known:
        must = 'nothing there calls @register("name", "forward", backend="reference", idea="…")'
        raise BackendError(f"{path} registers no kernel: {must}")
    if name is None:
        return known
    if name.partition(".")[0] not in known:
        hint = nearest(name, known) or f" (it registers {', '.join(known)})"
        raise BackendError(f"{path} registers no {name!r}{hint}")
    return [name]


def module_of(path: Path):
    """The file, or the folder with an `__init__.py`, as a module; BackendError where it is none."""
    file = path / "__init__.py" if path.is_dir() else path
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BackendError(f"cannot read {file}: {reason}") from None
    before = executed(file)
    theirs = [m for m in before if not m.__name__.startswith(PREFIX)]
    if theirs:
        return theirs[0]  # imported by the program itself
    if name_of(file, content) not in sys.modules:
        for old in before:  # as it was before it changed
            registry.forget(old.__name__)
    try:
        module = execute(file, content)
    except BaseException:
        registry.forget(name_of(file, content))
        raise
    return module


def operations_of(module) -> list[str]:
    """The operations that a module registers; of a package laid out like ours, that of its name."""
    found = registry.registered_by(module.__name__)
    if not found and hasattr(module, "__path__"):
        found = [Path(module.__file__).parent.name]
        registry.settle(found[0], module.__name__)
    return found


def imported(name: str):
    """The module of that name, which an operation lies in."""
    return importlib.import_module(name)
