"""AdamW with one parameter group per distinct (rate, decay)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import nn

from ..choices.fields import require_types
from ..parameters import OwnRates
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


def param_groups(model: nn.Module, optim: OptimSpec) -> list[dict[str, Any]]:
    """The groups for torch.optim.AdamW: every trained parameter in exactly one, with its rate and decay. Each carries its "names".

    Kernel parameters (A, B, dt, P, h) have rates of their own and no decay; leaving that out costs many points of accuracy.
    """
    special: dict[str, tuple[float, float]] = {}
    for prefix, module in model.named_modules():
        if isinstance(module, OwnRates):
            for group in module.param_groups():
                lr = optim.lr if group.lr is None else group.lr
                decay = optim.weight_decay if group.weight_decay is None else group.weight_decay
                for name in group.names:
                    special[f"{prefix}.{name}" if prefix else name] = (lr, decay)
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            lr, decay = special.get(name, (optim.lr, optim.weight_decay))
            chosen = groups.setdefault((lr, decay), {"params": [], "names": [], "lr": lr, "weight_decay": decay})
            chosen["params"].append(p)
            chosen["names"].append(name)
    return list(groups.values())


def build(model: nn.Module, optim: OptimSpec, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
    """Optimizer and schedule in the form Lightning takes; `total_steps` is the length of the run, `metric` what is chosen by."""
    optimizer = torch.optim.AdamW(param_groups(model, optim))
    return {"optimizer": optimizer, "lr_scheduler": optim.schedule.build(optimizer, total_steps, metric, higher_is_better)}
