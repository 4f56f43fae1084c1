"""What a fast kernel means here, and which are: the goals, judged from the outcome of `make gpu`.

    copy       pooling, reparameterisation, dropout and fused cells move their bytes, on arrays of
               256 MB, at 0.85 of the bandwidth that a copy reaches in the same run
    cuDNN      convolution in float32 takes cuDNN's time / 0.8 at most without TF32, and, by a
               version that rounds to TF32 itself, cuDNN's / 0.6 with it
    cuDNN      LSTM and GRU layers are as fast, at two sizes
    cuBLAS     the nearest of 10 000 nodes is found twice as fast as by a product and an arg-min

Each goal is judged by the best version that ran the case; of reduced precision none counts where
float32 is asked for.
"""

from dataclasses import dataclass

from ...kernels import implementations

COPY, CONVOLUTION, CONVOLUTION_TF32, RECURRENT, NEAREST = 0.85, 0.8, 0.6, 1.0, 2.0
BOUND = ("pool2d.", "reparam.", "dropout.", "lstm.cell_", "gru.cell_")
SIZES = ("(100,64,128,256)", "(35,20,650,650)")  # T, N, I, H


@dataclass(frozen=True)
class Goal:
    """One goal on one case: the value reached by a version, and the least that was aimed at."""

    name: str
    case: str
    measure: str
    aim: float
    value: float
    version: int | None

    @property
    def reached(self) -> bool:
        """Is the value at least the aim?"""
        return self.value >= self.aim


def goals(found: dict) -> list[Goal]:
    """Every goal that the parts of `found` say something of, in the order of the page."""
    made: list[Goal] = []
    measured = [found.get(k, {}).get("record") for k in ("bandwidth", "ladders", "kernels")]
    rows = [
        {**row, "of copy": row["bytes"] / row["median"] / record["roofline"]["bytes"]}
        for record in measured
        if record
        for row in record["rows"]
        if row["median"]
    ]
    bound = [r for r in rows if r["name"].startswith(BOUND) and r["case"].startswith("large")]
    made += _best(bound, "of the copy bandwidth", COPY, lambda r: r["of copy"])
    conv = [r for r in rows if r["name"].startswith("conv2d.") and r["version"]]
    full = [r for r in conv if _precision(r) == "full"]
    rounded = [r for r in conv if _precision(r) == "tf32"]
    made += _best(full, "of cuDNN", CONVOLUTION, _ratio("torch"))
    made += _best(rounded, "of cuDNN with TF32", CONVOLUTION_TF32, _ratio("torch-tf32"))
    nearest = [r for r in rows if r["name"] == "som.winners" and " on " in r["case"]]
    made += _best(nearest, "times cuBLAS and arg-min", NEAREST, _least("torch", "blas"))
    layers = found.get("layers", {}).get("record")
    if layers:
        rows = [r for r in layers["rows"] if r["median"] and r["case"] in SIZES]
        rows = [r for r in rows if r["name"] in ("lstm.layer", "gru.layer")]
        made += _best(rows, "of cuDNN", RECURRENT, _ratio("torch"))
    return made


def _best(rows: list[dict], measure: str, aim: float, value) -> list[Goal]:
    """One goal for each name, case and pass: that of the version with the largest value."""
    found: dict[tuple, Goal] = {}
    for row in rows:
        reached = value(row)
        name = f"{row['name']} {row['mode']}".strip()
        goal = reached and Goal(name, row["case"], measure, aim, reached, row["version"])
        key = name, row["case"]
        if goal and (key not in found or goal.value > found[key].value):
            found[key] = goal
    return list(found.values())


def _ratio(peer: str):
    """That peer's time over ours; None where it was not measured."""
    return lambda row: row["peers"].get(peer, {}).get("ratio")


def _least(*peers: str):
    """The time of the fastest of the peers over ours."""
    return lambda row: min(
        (row["peers"][p]["ratio"] for p in peers if p in row["peers"]), default=None
    )


def _precision(row: dict) -> str:
    op, _, pass_ = row["name"].partition(".")
    records = implementations(op, pass_, "cuda")
    return next((r.precision for r in records if r.version == row["version"]), "gone")
