"""What every small recipe gives every row alike: the range of initial step sizes."""

from __future__ import annotations

from typing import Final

from models import VARIANTS, KernelSpec, MixerSpec
from models.names import choose

DT: Final = (1e-3, 1e-1)
"""Range of initial step sizes in S4's convention, the same time scales for every row: S4's own default."""


def common_mixer(variant: str) -> MixerSpec:
    """The variant with step sizes for that range; a row without a step size as it is. Raises ValueError for an unknown name."""
    mixer = choose("variant", variant, VARIANTS).mixer
    return mixer.with_time_scale(*DT) if isinstance(mixer, KernelSpec) else mixer
