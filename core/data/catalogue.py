"""Every data set by name: its content, its licence, and the function that loads it. A table.

Sets that no machine has to fetch are in `catalogue_ready`.
"""

from .canon import RAW, UCI
from .canon_pieces import FSDD, TATOEBA
from .catalogue_ready import READY
from .entries import BUNDLED, RESEARCH, SKLEARN, Entry

CATALOGUE = {
    # bundled with scikit-learn: real data on every machine
    "digits": Entry(
        "images", "1797 digits 8x8, 10 classes", "sets_sklearn:digits", BUNDLED, SKLEARN
    ),
    "iris": Entry("table", "150 flowers x 4, 3 classes", "sets_sklearn:iris", BUNDLED, SKLEARN),
    "wine": Entry("table", "178 wines x 13, 3 classes", "sets_sklearn:wine", BUNDLED, SKLEARN),
    "breast_cancer": Entry(
        "table", "569 tumours x 30, 2 classes", "sets_sklearn:breast_cancer", BUNDLED, SKLEARN
    ),
    "diabetes": Entry(
        "table", "442 patients x 10, 1 target", "sets_sklearn:diabetes", BUNDLED, SKLEARN
    ),
    "linnerud": Entry("table", "20 men x 3, 3 targets", "sets_sklearn:linnerud", BUNDLED, SKLEARN),
    "china": Entry(
        "images", "patches of a photograph 427x640", "sets_sklearn:china", "CC BY 2.0", SKLEARN
    ),
    "flower": Entry(
        "images", "patches of a photograph 427x640", "sets_sklearn:flower", "CC BY 2.0", SKLEARN
    ),
    "photographs": Entry(
        "images",
        "colour patches of two photographs, 2 classes",
        "sets_sklearn:photographs",
        "CC BY 2.0",
        SKLEARN,
    ),
    # images
    "mnist": Entry(
        "images",
        "70,000 digits 28x28, 10 classes (11.6 MB)",
        "sets_images:mnist",
        "usually given as CC BY-SA 3.0",
        "http://yann.lecun.com/exdb/mnist/",
        "mnist",
    ),
    "fashion_mnist": Entry(
        "images",
        "70,000 clothes 28x28, 10 classes (30.9 MB)",
        "sets_images:fashion_mnist",
        "MIT",
        "https://github.com/zalandoresearch/fashion-mnist, Debian: dataset-fashion-mnist",
        "fashion_mnist",
    ),
    "frey_faces": Entry(
        "images",
        "1965 video frames 28x20 of one face (1.0 MB)",
        "sets_images:frey_faces",
        "courtesy of Brendan Frey, " + RESEARCH,
        "https://cs.nyu.edu/~roweis/data/frey_rawface.mat",
        "frey_faces",
    ),
    "omniglot": Entry(
        "images",
        "2720 characters 105x105, 136 classes (0.4 MB)",
        "sets_images:omniglot",
        "MIT; cite Lake et al. 2015",
        "https://github.com/brendenlake/omniglot",
        "omniglot",
        ("omniglot_background_small1.npz",),
    ),
    "omniglot_one_shot": Entry(
        "evaluation",
        "20 one-shot runs of 20 + 20 characters 105x105 (0.1 MB)",
        "sets_images:omniglot_one_shot",
        "MIT; cite Lake et al. 2015",
        "https://github.com/brendenlake/omniglot",
        "omniglot",
        ("omniglot_one_shot_runs.npz",),
    ),
    "cifar10_jpeg_subset": Entry(
        "images",
        "6000 colour pictures 32x32 from JPEG copies, 10 classes (17.1 MB)",
        "sets_images:cifar10_jpeg_subset",
        "none stated; cite Krizhevsky 2009",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        "cifar10_jpeg_subset",
    ),
    # tables
    "house_votes_84": Entry(
        "table",
        "435 members x 16 votes, 2 parties (0.03 MB)",
        "sets_tables:house_votes_84",
        "CC BY 4.0; cite Schlimmer 1987",
        UCI + "/voting-records/",
        "house_votes_84",
    ),
    "iris_uci": Entry(
        "table",
        "150 flowers x 4, 3 classes, with UCI's typing errors (5 kB)",
        "sets_tables:iris_uci",
        "CC BY 4.0",
        UCI + "/iris/",
        "iris",
    ),
    "binary_mushrooms": Entry(
        "binary",
        "8124 mushrooms x 112 binary variables (0.1 MB)",
        "sets_tables:binary_mushrooms",
        "CC BY 4.0",
        RAW + "/mgermain/MADE/master/datasets/mushrooms.npz",
        "binary_mushrooms",
    ),
    # texts
    "tinyshakespeare": Entry(
        "text",
        "1,115,394 characters, 65 kinds (1.1 MB)",
        "sets_text:tinyshakespeare",
        "public domain",
        RAW + "/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "tinyshakespeare",
    ),
    "ptb": Entry(
        "text",
        "1,085,779 words, 10,000 kinds (2.0 MB)",
        "sets_text:ptb",
        "derived from LDC99T42 (LDC licence), " + RESEARCH,
        "http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
        "ptb",
    ),
    "rt_polarity": Entry(
        "sentences",
        "10,662 movie-review sentences, 2 classes (1.2 MB)",
        "sets_text:rt_polarity",
        RESEARCH + "; cite Pang & Lee 2005",
        "http://www.cs.cornell.edu/people/pabo/movie-review-data/",
        "rt_polarity",
    ),
    "trec": Entry(
        "sentences",
        "5952 questions, 6 or 50 classes (0.4 MB)",
        "sets_text:trec",
        RESEARCH + "; cite Li & Roth 2002",
        "https://cogcomp.seas.upenn.edu/Data/QA/QC/",
        "trec",
    ),
    "ag_news": Entry(
        "sentences",
        "7600 news articles, 4 classes, test file only (0.7 MB)",
        "sets_text:ag_news",
        "non-commercial research",
        RAW + "/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/",
        "ag_news",
    ),
    "imdb": Entry(
        "sentences",
        "50,000 film reviews, 2 classes (19.0 MB)",
        "sets_text:imdb",
        "none stated, " + RESEARCH + "; cite Maas et al. 2011",
        "https://ai.stanford.edu/~amaas/data/sentiment/",
        "imdb",
    ),
    "word_eval": Entry(
        "evaluation",
        "19,544 analogies, 353 scored pairs of words (0.6 MB)",
        "sets_text:word_eval",
        "Apache-2.0 (analogies), CC BY 4.0 (WordSim-353)",
        "http://download.tensorflow.org/data/questions-words.txt",
        "word_eval",
    ),
    "enwiki_a": Entry(
        "text",
        "5724 Wikipedia articles, 16.9 million words (32.5 MB)",
        "sets_text:enwiki_a",
        "CC BY-SA 3.0",
        "https://dumps.wikimedia.org/enwiki/",
        "enwiki_a",
        ("enwiki_a.txt.gz",),
    ),
    # series
    "sunspots": Entry(
        "series",
        "sunspots a month since 1749, 3285 months (0.1 MB)",
        "sets_series:sunspots",
        "CC BY-NC 4.0, WDC-SILSO, Royal Observatory of Belgium, Brussels",
        "https://www.sidc.be/SILSO/DATA/SN_m_tot_V2.0.csv",
        "time_series",
        ("SN_m_tot_V2.0.csv",),
    ),
    "sunspots_zurich": Entry(
        "series",
        "sunspots a month 1749 … 1983 on the older scale, 2820 months (45 kB)",
        "sets_series:sunspots_zurich",
        "none stated; cite Andrews & Herzberg 1985",
        RAW + "/jbrownlee/Datasets/master/monthly-sunspots.csv",
        "time_series",
        ("monthly-sunspots.csv",),
    ),
    "co2": Entry(
        "series",
        "CO2 a week at Mauna Loa 1958 … 2001, 2284 weeks (34 kB)",
        "sets_series:co2",
        "public domain; cite Keeling & Whorf 2004",
        "https://www.statsmodels.org/stable/datasets/generated/co2.html",
        "time_series",
        ("co2.csv",),
    ),
    "airline": Entry(
        "series",
        "airline passengers a month 1949 … 1960, 144 months (2 kB)",
        "sets_series:airline",
        "none stated; cite Box & Jenkins 1976",
        RAW + "/jbrownlee/Datasets/master/airline-passengers.csv",
        "time_series",
        ("airline-passengers.csv",),
    ),
    "eng_fra": Entry(
        "pairs",
        "142,787 pairs of English and French sentences (2.9 MB)",
        "sets_pairs:eng_fra",
        "CC BY 2.0 FR (tatoeba.org, manythings.org/anki)",
        TATOEBA,
        "eng_fra",
    ),
    # recordings
    "fsdd": Entry(
        "audio",
        "3000 spoken digits, 6 speakers (12.8 MB)",
        "sets_audio:fsdd",
        "CC BY-SA 4.0",
        FSDD,
        "fsdd",
    ),
    # sequences
    "jsb_chorales": Entry(
        "sequences",
        "382 chorales as rolls of 88 keys (0.4 MB)",
        "sets_sequences:jsb_chorales",
        "none stated, " + RESEARCH,
        RAW + "/czhuang/JSB-Chorales-dataset/master/jsb-chorales-quarter.json",
        "jsb_chorales",
    ),
    # graphs
    "cora": Entry(
        "graph",
        "2708 papers, 5278 citations, 7 classes (0.1 MB)",
        "sets_graphs:cora",
        RESEARCH + " (repository MIT)",
        "https://github.com/kimiyoung/planetoid",
        "cora",
    ),
    "blogcatalog": Entry(
        "graph",
        "10,312 bloggers, 333,983 friendships, 39 groups (0.7 MB)",
        "sets_graphs:blogcatalog",
        RESEARCH + "; cite Tang & Liu 2009",
        "http://leitang.net/code/social-dimension/data/blogcatalog.mat",
        "blogcatalog",
    ),
    "karate": Entry(
        "graph",
        "34 members, 78 friendships, 2 clubs (4 kB)",
        "sets_graphs:karate",
        "free; cite Zachary 1977",
        "http://www-personal.umich.edu/~mejn/netdata/karate.zip",
        "small_graphs",
        ("karate.gml", "karate_club_labels.txt"),
    ),
    "lesmis": Entry(
        "graph",
        "77 characters, 254 weighted edges (18 kB)",
        "sets_graphs:lesmis",
        "free; cite Knuth 1993",
        "http://www-personal.umich.edu/~mejn/netdata/lesmis.zip",
        "small_graphs",
        ("lesmis.gml",),
    ),
    "mutag": Entry(
        "graphs",
        "188 molecules, 2 classes (0.1 MB)",
        "sets_graphs:mutag",
        "free for research; cite Debnath et al. 1991",
        "https://www.chrsmrrs.com/graphkerneldatasets/MUTAG.zip",
        "mutag",
    ),
    # counts, games, weights
    "20news": Entry(
        "counts",
        "18,846 posts x 2000 words, 20 groups, by date (1.4 MB)",
        "sets_counts:twenty_news",
        "none stated, " + RESEARCH + "; cite Lang 1995",
        "http://qwone.com/~jason/20Newsgroups/",
        "20news",
    ),
    "go": Entry(
        "games",
        "8506 games of Go on 19x19, 1,847,853 moves (2.2 MB)",
        "sets_games:go",
        "none stated, " + RESEARCH,
        "https://github.com/yenw/computer-go-dataset",
        "go",
    ),
    "efficientnet_lite0": Entry(
        "weights",
        "a network for ImageNet, 247 tensors, 1000 classes (19.4 MB)",
        "sets_weights:efficientnet_lite0",
        "Apache-2.0; class names MIT; pictures CC0 and CC BY 2.0",
        "https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite",
        "efficientnet_lite0",
    ),
} | READY
