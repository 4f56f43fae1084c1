"""Which copy of glassgrad this is, and where its rooms are.

In an installed copy core/, kernels/, models/ and bench/ are inside the folder glassgrad/; in a
checkout they are next to it. Python finds the checkout's folder first where it is started there
(``python -m glassgrad``, a script, a notebook), so this folder says where its own rooms are: a copy
is imported whole, never half of it from another one.
"""

from pathlib import Path

HERE = Path(__file__).parent
ROOT = None if (HERE / "core" / "__init__.py").is_file() else HERE.resolve().parent


def search(path: list[str], name: str) -> list[str]:
    """The search path of the package: `path`, and the checkout if this is one."""
    if ROOT is None:
        return path
    if name != "glassgrad":  # the checkout holds this folder too: found again, all would be twice
        raise ImportError(f"import it as glassgrad, not as {name}", name=name)
    return [*path, str(ROOT)]


def copy() -> str:
    """The folder that this copy is in, and which kind it is."""
    from .kernels.errors import printable

    return printable(f"checkout {ROOT}" if ROOT else f"installed in {HERE}")
