"""The shipped defaults do what their pages say: each beats trivial baselines, by stated factors.

defaults/claims.py says what a claim is; the claims of each family are in its file of that folder,
and bench/results/defaults.md shows all of them, measured.

    python -m tests.models.test_defaults [RECIPE ...]             ratios, figures and baselines
    python -m tests.models.test_defaults --table [RECIPE ...]     the same as a table
    python -m tests.models.test_defaults --page FILE [RECIPE ...] and in that file
"""

import argparse
from itertools import groupby
from pathlib import Path

import pytest

from glassgrad import models
from glassgrad.core import data
from glassgrad.core.data.canon import folder
from tests.models.defaults import table
from tests.models.defaults.claims import measured
from tests.models.defaults.table import DEFAULTS
from tests.tools import skip_without_needs

# one training serves all claims of a recipe on a data set
TRAININGS = {
    where: list(found) for where, found in groupby(DEFAULTS, lambda one: (one.recipe, one.data))
}
MOST_SECONDS = 30  # of processor, for the training of a default


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("recipe", "name"), TRAININGS)
def test_the_default_beats_its_baselines(recipe, name):
    if not data.available(name):
        pytest.skip(f"{name} is not here")
    skip_without_needs(models.recipe(recipe))
    found = {str(one): (measured(one, one.seed), one.bound) for one in TRAININGS[recipe, name]}
    assert not {one: what for one, what in found.items() if not what[0][0] <= what[1]}


@pytest.mark.parametrize("claim", DEFAULTS, ids=str)
def test_a_claim_is_a_claim(claim):
    """The bound excludes the baseline, and lies above all measured seeds but not far above."""
    assert len(claim.ratios) == len(table.SEEDS)
    assert max(claim.ratios) <= claim.bound < 1
    assert claim.bound <= 1.15 * max(claim.ratios) + 0.1 and 0 <= claim.seed <= 2
    recipe = models.recipe(claim.recipe)
    assert claim.data in recipe.presets or claim.data == recipe.data


def test_claims_of_one_training_stand_together_and_only_once():
    """Otherwise it would be trained twice, or a row of the page would stand for two claims."""
    assert len(TRAININGS) == len({(one.recipe, one.data) for one in DEFAULTS})
    assert len({table.key_of(one) for one in DEFAULTS}) == len(DEFAULTS)


def ships(name: str) -> bool:
    """Does everybody have the data set: generated, scikit-learn's, or in the package?"""
    record = data.entry(name)
    files = folder(record.folder) if record.folder else ()
    return all(f.shipped for f in files if not record.files or f.name in record.files)


@pytest.mark.parametrize("name", models.names())
def test_every_recipe_claims_something_on_data_that_ship(name):
    """Add a claim to the family's file in tests/models/defaults/."""
    assert any(ships(one.data) for one in DEFAULTS if one.recipe == name)


def test_the_page_shows_every_claim_within_its_bound_and_in_time():
    """Mend it with the command at its top, and the names of the recipes that changed."""
    rows = table.written()
    assert list(rows) == [table.key_of(one) for one in DEFAULTS]
    for one in DEFAULTS:
        *_, ratios, bound, seconds = rows[table.key_of(one)]
        assert float(bound) == one.bound and float(seconds) <= MOST_SECONDS
        assert tuple(map(float, ratios.split())) == one.ratios


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.models.test_defaults")
    parser.add_argument("recipe", nargs="*", choices=[*models.names(), []], help="by default all")
    parser.add_argument("--table", action="store_true", help="print a table")
    parser.add_argument("--page", type=Path, help="put the rows in this file")
    given = parser.parse_args()
    chosen = [one for one in DEFAULTS if not given.recipe or one.recipe in given.recipe]
    if given.page:
        table.update(given.recipe, given.page)
    elif given.table:
        for values in (table.COLUMNS, ["---"] * len(table.COLUMNS), *map(table.cells, chosen)):
            print(table.row(values), flush=True)
    else:
        for one in chosen:
            found = [measured(one, seed) for seed in table.SEEDS]
            print(one, *(f"{r:.3f} = {a:.4g} / {b:.4g}" for r, a, b in found), sep="   ")
