"""Bayes' rule by hand and by counting, and the page: its numbers, its script, its file."""

import json
import re
import shutil
import subprocess
from fractions import Fraction
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest

from glassgrad.models.probability import bayes, bayes_page

NODE = shutil.which("node")


def test_the_lectures_tables_by_counting():
    """Fractions of the four points: K4 and U3, with the heading of the second table corrected."""
    points = list(bayes.POINTS)
    for x in (0, 1):
        for y in (0, 1):
            both = Fraction(points.count((x, y)), 4)
            px = Fraction(sum(p[0] == x for p in points), 4)
            py = Fraction(sum(p[1] == y for p in points), 4)
            table = bayes.joint(points)
            assert table[x, y] == both
            assert bayes.classes_given_objects(table)[x, y] == pytest.approx(float(both / px))
            assert bayes.objects_given_classes(table)[x, y] == pytest.approx(float(both / py))
    assert bayes.classes_given_objects(bayes.joint(points)).tolist() == [[1, 0], [0.5, 0.5]]


def test_bayes_rule_joins_the_two_conditional_tables():
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.ones(6)).reshape(3, 2)
    px, py = table.sum(axis=1), table.sum(axis=0)
    for x in range(3):
        likelihood = bayes.objects_given_classes(table)[x]
        found = bayes.posterior(py, likelihood)
        np.testing.assert_allclose(found, bayes.classes_given_objects(table)[x])
        assert likelihood @ py == pytest.approx(px[x])


def test_the_cat_has_the_lectures_prior_and_the_posterior_of_draws():
    cat, rng = bayes.CAT, np.random.default_rng(1)
    assert cat["prior"] == pytest.approx(1 / 3)
    z = rng.random(200_000) < cat["prior"]
    x = rng.random(len(z)) < np.where(z, cat["if_cat"], cat["if_not"])
    exact = bayes.posterior([1 - cat["prior"], cat["prior"]], [cat["if_not"], cat["if_cat"]])[1]
    assert z[x].mean() == pytest.approx(exact, abs=0.006)


@pytest.mark.parametrize("example", bayes.EXAMPLES, ids=lambda e: e.key)
def test_the_examples_are_distributions(example):
    table = example.table()
    assert table.sum() == pytest.approx(1) and (table >= 0).all()


class Reader(HTMLParser):
    """Opening tags and their attributes, and that every tag is closed."""

    VOID = frozenset({"meta", "input", "rect"})

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else():
    text = bayes_page.page()
    reader = Reader()
    reader.feed(text)
    assert not reader.open and "$" not in text.partition("<script>")[0]
    for tag, attrs in reader.seen:
        assert not {"src", "href"} & set(attrs), tag
    assert not re.search(r"https?://", text)
    keys = [a["data-key"] for _, a in reader.seen if "data-key" in a]
    assert keys == ["coin", "cancer"]
    assert "p(y|x)" in text and "1.000" in text and "0.692" in text  # the cat's posterior
    assert bayes_page.sections() in text and "OWN" in bayes_page.page(style="OWN")


def node(code: str):
    """What the page's script and then `code` print, as JSON."""
    script = (resources.files(bayes_page.__package__) / "bayes_page.js").read_text("utf-8")
    done = subprocess.run(
        [NODE, "-e", script + code], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(NODE is None, reason="no Node.js here to run the page's script")
def test_the_script_computes_what_python_does():
    rng = np.random.default_rng(2)
    counts = rng.integers(1, 9, (2, 2))
    found = node(f"console.log(JSON.stringify(tablesOf({counts.tolist()})))")
    table = counts / counts.sum()
    np.testing.assert_allclose(found["p(x, y)"], table)
    np.testing.assert_allclose(found["p(y|x)"], bayes.classes_given_objects(table))
    np.testing.assert_allclose(found["p(x|y)"], bayes.objects_given_classes(table))
    for example in bayes.EXAMPLES:
        share, event = ([row[k] for row in example.rows] for k in (1, 2))
        found = node(f"console.log(JSON.stringify(turned({share}, {event})))")
        table = example.table()
        np.testing.assert_allclose(found["back"], bayes.objects_given_classes(table)[:, 1])
        assert found["total"] == pytest.approx(table[:, 1].sum())
    cat = node("console.log(JSON.stringify(posterior(1/3, 0.9, 0.2)))")
    assert cat == pytest.approx(bayes.posterior([2 / 3, 1 / 3], [0.2, 0.9])[1])


def test_the_command_writes_the_page_or_says_why_not(tmp_path, capsys):
    file = tmp_path / "bayes.html"
    assert bayes_page.main([str(file)]) == 0
    assert file.read_text(encoding="utf-8") == bayes_page.page()
    assert "written" in capsys.readouterr().out
    assert bayes_page.main([]) == 2 and "usage" in capsys.readouterr().err
    assert bayes_page.main([str(tmp_path / "no" / "b.html")]) == 1
    assert str(tmp_path / "no") in capsys.readouterr().err
