"""Each recipe made small enough for a few steps on every backend, and the kernels that it runs.

name -> (settings -> (system, data, settings), names of the kernel families)
"""

import pytest

import glassgrad as gg
from glassgrad import models
from glassgrad.core import data, nn
from glassgrad.core.training.system import System


class ConvVAE(System):
    """28x28 or 8x8 images through strided convolutions to a sampled code, and back."""

    def __init__(self, rng, codes=4):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1, rng=rng),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1, rng=rng),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.heads = nn.Linear(64, 2 * codes, rng=rng)
        self.up = nn.Linear(codes, 64, rng=rng)
        self.back = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1, rng=rng),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1, rng=rng),
        )
        self.noise, self.codes = rng.child("noise"), codes

    def objective(self, batch):
        heads = self.heads(self.down(batch.x))
        mu, logvar = heads[:, : self.codes], heads[:, self.codes :]
        z, kl = gg.reparameterise(mu, logvar, self.noise)
        logits = self.back(self.up(z).reshape(len(batch.x), 16, 2, 2))
        x = gg.Tensor(batch.x)
        likelihood = (gg.softplus(logits) - x * logits).sum() / len(batch.x)
        return likelihood + kl.mean()


SETTINGS = {"epochs": 1, "seed": 1}


def conv_vae(s):
    digits = data.load("digits")
    settings = models.recipe("vae").resolve("digits", {**SETTINGS, "batch": 20, **s})
    return ConvVAE(gg.Generator(1)), digits, settings


def recipe(name, source="digits", **sets):
    def make(s):
        r = models.recipe(name)
        settings = r.resolve(source, {**SETTINGS, **sets, **s})
        found = data.load(source)
        found = r.prepare(found, settings) if r.prepare else found
        return r.build(found, settings, gg.Generator(1)), found, settings

    return make


def needs_weights(make):
    """`make`, where the weights of the pre-trained network are; they do not ship."""

    def made(s):
        if data.available("efficientnet_lite0") is None:
            pytest.skip("the weights do not ship")
        return make(s)

    return made


TEXT, WINDOW = "enwiki_piece", {"batch": 20, "window": 1, "size": 5, "min_count": 99}
SUBJECTS, FEW = "enwiki_subjects", {"batch": 100, "size": 5, "min_count": 99}
GAME = {"batch": 20, "noise": 4, "generator": (9,), "discriminator": (9,)}
MATCHING = {"batch": 350, "noise": 4, "generator": (9,)}  # three steps an epoch
CONVOLUTIONS = {"batch": 4, "noise": 3, "generator": (3,), "discriminator": (2, 3)}
SYSTEMS = {
    "conv-vae": (conv_vae, {"conv2d", "reparam"}),
    "lstm": (recipe("lstm"), {"lstm"}),
    "gru": (recipe("gru"), {"gru"}),
    "translation": (
        recipe("translation", "eng_fra_piece", batch=9, hidden=5, embed=4),
        {"gru", "attention", "cross_entropy", "embedding", "dropout"},
    ),
    "forecast": (
        recipe("forecast", "mackey_glass", batch=50, hidden=5, past=8, horizon=4),
        {"lstm", "descent"},
    ),
    "forecast-recursive": (
        recipe(
            "forecast",
            "mackey_glass",
            cell="gru",
            method="recursive",
            differences=(1,),
            past=8,
            horizon=4,
            draws=3,
            batch=50,
            hidden=5,
            linear=True,
        ),
        {"gru", "descent"},
    ),
    "language-model": (
        recipe(
            "language-model",
            "shakespeare_piece",
            batch=500,
            steps=9,
            hidden=5,
            embed=4,
            layers=2,
            dropout=0.2,
        ),
        {"lstm", "embedding", "cross_entropy", "dropout"},
    ),
    "sentiment": (
        recipe("sentiment", SUBJECTS, batch=9, hidden=5, embed=4, dropout=0.3),
        {"gru", "cross_entropy", "embedding", "dropout"},
    ),
    "music": (recipe("music", "cadences", batch=60, hidden=5, units=4), {"lstm", "dropout"}),
    "som": (recipe("som"), {"som"}),
    "som-batch": (  # weights near 0 would be too near to a tie
        recipe("som", form="batch", grid="hexagonal", torus=True, init="sample", epochs=5),
        {"som"},
    ),
    "wta": (recipe("wta"), {"som"}),
    "wtm": (recipe("wtm", measure="excess"), {"som"}),
    "k-means": (recipe("k-means", restarts=2, epochs=5), {"som"}),
    "lenet": (recipe("lenet", batch=20), {"conv2d", "pool2d"}),
    "text-cnn": (
        recipe("text-cnn", "enwiki_subjects", batch=9, size=5, widths=(2, 3), maps=4),
        {"dropout", "cross_entropy", "descent"},
    ),
    "go": (
        recipe("go", "go_5x5", batch=20, positions=100, layers=2, filters=3),
        {"conv2d", "cross_entropy"},
    ),
    "go-legal": (
        recipe(
            "go",
            "go_5x5",
            batch=20,
            positions=100,
            layers=2,
            filters=3,
            legal=True,
            batch_norm=True,
            planes="history",
            pass_move=False,
        ),
        {"conv2d", "batchnorm", "cross_entropy"},
    ),
    "alexnet": (
        recipe("alexnet", batch=20, channels=(3, 4), hidden=(9,)),
        {"conv2d", "pool2d", "lrn", "dropout", "cross_entropy"},
    ),
    "hog": (recipe("hog", batch=20), {"cross_entropy"}),
    "speech": (
        recipe("speech", "fsdd_piece", batch=20, channels=(3, 4), kernel=3, speed=0.1),
        {"conv2d", "pool2d", "dropout", "cross_entropy"},
    ),
    "mlp": (
        recipe("mlp", batch=20, hidden=(16,), dropout=0.5, max_norm=0.5),
        {"dropout", "cross_entropy"},
    ),
    "tricks": (
        recipe("tricks", batch=20, hidden=(9, 8), every=2),
        {"batchnorm", "cross_entropy", "descent"},
    ),
    "tricks-optimiser": (
        recipe("tricks", batch=20, hidden=(9,), every=2, compare="optimiser"),
        {"cross_entropy", "descent"},
    ),
    "mlp-quantities": (recipe("mlp", "diabetes", dropout_input=0.2), {"dropout", "descent"}),
    "vae": (recipe("vae"), {"reparam"}),
    "vae-plane": (recipe("vae-plane", batch=20, hidden=(9,)), {"reparam"}),
    "vae-mixture": (recipe("vae-mixture", batch=20, hidden=(9,)), {"reparam"}),
    "nade": (recipe("nade", batch=20, hidden=9), {"nade"}),
    "gan": (recipe("gan", **GAME), {"philox", "dropout"}),
    "gan-product": (recipe("gan-product", **GAME), {"philox"}),
    "gan-ring": (recipe("gan-ring", "ring", **GAME), {"philox"}),
    "gan-line": (recipe("gan-line", "normal", batch=20, epochs=2, pretraining=1), {"philox"}),
    "wgan": (recipe("wgan", "ring", **GAME), {"philox"}),
    "transfer": (  # three steps of the source task, then of the target task
        recipe("transfer", channels=(2,), sizes=(10,), repeats=1, pretrain=1, epochs=2, batch=300),
        {"conv2d", "pool2d", "batchnorm", "cross_entropy"},
    ),
    "few-shot": (recipe("few-shot", "glyphs", channels=(3, 4), ways=5), {"conv2d", "batchnorm"}),
    "few-shot-matching": (
        recipe("few-shot", "glyphs", channels=(3, 4), ways=5, form="matching"),
        {"conv2d", "batchnorm"},
    ),
    "patch-position": (recipe("patch-position", batch=20), {"conv2d", "batchnorm"}),
    "gmmn": (recipe("gmmn", **{**MATCHING, "batch": 20}, space="pixels"), {"philox"}),
    "gmmn-codes": (
        recipe("gmmn", **MATCHING, space="codes", autoencoder=(9,), code=3, pretrain=1, epochs=2),
        {"philox"},
    ),
    # three steps of the teacher, then two of its students
    "lupi": (
        recipe("lupi", "lupi_clean_labels", pretrain=1, epochs=2, batch=80),
        {"cross_entropy"},
    ),
    "lupi-joint": (
        recipe("lupi", "lupi_relevant", form="joint", batch=40, hidden=(5,)),
        {"cross_entropy"},
    ),
    "distillation": (
        recipe(
            "distillation",
            pretrain=1,
            epochs=2,
            batch=500,
            teacher=(16,),
            student=(8,),
            temperature=(4.0, 1.0),
            without=3,
            hard=0.2,
            max_norm=0.5,
            jitter=1,
            transfer=0,
        ),
        {"dropout", "cross_entropy"},
    ),
    "multi-task": (recipe("multi-task", "shared_tasks", sweep=0), {"descent"}),
    "multi-task-classes": (recipe("multi-task", batch=20, code=5), {"descent"}),
    "surrogate": (recipe("surrogate", "diabetes", batch=20, hidden=(8,)), {"descent"}),
    "efficientnet": (recipe("efficientnet", vectors="pixels"), {"cross_entropy"}),
    "vectoriser": (
        needs_weights(recipe("vectoriser", batch=20, channels=(2, 3), hidden=(5,))),
        {"conv2d", "pool2d"},
    ),
    "dcgan": (
        recipe("dcgan", **CONVOLUTIONS),
        {"conv2d", "batchnorm", "philox", "descent"},
    ),
    "feature-matching": (
        recipe("feature-matching", batch=20, noise=4, generator=(9,), discriminator=(9, 8)),
        {"batchnorm", "cross_entropy", "philox"},
    ),
    "gcn": (recipe("gcn", "karate", epochs=5), {"spmm", "embedding", "dropout"}),
    "gcn-attention": (
        recipe("gcn", "karate", epochs=5, form="gat", heads=2, attention_dropout=0.3),
        {"spmm", "embedding", "dropout"},
    ),
    "dgcnn": (
        recipe("dgcnn", "rings_and_trees", batch=20, hidden=(5, 4), channels=(2, 3), dense=6),
        {"spmm", "embedding", "conv2d", "dropout"},
    ),
    "gnn": (
        recipe("gnn", "rings_and_trees", batch=20, hidden=(5, 4), dense=6),
        {"spmm", "batchnorm", "dropout"},
    ),
    "naive-bayes": (recipe("naive-bayes", batch=20), {"descent"}),
    "naive-bayes-gaussian": (recipe("naive-bayes-gaussian", batch=20), {"descent"}),
    "logistic-regression": (recipe("logistic-regression", batch=20), {"cross_entropy"}),
    "linear-svm": (recipe("linear-svm", batch=20), {"descent"}),
    "regression": (recipe("regression", "diabetes"), {"descent"}),
    "latent-curve": (recipe("latent-curve", "moons", batch=20, hidden=(9,)), {"descent"}),
    "latent-classes": (recipe("latent-classes", batch=20), {"descent"}),
    "replicated-softmax": (recipe("replicated-softmax", TEXT, batch=20, hidden=5), {"philox"}),
    "rbm-words": (recipe("rbm-words", TEXT, batch=20, hidden=5), {"philox"}),
    "word2vec": (recipe("word2vec", TEXT, batch=9, size=5, optimiser="sgd"), {"embedding"}),
    "word2vec-negative": (recipe("word2vec-negative", TEXT, **WINDOW), {"skip_gram"}),
    "word2vec-library": (recipe("word2vec-library", TEXT, **WINDOW, lr=0.5), {"skip_gram"}),
    "fasttext": (recipe("fasttext", TEXT, **WINDOW, lr=0.5), {"skip_gram", "embedding"}),
    "fasttext-classifier": (
        recipe("fasttext-classifier", "enwiki_subjects", batch=5),
        {"embedding", "cross_entropy"},
    ),
    "node2vec": (
        recipe("node2vec", "karate", walks=2, length=5, batch=20, lr=0.5, q=0.5),
        {"skip_gram"},
    ),
    "graph2vec": (recipe("graph2vec", "rings_and_trees", batch=1, lr=0.5), {"skip_gram"}),
    "paragraph2vec": (recipe("paragraph2vec", SUBJECTS, **FEW, lr=0.5), {"skip_gram"}),
    "paragraph2vec-memory": (
        recipe("paragraph2vec-memory", SUBJECTS, **FEW, window=1),
        {"embedding"},
    ),
    "sent2vec": (
        recipe("sent2vec", SUBJECTS, batch=5, size=5, min_count=99, buckets=20),
        {"embedding"},
    ),
    "starspace": (
        recipe("starspace", "eng_fra_piece", batch=20, size=5, negatives=9, min_count=20),
        {"embedding"},
    ),
}
