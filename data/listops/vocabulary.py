"""The numbers of ListOps' symbols as in state-spaces/s4: padding 0, unknown 1, end 2, then the symbols by falling frequency."""

from __future__ import annotations

from typing import Final

import numpy as np

from data.files.prepared import Prepared
from data.listops.generator import END, SYMBOLS, Codes
from data.ragged import Ragged

SPECIAL: Final = ("<pad>", "<unk>", "<eos>")
EOS: Final = 2
LENGTH: Final = 2048
"""Tokens of the longest row with its <eos>."""
GENERATED_ORDER: Final = (END, *range(10), *range(10, 14))
"""Symbols by falling probability: X is every seventh token, a digit every fourteenth, an operator every twenty-eighth."""


def by_frequency(tokens: Codes) -> tuple[int, ...]:
    """Orders the codes of the symbols by falling frequency, equal ones in alphabetical order of the symbols."""
    count = np.bincount(tokens, minlength=len(SYMBOLS))
    return tuple(sorted(range(len(SYMBOLS)), key=lambda code: (-int(count[code]), SYMBOLS[code])))


def encode(rows: Ragged, order: tuple[int, ...]) -> Ragged:
    """Turns token codes into ids: symbols are numbered from 3 in this order; a row keeps at most 2,047 of them, and <eos> follows."""
    ids = np.empty(len(SYMBOLS), dtype=np.uint8)
    ids[list(order)] = np.arange(len(SPECIAL), len(SPECIAL) + len(order))
    lengths = np.minimum(rows.lengths, LENGTH - 1) + 1
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    tokens = np.full(offsets[-1], EOS, dtype=np.uint8)
    for i in range(len(rows)):
        tokens[offsets[i] : offsets[i + 1] - 1] = ids[rows.row(i)[: LENGTH - 1]]
    return Ragged(tokens, offsets)


def decode(prepared: Prepared) -> Ragged:
    """Turns prepared rows into token codes again, without <eos>: the inverse of `encode`."""
    names = list(prepared.manifest["vocabulary"])
    codes = np.array([SYMBOLS.index(name) if name in SYMBOLS else 255 for name in names], dtype=np.uint8)
    tokens, offsets = prepared.array("tokens"), prepared.array("offsets")
    keep = tokens != EOS
    return Ragged(codes[tokens[keep]], offsets - np.arange(len(offsets)))
