"""``glassgrad demo``: four systems trained from nothing on bundled data, and a page on them."""

import time
from pathlib import Path

from ..core.run import RunError, write_atomic
from .chapters import CHAPTERS
from .page import render


def run(out: str = "glassgrad-demo", seed: int = 0, progress=None) -> Path:
    """Train every chapter's system and write `out`/index.html, one self-contained page.

    Raises RunError when the page cannot be written; nothing half-written stays.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make {folder}: {error.strerror}") from None
    started = time.perf_counter()
    chapters = [chapter(seed=seed, progress=progress) for chapter in CHAPTERS]
    page = folder / "index.html"
    write_atomic(page, render(chapters, time.perf_counter() - started))
    return page
