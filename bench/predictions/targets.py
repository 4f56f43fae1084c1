"""The targets and the predictions: the newest version before this page, and the one after it.

A peer's time is assumed, from memory of like shapes, give or take 30 %:

    cuDNN, LSTM and GRU       9 µs a step at (64, 256), 11 at (20, 650); 1.75 more backwards, and
                              the product for the weights' gradient, which both have
    cuDNN, convolution        3 µs and 45 TFLOP/s in float32 (35 for 5x5); 6 µs, for turning the
                              axes, and 220 TFLOP/s in TF32
    cuBLAS and arg-min        27 ms for a product that writes 40 GB, 15 ms to read them
"""

from . import products, traffic

GOAL = 0.85


def _rows(cases: dict, name: str) -> tuple:
    """(least time, {version: microseconds}) of the case whose name begins so."""
    least, flops, rows = next(v for k, v in cases.items() if k.startswith(name))
    return least / 3e6, {row.version: row.time() for row in rows}, flops


def _line(what, goal, peer, times, before, after) -> str:
    said = []
    for version in (before, after):
        if version is None:
            said.append("– | –")
        else:
            said.append(f"v{version} {times[version]:.3g} | {peer / times[version]:.2f}")
    best = peer / times[after or before]
    below, above = (0.97, 1.05) if goal == GOAL else (0.77, 1.3)  # a peer's time is a guess
    verdict = "yes" if best >= above * goal else "no" if best < below * goal else "on the line"
    return f"| {what} | {goal} | {peer:.3g} | {' | '.join(said)} | {verdict} |"


def table() -> str:
    """Markdown: each target, its floor or peer, before and after."""
    lines = [
        "| target | goal | floor or peer µs | before µs | ratio | after µs | ratio | reached |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for what, cases, name, before, after in (
        ("dropout, 67 MB", traffic.dropout(), "(4096, 2048)", 2, None),
        ("dropout, 134 MB", traffic.dropout(), "(8192, 2048)", 2, None),
        ("reparam.forward, 101 MB", traffic.reparam_forward(), "(4096, 2048)", 2, 3),
        ("reparam.backward, 168 MB", traffic.reparam_backward(), "(4096, 2048)", 2, 3),
        ("max-pool 3x3, 45 MB", traffic.pool_forward(8), "3x3 stride 2, (32", 2, 4),
        ("max-pool 3x3, 180 MB", traffic.pool_forward(8), "3x3 stride 2, (128", 2, 4),
        ("max-pool 3x3 backward, 180 MB", traffic.pool_backward(), "3x3 stride 2, (128", 3, 4),
        ("max-pool 2x2, 11 MB", traffic.pool_forward(8), "2x2", 3, None),
        ("LSTM cell, 185 MB", traffic.cells(11, 200, 480), "N4096", 2, None),
        ("LSTM cell backward, 218 MB", traffic.cells(13, 110, 220), "N4096", 2, None),
    ):
        floor, times, _ = _rows(cases, name)
        lines.append(_line(what, GOAL, floor, times, before, after))
    for gates, net in ((4, "LSTM"), (3, "GRU")):
        for back in (False, True):
            for case, T, a_step in (("T100", 100, 9.0), ("T35 N20 H650", 35, 11.0)):
                _, times, flops = _rows(products.sequences(gates, back), case)
                weights = flops / 2 / 30e6 if back else 0
                peer = T * (a_step + 1.75 * back) + weights
                shape = "(100,64,128,256)" if T == 100 else "(35,20,650,650)"
                what = f"{net} {shape}{' backward' if back else ''}"
                lines.append(_line(what, 1.0, peer, times, 3, 4))
    forward = products.convolution(False)
    for tf32, goal, before, after in ((False, 0.8, 5, 8), (True, 0.6, 6, 9)):
        for case in forward:
            _, times, flops = _rows(forward, case)
            rate = (35e6 if ",5," in case else 45e6) if not tf32 else 220e6
            peer = (6 if tf32 else 3) + flops / rate
            last = after if after in times else None
            what = f"conv {case.split(' (')[0]}, TF32 {'on' if tf32 else 'off'}"
            lines.append(_line(what, goal, peer, times, before, last))
    _, times, _ = _rows(products.winners(), "N1000000")
    lines.append(_line("SOM 1M x 64 on 100 x 100", 2.0, 42e3, times, 4, 5))
    return "\n".join(lines)
