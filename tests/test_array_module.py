"""Every function that is called through `xp` exists in CuPy too, with those keywords."""

import ast
from pathlib import Path

import pytest

from tests.fake_cupy import recorded

ROOT = Path(__file__).parents[1]
HANDLES = {"xp", "cupy"}  # what the array module is called


def through_the_handle(node) -> bool:
    """Is it `xp`, `self.xp`, `session.xp`, or what `xp_of` and `module_for` return?"""
    if isinstance(node, ast.Call):
        name = node.func
        return isinstance(name, ast.Name) and name.id in ("xp_of", "module_for")
    if isinstance(node, ast.Attribute):
        return node.attr == "xp"
    return isinstance(node, ast.Name) and node.id in HANDLES


def uses(tree):
    """(line, name, keywords or None) of each use."""
    called = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called[node.func] = [k.arg for k in node.keywords]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and through_the_handle(node.value):
            yield node.lineno, node.attr, called.get(node)


def wrong(text: str) -> list[str]:
    known, found = recorded("cupy"), []
    for line, name, keywords in uses(ast.parse(text)):
        if name == "cuda" or name.startswith("__"):
            continue
        if name not in known:
            found.append(f"{line}: CuPy has no {name}")
        elif known[name] is not None and not any(p.startswith("**") for p in known[name]):
            found += [
                f"{line}: {name} takes no {k}" for k in keywords or () if k and k not in known[name]
            ]
    return found


@pytest.mark.parametrize("room", ["kernels", "core", "models", "bench", "glassgrad"])
def test_what_is_called_through_the_array_module_is_in_cupy(room):
    files = sorted((ROOT / room).rglob("*.py"))
    found = {str(f.relative_to(ROOT)): wrong(f.read_text(encoding="utf-8")) for f in files}
    assert not {k: v for k, v in found.items() if v}


def test_a_planted_use_is_found():
    text = (
        "def f(xp, x):\n  xp.errstate()\n  xp_of(x).sum(x, where=x)\n  return xp.sum(x, axis=0)\n"
    )
    assert wrong(text) == ["2: CuPy has no errstate", "3: sum takes no where"]
