"""Draw samples from a trained system and write them as a picture; texts are printed, too.

glassgrad sample runs/vae-20250101-120000 -n 64 --seed 1

What a system of texts makes up is also written next to the picture, in sample.txt; a tune in
sample.wav and sample.mid.
"""

from pathlib import Path

HELP = "samples from a trained system, as a picture"


def arguments(parser) -> None:
    """Which run, how many samples, and where the picture goes."""
    from ..core.usage import positive

    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument(
        "-n",
        type=positive,
        default=64,
        help="how many (64): examples; of a text, symbols; of a roll, steps",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="FILE.png", help="by default sample.png in the run folder")
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")


def run(args) -> int:
    """Load the run, draw samples, write the picture and print its path."""
    from .. import models, training
    from ..core import Generator
    from ..core.terminal import say
    from ..core.training.run_folder import Run, png, write_atomic
    from ..kernels.errors import GlassgradError
    from .common import expect_ending

    out = Path(args.out) if args.out else None
    if out:
        expect_ending(args.out, ".png")
    run = Run.open(args.run)
    recipe = training.recipe_of(training.read_configuration(run), run)
    if recipe.sample is None:
        able = [n for n in models.names() if models.recipe(n).sample]
        raise GlassgradError(
            f"{recipe.name} cannot generate: it has no distribution to draw from (systems that"
            f" can: {', '.join(able)})"
        )
    recipe, trained = training.load(run.folder, args.data_dir)
    data = training.shown(trained.data)
    figure = recipe.sample(trained.system, data, args.n, Generator(args.seed))
    text = figure.get_label()  # of a page of text: what is on it
    others = {}
    if recipe.sample_files is not None:
        others = recipe.sample_files(trained.system, data, args.n, Generator(args.seed))
    inside = run if out is None else Run(out.parent)
    stem, written = "sample" if out is None else out.stem, []
    if inside.has("config.json"):  # follow no link out of any run folder
        written.append(inside.write_figure(stem, figure))
        written += [inside.write_text(stem, text)] if text else []
        written += [inside.write_bytes(stem + ending, found) for ending, found in others.items()]
    else:
        write_atomic(out, png(figure))
        written.append(out)
        if text:
            write_atomic(out.with_suffix(".txt"), text)
            written.append(out.with_suffix(".txt"))
        for ending, found in others.items():
            write_atomic(out.with_suffix(ending), found)
            written.append(out.with_suffix(ending))
    for line in text.split("\n") if text else ():
        say(line)
    for path in written:
        say(f"written: {path}")
    return 0
