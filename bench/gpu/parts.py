"""Parts of `make gpu`: every kernel once, tests, sanitizer, and the benchmark by kinds.

Each is, or makes, ``part(limit, clock) -> dict`` with a "status"; `clock()` is the seconds that it
has run.
"""

import json
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from ...core.machine import cores
from ...core.regular import read_json
from ...core.training.run_folder import RunError
from ...kernels import OPERATIONS
from .process import ROOT, python, run, tool

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
FOUND = 9  # the exit code that compute-sanitizer is asked to give for an error
BEYOND = "tests/bench/test_large.py"
AT_ONCE = 12  # processes that share the GPU: most of their time they prepare on the CPU
CONTRACT = ("tests/kernels/test_contract.py", "tests/kernels/test_double.py")
GROUPS = {  # of tests -> {name: what pytest is given}
    "contract": {"contract": ["-m", "gpu and not slow", *CONTRACT]},
    "all": {
        "quick": ["-m", "gpu and not slow"],
        "large": ["-m", "gpu and slow", f"--ignore={BEYOND}"],
    },
    "beyond": {"beyond 2^31": ["-m", "gpu and slow", BEYOND]},
}


def at_once(number: int) -> int:
    """Processes side by side, of `number` at most."""
    return max(1, min(number, AT_ONCE, cores()))


def once(limit: float, clock) -> dict:
    """Every version on its largest small case, in each dtype: a process for each operation.

    So each of CuPy's modules is compiled once, side by side, and lies in its cache afterwards.
    """

    def one(op: str) -> dict:
        left = limit - clock()
        if left < 5:
            return {"status": "not run: out of time"}
        done = run(python("-m", f"{__package__}.every_kernel", "--op", op, "--once"), left)
        return _watched(done)

    with ThreadPoolExecutor(at_once(len(OPERATIONS))) as pool:
        found = dict(zip(OPERATIONS, pool.map(one, OPERATIONS)))
    return {"status": together(f["status"] for f in found.values()), "runs": found}


def tests(which: str):
    """The part that runs some of the GPU tests, side by side.

    Arrays beyond 2^31 elements need the memory to themselves.
    """

    def part(limit: float, clock) -> dict:
        if not (ROOT / "tests").is_dir():
            return {"status": "skipped", "why": f"there is no folder of tests in {ROOT.name}"}
        found = {}
        for name, given in GROUPS[which].items():
            left = limit - clock()
            if left < 5:
                found[name] = {"status": "not run: out of time"}
            else:
                found[name] = _tested(given, left)
        return {"status": together(f["status"] for f in found.values()), **found}

    return part


def _tested(given: list[str], limit: float) -> dict:
    command = ["-m", "pytest", "-vv", "-p", "no:cacheprovider", *given]
    if BEYOND not in given and find_spec("xdist"):
        command += ["-n", str(at_once(AT_ONCE))]
    done = run(python(*command), limit)
    found = counted(done.output) | {"seconds": round(done.seconds, 1)}
    status = {0: "passed", None: "out of time"}.get(done.code, "failed")
    if status == "passed" and not found["passed"]:
        status = "failed"  # all were skipped: nothing is proved
    found["status"] = status
    return found | {"said": done.tail} if status == "failed" else found


ENDS = "PASSED|FAILED|ERROR|SKIPPED"
LINE = re.compile(  # as one process says it, and as one of several does
    rf"^(?:(\S+::.*?) ({ENDS})\b.*|\[gw\d+\] \[ *\d+%\] ({ENDS}) (\S+::.*?)) *$", re.MULTILINE
)


def counted(output: str) -> dict:
    """How many tests passed, failed and were skipped, from pytest's lines; the failed by name.

    >>> counted("t.py::a PASSED [ 1%]\\nt.py::b[x y] FAILED [ 2%]\\nt.py::c SKIPPED (why) [ 3%]")
    {'passed': 1, 'failed': 1, 'skipped': 1, 'names': ['t.py::b[x y]']}
    >>> counted("[gw1] [ 5%] PASSED t.py::a \\n[gw0] [ 9%] FAILED t.py::b[x y] ")["names"]
    ['t.py::b[x y]']
    """
    ends = LINE.findall(output)
    ends = [(name or late, end or early) for name, end, early, late in ends]
    number = {w: sum(end == w for _, end in ends) for w in ("PASSED", "SKIPPED")}
    names = [name for name, end in ends if end in ("FAILED", "ERROR")]
    return {
        "passed": number["PASSED"],
        "failed": len(names),
        "skipped": number["SKIPPED"],
        "names": names,
    }


def together(statuses) -> str:
    """One status of several: "failed" if one is, "passed" if all are."""
    statuses = set(statuses)
    if "failed" in statuses:
        return "failed"
    return "passed" if statuses == {"passed"} else "incomplete"


def sanitizer(tools=TOOLS, operations=None):
    """The part that runs compute-sanitizer: a process for each tool and family."""

    def part(limit: float, clock) -> dict:
        path = tool("compute-sanitizer")
        if path is None:
            why = "compute-sanitizer is not on PATH nor in CUDA's folders"
            return {"status": "skipped", "why": why}

        def one(pair) -> dict:
            left = limit - clock()
            if left < 10:
                return {"status": "not run: out of time"}
            return _sanitized(path, *pair, left)

        pairs = [(check, op) for check in tools for op in operations or OPERATIONS]
        with ThreadPoolExecutor(at_once(len(pairs))) as pool:
            found = {f"{check} {op}": f for (check, op), f in zip(pairs, pool.map(one, pairs))}
        status = together(f["status"] for f in found.values())
        return {"status": status, "tool": path, "runs": found}

    return part


def _sanitized(path: str, check: str, op: str, limit: float) -> dict:
    watched = python("-m", f"{__package__}.every_kernel", "--op", op)
    command = [path, "--tool", check, "--error-exitcode", str(FOUND), *watched]
    return _watched(run(command, limit))


def _watched(done) -> dict:
    """How a process of every_kernel ended."""
    calls = re.search(r"^(\d+) calls$", done.output, re.MULTILINE)
    outcome = {
        "status": {0: "passed", None: "out of time"}.get(done.code, "failed"),
        "calls": int(calls[1]) if calls else None,
        "seconds": round(done.seconds, 1),
    }
    return outcome if done.code == 0 else outcome | {"said": done.tail}


def bench(*what: str):
    """The part that measures: what was done when the time was over stays.

    It is ``glassgrad bench WHAT --backend cuda``.
    """

    def part(limit: float, clock) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "record.json"
            command = ["-m", "glassgrad", "bench", *what, "--backend", "cuda", "--json", str(file)]
            done = run(python(*command), limit)
            found = {"status": {0: "passed", None: "out of time"}.get(done.code, "failed")}
            if done.code != 0:
                found["said"] = done.tail
            if file.exists():
                found["record"] = read_json(file, RunError)
        return found

    return part


def apart(module: str):
    """The part ``measure()`` of a module here, in a process of its own: it can hang or crash."""

    def part(limit: float, clock) -> dict:
        code = (
            f"import json; from {__package__}.{module} import measure; print(json.dumps(measure()))"
        )
        done = run(python("-c", code), limit)
        if done.code != 0:
            why = "out of time" if done.code is None else f"exit code {done.code}"
            return {"status": "failed", "why": why, "said": done.tail}
        # libraries may write after it, as both streams are one text
        last = next((x for x in reversed(done.output.splitlines()) if x.startswith("{")), None)
        if last is None:
            return {"status": "failed", "why": "it gave no outcome", "said": done.tail}
        return json.loads(last)

    return part
