"""The learning-rate schedules of the papers: each is a frozen value that builds its own scheduler, stepped per batch or per epoch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..choices.fields import require_types

if TYPE_CHECKING:
    from torch.optim import Optimizer


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """A factor on the rates of all parameter groups over the course of a run."""

    def __post_init__(self) -> None:
        require_types(self)

    @abstractmethod
    def build(self, optimizer: Optimizer, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
        """The scheduler in the form Lightning takes: "scheduler", its "interval" ("step" or "epoch"), and "monitor" where it follows the
        validation metric. `total_steps` is the number of batches of the run."""


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """Linear warm-up over `warmup_steps` batches, then the full rate."""

    warmup_steps: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_warmup(self.warmup_steps)

    def build(self, optimizer: Optimizer, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
        from torch.optim.lr_scheduler import LambdaLR

        warmup = self.warmup_steps
        return {"scheduler": LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (warmup + 1))), "interval": "step"}


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Linear warm-up, then a half cosine to zero, per batch. Beyond `total_steps` the rate stays zero (it does not rise again)."""

    warmup_steps: int = 0
    total_steps: int | None = None
    """None is the length of the run."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_warmup(self.warmup_steps)
        if self.total_steps is not None and self.total_steps < 1:
            raise ValueError(f"total_steps counts batches and is at least 1, or None for the length of the run; got {self.total_steps}")

    def build(self, optimizer: Optimizer, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
        from torch.optim.lr_scheduler import LambdaLR

        warmup, total = self.warmup_steps, total_steps if self.total_steps is None else self.total_steps
        return {"scheduler": LambdaLR(optimizer, lambda step: warmup_cosine(step, warmup, total)), "interval": "step"}


def require_warmup(steps: int) -> None:
    """Raises ValueError unless `steps` counts batches."""
    if steps < 0:
        raise ValueError(f"warmup_steps counts batches and is at least 0, got {steps}")


def warmup_cosine(step: int, warmup: int, total: int) -> float:
    """Factor on the rate at `step` (0-based): (step + 1) / (warmup + 1) in the warm-up, whose first step moves; then half a cosine."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """Rate times `factor` after `patience` epochs without a better validation metric (S4 v1, DSS)."""

    factor: float = 0.2
    patience: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.factor < 1:
            raise ValueError(f"factor makes the rate smaller and lies in (0, 1), got {self.factor:g}")
        if self.patience < 0:
            raise ValueError(f"patience counts epochs and is at least 0, got {self.patience}")

    def build(self, optimizer: Optimizer, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
        from torch.optim.lr_scheduler import ReduceLROnPlateau

        scheduler = ReduceLROnPlateau(optimizer, mode="max" if higher_is_better else "min", factor=self.factor, patience=self.patience)
        return {"scheduler": scheduler, "interval": "epoch", "monitor": metric}


@dataclass(frozen=True, kw_only=True)
class MultiStep(Schedule):
    """Rate times `gamma` at each of `milestones`, in epochs (BIDMC)."""

    milestones: tuple[int, ...]
    gamma: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(isinstance(epoch, int) and epoch >= 1 for epoch in self.milestones):
            raise ValueError(f"milestones are epochs, whole numbers of at least 1; got {', '.join(map(str, self.milestones))}")
        if not 0 < self.gamma < math.inf:
            raise ValueError(f"gamma is a positive factor, got {self.gamma:g}")

    def build(self, optimizer: Optimizer, total_steps: int, metric: str, higher_is_better: bool) -> dict[str, Any]:
        from torch.optim.lr_scheduler import MultiStepLR

        return {"scheduler": MultiStepLR(optimizer, list(self.milestones), self.gamma), "interval": "epoch"}
