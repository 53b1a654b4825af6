"""AdamW with one parameter group per distinct (rate, decay)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..parameters import OwnRates
from ..specs.optim import OptimSpec


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
