"""Sets without a download: pieces that ship with the package, generated problems. A table."""

from .canon_pieces import FSDD, SHAKESPEARE, TATOEBA, WIKIPEDIA
from .entries import OURS, SKLEARN, Entry

READY = {
    # pieces of larger sets
    "shakespeare_piece": Entry(
        "text",
        "299,868 characters of Shakespeare, 62 kinds (0.3 MB)",
        "sets_pieces:shakespeare_piece",
        "public domain",
        SHAKESPEARE,
        "shakespeare_piece",
    ),
    "enwiki_piece": Entry(
        "text",
        "114 Wikipedia articles on countries, 260,145 words (0.5 MB)",
        "sets_pieces:enwiki_piece",
        "CC BY-SA 3.0",
        WIKIPEDIA,
        "enwiki_piece",
    ),
    "enwiki_subjects": Entry(
        "sentences",
        "13,009 pieces of these articles, 2 subjects (0.5 MB)",
        "sets_pieces:enwiki_subjects",
        "CC BY-SA 3.0",
        WIKIPEDIA,
        "enwiki_piece",
    ),
    "enwiki_or_shakespeare": Entry(
        "sentences",
        "5,124 pieces of Wikipedia or Shakespeare, in words that both use (0.8 MB)",
        "sets_authors:enwiki_or_shakespeare",
        "CC BY-SA 3.0; public domain",
        WIKIPEDIA,
        "enwiki_piece",
    ),
    "eng_fra_piece": Entry(
        "pairs",
        "11,822 English and French sentences of PyTorch's tutorial (0.2 MB)",
        "sets_pairs:eng_fra_piece",
        "CC BY 2.0 FR (tatoeba.org, manythings.org/anki)",
        TATOEBA,
        "eng_fra_piece",
    ),
    "fsdd_piece": Entry(
        "audio",
        "300 spoken digits, 6 speakers (1.3 MB)",
        "sets_audio:fsdd_piece",
        "CC BY-SA 4.0",
        FSDD,
        "fsdd_piece",
    ),
    # generated
    "adding": Entry(
        "sequences",
        "the adding problem",
        "synthetic:adding",
        OURS,
        "Hochreiter & Schmidhuber 1997",
    ),
    "temporal_order": Entry(
        "sequences",
        "the temporal order problem, 4 or 8 classes",
        "synthetic:temporal_order",
        OURS,
        "Hochreiter & Schmidhuber 1997",
    ),
    "mackey_glass": Entry(
        "series",
        "the Mackey-Glass equation, chaotic, 3000 steps",
        "synthetic_delay:mackey_glass",
        OURS,
        "Mackey & Glass 1977; Lapedes & Farber 1987",
    ),
    "embedded_reber": Entry(
        "sequences",
        "strings of the embedded Reber grammar",
        "grammars:embedded_reber",
        OURS,
        "Hochreiter & Schmidhuber 1997",
    ),
    "counting": Entry(
        "sequences",
        "a^n b^n or a^n b^n c^n",
        "grammars:counting",
        OURS,
        "Gers & Schmidhuber 2001",
    ),
    "cadences": Entry(
        "sequences",
        "tunes for four voices, chords of a major key, as rolls of 88 keys",
        "synthetic_cadences:cadences",
        OURS,
        "",
    ),
    "tones": Entry(
        "audio",
        "tones of 3 waveforms or 8 pitches in noise, 8 kHz",
        "synthetic_tones:tones",
        OURS,
        "",
    ),
    "opinions": Entry(
        "sentences",
        "opinions on films in which the order of the words decides, 2 classes",
        "synthetic_opinions:opinions",
        OURS,
        "",
    ),
    "rings_and_trees": Entry(
        "graphs",
        "graphs with or without a ring, alike in nodes and edges, 2 classes",
        "synthetic_graphs:rings_and_trees",
        OURS,
        "",
    ),
    "go_5x5": Entry(
        "games",
        "games of Go on 5x5 points by a simple player",
        "synthetic_go:go_5x5",
        OURS,
        "",
    ),
    # distributions that are known exactly
    "normal": Entry("table", "32,000 draws of N(-1, 1)", "toys:normal", OURS, "E. Jang 2016"),
    "ring": Entry(
        "table", "11,000 points of 8 normals on a circle", "toys:ring", OURS, "Metz et al. 2017"
    ),
    "moons": Entry(
        "table", "11,000 points on two half circles, 2 classes", "toys:moons", OURS, SKLEARN
    ),
    "lupi_clean_labels": Entry(
        "table",
        "rows x 50, privileged: label without noise, 2 classes",
        "synthetic_lupi:lupi_clean_labels",
        OURS,
        "Lopez-Paz, Bottou, Schölkopf & Vapnik 2016",
    ),
    "lupi_clean_features": Entry(
        "table",
        "rows x 50, privileged: columns without noise, 2 classes",
        "synthetic_lupi:lupi_clean_features",
        OURS,
        "Lopez-Paz, Bottou, Schölkopf & Vapnik 2016",
    ),
    "lupi_relevant": Entry(
        "table",
        "rows x 50, privileged: the 3 columns that matter, 2 classes",
        "synthetic_lupi:lupi_relevant",
        OURS,
        "Lopez-Paz, Bottou, Schölkopf & Vapnik 2016",
    ),
    "lupi_relevant_each": Entry(
        "table",
        "rows x 50, privileged: the 3 columns that matter in a row, 2 classes",
        "synthetic_lupi:lupi_relevant_each",
        OURS,
        "Lopez-Paz, Bottou, Schölkopf & Vapnik 2016",
    ),
    "lupi_other_relevant": Entry(
        "table",
        "rows x 50, privileged: 3 columns that matter in a split, 2 classes",
        "synthetic_lupi:lupi_other_relevant",
        OURS,
        "Lopez-Paz, Bottou, Schölkopf & Vapnik 2016",
    ),
    "glyphs": Entry(
        "images",
        "100 characters of three curves, 20 drawings 16x16 of each",
        "synthetic_glyphs:glyphs",
        OURS,
        "in the manner of Omniglot",
    ),
    "shared_tasks": Entry(
        "table",
        "16 regressions on 12 columns that share 2 directions, 24 rows each",
        "synthetic_tasks:shared_tasks",
        OURS,
        "",
    ),
    "heated_plate": Entry(
        "table",
        "800 runs of a simulator of heat in a plate, 6 parameters, 25 temperatures",
        "synthetic_heat:heated_plate",
        OURS,
        "",
    ),
}
