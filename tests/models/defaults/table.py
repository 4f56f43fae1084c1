"""All claims, and the page that shows them measured with three seeds: bench/results/defaults.md."""

import inspect
import statistics
from pathlib import Path

import glassgrad as gg

from . import (
    adversarial,
    autoencoders,
    autoregressive,
    competitive,
    embeddings,
    energy,
    graphs,
    probability,
    recurrent,
    regimes,
    sparse,
    supervised,
    variational,
)
from .claims import Default, measured, trained

DEFAULTS: tuple[Default, ...] = (
    *competitive.CLAIMS,
    *autoencoders.CLAIMS,
    *variational.CLAIMS,
    *energy.CLAIMS,
    *sparse.CLAIMS,
    *autoregressive.CLAIMS,
    *adversarial.CLAIMS,
    *supervised.CLAIMS,
    *graphs.CLAIMS,
    *regimes.CLAIMS,
    *recurrent.CLAIMS,
    *embeddings.CLAIMS,
    *probability.CLAIMS,
)
PAGE = Path(gg.__file__).resolve().parents[1] / "bench" / "results" / "defaults.md"
SEEDS = range(3)
COMMAND = "python -m tests.models.test_defaults --page bench/results/defaults.md"
HEAD = f"""# The shipped defaults next to trivial baselines

Every recipe with the settings that ship, on data that ship, with seeds 0, 1 and 2. A ratio is
figure over baseline, or baseline over figure where larger is better: below 1 the default is better,
and a test of each keeps its ratio below the bound. Figure and baseline are those of the first seed;
seconds are of processor, for one training (the median of the seeds). Made by

    {COMMAND}

or, for some recipes alone, with their names after it; the other lines stay.

"""
COLUMNS = ("recipe", "data", "figure", "", "baseline", "", "ratios", "bound", "seconds")


def cells(claim: Default) -> tuple[str, ...]:
    """What the page shows of a claim, measured with three seeds."""
    found = [measured(claim, seed) for seed in SEEDS]
    seconds = [trained(claim.recipe, claim.data, seed).seconds for seed in SEEDS]
    return shown(claim, found, statistics.median(seconds))


def shown(claim: Default, found: list, seconds: float) -> tuple[str, ...]:
    """The same of what `measured` found with each seed."""
    _, figure, baseline = found[claim.seed]
    ratios = " ".join(f"{ratio:.3f}" for ratio, *_ in found)
    return (
        claim.recipe,
        claim.data,
        claim.metric_name,
        f"{figure:.4g}",
        claim.baseline.__name__,
        f"{baseline:.4g}",
        ratios,
        f"{claim.bound:g}",
        f"{seconds:.1f}",
    )


def key(row: tuple[str, ...]) -> tuple[str, ...]:
    """Recipe, data, figure and baseline: what a row of the page is about."""
    return row[0], row[1], row[2], row[4]


def key_of(claim: Default) -> tuple[str, ...]:
    """The key of a claim's row."""
    return claim.recipe, claim.data, claim.metric_name, claim.baseline.__name__


def row(values) -> str:
    """One line of the table."""
    return f"| {' | '.join(values)} |"


def written(page: Path = PAGE) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The rows of a page by their keys."""
    lines = page.read_text().splitlines() if page.exists() else []
    rows = [tuple(c.strip() for c in x.strip("|").split("|")) for x in lines if x.startswith("| ")]
    return {key(r): r for r in rows if len(r) == len(COLUMNS) and r[0] not in ("recipe", "---")}


def whole(rows: list[tuple[str, ...]]) -> str:
    """The page of these rows, in this order."""
    ruler = ["---", "---", "---", "---:", "---", "---:", "---", "---:", "---:"]
    seconds = sum({(r[0], r[1]): float(r[8]) for r in rows}.values())
    table = "\n".join(map(row, (COLUMNS, ruler, *rows)))
    return f"{HEAD}{table}\n\nAll trainings of one seed take {seconds:.0f} s.\n\n{legend()}"


def legend() -> str:
    """What the figures and baselines are: the first paragraphs of their docstrings."""
    named = {c.baseline.__name__: c.baseline for c in DEFAULTS}
    named |= {c.metric: c.metric for c in DEFAULTS if callable(c.metric)}
    functions = {f.__name__: inspect.getdoc(f) for f in named.values() if inspect.getdoc(f)}
    lines = [f"- `{name}`: {' '.join(text.split())}" for name, text in sorted(functions.items())]
    return "What is compared, where the name does not say it:\n\n" + "\n".join(lines) + "\n"


def update(recipes: list[str], page: Path) -> None:
    """Measure the claims of some recipes (of all, if none is named), and write the page."""
    rows = written(page)
    for claim in DEFAULTS:
        if not recipes or claim.recipe in recipes:
            rows[key_of(claim)] = cells(claim)
    page.write_text(whole([rows[k] for k in map(key_of, DEFAULTS) if k in rows]))
