"""What instrumented launches saw: findings with source lines, and the counters of every line."""

import contextlib
import functools
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..debug import UNWRITTEN
from ..errors import BackendError
from . import shown

_state = threading.local()
OURS = ("device.cuh", "cuda.h")
WARP, SECTOR = 32, 32  # lanes, bytes
COUNTERS = ("requests", "lanes", "bytes", "units", "ideal")


@dataclass(frozen=True)
class Finding:
    """Something wrong: its kind, kernel and place, and what happened the first of `count` times."""

    kind: str
    kernel: str
    file: str
    line: int
    message: str
    count: int

    def __str__(self):
        where = f"{Path(self.file).name}:{self.line}: " if self.line else ""
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.kernel}: {where}{self.kind}: {self.message}{times}"


@dataclass
class Site:
    """One load or store of the source, as warps issued it.

    `space` is "global" or "shared", `access` is "load", "store" or "atomic"; `requests` counts
    warps that issued it, `lanes` the threads that took part, `bytes` what they asked for. `units`
    are sectors of 32 bytes in global memory, wavefronts (cycles) in shared memory; `ideal` is the
    least that the bytes need. `ways` is the worst bank conflict. `sample` are the first warp's 32
    addresses, in bytes from the start of `array`, None where a lane took no part. `at` tells the
    instructions of one line apart.
    """

    kernel: str
    file: str
    line: int
    space: str
    access: str
    size: int
    requests: int = 0
    lanes: int = 0
    bytes: int = 0
    units: int = 0
    ideal: int = 0
    ways: int = 0
    array: str = ""
    at: int = 0
    sample: list = field(default_factory=list)

    @property
    def per_request(self) -> float:
        """Sectors (global) or wavefronts (shared) of one request, on average."""
        return self.units / self.requests if self.requests else 0.0

    @property
    def active(self) -> float:
        """The part of the warps' lanes that took part: less than 1 where threads diverge."""
        return self.lanes / (WARP * self.requests) if self.requests else 0.0

    def add(self, other: "Site | dict") -> None:
        """Add another's counters to these."""
        values = other if isinstance(other, dict) else vars(other)
        for name in COUNTERS:
            setattr(self, name, getattr(self, name) + values[name])
        self.ways = max(self.ways, values["ways"])


@dataclass(repr=False)
class Report:
    """All that was seen inside one `watching`: `findings`, and `sites` in order of kernel and line.

    Printed, and in a notebook, it lists both.
    """

    findings: list[Finding] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    launches: list[dict] = field(default_factory=list)
    unwritten: list[tuple] = field(default_factory=list)

    def __repr__(self) -> str:
        return shown.as_text(self)

    def _repr_html_(self) -> str:
        return shown.as_html(self)

    def add(self, library, kernel, grid, block, names, answer) -> None:
        """Take in what one launch answered."""
        for finding in findings(library, kernel, names, answer):
            if finding not in self.findings:
                self.findings.append(finding)
        lines = _lines(str(library), answer["base"], {s["address"] for s in answer["sites"]})
        self.launches.append({"kernel": kernel, "grid": grid, "block": block})
        for s in answer["sites"]:
            if not s["requests"]:  # given up before its warp had met
                continue
            file, line = lines.get(s["address"], ("", 0))
            self._add_site(kernel, file, line, names, s["address"] - answer["base"], s)

    def suspect(self, kernel: str, outputs: list[tuple]) -> None:
        """Remember which of a launch's (name, array) hold nothing: a later launch may fill them."""
        known = {id(array) for *_, array in self.unwritten}
        self.unwritten += [
            (kernel, n, a) for n, a in outputs if _holds_nothing(a) and id(a) not in known
        ]

    def close(self) -> None:
        """Outputs that hold nothing to the end become findings."""
        said = "no thread stores anything into {}, which holds nothing yet"
        for kernel, name, array in self.unwritten:
            if _holds_nothing(array):
                self.findings.append(Finding("writes nothing", kernel, "", 0, said.format(name), 1))
        self.unwritten = []

    def _add_site(self, kernel, file, line, names, at, s) -> None:
        space, array = ("shared", "") if s["array"] < 0 else ("global", names[s["array"]])
        wanted = (kernel, at, space, s["access"], s["size"], array)
        for site in self.sites:
            if (site.kernel, site.at, site.space, site.access, site.size, site.array) == wanted:
                break
        else:
            site = Site(kernel, file, line, space, s["access"], s["size"], array=array, at=at)
            site.sample = [None if a < 0 else a for a in s["sample"]]
            self.sites.append(site)
            self.sites.sort(key=lambda site: (site.kernel, site.file, site.line, site.at))
        site.add(s)

    def lines(self) -> list[Site]:
        """The sites with the instructions of one source line added up, in order of the source.

        Loads, stores and atomics, memory spaces, arrays and sizes stay apart; the sample is that of
        the instruction with the most units a request.
        """
        found: dict[tuple, Site] = {}
        worst: dict[tuple, float] = {}
        for s in self.sites:
            key = s.kernel, s.file, s.line, s.space, s.access, s.size, s.array
            if key not in found:
                found[key] = Site(*key[:6], array=s.array, at=s.at)
            found[key].add(s)
            if s.per_request > worst.get(key, 0.0):
                worst[key], found[key].sample = s.per_request, s.sample
        return list(found.values())

    def total(self, name: str, space: str, access: str | None = None) -> int:
        """The sum of one counter over the sites of a space, by default of every kind of access."""
        wanted = [s for s in self.sites if s.space == space and access in (None, s.access)]
        return sum(getattr(s, name) for s in wanted)

    @property
    def traffic(self) -> int:
        """Bytes between the chip and its memory, in whole sectors, caches left out."""
        return SECTOR * self.total("units", "global")

    def per_request(self, space: str, access: str | None = None) -> tuple[float, float]:
        """Sectors (global) or wavefronts (shared) of one request of a warp, on average, and the
        least that its bytes need.
        """
        requests = self.total("requests", space, access) or 1
        units, least = (self.total(n, space, access) for n in ("units", "ideal"))
        return units / requests, least / requests

    @property
    def ways(self) -> int:
        """The worst bank conflict: how many words of one bank are wanted at once; 1 is none."""
        return max((s.ways for s in self.sites), default=0)

    @property
    def active(self) -> float:
        """The part of the lanes that took part in loads and stores."""
        requests = sum(s.requests for s in self.sites)
        return sum(s.lanes for s in self.sites) / (WARP * requests) if requests else 0.0


def _holds_nothing(array) -> bool:
    """Is every word of it what `launcher.empty` poisons arrays with?"""
    if not array.size or array.nbytes % 4:
        return False
    words = array.reshape(-1).view("uint32")
    return bool(words[0] == UNWRITTEN and (words == UNWRITTEN).all())


@contextlib.contextmanager
def watching() -> Iterator[Report]:
    """Run every emulated launch of this thread instrumented; gives the Report that they fill.

    What no launch has written by the end of the block is found then.
    """
    before = getattr(_state, "report", None)
    _state.report = Report()
    try:
        yield _state.report
        _state.report.close()
    finally:
        _state.report = before


def current() -> Report | None:
    """The report of the innermost `watching` of this thread."""
    return getattr(_state, "report", None)


def findings(library, kernel: str, names: list[str], answer: dict) -> list[Finding]:
    """What a launch of a kernel found, return addresses in the library replaced by source lines,
    numbers of arrays by their `names`.
    """
    for found in answer["findings"]:
        found["message"] = re.sub(r"#(\d+)#", lambda m: names[int(m[1])], found["message"])
    spoken = re.compile(r"@(\d+)@")
    addresses = {f["address"] for f in answer["findings"]} - {0}
    for f in answer["findings"]:
        addresses |= {int(a) for a in spoken.findall(f["message"])}
    try:
        lines = _lines(str(library), answer["base"], addresses)
    except BackendError as error:  # better without lines than not at all
        lines, why = {}, f" ({error})"
    else:
        why = ""
    found = []
    for f in answer["findings"]:
        file, line = lines.get(f["address"], (f["file"], f["line"]))
        message = spoken.sub(lambda m: f"line {lines.get(int(m[1]), ('', '?'))[1]}", f["message"])
        found.append(Finding(f["kind"], kernel, file, line, message + why, f["count"]))
    return found


_known: dict[tuple[str, int], tuple[str, int]] = {}


def _lines(library: str, base: int, addresses: set[int]) -> dict[int, tuple[str, int]]:
    """(file, line) of every return address, of the innermost line that is no wrapper of ours."""
    offsets = {a: a - base - 1 for a in addresses}  # the call itself, not what follows it
    new = [o for o in offsets.values() if o > 0 and (library, o) not in _known]
    if new:
        command = [_symboliser(), "-e", library, "-i", "-a", *map(hex, new)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BackendError(f"{_symboliser()} cannot read {library}: {done.stderr.strip()}")
        for part in re.split(r"^(?=0x[0-9a-f]+$)", done.stdout, flags=re.MULTILINE):
            head, *frames = part.splitlines() or [""]
            places = [re.match(r"([^?].*):(\d+)", frame) for frame in frames]
            places = [(m[1], int(m[2])) for m in places if m]
            own = [p for p in places if not p[0].endswith(OURS)] or places
            if own:
                _known[library, int(head, 16)] = own[0]
    return {a: _known.get((library, o), ("", 0)) for a, o in offsets.items()}


@functools.cache
def _symboliser() -> str:
    for name in ("addr2line", "llvm-addr2line"):
        if shutil.which(name):
            return name
    raise BackendError(
        "source lines need addr2line: install binutils (Debian: apt install binutils)"
    )
