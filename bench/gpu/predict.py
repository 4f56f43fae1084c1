"""What the emulator says ncu will count, written down before: bench/results/predicted.json.

    python -m glassgrad.bench.gpu.predict

Counting takes the emulator a minute or two, time that a lent GPU should not wait for. What is
written counts as long as nothing that it depends on has changed: the kernels of the family with all
that they include, their launch geometry and their cases. Otherwise it is counted anew.
"""

import json
from pathlib import Path

from ...core.run import write_atomic
from ...kernels import OPERATIONS, backend
from ...kernels.cache import fingerprint
from ...kernels.emulator import Report, watching
from ...kernels.errors import BackendError
from ...kernels.source import Text
from . import every_kernel
from .process import ROOT

FILE = ROOT / "bench" / "results" / "predicted.json"
KERNELS = Path(__file__).resolve().parents[2] / "kernels"
GROUPS = ("textbook", *OPERATIONS)
COUNTERS = (
    "load_requests", "load_sectors", "store_requests", "store_sectors", "shared_load_waves",
    "shared_store_waves", "shared_load_conflicts", "shared_store_conflicts",
)  # fmt: skip


def edition(group: str) -> str:
    """A hash of all that the counters of a group depend on."""
    here = Path(__file__).parent
    if group == "textbook":
        sources, text = [here / "textbook.py"], here / "textbook.cu"
    else:
        folder = KERNELS / group
        # the geometry of lstm/ is gru's as well
        sources = [folder / "cuda.py", folder / "cases.py", KERNELS / "lstm" / "cuda.py"]
        text = folder / "cuda.cu"
    sources += [here / "every_kernel.py", KERNELS / "case.py"]
    return fingerprint(Text(text).flat.replace(str(KERNELS.parent), ""), *(
        path.read_bytes() for path in sources
    ))  # fmt: skip


def counters(group: str) -> tuple[dict[str, dict[str, int]] | str, str]:
    """(kernel -> counter -> value, or why there are none; made "before" or "now")."""
    stored = json.loads(FILE.read_text()) if FILE.exists() else {}
    found = stored.get(group, {})
    if found.get("edition") == edition(group):
        return found["kernels"], "before"
    return count(group), "now"


def count(group: str) -> dict[str, dict[str, int]] | str:
    """The emulator's counters of the launches that ncu will see, or why there are none."""
    what = ["--textbook"] if group == "textbook" else ["--op", group, "--largest"]
    try:
        with backend("emulated"), watching() as report:
            every_kernel.main([*what, "--backend", "emulated"])
    except BackendError as error:
        return str(error)
    return counted(report)


def counted(report: Report) -> dict[str, dict[str, int]]:
    """{kernel: {counter: value}} of an emulator's report."""
    found: dict[str, dict[str, int]] = {}
    for site in report.sites:
        if site.access == "atomic":  # ncu has other counters for them
            continue
        kernel = found.setdefault(site.kernel, dict.fromkeys(COUNTERS, 0))
        if site.space == "global":
            kernel[f"{site.access}_requests"] += site.requests
            kernel[f"{site.access}_sectors"] += site.units
        else:
            kernel[f"shared_{site.access}_waves"] += site.units
            kernel[f"shared_{site.access}_conflicts"] += site.units - site.ideal
    return found


def main() -> None:
    """Count every group that is not counted yet and write all of them."""
    found = {}
    for group in GROUPS:
        kernels, _ = counters(group)
        if isinstance(kernels, str):
            raise SystemExit(f"glassgrad: {kernels}")
        found[group] = {"edition": edition(group), "kernels": kernels}
    write_atomic(FILE, json.dumps(found, indent=1) + "\n")
    print(f"written: {FILE.name}, {sum(len(f['kernels']) for f in found.values())} kernels")


if __name__ == "__main__":
    main()
