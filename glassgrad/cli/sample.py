"""Draw samples from a trained system and write them as a picture.

glassgrad sample runs/vae-20250101-120000 -n 64 --seed 1
"""

from pathlib import Path

HELP = "samples from a trained system, as a picture"


def arguments(parser) -> None:
    from .common import positive

    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("-n", type=positive, default=64, help="how many (64)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="FILE.png", help="by default sample.png in the run folder")
    parser.add_argument("--data-dir", metavar="DIR", help="a folder to look for data in first")


def run(args) -> int:
    from .. import models, training
    from ..core import Generator
    from ..core.run import Run
    from ..kernels.errors import GlassgradError
    from .output import say

    out = Path(args.out) if args.out else Path(args.run) / "sample.png"
    if out.suffix.lower() != ".png":
        raise GlassgradError(f"sample: the picture is a PNG; --out must end in .png, got {out}")
    recipe = models.recipe(training.read_configuration(Run.open(args.run))["recipe"])
    if recipe.sample is None:
        able = [n for n in models.names() if models.recipe(n).sample]
        raise GlassgradError(
            f"{recipe.name} cannot generate: it has no distribution to draw from (systems that"
            f" can: {', '.join(able)})"
        )
    recipe, trained = training.load(args.run, args.data_dir)
    figure = recipe.sample(trained.system, trained.data, args.n, Generator(args.seed))
    say(f"written: {Run(out.parent).write_figure(out.stem, figure)}")
    return 0
