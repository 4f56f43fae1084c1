"""ncu's counters beside the emulator's: sectors a request, wavefronts in shared memory.

Both run the same launches (every_kernel.py --largest, float32) and are summed by kernel. Caches are
not flushed and clocks not held: neither counts here.
"""

import csv
import tempfile
from pathlib import Path

from ...kernels import OPERATIONS, backend
from ...kernels.emulator import Report, watching
from ...kernels.errors import BackendError
from .process import python, run, tool
from .textbook import KNOWN

# ours -> ncu's
METRICS = {
    "load_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum",
    "load_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum",
    "store_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_st.sum",
    "store_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum",
    "shared_load_waves": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",
    "shared_store_waves": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum",
    "shared_load_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
    "shared_store_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
}
FORBIDDEN = "ERR_NVGPUCTRPERM"
WITHIN = 0.02  # of ncu's value, an emulator's counter counts as the same


def measure(limit: float, clock) -> dict:
    """The part "counters": textbook kernels first, then one family after the other."""
    path = tool("ncu")
    if path is None:
        return {"status": "skipped", "why": "ncu is not on PATH nor in CUDA's folders"}
    found, status = {}, "done"
    for group in ("textbook", *OPERATIONS):
        left = limit - clock()
        if left < 10:
            found[group] = {"status": "not run: out of time"}
            status = "incomplete"
            continue
        found[group] = _group(path, group, left)
        if found[group]["status"] == "forbidden":
            why = "the driver lets only administrators read counters"
            return {"status": "forbidden", "why": why, "groups": found}
        if found[group]["status"] != "done":
            status = "incomplete"
    return {"status": status, "tool": path, "groups": found}


def _group(path: str, group: str, limit: float) -> dict:
    what = ["--textbook"] if group == "textbook" else ["--op", group, "--largest"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "ncu.csv"
        command = [
            path, "--csv", "--page", "raw", "--print-units", "base", "--log-file", str(log),
            "--cache-control", "none", "--clock-control", "none",
            "--kernel-name", f"regex:^{group}_", "--metrics", ",".join(METRICS.values()),
            *python("-m", f"{__package__}.every_kernel", *what),
        ]  # fmt: skip
        done = run(command, limit)
        text = log.read_text(errors="replace") if log.exists() else ""
    if FORBIDDEN in text or FORBIDDEN in done.output:
        return {"status": "forbidden"}
    if done.code != 0:
        why = "out of time" if done.code is None else f"exit code {done.code}"
        return {"status": "failed", "why": why, "said": (text + done.output)[-1500:]}
    return {"status": "done", "kernels": compare(parse(text), emulated(group))}


def parse(text: str) -> dict[str, dict[str, int]]:
    """{kernel: {counter: sum over its launches}} from the CSV of ``ncu --csv --page raw``.

    >>> text = '==PROF== noise\\n"ID","Kernel Name","' + METRICS["load_sectors"] + '"\\n'
    >>> text += '"","","sector"\\n"0","k","1,024"\\n"1","k","6"\\n'
    >>> parse(text)
    {'k': {'load_sectors': 1030}}
    """
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        return {}
    found: dict[str, dict[str, int]] = {}
    for row in csv.DictReader(lines[start:]):
        if not row["ID"]:  # the row of units
            continue
        kernel = found.setdefault(row["Kernel Name"].partition("(")[0], {})
        for name, metric in METRICS.items():
            value = (row.get(metric) or "").replace(",", "")
            if value.replace(".", "", 1).isdigit():
                kernel[name] = kernel.get(name, 0) + round(float(value))
    return found


def emulated(group: str) -> dict[str, dict[str, int]] | str:
    """The emulator's counters of the same launches, or why there are none."""
    from . import every_kernel

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
        kernel = found.setdefault(site.kernel, dict.fromkeys(METRICS, 0))
        if site.space == "global":
            kernel[f"{site.access}_requests"] += site.requests
            kernel[f"{site.access}_sectors"] += site.units
        else:
            kernel[f"shared_{site.access}_waves"] += site.units
            kernel[f"shared_{site.access}_conflicts"] += site.units - site.ideal
    return found


def compare(measured: dict, emulated: dict | str) -> dict:
    """{kernel: {counter: {ncu, emulator, known, same}}} of the kernels that ncu saw."""
    found = {}
    for kernel, counters in measured.items():
        ours = emulated.get(kernel, {}) if isinstance(emulated, dict) else {}
        found[kernel] = {
            name: {
                "ncu": value, "emulator": ours.get(name), "known": KNOWN.get(kernel, {}).get(name),
                "same": abs(ours[name] - value) <= WITHIN * value if name in ours else None,
            }
            for name, value in counters.items()
        }  # fmt: skip
    if isinstance(emulated, str):
        found["emulator"] = emulated
    return found
