"""ncu's counters beside the emulator's: requests, sectors, bytes, wavefronts in shared memory.

Both run the same launches (every_kernel.py --largest, float32) and are summed by kernel; what the
emulator says stands written before (predict.py). Bytes of loads and stores are sectors of 32. What
of them comes from DRAM is ncu's alone: the emulator has no caches and says nothing of it. Caches
are not flushed and clocks not held: neither counts here.

`outside` of the outcome lists every counter that is more than 2 % from ncu's, with the reason, once
it is known, from `EXPLAINED`.
"""

import csv
import tempfile
from pathlib import Path

from .predict import GROUPS, counters
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
MEMORY = {"dram_read": "dram__bytes_read.sum", "dram_written": "dram__bytes_write.sum"}
SECTOR = 32  # bytes
EXPLAINED: dict[tuple[str, str], str] = {}  # (kernel, counter) -> why the two differ
FORBIDDEN = "ERR_NVGPUCTRPERM"
WITHIN = 0.02  # of ncu's value, an emulator's counter counts as the same


def measure(limit: float, clock) -> dict:
    """The part "counters": textbook kernels first, then one family after the other."""
    path = tool("ncu")
    if path is None:
        return {"status": "skipped", "why": "ncu is not on PATH nor in CUDA's folders"}
    found, status = {}, "done"
    for group in GROUPS:
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
    return {"status": status, "tool": path, "outside": outside(found), "groups": found}


def _group(path: str, group: str, limit: float) -> dict:
    what = ["--textbook"] if group == "textbook" else ["--op", group, "--largest"]
    wanted = ",".join({**METRICS, **MEMORY}.values())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "ncu.csv"
        command = [
            path, "--csv", "--page", "raw", "--print-units", "base", "--log-file", str(log),
            "--cache-control", "none", "--clock-control", "none",
            "--kernel-name", f"regex:^{group}_", "--metrics", wanted,
            *python("-m", f"{__package__}.every_kernel", *what),
        ]  # fmt: skip
        done = run(command, limit)
        text = log.read_text(errors="replace") if log.exists() else ""
    if FORBIDDEN in text or FORBIDDEN in done.output:
        return {"status": "forbidden"}
    if done.code != 0:
        why = "out of time" if done.code is None else f"exit code {done.code}"
        return {"status": "failed", "why": why, "said": (text + done.output)[-1500:]}
    said, made = counters(group)
    return {"status": "done", "predicted": made, "kernels": compare(parse(text), said)}


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
        for name, metric in {**METRICS, **MEMORY}.items():
            value = (row.get(metric) or "").replace(",", "")
            if value.replace(".", "", 1).isdigit():
                kernel[name] = kernel.get(name, 0) + round(float(value))
    return found


def compare(measured: dict, emulated: dict | str) -> dict:
    """{kernel: {counter: {ncu, emulator, known, same}}} of the kernels that ncu saw.

    `same` is None where the emulator says nothing.
    """
    found = {}
    for kernel, values in measured.items():
        ours = with_bytes(emulated.get(kernel, {})) if isinstance(emulated, dict) else {}
        found[kernel] = {
            name: {
                "ncu": value, "emulator": ours.get(name), "known": KNOWN.get(kernel, {}).get(name),
                "same": abs(ours[name] - value) <= WITHIN * value if name in ours else None,
            }
            for name, value in with_bytes(values).items()
        }  # fmt: skip
    if isinstance(emulated, str):
        found["emulator"] = emulated
    return found


def with_bytes(values: dict[str, int]) -> dict[str, int]:
    """The counters, and the bytes that the sectors are.

    >>> with_bytes({"load_sectors": 4})
    {'load_sectors': 4, 'load_bytes': 128}
    """
    sectors = [k for k in ("load_sectors", "store_sectors") if k in values]
    return values | {k.replace("sectors", "bytes"): SECTOR * values[k] for k in sectors}


def outside(groups: dict) -> list[dict]:
    """Every counter that is not the emulator's, the furthest off first, with its reason or None."""
    found = [
        {
            "kernel": kernel, "counter": name, "ncu": c["ncu"], "emulator": c["emulator"],
            "off": (c["emulator"] - c["ncu"]) / max(c["ncu"], 1),
            "why": EXPLAINED.get((kernel, name)),
        }
        for group in groups.values()
        for kernel, counters in group.get("kernels", {}).items() if kernel != "emulator"
        for name, c in counters.items() if c["same"] is False
    ]  # fmt: skip
    return sorted(found, key=lambda one: -abs(one["off"]))
