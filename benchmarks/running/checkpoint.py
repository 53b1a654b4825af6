"""Resuming inside a run: its whole state after an epoch, kept beside the record to come; killed and started again, it ends bit-equal.

<run folder>/checkpoint-<epochs done>-<sha256 of the content>.ckpt    the last two of a run that is not over
                                                   ....ckpt.aside    one that could not be used

Lightning dumps and restores weights, optimizer, schedule and progress. Added here: the random number generators, a file that is whole or
absent and is hashed before it is read, and whose it is. A checkpoint that cannot be used costs its epochs and never the run.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning import __version__ as lightning_version
from pytorch_lightning.plugins import CheckpointIO
from torch import nn

from benchmarks import plugins
from benchmarks.running.environment import Runtime, code_content
from benchmarks.running.store import checkpoints, write_atomically

EVERY: Final = 60.0
"""Seconds between two checkpoints, at least; a shorter run never writes one."""
KEEP: Final = 2
ROOM: Final = 64 * 10**6
"""Bytes that a checkpoint leaves free on the disk: the record of the run, with its arrays, goes first."""
LAYOUT: Final = "2"
"""Raised whenever what this file, or a callback of the run, keeps in a checkpoint changes its meaning."""
NEEDED: Final[Mapping[str, Collection[str]]] = {
    "NonFinite": ("looked_at",),
    "BestOnValidation": ("rank", "epoch", "scores", "state"),
    "History": ("rows", "rates"),
    "Checkpoints": ("seconds", "sessions", "codes", "generators"),
}
"""What every callback of a run has to find in a checkpoint: what is missing would be silently as in a new run."""
LOOPS: Final = (
    "epoch_progress",
    "epoch_loop.batch_progress",
    "epoch_loop.scheduler_progress",
    "epoch_loop.automatic_optimization.optim_progress",
)
"""And what Lightning's loop over epochs has to."""


class Unusable(Exception):
    """A checkpoint that cannot be continued from. The message says why and reads on after its name."""


class NotRestored(Exception):
    """A checkpoint that looked right and could not be put back. `path` is the file, the message says why and reads on after its name."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(f"could not be restored ({type(error).__name__}: {error})")
        self.path = path


def owner_of(spec_id: str, data: str, runtime: Runtime) -> dict[str, str]:
    """Whose a checkpoint is: all that has to be equal when a run goes on, because it may change the numbers that follow."""
    return {
        "spec": spec_id,
        "data": data,
        "code": code_content(),
        "device": runtime.device,
        "threads": str(runtime.threads),
        "engine": runtime.engine,
        "torch": str(torch.__version__),
        "lightning": lightning_version,
        "layout": LAYOUT,
        **{f"plugin {name}": digest for name, digest in plugins.hashes().items()},
    }


class HashedFiles(CheckpointIO):
    """Files that are written whole or not at all, named by the hash of their content, and read only if that is what they hold."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes `path`-<sha256>.ckpt."""
        buffer = io.BytesIO()
        torch.save({**checkpoint, "form": form(checkpoint)}, buffer)
        blob = buffer.getvalue()
        path = Path(path)
        if shutil.disk_usage(path.parent).free < len(blob) + ROOM:
            raise OSError(errno.ENOSPC, "No space left on device beside the record to come")
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
        except Exception as error:
            raise Unusable("is no checkpoint of plain values") from error
        if not isinstance(content, dict):
            raise Unusable("is no checkpoint")
        return content

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


class Checkpoints(Callback):
    """Saves when an epoch is over and `EVERY` seconds have passed since the last time; has to be the last callback.

    The moment is the start of the next epoch: only then are the schedules stepped and the losses of the old epoch in the history.
    `owner` is what has to be equal when the run goes on, see `owner_of`; `code` the commit that this session runs, which may differ.
    """

    def __init__(self, folder: Path, owner: Mapping[str, str], begun: float, say: Callable[[str], None], code: str = "") -> None:
        self.folder, self.owner, self.begun, self.say = folder, dict(owner), begun, say
        self.codes = [code]
        """The commit of every session."""
        self.restored = False
        """Whether a resumed run has all of its state back."""
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
            self.restored = True
        elif trainer.current_epoch > 0 and time.monotonic() - self.saved >= EVERY:
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """One more file, and none but the last `KEEP`. A disk that is full costs the checkpoint and not the run."""
        self.saved = time.monotonic()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(self.folder / f"checkpoint-{trainer.current_epoch:06d}")
            for old in checkpoints(self.folder)[KEEP:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            self.say(f"no checkpoint after epoch {trainer.current_epoch - 1}: {error.strerror or error}; the run goes on without")

    def on_save_checkpoint(self, trainer: Trainer, task: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["owner"] = self.owner
        # Lightning has already counted the epoch that is about to start, and would take the run for one that broke off inside it
        for count in checkpoint["loops"]["fit_loop"]["epoch_progress"].values():
            count["ready"] -= 1

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "sessions": self.sessions, "codes": self.codes, "generators": generators()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.earlier, self.sessions = state_dict["seconds"], state_dict["sessions"] + 1
        self.codes = [*state_dict["codes"], *self.codes]
        self.generators = state_dict["generators"]

    @property
    def earlier_codes(self) -> list[str]:
        """The commits of earlier sessions that are not the one of this session, each once."""
        return [code for code in dict.fromkeys(self.codes) if code != self.codes[-1]]


def remove(folder: Path, *, but: int = 0) -> None:
    """Every checkpoint but the newest few, those set aside included."""
    kept = checkpoints(folder)[:but]
    for path in checkpoints(folder, "*"):
        if path not in kept:
            path.unlink(missing_ok=True)


def set_aside(path: Path, problem: Exception, say: Callable[[str], None]) -> None:
    """Renames a checkpoint that cannot be used, and tells `say` why and what comes instead."""
    os.replace(path, path.with_name(f"{path.name}.aside"))
    instead = "the one before is tried" if checkpoints(path.parent) else "the run starts from scratch"
    say(f"{path.name} {problem}; it is set aside, and {instead}")


def usable(folder: Path, owner: Mapping[str, str], network: nn.Module, say: Callable[[str], None]) -> Path | None:
    """The newest checkpoint that this run can continue from, None if there is none. Others are set aside, and `say` is told."""
    for path in checkpoints(folder):
        try:
            checkpoint = HashedFiles().load_checkpoint(path)
            _check(checkpoint, owner, network)
        except Unusable as problem:
            set_aside(path, problem, say)
            continue
        say(f"continues after {checkpoint['epoch']} epochs")
        return path
    return None


def _check(checkpoint: Mapping[str, Any], owner: Mapping[str, str], network: nn.Module) -> None:
    """Raises Unusable for the checkpoint of another run, and for one that is not whole."""
    stated = checkpoint.get("owner")
    if not isinstance(stated, dict) or not isinstance(checkpoint.get("state_dict"), dict):
        raise Unusable("is not one of this suite")
    for key, value in owner.items():
        if stated.get(key) != value:
            whose = "another run" if key in ("spec", "data") else f"other {key}"
            raise Unusable(f"belongs to {whose} ({key} {stated.get(key)}, here {value})")
    if checkpoint.get("form") != form({key: value for key, value in checkpoint.items() if key != "form"}):
        raise Unusable("is not whole (something that was saved is missing or of another shape)")
    try:
        _check_whole(checkpoint, network)
    except Unusable:
        raise
    except Exception as error:
        raise Unusable(f"is not whole ({type(error).__name__}: {error})") from error


def _check_whole(checkpoint: Mapping[str, Any], network: nn.Module) -> None:
    """Raises Unusable, or whatever a missing key raises, unless weights, callbacks, optimizer and loops have all they need."""
    kept = {name: {key: checkpoint["callbacks"][name][key] for key in keys} for name, keys in NEEDED.items()}
    shapes = _shapes(network.state_dict())
    if _shapes(checkpoint["state_dict"]) != shapes or _shapes(kept["BestOnValidation"]["state"]) != shapes:
        raise Unusable("holds the weights of another network")
    if any(not checkpoint["loops"]["fit_loop"][name] for name in LOOPS):
        raise Unusable("does not say how far it has come")
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["completed"]
    if not checkpoint["epoch"] == epochs == len(kept["History"]["rows"]) > kept["BestOnValidation"]["epoch"] >= 0:
        raise Unusable("contradicts itself (epochs done, epochs in its history, best epoch)")
    (optimizer,) = checkpoint["optimizer_states"]
    if not optimizer["state"] or not optimizer["param_groups"] or checkpoint["global_step"] < 1:
        raise Unusable("holds no state of the optimizer")
    if not isinstance(checkpoint["lr_schedulers"], list):
        raise Unusable("holds no schedules")


def form(value: Any) -> str:
    """A sha256 of the keys, types and shapes of nested tables, whatever their values: what was saved is there again, or it is not."""
    return hashlib.sha256(_form(value).encode()).hexdigest()


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{key!r}:{_form(inner)}" for key, inner in value.items())) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_form, value)) + "]"
    return f"{value.dtype}{tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__


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
