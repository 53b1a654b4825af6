"""BENCHMARKS: every benchmark of the suite by name, collected from the files that define them; and the rows asked of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks import images, pixels
from benchmarks.spec import Benchmark
from models import DEFAULT_VARIANTS, VARIANTS
from models.names import unknown

BENCHMARKS: Final[dict[str, Benchmark]] = {benchmark.name: benchmark for benchmark in (*pixels.BENCHMARKS, *images.BENCHMARKS)}


def variants(wanted: Sequence[str]) -> tuple[str, ...]:
    """Names of variants, with the words default and all written out. Raises ValueError."""
    out: list[str] = []
    for word in wanted:
        if word in ("default", "all"):
            out += DEFAULT_VARIANTS if word == "default" else VARIANTS
        elif word in VARIANTS:
            out.append(word)
        else:
            raise ValueError(unknown("variant", word, ["default", "all", *VARIANTS]))
    return tuple(dict.fromkeys(out))
