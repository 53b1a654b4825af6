"""A few steps of a run without a record: how long it would take on this machine, and how much memory; said in a plan."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from pytorch_lightning import seed_everything

from benchmarks.running.environment import PeakMemory, Runtime
from benchmarks.running.run import one_rounding
from benchmarks.running.weights import build_network
from benchmarks.spec import RunSpec
from data.module import SplitModule
from data.subsets import SplitSpec
from models import SequenceTask, param_groups

STEPS: Final = 5
"""Training steps that are timed, after one that is not."""
SECONDS: Final = 3.0
"""How long they may take before fewer will do."""
START: Final = 1.0
"""Seconds that a run takes besides: its process, its data, its record."""


@dataclass(frozen=True)
class Trial:
    """What a trial found."""

    seconds: float
    """Of the whole run."""
    memory: float
    """Peak in MB."""


@one_rounding()
def try_out(spec: RunSpec, runtime: Runtime) -> Trial | None:
    """Times a few steps of training and one batch of validation with the real data; None where these are not prepared: nothing is made.

    Raises ValueError where the network cannot be built, and DataError where the data are damaged.
    """
    if isinstance(spec.data, SplitSpec) and spec.data.opened() is None:
        return None
    begun = time.perf_counter()
    torch.set_num_threads(runtime.threads)
    seed_everything(spec.seed, verbose=False)
    module = spec.data.build(batch_size=spec.batch_size, seed=spec.seed)
    assert isinstance(module, SplitModule)
    batches = {part: math.ceil(n / spec.batch_size) for part, n in module.counts().items()}
    memory = PeakMemory(runtime.device)
    memory.start()
    network = build_network(spec)
    task = SequenceTask(network, spec.optim, total_steps=1, regression=spec.data.signature.regression).to(runtime.device)
    optimizer = torch.optim.AdamW(param_groups(network, spec.optim))
    train, val = iter(module.train_dataloader()), iter(module.val_dataloader())
    started = time.perf_counter() - begun

    def loss_of(batch: dict[str, Any]) -> torch.Tensor:
        there = {name: value.to(runtime.device) for name, value in batch.items()}
        with torch.autocast(runtime.device, torch.bfloat16, enabled=spec.precision == "bf16-mixed"):
            return task.loss_and_score(*task.answers(there))[0]

    def step() -> None:
        optimizer.zero_grad()
        loss_of(next(train)).backward()
        optimizer.step()

    step()
    training = _seconds_of(step, min(STEPS, batches["train"] - 1), runtime.device)
    task.eval()
    with torch.no_grad():
        evaluation = _seconds_of(lambda: loss_of(next(val)), 1, runtime.device)
    epoch = batches["train"] * training + batches["val"] * evaluation
    total = START + started + spec.epochs * epoch + batches["test"] * evaluation
    return Trial(total, memory.stop())


def _seconds_of(action: Callable[[], object], times: int, device: str) -> float:
    """Of one call, the mean over at most so many."""
    begun, done = time.perf_counter(), 0
    while done < max(1, times) and (not done or time.perf_counter() - begun < SECONDS):
        try:
            action()
        except StopIteration:
            break
        done += 1
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - begun) / max(1, done)
