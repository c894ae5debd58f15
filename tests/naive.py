"""Slow twins of the kernels: plain Python that says what they must give, cell by cell."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from augment.grid import Grid
from augment.sampler import Catalog
from augment.view import View, ViewTable

WORD = 2**64


def mix64(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % WORD
    return value ^ (value >> 31)


def hash64(seed: int, first: int, second: int) -> int:
    step = 0x9E3779B97F4A7C15
    value = mix64((seed + step) % WORD)
    value = mix64(((value ^ first) + step) % WORD)
    return mix64(((value ^ second) + step) % WORD)


def bounded(value: int, length: int) -> int:
    return (value >> 32) * length >> 32


def bounded_low(value: int, length: int) -> int:
    return value % 2**32 * length >> 32


def permuted(index: int, length: int, key: int) -> int:
    bits = max(6, (length - 1).bit_length())
    low_bits, high_bits = (bits + 1) // 2, bits // 2
    value = index
    while True:
        high, low = divmod(value, 2**low_bits)
        for number in range(3):
            round_key = (key + number * 0x9E3779B97F4A7C15) % WORD
            low ^= (mix64((round_key + high) % WORD) >> 32) % 2**low_bits
            high ^= (mix64((WORD - 1 - round_key - low) % WORD) >> 32) % 2**high_bits
        value = high * 2**low_bits + low
        if value < length:
            return value


def item_of_epoch(example: int, length: int, seed: int) -> int:
    return permuted(example % length, length, hash64(seed, example // length, 0))


def pictures(grids: Sequence[Grid]) -> set[bytes]:
    """Everything that symmetries and permutations of colors 1..9 make of the grids, by brute force."""
    seen = sorted({int(cell) for grid in grids for cell in grid.ravel()} - {0})
    found = set()
    for dihedral in range(8):
        turned = [View(dihedral).apply(grid) for grid in grids]
        for chosen in itertools.permutations(range(1, 10), len(seen)):
            colors = np.zeros(10, dtype=np.uint8)
            colors[seen] = chosen
            found.add(picture([colors[grid] for grid in turned]))
    return found


def picture(grids: Sequence[Grid]) -> bytes:
    return b"".join(bytes(grid.shape) + grid.tobytes() for grid in grids)


def draw_example(catalog: Catalog, views: ViewTable, side: int, seed: int, example: int) -> tuple[int, ...]:
    """Task, pair, view, row and column of an example, translated."""
    item = item_of_epoch(example, len(catalog.tasks), seed)
    luck = hash64(seed, example, 1)
    num_pairs = int(catalog.pair_counts[item])
    choice = bounded(luck, num_pairs)
    pair = int(catalog.pair_starts[item]) + choice
    view = int(catalog.view_starts[item]) + bounded_low(luck, int(catalog.view_counts[item]))
    task = int(catalog.tasks[item])
    if choice == bounded(hash64(seed, view, 2), num_pairs):
        return task, pair, view, 0, 0
    extent = np.zeros((catalog.heights[pair], catalog.widths[pair]), dtype=np.uint8)
    height, width = views[view].apply(extent).shape
    luck = mix64(luck)
    return task, pair, view, bounded(luck, side - height + 1), bounded_low(luck, side - width + 1)


def paint(grid: Grid, side: int, row: int, column: int) -> list[int]:
    """The tokens of a canvas in reading order."""
    height, width = grid.shape
    tokens = {}
    for r in range(height):
        for c in range(width):
            tokens[row + r, column + c] = int(grid[r, c]) + 2
        tokens[row + r, column + width] = 1
    for c in range(width):
        tokens[row + height, column + c] = 1
    return [tokens.get((r, c), 0) for r in range(side) for c in range(side)]


def crop(tokens: Sequence[int], side: int) -> Grid | None:
    """The largest rectangle of colors from the top left, found by trying all; the flattest of equals."""
    best = None
    for height in range(1, side + 1):
        for width in range(1, side + 1):
            cells = [[tokens[r * side + c] - 2 for c in range(width)] for r in range(height)]
            if all(0 <= cell <= 9 for row in cells for cell in row) and (
                best is None or height * width > len(best) * len(best[0])
            ):
                best = cells
    return None if best is None else np.array(best, dtype=np.uint8)


def content_key(grid: Grid | None) -> tuple[int, int]:
    height, width = (0, 0) if grid is None else grid.shape
    cells = [] if grid is None else grid.ravel().tolist()
    shape = height * 31 + width
    high, low = mix64(shape), mix64(WORD - 1 - shape)
    for start in range(0, len(cells), 15):
        word = 0
        for cell in (cells[start : start + 15] + [0] * 15)[:15]:
            word = word * 16 + cell
        high, low = mix64(high ^ word), mix64((low + WORD - 1 - word) % WORD)
    return high, low


def shuffled(values: Sequence[int], key: int) -> list[int]:
    values = list(values)
    for last in range(len(values) - 1, 0, -1):
        other = bounded(mix64(key ^ last), last + 1)
        values[last], values[other] = values[other], values[last]
    return values


def drawn_lines(side: int, size: int, key: int) -> list[int]:
    groups = shuffled(range(side // size), key)
    return [
        line
        for place, group in enumerate(groups)
        for line in shuffled(range(group * size, group * size + size), mix64((key + place + 1) % WORD))
    ]


def drawn_sudoku_view(
    seed: int, example: int, box: tuple[int, int]
) -> tuple[list[int], list[int], list[int], bool]:
    """Digits, rows, columns and whether transposed."""
    side = box[0] * box[1]
    key = hash64(seed, example, 1)
    digits = [0, *shuffled(range(1, side + 1), mix64((key + 1) % WORD))]
    rows = drawn_lines(side, box[0], mix64((key + 2) % WORD))
    columns = drawn_lines(side, box[1], mix64((key + 3) % WORD))
    return digits, rows, columns, box[0] == box[1] and bounded(key, 2) == 1


def random_grids(rng: np.random.Generator, num: int, max_side: int = 30) -> Iterator[Grid]:
    for height, width in rng.integers(1, max_side + 1, size=(num, 2)):
        yield rng.integers(0, 10, size=(height, width)).astype(np.uint8)
