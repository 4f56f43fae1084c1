"""What a notebook shows of a run, finished, loaded from its folder, or summed up."""

import base64
import re
import xml.etree.ElementTree as ET

import pytest

from glassgrad import models, runs, training


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    recipe, out = models.recipe("mlp"), tmp_path_factory.mktemp("runs")
    overrides = {"epochs": 7, "hidden": (8,)}
    return training.train_and_write(recipe, "digits", overrides=overrides, out=out)[0]


def test_three_forms_of_one_run_show_the_same(done):
    folder = done.run.folder
    for shown in (done, training.load(folder)[1], runs.summary(folder)):
        page = shown._repr_html_()
        tree = ET.fromstring(re.sub("(<img[^>]*)>", r"\1/>", page))
        rows = [["".join(c.itertext()) for c in row] for row in tree.iter("tr")]
        figures = dict(zip(rows[0], rows[1]))
        assert set(figures) == {"loss", "accuracy"}
        assert figures["accuracy"] == f"{done.test_figures['accuracy']:.4g}"
        assert [r[0] for r in rows[3:8]] == ["3", "4", "5", "6", "7"]
        assert ["hidden", "[8]"] in rows
        assert "on digits · 7 epochs in " in page and folder.name in page
        picture = base64.b64decode(page.split("base64,")[1].split('"')[0])
        assert picture.startswith(b"\x89PNG")
    assert repr(done).startswith("<Mlp trained on digits, 7 epochs: loss ")


def test_a_run_without_epochs_or_figures():
    settings = models.recipe("mlp").resolve("digits")
    system = type("<i>", (), {})()
    one = training.Trained(system, None, settings, [], {}, "a & b")
    page = one._repr_html_()
    ET.fromstring(page)
    assert "&lt;i&gt;" in page and "a &amp; b" in page and "not written" in page
    assert repr(one) == "<<i> trained on a & b, 0 epochs: no figures yet>"
