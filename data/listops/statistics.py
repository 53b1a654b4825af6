"""The statistics of ListOps beside those of 20,000 trees that Long Range Arena's own program drew and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.comparison import DEVIATIONS, Line
from data.listops.generator import END, MIN, OPERATORS, Codes, Draws, parse
from data.ragged import Ragged

TREES: Final = 20_000
"""Trees of the reference."""
REFERENCE_DRAWS: Final = 240_000
"""Trees that were drawn to keep so many, about."""
CHUNK: Final = 1000
DEPTHS: Final = 9
"""Operators stand at depth 1 to 9."""
ARGUMENTS: Final = tuple(range(2, 11))

DRAWN: Final = (("kept", 0.083), ("lone digit", 0.751), ("too short", 0.155), ("too long", 0.011))
QUANTILES: Final = ((1, 508), (5, 536), (25, 700), (50, 951), (75, 1313), (95, 1800), (99, 1949))
SHORTEST_BIN: Final = 500
LENGTH_SHARES: Final = (0.131, 0.118, 0.106, 0.101, 0.084, 0.076, 0.067, 0.059, 0.054, 0.045, 0.041, 0.035, 0.032, 0.028, 0.022)
"""Of lengths in steps of 100 from SHORTEST_BIN on."""
DEPTH_SHARES: Final = (0.007, 0.015, 0.027, 0.043, 0.067, 0.102, 0.155, 0.234, 0.350)
ROOT_ARGUMENTS: Final = (0.042, 0.068, 0.082, 0.097, 0.114, 0.138, 0.149, 0.146, 0.164)
VALUES: Final = (0.170, 0.087, 0.080, 0.083, 0.089, 0.088, 0.076, 0.072, 0.086, 0.171)
OF_MIN: Final = (0.564, 0.209, 0.107, 0.053, 0.031, 0.019, 0.009, 0.004, 0.003, 0.001)
OF_MAX: Final = (*OF_MIN[:0:-1], 0.569)
"""The reference says: the mirror image, .569 at 9."""
OF_MED: Final = (0.012, 0.038, 0.100, 0.171, 0.210, 0.208, 0.145, 0.074, 0.033, 0.008)
OF_SM: Final = (0.10,) * 10

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class _Table:
    """What is counted in every row."""

    lengths: Counts
    tokens: Counts
    """(n, 15)"""
    depths: Counts
    """(n, 9) Operators at each depth."""
    arguments: Counts
    """(n, 11) Operators with so many arguments."""
    roots: Counts
    """(n,) The operator at the root."""
    root_arguments: Counts


def _count(rows: Ragged) -> _Table:
    """Counts row by row, in chunks: a forest takes a hundred times the memory of its tokens."""
    parts = [_count_chunk(rows, start, min(start + CHUNK, len(rows))) for start in range(0, len(rows), CHUNK)]
    return _Table(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Table.__annotations__))


def _count_chunk(rows: Ragged, start: int, stop: int) -> _Table:
    n = stop - start
    offsets = np.asarray(rows.offsets[start : stop + 1]) - rows.offsets[start]
    chunk = Ragged(np.asarray(rows.values[rows.offsets[start] : rows.offsets[stop]]), offsets)
    levels = parse(chunk)
    depths, arguments = np.zeros((n, DEPTHS), dtype=np.int64), np.zeros((n, 11), dtype=np.int64)
    row = np.arange(n)
    for depth, level in enumerate(levels[:DEPTHS]):
        operators = level.arity > 0
        own, arity = row[operators], level.arity[operators]
        depths[:, depth] = np.bincount(own, minlength=n)
        arguments += np.bincount(own * 11 + arity, minlength=11 * n).reshape(n, 11)
        row = np.repeat(own, arity)
    width = END + 1
    tokens = np.bincount(np.repeat(np.arange(n), chunk.lengths) * width + chunk.values, minlength=width * n).reshape(n, width)
    return _Table(chunk.lengths, tokens, depths, arguments, levels[0].symbols.astype(np.int64), levels[0].arity)


# ---------------------------------------------------------------- comparing


def _half(digits: int) -> float:
    """Half a unit of the last digit that the reference prints."""
    return 0.5 * 10.0**-digits


def _proportion(quantity: str, reference: float, hits: int, n: int, trees: float = TREES, digits: int = 3) -> Line:
    """A share of independent rows."""
    p = max(reference, hits / n)
    return Line(quantity, reference, hits / n, DEVIATIONS * (p * (1 - p) * (1 / n + 1 / trees)) ** 0.5 + _half(digits))


def _share(quantity: str, reference: float, which: NDArray[np.bool_], trees: float = TREES, digits: int = 3) -> Line:
    """A share of the rows."""
    return _proportion(quantity, reference, int(np.count_nonzero(which)), len(which), trees, digits)


def _ratio(quantity: str, reference: float, part: Counts, whole: Counts, digits: int) -> Line:
    """A share of tokens or operators, which hang together within a row: its error comes from the differences between rows."""
    ours = float(part.sum() / whole.sum())
    deviation = float(np.std(part - ours * whole) / whole.mean())
    return Line(quantity, reference, ours, DEVIATIONS * deviation * (1 / len(part) + 1 / TREES) ** 0.5 + _half(digits))


def _mean(quantity: str, reference: float, x: Counts) -> Line:
    return Line(quantity, reference, float(x.mean()), DEVIATIONS * float(x.std()) * (1 / len(x) + 1 / TREES) ** 0.5 + _half(0))


def _quantile(quantity: str, reference: float, x: Counts, percent: int) -> Line:
    """Its error is that of the share below it, carried over to lengths by the quantiles next to it."""
    q = percent / 100
    spread = DEVIATIONS * (q * (1 - q) * (1 / len(x) + 1 / TREES)) ** 0.5
    low, ours, high = np.quantile(x, [max(q - spread, 0.0), q, min(q + spread, 1.0)])
    return Line(quantity, reference, float(ours), float(max(high - ours, ours - low)) + _half(0))


def _extreme(quantity: str, reference: float, x: Counts, largest: bool) -> Line:
    """The extreme of 20,000 rows, read off the tail of ours: its median, and the range that holds it 99.9 times of 100."""
    tails = 1 - np.array([0.9995, 0.5, 0.0005]) ** (1 / TREES)
    near, ours, far = np.quantile(x, 1 - tails if largest else tails)
    return Line(quantity, reference, float(ours), float(max(abs(near - ours), abs(far - ours))) + _half(0))


def statistics(rows: Ragged, values: Codes, draws: Draws | None = None) -> list[Line]:
    """Every quantity of the reference, its value there and here, and the difference that sampling explains.

    `rows` are token codes; `draws`, where the rows were generated here, adds the shares of what was drawn. The extremes among 20,000 rows
    are told of 20,000 rows or more.
    """
    return list(_lines(_count(rows), values.astype(np.int64), draws))


def _lines(table: _Table, values: Counts, draws: Draws | None) -> Iterator[Line]:
    if draws is not None:
        for (name, reference), hits in zip(DRAWN, (draws.kept, draws.digits, draws.short, draws.long), strict=True):
            yield _proportion(f"share of draws, {name}", reference, hits, draws.total, REFERENCE_DRAWS)

    yield _mean("length, mean", 1035, table.lengths)
    for percent, reference in QUANTILES:
        yield _quantile(f"length, {percent} % quantile", reference, table.lengths, percent)
    for i, share in enumerate(LENGTH_SHARES):
        low = SHORTEST_BIN + 100 * i
        yield _share(f"share of rows, length {low} to {low + 99}", share, (low <= table.lengths) & (table.lengths < low + 100))

    operators = table.depths.sum(1)
    yield _mean("operators in a row, mean", 147, operators)
    if len(operators) >= TREES:  # fewer rows say nothing of the extremes of so many
        yield _extreme("operators in a row, fewest of 20,000", 64, operators, largest=False)
        yield _extreme("operators in a row, most of 20,000", 299, operators, largest=True)
    yield _share("share of rows that reach depth 9", 1.0, table.depths[:, -1] > 0)
    for depth, share in enumerate(DEPTH_SHARES):
        yield _ratio(f"share of operators at depth {depth + 1}", share, table.depths[:, depth], operators, 3)
    for k in ARGUMENTS:
        yield _ratio(f"share of operators with {k} arguments", 0.11, table.arguments[:, k], operators, 2)
    for k, share in zip(ARGUMENTS, ROOT_ARGUMENTS, strict=True):
        yield _share(f"share of roots with {k} arguments", share, table.root_arguments == k)

    for code in range(10):
        yield _ratio(f"share of tokens {code}", 0.0716, table.tokens[:, code], table.lengths, 4)
    for code, name in enumerate(OPERATORS, start=MIN):
        yield _ratio(f"share of tokens {name}", 0.0355, table.tokens[:, code], table.lengths, 4)
    yield _ratio("share of tokens ]", 0.1422, table.tokens[:, END], table.lengths, 4)

    for value, share in enumerate(VALUES):
        yield _share(f"share of rows with value {value}", share, values == value)
    for code, (name, shares) in enumerate(zip(OPERATORS, (OF_MIN, OF_MAX, OF_MED, OF_SM), strict=True), start=MIN):
        own = values[table.roots == code]
        yield _share(f"share of rows with root {name}", 0.25, table.roots == code, digits=2)
        for value, share in enumerate(shares):
            yield _share(f"share of value {value} under root {name}", share, own == value, TREES / 4, 2 if name == "[SM" else 3)
