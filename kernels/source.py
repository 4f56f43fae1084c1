"""The text of a `.cu` file: its includes put in place, the signatures of its kernels read from it.

What stands in the file is the single source: the launcher checks arguments against the signature
that the compiler sees. A kernel is declared as

    extern "C" __global__ void __launch_bounds__(256) family_pass_v1(const real* x, real* y, int n)

Included files become part of one text with `#line` marks, so that a compiler, on a GPU or not,
names the real path and line, and a cache keyed by the text knows every file that matters.
"""

import functools
import math
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import BackendError, nearest

KERNEL = re.compile(
    r'extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\(([^)]*)\)\s*)?(\w+)\s*\(([^)]*)\)'
)
PARAMETER = re.compile(
    r"(const\s+)?(unsigned\s+long\s+long|long\s+long|unsigned\s+int|unsigned|real|index_t|int|float|double)"
    r"\s*(const\s+)?(\*?)\s*(?:__restrict__\s+)?(\w+)"
)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kernel: `const real* x` has type "real", is a pointer and constant."""

    name: str
    type: str
    pointer: bool
    constant: bool


@dataclass(frozen=True)
class Signature:
    """A kernel as declared: its parameters, and the threads of a block that it was compiled for."""

    kernel: str
    parameters: tuple[Parameter, ...]
    bounds: int | None = None


def without_comments(text: str) -> str:
    """The text with every comment replaced by as many lines of nothing."""
    return COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)


def signatures(text: str) -> dict[str, Signature]:
    """The kernels declared in CUDA C, by name.

    >>> found = signatures('extern "C" __global__ void half(const real* x, real* y, int n) {}')
    >>> [(p.name, p.type, p.constant) for p in found["half"].parameters]
    [('x', 'real', True), ('y', 'real', False), ('n', 'int', False)]
    """
    found = {}
    text = without_comments(text)
    constants = {}
    for declared in re.findall(r"constexpr\s+int\s+([^;]+);", text):
        constants |= dict(re.findall(r"(\w+)\s*=\s*(\d+)\s*(?:,|$)", declared))
    for bounds, kernel, body in KERNEL.findall(text):
        parameters = []
        for part in filter(None, (p.strip() for p in body.split(","))):
            match = PARAMETER.fullmatch(" ".join(part.split()))
            if match is None:
                raise BackendError(f"{kernel}: cannot read its parameter {part!r}")
            const, type_, after, star, name = match.groups()
            type_ = {"unsigned int": "unsigned"}.get(type_, type_)
            parameters.append(Parameter(name, type_, bool(star), bool(const or after)))
        first = bounds.partition(",")[0].strip()
        factors = [constants.get(f.strip(), f.strip()) for f in first.split("*")]
        if first and not all(f.isdigit() for f in factors):
            raise BackendError(f"{kernel}: cannot read its bound of threads {first!r}")
        most = math.prod(map(int, factors)) if first else None
        found[kernel] = Signature(kernel, tuple(parameters), most)
    return found


class Text:
    """One `.cu` file with everything that it includes."""

    def __init__(self, path):
        self.path = Path(path).resolve()

    @functools.cached_property
    def flat(self) -> str:
        """The whole text in one piece, with `#line` marks of the real paths."""
        return self._flatten(self.path, set())

    def _flatten(self, path: Path, seen: set) -> str:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise BackendError(f"{self.path.name}: cannot read {path}: {error.strerror}") from None
        out = [f'#line 1 "{path.as_posix()}"']
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include is None:
                out.append("" if line.strip() == "#pragma once" else line)
                continue
            name = include.group(1)
            inner = next((p for p in (path.parent / name, FOLDER / name) if p.is_file()), None)
            if inner is None:
                raise BackendError(f"{path}:{number}: there is no file {name!r} to include")
            if inner.resolve() not in seen:
                seen.add(inner.resolve())
                out += [
                    self._flatten(inner.resolve(), seen),
                    f'#line {number + 1} "{path.as_posix()}"',
                ]
            else:
                out.append("")
        return "\n".join(out) + "\n"

    @functools.cached_property
    def signatures(self) -> dict[str, Signature]:
        return signatures(self.flat)

    def signature(self, kernel: str) -> Signature:
        """The kernel's signature; raises BackendError with the nearest name where there is none."""
        if kernel not in self.signatures:
            known = nearest(kernel, self.signatures)
            raise BackendError(f"{self.path.name}: no kernel {kernel!r}{known}")
        return self.signatures[kernel]
