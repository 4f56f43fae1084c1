"""The demo: four chapters on what a short training gives, and a page that needs nothing else."""

import html
import json
import os
import re

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import demo
from glassgrad.core.training.run_folder import RunError
from glassgrad.core.training.settings import SettingError
from glassgrad.demo import chapters, page


@pytest.fixture(scope="module")
def made():
    """(chapters by key, trainings by system) after one epoch of each."""
    trained, train = {}, chapters._train

    def keep(name, *args):
        trained[name] = train(name, *args)
        return trained[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chapters, "_train", keep)
        found = [chapter(0, epochs=1) for chapter in chapters.CHAPTERS]
    return {c.key: c for c in found}, trained


@pytest.fixture(scope="module")
def text(made):
    return page.render(list(made[0].values()), 1.0)


def test_every_chapter_says_and_shows_something(made):
    found, _ = made
    assert list(found) == ["som", "vae", "cnn", "gru"]
    for c in found.values():
        assert len(c.figures) >= 3 and c.kernels, c.key
        facts = dict(c.facts)
        assert facts["epochs"] == "1" and facts["trained on"] in ("1,297 digits", "1,797 digits")
        assert not any("nan" in v or "inf" in v for v in facts.values()), facts


@pytest.mark.parametrize("key", ["vae", "cnn", "gru"])
def test_every_curve_has_data(made, key):
    caption, figure = made[0][key].figures[-1]
    assert "training dashed, validation solid" in caption
    (ax,) = figure.axes
    assert [line.get_linestyle() for line in ax.lines] == ["--", "-"]
    for line in ax.lines:
        y = line.get_ydata()
        assert len(y) == 1 and np.isfinite(y).all(), line.get_label()


def test_the_page_is_whole_and_fetches_nothing(made, text):
    pictures = re.findall(r'<img alt="" src="data:image/(?:png|svg\+xml);base64,[^"]{500,}">', text)
    assert len(pictures) == sum(len(c.figures) for c in made[0].values())
    rest = re.sub(r'"data:image/[^"]*"', "", text)
    assert not re.search(r"https?:|//\w+\.|@import|url\(|fetch\(|<link", rest)
    markup, _, script = rest.partition("<script>")
    assert "$" not in markup and "querySelectorAll" in script
    for c in made[0].values():
        assert html.escape(c.title) in text and f'id="{c.key}"' in text
        assert all(html.escape(value) in text for _, value in c.facts)


def decoded(layers, z):
    """What page.js computes: tanh layers, then a sigmoid."""
    for w, b in layers[:-1]:
        z = np.tanh(z @ np.asarray(w).T + b)
    w, b = layers[-1]
    return 1 / (1 + np.exp(-(z @ np.asarray(w).T + b)))


def test_the_live_decoder_is_the_trained_one(made, text):
    found, trained = made
    z = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32)
    want = trained["vae"].trained.system.decode(gg.Tensor(z))
    assert want.std() > 0.05 and want.shape == (20, 64)
    live = found["vae"].live
    assert np.abs(decoded(live["layers"], z) - want).max() < 1e-5
    data = json.loads(re.search(r"data-decoder='([^']*)'", text)[1])
    assert data["shape"] == live["shape"] == [8, 8]
    on_the_page = [(layer["w"], layer["b"]) for layer in data["layers"]]  # four decimals
    assert np.abs(decoded(on_the_page, z) - want).max() < 2e-3


# ---------------------------------------------------------------------- folders


def untrained(seed, progress=None, **changes):
    raise AssertionError("trained, though the page could not be written")


def test_run_writes_the_page_over_the_old_one(tmp_path, monkeypatch, made):
    first = made[0]["som"]
    monkeypatch.setattr(demo, "CHAPTERS", (lambda seed, progress, **changes: first,))
    for _ in range(2):
        written = demo.run(tmp_path / "a" / "b", epochs=1)
        assert written == tmp_path / "a" / "b" / "index.html"
        assert [p.name for p in written.parent.iterdir()] == ["index.html"]
        assert first.title in written.read_text(encoding="utf-8")


@pytest.mark.parametrize("changes", [{"seed": -1}, {"epochs": -1}])
def test_bad_settings_leave_no_folder(tmp_path, monkeypatch, changes):
    monkeypatch.setattr(demo, "CHAPTERS", (untrained,))
    with pytest.raises(SettingError, match="must be at least 0; got -1"):
        demo.run(tmp_path / "out", **changes)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_found_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CHAPTERS", (untrained,))
    (tmp_path / "index.html").mkdir()
    with pytest.raises(RunError, match=r"index\.html.*: it is a folder"):
        demo.run(tmp_path)
    (tmp_path / "file").write_text("kept")
    with pytest.raises(RunError, match="file is not a folder"):
        demo.run(tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "kept"

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        demo.run(tmp_path / "a" / "b")
    assert sorted(os.listdir(tmp_path)) == ["file", "index.html"]


def test_a_read_only_folder_is_found_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CHAPTERS", (untrained,))
    tmp_path.chmod(0o555)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(RunError, match="Permission denied"):
        demo.run(tmp_path)
    tmp_path.chmod(0o755)


def test_a_stopped_demo_keeps_the_old_page_and_no_empty_folder(tmp_path, monkeypatch):
    def stopped(seed, progress=None, **changes):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "CHAPTERS", (stopped,))
    (tmp_path / "index.html").write_text("old")
    for out in (tmp_path, tmp_path / "new"):
        with pytest.raises(KeyboardInterrupt):
            demo.run(out)
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text() == "old"
