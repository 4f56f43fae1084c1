"""The settings of word2vec: by softmax, by the lecture's negatives, and as its program has them."""

from typing import Literal

from ...core.training.settings import Optimiser, TrainingSettings, setting

NEGATIVE, SOFTMAX = ("form", "negative"), ("form", "softmax")


class Settings(TrainingSettings):
    """Settings of word2vec by softmax, one table."""

    form: Literal["softmax", "negative"] = setting("softmax", help="p(w|u), or its replacement")
    size: int = setting(50, least=1, help="numbers D of a vector")
    window: int = setting(5, least=1, help="words h on either side of u that are its context")
    min_count: int = setting(5, least=1, help="rarer words are taken out of the text")
    whole: bool = setting(False, help="train on all of the text, nothing held out")
    tables: Literal["one", "two"] = setting(
        "one", help="vectors as u and as w: the same, or different ones"
    )
    negatives: int = setting(5, least=1, when=NEGATIVE, help="random words k of a pair")
    noise: Literal["outside", "counts"] = setting(
        "outside", when=NEGATIVE, help="which: not from the context of u, or by count^(3/4)"
    )
    sample: float = setting(
        0.0, least=0, when=NEGATIVE, help="share above which a word is thinned out, 0 for none"
    )
    dynamic: bool = setting(False, when=NEGATIVE, help="windows of random width, 1 to h")
    racing: bool = setting(
        False, when=NEGATIVE, help="threads do not wait for each other: faster, never twice alike"
    )
    epochs: int = 20
    batch: int = setting(
        100, least=1, help="words u of a step; in form negative, of the text, with one rate"
    )
    lr: float = 0.01
    optimiser: Optimiser = setting("adam", when=SOFTMAX, help="what turns gradients into steps")
    schedule: str = setting("constant", when=SOFTMAX, help="factor of lr by epoch")
    clip: float = setting(0.0, least=0, when=SOFTMAX, help="largest norm of the gradient")
    weight_decay: float = setting(0.0, least=0, when=SOFTMAX, help="pull of the vectors towards 0")


class NegativeSettings(Settings):
    """Settings of the lecture's negative sampling: one table, random words from elsewhere."""

    form: Literal["softmax", "negative"] = "negative"
    epochs: int = 3
    batch: int = 2000
    lr: float = 0.025


class LibrarySettings(NegativeSettings):
    """Settings of Mikolov's program."""

    tables: Literal["one", "two"] = "two"
    noise: Literal["outside", "counts"] = "counts"
    sample: float = 1e-3
    dynamic: bool = True
    epochs: int = 10
