"""What the settings of one paper have in common, whatever the task: where they are written, how it counts, what is done otherwise here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from benchmarks.recipe import ANY, Row, Rows
from models import Variant

# ---------------------------------------------------------------- S4 and S4D

SMALL_MODELS: Final = "the small models of arXiv:2206.11893, sec. 5"

LAST_BATCH: Final = "the last training batch of an epoch is kept; the original drops it"

WARM_UP: Final = "step s of a warm-up over w steps has (s + 1) / (w + 1) of the rate; s / w there"
TF32: Final = "float32 throughout; v3.0.0 lets matrix products run in TF32"
SOFTPLUS: Final = "dt = exp(theta), as in v3 and before; HEAD has softplus"
BILINEAR: Final = "bilinear, the default of v3.0.0; elsewhere this row has zero-order hold, the default at HEAD"

OF_SOME_ROWS: Final[Mapping[str, Callable[[Variant], bool]]] = {
    "C is trained as it is; there C (I - A_bar^L), so that C moves with A and dt": lambda variant: variant.paper == "S4",
    "the modes of FouT, which do not decay, begin at Re = -0.0001; at -0.001 in v3.0.0": lambda variant: variant.name == "s4-fout",
    "B = |V* B|, up to 40.75; 1 in v3.0.0, Im(B) clipped at 2 at HEAD, and which of them made the printed row is not known": (
        lambda variant: variant.name == "s4d-legs"
    ),
    "Im(lambda) = exp(N(0, 1)), as since v4; N(0, 1) when the paper appeared": lambda variant: variant.name == "s4d-rand",
}
"""What is done otherwise here than in state-spaces/s4 in rows of one kind: for which."""


def differing(row: Row, *notes: str) -> Row:
    """`row`, whose setting is from state-spaces/s4, with what is done otherwise here: `notes`, and what holds for some variants only."""
    return replace(row, notes=(*row.notes, *notes, *OF_SOME_ROWS), only={**row.only, **OF_SOME_ROWS})


def bilinear(row: Row) -> Row:
    """`row` for the variants of S4D, discretized as in v3.0.0."""
    return replace(row, fields={**row.fields, "discretization": "bilinear"}, notes=(*row.notes, BILINEAR))


def s4_source(config: str) -> str:
    """The release with the settings of S4 and S4D; `config` is a file in its configs/experiment."""
    return f"state-spaces/s4 v3.0.0, configs/experiment/{config}, for arXiv:2206.11893"


def borrow(row: Row, whose: str) -> Row:
    """`row` for variants that it was not published for, which its notes then say."""
    return replace(row, notes=(f"no published setting for this row: that of {whose}", *row.notes))


def for_s4_and_s4d(own: Row, others: Row) -> Rows:
    """A setting of v3.0.0 for S4 and S4D, which is that of all others too whose paper has none."""
    return {"S4": own, "S4D": bilinear(own), ANY: borrow(others, "S4 and S4D")}


# ---------------------------------------------------------------- DSS

DSS_FIELDS: Final[Mapping[str, Any]] = {"d_state": 128, "lr_W": 1e-3, "dt_per_part": True}
DSS_MODES: Final = "N = 64 modes without conjugates, which is d_state = 128 here"
DSS_OUTPUT: Final = "W at 0.001 without decay, as in the authors' code"
DSS_STEPS: Final = "a step size for Re(Lambda) and one for Im(Lambda) in each channel, as in the authors' code; the paper has one for both"
DSS_NOTES: Final = (DSS_MODES, f"{DSS_OUTPUT}, in every DSS row of this scale", DSS_STEPS)


def dss_source(experiment: str = "") -> str:
    """The authors' repository; `experiment` names one of its configs, where one is meant."""
    return f"ag1988/dss, README and configs/experiment{experiment and f' ({experiment})'}, for arXiv:2203.14343"


# ---------------------------------------------------------------- HOPE

HOPE_CAUSAL: Final = "causal kernels in both directions (row hope) stand for the release's two-sided filter, which is the row hope-twosided"
HOPE_PADDED: Final = (
    "causal kernels in both directions (row hope) stand for the release's two-sided filter, which is refused on padded sequences: no row "
    "here is the published model"
)
HOPE_COSINE: Final = "the cosine falls with every step; in the script with every epoch"


def hope_source(file: str) -> str:
    """The authors' release; `file` says which of its scripts or configs."""
    return f"AnnanYu/HOPE-SSM, {file}, for arXiv:2405.13975; the paper's own table of settings was not reachable"
