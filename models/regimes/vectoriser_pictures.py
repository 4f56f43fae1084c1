"""The pictures of the vectoriser: queries with their nearest images in each space."""

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System

SPACES = ("network", "scratch", "pixels")
QUERIES, SHOWN = 6, 5  # queries, and the images next to each
NAMES = {"network": "network from ImageNet", "scratch": "network from scratch", "pixels": "pixels"}


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """For each space: queries, each in front of its nearest training images."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    near = {space: system.near(held.x[:QUERIES], space)[:, :SHOWN] for space in SPACES}
    return {f"nearest_{space}": rows(held, data.train, near[space], NAMES[space]) for space in near}


def rows(held, train, near, name: str):
    """A query a row, then its neighbours; a bar below them: blue for its class, red for another."""
    fig = pictures.figure(0.8 * (1 + near.shape[1]) + 0.2, 0.9 * len(near) + 0.5)
    axes = fig.subplots(len(near), 1 + near.shape[1], squeeze=False)
    for line, x, y, numbers in zip(axes, held.x, held.y, near):
        show(line[0], x, "none")
        for ax, n in zip(line[1:], numbers):
            show(ax, train.x[n], pictures.COLOURS[0 if train.y[n] == y else 1])
    right = (train.y[near] == held.y[: len(near), None]).mean()
    axes[0, 0].set_title("query", fontsize=8)
    axes[0, 1].set_title("nearest", fontsize=8)
    fig.suptitle(f"{name}: {right:.0%} of the query's class", fontsize=9)
    return fig


def show(ax, image, colour: str) -> None:
    """An image [C, H, W]: three channels in colour, others as dark ink; a bar below it."""
    if len(image) == 3:
        ax.imshow(image.transpose(1, 2, 0).clip(0, 1))
    else:
        ax.imshow(image.mean(axis=0), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.spines["bottom"].set(visible=True, color=colour, linewidth=3)
