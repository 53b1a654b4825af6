"""Rows that this suite does not have, each from the paper that first printed it or a later one that quotes it."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import FAILED, LRA, QUOTED, README, TEST_8KHZ, TEXT, Printed

LONG_RANGE_ARENA: Final = Printed(
    source="arXiv:2011.04006, README",
    status=README,
    columns=LRA,
    rows={
        "Transformer of LRA": (36.37, 64.27, 57.46, 42.44, 71.4, None),
        "BigBird": (36.05, 64.02, 59.29, 40.83, 74.87, None),
        "Performer": (18.01, 65.4, 53.82, 42.77, 77.05, None),
    },
)

LONG_RANGE_ARENA_PATH_X: Final = Printed(
    source="arXiv:2011.04006, as quoted in arXiv:2206.11893",
    status=QUOTED,
    columns=("lra-pathx",),
    rows={"Transformer of LRA": (FAILED,), "BigBird": (FAILED,)},
)

S5: Final = Printed(source="arXiv:2208.04933", status=QUOTED, columns=LRA, rows={"S5": (62.15, 89.31, 91.4, 88.0, 95.33, 98.58)})
MEGA: Final = Printed(source="arXiv:2209.10655", status=QUOTED, columns=LRA, rows={"Mega": (63.14, 90.43, 91.25, 90.44, 96.01, 97.98)})
SGCONV: Final = Printed(source="arXiv:2210.09298", status=QUOTED, columns=LRA, rows={"SGConv": (61.45, 89.2, 91.11, 87.97, 95.46, 97.83)})

LIQUID_LRA: Final = Printed(
    source="arXiv:2209.12951", status=QUOTED, columns=LRA, rows={"Liquid-S4": (62.75, 89.02, 91.2, 89.5, 94.8, 96.66)}
)
LIQUID: Final = Printed(
    source="arXiv:2209.12951",
    status=TEXT,
    columns=("scifar", "sc10", "bidmc-hr", "bidmc-rr", "bidmc-spo2"),
    rows={"Liquid-S4": ((92.02, 0.14), 98.51, 0.303, 0.158, 0.066)},
)
LIQUID_8KHZ: Final = Printed(
    source="arXiv:2209.12951",
    status=TEXT,
    columns=("sc10",),
    zero_shot=TEST_8KHZ,
    note="trained at 16 kHz",
    rows={"Liquid-S4": (95.9,)},
)

LRU: Final = Printed(
    source="arXiv:2303.06349, Table 3",
    status=TEXT,
    columns=LRA,
    rows={
        "LRU": (60.2, 89.4, 89.9, None, 95.1, 94.2),
        "S4D, by LRU's authors": ((60.2, 0.3), (86.4, 0.0), (89.5, 0.0), None, (94.2, 0.3), (97.5, 0.0)),
    },
    note="Image there is in colour, and left out",
)

FREQUENCY_BIAS: Final = Printed(
    source="arXiv:2505.09022, Tables 3 and 4",
    status=TEXT,
    columns=LRA,
    rows={
        "Mamba": (38.02, 82.98, 72.14, 69.82, 69.26, 67.32),
        "RTF": (61.59, 89.72, 92.04, 90.51, 96.11, 96.32),
        "S4D, frequency bias tuned": (62.75, 89.76, 92.45, 90.89, 95.89, 97.84),
    },
)

DFOUT: Final = Printed(
    source="arXiv:2508.20441, Table 1",
    status=TEXT,
    columns=LRA,
    rows={
        "S4D-DFouT": (61.89, 87.41, 90.95, 88.48, 94.3, 94.17),
        "S4D-Lin, step sizes up to 0.1": (None, None, None, None, None, 96.02),
    },
)
DFOUT_PATH_256: Final = Printed(
    source="arXiv:2508.20441",
    status=TEXT,
    columns=("pathfinder256",),
    rows={"S4D-DFouT": (87.89,), "S4 + masked self-pretraining": (87.11,)},
    note="length 65,536",
)
