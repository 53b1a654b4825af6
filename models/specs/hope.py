"""The options of HOPE (2405.13975)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self, get_args

from ..choices.names import choose
from .kernel import StepSpec
from .mixer import rate

if TYPE_CHECKING:
    from ..kernel import Kernel

Filter = Literal["causal", "circular", "twosided"]


@dataclass(frozen=True, kw_only=True)
class HOPESpec(StepSpec):
    """HOPE. d_state is the paper's n: one real dimension per Markov parameter. dt ranges are in HOPE's own convention, half of S4's."""

    dt_convention: ClassVar[float] = 0.5

    dt_min: float = 5e-4
    dt_max: float = 5e-2
    filter: Filter = "causal"
    """causal: the exact kernel, zero-padded. circular: the paper's Algorithm 1 to the letter (period L, no padding). twosided: the
    frequency-domain construction of the authors' last release, delays from one h and advances from another, period L."""
    train_h: bool = True
    lr_h: float | None = rate("kernel", 1e-3)
    """Learning rate of h; None is the network's, as in the paper's experiment I. Never decayed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        choose("HOPE filter", self.filter, {word: word for word in get_args(Filter)})

    @property
    def two_way(self) -> bool:
        """Only the causal filter can be reversed and added: the others look ahead already."""
        return self.filter == "causal"

    def fixed_to(self, length: int) -> Self:
        """The same row for the causal filter. Raises ValueError for a filter of period L, which the padding would enter."""
        if self.filter != "causal":
            raise ValueError(
                f"HOPE's {self.filter} filter has the period of the padded batch, so its result would depend on what a sequence is batched "
                "with; where lengths differ use hope, whose filter is causal"
            )
        return self

    def require_two_way(self) -> None:
        if not self.two_way:
            raise ValueError(f"HOPE's {self.filter} filter already reaches both ways around its period; use bidirectional=False")

    def build(self, d_model: int, directions: int = 1) -> Kernel:
        if directions != 1:
            self.require_two_way()
        from ..hope import FILTERS

        return FILTERS[self.filter](self, d_model, directions)
