"""What the tests of run folders share: one finished tiny run, and a copy that may be damaged."""

import pytest

from glassgrad import cli


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished tiny run; tests must not change it."""
    out = tmp_path_factory.mktemp("runs")
    tiny = ["epochs=1", "hidden=[4,4]", "batch=400"]
    assert cli.main(["train", "vae", "--set", *tiny, "--out", str(out), "--quiet"]) == 0
    (run,) = out.iterdir()
    return run


@pytest.fixture
def run(finished, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in finished.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder
