"""SequenceTask: the one LightningModule, for every parameterization and every kind of task."""

from __future__ import annotations

from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import SumMetric

from ..network import Lengths, SequenceModel
from . import optim

Stage = Literal["train", "val", "test"]
Part = Literal["loss", "score", "constant"]
HOW_TO_READ = ("lengths", "mask", "rate")
"""What of a batch says how the rest is to be read. It is looked at, which on a device would be waiting for it, so it stays on the CPU."""
PARTS: dict[str, tuple[Part, ...]] = {"train": ("loss", "score"), "val": ("loss", "score"), "test": ("loss", "score", "constant")}


class EpochMean(nn.Module):
    """The mean over the examples of an epoch, on all processes, of numbers that stay on their device until it is asked for.

    torchmetrics' MeanMetric looks at each number whether it is one, and so waits for the device at every step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total, self.weight = SumMetric(nan_strategy="disable"), SumMetric(nan_strategy="disable")

    def update(self, value: Tensor, n: int) -> None:
        """`value` () is the mean of n examples. What is not a number counts as infinite."""
        self.total.update(torch.nan_to_num(value, nan=torch.inf, posinf=torch.inf, neginf=-torch.inf) * n)
        self.weight.update(value.new_full((), n))  # a number of Python would be copied to the device, and waited for

    def compute(self) -> Tensor:
        """The mean since the last reset."""
        return self.total.compute() / self.weight.compute()

    def reset(self) -> None:
        """Begins an epoch."""
        self.total.reset()
        self.weight.reset()


class ConstantAnswer(nn.Module):
    """What could be said without looking at the input: the commonest class, or the mean target, of an epoch of training labels."""

    seen: Tensor

    def __init__(self, n_classes: int | None) -> None:
        """None is regression: the buffer then holds (sum of the targets, their number)."""
        super().__init__()
        self.n_classes = n_classes
        self.register_buffer("seen", torch.zeros(n_classes or 2, dtype=torch.float64))

    def count(self, y: Tensor) -> Tensor:
        """What labels (n,) add to `seen`."""
        if self.n_classes is None:
            return torch.stack([y.double().sum(), self.seen.new_full((), y.numel())])
        classes = torch.arange(self.n_classes, device=y.device)  # torch.bincount would wait for the device
        return (y.reshape(-1, 1) == classes).sum(0).double()

    def score(self, y: Tensor) -> Tensor:
        """Accuracy on labels (n,), or mean squared error; not finite before any label was seen."""
        if not self.seen.any():
            return y.new_tensor(torch.nan, dtype=torch.float64)
        if self.n_classes is None:
            return (y.double() - self.seen[0] / self.seen[1]).square().mean()
        return (y == self.seen.argmax()).double().mean()

    def best(self, counts: Tensor, squares: Tensor) -> Tensor:
        """The best score of any constant on the labels that were counted, `squares` the sum of their squares: the share of the commonest
        class, or the variance."""
        if self.n_classes is None:
            return (squares / counts[1] - (counts[0] / counts[1]).square()).clamp(min=0)
        return counts.max() / counts.sum()


class SequenceTask(pl.LightningModule):
    """Classification (cross-entropy, accuracy) or regression (mean squared error, rmse), per sequence or per step with a loss mask.

    A batch is a dict: "x", "y", and optionally "lengths" (B,) of valid steps, "mask" (B, L) of the steps that are scored, and "rate" (),
    the factor on all step sizes for a signal that is sampled otherwise than in training. Logs
    {train,val,test}_loss and {train,val,test}_{accuracy,rmse} once per epoch, averaged over examples, so that a short last batch weighs
    what it is. Two more say what a network that looks at nothing would score: test_{accuracy,rmse}_constant is the score of the commonest
    class or mean of the training labels, test_{accuracy,rmse}_best_constant that of the best constant on this very test set, which is what
    chance means. On several processes all of them are of the labels of all.
    """

    def __init__(self, model: SequenceModel, spec: optim.OptimSpec, *, total_steps: int, regression: bool = False) -> None:
        """`total_steps` is the number of optimizer steps of the run: the cosine ends there."""
        super().__init__()
        self.model, self.optim_spec, self.total_steps, self.regression = model, spec, total_steps, regression
        self.metric = "rmse" if regression else "accuracy"
        self.sums = nn.ModuleDict({f"{stage}_{part}": EpochMean() for stage, parts in PARTS.items() for part in parts})
        self.constant = ConstantAnswer(None if regression else model.d_output)
        # No buffers: what each process counts for itself, DDP would overwrite with the counts of the first before every forward.
        self.counts: Tensor | None = None
        self.squares: Tensor | None = None

    def forward(self, x: Tensor, lengths: Lengths | None = None, rate: float = 1.0) -> Tensor:
        """The network's output."""
        return self.model(x, lengths, rate)

    def outputs(self, batch: dict[str, Tensor]) -> Tensor:
        """The network's output for a batch, its lengths and rate respected."""
        rate = float(batch["rate"]) if "rate" in batch else 1.0
        return self.model(batch["x"], batch.get("lengths"), rate)

    def answers(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """(outputs (n, d_output), labels (n,)) of the scored items: sequences, or the steps that the mask marks."""
        return self.scored(self.outputs(batch), batch)

    def scored(self, output: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The same of outputs that are known already."""
        y, mask = self.as_answered(output, batch["y"]), batch.get("mask")
        if mask is None:
            return output, y
        if mask.shape != output.shape[:2] or not mask.any():
            raise ValueError(f"a mask marks the scored steps, at least one, of shape {tuple(output.shape[:2])}; got {tuple(mask.shape)}")
        scored = mask.flatten().nonzero().squeeze(-1).to(output.device, non_blocking=True)
        return output.flatten(0, 1)[scored], y.flatten(0, 1)[scored]

    def as_answered(self, output: Tensor, y: Tensor) -> Tensor:
        """The labels in the shape of what is answered, without the column that loaders of one target give them. Raises ValueError for
        labels that do not fit the outputs: broadcasting would compare each with each."""
        several = self.regression and output.shape[-1] > 1
        shape = output.shape if several else output.shape[:-1]
        if y.shape == (*output.shape[:-1], 1) and not several:
            y = y.squeeze(-1)
        if y.shape != shape:
            raise ValueError(f"outputs of shape {tuple(output.shape)} need labels of shape {tuple(shape)}; got {tuple(y.shape)}")
        if not self.regression and (y.is_floating_point() or y.dtype == torch.bool):
            raise ValueError(f"classes are whole numbers; got labels of {y.dtype}")
        return y

    def loss_and_score(self, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """(mean loss, mean score) of outputs (..., d_output); the score is accuracy, or the squared error whose root is reported."""
        y = self.as_answered(output, y)
        if self.regression:
            error = nn.functional.mse_loss(output if y.shape == output.shape else output.squeeze(-1), y)
            return error, error.detach()
        output, y = output.flatten(0, -2), y.flatten()  # cross_entropy takes the second axis for the classes
        return nn.functional.cross_entropy(output, y), (output.detach().argmax(-1) == y).float().mean()

    def mean(self, stage: Stage, part: Part) -> EpochMean:
        """The running mean over an epoch."""
        metric = self.sums[f"{stage}_{part}"]
        assert isinstance(metric, EpochMean)
        return metric

    def transfer_batch_to_device(self, batch: dict[str, Tensor], device: torch.device, dataloader_idx: int) -> dict[str, Tensor]:
        """Everything but `HOW_TO_READ`."""
        moved = {name: tensor for name, tensor in batch.items() if name not in HOW_TO_READ}
        return batch | super().transfer_batch_to_device(moved, device, dataloader_idx)

    def _step(self, batch: dict[str, Tensor], stage: Stage) -> Tensor:
        output, y = self.answers(batch)
        loss, score = self.loss_and_score(output, y)
        self.mean(stage, "loss").update(loss.detach(), y.numel())
        self.mean(stage, "score").update(score, y.numel())
        if stage == "train":
            self.count(y)
        if stage == "test":
            self.count(y)
            self.mean(stage, "constant").update(self.constant.score(y).to(loss), y.numel())
        return loss

    def count(self, y: Tensor) -> None:
        """Takes note of the labels of this process."""
        counts, squares = self.constant.count(y), y.double().square().sum()
        self.counts = counts if self.counts is None else self.counts + counts
        self.squares = squares if self.squares is None else self.squares + squares

    def counted(self) -> tuple[Tensor, Tensor]:
        """(counts, sum of squares) of the labels of all processes since the last call."""
        none = torch.zeros_like(self.constant.seen)
        counts, squares = none if self.counts is None else self.counts, none[0] if self.squares is None else self.squares
        self.counts = self.squares = None
        reduce = self.trainer.strategy.reduce
        return reduce(counts, reduce_op="sum"), reduce(squares, reduce_op="sum")

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
        self.counts = self.squares = None

    def on_test_epoch_start(self) -> None:
        self.counts = self.squares = None

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        return self._step(batch, "train")

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self._step(batch, "val")

    def test_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self._step(batch, "test")

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """The outputs of a batch, of which no label is needed."""
        return self.outputs(batch)

    def on_validation_epoch_start(self) -> None:
        """Validation comes before the end of the training epoch, and what is kept of a network is a copy made there."""
        self.constant.seen += self.counted()[0]

    def on_train_epoch_end(self) -> None:
        self.constant.seen += self.counted()[0]
        self._finish("train")

    def on_validation_epoch_end(self) -> None:
        self._finish("val")

    def on_test_epoch_end(self) -> None:
        best = self.constant.best(*self.counted())
        self.log(f"test_{self.metric}_best_constant", best.sqrt() if self.regression else best)
        self._finish("test")

    def configure_optimizers(self) -> Any:
        return optim.build(self.model, self.optim_spec, self.total_steps, f"val_{self.metric}", not self.regression)
