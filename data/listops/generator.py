"""Generates ListOps: nested MIN, MAX, MED and SM over digits, as Long Range Arena's program draws them (arXiv 2011.04006, 1804.06028).

A node at depth d < 10 is an operator with probability 1/4 and a digit otherwise; at depth 10 it is a digit. An operator has 2 to 10
arguments, then is one of four; its value is a digit again: the minimum, the maximum, the median with its fraction dropped, or the sum
modulo 10. An expression is kept if it has 501 to 1,999 tokens (or as many as are asked for), and if it is no repetition.

All these choices are independent, so a whole forest is drawn depth by depth instead of one tree node by node: the law is the same, and
numpy does the work. A shard is a fixed number of draws from a generator keyed by (VERSION, seed, shard); rows are those of shard 0, then
shard 1, and so on. So what comes depends on version and seed alone, whatever the number of workers, and fewer rows are a prefix of more.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.base import Say, silent
from data.files.progress import Progress
from data.ragged import Ragged
from data.sampling import philox_key

VERSION: Final = 1
"""Raised when the rows of a seed change."""

OPERATORS: Final = ("[MIN", "[MAX", "[MED", "[SM")
END: Final = 14
SYMBOLS: Final = (*"0123456789", *OPERATORS, "X")
"""A code of a token is its place here: digits are themselves, operators 10 to 13, and 14 is the closing bracket, which LRA writes X."""
MIN, MAX, MED, SM = 10, 11, 12, 13

MAX_DEPTH: Final = 10
OPERATOR_SHARE: Final = 0.25
ARGUMENTS: Final = (2, 10)
TOKENS: Final = (501, 1999)
"""Tokens of the shortest and of the longest expressions that Long Range Arena keeps."""
DRAWS: Final = 4096
"""Per shard, of which about 8 % are kept."""
THREADS: Final = 8
"""The most by default: between its calls numpy holds the interpreter."""

Codes = NDArray[np.uint8]
Arity = NDArray[np.int64]


@dataclass(frozen=True)
class Level:
    """The nodes of one depth of a forest. Those of the next depth are the arguments of this one's operators, in the same order."""

    arity: Arity
    """(n,) Number of arguments; 0 is a digit."""
    symbols: Codes
    """(n,) The digit or the operator."""


# ---------------------------------------------------------------- forests, depth by depth


def _starts(arity: Arity) -> Arity:
    """(operators,) Where the arguments of each operator begin among the nodes of the next depth."""
    own = arity[arity > 0]
    return np.cumsum(own) - own


def grow(rng: np.random.Generator, n: int) -> list[Arity]:
    """Draws the shapes of `n` trees: the arity of every node, depth by depth."""
    shape = []
    for depth in range(1, MAX_DEPTH + 1):
        arity = np.zeros(n, dtype=np.int64)
        if depth < MAX_DEPTH:
            operators = np.flatnonzero(rng.random(n) <= OPERATOR_SHARE)
            arity[operators] = rng.integers(ARGUMENTS[0], ARGUMENTS[1] + 1, len(operators))
        shape.append(arity)
        n = int(arity.sum())
    return shape


def sizes(shape: list[Arity]) -> list[Arity]:
    """Counts the tokens of the expression below every node, depth by depth: 1 of a digit, of an operator those of its arguments and 2."""
    out: list[Arity] = []
    below = np.zeros(0, dtype=np.int64)
    for arity in reversed(shape):
        below, above = np.ones(len(arity), dtype=np.int64), below
        if len(above):
            below[arity > 0] = 2 + np.add.reduceat(above, _starts(arity))
        out.append(below)
    return out[::-1]


def select(shape: list[Arity], roots: NDArray[np.bool_]) -> list[Arity]:
    """Keeps the shapes of those trees that `roots` (n,) names."""
    out, keep = [], roots
    for arity in shape:
        out.append(arity[keep])
        operators = arity > 0
        keep = np.repeat(keep[operators], arity[operators])
    return out


def fill(rng: np.random.Generator, shape: list[Arity]) -> list[Level]:
    """Draws uniform digits and operators for the nodes of the shapes."""
    levels = []
    for arity in shape:
        symbols = rng.integers(0, 10, len(arity), dtype=np.uint8)
        operators = arity > 0
        symbols[operators] = rng.integers(MIN, SM + 1, np.count_nonzero(operators), dtype=np.uint8)
        levels.append(Level(arity, symbols))
    return levels


def evaluate(levels: list[Level]) -> Codes:
    """Computes the value of each tree (n,), innermost operators first."""
    values = np.zeros(0, dtype=np.uint8)
    for level in reversed(levels):
        arguments, values = values, level.symbols.copy()
        operators = level.arity > 0
        if not operators.any():
            continue
        count = level.arity[operators]
        start, kind = _starts(level.arity), level.symbols[operators]
        group = np.repeat(np.arange(len(count), dtype=np.int64), count)
        ordered = (np.sort(group << 4 | arguments) & 15).astype(np.uint8)  # the arguments of each operator, rising
        results = ordered[start]
        at = np.flatnonzero(kind == MAX)
        results[at] = ordered[start[at] + count[at] - 1]
        at = np.flatnonzero(kind == MED)
        results[at] = (ordered[start[at] + (count[at] - 1) // 2] + ordered[start[at] + count[at] // 2]) // 2
        at = np.flatnonzero(kind == SM)
        results[at] = np.add.reduceat(arguments, start)[at] % 10  # at most 90, so a byte holds the sum
        values[operators] = results
    return values


def write(levels: list[Level]) -> Ragged:
    """Writes trees as rows of token codes: an operator, its arguments, the closing bracket."""
    size = sizes([level.arity for level in levels])
    offsets = np.concatenate([[0], np.cumsum(size[0])]).astype(np.int64)
    tokens = np.empty(offsets[-1], dtype=np.uint8)
    place = offsets[:-1]
    for depth, level in enumerate(levels):
        operators = level.arity > 0
        tokens[place] = level.symbols
        tokens[place[operators] + size[depth][operators] - 1] = END
        if depth + 1 < len(levels):
            before = np.cumsum(size[depth + 1]) - size[depth + 1]
            shift = place[operators] + 1 - before[_starts(level.arity)]
            place = before + np.repeat(shift, level.arity[operators])
    return Ragged(tokens, offsets)


def _by_depth(rows: Ragged) -> list[Arity]:
    """Where the digits and operators of each depth stand among the tokens of all rows."""
    tokens = rows.values
    nodes = np.flatnonzero(tokens != END)
    change = (tokens >= MIN).astype(np.int64) - 2 * (tokens == END)
    depth = (np.cumsum(change) - change)[nodes]
    return [nodes[depth == d] for d in range(int(depth.max(initial=-1)) + 1)]


def arities(rows: Ragged) -> Arity:
    """(tokens,) Counts the arguments of every operator of rows that are well formed (see `fault`); 0 of a digit and of a bracket."""
    counts = np.zeros(len(rows.values), dtype=np.int64)
    for above, below in itertools.pairwise(_by_depth(rows)):
        operators = above[rows.values[above] >= MIN]
        counts[operators] = np.bincount(np.searchsorted(operators, below) - 1, minlength=len(operators))
    return counts


def parse(rows: Ragged) -> list[Level]:
    """Reads the trees from rows that are well formed (see `fault`): the inverse of `write`."""
    counts = arities(rows)
    return [Level(counts[place], np.asarray(rows.values[place])) for place in _by_depth(rows)]


def fault(codes: Codes) -> str | None:
    """Says why a row of token codes is no expression; None where it is one."""
    depth = np.cumsum((codes >= MIN).astype(np.int64) - 2 * (codes == END))
    if len(codes) == 0 or codes[0] < MIN or codes[0] == END:
        return "it does not begin with an operator"
    if depth[-1] != 0:
        return f"its brackets are unbalanced: {abs(int(depth[-1]))} {'not closed' if depth[-1] > 0 else 'closed too often'}"
    if (depth[:-1] <= 0).any():
        return f"its brackets are unbalanced: the first is closed at token {int(np.argmax(depth <= 0)) + 1} of {len(codes)}"
    if ((codes[:-1] >= MIN) & (codes[:-1] < END) & (codes[1:] == END)).any():
        return "it has an operator without arguments"
    return None


# ---------------------------------------------------------------- shards


@dataclass(frozen=True)
class Draws:
    """Counts what became of the trees that were drawn."""

    digits: int = 0
    """Trees that are a lone digit."""
    short: int = 0
    long: int = 0
    kept: int = 0
    """Trees of a length that is wanted; repetitions are among them."""

    @property
    def total(self) -> int:
        """All trees that were drawn."""
        return self.digits + self.short + self.long + self.kept

    def __add__(self, other: Draws) -> Draws:
        return Draws(self.digits + other.digits, self.short + other.short, self.long + other.long, self.kept + other.kept)


@dataclass(frozen=True)
class Expressions:
    """Rows of token codes with their values, and the draws that gave them."""

    rows: Ragged
    values: Codes
    draws: Draws


def shard(seed: int, index: int, tokens: tuple[int, int] = TOKENS) -> Expressions:
    """Draws one shard and keeps the trees that are long enough and not too long, in the order drawn."""
    name = int.from_bytes(b"listops", "big")  # no other stream of the suite begins with it
    rng = np.random.Generator(np.random.Philox(key=philox_key(name, VERSION, seed, index)))
    shape = grow(rng, DRAWS)
    size = sizes(shape)[0]
    shortest, longest = tokens
    keep = (shortest <= size) & (size <= longest)
    levels = fill(rng, select(shape, keep))
    draws = Draws(*(int(np.count_nonzero(which)) for which in (size == 1, (size > 1) & (size < shortest), size > longest, keep)))
    return Expressions(write(levels), evaluate(levels), draws)


def shards(seed: int, workers: int, tokens: tuple[int, int] = TOKENS) -> Generator[Expressions]:
    """Yields shard 0, 1, 2 ... without end, computed by `workers` threads; numpy lets them run side by side."""
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[Expressions]] = deque()
        try:
            for index in itertools.count():
                ahead.append(pool.submit(shard, seed, index, tokens))
                if len(ahead) > 2 * workers:
                    yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def distinct(parts: Iterator[Expressions], n: int, say: Say = silent) -> Expressions:
    """Collects the first `n` different rows of the parts."""
    rows: list[Codes] = []
    values: list[int] = []
    draws, seen = Draws(), set[bytes]()
    progress = Progress("ListOps", n, "expressions", say)
    for part in parts:
        draws += part.draws
        for i, value in enumerate(part.values.tolist()):
            row = part.rows.row(i)
            digest = hashlib.blake2b(row.tobytes(), digest_size=16).digest()
            if digest not in seen and len(rows) < n:
                seen.add(digest)
                rows.append(row)
                values.append(value)
        if len(rows) == n:
            break
        progress.at(len(rows))
    return Expressions(Ragged.from_rows(rows, np.uint8), np.array(values, dtype=np.uint8), draws)


def generate(n: int, *, seed: int, tokens: tuple[int, int] = TOKENS, workers: int | None = None, say: Say = silent) -> Expressions:
    """Draws `n` different expressions of so many `tokens` (least, most) with their values: the first of those that (VERSION, seed)
    decide. By default a thread a core."""
    with contextlib.closing(shards(seed, workers or min(os.cpu_count() or 1, THREADS), tokens)) as parts:
        return distinct(parts, n, say)
