"""SequenceTask: the one LightningModule, for every parameterization and every kind of task."""

from __future__ import annotations

from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric

from models import optim
from models.network import SequenceModel

Stage = Literal["train", "val", "test"]


class SequenceTask(pl.LightningModule):
    """Classification (cross-entropy, accuracy) or regression (mean squared error, rmse), per sequence or per step with a loss mask.

    A batch is a dict: "x", "y", and optionally "lengths" (B,) of valid steps, "mask" (B, L) of the steps that are scored, and "rate" (),
    the factor on all step sizes for a signal that is sampled otherwise than in training. Logs
    {train,val,test}_loss and {train,val,test}_{accuracy,rmse} once per epoch, averaged over examples, so that a short last batch weighs
    what it is.
    """

    def __init__(self, model: SequenceModel, spec: optim.OptimSpec, *, total_steps: int, regression: bool = False) -> None:
        """`total_steps` is the number of optimizer steps of the run: the cosine ends there."""
        super().__init__()
        self.model, self.optim_spec, self.total_steps, self.regression = model, spec, total_steps, regression
        self.metric = "rmse" if regression else "accuracy"
        self.sums = nn.ModuleDict({f"{stage}_{part}": MeanMetric() for stage in ("train", "val", "test") for part in ("loss", "score")})

    def forward(self, x: Tensor, lengths: Tensor | None = None, rate: float = 1.0) -> Tensor:
        """The network's output."""
        return self.model(x, lengths, rate)

    def loss_and_score(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """(mean loss, mean score, number of scored items); the score is accuracy, or the squared error whose root is reported."""
        rate = float(batch["rate"]) if "rate" in batch else 1.0
        output, y = self.model(batch["x"], batch.get("lengths"), rate), batch["y"]
        mask = batch.get("mask")
        if mask is not None:
            scored = mask.bool()
            output, y = output[scored], y[scored]
        if self.regression:
            error = nn.functional.mse_loss(output.squeeze(-1), y)
            return error, error.detach(), torch.tensor(float(y.numel()))
        accuracy = (output.detach().argmax(-1) == y).float().mean()
        return nn.functional.cross_entropy(output, y), accuracy, torch.tensor(float(y.numel()))

    def mean(self, stage: Stage, part: Literal["loss", "score"]) -> MeanMetric:
        """The running mean over an epoch."""
        metric = self.sums[f"{stage}_{part}"]
        assert isinstance(metric, MeanMetric)
        return metric

    def _step(self, batch: dict[str, Tensor], stage: Stage) -> Tensor:
        loss, score, weight = self.loss_and_score(batch)
        self.mean(stage, "loss").update(loss.detach(), weight)
        self.mean(stage, "score").update(score, weight)
        return loss

    def _finish(self, stage: Stage) -> None:
        loss, score = self.mean(stage, "loss"), self.mean(stage, "score")
        value = score.compute()
        self.log(f"{stage}_loss", loss.compute())
        self.log(f"{stage}_{self.metric}", value.sqrt() if self.regression else value)
        loss.reset()
        score.reset()

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        return self._step(batch, "train")

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self._step(batch, "val")

    def test_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self._step(batch, "test")

    def on_train_epoch_end(self) -> None:
        self._finish("train")

    def on_validation_epoch_end(self) -> None:
        self._finish("val")

    def on_test_epoch_end(self) -> None:
        self._finish("test")

    def configure_optimizers(self) -> Any:
        return optim.build(self.model, self.optim_spec, self.total_steps, f"val_{self.metric}", not self.regression)
