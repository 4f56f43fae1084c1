"""Passes that memory traffic should bound, and the smaller families.

Instructions a thread are counted in the machine code for sm_90, without its slow paths.
"""

from ...kernels.launcher import ceil_div
from . import BUSY, CLOCK, JOURNEY, SMS, Row, microseconds


def dropout() -> dict:
    """Case -> (least bytes, operations, rows): one array read, one written."""

    def case(n):
        versions = [
            Row(1, "four neighbours make one block: arithmetic", 8 * n, n / 32 * 105),
            Row(2, "memory", 8 * n, n / 128 * 150),
        ]
        return 8 * n, 22 * n, versions

    return {
        "(8192, 2048)": case(1 << 24),
        "(4096, 2048)": case(1 << 23),
        "(4096, 1024)": case(1 << 22),
        "(100, 200)": case(20000),
    }


def reparam_forward() -> dict:
    """Two arrays read, one written; a normal and an exponential an element."""

    def case(rows, d):
        n = rows * d
        wait = microseconds(d / 4 * JOURNEY)  # one thread walks a row, four loads ahead
        versions = [
            Row(1, "one thread a row for the sum: waiting", 20 * n, n / 32 * 300, 2, 0, wait),
            Row(2, "three of four normals thrown away: arithmetic", 12 * n, n / 32 * 330),
            Row(3, "arithmetic and memory level", 12 * n, n / 128 * 370),
        ]
        return 12 * n + 4 * rows, 50 * n, versions

    return {"(4096, 2048)": case(4096, 2048), "(4096, 256)": case(4096, 256)}


def reparam_backward() -> dict:
    """Three arrays read, two written; the normals are made again."""

    def case(rows, d):
        n = rows * d
        apart = "stores 16 bytes apart: four times the L2 traffic"
        versions = [
            Row(1, "three of four normals thrown away: arithmetic", 20 * n, n / 32 * 330),
            Row(2, apart, 20 * n, n / 128 * 500, 1, 44 * n),
            Row(3, "memory", 20 * n, n / 128 * 370),
        ]
        return 20 * n + 4 * rows, 50 * n, versions

    return {"(4096, 2048)": case(4096, 2048), "(4096, 256)": case(4096, 256)}


POOLS = {
    "2x2, (64,32,28,28)": (2048, 28, 2),
    "3x3 stride 2, (32,64,56,56)": (2048, 56, 3),
    "3x3 stride 2, (128,64,56,56)": (8192, 56, 3),
}


def pool_forward(index: int) -> dict:
    """Max-pooling writes 8 bytes of index and 4 of value, average-pooling nothing."""
    found = {}
    for case, (planes, side, k) in POOLS.items():
        out = side // 2
        ins, outs = planes * side * side, planes * out * out
        moved, tiles = 4 * ins + (4 + index) * outs, planes * ceil_div(out, 16) ** 2 * 256
        rows = [Row(1, "memory", moved, outs / 32 * (120 if k == 2 else 190))]
        if k == 3:
            rows.append(Row(2, "divisions of the tile, idle threads", moved, tiles / 32 * 300))
            rows.append(Row(4, "memory", moved, planes * -(-out // 2) * out / 32 * 250))
        else:
            rows.append(Row(3, "memory", moved, outs / 64 * 90))
        found[case] = moved, outs * k * k, rows
    return found


def pool_backward() -> dict:
    """The gradient of max-pooling, each value to the pixel that its index names."""
    found = {}
    for case, (planes, side, _) in POOLS.items():
        pixels, outputs = side * side, (side // 2) ** 2
        least = planes * (4 * pixels + 12 * outputs)
        walks = -(-outputs // 256) * planes
        bands = -(-pixels // 2048)

        def rounds(walked):  # 300 cycles of the schedulers for each 256 outputs
            return walked * 300 * 4 * BUSY

        atomics = 1e6 * planes * outputs / 32 * 16.7 / (96 * CLOCK / 2)
        versions = [
            Row(1, "one thread a plane: waiting", least, 0, 1, 0, microseconds(outputs * 800)),
            Row(2, "clearing first, then a round trip for each atomic", least, 0, 2, 0, atomics),
            Row(3, f"claims: {bands} walks of each plane", least, rounds(walks * bands)),
            Row(4, "claims, one walk", least, rounds(walks * -(-pixels * 8 // 49152))),
        ]
        found[case] = least, planes * outputs, versions
    return found


def cells(numbers: int, first: int, second: int) -> dict:
    """A cell of `numbers` reads and writes a unit; instructions a unit of v1, four units of v2."""

    def case(units):
        moved = 4 * numbers * units
        versions = [
            Row(1, "memory", moved, units / 32 * first),
            Row(2, "memory", moved, units / 128 * second),
        ]
        return moved, 23 * units, versions

    return {"N4096 H1024": case(1 << 22), "N64 H1024": case(1 << 16), "N20 H200": case(4000)}


def batchnorm(arrays: int) -> dict:
    """2 arrays forward, 3 backward."""
    back = arrays == 3

    def case(n, c, length, again):
        size, of_channel = n * c * length, n * length
        passes = JOURNEY + (1 if back else 2) * JOURNEY / 2  # from memory, then from L2
        read = 4 * size * (arrays - 1)
        wait, moved = microseconds(of_channel / 256 / 4 * passes), 4 * arrays * size
        few = f"{c} blocks of {SMS} multiprocessors: waiting"
        rows = [Row(1, few, moved, 0, 1, 0, wait)]
        if of_channel > 4096:
            why = "memory, x partly from L2 again"
            rows.append(Row(2, why, moved + again * read, size / 32 * 60, 2, 0, 2.0))
        else:
            why = "numbers lie a row apart: 8 times the sectors"
            rows[0] = Row(1, why, moved, 0, 1, 32 * size * (2 * arrays), 10)
        return 4 * arrays * size, 10 * size, rows

    return {
        "(64, 64, 48x48)": case(64, 64, 2304, 0.8 if back else 0.5),
        "(100, 16, 28x28)": case(100, 16, 784, 0),
        "(2048, 512)": case(2048, 512, 1, 0),
    }


def others() -> dict:
    """All other passes: cross-entropy, the optimisers, Philox, maps, NADE, rest of pooling."""
    z = 8192 * 1000
    found = {}

    def add(name, least, operations, *rows):
        found[name] = least, operations, list(rows)

    add(
        "cross_entropy.forward (8192,1000)",
        4 * z,
        5 * z,
        Row(1, "memory, two waits of a row", 4 * z, z / 32 * 45, serial=2.0),
    )
    add(
        "cross_entropy.backward (8192,1000)",
        8 * z,
        4 * z,
        Row(1, "a division a logit: arithmetic", 8 * z, z / 32 * 70),
    )
    for rule, numbers in {"sgd": 5, "adagrad": 5, "adadelta": 7, "rmsprop": 5, "adam": 7}.items():
        n = 1 << 20
        add(
            f"descent.{rule} 1M",
            4 * numbers * n,
            10 * n,
            Row(1, "memory", 4 * numbers * n, n / 32 * 80),
        )
    n = 1 << 23
    add("descent.adam 8.4M", 28 * n, 12 * n, Row(1, "memory", 28 * n, n / 32 * 80))
    n = 4_000_000
    for name, one, four in (("bits", 95, 130), ("uniform", 100, 140), ("normal", 250, 300)):
        add(
            f"philox.{name} 4M",
            4 * n,
            20 * n,
            Row(1, "arithmetic, four times", 4 * n, n / 32 * one),
            Row(
                2,
                "arithmetic and memory level" if four < 200 else "arithmetic",
                4 * n,
                n / 128 * four,
            ),
        )
    ins, outs = 2048 * 56 * 56, 2048 * 28 * 28
    add(
        "pool2d.max_gather (32,64,56,56)",
        16 * outs,
        0,
        Row(1, "chosen pixels lie in nearly all sectors of x", 4 * ins + 12 * outs),
    )
    add(
        "pool2d.avg_backward 3x3 (32,64,56,56)",
        4 * (ins + outs),
        9 * outs,
        Row(1, "divisions: arithmetic", 4 * (ins + outs), ins / 32 * 110),
    )
    ins = 2048 * 28 * 28
    add(
        "pool2d.avg_backward 2x2 (64,32,28,28)",
        5 * ins,
        ins,
        Row(1, "divisions: arithmetic", 5 * ins, ins / 32 * 100),
        Row(2, "memory", 5 * ins, ins / 8 / 32 * 80),
    )
    pairs = 2000 * 900 * 784
    add(
        "som.distances (2000,900,784)",
        16.3e6,
        3 * pairs,
        Row(1, "w a row apart: 32 sectors a request", serial=2 * microseconds(pairs / 8 / SMS)),
        Row(2, "two reads of shared memory", serial=microseconds(pairs / 32 * 2.2 / SMS)),
        Row(3, "two instructions a difference", 16.3e6, pairs / 512 * 35),
    )
    add(
        "som.update (20000,400,64)",
        6.2e6,
        2 * 20000 * 64 + 2 * 400 * 400 * 64,
        Row(1, "20000 samples in turn, four loads ahead", serial=microseconds(5000 * JOURNEY)),
        Row(2, "1250 tiles in turn, two barriers each", serial=microseconds(1250 * 1000)),
        Row(3, "a sort and two products: launches", launches=20, serial=70.0),
    )
    add(
        "som.online (1000,900,784)",
        7.5e6,
        5 * 1000 * 900 * 784,
        Row(1, "one block, rows of w apart", serial=1000 * microseconds(4 * 2 * 196 * JOURNEY)),
        Row(2, "60 blocks meet each time", serial=1000 * microseconds(2600 + 3000)),
    )
    add("som.online (1000,100,16)", 1e5, 8e6, Row(1, "one block", serial=1000 * microseconds(7000)))
    n, d, h = 100, 784, 500
    most = 4 * (2 * n * d + 2 * d * h)
    step = JOURNEY / 2
    add(
        "nade.forward (100,784,500)",
        most,
        5 * n * d * h,
        Row(1, "784 steps, two barriers each: waiting", serial=microseconds(d * 2 * step)),
        Row(
            2,
            "784 steps of 16 loads a lane, a warp a row: waiting",
            serial=microseconds(d * 4.5 * step),
        ),
    )
    add(
        "nade.weight_grad (100,784,500)",
        most,
        12 * n * d * h,
        Row(
            1,
            "100 rows there and back in one thread: waiting",
            serial=microseconds(n * d * 2.2 * step),
        ),
        Row(
            2,
            "8 rows there and back in one thread: waiting",
            launches=4,
            serial=microseconds(8 * d * 2.2 * step),
        ),
    )
    add(
        "nade.input_grad (100,784,500)",
        most,
        10 * n * d * h,
        Row(
            1, "784 steps there and back, a warp a row: waiting", serial=microseconds(d * 9 * step)
        ),
    )
    return found
