"""Whether the textbook code is as fast as the public code is known to be: its kernels over its own convolution, which any machine can time.

On a quiet machine of two cores the public code took 187 ms for the kernel of S4D, 534 ms for that of S4, and 49 ms for a convolution
(H = 128, N = 64, L = 1024, 16 sequences; forward and backward, memory as the C library hands it out by itself). A comparison counts only
where these ratios are found again within a quarter; a slower textbook would flatter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from benchmarks.speed.case import OURS, TEXTBOOK, Case

CONVOLUTION: Final = Case(kind="convolution", row="fft", B=16, L=1024, by=TEXTBOOK)
PUBLISHED: Final[Mapping[str, float]] = {"s4d-lin": 187 / 49, "s4": 534 / 49}
TOLERANCE: Final = 0.25
ALLOCATIONS: Final = ("as it comes", "settled")
"""How memory is handed out: the first is what the public figures were taken under, the second what this session is measured under."""


def kernel_of(row: str) -> Case:
    """The kernel that is set against the convolution."""
    return Case(kind="kernel", row=row, L=1024, by=TEXTBOOK)


CASES: Final = (CONVOLUTION, *map(kernel_of, PUBLISHED), *(replace(kernel_of(row), by=OURS) for row in PUBLISHED))
"""With ours beside, because the way memory is handed out moves the one more than the other."""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """One ratio, and whether it is where it has to be."""

    row: str
    allocation: str
    ratio: float
    published: float
    faster: float
    """The textbook's time over ours."""

    @property
    def holds(self) -> bool:
        """Within a quarter of what the public code took."""
        return abs(self.ratio / self.published - 1) <= TOLERANCE

    @property
    def words(self) -> str:
        """A sentence for the page and the terminal."""
        verdict = "holds" if self.holds else "does not hold: the textbook is " + ("too slow" if self.ratio > self.published else "faster")
        ratio = f"{self.ratio:.2f}, public code {self.published:.2f} ({verdict})"
        return f"{self.row} kernel over convolution, memory {self.allocation}: {ratio}; ours is {self.faster:.1f}x faster"

    def to_json(self) -> dict[str, Any]:
        """Its fields, and the verdict."""
        return {**vars(self), "holds": self.holds}


def anchors(ms: Mapping[Case, float], allocation: str) -> list[Anchor]:
    """The ratios of these times."""
    return [
        Anchor(
            row=row, allocation=allocation, ratio=ms[kernel_of(row)] / ms[CONVOLUTION], published=published,
            faster=ms[kernel_of(row)] / ms[replace(kernel_of(row), by=OURS)],
        )
        for row, published in PUBLISHED.items()
    ]  # fmt: skip
