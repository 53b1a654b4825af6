"""`OptimSpec`, the options of the optimizer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

from ..choices.fields import require_types
from .schedules import Cosine, Schedule


@dataclass(frozen=True, kw_only=True)
class OptimSpec:
    """AdamW (betas 0.9, 0.999). `lr` and `weight_decay` hold for every parameter that no module claims for itself."""

    version: ClassVar[int] = 1

    lr: float = 1e-2
    weight_decay: float = 1e-2
    schedule: Schedule = field(default_factory=Cosine)

    def __post_init__(self) -> None:
        require_types(self)
        if not (0 < self.lr < math.inf and 0 <= self.weight_decay < math.inf):
            raise ValueError(f"lr is positive and weight_decay is not negative, got {self.lr:g} and {self.weight_decay:g}")
