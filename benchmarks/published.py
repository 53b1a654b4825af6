"""Numbers that others printed, by benchmark, each with its citation; only those whose sheet says they were verified."""

from __future__ import annotations

from typing import Final

from benchmarks import published_lra, published_signals
from benchmarks.benchmark import Published
from benchmarks.published_tables import QUOTED, S4D_PAPER, verified

SCIFAR: Final = (
    *verified(
        "arXiv:2206.11893, Table 9",
        S4D_PAPER,
        ("s4", 91.8, 0.43),
        ("s4-fout", 91.22, 0.25),
        ("s4d-legs", 89.92, 1.69),
        ("s4d-inv", 90.69, 0.06),
        ("s4d-lin", 90.42, 0.03),
    ),
    *verified(
        "arXiv:2206.11893, Table 9",
        QUOTED,
        ("Transformer, other work", 62.2, None),
        ("LSTM, other work", 63.01, None),
        ("FlexConv", 80.82, None),
    ),
    *verified("arXiv:2209.12951", "paper text", ("Liquid-S4", 92.02, 0.14)),
    *verified(
        "srush/annotated-s4, README",
        "README",
        ("S4, annotated", 91.23, None),
        ("DSS, annotated", 89.31, None),
        ("S4D-Lin, annotated", 90.98, None),
        note="best test accuracy of any epoch",
    ),
)

PUBLISHED: Final[dict[str, tuple[Published, ...]]] = {
    "scifar": SCIFAR,
    **published_lra.PUBLISHED,
    **published_signals.PUBLISHED,
}
