"""What is measured on a GPU alone, at small sizes on the CPU: memory-bound calls, nearest nodes."""

import numpy as np
import pytest

from glassgrad.bench import bandwidth, nearest_node, suite
from glassgrad.bench.job import measure
from glassgrad.bench.large.calls import CALLS
from glassgrad.bench.verify import VerifyError
from tests.bench.planted import plant, quick_session
from tests.kernels.checking import why_no_emulator

emulator = pytest.mark.skipif(bool(why_no_emulator()), reason=why_no_emulator() or "runs")
BOUND = [c for c in CALLS if c.bandwidth]
SIZE = 1 << 14


def one(call, session, size=SIZE):
    (job,) = bandwidth.make(call, session, size)
    return job


def named(name):
    return next(c for c in BOUND if f"{c.op}.{c.pass_}" == name)


def test_a_gpu_alone_measures_them():
    on_gpu, here = suite.plans("cuda")["kernels"], suite.plans("numba")["kernels"]
    more = {(p.name, p.case) for p in on_gpu} - {(p.name, p.case) for p in here}
    assert len(more) == len(BOUND) + 1
    families = {name.partition(".")[0] for name, _ in more}
    assert {"pool2d", "reparam", "dropout", "lstm", "gru", "som"} <= families
    assert on_gpu[0].name == "som.winners"  # a run that is cut short has them


@emulator
@pytest.mark.slow
def test_every_memory_bound_call_is_measured(monkeypatch):
    with quick_session(monkeypatch, backend="emulated") as session:
        for call in BOUND:
            rows = measure(one(call, session), session)
            assert any(r["median"] for r in rows), call
            for row in rows:
                assert row["bytes"] >= 4 * SIZE // 2 and row["bound"] in (None, "memory"), call


def test_bytes_are_counted_once_each(monkeypatch):
    with quick_session(monkeypatch, backend="numba") as session:
        assert one(named("dropout.forward"), session).bytes == 2 * 4 * SIZE
        assert one(named("philox.bits"), session).bytes == 4 * SIZE
        assert one(named("descent.adam"), session).bytes == (5 + 4) * 4 * SIZE  # x, g, m, v, top
        pooled = named("pool2d.max_forward")  # 2x2: a quarter of the numbers, with indices
        assert one(pooled, session).bytes == 4 * SIZE + SIZE // 4 * (4 + 8)


def test_peers_are_measured_beside_them(monkeypatch):
    pytest.importorskip("torch")
    with quick_session(monkeypatch, ("torch",), backend="numba") as session:
        for name in ("pool2d.max_forward", "dropout.forward", "reparam.forward"):
            (row, *_) = measure(one(named(name), session), session)
            assert row["peers"]["torch"]["ratio"] > 0, session.notes


def test_a_wrong_kernel_is_not_timed(monkeypatch):
    def wrong(x, p, seed, offset):
        return np.concatenate([x[:-8] * 0, x[-8:]])

    plant(monkeypatch, "dropout", "forward", wrong)
    with quick_session(monkeypatch, backend="numba") as session, pytest.raises(VerifyError):
        measure(one(named("dropout.forward"), session), session)


def test_nearest_nodes_and_their_peers(monkeypatch):
    pytest.importorskip("torch")
    with quick_session(monkeypatch, ("torch", "blas"), backend="numba") as session:
        (job,) = nearest_node.make(session, 700, 90)
        rows = measure(job, session)
    assert all(row["error"] < nearest_node.DIRECT and row["median"] for row in rows)
    assert set(rows[0]["peers"]) == {"torch", "blas"}, session.notes
    assert all(p["error"] < nearest_node.EXPANDED for p in rows[0]["peers"].values())


@pytest.mark.parametrize("how", ["another node", "no node", "another distance"])
def test_a_wrong_winner_is_found(monkeypatch, how):
    from glassgrad.kernels.som.reference import winners

    def wrong(x, w):
        index, d2 = winners(x, w)
        if how == "another distance":
            d2[-1] *= 1.001
        else:
            index[-1] = (index[-1] + 1) % len(w) if how == "another node" else len(w)
        return index, d2

    plant(monkeypatch, "som", "winners", wrong)
    with quick_session(monkeypatch, backend="numba", version=99) as session:
        (job,) = nearest_node.make(session, 50, 40)
        with pytest.raises(VerifyError):
            measure(job, session)
