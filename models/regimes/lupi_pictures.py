"""The pictures of privileged information: settings of learning, margins, scores, weights."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System

# (title, has x, has x*, has y) of the objects in training and of those that are asked for; what is
# partial in the last one is our reading: the lecture's drawing has no words
SETTINGS = (
    ("supervised", ((1, 0, 1),) * 4, ((1, 0, 0),) * 2),
    ("unsupervised", ((1, 0, 0),) * 4, ()),
    ("privileged (LUPI)", ((1, 1, 1),) * 4, ((1, 0, 0),) * 2),
    ("semi-supervised", ((1, 0, 1),) * 2 + ((1, 0, 0),) * 2, ((1, 0, 0),) * 2),
    ("transductive", ((1, 0, 1),) * 2 + ((1, 0, 0),) * 2, ()),
    ("partial LUPI", ((1, 1, 1),) * 2 + ((1, 0, 1),) * 2, ((1, 0, 0),) * 2),
)
EXAMPLES = (
    ("a protein's sequence (1-D)", "its form in space (3-D)", "class of its function"),
    ("the past of a series", "what is known of its future", "its next value"),
    ("a text", "key words that somebody marked", "its topic"),
    ("a query and a document", "words that an assessor marked", "how relevant it is"),
)
PARTS = (("x", "#4f8ca8"), ("x*", "#e3a72f"), ("y", "#c8553d"))
SHOWN = 2000  # the most rows that a picture is made from


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """The settings of learning; margins on training rows; scores; first-layer weights."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    found = {"settings": settings_of_learning(), "scores": scores(system.evaluate(held))}
    if type(system.task).__name__ == "Classification":
        answers = system.answers(data.train.x[:SHOWN])
        found["margins"] = margins(answers, data.train.y[:SHOWN])
    found["weights"] = weights(system, data)
    return found


def settings_of_learning():
    """What is known of the objects in each setting of the lecture, and its four examples of x*.

    A row of squares is an object; those below the line are asked for after training. In the
    transductive setting they are known in training: what has no y there is the question.
    """
    from matplotlib.patches import Rectangle

    fig = pictures.figure(8.0, 5.6)
    grid = fig.add_gridspec(2, len(SETTINGS), height_ratios=(2, 1.3))
    for i, (title, training, later) in enumerate(SETTINGS):
        ax = fig.add_subplot(grid[0, i])
        for row, has in enumerate((*training, *later)):
            y = -row - (0.6 if row >= len(training) else 0)
            for j, (known, (_, colour)) in enumerate(zip(has, PARTS)):
                style = {"facecolor": colour} if known else {"facecolor": "none", "ls": ":"}
                ax.add_patch(Rectangle((j, y), 0.8, 0.7, ec="0.5", lw=0.7, **style))
        if later:
            ax.axhline(0.35 - len(training) + 0.4, color="0.3", lw=0.8)
        for j, (name, _) in enumerate(PARTS):
            ax.text(j + 0.4, 1.0, name, ha="center", fontsize=8)
        ax.set(xlim=(-0.2, 3.0), ylim=(-6.0, 1.6))
        ax.set_title(title, fontsize=8)
        ax.axis("off")
    ax = fig.add_subplot(grid[1, :])
    ax.axis("off")
    table = ax.table([*EXAMPLES], colLabels=["x", "x*, in training alone", "y"], loc="center")
    table.auto_set_font_size(False)
    table.set_fontsize(8)
    return fig


def scores(found: dict):
    """A bar each for the teacher, the student and the regular net."""
    key = "accuracy" if "accuracy" in found else "r2"
    bars = {
        "teacher (x*)": found[f"{key}_teacher"],
        "student": found[key],
        "regular": found[f"{key}_regular"],
    }
    fig = pictures.figure(4.2, 2.6)
    ax = fig.subplots()
    ax.bar(list(bars), list(bars.values()), color=pictures.COLOURS[:3], width=0.6)
    low = min(bars.values())
    ax.set(ylim=(max(0.0, low - 0.1) if low > 0 else low - 0.1, max(1.0, *bars.values())))
    ax.set(ylabel="R²" if key == "r2" else key, title="held-out rows")
    for i, value in enumerate(bars.values()):
        ax.text(i, value, f"{value:.3f}", ha="center", va="bottom", fontsize=8)
    return fig


def margins(answers: dict, y: np.ndarray):
    """z_y - max over others of z: how sure each net is of the labels of training rows."""
    fig = pictures.figure(5.0, 3.2)
    ax = fig.subplots()
    rows = np.arange(len(y))
    for who, colour in zip(("teacher", "student", "regular"), pictures.COLOURS):
        z = answers[who].astype(np.float64)
        own = z[rows, y]
        z[rows, y] = -np.inf
        found = np.clip(own - z.max(axis=1), -15, 15)
        ax.hist(found, bins=40, range=(-15, 15), histtype="step", color=colour, label=who)
    ax.axvline(0, color="0.5", lw=0.8)
    ax.set(xlabel="margin of the label", ylabel="training rows", title="how sure of the labels")
    ax.legend(frameon=False, fontsize=8)
    return fig


def weights(system: System, data: DataSet):
    """First-layer weights of student and regular net: images as such, rows as columns of bars."""
    pair = {who: getattr(system, who)[0].weight.numpy() for who in ("student", "regular")}
    small = data.info.extra.get("small")
    if small:
        shown = [w[:20].reshape(len(w[:20]), -1, *small)[:, 0] for w in pair.values()]
        most = max(float(np.abs(a).max()) for a in shown) or 1.0
        return pictures.image_sheet(
            0.5 + 0.5 * np.concatenate(shown) / most, len(shown[0]),
            "first-layer weights: student above regular",
        )  # fmt: skip
    fig = pictures.figure(6.0, 3.0)
    axes = fig.subplots(2, 1, sharex=True)
    for ax, (who, w), colour in zip(axes, pair.items(), pictures.COLOURS[1:]):
        ax.bar(np.arange(1, w.shape[1] + 1), w[-1] - w[0], color=colour)
        ax.set_title(f"{who}: last less first row of weights", fontsize=8)
    axes[-1].set(xlabel="column of x")
    return fig
