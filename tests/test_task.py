"""SequenceTask: what it logs is what a hand computation over the whole set gives, and its loss falls, for every default variant."""

from __future__ import annotations

import math
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models import DEFAULT_VARIANTS, VARIANTS, ModelSpec, OptimSpec, S4DSpec, SequenceTask

SIZES = (4, 4, 3)
"""An uneven last batch."""


class Batches(Dataset[dict[str, Tensor]]):
    """Ready-made batches."""

    def __init__(self, batches: list[dict[str, Tensor]]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return self.batches[i]


def logged(task: SequenceTask, batches: list[dict[str, Tensor]], stage: str) -> dict[str, float]:
    """What one pass over the batches logs."""
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loader: DataLoader[Any] = DataLoader(Batches(batches), batch_size=None)
    if stage == "train":
        trainer.fit(task, loader, loader)
        return {k: float(v) for k, v in trainer.callback_metrics.items()}
    run = trainer.test if stage == "test" else trainer.validate
    return dict(run(task, loader, verbose=False)[0])


def task_of(**options: Any) -> SequenceTask:
    torch.manual_seed(0)
    spec = ModelSpec(mixer=S4DSpec(d_state=4), d_model=4, n_layers=1)
    regression = options.pop("regression", False)
    return SequenceTask(spec.build(d_input=2, **options), OptimSpec(lr=1e-3), total_steps=10, regression=regression)


@pytest.mark.parametrize("stage", ["val", "test"])
def test_classification_scores(stage: str) -> None:
    """Cross-entropy and accuracy over all examples, not over batches; with padded sequences."""
    task = task_of(d_output=3)
    batches = [{"x": torch.randn(n, 6, 2), "y": torch.randint(3, (n,)), "lengths": torch.randint(1, 7, (n,))} for n in SIZES]
    with torch.no_grad():
        task.eval()
        output = torch.cat([task(b["x"], b["lengths"]) for b in batches])
        y = torch.cat([b["y"] for b in batches])
    scores = logged(task, batches, stage)
    assert scores[f"{stage}_loss"] == pytest.approx(float(torch.nn.functional.cross_entropy(output, y)), rel=1e-5)
    assert scores[f"{stage}_accuracy"] == pytest.approx(float((output.argmax(-1) == y).float().mean()), rel=1e-6)
    assert set(scores) - {"test_accuracy_constant", "test_accuracy_best_constant"} == {f"{stage}_loss", f"{stage}_accuracy"}


@pytest.mark.parametrize("per_step", [False, True])
def test_regression_scores(per_step: bool) -> None:
    """rmse is the root of the mean over all targets, not the mean of the batches' roots."""
    task = task_of(d_output=1, regression=True, per_step=per_step)
    batches = [{"x": torch.randn(n, 6, 2), "y": 10**i * torch.randn(*((n, 6) if per_step else (n,)))} for i, n in enumerate(SIZES)]
    with torch.no_grad():
        task.eval()
        error = torch.cat([(task(b["x"]).squeeze(-1) - b["y"]).flatten() for b in batches])
    scores = logged(task, batches, "test")
    assert scores["test_rmse"] == pytest.approx(float(error.square().mean().sqrt()), rel=1e-5)
    assert scores["test_loss"] == pytest.approx(float(error.square().mean()), rel=1e-5)


def test_scores_per_step_under_a_mask() -> None:
    """Only the masked steps count, each once, however they spread over the batches; the others have no gradient."""
    task = task_of(d_output=3, per_step=True)
    batches = [{"x": torch.randn(n, 6, 2), "y": torch.randint(3, (n, 6)), "mask": torch.rand(n, 6) < 0.4} for n in SIZES]
    for b in batches:
        b["mask"][0, 0] = True
    with torch.no_grad():
        task.eval()
        output = torch.cat([task(b["x"])[b["mask"]] for b in batches])
        y = torch.cat([b["y"][b["mask"]] for b in batches])
    scores = logged(task, batches, "test")
    assert scores["test_loss"] == pytest.approx(float(torch.nn.functional.cross_entropy(output, y)), rel=1e-5)
    assert scores["test_accuracy"] == pytest.approx(float((output.argmax(-1) == y).float().mean()), rel=1e-6)
    wrong = {**batches[0], "y": torch.where(batches[0]["mask"], batches[0]["y"], 0)}
    assert torch.equal(task.loss_and_score(*task.answers(batches[0]))[0], task.loss_and_score(*task.answers(wrong))[0])


def test_a_loss_that_is_not_a_number_is_not_left_out_of_the_mean() -> None:
    """One bad batch of three spoils the epoch's loss, as it should."""
    task = task_of(d_output=3)
    batches = [{"x": torch.randn(n, 6, 2), "y": torch.randint(3, (n,))} for n in SIZES]
    batches[1]["x"][0, 0, 0] = math.nan
    assert not math.isfinite(logged(task, batches, "val")["val_loss"])


@pytest.mark.parametrize("regression", [False, True])
def test_constant_answer(regression: bool) -> None:
    """What the training labels of one epoch say without the input, scored on other labels; nothing before training."""
    task = task_of(d_output=1 if regression else 3, regression=regression)
    train = [{"x": torch.randn(n, 6, 2), "y": torch.randn(n) + 5 if regression else torch.tensor([2, 2, 2, 0, 1] * n)[:n]} for n in SIZES]
    test = [{"x": torch.randn(n, 6, 2), "y": torch.randn(n) if regression else torch.randint(3, (n,))} for n in SIZES]
    key = f"test_{task.metric}_constant"
    assert not math.isfinite(logged(task, test, "test")[key])
    for _ in range(2):  # the second epoch forgets the first
        logged(task, train, "train")
    y, seen = torch.cat([b["y"] for b in test]), torch.cat([b["y"] for b in train])
    expected = (y - seen.mean()).square().mean().sqrt() if regression else (y == 2).float().mean()
    scores = logged(task, test, "test")
    assert scores[key] == pytest.approx(float(expected), rel=1e-5)
    best = y.std(correction=0) if regression else y.bincount().max() / len(y)
    assert scores[f"test_{task.metric}_best_constant"] == pytest.approx(float(best), rel=1e-5)
    assert int(task.constant.seen[1] if regression else task.constant.seen.sum()) == sum(SIZES)


def test_training_through_lightning_moves_the_rates_and_the_weights() -> None:
    """The cosine ends after total_steps batches; train_loss is the mean over examples of the losses as they were met."""
    task = task_of(d_output=3)
    batches = [{"x": torch.randn(n, 6, 2), "y": torch.randint(3, (n,))} for n in SIZES]
    task.total_steps = len(batches)
    before = {k: v.clone() for k, v in task.model.state_dict().items()}
    losses: list[Tensor] = []
    step = task.loss_and_score

    def spy(output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        out = step(output, y)
        if task.training:
            losses.append(out[0].detach() * len(y))
        return out

    task.loss_and_score = spy  # type: ignore[method-assign]
    scores = logged(task, batches, "train")
    assert scores["train_loss"] == pytest.approx(float(sum(losses)) / sum(SIZES), rel=1e-5)
    assert all(not torch.equal(v, before[k]) for k, v in task.model.state_dict().items())
    optimizer = task.optimizers()
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.0] * len(optimizer.param_groups), abs=1e-12)  # type: ignore[union-attr]


@pytest.mark.parametrize("name", DEFAULT_VARIANTS)
def test_loss_falls(name: str) -> None:
    """Which half of a sequence holds the larger mean: 40 steps of the default optimizer at least halve the loss of 64 examples."""
    torch.manual_seed(0)
    y = torch.randint(2, (64,))
    x = torch.randn(64, 32, 1)
    x[:, :16, 0] += 2.0 * (1 - y).unsqueeze(1)
    x[:, 16:, 0] += 2.0 * y.unsqueeze(1)
    model = ModelSpec(mixer=VARIANTS[name].mixer, d_model=16, n_layers=2, pool_last=1).build(d_input=1, d_output=2)
    task = SequenceTask(model, OptimSpec(lr=1e-2), total_steps=40)
    plan = task.configure_optimizers()
    losses = []
    for _ in range(40):
        loss = task.loss_and_score(task(x), y)[0]
        plan["optimizer"].zero_grad()
        loss.backward()
        plan["optimizer"].step()
        plan["lr_scheduler"]["scheduler"].step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
