"""``glassgrad demo``: four systems trained from nothing on bundled data, and a page on them."""

import time
from pathlib import Path

from ..core.training.run_folder import expect_writable, make_folder, remove_empty, write_atomic
from ..core.training.settings import TrainingSettings
from .chapters import CHAPTERS
from .page import render


def run(out: str | Path = "glassgrad-demo", seed: int = 0, progress=None, **changes) -> Path:
    """Train every chapter's system and write `out`/index.html, one self-contained page.

    `changes` are settings for all of them, such as ``epochs=1`` for a quick look. Raises
    SettingError for bad ones and RunError when the page cannot be written, both before any
    training where possible; a folder that was made and got no page is removed again.
    """
    TrainingSettings(seed=seed, **changes)
    page = Path(out) / "index.html"
    made = make_folder(out)
    try:
        expect_writable(page)
        started = time.perf_counter()
        chapters = [chapter(seed, progress, **changes) for chapter in CHAPTERS]
        write_atomic(page, render(chapters, time.perf_counter() - started))
    except BaseException:
        remove_empty(made)
        raise
    return page
