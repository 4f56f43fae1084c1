"""The settings of FastText's word vectors."""

from ...core.training.settings import SettingError, setting
from .word_settings import LibrarySettings

FIXED = "on fasttext, which has two tables and negatives by their counts"


class FastTextSettings(LibrarySettings, idle=dict.fromkeys(("form", "tables", "noise"), FIXED)):
    """Settings of word vectors from character n-grams."""

    shortest: int = setting(3, least=1, help="characters of an n-gram, at least")
    longest: int = setting(6, least=0, help="and at most; 0: no n-grams, the words alone")
    buckets: int = setting(
        100_000, least=0, when="longest", help="rows K of the hashed n-grams; 0: one for each"
    )
    epochs: int = 10
    batch: int = setting(1000, least=1, help="words of the text after which n-grams change")
    lr: float = 0.05

    def check(self):
        """Raises SettingError for lengths that leave no n-gram."""
        super().check()
        if 0 < self.longest < self.shortest:
            raise SettingError(
                f"longest must be at least shortest ({self.shortest}), or 0; got {self.longest}"
            )
