"""What the settings of one paper have in common, whatever the task: where they are written, how it counts, what is done otherwise here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from benchmarks.recipe import ANY, Row, Rows

# ---------------------------------------------------------------- S4 and S4D

SMALL_MODELS: Final = "the small models of arXiv:2206.11893, sec. 5"

LAST_BATCH: Final = "the last training batch of an epoch is kept; the original drops it"


def s4_source(config: str) -> str:
    """The release with the settings of S4 and S4D; `config` is a file in its configs/experiment."""
    return f"state-spaces/s4 v3.0.0, configs/experiment/{config}; the same values as arXiv:2206.11893, appendix"


def borrow(row: Row, whose: str) -> Row:
    """`row` for variants that it was not published for, which its notes then say."""
    return replace(row, notes=(f"no published setting for this row: that of {whose}", *row.notes))


def for_s4_and_s4d(own: Row, others: Row) -> Rows:
    """A setting published for S4 and S4D, which is that of all others too whose paper has none."""
    return {"S4": own, "S4D": own, ANY: borrow(others, "S4 and S4D")}


# ---------------------------------------------------------------- DSS

DSS_FIELDS: Final[Mapping[str, Any]] = {"d_state": 128, "lr_W": 1e-3}
DSS_MODES: Final = "N = 64 modes without conjugates, which is d_state = 128 here"
DSS_OUTPUT: Final = "W at 0.001 without decay, as in the authors' code"
DSS_NOTES: Final = (DSS_MODES, f"{DSS_OUTPUT}, in every DSS row of this scale")


def dss_source(experiment: str = "") -> str:
    """The authors' repository; `experiment` names one of its configs, where one is meant."""
    return f"ag1988/dss, README and configs/experiment{experiment and f' ({experiment})'}, for arXiv:2203.14343"


# ---------------------------------------------------------------- HOPE

HOPE_CAUSAL: Final = "causal kernels in both directions (row hope) stand for the release's two-sided filter, which is the row hope-twosided"
HOPE_COSINE: Final = "the cosine falls with every step; in the script with every epoch"


def hope_source(file: str) -> str:
    """The authors' release; `file` says which of its scripts or configs."""
    return f"AnnanYu/HOPE-SSM, {file}, for arXiv:2405.13975; the paper's own table of settings was not reachable"
