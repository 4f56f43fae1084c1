"""Both commands of `make gpu` from end to end, in processes of their own, on the stand-in.

What a process of a part runs is real but small: a line put before Python starts installs the
stand-in and shrinks arrays and efforts, and the longest choices are replaced by shorter ones.
compute-sanitizer and ncu are programs that run what they are given, and say what the real ones say.
"""

import json
import os
import subprocess
import sys

import pytest

from glassgrad.bench.gpu import counters, stages
from glassgrad.bench.gpu.process import ROOT
from tests.kernels.checking import why_no_emulator, why_no_gpu

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_no_emulator()) or not why_no_gpu(), reason="no compiler, or a GPU"),
]

FIRST = """
from tests import fake_cupy
fake_cupy.install()
from glassgrad.bench import bandwidth, nearest_node, roofline, timing
from glassgrad.bench.gpu import launches
from tests.bench.planted import LEAST
timing.QUICK = timing.FULL = timing.ON_GPU = LEAST
bandwidth.SIZE = 1 << 12
nearest_node.N, nearest_node.NODES = 100, 16
roofline.SIZE["cuda"], roofline.COPIED["cuda"] = 64, 1 << 16
launches.LAUNCHES = launches.ROUNDS = 2
"""
COMMAND = """
import sys
from glassgrad.bench.gpu import __main__ as gpu
from glassgrad.bench.gpu import counters, parts, process

SHORTER = {  # the words after "bench"
    "lstm.layer": ["dropout.forward", "--case", "large,"],
    "kernels": ["dropout.forward", "--case", "large,", "--newer"],
    "conv2d.forward": ["reparam.forward", "--case", "large,", "--newer"],
    "models": ["mlp"],
}
parts.OPERATIONS = ("dropout", "descent")

def short(command, limit, **environment):
    if "bench" in command:
        at, end = command.index("bench") + 1, command.index("--backend")
        more = ["--peers", "none", "--quick"]
        command = [*command[:at], *SHORTER[command[at]], *command[end:], *more]
    if "pytest" in command:
        command = [*command, "-k", "descent"]
        command[command.index("-n") + 1] = "2"
    if "--tool" in command:
        command[command.index("--op") + 1] = "dropout"
    return process.run(command, limit, **environment)

counters.run = parts.run = short
parts.tool = counters.tool = lambda name: TOOLS[name]
gpu.ROOM.update(first=1200, second=1200)
code = gpu.main(sys.argv[1:])
sys.exit(code)
"""
TOOL = """
import subprocess, sys
words = sys.argv[1:]
if "--query-metrics" in words:
    sys.exit(0)
if "--log-file" in words:
    open(words[words.index("--log-file") + 1], "w").write(
        '"ID","Kernel Name",' + ",".join('"' + m + '"' for m in METRICS) + chr(10)
        + '"0","textbook_strided(const float*)",' + ",".join('"3"' for m in METRICS) + chr(10))
    sys.exit(0)
sys.exit(subprocess.run(words[words.index(sys.executable):]).returncode)
"""


@pytest.fixture
def environment(tmp_path):
    """Where every Python begins with `FIRST`, and the package is only a checkout."""
    (tmp_path / "sitecustomize.py").write_text(FIRST)
    tool = tmp_path / "tool"
    metrics = [*counters.ALL.values()]
    tool.write_text(f"#!{sys.executable} -S\nMETRICS = {metrics!r}\n{TOOL}")
    tool.chmod(0o755)
    return tool, {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}


def test_both_commands_on_the_stand_in(tmp_path, environment):
    tool, env = environment
    path = tmp_path / "gpu.json"
    tools = {"compute-sanitizer": str(tool), "ncu": str(tool)}
    code = f"TOOLS = {tools!r}\n{COMMAND}"
    for stage in ("first", "second"):
        names = stages.of([stage])
        more = [f"{name}=400" for name in names]
        done = subprocess.run(
            [sys.executable, "-c", code, "--stage", stage, "--json", str(path), "--seconds", *more],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=1500,
        )  # fmt: skip
        found = json.loads(path.read_text())
        said = {n: found[n].get("said", found[n]) for n in names}
        assert done.returncode == 0, (done.stdout, done.stderr[-2000:], said)
        ends = {n: found[n]["status"] for n in names}
        assert set(ends.values()) <= {"passed", "done"}, said
    assert found["machine"]["gpu"] == "no GPU: the emulator"
    assert found["tests"]["contract"]["passed"] > 0
    assert {r["version"] for r in found["ladders"]["record"]["rows"]} == {2, 3}
    assert found["counters"]["groups"]["textbook"]["kernels"]["textbook_strided"]
    assert [*found["sanitizer"]["runs"]] == [
        f"{t} {op}" for t in ("memcheck", "racecheck") for op in stages.WATCHED
    ]
