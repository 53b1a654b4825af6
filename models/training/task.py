"""SequenceTask: the one LightningModule, for every parameterization and every kind of task."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric

from ..network import SequenceModel
from . import optim

Stage = Literal["train", "val", "test"]
Part = Literal["loss", "score", "constant"]
PARTS: dict[str, tuple[Part, ...]] = {"train": ("loss", "score"), "val": ("loss", "score"), "test": ("loss", "score", "constant")}


class ConstantAnswer(nn.Module):
    """What could be said without looking at the input: the commonest class, or the mean target, of an epoch of training labels."""

    seen: Tensor

    def __init__(self, n_classes: int | None) -> None:
        """None is regression: the buffer then holds (sum of the targets, their number)."""
        super().__init__()
        self.n_classes = n_classes
        self.register_buffer("seen", torch.zeros(n_classes or 2, dtype=torch.float64))

    def learn(self, y: Tensor) -> None:
        """Takes note of labels (n,)."""
        if self.n_classes is None:
            self.seen += torch.stack([y.double().sum(), y.new_tensor(y.numel()).double()])
        else:
            self.seen += torch.bincount(y.flatten(), minlength=self.n_classes)

    def score(self, y: Tensor) -> Tensor:
        """Accuracy on labels (n,), or mean squared error; not finite before any label was seen."""
        if not self.seen.any():
            return torch.tensor(torch.nan)
        if self.n_classes is None:
            return (y.double() - self.seen[0] / self.seen[1]).square().mean()
        return (y == self.seen.argmax()).double().mean()


class SequenceTask(pl.LightningModule):
    """Classification (cross-entropy, accuracy) or regression (mean squared error, rmse), per sequence or per step with a loss mask.

    A batch is a dict: "x", "y", and optionally "lengths" (B,) of valid steps, "mask" (B, L) of the steps that are scored, and "rate" (),
    the factor on all step sizes for a signal that is sampled otherwise than in training. Logs
    {train,val,test}_loss and {train,val,test}_{accuracy,rmse} once per epoch, averaged over examples, so that a short last batch weighs
    what it is; and test_{accuracy,rmse}_constant, the score of the constant answer.
    """

    def __init__(self, model: SequenceModel, spec: optim.OptimSpec, *, total_steps: int, regression: bool = False) -> None:
        """`total_steps` is the number of optimizer steps of the run: the cosine ends there."""
        super().__init__()
        self.model, self.optim_spec, self.total_steps, self.regression = model, spec, total_steps, regression
        self.metric = "rmse" if regression else "accuracy"
        # torchmetrics leaves a loss that is not a number out of the mean, and a run that diverged would look well: let it count as infinite
        means = {f"{stage}_{part}": MeanMetric(nan_strategy=math.inf) for stage, parts in PARTS.items() for part in parts}
        self.sums = nn.ModuleDict(means)
        self.constant = ConstantAnswer(None if regression else model.d_output)

    def forward(self, x: Tensor, lengths: Tensor | None = None, rate: float = 1.0) -> Tensor:
        """The network's output."""
        return self.model(x, lengths, rate)

    def answers(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """(outputs (n, d_output), labels (n,)) of the scored items: sequences, or the steps that the mask marks."""
        rate = float(batch["rate"]) if "rate" in batch else 1.0
        output, y = self.model(batch["x"], batch.get("lengths"), rate), batch["y"]
        mask = batch.get("mask")
        return (output, y) if mask is None else (output[mask.bool()], y[mask.bool()])

    def loss_and_score(self, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(mean loss, mean score); the score is accuracy, or the squared error whose root is reported."""
        if self.regression:
            error = nn.functional.mse_loss(output.squeeze(-1), y)
            return error, error.detach()
        return nn.functional.cross_entropy(output, y), (output.detach().argmax(-1) == y).float().mean()

    def mean(self, stage: Stage, part: Part) -> MeanMetric:
        """The running mean over an epoch."""
        metric = self.sums[f"{stage}_{part}"]
        assert isinstance(metric, MeanMetric)
        return metric

    def _step(self, batch: dict[str, Tensor], stage: Stage) -> Tensor:
        output, y = self.answers(batch)
        loss, score = self.loss_and_score(output, y)
        weight = float(y.numel())
        self.mean(stage, "loss").update(loss.detach().clone(), weight)
        self.mean(stage, "score").update(score, weight)
        if stage == "train":
            self.constant.learn(y)
        if stage == "test":
            self.mean(stage, "constant").update(self.constant.score(y).to(loss), weight)
        return loss

    def _finish(self, stage: Stage) -> None:
        for part in PARTS[stage]:
            mean = self.mean(stage, part)
            value = mean.compute()
            if part == "loss":
                self.log(f"{stage}_loss", value)
            else:
                name = f"{stage}_{self.metric}" + ("_constant" if part == "constant" else "")
                self.log(name, value.sqrt() if self.regression else value)
            mean.reset()

    def on_train_epoch_start(self) -> None:
        self.constant.seen.zero_()

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
