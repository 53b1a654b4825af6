"""The timescale grid: the range of the step sizes, how they are stored, and how many of them and of A there are."""

from __future__ import annotations

from typing import Final

from ablations.grid import Ablation
from benchmarks.changes import Changes

RANGES: Final[dict[str, Changes]] = {
    f"{low:g} .. {high:g}": {"mixer.dt_min": low, "mixer.dt_max": high} for low, high in ((1e-3, 1e-1), (1e-4, 1e-2), (1e-2, 1.0))
}
PER: Final[dict[str, Changes]] = {"dt per channel": {}, "dt per state": {"mixer.dt_per_state": True}}
COPIES: Final[dict[str, Changes]] = {"1": {}, "2": {"mixer.n_ssm": 2}, "H": {"mixer.n_ssm": None}}

TIMESCALE: Final = Ablation(
    name="timescale",
    title="Step sizes and copies of A",
    about=(
        "S4D-Lin with initial step sizes log-uniform in three ranges, one for each channel or one for each mode of it, stored through an "
        "exponential or a softplus; and with one pair of A and B for all channels, two in turn, or one for each. Step sizes are trained. "
        "A mode at its init decays over 2 / dt steps. All else is the recipe."
    ),
    benchmark="digits-noise",
    factors=("dt range", "step sizes", "copies of A", "link of dt"),
    columns="copies of A",
    rows={
        **{
            (span, per, copies, "exp"): {**RANGES[span], **PER[per], **COPIES[copies]}
            for span in RANGES
            for per in PER
            for copies in COPIES
        },
        **{(span, per, "1", "softplus"): {**RANGES[span], **PER[per], "mixer.dt_link": "softplus"} for span in RANGES for per in PER},
    },
)
