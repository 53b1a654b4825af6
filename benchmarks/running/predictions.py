"""What a network answers on the test set, example by example, so that two rows can be compared on the examples that they share.

predictions-*.npz beside the record, only with --predictions; a row for each scored item (a sequence, or a step that the mask marks), in the
order of the test set, which is the same for every run on the same data:

    output (n, d_output)    what the network says: a score for each class, or the targets
    label (n,)              what is right
    correct (n,)            whether the highest score is that of the label; not for regression
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from models import SequenceTask


class Answers(Callback):
    """Keeps what the network says in the first test of a run; tests at other sampling rates come after it and are not kept."""

    def __init__(self) -> None:
        self.outputs: list[Tensor] = []
        self.labels: list[Tensor] = []
        self.said: Tensor | None = None
        self.listening: RemovableHandle | None = None
        self.over = False

    def on_test_start(self, trainer: Trainer, task: LightningModule) -> None:
        assert isinstance(task, SequenceTask)
        if not self.over:
            self.listening = task.model.register_forward_hook(self._hear)

    def _hear(self, model: torch.nn.Module, given: Any, output: Tensor) -> None:
        self.said = output

    def on_test_batch_end(
        self, trainer: Trainer, task: LightningModule, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        assert isinstance(task, SequenceTask)
        if self.said is not None:
            output, label = task.scored(self.said, batch)
            self.outputs.append(output.detach().float().cpu())
            self.labels.append(label.cpu())
            self.said = None

    def on_test_end(self, trainer: Trainer, task: LightningModule) -> None:
        if self.listening is not None:
            self.listening.remove()
        self.listening, self.over = None, True

    def arrays(self, *, regression: bool) -> dict[str, np.ndarray]:
        """All batches in one, as they are kept."""
        output, label = torch.cat(self.outputs).numpy(), torch.cat(self.labels).numpy()
        return {"output": output, "label": label} | ({} if regression else {"correct": output.argmax(-1) == label})
