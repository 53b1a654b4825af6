"""run(spec, runtime, store) -> Record: the only way a number comes to exist.

Chosen on validation, scored once on test: after every epoch the weights with the best validation metric so far are copied in memory
(ties go to the lower validation loss); at the end they are put back and the test set is seen for the first and only time.
"""

from __future__ import annotations

import logging
import math
import os
import statistics
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.loggers import Logger
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.utilities import rank_zero_only

from benchmarks import plugins
from benchmarks.running import checkpoint, loggers
from benchmarks.running.callbacks import BestOnValidation, Diverged, Epoch, History, NonFinite, copied
from benchmarks.running.environment import PeakMemory, Runtime, describe, of_a_group
from benchmarks.running.predictions import Answers
from benchmarks.running.record import Record, failed, identity
from benchmarks.running.store import Store
from benchmarks.running.weights import build_network, pack_weights
from benchmarks.spec import RunSpec
from data.base import DataError
from data.command import FULL
from data.files.digests import sha256
from data.module import SplitModule
from models import SequenceModel, SequenceTask


def run(
    spec: RunSpec,
    runtime: Runtime | None = None,
    store: Store | None = None,
    progress: Callable[[Epoch], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Record:
    """Trains, chooses on validation, tests once, writes the record and returns it.

    An error inside the run becomes a record with status "failed" (its traceback in error.txt); DataError and a full disk are not the
    run's doing and pass through. A run that was broken off continues after its last saved epoch, see `checkpoint`; `say` is told. Whether
    it is already done is the caller's question, see `launch`.
    """
    plugins.load()  # those that the command was given, where this is a worker of it
    runtime, store = runtime or Runtime(), store or Store()
    folder = store.folder(spec)
    trace = folder / "error.txt"
    say = say or (lambda text: print(text, file=sys.stderr))
    try:
        left = _trained(spec, runtime, folder, progress, say)
    except DataError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise
        trace.parent.mkdir(parents=True, exist_ok=True)
        trace.write_text(traceback.format_exc(), encoding="utf-8")
        sentence = next((line for line in str(error).splitlines() if line.strip()), "")
        return store.put(spec, failed(spec, f"{type(error).__name__}: {sentence}".rstrip(": "), describe(runtime)))
    try:
        written = left.put(store, spec)
    except OSError as error:
        if error.errno not in FULL:
            raise
        checkpoint.remove(folder, but=1)  # the newest stays: should the record not fit even now, little is lost
        written = left.put(store, spec)
    with suppress(OSError):  # the record is written, and what is left is swept by the next launch
        trace.unlink(missing_ok=True)
        checkpoint.remove(folder)
    return written


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a run leaves behind: its record, and what is kept beside it."""

    record: Record
    arrays: Mapping[str, np.ndarray]
    weights: bytes = b""
    predictions: Mapping[str, np.ndarray] = field(default_factory=dict)

    def put(self, store: Store, spec: RunSpec) -> Record:
        """Writes all of it; the record as written."""
        return store.put(spec, self.record, self.arrays, weights=self.weights, predictions=self.predictions)


def _trained(spec: RunSpec, runtime: Runtime, folder: Path, progress: Callable[[Epoch], None] | None, say: Callable[[str], None]) -> Left:
    """`train`, begun again for each checkpoint that cannot be restored, from the one before or from scratch."""
    while True:
        try:
            with one_process(), one_rounding():
                return train(spec, runtime, folder, progress, say)
        except checkpoint.NotRestored as problem:
            checkpoint.set_aside(problem.path, problem, say)


def train(
    spec: RunSpec,
    runtime: Runtime,
    folder: Path,
    progress: Callable[[Epoch], None] | None,
    say: Callable[[str], None],
) -> Left:
    """The run itself. Checkpoints and logs go to `folder`."""
    begun = time.monotonic()
    torch.set_num_threads(runtime.threads)
    seed_everything(spec.seed, verbose=False)

    signature = spec.data.signature
    metric, sign = ("val_rmse", -1.0) if signature.regression else ("val_accuracy", 1.0)
    module = spec.data.build(batch_size=spec.batch_size, seed=spec.seed)
    assert isinstance(module, SplitModule)
    counts = module.counts()
    memory = PeakMemory(runtime.device)
    memory.start()  # the data set and the libraries that read it are not counted: they are the same for every row
    task = SequenceTask(
        build_network(spec),
        spec.optim,
        total_steps=spec.epochs * math.ceil(counts["train"] / spec.batch_size),
        regression=signature.regression,
    )
    task.model.use_engine(runtime.engine)
    start = copied(task)
    history, best = History(spec, metric, runtime.device, progress), BestOnValidation(metric, sign)
    owner = checkpoint.owner_of(spec.id, module.content_hash(), runtime)
    here = describe(runtime)
    keeper = checkpoint.Checkpoints(folder, owner, begun, say, here["code"] + ("+changes" if here["dirty"] else ""))
    resumed = checkpoint.usable(folder, owner, task, say)
    answers = Answers() if runtime.predictions else None
    diverged, metrics = "", {}
    with quiet():
        logger = loggers.make(runtime.logger, spec, folder)
        trainer = make_trainer(spec, runtime, [NonFinite(), best, history, keeper, *([answers] if answers else [])], logger)
        try:
            trainer.fit(task, datamodule=module, ckpt_path=resumed, weights_only=True)
        except Diverged as event:
            diverged = str(event)
        except (DataError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            if resumed is not None and not keeper.restored:
                raise checkpoint.NotRestored(resumed, error) from error
            raise
        else:
            task.load_state_dict(best.state)
            metrics = {**best.scores, "best_epoch": best.epoch}
            tested = score(trainer, task, module)
            if math.isfinite(tested["test_loss"]):
                metrics |= tested
            else:
                diverged = "the test loss is not finite, though those of training and validation were"
    peak, wall_seconds = memory.stop(), keeper.seconds
    arrays: dict[str, np.ndarray] = {}
    undrawn, weights = "", b""
    if not diverged:
        task.cpu()
        weights = pack_weights(task.model, spec) if runtime.weights else b""
        try:
            for moment, state in {"start": start, "end": best.state}.items():
                task.load_state_dict(state)
                arrays |= snapshot(task.model, moment, signature.length)
        except Exception as error:  # noqa: BLE001 the run is trained and tested: it goes without its pictures, and says so
            undrawn = f"without kernels of {moment}: {type(error).__name__}: {error}"
            say(f"the record goes {undrawn}")

    record = Record(
        **identity(spec),
        status="diverged" if diverged else "ok",
        reason=diverged or undrawn,
        metrics=_metrics(metric, module, metrics),
        cost={
            "parameters": sum(p.numel() for p in task.parameters() if p.requires_grad),
            "kernel_parameters": system_parameters(task.model),
            "seconds_per_epoch": statistics.median(row["seconds"] for row in history.rows) if history.rows else None,
            "wall_seconds": wall_seconds,
            "sessions": keeper.sessions,
            "peak_memory_mb": peak,
        },
        history=tuple(history.rows),
        rates=history.rates,
        data={"hash": module.content_hash(), "counts": counts, "order": sha256(module.order(0)[:100])},
        environment=describe(runtime)
        | {"engines_used": list(task.model.engines_used)}
        | ({"earlier_code": keeper.earlier_codes} if keeper.earlier_codes else {}),
    )
    predictions = answers.arrays(regression=signature.regression) if answers and not diverged else {}
    return Left(record=record, arrays=arrays, weights=weights, predictions=predictions)


def make_trainer(spec: RunSpec, runtime: Runtime, callbacks: Sequence[Callback] = (), logger: Logger | None = None) -> Trainer:
    """Lightning's trainer of a run, which writes nothing but what these callbacks and this logger write."""
    return Trainer(
        accelerator="gpu" if runtime.device == "cuda" else "cpu",
        devices=1,
        max_epochs=spec.epochs,
        precision=spec.precision,
        deterministic="warn",
        callbacks=list(callbacks),
        # a run is one process, also inside a Slurm job
        plugins=[LightningEnvironment(), checkpoint.HashedFiles()],
        logger=logger or False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _metrics(metric: str, module: SplitModule, known: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a record, null where there is none; the task may say further constant answers than the one of the training labels."""
    name = metric.removeprefix("val_")
    constants = [key for key in known if key.startswith(f"test_{name}_") and "constant" in key.split("_")]
    further = [f"test_{name}_constant", *constants, *(f"test_{name}_{test}" for test in module.zero_shot_dataloaders())]
    return {key: known.get(key) for key in (f"test_{name}", "test_loss", *further, f"val_{name}", "val_loss", "best_epoch")}


def score(trainer: Trainer, task: SequenceTask, module: SplitModule) -> dict[str, float]:
    """The metrics of the test set; where the loss is finite also those of the tests that `zero_shot` makes of it."""
    tested: dict[str, float] = dict(trainer.test(task, datamodule=module, verbose=False)[0])
    return tested | (zero_shot(trainer, task, module) if math.isfinite(tested["test_loss"]) else {})


def zero_shot(trainer: Trainer, task: SequenceTask, module: SplitModule) -> dict[str, float]:
    """{"test_accuracy_8khz": ...}: the chosen weights on tests they were not trained for; none for a layer without a step size."""
    if not all(layer.has_rate for layer in task.model.layers):
        return {}
    key, out = f"test_{task.metric}", {}
    for name, loader in module.zero_shot_dataloaders().items():
        tested = trainer.test(task, dataloaders=loader, verbose=False)[0]
        out[f"{key}_{name}"] = tested[key] if math.isfinite(tested["test_loss"]) else math.nan  # which a record writes as null
    return out


def system_parameters(model: SequenceModel) -> int:
    """Trained numbers inside the linear systems (kernels, recurrences) of a network."""
    systems = [layer.system for layer in model.layers if layer.system is not None]
    return sum(p.numel() for system in systems for p in system.parameters() if p.requires_grad)


@torch.no_grad()
def snapshot(model: SequenceModel, moment: str, length: int) -> dict[str, np.ndarray]:
    """What the record keeps of each layer, under `layer{i}/{moment}/{name}`: kernel, memory, eigenvalues and hsv, see `Layer.arrays`."""
    return {f"layer{i}/{moment}/{name}": array for i, layer in enumerate(model.layers) for name, array in layer.arrays(length).items()}


@contextmanager
def one_process() -> Iterator[None]:
    """A run is one process, whatever a cluster, torchrun or variables for Lightning's Trainer say in the environment around it."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if of_a_group(name)}
    rank = getattr(rank_zero_only, "rank", 0)
    setattr(rank_zero_only, "rank", 0)  # noqa: B010 an attribute of a function, which types do not know
    try:
        yield
    finally:
        setattr(rank_zero_only, "rank", rank)  # noqa: B010
        os.environ.update(hidden)


@contextmanager
def one_rounding() -> Iterator[None]:
    """cuDNN's own switches let an LSTM round its factors to TF32 unless they are told. Here they follow the one switch that a record names,
    and they are put back after."""
    switches: tuple[Any, ...] = (torch.backends.cudnn.conv, torch.backends.cudnn.rnn)  # type: ignore[attr-defined]
    before = [switch.fp32_precision for switch in switches]
    rounds = torch.backends.cuda.matmul.fp32_precision not in ("none", "ieee")
    for switch in switches:
        switch.fp32_precision = "tf32" if rounds else "ieee"
    try:
        yield
    finally:
        for switch, precision in zip(switches, before, strict=True):
            switch.fp32_precision = precision


@contextmanager
def quiet() -> Iterator[None]:
    """Lightning's remarks about GPUs and loader workers say nothing here; the switch to deterministic operations is undone after."""
    deterministic, warn_only = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
