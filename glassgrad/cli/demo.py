"""Train a few systems from nothing on bundled data and write one page about them."""

from pathlib import Path

HELP = "train four systems and write a page about them"


def arguments(parser) -> None:
    """Where the page goes, and the seed."""
    parser.add_argument("--out", metavar="DIR", default="glassgrad-demo", help="folder of the page")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--open", action="store_true", help="show the page in a browser")


def run(args) -> int:
    """Train the demo's systems, write their page and print its path."""
    from ..core.terminal import say
    from ..demo import run as demo
    from ..progress import Live

    page = Path(demo(args.out, args.seed, progress=Live()))
    say(f"written: {page}")
    if args.open:
        import webbrowser

        webbrowser.open(page.absolute().as_uri())
    return 0
