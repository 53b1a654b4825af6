"""Induction heads: what followed a trigger the first time is to be told the second time (arXiv:2212.14052 and 2312.00752).

How far back the answer lies depends on what is read, which a linear time-invariant layer alone cannot follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from data.base import Signature
from data.card import Card
from data.probes.base import ProbeSpec, Sample, Uniform, probe_card, whole


@dataclass(frozen=True, kw_only=True)
class InductionSpec(ProbeSpec):
    """Induction heads: a trigger somewhere among random tokens, and again at the end, where its first follower is to be told.

    arXiv 2212.14052 and 2312.00752. Ids: 0 to `vocab` - 2 the tokens, the last is the trigger.
    """

    name: ClassVar[str] = "induction"
    version: ClassVar[int] = 1
    card: ClassVar[Card] = probe_card(
        name="induction",
        title="Induction heads",
        what="Random tokens of 15 kinds with a trigger at a random place and another at the last step, where the question is which token "
        "followed the first.",
        size="256 steps, 16 symbols",
        citation="D. Fu et al., Hungry Hungry Hippos, arXiv:2212.14052; A. Gu and T. Dao, Mamba, arXiv:2312.00752 (appendix E.1)",
        issues=(
            "Mamba trains at 256 steps and tests up to 2^20; here one length is trained and tested",
            "one answer a sequence; chance is 1 in 15",
        ),
    )

    length: int = 256
    vocab: int = 16
    """Tokens and trigger."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_at_least(3, "length", "vocab")

    @property
    def signature(self) -> Signature:
        """Each step is a token or the trigger; the answer of a step is a token."""
        return Signature(length=self.length, vocab=self.vocab, d_output=self.vocab - 1, per_step=True)

    @property
    def uniforms(self) -> int:
        """A sample takes one number for each step; that of the last says where the trigger is."""
        return self.length

    def sample(self, u: Uniform) -> Sample:
        """Random tokens, the trigger at a random place and at the last step, and there the token after the first trigger as the answer."""
        x = whole(u, self.vocab - 1)
        rows, place = np.arange(len(u)), whole(u[:, -1], self.length - 2)  # the last token is no random one: its number is free
        follower = x[rows, place + 1]
        x[rows, place] = x[:, -1] = self.vocab - 1
        return Sample.asked(x, np.array([self.length - 1]), follower[:, None])
