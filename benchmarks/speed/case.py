"""Case: one piece of work at one size, by ours or by others; and Timing, what measuring it gave."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self, get_args

Kind = Literal["convolution", "kernel", "layer", "step", "recurrent", "forward", "scan", "engine"]
"""convolution, kernel, layer: forward and backward. step: a training step of a network, optimizer included. recurrent: one token through a
network in step mode. forward: a layer without derivatives. scan: a recurrence over a whole sequence. engine: a kernel and its application,
without what is around; both forward and backward."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STEPPED: Final = 32
"""Tokens in a run of step mode."""
OURS, TEXTBOOK = "ours", "textbook"


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is timed. The letters are those of `models`; the same case of another `by` is the same work."""

    kind: Kind
    row: str
    """A row of the tables; of a convolution, "fft"; of a scan, "scan"."""
    L: int
    B: int = 1
    H: int = 128
    N: int | None = None
    """Real state dimensions; None is what the row has."""
    layers: int = 1
    by: str = OURS
    """ours, textbook, or the name of a package, see `public`."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: under autocast, kernel and transforms in float32 all the same."""
    engine: str | None = None
    """The engine of the convolution; None is the choice of the suite."""

    def __str__(self) -> str:
        sizes = [f"{letter}={size}" for letter, size in (("B", self.B), ("H", self.H), ("N", self.N), ("L", self.L)) if size is not None]
        words = [self.kind, self.row, f"({self.by})", *([f"{self.layers} x"] if self.layers > 1 else []), ", ".join(sizes)]
        return " ".join([*words, *([self.precision] if self.precision != "fp32" else []), *([self.engine] if self.engine else [])])

    @property
    def work(self) -> tuple[object, ...]:
        """What cases share that do the same work, whoever does it."""
        return tuple(value for name, value in asdict(self).items() if name not in ("by", "engine"))

    def to_json(self) -> dict[str, Any]:
        """Its fields, without those that are None."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The case of these fields. Raises TypeError for other fields."""
        return cls(**raw)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Runs of one case after its warm-up, in seconds, and the most memory that one run had allocated at a time."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    """CPU time of the process, all threads: what a loaded machine disturbs least."""
    peak_mb: float | None
    """10^6 bytes over what was allocated before."""

    @property
    def median(self) -> float:
        """Of the time on the clock."""
        return statistics.median(self.wall)

    @property
    def cpu_median(self) -> float:
        """Of the CPU time."""
        return statistics.median(self.cpu)

    def to_json(self) -> dict[str, Any]:
        """Milliseconds with four digits, which is more than repeats."""
        ms = lambda seconds: float(f"{1e3 * seconds:.4g}")
        return {
            "ms": ms(self.median), "min": ms(min(self.wall)), "max": ms(max(self.wall)), "cpu_ms": ms(self.cpu_median),
            "runs": len(self.wall), "peak_mb": None if self.peak_mb is None else float(f"{self.peak_mb:.4g}"),
        }  # fmt: skip
