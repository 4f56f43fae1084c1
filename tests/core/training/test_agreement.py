"""What ranks compare before they train together: data, files, weights."""

from dataclasses import replace

import numpy as np
import pytest

import glassgrad as gg
from glassgrad.core.data import DataSet, Split
from glassgrad.core.data.graph import Graph
from glassgrad.core.distributed import DistributedError, using
from glassgrad.core.training.agreement import data_digest, own_files, system_digest
from glassgrad.core.training.predictor import as_system
from tests.core.distributed.threads import on_ranks


def digest(x, y=None, **extra):
    train = Split(x, y)
    data = DataSet("mine", train, train, train)
    return data_digest(replace(data, info=replace(data.info, extra=extra)))


def graph(last, label=1):
    edges = np.array([[0, 1], [0, last]])
    return Graph("one", 3, edges, labels=np.array([0, 1, label]))


PLAIN = np.arange(6, dtype=np.float32)
BENT = replace(graph(2), edges=np.array([[0, 1], [1, 2]]))
DIFFERENT = {
    "values": (PLAIN, PLAIN + 1),
    "dtype": (np.zeros(4, np.float32), np.zeros(4, np.int32)),
    "shape": (PLAIN.reshape(3, 2), PLAIN.reshape(3, 1, 2)),
    "text": (["aé", "b"], ["a", "éb"]),
    "lengths": ([PLAIN[:2], PLAIN[2:]], [PLAIN[:3], PLAIN[3:]]),
    "edges": ([graph(2), graph(2)], [graph(2), BENT]),
    "labels of nodes": ([graph(2)], [graph(2, label=0)]),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_data_that_differ_have_other_digests(name):
    a, b = DIFFERENT[name]
    assert digest(a) == digest(a) and digest(a) != digest(b)


def test_a_graph_next_to_the_examples_counts_as_well():
    found = [digest(PLAIN, graph=g) for g in (graph(2), graph(2), graph(2, label=0))]
    assert found[0] == found[1] != found[2]


def test_the_users_own_file_is_compared(tmp_path):
    """Two versions of a file that both define the same names."""
    digests = []
    for k, factor in enumerate((2.0, 3.0)):
        path = tmp_path / f"{k}" / "mine.py"
        path.parent.mkdir()
        path.write_text(
            "import glassgrad as gg\n"
            "class Mine(gg.nn.Module):\n"
            "    def __init__(self):\n"
            "        self.w = gg.ones((2,), requires_grad=True)\n"
            "    def forward(self, x):\n"
            f"        return x * self.w * {factor}\n"
        )
        space = {"__name__": "mine"}
        exec(compile(path.read_text(), str(path), "exec"), space)
        system = as_system(space["Mine"](), None)
        assert own_files(system) == [path]
        digests.append(system_digest(system))
    assert digests[0] != digests[1]
    net = gg.nn.Sequential(gg.nn.Flatten(), gg.nn.Linear(64, 10, rng=gg.Generator(0)))
    assert system_digest(as_system(net, None)) == "none"


def test_other_weights_are_said_to_be_so_after_the_epoch_that_is_done():
    def work(world):
        net = gg.nn.Sequential(gg.nn.Flatten(), gg.nn.Linear(64, 10, rng=gg.Generator(0)))

        calls = []

        def stop():
            calls.append(0)
            if world.rank == 1 and len(calls) == 3:
                net[1].weight.data[0, 0] += 1.0
            return False

        with using(world), pytest.raises(DistributedError, match="after 1 epochs"):
            gg.fit(net, "digits", epochs=2, batch=500, stop=stop)

    on_ranks(2, work)
