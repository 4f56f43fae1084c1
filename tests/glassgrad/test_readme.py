"""Every block of README does what README says. Its Python runs in test_copies.py.

A line of the block of commands runs as it stands, or, where that would take long, smaller: as the
same command. Then the line itself still has to parse, down to its settings.
"""

import re
import shlex
from pathlib import Path

import pytest

from glassgrad import cli, models
from glassgrad.cli.common import overrides
from tests.kernels.checking import why_no_emulator
from tests.tools import unregistered, without_compiling

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(<!-- \w+ -->\n)?```(\w+)\n(.*?)```", README, re.S)
COMMANDS = [
    line.partition("#")[0].strip()
    for marker, kind, block in BLOCKS
    if kind == "sh" and not marker
    for line in block.splitlines()
]
TRAIN = "glassgrad train vae --set epochs=20"

LONGER = "glassgrad train --resume runs/... --set epochs=70"
OWN = "glassgrad train my_model.py:MyModel"
MLP = "glassgrad train mlp --data my.csv --label kind"
RACE = "glassgrad lab sum.cu --arg x=random:1024 --arg y=empty:4 --arg n=1024 --grid 4 --block 256"
FOUND = {RACE: 1}  # exit codes of commands that find something

SMALLER = {
    TRAIN: "glassgrad train vae --set epochs=1 hidden=[8,8] --quiet",
    MLP: f"{MLP} --set epochs=1",
    "glassgrad train som --data my.csv": "glassgrad train som --data my.csv --set epochs=1",
    LONGER: "glassgrad train --resume runs/... --set epochs=2",
    "glassgrad train lenet --ranks 4": "glassgrad train lenet --ranks 1 --set epochs=1",
    "glassgrad train mlp --seeds 5": "glassgrad train mlp --seeds 2 --set epochs=1 --quiet",
    OWN: f"{OWN} --set epochs=1 --quiet",
    "glassgrad sample runs/... -n 64": "glassgrad sample runs/... -n 4",
    "glassgrad reproduce": "glassgrad reproduce --list",  # trains for hours
    "glassgrad gradcheck": "glassgrad gradcheck tanh Linear vae",  # all: test_gradcheck.py
    "glassgrad lab conv2d.forward": "glassgrad lab philox.bits --version 1",
    "glassgrad bench conv2d lenet": "glassgrad bench conv2d lenet --list",  # test_bench_cli.py
    "glassgrad bench my_blur.py": "glassgrad bench my_blur.py --list",  # test_own_kernels.py
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("readme")
    for name in ("my", "train", "test"):
        (made / f"{name}.csv").write_text("size,kind\n" + "1,small\n9,large\n" * 10)
    for _, _, block in BLOCKS:
        if named := re.match(r"(?:#|//) (\w+\.\w+)", block):
            (made / named[1]).write_text(block)
    with unregistered():
        yield made


@pytest.fixture(scope="module")
def trained(folder):
    """The run folder of README's training."""
    words = shlex.split(SMALLER[TRAIN])[1:]
    assert cli.main([*words, "--out", str(folder / "runs")]) == 0
    (run,) = (folder / "runs").iterdir()
    return run


def test_the_blocks_are_those_that_are_tested():
    """No block without a test: two commands that .ci/run runs, Python, the block of commands."""
    kinds = [(marker.strip(), kind) for marker, kind, _ in BLOCKS]
    assert kinds == [
        ("<!-- demo -->", "sh"), ("<!-- test -->", "sh"),
        ("", "python"), ("", "sh"), ("", "python"), ("", "python"),
        ("", "cuda"), ("", "sh"), ("", "cuda"), ("", "python"), ("", "sh"), ("", "python"),
        ("", "python"), ("<!-- ranks -->", "sh"),
    ]  # fmt: skip
    for (_, _, block), must in zip(BLOCKS, ("glassgrad demo", "pytest")):
        assert block.count("\n") == 1 and must in block and "pip install" in block
    integration = (Path(cli.__file__).parents[2] / ".ci/run").read_text(encoding="utf-8")
    assert 'eval "$(readme_command demo)"' in integration
    assert 'eval "$(readme_command test)"' in integration
    assert set(SMALLER) < set(COMMANDS)
    commands = [shlex.split(line)[1] for line in COMMANDS]
    assert set(commands) == set(cli.COMMANDS) - {"demo"}, "README shows every command"


def test_the_commands_of_several_ranks_parse():
    """What follows mpiexec and srun is a command of ours; test_ranks.py runs such ones."""
    (block,) = (block for marker, _, block in BLOCKS if "ranks" in marker)
    starters = set()
    for line in block.splitlines():
        starter, program, words = line.partition("#")[0].partition("glassgrad")
        starters.add(starter.split(" ")[0])
        assert program and cli._parse(shlex.split(words)).command == "train"
    assert starters == {"", "mpiexec", "srun"}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_parses(line):
    program, *words = shlex.split(line)
    assert program == "glassgrad"
    args = cli._parse(words)
    assert args.command == words[0]
    if getattr(args, "sets", None) and line != LONGER:
        models.recipe(args.name).resolve(args.data, overrides(args.sets))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_runs(capsys, monkeypatch, folder, trained, line):
    from glassgrad.core.data import files

    if " lab " in line and why_no_emulator():
        pytest.skip(why_no_emulator())
    monkeypatch.chdir(folder)
    monkeypatch.setattr(files, "REPOSITORY", folder)  # doctor need not hash gigabytes here
    smaller = SMALLER.get(line, line)
    words = shlex.split(smaller.replace("runs/...", str(trained)))
    assert words[:2] == shlex.split(line)[:2], "another command"
    code = cli.main(words[1:])
    out, err = capsys.readouterr()
    assert (code, without_compiling(err)) == (FOUND.get(line, 0), "") and out.strip()
    if line == RACE:
        said = re.search(r"```\n(sum: sum.cu.*?)```", README, re.S)[1]
        assert " ".join(said.split()) in " ".join(out.split())
