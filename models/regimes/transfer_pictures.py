"""The picture of transfer learning: errors over the number of samples, and where they cross."""

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from ...core.training.system import System

STYLES = {"frozen": "o-", "tuned": "s-", "scratch": "^--"}


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """The curves of the three nets, for held-out images of the target task."""
    system.eval()
    held = data.test if data.test is not None and len(data.test) else data.train
    errors = system.errors(held)
    fig = pictures.figure(5.4, 3.6)
    ax = fig.subplots()
    for (form, style), rows, colour in zip(STYLES.items(), errors, pictures.COLOURS):
        mean, deviation = rows.mean(axis=0), rows.std(axis=0, ddof=len(rows) > 1)
        ax.plot(s.sizes, mean, style, color=colour, ms=4, label=form)
        ax.fill_between(s.sizes, mean - deviation, mean + deviation, color=colour, alpha=0.2, lw=0)
    m = overtaking(s.sizes, *errors[:2].mean(axis=1))
    if m is not None:
        ax.axvline(m, color="0.6", lw=0.8, ls=":")
    said = (
        "the frozen net is not overtaken" if m is None else f"fine-tuning overtakes at m ≈ {m:.0f}"
    )
    ax.set(xscale="log", xlabel="samples m of the target task", ylabel="error, %", ylim=(0, None))
    ax.set_xticks(s.sizes, labels=map(str, s.sizes), minor=False)
    ax.minorticks_off()
    ax.set_title(f"{said}; bands: deviation of {len(errors[0])} repeats", fontsize=9)
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return {"curve": fig}


def overtaking(sizes, frozen, tuned) -> float | None:
    """The m from which on tuned nets make fewer errors than frozen ones; None if they never do.

    Between two sizes the difference is taken as linear in ln m.

    >>> overtaking((10, 1000), [4.0, 3.0], [5.0, 2.0])
    100.0
    >>> overtaking((10, 100), [4.0, 3.0], [3.0, 2.0]), overtaking((10, 100), [1, 1], [2, 1])
    (10.0, None)
    """
    less = [t - f for f, t in zip(frozen, tuned)]
    if less[-1] >= 0:
        return None
    above = [k for k, d in enumerate(less) if d >= 0]
    if not above:
        return float(sizes[0])
    k = above[-1]
    share = less[k] / (less[k] - less[k + 1])
    return round(float(sizes[k] * (sizes[k + 1] / sizes[k]) ** share), 6)
