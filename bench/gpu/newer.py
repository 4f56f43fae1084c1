"""``glassgrad`` without the first version of each kernel that has newer ones.

    python -m glassgrad.bench.gpu.newer bench conv2d.forward --backend cuda

The first rung of a ladder is there to be read; on a lent GPU it would take most of the time.
"""

import sys

from ...cli import main as glassgrad
from ...kernels import implementations, registry


def main(argv: list[str]) -> int:
    """Forget first versions on the GPU, then do what the arguments ask for."""
    for record in implementations(backend="cuda"):
        versions = registry._records[record.op, record.pass_, "cuda"]
        if record.version == 1 and len(versions) > 1:
            del versions[1]
    return glassgrad(argv)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
