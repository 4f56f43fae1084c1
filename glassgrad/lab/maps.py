"""One request of a warp drawn as SVG: the sectors of global memory it touches, or the banks.

Each of the 32 lanes has its colour, from blue (lane 0) to red (lane 31).
"""

from ..kernels.emulator.report import Site

WORD, BANKS, SECTOR = 4, 32, 32
CELL, GAP, PER_ROW = 8, 5, 4  # pixels, pixels, sectors
ROWS = 32  # words of one bank that are drawn


def colour(lane: int) -> str:
    """The lane's colour.

    >>> colour(0), colour(31)
    ('hsl(215 75% 55%)', 'hsl(370 75% 55%)')
    """
    return f"hsl({215 + 5 * lane} 75% 55%)"


def legend() -> str:
    """The colours of the lanes, 0 to 31."""
    cells = "".join(_cell(lane * CELL, 0, colour(lane), f"lane {lane}") for lane in range(32))
    return _svg(32 * CELL, CELL, cells)


def of(site: Site) -> str:
    """The map of a site's sample: sectors for global memory, banks for shared memory."""
    if all(a is None for a in site.sample):
        return ""
    return sector_map(site) if site.space == "global" else bank_map(site)


def _words(site: Site, lanes=range(32)) -> dict[int, list[int]]:
    """Word number -> the lanes that want it."""
    found: dict[int, list[int]] = {}
    for lane in lanes:
        address = site.sample[lane]
        if address is not None:
            for word in range(address // WORD, (address + site.size - 1) // WORD + 1):
                found.setdefault(word, []).append(lane)
    return found


def sector_map(site: Site) -> str:
    """Every touched sector of 32 bytes as eight words; a word has the colour of its first lane.

    Grey words are moved but not used. A gap separates sectors that are not neighbours.
    """
    words = _words(site)
    sectors = sorted({w * WORD // SECTOR for w in words})
    x = y = width = 0
    last, cells = None, []
    for i, sector in enumerate(sectors):
        if i and i % PER_ROW == 0:
            x, y = 0, y + CELL + GAP
        elif last is not None:
            x += 2 if sector == last + 1 else GAP + 3
        for word in range(sector * 8, sector * 8 + 8):
            lanes = words.get(word)
            fill = colour(lanes[0]) if lanes else "var(--empty)"
            cells.append(_cell(x, y, fill, f"byte {word * WORD}: {_lanes(lanes)}"))
            x += CELL
        last, width = sector, max(width, x)
    return _svg(width, y + CELL, "".join(cells))


def bank_map(site: Site) -> str:
    """The 32 banks next to each other; below each, the different words wanted from it.

    The deepest column is the number of wavefronts of the request. Accesses of 8 and 16 bytes go
    by half and quarter warps, loads by twice as many lanes where neighbours want the same (as
    counters.cpp has it): the worst of these groups is drawn.
    """
    step = 8 if site.size > 8 else 16 if site.size > 4 else 32
    if step < 32 and site.access == "load" and (_in_pairs(site, 1) or _in_pairs(site, 2)):
        step *= 2
    parts = [_columns(site, range(first, first + step)) for first in range(0, 32, step)]
    columns = max(parts, key=lambda c: max(map(len, c)))
    cells, depth = [], min(ROWS, max(map(len, columns)))
    for bank, column in enumerate(columns):
        for row in range(depth):
            word, lanes = column[row] if row < len(column) else (None, None)
            fill = colour(lanes[0]) if lanes else "var(--empty)"
            what = f"word {word}: {_lanes(lanes)}" if lanes else "not wanted"
            cells.append(_cell(bank * CELL, row * CELL, fill, f"bank {bank}, {what}"))
    return _svg(BANKS * CELL, depth * CELL, "".join(cells))


def _in_pairs(site: Site, bit: int) -> bool:
    """Do the active lanes go in pairs, n and n ^ bit, to one address?"""
    pairs = ((a, site.sample[lane ^ bit]) for lane, a in enumerate(site.sample))
    return all(a == b for a, b in pairs if a is not None and b is not None)


def _columns(site: Site, lanes) -> list[list[tuple[int, list[int]]]]:
    columns: list[list] = [[] for _ in range(BANKS)]
    for word, wanting in sorted(_words(site, lanes).items()):
        columns[word % BANKS].append((word, wanting))
    return columns


def _lanes(lanes) -> str:
    if not lanes:
        return "no lane"
    return "lane " + ", ".join(map(str, lanes)) if len(lanes) < 9 else f"{len(lanes)} lanes"


def _cell(x, y, fill, title) -> str:
    size = CELL - 1
    return (
        f'<rect x="{x}" y="{y}" width="{size}" height="{size}" fill="{fill}">'
        f"<title>{title}</title></rect>"
    )


def _svg(width, height, inner) -> str:
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg class="map" {box}>{inner}</svg>'
