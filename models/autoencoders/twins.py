"""What a penalty does: a net next to its twin, the same net trained without it.

A trained net differs from an untrained one in everything. Its twin differs in one thing: it has the
same initial weights, the same batches and as many steps, but λ = 0 (or no noise). Two rows of the
same pictures (filters, activations, distribution of the values) then compare them.
"""

from dataclasses import replace

import numpy as np

from ... import core as gg
from ...core import pictures
from ...core.data import DataSet
from ...core.training.loop import fit
from ..common import row_pictures
from ..common.code_pictures import by_activity, labels_of, mean_error, probed
from ..common.encoder_decoder import AutoencoderSettings
from ..common.images import as_images, filters_of, has_images

MOST = 2000  # steps for a picture: all of them on small data, the first epochs on large data


def twin(build, system, data: DataSet, s: AutoencoderSettings, **without):
    """(the trained system that `build` makes from the settings with those changes, its name).

    It takes as many steps as `system` did with the settings s, but at most about 2000; if there
    are fewer, the name says how many epochs.
    """
    own = replace(s, select="", **without)
    other = build(data, own, gg.Generator(s.seed))
    each = max(1, other.batches_per_epoch(data, s.batch))
    whole = round(s.epochs * system.batches_per_epoch(data, s.batch) / each)
    epochs = min(whole, max(1, MOST // each))
    fit(other, data, replace(own, epochs=epochs))
    short = "" if epochs == whole else f", {epochs} epochs instead of {whole}"
    return other, f"without{short}"


def beside(pairs: list, data: DataSet, most: int = 500):
    """Rows of pictures for (system, name) pairs: filters, activations, distribution of the values.

    The title of a row: squared error per image, share of the codes above 0.1 in magnitude, share
    of test images that a linear map of the codes classifies correctly.
    """
    x, y = data.test.x[:most], labels_of(data.test)
    codes = [system.codes(x) for system, _ in pairs]
    # the same axes and colours in all rows
    top = max(float(np.abs(z).max()) for z in codes)
    low = min(0.0, *(float(z.min()) for z in codes))
    fig = pictures.figure(9.6, 3.0 * len(pairs))
    axes = fig.subplots(len(pairs), 3, width_ratios=(1, 1.2, 0.9), squeeze=False)
    for (left, middle, right), (system, name), z in zip(axes, pairs, codes):
        weights = filters_of(system.encoder[0].weight.numpy(), data)[:48]
        if has_images(data):
            sheet = pictures.tile(as_images(weights, data), 8, fill=0.0)
            left.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
            left.set_axis_off()
        else:  # a row for each weight vector, a column for each of the data
            row_pictures.draw(left, 2 * weights - 1)
            left.set(xlabel="column of the data", ylabel="weights of a code")
        shown = by_activity(z, None if y is None else y[:most])
        middle.imshow(shown, aspect="auto", vmin=low, vmax=top, interpolation="nearest")
        middle.set(xlabel="code, the most active first", ylabel="sample, by class")
        right.hist(z.ravel(), bins=np.linspace(low, top, 61), color=pictures.INK)
        right.set(yscale="log", ylim=(0.5, None), xlabel="code", ylabel="how often")
        error = mean_error(system.reconstruct(x), x.reshape(len(x), -1))
        right_part = probed(system.codes, data)
        known = "" if right_part is None else f"; linear map {right_part:.1%} right"
        left.set_title(f"{name}: error {error:.2f}", fontsize=9)
        active = float((np.abs(z) > 0.1).mean())
        middle.set_title(f"{active:.0%} of the codes above 0.1{known}", fontsize=9)
    return fig
