"""Replace the tables of bench/results/notes.md between their markers."""

import re
from pathlib import Path

from . import products, table, targets, traffic

NOTES = Path(__file__).parents[1] / "results" / "notes.md"


def tables() -> dict[str, str]:
    """Every table by the name of its marker."""
    made = {
        "dropout": traffic.dropout(), "reparam-forward": traffic.reparam_forward(),
        "reparam-backward": traffic.reparam_backward(), "max-forward": traffic.pool_forward(8),
        "avg-forward": traffic.pool_forward(0), "max-backward": traffic.pool_backward(),
        "lstm-cell-forward": traffic.cells(11, 200, 480),
        "lstm-cell-backward": traffic.cells(13, 110, 220),
        "gru-cell-forward": traffic.cells(11, 170, 400),
        "gru-cell-backward": traffic.cells(13, 100, 170),
        "batchnorm-forward": traffic.batchnorm(2), "batchnorm-backward": traffic.batchnorm(3),
        "others": traffic.others(), "lstm-forward": products.sequences(4, False),
        "lstm-backward": products.sequences(4, True), "gru-forward": products.sequences(3, False),
        "gru-backward": products.sequences(3, True), "conv-forward": products.convolution(False),
        "conv-input-grad": products.convolution(True), "som": products.winners(),
    }  # fmt: skip
    return {name: table(cases) for name, cases in made.items()} | {"targets": targets.table()}


def filled(text: str) -> str:
    """The page with its tables replaced."""
    for name, made in tables().items():
        marks = f"<!-- predicted {name} -->", "<!-- /predicted -->"
        pattern = re.compile(f"{marks[0]}\n.*?{marks[1]}", re.DOTALL)
        text = pattern.sub(lambda _, m=marks, t=made: f"{m[0]}\n{t}\n{m[1]}", text)
    return text


def main() -> None:
    """Replace the tables of the page between their marks."""
    NOTES.write_text(filled(NOTES.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
