"""The options of three rows for scale: a free kernel, an LSTM, a Transformer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .kernel import KernelSpec
from .mixer import PLAIN, Around, MixerSpec, rate

if TYPE_CHECKING:
    from ..baselines import AttentionLayer, FIRKernel, LSTMLayer


@dataclass(frozen=True, kw_only=True)
class FIRSpec(KernelSpec):
    """A free kernel of d_state taps, K_0 .. K_{d_state - 1}: HOPE at dt = 1 without its delay of one step."""

    lr_K: float | None = rate("kernel", 1e-3)
    """Learning rate of the taps; None is the network's. Never decayed."""

    def build(self, d_model: int, directions: int = 1) -> FIRKernel:
        from ..baselines import FIRKernel

        return FIRKernel(self, d_model, directions)


@dataclass(frozen=True, kw_only=True)
class LSTMSpec(MixerSpec):
    """An LSTM of d_model units in the place of the convolution. Causal."""

    def build_layer(self, d_model: int, around: Around = PLAIN) -> LSTMLayer:
        from ..baselines import LSTMLayer

        return LSTMLayer(d_model)


@dataclass(frozen=True, kw_only=True)
class TransformerSpec(MixerSpec):
    """Softmax attention with rotary positions (2104.09864) and a feed-forward part, in the place of the convolution. Looks both ways."""

    n_heads: int = 4
    expand: int = 2
    """Width of the feed-forward part over d_model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_heads < 1 or self.expand < 1:
            raise ValueError(f"n_heads and expand are at least 1, got {self.n_heads} and {self.expand}")

    def build_layer(self, d_model: int, around: Around = PLAIN) -> AttentionLayer:
        """Raises ValueError where the heads do not divide d_model evenly."""
        if d_model % (2 * self.n_heads):
            raise ValueError(f"rotary heads need d_model divisible by 2 n_heads; got d_model={d_model} and n_heads={self.n_heads}")
        from ..baselines import AttentionLayer

        return AttentionLayer(d_model, self.n_heads, self.expand)
