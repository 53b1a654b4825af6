"""Rows that this suite does not have, each from the paper that first printed it or a later one that quotes it."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import AVERAGE, FAILED, LRA, LRA_AND_AVERAGE, QUOTED, README, TEST_8KHZ, TEXT, Printed

LONG_RANGE_ARENA: Final = Printed(
    source="arXiv:2011.04006, README",
    status=README,
    columns=LRA_AND_AVERAGE,
    rows={
        "Transformer of LRA": (36.37, 64.27, 57.46, 42.44, 71.4, None, 54.39),
        "Local attention": (15.82, 52.98, 53.39, 41.46, 66.63, None, 46.06),
        "Linear Transformer of LRA": (16.13, 65.9, 53.09, 42.34, 75.3, None, 50.55),
        "Reformer of LRA": (37.27, 56.1, 53.4, 38.07, 68.5, None, 50.67),
        "Sparse Transformer": (17.07, 63.58, 59.59, 44.24, 71.71, None, 51.24),
        "Sinkhorn Transformer": (33.67, 61.2, 53.83, 41.23, 67.45, None, 51.29),
        "Linformer": (35.7, 53.94, 52.27, 38.56, 76.34, None, 51.36),
        "Performer": (18.01, 65.4, 53.82, 42.77, 77.05, None, 51.41),
        "Synthesizer": (36.99, 61.68, 54.67, 41.61, 69.45, None, 52.88),
        "Longformer": (35.63, 62.85, 56.89, 42.22, 69.71, None, 53.46),
        "BigBird": (36.05, 64.02, 59.29, 40.83, 74.87, None, 55.01),
    },
    note="averages are over five tasks; no row learned Path-X",
)

LONG_RANGE_ARENA_PATH_X: Final = Printed(
    source="arXiv:2011.04006, as quoted in arXiv:2206.11893",
    status=QUOTED,
    columns=("lra-pathx",),
    rows={"Transformer of LRA": (FAILED,), "BigBird": (FAILED,), "Performer": (FAILED,)},
)
LONG_RANGE_ARENA_SIX_TASKS: Final = Printed(
    source="arXiv:2011.04006, as quoted in arXiv:2206.11893",
    status=QUOTED,
    columns=(AVERAGE,),
    rows={"Transformer of LRA, six tasks": (53.66,), "BigBird, six tasks": (54.17,), "Performer, six tasks": (51.18,)},
    note="Path-X counts as 50",
)

DEVIATIONS: Final = "deviations from arXiv:2508.20441"

S5: Final = Printed(
    source="arXiv:2208.04933",
    status=QUOTED,
    columns=LRA_AND_AVERAGE,
    rows={"S5": ((62.15, 0.23), (89.31, 0.15), (91.4, 0.05), (88.0, 0.22), (95.33, 0.26), (98.58, 0.17), 87.46)},
    note=DEVIATIONS,
)
S5_COLOUR: Final = Printed(
    source="arXiv:2208.04933, as quoted in arXiv:2209.12951", status=QUOTED, columns=("scifar",), rows={"S5": (89.66,)}
)
MEGA: Final = Printed(
    source="arXiv:2209.10655", status=QUOTED, columns=LRA_AND_AVERAGE, rows={"Mega": (63.14, 90.43, 91.25, 90.44, 96.01, 97.98, 88.21)}
)
SGCONV: Final = Printed(
    source="arXiv:2210.09298", status=QUOTED, columns=LRA_AND_AVERAGE, rows={"SGConv": (61.45, 89.2, 91.11, 87.97, 95.46, 97.83, 87.17)}
)

LIQUID_LRA: Final = Printed(
    source="arXiv:2209.12951",
    status=QUOTED,
    columns=LRA_AND_AVERAGE,
    rows={"Liquid-S4": ((62.75, 0.2), (89.02, 0.04), (91.2, 0.01), (89.5, 0.4), (94.8, 0.2), (96.66, 0.001), 87.32)},
    note=DEVIATIONS,
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
    columns=("scifar", "lra-listops", "lra-text", "lra-retrieval", "lra-pathfinder", "lra-pathx"),
    rows={
        "LRU": ((89.0, 0.1), (60.2, 0.8), (89.4, 0.1), (89.9, 0.1), (95.1, 0.1), (94.2, 0.4)),
        "S4D, by LRU's authors": ((91.5, 0.2), (60.2, 0.3), (86.4, 0.0), (89.5, 0.0), (94.2, 0.3), (97.5, 0.0)),
        "S5, by LRU's authors": (88.8, 58.5, 86.2, 88.9, 95.7, 96.0),
    },
    details={"LRU": (DEVIATIONS,)},
    note="its Image is in colour, and stands with sequential CIFAR-10",
)
LRU_ABLATION: Final = Printed(
    source="arXiv:2303.06349, Table 2",
    status=TEXT,
    columns=("scifar", "lra-listops", "lra-pathfinder"),
    rows={
        "LRU's ablation: dense A": (72.2, 50.4, FAILED),
        "LRU's ablation: diagonal, Re + i Im": (86.5, 58.8, FAILED),
        "LRU's ablation: diagonal, exponential": (85.4, 60.5, 65.4),
        "LRU's ablation: stable exponential": (87.2, 59.4, 93.5),
        "LRU's ablation: stable exponential, ring": (88.1, 59.4, 94.4),
    },
)

MEGA_REPOSITORY: Final = "state-spaces/s4 at its HEAD, configs/experiment/mega/lra-image/README.md"
REAL_AND_COMPLEX: Final = Printed(
    source=MEGA_REPOSITORY,
    status=README,
    columns=("lra-image",),
    quantity="validation accuracy",
    rows={
        "S4D-Real, large": (74.3,),
        "S4D, large": (88.28,),
        "S4, large": (88.7,),
        "EMA, large": (70.96,),
        "EMA, large, again": (71.52,),
        "S4D-Real, small": (70.88,),
        "S4D, small": (82.78,),
        "S4, small": (84.76,),
        "EMA, small": (69.96,),
        "EMA, small, again": (69.38,),
        "Mega-S4D-Real, large": (84.44,),
        "Mega-S4D, large": (86.22,),
        "Mega-S4, large": (86.68,),
        "Mega-EMA, large": (82.56,),
        "Mega-EMA, large, again": (83.42,),
        "Mega-S4D-Real, small": (81.2,),
        "Mega-S4D, small": (81.46,),
        "Mega-S4, small": (81.63,),
        "Mega-EMA, small": (81.16,),
        "Mega-EMA, small, again": (80.76,),
    },
    details={
        "S4D-Real, large": ("3.96M parameters, 105 s an epoch",),
        "S4D, large": ("3.96M parameters, 105 s an epoch",),
        "S4, large": ("4.15M parameters, 118 s an epoch",),
        "EMA, large": ("4.35M parameters, 129 s an epoch",),
        "EMA, large, again": ("3.96M parameters, 119 s an epoch",),
        "S4D-Real, small": ("267K parameters, 32 s an epoch",),
        "S4D, small": ("267K parameters, 30 s an epoch",),
        "S4, small": ("300K parameters, 39 s an epoch",),
        "EMA, small": ("333K parameters, 31 s an epoch",),
        "EMA, small, again": ("267K parameters, 30 s an epoch",),
        "Mega-S4D-Real, large": ("2.65M parameters, 121 s an epoch",),
        "Mega-S4D, large": ("2.65M parameters, 122 s an epoch",),
        "Mega-S4, large": ("2.67M parameters, 138 s an epoch",),
        "Mega-EMA, large": ("2.73M parameters, 180 s an epoch",),
        "Mega-EMA, large, again": ("2.65M parameters, 124 s an epoch",),
        "Mega-S4D-Real, small": ("279K parameters, 54 s an epoch",),
        "Mega-S4D, small": ("279K parameters, 53 s an epoch",),
        "Mega-S4, small": ("284K parameters, 61 s an epoch",),
        "Mega-EMA, small": ("299K parameters, 51 s an epoch",),
        "Mega-EMA, small, again": ("279K parameters, 51 s an epoch",),
    },
    note="warm-up of 10,000 steps",
)
"""The one published pair of real and complex states whose numbers are known."""

REAL_AND_COMPLEX_EARLIER: Final = Printed(
    source=MEGA_REPOSITORY,
    status=README,
    columns=("lra-image",),
    quantity="validation accuracy",
    rows={
        "S4D-Real, small, earlier": (70.34,),
        "S4D, small, earlier": (84.4,),
        "EMA, small, again, earlier": (70.74,),
        "Mega-S4D-Real, large, earlier": (83.98,),
        "Mega-S4D, large, earlier": (84.68,),
        "Mega-EMA, large, again, earlier": (82.6,),
        "Mega-S4D-Real, small, earlier": (81.62,),
        "Mega-S4D, small, earlier": (80.8,),
        "Mega-EMA, small, again, earlier": (79.98,),
    },
    details={
        "S4D-Real, small, earlier": ("200K parameters, 32 s an epoch",),
        "S4D, small, earlier": ("200K parameters, 31 s an epoch",),
        "EMA, small, again, earlier": ("267K parameters, 30 s an epoch",),
        "Mega-S4D-Real, large, earlier": ("2.65M parameters, 121 s an epoch",),
        "Mega-S4D, large, earlier": ("2.65M parameters, 120 s an epoch",),
        "Mega-EMA, large, again, earlier": ("2.65M parameters, 120 s an epoch",),
        "Mega-S4D-Real, small, earlier": ("279K parameters, 55 s an epoch",),
        "Mega-S4D, small, earlier": ("279K parameters, 55 s an epoch",),
        "Mega-EMA, small, again, earlier": ("279K parameters, 48 s an epoch",),
    },
    note="earlier runs, warm-up of 1,000 steps",
)
REAL_AND_COMPLEX_IN_MEGA: Final = Printed(
    source=MEGA_REPOSITORY,
    status=README,
    columns=("lra-image",),
    quantity="validation accuracy",
    rows={
        "Mega-EMA, in Mega's code": (86.1,),
        "Mega-S4D-Real, in Mega's code": (87.0,),
        "Mega-S4D, in Mega's code": (87.12,),
        "Mega-S4, in Mega's code": (87.42,),
    },
    details={
        "Mega-EMA, in Mega's code": ("2.82M parameters, 195 s an epoch",),
        "Mega-S4D-Real, in Mega's code": ("2.74M parameters, 152 s an epoch",),
        "Mega-S4D, in Mega's code": ("2.74M parameters, 152 s an epoch",),
        "Mega-S4, in Mega's code": ("2.77M parameters, 163 s an epoch",),
    },
)

FREQUENCY_BIAS: Final = Printed(
    source="arXiv:2505.09022, Tables 3 and 4",
    status=TEXT,
    columns=LRA_AND_AVERAGE,
    rows={
        "Mamba": (38.02, 82.98, 72.14, 69.82, 69.26, 67.32, 66.59),
        "Mamba-2": (41.45, 86.09, 79.23, 71.96, 75.45, 69.07, 70.54),
        "S7": (63.77, 87.22, 91.8, 61.14, 65.62, 61.5, 71.82),
        "B2S6": ((63.85, 0.45), (88.32, 0.5), (91.44, 0.36), (88.81, 0.22), (95.93, 0.38), (97.9, 0.17), 87.71),
        "Spiking SSM": (60.23, 80.41, 88.77, 88.21, 93.51, 94.82, 84.33),
        "RTF": (61.59, 89.72, 92.04, 90.51, 96.11, 96.32, 87.71),
        "S4D, frequency bias tuned": (62.75, 89.76, 92.45, 90.89, 95.89, 97.84, 88.26),
    },
)
RTF: Final = Printed(
    source="arXiv:2405.06147",
    status="a reading of its table for this suite",
    columns=LRA,
    rows={"S4D, by RTF's authors": (60.74, 87.03, 90.68, 89.18, 95.42, 97.32)},
    note="S4D's own paper has other numbers",
)
SELF_PRETRAINING: Final = Printed(
    source="arXiv:2310.02980",
    status=TEXT,
    columns=(AVERAGE,),
    rows={"Transformer + rotary + self-pretraining": (86.2,)},
    note="S4 from scratch is given as 86.1",
)

DFOUT: Final = Printed(
    source="arXiv:2508.20441, Table 1",
    status=TEXT,
    columns=LRA,
    rows={
        "S5-Inv": ((60.07, 0.26), (87.77, 0.29), (91.26, 0.12), (86.41, 0.17), (93.42, 0.42), (97.54, 0.74)),
        "S5-Lin": ((59.98, 0.53), (88.15, 0.24), (91.31, 0.24), (86.05, 0.96), (94.31, 0.36), (65.6, 27.0)),
        "S4 + masked self-pretraining": (61.25, 90.34, 88.74, 89.36, 94.92, 96.94),
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
