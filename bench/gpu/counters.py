"""ncu's counters next to the emulator's: requests, sectors, bytes, wavefronts in shared memory.

Both run the same launches (every_kernel.py --largest, float32) and are summed by kernel; the
emulator's counts are written beforehand (predict.py). Bytes of loads and stores are sectors of 32.
Only ncu says how much of them comes from DRAM, since the emulator has no caches. Caches are not
flushed and clocks not fixed: neither matters for these counters.

The hardware counts three things separately, and so does the comparison:

    asynchronous copies    cp.async is one instruction, LDGSTS: its requests and sectors are not
                           among the loads, its wavefronts not among the stores
    polls                  a block that waits in `grid_barrier` reads the counter until all have
                           come: at least as many loads as the emulator's, which polls nothing
    arbitration            l1tex's wavefronts and conflicts include cycles lost to other traffic:
                           at least the emulator's. What one instruction alone causes is counted
                           by instrumented code (smsp__sass_...), and must be equal

`outside` in the outcome lists every counter that is more than 2 % from what is expected, with the
reason from `EXPLAINED` once it is known.
"""

import csv
import re
import tempfile
from pathlib import Path

from ...kernels.source import Text
from .predict import GROUPS, KERNELS, predicted
from .process import python, run, tool
from .textbook import KNOWN

# ours -> ncu's
METRICS = {
    "load_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum",
    "load_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum",
    "store_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_st.sum",
    "store_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum",
    "copy_requests": "l1tex__t_requests_pipe_lsu_mem_global_op_ldgsts.sum",
    "copy_sectors": "l1tex__t_sectors_pipe_lsu_mem_global_op_ldgsts.sum",
    "shared_load_waves": "smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",
    "shared_store_waves": "smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_st.sum",
    "copy_waves": "smsp__sass_l1tex_data_pipe_lsu_wavefronts_mem_shared_op_ldgsts.sum",
    "shared_load_conflicts": "smsp__sass_l1tex_data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
    "shared_store_conflicts": "smsp__sass_l1tex_data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
    "copy_conflicts": "smsp__sass_l1tex_data_bank_conflicts_pipe_lsu_mem_shared_op_ldgsts.sum",
}
ARBITRATED = {  # the same with the cycles lost to other traffic: ours is the least
    "shared_load_waves": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum",
    "shared_store_waves": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum",
    "copy_waves": "l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ldgsts.sum",
    "shared_load_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum",
    "shared_store_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum",
    "copy_conflicts": "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ldgsts.sum",
}
WITH_TRAFFIC = {f"{name} with arbitration": metric for name, metric in ARBITRATED.items()}
MEMORY = {"dram_read": "dram__bytes_read.sum", "dram_written": "dram__bytes_write.sum"}
ALL = {**METRICS, **WITH_TRAFFIC, **MEMORY}
POLLED = ("load_requests", "load_sectors", "load_bytes")  # that a wait for other blocks adds to
SECTOR = 32  # bytes
EXPLAINED: dict[tuple[str, str], str] = {}  # (kernel, counter) -> why the two differ
FORBIDDEN = "ERR_NVGPUCTRPERM"
WITHIN = 0.02  # share of ncu's value within which the emulator's counter is the same


def measure(groups=GROUPS):
    """The part that counts, one family after the other."""

    def part(limit: float, clock) -> dict:
        path = tool("ncu")
        if path is None:
            return {"status": "skipped", "why": "ncu is not on PATH nor in CUDA's folders"}
        metrics, unknown = known_to(path, min(limit / 3, 30))
        found, status = {}, "done"
        for group in groups:
            left = limit - clock()
            if left < 5:
                found[group] = {"status": "not run: out of time"}
                status = "incomplete"
                continue
            found[group] = _group(path, group, left, metrics)
            if found[group]["status"] == "forbidden":
                why = "the driver lets only administrators read counters"
                return {"status": "forbidden", "why": why, "groups": found}
            if found[group]["status"] != "done":
                status = "incomplete"
        return {
            "status": status,
            "tool": path,
            "unknown": unknown,
            "outside": outside(found),
            "groups": found,
        }

    return part


def known_to(path: str, limit: float) -> tuple[dict[str, str], list[str]]:
    """Our counters with a metric that this ncu has, and those without: one it does not know would
    end its run. All, where it does not list any.
    """
    listed = set(re.findall(r"^(\w+__\w+)", run([path, "--query-metrics"], limit).output, re.M))
    there = {k: m for k, m in ALL.items() if not listed or m.removesuffix(".sum") in listed}
    return there, sorted(set(ALL) - set(there))


def _group(path: str, group: str, limit: float, metrics: dict[str, str]) -> dict:
    what = ["--textbook"] if group == "textbook" else ["--op", group, "--largest"]
    wanted = ",".join(metrics.values())
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
        failed = {"status": "failed", "why": why, "said": (text + done.output)[-1500:]}
        return failed | ({"csv": text} if done.code is None and text else {})
    said, made = predicted(group)
    return {
        "status": "stale" if made == "stale" else "done",
        "predicted": made,
        "kernels": compare(parse(text), said, waiting(group)),
    }


def waiting(group: str) -> set[str]:
    """The kernels of a family whose blocks wait for each other: they are given a counter."""
    if group == "textbook":
        return set()
    return {
        name
        for name, signature in Text(KERNELS / group / "cuda.cu").signatures.items()
        if any(p.pointer and p.name == "counter" for p in signature.parameters)
    }


def parse(text: str) -> dict[str, dict[str, int]]:
    """{kernel: {counter: sum over its launches}} from the CSV of ``ncu --csv --page raw``.

    >>> text = '==PROF== noise\\n"ID","Kernel Name","' + METRICS["load_sectors"] + '"\\n'
    >>> text += '"","","sector"\\n"0","k","1,024"\\n"1","k","6"\\n'
    >>> parse(text)
    {'k': {'load_sectors': 1030}}
    """
    lines = [line for line in text.splitlines() if not line.startswith("==")]  # ncu's own words
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        return {}
    found: dict[str, dict[str, int]] = {}
    for row in csv.DictReader(lines[start:]):
        if not row["ID"] or row["Kernel Name"] is None:  # the row of units, or one that is cut off
            continue
        kernel = found.setdefault(row["Kernel Name"].partition("(")[0], {})
        for name, metric in ALL.items():
            value = (row.get(metric) or "").replace(",", "")
            if value.replace(".", "", 1).isdigit():
                kernel[name] = kernel.get(name, 0) + round(float(value))
    return found


def compare(measured: dict, emulated: dict | str, waits=()) -> dict:
    """{kernel: {counter: {ncu, emulator, known, same, expected}}} of the kernels that ncu saw.

    `same` is None where the emulator says nothing, `expected` "equal" or "at least", with the
    reason. `waits` are the kernels whose blocks poll.
    """
    found = {}
    for kernel, values in measured.items():
        ours = with_bytes(emulated.get(kernel, {})) if isinstance(emulated, dict) else {}
        ours |= {
            k: ours[k.removesuffix(" with arbitration")]
            for k in WITH_TRAFFIC
            if k.removesuffix(" with arbitration") in ours
        }
        found[kernel] = {
            name: {
                "ncu": value,
                "emulator": ours.get(name),
                "known": KNOWN.get(kernel, {}).get(name),
                **_judged(value, ours.get(name), _why_more(kernel, name, waits)),
            }
            for name, value in with_bytes(values).items()
        }
    if isinstance(emulated, str):
        found["emulator"] = emulated
    return found


def _why_more(kernel: str, name: str, waits) -> str:
    """Why the hardware may count more than the emulator; empty where it may not."""
    if name in WITH_TRAFFIC:
        return "cycles lost to other traffic"
    return "polls of the grid barrier" if kernel in waits and name in POLLED else ""


def _judged(value: int, ours: int | None, why_more: str) -> dict:
    if ours is None:
        return {"same": None, "expected": None}
    more = value >= ours and bool(why_more)
    expected = f"at least: {why_more}" if why_more else "equal"
    return {"same": more or abs(ours - value) <= WITHIN * value, "expected": expected}


def with_bytes(values: dict[str, int]) -> dict[str, int]:
    """The counters, and the bytes that the sectors are.

    >>> with_bytes({"load_sectors": 4})
    {'load_sectors': 4, 'load_bytes': 128}
    """
    sectors = [k for k in ("load_sectors", "store_sectors", "copy_sectors") if k in values]
    return values | {k.replace("sectors", "bytes"): SECTOR * values[k] for k in sectors}


def outside(groups: dict) -> list[dict]:
    """Every counter that is not the emulator's, the furthest off first, with its reason or None."""
    found = [
        {
            "kernel": kernel,
            "counter": name,
            "ncu": c["ncu"],
            "emulator": c["emulator"],
            "off": (c["emulator"] - c["ncu"]) / max(c["ncu"], 1),
            "why": EXPLAINED.get((kernel, name)),
        }
        for group in groups.values()
        for kernel, counters in group.get("kernels", {}).items()
        if kernel != "emulator"
        for name, c in counters.items()
        if c["same"] is False
    ]
    return sorted(found, key=lambda one: -abs(one["off"]))
