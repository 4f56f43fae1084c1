"""What ``glassgrad bench`` does; its arguments are declared in glassgrad/cli/bench.py."""

import math
from pathlib import Path

from ..core.machine import gpu
from ..core.terminal import console, count, say, table
from ..core.training.run_folder import expect_writable, make_folder
from ..core.usage import UsageError
from ..kernels import OPERATIONS, implementations, own
from ..kernels.errors import nearest
from ..kernels.numba_here import default_on_cpu
from ..kernels.registry import operations
from . import peers, suite, summary, tables, timing
from . import record as records
from .apart import Apart
from .session import Session
from .threads import allow_all

ONE_PROCESS = ("cuda", "emulated")  # backends whose contenders all run in one


def run(args) -> int:
    """Measure, or take stored results; write what was asked for; returns the exit code."""
    if args.names == ["scale"]:
        return _scale(args)
    if not 1 <= args.factor < math.inf:
        raise UsageError("--factor must be at least 1, and finite")
    if args.newer and (args.stored or args.list or args.version):
        raise UsageError("--newer says which versions run: it goes with no other such option")
    if args.add and not args.json:
        raise UsageError("--add needs --json FILE")
    filters = [args.names, args.backend, args.threads, args.version, args.case]
    measuring = [*filters, args.json, args.quick, args.peers is not None]
    if (args.stored or args.list) and (args.json or args.quick or (args.stored and any(measuring))):
        raise UsageError("--stored and --list measure nothing, and take no option that says how")
    if args.stored and not (args.table or args.figures or args.against):
        raise UsageError("--stored needs --table, --figures or --against")
    allow_all()  # before Numba is asked for, or a file imports it
    files = [name for name in args.names if own.is_reference(name)]
    args.names = [op for name in args.names for op in own.opened(name)]
    backend = args.backend or _default_backend(args.names)
    out = console()
    if args.list:
        plans = suite.select(args.names, backend, args.case, args.version, args.without)
        out.print(_list(plans))
        return 0
    old = records.read(args.against) if args.against else None
    for page in args.table:  # a page without markers fails now, not after ten minutes
        tables.expect_markers(Path(page))
    if args.figures:
        make_folder(Path(args.figures))
    found = records.read(args.stored) if args.stored else _measure(args, backend, out, files)
    for page in args.table:
        tables.render(found, Path(page))
        say(f"written: {page}")
    if args.figures:
        from . import figures

        for path in figures.write(found, Path(args.figures)):
            say(f"written: {path}")
    if old is None:
        return 0
    fallen, compared = records.fallen(found, old, args.factor)
    for line in fallen:
        out.print(line, style="red")
    out.print(f"{count(compared, 'row')} compared with {args.against}: {len(fallen)} fell")
    return 1 if fallen else 0


def _scale(args) -> int:
    from .scale import command

    taken = (args.list, args.backend, args.threads, args.version, args.case, args.stored,
             args.table, args.against, args.add, args.peers)  # fmt: skip
    if any(taken):
        raise UsageError("bench scale takes --quick, --json and --figures only")
    return command.run(args)


def _default_backend(names) -> str:
    """Numba without a GPU; the emulator, or the reference, where nothing named has such a version.

    That can only be with operations that are not ours.
    """
    if gpu()[0]:
        return "cuda"
    ops = [name.partition(".")[0] for name in names]
    if not ops or not {*ops} <= {*operations()[len(OPERATIONS) :]}:
        return default_on_cpu()
    has = {r.backend for op in ops for r in implementations(op)}
    return next(b for b in ("numba", "emulated", "reference") if b in has)


def _measure(args, backend: str, out, files=()):
    """Measure; print each table when it is complete, keep every row as soon as it is there."""
    wanted = peers.NAMES if args.peers is None else [p for p in args.peers if p != "none"]
    for name in wanted:
        if name not in peers.NAMES:
            raise UsageError(
                f"unknown peer {name!r}{nearest(name, peers.NAMES)}; --peers takes all names after"
                " it, so what is to be measured stands before"
            )
    if args.newer and backend not in ONE_PROCESS:
        raise UsageError("--newer is for the backends cuda and emulated")
    plans = suite.select(args.names, backend, args.case, args.version, args.without, args.newer)
    if args.json:
        expect_writable(args.json)
    how = backend, args.threads, timing.QUICK if args.quick else timing.FULL, args.version
    if backend in ONE_PROCESS:  # one process, so that nothing disturbs the events on the GPU
        names = {p.name for p in plans}
        able = [p for p in wanted if p in peers.MODULES and names & peers.module_of(p).JOBS]
        session = Session(*how, able)
    else:
        session = Apart(*how, wanted, plans, files)
    with session:
        return _measured(args, plans, session, out)


def _measured(args, plans, session, out):
    """The record of a run, printed and kept as it grows."""
    record = session.record()
    if args.add and Path(args.json).exists():
        record.keep(records.read(args.json))
    out.print(*tables.footer(record), "", sep="\n")
    pending: list[dict] = []
    measured: list[dict] = []
    kept, busy = record.notes, record.busy

    def keep():
        record.busy = max(
            (b for b in (busy, session.others.share()) if b is not None), default=None
        )
        record.notes = [*dict.fromkeys([*kept, *session.all_notes()])]
        if args.json:
            record.write(args.json)

    for _, rows in session.run(plans):
        if pending and tables.groups([pending[0]]).keys() != tables.groups(rows[:1]).keys():
            _show(out, pending)
            pending = []
        pending += rows
        measured += rows
        record.add(rows)
        keep()
    session.finish(record, measured)  # it may add a last note
    keep()
    _show(out, pending)
    for line in (*summary.means(record.rows), *summary.memory(record.rows)):
        out.print(line)
    notes = [f"Note: {note}." for note in session.all_notes()] + tables.warning(record)
    out.print(tables.compiling(record.rows), tables.LEGEND, *notes, sep="\n")
    return record


def _show(out, rows: list[dict]) -> None:
    for title, group in tables.groups(rows).items():
        names, peers = tables.columns(group), tables.peers_of(group)
        found = [tables.cells(r, peers) for r in group]
        # a terminal is narrow: it gets no column of dashes
        shown = [i for i in range(len(names)) if i < 2 or any(r[i] != "–" for r in found)]
        names, found = [names[i] for i in shown], [[r[i] for i in shown] for r in found]
        whole = tuple(n for n in names if n != "idea")
        out.print(table(found, *names, title=title, numbers=names[2:], whole=whole))
        out.print(*(f"– {line}" for line in tables.failures(group)), "", sep="\n")


def _list(plans):
    found: dict[str, list[str]] = {}
    for plan in plans:
        found.setdefault(plan.name, []).append(plan.case)
    return table(((name, "\n".join(cases)) for name, cases in found.items()), "name", "cases")
