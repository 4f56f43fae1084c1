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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import BackendError, CompileError, nearest

BOUNDS = r"(?:__launch_bounds__\s*\(([^)]*)\)\s*)?"
KERNEL = re.compile(rf'extern\s+"C"\s+__global__\s+{BOUNDS}void\s+{BOUNDS}(\w+)\s*\(([^)]*)\)')
GLOBAL = re.compile(r"\b__global__\b")
PARAMETER = re.compile(
    r"(const\s+)?(unsigned\s+long\s+long|long\s+long|unsigned\s+int|unsigned|real|index_t|int|float|double)"
    r"\s*(const\s+)?(\*?)\s*(?:__restrict__\s+)?(\w+)"
)
COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
MARK = re.compile(r'#line (\d+) "(.*)"')
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
    return COMMENT.sub(lambda found: found[1] or "\n" * found.group().count("\n"), text)


def numbered(text: str) -> Iterator[tuple[str, str]]:
    """Each line with its "path:line", by the `#line` marks; of a mark the line that follows it."""
    path, number = "", 0
    for line in text.splitlines():
        mark = MARK.match(line)
        number, path = (int(mark[1]) - 1, mark[2]) if mark else (number + 1, path)
        yield f"{path}:{number}".lstrip(":"), line


def place(text: str, position: int) -> str:
    """The "path:line" of a position in the text."""
    return [where for where, _ in numbered(text[: position + 1])][-1]


def signatures(text: str) -> dict[str, Signature]:
    """The kernels declared in CUDA C, by name. Raises CompileError with path and line.

    >>> found = signatures('extern "C" __global__ void half(const real* x, real* y, int n) {}')
    >>> [(p.name, p.type, p.constant) for p in found["half"].parameters]
    [('x', 'real', True), ('y', 'real', False), ('n', 'int', False)]
    """
    found = {}
    text = without_comments(text)
    constants = {}
    for declared in re.findall(r"constexpr\s+int\s+([^;]+);", text):
        constants |= dict(re.findall(r"(\w+)\s*=\s*(\d+)\s*(?:,|$)", declared))
    constants |= dict(re.findall(r"^\s*#\s*define\s+(\w+)\s+(\d+)\s*$", text, re.MULTILINE))
    known = [range(*kernel.span()) for kernel in KERNEL.finditer(text)]
    for stray in GLOBAL.finditer(text):
        if not any(stray.start() in kernel for kernel in known):
            must = 'a kernel is declared as extern "C" __global__ void name(parameters)'
            raise CompileError(f"{place(text, stray.start())}: {must}, each with its own extern")
    for match in KERNEL.finditer(text):
        before, after, kernel, body = match.groups()
        where = place(text, match.start(3))
        parameters = [_parameter(f"{where}: {kernel}", p) for p in body.split(",") if p.strip()]
        first = (before or after or "").partition(",")[0].strip()
        factors = [constants.get(f.strip(), f.strip()) for f in first.split("*")]
        if first and not all(f.isdigit() for f in factors):
            raise CompileError(f"{where}: {kernel}: cannot read its bound of threads {first!r}")
        most = math.prod(map(int, factors)) if first else None
        found[kernel] = Signature(kernel, tuple(parameters), most)
    return found


def _parameter(where: str, text: str) -> Parameter:
    match = PARAMETER.fullmatch(" ".join(text.split()))
    if match is None:
        raise CompileError(f"{where}: cannot read its parameter {text.strip()!r}")
    const, type_, after, star, name = match.groups()
    type_ = {"unsigned int": "unsigned"}.get(type_, type_)
    return Parameter(name, type_, bool(star), bool(const or after))


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
            data = path.read_bytes()
            lines = data.decode("utf-8").splitlines()
        except OSError as error:
            raise BackendError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            number = data[: error.start].count(b"\n") + 1
            raise CompileError(f"{path}:{number}: not UTF-8 text") from None
        out = [f'#line 1 "{path.as_posix()}"']
        for number, line in enumerate(lines, 1):
            include = INCLUDE.match(line)
            if include is None:
                out.append("" if line.strip() == "#pragma once" else line)
                continue
            name = include.group(1)
            inner = next((p for p in (path.parent / name, FOLDER / name) if p.is_file()), None)
            if inner is None:
                raise CompileError(f"{path}:{number}: there is no file {name!r} to include")
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
            raise BackendError(f"{self.path}: no kernel {kernel!r}{known}")
        return self.signatures[kernel]
