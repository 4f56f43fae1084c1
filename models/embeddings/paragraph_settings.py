"""The settings of paragraph2vec: documents as bags of words, and with the words around."""

from typing import Literal

from ...core.training.settings import Optimiser, TrainingSettings, setting

DBOW, DM = ("form", "dbow"), ("form", "dm")


class Settings(TrainingSettings):
    """Settings of paragraph2vec: documents as bags of words."""

    form: Literal["dbow", "dm"] = setting("dbow", help="what predicts a word: see the page")
    size: int = setting(50, least=1, help="numbers D of a vector")
    negatives: int = setting(5, least=1, help="random words k of a word")
    min_count: int = setting(2, least=1, help="rarer words are taken out of the text")
    words: int = setting(100, least=2, kinds=("text",), help="of a document, a piece of the text")
    sample: float = setting(
        0.0, least=0, when=DBOW, help="share above which a word is thinned out, 0 for none"
    )
    combine: Literal["mean", "concatenation"] = setting(
        "mean", when=DM, help="how the document and the words around make one vector"
    )
    window: int = setting(5, least=1, when=DM, help="words on either side that predict with it")
    transductive: bool = setting(False, help="learn the words of held-out documents too")
    infer: int = setting(5, least=1, help="passes over a new document")
    rate: float = setting(0.1, least=0, help="learning rate of a new document")
    epochs: int = 15
    batch: int = setting(2000, least=1, help="words of a step, about; in form dbow, with one rate")
    lr: float = 0.1
    optimiser: Optimiser = setting("adam", when=DM, help="what turns gradients into steps")
    schedule: str = setting("constant", when=DM, help="factor of lr by epoch")
    clip: float = setting(0.0, least=0, when=DM, help="largest norm of the gradient")
    weight_decay: float = setting(0.0, least=0, when=DM, help="pull of the vectors towards 0")


class MemorySettings(Settings):
    """Settings of the form in which the words around help."""

    form: Literal["dbow", "dm"] = "dm"
    rate: float = 0.5
    epochs: int = 4
    batch: int = 1000
    lr: float = 0.01
