"""Parts of `make gpu`: tests, sanitizer, and the benchmark by kinds.

Each is ``part(limit, clock) -> dict`` with a "status"; `clock()` is the seconds that it has run.
"""

import json
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from ...cli.machine import cores
from ...kernels import OPERATIONS
from .process import ROOT, python, run, tool

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
FOUND = 9  # the exit code that compute-sanitizer is asked to give for an error
BEYOND = "tests/bench/test_large.py"
AT_ONCE = 8  # processes that share the GPU: most of their time they prepare on the CPU


def tests(limit: float, clock) -> dict:
    """The GPU tests: those that are quick, large cases, then arrays beyond 2^31 elements.

    The last want the memory to themselves, the others run side by side.
    """
    if not (ROOT / "tests").is_dir():
        return {"status": "skipped", "why": f"there is no folder of tests in {ROOT.name}"}
    found = {}
    groups = {
        "quick": ["-m", "gpu and not slow"],
        "large": ["-m", "gpu and slow", f"--ignore={BEYOND}"],
        "beyond 2^31": ["-m", "gpu and slow", BEYOND],
    }
    for name, which in groups.items():
        left = limit - clock()
        if left < 5:
            found[name] = {"status": "not run: out of time"}
            continue
        command = ["-m", "pytest", "-vv", "-p", "no:cacheprovider", *which]
        if BEYOND not in which and find_spec("xdist"):
            command += ["-n", str(min(AT_ONCE, cores()))]
        done = run(python(*command), left)
        found[name] = counted(done.output) | {"seconds": round(done.seconds, 1)}
        status = {0: "passed", None: "out of time"}.get(done.code, "failed")
        if status == "passed" and not found[name]["passed"]:
            status = "failed"  # all were skipped: nothing is proved
        found[name]["status"] = status
        if status == "failed":
            found[name]["said"] = done.tail
    return {"status": together(f["status"] for f in found.values()), **found}


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
        "passed": number["PASSED"], "failed": len(names), "skipped": number["SKIPPED"],
        "names": names,
    }  # fmt: skip


def together(statuses) -> str:
    """One status of several: "failed" if one is, "passed" if all are."""
    statuses = set(statuses)
    if "failed" in statuses:
        return "failed"
    return "passed" if statuses == {"passed"} else "incomplete"


def sanitizer(limit: float, clock) -> dict:
    """compute-sanitizer over every kernel: a process for each tool and family."""
    path = tool("compute-sanitizer")
    if path is None:
        return {
            "status": "skipped",
            "why": "compute-sanitizer is not on PATH nor in CUDA's folders",
        }

    def one(pair) -> dict:
        left = limit - clock()
        if left < 10:
            return {"status": "not run: out of time"}
        return _sanitized(path, *pair, left)

    pairs = [(check, op) for check in TOOLS for op in OPERATIONS]
    with ThreadPoolExecutor(min(AT_ONCE, cores())) as pool:
        found = {f"{check} {op}": f for (check, op), f in zip(pairs, pool.map(one, pairs))}
    return {"status": together(f["status"] for f in found.values()), "tool": path, "runs": found}


def _sanitized(path: str, check: str, op: str, limit: float) -> dict:
    done = run(
        [path, "--tool", check, "--error-exitcode", str(FOUND),
         *python("-m", f"{__package__}.every_kernel", "--op", op)],
        limit,
    )  # fmt: skip
    calls = re.search(r"^(\d+) calls$", done.output, re.MULTILINE)
    outcome = {
        "status": {0: "passed", None: "out of time"}.get(done.code, "failed"),
        "calls": int(calls[1]) if calls else None, "seconds": round(done.seconds, 1),
    }  # fmt: skip
    return outcome if done.code == 0 else outcome | {"said": done.tail}


def bench(kind: str):
    """The part that measures kernels, layers or models: what was done when the time was over stays.

    It is ``glassgrad bench KIND --backend cuda``.
    """

    def part(limit: float, clock) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "record.json"
            command = ["-m", "glassgrad", "bench", kind, "--backend", "cuda", "--json", str(file)]
            done = run(python(*command), limit)
            found = {"status": {0: "passed", None: "out of time"}.get(done.code, "failed")}
            if done.code != 0:
                found["said"] = done.tail
            if file.exists():
                found["record"] = json.loads(file.read_text())
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
        return json.loads(done.output.splitlines()[-1])

    return part
