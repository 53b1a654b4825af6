"""What watches a run while it trains: the first loss that is not finite, the epoch that is best on validation, and its history."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

from benchmarks.spec import RunSpec

CHECK_EVERY: Final = 32
"""Training steps between looks at the losses; each look waits for the device."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What `progress` is told after every epoch."""

    id: str
    epoch: int
    epochs: int
    train_loss: float
    val_loss: float
    metric: float
    """Validation accuracy or rmse."""


class Diverged(Exception):
    """A loss stopped being finite. The message names the step."""


class NonFinite(Callback):
    """Ends the run at the first training or validation loss that is not finite."""

    def __init__(self) -> None:
        self.pending: list[Tensor] = []
        self.looked_at = 0

    def on_train_batch_end(self, trainer: Trainer, task: LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.pending.append(outputs["loss"].detach())
        if len(self.pending) >= CHECK_EVERY:
            self.look()

    def on_validation_epoch_end(self, trainer: Trainer, task: LightningModule) -> None:
        self.look()

    def on_validation_end(self, trainer: Trainer, task: LightningModule) -> None:
        loss = float(trainer.callback_metrics["val_loss"])
        if not math.isfinite(loss):
            raise Diverged(f"the validation loss of epoch {trainer.current_epoch} is {loss}")

    def state_dict(self) -> dict[str, Any]:
        return {"looked_at": self.looked_at}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.looked_at = state_dict["looked_at"]

    def look(self) -> None:
        """Names the first step, counted from 0, whose loss is not finite."""
        losses = torch.stack(self.pending).float().cpu() if self.pending else torch.empty(0)
        bad = torch.nonzero(~torch.isfinite(losses))
        if len(bad):
            first = int(bad[0])
            raise Diverged(f"the training loss of step {self.looked_at + first} is {float(losses[first])}")
        self.looked_at += len(self.pending)
        self.pending.clear()


class BestOnValidation(Callback):
    """Keeps a copy of the weights of the epoch with the best validation metric; ties go to the lower validation loss."""

    def __init__(self, metric: str, sign: float) -> None:
        self.metric, self.sign = metric, sign
        self.rank = (-math.inf, -math.inf)
        self.epoch = -1
        self.scores: dict[str, float] = {}
        self.state: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Trainer, task: LightningModule) -> None:
        scores = {name: float(trainer.callback_metrics[name]) for name in (self.metric, "val_loss")}
        rank = (self.sign * scores[self.metric], -scores["val_loss"])
        if rank > self.rank:
            self.rank, self.epoch, self.scores, self.state = rank, trainer.current_epoch, scores, copied(task)

    def state_dict(self) -> dict[str, Any]:
        return {"rank": self.rank, "epoch": self.epoch, "scores": self.scores, "state": self.state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rank, self.epoch = state_dict["rank"], state_dict["epoch"]
        self.scores, self.state = state_dict["scores"], state_dict["state"]


class History(Callback):
    """One row per epoch, the optimizer groups as they really were, and one progress event per epoch.

    `seconds` is the training part of an epoch (batches, forward, backward, step), without validation. `lr` is the largest rate of any
    group at the first step of the epoch.
    """

    def __init__(self, spec: RunSpec, metric: str, device: str, progress: Callable[[Epoch], None] | None) -> None:
        self.spec, self.metric, self.device, self.progress = spec, metric, device, progress
        self.rows: list[dict[str, Any]] = []
        self.rates: tuple[dict[str, Any], ...] = ()
        self.lr = self.started = self.seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "rates": self.rates}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows, self.rates = state_dict["rows"], state_dict["rates"]

    def on_train_start(self, trainer: Trainer, task: LightningModule) -> None:
        if self.rates:  # a resumed run: the schedule has moved the rates it began with
            return
        names = {id(parameter): name for name, parameter in task.named_parameters()}
        self.rates = tuple(
            {
                "lr": float(group.get("initial_lr", group["lr"])),
                "weight_decay": float(group["weight_decay"]),
                "parameters": [names[id(parameter)] for parameter in group["params"]],
                "n": sum(parameter.numel() for parameter in group["params"]),
            }
            for group in trainer.optimizers[0].param_groups
        )

    def on_train_epoch_start(self, trainer: Trainer, task: LightningModule) -> None:
        self._complete(trainer)
        self.lr = max(float(group["lr"]) for group in trainer.optimizers[0].param_groups)
        self.started = self._now()

    def on_validation_start(self, trainer: Trainer, task: LightningModule) -> None:
        self.seconds = self._now() - self.started

    def on_train_epoch_end(self, trainer: Trainer, task: LightningModule) -> None:
        self.rows.append({"epoch": trainer.current_epoch, "lr": self.lr, "seconds": self.seconds})

    def on_train_end(self, trainer: Trainer, task: LightningModule) -> None:
        self._complete(trainer)

    def _complete(self, trainer: Trainer) -> None:
        """The task logs its training loss at the very end of an epoch, after every callback, so a row is filled when the next begins."""
        if not self.rows or "train_loss" in self.rows[-1]:
            return
        row = self.rows[-1]
        row |= {name: float(trainer.callback_metrics[name]) for name in ("train_loss", "val_loss", self.metric)}
        if self.progress is not None:
            self.progress(
                Epoch(
                    id=self.spec.id,
                    epoch=row["epoch"],
                    epochs=self.spec.epochs,
                    train_loss=row["train_loss"],
                    val_loss=row["val_loss"],
                    metric=row[self.metric],
                )
            )

    def _now(self) -> float:
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.monotonic()


def copied(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the state that further training does not touch, on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
