"""Selective copying: tokens scattered among noise are to be told in order (A. Gu and T. Dao, arXiv:2312.00752).

How far back an answer lies depends on what is read, which a linear time-invariant layer alone cannot follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data.base import Signature
from data.card import Card
from data.probes.base import ProbeSpec, Sample, Uniform, distinct, probe_card, whole


@dataclass(frozen=True, kw_only=True)
class SelectiveCopyingSpec(ProbeSpec):
    """Selective copying: tokens at random places among noise, then as many markers, at which they are to be told (arXiv 2312.00752).

    Ids: 0 noise, 1 to `symbols` the symbols, then the marker.
    """

    name: ClassVar[str] = "selective-copying"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = probe_card(
        name="selective-copying",
        title="Selective copying",
        what="Sixteen tokens of 14 kinds at random places among 4,080 steps of noise, then 16 markers; at the markers the question is the "
        "sixteen tokens in order.",
        size="4,112 steps, 16 symbols",
        citation="A. Gu and T. Dao, Mamba, arXiv:2312.00752 (section 4.1.1, appendix E.1); L. Jing et al., arXiv:1706.02761",
        issues=(
            "Mamba's 4,096 steps and 16 symbols, noise and marker among the symbols; whether its 4,096 count the markers is not said, here "
            "they come after them",
            "the noise is one symbol, as in the code of state-spaces/s4",
            "chance is 1 in 14",
        ),
    )

    length: int = 4096
    """Steps before the markers, tokens and noise together."""
    tokens: int = 16
    symbols: int = 14

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(1, "tokens")
        self.require_at_least(2, "symbols")
        if self.tokens > self.length:
            raise ValueError(f"{self.tokens} tokens have no place in {self.length} steps")

    @property
    def signature(self) -> Signature:
        """Each step is a symbol, noise or the marker; the answer of a step is one of the symbols."""
        return Signature(length=self.length + self.tokens, vocab=self.symbols + 2, d_output=self.symbols, per_step=True)

    @property
    def uniforms(self) -> int:
        """A sample takes two numbers for each token: which it is, and where."""
        return 2 * self.tokens

    def sample(self, u: Uniform) -> Sample:
        """The tokens at random places in order, then the markers, and there the same tokens as answers."""
        tokens = whole(u[:, : self.tokens], self.symbols)
        places = np.sort(distinct(u[:, self.tokens :], self.length), axis=1)
        x = np.zeros((len(u), self.signature.length), dtype=np.int64)
        np.put_along_axis(x, places, 1 + tokens, axis=1)
        x[:, self.length :] = self.symbols + 1
        return Sample.asked(x, np.arange(self.length, self.length + self.tokens), tokens)
