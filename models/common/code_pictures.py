"""What an autoencoder makes of the data, as pictures: filters, activations, reconstructions, codes.

filters          rows of the first weight matrix: what each code looks for
activations      codes of test images, images sorted by class, codes by their mean size; next to
                 them the distribution of the values
reconstructions  images over their reconstructions, and over PCA's with as many components; of
                 other data both errors by column
codes            two codes, or two principal components if there are more, coloured by class;
                 with the share of test images that a linear map of the codes classifies correctly
"""

import numpy as np

from ...core import pictures
from ...core.data import DataSet
from ...core.training.settings import TrainingSettings
from . import row_pictures
from .images import as_images, filter_sheet, has_images
from .labels import labels_of
from .principal import principal


def probe(z: np.ndarray, y: np.ndarray, other: np.ndarray, other_y: np.ndarray) -> float:
    """Share of correct classes when codes z [N, K] with labels y are mapped linearly to classes.

    Ridge regression onto one indicator per class, arg-max, tested on the codes `other`: closed
    form, nothing to tune, the same for every model.

    >>> z = np.array([[0.0], [0.1], [0.9], [1.0]])
    >>> probe(z, np.array([0, 0, 1, 1]), np.array([[0.2], [0.8]]), np.array([0, 1]))
    1.0
    """
    mean = z.mean(axis=0)
    c = (z - mean).astype(np.float64)
    target = np.eye(int(y.max()) + 1)[y]
    gram = c.T @ c
    gram[np.diag_indices_from(gram)] += 1e-3 * max(np.trace(gram) / len(gram), 1e-12)
    w = np.linalg.solve(gram, c.T @ (target - target.mean(axis=0)))
    guess = ((other - mean) @ w + target.mean(axis=0)).argmax(axis=1)
    return float((guess == other_y).mean())


def probed(codes, data: DataSet, most: int = 10_000) -> float | None:
    """`probe` with the codes of a data set's training and test images; None without labels."""
    y, test_y = labels_of(data.train), labels_of(data.test)
    if y is None or test_y is None:
        return None
    z, other = codes(data.train.x[:most]), codes(data.test.x[:most])
    return probe(z, y[:most], other, test_y[:most])


def plane(z: np.ndarray) -> np.ndarray:
    """Two coordinates [N, 2] of codes: themselves, or their first two principal components.

    >>> plane(np.array([[0.0, 1.0, 2.0], [1.0, 1.0, 2.0], [2.0, 1.0, 3.0]])).shape
    (3, 2)
    """
    if z.shape[1] == 2:
        return z
    c = z - z.mean(axis=0)
    _, _, v = np.linalg.svd(c, full_matrices=False)
    c = c @ v[:2].T
    return c if c.shape[1] == 2 else np.pad(c, ((0, 0), (0, 2 - c.shape[1])))


def code_plane(codes, data: DataSet, most: int = 2000):
    """The code plot; its title says how well a linear map of the codes finds the classes."""
    z, right = codes(data.test.x[:most]), probed(codes, data)
    title = "codes" if z.shape[1] == 2 else f"principal components of {z.shape[1]} codes"
    title += "" if right is None else f"\nlinear map of the codes: {right:.1%} of classes right"
    labels = labels_of(data.test)
    axes = "code" if z.shape[1] == 2 else "component"
    fig = pictures.code_plot(plane(z), None if labels is None else labels[:most], title, axes)
    fig.axes[0].title.set_fontsize(9)
    return fig


def by_activity(z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Codes [N, K] with images sorted by class and codes by mean size.

    >>> by_activity(np.array([[1.0, -5.0], [2.0, 6.0]]), np.array([1, 0])).tolist()
    [[6.0, 2.0], [-5.0, 1.0]]
    """
    order = np.arange(len(z)) if labels is None else np.argsort(labels, kind="stable")
    return z[order][:, np.argsort(-np.abs(z).mean(axis=0), kind="stable")]


def activations(z: np.ndarray, labels: np.ndarray | None, title: str = ""):
    """Codes z [N, K] as a matrix, images sorted by class, codes by mean; and a histogram."""
    fig = pictures.figure(7.4, 3.4)
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    shown = left.imshow(
        by_activity(z, labels), aspect="auto", cmap="viridis", interpolation="nearest"
    )
    fig.colorbar(shown, ax=left, shrink=0.8)
    left.set(xlabel="code, the most active first", ylabel="sample, by class", title=title)
    left.xaxis.get_major_locator().set_params(integer=True)
    left.title.set_fontsize(9)
    right.hist(z.ravel(), bins=60, color=pictures.INK)
    right.set_yscale("log")
    quiet = (np.abs(z) <= 0.1).mean()
    right.set_title(f"values; {quiet:.0%} within 0.1 of 0", fontsize=9)
    right.set(xlabel="code", ylabel="how often")
    return fig


def mean_error(y: np.ndarray, x: np.ndarray) -> float:
    """‖y - x‖² per row, the mean: y, x [N, D].

    >>> mean_error(np.zeros((2, 3)), np.ones((2, 3)))
    3.0
    """
    return float(((y - x) ** 2).sum(axis=1).mean())


def comparison(system, data: DataSet, n: int = 12):
    """Test images, their reconstructions, and PCA's with as many components (below full rank).

    Of data that are no images: the errors of both by column.
    """
    x = data.test.x[: n if has_images(data) else 500]
    x = x.reshape(len(x), -1)
    y, k = system.reconstruct(x), system.codes(x[:1]).shape[1]
    if not has_images(data):
        return _by_column(x, y, k, data)
    sheets = [x, y]
    title = f"data / reconstruction from {k} codes ({mean_error(y, x):.2f} per image)"
    if k < min(x.shape[1], len(data.train)):
        u, mean = principal(data.train.x.reshape(len(data.train), -1), k, centred=True)
        p = (x - mean) @ u @ u.T + mean
        sheets.append(p.astype(x.dtype))
        title += f" / PCA-{k} ({mean_error(p, x):.2f})"
    return pictures.image_sheet(as_images(np.concatenate(sheets), data), len(x), title)


def _by_column(x, y, k: int, data: DataSet):
    others, train = {f"from {k} codes": y}, data.train.x
    if k < min(train.shape):
        u, mean = principal(train, k, centred=True)
        others[f"PCA-{k}"] = (x - mean) @ u @ u.T + mean
    return row_pictures.column_errors(x, others, data, f"errors of {len(x)} test rows, by column")


def of_codes(codes, data: DataSet, most: int = 500) -> dict:
    """`activations` and `codes` of a function from samples to codes [N, K], for any data."""
    z, y = codes(data.test.x[:most]), labels_of(data.test)
    what = "images" if data.train.x.ndim == 4 else "samples"
    title = f"{z.shape[1]} codes of {len(z)} test {what}"
    return {
        "activations": activations(z, None if y is None else y[:most], title),
        "codes": code_plane(codes, data),
    }


def figures(system, data: DataSet, s: TrainingSettings) -> dict:
    """The figures of this page for an autoencoder (encoder_decoder.py), the first layer linear."""
    weights = system.encoder[0].weight.numpy()
    return {
        **of_codes(system.codes, data),
        "reconstructions": comparison(system, data),
        "filters": filter_sheet(weights, data, "rows of the first weight matrix"),
    }
