"""How the papers set up the Long Range Arena (arXiv:2011.04006): what is common to its tasks on tokens and on curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from benchmarks.papers import (
    DSS_FIELDS,
    DSS_NOTES,
    HOPE_CAUSAL,
    HOPE_PADDED,
    LAST_BATCH,
    SOFTPLUS,
    TF32,
    WARM_UP,
    differing,
    dss_source,
    for_s4_and_s4d,
    hope_source,
    s4_source,
)
from benchmarks.recipe import ANY, Row, Rows, keep, with_common_steps
from benchmarks.setting import ANY_MIXER, Setting
from data.base import DataSpec
from models import MixerSpec, ModelSpec, Variant

OFFICIAL_FILES: Final = "the official files are part of the Long Range Arena (Apache 2.0)"

GENERATED: Final = "data generated here; the official files are the choice source=official"

BORROWED: Final = "no small setting was published for this task: that of {}, used as it is"

# ---------------------------------------------------------------- small: the small settings of state-spaces/s4

SMALL_NETWORK: Final = ModelSpec(mixer=ANY_MIXER, n_layers=4, d_model=128, norm="batch", prenorm=True, bidirectional=True)


def at_network_rate(mixer: MixerSpec) -> MixerSpec:
    """The mixer with dt at the network's rate, and its own parameters at 0.001."""
    return mixer.with_rates(kernel=1e-3, dt=None)


NETWORK_RATE: Final = "dt of every row at the network's rate, as the config has it"


def small_rows(
    config: str,
    setting: Setting,
    data: DataSpec,
    *notes: str,
    adapt: Callable[[MixerSpec], MixerSpec] = lambda mixer: at_network_rate(with_common_steps(mixer)),
    rates: str = NETWORK_RATE,
    warm_up: str = WARM_UP,
    padded: bool = False,
) -> Rows:
    """A small setting of state-spaces/s4 for all variants, which differ in their mixer only. `rates` says what `adapt` does."""
    row = Row(
        setting=setting,
        data=data,
        source=f"state-spaces/s4 at its HEAD, configs/experiment/lra/old/v3-s4-{config}-small.yaml",
        notes=("A and B of S4 and S4D per channel, as in the config; DSS shares its Lambda", rates, *notes),
        adapt=adapt,
        padded=padded,
    )
    row = differing(row, SOFTPLUS, warm_up)
    own = replace(row, fields={"n_ssm": None})
    return {"S4": own, "S4D": own, ANY: row}


# ---------------------------------------------------------------- paper: the published setting of each row

S4_NETWORK: Final = replace(SMALL_NETWORK, n_layers=6, d_model=256)


def s4_rows(
    config: str,
    setting: Setting,
    data: DataSpec,
    *,
    adapt: Callable[[MixerSpec], MixerSpec] = at_network_rate,
    notes: tuple[str, ...] = (),
    data_notes: tuple[str, ...] = (),
    padded: bool = False,
) -> Rows:
    """The setting of S4, S4D and of variants without one of their own, from state-spaces/s4 v3.0.0; `adapt` is for S4 and S4D only."""
    row = Row(
        setting=setting,
        data=data,
        source=s4_source(f"lra/s4-lra-{config}.yaml"),
        notes=(*notes, LAST_BATCH, *data_notes),
        adapt=adapt,
        fields={"n_ssm": None},
        padded=padded,
    )
    row = differing(row, WARM_UP, TF32)
    return for_s4_and_s4d(row, others=replace(row, adapt=keep, fields={}))


DSS_NETWORK: Final = replace(S4_NETWORK, mixing="linear", bidirectional=False)


def dss_row(
    setting: Setting,
    data: DataSpec,
    *notes: str,
    lr_dt: float,
    adapt: Callable[[MixerSpec], MixerSpec] = keep,
    padded: bool = False,
) -> Row:
    """The setting of DSS, from the authors' repository; `lr_dt` is the rate of dt."""
    length = data.signature.length
    softmax = f"softmax over {length:,} steps, so that padding changes nothing; over the padded batch there"

    def fixed(variant: Variant) -> bool:
        """Whether the kernel depends on the length of the sequence."""
        return padded and variant.mixer.fixed_to(length) != variant.mixer

    return Row(
        setting=setting,
        data=data,
        source=dss_source(),
        notes=(*DSS_NOTES, softmax, *notes),
        only={softmax: fixed},
        adapt=adapt,
        fields={**DSS_FIELDS, "lr_dt": lr_dt},
        padded=padded,
    )


HOPE_NETWORK: Final = replace(S4_NETWORK, d_model=128)


def hope_row(
    setting: Setting,
    data: DataSpec,
    *notes: str,
    d_state: int,
    dt: tuple[float, float],
    dt_link: Literal["exp", "softplus"],
    lr_h: float,
    lr_dt: float | None = None,
    train_dt: bool = True,
    data_notes: tuple[str, ...] = (),
    padded: bool = False,
) -> Row:
    """The setting of HOPE, from the authors' release, with what is wrong in it put right. `dt` is in HOPE's convention."""
    own_rate = "h at the network's rate: this row"
    return Row(
        setting=setting,
        data=data,
        source=hope_source("config or script of this task"),
        notes=(*notes, own_rate, HOPE_PADDED if padded else HOPE_CAUSAL, "read out from the mean over all steps", *data_notes),
        only={own_rate: lambda variant: variant.second_line_of != ""},
        adapt=lambda mixer: mixer.with_rates(kernel=lr_h, dt=lr_dt),
        fields={"d_state": d_state, "dt_min": dt[0], "dt_max": dt[1], "dt_link": dt_link, "train_dt": train_dt},
        padded=padded,
    )
