"""Which reader a file or a folder goes to. A table: a new format is one row.

Several formats may share an ending: the first whose `fits` says yes is taken, so that the general
one comes last. ``kind`` chooses among them by hand: ``--read kind=table``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..dataset import DataSet
from ..graph import Graph
from ..special import OneShot, Weights
from ..text import WordEval
from .array_files import from_idx, from_npy, from_npz
from .graphs.edge_list import from_edge_list
from .graphs.gml_file import from_gml
from .graphs.planetoid import GROUPS, PLANETOID, from_groups, from_planetoid
from .graphs.tu_folder import from_tu_folder, is_tu_folder
from .images.image_folder import from_image_folder
from .images.image_npz import (
    DRAWN,
    PARTS,
    RUNS,
    from_drawn,
    from_film,
    from_image_parts,
    from_one_shot,
    is_film,
)
from .images.mnist_folder import from_mnist_folder, is_mnist_folder
from .npz_keys import has
from .recordings.audio_folder import from_audio_folder, looks_like_audio
from .recordings.audio_npz import KEYS as RECORDINGS
from .recordings.audio_npz import from_audio_npz
from .sequences.games import from_games
from .sequences.piano_rolls import from_rolls, looks_like_rolls
from .sequences.sequence_npz import from_sequences_npz, looks_like_sequences
from .sequences.sequence_table import from_sequence_table
from .sequences.series import from_series, looks_like_series
from .tables.counts import KEYS as COUNTS
from .tables.counts import from_counts
from .tables.csv_table import from_csv
from .tables.number_text import looks_like_numbers
from .tables.uci import from_uci
from .texts.pairs import from_pairs, looks_like_pairs
from .texts.sentence_folders import (
    from_class_files,
    from_text_folder,
    looks_like_class_files,
    looks_like_text_folder,
)
from .texts.sentence_lines import (
    from_fasttext,
    from_imdb,
    from_trec,
    looks_like_fasttext,
    looks_like_imdb,
    looks_like_trec,
)
from .texts.sentence_table import from_sentences, looks_like_sentences
from .texts.text_file import from_text
from .texts.trec_folder import from_trec_folder, is_trec_folder
from .texts.word_questions import (
    from_analogies,
    from_scored_words,
    looks_like_analogies,
    looks_like_scored_words,
)
from .weights_file import from_safetensors

TREC = (".txt", ".train", ".test", ".label")  # TREC.train, train_5500.label
FASTTEXT = (".txt", ".train", ".valid", ".test")
PACKED = (".gz", ".bz2")  # endings that say nothing about the content


def always(path: Path) -> bool:
    """What the ending says is enough."""
    return True


def by_hand(path: Path) -> bool:
    """Only ``kind=`` chooses this one: nothing in the file tells it from others."""
    return False


@dataclass(frozen=True)
class Format:
    """One format.

    kind     of the data it holds, as the catalogue names kinds; "table" may turn out binary
    endings  of the file's name, without .gz or .bz2; empty for a folder
    what     in words, for messages
    reader   (path, options) -> the data
    fits     path -> does the content look like it? Reads little, and raises nothing
    memory   about how many bytes the reader takes for each one of the content (of an .npz, of its
             numbers as float32); 0 where the reader itself asks for room
    """

    kind: str
    endings: tuple[str, ...]
    what: str
    reader: Callable[..., DataSet | Graph | OneShot | Weights | WordEval]
    fits: Callable[[Path], bool] = always
    memory: float = 20

    def claims(self, name: str) -> bool:
        """Does the name of a file say that it is of this format?"""
        return unpacked_name(name).endswith(self.endings) if self.endings else False


def unpacked_name(name: str) -> str:
    """The name in lower case, without the ending of a packed file.

    >>> unpacked_name("D.CSV.gz")
    'd.csv'
    """
    name = name.lower()
    return next((name.removesuffix(p) for p in PACKED if name.endswith(p)), name)


SCORED = looks_like_scored_words
FORMATS = (
    Format("series", (".csv", ".tsv"), "quantities over time", from_series, looks_like_series, 0),
    Format("evaluation", (".txt",), "analogies of words", from_analogies, looks_like_analogies),
    Format("evaluation", (".tsv",), "pairs of words with a score", from_scored_words, SCORED),
    Format("sentences", (".tsv",), "IMDb's reviews", from_imdb, looks_like_imdb),
    Format(
        "sentences", (".csv", ".tsv"), "texts in a table", from_sentences, looks_like_sentences, 0
    ),
    Format("sentences", TREC, "questions in TREC's form", from_trec, looks_like_trec),
    Format("sentences", FASTTEXT, "texts in fastText's form", from_fasttext, looks_like_fasttext),
    Format("pairs", (".tsv", ".txt"), "pairs of sentences", from_pairs, looks_like_pairs, 25),
    Format("sequences", (".csv", ".tsv"), "sequences in a table", from_sequence_table, by_hand, 0),
    Format("table", (".csv", ".tsv"), "a table", from_csv, memory=0),
    Format("table", (".data",), "a table of UCI", from_uci, memory=40),
    Format("graph", (".edges", ".edgelist"), "an edge list", from_edge_list),
    Format("graph", (".csv", ".tsv", ".txt"), "an edge list", from_edge_list, by_hand),
    Format("graph", (".gml",), "a graph in GML", from_gml, memory=40),
    Format("graph", (".npz",), "a graph with features", from_planetoid, has(*PLANETOID), 5),
    Format("graph", (".npz",), "a graph with groups", from_groups, has(*GROUPS), 5),
    Format("counts", (".npz",), "counts of words", from_counts, has(*COUNTS, "shape"), 5),
    Format("games", (".npz",), "games", from_games, has("moves", "lengths"), 5),
    Format("images", (".npz",), "drawn characters", from_drawn, has(*DRAWN), 5),
    Format("evaluation", (".npz",), "one-shot runs", from_one_shot, has(*RUNS), 5),
    Format("images", (".npz",), "images in parts", from_image_parts, has(*PARTS), 5),
    Format("images", (".npz",), "a film", from_film, is_film, 5),
    Format("audio", (".npz",), "recordings", from_audio_npz, has(*RECORDINGS), 8),
    Format("sequences", (".npz",), "sequences", from_sequences_npz, looks_like_sequences, 5),
    Format("images", (".npz",), "arrays", from_npz, memory=0),
    Format("images", (".npy",), "an array", from_npy, memory=0),
    Format("images", ("-idx1-ubyte", "-idx3-ubyte"), "an IDX file", from_idx, memory=0),
    Format("table", (".txt",), "a table of numbers", from_csv, looks_like_numbers, 0),
    Format("text", (".txt",), "a text", from_text, memory=0),
    Format("weights", (".safetensors",), "weights", from_safetensors, memory=3),
    Format("graphs", (), "a folder of the TU collection", from_tu_folder, is_tu_folder),
    Format("images", (), "a folder of MNIST's files", from_mnist_folder, is_mnist_folder, 10),
    Format("sequences", (".json",), "piano rolls", from_rolls, looks_like_rolls, 40),
    Format("audio", (), "a folder of recordings", from_audio_folder, looks_like_audio, 8),
    Format("sentences", (), "a folder of TREC's files", from_trec_folder, is_trec_folder),
    Format("sentences", (), "a .neg and a .pos file", from_class_files, looks_like_class_files),
    Format("sentences", (), "a folder of texts", from_text_folder, looks_like_text_folder),
    Format("images", (), "a folder of pictures", from_image_folder, memory=0),
)
