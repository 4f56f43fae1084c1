"""Settings of a moment matching net, and how long its two stages are."""

from typing import Literal

from ...core.training.settings import TrainingSettings, setting

CODES = ("space", "codes")


class Settings(TrainingSettings):
    """Settings of a generator that matches moments."""

    epochs: int = 140
    batch: int = setting(100, least=2, help="samples in a minibatch, and as many made ones")
    lr: float = 4e-3
    space: Literal["pixels", "codes"] = setting(
        "pixels", help="where samples are compared: as they are, or as codes of an autoencoder"
    )
    objective: Literal["root", "square"] = setting("root", help="√MMD² or MMD²")
    scales: tuple[float, ...] = setting(
        (0.04, 0.1, 0.2, 0.4, 0.8, 1.5),
        above=0,
        some=True,
        help="width of each kernel, as a share of the mean ‖x - x'‖²",
    )
    noise: int = setting(10, least=1, help="number of random numbers that make a sample")
    generator: tuple[int, ...] = setting(
        (64, 256, 256), least=1, help="widths of the generator's hidden layers"
    )
    autoencoder: tuple[int, ...] = setting(
        (128,), least=1, when=CODES, help="widths of the encoder, mirrored in the decoder"
    )
    code: int = setting(16, least=1, when=CODES, help="number of codes")
    dropout: float = setting(
        0.0, least=0, below=1, when=CODES, help="share of the encoder's hidden units dropped"
    )
    pretrain: int = setting(60, least=1, when=CODES, help="epochs of the autoencoder, before")
    code_lr: float = setting(5e-3, least=0, when=CODES, help="learning rate of the autoencoder")
    samples: int = setting(10_000, least=2, help="samples that the final figures come from")

    @property
    def before(self) -> int:
        """Epochs before the generator learns.

        >>> Settings().before, Settings(space="codes", pretrain=3).before
        (0, 3)
        """
        return self.pretrain if self.space == "codes" else 0

    @property
    def least_epochs(self) -> int:
        """Those of the autoencoder, and one of the generator."""
        return self.before + 1
