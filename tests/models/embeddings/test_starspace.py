"""StarSpace: the objective in loops, what goes with what, places, three kinds of data, files."""

import numpy as np
import pytest

import glassgrad as gg
from glassgrad import models, training
from glassgrad.core.data import DataError, DataSet, Info, Split, Vocabulary
from glassgrad.core.training.loop import fit
from glassgrad.core.training.settings import SettingError
from glassgrad.core.training.system import Batch
from glassgrad.models.embeddings import documents, starspace, starspace_pictures, vector_files
from tests.models.embeddings.planted_documents import subjects, written

RECIPE = starspace.RECIPES[0]
FORMS = [(loss, kind) for loss in ("margin", "softmax") for kind in ("cosine", "dot")]


def translations(n=160, seed=0) -> DataSet:
    """Sentences of four of twelve words, and the same in another language, in another order."""
    rng = np.random.default_rng(seed)
    special = ("<pad>", "<unk>", "<bos>", "<eos>")
    one, two = (Vocabulary((*special, *(f"{k}{i}" for i in range(12)))) for k in "ab")
    x = [4 + rng.choice(12, 4, replace=False) for _ in range(n)]
    y = [rng.permutation(4 + (d - 4 + 5) % 12) for d in x]  # the word i is the word i + 5
    info = Info("planted", vocabulary=one, kind="pairs", extra={"target_vocabulary": two})
    a, b = n // 2, n * 3 // 4
    parts = [Split(x[i:j], y[i:j]) for i, j in ((0, a), (a, b), (b, n))]
    return DataSet("planted", *parts, info)


def made(raw, **changes):
    s = RECIPE.settings(**{"size": 8, "batch": 20, "negatives": 30, **changes})
    data = RECIPE.prepare(raw, s)
    return RECIPE.build(data, s, gg.Generator(s.seed)), data, s


@pytest.mark.parametrize(("loss", "similarity"), FORMS)
def test_the_objective_passes_the_gradient_check(loss, similarity):
    rng = np.random.default_rng(0)
    f, arrays = starspace.check(rng, loss=loss, similarity=similarity)
    assert gg.gradcheck(f, *arrays, order=2, directions=4).error < 1e-6


@pytest.mark.parametrize(("loss", "similarity"), FORMS)
def test_the_objective_is_the_sum_of_the_page(loss, similarity):
    m, data, s = made(translations(), loss=loss, similarity=similarity, power=0.3, spread=0.5)
    batch = m.batch_of(data.train[:6], gg.Generator(1))
    batch.y[6 + 3] = batch.y[2]  # the own object of a pair does not count
    f, objects = m.f.numpy().astype(float), m.objects

    def vector(features):
        x = f[features].sum(axis=0) / len(features) ** 0.3
        return x / np.linalg.norm(x) if similarity == "cosine" else x

    total = 0.0
    for features, own in zip(data.train.x[:6], batch.y[:6], strict=True):
        a, b = vector(features), vector(objects.right[own])
        others = [vector(objects.right[j]) for j in batch.y[6:] if j != own]
        scores = np.array([a @ b, *(a @ o for o in others)])
        if loss == "margin":
            total += np.maximum(0, s.margin - scores[0] + scores[1:]).sum()
        else:
            scores = scores * (s.scale if similarity == "cosine" else 1)
            total += np.log(np.exp(scores - scores[0]).sum())
    assert m.objective(batch).item() == pytest.approx(total / 6, rel=1e-5)


def test_equal_sentences_are_one_object_and_the_vocabularies_stay_apart():
    raw = translations(20)
    twice = Split([*raw.train.x, raw.train.x[0]], [*raw.train.y, raw.train.y[0]])
    raw = DataSet("d", twice, raw.valid, raw.test, raw.info)
    m, data, _ = made(raw)
    y, objects = data.train.y, m.objects
    assert y[-1] == y[0] and len(np.unique(y)) == len(data.train) - 1
    v = len(data.info.vocabulary)
    assert max(int(d.max()) for d in data.train.x) < v <= min(d.min() for d in objects.right)
    words = [objects.names[f] for f in objects.right[y[0]]]
    assert words == raw.info.extra["target_vocabulary"].decode(twice.y[0])
    assert m.f.shape == (objects.rows + 1, 8)


def test_the_place_of_an_object_is_that_of_its_similarity_and_ties_do_not_help():
    m, data, _ = made(translations(), spread=1.0)
    place = m.places(data.test)
    b = {j: m.of_right(np.array([j]))[0] for j in np.unique(data.test.y)}
    for i in range(len(data.test)):
        a = m.of_left([data.test.x[i]])[0]
        scores = sorted((a @ x for x in b.values()), reverse=True)
        own = a @ b[data.test.y[i]]
        assert place[i] == 1 + sum(x > own + 1e-6 for x in scores)
    m.f.data[:] = 0
    assert (m.places(data.test) == len(b)).all()
    found = m.evaluate(data.test)
    assert found["hit1"] == 0 and found["rank"] == len(b)


def test_words_find_their_translations():
    m, data, s = made(translations(400), epochs=20, size=12)
    fit(m, data, s)
    found = m.evaluate_finished(data.test)
    assert found["hit1"] > 0.8 and found["hit10"] == 1
    vocabulary, vectors = m.names_and_vectors()
    x = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    right = [vocabulary.index[f"b{i}"] for i in range(12)]
    near = [int((x[right] @ x[vocabulary.index[f"a{i}"]]).argmax()) for i in range(12)]
    assert sum(found == (i + 5) % 12 for i, found in enumerate(near)) >= 11


@pytest.mark.parametrize(("loss", "similarity"), [("margin", "cosine"), ("softmax", "dot")])
def test_texts_find_their_class(loss, similarity):
    m, data, s = made(subjects(kinds=3), loss=loss, similarity=similarity, ngrams=2, buckets=40)
    fit(m, data, s)
    found = m.evaluate_finished(data.test)
    assert found["hit1"] > 0.8 and found["hit10"] == 1 and found["rank"] < 1.5
    v = len(data.info.vocabulary)
    more = documents.ngrams(data.train.x[0][None, :10], 2, v, 40)[0] - 1
    assert data.train.x[0].tolist() == [*data.train.x[0][:10], *more]
    assert [m.objects.names[-3:], m.objects.rows] == [
        ("__label__subject_0", "__label__subject_1", "__label__subject_2"), v + 43,
    ]  # fmt: skip


def text(lines=60, seed=0) -> DataSet:
    """Lines of forty words, each of one of three subjects."""
    rng = np.random.default_rng(seed)
    tokens = []
    for i in range(lines):
        tokens += [f"s{i % 3}w{k}" for k in rng.integers(0, 6, 40)] + ["<eos>"]
    vocabulary = Vocabulary(tuple(sorted(set(tokens))))
    info = Info("planted", vocabulary=vocabulary, kind="text")
    return DataSet("text", Split(vocabulary.encode(tokens)), info=info)


def test_pieces_of_a_line_go_together_and_are_not_compared_with_each_other():
    m, data, _ = made(text(), words=10)
    rng, o = gg.Generator(0), m.objects
    seen = [o.partners(data.train.y, rng) for _ in range(40)]
    for partner in seen:
        assert (partner != data.train.y).all()
        assert (o.group[partner] == o.group[data.train.y]).all()
    several = np.array([len(set(column)) for column in np.array(seen).T])
    assert (several == 3).all()  # all other pieces of the four
    batch = m.batch_of(data.train[:5], rng)
    b, others = batch.y[:5], batch.y[5:]
    own = o.group[others][None] == o.group[b][:, None]
    scores = m.of_left(data.train.x[:5]) @ m.of_right(others).T
    right = (m.of_left(data.train.x[:5]) * m.of_right(b)).sum(axis=1, keepdims=True)
    wanted = np.where(own, 0, np.maximum(0, m.s.margin - right + scores)).sum() / 5
    assert m.objective(batch).item() == pytest.approx(wanted, rel=1e-4)


def test_pieces_of_a_text_find_their_line():
    m, data, s = made(text(), words=10)
    asked, wanted, among = m.objects.questions(data.valid)
    assert len(among) == 3 and len(asked) == 9 and np.bincount(wanted).tolist() == [3, 3, 3]
    fit(m, data, s)
    assert m.evaluate(data.valid)["hit1"] > 0.8


def test_features_are_left_out_in_training():
    m, data, _ = made(translations(), drop=0.5)
    x = m.batch_of(data.train, gg.Generator(0)).x
    assert (x == m.objects.rows).mean() == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("binary", [False, True])
def test_words_and_classes_travel_in_word2vecs_files(binary, tmp_path):
    m, _, _ = made(subjects(kinds=2), ngrams=2, buckets=10)
    names, vectors = m.names_and_vectors()
    path = tmp_path / "features.vec"
    vector_files.save(path, names, vectors, binary)
    again, found = vector_files.load(path)
    assert again.words == names.words and np.array_equal(found, vectors)
    assert names.words[-1] == "__label__subject_1"
    label = m.objects.right[1][0]
    assert np.array_equal(vectors[-1], m.f.numpy()[label])


def files(path):
    """A text, a table of texts with a class, and pairs, as people have them."""
    pairs = translations()
    one, two = pairs.info.vocabulary, pairs.info.extra["target_vocabulary"]
    lines = [
        f"{' '.join(one.decode(a))}\t{' '.join(two.decode(b))}"
        for a, b in zip(pairs.train.x, pairs.train.y)
    ]
    (path / "pairs.tsv").write_text("\n".join(lines) + "\n")
    (path / "mine.txt").write_text(written(path / "x.txt", subjects(), False).read_text())
    return {
        "pairs": path / "pairs.tsv",
        "sentences": written(path / "mine.csv", subjects(), True),
        "text": path / "mine.txt",
    }


@pytest.mark.parametrize("kind", RECIPE.takes)
def test_ones_own_data_are_trained_on_by_their_path(kind, tmp_path):
    few = {"epochs": 1, "size": 4} | ({"words": 10} if kind == "text" else {})
    done = training.train(RECIPE, files(tmp_path)[kind], overrides=few)
    assert done.system.objects.kind == kind
    drawn = starspace_pictures.figures(done.system, done.data, done.settings)
    assert drawn.keys() == {"matches", "features", "map"}


def test_data_that_say_nothing_and_settings_without_effect_are_refused():
    plain = subjects()
    bare = DataSet("bare", Split(plain.train.x), None, None, plain.info)
    with pytest.raises(SettingError, match="starspace: bare has no class labels"):
        made(bare)
    with pytest.raises(DataError, match="needs two objects that do not go together"):
        made(text(1), words=10)
    one = DataSet("one", plain.train[:2][[0, 0]], None, None, plain.info)
    with pytest.raises(DataError, match="needs two objects"):
        made(DataSet("one", one.train, None, None, plain.info))
    for changes in ({"margin": 0.3, "loss": "softmax"}, {"scale": 3.0}, {"buckets": 9}):
        with pytest.raises(SettingError, match="has no effect"):
            models.recipe("starspace").resolve("eng_fra_piece", changes)
    assert isinstance(made(plain)[0].batch_of(plain.train[:2], gg.Generator(0)), Batch)
