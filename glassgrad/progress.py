"""The display of a training: a bar with the batch rate, the loss and the time left; a row an epoch.

On a terminal the bar is live; elsewhere only the rows are printed, plain.
"""

import time

from .core.terminal import Flow, console, number, seconds
from .kernels import compiling


class Live:
    """What `core.training.loop.fit` calls; the interface is that of `core.training.loop.Silent`.

    On a terminal ::

        epoch 3/10 ━━━━━━━━━━━━━━━━╸━━━━━━━━━━━━━━━━━━━━ 212 batches/s loss 0.1873 0:42 left

    and while kernels are compiled, in the first epoch ::

        compiling gru.rungs.cpu_v3_rows._forward, no. 3 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    """

    def __init__(self):
        self.console, self.bar, self.task = console(), None, None

    def start(self, name: str, epochs: int, batches: int) -> None:
        """Training begins, or goes on: so many epochs in all, so many batches in each."""
        self.name, self.epochs, self.batches = name, epochs, batches
        self.fresh, self.shown = True, 0.0
        if not self.console.is_interactive:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self.console,
            transient=True,
            expand=True,
        )
        self.task = self.bar.add_task(
            name, total=max(1, epochs * batches), figures="", rate="", start=False
        )
        self.bar.start()
        self.compiled = 0
        compiling.watch(self.compiling)

    def compiling(self, name: str) -> None:
        """A kernel is compiled before training goes on."""
        self.compiled += 1
        self.bar.update(self.task, description=f"compiling {name}, no. {self.compiled}", rate="")

    def step(self, epoch: int, batch: int, figures: dict) -> None:
        """`batch` batches of this epoch (from 0) are done; the first figure is shown.

        The rate and the time left count the batches since this display began. It is drawn at most
        ten times a second.
        """
        if self.bar is None:
            return
        now, done = time.monotonic(), epoch * self.batches + batch
        if self.fresh:  # a resumed run starts in the middle, which is no progress of this call
            self.bar.reset(self.task, completed=done)
            self.fresh, self.first, self.began = False, done, now
        if now - self.shown < 0.1:
            return
        self.shown = now
        rate = (done - self.first) / max(now - self.began, 1e-9)
        self.bar.update(
            self.task,
            completed=done,
            description=f"epoch {epoch + 1}/{self.epochs}",
            rate=f"{rate:.0f} batches/s" if rate >= 10 else f"{rate:.2g} batches/s",
            figures=" ".join(f"{k} {number(v)}" for k, v in list(figures.items())[:1]),
        )

    def epoch(self, row: dict) -> None:
        """An epoch is over: its row of the history, which stays on the screen."""
        figures = {k: v for k, v in row.items() if k not in ("epoch", "seconds")}
        text = [f"{k} {number(v)}" for k, v in figures.items()]
        count = f"epoch {row['epoch']:>{len(str(self.epochs))}}/{self.epochs}"
        self.console.print(Flow([count, *text, seconds(row["seconds"])]))

    def finish(self) -> None:
        """Remove the bar; may be called twice."""
        if self.bar is not None:
            compiling.unwatch(self.compiling)
            self.bar.stop()
            self.bar = None
