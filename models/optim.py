"""AdamW with one parameter group per distinct (rate, decay), and the schedules of the papers, stepped per batch or per epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from models.parameters import OwnRates


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Linear warm-up over `warmup_steps` batches, then the full rate."""

    warmup_steps: int = 0


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """Linear warm-up, then a half cosine to zero, per batch. Beyond `total_steps` the rate stays zero (it does not rise again)."""

    warmup_steps: int = 0
    total_steps: int | None = None
    """None is the length of the run."""


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """Rate times `factor` after `patience` epochs without a better validation metric (S4 v1, DSS)."""

    factor: float = 0.2
    patience: int = 5


@dataclass(frozen=True, kw_only=True)
class MultiStep:
    """Rate times `gamma` at each of `milestones`, in epochs (BIDMC)."""

    milestones: tuple[int, ...]
    gamma: float = 0.5


Schedule = Constant | Cosine | Plateau | MultiStep


@dataclass(frozen=True, kw_only=True)
class OptimSpec:
    """AdamW (betas 0.9, 0.999). `lr` and `weight_decay` hold for every parameter that no module claims for itself."""

    version: ClassVar[int] = 1

    lr: float = 1e-2
    weight_decay: float = 1e-2
    schedule: Schedule = field(default_factory=Cosine)

    def __post_init__(self) -> None:
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


def warmup_cosine(step: int, warmup: int, total: int) -> float:
    """Factor on the rate at `step` (0-based): (step + 1) / (warmup + 1) in the warm-up, whose first step moves; then half a cosine."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return 0.5 * (1 + math.cos(math.pi * progress))


def build(model: nn.Module, optim: OptimSpec, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
    """Optimizer and schedule in the form Lightning takes."""
    optimizer = torch.optim.AdamW(param_groups(model, optim))
    match optim.schedule:
        case Cosine(warmup_steps=warmup, total_steps=length):
            total = total_steps if length is None else length
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_cosine(step, warmup, total))
            config: dict[str, Any] = {"scheduler": scheduler, "interval": "step"}
        case Constant(warmup_steps=warmup):
            ramp = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (warmup + 1)))
            config = {"scheduler": ramp, "interval": "step"}
        case Plateau(factor=factor, patience=patience):
            mode: Literal["max", "min"] = "max" if higher_is_better else "min"
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode=mode, factor=factor, patience=patience)
            config = {"scheduler": plateau, "interval": "epoch", "monitor": metric}
        case MultiStep(milestones=milestones, gamma=gamma):
            steps = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(milestones), gamma)
            config = {"scheduler": steps, "interval": "epoch"}
    return {"optimizer": optimizer, "lr_scheduler": config}
