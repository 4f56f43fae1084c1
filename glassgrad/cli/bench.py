"""Measure kernels, layers and training steps, with the peers that are installed.

  glassgrad bench                                 everything: about a quarter of an hour
  glassgrad bench conv2d lenet                    a family of kernels, a training step
  glassgrad bench conv2d.forward --version 2      one version of one pass
  glassgrad bench my_blur.py                      kernels of your own
  glassgrad bench scale --figures pictures        steps on two ranks of MPI, a model for more
  glassgrad bench --json new.json --against bench/results/cpu.json
  glassgrad bench --stored bench/results/cpu.json --table README.md

Ends with 1 if a result is wrong, or a ratio fell by more than --factor.
"""

from ..core.usage import positive
from ..kernels.registry import BACKENDS

HELP = "times, rooflines, and ratios to other people's code"


def arguments(parser) -> None:
    """What is measured, how, and where the results go."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="by default all (see --list)")
    parser.add_argument("--list", action="store_true", help="list what there is, measure nothing")
    parser.add_argument("--backend", choices=BACKENDS, help="by default cuda with a GPU, or numba")
    parser.add_argument("--threads", type=positive, metavar="N", help="by default all cores")
    parser.add_argument("--version", type=positive, metavar="N", help="one version of the kernels")
    parser.add_argument("--case", metavar="TEXT", help="only cases with this in their name")
    parser.add_argument("--without", metavar="TEXT", help="no case with this in its name")
    parser.add_argument(
        "--newer",
        action="store_true",
        help="no first version where there is a newer one (cuda, emulated)",
    )
    parser.add_argument("--peers", nargs="*", metavar="P", help="only these (none: no peer)")
    parser.add_argument("--quick", action="store_true", help="few runs: to see that it works")
    parser.add_argument("--json", metavar="FILE", help="keep the results there")
    parser.add_argument("--add", action="store_true", help="keep the other rows of that file")
    parser.add_argument("--stored", metavar="FILE", help="measure nothing, take these results")
    parser.add_argument(
        "--table",
        metavar="PAGE",
        nargs="+",
        default=[],
        help="put the tables between the markers of pages",
    )
    parser.add_argument("--figures", metavar="DIR", help="draw roofline and ratios there")
    parser.add_argument("--against", metavar="FILE", help="compare ratios with stored results")
    parser.add_argument(
        "--factor", type=float, default=1.25, help="the fall that is an error (1.25)"
    )


def run(args) -> int:
    """Hand over to the room bench/; this file is the only one outside it that imports from it."""
    from ..bench import command

    return command.run(args)
