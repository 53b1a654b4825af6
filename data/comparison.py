"""The comparison of generated data with the original program's: one `Line` for each quantity that both have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEVIATIONS: Final = 4.0
"""Standard deviations of a difference that sampling may explain; one of 15,000 fair comparisons lies farther out."""


@dataclass(frozen=True)
class Line:
    """One quantity: its value in the reference and here, and by how much the two may differ."""

    quantity: str
    reference: float
    ours: float
    tolerance: float
    """`DEVIATIONS` standard deviations of the difference, from the sampling of both sides, and what rounding took from the reference."""

    @property
    def sigmas(self) -> float:
        """The difference in standard deviations, where the tolerance is so many of them and nothing else."""
        gap = self.ours - self.reference
        return DEVIATIONS * gap / self.tolerance if gap else 0.0

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance."""
        return abs(self.ours - self.reference) <= self.tolerance
