"""Passes that are matrix products inside: sequences, convolutions, maps."""

from . import BARRIER, CELL, JOURNEY, SMS, Row, microseconds

HOST = 40.0  # microseconds of Python for one launch, checks and all


def steps(T: int, N: int, H: int, gates: int, back: bool) -> tuple:
    """Microseconds of a step in v1, v2, v3, v4: what the GPU waits for, or the launches."""
    travels = gates * H if back else H  # numbers of a row that other blocks wrote
    summed = 1 if back else gates  # gates of a thread's unit that take part
    chunks, quads = -(-travels // 64), -(-travels // 4)
    tiles = -(-travels // 16)
    # cycles of shared memory, and of multiply-adds, for four k of 8 units x 32 rows
    v3_shared, v3_sums = 8 * (2 + 4 * summed), 8 * 4 * summed / 4
    v4_shared = 12 if back else 2 * (8 + 2 * summed)
    v4_sums = 8 if back else 2 * 16 * summed / 4
    inner = 288 if not back else 16 * 3 * 8 / 4
    v2 = tiles * (JOURNEY + inner) + CELL
    v3 = chunks * JOURNEY + quads * max(v3_shared, v3_sums) + BARRIER + CELL
    v4 = JOURNEY + quads * max(v4_shared, v4_sums) / 0.7 + chunks * 60 + 300 + BARRIER + CELL / 2
    product = max(8.0, 2 * N * H * gates * H / 20e6)  # cuBLAS, few rows: 20 TFLOP/s
    launches = 3
    return (
        max(product + 5.0, launches * HOST),
        max(microseconds(v2), HOST),
        microseconds(v3),
        microseconds(v4),
    )


def sequences(gates: int, back: bool) -> dict:
    """All steps of an LSTM (4 gates) or a GRU (3), forward or backward."""
    found = {}
    for T, N, H in ((100, 64, 256), (35, 20, 650), (28, 128, 128), (35, 20, 200)):
        times = steps(T, N, H, gates, back)
        blocks = -(-H // 8) * -(-N // 32)
        tail = 2 * T * N * gates * H * H / 30e6 + 2 * T * N * gates * H * 8 / 3e6 if back else 0
        flops = 2 * T * N * gates * H * H * (2 if back else 1)
        passed = 1 + (2 * gates if not back else 2 * gates + 3)
        least = 4 * (T * N * H * passed + gates * H * H * (2 if back else 1))
        reasons = (
            "launches: product, sum, cell",
            "launches, or a journey for each 16 k",
            f"{blocks} blocks wait for h in every 64 k; shared memory",
            f"{blocks} blocks; multiply-adds and the barrier",
        )
        rows = [
            Row(v, why, serial=T * t + (tail if back else 0))
            for v, (t, why) in enumerate(zip(times, reasons), 1)
        ]
        found[f"T{T} N{N} H{H}"] = least, flops, rows
    return found


# operations a cycle of a multiprocessor with enough blocks; see notes.md
RATES = {1: 15, 2: 25, 3: 105, 4: 157, 5: 256, 6: 410, 7: 478, 8: 317, 9: 745}
TURNED = RATES | {9: 586}
CONVOLUTIONS = {  # N, C, H, O, k, stride, padding
    "first layer": (64, 1, 28, 32, 5, 1, 2),
    "second layer": (64, 32, 14, 64, 5, 1, 2),
    "3x3 wide": (32, 64, 28, 64, 3, 1, 1),
    "3x3 stride 2": (16, 64, 28, 128, 3, 2, 1),
    "large images": (8, 64, 56, 64, 3, 1, 1),
    "1x1": (32, 64, 28, 128, 1, 1, 0),
    "3x3 128": (32, 128, 14, 128, 3, 1, 1),
    "3x3 256": (8, 256, 8, 256, 3, 1, 1),
    "saturating 3x3": (64, 256, 56, 256, 3, 1, 1),
}


def convolution(turned: bool) -> dict:
    """Forward, or (`turned`) the input gradient, whose products are as many.

    Blocks of 64 x 64 results; fewer than three of them leave a multiprocessor waiting.
    """
    found = {}
    for name, (N, C, H, O, k, s, p) in CONVOLUTIONS.items():
        out = (H + 2 * p - k) // s + 1
        flops = 2 * N * O * out * out * C * k * k
        least = 4 * (N * C * H * H + O * C * k * k + N * O * out * out)
        rows_of, cols = (C, N * H * H // s**2) if turned else (O, N * out * out)
        depth = flops / (2 * rows_of * cols)
        side = H if turned else out
        windows = min(-(-side // (64 // a)) * -(-side // a) for a in (8, 16)) * N
        rows = []
        for v, rate in (TURNED if turned else RATES).items():
            if (v >= 8 and (k, s) != (3, 1)) or (v > 1 and rows_of == 1):
                continue  # not on this case
            if v <= 2:
                spread = min(1.0, rows_of * cols / 256 / (SMS * 4))
                cycles = flops / SMS / rate / spread
            else:
                blocks = -(-rows_of // 64) * (windows if v >= 8 else -(-cols // 64) * s**2)
                deep = depth if v < 8 or depth % 72 == 0 else -(-depth // 72) * 72
                cycles = 64 * 64 * 2 * deep * max(-(-blocks // SMS), 3) / rate
            why = "see the rates"
            row = Row(v, why, least, serial=0)
            memory = row.time()
            product = microseconds(cycles) + 3.0
            why = "memory" if memory > product else f"{flops / product / 1e6:.0f} TFLOP/s"
            rows.append(Row(v, why, serial=max(memory, product) - 3.0))
        found[f"{name} ({N},{C},{H},{O},{k},{s},{p})"] = least, flops, rows
    return found


def winners() -> dict:
    """Pairs are M x N x D differences; a tile is 64 x 64 pairs."""
    found = {}
    for N, M, D in ((1_000_000, 10_000, 64), (2000, 900, 784), (5000, 100, 64)):
        pairs = N * M * D
        down, across = -(-N // 64), -(-M // 64)
        tiles = -(-across // min(across, -(-264 // down)))
        blocks = down * -(-across // tiles)
        chunks = -(-D // 16)
        # instructions of a warp for its quarter of a tile: products, then the decision
        screened = down * across * 4 * (chunks * 90 + 490)
        waves = max(1.0, blocks / (SMS * 5))
        # one pair in ten waits alone; each walks D features in steps of four
        new = min(tiles, 64) * 0.8 + max(0, tiles - 64) * 0.5
        alone = D / 4 * 250
        tile = chunks * 180 + 800 if blocks > SMS * 2 else chunks * JOURNEY + 1500
        direct = microseconds(pairs / 32 * 4 / SMS)
        issued = microseconds(screened / (0.75 * SMS * 4))
        walk, settled = waves * microseconds(tiles * tile), waves * microseconds(new * alone)
        rows = [
            Row(1, "x a row apart: 32 sectors a request", serial=direct * 2),
            Row(2, "two reads of shared memory a difference",
                serial=microseconds(pairs / 32 * 2.2 / SMS)),
            Row(3, "two instructions a difference", 0, pairs / 512 * 35, 3, 0,
                chunks * tiles * microseconds(JOURNEY) if blocks <= 2 * SMS else 0),
            Row(4, "tensor products, and lone lanes that settle ties", 16 * N * D, 0, 12, 0,
                max(1.06 * issued, walk + settled) + (0.3 * settled if walk < issued else 0)),
            Row(5, "the schedulers: a third products, the rest decisions", 16 * N * D, 0, 12, 0,
                max(issued, walk + settled * min(1, 5 / new))),
        ]  # fmt: skip
        found[f"N{N} M{M} D{D}"] = 4 * (N * D + M * D + 3 * N), 2 * pairs, rows
    return found
