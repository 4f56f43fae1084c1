"""The text of a `.cu` file: its includes put in place, the signatures of its kernels read from it.

The file is the single source: the launcher checks arguments against the signature
that the compiler sees. A kernel is declared as

    extern "C" __global__ void __launch_bounds__(256) family_pass_v1(const real* x, real* y, int n)

Numbers that travel together are one struct, passed by value: `struct Sizes { int N, H, W; };`
declared above the kernel, with nothing in it but numbers.

Where a file leaves out the extern "C", it is put before its kernels, as a launch needs their names;
a `main` is left out.

Included files become part of one text with `#line` marks, so that a compiler, on a GPU or not,
names the real path and line, and a cache keyed by the text knows every file that matters.
"""

import ctypes
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
PASSED = (
    "real", "index_t", "float", "double", "int", "unsigned", "unsigned char", "long long",
    "unsigned long long",
)  # fmt: skip
PLAIN = {
    "size_t": "unsigned long long", "int32_t": "int", "uint32_t": "unsigned",
    "uint8_t": "unsigned char", "int64_t": "long long", "uint64_t": "unsigned long long",
    "int8_t": "signed char", "int16_t": "short", "uint16_t": "unsigned short",
}  # fmt: skip
INTEGER = {"signed", "unsigned", "char", "short", "int", "long"}  # C++ takes them in any order
LONG = "long long" if ctypes.sizeof(ctypes.c_long) == 8 else ""  # what `long` is, else an int
QUALIFIERS = {"const", "volatile", "__restrict__", "__restrict"}
KNOWN = (
    "a number or a pointer to numbers (real, float, double, int, unsigned, unsigned char,"
    " long long, unsigned long long, index_t, size_t), or a struct of numbers"
)
ALONE = re.compile(r"^[ \t]*(?=__global__\b)", re.MULTILINE)
# what nvcc includes by itself, and what is for main() alone: NVRTC has none of it
NEEDLESS = re.compile(
    r"\s*#\s*pragma\s+once\s*|\s*#\s*include\s*<(iostream|cstdio|cstdlib|"
    r"(cuda|cuda_runtime|cuda_runtime_api|device_launch_parameters|stdio|stdlib)\.h)>\s*"
)
MAIN = re.compile(r"^[ \t]*int\s+main\s*\([^)]*\)\s*(?=\{)", re.MULTILINE)
BRACES = re.compile(
    r"""[{}]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
TOKEN = re.compile(r"\w+|\S")
STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{([^{}]*)\}\s*;")  # no methods, no base
COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
MARK = re.compile(r'#line (\d+) "(.*)"')
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kernel: `const real* x` has type "real", is a pointer and constant.

    One of a struct's type has that struct's `fields`, which are numbers.
    """

    name: str
    type: str
    pointer: bool
    constant: bool
    fields: tuple["Parameter", ...] = ()


@dataclass(frozen=True)
class Signature:
    """A kernel as declared: its parameters, and the threads of a block that it was compiled for.

    `refused` says why it cannot be launched, if it cannot: it has no parameters then.
    """

    kernel: str
    parameters: tuple[Parameter, ...]
    bounds: int | None = None
    refused: str = ""


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

    A kernel with a parameter that nothing here can pass is `refused`; the others can be launched.

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
        template = text[: stray.start()].rstrip().endswith(">")  # without a name to launch
        if not template and not any(stray.start() in kernel for kernel in known):
            must = 'a kernel is declared as extern "C" __global__ void name(parameters)'
            raise CompileError(f"{place(text, stray.start())}: {must}, each with its own extern")
    by_name = structs(text)
    for match in KERNEL.finditer(text):
        before, after, kernel, body = match.groups()
        where = place(text, match.start(3))
        given = [p for p in body.split(",") if p.strip()]
        try:
            parameters = [_parameter(f"{where}: {kernel}", p, by_name) for p in given]
        except CompileError as error:
            found[kernel] = Signature(kernel, (), None, str(error))
            continue
        first = (before or after or "").partition(",")[0].strip()
        factors = [constants.get(f.strip(), f.strip()) for f in first.split("*")]
        if first and not all(f.isdigit() for f in factors):
            raise CompileError(f"{where}: {kernel}: cannot read its bound of threads {first!r}")
        most = math.prod(map(int, factors)) if first else None
        found[kernel] = Signature(kernel, tuple(parameters), most)
    return found


def structs(text: str) -> dict[str, tuple[Parameter, ...]]:
    """The fields of each struct of numbers, by name; none where it holds anything else.

    >>> [f.name for f in structs("struct Size { int H, W; index_t all; };")["Size"]]
    ['H', 'W', 'all']
    """
    found = {}
    for name, body in STRUCT.findall(text):
        declared = [_fields(d) for d in body.split(";") if d.strip()]
        fields = tuple(f for some in declared for f in some) if all(declared) else ()
        # two of one name may lie in branches of an #if: nobody knows here which one is compiled
        found[name] = fields if found.get(name, fields) == fields else ()
    return found


def _fields(declared: str) -> tuple[Parameter, ...]:
    """The numbers of `unsigned int a, b`; none where it is anything else."""
    first, *others = declared.split(",")
    *words, name = first.split() or [""]
    type_, names = _type(words), [name, *(o.strip() for o in others)]
    if type_ not in PASSED or not all(n.isidentifier() for n in names):
        return ()
    return tuple(Parameter(n, type_, False, False) for n in names)


def _type(words: list[str]) -> str:
    """A type as we spell it, whichever of its spellings was taken.

    >>> _type(["long", "signed", "int", "long"]), _type(["unsigned", "int"]), _type(["size_t"])
    ('long long', 'unsigned', 'unsigned long long')
    """
    if not words or not INTEGER.issuperset(words):
        said = " ".join(words)
        return PLAIN.get(said, said)
    sign = "unsigned" if "unsigned" in words else "signed"
    if "char" in words:  # which of both a plain one is, the compiler says
        return f"{sign} char" if sign in words else "char"
    size = "short" if "short" in words else ""
    if "long" in words:
        size = "long long" if words.count("long") > 1 else LONG
    if sign == "unsigned":
        return f"unsigned {size}".strip()
    return size or "int"


def _parameter(where: str, text: str, known: dict[str, tuple[Parameter, ...]]) -> Parameter:
    """`const float* __restrict__ x` and its like: qualifiers may stand on either side of a type,
    and `float x[16]` is a pointer.
    """
    declared = " ".join(text.split())
    refused = f"{where}: cannot read its parameter {declared!r}"
    tokens = TOKEN.findall(declared)
    pointers = tokens.count("*")
    if "[" in tokens:
        at = tokens.index("[")
        if tokens[-1] == "]" and len(tokens) - at <= 3:
            tokens, pointers = tokens[:at], pointers + 1
    star = tokens.index("*") if "*" in tokens else len(tokens) - 1
    before, after = tokens[:star], [t for t in tokens[star:-1] if t != "*"]
    words = [t for t in before if t not in QUALIFIERS]
    in_order = all(t.isidentifier() for t in [*words, *tokens[-1:]]) and QUALIFIERS.issuperset(
        after
    )
    if not words or not in_order:
        raise CompileError(f"{refused}; expected {KNOWN}")
    name, type_, constant = tokens[-1], _type(words), "const" in before
    if type_ in PASSED and pointers < 2:
        return Parameter(name, type_, bool(pointers), constant)
    struct = words[-1] if len(words) == 1 or words[:-1] == ["struct"] else ""
    if struct not in known or pointers:
        many = {0: "", 1: "pointers to "}.get(pointers, "pointers to pointers to ")
        raise CompileError(f"{refused}: {many}{type_} cannot be passed; expected {KNOWN}")
    if not known[struct]:
        must = "holds numbers only, declared once, as in `struct Sizes { int N, H, W; };`"
        raise CompileError(f"{refused}: a struct {must}")
    return Parameter(name, struct, False, constant, known[struct])


def _without_main(text: str) -> str:
    """The text with as many lines of nothing where its `main` is: programs are for nvcc."""
    found = MAIN.search(text)
    depth = 0
    for brace in BRACES.finditer(text, found.end()) if found else ():
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            nothing = "\n" * text.count("\n", found.start(), brace.end())
            return text[: found.start()] + nothing + text[brace.end() :]
    return text


def _linkage(before: str) -> str:
    """What a kernel after this text lacks to be found by its name; templates have none."""
    last = before.rstrip().rpartition("\n")[2].strip()
    of_template = last.endswith(">") and not last.startswith("#")
    return "" if of_template or re.search(r'extern\s+"C"$', last) else 'extern "C" '


class Text:
    """One `.cu` file with everything that it includes."""

    def __init__(self, path):
        self.path = Path(path).resolve()

    @functools.cached_property
    def flat(self) -> str:
        """The whole text in one piece, with `#line` marks of the real paths."""
        text = _without_main(self._flatten(self.path, set()))
        return ALONE.sub(lambda found: found[0] + _linkage(text[: found.start()]), text)

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
                out.append("" if NEEDLESS.fullmatch(line) else line)
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
        """The kernels of the whole text, by name."""
        return signatures(self.flat)

    def signature(self, kernel: str) -> Signature:
        """The kernel's signature.

        Raises BackendError with the nearest name where there is none, CompileError for one that
        cannot be launched.
        """
        if kernel not in self.signatures:
            known = nearest(kernel, self.signatures)
            if re.search(rf">\s*__global__[^;{{]*\b{re.escape(kernel)}\s*\(", self.flat):
                known = ", which is a template: call it from a kernel with a name of its own"
            raise BackendError(f"{self.path}: no kernel {kernel!r}{known}")
        if self.signatures[kernel].refused:
            raise CompileError(self.signatures[kernel].refused)
        return self.signatures[kernel]
