"""cuDNN with TF32 as a peer: allowed while it runs, and judged by its own rounding."""

import types

import pytest

from glassgrad.bench import peers, suite
from glassgrad.bench.job import Contender, measure
from glassgrad.bench.peers import pytorch_tf32
from tests.bench.planted import quick_session

torch = pytest.importorskip("torch")
NAMES = {"conv2d.forward", "conv2d.layer"}
OFF = {"tf32": 1 + 2.0**-11, "far too much": 1 + 2.0**-6}


def test_it_is_for_gpus():
    assert peers.load(["torch-tf32"], "cpu", 1) == ({}, {"torch-tf32": "TF32 is for GPUs"})


def test_the_switch_is_thrown_for_the_call_alone():
    seen = []
    call = pytorch_tf32._allowed(lambda: seen.append(torch.backends.cudnn.allow_tf32))
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    try:
        call()
        assert seen == [True] and torch.backends.cudnn.allow_tf32 is False
        with pytest.raises(ZeroDivisionError):
            pytorch_tf32._allowed(lambda: 1 / 0)()
        assert torch.backends.cudnn.allow_tf32 is False
    finally:
        torch.backends.cudnn.allow_tf32 = before
    assert pytorch_tf32.contender("dropout.forward", None, 0.5, 1, 0) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize(
    "precision, how, kept",
    [("tf32", "tf32", True), ("tf32", "far too much", False), ("full", "tf32", False)],
)
def test_it_is_judged_by_its_own_rounding(monkeypatch, name, precision, how, kept):
    """A stand-in: PyTorch's result a little off, as factors of 11 bits would have it."""
    from glassgrad.bench.peers import pytorch

    def contender(*given):
        plain = pytorch.contender(*given)

        def read(result):
            return tuple((a * OFF[how]).astype("float32") for a in plain.read(result))

        return Contender(plain.call, read, precision=precision)

    with quick_session(monkeypatch, backend="numba") as session:
        session.peers["stand-in"] = types.SimpleNamespace(contender=contender)
        plan = next(p for p in suite.select([name]) if "3x3" in p.case or "3,1,1" in p.case)
        rows = measure(next(iter(plan.make(session))), session)
    ran = [r for r in rows if r["median"]]
    assert ran and all(("stand-in" in r["peers"]) is kept for r in ran), session.notes
