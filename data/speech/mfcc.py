"""Cepstral coefficients of one second of speech, with the parameters of the Speech Commands literature, and the same clip at 8 kHz.

The parameters come from Neural CDEs (arXiv 2005.08926) by way of CKConv (arXiv 2102.02611) and state-spaces/s4: 20 coefficients of 64 mel
bands on a logarithmic scale, from windows of 200 samples (12.5 ms) every 100. 64 bands are more than so short a window can tell apart: some
of the lowest hold no frequency at all, and stay at the floor log(1e-6), for every clip alike.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from torch import Tensor, nn

RATE: Final = 16_000
LENGTH: Final = 16_000
COEFFICIENTS: Final = 20
HOP: Final = 100
WINDOW: Final = 200
FRAMES: Final = LENGTH // HOP + 1
HALF_FRAMES: Final = LENGTH // 2 // HOP + 1

Resampling = Literal["decimated", "filtered"]


@cache
def _transform(rate: int, window: int) -> nn.Module:
    from torchaudio.transforms import MFCC

    with warnings.catch_warnings():  # of the empty bands, see above
        warnings.filterwarnings("ignore", message="At least one mel filterbank has all zero values", category=UserWarning)
        bands = {"n_fft": window, "hop_length": HOP, "n_mels": 64, "f_max": RATE / 2}
        transform: nn.Module = MFCC(sample_rate=rate, n_mfcc=COEFFICIENTS, log_mels=True, melkwargs=bands).float()
    return transform


def mfcc(waves: Tensor) -> Tensor:
    """Transforms waves (B, 16000) at 16 kHz into coefficients (B, 161, 20), with torchaudio's transform."""
    coefficients: Tensor = _transform(RATE, WINDOW)(waves)
    return coefficients.transpose(1, 2)


def mfcc_8khz(waves: Tensor) -> Tensor:
    """Transforms waves (B, 8000) at 8 kHz into coefficients (B, 81, 20): frame k stands where frame 2k of the 16 kHz clip stands.

    The hop keeps its samples, so there are half as many frames, each twice as long in time: for a network it is the resolution that
    changes. The window keeps its milliseconds (100 samples) and the bands keep their place in Hz, so that a coefficient goes on meaning
    what it meant in training; bands above 4 kHz are empty. Built for 8 kHz without that, the bands would be others altogether.
    """
    coefficients: Tensor = _transform(RATE // 2, WINDOW // 2)(waves)
    return coefficients.transpose(1, 2)


@cache
def _resample(by: int) -> nn.Module:
    from torchaudio.transforms import Resample

    transform: nn.Module = Resample(RATE, RATE // by).float()
    return transform


def lowered(waves: Tensor, by: int) -> Tensor:
    """Lowers the rate of waves (B, L), to (B, L / by), by torchaudio's resampling, which filters; `by` = 1 leaves them as they are."""
    filtered: Tensor = waves if by == 1 else _resample(by)(waves)
    return filtered


def halved(waves: Tensor, resampling: Resampling) -> Tensor:
    """Halves the rate of waves (B, L), to (B, L // 2): every second sample from the first on, or torchaudio's resampling, which filters."""
    return waves[:, ::2] if resampling == "decimated" else lowered(waves, 2)
