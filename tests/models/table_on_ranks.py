"""Train the systems of test_table_of_ranks.py in turn, on the ranks that mpiexec has started.

``python -m tests.models.table_on_ranks FOLDER NAME:RANK …``: each system leaves its run below
FOLDER. One that is there goes on. A new one NAME loses RANK within its first steps, to SIGKILL.
"""

import dataclasses
import hashlib
import os
import signal
import sys
import tempfile
from pathlib import Path

import glassgrad as gg
from glassgrad.core.training.loop import fit
from glassgrad.core.training.run_folder import Run
from tests.models.tiny_data import small_training

SHARDS, BEFORE = 4, 3  # minibatches that are cut before the one at which a rank dies
SYSTEMS = {  # name -> (kind of data, settings)
    "lenet": ("images", {}),
    "vae": ("images", {}),
    "lstm": ("sequences", {"epochs": 6}),
    "gan": ("images", {"generator": (9,), "discriminator": (9,)}),
    "rbm": ("images", {}),
    "word2vec": ("text", {"epochs": 6}),
    "som": ("images", {"form": "batch", "epochs": 6}),
}


def dying(system, world, rank: int):
    """The system, whose fourth minibatch kills that rank, when checkpoints have been written."""
    cut, calls = system.cut, []

    def counted(*arguments):
        calls.append(1)
        if len(calls) > BEFORE and world.rank == rank:
            os.kill(os.getpid(), signal.SIGKILL)
        return cut(*arguments)

    system.cut = counted
    return system


def trained(name: str, folder: Path, world, deadly: dict[str, int], shards: int = SHARDS) -> str:
    """A digest of the weights, buffers and streams after the training."""
    kind, changes = SYSTEMS[name]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as own:  # each rank writes its text
        recipe, data, settings = small_training(name, kind, Path(own), shards=shards, **changes)
    data = dataclasses.replace(data, valid=None)  # every rank would train the judge of images
    system, run = recipe.build(data, settings, gg.Generator(settings.seed)), Run(folder)
    begun = world.gather(run.has_checkpoint())[0]
    if not begun and name in deadly:
        dying(system, world, deadly[name])
    fit(system, data, settings, run=run, resume=begun, save_every=0.0)
    streams = {f"{n} stream": str(g.state).encode() for n, g in system.named_generators()}
    arrays = {n: a.tobytes() for n, a in system.state_dict().items()}
    found = sorted({**streams, **arrays}.items())
    return hashlib.sha256(b"".join(n.encode() + a for n, a in found)).hexdigest()[:16]


def digests(folder: Path, world, deadly: dict | None = None, **changes) -> dict[str, str]:
    """The digest of every system; each is printed when it is there."""
    found = {}
    for name in SYSTEMS:
        found[name] = trained(name, folder / name, world, deadly or {}, **changes)
        print(name, found[name], flush=True)
    return found


if __name__ == "__main__":
    folder, *killed = sys.argv[1:]
    deadly = {name: int(rank) for name, rank in (k.split(":") for k in killed)}
    with gg.distributed.ranks() as world:
        digests(Path(folder), world, deadly)
