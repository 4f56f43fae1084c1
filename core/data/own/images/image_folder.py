"""A folder of pictures as a data set: one sub-folder a class, sizes and channels made equal."""

import contextlib
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from ....regular import open_regular
from ...dataset import DataSet, Info, Split
from ...files import FILE_LIMIT, DataError
from ...room import expect_room
from .. import folders
from ..lines import counted
from ..splits import SPLITS, seeded, untrained

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
)
PIXELS = 50_000_000  # of one picture, at most
BYTES = 2 << 30  # of all of them, as float32
DEEP = {"I;16": 65535, "I;16B": 65535, "I;16L": 65535}  # modes of 16 bits -> white


def from_image_folder(
    path: str | Path, size: int | tuple[int, int] | None = None, seed: int = 0,
    channels: int | None = None,
) -> DataSet:  # fmt: skip
    """Pictures in sub-folders, one a class, as x float32 [N, C, H, W] in [0, 1] and y the class.

    path    ``path/CLASS/picture.png``; or ``path/train/CLASS/…``, ``path/test/CLASS/…`` (and
            valid), which is then the split; pictures right in `path` have no labels
    size    (height, width), or one number for both; by default the commonest size there is. Other
            pictures are stretched to it
    seed    of the split where the folders do not say one: a tenth for validation, a fifth for test
    channels  1 for grey, 3 for colours; by default grey where all files are, otherwise colours

    What is transparent is black. Files of other types are counted and left out. Raises DataError,
    with the file, for a picture that cannot be read or is absurdly large.
    """
    root = Path(path)
    parts, other = folders.find(root, SUFFIXES)
    files = [file for found in parts.values() for file, _ in found]
    if not files:
        raise DataError(f"{root} holds no pictures ({', '.join(sorted(SUFFIXES))})")
    folders.check_train(root, parts)
    if channels not in (None, 1, 3):
        raise DataError(f"channels must be 1 or 3; got {channels!r:.60}")
    sizes, coloured = _look(files)
    height, width = _size(size) if size is not None else _commonest(sizes)
    channels = channels or (3 if coloured else 1)
    turned = coloured if channels == 1 else 0 if coloured else len(files)
    total = 4 * len(files) * channels * height * width
    if total > BYTES:
        raise DataError(
            f"{root}: {len(files)} pictures of {channels} x {height} x {width} take"
            f" {total / 2**30:.1f} GiB, at most {BYTES >> 30} are read; give a smaller size"
        )
    expect_room(root, 2 * total, f"{len(files)} pictures of {channels} x {height} x {width}")
    classes = tuple(sorted({name for found in parts.values() for _, name in found if name}))
    splits = {
        part: _split(found, classes, channels, height, width) for part, found in parts.items()
    }
    if "" in splits:
        parts, how = seeded("from_folder", root, "pictures", splits[""], seed)
        splits = {p: part for p, part in zip(SPLITS, parts) if part is not None}
    else:
        how = "split as the folders say: " + ", ".join(f"{p} {len(s)}" for p, s in splits.items())
    stretched = sum(n for s, n in sizes.items() if s != (height, width))
    kinds = counted(len(classes), "class", "classes") if classes else "no classes"
    understood = [
        f"{len(files)} pictures in {kinds}"
        + (f" ({', '.join(classes[:12])}{' …' if len(classes) > 12 else ''})" if classes else ""),
        f"{'grey' if channels == 1 else 'colours'}, {height} x {width}"
        + (f"; {stretched} of another size stretched to it" if stretched else "")
        + (f"; {turned} made {'grey' if channels == 1 else 'colours'}" if turned else ""),
        *untrained(classes, [splits.get(p) for p in SPLITS]),
        *other,
        how,
    ]
    info = Info(
        source=str(root), classes=classes, image_shape=(channels, height, width), note=how,
        kind="images", understood=tuple(understood),
    )  # fmt: skip
    return DataSet(root.resolve().name, *(splits.get(p) for p in SPLITS), info)


@contextlib.contextmanager
def _open(file: Path):
    """The picture in a file; whatever goes wrong inside the block is said with the file's name."""
    from PIL import Image

    with open_regular(file, FILE_LIMIT, DataError) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's word on large pictures; ours is below
        try:
            with Image.open(stream) as image:
                if image.width * image.height > PIXELS:
                    raise DataError(f"{file}: {image.width} x {image.height} pixels are too many")
                yield image
        except DataError:
            raise
        except Exception as error:  # Pillow raises a dozen kinds for a damaged picture
            why = " ".join(str(error).split("<_io")[0].split())
            raise DataError(f"{file} is no picture that can be read: {why:.200}") from None


def _look(files: list[Path]) -> tuple[Counter, int]:
    """How often each (height, width) comes, and how many have colours; from the headers alone."""
    sizes, coloured = Counter(), 0
    for file in files:
        with _open(file) as image:
            sizes[image.height, image.width] += 1
            coloured += image.mode not in ("1", "L", "LA", "I", "F", *DEEP)
    return sizes, coloured


def _commonest(sizes: Counter) -> tuple[int, int]:
    most = max(sizes.values())
    return min(size for size, n in sizes.items() if n == most)


def _size(size) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(isinstance(n, int) and n >= 1 for n in pair):
        raise DataError(f"size must be a number of pixels, or (height, width); got {size!r}")
    return pair


def _pixels(file: Path, channels: int, height: int, width: int) -> np.ndarray:
    """One picture [C, H, W] in [0, 1]."""
    from PIL import Image

    with _open(file) as image:
        if image.mode in ("I", "F", *DEEP):
            white = DEEP.get(image.mode, 65535 if image.mode == "I" else 1)
            image = image.convert("F").point(lambda v: v * (255 / white)).convert("L")
        if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
            image = image.convert("RGBA")
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image)
        image = image.convert("L" if channels == 1 else "RGB")
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        x = np.asarray(image, np.float32) / np.float32(255)
    return x[None] if channels == 1 else x.transpose(2, 0, 1)


def _split(found, classes, channels, height, width) -> Split:
    x = np.empty((len(found), channels, height, width), np.float32)
    for i, (file, _) in enumerate(found):
        x[i] = _pixels(file, channels, height, width)
    y = np.array([classes.index(name) for _, name in found], np.int64) if classes else None
    return Split(x, y)
