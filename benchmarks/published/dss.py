"""arXiv:2203.14343 (DSS): the Long Range Arena in both versions of the paper, and ten spoken words."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import FAILED, LRA, LRA_AND_AVERAGE, QUOTED, README, Printed

REPOSITORY: Final = "ag1988/dss, README, for arXiv:2203.14343"

README_LRA: Final = Printed(
    source=REPOSITORY,
    status=README,
    columns=LRA_AND_AVERAGE,
    rows={"dss-softmax": (60.6, 84.8, 87.8, 85.7, 84.6, 87.8, 81.88)},
    details={
        "dss-softmax": (
            "2 h on an A100",
            "20 min on an A100",
            "9 h on an A100",
            "6 h on an A100",
            "9 h on an A100",
            "40 h on an A100, and the loss begins to fall after about 90,000 steps, 10 h",
            "the average is from later papers",
        )
    },
    note="at the best validation checkpoint",
)

README_SPEECH: Final = Printed(source=REPOSITORY, status=README, columns=("sc10",), rows={"dss-softmax": (97.7,)}, note="19 h on an A100")

LRA_TABLE: Final = Printed(
    source="arXiv:2203.14343, LRA table",
    status=QUOTED,
    columns=LRA,
    rows={"dss-exp": (None, 84.6, 87.6, 84.9, 84.7, 85.6), "DSS-exp, no scale": (None, 82.4, 86.0, 81.2, 81.3, FAILED)},
)

FIRST_VERSION: Final = Printed(
    source="arXiv:2203.14343, first version",
    status=QUOTED,
    columns=LRA_AND_AVERAGE,
    rows={"DSS, first version": (57.6, 76.6, 87.6, 85.8, 84.1, 85.0, 79.45)},
)
