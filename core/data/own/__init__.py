"""Data of one's own: a file or a folder, read by what it is.

    path                                    becomes
    tables/
      .csv, .tsv, .txt of numbers           a table, or binary rows             csv_table.py
      .data                                 a table of the UCI repository       uci.py
      .npz as 20news's                      counts of words                     counts.py
    images/
      a folder of pictures                  images, a sub-folder a class        image_folder.py
      a folder of MNIST's four files        images                              mnist_folder.py
      .npz as other sets of images          images, characters, a film          image_npz.py
    texts/
      .txt                                  a text, in characters or words      text_file.py
      .csv, .tsv with a column of texts     sentences                           sentence_table.py
      .txt, .train, .test, .tsv.bz2 as      sentences                           sentence_lines.py
        fastText's, TREC's, IMDb's
      a folder of .train and .test as TREC's, of .txt in sub-folders, or of     trec_folder.py
        *.neg and *.pos                     sentences                           sentence_folders.py
      .tsv, .txt: source, tab, target       pairs of sentences                  pairs.py
      .txt of analogies, .tsv of scores     an evaluation of word vectors       word_questions.py
    sequences/
      .csv, .tsv that begins with dates     a series                            series.py
      .csv, .tsv with sequence=COLUMN       sequences                           sequence_table.py
      .npz with lengths, or x_0, x_1 …      sequences                           sequence_npz.py
      .json as JSB's chorales               sequences: piano rolls              piano_rolls.py
      .npz of moves and lengths             games                               games.py
    recordings/
      a folder of .wav                      recordings, a sub-folder a class    audio_folder.py
      .npz as fsdd's                        recordings                          audio_npz.py
    graphs/
      .edges, .edgelist; with kind=graph    a graph                             edge_list.py
        also .txt, .csv, .tsv
      .gml                                  a graph                             gml_file.py
      .npz as cora's and blogcatalog's      a graph                             planetoid.py
      a folder of the TU collection         graphs, as MUTAG                    tu_folder.py
    .npz, .npy, MNIST's IDX                 a table, binary rows or images      array_files.py
    .safetensors                            the weights of a network            weights_file.py
    a folder of train.csv, test.csv …       splits of one of the others

Each may be packed (.gz, .bz2) except .npz, .npy, .safetensors, pictures and recordings. `read`, in
reading.py, looks the reader up in formats.py; what it took the path for is in ``info.understood``.
Imports run from formats.py to the folders, and from them to the other files here, which they share.
"""

from .arrays import from_arrays
from .digest import digest
from .formats import FORMATS
from .kind_of import kind_of
from .reading import from_folder, looks_like_path, read, read_alike, read_whole
from .tables.csv_table import from_csv
from .texts.text_file import from_text

__all__ = [
    "FORMATS",
    "digest",
    "from_arrays",
    "from_csv",
    "from_folder",
    "from_text",
    "kind_of",
    "looks_like_path",
    "read",
    "read_alike",
    "read_whole",
]
