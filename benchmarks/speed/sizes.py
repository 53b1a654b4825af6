"""The rows and sizes that are measured, which a report names too, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.speed.case import Case
from models import DEFAULT_VARIANTS

ROWS: Final = (*DEFAULT_VARIANTS, "hope-circular", "lru")
"""The default rows; both forms of HOPE; LRU."""
COMPARED: Final[Mapping[str, str]] = {"s4d-legs": "s4d-lin", "s4d-inv": "s4d-lin", "hope": "hope-circular"}
"""The row whose textbook code stands for that of another: the same algorithm at the same cost. Others stand for themselves."""
LENGTHS: Final = (256, 1024, 4096, 16384, 65536)
STEPS: Final = ((16, 1024), (4, 4096), (1, 16384))
"""(B, L) of training steps: as many tokens each."""
TOKENS: Final = 16384
WIDTHS: Final = (32, 64, 128, 256, 512)
STATES: Final = (16, 32, 64, 128, 256)
MILLION: Final = Case(kind="forward", row="s4d-lin", L=1 << 20, H=16)
EACH: Final = tuple(row for row in ROWS if row not in COMPARED or row == "hope")
"""One row of each algorithm."""
SWEPT: Final = ("s4d-lin", "dss-exp", "s4", "hope-circular", "hope")
"""Rows of the sweeps of H and N: one of each algorithm."""


def compared(row: str) -> str:
    """The row whose textbook code this one is compared with."""
    return COMPARED.get(row, row)
