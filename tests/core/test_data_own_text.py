"""Sentences and pairs of one's own: what is recognised, read and said, and how it is split."""

import bz2
import gzip

import numpy as np
import pytest

from glassgrad.core import data
from glassgrad.core.data.own.formats import FORMATS
from glassgrad.core.data.own.texts.pairs import parse_pairs, words
from glassgrad.core.data.own.texts.sentence_folders import parse_lines
from glassgrad.core.data.own.texts.sentence_lines import parse_imdb, parse_trec

NOUNS = ("film", "day", "plot", "café", "actor")
TEXTS = [f"What a {'good' if i % 2 else 'bad'} {NOUNS[i % 5]}, number {i}!" for i in range(30)]
LABELS = ["pos" if i % 2 else "neg" for i in range(30)]


def read(path, content, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return data.read(path, **options)


def sentences_of(found):
    """(words, class) of all examples, sorted; unknown words as they are written."""
    decode, names = found.info.vocabulary.decode, found.info.classes
    return sorted(
        (" ".join(decode(x)), names[y])
        for _, split in found.splits()
        for x, y in zip(split.x, split.y)
    )


def is_sentences(found, classes=("neg", "pos"), sizes=(21, 3, 6)):
    assert found.info.kind == "sentences" and found.info.classes == classes
    assert tuple(len(s) for _, s in found.splits()) == sizes
    for _, split in found.splits():
        assert all(x.dtype == np.int64 and x.ndim == 1 and len(x) for x in split.x)
        assert split.y.dtype == np.int64
    return "\n".join(found.info.understood)


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_table_with_a_column_of_text_is_recognised(tmp_path, separator, order):
    rows = [('"' + t + '"', label) for t, label in zip(TEXTS, LABELS)]
    lines = [separator.join(row[k] for k in order) for row in [("review", "label"), *rows]]
    found = read(tmp_path / "d.csv", "\n".join(lines))
    said = is_sentences(found)
    assert "30 texts of the column review" in said and "label label: 2 classes (neg, pos)" in said
    for _, split in found.splits():  # the class goes with its text
        for x, y in zip(split.x, split.y):
            text = found.info.vocabulary.decode(x)
            assert text[0] == "what" and text[2] == ("good" if y else "bad") and "!" in text


def test_without_a_header_and_with_two_columns_of_text(tmp_path):
    """As AG's news: the class, a title and a description."""
    lines = [f'"{i % 3 + 1}","Title of text {i}","{t}"' for i, t in enumerate(TEXTS)]
    found = read(tmp_path / "d.csv.gz", gzip.compress("\n".join(lines).encode()))
    said = is_sentences(found, ("1", "2", "3"))
    assert "30 texts of column 2 and column 3, joined" in said
    assert found.info.vocabulary.decode(found.train.x[0])[:3] == ["title", "of", "text"]


def test_columns_named_by_hand(tmp_path):
    lines = ["id,a,b,mark", *(f"{i},{t[:-1]!r},w{i},{i % 2}" for i, t in enumerate(TEXTS))]
    content = "\n".join(lines).replace(", number", " number")
    path = tmp_path / "d.csv"
    found = read(path, content, text="a", label="mark")
    assert found.info.classes == ("0", "1") and "left out: id, b" in found.info.understood[1]
    both = data.read(path, text="a,b", label=4, words="spaces")
    assert both.info.vocabulary.decode(both.train.x[0])[-1].startswith(("w", "<unk>"))
    assert data.read(path, kind="sentences", text=(2, 3), label="none").train.y is None
    number = data.read(path, text="a", label="id")  # 30 values: a quantity
    assert number.train.y.shape == (21, 1) and number.info.target_names == ("id",)


def test_a_column_that_says_the_split(tmp_path):
    parts = ["train", "train", "test"] * 10
    lines = ["text,label,split", *(f'"{t}",{c},{p}' for t, c, p in zip(TEXTS, LABELS, parts))]
    found = read(tmp_path / "d.csv", "\n".join(lines))
    assert [len(s) for _, s in found.splits()] == [20, 0, 10]


def test_quotation_marks_that_enclose_nothing(tmp_path):
    lines = ["text\tlabel", *(f'"{t}" they said\t{c}' for t, c in zip(TEXTS, LABELS))]
    found = read(tmp_path / "d.tsv", "\n".join(lines), kind="sentences", quotes=False)
    assert found.info.vocabulary.decode(found.train.x[0])[0] == '"'


def test_texts_that_hold_line_ends_and_strange_separators(tmp_path):
    """A quoted cell may hold line feeds; U+0085 and U+2028 end no line."""
    odd = [t.replace(" ", "\n", 1).replace("number", "num\x85ber\u2028") for t in TEXTS]
    lines = ["text,label", *(f'"{t}",{c}' for t, c in zip(odd, LABELS))]
    found = read(tmp_path / "d.csv", "\n".join(lines))
    is_sentences(found)
    assert "ber" in found.info.vocabulary


def test_a_large_table_of_texts_is_recognised_by_its_beginning(tmp_path):
    """More than is looked at, which ends inside a cell of several lines."""
    texts = [f"{i}: {TEXTS[i % 30]}\n" for i in range(300)]
    lines = ["text,label", *(f'"{t * 20}",{"xy"[i % 2]}' for i, t in enumerate(texts))]
    found = read(tmp_path / "d.csv", "\n".join(lines))
    assert found.info.kind == "sentences" and len(found.train) == 210


@pytest.mark.parametrize(
    "content",
    [
        "size,colour,class\n" + "1,light red,a\n2,blue,b\n" * 9,
        "name,size,label\n" + "".join(f"name {i} of it,{i % 3},{i}.5\n" for i in range(30)),
        "".join(f"{i},one of the four\n" for i in range(30)),
        "a,b\n" + "".join(f"what a long text {i},{i}\n" for i in range(30)),
        "a,b,c,y\n" + "".join(f"what a long text {i},{i},{i}.5,{i % 2}\n" for i in range(30)),
    ],
    ids=["two words", "a quantity", "one text", "no label", "two more numbers"],
)
def test_tables_stay_tables(tmp_path, content):
    assert read(tmp_path / "d.csv", content).info.kind in ("table", "binary")


@pytest.mark.parametrize("name", ["d.txt", "d.train", "d.ft.txt.bz2"])
def test_fasttext(tmp_path, name):
    content = "".join(f"__label__{c} {t}\n" for c, t in zip(LABELS, TEXTS)).encode()
    found = read(tmp_path / name, bz2.compress(content) if "bz2" in name else content)
    assert "30 texts in 2 classes (neg, pos)" in is_sentences(found)
    assert "What" in found.info.vocabulary  # as it is written: fastText changes nothing
    marks = data.read(tmp_path / name, words="marks")
    assert "what" in marks.info.vocabulary and "!" in marks.info.vocabulary
    several = content.replace(b"__label__pos ", b"__label__pos __label__x ")
    found = read(tmp_path / "e.txt", several)
    assert "15 lines have several labels" in is_sentences(found)


def test_trec(tmp_path):
    """Latin-1; fine classes by an option, as in the catalogue."""
    lines = [f"{'NUM:date' if i % 2 else 'LOC:city'} Où est {i} caf\xe9\x85 ?" for i in range(30)]
    content = "\n".join(lines).encode("latin-1")
    found = read(tmp_path / "TREC.train", content)
    assert "coarse classes" in is_sentences(found, ("LOC", "NUM"))
    assert "caf\xe9\x85" in found.info.vocabulary and "où" in found.info.vocabulary
    fine = data.read(tmp_path / "TREC.train", labels="fine", lower=False)
    assert fine.info.classes == ("LOC:city", "NUM:date") and "Où" in fine.info.vocabulary


def test_imdb_lines(tmp_path):
    """Tabs inside the text, U+0085, <br />; ratings are classes."""
    lines = [f"{i}\t{9 if i % 2 else 2}\t{t}<br />and\t\x85more" for i, t in enumerate(TEXTS)]
    found = read(tmp_path / "d.tsv.bz2", bz2.compress("\n".join(lines).encode()))
    assert is_sentences(found, ("negative", "positive")).startswith("30 texts in 2 classes")
    for text, label in sentences_of(found):
        assert text.endswith("! and more") and "br" not in text.split()
        assert ("good" in text) == (label == "positive")
    assert parse_imdb("5\t10\tone\ttwo three\n", "d").words == [["one", "two", "three"]]


def test_a_folder_of_texts(tmp_path):
    for i, (text, label) in enumerate(zip(TEXTS, LABELS)):
        (tmp_path / "a" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / label / f"{i}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a" / "pos" / "list.csv").write_text("1")
    found = data.read(tmp_path / "a")
    assert "1 file of other types left out" in is_sentences(found)
    assert all(("good" in text) == (c == "pos") for text, c in sentences_of(found))


def test_a_folder_of_texts_that_says_the_split(tmp_path):
    """As IMDb's archive, whose folder ``unsup`` has no classes."""
    for part, count in (("train", 12), ("test", 6)):
        for i in range(count):
            folder = tmp_path / part / LABELS[i]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{i}.txt").write_text(TEXTS[i], encoding="utf-8")
    (tmp_path / "train" / "unsup").mkdir()
    (tmp_path / "train" / "unsup" / "1.txt").write_text("nothing")
    found = data.read(tmp_path)
    assert [len(s) for _, s in found.splits()] == [12, 6] and found.valid is None
    said = "\n".join(found.info.understood)
    assert found.info.classes == ("neg", "pos") and "1 in the folder unsup have no class" in said
    assert "split as the folders say: train 12, test 6" in said


def test_a_file_a_class(tmp_path):
    for label, name in (("neg", "reviews.neg"), ("pos", "reviews.pos")):
        lines = [f"{t} caf\xe9\x85" for t, c in zip(TEXTS, LABELS) if c == label]
        (tmp_path / name).write_bytes("\n".join(lines).encode("latin-1"))
    found = data.read(tmp_path)
    is_sentences(found, ("negative", "positive"))
    assert "caf\xe9\x85" in found.info.vocabulary
    assert all(("good" in t) == (c == "positive") for t, c in sentences_of(found))


def test_the_vocabulary_is_that_of_the_training_part(tmp_path):
    found = read(tmp_path / "d.txt", "".join(f"__label__{i % 2} all w{i}\n" for i in range(30)))
    assert found.info.vocabulary.words[:3] == ("<pad>", "<unk>", "all")
    assert len(found.info.vocabulary) == 3 + len(found.train)
    assert all(x.tolist() == [2, 1] for x in found.test.x)
    few = data.read(tmp_path / "d.txt", min_count=2)
    assert few.info.vocabulary.words == ("<pad>", "<unk>", "all")
    one, other = (data.read(tmp_path / "d.txt", seed=s) for s in (0, 1))
    assert data.digest(one) == data.digest(found) != data.digest(other)


def pairs_text(third=""):
    lines = [f"Go {k % 20}!\tVa {k} !{third}" for k in range(40)]  # each source twice
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", ["fra.txt", "d.tsv", "d.tsv.gz"])
@pytest.mark.parametrize("third", ["", "\tCC-BY 2.0 (France) #1 & #2"])
def test_pairs(tmp_path, name, third):
    raw = pairs_text(third).encode()
    found = read(tmp_path / name, gzip.compress(raw) if name.endswith("gz") else raw)
    assert found.info.kind == "pairs"
    target = found.info.extra["target_vocabulary"]
    assert (
        target.words[:4] == found.info.vocabulary.words[:4] == ("<pad>", "<unk>", "<bos>", "<eos>")
    )
    said = "\n".join(found.info.understood)
    assert "40 pairs" in said and ("a third column on 40 lines is ignored" in said) == bool(third)
    sources = [{tuple(found.info.vocabulary.decode(x)) for x in s.x} for _, s in found.splits()]
    assert [len(s) for _, s in found.splits()] == [28, 4, 8]  # 14, 2, 4 sources of two pairs
    for x, y in zip(found.train.x, found.train.y):
        a, b = found.info.vocabulary.decode(x), target.decode(y)
        assert a[0] == "go" and b[0] == "va" and int(a[1]) == int(b[1]) % 20
        assert x.dtype == y.dtype == np.int64
    assert len(sources[0]) == 14


def test_no_source_is_in_two_parts(tmp_path):
    """All sources are of known words, so that none of them is made equal by <unk>."""
    number = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    lines = [f"{a} {b}.\tx {a} {k}" for a in number for b in number[:3] for k in (1, 2)]
    found = read(tmp_path / "d.tsv", "\n".join(lines), kind="pairs")
    decode = found.info.vocabulary.decode
    parts = [{" ".join(decode(x)) for x in s.x} for _, s in found.splits()]
    assert len(parts[0] | parts[1] | parts[2]) == sum(map(len, parts)) == 30
    other = data.read(tmp_path / "d.tsv", kind="pairs", seed=1)
    assert data.digest(found) != data.digest(other)


def test_words_of_pairs():
    assert words("L’été, c'est ça\u202f!") == ["l'été", ",", "c'est", "ça", "!"]
    assert words("e\u0301te\u0301") == ["été"]  # composed: one word, not letters and accents
    assert parse_pairs("a\tb\tc\n\nd\te", "d") == [("a", "b"), ("d", "e")]


def test_what_is_no_pair_of_sentences_is_not_taken_for_one(tmp_path):
    table = "".join(f"{'ab'[i % 2]}\tred\n" for i in range(20))
    assert read(tmp_path / "d.tsv", table).info.kind in ("table", "binary")
    tokens = "".join(f"x{i}\ty{i}\n" for i in range(40))
    assert read(tmp_path / "d.txt", tokens).info.kind == "text"


def test_parsers_of_the_catalogue():
    assert parse_trec("NUM:date Quand ?\nLOC:city Où ?", "d", lower=False).labels == ["NUM", "LOC"]
    assert parse_lines("a\x85b c\xa0d\n", "d") == [["a\x85b", "c\xa0d"]]


def test_each_format_of_this_file_is_chosen_by_its_kind(tmp_path):
    """``kind=`` takes the general reader of the kind, also of a file that looks like none."""
    few = "\n".join(f"{'xy'[i % 2]}\tword{i}" for i in range(12))
    found = read(tmp_path / "d.tsv", few, kind="sentences", text=2, label=1)
    assert found.info.classes == ("x", "y")
    kinds = {f.kind for f in FORMATS}
    assert (
        {"sentences", "pairs", "sequences", "series", "audio"} <= kinds <= set(data.registry.KINDS)
    )


FORMS = {  # name of the file, a line for number i
    "table": ("d.csv", lambda i: f"{TEXTS[i].replace(',', '')},{LABELS[i]}"),
    "fastText": ("d.train", lambda i: f"__label__{LABELS[i]} {TEXTS[i]}"),
    "TREC": ("d.label", lambda i: f"{'LOC:city' if i % 2 else 'NUM:date'} {TEXTS[i]}"),
    "IMDb": ("d.tsv.bz2", lambda i: f"{i}\t{9 if i % 2 else 2}\t{TEXTS[i]}"),
}


def written(path, form, numbers):
    lines = "\n".join(["text,label"] * (form == "table") + [FORMS[form][1](i) for i in numbers])
    path.write_bytes(bz2.compress(lines.encode()) if path.suffix == ".bz2" else lines.encode())
    return path


@pytest.mark.parametrize("form", FORMS)
def test_parts_in_files_of_their_own(tmp_path, form):
    """The vocabulary and the classes are those of the training file; nothing else is split."""
    name = FORMS[form][0]
    for folder, numbers in (("a", range(16)), ("b", range(16, 20)), ("c", range(20, 30))):
        (tmp_path / folder).mkdir()
        written(tmp_path / folder / name, form, numbers)
    valid, test = str(tmp_path / "b" / name), tmp_path / "c" / name
    found = data.read(tmp_path / "a" / name, valid=valid, test=test)
    assert [len(s) for _, s in found.splits()] == [16, 4, 10] and len(found.info.classes) == 2
    assert found.test.y.tolist() in ([0, 1] * 5, [1, 0] * 5)  # in the order of the file
    assert "test 10 of its own file" in found.info.note
    assert "28" not in found.info.vocabulary and "28!" not in found.info.vocabulary
    cut = data.read(tmp_path / "a" / name, test=test)
    assert [len(s) for _, s in cut.splits()] == [15, 1, 10]
    other = FORMS[form][1](3).replace("pos", "new").replace("LOC:city", "HUM:ind")
    if form != "IMDb":  # which has two classes, whatever is in the file
        head = ["text,label"] * (form == "table")
        (tmp_path / "c" / name).write_text("\n".join([*head, other] * 1))
        with pytest.raises(
            data.DataError, match=r"c/d\..*no (class of the training file|training text)"
        ):
            data.read(tmp_path / "a" / name, test=test)


def test_pairs_in_files_of_their_own(tmp_path):
    lines = pairs_text().splitlines()
    for name, part in (("a.tsv", lines[:30]), ("b.tsv", lines[30:])):
        (tmp_path / name).write_text("\n".join(part))
    found = data.read(tmp_path / "a.tsv", test=tmp_path / "b.tsv", kind="pairs")
    assert [len(s) for _, s in found.splits()] == [28, 2, 10]  # 2 of 20 sources for validation
    said = "\n".join(found.info.understood)
    assert "40 pairs" in said and "test: 10 sources of the training file" in said
    both = data.read(tmp_path / "a.tsv", valid=tmp_path / "b.tsv", test=tmp_path / "b.tsv")
    assert data.digest(both) != data.digest(found) and len(both.train) == 30


def test_a_class_that_comes_once_is_in_the_label(tmp_path):
    rows = [(f"what a day it is {i}", "ab"[i % 2] if i else "rare") for i in range(20)]
    content = "said,by\n" + "".join(f"{text},{name}\n" for text, name in rows)
    found = read(tmp_path / "d.csv", content)
    assert found.info.kind == "sentences" and found.info.classes == ("a", "b", "rare")
    found = read(tmp_path / "d.csv", content, label="none", kind="sentences")
    assert "no label" in found.info.understood and found.train.y is None


@pytest.mark.parametrize(
    "train, test",
    [
        ([n + 0.5 for n in range(60)], [10, 10, 50, 50, 30, 30]),  # whole numbers, each twice
        (range(60), [10.5, 50.0, 30.25]),
    ],
)
def test_the_training_file_says_whether_the_label_is_a_quantity(tmp_path, train, test):
    paths = {}
    for part, scores in {"train": train, "test": test}.items():
        rows = "".join(f"what a day was {i},{score}\n" for i, score in enumerate(scores))
        paths[part] = tmp_path / f"s_{part}.csv"
        paths[part].write_text("said,score\n" + rows)
    options = {"kind": "sentences", "label": "score", "test": paths["test"]}
    found = data.read(paths["train"], **options)
    assert found.test.y.dtype == np.float32 and found.test.y[:, 0].tolist() == list(test)
    assert found.info.classes == () and found.info.target_names == ("score",)
