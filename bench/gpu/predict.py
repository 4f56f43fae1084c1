"""The emulator's prediction of what ncu will count: bench/results/predicted.json.

    python -m glassgrad.bench.gpu.predict

Counting takes the emulator a minute or two, and a borrowed GPU should not wait for it. The file
stays valid as long as nothing that it depends on changes: the kernels of the family with everything
that they include, their launch geometry and their cases. Otherwise it is stale: on a GPU machine
nothing is compared with it, and this command counts again.
"""

import json
import linecache
from pathlib import Path

from ...core.regular import read_json
from ...core.training.run_folder import RunError, write_atomic
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
    "copy_requests", "copy_sectors", "copy_waves", "copy_conflicts",
)  # fmt: skip
COPY = "copy_async"  # a line with this is no load and no store: ncu counts it as LDGSTS


def edition(group: str) -> str:
    """A hash of all that the counters of a group depend on."""
    here = Path(__file__).parent
    if group == "textbook":
        sources, text = [here / "textbook.py"], here / "textbook.cu"
    else:
        folder = KERNELS / group
        own = (folder / name for name in ("cuda.py", "cases.py", "geometry.py"))
        shared = [KERNELS / "windows.py", KERNELS / "recurrent" / "launch.py"]
        sources = [*filter(Path.exists, own), *shared]
        text = folder / "cuda.cu"
    sources += [here / "every_kernel.py", KERNELS / "case.py"]
    names = " ".join(COUNTERS).encode()
    return fingerprint(
        Text(text).flat.replace(str(KERNELS.parent), ""),
        names,
        *(path.read_bytes() for path in sources),
    )


STALE = "stale: python -m glassgrad.bench.gpu.predict counts it again, without a GPU"


def predicted(group: str) -> tuple[dict[str, dict[str, int]] | str, str]:
    """(kernel -> counter -> value, or why there are none; "before" or "stale")."""
    found = _stored().get(group, {})
    if found.get("edition") == edition(group):
        return found["kernels"], "before"
    return STALE, "stale"


def _stored() -> dict:
    return read_json(FILE, RunError) if FILE.exists() else {}


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
    """{kernel: {counter: value}} of an emulator's report.

    An asynchronous copy from global to shared memory is one instruction (LDGSTS) with counters of
    its own: the emulator's load and store of its line are those.
    """
    found: dict[str, dict[str, int]] = {}
    for site in report.sites:
        if site.access == "atomic":  # ncu has other counters for them
            continue
        kernel = found.setdefault(site.kernel, dict.fromkeys(COUNTERS, 0))
        copied = COPY in linecache.getline(site.file, site.line)
        if site.space == "global":
            access = "copy" if copied else site.access
            kernel[f"{access}_requests"] += site.requests
            kernel[f"{access}_sectors"] += site.units
        else:
            access = "copy" if copied else f"shared_{site.access}"
            kernel[f"{access}_waves"] += site.units
            kernel[f"{access}_conflicts"] += site.units - site.ideal
    return found


def main() -> None:
    """Count every group that is not counted yet; what there is is written after each."""
    found = _stored()
    for group in GROUPS:
        kernels, when = predicted(group)
        if when == "stale":
            kernels, when = count(group), "now"
        if isinstance(kernels, str):
            raise SystemExit(f"glassgrad: {kernels}")
        found[group] = {"edition": edition(group), "kernels": kernels}
        write_atomic(FILE, json.dumps({g: found[g] for g in GROUPS if g in found}, indent=1) + "\n")
        print(f"{group}: {len(kernels)} kernels, counted {when}", flush=True)


if __name__ == "__main__":
    main()
