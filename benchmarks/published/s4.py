"""arXiv:2111.00396 (S4): the Long Range Arena in its first version, and ten spoken words; with the annotated re-implementation."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import LRA, QUOTED, README, TEST_8KHZ, Printed

FIRST_VERSION: Final = Printed(
    source="arXiv:2111.00396, first version",
    status=QUOTED,
    columns=LRA,
    rows={"S4, original": (58.35, 76.02, 87.09, 87.26, 86.05, 88.1)},
    note="in one direction",
)

TABLE_5: Final = Printed(
    source="arXiv:2111.00396, Table 5",
    status=QUOTED,
    columns=("sc10",),
    rows={"s4": (98.32,), "CKConv": (71.66,), "WaveGAN-D": (96.25,), "Performer": (30.77,), "ExpRNN": (11.6,), "NRDE": (16.49,)},
)

TABLE_5_8KHZ: Final = Printed(
    source="arXiv:2111.00396, Table 5",
    status=QUOTED,
    columns=("sc10",),
    zero_shot=TEST_8KHZ,
    note="trained at 16 kHz",
    rows={"s4": (96.3,), "CKConv": (65.96,), "Performer": (30.68,), "ExpRNN": (10.8,), "NRDE": (15.12,)},
)

ANNOTATED: Final = Printed(
    source="srush/annotated-s4, README",
    status=README,
    columns=("scifar",),
    rows={"S4, annotated": (91.23,), "DSS, annotated": (89.31,), "S4D-Lin, annotated": (90.98,)},
    note="best test accuracy of any epoch",
)
