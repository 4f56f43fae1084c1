"""Training on data in memory, on splits by given files, and with options for a name."""

import json
from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import cli, models, training
from glassgrad.core.data import DataError, Graph
from glassgrad.core.training.run_folder import Run, RunError
from glassgrad.core.training.settings import SettingError
from glassgrad.sources import Source

SOM = replace(models.recipe("som"), figures=None)  # they would take most of the time
TINY = {"epochs": 1, "rows": 3, "columns": 3}


def mine(seed=0, name="mine"):
    return gg.data.from_arrays(np.random.default_rng(seed).random((40, 4)), name=name)


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    find = models.recipe
    monkeypatch.setattr(models, "recipe", lambda name: replace(find(name), figures=None))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run folder of a training on data in memory."""
    out = tmp_path_factory.mktemp("memory")
    done, _ = training.train_and_write(SOM, mine(), overrides=TINY, out=out)
    return done.run


def test_a_run_on_data_in_memory_says_so(run):
    config = json.loads((run.folder / "config.json").read_text())
    assert config["data"] == "mine" and config["in memory"] is True
    assert config["digest"] == gg.data.digest(mine())
    assert "reading" not in config


def test_it_is_loaded_and_gone_on_with_the_same_data(run, tmp_path):
    _, loaded = training.load(run.folder, data=mine(name="the same by another name"))
    assert loaded.data_name == "mine"
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in run.folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    more = {**TINY, "epochs": 2}
    done = training.train(SOM, mine(), overrides=more, run=Run(copy), resume=True)
    whole = training.train(SOM, mine(), overrides=more)
    assert len(done.history) == 2
    for (name, ours), (_, theirs) in zip(done.system.named_tensors(), whole.system.named_tensors()):
        assert np.array_equal(ours.numpy(), theirs.numpy()), name


@pytest.mark.parametrize(
    "go, message",
    [
        (lambda run: training.load(run.folder), "were in memory: go on from Python"),
        (lambda run: training.load(run.folder, data=mine(1)), "another digest than 'mine' had"),
        (lambda run: training.train(SOM, run=run, resume=True), "the data 'mine' were in memory"),
        (lambda run: training.train(SOM, mine(1), run=run, resume=True), "trained on other data"),
        (lambda run: training.train(SOM, "iris", run=run, resume=True), "on 'mine' in memory, not"),
    ],
)  # fmt: skip
def test_other_data_are_refused(run, go, message):
    with pytest.raises((RunError, DataError)) as caught:
        go(run)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_command_line_says_how_to_go_on(run, capsys):
    assert cli.main(["train", "--resume", str(run.folder)]) != 0
    said = capsys.readouterr().err
    assert "was trained on data in memory ('mine'): go on from Python" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("wrong", [np.eye(3), mine().train, [1, 2], 5])
def test_what_is_no_data_set(wrong):
    with pytest.raises(DataError, match="data must be a name, a path, a DataSet or a Graph; got"):
        training.train(SOM, wrong)


def test_a_run_on_a_name_is_not_gone_on_with_other_data(tmp_path):
    done, _ = training.train_and_write(SOM, "iris", overrides=TINY, out=tmp_path)
    again = training.train(SOM, run=done.run, resume=True, overrides=TINY)  # by default the same
    assert again.data_name == "iris"
    for other in ("wine", gg.data.load("wine")):
        with pytest.raises(RunError, match="was trained on 'iris'"):
            training.train(SOM, other, run=done.run, resume=True, overrides=TINY)


def test_data_in_memory_claim_no_published_number():
    recipe = next(r for r in map(models.recipe, models.names()) if r.targets)
    target = recipe.targets[0]
    settings = recipe.resolve(target.data, target.settings)
    for source, count in (
        (Source(target.data), 1),
        (Source(target.data, in_memory=True), 0),
        (Source(target.data, reading={"seed": 1}), 0),
    ):
        made = training.Trained(
            None, None, settings, [], {target.metric: 0.0}, target.data, source=source
        )
        assert min(1, len(training.targets_of(recipe, made))) == count


def test_hand_made_data_sets_say_their_kind():
    kinds = {
        "images": np.zeros((2, 1, 3, 3)),
        "table": np.array([[0.5, 1.0]]),
        "binary": np.eye(2),
        "sequences": [np.zeros((3, 2)), np.zeros((4, 2))],
        "sentences": [np.arange(3), np.arange(4)],
        "audio": [np.zeros(3, np.float32)],
        "graphs": [Graph("g", 2, np.array([[0, 1]]))],
        "text": np.arange(5),
    }
    for kind, x in kinds.items():
        assert gg.data.kind_of(gg.data.DataSet("d", gg.data.Split(x))) == kind
    pairs = gg.data.Split([np.arange(3)], [np.arange(2)])
    assert gg.data.kind_of(gg.data.DataSet("d", pairs)) == "pairs"
    with pytest.raises(DataError, match=r"does not say what kind of data it is; set info\.kind"):
        gg.data.kind_of(gg.data.DataSet("d", gg.data.Split(np.zeros((2, 3, 4)))))
    with pytest.raises(SettingError, match="which is of the kind 'sentences'"):
        training.train(SOM, gg.data.DataSet("d", gg.data.Split(kinds["sentences"])))


def test_the_digest_of_graphs():
    graph = Graph("g", 3, np.array([[0, 1]]), labels=np.array([0, 1, 1]))
    other = Graph("g", 3, np.array([[0, 1]]), labels=np.array([0, 1, 0]))
    again = Graph("other name", 3, np.array([[0, 1]]), labels=np.array([0, 1, 1]))
    assert gg.data.digest(graph) == gg.data.digest(again) != gg.data.digest(other)
    many = [gg.data.DataSet("d", gg.data.Split([g])) for g in (graph, other)]
    assert gg.data.digest(many[0]) != gg.data.digest(many[1])


def test_options_reach_the_loader_of_a_name(tmp_path, capsys):
    train = ["train", "som", "--data", "digits", "--read", "seed=3", "--quiet", "--out"]
    assert cli.main([*train, str(tmp_path), "--set", "epochs=1", "rows=3", "columns=3"]) == 0
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "config.json").read_text())["reading"] == {"seed": 3}
    _, loaded = training.load(folder)
    assert loaded.data.info.note == "fixed random split 1297/200/300, seed 3"
    assert cli.main(["train", "--resume", str(folder), "--quiet"]) == 0
    capsys.readouterr()
    for option, message in (
        ("sed=3", "digits has no option 'sed'; did you mean 'seed'?"),
        ("data_dir=x", "digits: there is no option 'data_dir' to read it with"),
        ("seed=x", "seed must be an integer; got 'x'"),
    ):
        assert cli.main(["data", "digits", "--read", option]) == 1
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1


def test_the_kind_follows_the_data(monkeypatch):
    from glassgrad.core.data.catalogue import CATALOGUE

    def rows(encoding="sign"):
        x = np.tile([[1.0, 0.0], [0.0, 1.0]], (10, 1))
        return gg.data.from_arrays(x if encoding == "onehot" else 2 * x - 1)

    gg.data.register("votes", rows, "table")
    try:
        assert gg.data.load("votes").info.kind == "table"
        assert gg.data.load("votes", encoding="onehot").info.kind == "binary"
        with pytest.raises(SettingError, match="--read kind=binary turns a table into 0 and 1"):
            Source.of("votes").load(models.recipe("rbm"))
        source, data = Source.of("votes", reading={"encoding": "onehot"}).load(models.recipe("rbm"))
        assert data.info.kind == "binary" and source.as_config()["reading"]
    finally:
        del CATALOGUE["votes"]


def test_any_table_becomes_bits(capsys):
    data = Source.of("iris", reading={"kind": "binary"}).read()
    assert data.info.kind == "binary" and set(np.unique(data.train.x)) == {0, 1}
    above = gg.data.load("iris").train.x[:, 0] > np.median(gg.data.load("iris").train.x[:, 0])
    assert np.array_equal(data.train.x[:, 0], above)
    assert cli.main(["data", "iris", "--read", "kind=binary"]) == 0
    said = capsys.readouterr().out
    assert "sepal length (cm): 1 above 5.8, the median of the training rows" in said
    for name, option, message in (
        ("digits", "kind=binary", "bits are made of tables in memory; this is no such table"),
        ("iris", "kind=graph", "of a name kind may be binary or table; got 'graph'"),
    ):
        assert cli.main(["data", name, "--read", option]) == 1
        assert message in capsys.readouterr().err


def test_files_for_splits_are_found_from_any_folder(tmp_path, monkeypatch, capsys):
    rows = "a,b,kind\n" + "1,2,x\n3,1,y\n" * 10
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text(rows)
    monkeypatch.chdir(tmp_path)
    train = ["train", "k-means", "--data", "train.csv", "--read", "test=test.csv", "--quiet"]
    assert cli.main([*train, "--out", "runs"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    config = json.loads((folder / "config.json").read_text())
    assert config["reading"] == {"test": str(tmp_path / "test.csv")}
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cli.main(["train", "--resume", str(folder), "--quiet"]) == 0
    capsys.readouterr()
    assert cli.main(["data", str(tmp_path / "train.csv"), "--read", "kind=binary"]) == 0
    said = capsys.readouterr().out
    assert "is of the kind 'binary'" in said and "the median of the training rows" in said


def test_the_digest_sees_what_numbers_mean():
    def of(**info):
        split = gg.data.Split(np.eye(2), np.arange(2))
        return gg.data.digest(gg.data.DataSet("d", split, info=gg.data.Info(**info)))

    def words(*known):
        return gg.data.Vocabulary(("<pad>", "<unk>", *known))

    pets, fruit = ("cat", "dog"), ("apple", "fox")
    masks = [{"train": np.array([[True], [last]])} for last in (True, False)]
    for one, other in (
        ({"classes": pets}, {"classes": fruit}),
        ({"vocabulary": words(*pets)}, {"vocabulary": words(*fruit)}),
        ({"extra": {"target_vocabulary": words("chat")}},
         {"extra": {"target_vocabulary": words("chien")}}),
        ({"extra": {"missing": masks[0]}}, {"extra": {"missing": masks[1]}}),
        ({"classes": pets}, {"vocabulary": words(*pets)}),
    ):  # fmt: skip
        assert of(**one) == of(**one) != of(**other)
    assert of(source="here", note="a note") == of(source="there")
    graphs = [Graph("g", 2, np.array([[0, 1]]), labels=np.array([0, 1]),
                    info=gg.data.Info(classes=c)) for c in (pets, fruit)]  # fmt: skip
    assert gg.data.digest(graphs[0]) != gg.data.digest(graphs[1])


@pytest.fixture
def mine_by_name():
    from glassgrad.core.data.catalogue import CATALOGUE

    yield lambda seed=0: gg.data.register("mineX", lambda: mine(seed), "table")
    CATALOGUE.pop("mineX", None)


def test_a_registered_name_is_gone_on_with_once_it_is_registered(mine_by_name, tmp_path, capsys):
    from glassgrad.core.data.catalogue import CATALOGUE

    mine_by_name()
    done, _ = training.train_and_write(SOM, "mineX", overrides=TINY, out=tmp_path)
    config = json.loads((done.run.folder / "config.json").read_text())
    assert config["registered"] is True and config["digest"] == gg.data.digest(mine())
    resume = ["train", "--resume", str(done.run.folder), "--quiet"]
    assert cli.main(resume) == 0
    del CATALOGUE["mineX"]  # as in another process
    capsys.readouterr()
    assert cli.main(resume) == 1
    said = capsys.readouterr().err
    assert "'mineX' were registered by a program: register them first" in said
    assert said.count("\n") == 1
    mine_by_name(seed=1)
    with pytest.raises(DataError, match="mineX has changed since the training began"):
        training.load(done.run.folder)


def test_a_registered_table_of_bits_trains_where_bits_are_taken(mine_by_name):
    gg.data.register("mineX", lambda: gg.data.from_arrays(np.tile(np.eye(4), (10, 1))), "table")
    _, data = Source.of("mineX").load(models.recipe("rbm"))
    assert data.info.kind == "binary"


def test_options_from_python_come_back_from_the_run(tmp_path):
    rows = "".join(f"{i},word{i},more,{'ab'[i % 2]}\n" for i in range(20))
    (tmp_path / "d.csv").write_text("n,title,body,mark\n" + rows)
    reading = {"kind": "table", "label": None, "header": True, "seed": np.int64(2),
               "bits": None}  # fmt: skip
    source = Source.of(tmp_path / "d.csv", reading=reading)
    done, _ = training.train_and_write(SOM, source, overrides=TINY, out=tmp_path / "runs")
    _, loaded = training.load(done.run.folder)
    assert loaded.source.reading == source.reading == reading
    kept = Source.of("d.csv", reading={"text": ["title", "body"], "test": tmp_path / "t.csv",
                                       "unknown": -9.5}).reading  # fmt: skip
    assert kept == {"text": ("title", "body"), "test": str(tmp_path / "t.csv"), "unknown": -9.5}


@pytest.mark.parametrize(
    "wrong", [{}, object(), [["a"]], float("nan"), 1 << 70, np.eye(2), b"a", [None, {1}]]
)
def test_options_that_no_file_holds_are_refused(wrong):
    with pytest.raises(DataError, match=r"d\.csv: text must ") as caught:
        Source.of("d.csv", reading={"text": wrong})
    assert "\n" not in str(caught.value)


def test_a_file_of_labels_is_found_from_any_folder(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((20, 3)))
    np.save(tmp_path / "y.npy", np.arange(20) % 2)
    monkeypatch.chdir(tmp_path)
    source = Source.of("x.npy", reading={"labels": "y.npy"})
    assert source.reading == {"labels": str(tmp_path / "y.npy")}
    for words in ("none", "fine", "next_to_the_graph.txt"):
        assert Source.of("d.txt", reading={"labels": words}).reading == {"labels": words}
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert source.read().info.classes == ("0", "1")


def test_a_folder_without_a_slash_is_a_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("mytable", "iris"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.csv").write_text("a,b,kind\n" + "1,2,x\n3,1,y\n" * 10)
    assert Source.of("mytable").is_path and Source.of("mytable").name == str(tmp_path / "mytable")
    assert cli.main(["data", "mytable"]) == 0
    assert "a folder of train.csv" in capsys.readouterr().out
    assert not Source.of("iris").is_path and Source.of("./iris").is_path  # a name comes first
    for name in ("nothing", "", "a\0b", "a" * 9999):
        assert not Source.of(name).is_path


def test_a_graph_in_memory_is_a_source():
    graph = gg.data.load("karate")
    source = Source.of(graph)
    assert source.in_memory and source.read() is graph and len(source.digest) == 64
    with pytest.raises(SettingError, match="on karate, which is of the kind 'graph'"):
        training.train(SOM, graph)
