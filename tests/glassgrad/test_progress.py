"""The display of a training: rows where there is no terminal, a live bar where there is one."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from glassgrad import progress


@pytest.fixture
def clock(monkeypatch):
    """The display's clock, which the test turns."""
    time = SimpleNamespace(now=100.0)
    time.monotonic = lambda: time.now
    monkeypatch.setattr(progress, "time", time)
    return time


def live(monkeypatch, terminal: bool):
    """(display, what it wrote) on a console that is, or is not, a terminal."""
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=terminal, width=120, highlight=False, legacy_windows=False
    )
    monkeypatch.setattr(progress, "console", lambda: console)
    return progress.Live(), written


def test_the_bar_of_a_resumed_run_counts_only_its_own_batches(monkeypatch, clock):
    display, written = live(monkeypatch, terminal=True)
    display.start("VAE", epochs=10, batches=100)
    bar = display.bar
    (task,) = bar.tasks
    assert task.total == 1000 and not task.started
    display.step(4, 51, {"loss": 0.5, "kl": 2.0})  # the first batch since the resumption
    assert task.completed == 451 and task.started
    clock.now += 2.0
    display.step(4, 91, {"loss": 0.25, "kl": 2.0})
    assert task.completed == 491 and task.description == "epoch 5/10"
    assert task.fields["rate"] == "20 batches/s"  # 40 in 2 s, not 491
    assert task.fields["figures"] == "loss 0.25"
    clock.now += 0.05
    display.step(4, 92, {"loss": 0.125})
    assert task.completed == 491  # drawn at most ten times a second
    clock.now += 17.95
    display.step(4, 96, {"loss": 0.125})
    assert task.fields["rate"] == "2.2 batches/s"  # 45 in 20 s
    bar.refresh()
    display.epoch({"epoch": 5, "loss": 0.3, "valid_loss": 0.4, "seconds": 75.0})
    display.finish()
    display.finish()
    assert display.bar is None
    text = written.getvalue()
    assert "epoch 5/10" in text and "2.2 batches/s" in text and "left" in text and "\x1b" in text
    assert "epoch  5/10  loss 0.3  valid_loss 0.4  1:15 min" in text


def test_without_a_terminal_there_are_only_rows(monkeypatch, clock):
    display, written = live(monkeypatch, terminal=False)
    display.start("VAE", epochs=3, batches=100)
    display.step(0, 1, {"loss": 0.5})
    display.epoch({"epoch": 1, "loss": 0.5, "seconds": 0.51})
    display.finish()
    assert written.getvalue() == "epoch 1/3  loss 0.5  0.5 s\n"


def test_no_epochs_at_all_make_a_bar_too(monkeypatch, clock):
    display, _ = live(monkeypatch, terminal=True)
    display.start("VAE", epochs=0, batches=13)
    display.finish()
    assert display.bar is None
