"""The contract of a kernel as one parametrised pytest test.

For everything that is registered:

    complete     each pass has a reference, and cases; each version supports some of them
    equals       each version gives what the reference gives, on every small case that it supports
    layouts      also of transposed and sliced arrays
    emulated     no race, nothing out of bounds, everything initialised, no divergent barrier
    nvrtc        NVIDIA's compiler takes the `.cu`, for two chips; where its wheel is installed
    gradcheck    each case of GRADCASES, orders 1 and 2; each differentiable function has one
"""

import types
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..core.differentiable import Differentiable
from ..core.gradcases import check as gradient
from ..kernels import BackendError, Case, Implementation, cases, implementations, nvrtc, own
from ..kernels.debug import poisoned_outputs
from ..kernels.emulator import watching
from ..kernels.launcher import Source
from ..kernels.registry import home
from .checking import arguments, check, why_no_emulator, why_no_gpu

CHIPS = "sm_80", "sm_90"


def contract(what: str | Path | types.ModuleType):
    """A pytest test of what a module, a file, a folder or an operation registers.

    `what` is a module that registers kernels, the path of a file or folder that does, or the name
    of an operation. A name in your test file makes pytest find the test ::

        test_blur = contract(my_blur)

    What cannot run on this machine is skipped, with the reason, and so is a case that a version
    does not support. Raises BackendError where nothing is registered.
    """
    import pytest

    module, names, records = _found(what)
    found = [
        pytest.param(run, id=name, marks=[pytest.mark.skip(reason=why)] if why else [])
        for name, run, why in _tests(module, names, records)
    ]

    @pytest.mark.parametrize("run", found)
    def test(run):
        run()

    test.__doc__ = f"The contract of {', '.join(names)}."
    return test


def _found(what):
    """The module, the names of its operations, and which of their records are to be tested."""
    if isinstance(what, types.ModuleType):
        module = what
    elif own.is_reference(str(what)):
        module = own.module_of(own.parts_of(str(what))[0])
    else:
        op = str(what).partition(".")[0]
        records = implementations(op)
        return own.imported(home(op)), [op], records
    names = own.operations_of(module)
    if not names:
        raise BackendError(f"contract: {module.__name__} registers no kernel")
    records = [r for op in names for r in implementations(op)]
    inside = f"{module.__name__}."
    mine = [r for r in records if f"{r.function.__module__}.".startswith(inside)]
    return module, names, mine


def _tests(module, names, records) -> Iterator[tuple[str, Callable, str]]:
    """(name, function, why it is skipped) of every test."""
    for op in names:
        if home(op) == module.__name__:
            yield f"{op}-complete", partial(_expect_complete, op), ""
    for record in (r for r in records if r.backend != "reference"):
        yield from _of_record(record)
    modules = {r.function.__module__: own.imported(r.function.__module__) for r in records}
    every = [v for m in modules.values() for v in vars(m).values() if isinstance(v, Source)]
    for source in {s.path: s for s in every}.values():
        for chip in CHIPS:
            name = f"{source.path.name}-{chip}"
            yield name, partial(nvrtc.compile, source.text, chip), _why_no_nvrtc()
    listed = getattr(module, "GRADCASES", ())
    for case in listed:
        for order in range(1, case.order + 1):
            yield f"gradcheck-{case.name}-order{order}", partial(_expect_gradient, case, order), ""
    for function in differentiable_of(module):
        name = f"{function.name}-has-a-gradient-case"
        yield name, partial(_expect_case, function, listed), ""


def _of_record(record: Implementation) -> Iterator[tuple[str, Callable, str]]:
    """The tests of one version."""
    unable = {"cuda": why_no_gpu, "emulated": why_no_emulator}.get(record.backend, str)()
    for case in cases(record.op, record.pass_):
        if case.bench and record.backend == "emulated":
            continue  # minutes, in the emulator
        name = f"{record.name}-{case.name}"
        yield name, partial(_expect_equal, record, case), unable
        if case.bench:
            continue
        for layout in ("transposed", "sliced"):
            yield f"{name}-{layout}", partial(_expect_layout, record, case, layout), unable
        if record.backend == "emulated":
            yield f"{name}-findings", partial(_expect_no_finding, record, case), unable


def differentiable_of(module) -> list[Differentiable]:
    """The differentiable functions that a module declares itself."""
    found = {id(v): v for v in vars(module).values() if isinstance(v, Differentiable)}
    return [f for f in found.values() if f.__module__ == module.__name__]


def _expect_complete(op: str) -> None:
    listed, records = cases(op), implementations(op)
    for pass_ in {r.pass_ for r in records} | {c.pass_ for c in listed}:
        mine = [r for r in records if r.pass_ == pass_]
        some = [c for c in listed if c.pass_ == pass_]
        assert any(r.backend == "reference" for r in mine), f"{op}.{pass_} has no reference"
        assert some, f"{op}.{pass_} has no case in CASES"
        names = [c.name for c in some]
        assert len(names) == len(set(names)), f"{op}.{pass_}: two cases share a name"
        assert not all(c.bench for c in some), f"{op}.{pass_}: every case is marked bench"
        for case in some:
            assert case.flops >= 0 and case.bytes >= 0 and case.reduction >= 1, f"{case}: its cost"
        for record in mine:
            able = any(record.supports(*case.normal(record.dtypes[0])) for case in some)
            assert able, f"{record.name} supports no case"


def _expect_equal(record: Implementation, case: Case) -> None:
    dtypes = record.dtypes[:1] if case.bench else record.dtypes
    left = []
    for dtype in dtypes:
        able = check(record, case, dtype)
        if case.exact:
            able &= check(record, case, dtype, integers=True)
        left += [] if able else [dtype]
    _expect_none(left, record, case)


def _expect_layout(record: Implementation, case: Case, layout: str) -> None:
    able = check(record, case, record.dtypes[0], layout, integers=case.exact)
    _expect_none([] if able else [record.dtypes[0]], record, case)


def _expect_no_finding(record: Implementation, case: Case) -> None:
    left = []
    for dtype in record.dtypes:
        args = arguments(case, dtype, integers=True)
        if not record.supports(*args):
            left.append(dtype)
            continue
        with poisoned_outputs(), watching() as report:
            record.function(*args)
        assert not report.findings, "\n".join(map(str, report.findings))
    _expect_none(left, record, case)


def _expect_none(left: list[str], record: Implementation, case: Case) -> None:
    """Skip where dtypes are left in which the version does not support the case: nothing ran."""
    import pytest

    if left:
        pytest.skip(f"{record.name} does not support {case} in {', '.join(left)}")


def _expect_gradient(case, order: int) -> None:
    row = gradient(case, order)
    assert row.passed, row.message


def _expect_case(function: Differentiable, listed) -> None:
    has = any(case.function == function.name for case in listed)
    assert has, f"{function.name} has no GradCase in GRADCASES, so nobody checks its derivative"


def _why_no_nvrtc() -> str:
    try:
        nvrtc.library()
    except BackendError as error:
        return str(error)
    return ""
