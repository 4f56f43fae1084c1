"""Music: piano rolls, a list of float32 [T_n, 88], one row per quarter note."""

from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError
from .own.sequences.piano_rolls import NAMES, parse_rolls
from .own.splits import SPLITS
from .read import decode, read_bytes


def jsb_chorales(data_dir=None) -> DataSet:
    """Bach's chorales, one row per quarter note: 229 / 76 / 77 pieces, no labels.

    x[n][t, k] = 1 where key k (MIDI pitch 21 + k) sounds. The model predicts x[n][t+1] from
    x[n][: t+1]. Source: split of Boulanger-Lewandowski, Bengio, Vincent 2012.
    """
    file = FILES["jsb_chorales/jsb-chorales-quarter.json"]
    pieces = parse_rolls(decode(read_bytes(file, data_dir), file.path), file.path)
    for part in SPLITS:
        if part not in pieces:
            raise DataError(
                f"{file.path}: not an object of train, valid, test: {part!r} is missing"
            )
    splits = [Split(pieces[part]) for part in SPLITS]
    info = Info(
        str(find(file, data_dir).parent),
        feature_names=NAMES,
        note="official split; one step is a quarter note",
    )
    return DataSet("jsb_chorales", *splits, info)
