"""Copying: tokens are to be told in order after a long gap (M. Arjovsky et al., arXiv:1511.06464).

All distances are fixed, so a convolution can solve it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data.base import Signature
from data.card import Card
from data.probes.base import ProbeSpec, Sample, Uniform, probe_card, whole


@dataclass(frozen=True, kw_only=True)
class CopyingSpec(ProbeSpec):
    """Copying: tokens, a gap of blanks, a marker, and then the tokens are to be told in order (arXiv 1511.06464).

    Ids: 0 blank, 1 to `symbols` the symbols, then the marker.
    """

    name: ClassVar[str] = "copying"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = probe_card(
        name="copying",
        title="Copying",
        what="Ten tokens of eight kinds, 99 blanks, a marker and ten blanks; at the last ten steps the question is which the tokens were.",
        size="120 steps, ten symbols",
        citation="M. Arjovsky, A. Shah and Y. Bengio, Unitary Evolution Recurrent Neural Networks, arXiv:1511.06464",
        issues=(
            "only the ten answers are scored; the paper also scores the blanks before them, which lifts chance to 93 %",
            "state-spaces/s4 puts a marker at each of the answers instead of one before them",
            "chance is 1 in 8",
        ),
    )

    tokens: int = 10
    """How many tokens are to be remembered."""
    gap: int = 100
    """Steps from the last token to the marker."""
    symbols: int = 8
    """Kinds of tokens."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(1, "tokens", "gap")
        self.require_at_least(2, "symbols")

    @property
    def signature(self) -> Signature:
        """Each step is a symbol, the blank or the marker; the answer of a step is one of the symbols."""
        return Signature(length=self.gap + 2 * self.tokens, vocab=self.symbols + 2, d_output=self.symbols, per_step=True)

    @property
    def uniforms(self) -> int:
        """A sample takes one number for each token."""
        return self.tokens

    def sample(self, u: Uniform) -> Sample:
        """The tokens at the beginning, the marker before the last `tokens` steps, and there the same tokens as answers."""
        tokens, length = whole(u, self.symbols), self.signature.length
        x = np.zeros((len(u), length), dtype=np.int64)
        x[:, : self.tokens] = 1 + tokens
        x[:, -self.tokens - 1] = self.symbols + 1
        return Sample.asked(x, np.arange(length - self.tokens, length), tokens)
