"""The pictures of a classifier of recordings: answers, kernels, what decides, confusions."""

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.data.spectrogram import mel
from ...core.training.settings import TrainingSettings
from ...core.training.system import Batch, System
from ..common.confusion import confusion
from ..common.names import short
from .recordings import together

ANSWERS, REASONS, KERNELS = 12, 4, 16
HEARD, MOST = 100, 30  # recordings looked through for each kernel; sounds that make its mean
STEPS = 16  # places of the covered window along each axis, about


def figures(system: System, data: DataSet, s: TrainingSettings) -> dict:
    """Spectrograms with the answers, first kernels, reasons for decisions, confusion matrix."""
    system.eval()
    split = data.test if data.test is not None and len(data.test) else data.train
    logits = system.logits(split.x)
    names = data.info.classes or tuple(map(str, range(logits.shape[1])))
    # of each class in turn
    turn = np.array([(split.y[:i] == c).sum() for i, c in enumerate(split.y)])
    chosen = np.lexsort((split.y, turn))
    return {
        "answers": answers(system, split, logits, names, chosen[:ANSWERS]),
        "reasons": reasons(system, split, logits, names, chosen[1 : 1 + REASONS]),
        "filters": filters(system, split.x),
        "confusion": confusion(split.y, logits.argmax(axis=1), names),
    }


def shown(ax, system: System, x: np.ndarray, **how):
    """Frames x [T, F] on `ax`: time from left to right, low pitch at the bottom."""
    seconds = len(x) * system.s.hop / 1000
    image = ax.imshow(x.T, origin="lower", aspect="auto", extent=(0, seconds, 0, x.shape[1]), **how)
    ax.tick_params(labelsize=6, length=2)
    return image


def pitch_axis(ax, system: System) -> None:
    """Hertz where a row of the frames is a pitch, else the numbers of the coefficients."""
    s, half, rows = system.s, system.rate / 2, system.mean.size
    if s.front == "mfcc":
        ax.set_ylabel("coefficient", fontsize=7)
        return
    rows //= 1 + s.slopes  # which are drawn above
    ticks = np.array([250, 500, 1000, 2000, 4000, 8000, 16000])
    ticks = ticks[ticks <= half]
    if s.front == "log-mel":  # the peak of band b is at (b + 1) / (bands + 1) of the scale
        at = mel(ticks) / mel(half) * (rows + 1) - 0.5
    else:
        ticks = ticks[ticks >= half / 8]
        at = ticks / half * (rows - 1) + 0.5
    inside = at <= rows
    ax.set_yticks(at[inside], [f"{t / 1000:g}" for t in ticks[inside]])
    ax.set_ylabel("kHz", fontsize=7)


def answers(system: System, split, logits: np.ndarray, names, chosen):
    """Spectrograms and what was heard in them, with its probability; mistakes are coloured."""
    columns = min(6, len(chosen))
    rows = -(-len(chosen) // columns)
    fig = pictures.figure(1.45 * columns + 0.4, 1.45 * rows + 0.5)
    axes = fig.subplots(rows, columns, squeeze=False, sharey=True)
    p = probabilities(logits)
    for ax, i in zip(axes.ravel(), chosen):
        shown(ax, system, system.frames(split.x[i]), cmap="magma", vmin=-2.5, vmax=2.5)
        k = int(logits[i].argmax())
        right = k == split.y[i]
        said = f"{short(names[k])}, {100 * p[i, k]:.0f} %"
        ax.set_title(
            said if right else f"{said}\nis {short(names[split.y[i]])}",
            fontsize=7,
            color=pictures.INK if right else pictures.ACCENT,
        )
    for ax in axes.ravel()[len(chosen) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        pitch_axis(ax, system)
    fig.supxlabel("seconds", fontsize=7)
    return fig


def windows(system: System, x: np.ndarray) -> np.ndarray:
    """All that a first kernel sees of frames [T, F]: [M, pitch, time], zeros beyond the edges.

    M is T where a kernel sees all pitches; else F T, the place in time changing fastest.
    """
    height, width = system.convolutions[0].weight.shape[2:]
    whole, edge = (x.shape[1], 0) if height == 1 else (height, height // 2)
    padded = np.pad(x.T, ((edge, edge), (width // 2, width // 2)))
    parts = np.lib.stride_tricks.sliding_window_view(padded, (whole, width))
    return parts.reshape(-1, whole, width)


def loud(system: System, clips) -> np.ndarray:
    """The windows of recordings around frames louder than the mean, or the loudest there is.

    Silence is far from the mean, and excites every kernel whose sum is negative.
    """
    found = []
    for clip in clips:
        x = system.frames(clip)
        level = x[:, 0] if system.s.front == "mfcc" else x.mean(axis=1)
        seen = windows(system, x)
        there = np.tile(level >= min(0, level.max()), len(seen) // len(x))
        found.append(seen[there])
    return np.concatenate(found)


def strongest(w: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean response [O], mean [O, pitch, time]) of the windows that excite kernels w most."""
    response = seen.reshape(len(seen), -1) @ w.reshape(len(w), -1).T
    top = np.argsort(-response, axis=0, kind="stable")[:MOST]
    return np.take_along_axis(response, top, axis=0).mean(axis=0), seen[top].mean(axis=0)


def filters(system: System, clips):
    """Kernels of the first convolution, over the mean of the sounds that excite each most."""
    w = system.convolutions[0].weight.numpy()
    w = w[:, :, 0] if w.shape[2] == 1 else w[:, 0]  # [O, pitch, time]; on one axis maps are bands
    response, sounds = strongest(w, loud(system, clips[:HEARD]))
    chosen = np.argsort(-response, kind="stable")[:KERNELS]
    flat = w.shape[1] > w.shape[2]
    fig = pictures.figure(0.52 * len(chosen) + 0.6, 4.2 if flat else 1.9)
    axes = fig.subplots(2, len(chosen), squeeze=False)
    for (top, bottom), i in zip(axes.T, chosen):
        most = max(np.abs(w[i]).max(), 1e-12)
        how = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"}
        top.imshow(w[i], cmap="RdBu_r", vmin=-most, vmax=most, **how)
        bottom.imshow(sounds[i], cmap="magma", vmin=-1.5, vmax=2.5, **how)
    for ax in axes.ravel():
        ax.set_xticks([])
        ax.set_yticks([])
    axes[0, 0].set_ylabel("kernel", fontsize=8)
    axes[1, 0].set_ylabel("sound", fontsize=8)
    fig.suptitle(
        f"first kernels, {w.shape[2]} frames wide, low pitch at the bottom, and the mean of the"
        f" {MOST} sounds that excite each most",
        fontsize=8,
    )
    return fig


# ----------------------------------------------------------------------------- what decides


def probabilities(logits: np.ndarray) -> np.ndarray:
    """The softmax of logits [N, classes], float64."""
    z = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    return z / z.sum(axis=1, keepdims=True)


def forward(system: System, found: list[np.ndarray]) -> np.ndarray:
    """Logits [N, classes] of standardised frames [T_n, F]."""
    x, mask = together(found, 2 ** len(system.s.channels))
    batch = system.on_device(Batch(x, mask=mask))
    with gg.no_grad():
        return system(batch.x, batch.mask).numpy()


def contributions(system: System, x: np.ndarray, label: int) -> np.ndarray:
    """x ∂ logit_label / ∂ x for frames x [T, F]: what each number adds, to first order."""
    padded, mask = together([x], 2 ** len(system.s.channels))
    batch = system.on_device(Batch(padded, mask=mask))
    leaf = gg.Tensor(batch.x, requires_grad=True)
    (g,) = gg.grad([system(leaf, batch.mask)[0, label]], [leaf])
    return x * g.numpy()[: len(x), 0]


def occlusion(system: System, x: np.ndarray, label: int) -> np.ndarray:
    """The probability of `label` lost where frames x [T, F] are covered, [T, F].

    A window of an eighth of the frames and a quarter of the pitch is set to 0, the mean of the
    training frames, at about STEPS x STEPS places; a number has the mean of the windows over it.
    """
    size = [max(1, n // part) for n, part in zip(x.shape, (8, 4))]
    starts = []
    for n, width in zip(x.shape, size):
        last = n - width
        starts.append(np.unique(np.linspace(0, last, min(STEPS, last + 1)).round().astype(int)))
    places = [(i, j) for i in starts[0] for j in starts[1]]
    covered = []
    for i, j in places:
        other = x.copy()
        other[i : i + size[0], j : j + size[1]] = 0
        covered.append(other)
    p = probabilities(forward(system, [x, *covered]))[:, label]
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for (i, j), lost in zip(places, p[0] - p[1:]):
        total[i : i + size[0], j : j + size[1]] += lost
        count[i : i + size[0], j : j + size[1]] += 1
    return total / np.maximum(count, 1)


def reasons(system: System, split, logits: np.ndarray, names, chosen):
    """What decides, over grey spectrograms: gradient times input, and probability lost."""
    fig = pictures.figure(2.1 * len(chosen) + 1.0, 4.6)
    axes = fig.subplots(2, len(chosen), squeeze=False, sharey=True)
    titles = "gradient x input", "probability lost, covered"
    for ax, i in zip(axes.T, chosen):
        x, k = system.frames(split.x[i]), int(logits[i].argmax())
        wrong = "" if k == split.y[i] else f", is {short(names[split.y[i]])}"
        ax[0].set_title(f"heard: {short(names[k])}{wrong}", fontsize=8)
        for part, values in zip(ax, (contributions(system, x, k), occlusion(system, x, k))):
            shown(part, system, x, cmap="gray_r", vmin=-2.5, vmax=4)
            most = max(np.quantile(np.abs(values), 0.995), 1e-12)
            alpha = np.clip(np.abs(values) / most, 0, 1).T ** 0.7
            shown(part, system, values, cmap="RdBu_r", vmin=-most, vmax=most, alpha=0.85 * alpha)
    for row, title in zip(axes, titles):
        pitch_axis(row[0], system)
        row[0].set_ylabel(f"{title}\n{row[0].get_ylabel()}", fontsize=7)
    fig.supxlabel("seconds; red speaks for the answer, blue against it", fontsize=8)
    return fig
