"""What others printed for Speech Commands and for BIDMC."""

from __future__ import annotations

from typing import Final

from benchmarks.benchmark import Published
from benchmarks.published_tables import QUOTED, S4D_PAPER, Printed, by_benchmark

TEST_8KHZ: Final = "8khz"
"""As the data module names that test."""

SC35_SOURCE: Final = "arXiv:2206.11893, Table 11"
SC35: Final = (
    Printed(
        source=SC35_SOURCE,
        status=S4D_PAPER,
        rows={
            "s4": ((96.08, 0.15),),
            "s4-fout": ((95.27, 0.2),),
            "s4d-legs": ((95.83, 0.14),),
            "s4d-inv": ((96.18, 0.27),),
            "s4d-lin": ((96.25, 0.03),),
            "S4, LegS and FouT": ((95.32, 0.1),),
            "InceptionNet": ((61.24, 0.69),),
            "ResNet-18": ((77.86, 0.24),),
            "XResNet-50": ((83.01, 0.48),),
            "ConvNet, 26.2M": ((95.51, 0.18),),
        },
    ),
    Printed(
        source=SC35_SOURCE,
        status=S4D_PAPER,
        zero_shot=TEST_8KHZ,
        note="trained at 16 kHz",
        rows={
            "s4": ((91.32, 0.17),),
            "s4-fout": ((91.59, 0.23),),
            "s4d-legs": ((91.08, 0.16),),
            "s4d-inv": ((91.8, 0.24),),
            "s4d-lin": ((91.58, 0.33),),
            "S4, LegS and FouT": ((90.72, 0.68),),
            "InceptionNet": ((5.18, 0.07),),
            "ResNet-18": ((8.74, 0.57),),
            "XResNet-50": ((7.72, 0.39),),
            "ConvNet, 26.2M": ((7.26, 0.79),),
        },
    ),
)

SC10: Final = (
    Printed(
        source="arXiv:2111.00396, Table 5",
        status=QUOTED,
        rows={"s4": (98.32,), "CKConv": (71.66,), "WaveGAN-D": (96.25,), "Performer": (30.77,), "ExpRNN": (11.6,), "NRDE": (16.49,)},
    ),
    Printed(source="ag1988/dss, README, for arXiv:2203.14343", status="README", rows={"dss-softmax": (97.7,)}),
    Printed(source="arXiv:2209.12951", status="paper text", rows={"Liquid-S4": (98.51,)}),
    Printed(
        source="arXiv:2111.00396, Table 5",
        status=QUOTED,
        zero_shot=TEST_8KHZ,
        note="trained at 16 kHz",
        rows={"s4": (96.3,), "CKConv": (65.96,), "Performer": (30.68,), "ExpRNN": (10.8,), "NRDE": (15.12,)},
    ),
    Printed(source="arXiv:2209.12951", status="paper text", zero_shot=TEST_8KHZ, note="trained at 16 kHz", rows={"Liquid-S4": (95.9,)}),
)

BIDMC_COLUMNS: Final = ("bidmc-hr", "bidmc-rr", "bidmc-spo2")
BIDMC: Final = (
    Printed(
        source="arXiv:2206.11893, BIDMC table",
        status=S4D_PAPER,
        rows={
            "s4": ((0.332, 0.013), (0.247, 0.062), (0.09, 0.006)),
            "s4-fout": ((0.339, 0.02), (0.301, 0.03), (0.068, 0.003)),
            "s4d-legs": ((0.367, 0.001), (0.248, 0.036), (0.102, 0.001)),
            "s4d-inv": ((0.373, 0.024), (0.254, 0.022), (0.11, 0.001)),
            "s4d-lin": ((0.379, 0.006), (0.226, 0.008), (0.114, 0.003)),
            "S4, LegS and FouT": ((0.344, 0.032), (0.163, 0.008), (0.08, 0.007)),
            "UnICORNN": (1.39, 1.06, 0.869),
            "coRNN": (1.81, 1.45, None),
            "CKConv": (2.05, 1.214, 1.051),
            "NRDE": (2.97, 1.49, 1.29),
            "LSTM, other work": (10.7, 2.28, None),
            "Transformer, other work": (12.2, 2.61, 3.02),
            "XGBoost": (4.72, 1.67, 1.52),
            "Random forest": (5.69, 1.85, 1.74),
            "Ridge regression": (17.3, 3.86, 4.16),
        },
    ),
    Printed(source="arXiv:2209.12951", status="paper text", rows={"Liquid-S4": (0.303, 0.158, 0.066)}),
)

PUBLISHED: Final[dict[str, tuple[Published, ...]]] = {
    **by_benchmark(("sc35",), SC35),
    **by_benchmark(("sc10",), SC10),
    **by_benchmark(BIDMC_COLUMNS, BIDMC),
}
