"""Numbers that others printed, by benchmark, each with its citation; only those whose sheet says they were verified."""

from __future__ import annotations

from typing import Final

from benchmarks import published_lra, published_signals
from benchmarks.published_tables import QUOTED, S4D_PAPER, verified
from benchmarks.spec import Published

LRA_IMAGE: Final = (
    *verified(
        "arXiv:2206.11893, Table 5",
        S4D_PAPER,
        ("s4", 88.65, 0.23),
        ("s4-fout", 89.07, 0.19),
        ("s4d-legs", 88.19, 0.26),
        ("s4d-inv", 87.83, 0.37),
        ("s4d-lin", 87.93, 0.34),
    ),
    *verified("ag1988/dss, README, for arXiv:2203.14343", "README", ("dss-softmax", 85.7, None), note="at the best validation checkpoint"),
    *verified("arXiv:2203.14343, LRA table", QUOTED, ("dss-exp", 84.9, None)),
    *verified(
        "arXiv:2405.13975, Table 1, as printed in arXiv:2505.09022, Table 4",
        "a later paper of the same first author",
        ("hope", 88.68, None),
        note="median of five seeds",
    ),
    *verified("arXiv:2011.04006, README", "README", ("Transformer of LRA", 42.44, None)),
    *verified("arXiv:2405.13975, Table 1", "paper text", ("S5", 88.0, None), ("Liquid-S4", 89.5, None), ("S4D, regularised", 88.12, None)),
)

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
    "lra-image": LRA_IMAGE,
    "scifar": SCIFAR,
    **published_lra.PUBLISHED,
    **published_signals.PUBLISHED,
}
