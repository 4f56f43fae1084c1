"""Pictures of a translator: where it looks while it writes, and what it writes."""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.system import Batch
from ..common.names import short
from .bleu import by_source
from .sequence_pictures import page

ALIGNED, LISTED = 4, 10  # sentences
LEAST = 4  # words of a sentence whose alignment is shown


def figures(system, data: DataSet, s) -> dict:
    """Alignments, if there is attention; translations next to the references."""
    sources, references = by_source(data.test)
    found = {"translations": translations(system, data, sources[:LISTED], references[:LISTED])}
    long = [x for x in sources if len(x) >= LEAST][:ALIGNED]
    if s.attention == "product" and long:
        found = {"alignments": alignments(system, data, long), **found}
    return found


def vocabularies(data: DataSet):
    """(of the source, of the target)."""
    return data.info.vocabulary, data.info.extra["target_vocabulary"]


def alignments(system, data: DataSet, sources: list[np.ndarray]):
    """For each word that is written (a row) the shares of the words that were read."""
    source, target = vocabularies(data)
    fig = pictures.figure(7.6, 3.3 * -(-len(sources) // 2))
    axes = fig.subplots(-(-len(sources) // 2), 2, squeeze=False).ravel()
    for ax, x, words in zip(axes, sources, system.translate(sources)):
        y = np.array([system.mark["<bos>"], *words, system.mark["<eos>"]])[:, None]
        share = system.look(*(system.on_device(Batch(a)).x for a in (x[:, None], y)))[0]
        ax.imshow(share, cmap="gray_r", vmin=0, vmax=1, aspect="auto")
        read, written = source.decode(x), [*target.decode(words), "<eos>"]
        ax.set_xticks(range(len(read)), [short(w) for w in read], rotation=40, ha="right")
        ax.set_yticks(range(len(written)), [short(w) for w in written])
    for ax in axes[len(sources) :]:
        ax.axis("off")
    fig.suptitle("where the decoder looks (columns) for each word that it writes (rows)", size=10)
    return fig


def translations(system, data: DataSet, sources: list[np.ndarray], references: list):
    """Sources, what the net writes, and one that a person wrote."""
    source, target = vocabularies(data)
    lines = []
    for x, ours, theirs in zip(sources, system.translate(sources), references):
        same = any(list(ours) == list(t) for t in theirs)
        lines += [
            f"  {' '.join(source.decode(x))}",
            f"{'=' if same else '~'} {' '.join(target.decode(ours))}",
            *([] if same else [f"  reference: {' '.join(target.decode(theirs[0]))}"]),
            "",
        ]
    return page("\n".join(lines[:-1]))
