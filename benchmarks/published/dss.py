"""arXiv:2203.14343 (DSS): the Long Range Arena in both versions of the paper, and ten spoken words."""

from __future__ import annotations

from typing import Final

from benchmarks.published.table import FAILED, LRA, QUOTED, README, Printed

REPOSITORY: Final = "ag1988/dss, README, for arXiv:2203.14343"

README_LRA: Final = Printed(
    source=REPOSITORY,
    status=README,
    columns=LRA,
    rows={"dss-softmax": (60.6, 84.8, 87.8, 85.7, 84.6, 87.8)},
    note="at the best validation checkpoint",
)

README_SPEECH: Final = Printed(source=REPOSITORY, status=README, columns=("sc10",), rows={"dss-softmax": (97.7,)})

LRA_TABLE: Final = Printed(
    source="arXiv:2203.14343, LRA table",
    status=QUOTED,
    columns=LRA,
    rows={"dss-exp": (None, 84.6, 87.6, 84.9, 84.7, 85.6), "DSS-exp, no scale": (None, 82.4, 86.0, 81.2, 81.3, FAILED)},
)

FIRST_VERSION: Final = Printed(
    source="arXiv:2203.14343, first version",
    status=QUOTED,
    columns=LRA,
    rows={"DSS, first version": (57.6, 76.6, 87.6, 85.8, 84.1, 85.0)},
)
