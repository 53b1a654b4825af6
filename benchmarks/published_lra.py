"""What others printed for the Long Range Arena; HOPE's row comes from a later paper of its first author."""

from __future__ import annotations

from typing import Final

from benchmarks.benchmark import Published
from benchmarks.published_tables import FAILED, QUOTED, S4D_PAPER, Printed, by_benchmark, verified

COLUMNS: Final = ("lra-listops", "lra-text", "lra-retrieval", "lra-image", "lra-pathfinder", "lra-pathx")

TABLES: Final = (
    Printed(
        source="arXiv:2206.11893, Table 5",
        status=S4D_PAPER,
        rows={
            "s4": ((59.6, 0.07), (86.82, 0.13), (90.9, 0.15), (88.65, 0.23), (94.2, 0.25), 96.35),
            "s4-fout": ((57.88, 1.9), (86.34, 0.31), (89.66, 0.88), (89.07, 0.19), (94.46, 0.24), FAILED),
            "s4d-legs": ((60.47, 0.34), (86.18, 0.43), (89.46, 0.14), (88.19, 0.26), (93.06, 1.24), 91.95),
            "s4d-inv": ((60.18, 0.35), (87.34, 0.2), (91.09, 0.01), (87.83, 0.37), (93.78, 0.25), 92.8),
            "s4d-lin": ((60.52, 0.51), (86.97, 0.23), (90.96, 0.09), (87.93, 0.34), (93.96, 0.6), FAILED),
            "S4, LegS and FouT": ((60.45, 0.75), (86.78, 0.26), (90.3, 0.28), (89.0, 0.26), (94.44, 0.08), FAILED),
        },
    ),
    Printed(
        source="ag1988/dss, README, for arXiv:2203.14343",
        status="README",
        rows={"dss-softmax": (60.6, 84.8, 87.8, 85.7, 84.6, 87.8)},
        note="at the best validation checkpoint",
    ),
    Printed(
        source="arXiv:2203.14343, LRA table",
        status=QUOTED,
        rows={
            "dss-exp": (None, 84.6, 87.6, 84.9, 84.7, 85.6),
            "DSS-exp, no scale": (None, 82.4, 86.0, 81.2, 81.3, FAILED),
        },
    ),
    Printed(
        source="arXiv:2405.13975, Table 1, as printed in arXiv:2505.09022, Table 4",
        status="a later paper of the same first author",
        rows={"hope": (62.6, 89.83, 91.8, 88.68, 95.73, 98.45)},
        note="median of five seeds",
    ),
    Printed(
        source="arXiv:2111.00396, first version",
        status=QUOTED,
        rows={"S4, original": (58.35, 76.02, 87.09, 87.26, 86.05, 88.1)},
        note="in one direction",
    ),
    Printed(
        source="arXiv:2203.14343, first version",
        status=QUOTED,
        rows={"DSS, first version": (57.6, 76.6, 87.6, 85.8, 84.1, 85.0)},
    ),
    Printed(
        source="arXiv:2011.04006, README",
        status="README",
        rows={
            "Transformer of LRA": (36.37, 64.27, 57.46, 42.44, 71.4, None),
            "BigBird": (36.05, 64.02, 59.29, 40.83, 74.87, None),
            "Performer": (18.01, 65.4, 53.82, 42.77, 77.05, None),
        },
    ),
    Printed(
        source="arXiv:2011.04006, as quoted in arXiv:2206.11893",
        status=QUOTED,
        rows={"Transformer of LRA": (None, None, None, None, None, FAILED), "BigBird": (None, None, None, None, None, FAILED)},
    ),
    Printed(
        source="arXiv:2206.11893, Table 5, other work",
        status=QUOTED,
        rows={"Luna-256": (37.25, 64.57, 79.29, 47.38, 77.72, FAILED), "CDIL": (44.05, 86.78, 85.36, 66.91, 91.7, FAILED)},
    ),
    Printed(source="arXiv:2208.04933", status=QUOTED, rows={"S5": (62.15, 89.31, 91.4, 88.0, 95.33, 98.58)}),
    Printed(source="arXiv:2209.10655", status=QUOTED, rows={"Mega": (63.14, 90.43, 91.25, 90.44, 96.01, 97.98)}),
    Printed(source="arXiv:2209.12951", status=QUOTED, rows={"Liquid-S4": (62.75, 89.02, 91.2, 89.5, 94.8, 96.66)}),
    Printed(source="arXiv:2210.09298", status=QUOTED, rows={"SGConv": (61.45, 89.2, 91.11, 87.97, 95.46, 97.83)}),
    Printed(
        source="arXiv:2303.06349, Table 3",
        status="paper text",
        rows={
            "LRU": (60.2, 89.4, 89.9, None, 95.1, 94.2),
            "S4D, by LRU's authors": ((60.2, 0.3), (86.4, 0.0), (89.5, 0.0), None, (94.2, 0.3), (97.5, 0.0)),
        },
        note="Image there is in colour, and left out",
    ),
    Printed(
        source="arXiv:2405.13975, Table 1",
        status="paper text",
        rows={"S4D, regularised": (61.48, 88.19, 91.25, 88.12, 94.93, 95.63), "Spectral SSM": (60.33, 89.6, 90.0, None, 95.6, 90.1)},
    ),
    Printed(
        source="arXiv:2505.09022, Tables 3 and 4",
        status="paper text",
        rows={
            "Mamba": (38.02, 82.98, 72.14, 69.82, 69.26, 67.32),
            "RTF": (61.59, 89.72, 92.04, 90.51, 96.11, 96.32),
            "S4D, frequency bias tuned": (62.75, 89.76, 92.45, 90.89, 95.89, 97.84),
        },
    ),
    Printed(
        source="arXiv:2508.20441, Table 1",
        status="paper text",
        rows={
            "S4D-DFouT": (61.89, 87.41, 90.95, 88.48, 94.3, 94.17),
            "S4D-Lin, step sizes up to 0.1": (None, None, None, None, None, 96.02),
        },
    ),
)

PATH_256: Final = verified(
    "arXiv:2508.20441", "paper text", ("S4D-DFouT", 87.89, None), ("S4 + masked self-pretraining", 87.11, None), note="length 65,536"
)

PUBLISHED: Final[dict[str, tuple[Published, ...]]] = {**by_benchmark(COLUMNS, TABLES), "pathfinder256": PATH_256}
