"""Check derivatives against finite differences: of functions, layers and the systems' objectives.

glassgrad gradcheck                  everything
glassgrad gradcheck conv2d LSTM vae  these
glassgrad gradcheck my_model.py:Net  one of your own
glassgrad gradcheck my_blur.py       functions of your own, the list GRADCASES of a file
"""

import time

HELP = "derivatives against finite differences, as a table"


def arguments(parser) -> None:
    """What to check, and up to which order."""
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="functions, layers, systems; by default all"
    )
    parser.add_argument("--order", type=int, choices=(1, 2), default=2, help="up to which (2)")


def run(args) -> int:
    """Check every chosen case and print a row for each; 1 where one fails."""
    from ..core.terminal import console, count, good, seconds, table

    rows, failed, started = [], [], time.perf_counter()
    for kind, row in _rows(_chosen(args.names), args.order):
        error = f"{row.error:.1e}" if row.passed else good(False, no="FAILED")
        rows.append((kind, row.name, row.order, error, _note(row), seconds(row.seconds)))
        if not row.passed:
            failed.append(f"{kind} {row.name}, order {row.order}: {row.message}")
    out = console()
    columns = ("kind", "name", "order", "error", "note", "time")
    out.print(table(rows, *columns, numbers=("order", "error", "time"), whole=("kind",)))
    for message in failed:
        out.print(f"FAILED {message}", style="red")
    took = seconds(time.perf_counter() - started)
    out.print(f"{count(len(rows), 'check')}, {len(failed)} failed, {took}")
    return 1 if failed else 0


def _chosen(names):
    """[(kind, case)] of all names, or of every function, layer and system."""
    from .. import models
    from ..core import gradcases
    from ..core.gradcases import modules
    from ..kernels.errors import ValueRangeError, nearest

    every = [("function", c) for c in gradcases.CASES]
    every += [("layer", c) for c in modules.CASES]
    known = [w for _, c in every for w in dict.fromkeys((c.function, c.name))] + models.names()
    kernels = {n: cases for n in names if n not in known and (cases := _of_kernels(n)) is not None}
    own = [n for n in names if n not in kernels and models.own.is_reference(n)]
    for name in names:
        if name not in known and name not in own and name not in kernels:
            raise ValueRangeError(
                f"gradcheck: nothing is called {name!r}{nearest(name, known)} (a function such as"
                " conv2d, a layer such as LSTM, or a system such as vae)"
            )
    chosen = [(k, c) for k, c in every if not names or c.name in names or c.function in names]
    chosen += [("function", case) for cases in kernels.values() for case in cases]
    systems = [n for n in models.names() if not names or n in names] + own
    return chosen + [("system", case) for n in systems if (case := system_case(n))]


def _of_kernels(name: str):
    """GRADCASES of a file of kernels of your own, or of an operation in an installed package.

    None where the name is that of neither, so that it may be a model's. Raises ValueRangeError for
    a differentiable function of the file without a case.
    """
    from ..kernels import own, registry
    from ..kernels.errors import ValueRangeError
    from ..testing.contract import differentiable_of

    op, others = name.partition(".")[0], registry.operations()[len(registry.OPERATIONS) :]
    if own.is_reference(name):
        path, wanted = own.parts_of(name)
        module = own.module_of(path)
    elif op in others:
        module, wanted = own.imported(registry.home(op)), op
    else:
        return None
    cases, registers = getattr(module, "GRADCASES", None), own.operations_of(module)
    if (cases is None and not registers) or (wanted and wanted.partition(".")[0] not in registers):
        return None
    cases = list(cases or ())
    unchecked = [f.name for f in differentiable_of(module)]
    unchecked = [n for n in unchecked if not any(c.function == n for c in cases)]
    if unchecked or not cases:
        what = f" for {', '.join(unchecked)}" if unchecked else ""
        must = "GRADCASES = [glassgrad.testing.GradCase(name, function, make), …]"
        raise ValueRangeError(f"gradcheck: {module.__file__} has no case{what}; expected {must}")
    return cases


def system_case(name: str):
    """The gradient case of a system's objective; None for one that states none."""
    from .. import models
    from ..core.gradcases.case import GradCase

    recipe = models.recipe(name)
    check, made = recipe.check, {}

    def make(rng):
        made["f"], arrays = check(rng)
        return arrays

    return check and GradCase(recipe.name, lambda *tensors: made["f"](*tensors), make)


def _rows(cases, order):
    from rich.progress import track

    from ..core.gradcases import check
    from ..core.terminal import console

    jobs = [(kind, case, k) for kind, case in cases for k in range(1, min(order, case.order) + 1)]
    shown = console(stderr=True)
    for kind, case, k in track(
        jobs, "checking", console=shown, transient=True, disable=not shown.is_interactive
    ):
        yield kind, check(case, k)


def _note(row) -> str:
    notes = [row.note] if row.note else []
    if row.zero and "zero" not in row.note:
        notes.append("second derivative zero")
    if row.resampled:
        notes.append(f"moved {row.resampled}x off a kink")
    return "; ".join(notes)
