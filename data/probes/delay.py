"""Continuous delay: a signal is to come out again a fixed number of steps after it came in (A. Gu et al., arXiv:2206.12037).

A convolution has all of its memory at fixed distances, and this task asks for exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data.base import Signature
from data.card import Card
from data.probes.base import ProbeSpec, Sample, Uniform, probe_card


@dataclass(frozen=True, kw_only=True)
class DelaySpec(ProbeSpec):
    """Continuous delay: white noise below a cut-off comes in, the same signal `delay` steps later is to come out (arXiv 2206.12037)."""

    name: ClassVar[str] = "delay"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = probe_card(
        name="delay",
        title="Continuous delay",
        what="A signal of 4,000 steps, white noise below half the Nyquist frequency that begins at 0; at every step the question is the "
        "signal 1,000 steps before.",
        size="4,000 steps, one real number each",
        citation="A. Gu et al., How to Train Your HiPPO, arXiv:2206.12037",
        issues=(
            "the first `delay` steps, whose answer would be 0 whatever the signal, are not scored; the paper's code scores them",
            "rms of the signal 0.5 around an offset that makes its first value 0: always answering 0 scores an rmse of 0.71, knowing the "
            "offset and nothing else 0.5, and the best memoryless answer, half the present value, 0.61",
        ),
    )

    length: int = 4000
    delay: int = 1000
    band: float = 0.5
    """Highest frequency, as a share of the Nyquist frequency."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(4, "length")
        self.require_at_least(1, "delay")
        if self.length % 2:
            raise ValueError(f"length of delay is even, got {self.length}")
        if self.delay >= self.length:
            raise ValueError(f"delay is shorter than the sequence, got {self.delay} of {self.length} steps")
        if not 2 / self.length <= self.band < 1:
            raise ValueError(f"band is a share of the Nyquist frequency, {2 / self.length:.2g} (one period) to below 1, got {self.band}")

    @property
    def signature(self) -> Signature:
        """Each step is one real number, and so is its answer."""
        return Signature(length=self.length, d_input=1, d_output=1, per_step=True, regression=True)

    @property
    def _frequencies(self) -> int:
        return int(self.band * self.length / 2 + 1e-9)

    @property
    def uniforms(self) -> int:
        """A sample takes two numbers for the complex coefficient of each frequency."""
        return 2 * self._frequencies

    @property
    def chance(self) -> float:
        """The rmse of always answering 0."""
        return 0.5**0.5

    def sample(self, u: Uniform) -> Sample:
        """Draws complex normal coefficients for the frequencies in the band, in polar form, and transforms them back."""
        m, n = self._frequencies, self.length
        spectrum = np.zeros((len(u), n // 2 + 1), dtype=np.complex128)
        spectrum[:, 1 : m + 1] = np.sqrt(-np.log1p(-u[:, :m])) * np.exp(2j * np.pi * u[:, m:])
        signal = np.fft.irfft(spectrum, n, axis=1) * (0.5 * n / np.sqrt(2 * m))  # rms 0.5
        signal = (signal - signal[:, :1]).astype(np.float32)
        y = np.zeros_like(signal)
        y[:, self.delay :] = signal[:, : -self.delay]
        mask = np.broadcast_to(np.arange(n) >= self.delay, y.shape).copy()
        return Sample(signal[..., None], y, mask)
