"""The front door of a public function: every argument is read by its annotation before any work.

`checked` puts a door in front of a function, or of the public methods of a class; `check_all` does
it for everything that a namespace gathers. The door of ::

    def conv2d(x: Tensor, w: Tensor, stride: Pair = 1, groups: int = 1)

is this function, written out and compiled at the first call, as dataclasses write their methods; a
loop over the arguments would take five times as long. ::

    def conv2d(x=_missing, w=_missing, stride=_d2, groups=_d3, *_more, **_other):
        if not (type(x) in _k0.known): x = _read(0, x, None)
        ...
        if not (groups is _d3 or type(groups) is int and ...): groups = _read(3, groups, None)
        if _more or _other: _unexpected(_more, _other, None)
        return _function(x, w, stride, groups)

What the quick test does not know goes to `Kind.read` (annotations.py), which gives it its plain
form (an int for NumPy's) or refuses it. Signature, docstring and source stay those of the function.
An error of the array library leaves in our own form; one of the caller's functions stays as it is.
"""

import functools
import inspect
import linecache

from .annotations import Kind, hint, kind_of
from .errors import (
    ArgumentError,
    DTypeError,
    GlassgradError,
    MemoryLimitError,
    ShapeError,
    ValueRangeError,
    nearest,
    shown,
)


class _Missing:
    """What stands for an argument that was not given."""

    def __repr__(self):
        return "nothing"


MISSING = _Missing()
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
CALLS = ("__init__", "__call__", "forward")  # methods that speak in the name of their class


def read(function: str, name: str, value, kind: Kind, error=None):
    """The value as its kind has it. Raises DTypeError, the kind's own error; or `error`.

    >>> from .annotations import INT
    >>> read("conv2d", "groups", 1.5, INT)
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.DTypeError: conv2d: groups has the wrong type; expected an int of at \
most 64 bits, got 1.5
    """
    try:
        return kind.read(value)
    except GlassgradError:
        raise
    except (ValueError, OverflowError):
        suits, what = kind.error, "is not allowed"
    except Exception:  # whatever an object of somebody else's answers when asked for a number
        suits, what = DTypeError, "has the wrong type"
    got = shown(value) + hint(value, kind)
    message = f"{function}: {name} {what}; expected {kind.must}, got {got}"
    raise (error or suits)(message) from None


def spoken(name: str) -> str:
    """What a function is called in messages: `forward` and its like speak for their class.

    >>> spoken("Linear.forward"), spoken("Linear.extra"), spoken("conv2d.forward")
    ('Linear', 'Linear.extra', 'conv2d.forward')
    """
    head, _, last = name.rpartition(".")
    return head if last in CALLS and head[:1].isupper() else name


class Door:
    """The parameters of one function, their kinds, and the messages about them.

    `unknown` is the kind of parameters without an annotation; `error` is raised for every value
    that does not fit, where its kind's own is not wanted.
    """

    def __init__(self, name: str, parameters, unknown: Kind | None = None, error=None):
        self.name, self.parameters, self.error = name, list(parameters), error
        self.kinds = [kind_of(p.annotation) or unknown for p in self.parameters]
        self.method = bool(self.parameters) and self.parameters[0].name == "self"

    def speaker(self, me) -> str:
        """The function, or the class of the object `me` that is made or called."""
        if not self.method or me is MISSING:
            return self.name
        last = self.name.rpartition(".")[2]
        return type(me).__name__ + ("" if last in CALLS else f".{last}")

    def read(self, i: int, value, me=None):
        """The value of parameter i, or an error."""
        name = self.parameters[i].name
        if value is MISSING:
            raise ArgumentError(f"{self.speaker(me)}: missing argument {name!r}")
        return read(self.speaker(me), name, value, self.kinds[i], self.error)

    def twice(self, args, given):
        """The error about an argument that is given both by place and by name; or None."""
        places = [p.name for p in self.parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        for name in places[: len(args)]:
            if name in given:
                me = args[0] if self.method else None
                return ArgumentError(f"{self.speaker(me)}: {name} is given by place and by name")
        return None

    def unexpected(self, more, other, me=None):
        """The error about arguments that there is no parameter for."""
        named = [p for p in self.parameters if p.name != "self"]
        if other:
            word, names = next(iter(other)), [p.name for p in named]
            known = nearest(word, names) or f"; it has {', '.join(names) or 'no settings'}"
            raise ArgumentError(f"{self.speaker(me)}: unexpected argument {word!r}{known}")
        most = sum(p.kind is not p.KEYWORD_ONLY for p in named)
        raise ArgumentError(f"{self.speaker(me)}: takes {most} arguments; got {most + len(more)}")

    def compiled(self, final: str, function=None, scope=None):
        """The door as a function that ends with the statement `final`, ARGUMENTS to be filled in.

        Its globals are those of `scope`; it is listed in tracebacks like any other source.
        """
        me = "self" if self.method else "None"
        early, late, star, rest, lines, given = [], [], "_more", "_other", [], []
        names = {"_missing": MISSING, "_read": self.read, "_unexpected": self.unexpected,
                 "_function": function, "_refused": refused, "_name": spoken(self.name),
                 "_foreign": (MemoryError, ValueError, OverflowError)}  # fmt: skip
        for i, (p, kind) in enumerate(zip(self.parameters, self.kinds)):
            name, names[f"_k{i}"], names[f"_d{i}"] = p.name, kind, p.default
            if p.kind is p.VAR_POSITIONAL:
                star, text = name, f"[_read({i}, v, {me}) for v in {name}]"
                lines += [f"{name} = {text}"] if kind else []
                given.append(f"*{name}")
                continue
            if p.kind is p.VAR_KEYWORD:
                rest, text = name, f"{{n: _read({i}, v, {me}) for n, v in {name}.items()}}"
                lines += [f"{name} = {text}"] if kind else []
                given.append(f"**{name}")
                continue
            needed = p.default is p.empty
            group = late if p.kind is p.KEYWORD_ONLY else early
            group.append(f"{name}=_missing" if needed else f"{name}=_d{i}")
            given.append(f"{name}={name}" if group is late else name)
            test = kind.test.format(v=name, k=f"_k{i}") if kind else f"{name} is not _missing"
            if kind or needed:
                test = test if needed else f"{name} is _d{i} or {test}"
                lines.append(f"if not ({test}): {name} = _read({i}, {name}, {me})")
        over = [n for n in (star, rest) if n in ("_more", "_other")]
        if over:
            more, other = (star if "_more" in over else "()"), (rest if "_other" in over else "{}")
            lines.append(f"if {' or '.join(over)}: _unexpected({more}, {other}, {me})")
        head = ", ".join([*early, f"*{star}", *late, f"**{rest}"])
        body = "\n        ".join([*lines, final.replace("ARGUMENTS", ", ".join(given))])
        text = (
            f"def make({', '.join(names)}):\n    def door({head}):\n        {body}\n    return door"
        )
        file = f"{__file__}: the door of {self.name}"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        made: dict = {}
        exec(compile(text, file, "exec"), scope if scope is not None else {}, made)
        return made["make"](**names)


def memory_error(function: str, error: MemoryError) -> MemoryError:
    """The error where an array is larger than memory, in our own form."""
    if isinstance(error, GlassgradError):
        return error
    return MemoryLimitError(f"{function}: memory is too small; {error}".rstrip("; "))


def refused(function: str, error: Exception) -> Exception:
    """The array library's error in our own form; anybody else's as it is.

    Whose it is says the last frame that it passed: one of this package or of the library. What a
    function of the caller's raises passes one of the caller's.
    """
    if isinstance(error, GlassgradError):
        return error
    if isinstance(error, MemoryError):
        return memory_error(function, error)
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    if last.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in LIBRARIES:
        return error
    if isinstance(error, OverflowError):
        return ValueRangeError(f"{function}: a number grows too large; {error}")
    shape = isinstance(error, ValueError) and ("shape" in str(error) or "dimension" in str(error))
    return (ShapeError if shape else ValueRangeError)(f"{function}: {error}")


LIBRARIES = (__package__.partition(".")[0], "numpy", "cupy")
CALL = """try: return _function(ARGUMENTS)
        except _foreign as error: found = _refused(_name, error); cause = error
        if found is cause: raise cause
        raise found from cause"""


def checked(thing, name: str | None = None, error=None):
    """Decorator: a function, or a class with its public methods, behind the door.

    >>> @checked
    ... def twice(n: int):
    ...     return 2 * n
    >>> twice("a")
    Traceback (most recent call last):
        ...
    glassgrad.kernels.errors.DTypeError: twice: n has the wrong type; expected an int of at most \
64 bits, got 'a'
    """
    if inspect.isclass(thing):
        return _checked_class(thing, error)
    name = name or thing.__qualname__
    if hasattr(thing, "__door__") or not _needs_door(thing, name):
        return thing
    made = door = None

    @functools.wraps(thing)
    def outer(*args, **given):
        nonlocal made, door
        if made is None:  # at the first call: most doors are never opened
            parameters = inspect.signature(thing, eval_str=True).parameters.values()
            door = Door(name, parameters, error=error)
            made = door.compiled(CALL, thing, thing.__globals__)
        try:
            return made(*args, **given)
        except TypeError as wrong:
            both = wrong.__traceback__.tb_next is None and door.twice(args, given)
            if not both:
                raise
        raise both

    outer.__door__ = True
    return outer


def _needs_door(function, name: str) -> bool:
    """Is there an argument to be read, or a number of them to be right?"""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    method = names[:1] == ("self",)
    called = name.rpartition(".")[2] in CALLS or not method
    named = set(names) - {"self", "cls"}
    annotated = set(function.__annotations__) - {"return"}
    return bool(annotated or (named and called) or (method and len(names) == 1))


def _checked_class(cls: type, error=None) -> type:
    """The class itself; the methods of its own and of its bases in this package have doors."""
    package = __package__.partition(".")[0]
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] != package:
            continue
        for name, value in list(vars(base).items()):
            if name.startswith("_") and name not in CALLS:
                continue
            full = f"{base.__name__}.{name}"
            if inspect.isfunction(value):
                setattr(base, name, checked(value, full, error))
            elif isinstance(value, classmethod | staticmethod):
                setattr(base, name, type(value)(checked(value.__func__, full, error)))
    return cls


def check_all(namespace: dict, names=None, prefix: str = "", error=None) -> None:
    """Doors for functions and classes of a namespace; `prefix` stands before their names.

    Without `names` for every public one that the module defines itself.
    """
    own = namespace.get("__name__")
    if names is None:
        names = [n for n, v in namespace.items()
                 if getattr(v, "__module__", None) == own and not n.startswith("_")]  # fmt: skip
    for name in names:
        value = namespace[name]
        if inspect.isfunction(value):
            namespace[name] = checked(value, f"{prefix}{value.__name__}", error)
        elif inspect.isclass(value) and not issubclass(value, BaseException):
            checked(value, error=error)
