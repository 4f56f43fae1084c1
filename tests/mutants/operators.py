"""The mutants of a source file: each is one small change of its syntax tree.

What is left alone, because no value depends on it: docstrings and other strings, annotations,
imports, the messages of errors (only the condition of `expect` is changed, and `raise` is removed
as a whole), `out=` and `order=` of array functions, and how kernels are compiled and registered
(the decorators `njit`, `vectorised` and `register`). The cost of a function (`flops=`) is mutated
like the rest: `trace` shows it.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

FLIPS = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
PARTNERS = {
    "min": "max", "minimum": "maximum", "argmin": "argmax", "zeros": "ones", "exp": "log",
    "zeros_like": "ones_like", "sin": "cos", "floor": "ceil", "any": "all", "tanh": "sigmoid",
    "log1p": "log", "expm1": "exp", "append": "extend", "broadcast_to": "reshape",
}  # fmt: skip
PARTNERS |= {b: a for a, b in PARTNERS.items() if b not in ("exp", "log", "extend", "reshape")}
# a call of one of these may be dropped: f(x, …) -> x
WRAPPERS = {
    "abs", "absolute", "sqrt", "exp", "log", "tanh", "sigmoid", "sum_to", "sum_", "sum", "mean",
    "total", "isnan", "isfinite", "sorted", "reversed", "transpose", "swap_axes", "squeeze", "flip",
    "expand_dims", "reshape", "copy", "where", "round", "as_tensor", "array", "max", "min",
    "astype", "detach",
}  # fmt: skip
# the order of the arguments changes nothing, or is a mistake that nobody makes
ANY_ORDER = {"max", "min", "maximum", "minimum", "isinstance", "getattr", "zip"}
SILENT = {"njit", "vectorised", "register"}  # decorators
UNSEEN = {"out", "order", "name", "idea"}  # keywords of calls


@dataclass(frozen=True)
class Mutant:
    """One change: where it is in the tree, what it replaces, and words for the list."""

    file: str
    function: str
    operator: str
    line: str  # the source line, as it is
    before: str
    after: str
    nth: int  # of the changes of this line that read the same, from 0
    path: tuple  # from the root: names of fields and places in lists
    new: ast.AST | None  # None: the statement is removed

    @property
    def key(self) -> tuple:
        """What the list knows it by, wherever it moves in its file."""
        return (
            self.file, self.function, self.operator, self.line, self.before, self.after, self.nth,
        )  # fmt: skip

    def __str__(self):
        return f"{self.file} {self.function}: {self.before}  ->  {self.after}   [{self.operator}]"


def mutants(file: str, source: str) -> list[Mutant]:
    """Every mutant of a file's source, in the order of the source.

    >>> for m in mutants("f.py", "def f(x):\\n    return x > 0"):
    ...     print(m)
    f.py f: x > 0  ->  x >= 0   [comparison]
    f.py f: x > 0  ->  x <= 0   [comparison]
    f.py f: 0  ->  1   [constant]
    f.py f: 0  ->  -1   [constant]
    """
    tree, lines = ast.parse(source), source.splitlines()
    seen, found, alike = set(), [], Counter()
    for node, path, function in _sites(tree, (), "the module"):
        before = _shown(node)
        for operator, new in _changes(node):
            after = "pass" if new is None else _shown(new)
            if after == before or (path, after) in seen:
                continue
            seen.add((path, after))
            words = function, operator, lines[node.lineno - 1].strip(), before, after
            found.append(Mutant(file, *words, alike[words], path, new))
            alike[words] += 1
    return found


def apply(source: str, mutant: Mutant) -> str:
    """The source with the mutant in it.

    >>> source = "y = x + 1"
    >>> [apply(source, m) for m in mutants("f.py", source)]
    ['y = x - 1', 'y = x', 'y = 1', 'y = x + 2', 'y = x + 0']
    """
    tree = ast.parse(source)
    at = tree
    for step in mutant.path[:-1]:
        at = at[step] if isinstance(step, int) else getattr(at, step)
    new = copy.deepcopy(mutant.new) if mutant.new is not None else ast.Pass()
    last = mutant.path[-1]
    if isinstance(last, int):
        at[last] = new
    else:
        setattr(at, last, new)
    return ast.unparse(ast.fix_missing_locations(tree))


def _shown(node) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 160 else text[:157] + "..."


# ------------------------------------------------------------------------------------ the sites


def _sites(node, path, function) -> Iterator[tuple[ast.AST, tuple, str]]:
    """(node, path, enclosing function) of everything that may be changed, parents first."""
    if isinstance(node, (ast.expr, ast.stmt)):
        yield node, path, function
    for field, value in _descend(node):
        inner = node.name if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else function
        if isinstance(value, list):
            for i, child in enumerate(value):
                if isinstance(child, ast.AST) and not _left_alone(child, field):
                    yield from _sites(child, (*path, field, i), inner)
        elif isinstance(value, ast.AST):
            yield from _sites(value, (*path, field), inner)


def _descend(node):
    """The fields of a node that are looked into."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Raise, ast.JoinedStr)):
        return
    if isinstance(node, ast.Call) and _called(node) == "expect":
        yield "args", node.args[:1]
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "ctx", "op", "ops"):
            continue
        yield field, value


def _left_alone(node, field) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg in UNSEEN
    if field == "decorator_list":
        return (_called(node) if isinstance(node, ast.Call) else _name(node)) in SILENT
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring


def _name(node) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _called(call: ast.Call) -> str:
    return _name(call.func)


# ---------------------------------------------------------------------------------- the changes


def _changes(node) -> Iterator[tuple[str, ast.AST | None]]:
    """(operator, what to put there) for one node."""
    change = CHANGES.get(type(node))
    if change is not None:
        yield from change(node)


def _with(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _compare(node):
    for i, op in enumerate(node.ops):
        for flip in FLIPS[type(op)]:
            ops = [*node.ops[:i], flip(), *node.ops[i + 1 :]]
            yield "comparison", _with(node, ops=ops)


def _binary(node):
    if type(node.op) in SWAPS:
        yield "arithmetic", _with(node, op=SWAPS[type(node.op)]())
    if not isinstance(node.op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)):
        yield "swapped operands", _with(node, left=node.right, right=node.left)
    yield "removed operand", node.left
    yield "removed operand", node.right


def _augmented(node):
    if type(node.op) in SWAPS:
        yield "arithmetic", _with(node, op=SWAPS[type(node.op)]())
    plain = ast.Assign(targets=[node.target], value=node.value)
    yield "plain assignment", ast.copy_location(plain, node)
    yield "removed statement", None


def _assign(node):
    if isinstance(node.targets[0], ast.Subscript):  # a name that is not set is no subtle mistake
        yield "removed statement", None


def _unary(node):
    yield "removed operator", node.operand


def _bool(node):
    yield "and or", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for i in range(len(node.values)):
        rest = node.values[:i] + node.values[i + 1 :]
        yield "removed condition", rest[0] if len(rest) == 1 else _with(node, values=rest)


def _constant(node):
    value = node.value
    if isinstance(value, bool):
        yield "flag", ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield "constant", ast.Constant(value + 1)
        yield "constant", _number(value - 1)
        if value not in (0, 1):
            yield "constant", _number(-value)


def _number(value):
    minus = value < 0
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if minus else ast.Constant(value)


def _either(node):
    yield "removed condition", node.body
    yield "removed condition", node.orelse
    yield "negated condition", _with(node, body=node.orelse, orelse=node.body)


def _if(node):
    yield "removed condition", _with(node, test=ast.Constant(True))
    yield "removed condition", _with(node, test=ast.Constant(False))


def _call(node):
    name = _called(node)
    if name in PARTNERS:
        func = copy.copy(node.func)
        setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", PARTNERS[name])
        yield "other function", _with(node, func=func)
    if name == "expect":
        return
    if name in WRAPPERS and node.args and not isinstance(node.args[0], ast.Starred):
        yield "removed call", node.args[0]
    if name in WRAPPERS and isinstance(node.func, ast.Attribute):  # x.sum(...) -> x
        yield "removed call", node.func.value
    for i in range(0 if name in ANY_ORDER else len(node.args) - 1):
        args = list(node.args)
        args[i], args[i + 1] = args[i + 1], args[i]
        if not any(isinstance(a, (ast.Starred, ast.GeneratorExp)) for a in args[i : i + 2]):
            yield "swapped arguments", _with(node, args=args)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in ("axis", "keepdims", "dtype"):
            yield (
                "removed argument",
                _with(node, keywords=node.keywords[:i] + node.keywords[i + 1 :]),
            )


def _expression(node):
    if isinstance(node.value, ast.Call):
        yield "removed statement", None


def _slice(node):
    for field in ("lower", "upper", "step"):
        if getattr(node, field) is not None:
            yield "slice bound", _with(node, **{field: None})


def _return(node):
    if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        first, second, *rest = node.value.elts
        yield "swapped results", _with(node, value=_with(node.value, elts=[second, first, *rest]))


def _comprehension(node):
    for i, generator in enumerate(node.generators):
        if generator.ifs:
            generators = list(node.generators)
            generators[i] = _with(generator, ifs=[])
            yield "removed condition", _with(node, generators=generators)


def _gone(node):
    yield "removed statement", None


CHANGES = {
    ast.Compare: _compare, ast.BinOp: _binary, ast.AugAssign: _augmented, ast.Assign: _assign,
    ast.UnaryOp: _unary, ast.BoolOp: _bool, ast.Constant: _constant, ast.IfExp: _either,
    ast.If: _if, ast.Call: _call, ast.Expr: _expression, ast.Slice: _slice, ast.Return: _return,
    ast.ListComp: _comprehension, ast.GeneratorExp: _comprehension, ast.Raise: _gone,
    ast.Continue: _gone, ast.Break: _gone,
}  # fmt: skip
