"""A few training steps of a run under torch's profiler, and what is kept of them."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from pytorch_lightning import Callback, LightningModule, Trainer, seed_everything
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.profilers import Profiler
from torch import nn

from benchmarks.running.environment import Runtime, describe
from benchmarks.running.run import one_process, one_rounding, quiet
from benchmarks.running.weights import build_network
from benchmarks.spec import RunSpec
from benchmarks.speed.profile_record import Profile
from benchmarks.speed.shares import RANGE, sort_into_parts
from models import SequenceTask
from models.layer import Mix
from models.network import Norm
from models.parameters import OwnRates

WARM, STEPS = 3, 10
"""Steps before the profiler looks, and steps that it sees."""
OF_MODULES: Final[Mapping[type[nn.Module], tuple[str, tuple[str, ...]]]] = {
    OwnRates: ("kernel", ("forward", "recurrence", "run")),
    Mix: ("mixing", ("forward", "turned")),
    Norm: ("norm", ("forward",)),
}
"""The part that a module is, and by which of its methods."""


class _Ranges(Profiler):
    """Opens a range of torch's profiler for everything that the training loop says it does."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[str, Any] = {}

    def start(self, action_name: str) -> None:
        """Opens."""
        self.open[action_name] = torch.profiler.record_function(action_name)
        self.open[action_name].__enter__()

    def stop(self, action_name: str) -> None:
        """Closes."""
        if action_name in self.open:
            self.open.pop(action_name).__exit__(None, None, None)


class _Watch(Callback):
    """Starts the profiler when the training loop is warm, and stops it STEPS steps later, their loading included."""

    def __init__(self, cuda: bool) -> None:
        activities = [torch.profiler.ProfilerActivity.CPU, *([torch.profiler.ProfilerActivity.CUDA] if cuda else [])]
        self.cuda, self.seen, self.begun, self.seconds = cuda, 0, 0.0, 0.0
        self.profiler = torch.profiler.profile(activities=activities, acc_events=True)

    def on_train_batch_start(self, trainer: Trainer, task: LightningModule, batch: Any, batch_idx: int) -> None:
        if self.cuda and self.seen in (WARM, WARM + STEPS):
            torch.cuda.synchronize()
        if self.seen == WARM + STEPS:
            self.seconds = (time.perf_counter() - self.begun) / STEPS
            self.profiler.__exit__(None, None, None)
        self.seen += 1
        if self.seen == WARM + 1:
            self.profiler.__enter__()
            self.begun = time.perf_counter()


def _ranged(method: Callable[..., Any], part: str) -> Callable[..., Any]:
    """The method inside a range that is a part by itself."""

    @functools.wraps(method)
    def inside(*inputs: Any, **named: Any) -> Any:
        with torch.profiler.record_function(RANGE + part):
            return method(*inputs, **named)

    return inside


def _name_parts(model: nn.Module) -> None:
    """Makes a range of what every module does that is a part by itself."""
    for module in model.modules():
        for kind, (part, methods) in OF_MODULES.items():
            if isinstance(module, kind):
                for name in (name for name in methods if hasattr(module, name)):
                    setattr(module, name, _ranged(getattr(module, name), part))


def profile(run: RunSpec, variant: str, runtime: Runtime) -> Profile:
    """Trains a run for WARM + STEPS steps as the suite would, and takes the profile of the last ones. Raises DataError."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    torch.set_num_threads(runtime.threads)
    seed_everything(run.seed, verbose=False)
    signature, module = run.data.signature, run.data.build(batch_size=run.batch_size, seed=run.seed)
    task = SequenceTask(build_network(run), run.optim, total_steps=WARM + STEPS, regression=signature.regression)
    _name_parts(task.model)
    watch = _Watch(runtime.device == "cuda")
    with one_process(), one_rounding(), quiet():
        trainer = Trainer(
            accelerator="gpu" if watch.cuda else "cpu",
            devices=1,
            max_steps=WARM + STEPS + 1,
            precision=run.precision,
            callbacks=[watch],
            plugins=[LightningEnvironment()],
            profiler=_Ranges(),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=0,
        )
        trainer.fit(task, datamodule=module)
    own = (lambda e: e.self_device_time_total) if watch.cuda else (lambda e: e.self_cpu_time_total)
    events = [(event, own(event) / 1e6 / STEPS) for event in watch.profiler.events() or []]
    parts = sort_into_parts(events)
    # what no operation accounts for: Python, and on a GPU the device waiting for it
    parts["rest"] += max(0.0, watch.seconds - sum(parts.values()))
    return Profile(
        benchmark=run.benchmark,
        scale=run.scale,
        variant=variant,
        batch=run.batch_size,
        length=signature.length,
        seconds=watch.seconds,
        parts=parts,
        environment=describe(runtime),
    )
