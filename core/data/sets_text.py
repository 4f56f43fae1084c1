"""Texts: tokens int64 [T] of one long text, or a list of sentences [T_n] with labels."""

from pathlib import Path

import numpy as np

from .batches import folds, three_way
from .canon import FILES
from .dataset import DataSet, Info, Split
from .download import find
from .files import DataError, locate
from .own.lines import lines_of
from .own.tables.csv_rows import rows_of
from .own.texts.sentence_folders import parse_lines
from .own.texts.sentence_lines import parse_imdb, parse_trec
from .own.texts.sentences import numbered_labels, sentence_set
from .own.texts.word_questions import parse_analogies, parse_scored_words
from .read import decode, read_bytes, read_lines
from .streams import whole_number
from .text import END, Corpus, Vocabulary, WordEval, tokenise

POLARITY = ("negative", "positive")


def _where(path: str, data_dir) -> str:
    return str(find(FILES[path], data_dir).parent)


def tinyshakespeare(data_dir=None) -> DataSet:
    """Shakespeare by characters: 1,115,394 of 65 kinds, cut in order into 90 / 5 / 5 %.

    The usual split is 90 / 10; its last part is divided into validation and test. The vocabulary is
    in the order of the character codes. Source: Karpathy, char-rnn, 2015.
    """
    path = "tinyshakespeare/input.txt"
    text = decode(read_bytes(FILES[path], data_dir), path, "ascii")
    vocabulary = Vocabulary(tuple(sorted(set(text))))
    tokens = vocabulary.encode(text)
    a, b = len(tokens) * 90 // 100, len(tokens) * 95 // 100
    info = Info(
        _where(path, data_dir), vocabulary=vocabulary, note="in order: 90 %, 5 %, 5 % of the text"
    )
    return DataSet(
        "tinyshakespeare", Split(tokens[:a]), Split(tokens[a:b]), Split(tokens[b:]), info
    )


def ptb(data_dir=None, level: str = "word") -> DataSet:
    """Penn Treebank in Mikolov's form: 929,589 / 73,760 / 82,430 words with `<eos>`, 10,000 kinds.

    The vocabulary is that of the training text, most frequent first. `level="char"` returns the
    characters of the same text, including spaces, with `<eos>` at the end of each line.
    Source: Marcus et al. 1993; Mikolov et al. 2010.
    """
    if level not in ("word", "char"):
        raise DataError(f"ptb: level must be 'word' or 'char'; got {level!r}")
    texts = []
    for part in ("train", "valid", "test"):
        lines = read_lines(FILES[f"ptb/ptb.{part}.txt.gz"], data_dir)
        split = (line.split() if level == "word" else line.strip() for line in lines)
        texts.append([token for sentence in split for token in (*sentence, END)])
    vocabulary = Vocabulary.build([texts[0]], first=())
    info = Info(
        _where("ptb/ptb.train.txt.gz", data_dir),
        vocabulary=vocabulary,
        note=f"{level}s, official split, {END} after every line",
    )
    return DataSet("ptb", *(Split(vocabulary.encode(t)) for t in texts), info)


def rt_polarity(data_dir=None, fold: int = 0, min_count: int = 1) -> DataSet:
    """Movie-review sentences, 5331 negative (0) and 5331 positive (1), in ten folds.

    The test split is fold `fold`, validation the next one, training the other eight;
    `info.extra["folds"]` has the fold of each sentence, negative ones first. Words that do not
    occur in the training split become `<unk>`. Source: Pang & Lee 2005; protocol of Kim 2014.
    """
    fold = whole_number("rt_polarity", "fold", fold, 0, 9)
    sentences, labels = [], []
    for label, ending in enumerate(("neg", "pos")):
        file = FILES[f"rt_polarity/rt-polarity.{ending}"]
        found = parse_lines(decode(read_bytes(file, data_dir), file.path, "latin-1"), file.path)
        sentences += found
        labels += [label] * len(found)
    y = np.array(labels, np.int64)
    of = folds(y, 10)
    whole, last = Split(sentences, y), (fold + 1) % 10
    splits = [whole[(of != fold) & (of != last)], whole[of == last], whole[of == fold]]
    info = Info(
        _where("rt_polarity/rt-polarity.pos", data_dir),
        POLARITY,
        note=f"stratified folds: test {fold}, validation {last}, training the other eight",
        extra={"folds": of},
    )
    return sentence_set("rt_polarity", splits, min_count, info)


def trec(
    data_dir=None, labels: str = "coarse", valid: int = 500, lower: bool = True, min_count: int = 1
) -> DataSet:
    """TREC questions: 5452 for training, 500 for the test; 6 coarse or 50 fine classes.

    The validation split is `valid` of the training questions, by order(5452, seed=0): 4952 remain.
    Classes are in alphabetical order. Source: Li & Roth 2002.
    """
    parts = []
    for path in ("trec/TREC.train", "trec/TREC.test"):
        text = decode(read_bytes(FILES[path], data_dir), path, "latin-1")
        parts.append(parse_trec(text, path, labels, lower))
    classes = tuple(sorted(set(parts[0].labels)))
    if not set(parts[1].labels) <= set(classes):
        raise DataError("trec/TREC.test: a class that does not occur in the training questions")
    whole, test = (Split(p.words, numbered_labels(p.labels, classes, "trec")) for p in parts)
    train, validation, _ = three_way(whole.x, whole.y, valid, 0)
    info = Info(
        _where("trec/TREC.train", data_dir),
        classes,
        note=f"official test; validation: {valid} training questions by a fixed order",
    )
    return sentence_set("trec", (train, validation, test), min_count, info)


def ag_news(data_dir=None, valid: int = 0, min_count: int = 2) -> DataSet:
    """AG's news, the 7600 rows of the official test file: the first 6000 train, 1600 test.

    Title and description as one list of words (see `text.tokenise`); 4 classes. With `valid`, that
    many of the last training rows become the validation split. The official training file is not
    used, so results do not compare with published ones. Source: Zhang, Zhao, LeCun 2015.
    """
    valid = whole_number("ag_news", "valid", valid, 0, 5999)
    path = "ag_news/test.csv.gz"
    classes = tuple(read_lines(FILES["ag_news/classes.txt"], data_dir))
    rows = rows_of(Path(path), decode(read_bytes(FILES[path], data_dir), path), header=False)
    articles, labels = [], []
    for i, row in enumerate(rows.cells):
        if len(row) != 3 or row[0] not in {str(k + 1) for k in range(len(classes))}:
            raise DataError(f"{rows.where(i, 0)}: expected class, title and description")
        labels.append(int(row[0]) - 1)
        articles.append(tokenise(f"{row[1]} {row[2]}"))
    if len(articles) != 7600:
        raise DataError(f"{path}: expected 7600 rows, got {len(articles)}")
    whole, cut = Split(articles, np.array(labels, np.int64)), 6000 - valid
    splits = (whole[:cut], whole[cut:6000] if valid else None, whole[6000:])
    info = Info(
        _where(path, data_dir),
        classes,
        note="rows of the official test file only: not comparable with published results",
    )
    return sentence_set("ag_news", splits, min_count, info)


def imdb(data_dir=None, valid: int = 2500, min_count: int = 5) -> DataSet:
    """Film reviews: 25,000 for training, 25,000 for the test; half negative (0), half positive (1).

    Words as `text.tokenise` cuts them, ``<br />`` as a space. The files hold the negative reviews
    first, so that both are shuffled by order(25000, seed=0); the last `valid` of the training ones
    are the validation split. Some reviews occur twice, some of them in both files: `info.note` says
    how many. The 50,000 reviews without a class are not used. Source: Maas et al. 2011.
    """
    valid = whole_number("imdb", "valid", valid, 0, 24_999)
    parts, texts = [], []
    for path in ("imdb/imdb_train.tsv.bz2", "imdb/imdb_test.tsv.bz2"):
        text = decode(read_bytes(FILES[path], data_dir), path)
        found = parse_imdb(text, path)
        y = numbered_labels(found.labels, POLARITY, path)
        parts.append(three_way(found.words, y, 0 if texts else valid, 0))
        texts.append([line.split("\t", 2)[2] for line in lines_of(text)])
    train, test = map(set, texts)
    again = len(texts[0]) + len(texts[1]) - len(train | test)
    (train_part, valid_part, _), (test_part, _, _) = parts
    info = Info(
        _where("imdb/imdb_train.tsv.bz2", data_dir),
        POLARITY,
        note=f"official test; validation: {valid} training reviews by a fixed order; {again} texts"
        f" repeat another, {len(train & test)} are in both training and test",
    )
    splits = (train_part, valid_part if valid else None, test_part)
    return sentence_set("imdb", splits, min_count, info)


def word_eval(data_dir=None) -> WordEval:
    """19,544 word analogies in 14 sections and the 353 scored pairs of WordSim-353.

    Source: Mikolov et al. 2013; Finkelstein et al. 2002.
    """
    path = "word_eval/questions-words.txt"
    analogies = parse_analogies(read_lines(FILES[path], data_dir), path)
    path = "word_eval/wordsim353.tsv"
    pairs = parse_scored_words(read_lines(FILES[path], data_dir), path)
    return WordEval("word_eval", analogies, pairs, Info(_where(path, data_dir)))


def enwiki_a(data_dir=None) -> Corpus:
    """5724 articles of the English Wikipedia, 100 million characters, cleaned as text8 is.

    Lines are streamed, not held in memory. It is prepared like text8 but is not text8.
    Source: a dump of early 2015, articles in the order of their page ids.
    """
    path = find(FILES["enwiki_a/enwiki_a.txt.gz"], data_dir)
    titles = FILES["enwiki_a/enwiki_a_titles.tsv.gz"]
    # the titles file may be missing, but a damaged one is an error
    titles_path = find(titles, data_dir) if locate(titles, data_dir) else None
    return Corpus("enwiki_a", path, titles_path, Info(str(path.parent), note="not text8"))
