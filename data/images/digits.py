"""Handwritten digits as sequences, alone or followed by noise: HOPE's memory experiment (arXiv 2405.13975, experiment II) in miniature.

The images are scikit-learn's copy of the UCI "Optical Recognition of Handwritten Digits" test set: 1,797 scans, 8 x 8, values 0 to 16,
CC BY 4.0, part of the scikit-learn package, so nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from data.base import PARTS, DataSpec, Signature
from data.files.digests import sha256
from data.sampling import EVERY_EVALUATION, Ids, stratified_split, uniform_noise

if TYPE_CHECKING:
    from data.module import SplitModule

PIXELS: Final = 64
SHARES: Final = {"train": 0.7, "val": 0.1, "test": 0.2}
SPLIT_SEED: Final = 1797
"""The split is part of the data set: no run seed touches it."""


@dataclass(frozen=True, kw_only=True)
class DigitsSpec(DataSpec):
    """64 pixels in row-major order, one per step, then `noise` steps i.i.d. uniform on [0, 1); the label is the digit.

    Pixels are standardised with the mean and standard deviation of the training pixels, as the image loader of the original
    experiment does; the noise is left as it is drawn, also as there. Training noise is fresh in every epoch, evaluation noise is fixed
    (the original draws it anew at every access).
    """

    version: ClassVar[int] = 1
    task: ClassVar[tuple[str, ...]] = ("noise",)

    noise: int = 0
    """Noise steps after the image; 0 gives plain sequential digits."""

    def __post_init__(self) -> None:
        self.require_at_least(0, "noise")

    @property
    def signature(self) -> Signature:
        """Each step is one real number; there are ten classes."""
        return Signature(length=PIXELS + self.noise, d_input=1, d_output=10)

    def build(self, *, batch_size: int, seed: int) -> SplitModule:
        """The data module; batches are {"x": (B, 64 + noise, 1) float32, "y": (B,) int64}."""
        from sklearn.datasets import load_digits

        from data.module import SplitModule

        bunch = load_digits()
        images = bunch.data.astype(np.uint8)
        labels = bunch.target.astype(np.int64)
        splits = stratified_split(labels, SHARES, SPLIT_SEED)
        seen = images[splits["train"]].astype(np.float64)
        mean, std = np.float32(seen.mean()), np.float32(seen.std())

        def make(split: str, ids: Ids, epoch: int) -> dict[str, NDArray[Any]]:
            x = (images[ids].astype(np.float32) - mean) / std
            if self.noise:
                stream = (seed, epoch) if split == "train" else (PARTS.index(split), EVERY_EVALUATION)
                x = np.concatenate([x, uniform_noise(stream, ids, (self.noise,))], axis=1)
            return {"x": x[:, :, None], "y": labels[ids]}

        content = sha256(images, labels, *(splits[name] for name in PARTS))
        return SplitModule(splits, len(labels), make, batch_size=batch_size, seed=seed, content_hash=content)
