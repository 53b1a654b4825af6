"""arXiv:2405.13975 (HOPE) on the Long Range Arena: its own row from a later paper of the same first author, others from itself."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import LRA, TEXT, Printed

TABLE_1: Final = Printed(
    source="arXiv:2405.13975, Table 1, as printed in arXiv:2505.09022, Table 4",
    status="a later paper of the same first author",
    columns=LRA,
    rows={"hope": (62.6, 89.83, 91.8, 88.68, 95.73, 98.45)},
    note="median of five seeds",
)

TABLE_1_OTHERS: Final = Printed(
    source="arXiv:2405.13975, Table 1",
    status=TEXT,
    columns=LRA,
    rows={"S4D, regularised": (61.48, 88.19, 91.25, 88.12, 94.93, 95.63), "Spectral SSM": (60.33, 89.6, 90.0, None, 95.6, 90.1)},
)
