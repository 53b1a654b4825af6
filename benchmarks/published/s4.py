"""arXiv:2111.00396 (S4): the Long Range Arena in its first version, and ten spoken words; with the annotated re-implementation."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import LRA, LRA_AND_AVERAGE, QUOTED, README, TEST_8KHZ, Printed

FIRST_VERSION: Final = Printed(
    source="arXiv:2111.00396, first version",
    status=QUOTED,
    columns=LRA_AND_AVERAGE,
    rows={"S4, original": (58.35, 76.02, 87.09, 87.26, 86.05, 88.1, 80.48)},
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
    rows={"S4, annotated": (91.23,), "DSS, annotated": (89.31,), "S4D, annotated": (89.76,), "S4D-Lin, annotated": (90.98,)},
    details={
        "S4, annotated": ("2 min 16 s an epoch on an A100",),
        "DSS, annotated": ("1 min 41 s an epoch on an A100",),
        "S4D, annotated": ("1 min 32 s an epoch on an A100",),
    },
    note="best test accuracy of any epoch",
)

NOTES: Final = Printed(
    source="state-spaces/s4 at its HEAD, models/s4/experiments.md",
    status=README,
    columns=LRA,
    rows={"S4-LegS, about": (59.5, 86.5, 91.0, 88.5, 94.0, 96.0)},
    details={
        "S4-LegS, about": (
            "50 after 10 epochs; 15 min an epoch on a T4",
            "80 after 10 epochs; 17 min an epoch on a T4",
            "80 after 10 epochs; 23 min an epoch on an A100",
            "80 after 20 epochs; 2 min an epoch on an A100",
            "90 after 20 epochs; 7 min an epoch on an A100",
            "92 after 10 epochs; 56 min an epoch on an A100",
        )
    },
)
"""What to expect, and how long it takes."""
