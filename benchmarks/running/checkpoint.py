"""Resuming inside a run: its whole state after an epoch, kept beside the record to come; killed and started again, it ends bit-equal.

<run folder>/checkpoint-<epochs done>-<sha256 of the content>.ckpt    the last two of a run that is not over
                                                   ....ckpt.aside    one that could not be used

Lightning dumps and restores weights, optimizer, schedule and progress. Added here: the random number generators, a file that is whole or
absent and is hashed before it is read, and whose it is.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.plugins import CheckpointIO
from torch import nn

from benchmarks.running.store import write_atomically

EVERY: Final = 60.0
"""Seconds between two checkpoints, at least; a shorter run never writes one."""
KEEP: Final = 2


class Unusable(Exception):
    """A checkpoint that cannot be continued from. The message says why and reads on after its name."""


class HashedFiles(CheckpointIO):
    """Files that are written whole or not at all, named by the hash of their content, and read only if that is what they hold."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes `path`-<sha256>.ckpt."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        blob = buffer.getvalue()
        path = Path(path)
        write_atomically(path.with_name(f"{path.name}-{hashlib.sha256(blob).hexdigest()}.ckpt"), blob)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        """Tensors and plain values on the CPU; no code in the file is ever run. Raises Unusable."""
        path = Path(path)
        try:
            blob = path.read_bytes()
        except OSError as error:
            raise Unusable(f"cannot be read ({error.strerror or error})") from error
        if hashlib.sha256(blob).hexdigest() != path.stem.rpartition("-")[2]:
            raise Unusable("is damaged (its content is not what its name says)")
        try:
            content = torch.load(io.BytesIO(blob), map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
            raise Unusable("is no checkpoint of plain values") from error
        if not isinstance(content, dict):
            raise Unusable("is no checkpoint")
        return content

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


class Checkpoints(Callback):
    """Saves when an epoch is over and `EVERY` seconds have passed since the last time; has to be the last callback.

    The moment is the start of the next epoch: only then are the schedules stepped and the losses of the old epoch in the history.
    `owner` is what has to be equal when the run goes on: spec, data, device, version of torch.
    """

    def __init__(self, folder: Path, owner: Mapping[str, str], begun: float, say: Callable[[str], None]) -> None:
        self.folder, self.owner, self.begun, self.say = folder, dict(owner), begun, say
        self.sessions, self.earlier = 1, 0.0
        self.saved = begun
        self.generators: dict[str, Any] | None = None

    @property
    def seconds(self) -> float:
        """Spent on this run, those of earlier sessions up to their last checkpoint included."""
        return self.earlier + time.monotonic() - self.begun

    def on_train_epoch_start(self, trainer: Trainer, task: LightningModule) -> None:
        if self.generators is not None:
            set_generators(self.generators)
            self.generators = None
            loader = trainer.train_dataloader
            assert loader is not None
            iter(loader)  # the undisturbed run makes its iterator after this point, which draws a number
        elif trainer.current_epoch > 0 and time.monotonic() - self.saved >= EVERY:
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """One more file, and none but the last `KEEP`. A disk that is full costs the checkpoint and not the run."""
        self.saved = time.monotonic()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(self.folder / f"checkpoint-{trainer.current_epoch:06d}")
            for old in files(self.folder)[KEEP:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            self.say(f"no checkpoint after epoch {trainer.current_epoch - 1}: {error.strerror or error}; the run goes on without")

    def on_save_checkpoint(self, trainer: Trainer, task: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["owner"] = self.owner
        # Lightning has already counted the epoch that is about to start, and would take the run for one that broke off inside it
        for count in checkpoint["loops"]["fit_loop"]["epoch_progress"].values():
            count["ready"] -= 1

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "sessions": self.sessions, "generators": generators()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.earlier, self.sessions = state_dict["seconds"], state_dict["sessions"] + 1
        self.generators = state_dict["generators"]


def files(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first."""
    return sorted(folder.glob("checkpoint-*.ckpt"), reverse=True)


def remove(folder: Path) -> None:
    """Every checkpoint, those set aside included: the run has its record."""
    for path in folder.glob("checkpoint-*.ckpt*"):
        path.unlink(missing_ok=True)


def usable(folder: Path, owner: Mapping[str, str], network: nn.Module, say: Callable[[str], None]) -> Path | None:
    """The newest checkpoint that this run can continue from, None if there is none. Others are set aside, and `say` is told."""
    for path in files(folder):
        try:
            checkpoint = HashedFiles().load_checkpoint(path)
            _check(checkpoint, owner, network)
        except Unusable as problem:
            os.replace(path, path.with_name(f"{path.name}.aside"))
            older = files(folder)
            say(f"{path.name} {problem}; it is set aside, and " + ("the one before is tried" if older else "the run starts from scratch"))
            continue
        say(f"continues after {checkpoint['epoch']} epochs")
        return path
    return None


def _check(checkpoint: Mapping[str, Any], owner: Mapping[str, str], network: nn.Module) -> None:
    """Raises Unusable for the checkpoint of another run."""
    stated = checkpoint.get("owner")
    if not isinstance(stated, dict) or "state_dict" not in checkpoint:
        raise Unusable("is not one of this suite")
    for key, value in owner.items():
        if stated.get(key) != value:
            raise Unusable(f"belongs to another run ({key} {stated.get(key)}, here {value})")
    if _shapes(checkpoint["state_dict"]) != _shapes(network.state_dict()):
        raise Unusable("holds the weights of another network")


def _shapes(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def generators() -> dict[str, Any]:
    """The states of all global random number generators, as tensors and plain values."""
    name, keys, *rest = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "numpy": (name, keys.tolist(), *rest),  # type: ignore[union-attr]
        "python": random.getstate(),
    }


def set_generators(states: Mapping[str, Any]) -> None:
    """Undoes what happened to them since `generators`."""
    torch.set_rng_state(states["torch"])
    if states["cuda"]:
        torch.cuda.set_rng_state_all(states["cuda"])
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])
