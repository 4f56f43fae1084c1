"""Train a system; everything about the training goes into a folder of its own below --out.

  glassgrad train vae --data digits --set epochs=20 lr=2e-3
  glassgrad train som --data my.csv --label species
  glassgrad train rbm --data train.csv --read test=test.csv kind=binary
  glassgrad train my_model.py:MyModel --data digits
  glassgrad train --resume runs/vae-20250101-120000
  glassgrad train --resume runs/vae-20250101-120000 --set epochs=70

  glassgrad train lenet --ranks 4           four processes share out each minibatch
  mpiexec -n 4 glassgrad train lenet        the same; so does srun

A killed training goes on with --resume from its last checkpoint, bit for bit as if it had never
stopped; so does one that was stopped with Ctrl-C. Resuming a finished one draws its figures again;
with --set epochs=N it is trained for longer.
"""

import contextlib
from functools import partial

from ..kernels.errors import GlassgradError

COLUMNS = 10  # of a table, that are described before training
HELP = "train a system, or go on with --resume RUN"


def arguments(parser) -> None:
    """The system with its data, settings and device, or the run to resume."""
    import argparse

    from ..core.usage import positive
    from .common import data_arguments, device_arguments

    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="a system, as `list` names it, or FILE.py:CLASS"
    )
    data_arguments(parser)
    device_arguments(parser)
    parser.add_argument(
        "--ranks", metavar="N", type=positive, help="processes that share out each minibatch (1)"
    )
    parser.add_argument("--out", metavar="DIR", help="where run folders go (runs)")
    parser.add_argument(
        "--seeds", metavar="N", type=positive, default=1,
        help="train N times, with seeds from the setting on: the mean and its error",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true", help="what it would take: memory, seconds an epoch"
    )
    parser.add_argument("--resume", metavar="RUN", help="go on with this run folder")
    parser.add_argument("--quiet", action="store_true", help="only the result")
    parser.add_argument("--save-every", type=float, default=30.0, help=argparse.SUPPRESS)


def run(args) -> int:
    """Start a training, or go on with one, in this process or on several ranks."""
    from .. import launching
    from ..core.distributed import ranks
    from ..core.distributed.mpi import launched
    from ..core.distributed.ranks import speaker
    from ..core.usage import UsageError
    from . import said

    if args.resume is None and args.name is None:
        raise UsageError("train needs the NAME of a system (see glassgrad list), or --resume RUN")
    if args.ranks and args.ranks > 1 and not launched():
        return launching.launch(args.ranks, launching.without_ranks(args.argv))

    def report(error) -> int:
        code = said(error, speaker())
        launching.note("said")
        return code

    with ranks(report, _device(args)) as world:
        if args.ranks and args.ranks != world.size:
            raise UsageError(f"--ranks {args.ranks}: mpiexec has started {world.size} ranks")
        return _resumed(args) if args.resume is not None else _new(args)


def _device(args) -> str:
    """Where the arrays will be; what is wrong with a run folder is said later."""
    from .. import training
    from ..core.training.run_folder import Run

    if args.resume is None:
        return args.device or "cpu"
    with contextlib.suppress(GlassgradError):
        return training.read_configuration(Run.open(args.resume))["device"]
    return "cpu"


def _new(args) -> int:
    from .. import models
    from ..core.distributed import current
    from .common import overrides, source

    recipe, changes = models.recipe(args.name), overrides(args.sets)
    if args.dry_run:
        return _dry(args, recipe, changes)
    options = {
        "out": args.out or "runs", "data": source(args, recipe), "device": args.device or "cpu",
        "backend": args.backend,
    }  # fmt: skip
    if args.seeds == 1:
        _train(args, recipe, overrides=changes, **options)
        return 0
    first = recipe.settings().changed(**{k: v for k, v in changes.items() if k == "seed"}).seed
    seeds = range(first, first + args.seeds)
    found = []
    for k in seeds:
        found.append(_train(args, recipe, overrides=changes | {"seed": k}, **options))
        current().finish()  # rank 0 draws its pictures, and patience is for steps
    _means(recipe, seeds, found)
    return 0


def _resumed(args) -> int:
    from .. import models, training
    from ..core.distributed import current
    from ..core.terminal import say
    from ..core.training.agreement import expect_shards
    from ..core.training.run_folder import Run
    from ..core.usage import UsageError
    from ..lengthening import lengthen, longer, rates_differ
    from ..sources import source_of
    from .common import overrides

    asked = {"--data": args.data, "--label": args.label, "--read": args.read or None,
             "--backend": args.backend, "--device": args.device, "--out": args.out,
             "--dry-run": args.dry_run or None,
             "--seeds": None if args.seeds == 1 else args.seeds}  # fmt: skip
    for option, value in asked.items():
        if value is not None:
            raise UsageError(f"--resume takes everything from its run folder; leave out {option}")
    changes = overrides(args.sets)
    if set(changes) - {"epochs"}:
        raise UsageError(
            "--resume goes on with the settings of its run folder; --set may give more epochs only"
        )
    run, world = Run.open(args.resume), current()

    def by_first(find):  # one rank reads and writes, and tells the others
        return world.gather(find() if world.is_first else None)[0]

    with run.hold() if world.is_first else contextlib.nullcontext():
        config = by_first(lambda: training.read_configuration(run))
        expect_shards(config["settings"].get("shards", 1), world)  # before anything is changed
        source = source_of(config, run.folder, args.data_dir)
        if source.in_memory:
            raise UsageError(
                f"{args.resume} was trained on data in memory ({source.name!r:.60}): go on from"
                " Python, training.train(recipe, data, run=Run.open(folder), resume=True)"
            )
        recipe = training.recipe_of(config, run)
        if args.name is not None and models.recipe(args.name).reference != recipe.reference:
            raise UsageError(f"{args.resume} is a run of {config['recipe']}, not of {args.name}")
        begin = None
        if changes:
            before = config["settings"]
            config = by_first(lambda: longer(run, changes["epochs"]))
            after = config["settings"]["epochs"]
            begin = partial(by_first, partial(lengthen, run, after))
            if rates_differ(before.get("schedule", "constant"), before["epochs"], after):
                say(
                    f"the schedule {before['schedule']} depends on the number of epochs: this is"
                    f" not what {after} epochs at once give"
                )
        resume = by_first(run.has_checkpoint)
        if not resume:
            print("no checkpoint was written yet: starting from the beginning")
        _train(
            args, recipe, run=run, resume=resume,
            data=source, device=config["device"],
            backend=config["backend"], overrides=training.recorded_settings(recipe, config),
            begin=begin,
        )  # fmt: skip
    return 0


def _train(args, recipe, begin=None, **options) -> dict[str, float]:
    """Train, report, and return the figures on held-out data.

    begin() is called once the data are there, and those of the run.
    """
    from .. import training
    from ..core.training.loop import Silent
    from ..progress import Live

    def on_data(source, data):
        if begin is not None:
            begin()
        if not args.quiet:
            _understood(source, data)

    progress = Silent() if args.quiet else Live()
    trained, result = training.train_and_write(
        recipe, progress=progress, save_every=args.save_every, on_data=on_data, **options
    )
    if result:  # not on ranks that write nothing
        _report(recipe, trained, result)
    return trained.test_figures


def _dry(args, recipe, changes) -> int:
    """Print what the training would take."""
    from ..core.terminal import amount, console, count, seconds, table
    from ..dry_run import estimate
    from .common import source

    data = source(args, recipe)
    found = estimate(recipe, data, args.device or "cpu", args.backend, changes)
    rows = [
        ("parameters", f"{found.parameters:,}"),
        ("weights and optimiser", f"{amount(found.state)}B"),
        ("a step needs in addition", f"{amount(found.step)}B"),
        ("a step", f"{1000 * found.seconds:.3g} ms"),
        ("an epoch", f"{seconds(found.epoch)}, {found.steps:,} steps, without validation"),
        (count(found.epochs, "epoch"), seconds(found.epochs * found.epoch)),
    ]
    title = f"{recipe.name} on {data.name}, by a few steps of training"
    console().print(table(rows, "what", "about", title=title))
    return 0


def _means(recipe, seeds, found: list[dict[str, float]]) -> None:
    """Print the mean of each figure over the seeds, with its standard error."""
    from ..core.terminal import console, number, table
    from ..core.training.recipe import mean_and_error

    rows = []
    for name in found[0]:
        mean, error = mean_and_error([figures[name] for figures in found])
        rows.append((name, number(mean), number(error)))
    title = f"{recipe.name}, seeds {seeds[0]} to {seeds[-1]}"
    columns = ("figure", "mean", "standard error")
    console().print(table(rows, *columns, numbers=columns[1:], title=title))


def _understood(source, data) -> None:
    """Print what a file or folder was taken for: the last chance to see a wrong guess."""
    from ..core.data import kind_of
    from ..core.terminal import console
    from .common import shortened

    if source.is_path:
        lines = (f"{source.name} is of the kind {kind_of(data)!r}", *data.info.understood)
        console().print(*shortened(lines, COLUMNS + 5), sep="\n")


def _report(recipe, trained, result) -> None:
    from ..core.terminal import console, count, good, number, say, seconds, table
    from ..models.common.figure_words import meaning

    out = console()
    rows = [(k, number(v), meaning(k, recipe.name)) for k, v in result["test"].items()]
    took = f"{count(result['epochs'], 'epoch')}, {seconds(result['seconds'])}"
    where = f"{trained.data_name}, {result['split']} split, seed {trained.settings.seed}"
    title = f"{recipe.name} on {where} ({took})"
    out.print(table(rows, "figure", "value", "", numbers=("value",), title=title))
    if result["targets"]:
        rows = [
            (t["name"], t["published"], ("≤ " if t["better"] == "lower" else "≥ ") +
             number(t["bound"]), number(t["ours"]), good(t["reached"]))
            for t in result["targets"]
        ]  # fmt: skip
        out.print(table(rows, "target", "published", "bound", "ours", "reached"))
    say(f"written: {trained.run.folder}")
