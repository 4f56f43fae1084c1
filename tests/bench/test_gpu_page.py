"""Goals and page of a GPU run, from an outcome that is made up."""

import json
from dataclasses import asdict

import pytest

from glassgrad.bench.gpu import __main__ as gpu
from glassgrad.bench.gpu import page, targets
from glassgrad.core.training.run_folder import RunError
from tests.bench.planted import peer, record, row

COPY = 2e12
MACHINE = {
    "gpu": "H0", "compute_capability": "90", "multiprocessors": 132, "memory": 80 << 30,
    "l2": 50 << 20, "driver": "580.1", "runtime_cuda": 13000, "driver_cuda": 13010, "cupy": "14",
    "torch": "2.11", "numpy": "2.4", "python": "3.12", "cpu": "CPU", "cores": 16, "os": "Linux",
}  # fmt: skip


def cuda(name, case, version, **changes):
    return row(name, case, "", version, backend="cuda", **changes)


def moved(share):
    """A row's bytes and time at a share of the copy bandwidth."""
    return {"bytes": 10**9, "median": 10**9 / (share * COPY)}


def kernels(*rows):
    made = record(*rows, backend="cuda", roofline={"flops": 5e13, "bytes": COPY})
    return {"status": "passed", "seconds": 9.0, "record": asdict(made)}


def by(*rows, layers=()):
    return targets.goals({"kernels": kernels(*rows), "layers": kernels(*layers)})


def test_memory_bound_kernels_are_judged_by_the_copy():
    large, v1, v2 = "large, 2x2", moved(0.5), moved(0.9)
    rows = [cuda("pool2d.max_forward", large, 1, **v1), cuda("pool2d.max_forward", large, 2, **v2)]
    (goal,) = by(*rows)
    assert (goal.version, goal.reached, round(goal.value, 6)) == (2, True, 0.9)
    (goal,) = by(rows[0])
    assert not goal.reached and goal.aim == 0.85
    assert by(cuda("pool2d.max_forward", "after the first layer", 1, **v2)) == []
    assert by(cuda("descent.adam", "large, a vector", 1, **v2)) == []  # no goal was set for it
    assert by(cuda("pool2d.max_forward", large, 3, median=None)) == []


def test_convolutions_are_judged_by_cudnn_in_the_same_precision():
    peers = {"torch": peer(0.7), "torch-tf32": peer(0.3)}
    faster = {"torch": peer(1.5), "torch-tf32": peer(0.65)}
    rows = {5: peers, 6: faster}
    goals = by(*(cuda("conv2d.forward", "3x3", v, peers=p) for v, p in rows.items()))
    found = {g.measure: (g.version, g.value, g.reached) for g in goals}
    assert found == {"of cuDNN": (5, 0.7, False), "of cuDNN with TF32": (6, 0.65, True)}


def test_layers_at_the_two_sizes_and_nearest_nodes():
    one = row("lstm.layer", "(35,20,650,650)", "forward", peers={"torch": peer(1.2)})
    other = row("lstm.layer", "(28,128,28,128)", "forward", peers={"torch": peer(9.0)})
    near = cuda(
        "som.winners", "1000000x64 on 100x100", 4, peers={"torch": peer(3.0), "blas": peer(1.9)}
    )
    found = {g.name: (g.value, g.reached) for g in by(near, layers=[one, other])}
    assert found == {"som.winners": (1.9, False), "lstm.layer forward": (1.2, True)}


def outcome():
    groups = {
        "som": {"kernels": {"k": {"load_sectors": {"ncu": 10, "emulator": 12, "same": False}}}}
    }
    return {
        "made": "2026-01-01 10:00", "machine": MACHINE,
        "tests": {"status": "failed", "seconds": 3.0, "quick": {"passed": 7, "failed": 1}},
        "sanitizer": {
            "status": "failed", "seconds": 2.0,
            "runs": {"memcheck som": {"status": "passed"}, "racecheck som": {"status": "failed"}},
        },
        "counters": {
            "status": "done", "seconds": 1.0, "groups": groups,
            "outside": [{"kernel": "k", "counter": "load_sectors", "ncu": 10, "emulator": 12,
                         "off": 0.2, "why": None}],
        },
        "launches": {"status": "done", "seconds": 1.0, "calls": {"few, ours": {"median": 9e-6}}},
        "replay": {
            "status": "failed", "seconds": 1.0,
            "steps": {
                "mlp": {"status": "done", "noise": "none", "gain": 2.5, "eager": {"median": 1e-3},
                        "replay": {"median": 4e-4}},
                "vae": {"status": "refused", "why": "reads a number back"},
            },
        },
        "kernels": kernels(cuda("dropout.forward", "large, a vector", 2, **moved(0.88))),
    }  # fmt: skip


def test_the_page_says_all_of_it():
    text = page.markdown(outcome())
    for said in (
        "H0 (90, 132 multiprocessors, 80 GiB, 50 MiB of L2), driver 580.1, CUDA 13.0 of at most",
        "quick: 7 passed, 1 failed, 0 skipped",
        "1 of 2 clean; not: racecheck som",
        "0 of 1 counters as expected",
        "| few, ours | 9 µs |",
        "| mlp | none | 1 ms | 400 µs | 2.50 |",
        "| vae | reads a number back |",
        "| k | load_sectors | 10 | 12 | +20 % | not explained yet |",
        "| dropout.forward | large, a vector | v2 | 0.88 | 0.85 | of the copy",
        "**dropout.forward, large, a vector**",
    ):
        assert said in text, said
    for line in text.splitlines():
        assert "None" not in line, line


def test_a_part_alone_makes_a_page():
    text = page.markdown({k: outcome()[k] for k in ("made", "machine", "launches")})
    assert "few, ours" in text and "goal" not in text


def test_the_command_puts_it_between_the_markers(tmp_path, capsys):
    results, readme = tmp_path / "gpu.json", tmp_path / "page.md"
    readme.write_text("before\n<!-- gpu -->\nwhat was\n<!-- /gpu -->\nafter\n")
    command = ["--json", str(results), "--table", str(readme)]
    assert gpu.main(command) == 1 and "make gpu writes it" in capsys.readouterr().err
    results.write_text(json.dumps(outcome()))
    for _ in range(2):
        assert gpu.main(command) == 0
        text = readme.read_text()
        assert text.startswith("before\n<!-- gpu -->\nH0 (90") and "what was" not in text
        assert text.endswith("<!-- /gpu -->\nafter\n")
    readme.write_text("no markers")
    with pytest.raises(RunError, match="must have the markers"):
        page.render(outcome(), readme)
    assert gpu.main(command) == 1


def test_the_page_of_results_has_the_markers():
    from glassgrad.bench.gpu.process import ROOT

    text = (ROOT / "bench" / "results" / "README.md").read_text(encoding="utf-8")
    assert len(page.MARKED.findall(text)) == 1
