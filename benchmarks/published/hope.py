"""arXiv:2405.13975 (HOPE) on the Long Range Arena: its own row from a later paper of the same first author, others from itself."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import LRA_AND_AVERAGE, TEXT, Printed

TABLE_1: Final = Printed(
    source="arXiv:2405.13975, Table 1, as printed in arXiv:2505.09022, Table 4",
    status="a later paper of the same first author",
    columns=LRA_AND_AVERAGE,
    rows={"hope": (62.6, 89.83, 91.8, 88.68, 95.73, 98.45, 87.85)},
    note="median of five seeds",
)

TABLE_1_OTHERS: Final = Printed(
    source="arXiv:2405.13975, Table 1",
    status=TEXT,
    columns=LRA_AND_AVERAGE,
    rows={
        "S4++": (57.3, 86.28, 84.82, 82.91, 80.24, None, None),
        "S4D, regularised": (61.48, 88.19, 91.25, 88.12, 94.93, 95.63, 86.6),
        "Spectral SSM": (60.33, 89.6, 90.0, None, 95.6, 90.1, None),
    },
)

HANKEL: Final = Printed(
    source="arXiv:2405.13975, sec. 3",
    status=TEXT,
    columns=("scifar",),
    rows={"S4D, init_1 of the paper": (27.87,), "S4D, HiPPO-LegS (init_3)": (87.82,)},
    quantity="relative Hankel singular values above 0.01, %",
    note="after ten epochs with the system trained, of 512 systems of 64 states; what init_1 is, the text does not say",
)
