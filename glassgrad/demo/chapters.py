"""The four chapters of the demo: what is trained, what is said about it, what is shown."""

import contextlib
import time
from dataclasses import dataclass

from .. import models, training
from ..core import pictures
from ..core.training.loop import Silent
from ..kernels import registry
from .page import Chapter


@dataclass(frozen=True)
class Finished:
    """A trained system with what it took."""

    recipe: object
    trained: training.Trained
    seconds: float
    kernels: list


@contextlib.contextmanager
def _kernels_that_run():
    """Collect the names of the hand-written kernels that run inside the block."""
    seen = {}

    def watch(record, args):
        seen[f"{record.op}.{record.pass_} ({record.backend} v{record.version})"] = True
        return record.function(*args)

    with registry.watching(watch):
        yield seen


def _train(name: str, seed: int, progress, overrides: dict) -> Finished:
    recipe = models.recipe(name)
    started = time.perf_counter()
    with _kernels_that_run() as seen:
        trained = training.train(
            recipe, overrides={"seed": seed, **overrides}, progress=progress or Silent()
        )
    return Finished(recipe, trained, time.perf_counter() - started, sorted(seen))


def _facts(done: Finished, *more) -> list[tuple[str, str]]:
    data, settings = done.trained.data, done.trained.settings
    facts = [*more, ("trained on", f"{len(data.train):,} digits"), ("epochs", settings.epochs)]
    if done.trained.system.count():
        facts.append(("parameters", f"{done.trained.system.count():,}"))
    return [(k, str(v)) for k, v in [*facts, ("seconds", f"{done.seconds:.1f}")]]


def _figures(done: Finished, captions: dict[str, str]) -> list:
    system, data, settings = done.trained.system, done.trained.data, done.trained.settings
    made = done.recipe.figures(system, data, settings)
    return [(caption, made[name]) for name, caption in captions.items()]


def _curves(done: Finished, train: str, valid: str, ylabel: str):
    """One panel for a figure that goes by two names in training and validation."""
    name = valid.removeprefix("valid_")
    rows = [
        {"epoch": row["epoch"], name: row[train], valid: row[valid]} for row in done.trained.history
    ]
    return pictures.curves(rows, ylabel=ylabel)


def som(seed: int, progress=None, **changes) -> Chapter:
    """A map of the digits that orders itself."""
    own = {"rows": 14, "columns": 14, "init": "sample", "decay": "linear", "sigma": 5.0,
           "radius": 0.0, "lr": 0.5, "epochs": 30}  # fmt: skip
    done = _train("som", seed, progress, own | changes)
    found = done.trained.test_figures
    return Chapter(
        key="som",
        title="A map that orders itself",
        lecture="Self-organising map, lecture 1",
        formula="w<sub>mh</sub> ← w<sub>mh</sub> + η (x − w<sub>mh</sub>) K(r((m,h), winner(x)))",
        text="<p>196 neurons on a grid compete for handwritten digits. The nearest one wins and "
        "drags its neighbours along, and after a few thousand digits similar shapes live side by "
        "side. No label was shown to it; the colours below were added afterwards.</p>",
        facts=_facts(
            done,
            ("quantisation error", f"{found['qe']:.2f}"),
            ("topographic error", f"{found['te']:.1%}"),
            ("pure nodes", f"{found['purity']:.1%}"),
        ),
        figures=_figures(
            done,
            {
                "prototypes": "What each neuron has become: its weights as an image.",
                "classes": "Every digit as a dot at its winner; lines part the classes.",
                "density": "How far the nearest samples are: dark ridges part the classes.",
            },
        ),
        kernels=done.kernels,
    )


def vae(seed: int, progress=None, **changes) -> Chapter:
    """A generative model with two codes, whose decoder the page runs itself."""
    done = _train("vae", seed, progress, {"epochs": 60} | changes)
    system, data = done.trained.system, done.trained.data
    linear = [m for m in (*system.decoder.layers, system.mean) if hasattr(m, "weight")]
    return Chapter(
        key="vae",
        title="An encoder, a decoder and a plane between them",
        lecture="Variational autoencoder, lecture 4",
        formula="ln p(x) ≥ E<sub>q</sub> ln p(x|z) − KL(q(z|x) ‖ N(0, I)), &nbsp; z = μ + σ ⊙ ε",
        text="<p>Each digit is squeezed through two numbers and drawn again from them. The noise "
        "ε keeps the plane of these numbers dense: between two digits lies not nothing, but "
        "something between two digits. The same counter-based noise can be made again on every "
        "backend, so the backward pass regenerates it instead of keeping it.</p>",
        facts=_facts(done, ("bound", f"−{done.trained.test_figures['bound']:.1f} nats")),
        figures=[
            *_figures(
                done,
                {
                    "reconstructions": "Digits it never saw, and what comes back through two "
                    "numbers.",
                    "codes": "Where the encoder puts unseen digits, coloured by class.",
                },
            ),
            (
                "Negative bound: training dashed, validation solid.",
                _curves(done, "loss", "valid_bound", "nats"),
            ),
        ],
        kernels=done.kernels,
        live={
            "layers": [(m.weight.numpy(), m.bias.numpy()) for m in linear],
            "shape": list(data.info.image_shape[1:]),
        },
    )


def cnn(seed: int, progress=None, **changes) -> Chapter:
    """A small LeNet."""
    done = _train("lenet", seed, progress, changes)
    return Chapter(
        key="cnn",
        title="Filters that were not designed",
        lecture="Convolutional network, lecture 3",
        formula="(x ∗ w)[i, j] = Σ<sub>a</sub> Σ<sub>b</sub> w<sub>ab</sub> x[i + a, j + b]",
        text="<p>Two layers of small filters, pooling after each, and a linear read-out. The "
        "filters start as noise; what they detect in the end came from the gradient alone.</p>",
        facts=_facts(done, ("test accuracy", f"{done.trained.test_figures['accuracy']:.1%}")),
        figures=[
            *_figures(
                done,
                {
                    "filters": "The filters of the first layer.",
                    "reasons": "What decides: the gradient of the class, and what is lost when a "
                    "window is covered.",
                    "confusion": "What is taken for what, on digits it never saw.",
                },
            ),
            (
                "Loss: training dashed, validation solid.",
                _curves(done, "loss", "valid_loss", "nats"),
            ),
        ],
        kernels=done.kernels,
    )


def gru(seed: int, progress=None, **changes) -> Chapter:
    """A GRU that reads digits line by line."""
    done = _train("gru", seed, progress, changes)
    wrong = done.trained.test_figures["error"]  # in per cent
    return Chapter(
        key="gru",
        title="Reading a digit line by line",
        lecture="Gated recurrent unit, lecture 3",
        formula="h<sub>t</sub> = (1 − z) ⊙ h<sub>t−1</sub> + z ⊙ tanh(W [r ⊙ h<sub>t−1</sub>, "
        "x<sub>t</sub>])",
        text="<p>The network never sees a whole digit: it gets eight rows of eight pixels, one "
        "after the other, and must carry what it needs in its state. The gates r and z decide "
        "what is forgotten and what is kept.</p>",
        facts=_facts(done, ("test accuracy", f"{1 - wrong / 100:.1%}")),
        figures=[
            *_figures(
                done,
                {
                    "gates": "State and gates of eight units while it reads one digit.",
                    "confusion": "What is taken for what, on digits it never saw.",
                },
            ),
            (
                "Loss: training dashed, validation solid.",
                _curves(done, "loss", "valid_loss", "nats"),
            ),
        ],
        kernels=done.kernels,
    )


CHAPTERS = (som, vae, cnn, gru)
