"""Engines: the ways to apply one kernel to a sequence, and the choice among them.

An engine decides how long a result takes and how much memory, never what the result is: all of them agree to rounding, so that the id of a
run does not know which was used; its record says so.

    fft          the whole sequence at once, by zero-padded transforms: any kernel
    chunked      piece by piece, a state handed on from one to the next: kernels with a recurrence (`models.chunked`)
    scan         all steps at once, in log L rounds: layers whose channels share a state (LRU)
    sequential   one step after the other: the same layers

The choice is data. `engines.csv` beside this file holds measured points, a line each:

    device   type of the device, cpu or cuda
    form     how the state is stored: diagonal, dense (a matrix per channel), or shared (one state for all channels)
    B H N L  batch, channels, real state dimensions, length
    engine   one of the above
    ms       milliseconds of one forward and backward pass of the kernel and its application, in float32

and where nothing else is asked for, the engine that was fastest at the nearest measured point (in octaves of B, H, N and L together) is
used. Where nothing was measured, it is the first that a layer names. `make speed` measures the points again and writes them with
`write_table`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Form = Literal["diagonal", "dense", "shared"]
AUTO: Final = "auto"
"""The word for the choice by table."""
ENGINES: Final = ("fft", "chunked", "scan", "sequential")
TABLE: Final = Path(__file__).with_name("engines.csv")

MEMORY_BUDGET: dict[str, int] = {"cpu": 1 << 30, "cuda": 8 << 30}
"""Bytes that the intermediates of one application may take, by the type of the device; what needs more is done in parts, see `in_parts`
and `in_pieces`."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What decides which engine is the fastest."""

    device: str
    """The type of the device."""
    form: Form
    B: int
    H: int
    N: int
    """Real state dimensions."""
    L: int

    def distance(self, other: Work) -> float:
        """Octaves between the sizes of two pieces of work; infinite between devices and forms."""
        if (self.device, self.form) != (other.device, other.form):
            return math.inf
        return sum(abs(math.log2(getattr(self, size) / getattr(other, size))) for size in ("B", "H", "N", "L"))


@dataclass(frozen=True, kw_only=True)
class Measured(Work):
    """One line of the table."""

    engine: str
    ms: float

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"unknown engine {self.engine!r} in the table of engines; one of: {', '.join(ENGINES)}")
        if min(self.B, self.H, self.N, self.L) < 1 or not 0 < self.ms < math.inf:
            raise ValueError(f"the table of engines holds sizes of at least 1 and positive times; got {self}")


COLUMNS: Final = ("device", "form", "B", "H", "N", "L", "engine", "ms")


@cache
def table() -> tuple[Measured, ...]:
    """The measured points, in the order of the file."""
    read: dict[str, Any] = {f.name: {"int": int, "float": float}.get(str(f.type), str) for f in fields(Measured)}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(Measured(**{name: read[name](value) for name, value in line.items()}) for line in csv.DictReader(file))


def write_table(rows: Iterable[Measured], path: Path = TABLE) -> None:
    """Writes measured points as the table, in place of what it holds. Only a checkout is written to, never an installed package."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) | {"ms": f"{row.ms:.4g}"} for row in rows)
    table.cache_clear()
    fastest.cache_clear()


@cache
def fastest(work: Work, able: tuple[str, ...]) -> str:
    """Which of the engines `able`, those that a layer can use, is fastest at the nearest point where more than one of them was measured;
    the first of them where there is no such point."""
    times: dict[Work, dict[str, float]] = {}
    for row in table():
        if row.engine in able and work.distance(row) < math.inf:
            point = Work(device=row.device, form=row.form, B=row.B, H=row.H, N=row.N, L=row.L)
            times.setdefault(point, {})[row.engine] = row.ms
    compared = [point for point, engines in times.items() if len(engines) > 1]
    if not compared:
        return able[0]
    nearest = times[min(compared, key=work.distance)]
    return min(nearest, key=lambda engine: nearest[engine])


# ------------------------------------------------------------------------------------------------- the memory budget


def _fits(x: Tensor, size: int) -> bool:
    """Whether intermediates of `size` bytes may be made at once where x lies; a traced program leaves the size of its batch open."""
    return torch.compiler.is_compiling() or size <= _budget(x)


def _budget(x: Tensor) -> int:
    return MEMORY_BUDGET.get(x.device.type, MEMORY_BUDGET["cuda"])


def _computed_again(apply: Callable[..., tuple[Tensor, ...]], *inputs: Tensor | None) -> tuple[Tensor, ...]:
    """apply(*inputs), of which nothing but the inputs is kept for the backward pass."""
    result: tuple[Tensor, ...] = checkpoint(apply, *inputs, use_reentrant=False) if torch.is_grad_enabled() else apply(*inputs)
    return result


def in_parts(apply: Callable[..., tuple[Tensor, ...]], each: int, *split: tuple[Tensor, int], out: tuple[int, ...]) -> tuple[Tensor, ...]:
    """apply(*tensors) for all channels at once, or, where that would take more than the budget of the device, for some channels after the
    others, keeping only what goes in and computing the rest again in the backward pass.

    `each` counts the bytes that intermediates of one channel take. `split` names the tensors, each with the axis of its channels, `out`
    those axes in the results.
    """
    first, axis = split[0]
    H = first.shape[axis]
    if _fits(first, H * each):
        return apply(*(tensor for tensor, _ in split))
    many = max(1, _budget(first) // each)
    parts = []
    for start in range(0, H, many):
        some = [tensor.narrow(d, start, min(many, H - start)) for tensor, d in split]
        parts.append(_computed_again(apply, *some))
    return tuple(torch.cat(results, dim=d) for results, d in zip(zip(*parts), out, strict=True))


def in_pieces(
    apply: Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]], each: int, u: Tensor, state: Tensor | None
) -> tuple[Tensor, Tensor]:
    """apply(u (B, L, H), state) -> (y (B, L, H), state) at once, or, where that would take more than the budget of the device, piece after
    piece along L, each from the state that the one before has left, computing the rest again in the backward pass.

    `each` counts the bytes that intermediates of one step of time take.
    """
    if _fits(u, u.shape[1] * each):
        return apply(u, state)
    out = []
    for piece in u.split(max(1, _budget(u) // each), dim=1):
        y, after = _computed_again(apply, piece, state)
        out.append(y)
        state = after
    return torch.cat(out, dim=1), after
