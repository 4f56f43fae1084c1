"""The kernels of textbook.cu, and what their counters must be."""

from pathlib import Path

from ...kernels.launcher import Source

STRIDES = (1, 2, 32)
# kernel -> counter -> value, over all the launches of `launch_all`
KNOWN = {
    "textbook_strided": {"load_requests": 3, "load_sectors": 4 + 8 + 32},
    "textbook_transpose_32": {"load_requests": 32, "load_sectors": 128, "shared_load_waves": 1024},
    "textbook_transpose_33": {"load_requests": 32, "load_sectors": 128, "shared_load_waves": 32},
}


def launch_all(xp) -> None:
    """Every kernel, on arrays of the module xp."""
    source = Source(Path(__file__).with_name("textbook.cu"))
    x, y = xp.ones(32 * max(STRIDES), "float32"), xp.zeros(1024, "float32")
    for stride in STRIDES:
        source.launch("textbook_strided", 1, 32, x, y, stride)
    for columns in (32, 33):
        source.launch(f"textbook_transpose_{columns}", 1, (32, 32), x, y)
